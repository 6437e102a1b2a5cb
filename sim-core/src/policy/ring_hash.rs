//! Consistent hashing: servers are points on a ring, and a key goes to the first point at or after
//! its hash.
//!
//! Each server has as many points as its weight says, at places that depend on nothing but its
//! name, the seed and the replication. A server that comes or goes therefore moves only the keys
//! that it gains or loses; a key whose server may not get traffic walks on, clockwise. With one
//! point each the shares are as uneven as random gaps; with k points their deviation shrinks like
//! 1/√k. One popular key is one hot server, unless `bound` caps what a server may hold: consistent hashing
//! with bounded loads. Costs a look into an index of the points and a walk past servers that are out or full.

use super::latest::Latest;
use super::least::is_plain;
use super::{Farm, FleetView, Job, Policy, PolicyDef};
use crate::draws::{Draws, Stream, mix};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};
use std::sync::Arc;

/// Most points on a ring; where weights ask for more, all get fewer in proportion, one at least.
const RING_MAX: f64 = 1_048_576.0;
/// Servers that an overflowing key looks at in an order of its own, before it walks on along the ring.
const TRIES: u64 = 64;
/// Smallest length of the ring that is no longer a number of 64 bits.
const LENGTH: f64 = 18_446_744_073_709_551_616.0;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "ring-hash",
        about: "Consistent hashing of the session key on a ring; a server that comes or goes moves only the keys it gains or loses. Weights are respected.",
        source: "Karger et al., \"Consistent hashing and random trees\", STOC 1997; Mirrokni, Thorup and Zadimoghaddam, \"Consistent hashing with bounded loads\", SODA 2018",
        params: &[
            ParamDef {
                name: "points",
                about: "Points on the ring for each unit of weight, one at least for any weight above zero; a ring holds at most 1048576, and beyond that every server gets fewer in proportion.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 100_000,
                    unit: "points",
                },
                default: Some("160"),
            },
            ParamDef {
                name: "bound",
                about: "No server is given more than so many times its share of the attempts in flight from this instance, rounded up; a key whose server is full walks on. 0 for no bound, else 1 or more.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1000.0,
                    unit: "",
                },
                default: Some("0"),
            },
            ParamDef {
                name: "overflow",
                about: "Where a key goes whose server is full: to the next on the ring that has room, whose own keys then overflow sooner, or through the servers in an order of its own.",
                kind: ParamKind::Choice(&["next", "shuffled"]),
                default: Some("next"),
            },
        ],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: |params| check(params),
    heeds_weights: true,
    by_weight: false,
    build: &|params| {
        Box::new(RingHash {
            points: params.integer("points"),
            bound: params.number("bound"),
            shuffled: params.choice("overflow") == 1,
            books: Books::default(),
            places: Arc::new([]),
            weights: Vec::new(),
            ring: Arc::default(),
            latest: Latest::default(),
        })
    },
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let bound = params.number("bound");
    if bound > 0.0 && bound < 1.0 {
        return Err(ParamProblem {
            param: "bound",
            message: format!(
                "a bound of {bound} leaves no room for all attempts; 0 for none, or 1 and more"
            ),
        });
    }
    Ok(())
}

#[derive(Clone, Debug)]
struct RingHash {
    points: u64,
    bound: f64,
    shuffled: bool,
    /// Where there is a bound.
    books: Books,
    /// Where each server's points come from.
    places: Arc<[Stream]>,
    /// Weights the ring was made for.
    weights: Vec<f64>,
    /// Shared by forks and by the instances of a service.
    ring: Arc<Ring>,
    latest: Latest<Ring>,
}

/// What a bound is made of: the attempts at all servers that may be picked, and their weights.
#[derive(Clone, Default, Debug)]
struct Books {
    /// Attempts at each server that counts.
    held: Vec<Option<u32>>,
    total: u64,
    weights: f64,
}

impl Books {
    fn of(fleet: &FleetView<'_>) -> Self {
        let mut books = Self {
            held: vec![None; fleet.weights.len()],
            ..Self::default()
        };
        for &server in fleet.eligible {
            books.count(fleet, server, true);
        }
        books
    }

