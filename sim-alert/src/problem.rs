//! Mistakes in files, with the place and what would be allowed.

use std::fmt;

/// A mistake in a file of rules or of tests.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The name the file was read by.
    pub file: String,
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong, with the value and what is allowed.
    pub message: String,
}

impl Problem {
    pub(crate) fn new(file: &str, line: usize, message: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            line,
            message: message.into(),
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "{}:{}: {}", self.file, self.line, self.message)
    }
}

impl std::error::Error for Problem {}

/// A text as a message cites it: of a long one its beginning.
pub(crate) fn cited(text: &str) -> String {
    const LETTERS: usize = 200;
    let text = text.trim();
    match text.char_indices().nth(LETTERS) {
        Some((end, _)) => format!("{:?}…", &text[..end]),
        None => format!("{text:?}"),
    }
}

/// Names as a sentence lists them.
pub(crate) fn listed<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    let names: Vec<&str> = names.into_iter().collect();
    names.join(", ")
}
