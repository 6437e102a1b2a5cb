//! The figures that a scenario is held to, in a file beside it.
//!
//! ```toml
//! version = 1
//! replications = 1
//! tolerance = "1%"
//!
//! [figures]
//! "availability" = 0.9991
//! "response_time_s.p99" = { value = 0.41, tolerance = "5%" }
//! "services.web.crashes" = { value = 0.0, within = 2 }
//! ```
//!
//! An update writes new values into the places of the old ones: whatever people wrote around them stays.

use sim_core::experiment::Measure;
use sim_core::readable;
use sim_core::scenario::Source;
use std::borrow::Cow;
use std::fmt::Write as _;
use std::ops::Range;
use std::path::{Path, PathBuf};
use toml::Spanned;
use toml::de::{DeTable, DeValue};

const ENDING: &str = ".figures.toml";
const VERSION: i64 = 1;
/// Of each value, where nothing else is said.
const TOLERANCE: &str = "1%";
/// How a figure without a value is written.
const NONE: &str = "none";
/// More would take too long to be a test.
const REPLICATIONS_MAX: i64 = 1000;

/// Whether a file holds figures.
pub(super) fn is_one(path: &Path) -> bool {
    path.as_os_str().to_string_lossy().ends_with(ENDING)
}

/// Where the figures of a scenario are.
pub(super) fn beside(scenario: &str) -> PathBuf {
    let mut path = Path::new(scenario).with_extension("").into_os_string();
    path.push(ENDING);
    path.into()
}

/// What a scenario is held to.
pub(super) struct Figures {
    /// The file.
    source: Source,
    /// Each value is the mean over so many runs.
    pub replications: u64,
    /// The figures, in their order.
    pub held: Vec<Held>,
}

/// A figure.
pub(super) struct Held {
    /// Its path in the summary.
    pub path: String,
    /// Its line in the file.
    pub line: usize,
    /// What it was; `None` where nothing was measured.
    pub value: Option<f64>,
    /// How far it may be from that.
    pub within: Within,
    place: Range<usize>,
}

/// How far a figure may be from what it was.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Within {
    /// By this part of it.
    Share(f64),
    /// By so much.
    Amount(f64),
}

/// What is wrong with a file of figures.
#[derive(Debug)]
pub(super) struct Wrong {
    /// Its line.
    pub line: usize,
    /// What, and what is allowed.
    pub message: String,
}

impl Figures {
    /// Reads a file.
    pub(super) fn read(name: &str, text: String) -> Result<Self, Wrong> {
        let source = Source::new(name, text);
        let wrong = |place: Range<usize>, message: String| Wrong {
            line: source.line_column(place.start).0,
            message,
        };
        let document = DeTable::parse(&source.text)
            .map_err(|error| wrong(error.span().unwrap_or(0..0), error.message().to_owned()))?;
        let (mut replications, mut tolerance) = (1, None);
        let (mut known, mut figures) = (false, None);
        for (key, value) in document.get_ref() {
            match (key.get_ref().as_ref(), value.get_ref()) {
                ("version", _) => {
                    known = whole(value) == Some(VERSION);
                }
                ("replications", _) => {
                    let count = whole(value).filter(|n| (1..=REPLICATIONS_MAX).contains(n));
                    replications = count.ok_or_else(|| {
                        let message = format!("`replications` is from 1 to {REPLICATIONS_MAX}");
                        wrong(value.span(), message)
                    })?;
                }
                ("tolerance", _) => tolerance = Some(share(value, &wrong)?),
                ("figures", DeValue::Table(table)) => figures = Some(table),
                (other, _) => {
                    let message = format!(
                        "unknown key `{other}`: allowed are version, replications, tolerance and the table [figures]"
                    );
                    return Err(wrong(key.span(), message));
                }
            }
        }
        if !known {
            return Err(wrong(0..0, format!("`version = {VERSION}` is missing")));
        }
        let usual = tolerance.unwrap_or(0.0);
        let figures = figures.into_iter().flatten();
        let held: Result<Vec<Held>, Wrong> = figures
            .map(|(key, value)| {
                let (place, value, within) = figure(key, value, usual, &wrong)?;
                Ok(Held {
                    path: key.get_ref().to_string(),
                    line: source.line_column(key.span().start).0,
                    value,
                    within,
                    place,
                })
            })
            .collect();
        let held = held?;
        Ok(Self {
            source,
            replications: replications.unsigned_abs(),
            held,
        })
    }

