//! Join the shortest queue, by the servers' true state.
//!
//! An oracle: it knows how many requests each server really holds, without delay and including
//! those of other balancer instances. No real balancer does; this is the yardstick of theory. Where there
//! are many servers, it is told of each change of what they hold instead of looking at all of them.

use super::least::{TIES, Tree, is_plain, scan};
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
    build: |params| {
        Box::new(JoinShortestQueue {
            random_ties: params.choice("ties") == 0,
            told: false,
            tree: None,
        })
    },
};

#[derive(Clone, Debug)]
struct JoinShortestQueue {
    random_ties: bool,
    /// Whether it is told of what servers hold.
    told: bool,
    /// What the eligible servers hold, where there are many.
    tree: Option<Tree>,
}

/// What a server costs: every one has a cost.
#[expect(
    clippy::unnecessary_wraps,
    reason = "scans and trees ask for costs that may be missing"
)]
fn cost(fleet: &FleetView<'_>, server: usize) -> Option<f64> {
    Some(f64::from(fleet.oracle.in_system(server)))
}

impl Policy for JoinShortestQueue {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        match &self.tree {
            Some(tree) if is_plain(fleet) => tree.pick(self.random_ties, draws),
            _ => {
                let cost = |server: usize| cost(fleet, server);
                scan(fleet.eligible, cost, self.random_ties, draws)
            }
        }
    }
    fn tracks_queues(&self) -> bool {
        true
    }
    fn hear_of_queues(&mut self, told: bool) {
        self.told = told;
        self.tree = self.tree.take().filter(|_| told);
    }
    fn on_queue(&mut self, server: usize, in_system: u32) {
        if let Some(tree) = &mut self.tree
            && tree.has(server)
        {
            tree.set(server, Some(f64::from(in_system)));
        }
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let tree = || Tree::of(fleet, |server| cost(fleet, server));
        self.tree = self.told.then(tree).flatten();
    }
    fn on_eligible_changed(&mut self, fleet: &FleetView<'_>, changed: Option<&[u32]>) {
        match (&mut self.tree, changed) {
            (Some(tree), Some(changed)) => {
                tree.hear_of(fleet, changed, |server| cost(fleet, server));
            }
            _ => self.on_fleet_changed(fleet),
        }
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
