//! The verdict: one word on the end of a run, and the sentence that stands behind it.
//!
//! Evidence is gathered first, as facts with numbers and times; then the rows of a table are tried in
//! order, and the first whose evidence is there is the verdict. Of causes that stand at the same time it is
//! the one that costs most requests, and the others stand beside it in its sentence. What cannot be stood behind is not said:
//! a run too short to show an end has no verdict.

mod arrivals;
mod asked;
mod calm;
mod capacity;
mod clauses;
mod cores;
mod disturbance;
mod evidence;
mod faults;
mod kept;
mod losses;
mod overload;
mod recovery;
mod rows;
mod storm;
mod window;
mod words;
mod worse;

use crate::engine::Simulation;
use evidence::Evidence;

/// The rows of the table in their order: what a row is for, what must be in evidence, and whether it is a
/// cause, of which the one that costs most requests counts.
pub fn verdict_rules() -> impl Iterator<Item = (&'static str, &'static str, bool)> {
    let rows = rows::ROWS.iter();
    rows.map(|row| (row.situation, row.evidence, row.cause))
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
    rows::choose(&evidence).map(|(word, because)| Judged {
        word: word.word(),
        because,
    })
}
