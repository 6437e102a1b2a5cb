//! Smooth weighted round robin, as in nginx.
//!
//! On each pick every eligible server's credit grows by its weight; the server with most credit
//! (the first of equals) is taken and pays the total. Weights 5, 1, 1 give a a b a c a a: turns in
//! proportion to the weights, spread out instead of in bursts. Observes nothing but the weights,
//! so a wrong weight is followed faithfully. Costs a pass over the servers.
//!
//! Several instances start apart: each as if it had taken so many turns already. Each server then has had
//! its share of these turns, rounded down, and the largest remainders one more: what turns that are taken
//! one by one come to, but for a turn here and there, without taking them.

use super::{Farm, FleetView, Job, Policy, PolicyDef, START, no_conditions, starts_apart};
use crate::draws::Draws;
use crate::extension::ExtensionRow;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "weighted-round-robin",
        about: "Turns in proportion to the weights, smoothly interleaved; weight 0 gets nothing.",
        source: "nginx, ngx_http_upstream_round_robin.c (smooth weighted round robin, since 1.3.1)",
        params: &[START],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: true,
    build: |params| {
        Box::new(WeightedRoundRobin {
            credit: Vec::new(),
            apart: starts_apart(params),
            start: None,
        })
    },
};

#[derive(Clone, Debug)]
struct WeightedRoundRobin {
    /// Credit by server.
    credit: Vec<f64>,
    /// Whether it heeds where it is to start.
    apart: bool,
    /// Where it is still to start, as a share of [`TURNS`].
    start: Option<f64>,
}

/// An instance starts with at most so many turns behind it: more than a round of any fleet, so that every
/// place in a round is as likely as any other, and few enough to count them in floats.
const TURNS: f64 = 1_048_576.0;

impl WeightedRoundRobin {
    /// Credits as they are after so many turns.
    fn take_turns(&mut self, turns: f64, fleet: &FleetView<'_>) {
        let weighted = |&server: &u32| fleet.weights[server as usize] > 0.0;
        let mut servers: Vec<u32> = fleet.eligible.iter().copied().filter(weighted).collect();
        let total: f64 = servers.iter().map(|&s| fleet.weights[s as usize]).sum();
        let mut taken = 0.0;
        for &server in &servers {
            let weight = fleet.weights[server as usize];
            let had = (turns * weight / total).floor();
            self.credit[server as usize] = turns * weight - had * total;
            taken += had;
        }
        // The first of equals comes first, as in `pick`: the sort is stable.
        servers.sort_by(|&a, &b| self.credit[b as usize].total_cmp(&self.credit[a as usize]));
        for &server in servers.iter().take((turns - taken).max(0.0) as usize) {
            self.credit[server as usize] -= total;
        }
    }
}

impl Policy for WeightedRoundRobin {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, _: &mut Draws) -> Option<usize> {
        self.credit.resize(fleet.weights.len(), 0.0);
        let mut total = 0.0;
        let mut best: Option<usize> = None;
        for &server in fleet.eligible {
            let server = server as usize;
            let weight = fleet.weights[server];
            if weight <= 0.0 {
                continue;
            }
            self.credit[server] += weight;
            total += weight;
            if best.is_none_or(|best| self.credit[server] > self.credit[best]) {
                best = Some(server);
            }
        }
        self.credit[best?] -= total;
        best
    }
    fn start_apart(&mut self, share: f64) {
        self.start = self.apart.then_some(share);
    }
    fn awaits_start(&self) -> bool {
        self.start.is_some()
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let mut eligible = fleet.eligible.iter();
        if self.start.is_none() || !eligible.any(|&s| fleet.weights[s as usize] > 0.0) {
            return;
        }
        let share = self.start.take().unwrap_or(0.0);
        self.credit.resize(fleet.weights.len(), 0.0);
        // Who has had turns among these servers goes on with them.
        let mut eligible = fleet.eligible.iter();
        if eligible.all(|&server| self.credit[server as usize].abs() <= 0.0) {
            self.take_turns((share * TURNS).floor(), fleet);
        }
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::fixture::{Fleet, sequence, sequence_from};

    #[test]
    fn interleaves_like_nginx() {
        assert_eq!(
            sequence("weighted-round-robin", &[5.0, 1.0, 1.0], 14),
            "aabacaaaabacaa"
        );
        assert_eq!(
            sequence("weighted-round-robin", &[3.0, 2.0, 1.0], 6),
            "abacba"
        );
    }

    #[test]
    fn starts_as_if_so_many_turns_had_been_taken() {
        for weights in [vec![5.0, 1.0, 1.0], vec![3.0, 2.0, 1.0], vec![1.0; 10]] {
            let fleet = Fleet {
                weights: weights.clone(),
                ..Fleet::of(weights.len())
            };
            let long = sequence("weighted-round-robin", &weights, 60);
            for turns in 0..20 {
                let share = (turns as f64 + 0.5) / super::TURNS;
                assert_eq!(
                    sequence_from("weighted-round-robin", &fleet, Some(share), 40),
                    long[turns..turns + 40],
                    "{weights:?} after {turns}"
                );
            }
            let first = "weighted-round-robin start=first";
            assert_eq!(sequence_from(first, &fleet, Some(0.7), 40), long[..40]);
        }
    }

    #[test]
    fn wherever_it_starts_turns_are_in_proportion() {
        let weights = vec![0.3, 4.0, 0.0, 2.7, 3.0];
        let fleet = Fleet {
            eligible: vec![0, 2, 3, 4],
            weights,
            ..Fleet::of(5)
        };
        for share in [0.0, 0.123, 0.5, 0.99] {
            let turns = sequence_from("weighted-round-robin", &fleet, Some(share), 200);
            let of = |server: char| turns.chars().filter(|&other| other == server).count();
            let all = ['a', 'b', 'c', 'd', 'e'].map(of);
            let near: [(usize, usize); 3] = [(10, all[0]), (90, all[3]), (100, all[4])];
            assert!(
                near.iter().all(|&(due, had)| due.abs_diff(had) <= 1),
                "{all:?}"
            );
            assert_eq!((all[1], all[2]), (0, 0));
        }
    }
}
