//! Results of load tests and exports of monitoring: what was asked for, what was done, and which figures
//! of it can be used.
//!
//! A program is a row of [`TESTERS`], a file each. What its output hides stands with it: most testers send a
//! request only when an answer came, so that a stall of the server is met by few requests and the upper
//! percentiles do not show it (coordinated omission).

mod ab;
mod autocannon;
mod gatling;
mod hey;
mod k6;
mod k6_points;
mod locust;
mod moment;
mod oha;
mod prometheus;
mod scenario;
mod text;
mod vegeta;
mod wrk;

use crate::filled::Filled;
use serde::Serialize;
use sim_core::ids::Id;
use sim_core::model::Model;

/// A program whose results can be read.
pub struct Tester {
    /// Its name.
    pub name: &'static str,
    /// Which of its outputs, in a sentence.
    pub about: &'static str,
    /// What they hide, whatever they say.
    pub hides: &'static str,
    /// Whether a text looks like it.
    recognises: fn(&str) -> bool,
    read: fn(&str) -> Result<Results, String>,
}

/// Every program, in the order in which they are tried.
pub static TESTERS: &[&Tester] = &[
    &k6::TESTER,
    &k6_points::TESTER,
    &gatling::TESTER,
    &locust::TESTER,
    &vegeta::TESTER,
    &wrk::TESTER,
    &oha::TESTER,
    &hey::TESTER,
    &ab::TESTER,
    &autocannon::TESTER,
    &prometheus::TESTER,
];

/// How far latencies can be used.
#[derive(Clone, PartialEq, Eq, Debug, Default, Serialize)]
#[serde(rename_all = "kebab-case", tag = "kind", content = "why")]
pub enum Latency {
    /// Each request had its time, and its time to wait was counted.
    Usable,
    /// Upper percentiles are too low, or may be, and why.
    Hidden(String),
    /// There are none.
    #[default]
    Absent,
}

/// What was read of a result. What it does not say is absent.
#[derive(Clone, PartialEq, Debug, Default, Serialize)]
pub struct Results {
    /// Answers and errors.
    pub requests: Option<u64>,
    /// Requests that failed.
    pub errors: Option<u64>,
    /// Requests that were to be sent, and were not.
    pub dropped: Option<u64>,
    /// How long it went on, in seconds.
    pub duration_s: Option<f64>,
    /// Requests a second that were to be sent.
    pub offered_hz: Option<f64>,
    /// Requests a second that were answered, with an error or without one.
    pub achieved_hz: Option<f64>,
    /// Requests under way at once, at most.
    pub concurrency: Option<u64>,
    /// Mean of the response time in seconds.
    pub mean_s: Option<f64>,
    /// Quantiles of the response time: from 0 to 1, in seconds, both ascending.
    pub quantiles: Vec<(f64, f64)>,
    /// The greatest response time in seconds.
    pub max_s: Option<f64>,
    /// How far these can be used.
    pub latency: Latency,
    /// Requests a second over time: seconds since the first, and the rate from then on.
    pub profile: Vec<(f64, f64)>,
    /// Counts of response times that are at most so many seconds; the last bound may be infinite.
    pub buckets: Vec<Bucket>,
    /// What else is to be known.
    pub remarks: Vec<String>,
}

/// A bucket of a histogram.
#[derive(Clone, Copy, PartialEq, Debug, Serialize)]
pub struct Bucket {
    /// Response times above this, in seconds …
    pub above_s: f64,
    /// … and at most this; absent: without an upper bound.
    pub at_most_s: Option<f64>,
    /// How many, or their share of a rate.
    pub count: f64,
}

/// A result, read.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct LoadTest {
    /// The program.
    pub tester: &'static str,
    /// What its outputs hide.
    pub hides: &'static str,
    /// What was read.
    #[serde(flatten)]
    pub results: Results,
    /// In words.
    pub sentences: Vec<String>,
    /// A scenario with the figures that are known.
    pub scenario: String,
}

