//! Erlang: several exponential stages one after the other, hence less variable than one.

use super::{Distribution, DistributionDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "erlang",
        about: "Several equal exponential stages in a row: the more of them, the steadier.",
        source: "Kleinrock, Queueing Systems, volume 1, 1975, section 4.2",
        params: &[
            ParamDef {
                name: "mean",
                about: "The mean of the whole time.",
                kind: ParamKind::Span { min: Duration(1) },
                default: None,
            },
            ParamDef {
                name: "stages",
                about: "Stages in a row; the squared coefficient of variation is one divided by this.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1000,
                    unit: "stages",
                },
                default: Some("2"),
            },
        ],
    },
    check: no_conditions,
    build: |params| {
        Box::new(Erlang {
            mean_ns: params.span("mean").0 as f64,
            stages: params.integer("stages") as u32,
        })
    },
};

#[derive(Debug)]
struct Erlang {
    mean_ns: f64,
    stages: u32,
}

impl Distribution for Erlang {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        let mut sum = 0.0;
        for _ in 0..self.stages {
            sum += draws.exponential();
        }
        self.mean_ns * sum / f64::from(self.stages)
    }
    fn below(&self, ns: f64) -> f64 {
        // As many stages are over as a Poisson process has events: fewer than all have with the sum of
        // its first probabilities, whose logarithms do not vanish.
        let expected = ns.max(0.0) / self.mean_ns * f64::from(self.stages);
        if expected <= 0.0 {
            return 0.0;
        }
        let log = libm::log(expected);
        let of = |i: f64| libm::exp(i * log - expected - libm::lgamma(i + 1.0));
        let fewer: f64 = (0..self.stages).map(|i| of(f64::from(i))).sum();
        (1.0 - fewer).max(0.0)
    }
    fn mean_ns(&self) -> f64 {
        self.mean_ns
    }
    fn cv2(&self) -> f64 {
        1.0 / f64::from(self.stages)
    }
    fn moment(&self, k: u32) -> f64 {
        let stages = f64::from(self.stages);
        (0..k).map(|i| (stages + f64::from(i)) / stages).product()
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_moments, share_below};
    use super::*;

    #[test]
    fn variation_falls_with_the_stages() {
        for stages in [1, 2, 10] {
            assert_moments(
                &Erlang {
                    mean_ns: 5e6,
                    stages,
                },
                5e6,
                1.0 / f64::from(stages),
                0.02,
            );
        }
    }

    #[test]
    fn two_stages_follow_their_distribution_function() {
        // P(X > x) = (1 + 2x/m) exp(-2x/m); at the mean 3 exp(-2).
        let below = share_below(
            &Erlang {
                mean_ns: 1.0,
                stages: 2,
            },
            1.0,
        );
        assert!(
            (below - (1.0 - 3.0 * libm::exp(-2.0))).abs() < 0.005,
            "{below}"
        );
    }
}
