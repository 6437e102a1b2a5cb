//! Join the shortest queue, by the servers' true state.
//!
//! An oracle: it knows how many requests each server really holds, without delay and including
//! those of other balancer instances. No real balancer does; this is the yardstick of theory.

use super::least_in_flight::{Least, TIES};
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
        })
    },
};

#[derive(Clone, Debug)]
struct JoinShortestQueue {
    random_ties: bool,
}

impl Policy for JoinShortestQueue {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        let mut least = Least::new(self.random_ties);
        for &server in fleet.eligible {
            least.consider(
                server as usize,
                f64::from(fleet.oracle.in_system(server as usize)),
                draws,
            );
        }
        least.server
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
