//! Conditions on labels.

use crate::labels::Labels;
use regex_lite::Regex;
use std::fmt;

/// How a label is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Equal,
    NotEqual,
    Like,
    Unlike,
}

/// A condition on a label. A label that is not there is one with an empty value.
#[derive(Clone, Debug)]
pub(crate) struct Matcher {
    pub(crate) label: String,
    pub(crate) operator: Operator,
    pub(crate) value: String,
    pattern: Option<Regex>,
}

impl Matcher {
    /// # Errors
    /// Says what is wrong with a pattern.
    pub(crate) fn new(label: &str, operator: Operator, value: &str) -> Result<Self, String> {
        let pattern = match operator {
            Operator::Like | Operator::Unlike => Some(whole(value)?),
            Operator::Equal | Operator::NotEqual => None,
        };
        Ok(Self {
            label: label.to_owned(),
            operator,
            value: value.to_owned(),
            pattern,
        })
    }

    pub(crate) fn takes(&self, labels: &Labels) -> bool {
        self.takes_value(labels.get(&self.label))
    }

    pub(crate) fn takes_value(&self, value: &str) -> bool {
        let like = |value| {
            let pattern = self.pattern.as_ref();
            pattern.is_some_and(|one| one.is_match(value))
        };
        match self.operator {
            Operator::Equal => value == self.value,
            Operator::NotEqual => value != self.value,
            Operator::Like => like(value),
            Operator::Unlike => !like(value),
        }
    }
}

/// As it is written: `label=~"pattern"`.
impl fmt::Display for Matcher {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = match self.operator {
            Operator::Equal => "=",
            Operator::NotEqual => "!=",
            Operator::Like => "=~",
            Operator::Unlike => "!~",
        };
        write!(out, "{}{sign}{:?}", self.label, self.value)
    }
}

/// A pattern that must match the whole of a text, in which `.` is any letter.
///
/// # Errors
/// Says what is wrong with it.
pub(crate) fn whole(pattern: &str) -> Result<Regex, String> {
    // Alone first: what closes one bracket too many would close that of the whole.
    let alone = Regex::new(pattern);
    let whole = alone.and_then(|_| Regex::new(&format!("^(?s:{pattern})$")));
    whole.map_err(|why| {
        format!(
            "{pattern:?} is no regular expression that is understood: {why} (Go's syntax without \
             classes of Unicode and \\Q…\\E)"
        )
    })
}
