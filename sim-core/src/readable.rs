//! Figures as people read them: three digits that matter, with a unit.
//!
//! Files and JSON carry full precision; these texts are for screens and messages only. All front
//! ends use them, so that one figure never looks like two.

use crate::metric::Unit;
use crate::time::{Clock, Duration, Instant, SECOND};

/// A value in the unit its metric is kept in: nanoseconds for times.
pub fn value(unit: Unit, value: f64) -> String {
    match unit {
        Unit::Time => time(value),
        Unit::Ratio => share(value),
        Unit::Hertz => format!("{}/s", short(value)),
        Unit::Count => number(value),
    }
}

/// A time in nanoseconds: `61.2 ms`, `8.10 s`, `2h45m`.
pub fn time(ns: f64) -> String {
    let magnitude = ns.abs();
    if magnitude >= 120.0 * SECOND as f64 {
        let sign = if ns < 0.0 { "-" } else { "" };
        return format!("{sign}{}", span(Duration::from_nanos_f64(magnitude)));
    }
    for (unit, scale) in [("s", SECOND as f64), ("ms", 1e6), ("us", 1e3)] {
        if magnitude >= 0.9995 * scale {
            return format!("{} {unit}", digits(ns / scale));
        }
    }
    if magnitude < 0.5 {
        "0 s".to_owned()
    } else {
        format!("{ns:.0} ns")
    }
}

/// A mean with the half-width of its interval, in the unit its metric is kept in, to the digits that
/// the half-width leaves standing: `4.993 ms` and `0.031 ms`.
pub fn with_half_width(unit: Unit, mean: f64, half: f64) -> (String, String) {
    let (scale, word) = scale(unit, mean.abs().max(half.abs()));
    let (mean, half) = (mean / scale, half / scale);
    if half == 0.0 {
        return (value(unit, mean * scale), format!("0{word}"));
    }
    let decimals = decimals(half);
    (fixed(mean, decimals) + word, fixed(half, decimals) + word)
}

/// By how much the two sides of an interval may differ, as a share of half of its width, and still be told
/// as `± half-width`: about what rounding to two digits hides.
const EVEN: f64 = 0.1;

/// A mean and what is told of its interval: `4.993 ms` and `± 0.031 ms` where it is even, and otherwise both
/// ends, `97.2 to 99.7 %`. A share's interval never leaves 0 to 100 %, as it is written neither.
pub fn with_interval(unit: Unit, mean: f64, (low, high): (f64, f64)) -> (String, String) {
    let half = 0.5 * (high - low);
    let (below, above) = (mean - low, high - mean);
    let even = (above - below).abs() <= 2.0 * EVEN * half;
    let (scale, word) = scale(unit, mean.abs().max(low.abs()).max(high.abs()));
    let digits = decimals(half / scale);
    // As it is written, which rounds both.
    let grain = libm::pow(10.0, -(digits as f64));
    let rounded = |v: f64| libm::round(v / scale / grain) * grain;
    let inside = |v: f64| (-0.1 * grain..=100.0 + 0.1 * grain).contains(&v);
    let share_stays = unit != Unit::Ratio
        || !(0.0..=1.0).contains(&low)
        || !(0.0..=1.0).contains(&high)
        || (inside(rounded(mean) - rounded(half)) && inside(rounded(mean) + rounded(half)));
    // What cannot be below nothing is not written so either.
    let stays_above = low < 0.0 || rounded(mean) - rounded(half) > -0.1 * grain;
    if half == 0.0 || (even && share_stays && stays_above) {
        let (mean, half) = with_half_width(unit, mean, half);
        return (mean, format!("± {half}"));
    }
    // The shorter side must be seen too.
    let side = below.min(above);
    let error = if side > 0.0 { side } else { half };
    let digits = decimals(error / scale);
    let text = |v: f64| fixed(v / scale, digits);
    (
        text(mean) + word,
        format!("{} to {}{word}", text(low), text(high)),
    )
}

/// The unit in which a value is written, and how many of its own it is worth.
fn scale(unit: Unit, largest: f64) -> (f64, &'static str) {
    match unit {
        Unit::Time => [(SECOND as f64, " s"), (1e6, " ms"), (1e3, " us")]
            .into_iter()
            .find(|(scale, _)| largest >= 0.9995 * scale)
            .unwrap_or((1.0, " ns")),
        Unit::Ratio => (0.01, " %"),
        Unit::Hertz => (1.0, "/s"),
        Unit::Count => (1.0, ""),
    }
}

/// Decimals that leave two digits of an error; more would be chance.
fn decimals(error: f64) -> usize {
    if error == 0.0 {
        return 0;
    }
    (1.0 - libm::floor(libm::log10(error.abs()))).clamp(0.0, 9.0) as usize
}

fn fixed(value: f64, decimals: usize) -> String {
    if decimals == 0 {
        grouped(value)
    } else {
        format!("{value:.decimals$}")
    }
}

