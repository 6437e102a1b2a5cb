//! Prequal: probes that answer before they are needed, and a choice that avoids the hot and takes the quick.
//!
//! With each request a few servers are probed at random; what they say of requests in flight and of their latency goes into
//! a pool, for requests to come. A probe is hot whose requests in flight are above a quantile of what was heard lately. While
//! any is cold the one of least latency is taken, else the one with fewest in flight. Probes are used a few times,
//! grow old, and are taken away one by one, in turns the oldest and the worst: otherwise the pool would be left with those that
//! nobody wants. Where the pool has fewer than two the server is a random one.
//!
//! A server says as its latency the median of its last answers to requests that met about as many there as it has now. Probes are answered
//! at once. A probe that is used counts one more in flight; a new one of the same server takes its place.

use super::power_of_d::nth_absent;
use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::{Duration, Instant};
use std::hint::select_unpredictable;

/// Most probes that may be sent with a request: their places live in an array on the stack.
const PROBES_MAX: usize = 16;
/// Loads heard last that make up the distribution whose quantile is hot.
const HEARD: usize = 32;
/// After so many choices the quantile is worked out anew.
const ANEW: u32 = 8;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "prequal",
        about: "Probes servers at random ahead of need, and takes the quickest of those in the pool that are not hot, else the least loaded; weights are ignored.",
        source: "Wydrowski et al., \"Load is not what you should balance: introducing Prequal\", NSDI 2024, sections 4.1 to 4.3",
        params: &[
            ParamDef {
                name: "pool",
                about: "Most probes that are kept; the oldest goes for one more.",
                kind: ParamKind::Integer {
                    min: 2,
                    max: 256,
                    unit: "probes",
                },
                default: Some("16"),
            },
            ParamDef {
                name: "probes",
                about: "Probes sent with each request, of distinct servers; a fraction is rounded at random.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: PROBES_MAX as f64,
                    unit: "probes",
                },
                default: Some("3"),
            },
            ParamDef {
                name: "remove",
                about: "Probes taken away with each request, in turns the oldest and the worst; a fraction is rounded at random.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: PROBES_MAX as f64,
                    unit: "probes",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "quantile",
                about: "A probe is hot that has more requests in flight than this share of those heard lately; 0: only those with the fewest are cold, 1: nobody is hot.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1.0,
                    unit: "",
                },
                default: Some("0.84"),
            },
            ParamDef {
                name: "age",
                about: "A probe that is older is not used.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("1s"),
            },
            ParamDef {
                name: "delta",
                about: "How fast a pool would fill up if probes were not used up, net and for each request; the larger, the more often a probe is used.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "probes",
                },
                default: Some("1"),
            },
        ],
    },
    farm: Farm::Unknown,
    follows_load: true,
    familiar: None,
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|params| {
        Box::new(Prequal {
            room: params.integer("pool") as usize,
            probes: Share::of(params.number("probes")),
            remove: Share::of(params.number("remove")),
            quantile: params.number("quantile"),
            age_ns: params.span("age").0,
            delta: params.number("delta"),
            pool: Pool::default(),
            worst_next: false,
            heard: [0; HEARD],
            count: 0,
            hot_above: u32::MAX,
            until_anew: 0,
            uses: (0, Share::of(1.0)),
        })
    },
};

#[derive(Clone, Debug)]
struct Prequal {
    room: usize,
    probes: Share,
    remove: Share,
    quantile: f64,
    age_ns: u64,
    delta: f64,
    pool: Pool,
    /// Whether the worst is taken away next, and not the oldest.
    worst_next: bool,
    /// Loads heard last, and how many were heard in all.
    heard: [u32; HEARD],
    count: usize,
    /// Who has more in flight is hot.
    hot_above: u32,
    until_anew: u32,
    /// How often a probe is used with so many servers.
    uses: (usize, Share),
}

/// What is known of servers, at most one probe of each, in no order.
#[derive(Clone, Debug, Default)]
struct Pool {
    /// Of each probe its rank, by what was hot when it was last worked out, and then its age: the lower the
    /// better, of several alike the oldest.
    keys: Vec<u64>,
    probes: Vec<Probe>,
    /// One more than the place of a server's probe; 0: there is none.
    places: Vec<u16>,
    /// How many probes were put in: the age of the next.
    pushed: u32,
    /// No probe is from before.
    none_before: Instant,
}

