//! Caddy's `random_choose`: of some that are drawn the one with fewest requests.
//!
//! The draw fills its places with the first servers, and each later one takes a random place or none. Of
//! equals the first place wins: of idle servers the first gets `choose / n`, and others of the first `choose` nothing.
//! That is how 2.11.7 was seen to choose; 2.6.2 was even.

use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "caddy-random-choose",
        about: "Of several servers that are drawn the one with fewest in flight, as Caddy's random_choose: of equals the first, which idle servers that come first in order profit by.",
        source: "Caddy 2.11.7, observed",
        params: &[ParamDef {
            name: "choose",
            about: "Servers that are drawn.",
            kind: ParamKind::Integer {
                min: 1,
                max: 1000,
                unit: "servers",
            },
            default: Some("2"),
        }],
    },
    farm: Farm::Unknown,
    follows_load: true,
    familiar: None,
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|params| {
        Box::new(RandomChoose {
            choose: params.integer("choose") as usize,
        })
    },
};

#[derive(Clone, Debug)]
struct RandomChoose {
    choose: usize,
}

impl Policy for RandomChoose {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        let places = self.choose.min(fleet.eligible.len());
        let mut chosen = fleet.eligible[..places].to_vec();
        for (i, &server) in fleet.eligible.iter().enumerate().skip(places) {
            let place = draws.below(i + 1);
            if place < places {
                chosen[place] = server;
            }
        }
        // Of equals `min_by_key` has the first.
        let least = (chosen.into_iter()).min_by_key(|&server| fleet.in_flight[server as usize]);
        least.map(|server| server as usize)
    }

    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{Fleet, pick, sequence};

    /// Shares of idle servers, of 400 requests on the program: 400/0, 275/0/125, 217/0/95/88, 315/0/0/85.
    #[test]
    fn the_first_servers_profit_and_the_second_gets_nothing() {
        for (policy, servers, chances) in [
            ("caddy-random-choose", 2, &[1.0, 0.0][..]),
            ("caddy-random-choose", 3, &[2.0 / 3.0, 0.0, 1.0 / 3.0]),
            ("caddy-random-choose", 4, &[0.5, 0.0, 0.25, 0.25]),
            ("caddy-random-choose choose=3", 4, &[0.75, 0.0, 0.0, 0.25]),
        ] {
            let n = 10_000;
            let picks = sequence(policy, &vec![1.0; servers], n);
            for (server, &chance) in ('a'..).zip(chances) {
                let share = picks.matches(server).count() as f64 / n as f64;
                let noise = 5.0 * (chance * (1.0 - chance) / n as f64).sqrt();
                assert!(
                    (share - chance).abs() <= noise,
                    "{policy} {servers} {server}: {share}"
                );
                // The neighbouring rule, two without an order, gives each the same.
                let even = 1.0 / servers as f64;
                let other = sequence("power-of-d", &vec![1.0; servers], n);
                let other = other.matches(server).count() as f64 / n as f64;
                assert!(
                    (other - even).abs() < 0.05 && (even - chance).abs() > noise
                        || chance.to_bits() == even.to_bits()
                );
            }
        }
    }

    #[test]
    fn fewest_requests_win() {
        let fleet = Fleet {
            in_flight: vec![3, 2],
            ..Fleet::of(2)
        };
        assert_eq!(pick("caddy-random-choose", &fleet), Some(1));
    }
}
