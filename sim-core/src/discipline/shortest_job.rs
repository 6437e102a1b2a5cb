//! Shortest job first: for those who know how long each request takes. Nobody is interrupted.

use super::{DisciplineDef, Order};
use crate::extension::ExtensionRow;

pub(super) static DISCIPLINE: DisciplineDef = DisciplineDef {
    row: ExtensionRow {
        name: "shortest-job",
        about: "Whoever asks for the least is served first (an oracle: nobody knows this exactly); nobody in service is interrupted.",
        source: "Phipps, Machine repair as a priority waiting-line problem, Operations Research 4(1), 1956",
        params: &[],
    },
    order: Order::Ranked(|waiting| waiting.demand_ns),
};
