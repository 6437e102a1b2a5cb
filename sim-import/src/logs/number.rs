//! Numbers and moments in the bytes of a line.

use memchr::memchr;
use sim_core::date::{self, Date, is};

const SECOND: i64 = 1_000_000_000;
/// Two centuries and some, in nanoseconds.
const FAR: u64 = 7_300_000_000_000_000_000;
/// Nothing of a log takes decades; and sums of a few times stay numbers.
pub(crate) const LONGEST: u64 = FAR / 8;

/// Whole digits.
pub(crate) fn whole(text: &[u8]) -> Option<u64> {
    if text.is_empty() || text.len() > 19 {
        return None;
    }
    let mut sum = 0_u64;
    for byte in text {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        sum = sum * 10 + u64::from(digit);
    }
    Some(sum)
}

/// A decimal number times `unit`, rounded down: `0.052` seconds with a unit of 10⁹ is 52 000 000.
pub(crate) fn scaled(text: &[u8], unit: u64) -> Option<u64> {
    let (head, tail) = match memchr(b'.', text) {
        Some(at) => (&text[..at], &text[at + 1..]),
        None => (text, &text[text.len()..]),
    };
    if tail.len() > 18 || memchr(b'e', text).is_some() || memchr(b'E', text).is_some() {
        return float(text, unit);
    }
    let head = if head.is_empty() && !tail.is_empty() {
        0
    } else {
        whole(head)?
    };
    let mut sum = head.checked_mul(unit)?;
    let mut place = unit;
    for byte in tail {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            return None;
        }
        place /= 10;
        sum = sum.checked_add(place * u64::from(digit))?;
    }
    Some(sum)
}

/// The same of how long something took, at most [`LONGEST`].
pub(crate) fn how_long(text: &[u8], unit: u64) -> Option<u64> {
    scaled(text, unit).filter(|&ns| ns <= LONGEST)
}

fn float(text: &[u8], unit: u64) -> Option<u64> {
    let value: f64 = std::str::from_utf8(text).ok()?.parse().ok()?;
    let value = value * unit as f64;
    (value.is_finite() && (0.0..9e18).contains(&value)).then_some(value as u64)
}

/// A number of seconds, milli-, micro- or nanoseconds since 1970, told apart by its size, in nanoseconds; and
/// whether it is one of whole seconds.
pub(crate) fn epoch(text: &[u8]) -> Option<(i64, bool)> {
    /// Seconds since 1970 begin here: 1982.
    const EPOCH: u64 = 400_000_000;
    let fraction = memchr(b'.', text);
    let head = whole(&text[..fraction.unwrap_or(text.len())])?;
    for unit in [1_u64, 1_000, 1_000_000, 1_000_000_000] {
        if head >= EPOCH * unit && head / unit < EPOCH * 40 {
            let ns = scaled(text, SECOND as u64 / unit)?;
            return Some((i64::try_from(ns).ok()?, unit == 1 && fraction.is_none()));
        }
    }
    None
}

/// Reads dates, and remembers the last: a log has thousands of the same second.
#[derive(Clone, Debug, Default)]
pub(crate) struct Dates {
    text: Vec<u8>,
    at_ns: i64,
}

impl Dates {
    /// `29/Nov/2026:06:54:45 +0000`, with or without zone and fraction; whether it knows whole seconds only.
    pub(crate) fn common(&mut self, text: &[u8]) -> Option<(i64, bool)> {
        if text == self.text.as_slice() {
            return Some((self.at_ns, true));
        }
        let (at_ns, coarse) = within(date::common(text)?)?;
        if coarse {
            self.text.clear();
            self.text.extend_from_slice(text);
            self.at_ns = at_ns;
        }
        Some((at_ns, coarse))
    }

    /// `2026-11-29T06:54:45.015Z`, with a blank for the `T` too.
    pub(crate) fn iso(&mut self, text: &[u8]) -> Option<(i64, bool)> {
        // Everything up to the minute is mostly that of the line before.
        if self.text.len() == 17 && text.get(..17) == Some(&self.text[..]) && text.len() > 19 {
            let (seconds, at) = (digits(text, 17, 2)?, 19);
            if seconds <= 60 && is(text, at, b".,") {
                let (fraction, end) = fraction(text, at + 1)?;
                if text.get(end..) == Some(b"Z") {
                    return Some((self.at_ns + seconds * SECOND + fraction, false));
                }
            }
        }
        let (at_ns, coarse) = within(date::iso(text)?)?;
        if text.last() == Some(&b'Z') {
            self.text.clear();
            self.text.extend_from_slice(&text[..17]);
            let within = digits(text, 17, 2)? * SECOND + at_ns.rem_euclid(SECOND);
            self.at_ns = at_ns - within;
        }
        Some((at_ns, coarse))
    }

