//! Whether a system is well, and how long it takes to be well again.

use crate::engine::Simulation;
use crate::metric::Scope;
use crate::outcome::Outcome;
use crate::record::total::Total;
use crate::time::{Duration, Instant};

/// Bins in a row that must be well before a system counts as recovered.
const BINS_WELL: usize = 3;

/// Requests that a bin should hold on average, so that chance does not decide whether it is well.
const BIN_REQUESTS: f64 = 50.0;

/// How a run went after a trigger.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Fate {
    /// Well throughout.
    Unhurt,
    /// Well again so long after the trigger began, and to the end.
    Recovered(Duration),
    /// Not well at the end.
    Down,
}

/// Requests answered in time as a share of those that ended between two moments; 0 when requests
/// came and none ended, 1 when none came.
pub(super) fn answered(simulation: &Simulation, from: Instant, until: Instant) -> f64 {
    let history = simulation.recorder().history();
    let width = history.interval_ns();
    let first = (from.0.div_ceil(width) as usize).min(history.len());
    let last = ((until.0 / width) as usize).min(history.len());
    share(simulation, first, last)
}

fn share(simulation: &Simulation, first: usize, last: usize) -> f64 {
    let history = simulation.recorder().history();
    let mut total = Total::of_counts(Scope::Site);
    for interval in first..last {
        total.add(history, interval);
    }
    let window = total.window();
    match (window.ended(), window.arrived) {
        (0, 0) => 1.0,
        (0, _) => 0.0,
        (ended, _) => window.outcomes[Outcome::Succeeded as usize] as f64 / ended as f64,
    }
}

/// How a run went from `trigger` on. A bin is well when at least the share `healthy` of what ended
/// in it was answered in time; the system has recovered with the first of three such bins in a row
/// after the last that was not well.
pub(super) fn fate(simulation: &Simulation, trigger: Instant, healthy: f64) -> Fate {
    let history = simulation.recorder().history();
    let len = history.len();
    if simulation.end() != Some(crate::engine::End::Horizon) {
        return Fate::Down;
    }
    let mut all = Total::of_counts(Scope::Site);
    for interval in 0..len {
        all.add(history, interval);
    }
    let per_interval = all.window().arrived as f64 / len.max(1) as f64;
    let bin = libm::ceil(BIN_REQUESTS / per_interval.max(1e-9)).clamp(1.0, len.max(1) as f64);
    let bin = bin as usize;
    let start = (trigger.0 / history.interval_ns()) as usize;
    let mut ill_until: Option<usize> = None;
    let mut well = 0;
    let mut ill = false;
    let mut at = start;
    while at + bin <= len {
        if share(simulation, at, at + bin) < healthy {
            (ill, well) = (true, 0);
            ill_until = Some(at + bin);
        } else {
            well += 1;
            ill &= well < BINS_WELL;
        }
        at += bin;
    }
    match ill_until {
        None => Fate::Unhurt,
        Some(_) if ill => Fate::Down,
        Some(end) => Fate::Recovered(Duration((end - start) as u64 * history.interval_ns())),
    }
}
