//! Join the shortest queue, by the servers' true state.
//!
//! An oracle: it knows how many requests each server really holds, without delay and including
//! those of other balancer instances. No real balancer does; this is the yardstick of theory. Where there
//! are many servers, it is told of each change of what they hold instead of looking at all of them.

use super::least::{Ranked, TIES, is_plain, scan};
use super::levels::Levels;
use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::ExtensionRow;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "join-shortest-queue",
        about: "The eligible server that truly holds the fewest requests (an oracle: no real balancer knows this). Weights are ignored.",
        source: "Winston, \"Optimality of the shortest line discipline\", J. Appl. Prob. 14 (1977)",
        params: &[TIES],
    },
    farm: Farm::Unknown,
    follows_load: true,
    familiar: None,
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|params| {
        Box::new(JoinShortestQueue {
            random_ties: params.choice("ties") == 0,
            told: false,
            levels: None,
        })
    },
};

#[derive(Clone, Debug)]
struct JoinShortestQueue {
    random_ties: bool,
    /// Whether it is told of what servers hold.
    told: bool,
    /// What the eligible servers hold, where there are many.
    levels: Option<Levels>,
}

impl Policy for JoinShortestQueue {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        match &self.levels {
            Some(levels) if is_plain(fleet) => levels.pick(self.random_ties, draws),
            _ => {
                let cost = |server: usize| Some(f64::from(fleet.oracle.in_system(server)));
                scan(fleet.eligible, cost, self.random_ties, draws)
            }
        }
    }
    fn tracks_queues(&self) -> bool {
        true
    }
    fn hear_of_queues(&mut self, told: bool) {
        self.told = told;
        self.levels = self.levels.take().filter(|_| told);
    }
    fn on_queue(&mut self, server: usize, in_system: u32) {
        if let Some(levels) = &mut self.levels
            && levels.has(server)
        {
            levels.set(server, Some(in_system));
        }
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        self.on_eligible_changed(fleet, None);
    }
    fn on_eligible_changed(&mut self, fleet: &FleetView<'_>, changed: Option<&[u32]>) {
        let known = self.levels.take();
        let number = |server: usize| Some(fleet.oracle.in_system(server));
        let after = || Levels::after(known, fleet, changed, number);
        self.levels = self.told.then(after).flatten();
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::fixture::{Fleet, pick};

    #[test]
    fn looks_at_the_true_state_and_not_at_its_own_count() {
        let fleet = Fleet {
            in_flight: vec![0, 5, 5],
            in_system: vec![9, 2, 4],
            ..Fleet::of(3)
        };
        assert_eq!(pick("join-shortest-queue", &fleet), Some(1));
    }
}
