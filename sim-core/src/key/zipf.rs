//! Zipf: the k-th most frequent of n keys is k⁻ˢ times as frequent as the first.
//!
//! Rejection-inversion: Hörmann and Derflinger, "Rejection-inversion to generate variates from
//! monotone discrete distributions", ACM TOMACS 6(3), 1996. It needs no table, so ten million keys
//! cost no memory, and less than 1.1 tries a draw.

use super::{KeyDef, Keys};
use crate::draws::{Draws, mix};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use std::sync::Arc;

pub(super) static KEY: KeyDef = KeyDef {
    row: ExtensionRow {
        name: "zipf",
        about: "A number of keys of which a few are very frequent: the k-th has a share proportional to 1/k^s.",
        source: "Hörmann and Derflinger, Rejection-inversion to generate variates from monotone discrete distributions, ACM TOMACS 6(3), 1996",
        params: &[
            ParamDef {
                name: "n",
                about: "How many different keys there are.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1_000_000_000,
                    unit: "keys",
                },
                default: None,
            },
            ParamDef {
                name: "s",
                about: "How unequal they are; zero makes all equally frequent.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 10.0,
                    unit: "",
                },
                default: Some("1"),
            },
        ],
    },
    build: |params| Arc::new(Zipf::new(params.integer("n"), params.number("s"))),
};

/// `area` is the integral of `height(x) = x⁻ˢ` from 1 to x. A point drawn uniformly under that
/// curve, from 1 minus the first bar to n + ½, falls into the bar of the rank nearest to it or
/// into the sliver above the bar, and is drawn again then.
#[derive(Debug)]
struct Zipf {
    n: f64,
    s: f64,
    area_low: f64,
    area_high: f64,
    /// A point this close below its rank is inside the bar, whatever the rank.
    sure: f64,
}

impl Zipf {
    fn new(n: u64, s: f64) -> Self {
        let mut zipf = Self {
            n: n as f64,
            s,
            area_low: 0.0,
            area_high: 0.0,
            sure: 0.0,
        };
        zipf.area_low = zipf.area(1.5) - 1.0;
        zipf.area_high = zipf.area(n as f64 + 0.5);
        zipf.sure = 2.0 - zipf.inverse_area(zipf.area(2.5) - zipf.height(2.0));
        zipf
    }

    fn rank(&self, draws: &mut Draws) -> u64 {
        loop {
            let area = self.area_high + draws.uniform() * (self.area_low - self.area_high);
            let x = self.inverse_area(area);
            let rank = libm::floor(x + 0.5).clamp(1.0, self.n);
            if rank - x <= self.sure || area >= self.area(rank + 0.5) - self.height(rank) {
                return rank as u64;
            }
        }
    }

    fn height(&self, x: f64) -> f64 {
        libm::exp(-self.s * libm::log(x))
    }

    /// (x^(1−s) − 1) / (1 − s), which is ln x at s = 1.
    fn area(&self, x: f64) -> f64 {
        let log_x = libm::log(x);
        log_x * expm1_over((1.0 - self.s) * log_x)
    }

    fn inverse_area(&self, area: f64) -> f64 {
        // Rounding must not carry the argument of the logarithm below zero.
        let t = (area * (1.0 - self.s)).max(-1.0);
        libm::exp(log1p_over(t) * area)
    }
}

/// (eˣ − 1) / x, also at and near zero.
fn expm1_over(x: f64) -> f64 {
    if x.abs() > 1e-8 {
        libm::expm1(x) / x
    } else {
        1.0 + x / 2.0
    }
}

/// ln(1 + x) / x, also at and near zero.
fn log1p_over(x: f64) -> f64 {
    if x.abs() > 1e-8 {
        libm::log1p(x) / x
    } else {
        1.0 - x / 2.0
    }
}

impl Keys for Zipf {
    fn key(&self, _: u64, draws: &mut Draws) -> u64 {
        mix(self.rank(draws))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;

    fn ranks(n: u64, s: f64, requests: u64) -> Vec<u64> {
        let (law, stream) = (Zipf::new(n, s), Stream::new(8, 0, "keys"));
        (0..requests)
            .map(|number| law.rank(&mut stream.at(number)))
            .collect()
    }

    #[test]
    fn shares_follow_the_law() {
        for s in [0.0, 0.5, 1.0, 1.000_000_001, 1.5, 3.0] {
            let (n, requests) = (50, 200_000);
            let weights: Vec<f64> = (1..=n).map(|k| libm::pow(k as f64, -s)).collect();
            let total: f64 = weights.iter().sum();
            let mut counts = vec![0.0; n as usize];
            for rank in ranks(n, s, requests) {
                counts[rank as usize - 1] += 1.0;
            }
            // Pearson's statistic over ranks expected at least ten times; its mean is their number.
            let (mut statistic, mut degrees) = (0.0, -1.0);
            for (count, weight) in counts.iter().zip(&weights) {
                let expected = weight / total * requests as f64;
                if expected >= 10.0 {
                    statistic += (count - expected) * (count - expected) / expected;
                    degrees += 1.0;
                }
            }
            // Four standard deviations of chi-squared above its mean.
            assert!(
                statistic < degrees + 4.0 * (2.0_f64 * degrees).sqrt() + 4.0,
                "s = {s}: {statistic} with {degrees} degrees"
            );
        }
    }

    #[test]
    fn extreme_parameters_stay_in_range() {
        for n in [1, 2, 10_000_000, 1_000_000_000] {
            for s in [0.0, 0.999_999, 1.0, 2.0, 10.0] {
                assert!(
                    ranks(n, s, 2000).iter().all(|rank| (1..=n).contains(rank)),
                    "n = {n}, s = {s}"
                );
            }
        }
    }

    #[test]
    fn the_share_of_the_first_of_many_keys_is_right() {
        // The harmonic number of 10^7 is ln 10^7 + 0.5772 = 16.6953.
        let first = ranks(10_000_000, 1.0, 200_000)
            .iter()
            .filter(|rank| **rank == 1)
            .count() as f64
            / 200_000.0;
        assert!(
            (first - 1.0 / 16.6953).abs() < 4.0 * (0.06_f64 * 0.94 / 200_000.0).sqrt(),
            "{first}"
        );
    }
}
