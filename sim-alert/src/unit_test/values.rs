//! The points of a series as tests write them: `0+10x100 _ stale 5x3`.

use crate::number;

/// What may be written, for messages.
const ALLOWED: &str = "numbers, _ for a gap, stale, ax4 for five times a, a+bx4 and a-bx4 for five steps, _x4 for four gaps";
/// Most points of one series.
const POINTS_MAX: u64 = 10_000_000;

/// A place of the sequence: no sample, the end of the series, or a value.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum Item {
    Gap,
    Stale,
    Value(f64),
}

/// Reads a sequence.
///
/// # Errors
/// Says which word is no value, and what is.
pub(super) fn read(text: &str) -> Result<Vec<Item>, String> {
    if text.contains("{{") {
        return Err("native histograms are not supported".to_owned());
    }
    let mut items = Vec::new();
    for word in text.split_whitespace() {
        let found = item(word, &mut items);
        found.ok_or_else(|| format!("{word:?} is no value of a series; allowed are {ALLOWED}"))?;
    }
    Ok(items)
}

fn item(word: &str, items: &mut Vec<Item>) -> Option<()> {
    let (value, times) = match word.split_once('x') {
        Some((value, times)) => {
            let times: u64 = times.parse().ok()?;
            (
                value,
                Some(times).filter(|times| *times <= POINTS_MAX)?.into(),
            )
        }
        None => (word, None),
    };
    // In front of an x a word is one word with it, and none that is known.
    if times.is_some() && value.ends_with(|last: char| last.is_ascii_alphabetic()) {
        return None;
    }
    if value == "_" {
        let times = times.unwrap_or(1);
        items.extend((0..times).map(|_| Item::Gap));
        return Some(());
    }
    // The first value is there without being repeated.
    let repeated = 0..=times.unwrap_or(0);
    if value == "stale" {
        items.push(Item::Stale);
        return Some(());
    }
    // A sign after the first number, and not after an exponent, begins the step.
    let sign = value
        .char_indices()
        .skip(1)
        .find(|(at, letter)| {
            matches!(letter, '+' | '-') && !value[..*at].ends_with(['e', 'E', '+', '-'])
        })
        .map(|(at, _)| at);
    let (start, step) = match sign {
        Some(at) if times.is_some() => (number(&value[..at])?, Some(number(&value[at..])?)),
        Some(_) => return None,
        None => (number(value)?, None),
    };
    let mut next = start;
    for _ in repeated {
        items.push(Item::Value(next));
        // Added up and not multiplied, as promtool does it.
        next += step.unwrap_or(0.0);
    }
    Some(())
}

fn number(text: &str) -> Option<f64> {
    let (negative, digits) = match text.as_bytes().first()? {
        b'-' => (true, &text[1..]),
        b'+' => (false, &text[1..]),
        _ => (false, text),
    };
    let word = digits.to_ascii_lowercase();
    let value = match word.as_str() {
        "inf" => f64::INFINITY,
        "nan" => f64::NAN,
        _ if digits.starts_with(|first: char| first.is_ascii_digit() || first == '.') => {
            number::parse(digits)?
        }
        _ => return None,
    };
    Some(if negative { -value } else { value })
}

#[cfg(test)]
mod tests {
    use super::*;
    use Item::{Gap, Stale, Value};

    #[test]
    fn sequences_are_read() {
        for (text, items) in [
            ("1 -2 +3.5", vec![Value(1.0), Value(-2.0), Value(3.5)]),
            ("0+10x2", vec![Value(0.0), Value(10.0), Value(20.0)]),
            ("-2-3x1", vec![Value(-2.0), Value(-5.0)]),
            ("1x2", vec![Value(1.0); 3]),
            ("_ stale _x2 1e3", vec![Gap, Stale, Gap, Gap, Value(1000.0)]),
            ("1e-3+1e2x1", vec![Value(0.001), Value(100.001)]),
            (
                "Inf -inf",
                vec![Value(f64::INFINITY), Value(f64::NEG_INFINITY)],
            ),
            ("", vec![]),
        ] {
            assert_eq!(read(text).as_deref(), Ok(items.as_slice()), "{text}");
        }
        for text in [
            "1+2",
            "x",
            "1x",
            "stales",
            "{{schema:1}}",
            "1,2",
            "1x-1",
            "--1",
            "NaNx3",
            "stalex3",
            "1+Infx3",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }
}
