//! A wave: the rate swings around a mean, as over days and nights.
//!
//! The sine is drawn with up to 256 straight pieces a period. A chord over the angle h misses the
//! curve by at most h²/8 of the amplitude: 0.008 % with 256 pieces, 0.5 % with 32, 4 % with 12.
//! The mean over a period is exact, because the pieces lie symmetrically around the zero crossings.
//! A run with many periods gets fewer pieces for each, never less than four, so that the corners
//! stay below [`MAX_CORNERS`].

use super::{ProfileDef, RatePoint};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::time::{Duration, Instant};

pub(super) static PROFILE: ProfileDef = ProfileDef {
    row: ExtensionRow {
        name: "wave",
        about: "Swings around a mean like a sine, as over days and nights, beginning upwards from the mean.",
        source: "",
        params: &[
            ParamDef {
                name: "mean",
                about: "Rate in the middle.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1e9,
                    unit: "requests/s",
                },
                default: None,
            },
            ParamDef {
                name: "amplitude",
                about: "Height of the crests above the mean, as a share of the mean.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1.0,
                    unit: "",
                },
                default: Some("0.5"),
            },
            ParamDef {
                name: "period",
                about: "Time from crest to crest; of waves so short that a run holds more than 4999, only the mean remains.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("24h"),
            },
        ],
    },
    check: |_| Ok(()),
    corners,
};

/// What bounds the length of the line.
const MAX_CORNERS: u64 = 20_000;
/// Straight pieces of a period when there is room for them.
const MAX_PIECES: u64 = 256;

fn corners(params: &Params, horizon: Duration) -> Vec<RatePoint> {
    let (mean_hz, amplitude, period) = (
        params.number("mean"),
        params.number("amplitude"),
        params.span("period"),
    );
    let periods = horizon.0.div_ceil(period.0).max(1);
    // Multiples of four put a corner on every crest and every trough.
    let pieces = ((MAX_CORNERS - 1) / periods).min(MAX_PIECES) / 4 * 4;
    let mut corners = vec![RatePoint {
        at: Instant::ZERO,
        rate_hz: mean_hz,
    }];
    if pieces == 0 {
        return corners;
    }
    let rates_hz: Vec<f64> = (0..pieces)
        .map(|piece| {
            let angle = std::f64::consts::TAU * piece as f64 / pieces as f64;
            // The trough of a full swing must not fall below zero by rounding.
            (mean_hz * (1.0 + amplitude * libm::sin(angle))).max(0.0)
        })
        .collect();
    for corner in 1..=periods * pieces {
        let at = (u128::from(period.0) * u128::from(corner) / u128::from(pieces))
            .min(u128::from(u64::MAX)) as u64;
        // Periods of a few nanoseconds have fewer moments than corners.
        if corners.last().is_some_and(|last| at > last.at.0) {
            corners.push(RatePoint {
                at: Instant(at),
                rate_hz: rates_hz[(corner % pieces) as usize],
            });
        }
        if at >= horizon.0 {
            break;
        }
    }
    corners
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::ParamValue::{Number, Span};

    fn wave(amplitude: f64, period: Duration, horizon: Duration) -> Vec<RatePoint> {
        corners(
            &Params::new(vec![
                ("mean", Number(100.0)),
                ("amplitude", Number(amplitude)),
                ("period", Span(period)),
            ]),
            horizon,
        )
    }

    #[test]
    fn the_line_stays_close_to_the_sine() {
        let (hour, day) = (Duration::from_secs(3600), Duration::from_secs(86_400));
        for (period, bound) in [(day, 1e-4), (hour, 1e-4), (Duration::from_secs(150), 0.006)] {
            let line = wave(0.5, period, day);
            let worst = line
                .windows(2)
                .map(|piece| {
                    let middle = (piece[0].at.0 + piece[1].at.0) as f64 / 2.0 / period.0 as f64;
                    let exact = 1.0 + 0.5 * libm::sin(std::f64::consts::TAU * middle);
                    ((piece[0].rate_hz + piece[1].rate_hz) / 200.0 - exact).abs()
                })
                .fold(0.0, f64::max);
            assert!(worst < bound * 0.5, "period {period}: {worst}");
            assert!(line.last().expect("never empty").at.0 >= day.0);
        }
    }

    #[test]
    fn the_mean_over_periods_is_the_mean() {
        let line = wave(1.0, Duration::from_secs(10), Duration::from_secs(10_000));
        let area: f64 = line
            .windows(2)
            .map(|p| (p[1].at.0 - p[0].at.0) as f64 * (p[0].rate_hz + p[1].rate_hz) / 2.0)
            .sum();
        assert!((area / 1e13 / 100.0 - 1.0).abs() < 1e-9, "{area}");
    }

    #[test]
    fn crests_and_troughs_are_reached_and_never_negative() {
        let line = wave(1.0, Duration::from_secs(60), Duration::from_secs(600));
        let highest = line.iter().map(|corner| corner.rate_hz).fold(0.0, f64::max);
        let lowest = line
            .iter()
            .map(|corner| corner.rate_hz)
            .fold(f64::MAX, f64::min);
        assert!(
            (highest - 200.0).abs() < 1e-9 && lowest.abs() < 1e-9,
            "{lowest}..{highest}"
        );
        assert!(line.iter().all(|corner| corner.rate_hz >= 0.0));
    }

    #[test]
    fn corners_ascend_and_are_bounded() {
        for (period, horizon) in [
            (1, 1),
            (1, 4999),
            (1, u64::MAX),
            (7, 1000),
            (1_000_000, 1_700_000_000),
            (u64::MAX, 5),
            (u64::MAX, u64::MAX),
            (3, 0),
        ] {
            let line = wave(1.0, Duration(period), Duration(horizon));
            assert!(
                line.len() as u64 <= MAX_CORNERS,
                "{period} in {horizon}: {} corners",
                line.len()
            );
            assert_eq!(line[0].at, Instant::ZERO);
            assert!(
                line.windows(2).all(|pair| pair[0].at < pair[1].at),
                "{period} in {horizon}"
            );
        }
    }
}
