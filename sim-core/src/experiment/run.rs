//! One replication.

use super::control::Control;
use super::measure::{Measure, Observation};
use crate::engine::{End, Simulation};
use crate::histogram::Histogram;
use crate::metric::Scope;
use crate::model::Model;
use crate::record::total::Total;
use crate::statistics::slope;
use crate::summary::Summary;
use crate::time::Instant;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

/// Blocks of a run whose levels are kept, to see how long they depend on one another.
const BLOCKS: usize = 256;

/// What a replication leaves behind: a few numbers, however long it was.
#[derive(Clone, PartialEq, Debug)]
pub struct Run {
    /// Its number.
    pub replication: u64,
    /// Whether it reached its horizon.
    pub complete: bool,
    /// Whether a policy failed, which ended it.
    pub policy_failed: bool,
    /// Hash of its sequence of events.
    pub digest: u64,
    /// Events simulated.
    pub events: u64,
    /// What it says of each measure, in their order.
    pub observations: Vec<Option<Observation>>,
    /// The times that each measure is a quantile of, in their order; `None` for other measures. Measures
    /// of the same times share them.
    pub times: Vec<Option<Arc<Histogram>>>,
    /// In flight or waiting over what was measured, averaged over at most 256 blocks.
    pub blocks: Vec<f64>,
    /// Length of such a block in seconds.
    pub block_s: f64,
    /// Requests that had not ended at the end, as a share of those that arrived after the warm-up.
    pub unended: f64,
    /// How fast what is in flight, or waits, grew over the second half of what was measured, in
    /// requests per second.
    pub growth_hz: Option<f64>,
    /// In flight or waiting on average over that half.
    pub level: f64,
    /// Length of that half in seconds.
    pub half_s: f64,
    /// Whether each expectation of the scenario holds, in their order.
    pub expectations: Vec<bool>,
    /// Whether each objective is met, in their order; `None` where nothing ended.
    pub slos: Vec<Option<bool>>,
    /// The summary's verdict.
    pub verdict: Option<&'static str>,
}

/// Runs a replication to its end; `None` if told to stop before.
pub fn simulate(model: &Arc<Model>, replication: u64, cancel: &AtomicBool) -> Option<Simulation> {
    let mut simulation = Simulation::new(model.clone(), replication);
    let cancelled =
        simulation.run_while(Instant(model.horizon.0), || !cancel.load(Ordering::Relaxed));
    (!cancelled).then_some(simulation)
}

/// Runs a replication and measures it; `None` if told to stop before its end.
pub fn run_one(
    model: &Arc<Model>,
    replication: u64,
    measures: &[Measure],
    control: &Control<'_>,
) -> Option<Run> {
    let simulation = control.simulate(model, replication)?;
    Some(Run::of(&simulation, measures))
}

impl Run {
    /// What a finished simulation says.
    pub fn of(simulation: &Simulation, measures: &[Measure]) -> Self {
        let summary = Summary::of(simulation, 0);
        let (growth_hz, level, half_s) = growth(simulation);
        let (blocks, block_s) = blocks(simulation);
        Self {
            replication: simulation.replication(),
            complete: summary.complete,
            policy_failed: simulation.end() == Some(End::PolicyFailed),
            digest: simulation.digest(),
            events: simulation.events(),
            observations: measures.iter().map(|m| m.observe(&summary)).collect(),
            times: times(simulation, measures),
            unended: summary.requests.in_flight as f64 / (summary.requests.arrived.max(1)) as f64,
            blocks,
            block_s,
            growth_hz,
            level,
            half_s,
            expectations: summary.expectations.iter().map(|e| e.passed).collect(),
            slos: summary.slos.0.iter().map(|(_, slo)| slo.met).collect(),
            verdict: summary.verdict,
        }
    }
}

/// Requests in flight, or attempts waiting where those are more, at the end of each interval of the
/// time line.
pub(super) fn levels(simulation: &Simulation, from: usize) -> Vec<f64> {
    let history = simulation.recorder().history();
    (from..history.len())
        .map(|interval| {
            let mut total = Total::of_counts(Scope::Site);
            total.add(history, interval);
            let window = total.window();
            // Work that nobody waits for any more is not in flight, yet it delays what comes.
            window.in_flight.max(window.queue_len) as f64
        })
        .collect()
}

/// Runs whose times are kept apart. Those of later ones are added to them in turn: as many parts are
/// as good as more, and memory has a bound.
const APART: usize = 2000;

/// Adds up the times of the runs that are too many to be kept apart.
pub(super) fn thin(runs: &mut [Run]) {
    if runs.len() <= APART {
        return;
    }
    let (apart, more) = runs.split_at_mut(APART);
    for (at, run) in more.iter_mut().enumerate() {
        let into = &mut apart[at % APART].times;
        for (into, times) in into.iter_mut().zip(&mut run.times) {
            if let (Some(into), Some(times)) = (into, times.take()) {
                Arc::make_mut(into).merge(&times);
            }
        }
    }
}

/// The times behind the measures that are quantiles.
pub(super) fn times(simulation: &Simulation, measures: &[Measure]) -> Vec<Option<Arc<Histogram>>> {
    let mut known: Vec<(&str, Option<Arc<Histogram>>)> = Vec::new();
    let mut all = Vec::with_capacity(measures.len());
    for measure in measures {
        let Some((path, _)) = measure.times() else {
            all.push(None);
            continue;
        };
        let found = known
            .iter()
            .find(|(p, _)| *p == path)
            .map(|(_, t)| t.clone());
        let times = found.unwrap_or_else(|| {
            let times = Summary::times(simulation, path).map(Arc::new);
            known.push((path, times.clone()));
            times
        });
        all.push(times);
    }
    all
}

/// Levels after the warm-up, averaged over blocks, and how long a block is in seconds.
fn blocks(simulation: &Simulation) -> (Vec<f64>, f64) {
    let history = simulation.recorder().history();
    let interval_s = history.interval_ns() as f64 / 1e9;
    let first = (simulation.model().warm_up.0 / history.interval_ns()) as usize;
    let levels = levels(simulation, first.min(history.len()));
    let size = levels.len().div_ceil(BLOCKS).max(1);
    let mean = |block: &[f64]| block.iter().sum::<f64>() / size as f64;
    (
        levels.chunks_exact(size).map(mean).collect(),
        size as f64 * interval_s,
    )
}

fn growth(simulation: &Simulation) -> (Option<f64>, f64, f64) {
    let history = simulation.recorder().history();
    let interval_s = history.interval_ns() as f64 / 1e9;
    let first = (simulation.model().warm_up.0 / history.interval_ns()) as usize;
    let half = first + history.len().saturating_sub(first) / 2;
    let levels = levels(simulation, half);
    let mean = crate::statistics::Moments::of(&levels).mean();
    (
        slope(&levels).map(|per_interval| per_interval / interval_s),
        mean,
        levels.len() as f64 * interval_s,
    )
}
