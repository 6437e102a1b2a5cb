//! What is wrong with the scenario or with a change, in the words of `stampede check`; and what is
//! dangerous in it, in those of `stampede doctor`.

use super::{Cx, PanelDef, Place, findings};
use crate::icon::{self, Icon};
use crate::state::State;
use crate::theme::{Palette, bold_font, font, mono};
use eframe::egui::{self, RichText};
use sim_core::scenario::{CODES, Problem, Problems};
use std::fmt::Write as _;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "problems",
    title: "Problems",
    about: "What is wrong, where, and what is allowed; what may not be meant; and what is dangerous.",
    place: Place::RightBelow,
    draw,
    text,
};

/// File, line and column of a problem.
pub(crate) fn place(problem: &Problem, problems: &Problems) -> Option<(String, usize, usize)> {
    let label = problem.labels.first()?;
    let source = problems.sources.get(label.source)?;
    let (line, column) = source.line_column(label.span.start);
    Some((source.name.clone(), line, column))
}

/// The line a problem points at, and how many signs of it, from which column.
fn excerpt(problem: &Problem, problems: &Problems) -> Option<(String, usize, usize)> {
    let label = problem.labels.first()?;
    let source = problems.sources.get(label.source)?;
    let (line, column) = source.line_column(label.span.start);
    let text = source.text.lines().nth(line - 1)?.to_owned();
    let width = source
        .text
        .get(label.span.clone())
        .map_or(1, |s| s.lines().next().unwrap_or("").chars().count());
    Some((text, column, width.max(1)))
}

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            show(ui, cx.state);
            findings::list(ui, cx);
        });
}

/// What is allowed and yet may not be meant: of the scenario, and of the run so far.
fn warnings(state: &State) -> impl Iterator<Item = &str> {
    let of_run = state.view().map(|view| &view.summary.warnings);
    let of_run = of_run.into_iter().flatten().map(|w| w.message.as_str());
    state.warnings.iter().map(String::as_str).chain(of_run)
}

/// Whether there is nothing to say against the scenario.
fn is_valid(state: &State) -> bool {
    state.problems.is_none() && state.warnings.is_empty()
}

/// Draws problems and warnings.
pub(crate) fn show(ui: &mut egui::Ui, state: &State) {
    let p = Palette::of(ui);
    if let Some(problems) = &state.problems {
        for problem in &problems.problems {
            one(ui, problem, problems, p);
        }
        if problems.left_out > 0 {
            ui.weak(format!("… and {} further problems", problems.left_out));
        }
    }
    for warning in warnings(state) {
        ui.horizontal_wrapped(|ui| {
            icon::inline(ui, Icon::Triangle, p.warn, 12.0);
            ui.label(warning);
        });
    }
    if is_valid(state) {
        ui.horizontal(|ui| {
            icon::inline(ui, Icon::Tick, p.good, 13.0);
            ui.label(RichText::new("The scenario is valid.").color(p.weak));
        });
    }
}

fn one(ui: &mut egui::Ui, problem: &Problem, problems: &Problems, p: &Palette) {
    ui.horizontal_wrapped(|ui| {
        icon::inline(ui, Icon::Cross, p.bad, 13.0);
        ui.label(
            RichText::new(format!("{}: {}", problem.code, problem.message)).font(bold_font(13.0)),
        );
    });
    if let Some((file, line, column)) = place(problem, problems) {
        ui.label(
            RichText::new(format!("{file}:{line}:{column}"))
                .font(font(11.0))
                .color(p.weak),
        );
    }
    if let Some((text, column, width)) = excerpt(problem, problems) {
        let carets = format!("{}{}", " ".repeat(column - 1), "^".repeat(width.min(60)));
        egui::Frame::new()
            .fill(p.sunken)
            .inner_margin(6)
            .corner_radius(4)
            .show(ui, |ui| {
                ui.label(RichText::new(text).font(mono(11.5)));
                ui.label(RichText::new(carets).font(mono(11.5)).color(p.bad));
            });
    }
    if let Some(help) = &problem.help {
        ui.label(RichText::new(help).color(p.text));
    }
    if let Some(code) = CODES.iter().find(|code| code.code == problem.code) {
        ui.label(RichText::new(code.title).font(font(11.5)).color(p.weak));
    }
    ui.add_space(8.0);
}

fn text(state: &State) -> String {
    let mut text = state
        .problems
        .as_ref()
        .map_or_else(String::new, |problems| format!("{problems}\n"));
    for warning in warnings(state) {
        let _ = writeln!(text, "warning: {warning}");
    }
    if is_valid(state) {
        text.push_str("The scenario is valid.\n");
    }
    if let Some(examined) = &state.doctor {
        text.push_str(&examined.words());
    }
    text
}
