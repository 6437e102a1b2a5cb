//! What makes one value of many series.

use super::Kind;
use crate::compensated::{self, Sum};
use crate::function::quantile;

/// A row of the table of aggregations.
#[derive(Debug)]
pub struct Aggregator {
    /// As it is written.
    pub name: &'static str,
    /// The argument before the series, if it takes one.
    pub parameter: Option<Kind>,
    /// One sentence.
    pub about: &'static str,
    /// Where Prometheus does it.
    pub source: &'static str,
    pub(crate) fold: Fold,
}

/// How it is computed.
#[derive(Debug)]
pub(crate) enum Fold {
    /// Of the values of a group, in the order of its series, and the parameter.
    Values(fn(&[f64], f64) -> f64),
    /// The series with the largest values, and the smallest.
    Choice { largest: bool },
    /// How many series have each value, which becomes a label.
    CountValues,
}

const SOURCE: &str = "promql/engine.go, aggregation";
const CHOICE: &str = "promql/engine.go, aggregationK";

const fn row(name: &'static str, about: &'static str, fold: fn(&[f64], f64) -> f64) -> Aggregator {
    Aggregator {
        name,
        parameter: None,
        about,
        source: SOURCE,
        fold: Fold::Values(fold),
    }
}

/// Every aggregation, by name.
pub fn aggregators() -> &'static [Aggregator] {
    &AGGREGATORS
}

static AGGREGATORS: [Aggregator; 12] = [
    row("avg", "The mean.", |values, _| {
        compensated::mean(values.iter().copied())
    }),
    Aggregator {
        name: "bottomk",
        parameter: Some(Kind::Scalar),
        about: "The series with the smallest values, so many of each group.",
        source: CHOICE,
        fold: Fold::Choice { largest: false },
    },
    row("count", "How many series there are.", |values, _| {
        values.len() as f64
    }),
    Aggregator {
        name: "count_values",
        parameter: Some(Kind::Text),
        about: "How many series have each value, which becomes the value of a label.",
        source: "promql/engine.go, aggregationCountValues",
        fold: Fold::CountValues,
    },
    row("group", "1 for each group.", |_, _| 1.0),
    row(
        "max",
        "The largest value; NaN only if there is nothing else.",
        |values, _| extreme(values, |value, best| value > best),
    ),
    row(
        "min",
        "The smallest value; NaN only if there is nothing else.",
        |values, _| extreme(values, |value, best| value < best),
    ),
    Aggregator {
        name: "quantile",
        parameter: Some(Kind::Scalar),
        about: "A quantile between the values, interpolated.",
        source: "promql/quantile.go, quantile",
        fold: Fold::Values(quantile::of_values),
    },
    row(
        "stddev",
        "The standard deviation, of all and not of a sample.",
        |values, _| variance(values).sqrt(),
    ),
    row(
        "stdvar",
        "The variance, of all and not of a sample.",
        |values, _| variance(values),
    ),
    row("sum", "The sum.", |values, _| {
        let first = Sum::starting_at(values[0]);
        let rest = values[1..].iter();
        rest.fold(first, |sum, value| sum.plus(*value)).value()
    }),
    Aggregator {
        name: "topk",
        parameter: Some(Kind::Scalar),
        about: "The series with the largest values, so many of each group.",
        source: CHOICE,
        fold: Fold::Choice { largest: true },
    },
];

/// The value that is before all others; NaN gives way to any.
pub(crate) fn extreme(values: &[f64], before: fn(f64, f64) -> bool) -> f64 {
    let mut best = values[0];
    for value in values {
        if before(*value, best) || best.is_nan() {
            best = *value;
        }
    }
    best
}

/// Welford's recurrence, plain: Prometheus compensates it over time and not over series.
fn variance(values: &[f64]) -> f64 {
    let (mut mean, mut squares) = (values[0], 0.0);
    if !values[0].is_finite() {
        squares = f64::NAN;
    }
    for (before, value) in values[1..].iter().enumerate() {
        let difference = value - mean;
        mean += difference / (before as f64 + 2.0);
        squares += difference * (value - mean);
    }
    squares / values.len() as f64
}
