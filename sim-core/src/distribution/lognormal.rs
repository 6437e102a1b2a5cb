//! Log-normal: what service times of real programs look like, a hump and a long right tail.

use super::{Distribution, DistributionDef, no_conditions, step};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "lognormal",
        about: "A hump with a long right tail, as measured response times often have.",
        source: "Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions, volume 1, 1994, chapter 14",
        params: &[
            ParamDef {
                name: "mean",
                about: "The mean.",
                kind: ParamKind::Span { min: Duration(1) },
                default: None,
            },
            ParamDef {
                name: "cv",
                about: "Standard deviation divided by the mean; zero makes the time constant.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "",
                },
                default: Some("1"),
            },
        ],
    },
    check: no_conditions,
    build: |params| {
        Box::new(LogNormal::new(
            params.span("mean").0 as f64,
            params.number("cv"),
        ))
    },
};

/// `mean · exp(σZ − σ²/2)` with Z normal: the log has variance σ² = ln(1 + cv²).
#[derive(Debug)]
struct LogNormal {
    mean_ns: f64,
    sigma: f64,
    half_sigma2: f64,
    cv2: f64,
}

impl LogNormal {
    fn new(mean_ns: f64, cv: f64) -> Self {
        let cv2 = cv * cv;
        let sigma2 = libm::log1p(cv2);
        Self {
            mean_ns,
            sigma: libm::sqrt(sigma2),
            half_sigma2: sigma2 / 2.0,
            cv2,
        }
    }
}

impl Distribution for LogNormal {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        self.mean_ns * libm::exp(self.sigma * draws.normal() - self.half_sigma2)
    }
    fn below(&self, ns: f64) -> f64 {
        if self.sigma <= 0.0 {
            return step(ns, self.mean_ns);
        }
        if ns <= 0.0 {
            return 0.0;
        }
        let z = (libm::log(ns / self.mean_ns) + self.half_sigma2) / self.sigma;
        0.5 * libm::erfc(-z * std::f64::consts::FRAC_1_SQRT_2)
    }
    fn corners_ns(&self) -> Vec<f64> {
        vec![self.mean_ns]
    }
    fn mean_ns(&self) -> f64 {
        self.mean_ns
    }
    fn cv2(&self) -> f64 {
        self.cv2
    }
    fn moment(&self, k: u32) -> f64 {
        let k = f64::from(k);
        libm::exp(k * (k - 1.0) * self.half_sigma2)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_moments, share_below};
    use super::*;

    #[test]
    fn moments_are_as_asked() {
        assert_moments(&LogNormal::new(2e6, 0.5), 2e6, 0.25, 0.02);
        assert_moments(&LogNormal::new(2e6, 1.0), 2e6, 1.0, 0.1);
    }

    #[test]
    fn half_lies_below_the_median() {
        // The median is mean / sqrt(1 + cv²).
        let below = share_below(&LogNormal::new(1e9, 3.0), 1e9 / 10_f64.sqrt());
        assert!((below - 0.5).abs() < 0.005, "{below}");
    }

    #[test]
    fn without_variation_it_is_constant() {
        assert_moments(&LogNormal::new(7.0, 0.0), 7.0, 0.0, 0.0);
    }
}
