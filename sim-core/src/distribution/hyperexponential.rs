//! Hyperexponential: a mixture of two exponentials, hence more variable than one.

use super::{Distribution, DistributionDef, exponential_below, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "hyperexponential",
        about: "Mostly short exponential times and now and then a long one, each kind making up half of the work.",
        source: "Whitt, Approximating a point process by a renewal process I, Operations Research 30(1), 1982 (balanced means)",
        params: &[
            ParamDef {
                name: "mean",
                about: "The mean.",
                kind: ParamKind::Span { min: Duration(1) },
                default: None,
            },
            ParamDef {
                name: "cv",
                about: "Standard deviation divided by the mean; one gives the exponential distribution.",
                kind: ParamKind::Number {
                    min: 1.0,
                    max: 100.0,
                    unit: "",
                },
                default: Some("2"),
            },
        ],
    },
    check: no_conditions,
    build: |params| {
        Box::new(Hyperexponential::new(
            params.span("mean").0 as f64,
            params.number("cv"),
        ))
    },
};

/// With probability p a time of mean m/2p, otherwise of mean m/2(1−p), where
/// p = (1 − √((c²−1)/(c²+1)))/2: both kinds contribute m/2 to the mean.
#[derive(Debug)]
struct Hyperexponential {
    mean_ns: f64,
    cv2: f64,
    probability_of_long: f64,
    mean_of_long_ns: f64,
    mean_of_short_ns: f64,
}

impl Hyperexponential {
    fn new(mean_ns: f64, cv: f64) -> Self {
        let cv2 = cv * cv;
        // 1 − √q written as (1 − q) / (1 + √q), which keeps its digits when q is near one.
        let probability_of_long =
            1.0 / ((cv2 + 1.0) * (1.0 + libm::sqrt((cv2 - 1.0) / (cv2 + 1.0))));
        Self {
            mean_ns,
            cv2,
            probability_of_long,
            mean_of_long_ns: mean_ns / (2.0 * probability_of_long),
            mean_of_short_ns: mean_ns / (2.0 * (1.0 - probability_of_long)),
        }
    }
}

impl Distribution for Hyperexponential {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        let mean_ns = if draws.chance(self.probability_of_long) {
            self.mean_of_long_ns
        } else {
            self.mean_of_short_ns
        };
        mean_ns * draws.exponential()
    }
    fn below(&self, ns: f64) -> f64 {
        let p = self.probability_of_long;
        p * exponential_below(ns, self.mean_of_long_ns)
            + (1.0 - p) * exponential_below(ns, self.mean_of_short_ns)
    }
    fn mean_ns(&self) -> f64 {
        self.mean_ns
    }
    fn cv2(&self) -> f64 {
        self.cv2
    }
    fn moment(&self, k: u32) -> f64 {
        let p = self.probability_of_long;
        let part = |mean_ns: f64| libm::pow(mean_ns / self.mean_ns, f64::from(k));
        let factorial: f64 = (1..=k).map(f64::from).product();
        factorial * (p * part(self.mean_of_long_ns) + (1.0 - p) * part(self.mean_of_short_ns))
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_moments, share_below};
    use super::*;

    #[test]
    fn moments_are_as_asked() {
        assert_moments(&Hyperexponential::new(3e6, 1.0), 3e6, 1.0, 0.03);
        assert_moments(&Hyperexponential::new(3e6, 2.0), 3e6, 4.0, 0.25);
    }

    #[test]
    fn the_second_moment_follows_from_the_branches() {
        for cv in [1.0, 1.5, 10.0, 100.0] {
            let law = Hyperexponential::new(1.0, cv);
            let p = law.probability_of_long;
            let mean = p * law.mean_of_long_ns + (1.0 - p) * law.mean_of_short_ns;
            let (long, short) = (law.mean_of_long_ns, law.mean_of_short_ns);
            let second = 2.0 * (p * long * long + (1.0 - p) * short * short);
            assert!((mean - 1.0).abs() < 1e-12, "cv {cv}: mean {mean}");
            assert!(
                (second / (1.0 + cv * cv) - 1.0).abs() < 1e-9,
                "cv {cv}: second moment {second}"
            );
        }
    }

    #[test]
    fn it_follows_its_distribution_function() {
        let law = Hyperexponential::new(1.0, 2.0);
        let p = law.probability_of_long;
        let above = p * libm::exp(-1.0 / law.mean_of_long_ns)
            + (1.0 - p) * libm::exp(-1.0 / law.mean_of_short_ns);
        let below = share_below(&law, 1.0);
        assert!((below - (1.0 - above)).abs() < 0.005, "{below}");
    }
}
