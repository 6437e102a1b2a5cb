//! The breaker of opossum.
//!
//! It counts calls and failures in ten buckets of a second each, and opens with a failure where these are more than half of
//! those: one failure of one call is enough. All that was asked for is a call, at the moment it is: one that is still out, and
//! one that the open breaker refused. Both hide failures, as nothing is forgotten when the breaker closes. Open, it refuses
//! for 30 s; then one attempt goes through and the others are refused at once. The first end decides, be it of an attempt from
//! before: a success closes the breaker, a failure opens it for as long again.
//!
//! opossum 10.0.0, lib/circuit.js, observed.

use super::{Admission, Bounding, Ended, Guard, GuardDef, News, PLAIN, SHARED, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::{Duration, Instant};
use std::collections::VecDeque;

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "opossum",
        about: "The breaker of opossum: opens where failures are more than half of the calls of the last ten seconds, one of one included; calls that it refused itself count as calls.",
        source: "opossum 10.0.0, lib/circuit.js; observed",
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
                about: "It does not open with fewer calls than this.",
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
    HalfOpen { tried: bool },
}

/// A part of the time: which it is, how many calls and how many failures there were.
#[derive(Clone, Copy, Debug)]
struct Part {
    number: u64,
    calls: u64,
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

    /// The part of the time that it is now; those that no longer count are gone.
    fn part(&mut self, now: Instant) -> &mut Part {
        let number = now.0 / self.part;
        while (self.parts.front()).is_some_and(|part| part.number + PARTS <= number) {
            self.parts.pop_front();
        }
        if self.parts.back().is_none_or(|part| part.number != number) {
            self.parts.push_back(Part {
                number,
                calls: 0,
                failed: 0,
            });
        }
        let last = self.parts.len() - 1;
        &mut self.parts[last]
    }

    /// The time that it is open may be over.
    fn look(&mut self, now: Instant) {
        if let State::Open { until } = self.state
            && now >= until
        {
            self.state = State::HalfOpen { tried: false };
        }
    }

    /// After a failure: whether that is too many.
    fn judge(&mut self, now: Instant) {
        let sum = |of: fn(&Part) -> u64| self.parts.iter().map(of).sum::<u64>();
        let (calls, failed) = (sum(|part| part.calls), sum(|part| part.failed));
        if calls >= self.volume && failed as f64 > self.share * calls as f64 {
            self.open(now, format!("{failed} failures in {calls} calls"));
        }
    }
}

impl Guard for Opossum {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        self.part(asked.now).calls += 1;
        self.look(asked.now);
        match &mut self.state {
            State::Closed => Verdict::Pass,
            State::HalfOpen { tried } if !*tried => {
                *tried = true;
                Verdict::Pass
            }
            State::Open { .. } | State::HalfOpen { .. } => Verdict::Refuse,
        }
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        let failed = ended.failed(Duration::ZERO);
        self.part(ended.now).failed += u64::from(failed == Some(true));
        self.look(ended.now);
        match (&mut self.state, failed) {
            (State::Closed, Some(true)) => self.judge(ended.now),
            // A trial that tells nothing is made again.
            (State::HalfOpen { tried }, None) => *tried = false,
            (State::HalfOpen { .. }, Some(true)) => {
                self.open(ended.now, "a trial failed".to_owned());
            }
            (State::HalfOpen { .. }, Some(false)) => {
                self.state = State::Closed;
                self.news = Some(News {
                    closed_to_all: false,
                    cause: "a trial succeeded".to_owned(),
                });
            }
            (State::Open { .. } | State::Closed, _) => {}
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
    use crate::extension::ParamValue::{Integer, Span};
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
        let mut end = |millis, outcome| {
            assert!(passes(&mut breaker, millis));
            breaker.ended(&ended(millis, millis, outcome));
        };
        for millis in [0, 100] {
            end(millis, Errored);
        }
        for millis in [10_000, 10_100, 10_200] {
            end(millis, Succeeded);
        }
        end(10_300, Errored);
        assert!(passes(&mut breaker, 10_301), "one of four");
    }

    /// Observed: calls each 150 ms that fail after 400 ms; it opens with the third failure, of five calls.
    #[test]
    fn calls_that_are_out_hide_failures() {
        let mut breaker = guard(&GUARD, &[]);
        for call in 0..5 {
            if call >= 3 {
                let end = ended(150 * (call - 3), 150 * call - 50, Errored);
                assert!(!breaker.ended(&end), "one of three, two of four");
            }
            assert!(passes(&mut breaker, 150 * call));
        }
        assert!(breaker.ended(&ended(300, 700, Errored)), "three of five");
    }

    /// Each refused call is one that did not fail: after 20 of them ten failures are not enough.
    #[test]
    fn what_it_refused_hides_failures() {
        let some = [("reset_timeout", Span(Duration::from_secs(1)))];
        let mut breaker = guard(&GUARD, &some);
        assert!(passes(&mut breaker, 0));
        assert!(breaker.ended(&ended(0, 0, Errored)));
        let refused = (1..=20).filter(|i| !passes(&mut breaker, 40 * i)).count();
        assert_eq!(refused, 20);
        assert!(passes(&mut breaker, 1000), "the trial");
        assert!(breaker.ended(&ended(1000, 1000, Succeeded)));
        assert!(breaker.news().is_some());
        let failures = (1..100).find(|i| {
            assert!(passes(&mut breaker, 1000 + i));
            breaker.ended(&ended(1000 + i, 1000 + i, Errored))
        });
        // 1 + n of 22 + n.
        assert_eq!(failures, Some(21));
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
