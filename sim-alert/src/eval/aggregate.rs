//! Many series to one for each group (`promql/engine.go`, `aggregation`, `aggregationK`).

use super::{Evaluator, Failure, Sample};
use crate::expr::{Aggregate, Expr, Fold, Node};
use crate::labels::Labels;
use std::cmp::Ordering;
use std::collections::BTreeMap;

impl Evaluator<'_> {
    pub(super) fn aggregate(&self, aggregate: &Aggregate) -> Result<Vec<Sample>, Failure> {
        let parameter = aggregate.parameter.as_ref();
        let number = match parameter {
            Some(expr) if expr.kind() == crate::Kind::Scalar => self.scalar(expr)?,
            _ => 0.0,
        };
        let mut samples = self.vector(&aggregate.inner)?;
        if let Fold::CountValues = aggregate.aggregator.fold {
            let label = text(parameter);
            if label.is_empty() {
                return Err(Failure::new("the label of count_values has no name"));
            }
            for sample in &mut samples {
                let value = plain(sample.value);
                sample.labels.set(label, &value);
            }
            return Ok(counted(samples, aggregate, label));
        }
        let mut groups: BTreeMap<Labels, Vec<Sample>> = BTreeMap::new();
        for sample in samples {
            let group = group_of(&sample.labels, aggregate);
            groups.entry(group).or_default().push(sample);
        }
        match aggregate.aggregator.fold {
            Fold::Values(fold) => {
                let folded = groups.into_iter().map(|(labels, samples)| {
                    let values: Vec<f64> = samples.iter().map(|sample| sample.value).collect();
                    let value = fold(&values, number);
                    Sample { labels, value }
                });
                Ok(folded.collect())
            }
            Fold::Choice { largest } => {
                let count = whole(number)?;
                let chosen = groups.into_values().flat_map(|samples| {
                    let mut samples = samples;
                    samples.sort_by(|a, b| before(a.value, b.value, largest));
                    samples.truncate(count);
                    samples
                });
                Ok(chosen.collect())
            }
            Fold::CountValues => Ok(Vec::new()),
        }
    }
}

fn group_of(labels: &Labels, aggregate: &Aggregate) -> Labels {
    if aggregate.without {
        labels.without(&aggregate.labels)
    } else {
        labels.only(&aggregate.labels)
    }
}

/// How many series of each group have each value. The label of the value is part of the group,
/// whatever is written.
fn counted(samples: Vec<Sample>, aggregate: &Aggregate, label: &str) -> Vec<Sample> {
    let mut counts: BTreeMap<Labels, f64> = BTreeMap::new();
    for sample in samples {
        let value = sample.labels.get(label).to_owned();
        let group = group_of(&sample.labels, aggregate).with(label, &value);
        *counts.entry(group).or_default() += 1.0;
    }
    let samples = counts.into_iter();
    samples
        .map(|(labels, value)| Sample { labels, value })
        .collect()
}

fn text(parameter: Option<&Expr>) -> &str {
    match parameter.map(|expr| &expr.bare().node) {
        Some(Node::Text(text)) => text,
        _ => "",
    }
}

/// Digits without powers of ten.
fn plain(value: f64) -> String {
    if value.is_finite() {
        value.to_string()
    } else {
        crate::number::show(value)
    }
}

/// How many series are chosen: the whole part, and none below 1.
fn whole(number: f64) -> Result<usize, Failure> {
    // The limits are those of a signed number of 64 bits.
    if number.is_nan() || number.abs() >= 9.223372036854775e18 {
        return Err(Failure::new(format!(
            "Scalar value {number} overflows int64"
        )));
    }
    Ok(number.max(0.0) as usize)
}

/// The order of choice; NaN comes last, and of equal values the one with the first labels first.
fn before(a: f64, b: f64, largest: bool) -> Ordering {
    let by_value = if largest {
        b.partial_cmp(&a)
    } else {
        a.partial_cmp(&b)
    };
    by_value.unwrap_or_else(|| a.is_nan().cmp(&b.is_nan()))
}
