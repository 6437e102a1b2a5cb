//! Priority: the class decides, the order of arrival within it. What is in service is not
//! interrupted.

use super::{DisciplineDef, Order};
use crate::extension::ExtensionRow;

pub(super) static DISCIPLINE: DisciplineDef = DisciplineDef {
    row: ExtensionRow {
        name: "priority",
        about: "The class with the lowest priority number is served first, by arrival within it; nobody in service is interrupted.",
        source: "Cobham, Priority assignment in waiting line problems, Operations Research 2(1), 1954",
        params: &[],
    },
    order: Order::Ranked(|waiting| u64::from(waiting.priority)),
};

#[cfg(test)]
mod tests {
    use super::super::Waiting;
    use super::*;

    #[test]
    fn only_the_class_decides() {
        let Order::Ranked(rank) = DISCIPLINE.order else {
            panic!("not ranked")
        };
        let checkout = Waiting {
            priority: 1,
            demand_ns: 900,
            arrived_ns: 7,
        };
        let browse = Waiting {
            priority: 2,
            demand_ns: 5,
            arrived_ns: 3,
        };
        assert!(rank(&checkout) < rank(&browse));
        assert_eq!(
            rank(&checkout),
            rank(&Waiting {
                demand_ns: 5,
                ..checkout
            })
        );
    }
}
