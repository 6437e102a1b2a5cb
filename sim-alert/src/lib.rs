//! Alert rules of Prometheus, evaluated on series that a simulation made.
//!
//! What is written for a real Prometheus is read as it is: rule files ([`Rules`]), expressions
//! ([`Expr`]) and the unit tests of promtool ([`mod@unit_test`]). The semantics are those of
//! Prometheus 3.5, told in our own words where they are implemented, and compared with the real
//! promtool (`.ci/prove alerts`).
//!
//! ```
//! use sim_alert::{Labels, Rules, Span, Store, watch};
//!
//! let rules = Rules::read(
//!     "rules.yml",
//!     "groups:
//!     - name: web
//!       rules:
//!       - alert: Errors
//!         expr: sum(rate(errors_total[1m])) > 1
//!         for: 30s",
//! )
//! .expect("valid rules");
//! let mut store = Store::default();
//! let series: Labels = [("__name__", "errors_total")].into_iter().collect();
//! for second in 0..300 {
//!     let errors = 5.0 * second as f64;
//!     store.append(&series, second * 1000, Some(errors)).expect("in order");
//! }
//! let seen = watch(&rules, &mut store, Span { from_ms: 0, until_ms: 300_000, interval_ms: 15_000 });
//! let firing = seen.transitions.iter().find(|change| change.to == sim_alert::State::Firing);
//! assert_eq!(firing.expect("it fires").at_ms, 45_000);
//! ```
//!
//! # What is supported
//!
//! * Selectors with `=`, `!=`, `=~`, `!~`, names in quotation marks, ranges, `offset`, subqueries.
//! * Every operator, with `bool`, `on`, `ignoring`, `group_left` and `group_right`.
//! * The aggregations of [`aggregators`] with `by` and `without`; the functions of [`functions`].
//! * Look-back of five minutes, marks where series end, ranges that do not hold their beginning,
//!   rates that are extrapolated, classic histograms.
//! * Alerting rules with `for`, `keep_firing_for`, labels, annotations, and the series `ALERTS` and
//!   `ALERTS_FOR_STATE`; recording rules; `interval`, `limit`, `query_offset` and `labels` of groups.
//! * Templates that show a value or a label, also through `humanize`, `humanize1024`,
//!   `humanizeDuration`, `humanizePercentage`, `printf`, `toLower` and `toUpper`.
//!
//! # What is not
//!
//! * The modifier `@`, native histograms, `limitk`, `limit_ratio`, trigonometric functions,
//!   `histogram_fraction`, `mad_over_time`, `double_exponential_smoothing`, `sort_by_label`, `info`:
//!   refused by name.
//! * Classes of Unicode and `\Q…\E` in regular expressions: refused. `(?i)` knows ASCII alone.
//! * Other templates: left as they are written, which is told ([`Seen::unexpanded`]).
//! * The dates of NaN and of infinity, which in Prometheus depend on the processor: NaN.
//! * What would go on for ever or take all memory: refused, with the limit that it is beyond.
//! * Of equal values `topk` and `bottomk` take those of the first labels; in Prometheus it is chance.
//!
//! Whole numbers of milliseconds are the unit of time, as in Prometheus.

#![allow(
    clippy::float_cmp,
    reason = "what an expression compares is equal when every bit says so"
)]

mod compensated;
mod duration;
mod eval;
mod expr;
mod function;
mod labels;
mod matcher;
mod number;
mod problem;
mod rule;
mod store;
mod template;
pub mod unit_test;
mod yaml;

pub use duration::Millis;
pub use eval::{Failure, Sample, Value};
pub use expr::{Aggregator, Expr, Kind, Misread, Selector, aggregators};
pub use function::{Function, functions};
pub use labels::Labels;
pub use problem::Problem;
pub use rule::{
    Active, Failed, Group, Rule, RuleKind, Rules, Seen, Span, State, Transition, Watch, Written,
    watch,
};
pub use store::{Point, Refused, Store};
pub use unit_test::unit_test;

/// The release whose semantics these are.
pub const PROMETHEUS: &str = "3.5";
