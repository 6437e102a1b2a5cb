//! Envoy's `ROUND_ROBIN`: plain turns among equals, earliest deadline first among others.
//!
//! Equal weights: a counter goes up with each pick, and its remainder by the number of servers is the place; a
//! server that comes or goes moves everybody's place, and the counter goes on. As soon as weights differ, as
//! they do while a server starts slowly, turns are those of [`Schedule`]. A try that is kept from a server takes the turns
//! that it steps over, as Envoy does with a retry host predicate.

use super::edf::Schedule;
use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

/// Where Envoy's turns begin.
pub(super) const START: ParamDef = ParamDef {
    name: "start",
    about: "Where an instance begins its turns: at a place drawn at its first pick, one instance as well as several, or at the first server.",
    kind: ParamKind::Choice(&["random", "first"]),
    default: Some("random"),
};

/// Turns that may count as taken at the start, as many as Envoy's.
pub(super) const SEEDS: usize = 429_496_729;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "envoy-round-robin",
        about: "Envoy's ROUND_ROBIN: turns from a random start on; where weights differ, earliest deadline first.",
        source: "Envoy 1.40, round_robin_lb.cc, load_balancer_impl.cc (EdfLoadBalancerBase), edf_scheduler.h",
        params: &[START],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: true,
    build: &|params| {
        Box::new(RoundRobin {
            schedule: Schedule::new(params.choice("start") == 0),
            turns: None,
        })
    },
};

#[derive(Clone, Debug)]
struct RoundRobin {
    schedule: Schedule,
    /// Turns taken among equals, those that counted as taken at the start included.
    turns: Option<u64>,
}

impl RoundRobin {
    fn next(&mut self, fleet: &FleetView<'_>, seed: u64) -> Option<u32> {
        let weight = |server: u32| fleet.weights[server as usize];
        if let Some(server) = self.schedule.pick(fleet, seed, weight) {
            return Some(server);
        }
        let servers = &self.schedule.servers;
        let turn = self.turns.get_or_insert(seed);
        let place = turn.checked_rem(servers.len() as u64)?;
        *turn += 1;
        Some(servers[place as usize])
    }
}

impl Policy for RoundRobin {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        let seed = self.schedule.seed(|| draws.below(SEEDS) as u64);
        let mut tries = if fleet.narrowed { STEPS } else { 1 };
        loop {
            let server = self.next(fleet, seed)?;
            tries -= 1;
            let may = !fleet.narrowed || fleet.may_pick(server);
            if may {
                return Some(server as usize);
            }
            if tries == 0 {
                return Some(fleet.eligible[draws.below(fleet.eligible.len())] as usize);
            }
        }
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        self.schedule.hear(fleet);
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

/// Turns stepped over at most for one pick.
pub(super) const STEPS: usize = 1024;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::policy::fixture::{Fleet, build, sequence};

    const FIRST: &str = "envoy-round-robin start=first";

    fn go_on(policy: &mut Box<dyn Policy>, fleet: &Fleet, n: u64) -> String {
        let letter = |i| {
            let draws = &mut Stream::new(1, 0, "policy").at(i);
            let server = policy.pick(&fleet.view(), &Job::default(), draws);
            char::from(b'a' + server.expect("a server") as u8)
        };
        (0..n).map(letter).collect()
    }

    fn weighted(weights: &[f64]) -> Fleet {
        Fleet {
            weights: weights.to_vec(),
            ..Fleet::of(weights.len())
        }
    }

    #[test]
    fn case_175_rr_two() {
        assert_eq!(sequence(FIRST, &[1.0, 1.0], 4), "abab");
    }

    #[test]
    fn case_177_rr_weights_12() {
        assert_eq!(sequence(FIRST, &[1.0, 2.0], 6), "babbab");
    }

    #[test]
    fn case_179_rr_weight_change() {
        let mut policy = build(FIRST);
        policy.on_fleet_changed(&weighted(&[1.0, 2.0]).view());
        assert_eq!(go_on(&mut policy, &weighted(&[1.0, 2.0]), 6), "babbab");
        let fleet = weighted(&[2.0, 1.0]);
        policy.on_fleet_changed(&fleet.view());
        assert_eq!(go_on(&mut policy, &fleet, 8), "baabaaba");
    }

    #[test]
    fn case_181_rr_hosts_replaced() {
        assert_eq!(sequence(FIRST, &[1.0, 4.0], 10), "bbbabbbbab");
    }

    /// Slow start is a factor of the weight: max((t / window)^(1 / aggression), least).
    #[test]
    fn cases_221_223_225_227_slow_start() {
        // 221 ss-12-of-60
        assert_eq!(sequence(FIRST, &[1.0, 0.2], 5), "aaaab");
        // 223 ss-over
        assert_eq!(sequence(FIRST, &[1.0, 1.0], 4), "abab");
        // 225 ss-aggression-2-26s
        let factor = libm::pow(26.0 / 60.0, 0.5);
        assert_eq!(sequence(FIRST, &[1.0, factor], 8), "abaababa");
        // 227 ss-min-35-30s
        assert_eq!(sequence(FIRST, &[1.0, 0.5], 7), "abaabaa");
    }

    #[test]
    fn the_start_is_drawn_and_turns_are_strict_from_there() {
        let mut starts = Vec::new();
        for number in 0..40 {
            let mut policy = build("envoy-round-robin");
            let fleet = Fleet::of(4);
            policy.on_fleet_changed(&fleet.view());
            let mut draws = Stream::new(1, 0, "policy").at(number);
            let mut pick = || policy.pick(&fleet.view(), &Job::default(), &mut draws);
            let first = pick().expect("a server");
            for turn in 1..9 {
                assert_eq!(pick(), Some((first + turn) % 4));
            }
            starts.push(first);
        }
        starts.sort_unstable();
        starts.dedup();
        assert_eq!(starts, [0, 1, 2, 3]);
    }

    #[test]
    fn a_try_kept_from_a_server_steps_over_it() {
        let mut policy = build(FIRST);
        let fleet = Fleet::of(3);
        policy.on_fleet_changed(&fleet.view());
        assert_eq!(go_on(&mut policy, &fleet, 1), "a");
        let rest = [0_u32, 2];
        let narrowed = FleetView {
            eligible: &rest,
            narrowed: true,
            ..fleet.view()
        };
        let draws = &mut Stream::new(1, 0, "policy").at(9);
        assert_eq!(policy.pick(&narrowed, &Job::default(), draws), Some(2));
        assert_eq!(go_on(&mut policy, &fleet, 2), "ab");
    }

    #[test]
    fn the_counter_goes_on_when_a_server_leaves() {
        let mut policy = build(FIRST);
        let mut fleet = Fleet::of(4);
        policy.on_fleet_changed(&fleet.view());
        assert_eq!(go_on(&mut policy, &fleet, 5), "abcda");
        fleet.eligible.remove(1);
        policy.on_fleet_changed(&fleet.view());
        // Turn 5 of three servers.
        assert_eq!(go_on(&mut policy, &fleet, 3), "dac");
    }
}
