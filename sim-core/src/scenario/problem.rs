//! Problems found in a scenario: what is wrong, exactly where, and what is allowed.
//!
//! Every problem is collected before anything is reported, so that one look at the list mends the
//! whole file. Rendering with carets is the front end's business; spans here are exact bytes.

use super::Source;
use std::collections::BTreeSet;
use std::fmt;
use std::ops::Range;

/// Problems kept of one scenario; the rest is only counted.
pub const PROBLEMS_MAX: usize = 50;

/// A stretch of one source, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub struct Span {
    /// Position in [`Problems::sources`]; [`Span::NOWHERE`] for what nobody wrote.
    pub source: u32,
    /// First byte.
    pub start: u32,
    /// One past the last byte.
    pub end: u32,
}

impl Span {
    /// The place of values nobody wrote, such as defaults.
    pub const NOWHERE: Self = Self {
        source: u32::MAX,
        start: 0,
        end: 0,
    };

    /// A stretch of source number `source`.
    pub fn new(source: u32, range: Range<usize>) -> Self {
        Self {
            source,
            start: range.start as u32,
            end: range.end as u32,
        }
    }

    /// The bytes from `from` to `to`, counted from the start of this span.
    #[must_use]
    pub fn part(self, from: usize, to: usize) -> Self {
        let end = self.start.saturating_add(to as u32).min(self.end);
        Self {
            start: self.start.saturating_add(from as u32).min(end),
            end,
            ..self
        }
    }
}

/// A place in a source and what to say about it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Label {
    /// Position in [`Problems::sources`].
    pub source: usize,
    /// The bytes pointed at.
    pub span: Range<usize>,
    /// A few words beside the caret; may be empty.
    pub text: String,
}

/// Something wrong in a scenario.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Problem {
    /// A row of [`super::CODES`].
    pub code: &'static str,
    /// What is wrong.
    pub message: String,
    /// Where; the first is the place to mend, the others explain.
    pub labels: Vec<Label>,
    /// What is allowed, or what to write instead.
    pub help: Option<String>,
}

impl Problem {
    /// A problem without a place yet.
    pub fn new(code: &'static str, message: impl Into<String>) -> Self {
        Self {
            code,
            message: message.into(),
            labels: Vec::new(),
            help: None,
        }
    }

    /// Points at `span`, when somebody wrote it.
    #[must_use]
    pub fn at(self, span: Span) -> Self {
        self.label(span, "")
    }

    /// Points at `span` with a few words.
    #[must_use]
    pub fn label(mut self, span: Span, text: impl Into<String>) -> Self {
        if span.source != u32::MAX {
            let span_bytes = span.start as usize..span.end as usize;
            self.labels.push(Label {
                source: span.source as usize,
                span: span_bytes,
                text: text.into(),
            });
        }
        self
    }

    /// Says what is allowed.
    #[must_use]
    pub fn help(mut self, text: impl Into<String>) -> Self {
        let text = text.into();
        if !text.is_empty() {
            self.help = Some(text);
        }
        self
    }
}

/// All problems of a scenario, with the texts they point into.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Problems {
    /// The texts.
    pub sources: Vec<Source>,
    /// The problems, in the order of the text; never empty.
    pub problems: Vec<Problem>,
    /// Further problems that were found and are not listed.
    pub left_out: usize,
}

impl Problems {
    /// Whether one of them has this code.
    pub fn has(&self, code: &str) -> bool {
        self.problems.iter().any(|p| p.code == code)
    }
}

impl fmt::Display for Problems {
    /// One line for each problem: `file:line:column: error[E012]: message (help)`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, problem) in self.problems.iter().enumerate() {
            if i > 0 {
                writeln!(f)?;
            }
            if let Some(label) = problem.labels.first()
                && let Some(source) = self.sources.get(label.source)
            {
                let (line, column) = source.line_column(label.span.start);
                write!(f, "{}:{line}:{column}: ", source.name)?;
            }
            write!(f, "error[{}]: {}", problem.code, problem.message)?;
            if let Some(help) = &problem.help {
                write!(f, " ({help})")?;
            }
        }
        if self.left_out > 0 {
            write!(f, "\n… and {} further problems", self.left_out)?;
        }
        Ok(())
    }
}

impl std::error::Error for Problems {}

/// Where problems are gathered while a scenario is read.
#[derive(Clone, Debug, Default)]
pub(crate) struct Collector {
    problems: Vec<Problem>,
    left_out: usize,
    remarks: Vec<(Span, String)>,
    /// Tables that lack a key, or any, for a reason that was told.
    spared: BTreeSet<(Span, Option<&'static str>)>,
}

impl Collector {
    /// Notes what is allowed and yet should be mended, once.
    pub(crate) fn remark(&mut self, at: Span, text: String) {
        let remark = (at, text);
        if self.remarks.len() < PROBLEMS_MAX && !self.remarks.contains(&remark) {
            self.remarks.push(remark);
        }
    }

