//! A server as a card, or as a cell of a map.

use super::{selectable, server_now};
use crate::command::Command;
use crate::icon::Icon;
use crate::panel::Cx;
use crate::playback::{BranchReport, View};
use crate::state::{Condition, Thing};
use crate::theme::{Palette, bold_font, font, mix};
use eframe::egui::{self, Align2, Color32, Rect, Vec2, pos2, vec2};
use sim_core::engine::{MachineState, ServerSnapshot};
use sim_core::model::Server;
use sim_core::readable;

/// Shape and colour of a condition.
pub(crate) fn look(condition: Condition, p: &Palette) -> (Icon, Color32) {
    match condition {
        Condition::Ok => (Icon::Disc, p.good),
        Condition::Busy | Condition::Full => (Icon::Triangle, p.warn),
        Condition::Warming | Condition::Starting => (Icon::Dashed, p.start),
        Condition::Drained => (Icon::Halted, p.start),
        Condition::Down => (Icon::Cross, p.bad),
        Condition::Absent => (Icon::Ring, p.weak),
    }
}

/// Word, shape and colour of a machine's state.
pub(crate) fn machine_look(state: MachineState, p: &Palette) -> (&'static str, Icon, Color32) {
    match state {
        MachineState::Up => ("UP", Icon::Disc, p.good),
        MachineState::Down => ("DOWN", Icon::Cross, p.bad),
        MachineState::Booting => ("STARTING", Icon::Dashed, p.start),
        MachineState::Absent => ("STANDBY", Icon::Ring, p.weak),
    }
}

/// A server in words: what its accessible name and the text view say.
pub(crate) fn words(branch: &BranchReport, view: &View, server: usize) -> String {
    let snapshot = &view.snapshot.servers[server];
    let model = &branch.model.servers[server];
    let condition = Condition::of(snapshot, model);
    let rate = server_now(branch, view, server, "attempts_hz");
    let limit = match limit_words(model.params.queue_limit) {
        Some(limit) => format!(" of {limit}"),
        None => String::new(),
    };
    format!(
        "{}, queue {}{limit}, {} of {} workers busy{}",
        condition.word().to_lowercase(),
        snapshot.queue_len,
        snapshot.busy,
        snapshot.workers,
        rate.map_or_else(String::new, |rate| format!(
            ", {} requests/s",
            readable::short(rate.round())
        ))
    )
}

/// A card.
pub(super) fn server(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    branch: &BranchReport,
    view: &View,
    server: usize,
    rect: Rect,
    prefix: &str,
) {
    let p = Palette::of(ui);
    let snapshot = &view.snapshot.servers[server];
    let model = &branch.model.servers[server];
    let condition = Condition::of(snapshot, model);
    let (icon, colour) = look(condition, p);
    let outline = if condition == Condition::Ok {
        mix(p.line, colour, 0.45)
    } else {
        colour
    };
    let name = format!(
        "{prefix}server {} {}",
        model.name,
        words(branch, view, server)
    );
    let thing = cx.state.selectable(branch, server);
    // No server has this number: one that only this future has is not what is selected.
    let shown = thing.unwrap_or(Thing::Server(usize::MAX));
    let response = selectable(ui, cx, rect, shown, &name, outline);
    if response.clicked() {
        select(cx, thing, server);
    }
    response.on_hover_text(name);
    let painter = ui.painter().with_clip_rect(rect.intersect(ui.clip_rect()));
    let wide = rect.width() > 130.0;
    let small = rect.height() < 44.0;
    let line = if small {
        rect.center().y
    } else {
        rect.top() + 15.0
    };
    let spot = Rect::from_center_size(pos2(rect.left() + 14.0, line), Vec2::splat(12.0));
    icon.paint(&painter, spot, colour);
    let title = painter.text(
        pos2(rect.left() + 25.0, line),
        Align2::LEFT_CENTER,
        &model.name,
        bold_font(12.5),
        p.text,
    );
    if small {
        let left = title.right() + 10.0;
        let right = rect.right() - if wide { 62.0 } else { 8.0 };
        let fill = queue_share(snapshot.queue_len, model.params.queue_limit);
        if right - left > 20.0 {
            let track = Rect::from_min_max(pos2(left, line - 4.0), pos2(right, line + 4.0));
            bar(
                &painter,
                track,
                fill,
                if condition == Condition::Ok {
                    p.accent
                } else {
                    colour
                },
                p,
            );
        }
        if wide {
            let end = pos2(rect.right() - 8.0, line);
            painter.text(
                end,
                Align2::RIGHT_CENTER,
                condition.word(),
                bold_font(10.5),
                colour,
            );
        }
        return;
    }
    let end = pos2(rect.right() - 9.0, line);
    painter.text(
        end,
        Align2::RIGHT_CENTER,
        condition.word(),
        bold_font(10.5),
        colour,
    );
    bars(&painter, rect, snapshot, model, condition, p);
}

