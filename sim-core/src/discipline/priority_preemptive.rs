//! Preemptive priority: a newcomer of a better class interrupts whoever is of a worse one.

use super::{DisciplineDef, Order};
use crate::extension::ExtensionRow;

pub(super) static DISCIPLINE: DisciplineDef = DisciplineDef {
    row: ExtensionRow {
        name: "priority-preemptive",
        about: "The class with the lowest priority number is served first and interrupts others, who go on later where they stopped.",
        source: "Conway, Maxwell and Miller, Theory of Scheduling, 1967, section 8.7",
        params: &[],
    },
    order: Order::Preemptive(|waiting| u64::from(waiting.priority)),
};
