//! First in, first out: the usual queue.

use super::{DisciplineDef, Order};
use crate::plug::Plug;

pub(super) static DISCIPLINE: DisciplineDef = DisciplineDef {
    plug: Plug {
        name: "fifo",
        about: "Whoever came first is served first.",
        source: "",
        params: &[],
    },
    order: Order::Fifo,
};
