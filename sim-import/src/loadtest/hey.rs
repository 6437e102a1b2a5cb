//! `hey`, as text or as `-o csv`.

use super::text::{behind, number};
use super::{Latency, Results, Tester};

pub(super) static TESTER: Tester = Tester {
    name: "hey",
    about: "What `hey` prints, or its `-o csv`.",
    hides: "how many requests were to be sent: -q is the rate of each worker, a tick that a worker misses is dropped, and all workers tick at once; failures count as answers",
    recognises: |text| {
        let text = text.trim_start();
        text.starts_with("response-time,DNS+dialup")
            || text.contains("Response time histogram:") && text.contains("Requests/sec:")
    },
    read,
};

const WHY: &str = "a worker that waits for an answer sends nothing, so that a stall is met by one request of each worker";

fn read(text: &str) -> Result<Results, String> {
    let mut results = if text.trim_start().starts_with("response-time") {
        table(text)?
    } else {
        report(text)?
    };
    results.latency = Latency::Hidden(WHY.to_owned());
    Ok(results)
}

fn report(text: &str) -> Result<Results, String> {
    let value = |label: &str| behind(text, label).and_then(number);
    let mut results = Results {
        duration_s: value("Total:"),
        mean_s: value("Average:"),
        max_s: value("Slowest:"),
        achieved_hz: value("Requests/sec:"),
        ..Results::default()
    };
    let mut good = 0_u64;
    let mut errors = 0_u64;
    let mut in_errors = false;
    for line in text.lines() {
        let words: Vec<&str> = line.split_whitespace().collect();
        match words[..] {
            // hey prints `99%% in` in some versions.
            [share, "in", time, "secs"] if share.ends_with('%') => {
                let share = number(share).map(|share| share / 100.0);
                results.quantiles.extend(share.zip(number(time)));
            }
            [status, count, "responses"] if status.starts_with('[') => {
                let count: u64 = count.parse().unwrap_or(0);
                let fine = status.starts_with("[1")
                    || status.starts_with("[2")
                    || status.starts_with("[3");
                let sum = if fine { &mut good } else { &mut errors };
                *sum = sum.saturating_add(count);
            }
            ["Error", "distribution:"] => in_errors = true,
            [count, ..] if in_errors && count.starts_with('[') => {
                let count = count.trim_matches(['[', ']']);
                errors = errors.saturating_add(count.parse().unwrap_or(0));
            }
            _ => {}
        }
    }
    results.achieved_hz.ok_or("it has no rate")?;
    let all = good.saturating_add(errors);
    if all > 0 {
        (results.requests, results.errors) = (Some(all), Some(errors));
    }
    Ok(results)
}

/// `response-time,DNS+dialup,DNS,Request-write,Response-delay,Response-read,status-code,offset`, in seconds.
fn table(text: &str) -> Result<Results, String> {
    let mut lines = text.trim_start().lines();
    let head: Vec<&str> = lines.next().unwrap_or("").split(',').collect();
    let place = |name: &str| head.iter().position(|own| own.trim() == name);
    let (status, offset) = (place("status-code"), place("offset"));
    let mut times = Vec::new();
    let (mut errors, mut end) = (0, 0.0_f64);
    for (line, number) in lines.zip(2..) {
        let values: Vec<&str> = line.split(',').collect();
        let value = |place: Option<usize>| values.get(place?)?.trim().parse::<f64>().ok();
        let time = value(Some(0)).filter(|time| *time >= 0.0 && time.is_finite());
        let time = time.ok_or_else(|| format!("line {number} has no response time"))?;
        errors += u64::from(value(status).is_some_and(|status| status >= 400.0));
        end = end.max(value(offset).unwrap_or(0.0) + time);
        times.push(time);
    }
    let mut results = Results {
        errors: status.map(|_| errors),
        ..Results::default()
    };
    of_times(&mut results, times)?;
    if offset.is_some() && end > 0.0 {
        results.duration_s = Some(end);
        results.achieved_hz = results.requests.map(|count| count as f64 / end);
    }
    Ok(results)
}

/// Fills in what all response times say.
pub(super) fn of_times(results: &mut Results, mut times: Vec<f64>) -> Result<(), String> {
    if times.is_empty() {
        return Err("there is no request in it".to_owned());
    }
    times.sort_by(f64::total_cmp);
    let n = times.len();
    let at = |p: f64| times[((p * n as f64).ceil() as usize).clamp(1, n) - 1];
    results.requests = Some(n as u64);
    results.mean_s = Some(times.iter().sum::<f64>() / n as f64);
    results.max_s = times.last().copied();
    // What lies beyond has ten requests at least.
    let shares = [
        0.01, 0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.99, 0.999, 0.9999,
    ];
    let told = shares
        .iter()
        .filter(|p| (1.0 - **p) * n as f64 >= 10.0 || **p <= 0.5);
    results.quantiles = told.map(|p| (*p, at(*p))).collect();
    Ok(())
}
