//! Rendezvous hashing: every server draws a number for the key, and the highest wins.
//!
//! A server that goes moves its own keys only, which spread over all others in proportion to their weights; one that
//! comes takes its share from all. Shares are exact, without the points of a ring; the cost is a number for
//! each eligible server. Weights make the numbers exponential races: the server with the earliest of
//! exponential times with rates equal to the weights wins, which leaves races between others as they were when one weight changes.

use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::{Draws, Stream};
use crate::extension::ExtensionRow;
use std::cmp::Reverse;
use std::sync::Arc;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "rendezvous",
        about: "The eligible server whose number for the key is highest, each server's chance being its weight; a server that comes or goes moves its own keys only.",
        source: "Thaler and Ravishankar, \"Using name-based mappings to increase hit rates\", IEEE/ACM ToN 6(1), 1998; weights as in Schindler and Schomaker, 2005",
        params: &[],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: false,
    build: &|_| {
        Box::new(Rendezvous {
            places: Arc::new([]),
            weights: Vec::new(),
            even: false,
        })
    },
};

#[derive(Clone, Debug)]
struct Rendezvous {
    /// Where each server's numbers come from.
    places: Arc<[Stream]>,
    weights: Vec<f64>,
    /// Whether all have the same weight: then numbers are compared as they are.
    even: bool,
}

impl Rendezvous {
    fn number(&self, server: u32, key: u64) -> Draws {
        self.places[server as usize].at(key)
    }

    /// When a server of some weight comes in: the same order as of numbers where weights are equal.
    fn time(&self, server: u32, key: u64, weight: f64) -> f64 {
        -libm::log(self.number(server, key).uniform_positive()) / weight
    }
}

impl Policy for Rendezvous {
    fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, _: &mut Draws) -> Option<usize> {
        let servers = fleet.eligible.iter().copied();
        let winner = if self.even {
            servers.min_by_key(|&server| {
                Reverse(self.number(server, job.key).uniform_positive().to_bits())
            })
        } else {
            let weighted = servers.filter_map(|server| {
                let weight = fleet.weights[server as usize];
                (weight > 0.0).then(|| (self.time(server, job.key, weight), server))
            });
            let first = weighted.min_by(|(one, _), (other, _)| one.total_cmp(other));
            first.map(|(_, server)| server)
        };
        winner.map(|server| server as usize)
    }
    fn place_servers(&mut self, servers: usize, place: &dyn Fn(usize) -> Stream) {
        self.places = (0..servers).map(place).collect();
    }
    fn on_eligible_changed(&mut self, _: &FleetView<'_>, _: Option<&[u32]>) {
        // Numbers follow from keys and names.
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let first = fleet.weights.first().copied().unwrap_or_default();
        self.even = first > 0.0 && fleet.weights.iter().all(|w| w.to_bits() == first.to_bits());
        self.weights.clear();
        self.weights.extend_from_slice(fleet.weights);
    }
    fn key_shares(&self) -> Option<Vec<f64>> {
        let sum: f64 = self.weights.iter().sum();
        (sum > 0.0).then(|| self.weights.iter().map(|weight| weight / sum).collect())
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixture::{Fleet, build_for};

    const KEYS: u64 = 20_000;

    fn choices(weights: &[f64], without: Option<u32>, replication: u64) -> Vec<usize> {
        let mut fleet = Fleet {
            weights: weights.to_vec(),
            ..Fleet::of(weights.len())
        };
        let mut policy = build_for("rendezvous", weights.len(), replication);
        policy.on_fleet_changed(&fleet.view());
        fleet.eligible.retain(|server| Some(*server) != without);
        policy.on_eligible_changed(&fleet.view(), None);
        let mut pick = |key| {
            let job = Job {
                key,
                ..Job::default()
            };
            policy.pick(&fleet.view(), &job, &mut Stream::new(1, 0, "p").at(key))
        };
        (0..KEYS).map(|key| pick(key).expect("a server")).collect()
    }

    /// Shares of keys within five standard deviations of those of the weights.
    fn assert_shares(choices: &[usize], shares: &[f64]) {
        for (server, share) in shares.iter().enumerate() {
            let got = choices.iter().filter(|&&choice| choice == server).count();
            let n = choices.len() as f64;
            let noise = 5.0 * (share * (1.0 - share) * n).sqrt();
            assert!((got as f64 - share * n).abs() <= noise, "{server}: {got}");
        }
    }

    #[test]
    fn shares_are_the_weights() {
        assert_shares(&choices(&[1.0; 5], None, 0), &[0.2; 5]);
        assert_shares(
            &choices(&[1.0, 0.0, 3.0, 4.0], None, 0),
            &[0.125, 0.0, 0.375, 0.5],
        );
    }

    #[test]
    fn who_goes_moves_its_own_keys_to_all_others_by_weight() {
        let weights = [2.0, 1.0, 1.0, 4.0];
        let (before, after) = (choices(&weights, None, 0), choices(&weights, Some(3), 0));
        let mut moved = Vec::new();
        for (was, is) in before.iter().zip(&after) {
            if *was == 3 {
                moved.push(*is);
            } else {
                assert_eq!(was, is);
            }
        }
        assert_shares(&moved, &[0.5, 0.25, 0.25]);
    }

    #[test]
    fn a_heavier_server_takes_from_others_and_nobody_else_does() {
        let (before, after) = (
            choices(&[1.0; 4], None, 0),
            choices(&[1.0, 1.0, 2.0, 1.0], None, 0),
        );
        let moved = before.iter().zip(&after).filter(|(was, is)| was != is);
        let moved: Vec<_> = moved.collect();
        assert!(moved.iter().all(|(_, is)| **is == 2));
        // From 1/4 to 2/5 of the keys, within five standard deviations.
        let share = moved.len() as f64 / KEYS as f64;
        assert!(
            (share - 0.15).abs() < 5.0 * (0.15 * 0.85 / KEYS as f64).sqrt(),
            "{share}"
        );
        assert_ne!(
            before,
            choices(&[1.0; 4], None, 1),
            "replications draw anew"
        );
    }
}
