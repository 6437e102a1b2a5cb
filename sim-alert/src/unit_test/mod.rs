//! Unit tests of rules in the format of `promtool test rules`.
//!
//! Files are read through a [`Loader`], so that this works where there are none. What promtool
//! does with a file is done here (`cmd/promtool/unittest.go`), also where it surprises:
//!
//! * All groups are evaluated at `evaluation_interval`, from 0, whatever interval they name.
//! * Series are loaded up to the last evaluation: after it, an expression sees no newer points.
//! * Expressions are asked after all evaluations, alerts at the last one not after `eval_time`.
//!
//! Other than in promtool, groups are evaluated in the order of the files where
//! `group_eval_order` says nothing (there, in any order), and NaN equals NaN (there, nothing).
//! Native histograms are refused, and so is what would take too long or too much memory.

mod compare;
mod read;
mod run;
mod values;

use crate::problem::Problem;
use std::sync::atomic::AtomicBool;

/// How files are found and read.
pub trait Loader {
    /// The text of a file.
    ///
    /// # Errors
    /// Says why it cannot be read.
    fn read(&self, path: &str) -> Result<String, String>;

    /// The files that a pattern of `rule_files` stands for, as they are then read. `beside` is the
    /// file in which the pattern stands. Without patterns this is the file beside that one.
    ///
    /// # Errors
    /// Says why a folder cannot be read.
    fn matching(&self, pattern: &str, beside: &str) -> Result<Vec<String>, String> {
        let folder = beside.rfind('/').map_or("", |at| &beside[..=at]);
        let absolute = pattern.starts_with('/');
        Ok(vec![if absolute {
            pattern.to_owned()
        } else {
            format!("{folder}{pattern}")
        }])
    }
}

/// What became of a file of tests.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// The file.
    pub file: String,
    /// Each item of `tests`.
    pub tests: Vec<Tested>,
    /// Patterns of `rule_files` for which there is no file.
    pub unmatched: Vec<String>,
}

/// What became of one item of `tests`.
#[derive(Clone, Debug, Default)]
pub struct Tested {
    /// Its name; `unnamed#0` for the first without one.
    pub name: String,
    /// How many alerts and expressions were compared.
    pub checks: usize,
    /// What is not as expected.
    pub differences: Vec<Difference>,
}

/// Something that is not as expected.
#[derive(Clone, Debug, PartialEq)]
pub struct Difference {
    /// Where the expectation stands in the file.
    pub line: usize,
    /// The alert or expression, and the time.
    pub what: String,
    /// What the file expects.
    pub expected: Vec<String>,
    /// What there is.
    pub found: Vec<String>,
    /// Whether there is nothing to compare, since a rule or an expression has no value; `found`
    /// says why.
    pub failed: bool,
}

impl Report {
    /// Whether everything is as expected.
    pub fn passed(&self) -> bool {
        self.tests.iter().all(|test| test.differences.is_empty())
    }
}

/// Runs a file of tests; `None` if it was told to stop before its end, by `cancel`.
///
/// # Errors
/// Names every mistake in the file, or in the files of rules it speaks of.
pub fn unit_test(
    path: &str,
    loader: &dyn Loader,
    cancel: &AtomicBool,
) -> Result<Option<Report>, Vec<Problem>> {
    let text = loader
        .read(path)
        .map_err(|why| vec![Problem::new(path, 1, why)])?;
    let file = read::file(path, &text)?;
    run::file(path, &file, loader, cancel)
}
