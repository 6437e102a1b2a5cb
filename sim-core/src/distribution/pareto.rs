//! Pareto: a power-law tail, where a few requests are most of the work.

use super::{Distribution, DistributionDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "pareto",
        about: "A power-law tail: a few enormous requests make up much of the work.",
        source: "Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions, volume 1, 1994, chapter 20",
        params: &[
            ParamDef {
                name: "mean",
                about: "The mean.",
                kind: ParamKind::Span { min: Duration(1) },
                default: None,
            },
            ParamDef {
                name: "shape",
                about: "Exponent of the tail, above 1: the nearer to 1, the heavier; the variance is infinite up to 2.",
                kind: ParamKind::Number {
                    min: 1.01,
                    max: 1000.0,
                    unit: "",
                },
                default: Some("2.5"),
            },
        ],
    },
    check: no_conditions,
    build: |params| {
        Box::new(Pareto::new(
            params.span("mean").0 as f64,
            params.number("shape"),
        ))
    },
};

/// `least · exp(E/a)` with E exponential: P(X > x) = (least/x)^a, and the mean is
/// `least · a/(a − 1)`.
#[derive(Debug)]
struct Pareto {
    mean_ns: f64,
    least_ns: f64,
    shape: f64,
}

impl Pareto {
    fn new(mean_ns: f64, shape: f64) -> Self {
        Self {
            mean_ns,
            least_ns: mean_ns * (shape - 1.0) / shape,
            shape,
        }
    }
}

impl Distribution for Pareto {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        self.least_ns * libm::exp(draws.exponential() / self.shape)
    }
    fn below(&self, ns: f64) -> f64 {
        if ns <= self.least_ns {
            return 0.0;
        }
        -libm::expm1(-self.shape * libm::log(ns / self.least_ns))
    }
    fn corners_ns(&self) -> Vec<f64> {
        vec![self.least_ns]
    }
    fn mean_ns(&self) -> f64 {
        self.mean_ns
    }
    fn cv2(&self) -> f64 {
        if self.shape > 2.0 {
            1.0 / (self.shape * (self.shape - 2.0))
        } else {
            f64::INFINITY
        }
    }
    fn moment(&self, k: u32) -> f64 {
        let k = f64::from(k);
        if self.shape > k {
            self.shape / (self.shape - k) * libm::pow(self.least_ns / self.mean_ns, k)
        } else {
            f64::INFINITY
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_moments, share_below};
    use super::*;

    #[test]
    fn moments_are_those_of_the_shape() {
        assert_moments(&Pareto::new(3e6, 6.0), 3e6, 1.0 / 24.0, 0.005);
        assert_moments(&Pareto::new(3e6, 20.0), 3e6, 1.0 / 360.0, 0.0001);
    }

    #[test]
    fn the_variance_is_infinite_up_to_shape_two() {
        assert!(Pareto::new(1.0, 2.0).cv2().is_infinite());
        assert!(Pareto::new(1.0, 1.5).cv2().is_infinite());
        assert!(Pareto::new(1.0, 2.01).cv2().is_finite());
    }

    #[test]
    fn the_tail_is_a_power() {
        // P(X > 10 least) = 10^-1.5.
        let law = Pareto::new(1e6, 1.5);
        let above = 1.0 - share_below(&law, 10.0 * law.least_ns);
        assert!((above - 0.1 / 10_f64.sqrt()).abs() < 0.002, "{above}");
        assert!(
            share_below(&law, law.least_ns) <= 0.0,
            "nothing is shorter than the least"
        );
    }
}
