//! Transport and time: buttons, the event log on a strip, and alerts, the states of machines and the point of no return
//! as lanes.

mod alerts;
mod deadline;
mod lanes;
mod measured;
mod strip;

use self::deadline::Marker;
pub(crate) use self::lanes::lane_of_selected;
use self::lanes::{draw_lane, lanes_of};
use super::{Cx, PanelDef, Place};
use crate::command::{Command, SPEEDS, hint, speed_words};
use crate::icon::{self, Icon};
use crate::playback::BranchReport;
use crate::state::{State, Stretch};
use crate::theme::{Palette, font, mix};
use eframe::egui::{self, Align2, Rangef, Rect, RichText, Sense, Stroke, pos2, vec2};
use sim_core::record::AlertState;
use sim_core::time::Instant;
use std::fmt::Write as _;

/// The row of this panel.
pub static PANEL: PanelDef = PanelDef {
    name: "timeline",
    title: "Time",
    about: "Play, scrub and step; the event log, alerts and the states of machines over time.",
    place: Place::Bottom,
    draw,
    text,
};

/// Lanes that can be kept on top at once.
pub(crate) const PINS: usize = 6;
/// Room for names of lanes.
const NAMES: f32 = 92.0;
/// Height of a lane.
const LANE: f32 = 15.0;
/// Height of a lane where every machine has two.
const LANE_OF_TWO: f32 = 11.5;
const STRIP: f32 = 21.0;
/// Width of all buttons, about.
const BUTTONS: f32 = 800.0;
/// From such a width on there is room to say what the speeds are.
const WORDY: f32 = 1500.0;
/// So many points of a turn of the wheel show the lanes larger by a factor of e.
const CLOSER: f32 = 240.0;
/// Height of all but the lanes, where the buttons take one line.
const REST: f32 = 42.0 + 2.0 * STRIP + 22.0;

/// Height that the panel wants.
pub fn height(ctx: &egui::Context, state: &State) -> f32 {
    let lanes = state
        .main()
        .map_or(4, |branch| lanes_of(branch, state, room(ctx, state)).len());
    rest(ctx) + lane_height(state) * lanes as f32
}

/// Whether the buttons do not fit on one line.
fn is_narrow(ctx: &egui::Context) -> bool {
    ctx.content_rect().width() < 980.0
}

/// Height of all but the lanes: in a narrow window the buttons take further lines.
fn rest(ctx: &egui::Context) -> f32 {
    let lines = (BUTTONS / ctx.content_rect().width().max(200.0)).floor();
    REST + if is_narrow(ctx) {
        34.0 * lines.max(1.0)
    } else {
        0.0
    }
}

/// How many lanes may be drawn before servers share some: in a small window the picture above needs its part.
fn room(ctx: &egui::Context, state: &State) -> usize {
    let most = ctx.content_rect().height() * 0.36 - rest(ctx);
    (most / lane_height(state)).max(0.0) as usize
}

fn lane_height(state: &State) -> f32 {
    if state.beside().is_some() {
        LANE_OF_TWO
    } else {
        LANE
    }
}

fn draw(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    transport(ui, cx);
    ui.add_space(4.0);
    let rect = ui.available_rect_before_wrap();
    let response = ui.allocate_rect(rect, Sense::click_and_drag());
    let horizon = cx.state.horizon();
    let now = cx.state.now();
    let label = format!(
        "time {} of {}",
        cx.state.label(now),
        cx.state.label(horizon)
    );
    response.widget_info(|| egui::WidgetInfo::slider(true, now.as_secs_f64(), &label));
    let body = Rect::from_min_max(
        pos2(rect.left() + NAMES, rect.top()),
        pos2(rect.right() - 12.0, rect.bottom()),
    );
    if !super::plots::brushed(ui, cx, &response, body) {
        turned(ui, cx, &response, body);
        super::plots::pointed(cx, &response, body, cx.state.stretch());
    }
    let pointer = ui.rect_contains_pointer(rect);
    cx.local.over_lanes = pointer || response.has_focus();
    let Some(branch) = cx.state.main() else {
        return;
    };
    strip::draw(ui, cx, branch, body);
    let mut y = body.top() + 2.0 * STRIP + 2.0;
    let mut told = None;
    for lane in lanes_of(branch, cx.state, room(ui.ctx(), cx.state)) {
        let place = Rect::from_min_size(
            pos2(body.left(), y),
            vec2(body.width(), lane_height(cx.state) - 2.5),
        );
        draw_lane(ui, cx.state, branch, &lane, place);
        pin(ui, cx, &lane, place);
        if let (Some(pos), Some(at)) = (response.hover_pos(), cx.local.pointed)
            && place.contains(pos)
        {
            told = lanes::told(cx.state, &lane, at);
        }
        y += lane_height(cx.state);
    }
    axis(ui, cx.state, branch, body, y);
    overview(ui, cx, branch, body);
    measured::draw(ui, cx, pos2(body.right(), rect.top() - 52.0));
    let on_axis = response.hover_pos().is_some_and(|pos| pos.y > y);
    if let Some(words) = told.or_else(|| on_axis.then(|| HINT.to_owned())) {
        response.on_hover_text_at_pointer(words);
    }
}