    /// The same file with other values, in the order of its figures.
    pub(super) fn updated(&self, values: &[Option<f64>]) -> String {
        let mut text = self.source.text.clone();
        for (held, value) in self.held.iter().zip(values).rev() {
            text.replace_range(held.place.clone(), &written(*value));
        }
        text
    }
}

/// A first file for a scenario.
pub(super) fn first(scenario: &str, replications: u64, values: &[(&str, Option<f64>)]) -> String {
    let mut text = format!(
        "# What `stampede test` holds {scenario} to: the mean over so many replications, within the tolerance.\n\
         # `stampede test --update` writes the values anew, and leaves the rest as it is.\n\
         version = {VERSION}\nreplications = {replications}\n\
         tolerance = \"{TOLERANCE}\"   # of each value; or {{ value = 0.5, tolerance = \"5%\" }}, {{ value = 0.5, within = 0.1 }}\n\n\
         [figures]\n"
    );
    for (path, value) in values {
        // Writing to a text cannot fail.
        let _ = writeln!(text, "\"{path}\" = {}", written(*value));
    }
    text
}

fn written(value: Option<f64>) -> String {
    value.map_or(format!("\"{NONE}\""), |value| format!("{value:?}"))
}

/// Where the value of a figure stands, what it was, and how far it may be from that.
fn figure(
    key: &Spanned<Cow<'_, str>>,
    value: &Spanned<DeValue<'_>>,
    usual: f64,
    wrong: &dyn Fn(Range<usize>, String) -> Wrong,
) -> Result<(Range<usize>, Option<f64>, Within), Wrong> {
    let DeValue::Table(table) = value.get_ref() else {
        return Ok((value.span(), amount(value, wrong)?, Within::Share(usual)));
    };
    let (mut found, mut within) = (None, Within::Share(usual));
    for (word, value) in table {
        match word.get_ref().as_ref() {
            "value" => found = Some((value.span(), amount(value, wrong)?)),
            "tolerance" => within = Within::Share(share(value, wrong)?),
            "within" => {
                let most = amount(value, wrong)?.filter(|most| *most >= 0.0);
                within = Within::Amount(most.ok_or_else(|| {
                    wrong(value.span(), "`within` is a number, 0 or more".to_owned())
                })?);
            }
            other => {
                let message = format!(
                    "unknown key `{other}`: a figure is a number, \"{NONE}\", or has value, tolerance and within; its path stands in quotation marks"
                );
                return Err(wrong(word.span(), message));
            }
        }
    }
    let (place, found) = found.ok_or_else(|| {
        let message = format!("`{}` has no `value`", key.get_ref());
        wrong(key.span(), message)
    })?;
    Ok((place, found, within))
}

fn whole(value: &Spanned<DeValue<'_>>) -> Option<i64> {
    let integer = value.get_ref().as_integer()?;
    i64::from_str_radix(integer.as_str(), integer.radix()).ok()
}

fn amount(
    value: &Spanned<DeValue<'_>>,
    wrong: &dyn Fn(Range<usize>, String) -> Wrong,
) -> Result<Option<f64>, Wrong> {
    let number = match value.get_ref() {
        DeValue::String(text) if text == NONE => return Ok(None),
        DeValue::Integer(_) => whole(value).map(|whole| whole as f64),
        DeValue::Float(float) => float.as_str().replace('_', "").parse().ok(),
        _ => None,
    };
    let number = number.filter(|number: &f64| number.is_finite());
    let message = || format!("a figure is a number, or \"{NONE}\" where nothing is measured");
    number
        .map(Some)
        .ok_or_else(|| wrong(value.span(), message()))
}