/// The bits of a key that are a rank.
const RANK: u64 = (u32::MAX as u64) << 32;

impl Pool {
    fn push(&mut self, probe: Probe, hot_above: u32) {
        if self.pushed == u32::MAX {
            self.count_anew();
        }
        let server = probe.server as usize;
        if server >= self.places.len() {
            self.places.resize(server + 1, 0);
        }
        self.probes.push(probe);
        self.places[server] = self.probes.len() as u16;
        let rank = u64::from(probe.rank(hot_above));
        self.keys.push(rank << 32 | u64::from(self.pushed));
        self.pushed += 1;
    }

    /// Closes the gap that a probe leaves with the last.
    fn remove(&mut self, place: usize) {
        self.keys.swap_remove(place);
        let gone = self.probes.swap_remove(place);
        self.places[gone.server as usize] = 0;
        if let Some(moved) = self.probes.get(place) {
            self.places[moved.server as usize] = place as u16 + 1;
        }
    }

    /// The place of the probe of a server.
    #[inline]
    fn place_of(&self, server: u32) -> Option<usize> {
        let place = *self.places.get(server as usize)?;
        usize::from(place).checked_sub(1)
    }

    /// A probe has another rank.
    #[inline]
    fn rank(&mut self, place: usize, hot_above: u32) {
        let rank = u64::from(self.probes[place].rank(hot_above));
        let key = &mut self.keys[place];
        *key = rank << 32 | *key & !RANK;
    }

    /// The place of the probe whose key comes first in some order. Which it is nobody can guess, so nothing is guessed.
    #[inline]
    fn first(&self, order: impl Fn(u64) -> u64) -> usize {
        let (mut place, mut lowest) = (0, u64::MAX);
        for (at, &key) in self.keys.iter().enumerate() {
            let key = order(key);
            let lower = key < lowest;
            place = select_unpredictable(lower, at, place);
            lowest = select_unpredictable(lower, key, lowest);
        }
        place
    }

    fn best(&self) -> usize {
        self.first(|key| key)
    }

    fn worst(&self) -> usize {
        self.first(|key| key ^ RANK)
    }

    fn oldest(&self) -> usize {
        self.first(|key| key << 32)
    }

    /// Takes away what is older than so long.
    #[inline]
    fn drop_old(&mut self, now: Instant, age_ns: u64) {
        let is_old = |at: Instant| now.0.saturating_sub(at.0) > age_ns;
        while is_old(self.none_before) {
            let oldest = self.oldest();
            self.none_before = self.probes.get(oldest).map_or(now, |probe| probe.at);
            if is_old(self.none_before) {
                self.remove(oldest);
            }
        }
    }

    /// Ages are counted from 0 once more.
    #[cold]
    fn count_anew(&mut self) {
        let mut places: Vec<usize> = (0..self.keys.len()).collect();
        places.sort_unstable_by_key(|&place| self.keys[place] & !RANK);
        self.pushed = 0;
        for place in places {
            self.keys[place] = self.keys[place] & RANK | u64::from(self.pushed);
            self.pushed += 1;
        }
    }
}

/// A number of which the fraction is rounded at random.
#[derive(Clone, Copy, Debug)]
struct Share {
    number: f64,
    whole: usize,
    rest: f64,
}

impl Share {
    fn of(number: f64) -> Self {
        let whole = number as usize;
        let rest = number - whole as f64;
        Self {
            number,
            whole,
            rest,
        }
    }

    #[inline]
    fn rounded(self, draws: &mut Draws) -> usize {
        self.whole + usize::from(self.rest > 0.0 && draws.chance(self.rest))
    }
}

/// What a server answered.
#[derive(Clone, Copy, Debug)]
struct Probe {
    at: Instant,
    server: u32,
    in_flight: u32,
    latency_ns: f32,
    /// How often it may still be used.
    uses: u32,
}

impl Probe {
    /// A number that is lower for the better: cold before hot, the quicker of cold ones, the less loaded of hot ones.
    #[inline]
    fn rank(&self, hot_above: u32) -> u32 {
        const HOT: u32 = 1 << 31;
        let hot = self.in_flight > hot_above;
        // Bits of numbers that are not negative ascend as these do, and leave the first of them free.
        let quick = self.latency_ns.to_bits();
        select_unpredictable(hot, HOT | self.in_flight, quick)
    }
}

