//! The law of a demand: one with a name where it fits, else quantiles.

use super::sketch::Sketch;
use serde::Serialize;
use sim_core::readable;
use std::fmt::Write;

/// Fewer times make no law.
const TIMES_MIN: u64 = 50;
/// Distance between two distribution functions that nobody would see: the grain of a log.
const GRAIN: f64 = 0.01;
/// Shares at which quantiles are written.
const SHARES: [f64; 27] = [
    0.0, 0.01, 0.025, 0.05, 0.1, 0.15, 0.2, 0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.55, 0.6, 0.65, 0.7,
    0.75, 0.8, 0.85, 0.9, 0.95, 0.975, 0.99, 0.995, 0.999, 1.0,
];

/// A demand that was measured.
#[derive(Clone, PartialEq, Debug, Serialize)]
pub struct Demand {
    /// From so many requests.
    pub count: u64,
    /// Mean, in seconds.
    pub mean_s: f64,
    /// Median, in seconds.
    pub p50_s: f64,
    /// 90th percentile, in seconds.
    pub p90_s: f64,
    /// 99th percentile, in seconds.
    pub p99_s: f64,
    /// Coefficient of variation.
    pub variation: f64,
    /// What it is written as in a scenario.
    #[serde(skip)]
    pub text: String,
    /// The law in words, with how well it fits.
    pub law: String,
}

impl Demand {
    /// Its mean and percentiles, for people.
    pub fn times(&self) -> String {
        let time = |seconds: f64| readable::time(seconds * 1e9);
        format!(
            "mean {}, p50 {}, p90 {}, p99 {}",
            time(self.mean_s),
            time(self.p50_s),
            time(self.p90_s),
            time(self.p99_s)
        )
    }
}

/// A law with a name.
struct Candidate {
    name: &'static str,
    text: String,
    distance: f64,
}

/// The law of times that are multiplied by `factor`.
pub(crate) fn law(times: &Sketch, factor: f64) -> Demand {
    let mean = times.mean_s() * factor;
    let mut demand = Demand {
        count: times.count(),
        mean_s: mean,
        p50_s: times.quantile_s(0.5) * factor,
        p90_s: times.quantile_s(0.9) * factor,
        p99_s: times.quantile_s(0.99) * factor,
        variation: times.variation(),
        text: format!("\"{}\"", span(mean)),
        law: "constant: too few times for a law".to_owned(),
    };
    if times.count() < TIMES_MIN || mean <= 0.0 {
        return demand;
    }
    let variation = times.variation();
    if variation < 0.03 {
        demand.law = format!("constant: they differ by {:.1} %", variation * 100.0);
        return demand;
    }
    let sigma = libm::log(1.0 + variation * variation).sqrt();
    let normal = |x: f64| 0.5 * libm::erfc(-x / std::f64::consts::SQRT_2);
    let candidates = [
        Candidate {
            name: "exponential",
            text: format!("{{ kind = \"exponential\", mean = \"{}\" }}", span(mean)),
            distance: distance(times, |x| 1.0 - libm::exp(-x * factor / mean)),
        },
        Candidate {
            name: "log-normal",
            text: format!(
                "{{ kind = \"lognormal\", mean = \"{}\", cv = {variation:.4} }}",
                span(mean)
            ),
            distance: distance(times, |x| {
                normal((libm::log(x * factor / mean) + sigma * sigma / 2.0) / sigma)
            }),
        },
    ];
    let best = candidates
        .into_iter()
        .min_by(|a, b| a.distance.total_cmp(&b.distance))
        .expect("there are laws");
    // Kolmogorov's limit at 95 %, and the grain of a log on top.
    let allowed = 1.36 / (times.count() as f64).sqrt() + GRAIN;
    if best.distance <= allowed {
        demand.text = best.text;
        demand.law = format!(
            "{}: greatest distance of the distribution functions {:.3}, at most {allowed:.3} allowed",
            best.name, best.distance
        );
    } else {
        demand.text = quantiles(times, mean);
        demand.law = format!(
            "as measured, by quantiles: {} fits best, at a distance of {:.3}, at most {allowed:.3} allowed",
            best.name, best.distance
        );
    }
    demand
}

/// The greatest distance between what was measured and a law.
fn distance(times: &Sketch, law: impl Fn(f64) -> f64) -> f64 {
    // At the upper edge of each bucket both are known exactly.
    times
        .shares()
        .iter()
        .map(|(edge, share)| (share - law(*edge)).abs())
        .fold(0.0, f64::max)
}

