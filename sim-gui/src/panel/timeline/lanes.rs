//! Lanes of the strip: how alerts stood, what each server was like, until when something helps.

use super::alerts::{self, ALERTS};
use super::deadline::Marker;
use crate::icon::Icon;
use crate::playback::{BranchReport, Column, Lane, letter};
use crate::state::{Condition, State, same_server};
use crate::theme::{Palette, bold_font, font, mix};
use eframe::egui::{self, Color32, Rangef, Rect, Vec2, pos2};
use sim_core::engine::MachineState;
use sim_core::record::AlertState;
use sim_core::time::Instant;

/// Servers drawn one by one at most; larger fleets share one lane.
const LANES: usize = 6;
/// Width of a hatched stretch of which enough is left beside its word.
const HATCHED: f32 = 120.0;

/// A lane: alerts, one machine, all servers, or the point of no return.
pub(super) enum LaneOf {
    /// An alert of a branch, or all of them: the branch's number, and the alert's.
    Alert(usize, Option<usize>),
    /// A server of the main branch.
    Server(usize),
    /// All servers.
    Fleet,
    /// A server of the branch beside it: the branch's number, and the server's there.
    Beside(usize, usize),
    /// Until when something helps.
    Deadline,
}

/// The lanes of a branch, and of the one beside it.
pub(super) fn lanes_of(branch: &BranchReport, state: &State) -> Vec<LaneOf> {
    let mut lanes = alert_lanes(branch, state);
    lanes.extend(server_lanes(branch, state));
    lanes.extend(Marker::of(state).map(|_| LaneOf::Deadline));
    lanes
}

/// A lane for each alert where they are few; with two futures one lane for all of each.
fn alert_lanes(branch: &BranchReport, state: &State) -> Vec<LaneOf> {
    let alerts = branch.model.alerts.len();
    let main = state.view().map_or(0, |view| view.branch);
    match state.beside() {
        _ if alerts == 0 => Vec::new(),
        Some(beside) => [main, beside.branch]
            .map(|branch| LaneOf::Alert(branch, None))
            .into(),
        None if alerts > ALERTS => vec![LaneOf::Alert(main, None)],
        None => (0..alerts)
            .map(|alert| LaneOf::Alert(main, Some(alert)))
            .collect(),
    }
}

fn server_lanes(branch: &BranchReport, state: &State) -> Vec<LaneOf> {
    let servers = branch.model.servers.len();
    if servers > LANES || servers > branch.series.servers() {
        return vec![LaneOf::Fleet];
    }
    let beside = state.beside().filter(|_| servers <= 4);
    let other = beside.and_then(|view| Some((view.branch, state.branch(view.branch)?)));
    let mut lanes = Vec::new();
    for server in 0..servers {
        lanes.push(LaneOf::Server(server));
        if let Some((number, other)) = other {
            let there = same_server(branch, server, other);
            lanes.extend(there.map(|there| LaneOf::Beside(number, there)));
        }
    }
    // Servers that only the other future has.
    if let Some((number, other)) = other {
        let new = (0..other.model.servers.len())
            .filter(|server| same_server(other, *server, branch).is_none());
        lanes.extend(new.map(|server| LaneOf::Beside(number, server)).take(LANES));
    }
    lanes
}

/// What a lane says of a moment, beyond what stands in it.
pub(super) fn told(state: &State, lane: &LaneOf, at: Instant) -> Option<String> {
    match lane {
        LaneOf::Alert(branch, alert) => alerts::told(state, state.branch(*branch)?, *alert, at),
        LaneOf::Deadline => Marker::of(state).map(|marker| marker.told()),
        LaneOf::Server(_) | LaneOf::Fleet | LaneOf::Beside(..) => None,
    }
}

/// Colour of a condition in a lane, and whether its word is written.
fn paint(condition: Condition, p: &Palette) -> (Color32, bool) {
    let share = match condition {
        Condition::Ok => return (mix(p.sunken, p.good, 0.38), false),
        Condition::Absent => return (mix(p.sunken, p.line, 0.4), false),
        Condition::Busy => 0.45,
        _ => 0.85,
    };
    let (_, colour) = super::super::topology::look(condition, p);
    (mix(p.sunken, colour, share), condition != Condition::Busy)
}

