//! Plain round robin: each server in turn.
//!
//! Observes nothing. Servers that are not eligible are stepped over; weights are ignored. Turns a
//! Poisson stream into Erlang streams, but a slow server receives as much as a fast one.
//! Several instances start apart, each at a server of its own, as the processes of a fleet of proxies do.

use super::{Farm, FleetView, Job, Policy, PolicyDef, START, no_conditions, starts_apart};
use crate::draws::Draws;
use crate::extension::ExtensionRow;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "round-robin",
        about: "Each eligible server in turn; weights are ignored.",
        source: "start: Envoy 1.31, RoundRobinLoadBalancer (a seed for each instance)",
        params: &[START],
    },
    farm: Farm::Turns,
    follows_load: false,
    familiar: Some(0),
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|params| {
        Box::new(RoundRobin {
            next: 0,
            apart: starts_apart(params),
            start: None,
        })
    },
};

#[derive(Clone, Debug)]
struct RoundRobin {
    /// The server whose turn it is.
    next: u32,
    /// Whether it heeds where it is to start.
    apart: bool,
    /// Where in a round it is still to start.
    start: Option<f64>,
}

impl Policy for RoundRobin {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, _: &mut Draws) -> Option<usize> {
        let eligible = fleet.eligible;
        // With every server eligible the turn is its own position; only gaps need a search.
        let turn = self.next as usize;
        let position = match eligible.get(turn) {
            Some(&server) if server == self.next => turn,
            _ => eligible.partition_point(|&server| server < self.next) % eligible.len(),
        };
        let server = eligible[position];
        self.next = server + 1;
        Some(server as usize)
    }
    fn start_apart(&mut self, share: f64) {
        self.start = self.apart.then_some(share);
    }
    fn awaits_start(&self) -> bool {
        self.start.is_some()
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        if !fleet.eligible.is_empty()
            && let Some(share) = self.start.take()
        {
            self.next = fleet.eligible[(share * fleet.eligible.len() as f64) as usize];
        }
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::fixture::{Fleet, sequence_from};

    #[test]
    fn starts_where_it_is_told_among_the_eligible() {
        let fleet = Fleet {
            eligible: vec![1, 2, 4, 5],
            ..Fleet::of(6)
        };
        let from = |policy, share| sequence_from(policy, &fleet, Some(share), 5);
        assert_eq!(from("round-robin", 0.0), "bcefb");
        assert_eq!(from("round-robin", 0.74), "efbce");
        assert_eq!(from("round-robin", 0.999), "fbcef");
        assert_eq!(from("round-robin start=first", 0.74), "bcefb");
    }
}
