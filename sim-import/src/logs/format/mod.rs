//! Formats of logs: a table, and a file for each.

mod alb;
mod apache;
mod columns;
mod csv;
mod envoy;
mod gatling;
mod haproxy;
mod json;
mod nginx;
mod template;
mod words;

use super::record::Record;
use columns::Columns;

/// Every format, in the order in which lines are tried.
pub static FORMATS: &[FormatDef] = &[
    nginx::FORMAT,
    apache::FORMAT,
    haproxy::FORMAT,
    envoy::FORMAT,
    alb::FORMAT,
    json::FORMAT,
    gatling::FORMAT,
    csv::FORMAT,
];

/// A format: a row of the table.
#[derive(Clone, Copy, Debug)]
pub struct FormatDef {
    /// What it is called in arguments and reports.
    pub name: &'static str,
    /// What it is.
    pub about: &'static str,
    known: Known,
    /// Reads what `--log-format` says, if it is of this program.
    given: Option<Given>,
}

type Chosen = Box<dyn Parser>;
type Given = fn(&str) -> Result<Option<Chosen>, String>;

/// How a format is known from a line of it.
#[derive(Clone, Copy, Debug)]
enum Known {
    /// By its look.
    Guess(fn(&[u8]) -> Option<Chosen>),
    /// By its look, or by names of columns that were said.
    Named(fn(&[u8], &Columns) -> Option<Chosen>),
}

/// What reads the lines of one file.
pub(crate) trait Parser {
    /// What a line tells, or why it tells nothing.
    fn read<'a>(&mut self, line: &'a [u8]) -> Result<Record<'a>, &'static str>;
    /// The format in the words of its program.
    fn words(&self) -> String;
    /// Whether a line belongs into the file and tells of no request, such as the head of a table.
    fn is_aside(&self, _line: &[u8]) -> bool {
        false
    }
}

/// What was said of a log from outside.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Said {
    /// `log_format` of nginx or `LogFormat` of Apache.
    pub log_format: Option<String>,
    /// Names of columns: `time=ts,duration=latency:ms`.
    pub columns: Option<String>,
}

/// Chooses who reads a file, from its first lines: whoever reads most of them.
///
/// # Errors
/// Why what was said makes no sense.
pub(crate) fn choose(
    lines: &[&[u8]],
    said: &Said,
) -> Result<Option<(&'static str, Chosen)>, String> {
    if let Some(format) = &said.log_format {
        for def in FORMATS {
            if let Some(parser) = def.given.map(|given| given(format)).transpose()?.flatten() {
                return Ok(Some((def.name, parser)));
            }
        }
        return Err(
            "it has neither variables of nginx ($request_time) nor of Apache (%D)".to_owned(),
        );
    }
    let columns = Columns::said(said.columns.as_deref().unwrap_or(""))?;
    let mut best: Option<(usize, &'static str, Chosen)> = None;
    for def in FORMATS {
        for line in lines.iter().take(8) {
            let parser = match def.known {
                Known::Guess(guess) => guess(line),
                Known::Named(guess) => guess(line, &columns),
            };
            let Some(mut parser) = parser else { continue };
            let mut read = 0;
            for line in lines {
                read += usize::from(parser.read(line).is_ok() || parser.is_aside(line));
            }
            if read > 0 && best.as_ref().is_none_or(|(most, ..)| read > *most) {
                best = Some((read, def.name, parser));
            }
        }
    }
    Ok(best
        .filter(|(read, ..)| read * 2 >= lines.len())
        .map(|(_, name, parser)| (name, parser)))
}
