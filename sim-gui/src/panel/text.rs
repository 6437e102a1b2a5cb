//! The text view: everything on screen in words, for screen readers and for those who copy.

use super::{Cx, PANELS, PanelDef, Place};
use crate::command::Command;
use crate::panel::banner;
use crate::state::{State, site_word};
use crate::theme::{Palette, mono};
use eframe::egui::{self, RichText};
use std::fmt::Write as _;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "text",
    title: "Text view",
    about: "Everything on screen in words.",
    place: Place::Middle,
    draw,
    text: |_| String::new(),
};

/// Everything that can be seen, in words.
pub fn everything(state: &State) -> String {
    let mut text = format!("{}\n", state.title());
    if let Some(view) = state.view() {
        let _ = writeln!(text, "{}  {}", state.label(view.at), site_word(view.site));
        for (label, value) in banner::figures(state, view) {
            let _ = writeln!(text, "{label}: {value}");
        }
    }
    for panel in PANELS {
        let words = (panel.text)(state);
        if !words.is_empty() {
            let _ = write!(text, "\n{}\n{words}", panel.title.to_uppercase());
        }
    }
    text
}

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let p = Palette::of(ui);
    let all = everything(cx.state);
    ui.horizontal(|ui| {
        super::heading(ui, "Text view");
        if ui.small_button("Copy all").clicked() {
            cx.does(Command::Copy(all.clone()));
        }
    });
    egui::ScrollArea::both()
        .auto_shrink([false, false])
        .show(ui, |ui| {
            ui.add(
                egui::Label::new(RichText::new(all).font(mono(12.0)).color(p.text))
                    .selectable(true)
                    .extend(),
            );
        });
}
