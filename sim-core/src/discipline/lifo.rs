//! Last in, first out: under overload the newest are still served in time.
//!
//! Those who have waited long have often given up already; serving them first is work for nobody.

use super::{DisciplineDef, Order};
use crate::extension::ExtensionRow;

pub(super) static DISCIPLINE: DisciplineDef = DisciplineDef {
    row: ExtensionRow {
        name: "lifo",
        about: "Whoever came last is served first, so that under overload at least some are served in time.",
        source: "Maurer, Fail at scale, ACM Queue 13(8), 2015",
        params: &[],
    },
    order: Order::Lifo,
};
