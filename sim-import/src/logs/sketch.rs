//! Times counted by size, in as much memory as their range takes; parts of a log add up.

/// Buckets in each power of two: a quantile is off by at most 0.8 %.
const BITS: u32 = 6;

/// Times in nanoseconds, counted; their sum is exact.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Sketch {
    first: usize,
    counts: Vec<u32>,
    count: u64,
    sum_ns: u128,
    squares: f64,
}

fn bucket(ns: u64) -> usize {
    let shift = (ns | 1).ilog2().saturating_sub(BITS);
    ((shift as usize) << BITS) + (ns >> shift) as usize
}

fn edges(index: usize) -> (f64, f64) {
    let shift = (index >> BITS).saturating_sub(1);
    let width = (1_u64 << shift) as f64;
    ((index - (shift << BITS)) as f64 * width, width)
}

impl Sketch {
    /// Counts a time.
    pub(crate) fn record(&mut self, ns: u64) {
        self.add(bucket(ns), 1);
        self.count += 1;
        self.sum_ns += u128::from(ns);
        self.squares += (ns as f64) * (ns as f64);
    }

    fn add(&mut self, bucket: usize, count: u32) {
        if self.counts.is_empty() {
            self.first = bucket;
        }
        if bucket < self.first {
            let more = self.first - bucket;
            self.counts.splice(0..0, std::iter::repeat_n(0, more));
            self.first = bucket;
        }
        let place = bucket - self.first;
        if place >= self.counts.len() {
            self.counts.resize(place + 1, 0);
        }
        self.counts[place] = self.counts[place].saturating_add(count);
    }

    /// Adds the times of another.
    pub(crate) fn merge(&mut self, other: &Self) {
        for (place, count) in other
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            self.add(other.first + place, *count);
        }
        self.count += other.count;
        self.sum_ns += other.sum_ns;
        self.squares += other.squares;
    }

    pub(crate) fn count(&self) -> u64 {
        self.count
    }

    /// Mean in seconds; zero of nothing.
    pub(crate) fn mean_s(&self) -> f64 {
        self.sum_ns as f64 / (self.count.max(1) as f64) / 1e9
    }

    /// Standard deviation over mean.
    pub(crate) fn variation(&self) -> f64 {
        let mean = self.mean_s();
        let square = self.squares / (self.count.max(1) as f64) / 1e18;
        if mean > 0.0 {
            (square - mean * mean).max(0.0).sqrt() / mean
        } else {
            0.0
        }
    }

    /// The time that the share `q` does not exceed, in seconds; zero of nothing.
    pub(crate) fn quantile_s(&self, q: f64) -> f64 {
        let rank = (self.count as f64 * q).max(0.5);
        let mut below = 0.0;
        for (place, count) in self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            let count = f64::from(*count);
            if below + count >= rank {
                let (lower, width) = edges(self.first + place);
                return (lower + width * (rank - below) / count) / 1e9;
            }
            below += count;
        }
        self.counts.last().map_or(0.0, |_| {
            let (lower, width) = edges(self.first + self.counts.len() - 1);
            (lower + width) / 1e9
        })
    }

    /// Upper edges of buckets in seconds with the share of times up to each, ascending.
    pub(crate) fn shares(&self) -> Vec<(f64, f64)> {
        let mut below = 0.0;
        let total = self.count.max(1) as f64;
        let mut shares = Vec::new();
        for (place, count) in self
            .counts
            .iter()
            .enumerate()
            .filter(|(_, count)| **count > 0)
        {
            below += f64::from(*count);
            let (lower, width) = edges(self.first + place);
            shares.push(((lower + width) / 1e9, below / total));
        }
        shares
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_add_up_and_quantiles_are_near() {
        let (mut one, mut two, mut all) = (Sketch::default(), Sketch::default(), Sketch::default());
        for i in (1..=10_000_u64).rev() {
            let ns = i * 10_000;
            (if i % 3 == 0 { &mut one } else { &mut two }).record(ns);
            all.record(ns);
        }
        one.merge(&two);
        assert_eq!((one.count(), one.shares()), (all.count(), all.shares()));
        for (q, wanted) in [(0.01, 0.001), (0.5, 0.05), (0.99, 0.099), (1.0, 0.1)] {
            let found = all.quantile_s(q);
            assert!((found / wanted - 1.0).abs() < 0.009, "{q}: {found}");
        }
        assert!((all.mean_s() - 0.050_005).abs() < 1e-9);
        assert!((all.variation() - 0.577).abs() < 0.001);
    }
}
