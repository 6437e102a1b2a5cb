//! What happened in the marked stretch of the run, in each future that is shown.

use super::super::Cx;
use crate::command::Command;
use crate::playback::Measured;
use crate::state::State;
use crate::theme::{Palette, bold_font, font};
use eframe::egui::{self, Align2, Pos2, RichText};
use sim_core::metric::Unit;
use sim_core::readable;
use std::fmt::Write as _;

/// What was counted in the stretch that is marked, as far as it may be seen.
fn measured(state: &State) -> &[Measured] {
    let report = state.report.as_ref();
    let wanted = state.measurable();
    let found = report.map_or(&[][..], |report| &report.measured[..]);
    // What was counted in another stretch, or beyond what may be seen, is not shown.
    if found.iter().all(|one| Some(one.asked) == wanted) {
        found
    } else {
        &[]
    }
}

/// A figure as it is written.
fn written(value: Option<f64>, unit: Unit) -> String {
    match value {
        None => "\u{2013}".to_owned(),
        Some(value) if unit == Unit::Count && value.fract() == 0.0 => readable::number(value),
        Some(value) => readable::value(unit, value),
    }
}

/// The futures that are measured, by letter where there are two.
fn heads(state: &State, all: &[Measured]) -> Vec<String> {
    let letter = |one: &Measured| match state.beside() {
        Some(_) => crate::playback::letter(one.branch).to_string(),
        None => String::new(),
    };
    all.iter().map(letter).collect()
}

/// A table over the lanes, with its lower right corner at a place.
pub(super) fn draw(ui: &egui::Ui, cx: &mut Cx<'_>, at: Pos2) {
    let Some((from, to)) = cx.state.marked else {
        return;
    };
    if cx.local.marking.is_some() {
        return;
    }
    let all = measured(cx.state);
    let area = egui::Area::new(egui::Id::unique("measured"))
        .pivot(Align2::RIGHT_BOTTOM)
        .fixed_pos(at)
        .order(egui::Order::Middle);
    area.show(ui.ctx(), |ui| {
        let p = Palette::of(ui);
        egui::Frame::window(&ui.ctx().global_style())
            .inner_margin(8)
            .show(ui, |ui| {
                ui.spacing_mut().item_spacing.y = 2.0;
                let label = |at| cx.state.label_to_second(at);
                // What is counted, in whole intervals, once it is.
                let (from, to) = all.first().map_or((from, to), |one| (one.from, one.to));
                let span = readable::span(to.since(from));
                ui.horizontal(|ui| {
                    let title = format!("{} to {} ({span})", label(from), label(to));
                    ui.label(RichText::new(title).font(bold_font(12.5)).color(p.text));
                    let larger = ui
                        .small_button("Larger")
                        .on_hover_text("Shows it from edge to edge (F)");
                    if larger.clicked() {
                        cx.todo.push(Command::Fit);
                    }
                    let close = ui
                        .small_button("Close")
                        .on_hover_text("Marks nothing (Esc)");
                    if close.clicked() {
                        cx.todo.push(Command::Mark(None));
                    }
                });
                let Some(first) = all.first() else {
                    let words = "No whole interval of it may be seen yet.";
                    ui.label(RichText::new(words).font(font(12.0)).color(p.weak));
                    return;
                };
                egui::Grid::new("measured")
                    .spacing([16.0, 2.0])
                    .show(ui, |ui| {
                        let heads = heads(cx.state, all);
                        if heads.iter().any(|head| !head.is_empty()) {
                            ui.label("");
                            for head in heads {
                                ui.label(RichText::new(head).font(bold_font(12.0)).color(p.weak));
                            }
                            ui.end_row();
                        }
                        for (row, figure) in first.figures.iter().enumerate() {
                            ui.label(RichText::new(figure.label).font(font(12.0)).color(p.weak));
                            for one in all {
                                let figure = &one.figures[row];
                                let words = written(figure.value, figure.unit);
                                ui.label(RichText::new(words).font(bold_font(12.0)).color(p.text));
                            }
                            ui.end_row();
                        }
                    });
            });
    });
}

/// The same in words.
pub(super) fn text(state: &State) -> String {
    let mut text = String::new();
    for (one, head) in measured(state).iter().zip(heads(state, measured(state))) {
        let figures = one.figures.iter();
        let figures = figures.map(|f| format!("{} {}", f.label, written(f.value, f.unit)));
        let figures: Vec<String> = figures.collect();
        let _ = writeln!(
            text,
            "{head}{}{} to {}: {}",
            if head.is_empty() { "" } else { ": " },
            state.label_to_second(one.from),
            state.label_to_second(one.to),
            figures.join(", ")
        );
    }
    text
}
