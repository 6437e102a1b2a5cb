//! Samples: a time in each line of a file, or a table of a distribution function.
//!
//! A line holds a time, in seconds or as a span with its unit, and perhaps the part of all times that is
//! at most as long. Lines need no order. Nothing of what a line holds is repeated in messages.

use crate::time::Duration;

/// Most lines of a file: more say nothing more about a law.
const LINES_MAX: usize = 1_000_000;

/// What was read of a file.
#[derive(PartialEq, Debug)]
pub(super) struct Sample {
    /// In ascending order.
    pub values: Vec<Duration>,
    /// One for each value, or none.
    pub probabilities: Vec<f64>,
}

/// Reads a sample.
///
/// # Errors
/// The first line that is none, and why.
pub(super) fn read(text: &str) -> Result<Sample, String> {
    let mut rows: Vec<(Duration, Option<f64>)> = Vec::new();
    // Spreadsheets begin a text with a mark of its encoding.
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    for (number, line) in (1..).zip(text.lines()) {
        let line = line.trim();
        // The names of a table's columns stand above it.
        let head = rows.is_empty() && !line.contains(|c: char| c.is_ascii_digit());
        if line.is_empty() || line.starts_with('#') || head {
            continue;
        }
        let fields = line.split([' ', '\t', ',', ';']);
        let fields: Vec<&str> = fields.filter(|field| !field.is_empty()).collect();
        let row = match fields[..] {
            [value] => time(value).map(|time| (time, None)),
            [value, part] => {
                let part = part.parse::<f64>().ok();
                let part = part.filter(|part| (0.0..=1.0).contains(part));
                time(value).zip(part).map(|(time, part)| (time, Some(part)))
            }
            _ => None,
        };
        let Some(row) = row else {
            return Err(format!(
                "line {number} is neither a time nor a time and a probability"
            ));
        };
        if let Some((_, before)) = rows.last()
            && before.is_some() != row.1.is_some()
        {
            return Err(format!(
                "line {number} has {} probability, unlike those before it",
                if row.1.is_some() { "a" } else { "no" }
            ));
        }
        if rows.len() == LINES_MAX {
            return Err(format!(
                "line {number} is one too many: at most {LINES_MAX} times are taken"
            ));
        }
        rows.push(row);
    }
    if rows.is_empty() {
        return Err("there is no time in it".to_owned());
    }
    rows.sort_by(|a, b| {
        let part = |row: &(Duration, Option<f64>)| row.1.unwrap_or(0.0);
        a.0.cmp(&b.0).then(part(a).total_cmp(&part(b)))
    });
    Ok(Sample {
        values: rows.iter().map(|row| row.0).collect(),
        probabilities: rows.iter().filter_map(|row| row.1).collect(),
    })
}

/// A number of seconds, or a span with its unit.
fn time(text: &str) -> Option<Duration> {
    match text.parse::<f64>() {
        Ok(seconds) if seconds.is_finite() && seconds >= 0.0 => {
            Some(Duration::from_secs_f64(seconds))
        }
        Ok(_) => None,
        Err(_) => Duration::parse(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_tables_are_told_apart() {
        let sample = read("# measured\n0.5\n\n12ms\n1e-3\n").expect("three times");
        assert_eq!(sample.values, [1, 12, 500].map(Duration::from_millis));
        assert!(sample.probabilities.is_empty());
        let marked = read("\u{feff}1s\r\n2s\r\n").expect("two times");
        assert_eq!(marked.values, [1, 2].map(Duration::from_secs));
        let table = read("time,part\n1s;1\n0.1s, 0\n0.2\t0.75\n").expect("a table");
        assert_eq!(table.values, [100, 200, 1000].map(Duration::from_millis));
        assert_eq!(table.probabilities, [0.0, 0.75, 1.0]);
    }

    #[test]
    fn the_line_is_named() {
        for (text, words) in [
            ("", "no time"),
            ("name\n", "no time"),
            ("1\nx2\n", "line 2"),
            ("1\n-2\n", "line 2"),
            ("1\nnan\n", "line 2"),
            ("1,0\n\n2,1.5\n", "line 3"),
            ("1,0\n2\n", "line 2 has no probability"),
            ("1\n2,1\n", "line 2 has a probability"),
            ("1,2,3\n", "line 1"),
        ] {
            let why = read(text).expect_err(text);
            assert!(why.contains(words), "{text:?}: {why}");
        }
        let long = "1\n".repeat(LINES_MAX + 1);
        assert!(read(&long).expect_err("too long").contains("1000001"));
    }
}