    /// Either of both, or a number since 1970.
    pub(crate) fn any(&mut self, text: &[u8]) -> Option<(i64, bool)> {
        let text = text.strip_prefix(b"[").unwrap_or(text);
        let text = text.strip_suffix(b"]").unwrap_or(text);
        if is(text, 2, b"/") {
            self.common(text)
        } else if is(text, 4, b"-") {
            self.iso(text)
        } else {
            epoch(text)
        }
    }

    /// `HAProxy`'s `29/Nov/2026:06:54:45.015`: local time without a zone, taken for that of the first line.
    pub(crate) fn with_fraction(&mut self, text: &[u8]) -> Option<i64> {
        if self.text.len() == 20 && text.get(..20) == Some(&self.text[..]) && is(text, 20, b".") {
            let (fraction, end) = fraction(text, 21)?;
            return (end == text.len()).then_some(self.at_ns + fraction);
        }
        let (at_ns, _) = Self::default().common(text)?;
        if text.len() > 21 {
            self.text.clear();
            self.text.extend_from_slice(&text[..20]);
            self.at_ns = at_ns - at_ns.rem_euclid(SECOND);
        }
        Some(at_ns)
    }
}

/// A date as 64 bits hold it with room to spare: of this age and those beside it.
fn within(read: Date) -> Option<(i64, bool)> {
    let ns = i64::try_from(read.ns).ok()?;
    (ns.unsigned_abs() < FAR).then_some((ns, read.whole_second))
}

fn digits(text: &[u8], at: usize, count: usize) -> Option<i64> {
    i64::try_from(date::digits(text, at, count)?).ok()
}

/// The nanoseconds that digits behind a point say, and where they end.
fn fraction(text: &[u8], at: usize) -> Option<(i64, usize)> {
    let (ns, end) = date::fraction(text, at)?;
    Some((i64::try_from(ns).ok()?, end))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_keep_their_digits() {
        assert_eq!(scaled(b"0.052", 1_000_000_000), Some(52_000_000));
        assert_eq!(scaled(b"12", 1000), Some(12_000));
        assert_eq!(how_long(b"12", 1000), Some(12_000));
        assert_eq!(
            how_long(b"17410000002", 1_000_000_000),
            None,
            "five centuries"
        );
        assert_eq!(scaled(b".5", 10), Some(5));
        assert_eq!(scaled(b"1.5e-3", 1_000_000_000), Some(1_500_000));
        for bad in [
            "",
            "-",
            "-1",
            "1.2.3",
            "a",
            "1a",
            ".",
            "99999999999999999999",
        ] {
            assert_eq!(scaled(bad.as_bytes(), 1_000_000_000), None, "{bad}");
        }
        assert_eq!(
            epoch(b"1795935285.015"),
            Some((1_795_935_285_015_000_000, false))
        );
        assert_eq!(
            epoch(b"1795935285"),
            Some((1_795_935_285_000_000_000, true))
        );
        assert_eq!(
            epoch(b"1795935285015"),
            Some((1_795_935_285_015_000_000, false))
        );
        assert_eq!(epoch(b"12.5"), None);
    }

    #[test]
    fn dates_of_one_second_and_of_the_next() {
        let mut dates = Dates::default();
        let wanted = 1_740_992_403_000_000_000;
        for _ in 0..2 {
            assert_eq!(
                dates.common(b"03/Mar/2025:09:00:03 +0000"),
                Some((wanted, true))
            );
            assert_eq!(
                dates.common(b"03/Mar/2025:04:00:03 -0500"),
                Some((wanted, true))
            );
        }
        let mut dates = Dates::default();
        for (text, ms) in [
            ("2025-03-03T09:00:03.250Z", 250),
            ("2025-03-03T09:00:04.5Z", 1500),
            ("2025-03-03T09:00:05.001Z", 2001),
            ("2025-03-03 10:00:03,250+01:00", 250),
            ("2025-03-03T09:01:03.250Z", 60_250),
        ] {
            let found = dates.iso(text.as_bytes());
            assert_eq!(found, Some((wanted + ms * 1_000_000, false)), "{text}");
        }
        let mut dates = Dates::default();
        for ms in [655, 700, 5] {
            let text = format!("03/Mar/2025:09:00:03.{ms:03}");
            assert_eq!(
                dates.with_fraction(text.as_bytes()),
                Some(wanted + ms * 1_000_000)
            );
        }
        for bad in [
            "",
            "x",
            "03/Mar/2025",
            "2025-13-03T09:00:03Z",
            "2025-03-03T09:00",
        ] {
            assert_eq!(Dates::default().any(bad.as_bytes()), None, "{bad}");
        }
    }
}
