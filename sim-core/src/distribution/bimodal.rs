//! Bimodal: two kinds of requests, a cheap and a dear one.

use super::{Distribution, DistributionDef, step};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;

pub(super) static DISTRIBUTION: DistributionDef = DistributionDef {
    row: ExtensionRow {
        name: "bimodal",
        about: "One of two times: usually the short one, sometimes the long one.",
        source: "",
        params: &[
            ParamDef {
                name: "short",
                about: "The usual time.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: None,
            },
            ParamDef {
                name: "long",
                about: "The other time.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: None,
            },
            ParamDef {
                name: "probability_of_long",
                about: "How often the long time is taken.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1.0,
                    unit: "",
                },
                default: Some("0.1"),
            },
        ],
    },
    check,
    build: |params| {
        Box::new(Bimodal {
            short_ns: params.span("short").0 as f64,
            long_ns: params.span("long").0 as f64,
            probability_of_long: params.number("probability_of_long"),
        })
    },
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let (short, long) = (params.span("short"), params.span("long"));
    if short > long {
        return Err(ParamProblem {
            param: "long",
            message: format!("long = {long} lies below short = {short}"),
        });
    }
    Ok(())
}

#[derive(Debug)]
struct Bimodal {
    short_ns: f64,
    long_ns: f64,
    probability_of_long: f64,
}

impl Distribution for Bimodal {
    fn sample_ns(&self, draws: &mut Draws) -> f64 {
        if draws.chance(self.probability_of_long) {
            self.long_ns
        } else {
            self.short_ns
        }
    }
    fn below(&self, ns: f64) -> f64 {
        let p = self.probability_of_long;
        p * step(ns, self.long_ns) + (1.0 - p) * step(ns, self.short_ns)
    }
    fn corners_ns(&self) -> Vec<f64> {
        vec![self.short_ns, self.long_ns]
    }
    fn mean_ns(&self) -> f64 {
        self.short_ns + self.probability_of_long * (self.long_ns - self.short_ns)
    }
    fn cv2(&self) -> f64 {
        let (gap, mean) = (self.long_ns - self.short_ns, self.mean_ns());
        let variance = self.probability_of_long * (1.0 - self.probability_of_long) * gap * gap;
        if variance == 0.0 {
            0.0
        } else {
            variance / (mean * mean)
        }
    }
    fn moment(&self, k: u32) -> f64 {
        let (mean, k) = (self.mean_ns(), f64::from(k));
        let p = self.probability_of_long;
        p * libm::pow(self.long_ns / mean, k) + (1.0 - p) * libm::pow(self.short_ns / mean, k)
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{assert_moments, share_below};
    use super::*;
    use crate::extension::ParamValue;

    #[test]
    fn moments_are_those_of_the_two_times() {
        let law = Bimodal {
            short_ns: 1.0,
            long_ns: 11.0,
            probability_of_long: 0.1,
        };
        assert_moments(&law, 2.0, 9.0 / 4.0, 0.03);
        assert_moments(
            &Bimodal {
                short_ns: 0.0,
                long_ns: 5.0,
                probability_of_long: 0.0,
            },
            0.0,
            0.0,
            0.0,
        );
        assert_moments(
            &Bimodal {
                short_ns: 0.0,
                long_ns: 5.0,
                probability_of_long: 1.0,
            },
            5.0,
            0.0,
            0.0,
        );
    }

    #[test]
    fn the_long_time_is_as_frequent_as_asked() {
        let below = share_below(
            &Bimodal {
                short_ns: 1.0,
                long_ns: 11.0,
                probability_of_long: 0.1,
            },
            2.0,
        );
        assert!((below - 0.9).abs() < 0.003, "{below}");
    }

    #[test]
    fn a_long_time_below_the_short_one_is_refused() {
        let times = |short, long| {
            Params::new(vec![
                ("short", ParamValue::Span(Duration(short))),
                ("long", ParamValue::Span(Duration(long))),
            ])
        };
        assert_eq!(check(&times(1, 1)), Ok(()));
        assert_eq!(
            check(&times(2, 1)).map_err(|problem| problem.param),
            Err("long")
        );
    }
}
