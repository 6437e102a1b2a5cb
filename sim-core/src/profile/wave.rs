//! A wave: the rate swings around a mean, as over days and nights.
//!
//! The sine is drawn with 256 straight pieces a period, once, and repeats for as long as a run may last.
//! A chord over the angle h misses the curve by at most h²/8 of the amplitude: 0.008 %, in the first
//! period and in the ten millionth. The mean over a period is exact, because the pieces lie symmetrically
//! around the zero crossings.

use super::{ProfileDef, Rate, RatePoint};
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
                about: "Time from crest to crest.",
                kind: ParamKind::Span { min: SHORTEST },
                default: Some("24h"),
            },
        ],
    },
    check: |_| Ok(()),
    rate,
};

/// Below, a period has too few moments for the pieces that it is drawn with.
const SHORTEST: Duration = Duration(1000);
/// Straight pieces of a period. Multiples of four put a corner on every crest and every trough.
const PIECES: u64 = 256;

fn rate(params: &Params) -> Rate {
    let (mean_hz, amplitude, period) = (
        params.number("mean"),
        params.number("amplitude"),
        params.span("period"),
    );
    let corner = |piece| {
        let angle = std::f64::consts::TAU * piece as f64 / PIECES as f64;
        let at = u128::from(period.0) * u128::from(piece) / u128::from(PIECES);
        RatePoint {
            at: Instant(at as u64),
            // The trough of a full swing must not fall below zero by rounding.
            rate_hz: (mean_hz * (1.0 + amplitude * libm::sin(angle))).max(0.0),
        }
    };
    Rate::repeating((0..PIECES).map(corner).collect(), period)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::ParamValue::{Number, Span};

    fn wave(amplitude: f64, period: Duration) -> Rate {
        rate(&Params::new(vec![
            ("mean", Number(100.0)),
            ("amplitude", Number(amplitude)),
            ("period", Span(period)),
        ]))
    }

    #[test]
    fn it_is_the_sine_in_any_period() {
        for period in [Duration(1000), Duration(60_000_000_007), Duration::MAX] {
            let wave = wave(0.5, period);
            let turns = [0, 1, 79, 5_000, 10_000_000];
            for turn in turns
                .into_iter()
                .filter(|t| period.0.checked_mul(t + 1).is_some())
            {
                let misses = (0..1000).map(|part| {
                    let at = (u128::from(period.0) * part / 1000) as u64;
                    let angle = std::f64::consts::TAU * at as f64 / period.0 as f64;
                    let exact = 1.0 + 0.5 * libm::sin(angle);
                    (wave.at(Instant(turn * period.0 + at)) / 100.0 - exact).abs()
                });
                let worst = misses.fold(0.0, f64::max);
                // A thousand nanoseconds hold corners to a nanosecond.
                let bound = if period.0 == 1000 { 4e-3 } else { 5e-5 };
                assert!(worst < bound, "period {period}, turn {turn}: {worst}");
            }
        }
    }

    #[test]
    fn the_mean_over_periods_is_the_mean() {
        for (period, bound) in [(1_000, 1e-4), (1_000_003, 1e-7), (10_000_000_000, 1e-11)] {
            for turns in [1, 1_000, 10_000_000] {
                let mean = wave(1.0, Duration(period)).expected(0, turns * period)
                    / (turns * period) as f64
                    * 1e9;
                let error = (mean / 100.0 - 1.0).abs();
                assert!(error < bound, "{turns} periods of {period}: {error}");
            }
        }
    }

    #[test]
    fn crests_and_troughs_are_reached_and_never_negative() {
        let wave = wave(1.0, Duration::from_secs(60));
        let at = |second| wave.at(Instant(Duration::from_secs(second).0));
        for turn in [0, 9, 12_345_678] {
            let crest = at(60 * turn + 15);
            let trough = at(60 * turn + 45);
            assert!((crest - 200.0).abs() < 1e-9, "{crest}");
            assert!((0.0..1e-9).contains(&trough), "{trough}");
        }
    }
}
