//! Expectations: assertions over a finished run.
//!
//! ```text
//! first(alert.slow) in 12:18..12:23       when something happened
//! count(crash.web-1) == 1                 how often
//! never(crash)                            that it did not
//! max(share(web-1)) during 12:20..12:30 > 70%
//! goodput at 13:00 < 5%                   a metric over the minute before
//! availability > 99%                      a figure of the summary
//! ```

use crate::event_log::Kind;
use crate::metric::{Comparison, MetricDef, Scope};
use crate::time::Instant;
use crate::verdict::Verdict;

/// An assertion over the finished run.
#[derive(Clone, PartialEq, Debug)]
pub struct Expectation {
    /// As written.
    pub that: String,
    /// As understood.
    pub expr: Expr,
    /// Line in the scenario, for messages; zero when there is none.
    pub line: usize,
}

/// An assertion.
#[derive(Clone, PartialEq, Debug)]
pub enum Expr {
    /// `value op number`.
    Compare {
        /// What is looked at.
        value: Value,
        /// How it compares.
        comparison: Comparison,
        /// With what; nanoseconds for moments and times.
        right: f64,
    },
    /// `value in low..high`, both ends included.
    Within {
        /// What is looked at.
        value: Value,
        /// Least.
        low: f64,
        /// Most.
        high: f64,
    },
    /// `verdict == STABLE`, or `!=`.
    Verdict {
        /// The verdict that is named.
        verdict: Verdict,
        /// Whether it must be that one, or must not.
        is: bool,
    },
    /// `never(event)`.
    Never(EventPattern),
}

/// What an assertion looks at.
#[derive(Clone, PartialEq, Debug)]
pub enum Value {
    /// Moment of the first such event.
    First(EventPattern),
    /// Moment of the last such event.
    Last(EventPattern),
    /// Number of such events.
    Count(EventPattern),
    /// A metric folded over a part of the run, interval by interval.
    Metric {
        /// Which.
        metric: &'static MetricDef,
        /// Of what.
        scope: Scope,
        /// How.
        fold: Fold,
        /// From when.
        from: Instant,
        /// Until when.
        until: Instant,
    },
    /// A figure of the summary by its dotted path, such as `response_time_s.p99`.
    Summary(String),
}

/// How a metric becomes one number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fold {
    /// Smallest of the intervals.
    Min,
    /// Largest of the intervals.
    Max,
    /// Over all intervals as one window.
    Whole,
}

/// Which events: a kind, and perhaps whose.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct EventPattern {
    /// The kind, one of [`crate::event_log::KINDS`].
    pub kind: Kind,
    /// The name it happened to; absent: any.
    pub subject: Option<String>,
}
