//! Envoy's `LEAST_REQUEST`, which is two policies.
//!
//! Equal weights: `choice_count` servers are drawn, the same one perhaps twice, and the one with fewest attempts in
//! flight wins, the first drawn of equals; of two servers the busier one therefore still gets a quarter of the
//! attempts. Or all are looked at, and a draw decides among equals. Unequal weights, as while somebody starts
//! slowly: nothing is drawn; turns are taken as by Envoy's `ROUND_ROBIN`, with weight / (in flight + 1)^bias, worked
//! out when a server is put back, so that it is a turn old.

use super::edf::Schedule;
use super::envoy_round_robin::{SEEDS, START, STEPS};
use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "envoy-least-request",
        about: "Envoy's LEAST_REQUEST: the least busy of a few drawn with replacement; where weights differ, turns by weight and load instead.",
        source: "Envoy 1.40, least_request_lb.cc",
        params: &[
            ParamDef {
                name: "choice_count",
                about: "How many are drawn where weights are equal.",
                kind: ParamKind::Integer {
                    min: 2,
                    max: 1000,
                    unit: "servers",
                },
                default: Some("2"),
            },
            ParamDef {
                name: "selection",
                about: "Where weights are equal: draw `choice_count` of them (N_CHOICES), or look at all and draw among those with fewest (FULL_SCAN).",
                kind: ParamKind::Choice(&["n-choices", "full-scan"]),
                default: Some("n-choices"),
            },
            ParamDef {
                name: "active_request_bias",
                about: "Where weights differ: how much attempts in flight count against a server; 0: not at all.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "",
                },
                default: Some("1"),
            },
            START,
        ],
    },
    farm: Farm::Unknown,
    follows_load: true,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: false,
    build: &|params| {
        Box::new(LeastRequest {
            choices: params.integer("choice_count"),
            full_scan: params.choice("selection") == 1,
            bias: params.number("active_request_bias"),
            schedule: Schedule::new(params.choice("start") == 0),
        })
    },
};

#[derive(Clone, Debug)]
struct LeastRequest {
    choices: u64,
    full_scan: bool,
    bias: f64,
    schedule: Schedule,
}

/// The server with fewest in flight: of those drawn, or of all.
fn least(full_scan: bool, choices: u64, fleet: &FleetView<'_>, draws: &mut Draws) -> Option<u32> {
    let load = |server: u32| fleet.in_flight[server as usize];
    let servers = fleet.eligible;
    if full_scan {
        let mut best = *servers.first()?;
        let mut ties = 1;
        for &server in &servers[1..] {
            if load(server) < load(best) {
                (best, ties) = (server, 1);
            } else if load(server) == load(best) {
                // Each of k equals so far stays with 1/k.
                ties += 1;
                if draws.below(ties) == 0 {
                    best = server;
                }
            }
        }
        return Some(best);
    }
    let mut drawn = (0..choices).map(|_| servers[draws.below(servers.len())]);
    let first = drawn.next()?;
    Some(drawn.fold(first, |best, server| {
        if load(server) < load(best) {
            server
        } else {
            best
        }
    }))
}

impl Policy for LeastRequest {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        let seed = self.schedule.seed(|| draws.below(SEEDS) as u64);
        let bias = self.bias;
        let weight = |server: u32| {
            let server = server as usize;
            let busy = f64::from(fleet.in_flight[server]) + 1.0;
            fleet.weights[server] / libm::pow(busy, bias)
        };
        for _ in 0..if fleet.narrowed { STEPS } else { 1 } {
            let Some(server) = self.schedule.pick(fleet, seed, weight) else {
                break;
            };
            if !fleet.narrowed || fleet.may_pick(server) {
                return Some(server as usize);
            }
        }
        least(self.full_scan, self.choices, fleet, draws).map(|server| server as usize)
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        self.schedule.hear(fleet);
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::policy::fixture::{Fleet, build};

    fn fleet(weights: &[f64], in_flight: &[u32]) -> Fleet {
        Fleet {
            weights: weights.to_vec(),
            in_flight: in_flight.to_vec(),
            ..Fleet::of(weights.len())
        }
    }

