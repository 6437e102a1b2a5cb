//! Time from left to right: which stretch a column stands for, and the hours.

use super::plan::Plan;
use super::{Scene, WEAK, put, put_right};
use crate::command::watch::app::ZOOMS;
use ratatui_core::buffer::Buffer;
use ratatui_core::layout::Rect;
use sim_core::readable;
use sim_core::time::{Instant, SECOND};
use std::ops::Range;

/// Lengths of steps between labels, in seconds.
const STEPS: [u64; 17] = [
    1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 21600, 43200, 86400,
];

/// Time over so many columns.
pub(super) struct Axis {
    from: u64,
    until: u64,
    columns: u16,
    now: u64,
    row_ns: u64,
    /// Rows of figures that may be seen.
    rows: usize,
}

impl Axis {
    /// The stretch that is shown: all of the run, or a part that ends at the moment shown.
    pub(super) fn of(scene: &Scene<'_>, plan: &Plan) -> Self {
        let horizon = scene.branch.model.horizon.0.max(1);
        let (now, series) = (scene.view.at, &scene.branch.series);
        let part = (horizon / ZOOMS[scene.app.zoom]).max(1);
        let until = if part == horizon {
            horizon
        } else {
            now.0.max(part)
        };
        Self {
            from: until - part,
            until,
            columns: plan.columns[1].max(1),
            now: now.0,
            row_ns: series.row_ns(),
            rows: series.rows_until(now),
        }
    }

    /// How many columns there are.
    pub(super) fn columns(&self) -> u16 {
        self.columns
    }

    fn edge(&self, column: u16) -> u64 {
        let share =
            u128::from(self.until - self.from) * u128::from(column) / u128::from(self.columns);
        self.from + share as u64
    }

    /// The rows of figures that a column stands for: those that end in it, or the one that covers it.
    pub(super) fn rows(&self, column: u16) -> Range<usize> {
        let (start, end) = (self.edge(column), self.edge(column + 1));
        let (first, last) = ((start / self.row_ns) as usize, (end / self.row_ns) as usize);
        let rows = if first == last {
            first..first + 1
        } else {
            first..last
        };
        if start >= self.now {
            return 0..0;
        }
        rows.start.min(self.rows)..rows.end.min(self.rows)
    }

    /// All rows that are shown.
    pub(super) fn all(&self) -> Range<usize> {
        self.rows(0).start..self.rows
    }

    /// The column of a moment.
    pub(super) fn column(&self, at: Instant) -> Option<u16> {
        if at.0 < self.from || at.0 > self.until {
            return None;
        }
        let share = u128::from(at.0 - self.from) * u128::from(self.columns);
        let column = (share / u128::from(self.until - self.from)) as u16;
        Some(column.min(self.columns - 1))
    }

    /// Draws the hours, and the heads of what stands below.
    pub(super) fn draw(&self, scene: &Scene<'_>, plan: &Plan, buffer: &mut Buffer) {
        let [names, lane, now] = plan.parts(plan.axis);
        let weak = WEAK;
        put(buffer, (names.x, names.y), names.width, "servers", weak);
        self.hours(scene, lane, buffer);
        if plan.bar == 0 {
            put_right(buffer, (now.x + 2, now.y), 7, "busy", weak);
            put_right(buffer, (now.x + 10, now.y), 9, "queue", weak);
        } else {
            put(
                buffer,
                (now.x + 11, now.y),
                plan.bar + 8,
                "in service",
                weak,
            );
            put(
                buffer,
                (now.x + 20 + plan.bar, now.y),
                plan.bar + 9,
                "queue",
                weak,
            );
        }
    }

    fn hours(&self, scene: &Scene<'_>, lane: Rect, buffer: &mut Buffer) {
        let clock = scene.branch.model.clock;
        let label = |at: u64| readable::moment(Instant(at), clock);
        let length_s = (self.until - self.from) / SECOND;
        let most = u64::from(self.columns / 9).max(1);
        let step = STEPS.into_iter().find(|step| length_s / step <= most);
        let step = step.unwrap_or(86400 * (length_s / 86400 / most + 1)) * SECOND;
        // Labels stand at round times of day.
        let offset = clock.map_or(0, |clock| u64::from(clock.start_s) * SECOND) % step;
        let mut at = (self.from + offset).div_ceil(step) * step - offset;
        let mut free = lane.x;
        while at < self.until {
            let text = label(at);
            let long = super::width(&text);
            if let Some(column) = self.column(Instant(at)) {
                let x = lane.x + column;
                if x >= free && x + long <= lane.right() {
                    put(buffer, (x, lane.y), long, &text, WEAK);
                    free = x + long + 1;
                }
            }
            at += step;
        }
    }
}
