//! Lengths of time as Prometheus writes them: `1h30m`, `15s`, `500ms`.

/// Milliseconds, the unit of time of Prometheus.
pub type Millis = i64;

/// Units from the longest to the shortest, as they must follow each other.
const UNITS: [(&str, i64); 7] = [
    ("y", 31_536_000_000),
    ("w", 604_800_000),
    ("d", 86_400_000),
    ("h", 3_600_000),
    ("m", 60_000),
    ("s", 1_000),
    ("ms", 1),
];

/// The longest, about 292 years: Prometheus counts nanoseconds in 64 bits.
pub(crate) const LONGEST_MS: Millis = i64::MAX / 1_000_000;

/// What can be written, for messages.
pub(crate) const ALLOWED: &str = "whole numbers with y, w, d, h, m, s or ms, the longest unit first and each once, such as 1h30m, up to 292 years";

/// Reads a length of time; a bare 0 needs no unit.
pub(crate) fn parse(text: &str) -> Option<Millis> {
    if text == "0" {
        return Some(0);
    }
    let (mut rest, mut total, mut units) = (text, 0_i64, UNITS.iter());
    while !rest.is_empty() {
        let digits = rest.find(|letter: char| !letter.is_ascii_digit())?;
        let number: i64 = rest[..digits].parse().ok()?;
        let unit_end = rest[digits..]
            .find(|letter: char| letter.is_ascii_digit())
            .map_or(rest.len(), |at| digits + at);
        let (_, factor) = units.find(|(unit, _)| *unit == &rest[digits..unit_end])?;
        total = total.checked_add(number.checked_mul(*factor)?)?;
        rest = &rest[unit_end..];
    }
    (!text.is_empty() && total <= LONGEST_MS).then_some(total)
}

/// Writes a length of time as it is read; weeks and years only where nothing else is left.
pub(crate) fn show(millis: Millis) -> String {
    if millis == 0 {
        return "0s".to_owned();
    }
    let (mut rest, mut out) = (millis.unsigned_abs(), String::new());
    for (unit, factor) in UNITS {
        let factor = factor.unsigned_abs();
        let whole = rest / factor;
        let exact = rest % factor == 0;
        // A year or a week is no round number of days to a reader.
        if whole == 0 || (matches!(unit, "y" | "w") && !exact) {
            continue;
        }
        out.push_str(&whole.to_string());
        out.push_str(unit);
        rest %= factor;
    }
    if millis < 0 { format!("-{out}") } else { out }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_read_and_written() {
        for (text, millis) in [
            ("0", 0),
            ("5m", 300_000),
            ("1h30m", 5_400_000),
            ("1s500ms", 1_500),
            ("1y", 31_536_000_000),
        ] {
            assert_eq!(parse(text), Some(millis), "{text}");
            assert!(text == "0" || show(millis) == text, "{}", show(millis));
        }
        for text in ["", "5", "m", "1.5h", "1m1h", "1m1m", "5x", "5M", "-5m"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn lengths_of_time_have_an_end() {
        assert_eq!(parse("9223372036854ms"), Some(LONGEST_MS));
        for text in [
            "9223372036855ms",
            "293y",
            "292292277y",
            "9223372036854775807y",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(show(LONGEST_MS), "106751d23h47m16s854ms");
        assert!(show(i64::MIN).starts_with('-'));
    }
}
