//! Adaptive LIFO: first in, first out, until a queue stands; then the newest first.
//!
//! While a server keeps up, order of arrival is fair. Once it does not, those at the front have mostly been
//! given up already, and serving the newest first is the only way to serve somebody in time. With
//! the guard `controlled-delay`, which drops those at the back, it is what Facebook runs.
//!
//! Maurer, "Fail at scale", ACM Queue 13(8), 2015, "Adaptive LIFO": there a queue that is starting to form turns;
//! HHVM's `ThreadJobLIFOSwitchThreshold` is `above`.

use super::{DisciplineDef, Order};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static DISCIPLINE: DisciplineDef = DisciplineDef {
    row: ExtensionRow {
        name: "adaptive-lifo",
        about: "By arrival while the queue was empty of late, the newest first while it stands.",
        source: "Maurer, Fail at scale, ACM Queue 13(8), 2015",
        params: &[
            ParamDef {
                name: "after",
                about: "How long the queue must not have been empty for the newest to be first.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("100ms"),
            },
            ParamDef {
                name: "above",
                about: "How many must wait, at least one more than so many.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 4_000_000_000,
                    unit: "requests",
                },
                default: Some("0"),
            },
        ],
    },
    order: Order::Turning(|params, queued, stood| {
        stood >= params.span("after") && u64::from(queued) > params.integer("above")
    }),
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::ParamValue::{Integer, Span};
    use crate::extension::{Configured, Params};

    #[test]
    fn a_queue_must_be_long_and_stand() {
        let after = Span(Duration::from_millis(100));
        let params = Params::new(vec![("after", after), ("above", Integer(3))]);
        let def = &DISCIPLINE;
        let discipline = Configured { def, params };
        let newest = |queued, ms| discipline.takes_newest(queued, Duration::from_millis(ms));
        assert!(newest(4, 100));
        assert!(!newest(3, 100));
        assert!(!newest(4, 99));
    }
}
