//! Last in, first out, at once: a newcomer interrupts whoever is served.

use super::{DisciplineDef, Order};
use crate::plug::Plug;

pub(super) static DISCIPLINE: DisciplineDef = DisciplineDef {
    plug: Plug {
        name: "lifo-preemptive",
        about: "A newcomer interrupts the one in service who came first of those there; the latest interrupted goes on first.",
        source: "Kleinrock, Queueing Systems, volume 2, 1976, section 4.4",
        params: &[],
    },
    order: Order::Preemptive(|waiting| u64::MAX - waiting.arrived_ns),
};