fn share(
    value: &Spanned<DeValue<'_>>,
    wrong: &dyn Fn(Range<usize>, String) -> Wrong,
) -> Result<f64, Wrong> {
    let percent = value
        .get_ref()
        .as_str()
        .and_then(|text| text.strip_suffix('%'));
    let percent = percent.and_then(|text| text.trim().parse::<f64>().ok());
    percent
        .filter(|percent| (0.0..=1000.0).contains(percent))
        .map(|percent| percent / 100.0)
        .ok_or_else(|| {
            let message = "`tolerance` is a share such as \"1%\", from 0 % to 1000 %".to_owned();
            wrong(value.span(), message)
        })
}

impl Held {
    /// Why a figure is not what it is held to; `None` if it is.
    pub(super) fn differs(&self, measure: &Measure, now: Option<f64>) -> Option<String> {
        let words = |value: Option<f64>| {
            value.map_or("nothing measured".to_owned(), |value| measure.text(value))
        };
        let room = match (self.within, self.value) {
            (Within::Share(share), Some(value)) => share * value.abs(),
            (Within::Amount(amount), _) => amount,
            (Within::Share(_), None) => 0.0,
        };
        let holds = match (self.value, now) {
            (Some(was), Some(now)) => (now - was).abs() <= room,
            (was, now) => was.is_none() && now.is_none(),
        };
        let around = match self.within {
            Within::Share(share) => readable::share(share),
            Within::Amount(amount) => measure.text(amount),
        };
        (!holds).then(|| {
            format!(
                "it is {}, and held to {} ± {around}",
                words(now),
                words(self.value)
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "# ours\nversion = 1\nreplications = 3\ntolerance = \"2%\"\n[figures]\n\
        \"availability\" = 0.5   # half\n\"wait_s.p99\" = { value = 2, within = 0.5 } # why\n\"waited\" = \"none\"\n";

    fn wrong(text: &str) -> Wrong {
        let read = Figures::read("a.figures.toml", text.to_owned());
        read.err().unwrap_or_else(|| panic!("{text} is fine"))
    }

    #[test]
    fn new_values_take_the_places_of_the_old_ones() {
        let read = Figures::read("a.figures.toml", FILE.to_owned()).expect("it is fine");
        assert_eq!(read.replications, 3);
        let within: Vec<Within> = read.held.iter().map(|held| held.within).collect();
        let usual = Within::Share(0.02);
        assert_eq!(within, [usual, Within::Amount(0.5), usual]);
        assert_eq!(read.held[1].line, 7);
        let values = [None, Some(2.25), Some(0.125)];
        let expected = FILE
            .replacen("= 0.5 ", "= \"none\" ", 1)
            .replace("value = 2,", "value = 2.25,")
            .replace("\"waited\" = \"none\"", "\"waited\" = 0.125");
        assert_eq!(read.updated(&values), expected);
    }

    #[test]
    fn mistakes_are_named_with_their_line() {
        for (from, to, line, words) in [
            ("version = 1", "version = 2", 1, "version = 1"),
            ("replications = 3", "replications = 0", 3, "from 1 to 1000"),
            ("\"2%\"", "2", 4, "such as \"1%\""),
            ("\"2%\"", "\"-2%\"", 4, "from 0 %"),
            ("= 0.5 ", "= true ", 6, "a number"),
            ("= 0.5 ", "= inf ", 6, "a number"),
            ("value = 2,", "", 7, "no `value`"),
            ("within = 0.5", "within = -1", 7, "0 or more"),
            ("\"wait_s.p99\"", "wait_s.p99", 7, "quotation marks"),
            ("# ours", "what = 3", 1, "unknown key `what`"),
            ("# ours", "[", 1, ""),
        ] {
            assert!(FILE.contains(from), "{from}");
            let found = wrong(&FILE.replacen(from, to, 1));
            assert_eq!(found.line, line, "{to}: {}", found.message);
            assert!(found.message.contains(words), "{to}: {}", found.message);
        }
    }
}
