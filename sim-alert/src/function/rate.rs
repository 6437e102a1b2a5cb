//! How much counters and gauges change.
//!
//! `promql/functions.go`, `extrapolatedRate` and `instantValue`. What happened between the first
//! and the last point is stretched to the range: to its edge if a point there would have been
//! expected (within 1.1 mean gaps), otherwise by half a gap, where the series is assumed to begin
//! or end.

use super::Window;

/// A gap to the edge that is longer than so many mean gaps is no gap between points.
const EDGE_GAPS: f64 = 1.1;

pub(super) fn rate(window: &Window<'_>) -> Option<f64> {
    let seconds = seconds(window.from_ms, window.to_ms);
    extrapolated(window, true).map(|(change, factor)| change * (factor / seconds))
}

pub(super) fn increase(window: &Window<'_>) -> Option<f64> {
    extrapolated(window, true).map(|(change, factor)| change * factor)
}

pub(super) fn delta(window: &Window<'_>) -> Option<f64> {
    extrapolated(window, false).map(|(change, factor)| change * factor)
}

/// The change between the first and the last point, and by what it is to be multiplied.
fn extrapolated(window: &Window<'_>, counter: bool) -> Option<(f64, f64)> {
    let points = window.points;
    let [(first_ms, first), .., (last_ms, last)] = *points else {
        return None;
    };
    let mut change = last - first;
    if counter {
        // After a reset a counter begins at 0: what it had before comes on top.
        let resets = points.windows(2).filter(|pair| pair[1].1 < pair[0].1);
        for pair in resets {
            change += pair[0].1;
        }
    }
    let sampled = seconds(first_ms, last_ms);
    let mean_gap = sampled / (points.len() - 1) as f64;
    let edge = |gap: f64| {
        if gap >= mean_gap * EDGE_GAPS {
            mean_gap / 2.0
        } else {
            gap
        }
    };
    let mut before = edge(seconds(window.from_ms, first_ms));
    if counter && change > 0.0 && first >= 0.0 {
        // No counter was ever below 0.
        let from_zero = sampled * (first / change);
        if from_zero < before {
            before = from_zero;
        }
    }
    let after = edge(seconds(last_ms, window.to_ms));
    // In this order: the last digit depends on it.
    let stretched = sampled + before + after;
    Some((change, stretched / sampled))
}

pub(super) fn irate(window: &Window<'_>) -> Option<f64> {
    let [.., (from_ms, from), (to_ms, to)] = *window.points else {
        return None;
    };
    // A counter that fell began anew at 0.
    let change = if to < from { to } else { to - from };
    Some(change / seconds(from_ms, to_ms))
}

pub(super) fn idelta(window: &Window<'_>) -> Option<f64> {
    let [.., (_, from), (_, to)] = *window.points else {
        return None;
    };
    Some(to - from)
}

pub(super) fn resets(window: &Window<'_>) -> f64 {
    let pairs = window.points.windows(2);
    pairs.filter(|pair| pair[1].1 < pair[0].1).count() as f64
}

pub(super) fn changes(window: &Window<'_>) -> f64 {
    let differ = |a: f64, b: f64| a != b && !(a.is_nan() && b.is_nan());
    let pairs = window.points.windows(2);
    pairs.filter(|pair| differ(pair[0].1, pair[1].1)).count() as f64
}

fn seconds(from_ms: i64, to_ms: i64) -> f64 {
    to_ms.saturating_sub(from_ms) as f64 / 1000.0
}
