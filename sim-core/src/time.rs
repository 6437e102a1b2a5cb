//! Simulated time: integer nanoseconds since the start of the run.
//!
//! Integers make `a + b - b == a` true and keep the order of events independent of rounding. A
//! `u64` of nanoseconds spans 584 years; arithmetic saturates at that end rather than wrapping, so
//! "never" is simply the largest instant.

use std::fmt;
use std::ops::{Add, AddAssign, Sub};

/// Nanoseconds in a second.
pub const SECOND: u64 = 1_000_000_000;

/// A moment of the run, in nanoseconds since its start.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Instant(pub u64);

/// A span of simulated time, in nanoseconds.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
pub struct Duration(pub u64);

impl Instant {
    /// The start of the run.
    pub const ZERO: Self = Self(0);
    /// Later than everything that happens.
    pub const NEVER: Self = Self(u64::MAX);

    /// So many seconds after the start of the run.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds).0)
    }

    /// Seconds since the start of the run.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }

    /// The time since `earlier`; zero when `earlier` lies ahead.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration(self.0.saturating_sub(earlier.0))
    }
}

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);
    /// Longer than any run.
    pub const MAX: Self = Self(u64::MAX);

    /// A span of whole seconds.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(seconds.saturating_mul(SECOND))
    }

    /// A span of whole milliseconds.
    pub const fn from_millis(millis: u64) -> Self {
        Self(millis.saturating_mul(1_000_000))
    }

    /// Seconds to the nearest nanosecond; negative values and NaN give zero, too large ones the
    /// longest span.
    pub fn from_secs_f64(seconds: f64) -> Self {
        Self::from_nanos_f64(seconds * SECOND as f64)
    }

    /// Nanoseconds, rounded to the nearest: the one place where a drawn number becomes time.
    pub fn from_nanos_f64(nanos: f64) -> Self {
        // `as` saturates, and turns NaN into zero.
        Self((nanos + 0.5) as u64)
    }

    /// The span in seconds.
    pub fn as_secs_f64(self) -> f64 {
        self.0 as f64 / SECOND as f64
    }

    /// Whether the span is empty.
    pub fn is_zero(self) -> bool {
        self.0 == 0
    }
}

impl Add<Duration> for Instant {
    type Output = Self;
    fn add(self, span: Duration) -> Self {
        Self(self.0.saturating_add(span.0))
    }
}

impl AddAssign<Duration> for Instant {
    fn add_assign(&mut self, span: Duration) {
        *self = *self + span;
    }
}

impl Sub for Instant {
    type Output = Duration;
    fn sub(self, earlier: Self) -> Duration {
        debug_assert!(self >= earlier, "time runs forward: {self:?} - {earlier:?}");
        self.since(earlier)
    }
}

impl Add for Duration {
    type Output = Self;
    fn add(self, other: Self) -> Self {
        Self(self.0.saturating_add(other.0))
    }
}

/// Units a span may be written in, largest first: the one list that parser, printer and error
/// messages share.
const UNITS: [(&str, u64); 7] = [
    ("d", 86_400 * SECOND),
    ("h", 3600 * SECOND),
    ("m", 60 * SECOND),
    ("s", SECOND),
    ("ms", 1_000_000),
    ("us", 1000),
    ("ns", 1),
];

impl Duration {
    /// Reads a span such as `250ms`, `1.5s`, `5m` or `2h45m`; a bare `0` needs no unit.
    ///
    /// # Errors
    /// Says what is wrong with the text, in words fit for a scenario's author.
    pub fn parse(text: &str) -> Result<Self, String> {
        const SHAPE: &str = "a time span is a number and a unit (ns, us, ms, s, m, h, d), such as \"250ms\" or \"2h45m\"";
        const TOO_LONG: &str = "longer than 584 years";
        let text = text.trim();
        if text == "0" {
            return Ok(Self::ZERO);
        }
        if text.is_empty() {
            return Err(format!("empty; {SHAPE}"));
        }
        if text.starts_with('-') {
            return Err(format!("{text:?} is negative; {SHAPE}"));
        }
        let mut rest = text;
        let mut total = 0_u64;
        while !rest.is_empty() {
            let digits = rest
                .find(|c: char| !(c.is_ascii_digit() || c == '.' || c == '_'))
                .unwrap_or(rest.len());
            let (number, tail) = rest.split_at(digits);
            let letters = tail
                .find(|c: char| !c.is_alphabetic())
                .unwrap_or(tail.len());
            let (unit, tail) = tail.split_at(letters);
            let unit = if unit == "µs" { "us" } else { unit };
            let Some(&(_, nanos)) = UNITS.iter().find(|(name, _)| *name == unit) else {
                return Err(if unit.is_empty() {
                    format!("no unit after {number:?}; {SHAPE}")
                } else {
                    format!("unknown unit {unit:?}; {SHAPE}")
                });
            };
            let plain = number.replace('_', "");
            let part = parse_decimal(&plain, nanos).ok_or_else(|| {
                // A number it may be all the same.
                match plain.parse::<f64>() {
                    Ok(_) => TOO_LONG.to_owned(),
                    Err(_) => format!("{number:?} is not a number; {SHAPE}"),
                }
            })?;
            total = total.checked_add(part).ok_or(TOO_LONG)?;
            rest = tail.trim_start();
        }
        Ok(Self(total))
    }
}

