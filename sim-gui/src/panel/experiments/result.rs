//! What came out so far: progress, verdicts, picture and table.

use super::super::{Cx, progress};
use super::{heat, picture};
use crate::command::Command;
use crate::experiment::outcome::{DRAWN_MAX, Table};
use crate::experiment::{Experiment, Found, Prepared};
use crate::icon::{self, Icon};
use crate::theme::{Palette, bold_font, font, mono};
use eframe::egui::{self, RichText, Sense, Stroke, vec2};
use sim_core::report;

/// Letters from which a cell is wrapped.
const LONG: usize = 34;
/// Width of a cell that is wrapped.
const WRAPPED: f32 = 172.0;

pub(super) fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let state = cx.state;
    let Some(experiment) = &state.experiment else {
        return;
    };
    let p = Palette::of(ui);
    progress::draw(
        ui,
        cx,
        &experiment.report,
        ("stop-experiment", Command::StopExperiment),
    );
    let headline = RichText::new(experiment.headline())
        .font(font(11.5))
        .color(p.weak);
    ui.add(egui::Label::new(headline).wrap());
    ui.add_space(4.0);
    if !experiment.has_table() {
        ui.add(egui::Label::new(RichText::new(waiting(experiment)).color(p.text)).wrap());
        return command(ui, cx, experiment, p);
    }
    let measures = experiment.prepared.measures().len();
    let measure = cx.local.lab.measure.min(measures - 1);
    match &experiment.prepared {
        Prepared::Comparison { .. } | Prepared::Deadline(_) => {
            for at in 0..measures {
                verdict(ui, cx, experiment, at, at == measure);
            }
        }
        // There is nothing to say of them but their names: they share a line.
        Prepared::Sweep { .. } | Prepared::Examination(_) => {
            ui.horizontal_wrapped(|ui| {
                for at in 0..measures {
                    let words = RichText::new(experiment.verdict(at)).font(font(12.0));
                    if ui
                        .add(egui::Button::selectable(at == measure, words))
                        .clicked()
                    {
                        cx.local.lab.measure = at;
                    }
                }
            });
        }
    }
    ui.add_space(4.0);
    match (&experiment.report.found, &experiment.prepared) {
        (Found::Compared(found), _) => {
            if found.variants.len() > 1 {
                which(ui, cx, &found.variants[0].name);
            }
            picture::intervals(ui, found, measure, cx.local.lab.differences);
        }
        (Found::Acted(_), _) => {
            if let Some(answer) = experiment.last_moment() {
                let words = RichText::new(answer.difference())
                    .font(font(12.0))
                    .color(p.text);
                ui.add(egui::Label::new(words).wrap());
                ui.add_space(4.0);
                picture::lines(ui, &answer.plot(&state.name));
            }
        }
        (Found::Swept(rows), Prepared::Sweep { plan }) if plan.cells() <= DRAWN_MAX => {
            match report::picture(plan, rows, measure) {
                Some(report::Picture::Lines(lines)) => picture::lines(ui, &lines),
                Some(report::Picture::HeatMap(map)) => heat::draw(ui, &map),
                Some(report::Picture::Intervals(_)) | None => {}
            }
        }
        _ => {}
    }
    ui.add_space(4.0);
    table(ui, &experiment.table(measure), "table");
    if let Found::Compared(found) = &experiment.report.found
        && found.variants.len() > 2
    {
        let pairs = &mut cx.local.lab.pairs;
        ui.checkbox(pairs, "all pairs");
        if *pairs {
            table(ui, &experiment.pairs(measure), "pairs");
        }
    }
    ui.add_space(4.0);
    command(ui, cx, experiment, p);
}

/// Why there is nothing to show yet.
fn waiting(experiment: &Experiment) -> String {
    if let Found::Unfit(problems) = &experiment.report.found {
        let first = problems
            .problems
            .first()
            .map(|problem| problem.message.as_str());
        let why = first.unwrap_or_default();
        return format!("What is done does not fit at one of the moments: {why}");
    }
    let words = match (&experiment.prepared, experiment.is_running()) {
        (_, false) => "It was stopped before the first result.",
        (Prepared::Comparison { .. }, true) => {
            "The first replication of every variant is being simulated; results follow with each \
             replication, intervals from the fifth on."
        }
        (Prepared::Deadline(_), true) => {
            "The day is being simulated without it, and from each moment on with it; the answer follows \
             when all replications are done."
        }
        (Prepared::Sweep { .. } | Prepared::Examination(_), true) => {
            "The first cell is being simulated; results follow with each cell."
        }
    };
    words.to_owned()
}

