//! The yardstick: one system, simulated as fast as plain Rust can.
//!
//! N servers with one worker and an unbounded first-come-first-served queue each; Poisson
//! arrivals at 0.9 N a second; exponential demand of mean one second; power of two choices: two
//! different servers are drawn, the request goes to the one with fewer requests, counting the one
//! in service, and to the first drawn when they are equal (Mitzenmacher, "The power of two choices
//! in randomized load balancing", IEEE TPDS 12(10), 2001).
//!
//! Nothing here is general: no classes, no time-outs, no events but arrival and departure, one
//! random stream, no policy object. What an engine with all of these needs on top is its price for
//! being one.

use rand::{Rng, RngExt, SeedableRng};
use rand_distr::Exp1;
use rand_xoshiro::Xoshiro256PlusPlus;
use std::hint::select_unpredictable;

/// Arrivals a second and server; the demand is one second.
pub const LOAD: f64 = 0.9;

/// What a run found.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Figures {
    /// Requests answered.
    pub count: u64,
    /// Their mean response time in seconds.
    pub mean_response_s: f64,
    /// The 99th percentile of their response times in seconds, at most 0.8 % too low.
    pub p99_response_s: f64,
    /// A hash of all response times in order.
    pub checksum: u64,
}

/// Simulates from an empty system until so many requests are answered.
#[must_use]
pub fn run(servers: usize, requests: u64, seed: u64) -> Figures {
    assert!(
        servers >= 2 && requests >= 1,
        "two servers to choose from and a request"
    );
    let mut system = System::new(servers, seed);
    while system.answered < requests {
        let (departure, server) = system.departures.first();
        if system.next_arrival <= departure {
            system.arrive();
        } else {
            system.depart(departure, server as usize);
        }
    }
    Figures {
        count: system.answered,
        mean_response_s: system.total_response as f64 / system.answered as f64 / SECOND,
        p99_response_s: system.responses.quantile(0.99) as f64 / SECOND,
        checksum: system.checksum,
    }
}

/// Nanoseconds in a second.
const SECOND: f64 = 1e9;
/// No node of the slab.
const NONE: u32 = u32::MAX;
/// The departure of an idle server.
const NEVER: u64 = u64::MAX;

struct System {
    random: Xoshiro256PlusPlus,
    mean_gap: f64,
    next_arrival: u64,
    departures: Tournament,
    /// Requests at each server, in service and waiting: apart from the rest because two of them
    /// are looked at for every request.
    lengths: Vec<u32>,
    servers: Vec<Server>,
    waiting: Slab,
    answered: u64,
    total_response: u64,
    responses: Histogram,
    checksum: u64,
}

#[derive(Clone, Copy)]
struct Server {
    /// When the request in service arrived.
    arrival: u64,
    /// The first and the last waiting request.
    head: u32,
    tail: u32,
}

impl System {
    fn new(servers: usize, seed: u64) -> Self {
        let mut system = Self {
            random: Xoshiro256PlusPlus::seed_from_u64(seed),
            mean_gap: SECOND / (LOAD * servers as f64),
            next_arrival: 0,
            departures: Tournament::new(servers),
            lengths: vec![0; servers],
            servers: vec![
                Server {
                    arrival: 0,
                    head: NONE,
                    tail: NONE
                };
                servers
            ],
            waiting: Slab {
                nodes: Vec::new(),
                free: NONE,
            },
            answered: 0,
            total_response: 0,
            responses: Histogram::new(),
            checksum: 0,
        };
        system.next_arrival = system.exponential(system.mean_gap);
        system
    }

    #[inline]
    fn arrive(&mut self) {
        let now = self.next_arrival;
        let server = self.pick();
        let length = self.lengths[server];
        self.lengths[server] = length + 1;
        if length == 0 {
            self.servers[server].arrival = now;
            self.serve(server, now);
        } else {
            let node = self.waiting.insert(now);
            let queue = &mut self.servers[server];
            if length == 1 {
                queue.head = node;
            } else {
                self.waiting.nodes[queue.tail as usize].next = node;
            }
            queue.tail = node;
        }
        self.next_arrival = now + self.exponential(self.mean_gap);
    }

    #[inline]
    fn depart(&mut self, now: u64, server: usize) {
        let queue = &mut self.servers[server];
        let response = now - queue.arrival;
        self.answered += 1;
        self.total_response += response;
        self.responses.record(response);
        self.checksum =
            (self.checksum.rotate_left(5) ^ response).wrapping_mul(0x9E37_79B9_7F4A_7C15);
        self.lengths[server] -= 1;
        if self.lengths[server] > 0 {
            let next = self.waiting.remove(queue.head);
            queue.head = next.next;
            queue.arrival = next.arrival;
            self.serve(server, now);
        } else {
            self.departures.set(server, NEVER);
        }
    }

    #[inline]
    fn serve(&mut self, server: usize, now: u64) {
        let demand = self.exponential(SECOND);
        self.departures.set(server, now + demand);
    }

    /// Two different servers from one random word, and the shorter of their queues.
    #[inline]
    fn pick(&mut self) -> usize {
        let (bits, servers) = (self.random.next_u64(), self.servers.len() as u64);
        let first = (((bits >> 32) * servers) >> 32) as usize;
        let second = (((bits & 0xFFFF_FFFF) * (servers - 1)) >> 32) as usize;
        let second = second + usize::from(second >= first);
        select_unpredictable(self.lengths[second] < self.lengths[first], second, first)
    }

    #[inline]
    fn exponential(&mut self, mean: f64) -> u64 {
        // By way of `i64`, because only that conversion is a single instruction.
        (mean * self.random.sample::<f64, _>(Exp1) + 0.5) as i64 as u64
    }
}

