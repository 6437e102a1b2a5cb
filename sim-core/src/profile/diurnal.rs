//! A day by points: the rate at some hours, a curve through them, repeated for ever.
//!
//! The curve is a cubic in each gap that keeps the order of its ends, so that it never rises above the
//! greatest point or falls below the least: a spline through the rates of a night would dip below zero.
//! Each gap is drawn with straight pieces.

use super::{ProfileDef, Rate, RatePoint};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::{Duration, Instant};

pub(super) static PROFILE: ProfileDef = ProfileDef {
    row: ExtensionRow {
        name: "diurnal",
        about: "Follows a day that is given by points: at these times these rates, a curve through them, and the next day the same.",
        source: "Fritsch and Butland, A Method for Constructing Local Monotone Piecewise Cubic Interpolants, SIAM Journal on Scientific and Statistical Computing 5, 1984",
        params: &[
            ParamDef {
                name: "times",
                about: "When the rates are known, counted from the beginning of a period and below its length, in ascending order; two or more.",
                kind: ParamKind::Spans,
                default: None,
            },
            ParamDef {
                name: "rates",
                about: "The rate at each of these times.",
                kind: ParamKind::Numbers { min: 0.0, max: 1e9 },
                default: None,
            },
            ParamDef::span(
                "period",
                SHORTEST,
                "24h",
                "Time after which everything comes again.",
            ),
            ParamDef::span(
                "starts",
                Duration::ZERO,
                "0s",
                "Where in the period the run begins, such as 9h for a run that begins at nine in the morning.",
            ),
            ParamDef::choice(
                "between",
                &["smooth", "straight"],
                "smooth",
                "How the rate gets from point to point: along a curve without corners that does not overshoot, or a straight line.",
            ),
        ],
    },
    check,
    rate,
};

/// Below, a period has too few moments for the pieces that it is drawn with.
const SHORTEST: Duration = Duration(1000);
/// Straight pieces of a gap. A chord over a sixteenth of a cubic misses it by at most 0.6 % of the
/// difference between its ends.
const PIECES: u64 = 16;
/// Most points: a day by the minute.
const POINTS_MAX: usize = 1440;

fn check(params: &Params) -> Result<(), ParamProblem> {
    let (times, rates) = (params.spans("times"), params.numbers("rates"));
    let problem = |param, message: String| Err(ParamProblem { param, message });
    if times.len() != rates.len() || !(2..=POINTS_MAX).contains(&times.len()) {
        let (times, rates) = (times.len(), rates.len());
        let message = format!(
            "{times} times and {rates} rates; there must be 2 to {POINTS_MAX} points, each with both"
        );
        return problem("rates", message);
    }
    if let Some([before, after, ..]) = times.windows(2).find(|pair| pair[0] >= pair[1]) {
        let message = format!("times must ascend, but {after} follows {before}");
        return problem("times", message);
    }
    let (last, period) = (times[times.len() - 1], params.span("period"));
    if last >= period {
        let message = format!(
            "{last} is not within the period of {period}: what comes then is the beginning of the next"
        );
        return problem("times", message);
    }
    Ok(())
}

fn rate(params: &Params) -> Rate {
    let (times, rates) = (params.spans("times"), params.numbers("rates"));
    let period = params.span("period");
    let pieces = match params.choice("between") {
        0 => PIECES,
        _ => 1,
    };
    let day = Rate::repeating(corners(times, rates, period, pieces), period);
    shifted(&day, period, Duration(params.span("starts").0 % period.0))
}

/// The corners of a period, with one at its beginning.
fn corners(times: &[Duration], rates: &[f64], period: Duration, pieces: u64) -> Vec<RatePoint> {
    let points = times.len();
    // Lengths and slopes of the gaps, the last one reaching into the next period.
    let width = |gap: usize| {
        let next = times.get(gap + 1).map_or(period.0 + times[0].0, |t| t.0);
        next - times[gap].0
    };
    let rise = |gap: usize| (rates[(gap + 1) % points] - rates[gap]) / width(gap) as f64;
    // The slope of the curve at a point: between those of the gaps beside it, and level at a summit.
    let slope = |point: usize| {
        let before = (point + points - 1) % points;
        let (left, right) = (rise(before), rise(point));
        if left * right <= 0.0 {
            return 0.0;
        }
        let (short, long) = (width(before) as f64, width(point) as f64);
        let (of_left, of_right) = (2.0 * long + short, long + 2.0 * short);
        (of_left + of_right) / (of_left / left + of_right / right)
    };
    let mut found: Vec<RatePoint> = Vec::with_capacity(points * pieces as usize + 1);
    for gap in 0..points {
        let (from, to) = (rates[gap], rates[(gap + 1) % points]);
        let (long, ends) = (width(gap) as f64, (slope(gap), slope((gap + 1) % points)));
        for piece in 0..pieces {
            let part = u128::from(width(gap)) * u128::from(piece) / u128::from(pieces);
            let t = part as f64 / long;
            let (t2, t3) = (t * t, t * t * t);
            let curve = from * (2.0 * t3 - 3.0 * t2 + 1.0)
                + to * (3.0 * t2 - 2.0 * t3)
                + long * (ends.0 * (t3 - 2.0 * t2 + t) + ends.1 * (t3 - t2));
            let at = (times[gap].0 + part as u64) % period.0;
            found.push(RatePoint {
                at: Instant(at),
                // What rounding adds must not leave the range of the gap.
                rate_hz: curve.clamp(from.min(to), from.max(to)),
            });
        }
    }
    found.sort_by_key(|corner| corner.at);
    found.dedup_by_key(|corner| corner.at);
    let (first, last) = (found[0], found[found.len() - 1]);
    if first.at > Instant::ZERO {
        // The line from the last corner to the first passes the beginning of the period.
        let whole = (period.0 - last.at.0 + first.at.0) as f64;
        let part = (period.0 - last.at.0) as f64 / whole;
        let rate_hz = last.rate_hz + (first.rate_hz - last.rate_hz) * part;
        let at = Instant::ZERO;
        found.insert(0, RatePoint { at, rate_hz });
    }
    found
}

