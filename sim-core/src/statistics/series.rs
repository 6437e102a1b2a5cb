//! One series of values from anywhere, in order: what may be said of its mean and its quantiles.

use super::batch::{BATCHES, VON_NEUMANN_Z, batch_means, von_neumann};
use super::distribution::student_quantile;
use super::estimate::{Estimate, Interval, Method};
use super::interval::{self, MIN_BEYOND, order_statistics};
use super::moments::Moments;
use super::stationarity::{Stationarity, heidelberger_welch};
use super::truncation::mser5;

/// The word for Heidelberger and Welch's interval among [`METHODS`].
pub const SPECTRAL: &str = "spectral";

/// Ways to an interval, with their sources.
pub static METHODS: &[(&str, &str)] = &[
    (
        "batch-means",
        "means of 20 equal batches, by Student's t, unless the von Neumann test finds that they depend on one another (Law, section 9.5.3)",
    ),
    (
        SPECTRAL,
        "the spectral density at zero, from the stationary part of the series (Heidelberger and Welch 1981, 1983)",
    ),
    (
        "student",
        "all values as independent ones, by Student's t, unless the von Neumann test finds that they depend on one another (Law, section 4.5)",
    ),
    (
        "order-statistics",
        "ranks between which the quantile lies, by the binomial distribution; for independent values (David and Nagaraja, Order Statistics, 2003, section 7.1)",
    ),
    (
        "sectioning",
        "quantiles of 20 equal batches around that of all, by Student's t; for values that depend on one another (Nakayama 2014)",
    ),
];

/// What may be said of a series.
#[derive(Clone, PartialEq, Debug)]
pub struct Analysis {
    /// Values that it rests on.
    pub count: usize,
    /// Values left out at the start before anything was looked at.
    pub skipped: usize,
    /// Mean and sample variance.
    pub moments: Moments,
    /// Least and greatest value.
    pub range: (f64, f64),
    /// Correlation of neighbours.
    pub lag_1: Option<f64>,
    /// The von Neumann statistic of all values: beyond 1.645 they depend on one another.
    pub z: f64,
    /// Values that MSER-5 would leave out at the start; `None` where it finds no end of the warm-up.
    pub mser5: Option<usize>,
    /// The test of stationarity, or why there is none.
    pub stationarity: Result<Stationarity, String>,
    /// The mean, by each method.
    pub means: Vec<By>,
    /// The quantiles asked for.
    pub quantiles: Vec<Quantile>,
}

/// An interval by a method, or why there is none.
#[derive(Clone, PartialEq, Debug)]
pub struct By {
    /// One of [`METHODS`].
    pub method: &'static str,
    /// The interval.
    pub interval: Result<Interval, String>,
}

/// A quantile.
#[derive(Clone, PartialEq, Debug)]
pub struct Quantile {
    /// Which.
    pub p: f64,
    /// Its estimate: the least value that at least the share `p` of all do not exceed.
    pub value: f64,
    /// Its interval.
    pub by: By,
    /// Ranks of the ends of the interval among the sorted values, from 1, where they are values.
    pub ranks: Option<(u64, u64)>,
}

impl Analysis {
    /// Of finite values in the order in which they were seen, at least two; the first `skip` are left
    /// out. With `None` as many as MSER-5 says.
    pub fn of(values: &[f64], skip: Option<usize>, level: f64, quantiles: &[f64]) -> Self {
        let truncation = mser5(values).map(|found| found.observations);
        let skipped = skip.or(truncation).unwrap_or(0);
        let kept = &values[skipped.min(values.len().saturating_sub(2))..];
        let moments = Moments::of(kept);
        let (_, z) = von_neumann(kept);
        let stationarity = heidelberger_welch(kept, level);
        let mut sorted = kept.to_vec();
        sorted.sort_unstable_by(f64::total_cmp);
        let series = Series {
            kept,
            sorted: &sorted,
            level,
            z,
        };
        let neighbours = interval::correlation(&kept[..kept.len() - 1], &kept[1..]);
        Self {
            count: kept.len(),
            skipped: values.len() - kept.len(),
            moments,
            range: (sorted[0], sorted[sorted.len() - 1]),
            lag_1: neighbours,
            z,
            mser5: truncation,
            means: vec![
                series.batches(),
                spectral(&stationarity),
                series.independent(),
            ],
            stationarity,
            quantiles: quantiles.iter().map(|&p| series.quantile(p)).collect(),
        }
    }
}

struct Series<'a> {
    kept: &'a [f64],
    sorted: &'a [f64],
    level: f64,
    z: f64,
}

