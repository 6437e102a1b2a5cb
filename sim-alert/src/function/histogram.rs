//! Quantiles of classic histograms (`promql/quantile.go`, `BucketQuantile`).

use super::quantile;
use crate::eval::{Evaluator, Failure, Sample, Value};
use crate::expr::Expr;
use crate::labels::Labels;
use crate::number;
use std::cmp::Ordering;
use std::collections::BTreeMap;

/// The label with the upper bound of a bucket.
const BOUND: &str = "le";
/// Counts that differ by less, relative to their sum, differ by rounding.
const TOLERANCE: f64 = 1e-12;

/// A bucket with all that is in those below it.
#[derive(Clone, Copy)]
struct Bucket {
    upper: f64,
    count: f64,
}

pub(super) fn histogram_quantile(at: &Evaluator<'_>, arguments: &[Expr]) -> Result<Value, Failure> {
    let q = at.scalar(&arguments[0])?;
    let mut histograms: BTreeMap<Labels, Vec<Bucket>> = BTreeMap::new();
    for sample in at.vector(&arguments[1])? {
        // A series without a bound is part of no histogram.
        if let Some(upper) = number::float(sample.labels.get(BOUND)) {
            let labels = sample.labels.except(&[BOUND.to_owned()]);
            let count = sample.value;
            let buckets = histograms.entry(labels).or_default();
            buckets.push(Bucket { upper, count });
        }
    }
    let samples = histograms.into_iter().map(|(labels, buckets)| Sample {
        labels: labels.nameless(),
        value: of_buckets(q, buckets),
    });
    Ok(Value::Vector(samples.collect()))
}

fn of_buckets(q: f64, mut buckets: Vec<Bucket>) -> f64 {
    if q.is_nan() {
        return f64::NAN;
    }
    if let Some(beyond) = quantile::beyond(q) {
        return beyond;
    }
    buckets.sort_by(|a, b| a.upper.total_cmp(&b.upper));
    if buckets.last().is_none_or(|one| one.upper != f64::INFINITY) {
        return f64::NAN;
    }
    let buckets = rising(merged(&buckets));
    let last = buckets.len() - 1;
    let all = buckets[last].count;
    if last == 0 || all == 0.0 {
        return f64::NAN;
    }
    let rank = q * all;
    let found = buckets[..last]
        .partition_point(|one| one.count.partial_cmp(&rank).is_none_or(Ordering::is_lt));
    if found == last {
        // Of the last bucket nothing is known but where it begins.
        return buckets[last - 1].upper;
    }
    let bucket = buckets[found];
    if found == 0 {
        // The lowest bucket begins at 0, unless it ends there or below.
        if bucket.upper <= 0.0 {
            return bucket.upper;
        }
        return 0.0 + bucket.upper * (rank / bucket.count);
    }
    let below = buckets[found - 1];
    let share = (rank - below.count) / (bucket.count - below.count);
    below.upper + (bucket.upper - below.upper) * share
}

/// Buckets with the same bound are one.
fn merged(buckets: &[Bucket]) -> Vec<Bucket> {
    let mut found: Vec<Bucket> = Vec::new();
    for bucket in buckets {
        match found.last_mut() {
            Some(last) if last.upper == bucket.upper => last.count += bucket.count,
            _ => found.push(*bucket),
        }
    }
    found
}

/// Counts that never fall: what rounding changed is put right, and what falls is lifted.
fn rising(mut buckets: Vec<Bucket>) -> Vec<Bucket> {
    let mut highest = buckets[0].count;
    for bucket in &mut buckets[1..] {
        if nearly(highest, bucket.count) || bucket.count < highest {
            bucket.count = highest;
        } else {
            highest = bucket.count;
        }
    }
    buckets
}

/// Whether two counts differ by no more than rounding (`util/almost`).
fn nearly(a: f64, b: f64) -> bool {
    if (a.is_nan() && b.is_nan()) || a == b {
        return true;
    }
    let (sum, difference) = (a.abs() + b.abs(), (a - b).abs());
    if a == 0.0 || b == 0.0 || sum < f64::MIN_POSITIVE {
        return difference < TOLERANCE * f64::MIN_POSITIVE;
    }
    difference / sum.min(f64::MAX) < TOLERANCE
}
