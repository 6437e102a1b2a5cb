//! `ab`, the Apache benchmark.

use super::text::{behind, number};
use super::{Latency, Results, Tester};

pub(super) static TESTER: Tester = Tester {
    name: "ab",
    about: "What `ab` prints.",
    hides: "how many requests were to be sent: each connection sends when it has its answer",
    recognises: |text| {
        text.contains("This is ApacheBench")
            || text.contains("Percentage of the requests served within a certain time")
    },
    read,
};

fn read(text: &str) -> Result<Results, String> {
    let value = |label: &str| behind(text, label).and_then(number);
    let milli = |value: f64| value / 1e3;
    let mut results = Results {
        requests: value("Complete requests:").map(|n| n as u64),
        errors: value("Failed requests:")
            .map(|failed| (failed + value("Non-2xx responses:").unwrap_or(0.0)) as u64),
        duration_s: value("Time taken for tests:"),
        concurrency: value("Concurrency Level:").map(|n| n as u64),
        achieved_hz: value("Requests per second:"),
        latency: Latency::Hidden("a connection that waits for an answer sends nothing, so that a stall is met by one request of each".to_owned()),
        ..Results::default()
    };
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            [share, time, ..] if share.ends_with('%') => {
                let share = number(share).map(|share| share / 100.0);
                results.quantiles.extend(share.zip(number(time).map(milli)));
            }
            ["Total:", _, mean, _, _, max] => {
                (results.mean_s, results.max_s) = (number(mean).map(milli), number(max).map(milli));
            }
            _ => {}
        }
    }
    results
        .achieved_hz
        .ok_or("it has no `Requests per second`")?;
    Ok(results)
}
