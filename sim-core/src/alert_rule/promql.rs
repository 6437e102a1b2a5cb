//! An expression of Prometheus, evaluated by the crate `sim-alert` on series that were scraped.

use super::{AlertRuleDef, Judgement, Watches};
use crate::extension::ExtensionRow;
use crate::time::Duration;

pub(super) static RULE: AlertRuleDef = AlertRuleDef {
    row: ExtensionRow {
        name: "promql",
        about: "The expression of Prometheus in `when` has a value, over the series that `stampede list series` has. Rules of a file are `monitoring.rules`.",
        source: "Prometheus 3.5, rules/alerting.go",
        params: &[],
    },
    watches: Watches::Expression,
    has_window: false,
    plain: false,
    // How far back it looks stands in the expression, and what it looks at is kept elsewhere.
    looks: |_, _| (Duration(u64::MAX), Duration::ZERO),
    check: |_| Ok(()),
    // What is true at one moment says nothing of it: it is about what was scraped.
    judge: |_, _, _| Judgement::NOTHING,
};
