//! Fewest attempts in flight, by this instance's own count.
//!
//! Known as least connections. Compares in-flight attempts divided by weight and scans every
//! eligible server. A server that fails fast always looks idle and attracts everything; with many
//! instances each sees only its own share.

use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

/// The parameter of policies that may find several servers equally good.
pub(super) const TIES: ParamDef = ParamDef {
    name: "ties",
    about: "Which of equals: a random one, or the first in order.",
    kind: ParamKind::Choice(&["random", "first"]),
    default: Some("random"),
};

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "least-in-flight",
        about: "The eligible server with fewest attempts in flight from this balancer instance, relative to its weight.",
        source: "",
        params: &[TIES],
    },
    farm: Farm::Unknown,
    follows_load: true,
    familiar: Some(1),
    check: no_conditions,
    heeds_weights: true,
    by_weight: false,
    build: |params| {
        Box::new(LeastInFlight {
            random_ties: params.choice("ties") == 0,
            even: false,
        })
    },
};

#[derive(Clone, Debug)]
struct LeastInFlight {
    random_ties: bool,
    /// Whether all servers have the same weight, so that counts are compared as they are.
    even: bool,
}

impl Policy for LeastInFlight {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        let mut least = Least::new(self.random_ties);
        if self.even {
            for &server in fleet.eligible {
                let server = server as usize;
                least.consider(server, f64::from(fleet.in_flight[server]), draws);
            }
            return least.server;
        }
        for &server in fleet.eligible {
            let server = server as usize;
            if fleet.weights[server] > 0.0 {
                least.consider(
                    server,
                    f64::from(fleet.in_flight[server]) / fleet.weights[server],
                    draws,
                );
            }
        }
        least.server
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let first = fleet.weights.first().copied().unwrap_or_default();
        self.even = first > 0.0 && fleet.weights.iter().all(|w| w.to_bits() == first.to_bits());
    }
    fn on_eligible_changed(&mut self, _: &FleetView<'_>) {}
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

/// The server of least cost seen so far; among equals the first, or each with the same chance
/// (reservoir sampling).
pub(super) struct Least {
    pub(super) server: Option<usize>,
    cost: f64,
    equals: usize,
    random_ties: bool,
}

impl Least {
    pub(super) fn new(random_ties: bool) -> Self {
        Self {
            server: None,
            cost: f64::INFINITY,
            equals: 0,
            random_ties,
        }
    }

    #[allow(
        clippy::float_cmp,
        reason = "costs that are computed alike are equal to the bit"
    )]
    pub(super) fn consider(&mut self, server: usize, cost: f64, draws: &mut Draws) {
        if self.server.is_none() || cost < self.cost {
            *self = Self {
                server: Some(server),
                cost,
                equals: 1,
                random_ties: self.random_ties,
            };
        } else if cost == self.cost && self.random_ties {
            self.equals += 1;
            if draws.below(self.equals) == 0 {
                self.server = Some(server);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::fixture::{Fleet, pick};

    #[test]
    fn takes_the_least_loaded_relative_to_weight() {
        let fleet = Fleet {
            in_flight: vec![3, 2, 6],
            weights: vec![1.0, 1.0, 4.0],
            ..Fleet::of(3)
        };
        assert_eq!(pick("least-in-flight", &fleet), Some(2));
    }
}