/// What can be done with the lanes.
const HINT: &str = "Over the lanes: the wheel or W and S show them larger and smaller, A and D go along. A drag with Shift shows a stretch \
     larger, one with Ctrl says what happened in it; F shows that from edge to edge. A click on a lane's name pins it.";

/// The name of a lane can be pressed: the lane then stays on top.
fn pin(ui: &egui::Ui, cx: &mut Cx<'_>, lane: &lanes::LaneOf, place: Rect) {
    let Some((number, key)) = lanes::pin_of(cx.state, lane) else {
        return;
    };
    let left = place.left() - NAMES;
    let name = Rect::from_x_y_ranges(left..=place.left() - 4.0, place.y_range());
    let pinned = cx.state.pinned.contains(&key);
    let id = ui.scope_id().with(("pin", number, &key));
    let response = ui.interact(name, id, Sense::click());
    let word = if pinned { "unpin" } else { "pin" };
    let label = format!(
        "{word} the lane of {}",
        key.split_once(' ').map_or(&*key, |k| k.1)
    );
    response.widget_info(|| egui::WidgetInfo::selected(egui::Role::Button, true, pinned, &label));
    let p = Palette::of(ui);
    if pinned || response.hovered() || response.has_focus() {
        let mark = Rect::from_x_y_ranges(left..=left + 3.0, place.y_range());
        let ink = if pinned { p.accent } else { p.weak };
        ui.painter().rect_filled(mark, 1.0, ink);
    }
    if response.clicked() {
        cx.does(Command::Pin(key));
    }
    response.on_hover_text(format!("A click: {label}"));
}

/// The wheel over the lanes: it shows them larger or smaller about the pointer; with Shift, or sideways, it goes along.
fn turned(ui: &egui::Ui, cx: &mut Cx<'_>, response: &egui::Response, body: Rect) {
    let Some(at) = response.hover_pos() else {
        return;
    };
    let (turn, shift) = ui.input(|input| (input.smooth_scroll_delta(), input.modifiers.shift));
    let stretch = cx.state.stretch();
    let (along, closer) = if shift {
        (turn.x + turn.y, 0.0)
    } else {
        (turn.x, turn.y)
    };
    let shown = if along != 0.0 {
        let share = -f64::from(along / body.width());
        stretch.later(share, cx.state.horizon())
    } else if closer != 0.0 {
        let about = stretch.at((at.x - body.left()) / body.width());
        stretch.closer(about, f64::from((closer / CLOSER).exp()))
    } else {
        return;
    };
    cx.does(Command::Zoom(Some((shown.from, shown.to))));
}

/// Where less than the whole run is shown: the whole of it in small, with the stretch, which can be dragged along.
fn overview(ui: &mut egui::Ui, cx: &mut Cx<'_>, branch: &BranchReport, body: Rect) {
    if cx.state.zoom.is_none() {
        return;
    }
    let p = Palette::of(ui);
    let horizon = cx.state.horizon();
    let whole = Stretch {
        from: Instant::ZERO,
        to: horizon,
    };
    let place = Rect::from_min_max(
        pos2(body.left(), body.top() - 8.0),
        pos2(body.right(), body.top() - 1.0),
    );
    lanes::small(ui.painter(), cx.state, branch, place, whole, p);
    let stretch = cx.state.stretch();
    let [left, right] = [stretch.from, stretch.to].map(|at| whole.x(place, at));
    let part = Rect::from_x_y_ranges(Rangef::new(left, right.max(left + 3.0)), place.y_range());
    let outline = Stroke::new(1.5, p.accent);
    ui.painter()
        .rect_filled(part, 1.0, p.accent.gamma_multiply(0.25));
    ui.painter()
        .rect_stroke(part, 1.0, outline, egui::StrokeKind::Outside);
    let id = ui.scope_id().with("overview");
    let response = ui.interact(place.expand2(vec2(0.0, 3.0)), id, Sense::click_and_drag());
    let [from, to] = [stretch.from, stretch.to].map(|at| cx.state.label_to_second(at));
    let name = format!("shown: {from} to {to}");
    response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Slider, true, &name));
    if response.double_clicked() {
        cx.does(Command::Zoom(None));
    } else if let Some(at) = response.interact_pointer_pos() {
        // Its middle goes to the pointer.
        let middle = whole.at((at.x - place.left()) / place.width());
        let half = (stretch.to.0 - stretch.from.0) / 2;
        let away = middle.0 as f64 - (stretch.from.0 + half) as f64;
        let moved = stretch.later(away / stretch.len_ns(), horizon);
        cx.does(Command::Zoom(Some((moved.from, moved.to))));
    }
    response.on_hover_text("The whole run; drag the stretch along, a double click shows all");
}

