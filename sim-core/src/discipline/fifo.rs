//! First in, first out: the usual queue.

use super::{DisciplineDef, Order};
use crate::extension::ExtensionRow;

pub(super) static DISCIPLINE: DisciplineDef = DisciplineDef {
    row: ExtensionRow {
        name: "fifo",
        about: "Whoever came first is served first.",
        source: "",
        params: &[],
    },
    order: Order::Fifo,
};
