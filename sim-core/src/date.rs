//! Dates as logs and exports write them.

/// Nanoseconds of a second.
const SECOND: i128 = 1_000_000_000;

/// A date that was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Date {
    /// Nanoseconds since 1970, in the zone that is written, or UTC where none is.
    pub ns: i128,
    /// Whether no part of a second is written.
    pub whole_second: bool,
    /// Where the text of the date ends.
    pub end: usize,
}

/// `2025-03-03T09:00:03.5+01:00`, with a blank, `t` or `_` for the `T` too; what follows is not looked at.
pub fn iso(text: &[u8]) -> Option<Date> {
    let date = (
        digits(text, 0, 4)?,
        digits(text, 5, 2)?,
        digits(text, 8, 2)?,
    );
    let fine = is(text, 4, b"-") && is(text, 7, b"-") && is(text, 10, b"T t_");
    fine.then(|| clock(text, 11, date))?
}

/// `03/Mar/2025:09:00:03 +0000`, the date of access logs, with or without zone and fraction; what follows is not looked
/// at.
pub fn common(text: &[u8]) -> Option<Date> {
    let names = b"JanFebMarAprMayJunJulAugSepOctNovDec";
    let name = text.get(3..6)?;
    let month = (1..).zip(names.chunks(3)).find(|(_, own)| *own == name)?.0;
    let date = (digits(text, 7, 4)?, month, digits(text, 0, 2)?);
    let fine = is(text, 2, b"/") && is(text, 6, b"/") && is(text, 11, b":");
    fine.then(|| clock(text, 12, date))?
}

/// The number that `count` digits at `at` write.
pub fn digits(text: &[u8], at: usize, count: usize) -> Option<i128> {
    let digits = text.get(at..at + count)?;
    digits
        .iter()
        .all(u8::is_ascii_digit)
        .then(|| digits.iter().fold(0, |n, d| n * 10 + i128::from(d - b'0')))
}

/// The nanoseconds that digits behind a point say, and where they end.
pub fn fraction(text: &[u8], at: usize) -> Option<(i128, usize)> {
    let tail = text.get(at..)?;
    let count = tail.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let kept = count.min(9);
    let value = digits(text, at, kept)?;
    Some((value * 10_i128.pow(9 - kept as u32), at + count))
}

/// Whether one of some bytes stands at `at`.
pub fn is(text: &[u8], at: usize, wanted: &[u8]) -> bool {
    text.get(at).is_some_and(|byte| wanted.contains(byte))
}

/// The time of day at `at`, with its fraction and zone, on a date.
fn clock(text: &[u8], at: usize, (year, month, day): (i128, i128, i128)) -> Option<Date> {
    let (hour, minute, second) = (
        digits(text, at, 2)?,
        digits(text, at + 3, 2)?,
        digits(text, at + 6, 2)?,
    );
    let fine = is(text, at + 2, b":") && is(text, at + 5, b":");
    let ranges = (1..=12).contains(&month)
        && (1..=31).contains(&day)
        && hour < 24
        && minute < 60
        && second <= 60;
    if !fine || !ranges {
        return None;
    }
    let (mut nanoseconds, mut end) = (0, at + 8);
    let whole_second = !is(text, end, b".,");
    if !whole_second {
        (nanoseconds, end) = fraction(text, end + 1)?;
    }
    let blank = usize::from(is(text, end, b" "));
    let mut east = 0;
    let zone = end + blank;
    if is(text, zone, b"+-") && digits(text, zone + 1, 2).is_some() {
        let colon = usize::from(is(text, zone + 3, b":"));
        let minutes = digits(text, zone + 3 + colon, 2);
        east = digits(text, zone + 1, 2)? * 60 + minutes.unwrap_or(0);
        if text[zone] == b'-' {
            east = -east;
        }
        end = zone + minutes.map_or(3, |_| 5 + colon);
    } else if is(text, end, b"Z") {
        end += 1;
    }
    let days = days(year, month, day);
    let seconds = ((days * 24 + hour) * 60 + minute - east) * 60 + second;
    Some(Date {
        ns: seconds * SECOND + nanoseconds,
        whole_second,
        end,
    })
}

/// Days since 1970 of a date in the Gregorian calendar. Source: H. Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `days_from_civil`.
fn days(year: i128, month: i128, day: i128) -> i128 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year.rem_euclid(400);
    let of_year = (153 * (if month > 2 { month - 3 } else { month + 9 }) + 2) / 5 + day - 1;
    era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_have_zones_and_fractions_and_an_end() {
        for (text, wanted) in [
            ("1970-01-01T00:00:00Z", Some((0, true, 20))),
            ("2025-03-03T09:00:03Z", Some((1_740_992_403_000, true, 20))),
            (
                "2025-03-03 10:00:03.25+01:00 x",
                Some((1_740_992_403_250, false, 28)),
            ),
            (
                "2025-03-03T04:00:03-0500",
                Some((1_740_992_403_000, true, 24)),
            ),
            (
                "03/Mar/2025:09:00:03 +0000]",
                Some((1_740_992_403_000, true, 26)),
            ),
            (
                "03/Mar/2025:09:00:03.015",
                Some((1_740_992_403_015, false, 24)),
            ),
            ("03/Mar/2025:09:00:03", Some((1_740_992_403_000, true, 20))),
            ("2025-13-03T09:00:03Z", None),
            ("2025-03-03T24:00:03Z", None),
            ("03/Mai/2025:09:00:03", None),
            ("2025-03-03", None),
            ("", None),
        ] {
            let read = iso(text.as_bytes()).or_else(|| common(text.as_bytes()));
            let read = read.map(|date| (date.ns / 1_000_000, date.whole_second, date.end));
            assert_eq!(read, wanted, "{text}");
        }
    }
}
