//! A metric of which nothing is known.

use super::{AlertRuleDef, Judgement, Watches, window};
use crate::extension::ExtensionRow;
use crate::metric::Unit;
use crate::time::Duration;

pub(super) static RULE: AlertRuleDef = AlertRuleDef {
    row: ExtensionRow {
        name: "absence",
        about: "There is no value of the metric of `when`, which is written without a threshold: its server cannot be scraped, or nothing of the kind happens any more.",
        source: "Prometheus 3, absent()",
        params: &[],
    },
    watches: Watches::Metric,
    has_window: true,
    plain: false,
    looks: window,
    check: |_| Ok(()),
    judge: |_, asked, known| {
        let metric = asked.watched.metric();
        let value = metric
            .and_then(|(metric, scope)| known.value(metric, scope, asked.over, Duration::ZERO));
        Judgement {
            holds: metric.is_some() && value.is_none(),
            value,
            unit: metric.map_or(Unit::Count, |(metric, _)| metric.unit),
        }
    },
};