fn transport(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let Some(report) = &cx.state.report else {
        ui.label(cx.state.waiting_words());
        return;
    };
    let transport = report.transport;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 4.0;
        let button = |ui: &mut egui::Ui, cx: &mut Cx<'_>, icon, name: &str, command: &str| {
            if icon::button(ui, icon, name, &hint(command)).clicked()
                && let Some(def) = crate::command::find(command)
            {
                cx.does(def.command.clone());
            }
        };
        button(ui, cx, Icon::First, "To the beginning", "first");
        button(ui, cx, Icon::Previous, "Previous event", "previous-event");
        let (icon, name) = if transport.playing { (Icon::Pause, "Pause") } else { (Icon::Play, "Play") };
        if icon::wide_button(ui, icon, name, &hint("play"), 52.0, true).clicked() {
            cx.does(Command::PlayPause);
        }
        button(ui, cx, Icon::Step, "One event", "step");
        button(ui, cx, Icon::Next, "Next event", "next-event");
        button(ui, cx, Icon::Last, "To the end", "last");
        ui.add_space(8.0);
        let p = Palette::of(ui);
        if ui.ctx().content_rect().width() > WORDY {
            ui.label(RichText::new("speed").color(p.weak).font(font(11.5)));
        }
        for speed in SPEEDS {
            #[allow(clippy::float_cmp, reason = "one of these very numbers was chosen")]
            let chosen = transport.speed == speed && !cx.state.director;
            let words = speed_words(speed);
            let button = egui::Button::selectable(chosen, RichText::new(&words).font(font(12.0)));
            if ui.add(button).on_hover_text(format!("{words} simulated seconds a second")).clicked() {
                cx.does(Command::Speed(speed));
            }
        }
        ui.add_space(8.0);
        let toggle = |ui: &mut egui::Ui, cx: &mut Cx<'_>, on: bool, words: &str, command: &str| {
            let button = egui::Button::selectable(on, RichText::new(words).font(font(12.0)));
            if ui.add(button).on_hover_text(hint(command)).clicked()
                && let Some(def) = crate::command::find(command)
            {
                cx.does(def.command.clone());
            }
        };
        if cx.state.zoom.is_some() {
            toggle(ui, cx, true, "whole run", "whole-run");
        }
        toggle(ui, cx, cx.state.director, "director", "director");
        toggle(ui, cx, transport.pause_at_events, "pause at events", "pause-at-events");
        let looping = match transport.range {
            Some((a, b)) => format!("loop {} – {}", cx.state.label(a), cx.state.label(b)),
            None if cx.local.loop_from.is_some() => "loop: mark the end".to_owned(),
            None => "loop".to_owned(),
        };
        toggle(ui, cx, transport.range.is_some() || cx.local.loop_from.is_some(), &looping, "loop");
        toggle(ui, cx, cx.state.reveal, "future", "reveal");
        let words = taken(cx.state);
        let room = ui.painter().layout_no_wrap(words.clone(), font(11.0), p.weak).size().x;
        key(ui, cx.state, room + 12.0);
        heat_key(ui, cx.state, room + 12.0);
        // In a small window it gives way: nothing is done with it.
        if ui.available_size_before_wrap().x > room + 12.0 {
            let about = memory(cx.state);
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.label(RichText::new(words).font(font(11.0)).color(p.weak)).on_hover_text(format!(
                    "{about}\nKey frames are copies of the whole simulation, from which any moment is reached in an instant. The bytes are those of all copies: key frames, where futures begin and end, and what is shown. Each future keeps two key frames in any case; recorded figures come on top.",
                ));
            });
        }
    });
}

