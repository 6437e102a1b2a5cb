//! Envoy's limit on retries: so many at once, or a share of what is going on.
//!
//! A retry counts from the decision to try again, its pause included, until it has ended. By default three may count at
//! once, of all requests together: twenty requests that fail at the same moment get three retries at first, and the others
//! are passed on as they are. With a `retry_budget` the limit is a share of the attempts in flight, and no less than
//! `min_retry_concurrency`; `max_retries` then means nothing.

use super::{Admission, Asked, Ended, Guard, GuardDef, PLAIN, SHARED, Stands, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::{Duration, Instant};
use std::collections::VecDeque;

const RETRIES: ParamKind = ParamKind::Integer {
    min: 0,
    max: 4_000_000_000,
    unit: "retries",
};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "envoy-retry-limit",
        about: "So many retries at once, pauses included, or a share of the attempts in flight: Envoy's max_retries and retry_budget.",
        source: "Envoy 1.40, circuit_breakers.thresholds (max_retries, retry_budget), retry_state_impl.cc",
        params: &[
            ParamDef {
                name: "max_retries",
                about: "Retries at once, where there is no budget.",
                kind: RETRIES,
                default: Some("3"),
            },
            ParamDef {
                name: "budget_percent",
                about: "Retries at once, as a share of the attempts in flight; 0: no budget, `max_retries` holds.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("0"),
            },
            ParamDef {
                name: "min_retry_concurrency",
                about: "So many a budget always allows.",
                kind: RETRIES,
                default: Some("3"),
            },
            ParamDef {
                name: "longest_pause",
                about: "A retry that is not sent so long after it was decided never is: its request was given up meanwhile. Not less than the longest pause of the callers' retries.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("250ms"),
            },
            SHARED,
        ],
    },
    stands: Stands::AtCallers,
    build: |params| {
        Box::new(RetryLimit {
            most: params.integer("max_retries") as f64,
            share: params.number("budget_percent") / 100.0,
            least: params.integer("min_retry_concurrency") as f64,
            longest: params.span("longest_pause"),
            paused: VecDeque::new(),
            sent: 0,
        })
    },
    asked: Asked::BeforePause,
    ..PLAIN
};

#[derive(Clone, Debug)]
struct RetryLimit {
    most: f64,
    share: f64,
    least: f64,
    longest: Duration,
    /// When those in their pauses were decided.
    paused: VecDeque<Instant>,
    /// Retries under way.
    sent: u32,
}

impl RetryLimit {
    fn retries(&self) -> usize {
        self.paused.len() + self.sent as usize
    }

    /// How many may count at once while so many attempts are in flight.
    fn limit(&self, in_flight: u32) -> f64 {
        if self.share > 0.0 {
            libm::floor(self.share * f64::from(in_flight)).max(self.least)
        } else {
            self.most
        }
    }
}

impl Guard for RetryLimit {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        if asked.attempt == 1 {
            return Verdict::Pass;
        }
        let gone = |at: &Instant| asked.now.since(*at) > self.longest;
        while self.paused.front().is_some_and(gone) {
            self.paused.pop_front();
        }
        if self.retries() as f64 >= self.limit(asked.in_flight) {
            return Verdict::Stop;
        }
        self.paused.push_back(asked.now);
        Verdict::Pass
    }

    fn sent(&mut self) {
        self.paused.pop_front();
        self.sent += 1;
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        if ended.attempt > 1 {
            self.sent = self.sent.saturating_sub(1);
        }
        false
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("retries", self.retries() as f64)
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, draws, ended, guard};
    use super::*;
    use crate::extension::ParamValue::{Integer, Number};
    use crate::outcome::Outcome;

    /// Whether one more is allowed while so many are in flight, so many of them retries.
    fn allowed(guard: &dyn Guard, in_flight: u32) -> bool {
        let asked = Admission {
            in_flight,
            ..asked(0, 2)
        };
        guard.clone_box().admit(&asked, &mut draws(0)) == Verdict::Pass
    }

    fn one_more(guard: &mut Box<dyn Guard>) {
        assert_eq!(
            guard.admit(
                &Admission {
                    in_flight: 1000,
                    ..asked(0, 2)
                },
                &mut draws(0)
            ),
            Verdict::Pass
        );
        guard.sent();
    }

    #[test]
    fn case_283_retry_breaker_0() {
        let none = guard(&GUARD, &[("max_retries", Integer(0))]);
        assert!(!allowed(&*none, 1000));
    }

    #[test]
    fn case_289_budget_min() {
        let some = [
            ("budget_percent", Number(20.0)),
            ("max_retries", Integer(0)),
        ];
        let mut budget = guard(&GUARD, &some);
        one_more(&mut budget);
        one_more(&mut budget);
        assert!(allowed(&*budget, 0));
        one_more(&mut budget);
        assert!(!allowed(&*budget, 0));
        assert!(allowed(&*budget, 20));
        one_more(&mut budget);
        assert!(!allowed(&*budget, 20));
    }

    #[test]
    fn a_retry_counts_from_its_decision_to_its_end_or_while_its_pause_may_last() {
        let mut limit = guard(&GUARD, &[]);
        let admit = |limit: &mut Box<dyn Guard>, millis| {
            limit.admit(&asked(millis, 2), &mut draws(0)) == Verdict::Pass
        };
        assert_eq!(
            [0, 0, 0, 0].map(|at| admit(&mut limit, at)),
            [true, true, true, false]
        );
        limit.sent();
        assert!(!admit(&mut limit, 10));
        limit.ended(&Ended {
            attempt: 2,
            ..ended(10, 20, Outcome::Succeeded)
        });
        assert!(admit(&mut limit, 20));
        // Two of the first were never sent.
        assert_eq!(
            [250, 251, 251, 251].map(|at| admit(&mut limit, at)),
            [false, true, true, false]
        );
    }
}
