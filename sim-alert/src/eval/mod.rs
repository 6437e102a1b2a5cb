//! The value of an expression at a moment.

mod aggregate;
mod binary;
mod budget;

pub(crate) use budget::NEVER;

use crate::expr::{Expr, Kind, Node, Selector, Subquery};
use crate::function;
use crate::labels::Labels;
use crate::store::{Point, Store, between};
use budget::Budget;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::atomic::AtomicBool;

/// How long a sample counts after it was taken, if nothing came after it.
pub(crate) const LOOKBACK_MS: i64 = 300_000;

/// A series and its value.
#[derive(Clone, Debug, PartialEq)]
pub struct Sample {
    /// Its labels.
    pub labels: Labels,
    /// Its value.
    pub value: f64,
}

/// What an expression came to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// One number.
    Scalar(f64),
    /// A number for each series.
    Vector(Vec<Sample>),
}

/// Why an expression has no value: what it was given does not fit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure(String);

impl Failure {
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self(message.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl std::error::Error for Failure {}

impl Expr {
    /// The value at a moment. `interval_ms` is the step of subqueries that name none.
    ///
    /// # Errors
    /// Says which series do not fit each other, or that it would take too long.
    pub fn evaluate(&self, store: &Store, now_ms: i64, interval_ms: i64) -> Result<Value, Failure> {
        self.evaluate_unless(&NEVER, store, now_ms, interval_ms)
    }

    /// The same, which fails soon after `cancel` is set.
    pub(crate) fn evaluate_unless(
        &self,
        cancel: &AtomicBool,
        store: &Store,
        now_ms: i64,
        interval_ms: i64,
    ) -> Result<Value, Failure> {
        Evaluator {
            store,
            now_ms,
            interval_ms,
            budget: &Budget::new(cancel),
        }
        .value(self)
    }
}

/// A moment, and what is known at it.
#[derive(Clone, Copy)]
pub(crate) struct Evaluator<'s> {
    store: &'s Store,
    pub(crate) now_ms: i64,
    interval_ms: i64,
    budget: &'s Budget<'s>,
}

/// Points of series during a range, without what is not a value.
pub(crate) struct Ranged {
    pub(crate) series: Vec<(Labels, Vec<(i64, f64)>)>,
    pub(crate) from_ms: i64,
    pub(crate) to_ms: i64,
}

impl<'s> Evaluator<'s> {
    pub(crate) fn value(&self, expr: &Expr) -> Result<Value, Failure> {
        self.take(1)?;
        let value = match &expr.node {
            Node::Number(value) => return Ok(Value::Scalar(*value)),
            Node::Brackets(inner) => return self.value(inner),
            Node::Selector(selector) => {
                let latest = self.latest(selector)?.into_iter();
                let samples = latest.map(|(labels, _, value)| Sample {
                    labels: labels.clone(),
                    value,
                });
                return Ok(Value::Vector(samples.collect()));
            }
            Node::Call(function, arguments) => function::call(function, arguments, self)?,
            Node::Aggregate(aggregate) => Value::Vector(self.aggregate(aggregate)?),
            Node::Binary(binary) => self.binary(binary)?,
            Node::Negated(inner) => match self.value(inner)? {
                Value::Scalar(value) => Value::Scalar(-value),
                Value::Vector(samples) => {
                    let negated = samples.into_iter().map(|sample| Sample {
                        labels: sample.labels.nameless(),
                        value: -sample.value,
                    });
                    Value::Vector(negated.collect())
                }
            },
            Node::Text(_) | Node::Range(..) | Node::Subquery(_) => {
                let kind = expr.kind().name();
                return Err(Failure::new(format!("{kind} is no value of its own")));
            }
        };
        if let Value::Vector(samples) = &value {
            distinct(samples)?;
        }
        Ok(value)
    }

    /// Takes steps of what the evaluation may take.
    pub(crate) fn take(&self, steps: usize) -> Result<(), Failure> {
        self.budget.take(steps as u64)
    }

    pub(crate) fn scalar(&self, expr: &Expr) -> Result<f64, Failure> {
        match self.value(expr)? {
            Value::Scalar(value) => Ok(value),
            Value::Vector(_) => Err(Failure::new("a vector where a scalar is needed")),
        }
    }

