//! Functions that look at whole vectors or at labels.

use crate::eval::{Evaluator, Failure, Sample, Value};
use crate::expr::{Expr, Node};
use crate::labels::{Labels, NAME};
use crate::matcher::{self, Operator};
use std::cmp::Ordering;
use std::collections::BTreeSet;

pub(super) fn scalar(at: &Evaluator<'_>, arguments: &[Expr]) -> Result<Value, Failure> {
    Ok(Value::Scalar(match at.vector(&arguments[0])?.as_slice() {
        [only] => only.value,
        _ => f64::NAN,
    }))
}

pub(super) fn vector(at: &Evaluator<'_>, arguments: &[Expr]) -> Result<Value, Failure> {
    let value = at.scalar(&arguments[0])?;
    Ok(one(Labels::default(), value))
}

fn one(labels: Labels, value: f64) -> Value {
    Value::Vector(vec![Sample { labels, value }])
}

/// When each sample was taken; of anything but a selector that is now.
pub(super) fn timestamp(at: &Evaluator<'_>, arguments: &[Expr]) -> Result<Value, Failure> {
    let argument = arguments[0].bare();
    let dated = |labels: &Labels, at_ms: i64| Sample {
        labels: labels.nameless(),
        value: at_ms as f64 / 1000.0,
    };
    let samples = if let Node::Selector(selector) = &argument.node {
        let latest = at.latest(selector)?.into_iter();
        latest
            .map(|(labels, at_ms, _)| dated(labels, at_ms))
            .collect()
    } else {
        let samples = at.vector(argument)?.into_iter();
        samples.map(|one| dated(&one.labels, at.now_ms)).collect()
    };
    Ok(Value::Vector(samples))
}

pub(super) fn absent(at: &Evaluator<'_>, arguments: &[Expr]) -> Result<Value, Failure> {
    if at.vector(&arguments[0])?.is_empty() {
        return Ok(one(asked_for(&arguments[0]), 1.0));
    }
    Ok(Value::Vector(Vec::new()))
}

pub(super) fn absent_over_time(at: &Evaluator<'_>, arguments: &[Expr]) -> Result<Value, Failure> {
    if at.range(&arguments[0])?.series.is_empty() {
        return Ok(one(asked_for(&arguments[0]), 1.0));
    }
    Ok(Value::Vector(Vec::new()))
}

/// The labels that a selector asks for exactly and once (`createLabelsForAbsentFunction`).
fn asked_for(argument: &Expr) -> Labels {
    let (Node::Selector(selector) | Node::Range(selector, _)) = &argument.bare().node else {
        return Labels::default();
    };
    let mut labels = Labels::default();
    let mut asked = BTreeSet::new();
    for matcher in selector.matchers.iter().filter(|one| one.label != NAME) {
        if matcher.operator == Operator::Equal && asked.insert(&matcher.label) {
            labels.set(&matcher.label, &matcher.value);
        } else {
            labels.set(&matcher.label, "");
        }
    }
    labels
}

/// The last point of each series: it is what the name says, so the name stays.
pub(super) fn last_over_time(at: &Evaluator<'_>, arguments: &[Expr]) -> Result<Value, Failure> {
    let range = at.range(&arguments[0])?;
    let samples = range.series.iter().filter_map(|(labels, points)| {
        let (_, value) = *points.last()?;
        let labels = labels.clone();
        Some(Sample { labels, value })
    });
    Ok(Value::Vector(samples.collect()))
}

pub(super) fn sort(at: &Evaluator<'_>, arguments: &[Expr]) -> Result<Value, Failure> {
    sorted(at, arguments, |a, b| a.partial_cmp(&b))
}

pub(super) fn sort_desc(at: &Evaluator<'_>, arguments: &[Expr]) -> Result<Value, Failure> {
    sorted(at, arguments, |a, b| b.partial_cmp(&a))
}

fn sorted(
    at: &Evaluator<'_>,
    arguments: &[Expr],
    order: fn(f64, f64) -> Option<Ordering>,
) -> Result<Value, Failure> {
    let mut samples = at.vector(&arguments[0])?;
    samples.sort_by(|a, b| {
        // NaN stands last in both directions.
        order(a.value, b.value).unwrap_or_else(|| a.value.is_nan().cmp(&b.value.is_nan()))
    });
    Ok(Value::Vector(samples))
}

fn text(argument: &Expr) -> &str {
    match &argument.bare().node {
        Node::Text(text) => text,
        _ => "",
    }
}

fn label<'e>(argument: &'e Expr, function: &str) -> Result<&'e str, Failure> {
    let name = text(argument);
    if name.is_empty() {
        return Err(Failure::new(format!("a label of {function} has no name")));
    }
    Ok(name)
}

pub(super) fn label_replace(at: &Evaluator<'_>, arguments: &[Expr]) -> Result<Value, Failure> {
    let target = label(&arguments[1], "label_replace")?;
    let (replacement, source) = (text(&arguments[2]), text(&arguments[3]));
    let pattern = matcher::whole(text(&arguments[4])).map_err(Failure::new)?;
    let mut samples = at.vector(&arguments[0])?;
    for sample in &mut samples {
        let value = sample.labels.get(source).to_owned();
        // Labels made of labels double their length each time.
        let groups = replacement.matches('$').count();
        at.take(
            replacement
                .len()
                .saturating_add(groups.saturating_mul(value.len())),
        )?;
        if let Some(found) = pattern.captures(&value) {
            let mut filled = String::new();
            found.expand(replacement, &mut filled);
            sample.labels.set(target, &filled);
        }
    }
    Ok(Value::Vector(samples))
}

pub(super) fn label_join(at: &Evaluator<'_>, arguments: &[Expr]) -> Result<Value, Failure> {
    let target = label(&arguments[1], "label_join")?;
    let between = text(&arguments[2]);
    let sources: Result<Vec<&str>, Failure> = arguments[3..]
        .iter()
        .map(|argument| label(argument, "label_join"))
        .collect();
    let sources = sources?;
    let mut samples = at.vector(&arguments[0])?;
    for sample in &mut samples {
        let values: Vec<&str> = sources.iter().map(|name| sample.labels.get(name)).collect();
        let letters: usize = values.iter().map(|value| value.len() + between.len()).sum();
        at.take(letters)?;
        let joined = values.join(between);
        sample.labels.set(target, &joined);
    }
    Ok(Value::Vector(samples))
}
