//! Tables of a run, as CSV: time lines, the event log, the request log.
//!
//! The headers are an interface: columns are only ever added. Times are in seconds, shares are
//! parts of one, an empty cell means that there was nothing to take the figure from. Nothing here
//! opens a file; the same bytes come out wherever they are written to.

mod events;
mod machines;
mod requests;
mod timeline;

pub use events::events;
pub use machines::{balancers, servers};
pub use requests::RequestLog;
pub use timeline::timeline;

use crate::metric::{MetricDef, Unit};

/// The name of a metric's column: times say that they are in seconds.
fn column(metric: &MetricDef) -> String {
    if metric.unit == Unit::Time {
        format!("{}_s", metric.name)
    } else {
        metric.name.to_owned()
    }
}

/// A metric's value as it stands in its column.
fn cell(metric: &MetricDef, value: Option<f64>) -> String {
    let scale = if metric.unit == Unit::Time { 1e-9 } else { 1.0 };
    // Nine digits are more than any counter of an interval holds, and hide rounding.
    value.map_or(String::new(), |value| {
        format!("{}", (value * scale * 1e9).round() / 1e9)
    })
}

/// Nanoseconds as seconds, to the last digit.
fn seconds(ns: u64) -> String {
    let text = format!("{}.{:09}", ns / 1_000_000_000, ns % 1_000_000_000);
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}
