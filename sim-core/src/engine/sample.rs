//! A sample of what is in flight, for drawing: some attempts as they are at a moment.

use super::Simulation;
use super::attempt::{Attempt, Place};
use super::slab::Handle;

/// Where an attempt is, as a picture tells it.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Whereabouts {
    /// On its way to the balancer, waiting for it, or for a service that it was sent on to.
    AtBalancer,
    /// Waiting in a balancer for an eligible server.
    Pending,
    /// On its way from the balancer to its server.
    ToServer,
    /// Waiting at a server for a worker.
    Queued,
    /// At a server, in service or waiting for an answer of another service.
    InService,
    /// Its answer is on the way back.
    Answered,
    /// Lost on its way, or its answer, or sent to something that is down and says nothing.
    Lost,
}

/// An attempt in flight at a moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct AttemptSnapshot {
    /// Number of its request: the same in every fork.
    pub number: u64,
    /// Service asked.
    pub service: u16,
    /// Class of its request.
    pub class: u16,
    /// Where it is.
    pub place: Whereabouts,
    /// The server chosen, by its position in the model.
    pub server: Option<u32>,
    /// The balancer instance, by its position in [`super::Snapshot::instances`].
    pub instance: Option<u32>,
    /// Time since the request arrived (for one whose caller gave up: since the attempt began).
    pub age_ns: u64,
    /// Share of its work that is still to be done, from 1 to 0.
    pub work_left: f64,
    /// Which attempt of the request it is: 1 for the first; 0 when nobody waits for it any more.
    pub attempt: u32,
}

impl Simulation {
    /// Attempts of requests in flight, at most about `most` of them: those whose request's number
    /// is a multiple of the second value, which a picture can state as its scale.
    pub fn sample(&self, most: usize) -> (Vec<AttemptSnapshot>, u64) {
        let every = (self.attempts.len() as u64)
            .div_ceil(most.max(1) as u64)
            .max(1);
        let wanted = |a: &Attempt| {
            a.purpose.is_request() && (a.number & 0xFFFF_FFFF_FFFF).is_multiple_of(every)
        };
        let sampled = self
            .attempts
            .iter()
            .filter(|(_, attempt)| wanted(attempt))
            .take(2 * most)
            .map(|(handle, attempt)| self.attempt_snapshot(handle, attempt))
            .collect();
        (sampled, every)
    }

    /// Calls that are unanswered, of those that arrived once measuring had begun: the row of counters
    /// in which each will be counted, and its age in nanoseconds.
    pub(crate) fn unanswered(&self) -> impl Iterator<Item = (u16, u64)> {
        let from = self.recorder.measure_from;
        let layout = &self.recorder.layout;
        let calls = self.calls.iter();
        let calls = calls.filter(|(handle, _)| !self.caches.only_waits(*handle));
        let told = calls.map(|(_, call)| (call.flow, call.arrived));
        let elided = self.attempts.iter().map(|(_, attempt)| attempt);
        let elided = elided
            .filter(|a| a.purpose.is_request() && a.call.is_elided())
            .map(|a| (layout.flow(a.service, a.class, false), a.begun));
        told.chain(elided)
            .filter(move |(_, arrived)| *arrived >= from)
            .map(|(flow, arrived)| (flow, self.now - arrived))
    }

    fn attempt_snapshot(&self, handle: Handle, attempt: &Attempt) -> AttemptSnapshot {
        // An elided call began with its attempt, which is its first.
        let elided = attempt.call.is_elided();
        let call =
            (!elided && self.calls.contains(attempt.call)).then(|| &self.calls[attempt.call]);
        let place = match attempt.place {
            Place::Underway
            | Place::AtBalancer
            | Place::Held
            | Place::Routed
            | Place::Unconnected => Whereabouts::AtBalancer,
            Place::Pending => Whereabouts::Pending,
            Place::ToServer => Whereabouts::ToServer,
            Place::Queued | Place::Interrupted | Place::HeldAtServer | Place::Expired => {
                Whereabouts::Queued
            }
            Place::InService | Place::Holding | Place::Calling => Whereabouts::InService,
            Place::Returning | Place::Answered => Whereabouts::Answered,
            Place::Lost => Whereabouts::Lost,
        };
        let server = attempt.server.known().map(|id| &self.fleet[id]);
        let work_left = match (attempt.place, server) {
            (Place::InService, Some(server)) if attempt.demand_ns > 0 => {
                let since = self.now.saturating_sub(server.virtual_at) as f64 * server.rate;
                let left = attempt.mark.saturating_sub(server.virtual_now) as f64 - since;
                (left / attempt.demand_ns as f64).clamp(0.0, 1.0)
            }
            (Place::Returning | Place::Answered, _) => 0.0,
            _ => 1.0,
        };
        AttemptSnapshot {
            number: attempt.number,
            service: attempt.service.0,
            class: attempt.class.0,
            place,
            server: attempt.server.known().map(|id| id.0),
            instance: attempt.instance.known().map(|id| id.0),
            age_ns: self
                .now
                .saturating_sub(call.map_or(attempt.begun, |c| c.arrived)),
            work_left,
            attempt: call.map_or(u32::from(elided), |_| self.attempts.cold(handle).ordinal),
        }
    }

    /// Bytes that one more clone of this simulation takes: all of it but what clones share, which is
    /// the sealed part of the time line and what policies were given for the whole run.
    pub fn clone_bytes(&self) -> usize {
        let shared = self.recorder.history().shared_bytes() + self.policies_bytes();
        self.footprint().1.saturating_sub(shared)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Instant;
    use std::sync::Arc;

    #[test]
    fn a_sample_shows_what_the_servers_hold() {
        let model = crate::scenario::parse(
            "horizon = \"20s\"\n[[traffic]]\nto = \"web\"\nrate = 80\n[service.web]\n\
             demand = { kind = \"exponential\", mean = \"100ms\" }\n\
             [[service.web.server]]\nname = \"a\"\nworkers = 4\nqueue = { limit = 500 }\n",
        )
        .expect("a valid scenario");
        let mut simulation = Simulation::new(Arc::new(model), 0);
        simulation.run_until(Instant(10_000_000_000));
        let held = simulation.snapshot().servers[0].in_system as usize;
        assert!(held > 50, "overloaded on purpose: {held}");
        let (all, every) = simulation.sample(1_000_000);
        assert_eq!(every, 1);
        let at_server = |p| matches!(p, Whereabouts::Queued | Whereabouts::InService);
        assert_eq!(all.iter().filter(|a| at_server(a.place)).count(), held);
        for attempt in &all {
            let working = attempt.place == Whereabouts::InService;
            assert!((0.0..=1.0).contains(&attempt.work_left));
            assert!(working || attempt.work_left >= 1.0, "{attempt:?}");
        }
        let (some, every) = simulation.sample(20);
        assert!(every > 1 && some.len() <= 40);
        assert!(some.iter().all(|a| a.number % every == 0));
        assert!(simulation.clone_bytes() > 0);
    }
}
