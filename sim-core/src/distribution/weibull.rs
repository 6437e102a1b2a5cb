//! Weibull: a stretched (shape below 1) or squeezed (above 1) exponential.

use super::{Distribution, DistributionDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "weibull",
        about: "An exponential stretched (shape below 1: heavier tail) or squeezed (above 1: steadier).",
        source: "Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions, volume 1, 1994, chapter 21",
        params: &[
            ParamDef {
                name: "mean",
                about: "The mean.",
                kind: ParamKind::Span { min: Duration(1) },
                default: None,
            },
            ParamDef {
                name: "shape",
                about: "One gives the exponential distribution, less a heavier tail, more a steadier time.",
                kind: ParamKind::Number {
                    min: 0.1,
                    max: 100.0,
                    unit: "",
                },
                default: Some("0.5"),
            },
        ],
    },
    check: no_conditions,
    build: |params| {
        Box::new(Weibull::new(
            params.span("mean").0 as f64,
            params.number("shape"),
        ))
    },
};

/// `scale · E^(1/k)` with E exponential; the mean is `scale · Γ(1 + 1/k)`.
#[derive(Debug)]
struct Weibull {
    mean_ns: f64,
    scale_ns: f64,
    one_over_shape: f64,
}

impl Weibull {
    fn new(mean_ns: f64, shape: f64) -> Self {
        let one_over_shape = 1.0 / shape;
        Self {
            mean_ns,
            scale_ns: mean_ns / libm::tgamma(1.0 + one_over_shape),
            one_over_shape,
        }
    }
}

impl Distribution for Weibull {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        // A logarithm and an exponential are several times cheaper than `pow`. E = 0 gives 0.
        self.scale_ns * libm::exp(libm::log(draws.exponential()) * self.one_over_shape)
    }
    fn below(&self, ns: f64) -> f64 {
        let part = ns.max(0.0) / self.scale_ns;
        -libm::expm1(-libm::pow(part, 1.0 / self.one_over_shape))
    }
    fn mean_ns(&self) -> f64 {
        self.mean_ns
    }
    fn cv2(&self) -> f64 {
        let first = libm::tgamma(1.0 + self.one_over_shape);
        libm::tgamma(1.0 + 2.0 * self.one_over_shape) / (first * first) - 1.0
    }
    fn moment(&self, k: u32) -> f64 {
        let first = libm::tgamma(1.0 + self.one_over_shape);
        libm::tgamma(1.0 + f64::from(k) * self.one_over_shape) / libm::pow(first, f64::from(k))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_moments, share_below};
    use super::*;

    #[test]
    fn moments_are_those_of_the_shape() {
        // Γ(5) / Γ(3)² − 1 = 5 and, for a Rayleigh law, 4/π − 1.
        assert_moments(&Weibull::new(2e6, 0.5), 2e6, 5.0, 0.6);
        assert_moments(&Weibull::new(2e6, 1.0), 2e6, 1.0, 0.03);
        assert_moments(
            &Weibull::new(2e6, 2.0),
            2e6,
            4.0 / std::f64::consts::PI - 1.0,
            0.005,
        );
    }

    #[test]
    fn the_share_below_the_scale_is_the_same_for_every_shape() {
        for shape in [0.5, 1.0, 3.0] {
            let law = Weibull::new(1e9, shape);
            let below = share_below(&law, law.scale_ns);
            assert!(
                (below - (1.0 - libm::exp(-1.0))).abs() < 0.005,
                "shape {shape}: {below}"
            );
        }
    }
}
