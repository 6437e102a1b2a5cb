//! Queue disciplines: who is served next.
//!
//! A discipline ranks waiting requests; the lowest rank is served first and equal ranks in order
//! of arrival. The two commonest orders need no ranks and are lists.

use crate::extension::{Configured, Def, ExtensionRow, Params, Registry};
use crate::time::Duration;

mod adaptive_lifo;
mod earliest_deadline;
mod fifo;
mod lifo;
mod lifo_preemptive;
mod priority;
mod priority_preemptive;
mod processor_sharing;
mod random_order;
mod shortest_job;
mod shortest_remaining;

/// Every discipline a scenario can name.
pub static DISCIPLINES: &[&DisciplineDef] = &[
    &fifo::DISCIPLINE,
    &lifo::DISCIPLINE,
    &adaptive_lifo::DISCIPLINE,
    &priority::DISCIPLINE,
    &earliest_deadline::DISCIPLINE,
    &processor_sharing::DISCIPLINE,
    &random_order::DISCIPLINE,
    &lifo_preemptive::DISCIPLINE,
    &priority_preemptive::DISCIPLINE,
    &shortest_job::DISCIPLINE,
    &shortest_remaining::DISCIPLINE,
];

/// A row of [`DISCIPLINES`].
pub struct DisciplineDef {
    /// Name, description, parameters.
    pub row: ExtensionRow,
    /// The order.
    pub order: Order,
}

/// Every row there is, those that were added among them.
static ROWS: Registry<DisciplineDef> = Registry::of(DISCIPLINES);

impl Def for DisciplineDef {
    fn registry() -> &'static Registry<Self> {
        &ROWS
    }
    fn row(&self) -> &ExtensionRow {
        &self.row
    }
}

/// How a server orders its work.
#[derive(Clone, Copy)]
pub enum Order {
    /// By arrival.
    Fifo,
    /// The newest first.
    Lifo,
    /// By arrival or the newest first, as it stands: whether the newest is next, of so many that wait, in
    /// a queue that was empty for the last time so long ago.
    Turning(fn(&Params, u32, Duration) -> bool),
    /// The one whose caller gives up first; who is waited for for ever, last, by arrival.
    Deadline,
    /// By a rank, lowest first.
    Ranked(fn(&Waiting) -> u64),
    /// By a rank, lowest first; a newcomer of a lower rank interrupts the one with the highest in
    /// service, which keeps what it has received and goes on later.
    Preemptive(fn(&Waiting) -> u64),
    /// At random.
    Random,
    /// Nobody waits: all share the workers equally.
    Shared,
}

/// What a rank may depend on.
#[derive(Clone, Copy, Debug)]
pub struct Waiting {
    /// Priority of the class, lower first.
    pub priority: u32,
    /// Time of service it still asks for, in nanoseconds.
    pub demand_ns: u64,
    /// When it came, in nanoseconds.
    pub arrived_ns: u64,
}

impl Configured<DisciplineDef> {
    /// The order.
    pub fn order(&self) -> Order {
        self.def.order
    }

    /// Whether the one that came last is next, of so many that wait in a queue that was empty for the
    /// last time so long ago; only of lists.
    pub fn takes_newest(&self, queued: u32, stood: Duration) -> bool {
        match self.def.order {
            Order::Turning(turns) => turns(&self.params, queued, stood),
            Order::Lifo => true,
            _ => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::testing::check_rows;

    #[test]
    fn rows_are_well_formed() {
        check_rows(DISCIPLINES);
    }
}