/// What the hatching and the colour of alerts mean, where there are any and there is room.
/// `kept` is room for what comes after it.
fn key(ui: &mut egui::Ui, state: &State, kept: f32) {
    let p = Palette::of(ui);
    let alerts = state.main().map_or(0, |branch| branch.model.alerts.len());
    let entries = [
        (
            AlertState::Pending,
            "An alert's condition holds, but not yet for so long that it fires",
        ),
        (AlertState::Firing, "An alert fires"),
    ];
    let galleys = entries.map(|(state, _)| {
        let word = alerts::word(state).to_owned();
        ui.painter().layout_no_wrap(word, font(11.0), p.weak)
    });
    let width: f32 = galleys.iter().map(|galley| galley.size().x + 34.0).sum();
    if alerts == 0 || ui.available_size_before_wrap().x < width + 14.0 + kept {
        return;
    }
    ui.add_space(14.0);
    for ((state, about), galley) in entries.into_iter().zip(galleys) {
        let size = vec2(galley.size().x + 30.0, 20.0);
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        alerts::sample(ui.painter(), rect.left(), rect.center().y, state, p);
        let at = pos2(rect.left() + 21.0, rect.center().y - galley.size().y / 2.0);
        ui.painter().galley(at, galley, p.weak);
        response.widget_info(|| {
            let name = format!("key: {}", alerts::word(state));
            egui::WidgetInfo::labeled(egui::Role::Label, true, name)
        });
        response.on_hover_text(about);
    }
}

/// What the colours of balancers and services mean, where there are any and there is room.
fn heat_key(ui: &mut egui::Ui, state: &State, kept: f32) {
    let p = Palette::of(ui);
    let room = room(ui.ctx(), state);
    let lanes = state.main().map(|branch| lanes_of(branch, state, room));
    let words = ui
        .painter()
        .layout_no_wrap("empty to full".to_owned(), font(11.0), p.weak);
    let size = vec2(words.size().x + 46.0, 20.0);
    if !lanes.is_some_and(|lanes| lanes::has_heat(&lanes))
        || ui.available_size_before_wrap().x < size.x + 14.0 + kept
    {
        return;
    }
    ui.add_space(14.0);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    for i in 0..16 {
        let at = pos2(rect.left() + 2.0 * i as f32, rect.center().y - 4.5);
        let colour = lanes::heat(i as f32 / 15.0, p);
        ui.painter()
            .rect_filled(Rect::from_min_size(at, vec2(2.6, 9.0)), 0.0, colour);
    }
    let at = pos2(rect.left() + 38.0, rect.center().y - words.size().y / 2.0);
    ui.painter().galley(at, words, p.weak);
    response
        .widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, "key: empty to full"));
    response.on_hover_text(
        "Of a service: how full the queues of its servers are, with the share that is not up in red. Of a balancer: how near \
         it is to the most that it can hold.",
    );
}

/// How far is simulated, and what copies of the simulation take, with how many there are.
fn memory(state: &State) -> String {
    let frames = state.report.as_ref().map_or(0, |report| {
        let each = report.branches.iter().map(|branch| branch.frames);
        each.sum::<usize>()
    });
    format!("{}, {frames} key frames", taken(state))
}

/// The same in few words.
fn taken(state: &State) -> String {
    let Some(report) = &state.report else {
        return String::new();
    };
    let bytes: usize = report.branches.iter().map(|branch| branch.bytes).sum();
    let used = format!("{} of {} MB", bytes >> 20, report.budget >> 20);
    let behind = report.branches.iter().find(|branch| !branch.finished);
    match behind {
        Some(branch) => format!(
            "simulated to {}   {used}",
            state.label_to_second(branch.explored)
        ),
        None => used,
    }
}