    pub(crate) fn vector(&self, expr: &Expr) -> Result<Vec<Sample>, Failure> {
        match self.value(expr)? {
            Value::Vector(samples) => Ok(samples),
            Value::Scalar(_) => Err(Failure::new("a scalar where a vector is needed")),
        }
    }

    /// The last point of each series that has not ended and is not too old
    /// (`promql/engine.go`, `vectorSelectorSingle`). A point exactly as old as the limit no longer
    /// counts.
    pub(crate) fn latest(
        &self,
        selector: &Selector,
    ) -> Result<Vec<(&'s Labels, i64, f64)>, Failure> {
        let until = self.now_ms.saturating_sub(selector.offset_ms);
        let from = until.saturating_sub(LOOKBACK_MS);
        let mut found = Vec::new();
        for (labels, points) in self.store.named(&selector.matchers) {
            self.take(1)?;
            if !selector.takes(labels) {
                continue;
            }
            if let Some(Point { at_ms, value }) = between(points, from, until).last() {
                found.extend(value.map(|value| (labels, *at_ms, value)));
            }
        }
        Ok(found)
    }

    /// The points of a range; series without any are left out.
    pub(crate) fn range(&self, expr: &Expr) -> Result<Ranged, Failure> {
        let expr = expr.bare();
        match &expr.node {
            Node::Range(selector, range_ms) => {
                let to_ms = self.now_ms.saturating_sub(selector.offset_ms);
                let from_ms = to_ms.saturating_sub(*range_ms);
                let mut series = Vec::new();
                for (labels, points) in self.store.named(&selector.matchers) {
                    self.take(1)?;
                    if !selector.takes(labels) {
                        continue;
                    }
                    let points = between(points, from_ms, to_ms);
                    self.take(points.len())?;
                    let values = points
                        .iter()
                        .filter_map(|point| Some((point.at_ms, point.value?)));
                    let values: Vec<(i64, f64)> = values.collect();
                    if !values.is_empty() {
                        series.push((labels.clone(), values));
                    }
                }
                Ok(Ranged {
                    series,
                    from_ms,
                    to_ms,
                })
            }
            Node::Subquery(subquery) => self.subquery(subquery),
            _ => {
                debug_assert_ne!(expr.kind(), Kind::Range, "every range is one of both");
                Err(Failure::new("a range is needed"))
            }
        }
    }

    /// Steps are multiples of the step's length, whatever the moment of evaluation.
    fn subquery(&self, subquery: &Subquery) -> Result<Ranged, Failure> {
        let step_ms = subquery.step_ms.unwrap_or(self.interval_ms).max(1);
        let to_ms = self.now_ms.saturating_sub(subquery.offset_ms);
        let from_ms = to_ms.saturating_sub(subquery.range_ms);
        // At once: what cannot be done is not begun.
        self.budget
            .take((subquery.range_ms / step_ms).unsigned_abs())?;
        let mut series: BTreeMap<Labels, Vec<(i64, f64)>> = BTreeMap::new();
        // Like any range, it does not hold its beginning.
        let first = from_ms.div_euclid(step_ms).checked_add(1);
        let mut next_ms = first.and_then(|step| step.checked_mul(step_ms));
        while let Some(now_ms) = next_ms.filter(|next_ms| *next_ms <= to_ms) {
            let step = Self { now_ms, ..*self };
            for sample in step.vector(&subquery.inner)? {
                self.take(1)?;
                let points = series.entry(sample.labels).or_default();
                points.push((now_ms, sample.value));
            }
            next_ms = now_ms.checked_add(step_ms);
        }
        Ok(Ranged {
            series: series.into_iter().collect(),
            from_ms,
            to_ms,
        })
    }
}

/// No two samples may have the same labels, as they have when names are dropped.
fn distinct(samples: &[Sample]) -> Result<(), Failure> {
    let mut seen = BTreeSet::new();
    match samples.iter().find(|sample| !seen.insert(&sample.labels)) {
        None => Ok(()),
        Some(twice) => Err(Failure::new(format!(
            "vector cannot contain metrics with the same labelset: {} occurs twice",
            twice.labels
        ))),
    }
}
