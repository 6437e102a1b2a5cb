//! k6's single values: `--out json=FILE` and `--out csv=FILE`.

use super::hey::of_times;
use super::k6::latency;
use super::moment::{moment, profile};
use super::{Results, Tester};
use serde_json::Value;

pub(super) static TESTER: Tester = Tester {
    name: "k6-points",
    about: "k6's single values (`--out json=FILE`, `--out csv=FILE`).",
    hides: "how many iterations were to be started, and by which executor; a value has the moment of its request's end",
    recognises: |text| {
        let first = text.trim_start().lines().next().unwrap_or("");
        first.starts_with("metric_name,timestamp,metric_value,")
            || first.starts_with('{')
                && text.contains("\"type\":\"Point\"")
                && text.contains("\"http_req_duration\"")
    },
    read,
};

/// A value: which metric, when, how much, and the status.
type Point = (String, f64, f64, u64);

/// What a line is.
enum Line {
    Value(Point),
    /// It tells of a metric.
    Aside,
    Bad,
}

fn read(text: &str) -> Result<Results, String> {
    let text = text.trim_start();
    let is_table = text.starts_with("metric_name");
    let (mut arrivals, mut times) = (Vec::new(), Vec::new());
    let (mut errors, mut dropped, mut bad) = (0, 0.0, Vec::new());
    for (line, number) in text.lines().zip(1..).skip(usize::from(is_table)) {
        let point = if is_table {
            of_table(line).map_or(Line::Bad, Line::Value)
        } else {
            of_json(line)
        };
        match point {
            Line::Value((metric, at, value, status)) => match metric.as_str() {
                "http_req_duration" => {
                    arrivals.push(at - value / 1e3);
                    times.push(value / 1e3);
                    errors += u64::from(status == 0 || status >= 400);
                }
                "dropped_iterations" => dropped += value,
                _ => {}
            },
            Line::Aside => {}
            // The last line may be torn.
            Line::Bad => bad.push(number),
        }
    }
    let mut results = Results {
        errors: Some(errors),
        dropped: Some(dropped as u64),
        latency: latency(dropped as u64),
        ..Results::default()
    };
    of_times(&mut results, times)?;
    let (corners, whole) = profile(arrivals);
    results.profile = corners;
    results.duration_s = Some(whole);
    results.achieved_hz = results
        .requests
        .filter(|_| whole > 0.0)
        .map(|count| count as f64 / whole);
    if let [first, ..] = bad[..] {
        results.remarks.push(format!(
            "{} lines are no values, the first is line {first}",
            bad.len()
        ));
    }
    Ok(results)
}

fn of_json(line: &str) -> Line {
    let Ok(value) = serde_json::from_str::<Value>(line) else {
        return Line::Bad;
    };
    match value.get("type").and_then(Value::as_str) {
        Some("Point") => point(&value).map_or(Line::Bad, Line::Value),
        Some(_) => Line::Aside,
        None => Line::Bad,
    }
}

fn point(value: &Value) -> Option<Point> {
    let data = value.get("data")?;
    let status = data
        .get("tags")
        .and_then(|tags| tags.get("status"))
        .and_then(Value::as_str);
    Some((
        value.get("metric")?.as_str()?.to_owned(),
        moment(data.get("time")?.as_str()?)?,
        data.get("value")?.as_f64().filter(|value| *value >= 0.0)?,
        status.map_or(200, |status| status.parse().unwrap_or(0)),
    ))
}

/// `metric_name,timestamp,metric_value,check,error,error_code,expected_response,group,method,name,proto,scenario,service,status,…`.
fn of_table(line: &str) -> Option<Point> {
    let values: Vec<&str> = line.split(',').collect();
    let at = *values.get(1)?;
    let at = at.parse().ok().or_else(|| moment(at))?;
    // Milliseconds, microseconds and nanoseconds can be asked for.
    let at = [1e3, 1e6, 1e9].iter().fold(at, |seconds, _| {
        if seconds > 1e11 {
            seconds / 1e3
        } else {
            seconds
        }
    });
    let expected = values.get(6).is_none_or(|expected| *expected != "false");
    let value = values
        .get(2)?
        .parse()
        .ok()
        .filter(|value: &f64| *value >= 0.0)?;
    Some((
        values[0].to_owned(),
        at,
        value,
        if expected { 200 } else { 500 },
    ))
}
