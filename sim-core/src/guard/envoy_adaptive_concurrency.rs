//! Envoy's adaptive concurrency: a limit that follows the gradient of the delay against the least delay there is.
//!
//! It begins by measuring: with the limit at `min_concurrency` it takes the delay of `min_rtt_requests` attempts, and measures again every
//! `min_rtt_interval`, or when the limit has been at its least for five windows. In between, every `update_interval` it compares the
//! delay of that window with the measured one: gradient = minRTT · (1 + `buffer`) / delay, between 0.5 and 2; the limit becomes
//! limit · gradient and the root of that on top. While it measures, most of what comes is refused, however idle the servers are.

use super::{Admission, Bounding, Ended, Guard, GuardDef, PLAIN, SHARED, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};
use std::collections::BTreeMap;

const ATTEMPTS: ParamKind = ParamKind::Integer {
    min: 1,
    max: 4_000_000_000,
    unit: "attempts",
};
const PERCENT: ParamKind = ParamKind::Number {
    min: 0.0,
    max: 100.0,
    unit: "%",
};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "envoy-adaptive-concurrency",
        about: "A concurrency limit that compares the delay of a window with the least delay, which it measures now and then with few attempts in flight.",
        source: "Envoy 1.40, gradient_controller.cc",
        params: &[
            ParamDef {
                name: "sample_aggregate_percentile",
                about: "The percentile that stands for the delay of a window.",
                kind: PERCENT,
                default: Some("50"),
            },
            ParamDef {
                name: "max_concurrency_limit",
                about: "The most that it grows to.",
                kind: ATTEMPTS,
                default: Some("1000"),
            },
            ParamDef {
                name: "min_concurrency",
                about: "The least that it shrinks to, and the limit while it measures.",
                kind: ATTEMPTS,
                default: Some("3"),
            },
            ParamDef {
                name: "update_interval",
                about: "The length of a window, concurrency_update_interval.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("100ms"),
            },
            ParamDef {
                name: "min_rtt_interval",
                about: "How often the least delay is measured.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("60s"),
            },
            ParamDef {
                name: "min_rtt_requests",
                about: "Of how many attempts it is measured.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1_000_000,
                    unit: "attempts",
                },
                default: Some("50"),
            },
            ParamDef {
                name: "jitter",
                about: "Up to so much of `min_rtt_interval` is added to it at random, so that not all measure at once.",
                kind: PERCENT,
                default: Some("15"),
            },
            ParamDef {
                name: "buffer",
                about: "Delay above the least one that is still taken for it.",
                kind: PERCENT,
                default: Some("25"),
            },
            SHARED,
        ],
    },
    check,
    build: |params| {
        let least = params.integer("min_concurrency") as f64;
        Box::new(AdaptiveConcurrency {
            percentile: params.number("sample_aggregate_percentile") / 100.0,
            most: params.integer("max_concurrency_limit") as f64,
            least,
            update: params.span("update_interval"),
            interval: params.span("min_rtt_interval"),
            requests: params.integer("min_rtt_requests"),
            jitter: params.number("jitter") / 100.0,
            buffer: params.number("buffer") / 100.0,
            limit: least,
            // The first window of all has no limit to go back to but the least.
            before: Some(least),
            samples: Samples::default(),
            min_rtt_us: 0.0,
            epoch: Instant::ZERO,
            window_ends: None,
            measures_at: None,
            at_least: 0,
            share: 0.0,
        })
    },
    bounds: Bounding::Number(|params| params.integer("max_concurrency_limit") as f64),
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    if params.integer("min_concurrency") > params.integer("max_concurrency_limit") {
        return Err(ParamProblem {
            param: "min_concurrency",
            message: "is above max_concurrency_limit".to_owned(),
        });
    }
    Ok(())
}

