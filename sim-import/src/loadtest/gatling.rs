//! Gatling's `stats.json` and `global_stats.json`.

use super::text::{at, count, json};
use super::{Latency, Results, Tester};

pub(super) static TESTER: Tester = Tester {
    name: "gatling",
    about: "`js/stats.json` or `js/global_stats.json` of a report of Gatling.",
    hides: "how many requests were to be sent; which percentiles the four are is a setting (50, 75, 95 and 99 by default)",
    recognises: |text| {
        text.trim_start().starts_with('{')
            && text.contains("\"meanNumberOfRequestsPerSecond\"")
            && text.contains("\"percentiles1\"")
    },
    read,
};

fn read(text: &str) -> Result<Results, String> {
    let whole = json(text)?;
    // The file of all requests holds the same object without what is around it.
    let stats = whole.get("stats").unwrap_or(&whole);
    let milli = |key: &str| at(stats, &[key, "total"]).map(|value| value / 1e3);
    let requests = at(stats, &["numberOfRequests", "total"]);
    let achieved = at(stats, &["meanNumberOfRequestsPerSecond", "total"]);
    let quantiles = [
        (0.5, "percentiles1"),
        (0.75, "percentiles2"),
        (0.95, "percentiles3"),
        (0.99, "percentiles4"),
    ];
    let quantiles = quantiles
        .into_iter()
        .filter_map(|(p, key)| Some((p, milli(key)?)));
    Ok(Results {
        requests: count(requests),
        errors: count(at(stats, &["numberOfRequests", "ko"])),
        achieved_hz: Some(achieved.ok_or("it has no `meanNumberOfRequestsPerSecond`")?),
        duration_s: requests.zip(achieved.filter(|rate| *rate > 0.0)).map(|(n, rate)| n / rate),
        mean_s: milli("meanResponseTime"),
        max_s: milli("maxResponseTime"),
        quantiles: quantiles.collect(),
        latency: Latency::Hidden("users of a closed model (constantConcurrentUsers) send when they have their answers, and those of an open one send their second request then: the file does not say which it was".to_owned()),
        remarks: vec!["its four percentiles are taken for 50, 75, 95 and 99".to_owned()],
        ..Results::default()
    })
}