/// A long span, to the second from a minute on and to the millisecond below: `1h5m`, `2.5s`.
pub fn span(span: Duration) -> String {
    let grain = if span.0 >= 60 * SECOND {
        SECOND
    } else {
        1_000_000
    };
    let rounded = Duration(span.0.saturating_add(grain / 2) / grain * grain);
    if rounded.0 >= 60 * SECOND || rounded.0.is_multiple_of(SECOND) {
        return rounded.to_string();
    }
    format!("{}s", rounded.as_secs_f64())
}

/// How long something is simulated: in plain seconds from a day on where there is no clock, for then it
/// is no time of day that anybody thinks of, and often no time in seconds at all.
pub fn length(span: Duration, clock: Option<Clock>) -> String {
    if clock.is_some() || span.0 < 86_400 * SECOND {
        return self::span(span);
    }
    format!("{} s", number((span.as_secs_f64() * 1e3).round() / 1e3))
}

/// A probability of chance: never nothing at all.
pub fn chance(p: f64) -> String {
    if p < 0.001 {
        "p < 0.001".to_owned()
    } else {
        format!("p {}", number(p))
    }
}

/// A moment: the time of day where there is a clock, otherwise the time since the start.
pub fn moment(at: Instant, clock: Option<Clock>) -> String {
    clock.map_or_else(|| span(Duration(at.0)), |clock| clock.label(at))
}

/// A share of one in per cent, with more digits near nothing and near everything.
pub fn share(share: f64) -> String {
    let percent = share * 100.0;
    let near_an_end = percent.abs() < 1.0 || (percent > 99.0 && percent < 100.0);
    let text = if near_an_end {
        format!("{percent:.3}")
    } else {
        format!("{percent:.1}")
    };
    let text = trim_zeros(&text);
    // What is nothing at so many digits has no sign.
    format!("{} %", if text == "-0" { "0" } else { text })
}

/// A number: whole ones in full with groups of three, others with three digits that matter.
pub fn number(value: f64) -> String {
    if value.fract() == 0.0 && value.abs() < 1e15 {
        grouped(value)
    } else {
        digits(value)
    }
}

/// So many of something: `1 cell`, `1 024 cells`. The noun is one whose plural ends in an `s`.
pub fn counted(count: usize, noun: &str) -> String {
    let ending = if count == 1 { "" } else { "s" };
    format!("{} {noun}{ending}", grouped(count as f64))
}