#[derive(Clone, Debug)]
struct AdaptiveConcurrency {
    percentile: f64,
    most: f64,
    least: f64,
    update: Duration,
    interval: Duration,
    requests: u64,
    jitter: f64,
    buffer: f64,
    limit: f64,
    /// The limit from before the measurement, while it measures.
    before: Option<f64>,
    samples: Samples,
    min_rtt_us: f64,
    /// When the last measurement began: attempts from before it tell nothing.
    epoch: Instant,
    /// When the present window ends, and when it measures next.
    window_ends: Option<Instant>,
    measures_at: Option<Instant>,
    /// Windows in a row that left the limit at its least.
    at_least: u32,
    /// A draw of the latest attempt, for the jitter.
    share: f64,
}

/// Windows at the least limit after which the least delay is doubted.
const DOUBT: u32 = 5;

impl AdaptiveConcurrency {
    /// What has become due by now, in its order.
    fn go_on(&mut self, now: Instant) {
        while let Some(due) = [self.window_ends, self.measures_at]
            .into_iter()
            .flatten()
            .filter(|due| *due <= now)
            .min()
        {
            if self.measures_at == Some(due) {
                self.begin_to_measure(due);
            } else if self.samples.count > 0 {
                self.end_window();
                self.window_ends = Some(due + self.update);
            } else {
                // Empty windows change nothing: on to the one that now falls into.
                let passed = now.since(due).0 / self.update.0 + 1;
                let on = Duration(self.update.0.saturating_mul(passed));
                self.window_ends = Some(due + on);
            }
            if self.at_least >= DOUBT && self.before.is_none() {
                self.begin_to_measure(due);
            }
        }
    }

    fn begin_to_measure(&mut self, at: Instant) {
        self.before = Some(self.limit);
        self.limit = self.least;
        self.samples = Samples::default();
        self.epoch = at;
        (self.window_ends, self.measures_at) = (None, None);
        self.at_least = 0;
    }

    fn end_measurement(&mut self, now: Instant) {
        self.min_rtt_us = std::mem::take(&mut self.samples).percentile(self.percentile);
        if let Some(before) = self.before.take() {
            self.limit = before;
        }
        self.window_ends = Some(now + self.update);
        let longest = self.interval.0 as f64 * self.jitter;
        let jitter = Duration((longest * self.share) as u64);
        self.measures_at = Some(now + self.interval + jitter);
    }

    fn end_window(&mut self) {
        let delay_us = std::mem::take(&mut self.samples).percentile(self.percentile);
        let least_us = self.min_rtt_us * (1.0 + self.buffer);
        let gradient = (least_us / delay_us.max(1.0)).clamp(0.5, 2.0);
        let limit = self.limit * gradient;
        let grown = libm::floor(limit + libm::sqrt(limit));
        let next = grown.clamp(self.least, self.most);
        let stays = next <= self.least && self.limit <= self.least;
        self.at_least = if stays { self.at_least + 1 } else { 0 };
        self.limit = next;
    }
}

