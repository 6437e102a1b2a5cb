//! A metric that has changed by so much.

use super::{AlertRuleDef, Judgement, Watched, Watches};
use crate::extension::{ExtensionRow, ParamDef};
use crate::time::Duration;

pub(super) static RULE: AlertRuleDef = AlertRuleDef {
    row: ExtensionRow {
        name: "change",
        about: "The metric of `when`, taken over the window `over`, is beyond what it was some time before by the threshold: it is the difference that is compared.",
        source: "Prometheus 3, expressions such as x - x offset 10m > 5",
        params: &[ParamDef::span(
            "since",
            Duration::from_millis(1),
            "10m",
            "How long before; while nothing was known then, the condition does not hold.",
        )],
    },
    watches: Watches::Condition,
    has_window: true,
    plain: false,
    looks: |params, over| (over, over + params.span("since")),
    check: |_| Ok(()),
    judge: |params, asked, known| {
        let Watched::Condition(condition) = asked.watched else {
            return Judgement::NOTHING;
        };
        let (metric, scope) = (condition.metric, condition.scope);
        // Where nothing is known now, what was before is not looked at.
        let now = known.value(metric, scope, asked.over, Duration::ZERO);
        let value = now.and_then(|now| {
            let before = known.value(metric, scope, asked.over, params.span("since"))?;
            Some(now - before)
        });
        Judgement {
            holds: value
                .is_some_and(|value| condition.comparison.holds(value, condition.threshold)),
            value,
            unit: metric.unit,
        }
    },
};
