//! Attempts that are turned away at the door.
//!
//! A balancer that is down refuses; one that is full rejects; one without an open server has none to
//! give. In a collapse most attempts end so, at the moment at which they begin, and callers try
//! again. Where nothing is written that would notice such an attempt, it is counted and no more: it
//! is nowhere, it asks nothing, and nobody waits for it. With the fast path off, each is sent out as
//! any other: a test demands the same digest of both.

use super::Simulation;
use super::attempt::Attempt;
use super::slab::Handle;
use super::tried::Apart;
use crate::ids::ServiceId;
use crate::machine::MachineState;
use crate::model::DownBehaviour;
use crate::outcome::Outcome;

impl Simulation {
    /// Whether attempts at a service may be turned away without having been anywhere: between the
    /// caller and the choice of a server lies nothing that is told of them.
    pub(super) fn may_turn_away(&self, service: ServiceId) -> bool {
        let s = &self.services[service];
        let balancer = &s.settings.balancer;
        self.fast
            && s.cost == 0
            && !s.has_routes
            && s.tries.is_none()
            && balancer.pending_queue.is_none()
    }

    /// If the next attempt of a call is turned away, that is all there is of it, and the call goes on
    /// from there: true.
    #[inline]
    pub(super) fn ends_at_the_door(&mut self, handle: Handle) -> bool {
        let service = self.calls[handle].service;
        if !self.services[service].turns_away || self.guards.any || self.pools.any {
            return false;
        }
        let Some(outcome) = self.outcome_at_the_door(handle) else {
            return false;
        };
        // The most that were there at once are counted with it.
        self.attempts.pass_by(Attempt::blank);
        let call = &mut self.calls[handle];
        call.attempts += 1;
        self.recorder.flows[call.flow as usize].attempts += 1;
        let service = &mut self.services[service];
        service.attempts += 1;
        service.attempt_outcomes[outcome as usize] += 1;
        (self.recorder).attempt_ended(call.service, self.now, outcome);
        self.try_again(handle, outcome);
        true
    }

    /// How the next attempt of a call ends, if that is at the balancer and at once.
    #[inline]
    fn outcome_at_the_door(&mut self, handle: Handle) -> Option<Outcome> {
        let call = &self.calls[handle];
        // Calls between services have deadlines to inherit and copies to think of.
        if !call.parent.is_none() || self.links.of_caller(call.client).is_some() {
            return None;
        }
        let service = &self.services[call.service];
        let number = call.number;
        let index =
            service.instance_for(self.streams.selection, number, call.attempts + 1, || number);
        let instance = &self.balancers[index];
        if instance.state != MachineState::Up {
            let refuses = service.down_behaviour == DownBehaviour::Refuse;
            return refuses.then_some(Outcome::Refused);
        }
        if instance.connections >= service.max_connections {
            return Some(Outcome::Rejected);
        }
        // One connection more for a moment is what its crash rules may be waiting for.
        if instance.offers.any_open()
            || instance.connections >= instance.heeded_from
            || !instance.pending.is_empty()
            || !instance.health.split.is_empty()
            || self.kept_from(handle) != Apart::NOTHING
        {
            return None;
        }
        // The policy hears now what it would hear before this choice.
        if !instance.offers.are_known() {
            self.tell_policy(index);
        }
        let instance = &mut self.balancers[index];
        debug_assert!(instance.eligible.is_empty(), "nobody is open");
        instance.attempts += 1;
        Some(Outcome::Unavailable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;

    /// A run in which people do something at its very beginning.
    fn run(target: &str, what: &str, fast: bool) -> Simulation {
        let text = format!(
            "horizon = \"20s\"\ntraffic = [{{ to = \"web\", rate = 50 }}]\n\
             client = {{ timeout = \"1s\", retry = {{ kind = \"exponential-backoff\", attempts = 3 }} }}\n\
             [service.web]\ndemand = \"10ms\"\nserver = [{{ name = \"s\", count = 2, workers = 1 }}]\n\
             balancer = {{ restart = \"manual\", max_connections = 1000 }}\n\
             [[timeline]]\nat = \"0s\"\ndo = \"{what}\"\ntarget = \"{target}\"\n"
        );
        let model = crate::scenario::parse(&text).unwrap_or_else(|problems| panic!("{problems}"));
        let mut simulation = Simulation::new(Arc::new(model), 0);
        if !fast {
            simulation = simulation.without_fast_path();
        }
        simulation.run();
        simulation
    }

    #[test]
    fn whoever_is_turned_away_was_nowhere() {
        for (target, what) in [
            ("service.web.balancer", "crash"),
            ("service.web.server", "drain"),
        ] {
            let (fast, slow) = (run(target, what, true), run(target, what, false));
            assert_eq!(fast.digest(), slow.digest(), "{what}");
            let [own, other] = [&fast, &slow].map(Simulation::conservation);
            assert!(own.holds() && own.attempts > 2_500, "{what}: {own:?}");
            assert_eq!(own.attempts, other.attempts, "{what}");
            // What is kept beside attempts is made room for with the first.
            assert!(fast.attempts.cold.is_empty(), "{what}: no attempt was made");
            assert!(
                !slow.attempts.cold.is_empty(),
                "{what}: and otherwise it is"
            );
        }
    }
}
