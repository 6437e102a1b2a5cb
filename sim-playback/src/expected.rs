//! What servers would get next if something were changed now: the very simulation, run on for a few seconds and thrown
//! away. So it is right for every policy and every parameter, not only for weights.

use super::Edit;
use super::branch::{Branch, Pace};
use sim_core::engine::Simulation;
use sim_core::scenario::Scenario;
use sim_core::time::{Duration, Instant, SECOND};
use std::sync::Arc;

/// So far is looked ahead, and no further once servers got so many attempts: shares are then known to about a hundredth.
const AHEAD: Duration = Duration(10 * SECOND);
const ENOUGH: u64 = 10_000;
/// Parts of it after which is looked whether that is so.
const PARTS: u64 = 20;

/// What servers would get if something were changed.
#[derive(Clone, PartialEq, Debug)]
pub struct Expected {
    /// The branch that would be changed.
    pub branch: usize,
    /// When.
    pub at: Instant,
    /// What would be changed.
    pub edits: Vec<Edit>,
    /// Attempts sent to each server within `over`; nothing where the changes are not possible.
    pub sent: Option<Vec<u64>>,
    /// For so long.
    pub over: Duration,
}

impl Expected {
    /// The share that a server would get of what several of them get.
    pub fn share(&self, server: usize, of: impl Iterator<Item = usize>) -> Option<f64> {
        let sent = self.sent.as_ref()?;
        let all: u64 = of.filter_map(|server| sent.get(server)).sum();
        (all > 0).then(|| *sent.get(server).unwrap_or(&0) as f64 / all as f64)
    }
}

/// A look ahead that is under way.
pub(crate) struct Looking {
    expected: Expected,
    /// The simulation with the changes; nothing where they are not possible.
    simulation: Option<Box<Simulation>>,
    before: Vec<u64>,
    part: u64,
}

impl Looking {
    /// A look from what is shown of a branch, whose moment another may have lived.
    pub(crate) fn begin(
        branch: usize,
        shown: &Simulation,
        lived: &Branch,
        edits: Vec<Edit>,
    ) -> Self {
        let mut simulation = shown.clone();
        let mut scenario = Scenario::clone(lived.scenario());
        let mut model = Arc::clone(lived.model());
        let mut possible = !edits.iter().any(Edit::is_structural);
        for edit in &edits {
            possible = possible
                && edit
                    .apply(&mut simulation, &mut scenario, &mut model)
                    .is_ok();
        }
        Self {
            before: sent(&simulation),
            expected: Expected {
                branch,
                at: shown.now(),
                edits,
                sent: None,
                over: Duration::ZERO,
            },
            simulation: possible.then(|| Box::new(simulation)),
            part: 0,
        }
    }

    /// Looks on until told to stop; what is to be expected, once it is known.
    pub(crate) fn work(&mut self, stop: &mut dyn FnMut() -> bool) -> Option<Expected> {
        let Some(simulation) = &mut self.simulation else {
            return Some(self.expected.clone());
        };
        let begin = self.expected.at;
        loop {
            let ahead = Duration(AHEAD.0 / PARTS * (self.part + 1));
            if !Pace::new(simulation).run(simulation, begin + ahead, stop) {
                return None;
            }
            self.part += 1;
            let now = sent(simulation);
            let new = now
                .iter()
                .zip(&self.before)
                .map(|(now, before)| now - before);
            let new: Vec<u64> = new.collect();
            if self.part == PARTS || simulation.end().is_some() || new.iter().sum::<u64>() >= ENOUGH
            {
                self.expected.sent = Some(new);
                self.expected.over = ahead;
                return Some(self.expected.clone());
            }
        }
    }
}

/// Attempts sent to each server so far.
fn sent(simulation: &Simulation) -> Vec<u64> {
    let servers = simulation.snapshot().servers;
    servers.iter().map(|server| server.attempts).collect()
}
