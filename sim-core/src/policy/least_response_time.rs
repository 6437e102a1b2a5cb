//! Least response time: the server with the best average of response times.
//!
//! Each instance keeps a moving average of what it saw of each server, multiplied, unless `multiply` says
//! otherwise, with the attempts in flight there and the new one. Averages alone make a herd: all go
//! to the one that was best, until its answers say that it no longer is. An average changes only when
//! an answer comes, so that a server which was slow once may never be asked again; `half_life` lets it be
//! forgotten. A server that has not answered costs nothing, and gets everything until it does, unless `initial`
//! is set; and who fails fast looks best, unless `failures` are ignored.
//!
//! Where there are many servers a tree keeps them in order. All averages decay alike, so that their
//! order stays as it is while time passes: what is compared is the logarithm of each as of the start of the run.

use super::least::{Ranked, TIES, Tree, is_plain, scan};
use super::peak_ewma::{FAILURES, tells};
use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "least-response-time",
        about: "The eligible server with the least moving average of response times, times the attempts in flight with the new one, relative to its weight.",
        source: "nginx 1.31, least_time; Citrix ADC, least response time; Traefik, leasttime",
        params: &[
            ParamDef {
                name: "alpha",
                about: "How much of an average a response makes up.",
                kind: ParamKind::Number {
                    min: 0.001,
                    max: 1.0,
                    unit: "",
                },
                default: Some("0.05"),
            },
            ParamDef {
                name: "multiply",
                about: "What an average is multiplied with: attempts in flight and the one to be placed, or nothing.",
                kind: ParamKind::Choice(&["in-flight", "nothing"]),
                default: Some("in-flight"),
            },
            ParamDef {
                name: "initial",
                about: "The average of a server that has not answered yet; with 0s it costs nothing, and the first response makes up all of its average.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            ParamDef {
                name: "half_life",
                about: "After so long without an answer an average counts half, so that a server that was slow is tried again; 0s: never.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            FAILURES,
            TIES,
        ],
    },
    farm: Farm::Unknown,
    follows_load: true,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: false,
    build: &|params| {
        Box::new(LeastResponseTime {
            alpha: params.number("alpha"),
            by_in_flight: params.choice("multiply") == 0,
            initial_ns: params.span("initial").0 as f64,
            half_life_ns: params.span("half_life").0 as f64,
            failures_count: params.choice("failures") == 0,
            random_ties: params.choice("ties") == 0,
            servers: Vec::new(),
            tree: None,
        })
    },
};

#[derive(Clone, Debug)]
struct LeastResponseTime {
    alpha: f64,
    by_in_flight: bool,
    initial_ns: f64,
    /// Zero: nothing is forgotten.
    half_life_ns: f64,
    failures_count: bool,
    random_ties: bool,
    servers: Vec<Known>,
    /// Costs of the eligible servers, where there are many.
    tree: Option<Tree>,
}

/// What is known of a server.
#[derive(Clone, Copy, Debug)]
struct Known {
    average_ns: f64,
    /// Half-lives from the start of the run to its last answer.
    age: f64,
    weight: f64,
}

/// Keeps logarithms of costs from becoming negative: no weight and no time is as extreme.
const LIFT: f64 = 2000.0;

impl LeastResponseTime {
    /// What a server costs; `None`: it is not to be picked.
    #[inline]
    fn cost(&self, server: usize, in_flight: u32) -> Option<f64> {
        let known = &self.servers[server];
        let times = if self.by_in_flight {
            f64::from(in_flight) + 1.0
        } else {
            1.0
        };
        let cost = known.average_ns * times / known.weight;
        let cost = if self.half_life_ns > 0.0 && cost > 0.0 {
            LIFT + libm::log2(cost) + known.age
        } else {
            cost
        };
        (known.weight > 0.0).then_some(cost)
    }

    /// A response of a server took so long. What was before counts the less the longer ago it was.
    #[inline]
    fn hear(&mut self, now: Instant, server: usize, took: Duration) {
        let known = &mut self.servers[server];
        let took_ns = (took.0 as f64).max(1.0);
        let mut kept = 1.0 - self.alpha;
        if self.half_life_ns > 0.0 {
            let age = now.0 as f64 / self.half_life_ns;
            kept *= libm::exp2(known.age - age);
            known.age = age;
        }
        known.average_ns = if known.average_ns > 0.0 {
            took_ns + kept * (known.average_ns - took_ns)
        } else {
            took_ns
        };
    }

    /// An eligible server's cost is another.
    #[inline]
    fn costs(&mut self, server: usize, in_flight: u32) {
        if self.tree.as_ref().is_some_and(|tree| tree.has(server)) {
            let cost = self.cost(server, in_flight);
            if let Some(tree) = &mut self.tree {
                tree.set(server, cost);
            }
        }
    }
}

