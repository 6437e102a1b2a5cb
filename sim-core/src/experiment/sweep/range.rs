//! Ranges: numbers between two ends.

use super::value::Quantity;
use crate::scenario::tree::Node;

/// What a path's values are taken from.
pub(super) enum Range {
    List(Vec<Node>),
    Between {
        from: Quantity,
        to: Quantity,
        log: bool,
        whole: bool,
    },
}

impl Range {
    /// The values at these places of the unit interval.
    pub(super) fn sample(&self, places: &[f64]) -> Vec<Node> {
        let value = |place: &f64| match self {
            Self::List(values) => {
                values[((place * values.len() as f64) as usize).min(values.len() - 1)].clone()
            }
            Self::Between {
                from,
                to,
                log,
                whole,
            } => {
                // A sample is as good with the digits that tell its strata apart, and can be read.
                let digits = 3 + places.len().to_string().len();
                let number = between(from.number, to.number, *place, *log);
                from.node(rounded_to(number, digits), *whole)
            }
        };
        places.iter().map(value).collect()
    }
}

/// `count` numbers from `from` to `to`, both included.
pub(super) fn spaced(from: f64, to: f64, count: usize, log: bool) -> Vec<f64> {
    let last = count - 1;
    (0..count)
        .map(|i| match i {
            0 => from,
            i if i == last => to,
            i => between(from, to, i as f64 / last as f64, log),
        })
        .collect()
}

fn between(from: f64, to: f64, share: f64, log: bool) -> f64 {
    rounded(if log {
        from * libm::pow(to / from, share)
    } else {
        from + (to - from) * share
    })
}

/// Twelve digits: enough for any setting, and `0.3` instead of `0.30000000000000004`.
pub(super) fn rounded(number: f64) -> f64 {
    rounded_to(number, 12)
}

fn rounded_to(number: f64, digits: usize) -> f64 {
    format!("{number:.0$e}", digits - 1)
        .parse()
        .unwrap_or(number)
}
