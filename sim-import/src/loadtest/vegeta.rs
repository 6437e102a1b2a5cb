//! vegeta: `report -type=json`, its text and its histogram, and `encode` (a JSON object for each request).

use super::hey::of_times;
use super::moment::{moment, profile};
use super::text::{at, behind, count, json, number, span};
use super::{Bucket, Latency, Results, Tester};
use serde_json::Value;

pub(super) static TESTER: Tester = Tester {
    name: "vegeta",
    about: "vegeta's report as JSON, text or histogram, and `vegeta encode`.",
    hides: "requests that -max-workers kept from being sent in time: latencies are counted from when they were sent",
    recognises: |text| {
        let text = text.trim_start();
        let lines = text.starts_with("{\"attack\"") && text.contains("\"latency\"");
        let report = text.starts_with('{')
            && text.contains("\"latencies\"")
            && text.contains("\"throughput\"");
        let plain = text.starts_with("Requests ") && text.contains("[total, rate");
        lines || report || plain || text.starts_with("Bucket ") && text.contains("Histogram")
    },
    read,
};

fn read(text: &str) -> Result<Results, String> {
    let text = text.trim_start();
    if text.starts_with("{\"attack\"") {
        lines(text)
    } else if text.starts_with('{') {
        report(text)
    } else if text.starts_with("Bucket") {
        histogram(text)
    } else {
        plain(text)
    }
}

fn report(text: &str) -> Result<Results, String> {
    let value = json(text)?;
    // Durations are nanoseconds.
    let nano = |path: &[&str]| at(&value, path).map(|value| value / 1e9);
    let requests = at(&value, &["requests"]);
    let duration = nano(&["duration"]);
    let success = at(&value, &["success"]);
    let names = [
        (0.5, "50th"),
        (0.9, "90th"),
        (0.95, "95th"),
        (0.99, "99th"),
        (0.0, "min"),
    ];
    let all = duration
        .zip(nano(&["wait"]))
        .map(|(sent, wait)| sent + wait);
    Ok(Results {
        requests: count(Some(requests.ok_or("it has no `requests`")?)),
        errors: count(
            requests
                .zip(success)
                .map(|(all, share)| all * (1.0 - share)),
        ),
        duration_s: duration,
        // What it calls its rate is how fast it sent; answers came until the last wait was over.
        offered_hz: at(&value, &["rate"]),
        achieved_hz: requests
            .zip(all.filter(|all| *all > 0.0))
            .map(|(n, all)| n / all),
        mean_s: nano(&["latencies", "mean"]),
        max_s: nano(&["latencies", "max"]),
        quantiles: names
            .iter()
            .filter_map(|(p, key)| Some((*p, nano(&["latencies", key])?)))
            .collect(),
        latency: Latency::Usable,
        ..Results::default()
    })
}

fn plain(text: &str) -> Result<Results, String> {
    let line = |label: &str| -> Vec<&str> {
        let rest = behind(text, label).unwrap_or("");
        let rest = rest.split_once(']').map_or("", |(_, rest)| rest);
        rest.split(',').map(str::trim).collect()
    };
    let names = behind(text, "Latencies").and_then(|rest| rest.split_once(']'));
    let names: Vec<&str> = names
        .map_or("", |(names, _)| names)
        .trim_start_matches('[')
        .split(',')
        .map(str::trim)
        .collect();
    let requests = line("Requests");
    let total = requests
        .first()
        .and_then(|n| number(n))
        .ok_or("it has no number of requests")?;
    let durations = line("Duration");
    let mut results = Results {
        requests: count(Some(total)),
        offered_hz: requests.get(1).and_then(|rate| number(rate)),
        duration_s: durations.get(1).and_then(|time| span(time)),
        latency: Latency::Usable,
        ..Results::default()
    };
    let all = durations
        .first()
        .and_then(|time| span(time))
        .filter(|all| *all > 0.0);
    results.achieved_hz = all.map(|all| total / all);
    let good = line("Success").first().and_then(|share| number(share));
    results.errors = good.map(|share| (total * (1.0 - share / 100.0)).round() as u64);
    for (name, time) in names.iter().zip(line("Latencies")) {
        match *name {
            "mean" => results.mean_s = span(time),
            "max" => results.max_s = span(time),
            "min" => {}
            _ => {
                let share = name.parse::<f64>().ok().map(|p| p / 100.0);
                results.quantiles.extend(share.zip(span(time)));
            }
        }
    }
    Ok(results)
}

/// `[0s, 10ms]  12  1.2%  ###`: the last bound is `+Inf`.
fn histogram(text: &str) -> Result<Results, String> {
    let mut results = Results {
        latency: Latency::Usable,
        ..Results::default()
    };
    for line in text.lines().skip(1) {
        let Some((bounds, rest)) = line
            .trim()
            .strip_prefix('[')
            .and_then(|line| line.split_once(']'))
        else {
            continue;
        };
        let Some((low, high)) = bounds.split_once(',') else {
            continue;
        };
        let low = if low.trim() == "0" {
            Some(0.0)
        } else {
            span(low)
        };
        let above_s = low.ok_or_else(|| format!("{bounds:?} is no span"))?;
        let count = number(rest).ok_or("a bucket has no count")?;
        results.buckets.push(Bucket {
            above_s,
            at_most_s: span(high),
            count,
        });
    }
    let all: f64 = results.buckets.iter().map(|bucket| bucket.count).sum();
    results.requests = count(Some(all));
    if all <= 0.0 {
        return Err("there is no request in it".to_owned());
    }
    Ok(results)
}

fn lines(text: &str) -> Result<Results, String> {
    let (mut moments, mut times, mut errors, mut bad) = (Vec::new(), Vec::new(), 0, Vec::new());
    for (line, number) in text.lines().zip(1..) {
        let read = || -> Option<(f64, f64, u64)> {
            let value: Value = serde_json::from_str(line).ok()?;
            let moment = moment(value.get("timestamp")?.as_str()?)?;
            let latency = value.get("latency")?.as_f64().filter(|ns| *ns >= 0.0)? / 1e9;
            Some((moment, latency, value.get("code")?.as_u64()?))
        };
        match read() {
            Some((moment, latency, code)) => {
                moments.push(moment);
                times.push(latency);
                errors += u64::from(!(200..400).contains(&code));
            }
            None => bad.push(number),
        }
    }
    let mut results = Results {
        errors: Some(errors),
        latency: Latency::Usable,
        ..Results::default()
    };
    let last = moments.iter().zip(&times).map(|(at, took)| at + took);
    let last = last.fold(f64::NEG_INFINITY, f64::max);
    let first = moments.iter().copied().fold(f64::INFINITY, f64::min);
    of_times(&mut results, times)?;
    let (corners, whole) = profile(moments);
    results.profile = corners;
    results.duration_s = Some(whole);
    let rate = |seconds: f64| {
        results
            .requests
            .filter(|_| seconds > 0.0)
            .map(|n| n as f64 / seconds)
    };
    (results.offered_hz, results.achieved_hz) = (rate(whole), rate(last - first));
    if let [first, ..] = bad[..] {
        results.remarks.push(format!(
            "{} lines are no results, the first is line {first}",
            bad.len()
        ));
    }
    Ok(results)
}