/// Queue and workers as bars, and what else there is room for.
fn bars(
    painter: &egui::Painter,
    rect: Rect,
    snapshot: &ServerSnapshot,
    model: &Server,
    condition: Condition,
    p: &Palette,
) {
    let down = matches!(condition, Condition::Down | Condition::Absent);
    let queue_ink = match condition {
        Condition::Full => p.warn,
        _ if down => p.line,
        _ => p.accent,
    };
    let queue = queue_share(snapshot.queue_len, model.params.queue_limit);
    let mut queue_text = readable::short(f64::from(snapshot.queue_len));
    if let Some(limit) = limit_words(model.params.queue_limit) {
        queue_text = format!("{queue_text}/{limit}");
    }
    let busy = f32::from(snapshot.busy.min(65535) as u16) / snapshot.workers.max(1) as f32;
    let busy_text = format!("{}/{}", snapshot.busy, snapshot.workers);
    let busy_ink = if busy > 0.95 { p.warn } else { p.good };
    let rows = [
        ("queue", queue, queue_text, queue_ink),
        ("busy", busy, busy_text, busy_ink),
    ];
    let step = ((rect.height() - 30.0) / 2.6).clamp(13.0, 19.0);
    for (i, (label, share, value, ink)) in rows.into_iter().enumerate() {
        let y = rect.top() + 31.0 + step * i as f32;
        if y + 6.0 > rect.bottom() {
            break;
        }
        painter.text(
            pos2(rect.left() + 11.0, y),
            Align2::LEFT_CENTER,
            label,
            font(10.5),
            p.weak,
        );
        painter.text(
            pos2(rect.right() - 9.0, y),
            Align2::RIGHT_CENTER,
            value,
            font(10.5),
            p.text,
        );
        let track = Rect::from_min_max(
            pos2(rect.left() + 48.0, y - 4.0),
            pos2(rect.right() - 64.0, y + 4.0),
        );
        if track.width() > 16.0 {
            bar(painter, track, share, ink, p);
        }
    }
    if rect.height() >= 88.0 {
        let y = rect.bottom() - 13.0;
        let mut facts = format!("weight {}", readable::number(snapshot.weight));
        if condition == Condition::Warming {
            facts = format!(
                "{facts}   speed {}",
                readable::share((snapshot.warmth * 1000.0).round() / 1000.0)
            );
        }
        painter.text(
            pos2(rect.left() + 11.0, y),
            Align2::LEFT_CENTER,
            facts,
            font(10.5),
            p.weak,
        );
    }
}

/// How many may wait; `None` where as many as come.
fn limit_words(limit: u32) -> Option<String> {
    (limit < u32::MAX).then(|| readable::short(f64::from(limit)))
}

fn queue_share(queue_len: u32, limit: u32) -> f32 {
    // A queue without a limit that matters fills its bar at a thousand.
    queue_len as f32 / limit.clamp(1, 1000) as f32
}

fn bar(painter: &egui::Painter, track: Rect, share: f32, ink: Color32, p: &Palette) {
    painter.rect_filled(track, 3.0, mix(p.raised, p.weak, 0.24));
    let share = share.clamp(0.0, 1.0);
    if share > 0.0 {
        let width = (track.width() * share).max(3.0);
        painter.rect_filled(
            Rect::from_min_size(track.min, vec2(width, track.height())),
            3.0,
            ink,
        );
    }
}

/// Selects a server. One that only the future beside has makes that the main one.
fn select(cx: &mut Cx<'_>, thing: Option<Thing>, server: usize) {
    if thing.is_none() {
        cx.does(Command::Swap);
    }
    cx.does(Command::Select(Some(
        thing.unwrap_or(Thing::Server(server)),
    )));
}

/// A cell of a map: filled from below as its queue and workers are.
pub(super) fn cell(
    ui: &mut egui::Ui,
    cx: &mut Cx<'_>,
    branch: &BranchReport,
    view: &View,
    server: usize,
    rect: Rect,
    prefix: &str,
) {
    let p = Palette::of(ui);
    let snapshot = &view.snapshot.servers[server];
    let model = &branch.model.servers[server];
    let condition = Condition::of(snapshot, model);
    let (icon, colour) = look(condition, p);
    let id = ui.scope_id().with(("cell", server, rect.min.y.to_bits()));
    let response = ui.interact(rect, id, egui::Sense::click());
    let thing = cx.state.selectable(branch, server);
    let selected = thing.is_some() && cx.state.selected == thing;
    let name = || {
        format!(
            "{prefix}server {} {}",
            model.name,
            words(branch, view, server)
        )
    };
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, selected, name()));
    if response.clicked() {
        select(cx, thing, server);
    }
    let busy = snapshot.busy as f32 / snapshot.workers.max(1) as f32;
    let fill =
        (busy * 0.5 + 0.5 * queue_share(snapshot.queue_len, model.params.queue_limit)).min(1.0);
    let painter = ui.painter();
    painter.rect_filled(
        rect,
        2.0,
        mix(
            p.sunken,
            colour,
            if condition == Condition::Ok {
                0.12
            } else {
                0.35
            },
        ),
    );
    let level = Rect::from_min_max(
        pos2(rect.left(), rect.bottom() - rect.height() * fill),
        rect.max,
    );
    painter.rect_filled(level, 2.0, mix(p.sunken, colour, 0.75));
    if condition != Condition::Ok && rect.width() > 9.0 {
        let size = (rect.width().min(rect.height()) * 0.6).min(12.0);
        icon.paint(
            painter,
            Rect::from_center_size(rect.center(), Vec2::splat(size)),
            p.text,
        );
    }
    if selected || response.has_focus() || response.hovered() {
        let stroke = egui::Stroke::new(2.0, p.accent);
        painter.rect_stroke(rect, 2.0, stroke, egui::StrokeKind::Outside);
    }
    if response.hovered() {
        response.on_hover_text(name());
    }
}