/// `number × scale`, exactly where it fits, rounded to the nearest nanosecond otherwise.
fn parse_decimal(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() || fraction.contains('.') {
        return None;
    }
    let whole: u64 = if whole.is_empty() {
        0
    } else {
        whole.parse().ok()?
    };
    let mut nanos = whole.checked_mul(scale)?;
    if !fraction.is_empty() {
        let part: f64 = format!("0.{fraction}").parse().ok()?;
        nanos = nanos.checked_add((part * scale as f64 + 0.5) as u64)?;
    }
    Some(nanos)
}

impl fmt::Display for Duration {
    /// Writes the span so that [`Duration::parse`] reads back the same nanoseconds: `2h45m`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 == 0 {
            return f.write_str("0s");
        }
        let mut rest = self.0;
        for (unit, nanos) in UNITS {
            if rest >= nanos {
                write!(f, "{}{unit}", rest / nanos)?;
                rest %= nanos;
            }
        }
        Ok(())
    }
}

/// A time of day, used only to label the run: `12:30` or `12:30:05`.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Clock {
    /// Seconds after midnight at the start of the run.
    pub start_s: u32,
}

impl Clock {
    /// Reads `hh:mm` or `hh:mm:ss` as seconds after midnight.
    ///
    /// # Errors
    /// Says what is wrong with the text.
    pub fn parse_time_of_day(text: &str) -> Result<u32, String> {
        const SHAPE: &str = "a clock time is hh:mm or hh:mm:ss, such as \"12:30\"";
        let parts: Vec<&str> = text.trim().split(':').collect();
        if !(2..=3).contains(&parts.len()) {
            return Err(SHAPE.to_owned());
        }
        let mut seconds = 0;
        for (part, (limit, scale)) in parts.iter().zip([(24, 3600), (60, 60), (60, 1)]) {
            let well_formed =
                (1..=2).contains(&part.len()) && part.bytes().all(|b| b.is_ascii_digit());
            match part.parse::<u32>() {
                Ok(value) if well_formed && value < limit => seconds += value * scale,
                _ => return Err(SHAPE.to_owned()),
            }
        }
        Ok(seconds)
    }

    /// The moment of the run that this clock shows as `seconds` after midnight: the first at or
    /// after the start, so a run may pass midnight once.
    pub fn instant(self, seconds: u32) -> Instant {
        let after = (seconds + 86_400 - self.start_s) % 86_400;
        Instant(u64::from(after) * SECOND)
    }

    /// The time of day at `at`: `12:30`, `12:30:05` between whole minutes, `00:10 +1d` after midnight.
    pub fn label(self, at: Instant) -> String {
        let passed = u64::from(self.start_s) + at.0 / SECOND;
        let (days, seconds) = (passed / 86_400, passed % 86_400);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        let mut label = format!("{hours:02}:{minutes:02}");
        if seconds > 0 {
            label = format!("{label}:{seconds:02}");
        }
        if days > 0 {
            label = format!("{label} +{days}d");
        }
        label
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_that_cannot_be_are_told_apart() {
        let why = |text: &str| Duration::parse(text).expect_err(text);
        assert!(why("-1s").contains("negative"));
        assert!(why("9999999d").contains("longer than 584 years"));
        assert!(why("1.2.3s").contains("not a number"));
    }

    #[test]
    fn spans_read_back_as_written() {
        for (text, nanos) in [
            ("250ms", 250_000_000),
            ("1.5s", 1_500_000_000),
            ("2h45m", 9900 * SECOND),
            ("0", 0),
            ("3us", 3000),
            ("1d1ns", 86_400 * SECOND + 1),
        ] {
            let span = Duration::parse(text).expect(text);
            assert_eq!(span.0, nanos, "{text}");
            assert_eq!(Duration::parse(&span.to_string()), Ok(span), "{text}");
        }
    }

    #[test]
    fn malformed_spans_are_refused() {
        for text in [
            "",
            "5",
            "ms",
            "5 parsecs",
            "1..2s",
            "-3s",
            "99999999999999d",
            "NaNs",
            "1e3s",
        ] {
            assert!(Duration::parse(text).is_err(), "{text:?} was accepted");
        }
    }

    #[test]
    fn clock_times_map_onto_the_run_and_back() {
        let clock = Clock {
            start_s: Clock::parse_time_of_day("12:10").expect("valid"),
        };
        let at = clock.instant(Clock::parse_time_of_day("12:30:05").expect("valid"));
        assert_eq!(at, Instant(1205 * SECOND));
        assert_eq!(clock.label(at), "12:30:05");
        assert_eq!(clock.label(Instant(12 * 3600 * SECOND)), "00:10 +1d");
        assert_eq!(clock.label(Instant(48 * 3600 * SECOND)), "12:10 +2d");
        assert_eq!(
            clock.instant(Clock::parse_time_of_day("00:10").expect("valid")),
            Instant(12 * 3600 * SECOND)
        );
        for text in [
            "24:00", "12", "12:60", "aa:bb", "12:30:61", "-1:00", "+1:00",
        ] {
            assert!(Clock::parse_time_of_day(text).is_err(), "{text}");
        }
    }
}
