//! Last in, first out, at once: a newcomer interrupts whoever is served.

use super::{DisciplineDef, Order};
use crate::extension::ExtensionRow;

pub(super) static DISCIPLINE: DisciplineDef = DisciplineDef {
    row: ExtensionRow {
        name: "lifo-preemptive",
        about: "A newcomer interrupts the one in service who came first of those there; the latest interrupted goes on first.",
        source: "Kleinrock, Queueing Systems, volume 2, 1976, section 4.4",
        params: &[],
    },
    order: Order::Preemptive(|waiting| u64::MAX - waiting.arrived_ns),
};
