//! Mixed exponential: a hyperexponential with its branches written out.

use super::{Distribution, DistributionDef, exponential_below, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

const LEAST: ParamKind = ParamKind::Span { min: Duration(1) };

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "mixed-exponential",
        about: "One of two exponential times: a hyperexponential with the mean and probability of each branch given.",
        source: "Johnson, Kotz and Balakrishnan, Continuous Univariate Distributions, volume 1, 1994, chapter 19",
        params: &[
            ParamDef {
                name: "short",
                about: "Mean of the usual branch.",
                kind: LEAST,
                default: None,
            },
            ParamDef {
                name: "long",
                about: "Mean of the other branch.",
                kind: LEAST,
                default: None,
            },
            ParamDef {
                name: "probability_of_long",
                about: "How often the other branch is taken.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1.0,
                    unit: "",
                },
                default: Some("0.1"),
            },
        ],
    },
    check: no_conditions,
    build: |params| {
        Box::new(MixedExponential {
            short_ns: params.span("short").0 as f64,
            long_ns: params.span("long").0 as f64,
            probability_of_long: params.number("probability_of_long"),
        })
    },
};

#[derive(Debug)]
struct MixedExponential {
    short_ns: f64,
    long_ns: f64,
    probability_of_long: f64,
}

impl Distribution for MixedExponential {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        let mean_ns = if draws.chance(self.probability_of_long) {
            self.long_ns
        } else {
            self.short_ns
        };
        mean_ns * draws.exponential()
    }
    fn below(&self, ns: f64) -> f64 {
        let p = self.probability_of_long;
        p * exponential_below(ns, self.long_ns) + (1.0 - p) * exponential_below(ns, self.short_ns)
    }
    fn mean_ns(&self) -> f64 {
        self.short_ns + self.probability_of_long * (self.long_ns - self.short_ns)
    }
    fn cv2(&self) -> f64 {
        let p = self.probability_of_long;
        let second =
            2.0 * (p * self.long_ns * self.long_ns + (1.0 - p) * self.short_ns * self.short_ns);
        second / (self.mean_ns() * self.mean_ns()) - 1.0
    }
    fn moment(&self, k: u32) -> f64 {
        let p = self.probability_of_long;
        let part = |mean_ns: f64| libm::pow(mean_ns / self.mean_ns(), f64::from(k));
        let factorial: f64 = (1..=k).map(f64::from).product();
        factorial * (p * part(self.long_ns) + (1.0 - p) * part(self.short_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::assert_moments;
    use super::*;

    #[test]
    fn moments_are_those_of_the_branches() {
        let law = |long_ns| MixedExponential {
            short_ns: 1e6,
            long_ns,
            probability_of_long: 0.2,
        };
        // Mean 0.8 + 1.2 = 2; second moment 2·(0.8 + 0.2·36) = 16, so cv² = 3.
        assert_moments(&law(6e6), 2e6, 3.0, 0.1);
        assert_moments(&law(1e6), 1e6, 1.0, 0.03);
    }
}
