//! `balance random(n)`: of n points of the ring the server with fewest attempts for its weight.
//!
//! Points are drawn anew each time, so that both may be the same server's, and servers have unequal parts of
//! the ring. If the chosen server has no place the request waits for whichever has one first, even where
//! another has one now. Of equals the one drawn last is taken; from 3.4 on the one with fewer attempts
//! within the last second.

use super::super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use super::cookie::with_cookies;
use super::ring::Ring;
use super::{COOKIE, is_full, usable};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

pub(in super::super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "haproxy-random",
        about: "Of a few random points of HAProxy's hash ring the server with fewest attempts relative to its weight; if it is at its limit the attempt waits in the backend's queue.",
        source: "HAProxy 2.6 to 3.4, balance random, src/backend.c and src/lb_chash.c",
        params: &[
            ParamDef {
                name: "draws",
                about: "How many points are drawn.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1000,
                    unit: "points",
                },
                default: Some("2"),
            },
            ParamDef {
                name: "ties",
                about: "Which of equals: the one drawn last, or the one with fewer attempts lately, as from HAProxy 3.4 on.",
                kind: ParamKind::Choice(&["latest", "rate"]),
                default: Some("latest"),
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
        let policy = Random {
            draws: params.integer("draws"),
            by_rate: params.choice("ties") == 1,
            ..Random::default()
        };
        with_cookies(params, Box::new(policy))
    },
};

#[derive(Clone, Debug, Default)]
struct Random {
    draws: u64,
    by_rate: bool,
    weights: Vec<u64>,
    ring: Ring,
    /// Attempts at each server lately, where they matter, and the time that was seen last.
    rates: Vec<Rate>,
    now: Instant,
}

/// Attempts in this second and the one before, by a clock of milliseconds.
#[derive(Clone, Copy, Debug, Default)]
struct Rate {
    began_ms: u64,
    present: u64,
    last: u64,
}

const SECOND_MS: u64 = 1000;

fn milliseconds(at: Instant) -> u64 {
    at.0 / 1_000_000
}

impl Rate {
    fn count(&mut self, now_ms: u64) {
        let elapsed = now_ms.saturating_sub(self.began_ms);
        if elapsed >= SECOND_MS {
            self.last = std::mem::take(&mut self.present);
            self.began_ms += SECOND_MS;
            if elapsed >= 2 * SECOND_MS {
                (self.last, self.began_ms) = (0, now_ms);
            }
        }
        self.present += 1;
    }

    /// This second's, and as much of the last one's as still lies within a second.
    fn read(&self, now_ms: u64) -> u64 {
        let elapsed = now_ms.saturating_sub(self.began_ms);
        let (present, last, left) = match elapsed {
            0..SECOND_MS => (self.present, self.last, SECOND_MS - elapsed),
            SECOND_MS..2_000 => (0, self.present, 2 * SECOND_MS - elapsed),
            _ => return 0,
        };
        if present == 0 && last <= 1 {
            // A lonely one does not fade, lest low rates flap.
            return last;
        }
        present + last * left / SECOND_MS
    }
}

impl Random {
    /// Of a server drawn before and one drawn now, that which is taken.
    fn better(&self, fleet: &FleetView<'_>, before: usize, now: usize) -> usize {
        let relative =
            |one: usize, other: usize| u64::from(fleet.in_flight[one]) * self.weights[other];
        let (of_now, of_before) = (relative(now, before), relative(before, now));
        let rate = |one: usize, other: usize| {
            let rate = self.rates[one].read(milliseconds(fleet.now));
            rate.saturating_mul(self.weights[other])
        };
        let worse = of_now > of_before
            || self.by_rate && of_now == of_before && rate(before, now) < rate(now, before);
        if worse { before } else { now }
    }
}

impl Policy for Random {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        self.now = fleet.now;
        let listed = |server: &usize| fleet.eligible.binary_search(&(*server as u32)).is_ok();
        let mut chosen = None;
        for _ in 0..self.draws {
            let hash = (draws.bits() >> 32) as u32;
            let now = self.ring.from(hash).find(listed)?;
            chosen = Some(match chosen {
                Some(before) if before != now => self.better(fleet, before, now),
                _ => now,
            });
        }
        chosen.filter(|&server| !is_full(fleet, server))
    }

    fn observes(&self) -> bool {
        self.by_rate
    }
    fn on_assigned(&mut self, server: usize, _: u32) {
        let now_ms = milliseconds(self.now);
        if let Some(rate) = self.rates.get_mut(server) {
            rate.count(now_ms);
        }
    }
    fn on_finished(&mut self, now: Instant, _: usize, _: u32, _: Outcome, _: Duration) {
        self.now = now;
    }

    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let weights = usable(fleet);
        self.rates.resize(weights.len(), Rate::default());
        if weights != self.weights {
            self.ring = Ring::new(&weights);
            self.weights = weights;
        }
    }

    fn shared_bytes(&self) -> usize {
        self.ring.bytes()
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
    use crate::time::{Duration, Instant};

    fn share_of_a(policy: &str, servers: usize, requests: u64) -> f64 {
        let mut proxy = Proxy::new(policy, &vec![1.0; servers]);
        let run = proxy.run(0, requests, false);
        run.matches('a').count() as f64 / requests as f64
    }

    #[test]
    fn one_draw_has_the_shares_of_the_ring_and_of_two_the_idler_is_taken() {
        // Case 121: the ring of two servers gives the first 0.43; a fair coin would not.
        let share = share_of_a("haproxy-random draws=1", 2, 40_000);
        assert!((share - 0.430).abs() < 0.01, "{share}");
        // Case 119: one after the other, the second draw decides; each has its part of the ring.
        let share = share_of_a("haproxy-random", 3, 20_000);
        assert!((share - 1.0 / 3.0).abs() < 0.06, "{share}");
        // Two draws with replacement leave the busier of two servers a quarter of all.
        let mut proxy = Proxy::new("haproxy-random", &[1.0; 2]);
        proxy.fleet.in_flight = vec![5, 0];
        let chosen = (0..40_000).filter(|_| proxy.choose(0, None) == Some(0));
        let share = chosen.count() as f64 / 40_000.0;
        assert!((share - 0.430 * 0.430).abs() < 0.01, "{share}");
    }

    #[test]
    fn a_full_choice_waits_though_another_has_a_place() {
        let mut proxy = Proxy::new("haproxy-random draws=1", &[1.0; 2]);
        proxy.limits = vec![1, 9];
        proxy.assign(0);
        let waits = (0..10_000).filter(|_| proxy.choose(0, None).is_none());
        let share = waits.count() as f64 / 10_000.0;
        assert!((share - 0.430).abs() < 0.02, "{share}");
        assert_eq!(proxy.choose(0, Some(&[1])), Some(1));
    }

    #[test]
    fn of_equals_the_latest_or_the_one_with_fewer_lately() {
        // Nothing is in flight ever: with rates the shares become even, without them they are the ring's.
        for (ties, apart, near) in [("latest", 0.05, 0.2), ("rate", 0.0, 0.02)] {
            let mut proxy = Proxy::new(&format!("haproxy-random ties={ties}"), &[1.0; 2]);
            let mut of_a = 0.0;
            for i in 0..10_000 {
                proxy.now = Instant::ZERO + Duration::from_millis(i);
                of_a += f64::from(u8::from(proxy.run(0, 1, false) == "a")) / 10_000.0;
            }
            let off = (of_a - 0.5).abs();
            assert!(off >= apart && off < near, "{ties}: {of_a}");
        }
    }
}