/// A measure in a sentence; a click looks at it.
fn verdict(ui: &mut egui::Ui, cx: &mut Cx<'_>, experiment: &Experiment, at: usize, chosen: bool) {
    let p = Palette::of(ui);
    let words = experiment.verdict(at);
    let face = if chosen { bold_font(13.0) } else { font(13.0) };
    let colour = if chosen { p.text } else { p.weak };
    let width = ui.available_width() - 12.0;
    let galley = ui.painter().layout(words.clone(), face, colour, width);
    let size = vec2(ui.available_width(), galley.size().y + 6.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::click());
    if response.hovered() && !chosen {
        ui.painter().rect_filled(rect, 4.0, p.raised);
    }
    if chosen {
        let mut bar = rect.shrink2(vec2(0.0, 2.0));
        bar.set_width(3.0);
        ui.painter().rect_filled(bar, 1.5, p.accent);
    }
    if response.has_focus() {
        let stroke = Stroke::new(2.0, p.accent);
        ui.painter()
            .rect_stroke(rect, 4.0, stroke, egui::StrokeKind::Inside);
    }
    ui.painter()
        .galley(rect.min + vec2(10.0, 3.0), galley, colour);
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Tab, true, chosen, &words));
    if response.clicked() {
        cx.local.lab.measure = at;
    }
}

/// Means, or differences from the first variant.
fn which(ui: &mut egui::Ui, cx: &mut Cx<'_>, first: &str) {
    ui.horizontal(|ui| {
        for (differences, words) in [
            (false, "means".to_owned()),
            (true, format!("differences from {first}")),
        ] {
            let chosen = cx.local.lab.differences == differences;
            let words = RichText::new(words).font(font(12.0));
            if ui.add(egui::Button::selectable(chosen, words)).clicked() {
                cx.local.lab.differences = differences;
            }
        }
    });
}

fn table(ui: &mut egui::Ui, table: &Table, id: &str) {
    let p = Palette::of(ui);
    if table.rows.is_empty() {
        return;
    }
    egui::ScrollArea::horizontal()
        .id_salt(("across", id))
        .show(ui, |ui| {
            egui::Grid::new(id)
                .striped(true)
                .spacing([16.0, 4.0])
                .show(ui, |ui| {
                    for head in &table.head {
                        ui.label(RichText::new(head).font(font(11.5)).color(p.weak));
                    }
                    ui.end_row();
                    for row in &table.rows {
                        for cell in row {
                            entry(ui, cell, p);
                        }
                        ui.end_row();
                    }
                });
        });
    for remark in &table.remarks {
        ui.horizontal_wrapped(|ui| {
            icon::inline(ui, Icon::Triangle, p.warn, 11.0);
            ui.label(RichText::new(remark).font(font(12.0)).color(p.text));
        });
    }
}

/// A cell of a table. A reason may be long: the whole of it can be read, wrapped.
fn entry(ui: &mut egui::Ui, text: &str, p: &Palette) {
    let words = RichText::new(text).font(font(12.5)).color(p.text);
    if text.chars().count() <= LONG {
        ui.label(words);
        return;
    }
    ui.vertical(|ui| {
        ui.set_width(WRAPPED);
        ui.add(egui::Label::new(words).wrap());
    });
}

/// The command that does the same, and what can be kept.
fn command(ui: &mut egui::Ui, cx: &mut Cx<'_>, experiment: &Experiment, p: &Palette) {
    ui.horizontal_wrapped(|ui| {
        for (words, command, there) in [
            ("Copy the command", Command::CopyExperiment, true),
            ("Save the table", Command::SaveTable, experiment.has_table()),
            (
                "Save as a plan",
                Command::SavePlan,
                matches!(experiment.prepared, Prepared::Sweep { .. }),
            ),
        ] {
            if there && ui.button(RichText::new(words).font(font(12.0))).clicked() {
                cx.does(command);
            }
        }
    });
    egui::Frame::new()
        .fill(p.sunken)
        .corner_radius(4)
        .inner_margin(6)
        .show(ui, |ui| {
            ui.set_width(ui.available_width());
            let last = experiment.command.lines().last().unwrap_or_default();
            let words = RichText::new(last).font(mono(11.0)).color(p.weak);
            ui.add(egui::Label::new(words).wrap().selectable(true));
        });
}