    /// A server counts from now on, or does not.
    fn count(&mut self, fleet: &FleetView<'_>, server: u32, counts: bool) {
        let server = server as usize;
        let weight = fleet.weights[server];
        let held = (counts && weight > 0.0).then(|| fleet.in_flight[server]);
        let before = std::mem::replace(&mut self.held[server], held);
        if let Some(before) = before {
            self.total -= u64::from(before);
            self.weights -= weight;
        }
        if let Some(held) = held {
            self.total += u64::from(held);
            self.weights += weight;
        }
    }

    /// A server holds so many attempts.
    #[inline]
    fn hear(&mut self, server: usize, in_flight: u32) {
        if let Some(Some(held)) = self.held.get_mut(server) {
            self.total = self.total + u64::from(in_flight) - u64::from(*held);
            *held = in_flight;
        }
    }
}

/// Points in ascending order and the server of each.
#[derive(Default, Debug)]
struct Ring {
    points: Vec<u64>,
    servers: Vec<u32>,
    /// The first point of each part of the ring, of as many as there are points or more; and how far to shift a
    /// place to get its part.
    parts: Vec<u32>,
    shift: u32,
}

impl Ring {
    fn new(points: u64, weights: &[f64], places: &[Stream]) -> Self {
        let wanted: f64 = weights.iter().sum::<f64>() * points as f64;
        let per_weight = points as f64 * (RING_MAX / wanted).min(1.0);
        let mut all: Vec<(u64, u32)> = Vec::new();
        for (server, (weight, place)) in weights.iter().zip(places).enumerate() {
            if *weight > 0.0 {
                let count = (weight * per_weight).round().max(1.0) as u64;
                all.extend((0..count).map(|i| (place.at(i).bits(), server as u32)));
            }
        }
        all.sort_unstable();
        let (points, servers): (Vec<u64>, Vec<u32>) = all.into_iter().unzip();
        let parts = points.len().next_power_of_two().max(2);
        let shift = u64::BITS - parts.ilog2();
        let mut first = 0;
        let parts = (0..parts as u64).map(|part| {
            while points.get(first).is_some_and(|point| point >> shift < part) {
                first += 1;
            }
            first as u32
        });
        Self {
            parts: parts.collect(),
            shift,
            points,
            servers,
        }
    }

    /// Servers as met on the way round from a place, each as often as it has points.
    fn from(&self, place: u64) -> impl Iterator<Item = u32> {
        let mut first = self
            .parts
            .get((place >> self.shift) as usize)
            .map_or(0, |first| *first as usize);
        while self.points.get(first).is_some_and(|&point| point < place) {
            first += 1;
        }
        let count = self.servers.len();
        (first..first + count).map(move |at| {
            let at = if at < count { at } else { at - count };
            self.servers[at]
        })
    }

    /// The part of the ring that falls to each server.
    fn shares(&self, servers: usize) -> Vec<f64> {
        let mut shares = vec![0.0; servers];
        let mut before = self.points.last().copied().unwrap_or(0);
        for (&point, &server) in self.points.iter().zip(&self.servers) {
            // A lone point has the whole ring behind it.
            let length = match point.wrapping_sub(before) {
                0 if self.points.len() == 1 => LENGTH,
                length => length as f64,
            };
            shares[server as usize] += length / LENGTH;
            before = point;
        }
        shares
    }
}

/// Whether a server that holds so many may be given one more of `total`, which counts that one: whether they are
/// fewer than its share of the bound, rounded up.
fn is_below(held: u32, bound: f64, total: f64, share: f64) -> bool {
    // What rounding added must not make room for one more.
    f64::from(held) < bound * total * share * (1.0 - 1e-12)
}