/// The same day, begun later.
fn shifted(day: &Rate, period: Duration, starts: Duration) -> Rate {
    if starts.is_zero() {
        return day.clone();
    }
    let first = RatePoint {
        at: Instant::ZERO,
        rate_hz: day.at(Instant(starts.0)),
    };
    // The first corner that is given is the one at or before the start.
    let rest = day.corners_from(Instant(starts.0)).skip(1);
    let end = starts.0 + period.0;
    let rest = rest.take_while(|corner| corner.at.0 < end);
    let moved = rest.map(|corner| RatePoint {
        at: Instant(corner.at.0 - starts.0),
        ..corner
    });
    Rate::repeating(std::iter::once(first).chain(moved).collect(), period)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::ParamValue::{Choice, Numbers, Span, Spans};

    const HOUR: u64 = 3600;

    fn params(points: &[(u64, f64)], starts: u64, between: usize) -> Params {
        let times: Vec<Duration> = points
            .iter()
            .map(|p| Duration::from_secs(p.0 * HOUR))
            .collect();
        let rates: Vec<f64> = points.iter().map(|p| p.1).collect();
        Params::new(vec![
            ("times", Spans(times.into())),
            ("rates", Numbers(rates.into())),
            ("period", Span(Duration::from_secs(24 * HOUR))),
            ("starts", Span(Duration::from_secs(starts * HOUR))),
            ("between", Choice(between)),
        ])
    }

    /// A night, a morning, and an evening.
    const DAY: &[(u64, f64)] = &[(3, 10.0), (9, 100.0), (13, 90.0), (20, 160.0)];

    fn at(rate: &Rate, hour: f64) -> f64 {
        rate.at(Instant(Duration::from_secs_f64(hour * HOUR as f64).0))
    }

    #[test]
    fn it_passes_through_its_points_on_every_day() {
        for between in [0, 1] {
            let day = rate(&params(DAY, 0, between));
            for turn in [0, 1, 400] {
                for &(hour, rate) in DAY {
                    let found = at(&day, (24 * turn + hour) as f64);
                    assert!((found - rate).abs() < 1e-6, "{hour} h: {found}");
                }
            }
        }
    }

    #[test]
    fn straight_lines_are_straight_and_the_curve_is_the_cubic() {
        let straight = rate(&params(DAY, 0, 1));
        assert!((at(&straight, 6.0) - 55.0).abs() < 1e-9);
        // From 20 h to 3 h of the next day: at midnight 4 of 7 hours down from 160 to 10.
        assert!((at(&straight, 24.0) - (160.0 - 150.0 * 4.0 / 7.0)).abs() < 1e-9);
        // Both ends of 3 h to 9 h are turning points, so that the curve is level there: half-way up in the
        // middle, and at a quarter 3/16 − 2/64 = 0.15625 of the way.
        let smooth = rate(&params(DAY, 0, 0));
        assert!((at(&smooth, 6.0) - 55.0).abs() < 1e-6);
        assert!((at(&smooth, 4.5) - (10.0 + 90.0 * 0.156_25)).abs() < 1e-6);
    }

    #[test]
    fn the_curve_never_leaves_the_range_of_its_points() {
        let day = rate(&params(&[(0, 0.0), (8, 0.0), (9, 1000.0), (10, 5.0)], 0, 0));
        for step in 0..24 * 60 {
            let rate = at(&day, f64::from(step) / 60.0);
            assert!((0.0..=1000.0).contains(&rate), "{rate}");
            if step < 8 * 60 {
                assert!(rate.abs() < 1e-9, "flat between equal points");
            }
        }
    }

    #[test]
    fn a_run_may_begin_at_any_hour() {
        let day = rate(&params(DAY, 0, 0));
        for starts in [1, 3, 9, 12, 23, 24, 30] {
            let later = rate(&params(DAY, starts, 0));
            for step in 0..500 {
                let hour = f64::from(step) * 0.1;
                let (one, other) = (at(&later, hour), at(&day, hour + starts as f64));
                assert!((one - other).abs() < 1e-6, "{starts} h + {hour} h");
            }
            let (one, other) = (Duration::from_secs(240 * HOUR).0, 1e-9);
            let (one, other) = (later.expected(0, one), day.expected(0, one) * (1.0 + other));
            assert!((one / other - 1.0).abs() < 1e-8, "whole days hold the same");
        }
    }

    #[test]
    fn points_must_be_those_of_one_period() {
        assert_eq!(check(&params(DAY, 0, 0)), Ok(()));
        for (points, param) in [
            (&[(3, 1.0)][..], "rates"),
            (&[(3, 1.0), (3, 2.0)], "times"),
            (&[(9, 1.0), (3, 2.0)], "times"),
            (&[(3, 1.0), (24, 2.0)], "times"),
        ] {
            let found = check(&params(points, 0, 0)).map_err(|problem| problem.param);
            assert_eq!(found, Err(param), "{points:?}");
        }
    }
}
