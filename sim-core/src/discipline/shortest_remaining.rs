//! Shortest remaining time: the least mean response time that any discipline can have.

use super::{DisciplineDef, Order};
use crate::extension::ExtensionRow;

pub(super) static DISCIPLINE: DisciplineDef = DisciplineDef {
    row: ExtensionRow {
        name: "shortest-remaining",
        about: "Whoever needs the least until done is served, interrupting others (an oracle: nobody knows this exactly).",
        source: "Schrage, A proof of the optimality of the shortest remaining processing time discipline, Operations Research 16(3), 1968",
        params: &[],
    },
    order: Order::Preemptive(|waiting| waiting.demand_ns),
};

#[cfg(test)]
mod tests {
    use super::super::{DISCIPLINES, Order, Waiting};

    #[test]
    fn what_decides_is_what_the_name_says() {
        let early = Waiting {
            priority: 2,
            demand_ns: 9,
            arrived_ns: 1,
        };
        let short = Waiting {
            demand_ns: 4,
            arrived_ns: 2,
            ..early
        };
        let important = Waiting {
            priority: 1,
            arrived_ns: 3,
            ..early
        };
        let first = |name: &str| {
            let def = DISCIPLINES
                .iter()
                .find(|d| d.row.name == name)
                .expect("it is there");
            let (Order::Ranked(rank) | Order::Preemptive(rank)) = def.order else {
                panic!("{name} has no ranks")
            };
            [("early", early), ("short", short), ("important", important)]
                .into_iter()
                .min_by_key(|(_, waiting)| rank(waiting))
                .map(|(name, _)| name)
        };
        assert_eq!(first("shortest-remaining"), Some("short"));
        assert_eq!(first("shortest-job"), Some("short"));
        assert_eq!(first("priority"), Some("important"));
        assert_eq!(first("priority-preemptive"), Some("important"));
        assert_eq!(first("lifo-preemptive"), Some("important"));
    }
}