impl Prequal {
    /// The place of the best of those whose server may be picked, the oldest of several alike.
    fn best_of(&self, may: impl Fn(u32) -> bool) -> Option<usize> {
        let Pool { keys, probes, .. } = &self.pool;
        let may = |place: &usize| may(probes[*place].server);
        (0..probes.len())
            .filter(may)
            .min_by_key(|&place| keys[place])
    }

    /// Another load is hot from now on.
    fn set_hot_above(&mut self, hot_above: u32) {
        if hot_above != self.hot_above {
            self.hot_above = hot_above;
            for place in 0..self.pool.keys.len() {
                self.pool.rank(place, hot_above);
            }
        }
    }

    /// The best probe of a server that may be picked. Those of servers that may not are thrown away as they are
    /// met, unless only this attempt is kept from them.
    fn take(&mut self, fleet: &FleetView<'_>) -> Option<u32> {
        let open = |server: u32| fleet.may_pick(server);
        while self.pool.probes.len() >= 2 {
            let best = if fleet.narrowed {
                self.best_of(open)?
            } else {
                self.pool.best()
            };
            let probe = &mut self.pool.probes[best];
            let server = probe.server;
            probe.uses = probe.uses.saturating_sub(1);
            probe.in_flight = probe.in_flight.saturating_add(1);
            let used_up = probe.uses == 0;
            let open = open(server);
            if used_up || !open {
                self.pool.remove(best);
            } else {
                self.pool.rank(best, self.hot_above);
            }
            if open {
                return Some(server);
            }
        }
        None
    }

    /// Takes away the oldest or the worst.
    fn take_away(&mut self) {
        self.worst_next = !self.worst_next;
        let place = if self.worst_next {
            self.pool.oldest()
        } else {
            self.pool.worst()
        };
        if place < self.pool.probes.len() {
            self.pool.remove(place);
        }
    }

    /// How often a probe may be used: as often as keeps a pool from running dry that gains and loses as it does.
    fn uses(&mut self, servers: usize) -> Share {
        if self.uses.0 != servers {
            let gain = (1.0 - self.room as f64 / servers as f64) * self.probes.number;
            let kept = gain - self.remove.number;
            // A pool as large as the fleet cannot gain: then nothing limits the use of a probe but its age.
            let uses = if kept > 0.0 {
                (1.0 + self.delta) / kept
            } else {
                f64::from(u32::MAX)
            };
            self.uses = (servers, Share::of(uses.clamp(1.0, f64::from(u32::MAX))));
        }
        self.uses.1
    }

    fn probe(&mut self, fleet: &FleetView<'_>, draws: &mut Draws) {
        let n = fleet.eligible.len();
        let wanted = self.probes.rounded(draws).min(n);
        let uses = self.uses(n);
        let mut drawn = [0; PROBES_MAX];
        for count in 0..wanted {
            let position = nth_absent(draws.below(n - count), &mut drawn, count);
            let server = fleet.eligible[position];
            let (in_flight, latency_ns) = fleet.oracle.probe(server as usize);
            self.heard[self.count % HEARD] = in_flight;
            self.count += 1;
            if let Some(known) = self.pool.place_of(server) {
                self.pool.remove(known);
            } else if self.pool.probes.len() >= self.room {
                self.pool.remove(self.pool.oldest());
            }
            let probe = Probe {
                at: fleet.now,
                server,
                in_flight,
                latency_ns: latency_ns.unwrap_or(0.0),
                uses: uses.rounded(draws) as u32,
            };
            self.pool.push(probe, self.hot_above);
        }
    }

    /// Works out who is hot: rank ⌊q (k − 1)⌋ of the k loads heard last is the most that is not.
    fn judge(&mut self) {
        if self.until_anew > 0 {
            self.until_anew -= 1;
            return;
        }
        self.until_anew = ANEW - 1;
        let known = self.count.min(HEARD);
        if self.quantile >= 1.0 || known == 0 {
            self.set_hot_above(u32::MAX);
            return;
        }
        let rank = (self.quantile * (known - 1) as f64) as usize;
        let hot_above = ranked(&self.heard[..known], rank, self.hot_above);
        self.set_hot_above(hot_above);
    }
}

