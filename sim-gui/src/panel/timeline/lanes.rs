//! Lanes of the strip: what each server was like, moment by moment.

use crate::playback::{BranchReport, Column, Lane, letter};
use crate::state::{Condition, State, same_server};
use crate::theme::{Palette, bold_font, font, mix};
use eframe::egui::{self, Align2, Color32, Rangef, Rect, Vec2, pos2};
use sim_core::engine::MachineState;

/// Servers drawn one by one at most; larger fleets share one lane.
const LANES: usize = 6;

/// A lane: one machine, or all servers.
pub(super) enum LaneOf {
    /// A server of the main branch.
    Server(usize),
    /// All servers.
    Fleet,
    /// A server of the branch beside it: the branch's number, and the server's there.
    Beside(usize, usize),
}

/// The lanes of a branch, and of the one beside it.
pub(super) fn lanes_of(branch: &BranchReport, state: &State) -> Vec<LaneOf> {
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
    painter.text(
        pos2(rect.left() - 10.0, rect.center().y),
        Align2::RIGHT_CENTER,
        name,
        font(11.0),
        p.weak,
    );
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
                word(painter, stretch, now, fill, p);
            }
        }
        start = end;
    }
}

/// The word of a stretch, with its shape, where there is room.
fn word(painter: &egui::Painter, stretch: Rect, condition: Condition, fill: Color32, p: &Palette) {
    let ink = if crate::theme::contrast(fill, p.text) > crate::theme::contrast(fill, p.panel) {
        p.text
    } else {
        p.panel
    };
    let galley = painter.layout_no_wrap(condition.word().to_owned(), bold_font(9.5), ink);
    let width = galley.size().x + 14.0;
    if stretch.width() < width + 6.0 {
        return;
    }
    let (icon, _) = super::super::topology::look(condition, p);
    let left = stretch.center().x - width / 2.0;
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
