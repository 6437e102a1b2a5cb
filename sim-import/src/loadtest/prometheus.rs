//! What Prometheus answers to `query_range`, as JSON: a rate over time, or the buckets of a histogram.

use super::text::json;
use super::{Bucket, Latency, Results, Tester};
use serde_json::Value;

pub(super) static TESTER: Tester = Tester {
    name: "prometheus",
    about: "The answer of Prometheus to `query_range`: counters, rates, buckets of histograms.",
    hides: "whatever happened between two scrapes and within the window of a `rate`; a series' first increase from nothing; within a bucket, where times lie: histogram_quantile draws a straight line, and shows the last bound for whatever is beyond it",
    recognises: |text| {
        text.trim_start().starts_with('{')
            && text.contains("\"resultType\"")
            && text.contains("\"result\"")
    },
    read,
};

/// Bounds of buckets, and points of a profile, at most.
const POINTS_MAX: usize = 100_000;

/// A series.
struct Series {
    /// The upper bound of its bucket.
    bound: Option<f64>,
    is_counter: bool,
    /// Moments and values, in order.
    values: Vec<(f64, f64)>,
}

fn read(text: &str) -> Result<Results, String> {
    let whole = json(text)?;
    if whole.get("status").and_then(Value::as_str) != Some("success") {
        let why = whole
            .get("error")
            .and_then(Value::as_str)
            .unwrap_or("no reason is said");
        return Err(format!("the query failed: {why}"));
    }
    let data = whole.get("data").ok_or("it has no `data`")?;
    if data.get("resultType").and_then(Value::as_str) != Some("matrix") {
        return Err("it is no answer to `query_range`: its resultType is not `matrix`".to_owned());
    }
    let result = data
        .get("result")
        .and_then(Value::as_array)
        .ok_or("it has no `result`")?;
    let series: Vec<Series> = result.iter().map(series).collect::<Result<_, _>>()?;
    if series.iter().all(|series| series.values.is_empty()) {
        return Err("no series has a value".to_owned());
    }
    let bounded = series
        .iter()
        .filter(|series| series.bound.is_some())
        .count();
    if bounded > 0 && bounded < series.len() {
        return Err("some series are buckets (`le`), others are not: export them apart".to_owned());
    }
    if bounded > 0 {
        buckets(&series)
    } else {
        rate(&series)
    }
}

fn series(value: &Value) -> Result<Series, String> {
    let labels = value.get("metric").and_then(Value::as_object);
    let label = |name: &str| {
        labels
            .and_then(|labels| labels.get(name))
            .and_then(Value::as_str)
    };
    let bound = match label("le") {
        None => None,
        Some("+Inf") => Some(f64::INFINITY),
        Some(text) => Some(
            text.parse::<f64>()
                .map_err(|_| format!("the bound {text:?} is no number"))?,
        ),
    };
    // `rate` and `increase` take the name away.
    let name = label("__name__").unwrap_or("");
    let is_counter = ["_total", "_count", "_bucket", "_sum"]
        .iter()
        .any(|end| name.ends_with(end));
    let points = value
        .get("values")
        .and_then(Value::as_array)
        .map_or(&[][..], Vec::as_slice);
    if points.len() > POINTS_MAX {
        return Err(format!(
            "a series has more than {POINTS_MAX} values: ask for a longer step"
        ));
    }
    let mut values = Vec::new();
    for point in points {
        let at = point.get(0).and_then(Value::as_f64);
        let number = point
            .get(1)
            .and_then(Value::as_str)
            .and_then(|text| text.parse::<f64>().ok());
        // Stale values are NaN.
        if let (Some(at), Some(number)) = (at, number)
            && number.is_finite()
        {
            values.push((at, number));
        }
    }
    values.sort_by(|a, b| a.0.total_cmp(&b.0));
    Ok(Series {
        bound,
        is_counter,
        values,
    })
}

impl Series {
    /// The rate from each moment on; what a counter lost in a restart it counts anew from nothing.
    fn rates(&self) -> Vec<(f64, f64)> {
        if !self.is_counter {
            return self.values.clone();
        }
        let rates = self
            .values
            .windows(2)
            .filter(|pair| pair[1].0 > pair[0].0)
            .map(|pair| {
                let more = if pair[1].1 >= pair[0].1 {
                    pair[1].1 - pair[0].1
                } else {
                    pair[1].1
                };
                (pair[0].0, more / (pair[1].0 - pair[0].0))
            });
        rates.collect()
    }

