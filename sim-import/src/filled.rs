//! Values that were measured, for the keys of a scenario.

use sim_core::scenario::quoted;
use std::fmt::Write;

/// A value for a key.
#[derive(Clone, PartialEq, Debug)]
pub struct Filled {
    /// The path of the key.
    pub path: String,
    /// The value, as a scenario writes it.
    pub value: String,
    /// From what it was measured; of what is assumed, why it could not be.
    pub words: String,
    /// Whether it is still a guess, though a better one.
    pub assumed: bool,
}

impl Filled {
    pub(crate) fn measured(path: String, value: String, words: String) -> Self {
        Self {
            path,
            value,
            words,
            assumed: false,
        }
    }

    pub(crate) fn guess(path: String, value: String, words: String) -> Self {
        Self {
            assumed: true,
            ..Self::measured(path, value, words)
        }
    }
}

/// A scenario that says of another what was measured.
pub fn overlay(base: &str, title: &str, filled: &[Filled]) -> String {
    let mut text = format!(
        "# What {} says, in\nbase = {}\n",
        one_line(title),
        quoted(base)
    );
    let (guesses, measured): (Vec<&Filled>, Vec<&Filled>) =
        filled.iter().partition(|value| value.assumed);
    text.push_str("\n[set]\n");
    for value in measured {
        let _ = writeln!(
            text,
            "# {}\n{} = {}",
            one_line(&value.words),
            quoted(&value.path),
            value.value
        );
    }
    for value in guesses {
        let _ = writeln!(text, "# Not measured: {}", one_line(&value.words));
    }
    text
}

/// A comment ends with its line, whatever a file is called.
pub(crate) fn one_line(text: &str) -> String {
    text.chars()
        .map(|c| if c.is_control() { '?' } else { c })
        .collect()
}