/// Draws a lane with its name before it.
pub(super) fn draw_lane(
    ui: &egui::Ui,
    state: &State,
    main: &BranchReport,
    lane: &LaneOf,
    rect: Rect,
) {
    let p = Palette::of(ui);
    let painter = ui.painter();
    let (branch, server, name) = match lane {
        LaneOf::Alert(branch, alert) => {
            return alert_lane(painter, state, (*branch, *alert), rect, p);
        }
        LaneOf::Deadline => {
            name_of(painter, rect, "no return", None, p);
            painter.rect_filled(rect, 2.0, mix(p.panel, p.sunken, 0.8));
            if let Some(marker) = Marker::of(state) {
                marker.draw_lane(painter, rect, state.horizon(), p);
            }
            return;
        }
        LaneOf::Server(server) => {
            let name = main.model.servers[*server].name.clone();
            let name = match state.beside() {
                Some(_) => format!("{name}  {}", letter(state.view().map_or(0, |v| v.branch))),
                None => name,
            };
            (main, Some(*server), name)
        }
        LaneOf::Beside(beside, server) => match state.branch(*beside) {
            Some(branch) => {
                let letter = letter(*beside);
                let name = match same_server(branch, *server, main) {
                    Some(_) => letter.to_string(),
                    None => format!("{}  {letter}", branch.model.servers[*server].name),
                };
                (branch, Some(*server), name)
            }
            None => return,
        },
        LaneOf::Fleet => (main, None, "servers up".to_owned()),
    };
    name_of(painter, rect, &name, None, p);
    painter.rect_filled(rect, 2.0, mix(p.panel, p.sunken, 0.8));
    let series = &branch.series;
    let rows = series.rows_until(state.visible_until(branch));
    let x = |row: usize| {
        let share = (row as u64 * series.row_ns()) as f64 / state.horizon().0 as f64;
        rect.left() + share.min(1.0) as f32 * rect.width()
    };
    let Some(server) = server else {
        return fleet_lane(painter, branch, rows, rect, &x, p);
    };
    let lane = Lane::of(branch, server);
    let condition = |row: usize| lane.at(row);
    let mut start = 0;
    while start < rows {
        let now = condition(start);
        let end = (start + 1..rows)
            .find(|row| condition(*row) != now)
            .unwrap_or(rows);
        if let Some(now) = now {
            let stretch = Rect::from_x_y_ranges(Rangef::new(x(start), x(end)), rect.y_range());
            let (fill, worded) = paint(now, p);
            painter.rect_filled(stretch, 1.0, fill);
            if worded {
                let (icon, _) = super::super::topology::look(now, p);
                word(painter, stretch, (now.word(), icon), fill, p);
            }
        }
        start = end;
    }
}

/// The name of a lane before it, cut short where it is too long, with a shape before that.
fn name_of(painter: &egui::Painter, rect: Rect, name: &str, icon: Option<Icon>, p: &Palette) {
    let room = super::NAMES - 12.0 - if icon.is_some() { 12.0 } else { 0.0 };
    let mut job = egui::text::LayoutJob::simple_singleline(name.to_owned(), font(11.0), p.weak);
    job.wrap = egui::text::TextWrapping::truncate_at_width(room);
    let galley = painter.layout_job(job);
    let at = pos2(
        rect.left() - 10.0 - galley.size().x,
        rect.center().y - galley.size().y / 2.0,
    );
    if let Some(icon) = icon {
        let spot = Rect::from_center_size(pos2(at.x - 8.0, rect.center().y), Vec2::splat(8.0));
        icon.paint(painter, spot, p.warn);
    }
    painter.galley(at, galley, p.weak);
}

/// How an alert of a branch stood, or the worst of all of them.
fn alert_lane(
    painter: &egui::Painter,
    state: &State,
    (number, alert): (usize, Option<usize>),
    rect: Rect,
    p: &Palette,
) {
    let Some(branch) = state.branch(number) else {
        return;
    };
    let name = match alert {
        Some(alert) => branch.model.alerts[alert].name.clone(),
        None if state.beside().is_some() => format!("alerts  {}", letter(number)),
        None => "alerts".to_owned(),
    };
    name_of(painter, rect, &name, Some(Icon::Triangle), p);
    painter.rect_filled(rect, 2.0, mix(p.panel, p.sunken, 0.8));
    for stood in alerts::stretches(state, branch, alert) {
        let stretch = alerts::place(&stood, rect, state.horizon());
        let ground = alerts::fill(painter, stretch, stood.state, p);
        if stood.state == AlertState::Firing {
            word(painter, stretch, ("FIRING", Icon::Triangle), ground, p);
        } else if stretch.width() > HATCHED {
            word(painter, stretch, ("PENDING", Icon::Dashed), ground, p);
        }
    }
}

/// The word of a stretch, with its shape, where there is room.
fn word(
    painter: &egui::Painter,
    stretch: Rect,
    (word, icon): (&str, Icon),
    fill: Color32,
    p: &Palette,
) {
    let ink = if crate::theme::contrast(fill, p.text) > crate::theme::contrast(fill, p.panel) {
        p.text
    } else {
        p.panel
    };
    let galley = painter.layout_no_wrap(word.to_owned(), bold_font(9.5), ink);
    let width = galley.size().x + 14.0;
    if stretch.width() < width + 6.0 {
        return;
    }
    let left = stretch.center().x - width / 2.0;
    // On hatching words cannot be read: they stand on a plate.
    let plate = Rect::from_center_size(stretch.center(), Vec2::new(width + 6.0, stretch.height()));
    painter.rect_filled(plate, 0.0, fill);
    let spot = Rect::from_center_size(pos2(left + 4.0, stretch.center().y), Vec2::splat(8.5));
    icon.paint(painter, spot, ink);
    painter.galley(
        pos2(left + 13.0, stretch.center().y - galley.size().y / 2.0),
        galley,
        ink,
    );
}

/// All servers in one lane: the share that is up, from green to red.
fn fleet_lane(
    painter: &egui::Painter,
    branch: &BranchReport,
    rows: usize,
    rect: Rect,
    x: &dyn Fn(usize) -> f32,
    p: &Palette,
) {
    let servers = branch.series.servers().max(1);
    let step = (rows / (rect.width() as usize).max(1)).max(1);
    for row in (0..rows).step_by(step) {
        let up = (0..servers)
            .filter(|s| {
                branch.series.value(Column::State(*s), row) == Some(MachineState::Up as u8 as f64)
            })
            .count();
        let share = up as f32 / servers as f32;
        let stretch =
            Rect::from_x_y_ranges(Rangef::new(x(row), x(row + step) + 0.5), rect.y_range());
        painter.rect_filled(
            stretch,
            0.0,
            mix(
                mix(p.sunken, p.bad, 0.85),
                mix(p.sunken, p.good, 0.38),
                share,
            ),
        );
    }
}
