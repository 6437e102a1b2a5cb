//! The scenario as text or as a form of its values: to read, to change, and to run as changed.

mod values;

use super::{Cx, PanelDef, Place, findings, problems};
use crate::command::{self, Command};
use crate::highlight;
use crate::theme::{Palette, font, mono};
use eframe::egui::{self, Rect, RichText, pos2, vec2};

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
            if ui
                .button("Doctor")
                .on_hover_text(command::hint("doctor"))
                .clicked()
            {
                cx.does(Command::Doctor);
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
    findings::status(ui, cx);
    if cx.local.form {
        values::draw(ui, cx, &mut typed);
    } else {
        text(ui, cx, &mut typed, &lines);
    }
    cx.local.text = (typed != original).then_some(typed);
}

/// The text itself, with numbers of lines and colours, and what was found beside its lines.
fn text(ui: &mut egui::Ui, cx: &mut Cx<'_>, typed: &mut String, wrong: &[usize]) {
    let p = Palette::of(ui);
    let state = cx.state;
    let examined = state.doctor.as_ref();
    let found = examined.map_or(Vec::new(), findings::lines);
    let goal = cx.local.line.take();
    egui::ScrollArea::both()
        .id_salt("text")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.horizontal_top(|ui| {
                ui.spacing_mut().item_spacing.x = 8.0;
                let rows = numbers(ui, typed, wrong, &found);
                for (line, of) in &found {
                    findings::mark(ui, cx, rows.mark(*line), *line, of);
                }
                // Lines are never wrapped: their numbers stand beside them.
                let mut lay_out = |ui: &egui::Ui, text: &dyn egui::TextBuffer, _: f32| {
                    let job = highlight::job(text.as_str(), &mono(12.0), p);
                    ui.fonts_mut(|fonts| fonts.layout_job(job))
                };
                let shown = egui::TextEdit::multiline(typed)
                    .frame(egui::Frame::NONE)
                    .code_editor()
                    .desired_width(f32::INFINITY)
                    .layouter(&mut lay_out)
                    .show(ui);
                shown.response.widget_info(|| {
                    egui::WidgetInfo::labeled(
                        egui::Role::MultilineTextInput,
                        true,
                        "text of the scenario",
                    )
                });
                if let Some(examined) = examined {
                    for (line, of) in &found {
                        let Some(row) = shown.galley.rows.get(line - 1) else {
                            continue;
                        };
                        let end =
                            shown.galley_pos + vec2(row.rect().right() + 20.0, row.rect().top());
                        let words = findings::beside(examined, of);
                        let galley = ui.painter().layout_no_wrap(words, font(11.5), p.warn);
                        let top = (row.rect().height() - galley.size().y) / 2.0;
                        ui.painter().galley(end + vec2(0.0, top), galley, p.warn);
                    }
                }
                if let Some(goal) = goal {
                    ui.scroll_to_rect(rows.mark(goal), Some(egui::Align::Center));
                }
            });
        });
}

/// Where the numbers of lines stand.
struct Rows {
    rect: Rect,
    height: f32,
}

impl Rows {
    /// The room for a mark left of the number of a line.
    fn mark(&self, line: usize) -> Rect {
        let top = self.rect.top() + self.height * (line - 1) as f32;
        Rect::from_min_size(pos2(self.rect.left(), top), vec2(14.0, self.height))
    }
}

/// Numbers of the lines, with those marked that have problems or findings.
fn numbers(ui: &mut egui::Ui, text: &str, wrong: &[usize], found: &[(usize, Vec<usize>)]) -> Rows {
    let p = Palette::of(ui);
    let mut job = egui::text::LayoutJob::default();
    let lines = text.lines().count() + usize::from(text.ends_with('\n'));
    for line in 1..=lines {
        let colour = if wrong.contains(&line) {
            p.bad
        } else if found.iter().any(|(own, _)| *own == line) {
            p.warn
        } else {
            p.weak
        };
        let mark = if wrong.contains(&line) { '>' } else { ' ' };
        let format = egui::TextFormat {
            font_id: mono(12.0),
            color: colour,
            ..Default::default()
        };
        job.append(&format!("{mark}{line:>4}\n"), 0.0, format);
    }
    ui.add_space(2.0);
    let rect = ui.label(job).rect;
    Rows {
        rect,
        // The last of them ends with a line that is empty.
        height: rect.height() / (lines + 1) as f32,
    }
}
