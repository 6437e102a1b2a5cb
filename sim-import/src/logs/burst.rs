//! How bursty arrivals are: the index of dispersion of counts.
//!
//! The variance of the number in an interval over its mean is 1 of a Poisson process at every width (Cox and
//! Lewis, "The Statistical Analysis of Series of Events", 1966, section 4.5). The variance is taken from differences of
//! neighbouring intervals, so that a rate that changes slowly does not pass for bursts.

use serde::Serialize;

/// Widths of intervals, in nanoseconds.
const WIDTHS: [u64; 5] = [
    10_000_000,
    100_000_000,
    1_000_000_000,
    10_000_000_000,
    60_000_000_000,
];
/// Intervals without which nothing is said of a width.
const INTERVALS_MIN: u64 = 30;

/// The index of dispersion at one width.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Dispersion {
    /// Width of the intervals, in seconds.
    pub width_s: f64,
    /// How many there were.
    pub intervals: u64,
    /// Variance over mean.
    pub index: f64,
    /// The standard error that a Poisson process would have.
    pub error: f64,
}

impl Dispersion {
    /// Whether a Poisson process would look like that.
    pub fn is_poisson(&self) -> bool {
        (self.index - 1.0).abs() <= (3.0 * self.error).max(0.1)
    }
}

#[derive(Clone, Copy, Debug, Default)]
struct Width {
    interval: u64,
    count: u64,
    before: Option<u64>,
    pairs: u64,
    squares: f64,
    total: u64,
    intervals: u64,
}

impl Width {
    fn close(&mut self, upto: u64) {
        while self.interval < upto {
            if let Some(before) = self.before {
                let difference = self.count as f64 - before as f64;
                self.squares += difference * difference;
                self.pairs += 1;
            }
            self.total += self.count;
            self.intervals += 1;
            self.before = Some(self.count);
            self.count = 0;
            self.interval += 1;
            // Of a long silence nothing is learnt, interval by interval.
            if upto - self.interval > 1000 && self.before == Some(0) {
                let more = upto - self.interval;
                self.intervals += more;
                self.pairs += more;
                self.interval = upto;
            }
        }
    }
}

/// Counts arrivals in their order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Bursts {
    widths: [Width; WIDTHS.len()],
}

impl Bursts {
    /// An arrival so long after the first; none comes before one that was told.
    pub(crate) fn arrival(&mut self, since_first_ns: u64) {
        for (width, ns) in self.widths.iter_mut().zip(WIDTHS) {
            let interval = since_first_ns / ns;
            if interval > width.interval {
                width.close(interval);
            }
            width.count += 1;
        }
    }

    /// What is known at each width; the interval that has begun is left out.
    pub(crate) fn dispersions(&self, finest_s: f64) -> Vec<Dispersion> {
        let known = self.widths.iter().zip(WIDTHS).filter_map(|(width, ns)| {
            let width_s = ns as f64 / 1e9;
            if width.intervals < INTERVALS_MIN || width.total == 0 || width_s < finest_s {
                return None;
            }
            let mean = width.total as f64 / width.intervals as f64;
            let index = width.squares / width.pairs as f64 / 2.0 / mean;
            // Differences share intervals: three halves of the variance of independent ones, and more
            // where counts are small.
            let error = ((3.0 + 1.0 / mean) / width.intervals as f64).sqrt();
            Some(Dispersion {
                width_s,
                intervals: width.intervals,
                index,
                error,
            })
        });
        known.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::draws::Stream;

    fn index(gap_ns: impl Fn(u64) -> u64) -> Vec<Dispersion> {
        let mut bursts = Bursts::default();
        let mut at = 0;
        for i in 0..100_000 {
            bursts.arrival(at);
            at += gap_ns(i);
        }
        bursts.dispersions(0.0)
    }

    #[test]
    fn poisson_is_told_from_a_clock_and_from_bursts() {
        let stream = Stream::new(3, 0, "gaps");
        let poisson = index(|i| (stream.at(i).exponential() * 1e7) as u64);
        assert!(
            poisson.len() >= 4 && poisson.iter().all(Dispersion::is_poisson),
            "{poisson:?}"
        );
        let clock = index(|_| 10_000_000);
        assert!(
            clock.iter().all(|at| !at.is_poisson() && at.index < 0.1),
            "{clock:?}"
        );
        let tens = index(|i| {
            if i % 10 == 0 {
                (stream.at(i).exponential() * 1e8) as u64
            } else {
                0
            }
        });
        assert!(
            tens.iter().all(|at| !at.is_poisson() && at.index > 4.0),
            "{tens:?}"
        );
        // A rate that doubles over the log is no burst.
        let rising =
            index(|i| (stream.at(i).exponential() * 1e7 * (1.0 - i as f64 / 200_000.0)) as u64);
        assert!(
            rising
                .iter()
                .filter(|at| at.width_s < 10.0)
                .all(Dispersion::is_poisson),
            "{rising:?}"
        );
    }
}
