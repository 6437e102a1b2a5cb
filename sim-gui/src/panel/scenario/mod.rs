//! The scenario as text or as a form of its values: to read, to change, and to run as changed.

mod values;

use super::{Cx, PanelDef, Place, problems};
use crate::command::{self, Command};
use crate::highlight;
use crate::theme::{Palette, font, mono};
use eframe::egui::{self, RichText};

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "scenario",
    title: "Scenario",
    about: "The scenario's text; what is changed runs from the start.",
    place: Place::Middle,
    draw,
    text: |state| state.source.text.clone(),
};

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let p = Palette::of(ui);
    let original = cx.state.source.text.clone();
    let mut typed = cx.local.text.clone().unwrap_or_else(|| original.clone());
    let changed = typed != original;
    ui.horizontal(|ui| {
        super::heading(ui, &cx.state.source.name);
        let state = if changed {
            "changed, not run yet"
        } else if cx.state.unsaved {
            "not saved"
        } else {
            ""
        };
        ui.label(RichText::new(state).font(font(11.5)).color(p.warn));
        ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
            if ui
                .add_enabled(
                    changed || cx.state.problems.is_some(),
                    egui::Button::new("Run"),
                )
                .clicked()
            {
                cx.does(Command::OpenText(typed.clone()));
            }
            if ui
                .add_enabled(changed, egui::Button::new("Revert"))
                .clicked()
            {
                typed.clone_from(&original);
            }
            if ui
                .add_enabled(changed || cx.state.unsaved, egui::Button::new("Save"))
                .on_hover_text(command::hint("save-scenario"))
                .clicked()
            {
                cx.does(Command::SaveScenario);
            }
            ui.add_space(8.0);
            // From right to left.
            for (form, word, hint) in [
                (
                    true,
                    "Form",
                    "The values of this text, each with what it allows.",
                ),
                (false, "Text", "The text of the scenario."),
            ] {
                let tab = ui.selectable_label(cx.local.form == form, word);
                if tab.on_hover_text(hint).clicked() {
                    cx.local.form = form;
                }
            }
        });
    });
    let failed = cx
        .state
        .problems
        .as_ref()
        .filter(|_| cx.state.report.is_none());
    let lines: Vec<usize> = failed.map_or(Vec::new(), |problems| {
        let own = |problem| {
            problems::place(problem, problems).filter(|(file, ..)| *file == cx.state.source.name)
        };
        problems
            .problems
            .iter()
            .filter_map(own)
            .map(|(_, line, _)| line)
            .collect()
    });
    if failed.is_some() {
        let height = (ui.available_height() * 0.4).min(260.0);
        egui::ScrollArea::vertical()
            .id_salt("problems")
            .max_height(height)
            .show(ui, |ui| {
                problems::show(ui, cx.state);
            });
    }
    if cx.local.form {
        values::draw(ui, cx, &mut typed);
    } else {
        text(ui, &mut typed, &lines, p);
    }
    cx.local.text = (typed != original).then_some(typed);
}

/// The text itself, with numbers of lines and colours.
fn text(ui: &mut egui::Ui, typed: &mut String, wrong: &[usize], p: &Palette) {
    egui::ScrollArea::both()
        .id_salt("text")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 8.0;
                numbers(ui, typed, wrong, p);
                // Lines are never wrapped: their numbers stand beside them.
                let mut lay_out = |ui: &egui::Ui, text: &dyn egui::TextBuffer, _: f32| {
                    let job = highlight::job(text.as_str(), &mono(12.0), p);
                    ui.fonts_mut(|fonts| fonts.layout_job(job))
                };
                let edit = egui::TextEdit::multiline(typed)
                    .frame(egui::Frame::NONE)
                    .code_editor()
                    .desired_width(f32::INFINITY)
                    .layouter(&mut lay_out);
                let response = ui.add(edit);
                response.widget_info(|| {
                    egui::WidgetInfo::labeled(
                        egui::Role::MultilineTextInput,
                        true,
                        "text of the scenario",
                    )
                });
            });
        });
}

/// Numbers of the lines, with those marked that have problems.
fn numbers(ui: &mut egui::Ui, text: &str, wrong: &[usize], p: &Palette) {
    let mut job = egui::text::LayoutJob::default();
    for line in 1..=text.lines().count() + usize::from(text.ends_with('\n')) {
        let colour = if wrong.contains(&line) { p.bad } else { p.weak };
        let mark = if wrong.contains(&line) { '>' } else { ' ' };
        let format = egui::TextFormat {
            font_id: mono(12.0),
            color: colour,
            ..Default::default()
        };
        job.append(&format!("{mark}{line:>4}\n"), 0.0, format);
    }
    ui.add_space(2.0);
    ui.label(job);
}