impl Series<'_> {
    fn batches(&self) -> By {
        let interval = match batch_means(self.kept, BATCHES, self.level) {
            None => Err(format!("it takes {BATCHES} values")),
            Some(found) => known(&found.estimate),
        };
        let method = "batch-means";
        By { method, interval }
    }

    fn independent(&self) -> By {
        let interval = if self.depends() {
            Err(format!(
                "the values depend on one another (von Neumann z {:.1})",
                self.z
            ))
        } else {
            known(&interval::mean(self.kept, self.level))
        };
        let method = "student";
        By { method, interval }
    }

    fn depends(&self) -> bool {
        self.z > VON_NEUMANN_Z
    }

    fn quantile(&self, p: f64) -> Quantile {
        let value = quantile_of(self.sorted, p);
        let n = self.sorted.len() as u64;
        let (method, found) = if self.depends() {
            ("sectioning", self.sections(p, value).map(|i| (i, None)))
        } else {
            let ranks = order_statistics(p, n, self.level)
                .ok_or_else(|| format!("{n} values are too few for ranks on both sides of it"));
            let found = ranks.map(|(low, high)| {
                let at = |rank: u64| self.sorted[rank as usize - 1];
                let interval = Interval {
                    mean: value,
                    low: at(low),
                    high: at(high),
                    level: self.level,
                    samples: n,
                    method: Method::OrderStatistics,
                };
                (interval, Some((low, high)))
            });
            ("order-statistics", found)
        };
        let ranks = found.as_ref().ok().and_then(|(_, ranks)| *ranks);
        let interval = found.map(|(interval, _)| interval);
        Quantile {
            p,
            value,
            by: By { method, interval },
            ranks,
        }
    }

    /// M. K. Nakayama, "Confidence Intervals for Quantiles Using Sectioning When Applying
    /// Variance-Reduction Techniques", ACM Transactions on Modeling and Computer Simulation 24(4),
    /// 2014: the quantiles of the batches vary around that of all.
    fn sections(&self, p: f64, whole: f64) -> Result<Interval, String> {
        let size = self.kept.len() / BATCHES;
        let beyond = size as f64 * p.min(1.0 - p);
        if beyond < MIN_BEYOND as f64 {
            let need = (MIN_BEYOND as f64 / p.min(1.0 - p)).ceil() * BATCHES as f64;
            return Err(format!(
                "the values depend on one another, and for {MIN_BEYOND} beyond the quantile in each of {BATCHES} batches it takes {need}"
            ));
        }
        let batches = self.kept[self.kept.len() - size * BATCHES..].chunks_exact(size);
        let squares: f64 = batches
            .map(|batch| {
                let mut sorted = batch.to_vec();
                sorted.sort_unstable_by(f64::total_cmp);
                let off = quantile_of(&sorted, p) - whole;
                off * off
            })
            .sum();
        let b = BATCHES as f64;
        let factor = student_quantile(0.5 + self.level / 2.0, b - 1.0);
        let half_width = factor * libm::sqrt(squares / (b - 1.0) / b);
        let samples = BATCHES as u64;
        varied(Interval::around(whole, half_width, self.level, samples))
    }
}

fn spectral(found: &Result<Stationarity, String>) -> By {
    let of = |found: &Stationarity| {
        let mean = found.mean;
        mean.ok_or_else(|| "not even the second half is stationary".to_owned())
    };
    let interval = found.as_ref().map_err(Clone::clone).and_then(of);
    By {
        method: SPECTRAL,
        interval: interval.and_then(varied),
    }
}

fn known(estimate: &Estimate) -> Result<Interval, String> {
    let reason = || estimate.reason().map(ToString::to_string);
    estimate
        .interval()
        .copied()
        .ok_or_else(|| reason().unwrap_or_default())
        .and_then(varied)
}

/// The interval, unless nothing varied: a width of nothing would promise that nothing ever will.
fn varied(interval: Interval) -> Result<Interval, String> {
    if interval.varies() {
        Ok(interval)
    } else {
        Err("nothing varied, so nothing tells how it would".to_owned())
    }
}

/// The least of sorted values that at least the share `p` of them do not exceed.
fn quantile_of(sorted: &[f64], p: f64) -> f64 {
    let rank = (p * sorted.len() as f64).ceil() as usize;
    sorted[rank.clamp(1, sorted.len()) - 1]
}

#[cfg(test)]
pub(super) mod testing {
    use crate::draws::Stream;

    /// Independent exponential values of mean one.
    pub(crate) fn exponential(length: u64, number: u64) -> Vec<f64> {
        let stream = Stream::new(3, number, "exponential");
        (0..length).map(|i| stream.at(i).exponential()).collect()
    }

