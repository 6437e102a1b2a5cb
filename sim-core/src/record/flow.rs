//! Counters of requests of one class to one service.

use super::history::FlowInterval;
use crate::histogram::{COARSE_LEN, Histogram};
use crate::outcome::Outcome;

/// Counters of one flow.
#[derive(Clone, Debug)]
pub struct Flow {
    /// Requests that arrived.
    pub arrived: u64,
    /// Of those, the ones that were made on behalf of a caller's retry or copy.
    pub again: u64,
    /// Attempts begun.
    pub attempts: u64,
    /// Requests that ended, by outcome.
    pub outcomes: [u64; Outcome::COUNT],
    /// Of those, the ones that arrived after the warm-up.
    pub measured: [u64; Outcome::COUNT],
    /// Response times of measured requests that succeeded.
    pub response_time: Histogram,
    /// `arrived`, `attempts` and those answered in time when measurement began.
    before: (u64, u64, u64),
    /// The same and `outcomes` when the present interval began.
    last: (u64, u64, [u64; Outcome::COUNT]),
    pub(crate) recent: Recent,
}

/// Response times of the present interval.
#[derive(Clone, Debug)]
pub(crate) struct Recent {
    counts: Vec<u32>,
    /// A bit for each bucket that is not empty: few are, and reading them out takes no guessing.
    used: [u64; COARSE_LEN.div_ceil(64)],
}

impl Recent {
    fn new() -> Self {
        Self {
            counts: vec![0; COARSE_LEN],
            used: [0; COARSE_LEN.div_ceil(64)],
        }
    }

    #[inline]
    pub(crate) fn record(&mut self, bucket: usize) {
        self.counts[bucket] += 1;
        self.used[bucket / 64] |= 1 << (bucket % 64);
    }

    /// The counts, (bucket, count), ascending.
    pub(crate) fn counts(&self) -> impl Iterator<Item = (usize, u32)> {
        let words = self.used.iter().enumerate().filter(|(_, word)| **word != 0);
        words.flat_map(move |(i, word)| {
            let bits = (0..64).filter(move |bit| word >> bit & 1 == 1);
            bits.map(move |bit| (64 * i + bit, self.counts[64 * i + bit]))
        })
    }

    /// Moves the counts out as (bucket, count).
    fn drain_into(&mut self, list: &mut Vec<(u16, u16)>) {
        // Which words are not zero is worked out first: few are, and looking at all of them takes
        // a few instructions each where nothing else is done.
        let mut words = 0_u64;
        for (i, word) in self.used.iter().enumerate() {
            words |= u64::from(*word != 0) << i;
        }
        while words != 0 {
            let i = words.trailing_zeros() as usize;
            words &= words - 1;
            let mut bits = std::mem::take(&mut self.used[i]);
            while bits != 0 {
                let bucket = 64 * i + bits.trailing_zeros() as usize;
                let mut count = std::mem::take(&mut self.counts[bucket]);
                bits &= bits - 1;
                while count > u32::from(u16::MAX) {
                    list.push((bucket as u16, u16::MAX));
                    count -= u32::from(u16::MAX);
                }
                list.push((bucket as u16, count as u16));
            }
        }
    }
}

impl Flow {
    pub(super) fn new() -> Self {
        Self {
            arrived: 0,
            again: 0,
            attempts: 0,
            outcomes: [0; Outcome::COUNT],
            measured: [0; Outcome::COUNT],
            response_time: Histogram::default(),
            before: (0, 0, 0),
            last: (0, 0, [0; Outcome::COUNT]),
            recent: Recent::new(),
        }
    }

    /// The warm-up is over.
    pub(super) fn start_measuring(&mut self) {
        let answered = self.outcomes[Outcome::Succeeded as usize];
        self.before = (self.arrived, self.attempts, answered);
        self.measured = [0; Outcome::COUNT];
        self.response_time = Histogram::default();
    }

    /// Requests in flight.
    pub fn in_flight(&self) -> u64 {
        self.arrived - self.outcomes.iter().sum::<u64>()
    }

    /// Requests that arrived after the warm-up.
    pub fn measured_arrived(&self) -> u64 {
        self.arrived - self.before.0
    }

    /// Requests answered in time after the warm-up, whenever they arrived.
    pub fn measured_answers(&self) -> u64 {
        self.outcomes[Outcome::Succeeded as usize] - self.before.2
    }

    /// Attempts begun after the warm-up.
    pub fn measured_attempts(&self) -> u64 {
        self.attempts - self.before.1
    }

    /// Whether anything has been counted since the last interval ended.
    pub(super) fn has_news(&self) -> bool {
        self.last != (self.arrived, self.attempts, self.outcomes)
    }

    /// The counters of the interval that ends, and a new one begins.
    pub(super) fn take_interval(&mut self, buckets: &mut Vec<(u16, u16)>) -> FlowInterval {
        if !self.has_news() {
            // Nothing ended, so there are no response times either.
            return FlowInterval {
                in_flight: u32::try_from(self.in_flight()).unwrap_or(u32::MAX),
                ..FlowInterval::default()
            };
        }
        let (arrived, attempts, outcomes) = self.last;
        let mut interval = FlowInterval {
            arrived: (self.arrived - arrived) as u32,
            attempts: (self.attempts - attempts) as u32,
            in_flight: u32::try_from(self.in_flight()).unwrap_or(u32::MAX),
            ..FlowInterval::default()
        };
        for (i, count) in interval.outcomes.iter_mut().enumerate() {
            *count = (self.outcomes[i] - outcomes[i]) as u32;
        }
        self.last = (self.arrived, self.attempts, self.outcomes);
        self.recent.drain_into(buckets);
        interval
    }
}