impl Policy for RingHash {
    fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, _: &mut Draws) -> Option<usize> {
        let open = |server: u32| fleet.may_pick(server);
        let place = mix(job.key);
        let mut way = self.ring.from(place).filter(|&server| open(server));
        if self.bound <= 0.0 {
            return way.next().map(|server| server as usize);
        }
        let looked;
        let books = if is_plain(fleet) {
            &self.books
        } else {
            looked = Books::of(fleet);
            &looked
        };
        let total = books.total as f64 + 1.0;
        let has_room = |server: u32| {
            let weight = fleet.weights[server as usize];
            let held = fleet.in_flight[server as usize];
            weight > 0.0 && is_below(held, self.bound, total, weight / books.weights)
        };
        let own = way.next()?;
        if has_room(own) {
            return Some(own as usize);
        }
        if self.shuffled {
            let mut order = (1..=TRIES).map(|i| {
                let turn = mix(place.wrapping_add(i)) % fleet.eligible.len() as u64;
                fleet.eligible[turn as usize]
            });
            if let Some(server) = order.find(|&server| has_room(server)) {
                return Some(server as usize);
            }
        }
        way.find(|&server| has_room(server))
            .map(|server| server as usize)
    }

    fn observes(&self) -> bool {
        self.bound > 0.0
    }
    fn on_assigned(&mut self, server: usize, in_flight: u32) {
        self.books.hear(server, in_flight);
    }
    fn on_finished(&mut self, _: Instant, server: usize, in_flight: u32, _: Outcome, _: Duration) {
        self.books.hear(server, in_flight);
    }

    fn place_servers(&mut self, servers: usize, place: &dyn Fn(usize) -> Stream) {
        self.places = (0..servers).map(place).collect();
        self.weights.clear();
        self.latest = Latest::default();
    }

    fn on_eligible_changed(&mut self, fleet: &FleetView<'_>, changed: Option<&[u32]>) {
        // Places follow from weights.
        if self.bound <= 0.0 {
            return;
        }
        match changed {
            Some(changed) if self.books.held.len() == fleet.weights.len() => {
                for server in changed {
                    let counts = fleet.eligible.binary_search(server).is_ok();
                    self.books.count(fleet, *server, counts);
                }
            }
            _ => self.books = Books::of(fleet),
        }
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        if self.bound > 0.0 {
            self.books = Books::of(fleet);
        }
        if self.weights != fleet.weights {
            self.weights = fleet.weights.to_vec();
            let made = || Ring::new(self.points, &self.weights, &self.places);
            self.ring = self.latest.of(&self.weights, made);
        }
    }

    fn shared_bytes(&self) -> usize {
        self.ring.points.capacity() * size_of::<u64>()
            + self.ring.servers.capacity() * size_of::<u32>()
            + self.ring.parts.capacity() * size_of::<u32>()
    }

    fn key_shares(&self) -> Option<Vec<f64>> {
        Some(self.ring.shares(self.weights.len()))
    }

    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::fixture::{Fleet, build_for};
    use crate::statistics::Moments;

    fn pick(policy: &mut Box<dyn Policy>, fleet: &Fleet, key: u64) -> usize {
        let job = Job {
            key,
            ..Job::default()
        };
        let draws = &mut Stream::new(1, 0, "p").at(key);
        let server = policy.pick(&fleet.view(), &job, draws);
        server.expect("somebody is eligible")
    }

    /// A policy on idle servers of these weights, placed by a replication.
    fn ring(text: &str, weights: &[f64], replication: u64) -> (Box<dyn Policy>, Fleet) {
        let fleet = Fleet {
            weights: weights.to_vec(),
            ..Fleet::of(weights.len())
        };
        let mut policy = build_for(text, weights.len(), replication);
        policy.on_fleet_changed(&fleet.view());
        (policy, fleet)
    }

    #[test]
    fn the_shares_it_states_are_those_of_its_choices() {
        let weights = [1.0, 3.0, 0.0, 1.0];
        for points in [1, 40] {
            let (mut policy, fleet) = ring(&format!("ring-hash points={points}"), &weights, 0);
            let shares = policy.key_shares().expect("a ring");
            assert!((shares.iter().sum::<f64>() - 1.0).abs() < 1e-9);
            let mut picked = [0.0; 4];
            let keys = 200_000;
            for key in 0..keys {
                picked[pick(&mut policy, &fleet, key)] += 1.0 / keys as f64;
            }
            for (share, picked) in shares.iter().zip(picked) {
                let noise = 5.0 * (share * (1.0 - share) / keys as f64).sqrt();
                assert!((share - picked).abs() <= noise, "{shares:?} {picked}");
            }
        }
        let (policy, _) = ring("ring-hash points=1", &[1.0], 0);
        assert_eq!(policy.key_shares(), Some(vec![1.0]));
    }

    #[test]
    fn clones_share_one_ring_while_their_weights_are_equal() {
        let weights = |first| Fleet {
            weights: vec![first, 1.0],
            ..Fleet::of(2)
        };
        let mut one = RingHash {
            points: 100,
            bound: 0.0,
            shuffled: false,
            books: Books::default(),
            places: Arc::new([]),
            weights: Vec::new(),
            ring: Arc::default(),
            latest: Latest::default(),
        };
        one.place_servers(2, &|i| Stream::new(1, 0, &format!("ring/{i}")));
        let mut other = one.clone();
        for first in [1.0, 3.0] {
            let fleet = weights(first);
            one.on_fleet_changed(&fleet.view());
            assert!(!Arc::ptr_eq(&one.ring, &other.ring));
            other.on_fleet_changed(&fleet.view());
            assert!(Arc::ptr_eq(&one.ring, &other.ring));
            let alone = Ring::new(100, &fleet.weights, &one.places);
            assert_eq!(one.ring.points, alone.points);
            assert_eq!(one.ring.servers, alone.servers);
        }
        assert!(one.shared_bytes() >= 400 * (size_of::<u64>() + size_of::<u32>()));
        // What nobody holds any more is not kept, and other places are another ring.
        other.on_fleet_changed(&weights(1.0).view());
        other.place_servers(2, &|i| Stream::new(1, 1, &format!("ring/{i}")));
        other.on_fleet_changed(&weights(3.0).view());
        assert_ne!(one.ring.points, other.ring.points);
    }

    #[test]
    fn many_points_share_in_proportion_to_the_weights() {
        let (policy, _) = ring("ring-hash points=20000", &[1.0, 3.0], 0);
        let shares = policy.key_shares().expect("a ring");
        assert!((shares[1] - 0.75).abs() < 0.01, "{shares:?}");
    }

    #[test]
    fn a_ring_has_a_limit_and_leaves_nobody_out() {
        let (policy, _) = ring("ring-hash", &[1e9, 1e-9], 0);
        let shares = policy.key_shares().expect("a ring");
        assert!(shares[1] > 0.0 && shares[1] < 1e-4, "{shares:?}");
    }

    /// A new server takes 1/(n + 1) of the keys, and no key moves between old ones. Nor does one
    /// when a server goes: its keys walk on.
    #[test]
    fn a_server_that_comes_or_goes_moves_only_its_own_keys() {
        let n = 10;
        let mut moved = Vec::new();
        for replication in 0..400 {
            let (mut before, old) = ring("ring-hash points=1", &vec![1.0; n], replication);
            let (mut after, new) = ring("ring-hash points=1", &vec![1.0; n + 1], replication);
            let (mut all, mut without) = ring("ring-hash points=1", &vec![1.0; n + 1], replication);
            without.eligible.pop();
            all.on_fleet_changed(&without.view());
            let mut count = 0;
            for key in 0..1000 {
                let (was, is) = (pick(&mut before, &old, key), pick(&mut after, &new, key));
                assert!(is == was || is == n, "{key} moved from {was} to {is}");
                count += u32::from(is == n);
                assert_eq!(pick(&mut all, &without, key), was, "{key} after it went");
            }
            moved.push(f64::from(count) / 1000.0);
        }
        let moments = Moments::of(&moved);
        let (mean, se) = (moments.mean(), moments.standard_error());
        assert!((mean - 1.0 / 11.0).abs() < 4.0 * se, "{mean} ± {se}");
    }

    #[test]
    fn replications_place_the_ring_anew_and_weights_leave_other_points_alone() {
        let shares = |weights: &[f64], replication| {
            let (policy, _) = ring("ring-hash points=1", weights, replication);
            policy.key_shares().expect("a ring")
        };
        assert_eq!(shares(&[1.0; 4], 0), shares(&[1.0; 4], 0));
        assert_ne!(shares(&[1.0; 4], 0), shares(&[1.0; 4], 1));
        let (mut one, fleet) = ring("ring-hash points=4", &[1.0, 1.0, 1.0], 0);
        let (mut other, heavier) = ring("ring-hash points=4", &[1.0, 1.0, 2.0], 0);
        for key in 0..2000 {
            let (was, is) = (pick(&mut one, &fleet, key), pick(&mut other, &heavier, key));
            assert!(is == was || is == 2, "{key} moved from {was} to {is}");
        }
    }

    /// The promise of the paper, on every step: with m attempts in flight no server of n holds more
    /// than ⌈c m/n⌉ while attempts only come; when some leave, the one just chosen still does not.
    #[test]
    fn no_server_is_given_more_than_its_bound() {
        let weights = [1.0, 1.0, 2.0, 1.0, 5.0];
        let sum: f64 = weights.iter().sum();
        for (bound, overflow) in [
            (1.0, "next"),
            (1.25, "next"),
            (2.0, "next"),
            (1.25, "shuffled"),
        ] {
            let text = format!("ring-hash bound={bound} overflow={overflow}");
            let (mut policy, mut fleet) = ring(&text, &weights, 0);
            let mut draws = Stream::new(1, 0, "steps").at(0);
            for step in 0..3000 {
                let leaving = step >= 1000 && draws.chance(0.5);
                if leaving {
                    let server = draws.below(weights.len());
                    let left = fleet.in_flight[server].saturating_sub(1);
                    fleet.in_flight[server] = left;
                    let (now, outcome) = (Instant::ZERO, Outcome::Succeeded);
                    policy.on_finished(now, server, left, outcome, Duration(1));
                    continue;
                }
                // A few hot keys: without the bound they would pile up.
                let key = draws.bits() % 3;
                let chosen = pick(&mut policy, &fleet, key);
                let looked = FleetView {
                    narrowed: true,
                    ..fleet.view()
                };
                let job = Job {
                    key,
                    ..Job::default()
                };
                let by_look = policy.pick(&looked, &job, &mut draws.clone());
                assert_eq!(by_look, Some(chosen), "step {step}");
                fleet.in_flight[chosen] += 1;
                policy.on_assigned(chosen, fleet.in_flight[chosen]);
                let total = f64::from(fleet.in_flight.iter().sum::<u32>());
                for (server, weight) in weights.iter().enumerate() {
                    let most = bound * total * weight / sum;
                    let holds = f64::from(fleet.in_flight[server]);
                    assert!(
                        holds < most + 1.0 || (step >= 1000 && server != chosen),
                        "step {step}: {:?}",
                        fleet.in_flight
                    );
                }
            }
        }
    }

    #[test]
    fn a_bound_of_one_makes_full_servers_overflow_in_turn() {
        let (mut policy, mut fleet) = ring("ring-hash bound=1", &[1.0; 4], 0);
        for _ in 0..8 {
            let chosen = pick(&mut policy, &fleet, 7);
            fleet.in_flight[chosen] += 1;
            policy.on_assigned(chosen, fleet.in_flight[chosen]);
        }
        assert_eq!(fleet.in_flight, [2; 4]);
    }

    /// One key beyond its server's room goes on to the next of the ring, and many keys of one server to one; or each its own way.
    #[test]
    fn keys_of_a_full_server_go_to_its_neighbour_or_to_everybody() {
        for (overflow, few) in [("next", true), ("shuffled", false)] {
            let text = format!("ring-hash points=1 bound=2 overflow={overflow}");
            let (mut policy, mut fleet) = ring(&text, &[1.0; 20], 0);
            let all = |policy: &mut Box<dyn Policy>, fleet: &Fleet| -> Vec<usize> {
                (0..2000).map(|key| pick(policy, fleet, key)).collect()
            };
            let before = all(&mut policy, &fleet);
            fleet.in_flight[3] = 9;
            policy.on_fleet_changed(&fleet.view());
            let after = all(&mut policy, &fleet);
            let moved = before.iter().zip(&after).filter(|(was, is)| was != is);
            let mut to: Vec<_> = moved.map(|(was, is)| (*was, *is)).collect();
            assert!(!to.is_empty() && to.iter().all(|(was, _)| *was == 3));
            to.sort_unstable();
            to.dedup();
            assert_eq!(to.len() == 1, few, "{to:?}");
        }
    }

    #[test]
    fn bounds_between_zero_and_one_are_refused() {
        use crate::extension::{Def, ParamValue};
        let params = |bound| {
            Params::new(vec![
                ("points", ParamValue::Integer(1)),
                ("bound", ParamValue::Number(bound)),
                ("overflow", ParamValue::Choice(0)),
            ])
        };
        assert!(POLICY.check(&params(0.5)).is_err());
        assert!(POLICY.check(&params(0.0)).is_ok() && POLICY.check(&params(1.0)).is_ok());
    }
}
