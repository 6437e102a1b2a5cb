//! Numbers and spans as testers print them, and what was read, in words.

use super::{Latency, Results};
use serde_json::Value;
use sim_core::time::Duration;

/// A span such as `1.23ms`, `850us`, `2m3.5s`, in seconds.
pub(super) fn span(text: &str) -> Option<f64> {
    let text = text.replace('\u{3bc}', "\u{b5}").replace("secs", "s");
    let span = Duration::parse(&text.replace("sec", "s")).ok()?;
    Some(span.as_secs_f64())
}

/// The first number of a text.
pub(super) fn number(text: &str) -> Option<f64> {
    let text = text.trim_start();
    let end = text
        .find(|c: char| !c.is_ascii_digit() && c != '.')
        .unwrap_or(text.len());
    text[..end].parse().ok()
}

/// What stands behind a label at the beginning of a line.
pub(super) fn behind<'t>(text: &'t str, label: &str) -> Option<&'t str> {
    text.lines()
        .find_map(|line| line.trim_start().strip_prefix(label))
        .map(str::trim)
}

/// The number at the end of a path of keys.
pub(super) fn at(value: &Value, path: &[&str]) -> Option<f64> {
    path.iter()
        .try_fold(value, |value, key| value.get(key))?
        .as_f64()
}

/// A count: a number that has no sign and no fraction, or is taken for one.
pub(super) fn count(value: Option<f64>) -> Option<u64> {
    value
        .filter(|value| *value >= 0.0 && *value < 9e15)
        .map(|value| value.round() as u64)
}

/// The JSON of a text.
pub(super) fn json(text: &str) -> Result<Value, String> {
    serde_json::from_str(text).map_err(|error| format!("it is no complete JSON: {error}"))
}

/// What was read, in words.
pub(super) fn sentences(results: &Results) -> Vec<String> {
    let mut found = Vec::new();
    if let Some(achieved) = results.achieved_hz {
        let asked = match (results.offered_hz, results.dropped) {
            (Some(offered), _) => {
                format!("{offered:.1} requests a second were to be sent, {achieved:.1} were")
            }
            _ => format!(
                "{achieved:.1} requests a second were answered; how many were to be sent is not said"
            ),
        };
        let errors = match (results.errors, results.requests) {
            (Some(errors), Some(all)) if errors > 0 => {
                format!(", errors included ({errors} of {all})")
            }
            _ => String::new(),
        };
        found.push(asked + &errors);
    }
    if let Some(dropped) = results.dropped.filter(|dropped| *dropped > 0) {
        found.push(format!(
            "{dropped} requests were to be sent and were not, for all who send were waiting: what these would have met is missing"
        ));
    }
    found.push(match &results.latency {
        Latency::Usable => "the percentiles can be used".to_owned(),
        Latency::Hidden(why) => format!("the upper percentiles are not to be trusted: {why}"),
        Latency::Absent => "there are no response times in it".to_owned(),
    });
    if let Some((low, high)) = results.mean_bounds() {
        let bounds = |(low, high): (f64, Option<f64>)| match high {
            Some(high) => format!("from {low} s to {high} s"),
            None => format!("above {low} s: beyond the last bucket, nothing is known"),
        };
        let parts = [0.5, 0.9, 0.99].into_iter().filter_map(|p| {
            Some(format!(
                "p{} lies {}",
                p * 100.0,
                bounds(results.bounds(p)?)
            ))
        });
        found.push(format!("the mean lies {}", bounds((low, high))));
        found.extend(parts);
    }
    found.extend(results.remarks.iter().cloned());
    found
}