fn axis(ui: &egui::Ui, state: &State, branch: &BranchReport, body: Rect, bottom: f32) {
    let p = Palette::of(ui);
    let shown = state.stretch();
    let x = |at: Instant| shown.x(body, at);
    for (share, label) in super::plots::times(state) {
        let at = body.left() + share * body.width();
        let painter = ui.painter();
        painter.vline(
            at,
            Rangef::new(bottom, bottom + 4.0),
            Stroke::new(1.0, p.line),
        );
        painter.text(
            pos2(at, bottom + 5.0),
            Align2::CENTER_TOP,
            label,
            font(10.5),
            p.weak,
        );
    }
    // What lies beyond the edges is not drawn; marks at them are.
    let edges = body.expand2(vec2(7.0, 30.0));
    let painter = &ui.painter().with_clip_rect(edges.intersect(ui.clip_rect()));
    let lanes = Rangef::new(body.top(), bottom + 2.0);
    if let Some(report) = &state.report {
        if let Some((start, end)) = report.transport.range {
            let range = Rect::from_x_y_ranges(Rangef::new(x(start), x(end)), lanes);
            painter.rect_filled(range, 0.0, p.accent.gamma_multiply(0.10));
            painter.rect_stroke(
                range,
                0.0,
                Stroke::new(1.0, p.accent),
                egui::StrokeKind::Inside,
            );
        }
        if !report.settled {
            let goal = painter.round_to_pixel_center(x(report.transport.goal));
            painter.vline(goal, lanes, Stroke::new(1.0, p.weak));
        }
        // How far is simulated already, which says nothing of what happens there.
        let known = Rect::from_x_y_ranges(
            Rangef::new(x(Instant::ZERO), x(branch.explored)),
            Rangef::new(bottom, bottom + 2.0),
        );
        painter.rect_filled(known, 0.0, mix(p.panel, p.accent, 0.45));
    }
    if let Some((from, to)) = state.marked {
        let range = Rect::from_x_y_ranges(Rangef::new(x(from), x(to)), lanes);
        painter.rect_filled(range, 0.0, p.now.gamma_multiply(0.14));
        for edge in [from, to] {
            painter.vline(x(edge), lanes, Stroke::new(1.5, p.now));
        }
    }
    if let Some(beside) = state.beside()
        && let Some(other) = state.branch(beside.branch)
    {
        painter.vline(
            x(branch.from.max(other.from)),
            lanes,
            Stroke::new(1.5, p.accent),
        );
    }
    if let Some(at) = state.hovered.filter(|at| shown.has(*at)) {
        painter.vline(x(at), lanes, Stroke::new(1.0, p.text));
        let words = state.label_to_second(at);
        let galley = painter.layout_no_wrap(words, font(10.5), p.text);
        let plate =
            Rect::from_center_size(pos2(x(at), bottom + 12.0), galley.size() + vec2(8.0, 2.0));
        painter.rect_filled(plate, 3.0, p.raised);
        painter.galley(plate.min + vec2(4.0, 1.0), galley, p.text);
    }
    if let Some(marker) = Marker::of(state) {
        marker.draw_across(painter, body, lanes, shown, p);
    }
    let now = x(state.now());
    painter.vline(now, lanes, Stroke::new(2.0, p.now));
    let head = pos2(now, body.top() - 1.0);
    painter.add(egui::Shape::convex_polygon(
        vec![
            head + vec2(-6.0, -5.0),
            head + vec2(6.0, -5.0),
            head + vec2(0.0, 5.0),
        ],
        p.now,
        Stroke::NONE,
    ));
}

fn text(state: &State) -> String {
    let mut text = format!(
        "{} of {}",
        state.label(state.now()),
        state.label(state.horizon())
    );
    if let Some(report) = &state.report {
        let playing = if report.transport.playing {
            "playing"
        } else {
            "paused"
        };
        let _ = write!(
            text,
            ", {playing}, speed {}",
            speed_words(report.transport.speed)
        );
    }
    let _ = writeln!(text, "\n{}", memory(state));
    for (i, alert) in state
        .main()
        .iter()
        .flat_map(|branch| branch.model.alerts.iter().enumerate())
    {
        let stood = state
            .main()
            .map(|branch| alerts::stretches(state, branch, Some(i)));
        for stood in stood.into_iter().flatten() {
            let _ = writeln!(
                text,
                "alert {}: {} from {} to {}",
                alert.name,
                alerts::word(stood.state),
                state.label(stood.from),
                state.label(stood.until)
            );
        }
    }
    if !state.pinned.is_empty() {
        let _ = writeln!(text, "pinned lanes: {}", state.pinned.join(", "));
    }
    text.push_str(&measured::text(state));
    for words in lanes::all_told(state) {
        let _ = writeln!(text, "{words}");
    }
    if let Some(marker) = Marker::of(state) {
        let _ = writeln!(text, "{}", marker.told());
    }
    text
}
