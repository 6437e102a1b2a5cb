//! k6's summary: `--summary-export`, or what `handleSummary` is given.

use super::text::{at, count, json};
use super::{Latency, Results, Tester};
use serde_json::Value;

pub(super) static TESTER: Tester = Tester {
    name: "k6",
    about: "k6's summary as JSON (`--summary-export`, `handleSummary`).",
    hides: "how many iterations were to be started, and by which executor; a rate is over the whole run, its ramps included",
    recognises: |text| {
        text.trim_start().starts_with('{')
            && text.contains("\"http_req_duration\"")
            && text.contains("\"metrics\"")
    },
    read,
};

/// Why k6's percentiles may not be used, by what was dropped.
pub(super) fn latency(dropped: u64) -> Latency {
    Latency::Hidden(if dropped > 0 {
        "iterations were dropped because every virtual user was waiting".to_owned()
    } else {
        "executors with a number of virtual users (constant-vus, ramping-vus) send when they have their answers; with constant-arrival-rate, and nothing dropped as here, they are right: the file does not say which it was".to_owned()
    })
}

fn read(text: &str) -> Result<Results, String> {
    let whole = json(text)?;
    let metrics = whole.get("metrics").ok_or("it has no `metrics`")?;
    // One of the two layouts has another level.
    let metric = |name: &str| {
        metrics
            .get(name)
            .map(|own| own.get("values").unwrap_or(own))
    };
    let of = |name: &str, key: &str| at(metric(name)?, &[key]);
    let times = metric("http_req_duration").and_then(Value::as_object);
    let times = times.ok_or("it has no metric `http_req_duration`")?;
    let milli = |value: f64| value / 1e3;
    let requests = of("http_reqs", "count");
    let achieved = of("http_reqs", "rate");
    let failed = of("http_req_failed", "rate").or(of("http_req_failed", "value"));
    let dropped = count(of("dropped_iterations", "count")).unwrap_or(0);
    let run = at(&whole, &["state", "testRunDurationMs"]).map(milli);
    let mut results = Results {
        requests: count(requests),
        errors: count(requests.zip(failed).map(|(all, share)| all * share)),
        dropped: Some(dropped),
        duration_s: run.or(requests
            .zip(achieved.filter(|rate| *rate > 0.0))
            .map(|(n, rate)| n / rate)),
        achieved_hz: achieved,
        concurrency: count(of("vus_max", "max").or(of("vus_max", "value"))),
        mean_s: times.get("avg").and_then(Value::as_f64).map(milli),
        max_s: times.get("max").and_then(Value::as_f64).map(milli),
        latency: latency(dropped),
        ..Results::default()
    };
    // An iteration may send several requests: what was dropped counts as often.
    let iterations = of("iterations", "count").filter(|n| *n > 0.0);
    if let (Some(rate), Some(iterations), Some(requests)) = (achieved, iterations, requests) {
        let lost = dropped as f64 / iterations;
        if dropped > 0 {
            results.offered_hz = Some(rate * (1.0 + lost));
            results.dropped = count(Some(dropped as f64 * requests / iterations));
        }
    }
    for (name, time) in times {
        let share = match name.as_str() {
            "med" => Some(50.0),
            "min" => Some(0.0),
            _ => name
                .strip_prefix("p(")
                .and_then(|p| p.strip_suffix(')'))
                .and_then(|p| p.parse().ok()),
        };
        let time = time.as_f64().map(milli);
        results
            .quantiles
            .extend(share.map(|p: f64| p / 100.0).zip(time));
    }
    results.achieved_hz.ok_or("it has no rate of `http_reqs`")?;
    Ok(results)
}
