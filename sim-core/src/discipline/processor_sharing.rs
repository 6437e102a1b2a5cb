//! Processor sharing: nobody waits, everyone is slowed down, as on a time-sharing machine.

use super::{DisciplineDef, Order};
use crate::extension::ExtensionRow;

pub(super) static DISCIPLINE: DisciplineDef = DisciplineDef {
    row: ExtensionRow {
        name: "processor-sharing",
        about: "Nobody waits: all requests share the workers equally and slow each other down.",
        source: "Kleinrock, Queueing Systems, volume 2, 1976, chapter 4",
        params: &[],
    },
    order: Order::Shared,
};
