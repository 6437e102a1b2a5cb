//! The verdict: one word on the end of a run, and the sentence that stands behind it.
//!
//! Evidence is gathered first, as facts with numbers and times; then the rows of a table are tried in
//! order, and the first whose evidence is there is the verdict. What cannot be stood behind is not said:
//! a run too short to show an end has no verdict.

mod cores;
mod disturbance;
mod evidence;
mod rows;
mod words;

use crate::engine::Simulation;
use evidence::Evidence;

/// The rows of the table in their order: what a row is for, and what must be in evidence.
pub fn verdict_rules() -> impl Iterator<Item = (&'static str, &'static str)> {
    rows::ROWS.iter().map(|row| (row.situation, row.evidence))
}

/// A verdict.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct Judged {
    /// One of [`crate::verdict::VERDICTS`].
    pub word: &'static str,
    /// What stands behind it, with numbers.
    pub because: String,
}

/// The verdict on a run so far; `None` where the evidence allows none.
pub(super) fn judge(simulation: &Simulation) -> Option<Judged> {
    let evidence = Evidence::of(simulation)?;
    if evidence.arrived_ever == 0 {
        return None;
    }
    rows::ROWS
        .iter()
        .find_map(|row| (row.of)(&evidence))
        .map(|(word, because)| Judged {
            word: word.word(),
            because,
        })
}
