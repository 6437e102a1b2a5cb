//! Normal, where times can be: sums of many small parts, and textbooks.
//!
//! No time is negative. A draw below zero is drawn again, which makes it the normal law given that it is
//! not negative: its mean is above the `mean` that is written, by 3e-7 of it with a `cv` of 0.2 and by 2.8 %
//! with one of 0.5 (Johnson, Kotz and Balakrishnan, section 13.10.1). Where mean and deviation must be as written
//! and the hump counts less, `erlang` and `lognormal` are never negative in the first place.

use super::{Distribution, DistributionDef, no_conditions, step};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "normal",
        about: "A symmetric hump, cut off at zero: what would be negative is drawn again, so that a wide one has a mean above what is written.",
        source: "Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions, volume 1, 1994, section 13.10",
        params: &[
            ParamDef {
                name: "mean",
                about: "The mean before it is cut off: the top of the hump.",
                kind: ParamKind::Span { min: Duration(1) },
                default: None,
            },
            ParamDef {
                name: "cv",
                about: "Standard deviation before it is cut off, divided by `mean`; zero makes the time constant, and up to 0.3 next to nothing is cut off.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 10.0,
                    unit: "",
                },
                default: Some("0.25"),
            },
        ],
    },
    check: no_conditions,
    build: |params| {
        Box::new(Normal::new(
            params.span("mean").0 as f64,
            params.number("cv"),
        ))
    },
};

#[derive(Debug)]
struct Normal {
    top_ns: f64,
    deviation_ns: f64,
    mean_ns: f64,
    cv2: f64,
}

impl Normal {
    fn new(top_ns: f64, cv: f64) -> Self {
        let mut normal = Self {
            top_ns,
            deviation_ns: top_ns * cv,
            mean_ns: 0.0,
            cv2: 0.0,
        };
        normal.mean_ns = top_ns * normal.power(1);
        let mean = normal.power(1);
        normal.cv2 = if cv > 0.0 {
            normal.power(2) / (mean * mean) - 1.0
        } else {
            0.0
        };
        normal
    }

    /// The mean of the `k`-th power, in units of the top. By parts, E[Xᵏ] = μ E[Xᵏ⁻¹] + (k − 1) σ² E[Xᵏ⁻²],
    /// and where k is 1 what is cut off adds σ φ(μ/σ) / Φ(μ/σ).
    fn power(&self, k: u32) -> f64 {
        let cv = self.deviation_ns / self.top_ns;
        let cut = if cv > 0.0 {
            let z = 1.0 / cv;
            let density = libm::exp(-0.5 * z * z) / libm::sqrt(std::f64::consts::TAU);
            let kept = 0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2);
            cv * density / kept
        } else {
            0.0
        };
        let (mut before, mut power) = (0.0, 1.0);
        for j in 0..k {
            let next = power + f64::from(j) * cv * cv * before + if j == 0 { cut } else { 0.0 };
            (before, power) = (power, next);
        }
        power
    }
}

impl Distribution for Normal {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        // At least every second draw is none below zero.
        loop {
            let value = self.top_ns + self.deviation_ns * draws.normal();
            if value >= 0.0 {
                return value;
            }
        }
    }
    fn below(&self, ns: f64) -> f64 {
        if self.deviation_ns <= 0.0 {
            return step(ns, self.top_ns);
        }
        let phi = |x: f64| {
            let z = (x - self.top_ns) / self.deviation_ns;
            0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
        };
        let cut = phi(0.0);
        ((phi(ns) - cut).max(0.0) / (1.0 - cut)).min(1.0)
    }
    fn corners_ns(&self) -> Vec<f64> {
        vec![self.top_ns]
    }
    fn mean_ns(&self) -> f64 {
        self.mean_ns
    }
    fn cv2(&self) -> f64 {
        self.cv2
    }
    fn moment(&self, k: u32) -> f64 {
        self.power(k) / libm::pow(self.power(1), f64::from(k))
    }
    fn constant_ns(&self) -> Option<f64> {
        (self.deviation_ns <= 0.0).then_some(self.top_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_moments, share_below};
    use super::*;

    /// Mean and squared coefficient of variation by Simpson's rule on the density.
    fn by_quadrature(cv: f64) -> (f64, f64) {
        let (steps, end) = (20_000, 1.0 + 12.0 * cv);
        let moment = |k: i32| {
            let at = |i: i32| {
                let x = end * f64::from(i) / f64::from(steps);
                let z = (x - 1.0) / cv;
                let weight = match i {
                    0 => 1.0,
                    i if i == steps => 1.0,
                    i if i % 2 == 1 => 4.0,
                    _ => 2.0,
                };
                weight * x.powi(k) * libm::exp(-0.5 * z * z)
            };
            (0..=steps).map(at).sum::<f64>()
        };
        let mean = moment(1) / moment(0);
        (mean, moment(2) / moment(0) / (mean * mean) - 1.0)
    }

    #[test]
    fn moments_are_those_of_what_is_left() {
        for cv in [0.25, 0.5, 1.0, 10.0] {
            let (mean, cv2) = by_quadrature(cv);
            let law = Normal::new(1e6, cv);
            assert!((law.mean_ns / 1e6 / mean - 1.0).abs() < 1e-9, "{cv}");
            assert!((law.cv2 / cv2 - 1.0).abs() < 1e-8, "{cv}");
            assert_moments(&law, law.mean_ns, law.cv2, 0.02);
        }
        assert!((Normal::new(1.0, 0.5).mean_ns - 1.0276).abs() < 5e-5);
    }

    #[test]
    fn it_is_a_hump_around_its_top() {
        let law = Normal::new(1e9, 0.2);
        assert!((share_below(&law, 1e9) - 0.5).abs() < 0.005);
        assert!((share_below(&law, 0.8e9) - 0.1587).abs() < 0.004);
    }

    #[test]
    fn without_variation_it_is_constant() {
        assert_moments(&Normal::new(7.0, 0.0), 7.0, 0.0, 0.0);
    }
}
