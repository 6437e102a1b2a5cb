//! Least work left, by the servers' true state.
//!
//! An oracle: it knows the remaining work of every server. With one worker per server and first
//! come, first served it assigns each request to the server that a single shared queue would have
//! given it, so the farm behaves exactly like G/G/c.

use super::least::scan;
use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::ExtensionRow;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "least-work-left",
        about: "The eligible server that would be empty first (an oracle: no real balancer knows this). Weights are ignored.",
        source: "Harchol-Balter, \"Performance Modeling and Design of Computer Systems\", 2013, chapter 24",
        params: &[],
    },
    farm: Farm::Central,
    follows_load: true,
    familiar: None,
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: |_| Box::new(LeastWorkLeft),
};

#[derive(Clone, Debug)]
struct LeastWorkLeft;

impl Policy for LeastWorkLeft {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        let cost = |server: usize| Some(fleet.oracle.work_left_ns(server));
        scan(fleet.eligible, cost, false, draws)
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::fixture::{Fleet, pick};

    #[test]
    fn looks_at_work_and_not_at_numbers() {
        let fleet = Fleet {
            in_system: vec![1, 3, 2],
            work_ns: vec![9e9, 1e9, 5e9],
            ..Fleet::of(3)
        };
        assert_eq!(pick("least-work-left", &fleet), Some(1));
    }
}
