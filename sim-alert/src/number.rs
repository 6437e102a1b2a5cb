//! Numbers as Go reads and writes them, since that is what is shown in labels and annotations.

/// Reads a number of an expression: decimal, hexadecimal, or octal where a zero stands in front,
/// with `_` between digits.
pub(crate) fn parse(text: &str) -> Option<f64> {
    // What the language of Prometheus has no number for, whatever Go makes of it.
    const APART: [&str; 4] = ["__", "_.", "._", "_e"];
    let lower = text.to_ascii_lowercase();
    let exponent = !lower.starts_with("0x") && (lower.contains("e_") || lower.contains("e."));
    if exponent || lower.ends_with('_') || APART.iter().any(|pair| lower.contains(pair)) {
        return None;
    }
    let whole = |digits: &str, radix| i64::from_str_radix(&digits.replace('_', ""), radix).ok();
    if let Some(digits) = lower.strip_prefix("0x") {
        return whole(digits, 16).map(|number| number as f64);
    }
    // As Go's strconv.ParseInt with base 0 does: 010 is eight.
    let octal = lower.len() > 1 && lower.starts_with('0');
    if octal && let Some(number) = whole(&lower, 8) {
        return Some(number as f64);
    }
    float(&text.replace('_', ""))
}

/// Reads a floating-point number, `Inf` and `NaN` among them.
pub(crate) fn float(text: &str) -> Option<f64> {
    text.parse().ok()
}

/// The shortest text that reads back as the number, as Go's `%v` writes it.
pub(crate) fn show(value: f64) -> String {
    if value.is_nan() {
        return "NaN".to_owned();
    }
    if value.is_infinite() {
        return if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned();
    }
    // The shortest digits and their exponent.
    let scientific = format!("{value:e}");
    match scientific.split_once('e') {
        Some((digits, power)) => match power.parse::<i32>() {
            // Where Go changes to powers of ten, however many digits there are.
            Ok(power) if !(-4..6).contains(&power) => with_power(digits, power),
            _ => format!("{value}"),
        },
        None => scientific,
    }
}

/// As `%.{digits}g`: so many digits that mean something, none of them a zero at the end.
pub(crate) fn significant(value: f64, digits: u16) -> String {
    if !value.is_finite() || value == 0.0 {
        return show(value);
    }
    let rounded = format!("{value:.*e}", usize::from(digits) - 1);
    let Some((mantissa, power)) = rounded.split_once('e') else {
        return rounded;
    };
    let power: i32 = power.parse().unwrap_or_default();
    if power < -4 || power >= i32::from(digits) {
        return with_power(trimmed(mantissa), power);
    }
    let decimals = (i32::from(digits) - 1 - power).max(0) as usize;
    trimmed(&format!("{value:.decimals$}")).to_owned()
}

fn with_power(digits: &str, power: i32) -> String {
    let sign = if power < 0 { '-' } else { '+' };
    format!("{digits}e{sign}{:02}", power.abs())
}

fn trimmed(text: &str) -> &str {
    if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_read_as_by_go() {
        for (text, value) in [
            ("1", 1.0),
            ("0x1f", 31.0),
            ("010", 8.0),
            ("08", 8.0),
            ("1_000", 1000.0),
            ("0_755", 493.0),
            ("0755e1", 7550.0),
            ("0_8", 8.0),
            ("1_0.5", 10.5),
            ("1e3", 1000.0),
            (".5", 0.5),
            ("5.", 5.0),
        ] {
            assert_eq!(parse(text), Some(value), "{text}");
        }
        for text in ["1__0", "1_", "1e_3", "1_.5", "x"] {
            assert_eq!(parse(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_are_written_as_by_go() {
        assert_eq!(significant(0.123456, 4), "0.1235");
        assert_eq!(significant(1234.5, 4), "1234");
        assert_eq!(significant(12345.0, 4), "1.234e+04");
        assert_eq!(significant(20.0, 4), "20");
        assert_eq!(show(0.5), "0.5");
        assert_eq!(show(-0.00001), "-1e-05");
        assert_eq!(show(1234567.0), "1.234567e+06");
        assert_eq!(show(123456.0), "123456");
    }
}
