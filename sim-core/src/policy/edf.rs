//! Earliest deadline first: the turns of weighted servers in Envoy.
//!
//! Each server waits in a queue for its deadline, `1 / weight` after its last turn; who is due first is taken
//! and put back with the weight it has then. A new weight therefore counts from a server's next turn on. Of equal
//! deadlines the one put in first comes first. Weights 5, 1, 1 give a a a a b c a: proportional, in bursts.

use super::FleetView;
use std::cmp::{Ordering, Reverse};
use std::collections::BinaryHeap;

/// What makes first deadlines differ from later ones.
const HAIR: f64 = 1e-13;

/// A server and when it is due.
#[derive(Clone, Copy, Debug)]
struct Entry {
    deadline: f64,
    /// Counts entries: of equal deadlines the earlier entry comes first.
    order: u64,
    server: u32,
}

impl Ord for Entry {
    fn cmp(&self, other: &Self) -> Ordering {
        let by_deadline = self.deadline.total_cmp(&other.deadline);
        by_deadline.then(self.order.cmp(&other.order))
    }
}

impl PartialOrd for Entry {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Entry {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Entry {}

/// The queue.
#[derive(Clone, Default, Debug)]
pub(super) struct Edf {
    now: f64,
    entries: u64,
    queue: BinaryHeap<Reverse<Entry>>,
}

impl Edf {
    /// A queue of servers, as it is after so many turns at these weights, all of them above zero.
    ///
    /// The first deadlines are those of weights that are a hair larger, as in Envoy, where that settles which of
    /// two deadlines that are equal but for rounding comes first. It decides turns for good: weights 5, 1, 1
    /// begin with a a a a b c and not with a a a a a b, since the fifth deadline of a is that of b and a hair.
    pub(super) fn after(servers: &[u32], weight: impl Fn(u32) -> f64, turns: u64) -> Self {
        let mut edf = Self::default();
        let larger = |server: u32| weight(server) + HAIR;
        let total = servers.iter().fold(0.0, |sum, &s| sum + larger(s));
        let end = turns as f64 / total;
        let mut left = turns;
        // Each server's turns until the end, counted at once; what rounding down leaves is taken one by one.
        for &server in servers {
            let weight = larger(server);
            let mut taken = (weight * turns as f64 / total).floor().min(left as f64);
            if taken > 0.0 && taken / weight >= end {
                taken -= 1.0;
            }
            left -= taken as u64;
            edf.now = edf.now.max(taken / weight);
            edf.put((taken + 1.0) / weight, server);
        }
        for _ in 0..left {
            edf.pick(&weight);
        }
        edf
    }

    fn put(&mut self, deadline: f64, server: u32) {
        self.queue.push(Reverse(Entry {
            deadline,
            order: self.entries,
            server,
        }));
        self.entries += 1;
    }

    /// Whose turn it is, put back with its weight of now.
    pub(super) fn pick(&mut self, weight: impl Fn(u32) -> f64) -> Option<u32> {
        let Reverse(next) = self.queue.pop()?;
        self.now = self.now.max(next.deadline);
        let deadline = self.now + 1.0 / weight(next.server).max(f64::MIN_POSITIVE);
        self.put(deadline, next.server);
        Some(next.server)
    }
}

/// What Envoy's balancers that take turns have in common: where they begin, and whether weights matter.
///
/// While all weights are equal there is no queue and the balancer goes by its own rule; a queue is made when the
/// servers that may be picked are others, or when weights begin to differ, and then stays until the next time.
#[derive(Clone, Debug)]
pub(super) struct Schedule {
    /// Turns that count as taken at the start: drawn at the first pick, or none.
    seed: Option<u64>,
    /// The servers that may be picked and have a weight.
    pub(super) servers: Vec<u32>,
    queue: Option<Edf>,
    /// Whether the queue is to be made before the next pick.
    stale: bool,
}

impl Schedule {
    /// A start drawn at the first pick, or at the first server.
    pub(super) fn new(random: bool) -> Self {
        Self {
            seed: (!random).then_some(0),
            servers: Vec::new(),
            queue: None,
            stale: false,
        }
    }

    /// Where it begins.
    pub(super) fn seed(&mut self, draw: impl FnOnce() -> u64) -> u64 {
        *self.seed.get_or_insert_with(draw)
    }

    /// Servers or weights are others.
    pub(super) fn hear(&mut self, fleet: &FleetView<'_>) {
        let weighted = |server: &u32| fleet.weights[*server as usize] > 0.0;
        let there = || fleet.eligible.iter().copied().filter(weighted);
        let same = self.servers.iter().copied().eq(there());
        if !same {
            self.servers = there().collect();
            self.queue = None;
        }
        self.stale = self.queue.is_none();
    }

    /// The server whose turn it is, where weights differ; `None` where they do not.
    pub(super) fn pick(
        &mut self,
        fleet: &FleetView<'_>,
        seed: u64,
        weight: impl Fn(u32) -> f64,
    ) -> Option<u32> {
        if std::mem::take(&mut self.stale) && self.servers.len() > 1 && !self.is_even(fleet) {
            self.queue = Some(Edf::after(&self.servers, &weight, seed));
        }
        self.queue.as_mut()?.pick(weight)
    }

    fn is_even(&self, fleet: &FleetView<'_>) -> bool {
        let mut weights = self.servers.iter().map(|&s| fleet.weights[s as usize]);
        let first = weights.next();
        weights.all(|weight| Some(weight) == first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn turns(weights: &[f64], skipped: u64, n: usize) -> String {
        let servers: Vec<u32> = (0..weights.len() as u32).collect();
        let weight = |server: u32| weights[server as usize];
        let mut edf = Edf::after(&servers, weight, skipped);
        let letter = |server: u32| char::from(b'a' + server as u8);
        (0..n)
            .map(|_| letter(edf.pick(weight).expect("servers")))
            .collect()
    }

    #[test]
    fn case_183_edf_511() {
        assert_eq!(turns(&[5.0, 1.0, 1.0], 0, 14), "aaaabcaaaaabca");
    }

    #[test]
    fn case_185_edf_631() {
        assert_eq!(turns(&[6.0, 3.0, 1.0], 0, 20), "abaabaacbaabaabaacba");
    }

    #[test]
    fn case_187_edf_128() {
        let weights: Vec<f64> = (1..=128_u32).map(f64::from).collect();
        let servers: Vec<u32> = (0..128).collect();
        let weight = |server: u32| weights[server as usize];
        let mut edf = Edf::after(&servers, weight, 0);
        let mut counts = vec![0.0; 128];
        for _ in 0..8256 {
            counts[edf.pick(weight).expect("servers") as usize] += 1.0;
        }
        assert_eq!(counts, weights);
    }

    /// Measured: weights 3, 2, 1, 1 go round as `b a a b a c d`, from any place of it.
    #[test]
    fn turns_that_count_as_taken_are_those_that_would_have_been() {
        let weights = [3.0, 2.0, 1.0, 1.0];
        for skipped in 0..40 {
            let seen = turns(&weights, skipped, 40);
            assert!(
                "baabacd".repeat(12).contains(&seen[14..]),
                "{skipped}: {seen}"
            );
        }
        for skipped in [7, 70, 7_000_000] {
            let counts = turns(&weights, skipped, 7);
            let of = |c| counts.chars().filter(|&x| x == c).count();
            assert_eq!(['a', 'b', 'c', 'd'].map(of), [3, 2, 1, 1], "{skipped}");
        }
    }

    #[test]
    fn nobody_has_no_turn() {
        assert_eq!(Edf::after(&[], |_| 1.0, 7).pick(|_| 1.0), None);
    }
}
