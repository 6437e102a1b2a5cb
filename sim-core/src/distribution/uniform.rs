//! Uniform: every time between two bounds equally likely.

use super::{Distribution, DistributionDef};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "uniform",
        about: "Every time between two bounds is equally likely.",
        source: "",
        params: &[
            ParamDef {
                name: "low",
                about: "The shortest time.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            ParamDef {
                name: "high",
                about: "The longest time.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: None,
            },
        ],
    },
    check,
    build: |params| {
        Box::new(Uniform {
            low_ns: params.span("low").0 as f64,
            high_ns: params.span("high").0 as f64,
        })
    },
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let (low, high) = (params.span("low"), params.span("high"));
    if low > high {
        return Err(ParamProblem {
            param: "high",
            message: format!("high = {high} lies below low = {low}"),
        });
    }
    Ok(())
}

#[derive(Debug)]
struct Uniform {
    low_ns: f64,
    high_ns: f64,
}

impl Distribution for Uniform {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        self.low_ns + (self.high_ns - self.low_ns) * draws.uniform()
    }
    fn below(&self, ns: f64) -> f64 {
        if ns >= self.high_ns {
            return 1.0;
        }
        let width = self.high_ns - self.low_ns;
        ((ns - self.low_ns).max(0.0) / width).min(1.0)
    }
    fn corners_ns(&self) -> Vec<f64> {
        vec![self.low_ns, self.high_ns]
    }
    fn mean_ns(&self) -> f64 {
        f64::midpoint(self.low_ns, self.high_ns)
    }
    fn cv2(&self) -> f64 {
        let (width, mean) = (self.high_ns - self.low_ns, self.mean_ns());
        if width == 0.0 {
            0.0
        } else {
            width * width / 12.0 / (mean * mean)
        }
    }
    fn moment(&self, k: u32) -> f64 {
        let (low, high) = (self.low_ns / self.mean_ns(), self.high_ns / self.mean_ns());
        let terms = (0..=k).map(|i| libm::pow(low, f64::from(i)) * libm::pow(high, (k - i) as f64));
        terms.sum::<f64>() / (k + 1) as f64
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_moments, share_below};
    use super::*;
    use crate::extension::ParamValue;

    #[test]
    fn moments_are_those_of_the_interval() {
        assert_moments(
            &Uniform {
                low_ns: 0.0,
                high_ns: 6.0,
            },
            3.0,
            1.0 / 3.0,
            0.003,
        );
        assert_moments(
            &Uniform {
                low_ns: 4e6,
                high_ns: 8e6,
            },
            6e6,
            1.0 / 27.0,
            0.001,
        );
        assert_moments(
            &Uniform {
                low_ns: 0.0,
                high_ns: 0.0,
            },
            0.0,
            0.0,
            0.0,
        );
    }

    #[test]
    fn times_stay_within_the_bounds() {
        let law = Uniform {
            low_ns: 4e6,
            high_ns: 8e6,
        };
        assert_eq!((share_below(&law, 4e6), share_below(&law, 8e6)), (0.0, 1.0));
    }

    #[test]
    fn bounds_the_wrong_way_round_are_refused() {
        let bounds = |low, high| {
            Params::new(vec![
                ("low", ParamValue::Span(Duration(low))),
                ("high", ParamValue::Span(Duration(high))),
            ])
        };
        assert_eq!(check(&bounds(1, 1)), Ok(()));
        assert_eq!(
            check(&bounds(2, 1)).map_err(|problem| problem.param),
            Err("high")
        );
    }
}
