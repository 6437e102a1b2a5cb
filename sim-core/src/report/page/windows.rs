//! Windows of the time line: as many as can be drawn, of widths that people count in.

use crate::engine::Simulation;
use crate::time::{Instant, SECOND};
use std::ops::Range;

/// Widths that people count in, in seconds.
const WIDTHS_S: [u64; 22] = [
    1, 2, 5, 10, 15, 20, 30, 60, 120, 300, 600, 900, 1200, 1800, 3600, 7200, 10_800, 21_600,
    43_200, 86_400, 172_800, 604_800,
];

/// Some intervals of the time line, taken together.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Window {
    /// Which.
    pub intervals: Range<usize>,
    /// When they begin.
    pub from: Instant,
    /// When they end.
    pub until: Instant,
}

/// The time line in windows of one width, of which there are about `most` and none is narrower than
/// `least_s` seconds; the last one may be.
pub(super) fn windows(simulation: &Simulation, most: usize, least_s: u64) -> Vec<Window> {
    let history = simulation.recorder().history();
    let (width, len) = (history.interval_ns(), history.len());
    // A record of a server lies in one window as a whole.
    let grain = width * history.server_stride() as u64;
    let wanted = (width * len as u64)
        .div_ceil(most.max(1) as u64)
        .max(least_s * SECOND);
    let round = WIDTHS_S.map(|s| s * SECOND);
    let fits = |w: &&u64| **w >= wanted && w.is_multiple_of(grain);
    let chosen = round.iter().find(fits).copied();
    let step_ns = chosen.unwrap_or(wanted.div_ceil(grain).max(1) * grain);
    let step = (step_ns / width) as usize;
    (0..len)
        .step_by(step)
        .map(|first| {
            let end = (first + step).min(len);
            Window {
                intervals: first..end,
                from: Instant(first as u64 * width),
                until: Instant(history.end_ns(end - 1)),
            }
        })
        .collect()
}

impl Window {
    /// Its middle, in seconds from the start of the run.
    pub(super) fn middle_s(&self) -> f64 {
        f64::midpoint(self.from.as_secs_f64(), self.until.as_secs_f64())
    }
}
