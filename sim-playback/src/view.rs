//! What can be seen of a branch at a moment: plain data, made from a simulation.

use sim_core::engine::{AttemptSnapshot, End, Simulation, Snapshot};
use sim_core::event_log::{Event, Kind};
use sim_core::model::Actor;
use sim_core::summary::{AlertNow, Summary};
use sim_core::time::Instant;
use std::sync::Arc;

/// Attempts drawn at most, about.
const DOTS: usize = 400;

/// A branch at a moment.
#[derive(Clone, Debug)]
pub struct View {
    /// Which branch.
    pub branch: usize,
    /// When.
    pub at: Instant,
    /// Events so far.
    pub events: u64,
    /// Hash of all that happened so far.
    pub digest: u64,
    /// Why the run is over, if it is.
    pub end: Option<End>,
    /// Servers and balancer instances.
    pub snapshot: Snapshot,
    /// Some of the attempts in flight.
    pub sample: Vec<AttemptSnapshot>,
    /// One attempt of the sample stands for so many.
    pub sample_every: u64,
    /// Every figure so far.
    pub summary: Arc<Summary>,
    /// Events of The event log so far.
    pub event_log_len: usize,
    /// Normal, degraded or down.
    pub site: Kind,
    /// Names of alerts that are firing.
    pub firing: Vec<String>,
    /// What the monitoring knows, beside what is true; nothing without a monitoring.
    pub known: Vec<AlertNow>,
    /// The latest change of settings.
    pub changed: Option<Event>,
}

impl View {
    /// A simulation as it is now.
    pub fn of(branch: usize, simulation: &Simulation, scenario_hash: u64) -> Self {
        let (sample, sample_every) = simulation.sample(DOTS);
        let event_log = || simulation.recorder().event_log();
        let mut firing: Vec<String> = Vec::new();
        for event in event_log() {
            if event.kind == Kind::Alert {
                firing.push(event.subject.clone());
            } else if event.kind.ends(Kind::Alert) {
                firing.retain(|name| *name != event.subject);
            }
        }
        Self {
            branch,
            at: simulation.now(),
            events: simulation.events(),
            digest: simulation.digest(),
            end: simulation.end(),
            snapshot: simulation.snapshot(),
            sample,
            sample_every,
            summary: Arc::new(Summary::of(simulation, scenario_hash)),
            event_log_len: event_log().len(),
            site: event_log()
                .rfind(|e| e.kind.site_state().is_some())
                .map_or(Kind::Normal, |e| e.kind),
            firing,
            known: AlertNow::all(simulation),
            changed: event_log()
                .rfind(|e| e.kind == Kind::Set && e.by == Actor::People)
                .cloned(),
        }
    }
}
