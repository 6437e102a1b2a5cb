//! Experiments: a comparison, a sweep or a last moment of the open scenario, put together, watched and read.

mod form;
mod heat;
mod picture;
mod result;

use super::{Cx, PanelDef, Place};
use crate::command::{self, Command};
use crate::experiment::{Draft, Field, Kind};
use crate::icon::{self, Icon};
use crate::playback::letter;
use crate::state::State;
use crate::theme::{Palette, font};
use eframe::egui::{self, RichText};
use std::fmt::Write as _;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "experiments",
    title: "Experiments",
    about: "Many runs: compare variants, sweep a value, or find the point of no return, with intervals.",
    place: Place::Middle,
    draw,
    text,
};

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    if cx.state.model().is_none() {
        return super::nothing(
            ui,
            "The scenario must run once before it can be run many times.",
        );
    }
    let begun = cx.state.experiment.is_some();
    egui::ScrollArea::vertical()
        .id_salt("experiments")
        .auto_shrink([false, false])
        .show(ui, |ui| {
            if !begun {
                introduction(ui);
            }
            if begun && !cx.local.lab.open {
                folded(ui, cx);
            } else {
                usual(ui, cx);
                ui.add_space(4.0);
                form::draw(ui, cx);
            }
            if begun {
                ui.add_space(6.0);
                result::draw(ui, cx);
            }
        });
}

fn introduction(ui: &mut egui::Ui) {
    let p = Palette::of(ui);
    let words = "One run is one chance. Here the open scenario is run many times, with the same random \
                 numbers for every variant, so that what differs for sure can be told from what does not.";
    ui.add(egui::Label::new(RichText::new(words).font(font(12.5)).color(p.weak)).wrap());
    ui.add_space(2.0);
}

/// What most people want, with one click.
fn usual(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let mut offered = vec!["compare-policies", "sweep-load", "find-deadline"];
    let forks = cx.state.report.as_ref().map_or(0, |report| {
        let edited = report.branches.iter().filter(|b| !b.edits.is_empty());
        edited.count()
    });
    if forks > 0 {
        offered.push("compare-futures");
    }
    ui.horizontal_wrapped(|ui| {
        for name in offered {
            let Some(def) = command::find(name) else {
                continue;
            };
            let button = egui::Button::new(RichText::new(def.title).font(font(13.0)));
            if ui.add(button).on_hover_text(def.about).clicked() {
                cx.does(def.command.clone());
            }
        }
    });
}

/// What is run, in a few lines, while its form is out of the way.
fn folded(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let Some(experiment) = &cx.state.experiment else {
        return;
    };
    let p = Palette::of(ui);
    ui.horizontal_wrapped(|ui| {
        ui.label(
            RichText::new(asked(cx.state, &experiment.draft))
                .font(font(12.5))
                .color(p.text),
        );
        if ui
            .small_button("Change…")
            .on_hover_text("Shows what is asked for, to change it and run it again")
            .clicked()
        {
            cx.local.lab.open = true;
        }
    });
}

/// What is asked for, in a line.
fn asked(state: &State, draft: &Draft) -> String {
    let mut words: Vec<String> = Vec::new();
    if draft.branches != [0] {
        let named = |branch: &usize| match branch {
            0 => "as opened".to_owned(),
            n => format!("future {}", letter(*n)),
        };
        let all: Vec<String> = draft.branches.iter().map(named).collect();
        words.push(all.join(" and "));
    }
    for (path, values) in draft.varied() {
        words.push(format!("{path} = {values}"));
    }
    if draft.kind == Kind::Deadline {
        words.push(format!(
            "until when does it help: {}",
            draft.acts.join(", ")
        ));
    }
    format!("{}: {}", state.name, words.join("; "))
}

/// What is wrong with a field, below it.
fn refusals(ui: &mut egui::Ui, state: &State, field: Field) {
    let p = Palette::of(ui);
    for refusal in state.refusals.iter().filter(|r| r.field == field).take(3) {
        ui.horizontal_wrapped(|ui| {
            icon::inline(ui, Icon::Cross, p.bad, 11.0);
            ui.label(
                RichText::new(&refusal.message)
                    .font(font(12.0))
                    .color(p.bad),
            );
        });
        if !refusal.help.is_empty() {
            let help = RichText::new(&refusal.help).font(font(12.0)).color(p.weak);
            ui.add(egui::Label::new(help).wrap());
        }
    }
}

fn text(state: &State) -> String {
    let mut text = String::new();
    for refusal in &state.refusals {
        let _ = writeln!(text, "{} {}", refusal.message, refusal.help);
    }
    match &state.experiment {
        Some(experiment) => {
            let _ = writeln!(text, "{}", asked(state, &experiment.draft));
            text.push_str(&experiment.words());
        }
        None => {
            for name in ["compare-policies", "sweep-load", "find-deadline"] {
                if let Some(def) = command::find(name) {
                    let _ = writeln!(text, "{}: {}", def.title, def.about);
                }
            }
        }
    }
    text
}

/// The draft as it is, or as it is proposed.
fn draft(cx: &Cx<'_>) -> Option<Draft> {
    let known = cx.local.lab.draft.clone();
    known.or_else(|| cx.state.model().map(|model| Draft::policies(model)))
}

/// Runs what is asked for.
fn run(cx: &mut Cx<'_>, draft: Draft) {
    cx.does(Command::Experiment(Box::new(draft)));
}
