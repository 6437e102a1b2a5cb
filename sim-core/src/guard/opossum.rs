//! The breaker of opossum.
//!
//! It counts what ended in ten buckets of a second each, and opens where more than half of that failed: one
//! failure of one is enough. Open, it refuses for 30 s; then one attempt goes through and the others are
//! refused at once. If it succeeds the breaker closes, its counts forgotten. The time it is open does not grow.
//!
//! opossum 10.0.0, observed.

use super::{Admission, Bounding, Ended, Guard, GuardDef, News, PLAIN, SHARED, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::{Duration, Instant};
use std::collections::VecDeque;

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "opossum",
        about: "The breaker of opossum: opens where more than half of the last ten seconds failed, one failure of one included.",
        source: "opossum 10.0.0, observed",
        params: &[
            ParamDef {
                name: "error_threshold_percentage",
                about: "It opens where a greater share than this failed.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("50"),
            },
            ParamDef {
                name: "volume_threshold",
                about: "It does not open while fewer than this have ended.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1_000_000,
                    unit: "attempts",
                },
                default: Some("0"),
            },
            ParamDef {
                name: "rolling_count_timeout",
                about: "The time over which it counts, in ten parts.",
                kind: ParamKind::Span { min: Duration(10) },
                default: Some("10s"),
            },
            ParamDef {
                name: "reset_timeout",
                about: "How long it refuses everything before a trial.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("30s"),
            },
            SHARED,
        ],
    },
    build: |params| {
        Box::new(Opossum {
            share: params.number("error_threshold_percentage") / 100.0,
            volume: params.integer("volume_threshold"),
            part: params.span("rolling_count_timeout").0 / PARTS,
            reset: params.span("reset_timeout"),
            state: State::Closed,
            parts: VecDeque::new(),
            news: None,
        })
    },
    bounds: Bounding::Perhaps,
    ..PLAIN
};

/// Parts of the time over which it counts.
const PARTS: u64 = 10;

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Open { until: Instant },
    HalfOpen { since: Instant, tried: bool },
}

/// What ended in a part of the time: which part it is, how many, and how many of them failed.
#[derive(Clone, Copy, Debug)]
struct Part {
    number: u64,
    ended: u64,
    failed: u64,
}

#[derive(Clone, Debug)]
struct Opossum {
    share: f64,
    volume: u64,
    part: u64,
    reset: Duration,
    state: State,
    parts: VecDeque<Part>,
    news: Option<News>,
}

impl Opossum {
    fn open(&mut self, now: Instant, cause: String) {
        self.state = State::Open {
            until: now + self.reset,
        };
        self.news = Some(News {
            closed_to_all: true,
            cause,
        });
    }

    /// Counts an attempt that ended; how many ended and failed in the time that counts.
    fn count(&mut self, now: Instant, failed: bool) -> (u64, u64) {
        let number = now.0 / self.part;
        while self
            .parts
            .front()
            .is_some_and(|part| part.number + PARTS <= number)
        {
            self.parts.pop_front();
        }
        if self.parts.back().is_none_or(|part| part.number != number) {
            self.parts.push_back(Part {
                number,
                ended: 0,
                failed: 0,
            });
        }
        if let Some(part) = self.parts.back_mut() {
            part.ended += 1;
            part.failed += u64::from(failed);
        }
        let sum = |of: fn(&Part) -> u64| self.parts.iter().map(of).sum();
        (sum(|part| part.ended), sum(|part| part.failed))
    }
}

impl Guard for Opossum {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        if let State::Open { until } = self.state
            && asked.now >= until
        {
            self.state = State::HalfOpen {
                since: asked.now,
                tried: false,
            };
        }
        match &mut self.state {
            State::Closed => Verdict::Pass,
            State::HalfOpen { tried, .. } if !*tried => {
                *tried = true;
                Verdict::Pass
            }
            State::Open { .. } | State::HalfOpen { .. } => Verdict::Refuse,
        }
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        let failed = ended.failed(Duration::ZERO);
        match (&mut self.state, failed) {
            (State::Closed, Some(failed)) => {
                let (all, bad) = self.count(ended.now, failed);
                if failed && all >= self.volume && bad as f64 > self.share * all as f64 {
                    self.open(ended.now, format!("{bad} of {all} failed"));
                }
            }
            (State::HalfOpen { since, .. }, _) if ended.passed < *since => {}
            // A trial that tells nothing is made again.
            (State::HalfOpen { tried, .. }, None) => *tried = false,
            (State::HalfOpen { .. }, Some(true)) => {
                self.open(ended.now, "a trial failed".to_owned());
            }
            (State::HalfOpen { .. }, Some(false)) => {
                self.state = State::Closed;
                self.parts.clear();
                self.news = Some(News {
                    closed_to_all: false,
                    cause: "a trial succeeded".to_owned(),
                });
            }
            (State::Open { .. }, _) | (State::Closed, None) => {}
        }
        self.news.is_some()
    }

    fn news(&mut self) -> Option<News> {
        self.news.take()
    }

    fn gauge(&self, now: Instant) -> (&'static str, f64) {
        let open = matches!(self.state, State::Open { until } if now < until);
        ("open", f64::from(u8::from(open)))
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ended, guard, passes};
    use super::*;
    use crate::extension::ParamValue::Integer;
    use crate::outcome::Outcome::{Errored, Succeeded};

    /// Attempts one after the other, a millisecond each, until it refuses; how many it passed.
    fn passed(guard: &mut Box<dyn Guard>, good: impl Fn(u64) -> bool) -> u64 {
        for i in 0..20 {
            if !passes(guard, i) {
                return i;
            }
            let outcome = if good(i) { Succeeded } else { Errored };
            guard.ended(&ended(i, i, outcome));
        }
        20
    }

    #[test]
    fn more_than_half_must_fail_and_one_of_one_is_more() {
        assert_eq!(passed(&mut guard(&GUARD, &[]), |_| false), 1);
        assert_eq!(passed(&mut guard(&GUARD, &[]), |i| i % 2 == 0), 20, "half");
        assert_eq!(passed(&mut guard(&GUARD, &[]), |i| i == 0), 3, "2 of 3");
        let some = [("volume_threshold", Integer(5))];
        assert_eq!(passed(&mut guard(&GUARD, &some), |_| false), 5);
    }

    #[test]
    fn old_failures_leave_the_window() {
        let mut breaker = guard(&GUARD, &[("volume_threshold", Integer(3))]);
        for millis in [0, 100] {
            breaker.ended(&ended(millis, millis, Errored));
        }
        for millis in [10_000, 10_100, 10_200] {
            breaker.ended(&ended(millis, millis, Succeeded));
        }
        breaker.ended(&ended(10_300, 10_300, Errored));
        assert!(passes(&mut breaker, 10_301), "one of four");
    }

    #[test]
    fn half_open_it_passes_one_and_refuses_the_others_at_once() {
        let mut breaker = guard(&GUARD, &[]);
        assert!(passes(&mut breaker, 0));
        breaker.ended(&ended(0, 0, Errored));
        for round in 1..=3 {
            let then = 30_000 * round;
            assert!(!passes(&mut breaker, then - 1), "the pause does not grow");
            let passed = (0..10).filter(|_| passes(&mut breaker, then)).count();
            assert_eq!(passed, 1);
            breaker.ended(&ended(
                then,
                then,
                if round < 3 { Errored } else { Succeeded },
            ));
        }
        assert!(passes(&mut breaker, 90_001) && passes(&mut breaker, 90_001));
    }
}
