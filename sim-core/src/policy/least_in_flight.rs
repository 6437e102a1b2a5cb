//! Fewest attempts in flight, by this instance's own count.
//!
//! Known as least connections. Compares in-flight attempts divided by weight, of every eligible server;
//! where there are many it keeps them in a tree instead of looking at each. A server that fails fast
//! always looks idle and attracts everything; with many instances each sees only its own share.

use super::least::{TIES, Tree, is_plain, scan};
use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::ExtensionRow;
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

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
            weights: Vec::new(),
            tree: None,
        })
    },
};

#[derive(Clone, Debug)]
struct LeastInFlight {
    random_ties: bool,
    /// Whether all servers have the same weight, so that counts are compared as they are.
    even: bool,
    /// Weights of the servers, where they differ.
    weights: Vec<f64>,
    /// Costs of the eligible servers, where there are many.
    tree: Option<Tree>,
}

/// What a server of some weight costs; `None`: it is not to be picked.
#[inline]
fn cost(in_flight: u32, weight: f64) -> Option<f64> {
    (weight > 0.0).then(|| f64::from(in_flight) / weight)
}

impl LeastInFlight {
    fn cost(&self, server: usize, in_flight: u32) -> Option<f64> {
        if self.even {
            Some(f64::from(in_flight))
        } else {
            cost(in_flight, self.weights[server])
        }
    }

    /// An eligible server's count is another.
    #[inline]
    fn counts(&mut self, server: usize, in_flight: u32) {
        if self.tree.as_ref().is_some_and(|tree| tree.has(server)) {
            let cost = self.cost(server, in_flight);
            if let Some(tree) = &mut self.tree {
                tree.set(server, cost);
            }
        }
    }
}

impl Policy for LeastInFlight {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        if let Some(tree) = &self.tree
            && is_plain(fleet)
        {
            return tree.pick(self.random_ties, draws);
        }
        let servers = fleet.eligible;
        if self.even {
            let cost = |server: usize| Some(f64::from(fleet.in_flight[server]));
            return scan(servers, cost, self.random_ties, draws);
        }
        let cost = |server: usize| cost(fleet.in_flight[server], fleet.weights[server]);
        scan(servers, cost, self.random_ties, draws)
    }
    fn observes(&self) -> bool {
        true
    }
    fn on_assigned(&mut self, server: usize, in_flight: u32) {
        self.counts(server, in_flight);
    }
    fn on_finished(&mut self, _: Instant, server: usize, in_flight: u32, _: Outcome, _: Duration) {
        self.counts(server, in_flight);
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let first = fleet.weights.first().copied().unwrap_or_default();
        self.even = first > 0.0 && fleet.weights.iter().all(|w| w.to_bits() == first.to_bits());
        self.weights.clear();
        if !self.even {
            self.weights.extend_from_slice(fleet.weights);
        }
        self.tree = Tree::of(fleet, |server| self.cost(server, fleet.in_flight[server]));
    }
    fn on_eligible_changed(&mut self, fleet: &FleetView<'_>, changed: Option<&[u32]>) {
        let mut tree = self.tree.take();
        let cost = |server: usize| self.cost(server, fleet.in_flight[server]);
        match (&mut tree, changed) {
            (Some(tree), Some(changed)) => tree.hear_of(fleet, changed, cost),
            _ => tree = Tree::of(fleet, cost),
        }
        self.tree = tree;
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::policy::fixture::{Fleet, build, pick};

    #[test]
    fn takes_the_least_loaded_relative_to_weight() {
        let fleet = Fleet {
            in_flight: vec![3, 2, 6],
            weights: vec![1.0, 1.0, 4.0],
            ..Fleet::of(3)
        };
        assert_eq!(pick("least-in-flight", &fleet), Some(2));
    }

    /// Plays a run of a fleet and checks that what it has been told of leads where a look at every server
    /// does, which a narrowed view asks for.
    fn follow(policy: &str, servers: usize, weights: &[f64], draws: &mut Draws) {
        let mut policy = build(policy);
        let mut fleet = Fleet::of(servers);
        let reweigh = |fleet: &mut Fleet, draws: &mut Draws| {
            let mut weight = || weights[draws.below(weights.len())];
            fleet.weights.fill_with(&mut weight);
        };
        reweigh(&mut fleet, draws);
        policy.on_fleet_changed(&fleet.view());
        for step in 0..300 {
            let server = draws.below(servers);
            match draws.below(8) {
                0 => {
                    // Some servers come or go.
                    let mut changed: Vec<u32> = (0..draws.below(4))
                        .map(|_| draws.below(servers) as u32)
                        .collect();
                    changed.dedup();
                    for &server in &changed {
                        match fleet.eligible.binary_search(&server) {
                            Ok(place) => drop(fleet.eligible.remove(place)),
                            Err(place) => fleet.eligible.insert(place, server),
                        }
                    }
                    let known = draws.below(4) > 0;
                    policy.on_eligible_changed(&fleet.view(), known.then_some(&changed[..]));
                }
                1 if draws.below(10) == 0 => {
                    reweigh(&mut fleet, draws);
                    policy.on_fleet_changed(&fleet.view());
                }
                2 | 3 if fleet.in_flight[server] > 0 => {
                    fleet.in_flight[server] -= 1;
                    let (now, left) = (Instant::ZERO, fleet.in_flight[server]);
                    policy.on_finished(now, server, left, Outcome::Succeeded, Duration(1));
                }
                _ => {
                    fleet.in_flight[server] += 1;
                    policy.on_assigned(server, fleet.in_flight[server]);
                }
            }
            if fleet.eligible.is_empty() {
                continue;
            }
            let job = Job {
                key: 0,
                priority: 0,
                previous: None,
            };
            let mut choose = |narrowed| {
                let view = FleetView {
                    narrowed,
                    ..fleet.view()
                };
                policy.pick(&view, &job, &mut Stream::new(1, 0, "p").at(step))
            };
            assert_eq!(
                choose(false),
                choose(true),
                "{servers} servers, step {step}"
            );
        }
    }

    #[test]
    fn what_it_is_told_leads_where_a_look_at_every_server_does() {
        let mut draws = Stream::new(1, 0, "least-in-flight").at(0);
        for policy in ["least-in-flight", "least-in-flight ties=first"] {
            for servers in [1, 15, 16, 17, 18, 33, 100] {
                for weights in [&[1.0][..], &[3.0], &[0.0, 0.3, 1.0, 2.5], &[0.0]] {
                    follow(policy, servers, weights, &mut draws);
                }
            }
        }
    }
}
