//! Rules of alerts: when the monitoring holds that something is wrong.
//!
//! A rule looks at what the monitoring knows at one moment, which is never what is true then: values
//! were scraped some time ago, of servers that could be scraped. It says whether its condition holds; what follows on
//! that (pending, firing, resolved) is the same for all rules and is done by whoever evaluates them.

use crate::extension::{Configured, Def, ExtensionRow, ParamProblem, Params, Registry};
use crate::metric::{Condition, MetricDef, Scope, Unit};
use crate::time::Duration;

mod absence;
mod burn_rate;
mod change;
mod promql;
mod threshold;

/// Every rule an alert can have.
pub static ALERT_RULES: &[&AlertRuleDef] = &[
    &threshold::RULE,
    &change::RULE,
    &absence::RULE,
    &burn_rate::RULE,
    &promql::RULE,
];

/// A row of [`ALERT_RULES`].
pub struct AlertRuleDef {
    /// Name, description, parameters.
    pub row: ExtensionRow,
    /// What `when` of its alert says.
    pub watches: Watches,
    /// Whether `over`, the window of its alert, has a meaning for it.
    pub has_window: bool,
    /// Whether it can be evaluated without a `[monitoring]`, from the present window alone.
    pub plain: bool,
    /// The shortest window that it takes a value of, and how far back in all it looks, given the alert's `over`.
    pub looks: fn(&Params, Duration) -> (Duration, Duration),
    /// Conditions between parameters.
    pub check: fn(&Params) -> Result<(), ParamProblem>,
    /// Whether the condition holds now.
    pub judge: fn(&Params, &Asked<'_>, &dyn Known) -> Judgement,
}

/// Every row there is, those that were added among them.
static ROWS: Registry<AlertRuleDef> = Registry::of(ALERT_RULES);

impl Def for AlertRuleDef {
    fn registry() -> &'static Registry<Self> {
        &ROWS
    }
    fn row(&self) -> &ExtensionRow {
        &self.row
    }

    fn check(&self, params: &Params) -> Result<(), ParamProblem> {
        (self.check)(params)
    }
}

/// What `when` of an alert says.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Watches {
    /// A metric and a threshold.
    Condition,
    /// A metric alone.
    Metric,
    /// The name of an objective.
    Objective,
    /// An expression of Prometheus.
    Expression,
}

/// What an alert watches.
#[derive(Clone, PartialEq, Debug)]
pub enum Watched {
    /// A metric and a threshold.
    Condition(Condition),
    /// A metric of something.
    Metric(&'static MetricDef, Scope),
    /// An objective: its position in the model, and the share of requests that must be good.
    Objective(usize, f64),
    /// What an expression of Prometheus asks for: it is evaluated with the other rules of its kind.
    Expression,
}

impl Watched {
    /// The metric watched and of what, where it is one.
    pub fn metric(&self) -> Option<(&'static MetricDef, Scope)> {
        match self {
            Self::Condition(condition) => Some((condition.metric, condition.scope)),
            Self::Metric(metric, scope) => Some((metric, *scope)),
            Self::Objective(..) | Self::Expression => None,
        }
    }
}

/// What a rule is asked about.
#[derive(Clone, Copy, Debug)]
pub struct Asked<'a> {
    /// What is watched.
    pub watched: &'a Watched,
    /// The window of the alert.
    pub over: Duration,
}

/// What is known of a system at one moment.
pub trait Known {
    /// A metric over a window of this length, as it was known so long ago; `None` where nothing was known of it.
    fn value(
        &self,
        metric: &'static MetricDef,
        scope: Scope,
        over: Duration,
        back: Duration,
    ) -> Option<f64>;

    /// Good and all requests of an objective in the window of this length.
    fn objective(&self, slo: usize, over: Duration) -> Option<(u64, u64)>;
}

/// What a rule holds.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Judgement {
    /// Whether its condition holds.
    pub holds: bool,
    /// The value that it looked at, as its metric is kept; `None` where there was none.
    pub value: Option<f64>,
    /// How that is written.
    pub unit: Unit,
}

impl Judgement {
    /// Of what a rule does not watch.
    pub(crate) const NOTHING: Self = Self {
        holds: false,
        value: None,
        unit: Unit::Count,
    };
}

impl Configured<AlertRuleDef> {
    /// Whether the condition holds, by what is known.
    pub fn judge(&self, asked: &Asked<'_>, known: &dyn Known) -> Judgement {
        (self.def.judge)(&self.params, asked, known)
    }

    /// The shortest window that it takes a value of, and how far back in all it looks.
    pub fn looks(&self, over: Duration) -> (Duration, Duration) {
        (self.def.looks)(&self.params, over)
    }
}

/// A window, and nothing before it.
fn window(_: &Params, over: Duration) -> (Duration, Duration) {
    (over, over)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::testing::{check_rows, example};
    use crate::metric::Comparison;

    /// A metric that rises by one a second, and an objective that has failed for five minutes.
    struct Rising(f64);

    impl Known for Rising {
        fn value(
            &self,
            _: &'static MetricDef,
            _: Scope,
            _: Duration,
            back: Duration,
        ) -> Option<f64> {
            let then = self.0 - back.as_secs_f64();
            (then >= 0.0).then_some(then)
        }

        fn objective(&self, _: usize, over: Duration) -> Option<(u64, u64)> {
            let all = (over.as_secs_f64() * 10.0) as u64;
            Some((all.saturating_sub(3000), all))
        }
    }

    fn judged(name: &str, watched: &Watched, at_s: f64) -> bool {
        let def = ALERT_RULES.iter().find(|def| def.row.name == name);
        let def = def.expect("a rule of this name");
        let asked = Asked {
            watched,
            over: Duration::from_secs_f64(60.0),
        };
        (def.judge)(&example(&def.row), &asked, &Rising(at_s)).holds
    }

    #[test]
    fn rows_are_well_formed() {
        check_rows(ALERT_RULES);
    }

    #[test]
    fn each_rule_looks_at_its_own() {
        let metric = MetricDef::find("in_flight").expect("a metric");
        let above = |threshold| {
            Watched::Condition(Condition {
                metric,
                scope: Scope::Site,
                comparison: Comparison::Above,
                threshold,
            })
        };
        assert!(judged("threshold", &above(99.0), 100.0));
        assert!(!judged("threshold", &above(100.0), 100.0));
        // It rises by 600 in ten minutes, and there is nothing to compare with before that.
        assert!(judged("change", &above(599.0), 700.0));
        assert!(!judged("change", &above(600.0), 700.0));
        assert!(!judged("change", &above(0.0), 599.0));
        let there = Watched::Metric(metric, Scope::Site);
        assert!(!judged("absence", &there, 1.0));
        assert!(judged("absence", &there, -1.0));
        // Five minutes of failures are a twelfth of an hour: 0.083 / 0.005 is 16.7 times the budget.
        assert!(judged("burn-rate", &Watched::Objective(0, 0.995), 0.0));
        assert!(!judged("burn-rate", &Watched::Objective(0, 0.99), 0.0));
    }
}
