//! Transport and time: buttons, the event log on a strip, and alerts, the states of machines and the point of no return
//! as lanes.

mod alerts;
mod deadline;
mod lanes;

use self::deadline::Marker;
use self::lanes::{draw_lane, lanes_of};
use super::{Cx, PanelDef, Place, event_log};
use crate::command::{Command, SPEEDS, hint, speed_words};
use crate::icon::{self, Icon};
use crate::playback::BranchReport;
use crate::state::{State, event_words};
use crate::theme::{Palette, font, mix};
use eframe::egui::{self, Align2, Rangef, Rect, RichText, Sense, Stroke, Vec2, pos2, vec2};
use sim_core::model::Actor;
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

/// Room for names of lanes.
const NAMES: f32 = 70.0;
/// Height of a lane.
const LANE: f32 = 15.0;
/// Height of a lane where every machine has two.
const LANE_OF_TWO: f32 = 11.5;
const STRIP: f32 = 21.0;

/// Height that the panel wants.
pub fn height(state: &State) -> f32 {
    let lanes = state
        .main()
        .map_or(4, |branch| lanes_of(branch, state).len());
    42.0 + 2.0 * STRIP + lane_height(state) * lanes as f32 + 22.0
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
    super::plots::pointed(cx, &response, body);
    let Some(branch) = cx.state.main() else {
        return;
    };
    strip(ui, cx, branch, body);
    let mut y = body.top() + 2.0 * STRIP + 2.0;
    let mut told = None;
    for lane in lanes_of(branch, cx.state) {
        let place = Rect::from_min_size(
            pos2(body.left(), y),
            vec2(body.width(), lane_height(cx.state) - 2.5),
        );
        draw_lane(ui, cx.state, branch, &lane, place);
        if let (Some(pos), Some(at)) = (response.hover_pos(), cx.local.pointed)
            && place.contains(pos)
        {
            told = lanes::told(cx.state, &lane, at);
        }
        y += lane_height(cx.state);
    }
    axis(ui, cx.state, branch, body, y);
    if let Some(words) = told {
        response.on_hover_text_at_pointer(words);
    }
}

fn transport(ui: &mut egui::Ui, cx: &mut Cx<'_>) {
    let Some(report) = &cx.state.report else {
        ui.label(cx.state.waiting_words());
        return;
    };
    let transport = report.transport;
    ui.horizontal(|ui| {
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
        ui.add_space(14.0);
        let p = Palette::of(ui);
        ui.label(RichText::new("speed").color(p.weak).font(font(11.5)));
        for speed in SPEEDS {
            #[allow(clippy::float_cmp, reason = "one of these very numbers was chosen")]
            let chosen = transport.speed == speed;
            let words = speed_words(speed);
            let button = egui::Button::selectable(chosen, RichText::new(&words).font(font(12.0)));
            if ui.add(button).on_hover_text(format!("{words} simulated seconds a second")).clicked() {
                cx.does(Command::Speed(speed));
            }
        }
        ui.add_space(14.0);
        let toggle = |ui: &mut egui::Ui, cx: &mut Cx<'_>, on: bool, words: &str, command: &str| {
            let button = egui::Button::selectable(on, RichText::new(words).font(font(12.0)));
            if ui.add(button).on_hover_text(hint(command)).clicked()
                && let Some(def) = crate::command::find(command)
            {
                cx.does(def.command.clone());
            }
        };
        toggle(ui, cx, transport.pause_at_events, "pause at events", "pause-at-events");
        let looping = match transport.range {
            Some((a, b)) => format!("loop {} – {}", cx.state.label(a), cx.state.label(b)),
            None if cx.local.loop_from.is_some() => "loop: mark the end".to_owned(),
            None => "loop".to_owned(),
        };
        toggle(ui, cx, transport.range.is_some() || cx.local.loop_from.is_some(), &looping, "loop");
        toggle(ui, cx, cx.state.reveal, "show the future", "reveal");
        key(ui, cx.state);
        let words = memory(cx.state);
        let room = ui.painter().layout_no_wrap(words.clone(), font(11.0), p.weak).size().x;
        // In a small window it gives way: nothing is done with it.
        if ui.available_width() > room + 12.0 {
            ui.with_layout(egui::Layout::right_to_left(egui::Align::Center), |ui| {
                ui.label(RichText::new(words).font(font(11.0)).color(p.weak)).on_hover_text(
                    "Key frames are copies of the whole simulation, from which any moment is reached in an instant. The bytes are those of all copies: key frames, where futures begin and end, and what is shown. Each future keeps two key frames in any case; recorded figures come on top.",
                );
            });
        }
    });
}

