//! Figures of the points in a range.

use super::{Window, quantile};
use crate::compensated::{self, Sum};
use crate::expr::aggregators;

pub(super) fn avg(window: &Window<'_>) -> f64 {
    compensated::mean(window.values())
}

pub(super) fn sum(window: &Window<'_>) -> f64 {
    window.values().fold(Sum::default(), Sum::plus).value()
}

pub(super) fn min(window: &Window<'_>) -> f64 {
    extreme(window, |value, best| value < best)
}

pub(super) fn max(window: &Window<'_>) -> f64 {
    extreme(window, |value, best| value > best)
}

fn extreme(window: &Window<'_>, before: fn(f64, f64) -> bool) -> f64 {
    let values: Vec<f64> = window.values().collect();
    aggregators::extreme(&values, before)
}

pub(super) fn count(window: &Window<'_>) -> f64 {
    window.points.len() as f64
}

pub(super) fn present(_: &Window<'_>) -> f64 {
    1.0
}

pub(super) fn quantile(window: &Window<'_>) -> f64 {
    let values: Vec<f64> = window.values().collect();
    quantile::of_values(&values, window.scalars[0])
}

pub(super) fn stdvar(window: &Window<'_>) -> f64 {
    let (mut count, mut mean, mut squares) = (0.0, Sum::default(), Sum::default());
    for value in window.values() {
        count += 1.0;
        let difference = value - mean.with_lost();
        mean = mean.plus(difference / count);
        squares = squares.plus(difference * (value - mean.with_lost()));
    }
    squares.with_lost() / count
}

pub(super) fn stddev(window: &Window<'_>) -> f64 {
    stdvar(window).sqrt()
}
