//! The state of the whole site: normal, degraded, down.
//!
//! Taken from the requests of the last 30 seconds: down below 5 % goodput; normal at 98 % with
//! every objective met, which must last two minutes before it is believed; degraded in between. Down
//! too when many came and nobody left, though no answer ever took as long.

use super::history::History;
use super::total::Total;
use crate::event_log::{Event, Kind};
use crate::metric::Scope;
use crate::model::{Actor, Model};
use crate::outcome::Outcome;
use crate::time::Instant;

const WINDOW_NS: u64 = 30_000_000_000;
const DOWN_BELOW: f64 = 0.05;
const NORMAL_FROM: f64 = 0.98;
const NORMAL_FOR_NS: u64 = 120_000_000_000;
/// Requests that must have ended in the window before it says anything: a single failure of a
/// quiet site is no outage.
const FEWEST: u64 = 10;

/// Good and all requests of an objective in the window, and what share is wanted.
#[derive(Clone, Debug)]
struct Objective {
    name: String,
    wanted: f64,
    good: u64,
    total: u64,
}

/// The present state and its window.
#[derive(Clone, Debug)]
pub(super) struct Site {
    state: Kind,
    window: Total,
    objectives: Vec<Objective>,
    len: usize,
    normal_since: Option<u64>,
}

impl Site {
    pub(super) fn new(model: &Model, interval_ns: u64) -> Self {
        let objective = |slo: &crate::model::Slo| Objective {
            name: slo.name.clone(),
            wanted: slo.objective,
            good: 0,
            total: 0,
        };
        Self {
            state: Kind::Normal,
            window: Total::of_counts(Scope::Site),
            objectives: model.slos.iter().map(objective).collect(),
            len: WINDOW_NS.div_ceil(interval_ns).max(1) as usize,
            normal_since: None,
        }
    }

    /// Looks at the interval that has just closed, and at the longest answer of the run.
    pub(super) fn look(
        &mut self,
        history: &History,
        now: u64,
        longest_ns: Option<u64>,
        told: &mut Vec<Event>,
    ) {
        let newest = history.len() - 1;
        self.window.add(history, newest);
        let gone = newest.checked_sub(self.len);
        if let Some(gone) = gone {
            self.window.remove(history, gone);
        }
        for (i, objective) in self.objectives.iter_mut().enumerate() {
            let slo = history.slo(newest, i);
            objective.good += u64::from(slo.good);
            objective.total += u64::from(slo.total);
            if let Some(gone) = gone {
                let slo = history.slo(gone, i);
                objective.good -= u64::from(slo.good);
                objective.total -= u64::from(slo.total);
            }
        }
        let window = self.window.window();
        let ended = window.ended();
        let stuck = ended == 0
            && window.arrived >= FEWEST
            && longest_ns.is_some_and(|longest| longest < WINDOW_NS);
        if ended < FEWEST && !stuck {
            return;
        }
        let goodput = window.outcomes[Outcome::Succeeded as usize] as f64 / ended.max(1) as f64;
        let missed = self
            .objectives
            .iter()
            .find(|o| o.total > 0 && (o.good as f64) < o.wanted * o.total as f64);
        let mut seen = if goodput < DOWN_BELOW {
            Kind::Down
        } else if goodput >= NORMAL_FROM && missed.is_none() {
            Kind::Normal
        } else {
            Kind::Degraded
        };
        if seen != Kind::Normal {
            self.normal_since = None;
        } else if self.state != Kind::Normal
            && now - *self.normal_since.get_or_insert(now) < NORMAL_FOR_NS
        {
            // Better, but not for long enough to be believed.
            seen = if self.state == Kind::Down {
                Kind::Degraded
            } else {
                self.state
            };
        }
        // A sentence is put together when it is needed: rarely.
        if seen == self.state {
            return;
        }
        self.state = seen;
        let mut cause = if stuck {
            format!("none of {} requests answered", window.arrived)
        } else {
            format!("goodput {:.1} %", goodput * 100.0)
        };
        if let Some(o) = missed {
            let good = o.good as f64 / o.total as f64 * 100.0;
            cause = format!("{cause}, {}: {good:.1} % good", o.name);
        }
        told.push(Event {
            at: Instant(now),
            kind: seen,
            by: Actor::System,
            subject: "site".to_owned(),
            server: None,
            cause,
        });
    }
}