/// A number cut to three digits that matter: `4.90 M`.
pub fn short(value: f64) -> String {
    for (unit, scale) in [("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e4)] {
        if value.abs() >= scale {
            let scale = if unit == "k" { 1e3 } else { scale };
            return format!("{} {unit}", digits(value / scale));
        }
    }
    if value.fract() == 0.0 {
        grouped(value)
    } else {
        digits(value)
    }
}

/// A number as it is said: `9 300`, `45 thousand`, `2.0 million`.
pub fn spoken(value: f64) -> String {
    let said = |scale: f64, unit: &str| {
        let value = value / scale;
        let decimals = usize::from(value.abs() < 9.95 && scale > 1e3);
        format!("{value:.decimals$} {unit}")
    };
    match value.abs() {
        v if v >= 999.5e6 => said(1e9, "billion"),
        v if v >= 999.5e3 => said(1e6, "million"),
        v if v >= 9999.5 => said(1e3, "thousand"),
        _ => grouped(value.round()),
    }
}

/// Three digits that matter, without an exponent.
fn digits(value: f64) -> String {
    let decimals = match value.abs() {
        v if v >= 99.95 => return grouped(value),
        v if v >= 9.995 => 1,
        v if v >= 0.9995 || v == 0.0 => 2,
        v if v >= 0.001 => 4,
        _ => 6,
    };
    trim_zeros(&format!("{value:.decimals$}")).to_owned()
}

fn trim_zeros(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

fn grouped(value: f64) -> String {
    let digits = format!("{:.0}", value.abs());
    let mut text = if value < 0.0 {
        "-".to_owned()
    } else {
        String::new()
    };
    for (i, digit) in digits.chars().enumerate() {
        if i > 0 && (digits.len() - i) % 3 == 0 && digits.len() > 4 {
            text.push(' ');
        }
        text.push(digit);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_said_as_people_say_them() {
        for (value, said) in [
            (0.0, "0"),
            (9300.0, "9300"),
            (45_380.0, "45 thousand"),
            (999_600.0, "1.0 million"),
            (1_960_000.0, "2.0 million"),
            (23_400_000.0, "23 million"),
            (1.24e9, "1.2 billion"),
        ] {
            assert_eq!(spoken(value), said);
        }
    }

    #[test]
    fn a_half_width_decides_on_the_digits() {
        let pair = |unit, mean, half| {
            let (mean, half) = with_half_width(unit, mean, half);
            format!("{mean} ± {half}")
        };
        assert_eq!(
            pair(Unit::Time, 4_993_210.0, 31_400.0),
            "4.993 ms ± 0.031 ms"
        );
        assert_eq!(pair(Unit::Time, 200e9, 3.3e9), "200.0 s ± 3.3 s");
        assert_eq!(pair(Unit::Ratio, 0.98765, 0.0021), "98.77 % ± 0.21 %");
        assert_eq!(pair(Unit::Hertz, 18_402.0, 31.0), "18 402/s ± 31/s");
        assert_eq!(pair(Unit::Count, 3.0, 0.0), "3 ± 0");
        assert_eq!(pair(Unit::Time, 0.0, 4e6), "0.0 ms ± 4.0 ms");
    }

    #[test]
    fn an_uneven_interval_is_told_by_its_ends() {
        let told = |unit, mean, ends| {
            let (mean, interval) = with_interval(unit, mean, ends);
            format!("{mean}, {interval}")
        };
        let even = told(Unit::Time, 5e6, (4.9e6, 5.1e6));
        assert_eq!(even, "5.00 ms, ± 0.10 ms");
        assert_eq!(
            told(Unit::Time, 5e6, (4.8e6, 5.6e6)),
            "5.00 ms, 4.80 to 5.60 ms"
        );
        assert_eq!(
            told(Unit::Ratio, 0.991, (0.972, 0.997)),
            "99.10 %, 97.20 to 99.70 %"
        );
        assert_eq!(told(Unit::Ratio, 0.5, (0.5, 0.5)), "50 %, ± 0 %");
        assert_eq!(told(Unit::Count, 2.9, (0.0, 6.0)), "2.9, 0.0 to 6.0");
        assert_eq!(told(Unit::Count, 2.9, (-0.2, 6.0)), "2.9, ± 3.1");
        // Nearly even, but `± 1.0 %` would begin below nothing.
        assert_eq!(
            told(Unit::Ratio, 0.0095, (0.0, 0.0205)),
            "0.95 %, 0.00 to 2.05 %"
        );
    }

    #[test]
    fn no_share_is_written_beyond_everything() {
        for mean in 0..=200 {
            for (below, above) in [(0.3, 0.3), (0.01, 0.02), (0.013, 0.013), (1.0, 1.0)] {
                let mean = f64::from(mean) / 200.0;
                let ends = ((mean - below).max(0.0), (mean + above).min(1.0));
                let (text, interval) = with_interval(Unit::Ratio, mean, ends);
                let number = |text: &str| -> f64 {
                    let digits = text.trim_end_matches(" %");
                    digits.parse().unwrap_or_else(|_| panic!("{text}"))
                };
                let ends = interval.split_once(" to ");
                let around =
                    |half: &str| (number(&text) - number(half), number(&text) + number(half));
                let (low, high) = ends.map_or_else(
                    || around(interval.trim_start_matches("± ")),
                    |(low, high)| (number(low), number(high)),
                );
                assert!(
                    low > -1e-9 && high < 100.0 + 1e-9,
                    "{ends:?}: {text}, {interval}"
                );
            }
        }
    }

    #[test]
    fn three_digits_that_matter() {
        assert_eq!(time(61_234_000.0), "61.2 ms");
        assert_eq!(time(8.1e9), "8.1 s");
        assert_eq!(time(9900.4e9), "2h45m");
        assert_eq!(time(-9900.4e9), "-2h45m");
        assert_eq!(time(999_700_000.0), "1 s");
        assert_eq!(time(0.0), "0 s");
        assert_eq!(share(0.267), "26.7 %");
        assert_eq!(share(-0.0004), "-0.04 %");
        assert_eq!(share(-1e-9), "0 %");
        assert_eq!(share(0.99953), "99.953 %");
        assert_eq!(share(1.0), "100 %");
        assert_eq!(number(1_308_112.0), "1 308 112");
        assert_eq!(number(1.23456), "1.23");
        assert_eq!(short(4_903_113.0), "4.9 M");
        assert_eq!(short(320.5), "320");
        assert_eq!(value(Unit::Hertz, 25_000.0), "25 k/s");
    }

    #[test]
    fn what_has_no_clock_has_no_days() {
        let long = Duration(1_200_000 * SECOND);
        assert_eq!(length(long, None), "1 200 000 s");
        assert_eq!(length(long, Some(Clock { start_s: 0 })), "13d21h20m");
        assert_eq!(length(Duration(9900 * SECOND), None), "2h45m");
    }

    #[test]
    fn chance_is_never_nothing() {
        assert_eq!(chance(0.0), "p < 0.001");
        assert_eq!(chance(0.000_4), "p < 0.001");
        assert_eq!(chance(0.012), "p 0.012");
    }

    #[test]
    fn moments_follow_the_clock() {
        let clock = Clock {
            start_s: 12 * 3600 + 600,
        };
        assert_eq!(moment(Instant(600 * SECOND), Some(clock)), "12:20");
        assert_eq!(moment(Instant(605 * SECOND), None), "10m5s");
        assert_eq!(moment(Instant(2_500_400_000), None), "2.5s");
    }
}
