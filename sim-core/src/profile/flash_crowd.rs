//! A flash crowd: everybody comes at once, and interest fades.
//!
//! The decay is drawn with straight pieces, each an equal step of the curve's logarithm, until a ten
//! thousandth of the peak is left; from then on the rate is the base, or, of a power law that would take
//! longer than a run may last, what it has come to.

use super::{ProfileDef, Rate, RatePoint};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::time::{Duration, Instant};

pub(super) static PROFILE: ProfileDef = ProfileDef {
    row: ExtensionRow {
        name: "flash-crowd",
        about: "Rises fast to many times the base, as after news or the start of a sale, and fades along an exponential or a power law.",
        source: "Ari, Hong, Miller, Brandt and Long, Managing Flash Crowds on the Internet, MASCOTS 2003; power laws: Crane and Sornette, PNAS 105, 2008",
        params: &[
            ParamDef {
                name: "base",
                about: "Rate before, and in the end.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1e9,
                    unit: "requests/s",
                },
                default: None,
            },
            ParamDef {
                name: "peak",
                about: "Rate at the height of the crowd, as a multiple of the base.",
                kind: ParamKind::Number {
                    min: 1.0,
                    max: 1e6,
                    unit: "",
                },
                default: None,
            },
            ParamDef {
                name: "at",
                about: "When the crowd begins to come.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: None,
            },
            ParamDef::span(
                "rise",
                Duration::ZERO,
                "1m",
                "Time from base to peak; zero is a jump.",
            ),
            ParamDef::span("hold", Duration::ZERO, "0s", "Time at the peak."),
            ParamDef::choice(
                "decay",
                &["exponential", "power-law"],
                "exponential",
                "How what is above the base fades: by the same share in equal times, or ever more slowly.",
            ),
            ParamDef::span(
                "scale",
                Duration(1_000_000),
                "10m",
                "Of an exponential decay, the time in which what is above the base falls to 37 % (1/e); of a power law, after so long it has fallen to 2^-exponent.",
            ),
            ParamDef::number(
                "exponent",
                (0.1, 10.0),
                "",
                "1",
                "Of a power law: a time t after the peak, what is above the base is (1 + t/scale)^-exponent of what it was.",
            ),
        ],
    },
    check: |_| Ok(()),
    rate: |params| Rate::line(corners(params)),
};

/// Straight pieces of the decay. An exponential is met within 0.02 % of its height above the base.
const PIECES: u32 = 256;
/// What is left of the peak when the decay ends: its logarithm, e⁻⁹·²¹ = 0.0001.
const END: f64 = 9.210_340_371_976_184;
/// A power law ends after ten years at the latest: no run is longer.
const LONGEST_NS: f64 = 3.2e17;

fn corners(params: &Params) -> Vec<RatePoint> {
    let base = params.number("base");
    let above = base * (params.number("peak") - 1.0);
    let scale = params.span("scale").0 as f64;
    let mut corners = vec![RatePoint {
        at: Instant::ZERO,
        rate_hz: base,
    }];
    let mut corner = |at: Instant, rate_hz: f64| {
        // A crowd at the very start, or one beyond the end of time, would repeat a corner.
        if corners.last().is_some_and(|last| at > last.at) {
            corners.push(RatePoint { at, rate_hz });
        }
    };
    let foot = Instant::ZERO + params.span("at");
    // A jump takes a nanosecond, so that no slope is infinite.
    let top = foot + params.span("rise").max(Duration(1));
    let edge = top + params.span("hold");
    corner(foot, base);
    corner(top, base + above);
    corner(edge, base + above);
    let is_exponential = params.choice("decay") == 0;
    let exponent = params.number("exponent");
    // The logarithm of 1 + t/scale at the end of a power law.
    let reach = (END / exponent).min(libm::log1p(LONGEST_NS / scale));
    for piece in 1..=PIECES {
        let part = f64::from(piece) / f64::from(PIECES);
        let (passed, left) = if is_exponential {
            (END * part * scale, libm::exp(-END * part))
        } else {
            let passed = libm::expm1(reach * part) * scale;
            (passed, libm::exp(-exponent * reach * part))
        };
        corner(edge + Duration::from_nanos_f64(passed), base + above * left);
    }
    let last = corners[corners.len() - 1];
    if last.rate_hz - base <= 2e-4 * above && last.at > edge {
        let at = last.at + Duration(1);
        if at > last.at {
            corners.push(RatePoint { at, rate_hz: base });
        }
    }
    corners
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::ParamValue::{Choice, Number, Span};

    fn crowd(decay: usize, exponent: f64, at_s: u64) -> Rate {
        let params = Params::new(vec![
            ("base", Number(10.0)),
            ("peak", Number(21.0)),
            ("at", Span(Duration::from_secs(at_s))),
            ("rise", Span(Duration::from_secs(20))),
            ("hold", Span(Duration::from_secs(30))),
            ("decay", Choice(decay)),
            ("scale", Span(Duration::from_secs(100))),
            ("exponent", Number(exponent)),
        ]);
        Rate::line(corners(&params))
    }

    fn at(rate: &Rate, second: f64) -> f64 {
        rate.at(Instant(Duration::from_secs_f64(second).0))
    }

    #[test]
    fn it_rises_stays_and_fades() {
        let exponential = crowd(0, 1.0, 100);
        for (second, rate) in [(0.0, 10.0), (100.0, 10.0), (110.0, 110.0), (135.0, 210.0)] {
            assert!((at(&exponential, second) - rate).abs() < 1e-6, "{second} s");
        }
        for passed in [0.0, 1.0, 50.0, 100.0, 333.0, 900.0] {
            let exact = 10.0 + 200.0 * libm::exp(-passed / 100.0);
            let found = at(&exponential, 150.0 + passed);
            assert!((found - exact).abs() < 0.04, "{passed} s: {found}");
            for exponent in [0.4, 1.0, 3.0] {
                let exact = 10.0 + 200.0 * libm::pow(1.0 + passed / 100.0, -exponent);
                let found = at(&crowd(1, exponent, 100), 150.0 + passed);
                let bound = 0.0008 * (exact - 10.0) + 1e-6;
                assert!((found - exact).abs() < bound, "{exponent}, {passed} s");
            }
        }
    }

    #[test]
    fn requests_above_the_base_are_those_of_the_integral() {
        // 20 s at half of 200 a second, 30 s at 200, and 200 · 100 s of fading.
        let above = crowd(0, 1.0, 0).expected(0, Duration::from_secs(2000).0) - 20_000.0;
        let exact = 2000.0 + 6000.0 + 20_000.0;
        assert!((above / exact - 1.0).abs() < 3e-4, "{above}");
        // A power law of exponent 2 holds as many: 200 · 100 s / (2 − 1), of which (1 + 18.5)⁻¹ is to come.
        let above = crowd(1, 2.0, 0).expected(0, Duration::from_secs(1900).0) - 19_000.0;
        let exact = 8000.0 + 20_000.0 * (1.0 - 1.0 / 19.5);
        assert!((above / exact - 1.0).abs() < 3e-4, "{above}");
    }

    #[test]
    fn the_end_is_the_base_or_the_end_of_time() {
        assert!((at(&crowd(0, 1.0, 5), 5000.0) - 10.0).abs() < 1e-9);
        let slow = crowd(1, 0.1, 5);
        assert!(slow.at(Instant(u64::MAX)) > 10.0);
        let ever = crowd(0, 1.0, u64::MAX / 1_000_000_000).at(Instant(5));
        assert!((ever - 10.0).abs() < 1e-12, "{ever}");
    }
}
