//! Whether a system is well, and how long it takes to be well again.

use crate::engine::Simulation;
use crate::load::peaks;
use crate::metric::{Condition, Scope};
use crate::model::{Model, ServerId};
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

/// Whether no caller ever gives up, so that every answer counts as in time, however late.
pub fn waits_for_ever(model: &Model) -> bool {
    let mut clients = model.sources.iter().flat_map(|source| &source.clients);
    clients.all(|id| {
        let client = &model.clients[usize::from(id.0)];
        client.timeout.is_none() && client.deadline.is_none()
    })
}

/// The offered load of the busiest service with a queue that no bound keeps short, when the rates
/// are constant; 0 where it cannot be told.
pub(super) fn unbounded_load(model: &Model) -> f64 {
    let constant = |s: &crate::model::Source| !s.arrivals.def.uses_rate || s.rate.is_constant();
    if !model.sources.iter().all(constant) {
        return 0.0;
    }
    let endless = |id: &ServerId| {
        let params = &model.servers[id.0 as usize].params;
        params.queue_limit == u32::MAX && params.patience.is_none()
    };
    let services = model.services.iter().zip(peaks(model));
    services
        .filter(|(service, _)| service.servers.iter().any(endless))
        .filter_map(|(_, peak)| peak.map(|peak| peak.offered_load))
        .fold(0.0, f64::max)
}

/// Whether so much load is more than lasts: the queue grows, though everybody waits.
pub(super) fn is_too_much(offered_load: f64) -> bool {
    offered_load >= 1.0 - 1e-9
}

/// Requests answered as a share of those that came between two moments, or that ended if those are
/// more: below 1 where what is waiting grows. For callers who wait for ever.
pub(super) fn kept_up(simulation: &Simulation, from: Instant, until: Instant) -> f64 {
    let (first, last) = intervals(simulation, from, until);
    let total = counted(simulation, first, last);
    let window = total.window();
    match window.ended().max(window.arrived) {
        0 => 1.0,
        all => window.outcomes[Outcome::Succeeded as usize] as f64 / all as f64,
    }
}

/// Requests answered in time as a share of those that ended between two moments; 0 when requests
/// came and none ended, 1 when none came.
pub(super) fn answered(simulation: &Simulation, from: Instant, until: Instant) -> f64 {
    let (first, last) = intervals(simulation, from, until);
    share(simulation, first, last)
}

/// Whether a condition holds over the intervals between two moments; `None` where it has nothing to
/// look at.
pub(super) fn holds(
    simulation: &Simulation,
    condition: &Condition,
    from: Instant,
    until: Instant,
) -> Option<bool> {
    let (first, last) = intervals(simulation, from, until);
    let history = simulation.recorder().history();
    let total = history.total(condition.scope, first..last);
    let value = (condition.metric.of)(&total.window())?;
    Some(condition.comparison.holds(value, condition.threshold))
}

/// How many wait at servers at a moment.
pub(super) fn waiting(simulation: &Simulation, at: Instant) -> u64 {
    let (_, upto) = intervals(simulation, Instant::ZERO, at);
    let Some(last) = upto.checked_sub(1) else {
        return 0;
    };
    let history = simulation.recorder().history();
    let services = 0..simulation.model().services.len();
    services
        .map(|service| u64::from(history.service(last, service).queue_len))
        .sum()
}

/// The intervals between two moments.
fn intervals(simulation: &Simulation, from: Instant, until: Instant) -> (usize, usize) {
    let history = simulation.recorder().history();
    let width = history.interval_ns();
    let first = (from.0.div_ceil(width) as usize).min(history.len());
    let last = ((until.0 / width) as usize).min(history.len());
    (first, last)
}

fn counted(simulation: &Simulation, first: usize, last: usize) -> Total {
    let history = simulation.recorder().history();
    let mut total = Total::of_counts(Scope::Site);
    for interval in first..last {
        total.add(history, interval);
    }
    total
}

fn share(simulation: &Simulation, first: usize, last: usize) -> f64 {
    let total = counted(simulation, first, last);
    let window = total.window();
    match (window.ended(), window.arrived) {
        (0, 0) => 1.0,
        (0, _) => 0.0,
        (ended, _) => window.outcomes[Outcome::Succeeded as usize] as f64 / ended as f64,
    }
}

/// How a run went from `trigger` on. A bin is well when at least the share `healthy` of what ended
/// in it was answered in time; the system has recovered with the first of three such bins in a row
/// after the last that was not well. Where callers wait for ever it is down, too, when in the second
/// half of the time after the trigger fewer than that share are answered of those that come.
pub(super) fn fate(simulation: &Simulation, trigger: Instant, healthy: f64) -> Fate {
    let history = simulation.recorder().history();
    let len = history.len();
    if simulation.end() != Some(crate::engine::End::Horizon) {
        return Fate::Down;
    }
    let now = simulation.now();
    let middle = Instant(trigger.0 + now.0.saturating_sub(trigger.0) / 2);
    if waits_for_ever(simulation.model())
        && (is_too_much(unbounded_load(simulation.model()))
            || kept_up(simulation, middle, now) < healthy)
    {
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