/// The earliest of the servers' departures: a tournament tree of server numbers over their times.
struct Tournament {
    times: Vec<u64>,
    winners: Vec<u32>,
}

impl Tournament {
    fn new(slots: usize) -> Self {
        let size = slots.next_power_of_two();
        let mut winners = vec![0; size];
        winners.extend(0..size as u32);
        for node in (1..size).rev() {
            winners[node] = winners[2 * node];
        }
        Self {
            times: vec![NEVER; size],
            winners,
        }
    }

    #[inline]
    fn first(&self) -> (u64, u32) {
        let slot = self.winners[1];
        (self.times[slot as usize], slot)
    }

    #[inline]
    fn set(&mut self, slot: usize, time: u64) {
        self.times[slot] = time;
        let times = &self.times[..];
        let winners = &mut self.winners[..];
        let mut node = times.len() + slot;
        let (mut best, mut best_time) = (slot as u32, time);
        while node > 1 {
            let rival = winners[node ^ 1];
            let rival_time = times[rival as usize];
            let rival_wins = rival_time < best_time;
            best = select_unpredictable(rival_wins, rival, best);
            best_time = select_unpredictable(rival_wins, rival_time, best_time);
            node >>= 1;
            winners[node] = best;
        }
    }
}

/// Waiting requests: linked lists, and one more of the free places.
struct Slab {
    nodes: Vec<Waiting>,
    free: u32,
}

#[derive(Clone, Copy)]
struct Waiting {
    arrival: u64,
    next: u32,
}

impl Slab {
    #[inline]
    fn insert(&mut self, arrival: u64) -> u32 {
        let new = Waiting {
            arrival,
            next: NONE,
        };
        let index = self.free;
        if let Some(node) = self.nodes.get_mut(index as usize) {
            self.free = node.next;
            *node = new;
            index
        } else {
            self.nodes.push(new);
            (self.nodes.len() - 1) as u32
        }
    }

    #[inline]
    fn remove(&mut self, index: u32) -> Waiting {
        let node = self.nodes[index as usize];
        self.nodes[index as usize].next = self.free;
        self.free = index;
        node
    }
}

/// Counts by size: 128 buckets for each doubling.
struct Histogram {
    counts: Vec<u64>,
}

impl Histogram {
    const BITS: u32 = 7;

    fn new() -> Self {
        Self {
            counts: vec![0; ((u64::BITS - Self::BITS + 1) << Self::BITS) as usize],
        }
    }

    #[inline]
    fn record(&mut self, value: u64) {
        let shift = (u64::BITS - Self::BITS - 1).saturating_sub(value.leading_zeros());
        self.counts[((shift as usize) << Self::BITS) + (value >> shift) as usize] += 1;
    }

    /// The lower edge of the bucket that holds the quantile.
    fn quantile(&self, share: f64) -> u64 {
        let count: u64 = self.counts.iter().sum();
        let mut rest = (share * count as f64) as u64;
        let index = self.counts.iter().position(|bucket| {
            let found = *bucket > rest;
            rest = rest.saturating_sub(*bucket);
            found
        });
        let index = index.expect("a share below one of a non-empty histogram");
        let shift = (index >> Self::BITS).saturating_sub(1);
        ((index - (shift << Self::BITS)) as u64) << shift
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn means_are_those_of_the_literature() {
        // 40 million requests of an independent implementation; the limit for many servers is the
        // sum of 0.9^(2^i − 2) over i ≥ 1, which is 2.614.
        for (servers, mean_s) in [(10, 2.988), (100, 2.645)] {
            let figures = run(servers, 2_000_000, 1);
            assert_eq!(figures.count, 2_000_000);
            assert!(
                (figures.mean_response_s / mean_s - 1.0).abs() < 0.04,
                "{servers} servers: {figures:?}"
            );
        }
    }

    #[test]
    fn runs_repeat_to_the_bit() {
        assert_eq!(run(100, 100_000, 7), run(100, 100_000, 7));
        assert_ne!(run(100, 100_000, 7).checksum, run(100, 100_000, 8).checksum);
    }

    #[test]
    fn odd_numbers_of_servers_work() {
        for servers in [2, 3, 5, 127, 129] {
            let figures = run(servers, 10_000, 1);
            assert!(
                figures.mean_response_s > 1.0 && figures.p99_response_s > figures.mean_response_s,
                "{servers}: {figures:?}"
            );
        }
    }

    #[test]
    fn quantiles_are_at_most_a_bucket_too_low() {
        for value in [0, 1, 127, 128, 255, 256, 1_000_000_007, 1 << 63, u64::MAX] {
            let mut histogram = Histogram::new();
            histogram.record(value);
            let found = histogram.quantile(0.5);
            assert!(
                found <= value && value - found <= value / 128,
                "{value}: {found}"
            );
        }
    }

    #[test]
    fn the_tournament_finds_the_earliest() {
        let mut random = Xoshiro256PlusPlus::seed_from_u64(3);
        for slots in [2, 3, 10, 64, 100] {
            let (mut tournament, mut times) = (Tournament::new(slots), vec![NEVER; slots]);
            for _ in 0..2000 {
                let slot = (random.next_u64() % slots as u64) as usize;
                times[slot] = if random.next_u64() % 4 == 0 {
                    NEVER
                } else {
                    random.next_u64() % 1000
                };
                tournament.set(slot, times[slot]);
                let (time, slot) = tournament.first();
                assert_eq!(Some(&time), times.iter().min());
                assert!(time == NEVER || times[slot as usize] == time);
            }
        }
    }
}
