//! `oha --output-format json`.

use super::text::{at, count, json};
use super::{Latency, Results, Tester};
use serde_json::Value;

pub(super) static TESTER: Tester = Tester {
    name: "oha",
    about: "What `oha --output-format json` prints.",
    hides: "how many requests were to be sent, and whether --latency-correction was on; requests that were under way at the end are left out, failures count as answers",
    recognises: |text| {
        text.trim_start().starts_with('{')
            && text.contains("\"latencyPercentiles\"")
            && text.contains("\"requestsPerSec\"")
    },
    read,
};

fn read(text: &str) -> Result<Results, String> {
    let value = json(text)?;
    let summary = |key: &str| at(&value, &["summary", key]);
    let sum = |key: &str, keep: &dyn Fn(&str) -> bool| -> f64 {
        let counts = value.get(key).and_then(Value::as_object);
        let counts = counts.into_iter().flatten().filter(|(name, _)| keep(name));
        counts.filter_map(|(_, count)| count.as_f64()).sum()
    };
    // What the deadline of the test cut off is no error of the server.
    let failed = sum("errorDistribution", &|name| !name.contains("deadline"));
    let answered = sum("statusCodeDistribution", &|_| true);
    let bad = sum("statusCodeDistribution", &|status| status >= "400");
    let mut results = Results {
        requests: count(Some(answered + failed)),
        errors: count(Some(failed + bad)),
        duration_s: summary("total"),
        achieved_hz: summary("requestsPerSec"),
        mean_s: summary("average"),
        max_s: summary("slowest"),
        latency: Latency::Hidden(
            "without --latency-correction a request that had to wait for its turn is counted from when it was sent; with it, they are right: the file does not say".to_owned(),
        ),
        ..Results::default()
    };
    if let Some(percentiles) = value.get("latencyPercentiles").and_then(Value::as_object) {
        for (name, time) in percentiles {
            let share = name.strip_prefix('p').and_then(|p| p.parse::<f64>().ok());
            results
                .quantiles
                .extend(share.map(|p| p / 100.0).zip(time.as_f64()));
        }
    }
    results
        .achieved_hz
        .ok_or("it has no `summary.requestsPerSec`")?;
    Ok(results)
}