    /// How much it grew, or its mean where it is a rate.
    fn amount(&self) -> f64 {
        let rates = self.rates();
        if rates.is_empty() {
            return 0.0;
        }
        if self.is_counter {
            let spans = self.values.windows(2).filter(|pair| pair[1].0 > pair[0].0);
            return rates
                .iter()
                .zip(spans)
                .map(|((_, rate), pair)| rate * (pair[1].0 - pair[0].0))
                .sum();
        }
        rates.iter().map(|(_, rate)| rate).sum::<f64>() / rates.len() as f64
    }
}

fn rate(series: &[Series]) -> Result<Results, String> {
    // Series of several instances add up, moment by moment.
    let mut points: Vec<(f64, f64)> = series.iter().flat_map(Series::rates).collect();
    points.sort_by(|a, b| a.0.total_cmp(&b.0));
    let mut sums: Vec<(f64, f64)> = Vec::new();
    for (at, rate) in points {
        match sums.last_mut() {
            Some((last, sum)) if at - *last < 1e-3 => *sum += rate,
            _ => sums.push((at, rate)),
        }
    }
    if sums.iter().any(|(_, rate)| *rate < 0.0) {
        return Err("a value is below zero: it is no rate of requests".to_owned());
    }
    let first = sums
        .first()
        .ok_or("a counter with a single value has no rate")?
        .0;
    let mut last = sums.last().map_or(first, |point| point.0);
    if let [.., before, end] = sums[..] {
        last = end.0 + (end.0 - before.0);
    }
    let mean = sums.iter().map(|(_, rate)| rate).sum::<f64>() / sums.len() as f64;
    let step = sums
        .windows(2)
        .map(|pair| pair[1].0 - pair[0].0)
        .fold(f64::INFINITY, f64::min);
    let mut remarks = Vec::new();
    if step.is_finite() {
        remarks.push(format!(
            "a value every {step} s: bursts that are shorter are not in it"
        ));
    }
    if !series.iter().any(|series| series.is_counter) {
        remarks.push("values are taken for requests a second, as `rate(…)` gives them".to_owned());
    }
    Ok(Results {
        duration_s: Some(last - first).filter(|seconds| *seconds > 0.0),
        offered_hz: None,
        achieved_hz: Some(mean),
        profile: sums.iter().map(|(at, rate)| (at - first, *rate)).collect(),
        remarks,
        ..Results::default()
    })
}

fn buckets(series: &[Series]) -> Result<Results, String> {
    let mut bounds: Vec<(f64, f64)> = Vec::new();
    for own in series {
        let bound = own.bound.unwrap_or(f64::INFINITY);
        match bounds
            .iter_mut()
            .find(|(known, _)| known.total_cmp(&bound).is_eq())
        {
            Some((_, amount)) => *amount += own.amount(),
            None => bounds.push((bound, own.amount())),
        }
    }
    bounds.sort_by(|a, b| a.0.total_cmp(&b.0));
    let is_counter = series.iter().any(|series| series.is_counter);
    let all = bounds.last().map_or(0.0, |last| last.1);
    if all <= 0.0 {
        return Err("no request is in any bucket".to_owned());
    }
    let mut remarks = Vec::new();
    if bounds.last().is_some_and(|last| last.0.is_finite()) {
        remarks.push(
            "the bucket `+Inf` is missing: what took longer than the last bound is not counted"
                .to_owned(),
        );
    }
    let mut found: Vec<Bucket> = Vec::new();
    let (mut low, mut below) = (0.0, 0.0);
    for (bound, amount) in bounds {
        // Buckets count all that is at most their bound. Scrapes of several instances may differ a little.
        let count = (amount - below).max(0.0);
        below = below.max(amount);
        found.push(Bucket {
            above_s: low,
            at_most_s: Some(bound).filter(|bound| bound.is_finite()),
            count,
        });
        low = bound;
    }
    let moments = series
        .iter()
        .flat_map(|series| series.values.iter().map(|value| value.0));
    let (first, last) = moments.fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), at| {
        (low.min(at), high.max(at))
    });
    let seconds = Some(last - first).filter(|seconds| *seconds > 0.0);
    Ok(Results {
        requests: is_counter.then_some(all.round() as u64),
        duration_s: seconds,
        achieved_hz: if is_counter { seconds.map(|seconds| all / seconds) } else { Some(all) },
        buckets: found,
        latency: Latency::Hidden("only buckets are known: a percentile lies somewhere within one, and above its last bound anywhere".to_owned()),
        remarks,
        ..Results::default()
    })
}
