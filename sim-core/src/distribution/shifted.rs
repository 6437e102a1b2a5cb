//! A law that begins later: a time that nothing goes below, and on top what the law says.

use super::{Distribution, DistributionDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "shifted",
        about: "A time that is always there, and on top of it one by another law: the way of the light before the queue of a router.",
        source: "",
        params: &[
            ParamDef {
                name: "of",
                about: "The law of what is added.",
                kind: ParamKind::Distribution,
                default: None,
            },
            ParamDef {
                name: "by",
                about: "What is always there.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: None,
            },
        ],
    },
    check: no_conditions,
    build: |params| {
        Box::new(Shifted {
            of: params.distribution("of").build(),
            by_ns: params.span("by").0 as f64,
        })
    },
};

#[derive(Debug)]
struct Shifted {
    of: Box<dyn Distribution>,
    by_ns: f64,
}

impl Distribution for Shifted {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        self.by_ns + self.of.sample_ns(draws)
    }
    fn below(&self, ns: f64) -> f64 {
        if ns < self.by_ns {
            return 0.0;
        }
        self.of.below(ns - self.by_ns)
    }
    fn corners_ns(&self) -> Vec<f64> {
        let inner = self.of.corners_ns().into_iter();
        inner
            .map(|ns| ns + self.by_ns)
            .chain([self.by_ns])
            .collect()
    }
    fn correlation(&self) -> f64 {
        self.of.correlation()
    }
    fn mean_ns(&self) -> f64 {
        self.by_ns + self.of.mean_ns()
    }
    fn cv2(&self) -> f64 {
        if self.constant_ns().is_some() {
            return 0.0;
        }
        let part = self.of.mean_ns() / self.mean_ns();
        self.of.cv2() * part * part
    }
    fn moment(&self, k: u32) -> f64 {
        if self.of.mean_ns() <= 0.0 {
            return 1.0;
        }
        // The binomial theorem, in parts of the mean.
        let (by, of) = (
            self.by_ns / self.mean_ns(),
            self.of.mean_ns() / self.mean_ns(),
        );
        let mut choose = 1.0;
        let mut sum = 0.0;
        for i in 0..=k {
            let power = if i == 0 { 1.0 } else { self.of.moment(i) };
            sum += choose
                * libm::pow(by, f64::from(k - i))
                * if i == 0 {
                    1.0
                } else {
                    power * libm::pow(of, f64::from(i))
                };
            choose *= f64::from(k - i) / f64::from(i + 1);
        }
        sum
    }
    fn constant_ns(&self) -> Option<f64> {
        self.of.constant_ns().map(|ns| ns + self.by_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::super::exponential;
    use super::super::testing::{assert_moments, share_below};
    use super::*;
    use crate::extension::ParamValue::{Distribution as Law, Span};
    use crate::extension::{Configured, Params};

    #[test]
    fn moments_are_moved_and_nothing_else() {
        let params = Params::new(vec![("mean", Span(Duration(2_000_000)))]);
        let of = Configured {
            def: &exponential::DISTRIBUTION,
            params,
        };
        let by = Span(Duration(6_000_000));
        let params = Params::new(vec![("of", Law(of.into())), ("by", by)]);
        let law = (DISTRIBUTION.build)(&params);
        // Mean 6 + 2, deviation 2 as before.
        assert_moments(law.as_ref(), 8e6, 1.0 / 16.0, 0.01);
        // (6³ + 3·6²·2 + 3·6·8 + 48) / 8³.
        assert!((law.moment(3) - 624.0 / 512.0).abs() < 1e-12);
        assert!(share_below(law.as_ref(), 6e6) <= 0.0);
        let below = share_below(law.as_ref(), 8e6);
        assert!((below + libm::expm1(-1.0)).abs() < 0.005, "{below}");
    }
}
