//! The straight line through points: least squares (`promql/functions.go`, `linearRegression`).

use super::Window;
use crate::compensated::Sum;

pub(super) fn deriv(window: &Window<'_>) -> Option<f64> {
    // Times near those of the points keep the squares small.
    let (from_ms, _) = *window.points.first()?;
    line(window.points, from_ms).map(|(slope, _)| slope)
}

pub(super) fn predict_linear(window: &Window<'_>) -> Option<f64> {
    let (slope, level) = line(window.points, window.now_ms)?;
    Some(slope * window.scalars[0] + level)
}

/// Slope per second, and the value at a moment.
fn line(points: &[(i64, f64)], at_ms: i64) -> Option<(f64, f64)> {
    let [(_, first), _, ..] = *points else {
        return None;
    };
    if points.iter().all(|(_, value)| *value == first) {
        // Exactly level, whatever rounding would make of it.
        let level = if first.is_infinite() { f64::NAN } else { first };
        return Some((if first.is_infinite() { f64::NAN } else { 0.0 }, level));
    }
    let sum = |of: fn(f64, f64) -> f64| {
        let terms = points.iter().map(|(time_ms, value)| {
            let x = time_ms.saturating_sub(at_ms) as f64 / 1000.0;
            of(x, *value)
        });
        terms.fold(Sum::default(), Sum::plus).with_lost()
    };
    let n = points.len() as f64;
    let (x, y) = (sum(|x, _| x), sum(|_, y| y));
    let covariance = sum(|x, y| x * y) - x * y / n;
    let variance = sum(|x, _| x * x) - x * x / n;
    let slope = covariance / variance;
    Some((slope, y / n - slope * x / n))
}
