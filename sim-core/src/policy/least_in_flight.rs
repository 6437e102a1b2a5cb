//! Fewest attempts in flight, by this instance's own count.
//!
//! Known as least connections. Compares in-flight attempts divided by weight, of every eligible server;
//! where there are many it keeps them in levels instead of looking at each, or in a tree where weights differ. A server that fails fast
//! always looks idle and attracts everything; with many instances each sees only its own share.
//!
//! Programs weigh in three ways, which differ while servers are nearly idle: an idle server of small weight
//! is as good as any other, or it is not, or it is better than any that is busy.

use super::least::{Ranked, TIES, Tree, is_plain, scan};
use super::levels::Levels;
use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "least-in-flight",
        about: "The eligible server with fewest attempts in flight from this balancer instance, relative to its weight.",
        source: "nginx, least_conn; IPVS, wlc, sed and nq; HAProxy, leastconn",
        params: &[
            TIES,
            ParamDef {
                name: "weighing",
                about: "What is divided by the weight: attempts in flight; those and the one to be placed (shortest expected delay); or the same, but an idle server costs nothing whatever its weight (never queue).",
                kind: ParamKind::Choice(&["in-flight", "with-itself", "idle-first"]),
                default: Some("in-flight"),
            },
        ],
    },
    farm: Farm::Unknown,
    follows_load: true,
    familiar: Some(1),
    check: no_conditions,
    heeds_weights: true,
    by_weight: false,
    build: &|params| {
        let weighing = match params.choice("weighing") {
            0 => Weighing::Plain,
            1 => Weighing::WithItself,
            _ => Weighing::IdleFirst,
        };
        Box::new(LeastInFlight::new(params, weighing, u32::MAX))
    },
};

/// What is divided by the weight.
#[derive(Clone, Copy, Debug)]
pub(super) enum Weighing {
    /// Attempts in flight.
    Plain,
    /// Those and the one to be placed.
    WithItself,
    /// The same, but nothing where none is in flight.
    IdleFirst,
}

#[derive(Clone, Debug)]
pub(super) struct LeastInFlight {
    random_ties: bool,
    weighing: Weighing,
    /// A server with so many in flight is not picked.
    most: u32,
    /// Whether all servers have the same weight, so that counts are compared as they are.
    even: bool,
    /// Weights of the servers, where they differ.
    weights: Vec<f64>,
    /// Where there are many servers: the counts of those that are eligible, while all weigh the same.
    levels: Option<Levels>,
    /// Their costs, where weights differ.
    tree: Option<Tree>,
}

impl LeastInFlight {
    pub(super) fn new(params: &Params, weighing: Weighing, most: u32) -> Self {
        Self {
            random_ties: params.choice("ties") == 0,
            weighing,
            most,
            even: false,
            weights: Vec::new(),
            levels: None,
            tree: None,
        }
    }

    /// What a server costs; `None`: it is not to be picked. Among equal weights all ways to weigh say the same.
    #[inline]
    fn cost(&self, server: usize, in_flight: u32) -> Option<f64> {
        if in_flight >= self.most {
            return Some(f64::INFINITY);
        }
        if self.even {
            return Some(f64::from(in_flight));
        }
        let weight = self.weights[server];
        let counted = match self.weighing {
            Weighing::Plain => f64::from(in_flight),
            Weighing::IdleFirst if in_flight == 0 => 0.0,
            Weighing::WithItself | Weighing::IdleFirst => f64::from(in_flight) + 1.0,
        };
        (weight > 0.0).then(|| counted / weight)
    }

    /// What it counts among equal weights: those that are full are behind all others.
    #[inline]
    fn number(&self, in_flight: u32) -> u32 {
        if in_flight < self.most {
            in_flight
        } else {
            u32::MAX - 1
        }
    }

    /// An eligible server's count is another.
    #[inline]
    fn counts(&mut self, server: usize, in_flight: u32) {
        let number = self.number(in_flight);
        if let Some(levels) = &mut self.levels {
            if levels.has(server) {
                levels.set(server, Some(number));
            }
        } else if self.tree.as_ref().is_some_and(|tree| tree.has(server)) {
            let cost = self.cost(server, in_flight);
            if let Some(tree) = &mut self.tree {
                tree.set(server, cost);
            }
        }
    }
}

impl Policy for LeastInFlight {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        let least = match (&self.levels, &self.tree) {
            (Some(levels), _) if is_plain(fleet) => levels.pick(self.random_ties, draws),
            (_, Some(tree)) if is_plain(fleet) => tree.pick(self.random_ties, draws),
            _ => {
                let cost = |server: usize| self.cost(server, fleet.in_flight[server]);
                scan(fleet.eligible, cost, self.random_ties, draws)
            }
        };
        least.filter(|&server| fleet.in_flight[server] < self.most)
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
        (self.levels, self.tree) = (None, None);
        self.on_eligible_changed(fleet, None);
    }
    fn on_eligible_changed(&mut self, fleet: &FleetView<'_>, changed: Option<&[u32]>) {
        if self.even {
            let levels = self.levels.take();
            let number = |server: usize| Some(self.number(fleet.in_flight[server]));
            self.levels = Levels::after(levels, fleet, changed, number);
        } else {
            let tree = self.tree.take();
            let cost = |server: usize| self.cost(server, fleet.in_flight[server]);
            self.tree = Tree::after(tree, fleet, changed, cost);
        }
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
    fn an_idle_light_server_is_as_good_as_any_or_not_or_better() {
        // a is light and idle, b is heavy and busy.
        let fleet = |b| Fleet {
            in_flight: vec![0, b],
            weights: vec![1.0, 10.0],
            ..Fleet::of(2)
        };
        let of = |weighing: &str, b| {
            let policy = format!("least-in-flight ties=first weighing={weighing}");
            pick(&policy, &fleet(b)).expect("a server")
        };
        assert_eq!(
            ["in-flight", "with-itself", "idle-first"].map(|w| of(w, 1)),
            [0, 1, 0]
        );
        assert_eq!(
            ["in-flight", "with-itself", "idle-first"].map(|w| of(w, 0)),
            [0, 1, 0]
        );
        // Once both are busy, the two that count the newcomer agree.
        let busy = Fleet {
            in_flight: vec![1, 14],
            ..fleet(0)
        };
        let of = |weighing: &str| pick(&format!("least-in-flight weighing={weighing}"), &busy);
        assert_eq!(
            ["in-flight", "with-itself", "idle-first"].map(of),
            [Some(0), Some(1), Some(1)]
        );
    }

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
                ..Job::default()
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
        for policy in [
            "least-in-flight",
            "least-in-flight ties=first",
            "least-in-flight weighing=with-itself",
            "least-in-flight weighing=idle-first",
            "join-bounded-shortest-queue n=2",
        ] {
            for servers in [1, 15, 16, 17, 18, 33, 100] {
                for weights in [&[1.0][..], &[3.0], &[0.0, 0.3, 1.0, 2.5], &[0.0]] {
                    follow(policy, servers, weights, &mut draws);
                }
            }
        }
    }
}
