//! Two sides and what is done with them (`promql/engine.go`, `VectorBinop` and beside it).

use super::{Evaluator, Failure, Sample, Value};
use crate::expr::{Binary, Many, Matching, Operator};
use crate::labels::{Labels, NAME};
use std::collections::{BTreeMap, BTreeSet};

impl Evaluator<'_> {
    pub(super) fn binary(&self, binary: &Binary) -> Result<Value, Failure> {
        let operator = binary.operator;
        let (left, right) = (self.value(&binary.left)?, self.value(&binary.right)?);
        match (left, right) {
            (Value::Scalar(left), Value::Scalar(right)) => {
                let (value, holds) = apply(operator, left, right);
                Ok(Value::Scalar(if operator.is_comparison() {
                    f64::from(u8::from(holds))
                } else {
                    value
                }))
            }
            (Value::Vector(samples), Value::Scalar(scalar)) => {
                Ok(with_scalar(binary, samples, |value| (value, scalar)))
            }
            (Value::Scalar(scalar), Value::Vector(samples)) => {
                Ok(with_scalar(binary, samples, |value| (scalar, value)))
            }
            (Value::Vector(left), Value::Vector(right)) => {
                let samples = if operator.is_set() {
                    sets(operator, &binary.matching, left, right)
                } else {
                    matched(binary, left, right)?
                };
                Ok(Value::Vector(samples))
            }
        }
    }
}

/// The value, and whether a comparison holds.
fn apply(operator: Operator, left: f64, right: f64) -> (f64, bool) {
    let chosen = |holds| (left, holds);
    match operator {
        Operator::Add => (left + right, true),
        Operator::Subtract => (left - right, true),
        Operator::Multiply => (left * right, true),
        Operator::Divide => (left / right, true),
        Operator::Modulo => (libm::fmod(left, right), true),
        Operator::Power => (libm::pow(left, right), true),
        Operator::Atan2 => (libm::atan2(left, right), true),
        Operator::Equal => chosen(left == right),
        Operator::NotEqual => chosen(left != right),
        Operator::Greater => chosen(left > right),
        Operator::Less => chosen(left < right),
        Operator::AtLeast => chosen(left >= right),
        Operator::AtMost => chosen(left <= right),
        Operator::Or | Operator::And | Operator::Unless => chosen(true),
    }
}

fn with_scalar(binary: &Binary, samples: Vec<Sample>, sides: impl Fn(f64) -> (f64, f64)) -> Value {
    let operator = binary.operator;
    let result = samples.into_iter().filter_map(|sample| {
        let (left, right) = sides(sample.value);
        let (computed, holds) = apply(operator, left, right);
        let value = if binary.as_bool {
            f64::from(u8::from(holds))
        } else if operator.is_comparison() {
            // Whichever side it stands on, the vector's value is what is chosen.
            sample.value
        } else {
            computed
        };
        let labels = if operator.renames() || binary.as_bool {
            sample.labels.nameless()
        } else {
            sample.labels
        };
        (holds || binary.as_bool).then_some(Sample { labels, value })
    });
    Value::Vector(result.collect())
}

/// What series of both sides must have in common.
fn signature(labels: &Labels, matching: &Matching) -> Labels {
    if matching.on {
        labels.only(&matching.labels)
    } else {
        labels.without(&matching.labels)
    }
}

fn sets(
    operator: Operator,
    matching: &Matching,
    left: Vec<Sample>,
    right: Vec<Sample>,
) -> Vec<Sample> {
    let all = |samples: &[Sample]| -> BTreeSet<Labels> {
        let each = samples.iter();
        each.map(|one| signature(&one.labels, matching)).collect()
    };
    if operator == Operator::Or {
        let theirs = all(&left);
        let others = right.into_iter();
        let others = others.filter(|one| !theirs.contains(&signature(&one.labels, matching)));
        return left.into_iter().chain(others).collect();
    }
    let theirs = all(&right);
    let wanted = operator == Operator::And;
    let kept = left.into_iter();
    kept.filter(|one| theirs.contains(&signature(&one.labels, matching)) == wanted)
        .collect()
}

/// Arithmetic and comparisons between series that belong together.
fn matched(binary: &Binary, left: Vec<Sample>, right: Vec<Sample>) -> Result<Vec<Sample>, Failure> {
    let matching = &binary.matching;
    if left.is_empty() || right.is_empty() {
        return Ok(Vec::new());
    }
    let swapped = matching.many == Many::Right;
    let (many, one) = if swapped {
        (right, left)
    } else {
        (left, right)
    };
    let mut ones: BTreeMap<Labels, Sample> = BTreeMap::new();
    for sample in one {
        let signature = signature(&sample.labels, matching);
        if let Some(other) = ones.get(&signature) {
            let side = if swapped { "left" } else { "right" };
            return Err(Failure::new(format!(
                "found duplicate series for the match group {signature} on the {side} hand-side of \
                 {}: {} and {}; matching labels must be unique on one side",
                binary.operator.sign(),
                sample.labels,
                other.labels
            )));
        }
        ones.insert(signature, sample);
    }
    let mut result = Vec::new();
    let mut taken: BTreeMap<Labels, BTreeSet<Labels>> = BTreeMap::new();
    for sample in many {
        let signature = signature(&sample.labels, matching);
        let Some(other) = ones.get(&signature) else {
            continue;
        };
        let (first, second) = if swapped {
            (other.value, sample.value)
        } else {
            (sample.value, other.value)
        };
        let (mut value, holds) = apply(binary.operator, first, second);
        if binary.as_bool {
            value = f64::from(u8::from(holds));
        } else if !holds {
            continue;
        }
        let labels = result_labels(binary, &sample.labels, &other.labels);
        let before = taken.contains_key(&signature);
        let fresh = taken.entry(signature).or_default().insert(labels.clone());
        let unique = if matching.many == Many::Neither {
            !before
        } else {
            fresh
        };
        if !unique {
            return Err(Failure::new(if matching.many == Many::Neither {
                "multiple matches for labels: many-to-one matching must be explicit (group_left/group_right)"
            } else {
                "multiple matches for labels: grouping labels must ensure unique matches"
            }));
        }
        result.push(Sample { labels, value });
    }
    Ok(result)
}

fn result_labels(binary: &Binary, many: &Labels, one: &Labels) -> Labels {
    let matching = &binary.matching;
    let mut labels = many.clone();
    if binary.operator.renames() {
        labels.set(NAME, "");
    }
    if matching.many == Many::Neither {
        labels = if matching.on {
            labels.only(&matching.labels)
        } else {
            labels.except(&matching.labels)
        };
    }
    for name in &matching.include {
        labels.set(name, one.get(name));
    }
    if binary.as_bool {
        labels.set(NAME, "");
    }
    labels
}
