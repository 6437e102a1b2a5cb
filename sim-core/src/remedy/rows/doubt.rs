//! What the doctor's rules would mend.

use super::{Proposal, Row, Subject};
use crate::doctor::doubts;

pub(in crate::remedy) static DOCTOR: Row = Row {
    name: "doctor",
    about: "Does what would mend what a rule of the doctor finds odd.",
    source: "the sources of the rules: `stampede list rules`",
    proposes,
};

fn proposes(subject: &Subject<'_>) -> Vec<Proposal> {
    let doubts = doubts(subject.model).into_iter();
    doubts
        .map(|(rule, doubt)| (format!("against {}", rule.id), doubt.cure))
        .collect()
}
