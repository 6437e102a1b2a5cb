//! Envoy's `RING_HASH`: a ring of which each server has its share of the points, in turn.
//!
//! The ring is made of the servers that may be picked, anew when they change. Its size follows from `minimum_ring_size`, raised
//! until the lightest server has a whole number of points, and cut to `maximum_ring_size`, where some servers may come away with none.
//! Servers take points in their order until the sum of their shares is reached. Where points lie follows from names here, and from
//! addresses in Envoy. With `hash_balance_factor` a server that has more than so many percent of its share of all
//! attempts in flight is passed over, for others in an order that follows from the key, and not for its neighbours on the ring.

use super::latest::Latest;
use super::{Farm, FleetView, Job, Policy, PolicyDef};
use crate::draws::{Draws, Stream, mix};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use std::sync::Arc;

/// Largest ring that Envoy allows.
const RING_MAX: u64 = 8_388_608;

/// How much more than its share a server may hold.
pub(super) const BALANCE: ParamDef = ParamDef {
    name: "hash_balance_factor",
    about: "A server that holds more than so many percent of its share of the attempts in flight is passed over for others, in an order that follows from the key; 0: none is, else 100 or more.",
    kind: ParamKind::Number {
        min: 0.0,
        max: 1_000_000.0,
        unit: "%",
    },
    default: Some("0"),
};

/// Nobody can hold less than its share.
pub(super) fn check_balance(params: &Params) -> Result<(), ParamProblem> {
    let factor = params.number(BALANCE.name);
    if factor > 0.0 && factor < 100.0 {
        return Err(ParamProblem {
            param: BALANCE.name,
            message: format!("{factor} leaves no room for all; 0 for none, or 100 and more"),
        });
    }
    Ok(())
}

const SIZE: ParamKind = ParamKind::Integer {
    min: 1,
    max: RING_MAX,
    unit: "points",
};

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "envoy-ring-hash",
        about: "Envoy's RING_HASH: a ring of a given size, shared by weight, with a bound on loads if wanted.",
        source: "Envoy 1.40, ring_hash_lb.cc, thread_aware_lb_impl.cc; gRPC's ring_hash is the same with a largest ring of 4096",
        params: &[
            ParamDef {
                name: "minimum_ring_size",
                about: "Points there are at least.",
                kind: SIZE,
                default: Some("1024"),
            },
            ParamDef {
                name: "maximum_ring_size",
                about: "Points there are at most.",
                kind: SIZE,
                default: Some("8388608"),
            },
            BALANCE,
        ],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check,
    heeds_weights: true,
    by_weight: false,
    build: &|params| {
        Box::new(EnvoyRingHash {
            least: params.integer("minimum_ring_size"),
            most: params.integer("maximum_ring_size"),
            balance: params.number(BALANCE.name) / 100.0,
            places: Arc::new([]),
            weights: Vec::new(),
            stale: true,
            ring: Arc::default(),
            latest: Latest::default(),
        })
    },
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let [least, most] = ["minimum_ring_size", "maximum_ring_size"].map(|n| params.integer(n));
    if least > most {
        return Err(ParamProblem {
            param: "minimum_ring_size",
            message: format!("{least} is above maximum_ring_size = {most}: Envoy refuses it"),
        });
    }
    check_balance(params)
}

#[derive(Clone, Debug)]
struct EnvoyRingHash {
    least: u64,
    most: u64,
    balance: f64,
    places: Arc<[Stream]>,
    /// Weights the ring was made of, nothing for servers left out.
    weights: Vec<f64>,
    stale: bool,
    /// Points in ascending order, with the server of each.
    ring: Arc<Vec<(u64, u32)>>,
    latest: Latest<Vec<(u64, u32)>>,
}

/// Points of servers of these weights: how many each has.
fn counts(least: u64, most: u64, weights: &[f64]) -> Vec<u64> {
    let total: f64 = weights.iter().sum();
    let lightest = weights.iter().copied().filter(|weight| *weight > 0.0);
    let lightest = lightest.fold(f64::INFINITY, f64::min) / total;
    let whole = libm::ceil(lightest * least as f64) / lightest;
    let scale = whole.min(most as f64);
    let (mut current, mut target) = (0.0, 0.0);
    let count = |weight: &f64| {
        target += scale * (weight / total);
        let mut count = 0;
        while current < target && *weight > 0.0 {
            current += 1.0;
            count += 1;
        }
        count
    };
    weights.iter().map(count).collect()
}

