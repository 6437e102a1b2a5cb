//! Envoy's admission control: refuses with a probability that grows as fewer requests succeed.
//!
//! Of the last `sampling_window` it counts what it let through and what succeeded, second by second, and refuses with the
//! probability ((n - s / `sr_threshold`) / (n + 1)) ^ (1 / `aggression`), at most `max_rejection_probability`: what it refuses itself it does not
//! count, so that a few requests always find out whether things are well again. No traffic is needed for that: by default the
//! second request can be refused.

use super::{Admission, Bounding, Ended, Guard, GuardDef, PLAIN, SHARED, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant, SECOND};
use std::collections::VecDeque;

const PERCENT: ParamKind = ParamKind::Number {
    min: 0.0,
    max: 100.0,
    unit: "%",
};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "envoy-admission-control",
        about: "Refuses attempts with a probability that follows from the success rate of the last half minute.",
        source: "Envoy 1.40, admission_control.cc",
        params: &[
            ParamDef {
                name: "aggression",
                about: "How soon it refuses: with 1 in proportion to the successes that are missing, with more sooner.",
                kind: ParamKind::Number {
                    min: 1.0,
                    max: 1000.0,
                    unit: "",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "sr_threshold",
                about: "The success rate below which anything is refused.",
                kind: ParamKind::Number {
                    min: 1.0,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("95"),
            },
            ParamDef {
                name: "rps_threshold",
                about: "With fewer requests a second, on average over the window, nothing is refused.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1_000_000_000,
                    unit: "attempts per second",
                },
                default: Some("0"),
            },
            ParamDef {
                name: "max_rejection_probability",
                about: "The most that is refused.",
                kind: PERCENT,
                default: Some("80"),
            },
            ParamDef {
                name: "sampling_window",
                about: "How far back it counts, at most an hour.",
                kind: ParamKind::Span {
                    min: Duration::from_secs(1),
                },
                default: Some("30s"),
            },
            SHARED,
        ],
    },
    check: |params| {
        if params.span("sampling_window") > Duration::from_secs(3600) {
            return Err(crate::extension::ParamProblem {
                param: "sampling_window",
                message: "at most 1h is kept, second by second".to_owned(),
            });
        }
        Ok(())
    },
    build: |params| {
        Box::new(AdmissionControl {
            aggression: params.number("aggression"),
            threshold: params.number("sr_threshold") / 100.0,
            least_rps: params.integer("rps_threshold"),
            most: params.number("max_rejection_probability") / 100.0,
            window: params.span("sampling_window"),
            seconds: VecDeque::new(),
            requests: 0,
            succeeded: 0,
        })
    },
    bounds: Bounding::Perhaps,
    ..PLAIN
};

#[derive(Clone, Debug)]
struct AdmissionControl {
    aggression: f64,
    threshold: f64,
    least_rps: u64,
    most: f64,
    window: Duration,
    seconds: VecDeque<Sample>,
    requests: u64,
    succeeded: u64,
}

/// What ended within a second from `since` on.
#[derive(Clone, Copy, Debug)]
struct Sample {
    since: Instant,
    requests: u64,
    succeeded: u64,
}

impl AdmissionControl {
    /// Forgets what is too old.
    fn forget(&mut self, now: Instant) {
        while let Some(oldest) = self.seconds.front().copied()
            && now.since(oldest.since) >= self.window
        {
            self.requests -= oldest.requests;
            self.succeeded -= oldest.succeeded;
            self.seconds.pop_front();
        }
    }

    fn probability(&self) -> f64 {
        let (requests, succeeded) = (self.requests as f64, self.succeeded as f64);
        let missing = (requests - succeeded / self.threshold) / (requests + 1.0);
        if missing <= 0.0 || self.requests / (self.window.0 / SECOND).max(1) < self.least_rps {
            return 0.0;
        }
        libm::pow(missing, 1.0 / self.aggression).min(self.most)
    }
}

/// A probability is compared in so many parts.
const PARTS: usize = 10_000;

impl Guard for AdmissionControl {
    fn admit(&mut self, asked: &Admission, draws: &mut Draws) -> Verdict {
        self.forget(asked.now);
        let probability = self.probability();
        if draws.below(PARTS) < (probability * PARTS as f64) as usize {
            return Verdict::Refuse;
        }
        Verdict::Pass
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        let succeeded = match ended.outcome {
            Outcome::Cancelled => return false,
            // To Envoy everything but 5xx is a success.
            Outcome::Succeeded | Outcome::Shed => 1,
            _ => 0,
        };
        let now = ended.now;
        self.forget(now);
        let fresh = |sample: &Sample| now.since(sample.since) < Duration(SECOND);
        if !self.seconds.back().is_some_and(fresh) {
            self.seconds.push_back(Sample {
                since: now,
                requests: 0,
                succeeded: 0,
            });
        }
        if let Some(latest) = self.seconds.back_mut() {
            latest.requests += 1;
            latest.succeeded += succeeded;
        }
        self.requests += 1;
        self.succeeded += succeeded;
        false
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("refuses", self.probability())
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{at, draws, ended, guard, says};
    use super::*;
    use crate::extension::ParamValue::{self, Integer, Number};
    use crate::outcome::Outcome::{Errored, Succeeded};

    /// The probability after a hundred attempts of which so many succeeded.
    fn after(some: &[(&'static str, ParamValue)], succeeded: u64) -> f64 {
        let mut control = guard(&GUARD, some);
        for i in 0..1000 {
            let end = if i % 100 < succeeded {
                Succeeded
            } else {
                Errored
            };
            control.ended(&ended(0, 1, end));
        }
        control.gauge(at(1)).1
    }

    #[test]
    fn case_293_adm_100_2() {
        let some = [("aggression", Number(2.0)), ("sr_threshold", Number(100.0))];
        for (succeeded, expected) in [(100, 0.0), (95, 0.22), (75, 0.5)] {
            assert!((after(&some, succeeded) - expected).abs() < 0.01);
        }
    }

    #[test]
    fn case_295_adm_max_10() {
        let some = [
            ("sr_threshold", Number(100.0)),
            ("max_rejection_probability", Number(10.0)),
        ];
        for (succeeded, expected) in [(95, 0.05), (80, 0.1), (0, 0.1)] {
            assert!((after(&some, succeeded) - expected).abs() < 0.01);
        }
    }

    /// Measured: all fail, and nothing is refused any more 30 s after the last of them.
    #[test]
    fn the_second_request_can_be_refused_and_the_window_ends() {
        let mut control = guard(&GUARD, &[]);
        assert_eq!(says(&mut control, 0, 0), Verdict::Pass);
        control.ended(&ended(0, 1, Errored));
        assert!((control.gauge(at(1)).1 - 0.5).abs() < 1e-12);
        let asked = |millis, number| {
            control
                .clone()
                .admit(&super::super::testing::asked(millis, 1), &mut draws(number))
        };
        let refused = |millis| {
            (0..1000)
                .filter(|&n| asked(millis, n) == Verdict::Refuse)
                .count()
        };
        assert!((400..600).contains(&refused(30_000)));
        assert_eq!(refused(30_001), 0);
    }

    #[test]
    fn little_traffic_is_let_alone() {
        assert!(after(&[("rps_threshold", Integer(33))], 0) > 0.7);
        assert!(after(&[("rps_threshold", Integer(34))], 0) < 1e-9);
    }
}
