//! A server as a card, or as a cell of a map.

use super::{selectable, server_now};
use crate::command::Command;
use crate::icon::Icon;
use crate::panel::Cx;
use crate::playback::condition::queue_share;
use crate::playback::{BranchReport, View, danger};
use crate::state::{Condition, Thing};
use crate::theme::{Palette, bold_font, font, mix};
use eframe::egui::{self, Align2, Color32, Rect, Vec2, pos2, vec2};
use sim_core::crash::Gauge;
use sim_core::engine::{MachineState, ServerSnapshot};
use sim_core::model::Server;
use sim_core::readable;

/// Shape and colour of a condition.
pub(crate) fn look(condition: Condition, p: &Palette) -> (Icon, Color32) {
    match condition {
        Condition::Ok => (Icon::Disc, p.good),
        Condition::Busy | Condition::Full | Condition::Flooded => (Icon::Triangle, p.warn),
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
    let mut words = format!(
        "{}, queue {}{limit}, {} of {} workers busy{}",
        condition.word().to_lowercase(),
        snapshot.queue_len,
        snapshot.busy,
        snapshot.workers,
        rate.map_or_else(String::new, |rate| format!(
            ", {} requests/s",
            readable::short(rate.round())
        ))
    );
    if snapshot.connections > 0 {
        let kept = readable::number(f64::from(snapshot.connections));
        words = format!("{words}, {kept} connections kept");
    }
    if let Some(most) = model.params.max_connections {
        words = format!("{words}, at most {most} attempts from each balancer instance");
    }
    for danger in danger::of_server(snapshot, model) {
        words = format!("{words}, {}", danger.words(view.at));
    }
    words
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
    let small = rect.height() < 44.0;
    let line = if small {
        rect.center().y
    } else {
        rect.top() + 15.0
    };
    let spot = Rect::from_center_size(pos2(rect.left() + 14.0, line), Vec2::splat(12.0));
    icon.paint(&painter, spot, colour);
    let dies = left(snapshot, model, view).filter(|_| small);
    let (word, ink) = match &dies {
        Some(dies) => (dies.as_str(), p.bad),
        None => (condition.word(), colour),
    };
    // Where there is no room for the word beside the name, it stands at the foot of a card.
    let state = painter.layout_no_wrap(word.to_owned(), bold_font(10.5), ink);
    let start = rect.left() + 25.0;
    let beside = if small { 70.0 } else { NAME + 40.0 };
    let shown = rect.width() > state.size().x + beside;
    let end = rect.right() - if shown { state.size().x + 15.0 } else { 6.0 };
    let name = crate::fit::galley(&painter, &model.name, &bold_font(12.5), p.text, end - start);
    let title = Rect::from_min_size(pos2(start, line - name.size().y / 2.0), name.size());
    painter.galley(title.min, name, p.text);
    let at = pos2(
        rect.right() - 9.0 - state.size().x,
        line - state.size().y / 2.0,
    );
    let state = if shown {
        let place = Rect::from_min_size(at, state.size());
        painter.galley(at, state, ink);
        place
    } else {
        Rect::from_min_max(pos2(rect.right(), line), pos2(rect.right(), line))
    };
    if small {
        // The bar of what is fullest: the queue, or what kills it.
        let bars = bars_of(snapshot, model, condition, p);
        let deadly = bars.iter().skip(1).filter(|row| !row.ticks.is_empty());
        let fullest = deadly.fold(&bars[0], |a, b| if b.share > a.share { b } else { a });
        let label = painter.layout_no_wrap(fullest.label.to_owned(), font(10.5), p.weak);
        let mut left = title.right() + 10.0;
        let right = state.left() - 8.0;
        let named = right - left > label.size().x + 50.0;
        // Without its name a bar is that of the queue, unless something else matters more.
        let fullest = if named || f64::from(fullest.share) >= NEAR {
            fullest
        } else {
            &bars[0]
        };
        if named {
            let at = pos2(left, line - label.size().y / 2.0);
            left += label.size().x + 6.0;
            painter.galley(at, label, p.weak);
        }
        if right - left > 20.0 {
            let track = Rect::from_min_max(pos2(left, line - 4.0), pos2(right, line + 4.0));
            bar(
                &painter,
                track,
                fullest.share,
                fullest.ink,
                &fullest.ticks,
                p,
            );
        }
        return;
    }
    bars(&painter, rect, (view, server, model), shown, p);
}

/// Room that a name gets before the word beside it.
const NAME: f32 = 60.0;

/// A bar of a card: what it is of, how full, and where somebody dies.
struct Bar {
    label: &'static str,
    share: f32,
    value: String,
    ink: Color32,
    /// Shares from which on the machine dies.
    ticks: Vec<f32>,
    /// Whether it has a whole: otherwise there is a number and nothing to fill.
    whole: bool,
}

/// From such a share of what kills it a machine is drawn as in danger, and from this one as about to die.
const NEAR: f64 = 0.75;
const AT_ONCE: f64 = 0.95;

/// Colour of something that is so near to killing a machine.
pub(super) fn danger_ink(share: f64, p: &Palette) -> Color32 {
    match share {
        s if s >= AT_ONCE => p.bad,
        s if s >= NEAR => p.warn,
        _ => p.accent,
    }
}

/// The bars of a server: its queue, its workers, its memory, and what else its crash rules watch.
fn bars_of(
    snapshot: &ServerSnapshot,
    model: &Server,
    condition: Condition,
    p: &Palette,
) -> Vec<Bar> {
    let dangers = danger::of_server(snapshot, model);
    let down = matches!(condition, Condition::Down | Condition::Absent);
    let limit = model.params.queue_limit;
    let mut value = readable::short(f64::from(snapshot.queue_len));
    if let Some(limit) = limit_words(limit) {
        value = format!("{value}/{limit}");
    }
    // What is in service counts against a rule on all that are in it, and not in the queue's bar.
    let ticks = dangers.iter().filter_map(|danger| match danger.gauge {
        Gauge::QueueLen => Some(danger.above),
        Gauge::InFlight => Some((danger.above - f64::from(snapshot.workers)).max(0.0)),
        _ => None,
    });
    let mut bars = vec![Bar {
        label: "queue",
        share: fullness(snapshot, model),
        value,
        ink: match condition {
            Condition::Full | Condition::Flooded => p.warn,
            _ if down => p.line,
            _ => p.accent,
        },
        ticks: ticks
            .map(|above| queue_share(above, limit) as f32)
            .collect(),
        whole: true,
    }];
    let busy = f32::from(snapshot.busy.min(65535) as u16) / snapshot.workers.max(1) as f32;
    bars.push(Bar {
        label: "busy",
        share: busy,
        value: format!("{}/{}", snapshot.busy, snapshot.workers),
        ink: if busy > 0.95 { p.warn } else { p.good },
        ticks: Vec::new(),
        whole: true,
    });
    bars.extend(connections(snapshot, down, p));
    let others = [(Gauge::Memory, "memory"), (Gauge::QueueAge, "oldest")];
    for (gauge, label) in others {
        let of_gauge = dangers.iter().filter(|danger| danger.gauge == gauge);
        let Some(nearest) = of_gauge.max_by(|a, b| a.share().total_cmp(&b.share())) else {
            continue;
        };
        // Past what kills it there is room to see by how much, where it may last for a while.
        let whole = if nearest.hold.is_zero() { 1.0 } else { 1.25 };
        let value = nearest.value.unwrap_or(0.0);
        let amount = if down { 0.0 } else { value };
        bars.push(Bar {
            label,
            share: if down {
                0.0
            } else {
                (nearest.share() / whole) as f32
            },
            value: match gauge {
                Gauge::Memory => danger::bytes_of(amount, nearest.above),
                _ => nearest.written(amount),
            },
            ink: danger_ink(nearest.share(), p),
            ticks: vec![1.0 / whole as f32],
            whole: true,
        });
    }
    bars
}

/// Connections that are kept to a server, where any are.
fn connections(snapshot: &ServerSnapshot, down: bool, p: &Palette) -> Option<Bar> {
    let kept = (snapshot.connections > 0 && !down).then_some(snapshot.connections)?;
    Some(Bar {
        label: "kept",
        share: 0.0,
        value: format!("{} conn", readable::short(f64::from(kept))),
        ink: p.weak,
        ticks: Vec::new(),
        whole: false,
    })
}

/// How long it has left, where a crash rule holds.
fn left(snapshot: &ServerSnapshot, model: &Server, view: &View) -> Option<String> {
    let dangers = danger::of_server(snapshot, model);
    let left = dangers
        .iter()
        .filter_map(|danger| danger.left(view.at))
        .min()?;
    Some(format!("dies in {}", danger::countdown(left)))
}

/// Bars, and what else there is room for; `named`: its state stands beside its name.
fn bars(
    painter: &egui::Painter,
    rect: Rect,
    of: (&View, usize, &Server),
    named: bool,
    p: &Palette,
) {
    let (view, server, model) = of;
    let snapshot = &view.snapshot.servers[server];
    let condition = Condition::of(snapshot, model);
    let bars = bars_of(snapshot, model, condition, p);
    let labels = bars.iter().map(|row| {
        let galley = painter.layout_no_wrap(row.label.to_owned(), font(10.5), p.weak);
        galley.size().x
    });
    let start = rect.left() + 17.0 + labels.fold(0.0, f32::max);
    let values: Vec<_> = bars
        .iter()
        .map(|row| painter.layout_no_wrap(row.value.clone(), font(10.5), p.text))
        .collect();
    let widest = values
        .iter()
        .map(|value| value.size().x)
        .fold(49.0, f32::max);
    // Of a narrow card the bars give way first, then the labels.
    let until = rect.right() - 15.0 - widest;
    let labelled = start < until + 6.0;
    let step = ((rect.height() - 30.0) / 2.6).clamp(13.0, 19.0);
    let mut end = rect.top() + 31.0;
    for (i, (row, value)) in bars.iter().zip(values).enumerate() {
        let y = rect.top() + 31.0 + step * i as f32;
        if y + 6.0 > rect.bottom() {
            break;
        }
        end = y;
        if labelled {
            let left = pos2(rect.left() + 11.0, y);
            painter.text(left, Align2::LEFT_CENTER, row.label, font(10.5), p.weak);
        }
        let at = pos2(
            rect.right() - 9.0 - value.size().x,
            y - value.size().y / 2.0,
        );
        painter.galley(at, value, p.text);
        let track = Rect::from_min_max(pos2(start, y - 4.0), pos2(until, y + 4.0));
        if track.width() > 16.0 && row.whole {
            bar(painter, track, row.share, row.ink, &row.ticks, p);
        }
    }
    let y = rect.bottom() - 13.0;
    if y < end + 13.0 {
        return;
    }
    if let Some(left) = left(snapshot, model, view) {
        let at = pos2(rect.left() + 11.0, y);
        painter.text(at, Align2::LEFT_CENTER, left, bold_font(11.0), p.bad);
        return;
    }
    if !named {
        let at = pos2(rect.left() + 11.0, y);
        let ink = look(condition, p).1;
        painter.text(
            at,
            Align2::LEFT_CENTER,
            condition.word(),
            bold_font(10.5),
            ink,
        );
        return;
    }
    let mut facts = format!("weight {}", readable::number(snapshot.weight));
    if condition == Condition::Warming {
        facts = format!(
            "{facts}   speed {}",
            readable::share((snapshot.warmth * 1000.0).round() / 1000.0)
        );
    }
    let at = pos2(rect.left() + 11.0, y);
    painter.text(at, Align2::LEFT_CENTER, facts, font(10.5), p.weak);
}

/// How many may wait; `None` where as many as come.
fn limit_words(limit: u32) -> Option<String> {
    (limit < u32::MAX).then(|| readable::short(f64::from(limit)))
}

/// How full a server's queue is.
fn fullness(server: &ServerSnapshot, model: &Server) -> f32 {
    queue_share(f64::from(server.queue_len), model.params.queue_limit) as f32
}

/// A bar, with a tick where the machine dies.
pub(super) fn bar(
    painter: &egui::Painter,
    track: Rect,
    share: f32,
    ink: Color32,
    ticks: &[f32],
    p: &Palette,
) {
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
    for tick in ticks.iter().filter(|tick| (0.0..=1.0).contains(*tick)) {
        let x = track.left() + track.width() * tick;
        let range = egui::Rangef::new(track.top() - 2.5, track.bottom() + 2.5);
        painter.vline(x, range, egui::Stroke::new(2.0, p.bad));
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
    let fill = (busy * 0.5 + 0.5 * fullness(snapshot, model)).min(1.0);
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
