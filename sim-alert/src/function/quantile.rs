//! Quantiles of values.

use std::cmp::Ordering;

/// The quantile of values, interpolated between the two beside its rank (`promql/quantile.go`,
/// `quantile`). NaN is taken for smaller than any number.
pub(crate) fn of_values(values: &[f64], q: f64) -> f64 {
    if values.is_empty() || q.is_nan() {
        return f64::NAN;
    }
    if let Some(beyond) = beyond(q) {
        return beyond;
    }
    let mut sorted = values.to_vec();
    sorted.sort_by(|a, b| ascending(*a, *b));
    let last = sorted.len() - 1;
    let rank = q * last as f64;
    let lower = rank.floor();
    let weight = rank - lower;
    let (lower, upper) = (lower as usize, (lower as usize + 1).min(last));
    sorted[lower] * (1.0 - weight) + sorted[upper] * weight
}

/// What a quantile below 0 or above 1 is.
pub(super) fn beyond(q: f64) -> Option<f64> {
    if q < 0.0 {
        Some(f64::NEG_INFINITY)
    } else if q > 1.0 {
        Some(f64::INFINITY)
    } else {
        None
    }
}

/// By size, NaN first.
fn ascending(a: f64, b: f64) -> Ordering {
    match (a.is_nan(), b.is_nan()) {
        (false, false) => a.partial_cmp(&b).unwrap_or(Ordering::Equal),
        (a, b) => b.cmp(&a),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_values() {
        assert_eq!(of_values(&[3.0, 1.0, 2.0], 0.5), 2.0);
        assert_eq!(of_values(&[3.0, 1.0], 0.25), 1.5);
        assert_eq!(of_values(&[1.0], -1.0), f64::NEG_INFINITY);
        assert_eq!(of_values(&[1.0], 2.0), f64::INFINITY);
        assert!(of_values(&[f64::NAN, 1.0], 0.0).is_nan());
        assert_eq!(of_values(&[f64::NAN, 1.0], 1.0), 1.0);
    }
}