/// The ring, with the place of each server's n-th point.
fn ring(
    least: u64,
    most: u64,
    weights: &[f64],
    place: impl Fn(usize, u64) -> u64,
) -> Vec<(u64, u32)> {
    let mut points = Vec::new();
    if weights.iter().any(|weight| *weight > 0.0) {
        for (server, count) in counts(least, most, weights).into_iter().enumerate() {
            points.extend((0..count).map(|i| (place(server, i), server as u32)));
        }
    }
    points.sort_unstable();
    points
}

/// Weights of the servers that may be picked, and nothing for the others.
pub(super) fn open_weights(fleet: &FleetView<'_>) -> Vec<f64> {
    let mut weights = vec![0.0; fleet.weights.len()];
    for &server in fleet.eligible {
        weights[server as usize] = fleet.weights[server as usize];
    }
    weights
}

/// Attempts in flight at a server, as a part of those it may have.
fn load(fleet: &FleetView<'_>, all: u64, balance: f64, share: f64, server: usize) -> f64 {
    let total = libm::ceil((all + 1) as f64 * balance * (1.0 - 1e-12));
    let slots = libm::ceil(total * share * (1.0 - 1e-12)).max(1.0);
    f64::from(fleet.in_flight[server]) / slots
}

/// Where an attempt goes whose own server may have too much: the first in the order that has not, or
/// who has least.
pub(super) fn bounded(
    fleet: &FleetView<'_>,
    balance: f64,
    weights: &[f64],
    own: u32,
    order: impl Iterator<Item = u32>,
) -> u32 {
    let all: u64 = fleet.in_flight.iter().map(|&n| u64::from(n)).sum();
    let total: f64 = weights.iter().sum();
    let load = |server: u32| {
        let share = weights[server as usize] / total;
        load(fleet, all, balance, share, server as usize)
    };
    let mut best = (own, load(own));
    if best.1 <= 1.0 {
        return own;
    }
    for other in order.filter(|server| *server != own) {
        let load = load(other);
        if load <= 1.0 {
            return other;
        }
        if load < best.1 {
            best = (other, load);
        }
    }
    best.0
}

/// The servers with a weight, in an order that follows from a hash.
pub(super) fn shuffled(weights: &[f64], hash: u64) -> impl Iterator<Item = u32> {
    let all = weights
        .iter()
        .enumerate()
        .filter(|(_, weight)| **weight > 0.0);
    let mut left: Vec<u32> = all.map(|(server, _)| server as u32).collect();
    let mut draws = Stream::new(hash, 0, "overflow").at(0);
    std::iter::from_fn(move || {
        let next = (!left.is_empty()).then(|| draws.below(left.len()))?;
        Some(left.swap_remove(next))
    })
}

