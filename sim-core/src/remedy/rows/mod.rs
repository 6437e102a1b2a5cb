//! The rows, a file for each part of a system.

pub(super) mod alerting;
pub(super) mod balancer;
pub(super) mod doubt;
pub(super) mod health;
pub(super) mod limit;
pub(super) mod policy;
pub(super) mod queue;
pub(super) mod restart;
pub(super) mod retry;
pub(super) mod shed;
pub(super) mod size;
pub(super) mod time;
pub(super) mod timeline;
pub(super) mod weight;

use super::{Proposal, Row, Sets, Subject};

/// A single set.
fn set(path: impl Into<String>, value: impl Into<String>) -> Sets {
    vec![(path.into(), value.into())]
}

/// A number without needless digits.
fn plain(value: f64) -> String {
    let rounded = (value * 1000.0).round() / 1000.0;
    rounded.to_string()
}

/// So many times a number, at least one.
fn times(number: u32, factor: f64) -> u64 {
    ((f64::from(number) * factor).round() as u64).max(1)
}
