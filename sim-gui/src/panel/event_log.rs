//! The event log so far: what happened, in the columns of system and people.

use super::{Cx, PanelDef, Place};
use crate::command::Command;
use crate::icon::Icon;
use crate::state::{State, event_words};
use crate::theme::{Palette, bold_font, font};
use eframe::egui::{self, Align2, Rect, Sense, Vec2, pos2};
use sim_core::event_log::{Event, Kind};
use sim_core::model::Actor;
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
pub(crate) fn look(event: &Event, p: &Palette) -> (Icon, egui::Color32) {
    match event.kind {
        Kind::Crash | Kind::Down => (Icon::Cross, p.bad),
        Kind::Alert
        | Kind::Degraded
        | Kind::Ejected
        | Kind::Slow
        | Kind::Partition
        | Kind::Degrade => (Icon::Triangle, p.warn),
        Kind::Normal | Kind::Up | Kind::Warm | Kind::Resolved | Kind::Readmitted | Kind::Heal => {
            (Icon::Disc, p.good)
        }
        Kind::Restart | Kind::Added | Kind::Takeover => (Icon::Dashed, p.start),
        Kind::Drain | Kind::Undrain | Kind::Removed => (Icon::Halted, p.start),
        Kind::Set | Kind::Note => (Icon::Arrow, p.accent),
    }
}

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let Some((view, branch)) = cx.state.view().zip(cx.state.main()) else {
        return super::nothing(ui, "Nothing has happened yet.");
    };
    let event_log = cx.state.event_log(branch);
    if event_log.is_empty() {
        let words = if view.end.is_some() {
            "Nothing happened in this run: no alert, no crash, no change."
        } else {
            "Nothing has happened yet. Press Space to let time run."
        };
        return super::nothing(ui, words);
    }
    let until = event_log.len();
    let hidden = until.saturating_sub(ROWS);
    let scroll = egui::ScrollArea::vertical()
        .auto_shrink([false, false])
        .stick_to_bottom(!cx.state.reveal);
    scroll.show(ui, |ui| {
        ui.spacing_mut().item_spacing.y = 0.0;
        if hidden > 0 {
            ui.weak(format!("{hidden} earlier events"));
        }
        for (i, event) in event_log.iter().enumerate().skip(hidden) {
            let current = i + 1 == view.event_log_len;
            if current && cx.local.event_log_seen != view.event_log_len {
                // What has just happened is brought into sight, once.
                cx.local.event_log_seen = view.event_log_len;
                ui.scroll_to_cursor(Some(egui::Align::Center));
            }
            if row(ui, cx.state, event, current, i >= view.event_log_len) {
                cx.does(Command::Seek(event.at));
            }
        }
    });
}

/// One event; true when clicked.
fn row(ui: &mut egui::Ui, state: &State, event: &Event, current: bool, ahead: bool) -> bool {
    let p = Palette::of(ui);
    let people = event.by == Actor::People;
    let (icon, colour) = look(event, p);
    let words = event_words(event);
    let indent = 84.0;
    let ink = if ahead { p.weak } else { p.text };
    let width = ui.available_width();
    let face = if current { bold_font(12.5) } else { font(12.5) };
    let galley = ui
        .painter()
        .layout(words.clone(), face, ink, width - indent - 6.0);
    let height = (galley.size().y + 8.0).max(26.0);
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
    painter.galley(pos2(rect.left() + indent, rect.top() + 4.0), galley, ink);
    let by = if people { "people" } else { "system" };
    let name = format!("{} {by}: {words}", state.label(event.at));
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Button, true, &name));
    let clicked = response.clicked();
    if !event.cause.is_empty() {
        response.on_hover_text(format!("{by}\n{}", event.cause));
    }
    clicked
}

fn text(state: &State) -> String {
    let Some(branch) = state.main() else {
        return String::new();
    };
    let mut text = String::new();
    for event in state.event_log(branch) {
        let by = if event.by == Actor::People {
            "people"
        } else {
            "system"
        };
        let cause = if event.kind == Kind::Note {
            ""
        } else {
            &event.cause
        };
        let _ = writeln!(
            text,
            "{}  {by}  {}  {cause}",
            state.label(event.at),
            event_words(event)
        );
    }
    text
}
