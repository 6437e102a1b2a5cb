//! What is known from a load test, as a scenario to begin with. Whatever it does not say is assumed, and every
//! run names it.

use super::{Latency, Results, Tester};
use crate::filled::Filled;
use sim_core::scenario::quoted;
use std::fmt::Write;

/// Corners of a rate at most.
const CORNERS: usize = 60;
/// A response time where there is none.
const TIME_S: f64 = 0.05;

/// The scenario's text.
pub(super) fn write(tester: &Tester, results: &Results, title: &str) -> String {
    let mut text = format!(
        "# Of {}. {}\n",
        tester.about.trim_end_matches('.'),
        "Its figures are what was read; `assumed` lists what it does not say."
    );
    let _ = writeln!(text, "# It hides {}.", tester.hides);
    let horizon = results
        .duration_s
        .filter(|seconds| *seconds >= 1.0)
        .unwrap_or(600.0);
    let _ = writeln!(
        text,
        "title = {}\nhorizon = \"{}s\"",
        quoted(title),
        round(horizon)
    );
    let rate = results
        .offered_hz
        .or(results.achieved_hz)
        .filter(|rate| *rate > 0.0);
    let demand = demand(results);
    let mut assumed = vec!["service.web.demand", "service.web.server.*.workers"];
    if rate.is_none() && results.profile.is_empty() {
        assumed.insert(0, "traffic.0.rate");
    }
    let assumed: Vec<String> = assumed.iter().map(|path| quoted(path)).collect();
    let _ = writeln!(text, "assumed = [{}]", assumed.join(", "));
    let of = match (results.offered_hz, results.dropped) {
        (Some(_), _) => "as many as were to be sent",
        (None, Some(1..)) => "as many as were answered; more were to be sent",
        _ => "as many as were answered",
    };
    let _ = writeln!(
        text,
        "\n[[traffic]]\nto   = \"web\"\n# {of}\nrate = {}",
        rates(results, rate.unwrap_or(10.0))
    );
    let _ = writeln!(text, "\n[service.web]");
    let _ = writeln!(
        text,
        "# Response times, in which waiting is contained: measure the demand with `stampede calibrate` on the server's log."
    );
    if let Latency::Hidden(why) = &results.latency {
        let _ = writeln!(
            text,
            "# Upper percentiles are not to be trusted: {}.",
            why.replace('\n', " ")
        );
    }
    let _ = writeln!(text, "demand = {demand}");
    let busy = results
        .profile
        .iter()
        .map(|corner| corner.1)
        .fold(rate.unwrap_or(10.0), f64::max);
    let mean = results.mean_s.or_else(|| middle(results)).unwrap_or(TIME_S);
    let workers = (2.0 * busy * mean).ceil().clamp(1.0, 1e6);
    let _ = writeln!(
        text,
        "\n[[service.web.server]]\nname = \"web\"\n# Twice as many as were busy by these times: how many there are, no load test says.\nworkers = {workers}"
    );
    text
}

/// The figures that are known, for the keys of another scenario.
pub(super) fn values(tester: &str, results: &Results, source: &str, service: &str) -> Vec<Filled> {
    let mut values = Vec::new();
    let rate = results.offered_hz.or(results.achieved_hz);
    if let Some(rate) = rate.filter(|rate| *rate > 0.0) {
        let words = if results.offered_hz.is_some() {
            format!("as many as {tester} was to send")
        } else {
            format!("as many as {tester} got answers")
        };
        values.push(Filled::measured(
            format!("traffic.{source}.rate"),
            rates(results, rate),
            words,
        ));
    }
    if results.latency != Latency::Absent {
        values.push(Filled::guess(
            format!("service.{service}.demand"),
            demand(results),
            format!("response times of {tester}, in which waiting is contained"),
        ));
    }
    values
}

fn round(value: f64) -> f64 {
    (value * 1e6).round() / 1e6
}

/// A number, or corners in the middle of the stretches that they are the rate of.
fn rates(results: &Results, rate: f64) -> String {
    if results.profile.len() < 3 {
        return format!("{}", round(rate));
    }
    let group = results.profile.len().div_ceil(CORNERS);
    let end = results.duration_s.unwrap_or(0.0);
    let starts: Vec<f64> = results
        .profile
        .iter()
        .map(|corner| corner.0)
        .step_by(group)
        .collect();
    let mut text = "[".to_owned();
    for (number, part) in results.profile.chunks(group).enumerate() {
        let mean = part.iter().map(|corner| corner.1).sum::<f64>() / part.len() as f64;
        let next = starts
            .get(number + 1)
            .copied()
            .unwrap_or(end.max(starts[number]));
        let at = if number == 0 {
            0.0
        } else {
            f64::midpoint(starts[number], next)
        };
        let _ = write!(
            text,
            "{}[\"{}s\", {}]",
            if number == 0 { "" } else { ", " },
            round(at),
            round(mean)
        );
    }
    text + "]"
}

/// The median by its bucket.
fn middle(results: &Results) -> Option<f64> {
    let (low, high) = results.bounds(0.5)?;
    Some(f64::midpoint(low, high.unwrap_or(low)))
}

/// The law of the response times, as far as it is known.
fn demand(results: &Results) -> String {
    let mut table: Vec<(f64, f64)> = Vec::new();
    if results.quantiles.is_empty() && !results.buckets.is_empty() {
        let all: f64 = results.buckets.iter().map(|bucket| bucket.count).sum();
        let mut upto = 0.0;
        table.push((0.0, results.buckets[0].above_s));
        for bucket in results.buckets.iter().filter(|bucket| bucket.count > 0.0) {
            // Where a bucket before was empty, nothing lies there.
            let from = table.last().map_or(0.0, |last| last.1);
            if bucket.above_s > from {
                table.push((upto / all + 1e-9, bucket.above_s));
            }
            upto += bucket.count;
            table.push((upto / all, bucket.at_most_s.unwrap_or(bucket.above_s)));
        }
    } else {
        table.clone_from(&results.quantiles);
        if table.first().is_some_and(|first| first.0 > 0.0) {
            table.insert(0, (0.0, 0.0));
        }
        if let (Some(max), Some(last)) = (results.max_s, table.last().copied())
            && last.0 < 1.0
        {
            table.push((1.0, max.max(last.1)));
        }
    }
    table.dedup_by(|next, before| next.0 <= before.0);
    if table.len() < 2 {
        // Less than a microsecond is what a tester rounds to nothing.
        let mean = results.mean_s.filter(|mean| round(*mean) > 0.0);
        let mean = mean.unwrap_or(TIME_S);
        return format!("{{ kind = \"exponential\", mean = \"{}s\" }}", round(mean));
    }
    if let Some(last) = table.last_mut() {
        last.0 = 1.0;
    }
    let values: Vec<String> = table
        .iter()
        .map(|(_, time)| format!("\"{}s\"", round(*time)))
        .collect();
    let shares: Vec<String> = table
        .iter()
        .map(|(share, _)| format!("{}", (share * 1e9).round() / 1e9))
        .collect();
    format!(
        "{{ kind = \"empirical\", values = [{}], probabilities = [{}] }}",
        values.join(", "),
        shares.join(", ")
    )
}
