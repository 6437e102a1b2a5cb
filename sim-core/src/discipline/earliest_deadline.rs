//! Earliest deadline first: the one whose caller gives up first is served next.
//!
//! A deadline is the moment at which the caller, or one further up, stops waiting; who is waited for for
//! ever comes last. Without overload no order meets more deadlines; under overload it is the worst of all,
//! as it works on those that are nearly lost. Nobody in service is interrupted.
//!
//! Jackson, "Scheduling a production line to minimize maximum tardiness", UCLA, 1955; Liu and Layland, "Scheduling
//! algorithms for multiprogramming in a hard-real-time environment", JACM 20(1), 1973.

use super::{DisciplineDef, Order};
use crate::extension::ExtensionRow;

pub(super) static DISCIPLINE: DisciplineDef = DisciplineDef {
    row: ExtensionRow {
        name: "earliest-deadline",
        about: "Whoever is given up first by those above is served first; nobody in service is interrupted.",
        source: "Liu and Layland, JACM 20(1), 1973",
        params: &[],
    },
    order: Order::Deadline,
};