    fn go_on(policy: &mut Box<dyn Policy>, fleet: &Fleet, n: u64) -> String {
        let letter = |i| {
            let draws = &mut Stream::new(1, 0, "policy").at(i);
            let server = policy.pick(&fleet.view(), &Job::default(), draws);
            char::from(b'a' + server.expect("a server") as u8)
        };
        (0..n).map(letter).collect()
    }

    /// Draws of servers that come out as wanted, found by search.
    fn drawing(wanted: &[usize], n: usize) -> Draws {
        let stream = Stream::new(1, 0, "wanted");
        let fits = |number: &u64| {
            let mut draws = stream.at(*number);
            wanted.iter().all(|&server| draws.below(n) == server)
        };
        stream.at((0..1_000_000).find(fits).expect("some number fits"))
    }

    #[test]
    fn case_211_lr_p2c() {
        let fleet = fleet(&[1.0; 2], &[1, 2]);
        for order in [[0, 1], [1, 0]] {
            let draws = &mut drawing(&order, 2);
            assert_eq!(least(false, 2, &fleet.view(), draws), Some(0));
        }
    }

    #[test]
    fn case_213_lr_choice_5() {
        let fleet = fleet(&[1.0; 4], &[4, 3, 2, 1]);
        let draws = &mut drawing(&[3, 0, 3, 2, 1], 4);
        assert_eq!(least(false, 5, &fleet.view(), draws), Some(3));
    }

    #[test]
    fn case_215_lr_full_scan_ties() {
        let fleet = fleet(&[1.0; 5], &[3, 3, 1, 1, 1]);
        let stream = Stream::new(1, 0, "ties");
        let mut counts = [0_u32; 5];
        for number in 0..1_000_000 {
            let server = least(true, 2, &fleet.view(), &mut stream.at(number));
            counts[server.expect("a server") as usize] += 1;
        }
        assert_eq!(counts[..2], [0, 0]);
        for count in &counts[2..] {
            assert!((f64::from(*count) / 1e6 - 1.0 / 3.0).abs() < 0.005);
        }
    }

    /// The neighbour, two different servers, would never take the busier one of two.
    #[test]
    fn the_busier_of_two_gets_a_quarter() {
        let fleet = fleet(&[1.0; 2], &[0, 1]);
        let stream = Stream::new(1, 0, "pairs");
        let busier = (0..100_000)
            .filter(|&i| least(false, 2, &fleet.view(), &mut stream.at(i)) == Some(1))
            .count();
        assert!((busier as f64 / 1e5 - 0.25).abs() < 0.01, "{busier}");
    }

    #[test]
    fn case_217_lr_unequal_b_busy() {
        let mut policy = build("envoy-least-request start=first");
        let idle = fleet(&[1.0, 2.0], &[0, 0]);
        policy.on_fleet_changed(&idle.view());
        assert_eq!(go_on(&mut policy, &idle, 6), "babbab");
        let busy = fleet(&[1.0, 2.0], &[0, 1]);
        assert_eq!(go_on(&mut policy, &busy, 5), "babab");
    }

    #[test]
    fn case_219_lr_bias_0() {
        let mut policy = build("envoy-least-request start=first active_request_bias=0");
        let busy = fleet(&[1.0, 2.0], &[0, 1]);
        policy.on_fleet_changed(&busy.view());
        assert_eq!(go_on(&mut policy, &busy, 6), "babbab");
    }

    #[test]
    fn case_231_ss_lr_40s() {
        let mut policy = build("envoy-least-request start=first");
        let fleet = fleet(&[1.0, 40.0 / 60.0], &[1, 0]);
        policy.on_fleet_changed(&fleet.view());
        assert_eq!(go_on(&mut policy, &fleet, 7), "bababab");
    }

    /// Measured: weights 3 and 1, all idle, go `b a a a` from some place on, 300 and 100 of 400.
    #[test]
    fn idle_servers_of_unequal_weight_take_turns() {
        let mut policy = build("envoy-least-request");
        let fleet = fleet(&[3.0, 1.0], &[0, 0]);
        policy.on_fleet_changed(&fleet.view());
        let seen = go_on(&mut policy, &fleet, 400);
        assert_eq!(seen.chars().filter(|&c| c == 'a').count(), 300);
        assert!("baaa".repeat(101).contains(&seen[4..]), "{seen}");
    }
}