/// The number that has so many before it when they are put in order. It is looked for from a guess on, which
/// hardly ever takes more than two looks at all of them; to put them in order is a coin toss at every step.
fn ranked(numbers: &[u32], rank: usize, mut guess: u32) -> u32 {
    loop {
        let less: u32 = numbers.iter().map(|&n| u32::from(n < guess)).sum();
        let more: u32 = numbers.iter().map(|&n| u32::from(n > guess)).sum();
        let next = if less as usize > rank {
            numbers.iter().filter(|&&number| number < guess).max()
        } else if numbers.len() - more as usize <= rank {
            numbers.iter().filter(|&&number| number > guess).min()
        } else {
            return guess;
        };
        guess = *next.expect("as many numbers as that are below, or above");
    }
}

impl Policy for Prequal {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        let eligible = fleet.eligible;
        self.pool.drop_old(fleet.now, self.age_ns);
        self.judge();
        let server = match self.take(fleet) {
            Some(server) => server,
            None => eligible[draws.below(eligible.len())],
        };
        for _ in 0..self.remove.rounded(draws) {
            self.take_away();
        }
        self.probe(fleet, draws);
        Some(server as usize)
    }
    fn tracks_latency(&self) -> bool {
        true
    }
    fn on_eligible_changed(&mut self, _: &FleetView<'_>, _: Option<&[u32]>) {
        // Probes of those that have gone are thrown away as they are met.
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

    fn probe(server: u32, in_flight: u32, latency_ns: f32) -> Probe {
        Probe {
            at: Instant::ZERO,
            server,
            in_flight,
            latency_ns,
            uses: 1,
        }
    }

    /// A policy without probes of its own, and with these.
    fn with(probes: Vec<Probe>, hot_above: u32) -> Prequal {
        let mut pool = Pool::default();
        for probe in probes {
            pool.push(probe, hot_above);
        }
        Prequal {
            room: 16,
            probes: Share::of(0.0),
            remove: Share::of(0.0),
            quantile: 0.84,
            age_ns: 100,
            delta: 1.0,
            pool,
            worst_next: false,
            heard: [0; HEARD],
            count: 0,
            hot_above,
            until_anew: u32::MAX,
            uses: (0, Share::of(1.0)),
        }
    }

    fn choose(policy: &mut Prequal, fleet: &Fleet, now: u64) -> Option<usize> {
        let view = FleetView {
            now: Instant(now),
            ..fleet.view()
        };
        let draws = &mut Stream::new(1, 0, "p").at(now);
        policy.pick(&view, &Job::default(), draws)
    }

    #[test]
    fn the_quickest_of_the_cold_else_the_least_loaded_of_the_hot() {
        let fleet = Fleet::of(4);
        let probes = || {
            vec![
                probe(0, 3, 9.0),
                probe(1, 5, 1.0),
                probe(2, 2, 7.0),
                probe(3, 9, 0.5),
            ]
        };
        for (hot_above, chosen) in [(u32::MAX, 3), (5, 1), (4, 2), (1, 2), (2, 2)] {
            let mut policy = with(probes(), hot_above);
            assert_eq!(choose(&mut policy, &fleet, 1), Some(chosen), "{hot_above}");
            assert!(policy.pool.probes.len() == 3, "it was its last use");
        }
    }

    #[test]
    fn old_probes_and_those_of_servers_that_are_out_are_not_used() {
        let fleet = Fleet {
            eligible: vec![1, 2],
            ..Fleet::of(4)
        };
        let mut policy = with(
            vec![probe(1, 0, 9.0), probe(0, 0, 1.0), probe(2, 0, 5.0)],
            9,
        );
        policy.pool.probes[0].uses = 5;
        assert_eq!(choose(&mut policy, &fleet, 100), Some(2));
        let mut late: Vec<_> = (101..300)
            .map(|now| choose(&mut policy.clone(), &fleet, now))
            .collect();
        late.dedup();
        assert!(late.len() > 20, "nothing is left but chance");
    }

    #[test]
    fn the_oldest_and_the_worst_go_in_turns() {
        let all = vec![
            probe(0, 1, 1.0),
            probe(1, 2, 9.0),
            probe(2, 7, 1.0),
            probe(3, 8, 0.1),
        ];
        let mut policy = with(all, 5);
        let mut left = || {
            policy.take_away();
            let left = policy.pool.probes.iter();
            let mut left: Vec<u32> = left.map(|p| p.server).collect();
            left.sort_unstable();
            left
        };
        assert_eq!(left(), [1, 2, 3], "the oldest");
        assert_eq!(left(), [1, 2], "the most loaded of the hot");
        assert_eq!(left(), [2], "the oldest");
        let mut cold = with(vec![probe(0, 1, 1.0), probe(1, 2, 9.0)], 5);
        cold.worst_next = true;
        cold.take_away();
        assert_eq!(cold.pool.probes[0].server, 0, "the slower of the cold");
    }

    #[test]
    fn probes_are_distinct_and_the_pool_has_one_of_a_server() {
        let mut fleet = Fleet::of(40);
        fleet.in_system = (0..40).collect();
        let mut policy = with(Vec::new(), u32::MAX);
        (policy.probes, policy.remove) = (Share::of(3.0), Share::of(1.0));
        for now in 0..2000 {
            let view = FleetView {
                now: Instant(now),
                ..fleet.view()
            };
            policy.pick(&view, &Job::default(), &mut Stream::new(1, 0, "p").at(now));
            let probes = &policy.pool.probes;
            let mut servers: Vec<u32> = probes.iter().map(|p| p.server).collect();
            assert!(servers.len() <= 16);
            servers.sort_unstable();
            servers.dedup();
            assert_eq!(servers.len(), probes.len());
            assert!(probes.iter().all(|p| p.in_flight >= p.server));
        }
        assert_eq!(policy.count, 6000, "three with each choice");
        // (1 + δ) / ((1 − 16/40) 3 − 1) = 2.5
        assert!((policy.uses(40).number - 2.5).abs() < 1e-9);
        assert!(
            policy.uses(16).number > 1e9,
            "no limit where the pool is the fleet"
        );
    }

    #[test]
    fn who_is_above_the_quantile_of_what_was_heard_is_hot() {
        let mut policy = with(Vec::new(), 0);
        policy.heard = std::array::from_fn(|i| i as u32);
        policy.count = 100;
        for (quantile, most) in [(0.0, 0), (0.5, 15), (0.84, 26), (1.0, u32::MAX)] {
            (policy.quantile, policy.until_anew) = (quantile, 0);
            policy.judge();
            assert_eq!(policy.hot_above, most, "{quantile}");
        }
    }

    #[test]
    fn a_number_is_found_by_its_rank_from_any_guess_on() {
        let mut draws = Stream::new(1, 0, "ranked").at(0);
        for most in [1, 3, 100] {
            let numbers: Vec<u32> = (0..31).map(|_| draws.below(most) as u32).collect();
            let mut ordered = numbers.clone();
            ordered.sort_unstable();
            for (rank, &number) in ordered.iter().enumerate() {
                for guess in [0, 1, 50, u32::MAX] {
                    assert_eq!(ranked(&numbers, rank, guess), number);
                }
            }
        }
    }

    /// What a list in the order of age does, by a walk along it, the pool does too.
    #[test]
    fn the_pool_knows_the_best_the_worst_and_the_oldest() {
        let mut draws = Stream::new(1, 0, "pool").at(0);
        let (mut pool, mut list): (Pool, Vec<Probe>) = (Pool::default(), Vec::new());
        for step in 0..5000 {
            let server = draws.below(12) as u32;
            if let Some(place) = pool.place_of(server) {
                pool.remove(place);
                list.retain(|probe| probe.server != server);
            }
            let probe = probe(server, draws.below(4) as u32, draws.below(3) as f32);
            pool.push(probe, 2);
            list.push(probe);
            let lowest = |order: &dyn Fn(u32) -> u32| {
                let first = list.iter().min_by_key(|probe| order(probe.rank(2)));
                first.map(|probe| probe.server)
            };
            let server = |place: usize| Some(pool.probes[place].server);
            assert_eq!(server(pool.best()), lowest(&|rank| rank));
            assert_eq!(server(pool.worst()), lowest(&|rank| !rank));
            assert_eq!(server(pool.oldest()), Some(list[0].server));
            if step % 3 == 0 {
                pool.remove(pool.oldest());
                list.remove(0);
            }
            if step % 100 == 0 {
                pool.count_anew();
            }
        }
    }

    #[test]
    fn without_probes_it_is_random() {
        let fleet = Fleet::of(8);
        let mut policy = build("prequal probes=0");
        let pick = |i| {
            policy.pick(
                &fleet.view(),
                &Job::default(),
                &mut Stream::new(1, 0, "p").at(i),
            )
        };
        let mut seen: Vec<_> = (0..200).map(pick).collect();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), 8);
    }
}