impl Guard for AdaptiveConcurrency {
    fn admit(&mut self, asked: &Admission, draws: &mut Draws) -> Verdict {
        self.go_on(asked.now);
        self.share = draws.uniform();
        if f64::from(asked.in_flight) < self.limit {
            Verdict::Pass
        } else {
            Verdict::Refuse
        }
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        self.go_on(ended.now);
        if ended.outcome == Outcome::Cancelled || ended.passed < self.epoch {
            return false;
        }
        self.samples.add(ended.took().0 / 1000);
        if self.before.is_some() && self.samples.count >= self.requests {
            self.end_measurement(ended.now);
        }
        false
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("limit", self.limit)
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

/// Delays in microseconds, to two digits as in Envoy's histogram, so that no window needs much room.
#[derive(Clone, Default, Debug)]
struct Samples {
    /// Lower bounds of bins, with their widths and counts.
    bins: BTreeMap<u64, (u64, u64)>,
    count: u64,
}

impl Samples {
    fn add(&mut self, us: u64) {
        let mut width = 1;
        while us / width >= 100 {
            width *= 10;
        }
        let bin = self.bins.entry(us / width * width).or_insert((width, 0));
        bin.1 += 1;
        self.count += 1;
    }

    /// The value below which so large a part lies, straight lines within bins.
    fn percentile(self, part: f64) -> f64 {
        let wanted = part * self.count as f64;
        let mut below = 0.0;
        let mut last = 0.0;
        for (from, (width, count)) in self.bins {
            let (from, width, count) = (from as f64, width as f64, count as f64);
            if below + count >= wanted {
                return from + width * ((wanted - below) / count).clamp(0.0, 1.0);
            }
            below += count;
            last = from + width;
        }
        last
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, ended, guard, says};
    use super::*;
    use crate::extension::ParamValue::{self, Integer, Number, Span};
    use crate::outcome::Outcome::Succeeded;

    fn some(least: u64) -> Vec<(&'static str, ParamValue)> {
        vec![
            ("min_concurrency", Integer(least)),
            ("update_interval", Span(Duration::from_millis(100))),
            ("buffer", Number(10.0)),
            ("min_rtt_requests", Integer(5)),
        ]
    }

    /// The limit after a window from then on in which five attempts took so long.
    fn window(control: &mut Box<dyn Guard>, from: u64, took: u64) -> f64 {
        for _ in 0..5 {
            control.ended(&ended(from, from + took, Succeeded));
        }
        says(control, from + 100, 0);
        control.gauge(at(0)).1
    }

    #[test]
    fn case_299_gradient_min() {
        let mut control = guard(&GUARD, &some(7));
        assert!((control.gauge(at(0)).1 - 7.0).abs() < 1e-9, "the start");
        for _ in 0..5 {
            control.ended(&ended(0, 5, Succeeded));
        }
        let mut limit = control.gauge(at(0)).1;
        for i in 0..10 {
            let next = window(&mut control, 10 + 100 * i, 4);
            assert!(next > limit && next <= (2.0 * limit + libm::sqrt(2.0 * limit)).min(1000.0));
            limit = next;
        }
        for i in 10..20 {
            // 5.05 · 1.1 / 6.05 is a gradient of 0.92, so that the root on top holds a small limit up.
            let next = window(&mut control, 10 + 100 * i, 6);
            assert!(next < limit || next < 150.0, "{next} after {limit}");
            assert!(next >= 7.0);
            limit = next;
        }
    }

    /// Measured: with the defaults the limit is 3 until fifty answers are there, then it doubles and more each 100 ms.
    #[test]
    fn it_begins_with_few_and_jumps() {
        let mut control = guard(&GUARD, &[]);
        assert_eq!(
            [2, 3].map(|n| says(&mut control, 0, n)),
            [Verdict::Pass, Verdict::Refuse]
        );
        for i in 0..50 {
            assert_eq!(says(&mut control, i, 3), Verdict::Refuse);
            control.ended(&ended(i, i + 100, Succeeded));
        }
        let limits: Vec<f64> = (1..=4)
            .map(|i| window(&mut control, 149 + 100 * i, 50))
            .collect();
        // 3 · 2 + √6 = 8.4; 8 · 2 + 4 = 20; 20 · 2 + √40 = 46.3; 46 · 2 + √92 = 101.6.
        assert_eq!(limits, [8.0, 20.0, 46.0, 101.0]);
    }

    #[test]
    fn it_measures_again_after_its_interval_and_when_the_limit_stays_least() {
        let mut control = guard(&GUARD, &some(7));
        for _ in 0..5 {
            control.ended(&ended(0, 5, Succeeded));
        }
        assert!(window(&mut control, 10, 5) > 7.0);
        // At most 60 s · 1.15 later.
        says(&mut control, 69_006, 0);
        assert!((control.gauge(at(0)).1 - 7.0).abs() < 1e-9);
        for _ in 0..5 {
            control.ended(&ended(69_006, 69_011, Succeeded));
        }
        assert!(control.gauge(at(0)).1 > 7.0);
        // Ten times the least delay: down to the least, five windows there, and a measurement of what is now normal.
        let mut seen = Vec::new();
        for i in 1..20 {
            seen.push(window(&mut control, 69_011 + 100 * i, 50));
        }
        assert!(seen.contains(&7.0) && seen[18] > 7.0, "{seen:?}");
    }
}
