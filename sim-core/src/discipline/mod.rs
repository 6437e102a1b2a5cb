//! Queue disciplines: who is served next.
//!
//! A discipline ranks waiting requests; the lowest rank is served first and equal ranks in order
//! of arrival. The two commonest orders need no ranks and are lists.

use crate::plug::{Choice, Def, Plug};

mod fifo;
mod lifo;
mod priority;
mod processor_sharing;

/// Every discipline a scenario can name.
pub static DISCIPLINES: &[&DisciplineDef] = &[
    &fifo::DISCIPLINE,
    &lifo::DISCIPLINE,
    &priority::DISCIPLINE,
    &processor_sharing::DISCIPLINE,
];

/// A row of [`DISCIPLINES`].
pub struct DisciplineDef {
    /// Name, description, parameters.
    pub plug: Plug,
    /// The order.
    pub order: Order,
}

impl Def for DisciplineDef {
    fn plug(&self) -> &Plug {
        &self.plug
    }
}

/// How a server orders its work.
#[derive(Clone, Copy)]
pub enum Order {
    /// By arrival.
    Fifo,
    /// The newest first.
    Lifo,
    /// By a rank, lowest first.
    Ranked(fn(&Waiting) -> u64),
    /// Nobody waits: all share the workers equally.
    Shared,
}

/// What a rank may depend on.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// Priority of the class, lower first.
    pub priority: u32,
    /// Time of service it asks for, in nanoseconds.
    pub demand_ns: u64,
}

impl Choice<DisciplineDef> {
    /// The order.
    pub fn order(&self) -> Order {
        self.def.order
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::plug::testing::check_rows;

    #[test]
    fn rows_are_well_formed() {
        check_rows(DISCIPLINES);
    }
}
