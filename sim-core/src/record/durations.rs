//! How long requests took, in the buckets of a Prometheus histogram: counted exactly, where rules ask for it.

use crate::outcome::Outcome;
use crate::series::{CODES, LE, code_of};

/// Requests of all rows that ended, by code and by bucket.
#[derive(Clone, Debug)]
pub(crate) struct Durations {
    of: Vec<[Counts; CODES.len()]>,
}

/// Requests of a row that ended with a code.
#[derive(Clone, Copy, Debug, Default)]
struct Counts {
    /// In each bucket and in none before it.
    buckets: [u64; LE.len()],
    sum_ns: u128,
}

impl Durations {
    pub(super) fn new(flows: usize) -> Self {
        Self {
            of: vec![[Counts::default(); CODES.len()]; flows],
        }
    }

    /// A request of a row ended.
    pub(super) fn record(&mut self, flow: usize, outcome: Outcome, ns: u64) {
        let counts = &mut self.of[flow][code_of(outcome)];
        // The upper bound of a bucket is in it.
        counts.buckets[LE.partition_point(|(_, le)| *le < ns)] += 1;
        counts.sum_ns += u128::from(ns);
    }

    /// Requests of a row that ended with a code within the bound of a bucket.
    pub(crate) fn within(&self, flow: usize, code: usize, bucket: usize) -> u64 {
        self.of[flow][code].buckets[..=bucket].iter().sum()
    }

    /// How long they took together, in seconds.
    pub(crate) fn sum_s(&self, flow: usize, code: usize) -> f64 {
        self.of[flow][code].sum_ns as f64 / 1e9
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bound_is_in_its_bucket() {
        let mut durations = Durations::new(2);
        for ns in [0, 5_000_000, 5_000_001, 500_000_000, 61_000_000_000] {
            durations.record(1, Outcome::Succeeded, ns);
        }
        durations.record(1, Outcome::Reset, 1);
        let within = |bucket| durations.within(1, 0, bucket);
        assert_eq!([within(0), within(1), within(6)], [2, 3, 4]);
        assert_eq!([within(LE.len() - 2), within(LE.len() - 1)], [4, 5]);
        assert!((durations.sum_s(1, 0) - 61.510_000_001).abs() < 1e-9);
        assert_eq!(durations.within(1, code_of(Outcome::Refused), 0), 1);
        assert_eq!(durations.within(0, 0, LE.len() - 1), 0);
    }
}
