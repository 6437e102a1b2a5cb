//! A metric beyond a threshold: values, ratios and percentiles alike.

use super::{AlertRuleDef, Judgement, Watched, Watches, window};
use crate::extension::ExtensionRow;

pub(super) static RULE: AlertRuleDef = AlertRuleDef {
    row: ExtensionRow {
        name: "threshold",
        about: "The metric of `when`, taken over the window `over`, is beyond its threshold.",
        source: "Prometheus 3, expressions such as rate(x[1m]) > 5",
        params: &[],
    },
    watches: Watches::Condition,
    has_window: true,
    plain: true,
    looks: window,
    check: |_| Ok(()),
    judge: |_, asked, known| {
        let Watched::Condition(condition) = asked.watched else {
            return Judgement::NOTHING;
        };
        let value = known.value(
            condition.metric,
            condition.scope,
            asked.over,
            crate::time::Duration::ZERO,
        );
        Judgement {
            holds: value
                .is_some_and(|value| condition.comparison.holds(value, condition.threshold)),
            value,
            unit: condition.metric.unit,
        }
    },
};