    /// The remarks so far, each with its place.
    pub(crate) fn remarks(&self, sources: &[Source]) -> Vec<String> {
        let place = |at: &Span| {
            let source = sources.get(at.source as usize)?;
            let (line, _) = source.line_column(at.start as usize);
            Some(format!("{}:{line}: ", source.name))
        };
        let remarks = self.remarks.iter();
        remarks
            .map(|(at, text)| place(at).unwrap_or_default() + text)
            .collect()
    }

    /// Adds a problem, unless the same was said already: a key that several parts inherit is
    /// read once for each of them.
    pub(crate) fn push(&mut self, problem: Problem) {
        if self.problems.contains(&problem) {
            return;
        }
        if self.problems.len() < PROBLEMS_MAX {
            self.problems.push(problem);
        } else {
            self.left_out += 1;
        }
    }

    /// A table lacks a key, or all that it lacks, for a reason that was told: that it is missing as well would be told
    /// for nothing.
    pub(crate) fn spare(&mut self, table: Span, key: Option<&'static str>) {
        self.spared.insert((table, key));
    }

    /// Whether it need not be told that a table lacks a key.
    pub(crate) fn spares(&self, table: Span, key: &'static str) -> bool {
        self.spared.contains(&(table, None)) || self.spared.contains(&(table, Some(key)))
    }

    /// Where problems stand: the first byte of each that has a place.
    pub(crate) fn starts(&self) -> impl Iterator<Item = usize> {
        let labels = self.problems.iter().filter_map(|p| p.labels.first());
        labels.map(|label| label.span.start)
    }

    /// Takes over what was found elsewhere.
    pub(crate) fn take(&mut self, other: Self) {
        self.left_out += other.left_out;
        for problem in other.problems {
            self.push(problem);
        }
        self.remarks.extend(other.remarks);
        self.spared.extend(other.spared);
    }

    /// How many were found: for noticing whether a step found any.
    pub(crate) fn count(&self) -> usize {
        self.problems.len() + self.left_out
    }

    /// All that was found so far, in the order of finding.
    pub(crate) fn into_problems(self) -> Vec<Problem> {
        self.problems
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.problems.is_empty()
    }

    /// All that was found, or `Ok` when nothing was.
    pub(crate) fn finish(mut self, sources: &[Source]) -> Result<(), Problems> {
        if self.problems.is_empty() {
            return Ok(());
        }
        self.problems
            .sort_by_key(|p| p.labels.first().map(|l| (l.source, l.span.start)));
        Err(Problems {
            sources: sources.to_vec(),
            problems: self.problems,
            left_out: self.left_out,
        })
    }
}

/// The one of `allowed` that was meant by `found`, if one is close to it.
pub(crate) fn nearest<'a>(
    found: &str,
    allowed: impl IntoIterator<Item = &'a str>,
) -> Option<&'a str> {
    // The distance takes time and memory by the product of both lengths; no name is this long.
    if found.is_empty() || found.len() > 200 {
        return None;
    }
    let lower = found.to_lowercase();
    let allowed: Vec<&str> = allowed.into_iter().collect();
    let distance = |word: &str| strsim::damerau_levenshtein(&lower, &word.to_lowercase());
    let best = allowed.iter().map(|word| (distance(word), *word)).min();
    let limit = (lower.chars().count() / 3).clamp(1, 4);
    let near = best.filter(|(distance, _)| *distance <= limit);
    // A word that begins as the one meant, or is the end of its path, is further away by letters than it looks.
    near.map(|(_, word)| word).or_else(|| {
        allowed.iter().copied().find(|word| {
            lower.len() >= 3
                && (word.starts_with(&lower)
                    || lower.starts_with(word) && word.len() >= 3
                    || word.rsplit('.').next() == Some(&lower))
        })
    })
}

/// `did you mean "x"?` when one of `allowed` is close to `found`, and otherwise the list.
pub fn suggest<'a>(found: &str, allowed: impl IntoIterator<Item = &'a str>) -> String {
    let allowed: Vec<&str> = allowed.into_iter().collect();
    let near = nearest(found, allowed.iter().copied());
    let list = if allowed.len() <= 40 {
        allowed.join(", ")
    } else {
        format!("{}, …", allowed[..40].join(", "))
    };
    match near {
        Some(word) => format!("did you mean \"{word}\"? Allowed: {list}"),
        None if allowed.is_empty() => String::new(),
        None => format!("allowed: {list}"),
    }
}