impl Policy for LeastResponseTime {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        match &self.tree {
            Some(tree) if is_plain(fleet) => tree.pick(self.random_ties, draws),
            _ => {
                let cost = |server: usize| self.cost(server, fleet.in_flight[server]);
                scan(fleet.eligible, cost, self.random_ties, draws)
            }
        }
    }
    fn observes(&self) -> bool {
        true
    }
    fn on_assigned(&mut self, server: usize, in_flight: u32) {
        if self.by_in_flight {
            self.costs(server, in_flight);
        }
    }
    fn on_finished(
        &mut self,
        now: Instant,
        server: usize,
        in_flight: u32,
        outcome: Outcome,
        took: Duration,
    ) {
        if tells(outcome, self.failures_count) {
            self.hear(now, server, took);
        }
        self.costs(server, in_flight);
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let age = if self.half_life_ns > 0.0 {
            fleet.now.0 as f64 / self.half_life_ns
        } else {
            0.0
        };
        let newcomer = Known {
            average_ns: self.initial_ns,
            age,
            weight: 1.0,
        };
        self.servers.resize(fleet.weights.len(), newcomer);
        for (known, weight) in self.servers.iter_mut().zip(fleet.weights) {
            known.weight = *weight;
        }
        self.tree = Tree::of(fleet, |server| self.cost(server, fleet.in_flight[server]));
    }
    fn on_eligible_changed(&mut self, fleet: &FleetView<'_>, changed: Option<&[u32]>) {
        let tree = self.tree.take();
        let cost = |server: usize| self.cost(server, fleet.in_flight[server]);
        self.tree = Tree::after(tree, fleet, changed, cost);
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixture::{Fleet, build};

    const SECOND: u64 = 1_000_000_000;

    fn choose(policy: &mut Box<dyn Policy>, fleet: &Fleet) -> usize {
        let draws = &mut crate::draws::Stream::new(1, 0, "p").at(0);
        let choice = policy.pick(&fleet.view(), &Job::default(), draws);
        choice.expect("somebody is eligible")
    }

    /// A policy of servers that have each answered once at time 0, after so many milliseconds.
    fn told(text: &str, took_ms: &[u64]) -> (Box<dyn Policy>, Fleet) {
        let fleet = Fleet::of(took_ms.len());
        let mut policy = build(text);
        policy.on_fleet_changed(&fleet.view());
        for (server, took) in took_ms.iter().enumerate() {
            let took = Duration::from_millis(*took);
            policy.on_finished(Instant::ZERO, server, 0, Outcome::Succeeded, took);
        }
        (policy, fleet)
    }

    #[test]
    fn averages_count_with_what_is_in_flight_or_alone() {
        for servers in [3, 30] {
            let mut took = vec![90; servers];
            took[0] = 30;
            took[2] = 10;
            for (multiply, chosen) in [("in-flight", 0), ("nothing", 2)] {
                let text = format!("least-response-time multiply={multiply}");
                let (mut policy, mut fleet) = told(&text, &took);
                for in_flight in 1..=3 {
                    fleet.in_flight[2] = in_flight;
                    policy.on_assigned(2, in_flight);
                }
                assert_eq!(choose(&mut policy, &fleet), chosen, "{servers} {multiply}");
            }
        }
    }

    #[test]
    fn a_newcomer_gets_everything_or_starts_at_a_guess() {
        for (initial, chosen) in [("0s", 1), ("5ms", 1), ("20ms", 0)] {
            let text = format!("least-response-time initial={initial}");
            let (mut policy, _) = told(&text, &[10]);
            let mut fleet = Fleet::of(2);
            policy.on_fleet_changed(&fleet.view());
            assert_eq!(choose(&mut policy, &fleet), chosen, "{initial}");
            fleet.in_flight[1] = 50;
            let chosen = usize::from(initial == "0s");
            assert_eq!(choose(&mut policy, &fleet), chosen, "{initial}");
        }
    }

    #[test]
    fn what_was_slow_stays_so_or_is_forgotten() {
        for (half_life, chosen) in [("0s", 1), ("1s", 0)] {
            let text = format!("least-response-time half_life={half_life}");
            let (mut policy, fleet) = told(&text, &[1000, 10]);
            let at = |seconds: u64| Instant(seconds * SECOND);
            // 1000 ms take 6.6 half-lives to look like 10.
            for second in 1..=6 {
                policy.on_finished(at(second), 1, 0, Outcome::Succeeded, Duration(SECOND / 100));
            }
            assert_eq!(choose(&mut policy, &fleet), 1, "{half_life}");
            for second in 7..=8 {
                policy.on_finished(at(second), 1, 0, Outcome::Succeeded, Duration(SECOND / 100));
            }
            assert_eq!(choose(&mut policy, &fleet), chosen, "{half_life}");
        }
    }

    #[test]
    fn a_response_makes_up_alpha_of_the_average() {
        let mut policy = LeastResponseTime {
            alpha: 0.25,
            by_in_flight: true,
            initial_ns: 0.0,
            half_life_ns: 0.0,
            failures_count: false,
            random_ties: true,
            servers: Vec::new(),
            tree: None,
        };
        policy.on_fleet_changed(&Fleet::of(1).view());
        for (outcome, took, average) in [
            (Outcome::Succeeded, 100, 100.0),
            (Outcome::Succeeded, 20, 80.0),
            (Outcome::Errored, 1, 80.0),
            (Outcome::Cancelled, 1, 80.0),
        ] {
            policy.on_finished(Instant::ZERO, 0, 0, outcome, Duration(took));
            assert!((policy.servers[0].average_ns - average).abs() < 1e-9);
        }
        policy.failures_count = true;
        policy.on_finished(Instant::ZERO, 0, 0, Outcome::TimedOut, Duration(480));
        assert!((policy.servers[0].average_ns - 180.0).abs() < 1e-9);
    }
}
