//! The points of a series as tests write them: `0+10x100 _ stale 5x3`.

use crate::number;

/// What may be written, for messages.
const ALLOWED: &str = "numbers, _ for a gap, stale, ax4 for five times a, a+bx4 and a-bx4 for five steps, _x4 for four gaps";
/// Most points of all series of a file, gaps among them, and of what its rules make of these.
pub(super) const POINTS_MAX: u64 = 10_000_000;

/// The points of a series as they are written: made one by one, when they are asked for.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Sequence(Vec<Run>);

/// A part of a sequence.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Run {
    /// So many places without a sample.
    Gaps(u64),
    /// The end of the series.
    Stale,
    Values {
        start: f64,
        step: f64,
        count: u64,
    },
}

impl Run {
    fn places(self) -> u64 {
        match self {
            Self::Gaps(count) | Self::Values { count, .. } => count,
            Self::Stale => 1,
        }
    }
}

impl Sequence {
    /// How many places it has, with those that are gaps.
    pub(super) fn places(&self) -> u64 {
        self.0.iter().map(|run| run.places()).sum()
    }

    /// Times and values; `None` ends the series. What comes after the last moment there is is left
    /// out.
    pub(super) fn points(&self, interval_ms: i64) -> Points<'_> {
        Points {
            runs: self.0.iter(),
            run: Run::Gaps(0),
            next_ms: Some(0),
            interval_ms,
        }
    }
}

/// Points of a sequence.
pub(super) struct Points<'s> {
    runs: std::slice::Iter<'s, Run>,
    /// What is left of the run that is taken from.
    run: Run,
    /// The time of its first place.
    next_ms: Option<i64>,
    interval_ms: i64,
}

impl Points<'_> {
    /// The time of the next place, with so many taken.
    fn pass(&mut self, places: u64) -> Option<i64> {
        let at_ms = self.next_ms?;
        let length = i64::try_from(places).ok();
        let length = length.and_then(|places| places.checked_mul(self.interval_ms));
        self.next_ms = length.and_then(|length| at_ms.checked_add(length));
        Some(at_ms)
    }
}

impl Iterator for Points<'_> {
    type Item = (i64, Option<f64>);

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            match self.run {
                Run::Gaps(count) => {
                    self.pass(count)?;
                    self.run = *self.runs.next()?;
                }
                Run::Stale => {
                    self.run = Run::Gaps(0);
                    return Some((self.pass(1)?, None));
                }
                Run::Values { count: 0, .. } => self.run = Run::Gaps(0),
                Run::Values { start, step, count } => {
                    // Added up and not multiplied, as promtool does it.
                    self.run = Run::Values {
                        start: start + step,
                        step,
                        count: count - 1,
                    };
                    return Some((self.pass(1)?, Some(start)));
                }
            }
        }
    }
}

/// Reads a sequence.
///
/// # Errors
/// Says which word is no value, and what is.
pub(super) fn read(text: &str) -> Result<Sequence, String> {
    if text.contains("{{") {
        return Err("native histograms are not supported".to_owned());
    }
    let runs = text.split_whitespace().map(|word| {
        run(word).ok_or_else(|| {
            format!(
                "{word:?} is no value of a series; allowed are {ALLOWED}, up to {POINTS_MAX} points"
            )
        })
    });
    runs.collect::<Result<_, _>>().map(Sequence)
}

fn run(word: &str) -> Option<Run> {
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
    match value {
        "_" => return Some(Run::Gaps(times.unwrap_or(1))),
        "stale" => return Some(Run::Stale),
        _ => {}
    }
    // The first value is there without being repeated.
    let count = times.unwrap_or(0) + 1;
    // A sign after the first number, and not after an exponent, begins the step.
    let sign = value
        .char_indices()
        .skip(1)
        .find(|(at, letter)| {
            matches!(letter, '+' | '-') && !value[..*at].ends_with(['e', 'E', '+', '-'])
        })
        .map(|(at, _)| at);
    let (start, step) = match sign {
        Some(at) if times.is_some() => (number(&value[..at])?, number(&value[at..])?),
        Some(_) => return None,
        None => (number(value)?, 0.0),
    };
    Some(Run::Values { start, step, count })
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

    /// Places and values, one a second.
    fn points(text: &str) -> Vec<(i64, Option<f64>)> {
        let sequence = read(text).unwrap_or_else(|why| panic!("{text}: {why}"));
        sequence.points(1).collect()
    }

    #[test]
    fn sequences_are_read() {
        for (text, places, values) in [
            ("1 -2 +3.5", 3, vec![1.0, -2.0, 3.5]),
            ("0+10x2", 3, vec![0.0, 10.0, 20.0]),
            ("-2-3x1", 2, vec![-2.0, -5.0]),
            ("1x2", 3, vec![1.0; 3]),
            ("1e-3+1e2x1", 2, vec![0.001, 100.001]),
            ("Inf -inf", 2, vec![f64::INFINITY, f64::NEG_INFINITY]),
            ("-0x1", 2, vec![-0.0, -0.0]),
            ("", 0, vec![]),
        ] {
            let expected: Vec<_> = (0..).zip(values.into_iter().map(Some)).collect();
            assert_eq!(points(text), expected, "{text}");
            assert_eq!(read(text).map(|sequence| sequence.places()), Ok(places));
        }
        assert_eq!(points("_ stale _x2 1e3 _"), [(1, None), (4, Some(1000.0))]);
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
            "1x10000001",
        ] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn points_after_the_end_of_time_are_left_out() {
        let sequence = read("1 2 _x10000000 3").expect("valid");
        let points: Vec<_> = sequence.points(i64::MAX / 2).collect();
        assert_eq!(points.len(), 2);
    }
}