/// Quantiles, stretched so that their mean is the one that is wanted.
fn quantiles(times: &Sketch, wanted_s: f64) -> String {
    let mut points: Vec<(f64, f64)> = Vec::new();
    for share in SHARES {
        // Beyond what the times resolve there is only the greatest.
        if share < 1.0 && share > 0.5 && (1.0 - share) * (times.count() as f64) < 2.0 {
            continue;
        }
        points.push((times.quantile_s(share), share));
    }
    let own: f64 = points
        .windows(2)
        .map(|pair| (pair[1].1 - pair[0].1) * (pair[0].0 + pair[1].0) / 2.0)
        .sum();
    let factor = if own > 0.0 { wanted_s / own } else { 1.0 };
    let (mut values, mut shares) = (String::new(), String::new());
    for (value, share) in points {
        let gap = if values.is_empty() { "" } else { ", " };
        let _ = write!(values, "{gap}\"{}\"", span(value * factor));
        let _ = write!(shares, "{gap}{share}");
    }
    format!("{{ kind = \"empirical\", values = [{values}], probabilities = [{shares}] }}")
}

/// A span with four digits, as a scenario has it.
pub(crate) fn span(seconds: f64) -> String {
    let (scale, unit) = match seconds {
        s if s >= 1.0 => (1.0, "s"),
        s if s >= 1e-3 => (1e3, "ms"),
        s if s >= 1e-6 => (1e6, "us"),
        _ => (1e9, "ns"),
    };
    let value = seconds * scale;
    let digits = if value >= 100.0 {
        1
    } else if value >= 10.0 {
        2
    } else {
        3
    };
    let digits = if unit == "ns" { 0 } else { digits };
    let text = format!("{value:.digits$}");
    let text = if text.contains('.') {
        text.trim_end_matches('0').trim_end_matches('.')
    } else {
        &text
    };
    format!("{text}{unit}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use sim_core::draws::Stream;

    fn of(count: u64, draw: impl Fn(u64) -> f64) -> Demand {
        let mut times = Sketch::default();
        (0..count).for_each(|i| times.record((draw(i) * 1e9) as u64));
        law(&times, 1.0)
    }

    #[test]
    fn laws_are_found_and_others_are_refused() {
        let draws = Stream::new(5, 0, "times");
        let exponential = of(20_000, |i| draws.at(i).exponential() * 0.02);
        assert!(
            exponential.law.starts_with("exponential"),
            "{}",
            exponential.law
        );
        let lognormal = of(20_000, |i| libm::exp(draws.at(i).normal() * 0.7) * 0.02);
        assert!(lognormal.law.starts_with("log-normal"), "{}", lognormal.law);
        let two = of(20_000, |i| if draws.at(i).chance(0.3) { 0.1 } else { 0.01 });
        assert!(two.law.starts_with("as measured"), "{}", two.law);
        assert!(two.text.contains("empirical"));
        assert!(of(20_000, |_| 0.02).law.starts_with("constant"));
        assert!(of(20, |i| i as f64).law.contains("too few"));
    }

    #[test]
    fn what_is_written_has_the_mean_that_was_measured() {
        let draws = Stream::new(6, 0, "times");
        for law in ["exponential", "lognormal", "empirical"] {
            let demand = of(30_000, |i| {
                let mut draws = draws.at(i);
                match law {
                    "exponential" => draws.exponential() * 0.05,
                    "lognormal" => libm::exp(draws.normal()) * 0.05,
                    _ if draws.chance(0.2) => 0.2 + draws.uniform() * 0.1,
                    _ => 0.01,
                }
            });
            assert!(demand.text.contains(law), "{}", demand.text);
            let text = format!(
                "horizon = \"100s\"\ntraffic = [{{ to = \"a\", rate = 200 }}]\n[service.a]\ndemand = {}\nserver = [{{ name = \"a\", workers = 10000 }}]\n",
                demand.text
            );
            let model = sim_core::scenario::parse(&text).unwrap_or_else(|why| panic!("{why:?}"));
            let mut simulation = sim_core::engine::Simulation::new(std::sync::Arc::new(model), 0);
            simulation.run();
            let summary = sim_core::summary::Summary::of(&simulation, 0);
            let mean = summary.response_time_s.mean.expect("somebody came");
            assert!(
                (mean / demand.mean_s - 1.0).abs() < 0.04,
                "{law}: {mean} and {}",
                demand.mean_s
            );
        }
    }

    #[test]
    fn spans_are_those_of_scenarios() {
        for (seconds, text) in [
            (0.0, "0ns"),
            (1.5e-6, "1.5us"),
            (0.0123456, "12.35ms"),
            (0.15, "150ms"),
            (12.0, "12s"),
        ] {
            assert_eq!(span(seconds), text);
        }
    }
}
