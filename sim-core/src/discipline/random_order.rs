//! Random order: any of those who wait, as where a lock or a crowd decides.

use super::{DisciplineDef, Order};
use crate::extension::ExtensionRow;

pub(super) static DISCIPLINE: DisciplineDef = DisciplineDef {
    row: ExtensionRow {
        name: "random-order",
        about: "Any of those who wait is served next, each with the same chance.",
        source: "Kingman, On queues in which customers are served in random order, Proc. Cambridge Phil. Soc. 58, 1962",
        params: &[],
    },
    order: Order::Random,
};
