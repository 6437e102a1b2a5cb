//! `wrk --latency`.

use super::text::{behind, number, span};
use super::{Latency, Results, Tester};

pub(super) static TESTER: Tester = Tester {
    name: "wrk",
    about: "What `wrk --latency` prints.",
    hides: "how many requests were to be sent: each connection sends when it has its answer; and every answer that took longer than --timeout, 2 s by default",
    recognises: |text| text.contains("Thread Stats") && text.contains("Requests/sec:"),
    read,
};

fn read(text: &str) -> Result<Results, String> {
    let mut results = Results {
        achieved_hz: behind(text, "Requests/sec:").and_then(number),
        ..Results::default()
    };
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            ["Latency", mean, _, max, _] => {
                (results.mean_s, results.max_s) = (span(mean), span(max));
            }
            [share, time] if share.ends_with('%') => {
                let share = number(share).map(|share| share / 100.0);
                results.quantiles.extend(share.zip(span(time)));
            }
            [count, "requests", "in", time, ..] => {
                results.requests = count.parse().ok();
                results.duration_s = span(time.trim_end_matches(','));
            }
            [_, "threads", "and", connections, "connections"] => {
                results.concurrency = connections.parse().ok();
            }
            _ => {}
        }
    }
    let errors = behind(text, "Socket errors:").unwrap_or("");
    let of = |name: &str| -> u64 {
        let part = errors
            .split(',')
            .find_map(|part| part.trim().strip_prefix(name));
        part.and_then(|part| part.trim().parse().ok()).unwrap_or(0)
    };
    let late = of("timeout");
    let refused = behind(text, "Non-2xx or 3xx responses:").and_then(number);
    let all = [of("connect"), of("read"), of("write"), late];
    let refused = refused.unwrap_or(0.0) as u64;
    results.errors = Some(all.into_iter().fold(refused, u64::saturating_add));
    results.latency = if late > 0 {
        Latency::Hidden(format!(
            "{late} answers took longer than --timeout and are in none of them; run it with --timeout 60s"
        ))
    } else if results.quantiles.is_empty() {
        Latency::Absent
    } else {
        Latency::Usable
    };
    results.achieved_hz.ok_or("it has no rate")?;
    Ok(results)
}
