//! A surge: the rate rises from a base to a peak, stays there, and falls back.

use super::{ProfileDef, Rate, RatePoint};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::time::{Duration, Instant};

pub(super) static PROFILE: ProfileDef = ProfileDef {
    row: ExtensionRow {
        name: "surge",
        about: "Rises from a base to a peak, stays there for a while, and falls back.",
        source: "",
        params: &[
            ParamDef {
                name: "base",
                about: "Rate before and after.",
                kind: RATE,
                default: None,
            },
            ParamDef {
                name: "peak",
                about: "Rate at the height of the surge; below the base it is a lull.",
                kind: RATE,
                default: None,
            },
            ParamDef {
                name: "at",
                about: "When the rate begins to change.",
                kind: SPAN,
                default: None,
            },
            ParamDef {
                name: "rise",
                about: "Time from base to peak; zero is a jump.",
                kind: SPAN,
                default: Some("0s"),
            },
            ParamDef {
                name: "hold",
                about: "Time at the peak.",
                kind: SPAN,
                default: None,
            },
            ParamDef {
                name: "fall",
                about: "Time from peak back to base; zero is a jump.",
                kind: SPAN,
                default: Some("0s"),
            },
        ],
    },
    check: |_| Ok(()),
    rate: |params| Rate::line(corners(params)),
};

const RATE: ParamKind = ParamKind::Number {
    min: 0.0,
    max: 1e9,
    unit: "requests/s",
};
const SPAN: ParamKind = ParamKind::Span {
    min: Duration::ZERO,
};

fn corners(params: &Params) -> Vec<RatePoint> {
    let (base, peak) = (params.number("base"), params.number("peak"));
    // A jump takes a nanosecond, so that the corners strictly ascend and no slope is infinite.
    let slope = |name| params.span(name).max(Duration(1));
    let foot = Instant::ZERO + params.span("at");
    let top = foot + slope("rise");
    let edge = top + params.span("hold");
    let end = edge + slope("fall");
    let mut corners = vec![RatePoint {
        at: Instant::ZERO,
        rate_hz: base,
    }];
    for (at, rate_hz) in [(foot, base), (top, peak), (edge, peak), (end, base)] {
        // A surge at the very start, one without a plateau, and one beyond the end of time would
        // repeat a corner.
        if corners.last().is_some_and(|last| at > last.at) {
            corners.push(RatePoint { at, rate_hz });
        }
    }
    corners
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::ParamValue::{Number, Span};

    fn surge(at: u64, rise: u64, hold: u64, fall: u64) -> Vec<(u64, f64)> {
        let params = Params::new(vec![
            ("base", Number(10.0)),
            ("peak", Number(90.0)),
            ("at", Span(Duration(at))),
            ("rise", Span(Duration(rise))),
            ("hold", Span(Duration(hold))),
            ("fall", Span(Duration(fall))),
        ]);
        corners(&params)
            .iter()
            .map(|corner| (corner.at.0, corner.rate_hz))
            .collect()
    }

    #[test]
    fn corners_follow_the_description() {
        assert_eq!(
            surge(100, 20, 30, 40),
            [
                (0, 10.0),
                (100, 10.0),
                (120, 90.0),
                (150, 90.0),
                (190, 10.0)
            ]
        );
    }

    #[test]
    fn degenerate_surges_have_no_double_corner() {
        assert_eq!(surge(0, 20, 0, 40), [(0, 10.0), (20, 90.0), (60, 10.0)]);
        assert_eq!(
            surge(100, 0, 30, 0),
            [
                (0, 10.0),
                (100, 10.0),
                (101, 90.0),
                (131, 90.0),
                (132, 10.0)
            ]
        );
        assert_eq!(surge(u64::MAX, 5, 5, 5), [(0, 10.0), (u64::MAX, 10.0)]);
    }
}
