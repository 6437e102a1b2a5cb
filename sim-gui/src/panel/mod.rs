//! Panels: one file each, and one row each in [`PANELS`], from which the layout, the View menu,
//! the palette, the text view and the tests follow.

pub mod banner;
pub mod event_log;
pub mod experiments;
pub(crate) mod findings;
pub mod futures;
pub mod gallery;
pub mod inspector;
mod known;
pub mod lesson;
pub mod plots;
pub mod problems;
mod progress;
pub mod scenario;
pub mod text;
pub mod timeline;
pub mod topology;

use crate::command::Command;
use crate::local::Local;
use crate::state::State;
use eframe::egui;
use sim_core::time::Instant;

/// Where a panel lies.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Place {
    /// At the left, one below the other.
    Left,
    /// In the middle, one at a time.
    Middle,
    /// At the right, above.
    Right,
    /// At the right, below: one at a time.
    RightBelow,
    /// At the bottom.
    Bottom,
    /// Across the window, over the stage.
    Over,
}

/// A panel.
pub struct PanelDef {
    /// Short name, fixed: settings and tests know it by this.
    pub name: &'static str,
    /// Its title.
    pub title: &'static str,
    /// What it shows.
    pub about: &'static str,
    /// Where it lies.
    pub place: Place,
    /// Draws it.
    pub draw: fn(&mut egui::Ui, &mut Cx<'_>),
    /// What it shows, in words.
    pub text: fn(&State) -> String,
}

/// What a panel gets: all that is known, its own scratch, and a list for what is to be done.
pub struct Cx<'a> {
    /// What is known.
    pub state: &'a State,
    /// Scratch that means nothing to others: texts being typed.
    pub local: &'a mut Local,
    /// What is to be done.
    pub todo: &'a mut Vec<Command>,
}

impl Cx<'_> {
    /// Asks for something to be done.
    pub fn does(&mut self, command: Command) {
        self.todo.push(command);
    }
}

/// Every panel, in the order of the View menu.
pub static PANELS: &[&PanelDef] = &[
    &event_log::PANEL,
    &lesson::PANEL,
    &topology::PANEL,
    &experiments::PANEL,
    &scenario::PANEL,
    &gallery::PANEL,
    &text::PANEL,
    &plots::PANEL,
    &inspector::PANEL,
    &futures::PANEL,
    &problems::PANEL,
    &timeline::PANEL,
];

/// The panel of a name.
pub fn find(name: &str) -> Option<&'static PanelDef> {
    PANELS.iter().copied().find(|panel| panel.name == name)
}

/// Whether a panel has anything to show. One that has not leaves its room to others: a lesson where there is none, and
/// figures before there are any.
pub(crate) fn has_something(panel: &PanelDef, state: &State) -> bool {
    match panel.name {
        "lesson" => state.lesson.is_some(),
        "plots" => has_figures(state),
        "inspector" => has_figures(state) || state.selected.is_some(),
        _ => true,
    }
}

/// Whether time has gone on, or what comes may be seen.
fn has_figures(state: &State) -> bool {
    let known = state.main().map_or(0, |branch| {
        branch.series.rows_until(state.visible_until(branch))
    });
    state.now() > Instant::ZERO || known > 0
}

/// A heading of a panel.
pub(crate) fn heading(ui: &mut egui::Ui, title: &str) {
    let p = crate::theme::Palette::of(ui);
    ui.label(
        egui::RichText::new(title)
            .font(crate::theme::bold_font(13.0))
            .color(p.text),
    );
    ui.add_space(2.0);
}

/// A quiet remark in the middle of a panel that has nothing to show, with what to do about it.
pub(crate) fn nothing(ui: &mut egui::Ui, words: &str) {
    let p = crate::theme::Palette::of(ui);
    ui.add_space(6.0);
    ui.label(egui::RichText::new(words).color(p.weak));
}