impl LoadTest {
    /// What it says of a scenario's values.
    ///
    /// # Errors
    /// Why it cannot be told to which of its parts.
    pub fn values(&self, model: &Model) -> Result<Vec<Filled>, String> {
        let [source] = model.sources.as_slice() else {
            let names: Vec<&str> = (model.sources.iter())
                .map(|source| source.name.as_str())
                .collect();
            return Err(format!(
                "a load test does not say to which of several ways in its requests came: {}",
                names.join(", ")
            ));
        };
        let service = &model.services[source.to.position()].name;
        Ok(scenario::values(
            self.tester,
            &self.results,
            &source.name,
            service,
        ))
    }
}

/// The program whose result a text looks like.
pub fn recognise(text: &str) -> Option<&'static Tester> {
    TESTERS
        .iter()
        .copied()
        .find(|tester| (tester.recognises)(text))
}

/// Reads a result.
///
/// # Errors
/// Says what is missing or wrong, in a sentence that begins with the program.
pub fn read(text: &str, title: &str) -> Result<LoadTest, String> {
    let names: Vec<&str> = TESTERS.iter().map(|tester| tester.name).collect();
    let tester =
        recognise(text).ok_or_else(|| format!("this is no result of {}", names.join(", ")))?;
    let mut results = (tester.read)(text).map_err(|why| format!("{}: {why}", tester.name))?;
    results.tidy();
    Ok(LoadTest {
        tester: tester.name,
        hides: tester.hides,
        sentences: text::sentences(&results),
        scenario: scenario::write(tester, &results, title),
        results,
    })
}

/// Seconds, and requests a second, beyond which a figure is none: ten years.
const MOST: f64 = 315_532_800.0;

impl Results {
    /// Puts in order what programs write in any, and leaves out what no time can be.
    fn tidy(&mut self) {
        let is_time = |value: &f64| (0.0..=MOST).contains(value);
        self.quantiles
            .retain(|(p, value)| (0.0..=1.0).contains(p) && is_time(value));
        for (p, _) in &mut self.quantiles {
            // As exactly as it is written.
            *p = (*p * 1e9).round() / 1e9;
        }
        self.quantiles.sort_by(|a, b| a.0.total_cmp(&b.0));
        self.quantiles.dedup_by(|a, b| a.0.total_cmp(&b.0).is_eq());
        let mut greatest = 0.0;
        for (_, value) in &mut self.quantiles {
            // Rounded figures can fall; a quantile cannot.
            greatest = value.max(greatest);
            *value = greatest;
        }
        for figure in [
            &mut self.mean_s,
            &mut self.max_s,
            &mut self.achieved_hz,
            &mut self.offered_hz,
            &mut self.duration_s,
        ] {
            *figure = figure.filter(is_time);
        }
        if self.quantiles.is_empty() && self.buckets.is_empty() && self.mean_s.is_none() {
            self.latency = Latency::Absent;
        }
    }

    /// Between which times a quantile lies by the histogram; the upper bound may be absent.
    pub fn bounds(&self, p: f64) -> Option<(f64, Option<f64>)> {
        let all: f64 = self.buckets.iter().map(|bucket| bucket.count).sum();
        let mut upto = 0.0;
        let own = self.buckets.iter().find(|bucket| {
            upto += bucket.count;
            upto >= p * all && bucket.count > 0.0
        })?;
        Some((own.above_s, own.at_most_s))
    }

    /// Between which times the mean lies by the histogram; no upper bound where some are beyond the last.
    pub fn mean_bounds(&self) -> Option<(f64, Option<f64>)> {
        let all: f64 = self.buckets.iter().map(|bucket| bucket.count).sum();
        if all <= 0.0 {
            return None;
        }
        let low = self
            .buckets
            .iter()
            .map(|bucket| bucket.above_s * bucket.count);
        let mut high = Some(0.0);
        for bucket in self.buckets.iter().filter(|bucket| bucket.count > 0.0) {
            high = high
                .zip(bucket.at_most_s)
                .map(|(sum, at)| sum + at * bucket.count);
        }
        Some((low.sum::<f64>() / all, high.map(|high| high / all)))
    }
}

#[cfg(test)]
mod tests;
