//! Bounded Pareto: a power law between a least and a greatest time.

use super::{Distribution, DistributionDef};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "bounded-pareto",
        about: "A power law between a least and a greatest time: heavy-tailed, yet with all moments.",
        source: "Harchol-Balter, Performance Modeling and Design of Computer Systems, 2013, section 20.4",
        params: &[
            ParamDef {
                name: "least",
                about: "Nothing is shorter.",
                kind: ParamKind::Span { min: Duration(1) },
                default: None,
            },
            ParamDef {
                name: "greatest",
                about: "Nothing is longer.",
                kind: ParamKind::Span { min: Duration(1) },
                default: None,
            },
            ParamDef {
                name: "shape",
                about: "Exponent of the tail: the smaller, the more of the work is in the longest requests.",
                kind: ParamKind::Number {
                    min: 0.01,
                    max: 1000.0,
                    unit: "",
                },
                default: Some("1.5"),
            },
        ],
    },
    check,
    build: |params| {
        Box::new(BoundedPareto::new(
            params.span("least").0 as f64,
            params.span("greatest").0 as f64,
            params.number("shape"),
        ))
    },
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let (least, greatest) = (params.span("least"), params.span("greatest"));
    if least > greatest {
        return Err(ParamProblem {
            param: "greatest",
            message: format!("greatest = {greatest} lies below least = {least}"),
        });
    }
    Ok(())
}

/// P(X > x) = ((least/x)^a − q) / (1 − q) with q = (least/greatest)^a.
#[derive(Debug)]
struct BoundedPareto {
    least_ns: f64,
    greatest_ns: f64,
    shape: f64,
    /// 1 − q.
    span: f64,
}

impl BoundedPareto {
    fn new(least_ns: f64, greatest_ns: f64, shape: f64) -> Self {
        // 1 − exp(−a·ln(greatest/least)), which keeps its digits when both are close.
        let span = -libm::expm1(-shape * libm::log(greatest_ns / least_ns));
        Self {
            least_ns,
            greatest_ns,
            shape,
            span,
        }
    }

    /// The k-th moment: ∫ x^k · a·least^a·x^(−a−1) dx / (1 − q).
    fn moment(&self, k: f64) -> f64 {
        if self.span <= 0.0 {
            return libm::pow(self.least_ns, k);
        }
        let (a, ratio) = (self.shape, libm::log(self.greatest_ns / self.least_ns));
        let difference = k - a;
        let integral = if difference.abs() * ratio < 1e-9 {
            ratio
        } else {
            libm::expm1(difference * ratio) / difference
        };
        libm::pow(self.least_ns, k) * a * integral / self.span
    }
}

impl Distribution for BoundedPareto {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        let within = 1.0 - draws.uniform() * self.span;
        let x = self.least_ns * libm::exp(-libm::log(within) / self.shape);
        x.min(self.greatest_ns)
    }
    fn below(&self, ns: f64) -> f64 {
        if ns >= self.greatest_ns {
            return 1.0;
        }
        if ns <= self.least_ns {
            return 0.0;
        }
        -libm::expm1(-self.shape * libm::log(ns / self.least_ns)) / self.span
    }
    fn corners_ns(&self) -> Vec<f64> {
        vec![self.least_ns, self.greatest_ns]
    }
    fn mean_ns(&self) -> f64 {
        self.moment(1.0)
    }
    fn cv2(&self) -> f64 {
        let mean = self.moment(1.0);
        (self.moment(2.0) / (mean * mean) - 1.0).max(0.0)
    }
    fn moment(&self, k: u32) -> f64 {
        Self::moment(self, f64::from(k)) / libm::pow(self.mean_ns(), f64::from(k))
    }
    fn constant_ns(&self) -> Option<f64> {
        (self.span <= 0.0).then_some(self.least_ns)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_moments, share_below};
    use super::*;
    use crate::extension::ParamValue;

    #[test]
    fn moments_are_those_of_the_integral() {
        // Shape 1.5 from 1 to 100: q = 1e-3, mean 1.5/0.5·(1 − 0.1)/0.999, second moment
        // 1.5/0.5·(10 − 1)/0.999.
        let law = BoundedPareto::new(1.0, 100.0, 1.5);
        let (mean, second) = (3.0 * 0.9 / 0.999, 3.0 * 9.0 / 0.999);
        assert!((law.moment(1.0) - mean).abs() < 1e-9);
        assert_moments(
            &BoundedPareto::new(1e6, 1e8, 1.5),
            1e6 * mean,
            second / mean / mean - 1.0,
            0.1,
        );
        // Where the exponent is the shape the integral is a logarithm.
        let law = BoundedPareto::new(1.0, 100.0, 1.0);
        assert!((law.moment(1.0) - libm::log(100.0) / 0.99).abs() < 1e-9);
    }

    #[test]
    fn it_follows_its_distribution_function_within_its_bounds() {
        let law = BoundedPareto::new(1e6, 1e8, 1.5);
        let below = share_below(&law, 4e6);
        assert!((below - (1.0 - 0.125) / 0.999).abs() < 0.004, "{below}");
        assert!(share_below(&law, 1e6) <= 0.0 && share_below(&law, 1e8 + 1.0) >= 1.0);
    }

    #[test]
    fn bounds_in_the_wrong_order_are_refused() {
        let spans = |least: u64, greatest: u64| {
            Params::new(vec![
                ("least", ParamValue::Span(Duration(least))),
                ("greatest", ParamValue::Span(Duration(greatest))),
                ("shape", ParamValue::Number(1.5)),
            ])
        };
        assert!(check(&spans(2, 1)).is_err());
        assert_eq!(check(&spans(2, 2)), Ok(()));
        let constant = (DISTRIBUTION.build)(&spans(2, 2));
        assert_eq!(constant.constant_ns(), Some(2.0));
    }
}
