//! The event log so far: what happened, in the columns of system and people.

use super::{Cx, PanelDef, Place};
use crate::command::Command;
use crate::icon::Icon;
use crate::playback::{Told, letter};
use crate::state::State;
use crate::theme::{Palette, bold_font, font};
use eframe::egui::{self, Align2, Rect, Sense, Vec2, pos2};
use sim_core::event_log::{Actor, Kind, Look};
use std::fmt::Write as _;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "event_log",
    title: "Event log",
    about: "What has happened, when and why; a click goes there.",
    place: Place::Left,
    draw,
    text,
};

/// Rows drawn at most; older ones are counted.
const ROWS: usize = 400;

/// The shape and colour of an event.
pub(crate) fn look(kind: Kind, p: &Palette) -> (Icon, egui::Color32) {
    match kind.def().look {
        Look::Failure => (Icon::Cross, p.bad),
        Look::Warning => (Icon::Triangle, p.warn),
        Look::Recovery => (Icon::Disc, p.good),
        Look::Start => (Icon::Dashed, p.start),
        Look::Halt => (Icon::Halted, p.start),
        Look::Change => (Icon::Arrow, p.accent),
    }
}

/// The shape and colour of what is told: an alert that ends for want of answers is no recovery.
pub(crate) fn look_of(told: &Told<'_>, p: &Palette) -> (Icon, egui::Color32) {
    if told.hollow {
        (Icon::Ring, p.weak)
    } else {
        look(told.event.kind, p)
    }
}

/// What is said where there is no event.
fn quiet(state: &State) -> &'static str {
    let playing = (state.report.as_ref()).is_some_and(|report| report.transport.playing);
    match state.view() {
        None => state.waiting_words(),
        Some(view) if view.end.is_some() => "No event in this run: no alert, no crash, no change.",
        Some(_) if playing => "All is quiet so far: no alert, no crash, no change.",
        Some(_) => "All is quiet so far. Press Space to let time run.",
    }
}

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let event_log = cx.state.told();
    if event_log.is_empty() {
        return super::nothing(ui, quiet(cx.state));
    }
    let until = event_log.len();
    let hidden = until.saturating_sub(ROWS);
    // The first of those ahead comes after the last that has happened.
    let seen = (event_log.iter())
        .rposition(|told| !told.ahead)
        .map_or(0, |last| last + 1);
    let scroll = egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .stick_to_bottom(!cx.state.reveal);
    scroll.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        if hidden > 0 {
            ui.weak(format!("{hidden} earlier events"));
        }
        for (i, told) in event_log.iter().enumerate().skip(hidden) {
            let current = i + 1 == seen;
            if current && cx.local.event_log_seen != seen {
                // What has just happened is brought into sight, once.
                cx.local.event_log_seen = seen;
                ui.scroll_to_cursor(Some(egui::Align::Center));
            }
            if row(ui, cx.state, told, current) {
                cx.does(Command::Seek(told.event.at));
            }
        }
    });
}

/// One event; true when clicked.
fn row(ui: &mut egui::Ui, state: &State, told: &Told<'_>, current: bool) -> bool {
    let p = Palette::of(ui);
    let (event, ahead) = (told.event, told.ahead);
    let people = event.by == Actor::People;
    let (icon, colour) = look_of(told, p);
    let words = told.words();
    // Two futures are told by their letters.
    let indent = if state.beside().is_some() {
        102.0
    } else {
        84.0
    };
    let ink = if ahead { p.weak } else { p.text };
    let width = ui.available_width();
    let face = if current { bold_font(12.5) } else { font(12.5) };
    let galley = ui
        .painter()
        .layout(words.clone(), face, ink, width - indent - 6.0);
    // Why something failed stands below, in its own words.
    let why = (event.kind.def().look == Look::Failure).then(|| event.words().1);
    let why = why.filter(|why| !why.is_empty()).map(|why| {
        let wide = width - indent - 6.0;
        ui.painter()
            .layout(why.to_owned(), font(11.0), p.weak, wide)
    });
    let below = why.as_ref().map_or(0.0, |why| why.size().y);
    let height = (galley.size().y + below + 8.0).max(26.0);
    let (rect, response) = ui.allocate_exact_size(Vec2::new(width, height), Sense::click());
    let painter = ui.painter();
    if current || response.hovered() || response.has_focus() {
        let fill = if current {
            p.tint(p.accent, 0.16)
        } else {
            p.raised
        };
        painter.rect_filled(rect, 4.0, fill);
    }
    if people {
        let bar = Rect::from_min_size(rect.min + Vec2::new(1.0, 4.0), Vec2::new(3.0, height - 8.0));
        painter.rect_filled(bar, 1.5, p.accent);
    }
    let line = rect.top() + 4.0 + 8.0;
    let label = state.label(event.at);
    painter.text(
        pos2(rect.left() + 9.0, line),
        Align2::LEFT_CENTER,
        label,
        font(11.5),
        p.weak,
    );
    let spot = Rect::from_center_size(pos2(rect.left() + 72.0, line), Vec2::splat(11.0));
    icon.paint(
        painter,
        spot,
        if ahead {
            colour.gamma_multiply(0.6)
        } else {
            colour
        },
    );
    if let Some(branch) = told.branch {
        let badge = Rect::from_center_size(pos2(rect.left() + 90.0, line), Vec2::splat(15.0));
        super::topology::letter_badge(painter, badge, branch, p);
    }
    let at = pos2(rect.left() + indent, rect.top() + 4.0);
    if let Some(why) = why {
        painter.galley(at + egui::vec2(0.0, galley.size().y), why, p.weak);
    }
    painter.galley(at, galley, ink);
    let by = match told.branch {
        Some(branch) => format!("{}, future {}", event.by.name(), letter(branch)),
        None => event.by.name().to_owned(),
    };
    let name = format!("{} {by}: {words}", state.label(event.at));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    let clicked = response.clicked();
    if !event.cause.is_empty() {
        response.on_hover_text(format!("{by}\n{}", event.cause));
    }
    clicked
}

fn text(state: &State) -> String {
    let mut text = String::new();
    for told in state.told() {
        let (by, cause) = (told.event.by.name(), told.event.words().1);
        let future = (told.branch).map_or_else(String::new, |b| format!("  {}", letter(b)));
        let _ = writeln!(
            text,
            "{}{future}  {by}  {}  {cause}",
            state.label(told.event.at),
            told.words()
        );
    }
    text
}