    /// x(i) = φ x(i − 1) + ε(i) with standard normal ε, from its steady state: mean 0, variance
    /// 1/(1 − φ²), spectral density at zero 1/(1 − φ)².
    pub(crate) fn autoregressive(phi: f64, length: u64, number: u64) -> Vec<f64> {
        let stream = Stream::new(3, number, "autoregressive");
        let mut x = stream.at(u64::MAX).normal() / libm::sqrt(1.0 - phi * phi);
        let next = |i| {
            x = phi * x + stream.at(i).normal();
            x
        };
        (0..length).map(next).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{autoregressive, exponential};
    use super::*;

    /// How often of 400 series the interval covers, and how often there is one.
    fn coverage(
        draw: impl Fn(u64) -> Vec<f64>,
        truth: f64,
        pick: impl Fn(&Analysis) -> &By,
    ) -> (f64, u32) {
        let (mut given, mut covered) = (0, 0);
        for n in 0..400 {
            let found = Analysis::of(&draw(n), Some(0), 0.95, &[0.5, 0.9]);
            if let Ok(interval) = &pick(&found).interval {
                given += 1;
                covered += u32::from(interval.covers(truth));
            }
        }
        (f64::from(covered) / f64::from(given), given)
    }

    #[test]
    fn values_that_never_vary_tell_nothing_of_their_mean() {
        let found = Analysis::of(&[5.0; 1000], Some(0), 0.95, &[0.5]);
        for by in &found.means {
            let why = by.interval.as_ref().expect_err("a width of nothing");
            assert!(why.contains("nothing varied"), "{}: {why}", by.method);
        }
        // Ranks hold for any law: the median is 5 unless chance was very much against it.
        assert!(found.quantiles[0].by.interval.is_ok());
    }

    #[test]
    fn intervals_of_independent_values_cover() {
        let draw = |n| exponential(1000, n);
        for (method, at) in [("batch-means", 0), ("spectral", 1), ("student", 2)] {
            let (share, given) = coverage(draw, 1.0, |a| &a.means[at]);
            assert!((0.905..=0.994).contains(&share), "{method}: {share}");
            assert!(given > 340, "{method}: {given}");
        }
        for (at, truth) in [(0, libm::log(2.0)), (1, libm::log(10.0))] {
            let (share, given) = coverage(draw, truth, |a| &a.quantiles[at].by);
            assert!((0.905..=0.994).contains(&share), "{at}: {share}");
            // One in twenty is taken to be dependent, and too short for its batches.
            assert!(given > 360, "{given}");
        }
    }

    #[test]
    fn dependent_values_are_seen_as_such() {
        let draw = |n| autoregressive(0.8, 20_000, n);
        let (share, given) = coverage(draw, 0.0, |a| &a.means[0]);
        assert!(
            (0.905..=0.994).contains(&share) && given > 340,
            "{share} {given}"
        );
        let (_, given) = coverage(draw, 0.0, |a| &a.means[2]);
        assert_eq!(given, 0, "nobody may take them as independent");
        let (share, _) = coverage(draw, 0.0, |a| &a.quantiles[0].by);
        assert!((0.905..=0.994).contains(&share), "{share}");
        let z90 = 1.281_551_565_544_6 / libm::sqrt(1.0 - 0.64);
        let (share, _) = coverage(draw, z90, |a| &a.quantiles[1].by);
        assert!((0.905..=0.994).contains(&share), "{share}");
        let one = Analysis::of(&draw(1), Some(0), 0.95, &[0.5, 0.999]);
        assert!(one.lag_1.is_some_and(|r| (r - 0.8).abs() < 0.02));
        assert!(one.quantiles.iter().all(|q| q.by.method == "sectioning"));
        let why = one.quantiles[1].by.interval.as_ref().expect_err("too rare");
        assert!(why.contains("200000"), "{why}");
    }

    #[test]
    fn ranks_are_those_of_the_binomial_distribution() {
        let values: Vec<f64> = (0..100).map(|i| f64::from(i * 37 % 100) + 1.0).collect();
        let found = Analysis::of(&values, Some(0), 0.95, &[0.5, 0.999]);
        let median = &found.quantiles[0];
        // Tables of the binomial distribution: for 100 values, 40 and 61.
        assert_eq!(median.ranks, Some((40, 61)));
        assert_eq!(median.value.to_bits(), 50f64.to_bits());
        let interval = median.by.interval.as_ref().expect("enough values");
        assert_eq!((interval.low, interval.high), (40.0, 61.0));
        assert!(found.quantiles[1].by.interval.is_err());
    }

    #[test]
    fn a_warm_up_is_left_out_when_asked_for() {
        let mut values = exponential(2000, 7);
        for value in &mut values[..300] {
            *value += 10.0;
        }
        let all = Analysis::of(&values, Some(0), 0.95, &[]);
        let cut = all.mser5.expect("an end of the warm-up");
        assert!((300..400).contains(&cut), "{cut}");
        let rest = Analysis::of(&values, None, 0.95, &[]);
        assert_eq!((rest.skipped, rest.count), (cut, 2000 - cut));
        assert!((rest.moments.mean() - 1.0).abs() < 0.1);
    }

    #[test]
    fn two_values_suffice_for_an_answer() {
        let found = Analysis::of(&[1.0, 3.0], Some(0), 0.95, &[0.5]);
        assert!(found.means.iter().all(|by| by.interval.is_err()));
        assert_eq!(found.range, (1.0, 3.0));
    }
}
