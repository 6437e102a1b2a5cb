//! A lesson beside the run: predict, observe, explain.

use super::{Cx, PanelDef, Place};
use crate::state::State;
use eframe::egui;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "lesson",
    title: "Lesson",
    about: "Questions to answer before time goes on, and what the run says to them.",
    place: Place::Left,
    draw,
    text,
};

fn draw(ui: &mut egui::Ui, _: &mut Cx<'_>) {
    super::nothing(ui, "This scenario has no lesson.");
}

fn text(_: &State) -> String {
    String::new()
}
