//! `balance leastconn`: the server with fewest attempts for its weight, an idle one before any other.
//!
//! Attempts that wait for a server count as if they were there. The cost is a whole number, as in the
//! program, so that close ones are equal. Of equals it is that whose count changed longest ago, so that
//! idle servers take turns; from 3.2 on a random one.

use super::super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use super::cookie::with_cookies;
use super::{COOKIE, HEAVIEST, usable};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

pub(in super::super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "haproxy-leastconn",
        about: "The server with fewest attempts relative to its weight, those that wait for it included; an idle one comes before all others whatever its weight.",
        source: "HAProxy 2.6 to 3.4, balance leastconn, src/lb_fwlc.c",
        params: &[
            ParamDef {
                name: "ties",
                about: "Which of equals: the one whose count changed longest ago, as before HAProxy 3.2, or a random one.",
                kind: ParamKind::Choice(&["in-turn", "random"]),
                default: Some("in-turn"),
            },
            COOKIE,
        ],
    },
    farm: Farm::Unknown,
    follows_load: true,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: false,
    build: &|params| {
        let policy = Leastconn {
            random_ties: params.choice("ties") == 1,
            ..Leastconn::default()
        };
        with_cookies(params, Box::new(policy))
    },
};

#[derive(Clone, Debug, Default)]
struct Leastconn {
    random_ties: bool,
    weights: Vec<u64>,
    /// When each server's place in the order of equals was given to it.
    placed: Vec<u64>,
    places: u64,
}

impl Leastconn {
    /// A server comes behind its equals.
    fn place(&mut self, server: usize) {
        if let Some(placed) = self.placed.get_mut(server) {
            self.places += 1;
            *placed = self.places;
        }
    }

    /// What a server costs that may be picked.
    fn cost(&self, fleet: &FleetView<'_>, server: usize) -> Option<u64> {
        let lines = &fleet.lines;
        let there = u64::from(fleet.in_flight[server]) + u64::from(lines.bound_to(server));
        let room = u64::from(lines.limit(server)) + u64::from(lines.bound_limit(server));
        let weight = self.weights[server];
        let costs = match there {
            0 => 0,
            some => (some + 1) * HEAVIEST / weight.max(1),
        };
        (weight > 0 && there < room).then_some(costs)
    }
}

impl Policy for Leastconn {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        let costs = || {
            let servers = fleet.eligible.iter().map(|&server| server as usize);
            servers.filter_map(|server| Some((self.cost(fleet, server)?, server)))
        };
        if !self.random_ties {
            let first = costs().min_by_key(|&(cost, server)| (cost, self.placed[server]));
            return first.map(|(_, server)| server);
        }
        let least = costs().map(|(cost, _)| cost).min()?;
        let equals = || costs().filter(|&(cost, _)| cost == least);
        let rank = draws.below(equals().count());
        equals().nth(rank).map(|(_, server)| server)
    }

    fn observes(&self) -> bool {
        !self.random_ties
    }
    fn on_assigned(&mut self, server: usize, _: u32) {
        self.place(server);
    }
    fn on_finished(&mut self, _: Instant, server: usize, _: u32, _: Outcome, _: Duration) {
        self.place(server);
    }

    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let weights = usable(fleet);
        self.placed.resize(weights.len(), 0);
        let before = std::mem::replace(&mut self.weights, weights);
        for server in 0..self.weights.len() {
            if before.get(server) != Some(&self.weights[server]) {
                self.place(server);
            }
        }
    }

    fn sees_full(&self) -> bool {
        true
    }

    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Proxy;

    #[test]
    fn idle_servers_take_turns_and_busy_ones_are_weighed() {
        // Case 115, section 6 of lb_semantics, and measurement A11.
        let held = |weights: &[f64], n| Proxy::new("haproxy-leastconn", weights).run(0, n, true);
        let serial = |weights: &[f64], n| Proxy::new("haproxy-leastconn", weights).run(0, n, false);
        assert_eq!(held(&[2.0, 1.0], 9), "abaabaaba");
        assert_eq!(held(&[5.0, 1.0, 1.0], 14), "abcaaaaaaaabca");
        assert_eq!(held(&[1.0; 3], 9), "abcabcabc");
        assert_eq!(serial(&[5.0, 1.0, 1.0], 6), "abcabc");
        assert_eq!(serial(&[1.0; 3], 9), "abcabcabc");
        assert_eq!(serial(&[3.0, 1.0], 6), "ababab");
    }

    #[test]
    fn random_ties_keep_levels_even_and_know_no_turns() {
        let mut proxy = Proxy::new("haproxy-leastconn ties=random", &[3.0, 1.0]);
        let idle = proxy.run(0, 1000, false);
        let of_a = idle.matches('a').count();
        // Four standard deviations of a fair coin are 63.
        assert!((437..=563).contains(&of_a), "{of_a}");
        assert!(idle.contains("aa") && idle.contains("bb"));
        let mut proxy = Proxy::new("haproxy-leastconn ties=random", &[1.0; 3]);
        proxy.run(0, 9, true);
        assert_eq!(proxy.fleet.in_flight, [3; 3]);
    }

    #[test]
    fn those_that_wait_for_a_server_count_and_lines_have_an_end() {
        let mut proxy = Proxy::new("haproxy-leastconn", &[1.0; 2]);
        proxy.limits = vec![1; 2];
        assert_eq!(proxy.run(0, 3, true), "ab-");
        proxy.bound_limit = 1;
        assert_eq!(proxy.choose(0, None), Some(0));
        proxy.bound[0] = 1;
        assert_eq!(proxy.choose(0, None), Some(1));
        proxy.bound[1] = 1;
        assert_eq!(proxy.choose(0, None), None);
    }
}