/// What the hatching and the colour of alerts mean, where there are any and there is room.
fn key(ui: &mut egui::Ui, state: &State) {
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
    if alerts == 0 || ui.available_width() < width + 14.0 {
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

/// How far is simulated, and what copies of the simulation take.
fn memory(state: &State) -> String {
    let Some(report) = &state.report else {
        return String::new();
    };
    let bytes: usize = report.branches.iter().map(|branch| branch.bytes).sum();
    let frames: usize = report.branches.iter().map(|branch| branch.frames).sum();
    let used = format!(
        "{frames} key frames, {} of {} MB",
        bytes >> 20,
        report.budget >> 20
    );
    let behind = report.branches.iter().find(|branch| !branch.finished);
    match behind {
        Some(branch) => format!(
            "simulated to {}   {used}",
            state.label_to_second(branch.explored)
        ),
        None => used,
    }
}

/// Events of the event log on two lines: system above, people below.
fn strip(ui: &mut egui::Ui, cx: &mut Cx<'_>, branch: &BranchReport, body: Rect) {
    let p = Palette::of(ui);
    let horizon = cx.state.horizon().0 as f64;
    let now = cx.state.now();
    let event_log = cx.state.event_log(branch);
    for (i, name) in [Actor::System, Actor::People]
        .map(Actor::name)
        .into_iter()
        .enumerate()
    {
        let y = body.top() + STRIP * (i as f32 + 0.5);
        ui.painter()
            .hline(body.x_range(), y, Stroke::new(1.0, p.line));
        ui.painter().text(
            pos2(body.left() - 10.0, y),
            Align2::RIGHT_CENTER,
            name,
            font(11.0),
            p.weak,
        );
    }
    let mut ends = [f32::NEG_INFINITY; 2];
    for event in event_log {
        let lane = usize::from(event.by == Actor::People);
        let x = body.left() + (event.at.0 as f64 / horizon) as f32 * body.width();
        // What lies under another mark is in the event log; the strip shows the first.
        if x - ends[lane] < 12.0 {
            continue;
        }
        ends[lane] = x;
        let (icon, colour) = event_log::look(event.kind, p);
        let y = body.top() + STRIP * (lane as f32 + 0.5);
        let spot = Rect::from_center_size(pos2(x, y), Vec2::splat(16.0));
        let ahead = event.at > now;
        let response = ui.interact(
            spot,
            ui.scope_id().with(("mark", event.at.0, lane)),
            Sense::click(),
        );
        let disc = if response.hovered() || response.has_focus() {
            p.text
        } else {
            mix(p.panel, colour, if ahead { 0.35 } else { 0.9 })
        };
        ui.painter().circle_filled(spot.center(), 8.0, p.panel);
        ui.painter()
            .circle_stroke(spot.center(), 7.0, Stroke::new(1.5, disc));
        icon.paint(
            ui.painter(),
            spot.shrink(4.2),
            if ahead {
                mix(p.panel, colour, 0.5)
            } else {
                colour
            },
        );
        let words = format!("{} {}", cx.state.label(event.at), event_words(event));
        response.widget_info(|| {
            egui::WidgetInfo::labeled(egui::Role::Button, true, format!("go to {words}"))
        });
        if response.clicked() {
            cx.does(Command::Seek(event.at));
        }
        response.on_hover_text(words);
    }
}

fn axis(ui: &egui::Ui, state: &State, branch: &BranchReport, body: Rect, bottom: f32) {
    let p = Palette::of(ui);
    let painter = ui.painter();
    let horizon = state.horizon().0 as f64;
    let x = |at: Instant| body.left() + (at.0 as f64 / horizon) as f32 * body.width();
    for (share, label) in super::plots::times(state) {
        let at = body.left() + share * body.width();
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
            Rangef::new(body.left(), x(branch.explored)),
            Rangef::new(bottom, bottom + 2.0),
        );
        painter.rect_filled(known, 0.0, mix(p.panel, p.accent, 0.45));
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
    if let Some(at) = state.hovered {
        painter.vline(x(at), lanes, Stroke::new(1.0, p.text));
        let words = state.label_to_second(at);
        let galley = painter.layout_no_wrap(words, font(10.5), p.text);
        let plate =
            Rect::from_center_size(pos2(x(at), bottom + 12.0), galley.size() + vec2(8.0, 2.0));
        painter.rect_filled(plate, 3.0, p.raised);
        painter.galley(plate.min + vec2(4.0, 1.0), galley, p.text);
    }
    if let Some(marker) = Marker::of(state) {
        marker.draw_across(painter, body, lanes, state.horizon(), p);
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
    if let Some(marker) = Marker::of(state) {
        let _ = writeln!(text, "{}", marker.told());
    }
    text
}
