//! `autocannon --json`.

use super::text::{at, count, json};
use super::{Latency, Results, Tester};
use serde_json::Value;

pub(super) static TESTER: Tester = Tester {
    name: "autocannon",
    about: "What `autocannon --json` prints.",
    hides: "whether a rate was asked for (-R), without which it sends when it has its answers",
    recognises: |text| {
        text.trim_start().starts_with('{')
            && text.contains("\"p97_5\"")
            && text.contains("\"latency\"")
    },
    read,
};

fn read(text: &str) -> Result<Results, String> {
    let value = json(text)?;
    let milli = |path: &[&str]| at(&value, path).map(|value| value / 1e3);
    let (requests, duration) = (
        at(&value, &["requests", "total"]),
        at(&value, &["duration"]),
    );
    let failed = ["errors", "timeouts", "non2xx"].iter();
    let failed: f64 = failed.filter_map(|key| at(&value, &[key])).sum();
    let mut results = Results {
        requests: count(requests),
        errors: count(Some(failed)),
        duration_s: duration,
        achieved_hz: requests.zip(duration).map(|(n, seconds)| n / seconds),
        concurrency: count(at(&value, &["connections"])),
        mean_s: milli(&["latency", "average"]),
        max_s: milli(&["latency", "max"]),
        latency: Latency::Hidden("with -R and without -C they are corrected for requests that had to wait for their turn, otherwise they are not: the file does not say".to_owned()),
        ..Results::default()
    };
    if let Some(latency) = value.get("latency").and_then(Value::as_object) {
        for (name, time) in latency {
            let share = name
                .strip_prefix('p')
                .and_then(|p| p.replace('_', ".").parse::<f64>().ok());
            let time = time.as_f64().map(|time| time / 1e3);
            results.quantiles.extend(share.map(|p| p / 100.0).zip(time));
        }
    }
    results
        .achieved_hz
        .ok_or("it has no `requests.total` or no `duration`")?;
    Ok(results)
}