impl Policy for EnvoyRingHash {
    fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, _: &mut Draws) -> Option<usize> {
        if self.stale && (!fleet.narrowed || self.ring.is_empty()) {
            self.stale = false;
            let weights = open_weights(fleet);
            if weights != self.weights {
                let places = &self.places;
                let place = |server: usize, i: u64| places[server].at(i).bits();
                let made = || ring(self.least, self.most, &weights, place);
                self.ring = self.latest.of(&weights, made);
                self.weights = weights;
            }
        }
        let hash = mix(job.key);
        let first = self.ring.partition_point(|(point, _)| *point < hash);
        let (before, after) = self.ring.split_at(first);
        let mut way = after.iter().chain(before).map(|(_, server)| *server);
        let open = |server: &u32| fleet.eligible.binary_search(server).is_ok();
        let own = way.find(open)?;
        if self.balance <= 0.0 {
            return Some(own as usize);
        }
        let order = shuffled(&self.weights, hash).filter(open);
        Some(bounded(fleet, self.balance, &self.weights, own, order) as usize)
    }
    fn place_servers(&mut self, servers: usize, place: &dyn Fn(usize) -> Stream) {
        self.places = (0..servers).map(place).collect();
        self.weights.clear();
        self.latest = Latest::default();
    }
    fn on_fleet_changed(&mut self, _: &FleetView<'_>) {
        self.stale = true;
    }
    fn shared_bytes(&self) -> usize {
        self.ring.len() * size_of::<(u64, u32)>()
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixture::{Fleet, build_for};
    use crate::policy::xxhash::xxhash64;

    /// The ring of servers at ports 90, 91 … of 127.0.0.1, as Envoy hashes them.
    fn of_addresses(least: u64, most: u64, weights: &[f64]) -> Vec<(u64, u32)> {
        ring(least, most, weights, |server, i| {
            let key = format!("127.0.0.1:{}_{i}", 90 + server);
            xxhash64(key.as_bytes(), 0)
        })
    }

    fn entries(ring: &[(u64, u32)], servers: usize) -> Vec<usize> {
        let of = |server| ring.iter().filter(|point| point.1 == server as u32).count();
        (0..servers).map(of).collect()
    }

    #[test]
    fn case_233_ring_uneven() {
        assert_eq!(counts(3, RING_MAX, &[1.0, 1.0]), [2, 2]);
    }

    #[test]
    fn case_235_ring_weights_large() {
        let ring = of_addresses(6144, RING_MAX, &[1.0, 2.0, 3.0]);
        assert_eq!(entries(&ring, 3), [1024, 2048, 3072]);
        let mut picked = [0; 3];
        for i in 0..6000 {
            let hash = i * (u64::MAX / 6000);
            let place = ring.partition_point(|(point, _)| *point < hash);
            picked[ring[place % ring.len()].1 as usize] += 1;
        }
        assert_eq!(picked, [987, 1932, 3081]);
    }

    #[test]
    fn case_237_ring_too_small() {
        let counts = counts(2, 2, &[1.0; 4]);
        assert_eq!(counts.iter().filter(|count| **count == 0).count(), 2);
        assert_eq!(counts.iter().sum::<u64>(), 2);
    }

    #[test]
    fn case_243_bounded_several() {
        let fleet = Fleet {
            in_flight: vec![9, 9, 9, 0, 0],
            ..Fleet::of(5)
        };
        let order = [2, 1, 0, 4, 3].into_iter();
        assert_eq!(bounded(&fleet.view(), 1.0, &[1.0; 5], 2, order), 4);
    }

    #[test]
    fn where_all_have_too_much_the_least_overloaded_gets_it() {
        let fleet = Fleet {
            in_flight: vec![4, 3, 4],
            ..Fleet::of(3)
        };
        // A share of a thousandth is a slot, and all of them hold more.
        let weights = [1.0, 1.0, 2000.0];
        let mut view = fleet.view();
        view.in_flight = &[4, 3, 4000];
        assert_eq!(bounded(&view, 1.0, &weights, 0, [2, 1, 0].into_iter()), 2);
        view.in_flight = &[4, 3, 40_000];
        assert_eq!(bounded(&view, 0.01, &weights, 0, [2, 1, 0].into_iter()), 1);
    }

    #[test]
    fn a_key_stays_unless_its_server_goes_or_holds_too_much() {
        for text in ["envoy-ring-hash", "envoy-ring-hash hash_balance_factor=120"] {
            let mut policy = build_for(text, 8, 0);
            let mut fleet = Fleet::of(8);
            policy.on_fleet_changed(&fleet.view());
            let mut pick = |fleet: &Fleet, key| {
                let job = Job {
                    key,
                    ..Job::default()
                };
                policy.pick(&fleet.view(), &job, &mut Stream::new(1, 0, "p").at(key))
            };
            let before: Vec<_> = (0..500).map(|key| pick(&fleet, key)).collect();
            assert_eq!(
                before,
                (0..500).map(|key| pick(&fleet, key)).collect::<Vec<_>>()
            );
            fleet.in_flight[3] = 50;
            let after: Vec<_> = (0..500).map(|key| pick(&fleet, key)).collect();
            let moved = before.iter().zip(&after).filter(|(was, is)| was != is);
            let moved: Vec<_> = moved.collect();
            assert!(moved.iter().all(|(was, _)| **was == Some(3)));
            assert_eq!(moved.is_empty(), text == "envoy-ring-hash");
            let mut to: Vec<_> = moved.iter().map(|(_, is)| **is).collect();
            to.sort_unstable();
            to.dedup();
            assert!(to.is_empty() || to.len() == 7, "{to:?}");
        }
    }
}
