//! The breaker of failsafe-go, counting executions.
//!
//! Closed, it remembers how the latest `failure_thresholding_capacity` executions ended and opens when
//! `failure_threshold` of them failed: as it comes, one of one. After `delay` it is half-open: as many at a time
//! are let through as its capacity for this state says, that of `success_threshold` where there is one and that of
//! failures otherwise. It closes when enough of them succeeded, and opens again when so many failed that this
//! cannot be any more. The time it is open does not grow.
//!
//! Each execution that ends while it is half-open makes room for another, also one that began before.
//! failsafe-go 0.6, circuitstates.go, its source; not observed. Thresholds over a period of time are not simulated.

use super::{Admission, Bounding, Ended, Guard, GuardDef, News, PLAIN, SHARED, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::{Duration, Instant};
use std::collections::VecDeque;

const fn executions(
    name: &'static str,
    about: &'static str,
    min: u64,
    default: &'static str,
) -> ParamDef {
    ParamDef {
        name,
        about,
        kind: ParamKind::Integer {
            min,
            max: 1_000_000,
            unit: "executions",
        },
        default: Some(default),
    }
}

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "failsafe-go-breaker",
        about: "The breaker of failsafe-go: as it comes one failure opens it for a minute, and one success closes it.",
        source: "failsafe-go 0.6, circuitbreaker.WithDefaults, its source; not observed",
        params: &[
            executions("failure_threshold", "Failures that open it.", 1, "1"),
            executions(
                "failure_thresholding_capacity",
                "Latest executions among which they are counted; 0: as many, all of which must fail.",
                0,
                "0",
            ),
            executions(
                "success_threshold",
                "Successes that close it again; 0: more than could be missing to the failures that open it.",
                0,
                "0",
            ),
            executions(
                "success_thresholding_capacity",
                "Latest executions among which those are counted; 0: as many.",
                0,
                "0",
            ),
            ParamDef {
                name: "delay",
                about: "How long it refuses everything.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("1m"),
            },
            SHARED,
        ],
    },
    check,
    build: |params| {
        let (failures, successes) = (of_failures(params), of_successes(params));
        Box::new(FailsafeGo {
            failures,
            successes: (successes.threshold > 0).then_some(successes),
            delay: params.span("delay"),
            state: State::Closed,
            latest: Latest::new(failures.capacity),
            news: None,
        })
    },
    bounds: Bounding::Perhaps,
    ..PLAIN
};

/// So many of the latest so many.
#[derive(Clone, Copy, Debug)]
struct Ratio {
    threshold: u64,
    capacity: u64,
}

fn ratio(params: &Params, threshold: &str, capacity: &str) -> Ratio {
    let threshold = params.integer(threshold);
    let capacity = match params.integer(capacity) {
        0 => threshold,
        capacity => capacity,
    };
    Ratio {
        threshold,
        capacity,
    }
}

fn of_failures(params: &Params) -> Ratio {
    ratio(params, "failure_threshold", "failure_thresholding_capacity")
}

fn of_successes(params: &Params) -> Ratio {
    ratio(params, "success_threshold", "success_thresholding_capacity")
}

fn check(params: &Params) -> Result<(), ParamProblem> {
    let both = [
        ("failure_thresholding_capacity", of_failures(params)),
        ("success_thresholding_capacity", of_successes(params)),
    ];
    for (param, ratio) in both {
        if ratio.capacity < ratio.threshold {
            return Err(ParamProblem {
                param,
                message: format!(
                    "of {} executions never {} can end so",
                    ratio.capacity, ratio.threshold
                ),
            });
        }
    }
    if params.integer("success_threshold") == 0
        && params.integer("success_thresholding_capacity") > 0
    {
        return Err(ParamProblem {
            param: "success_thresholding_capacity",
            message: "there is no success_threshold that it belongs to".to_owned(),
        });
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Open { until: Instant },
    HalfOpen { permitted: u64 },
}

/// How the latest executions ended.
#[derive(Clone, Debug)]
struct Latest {
    capacity: u64,
    failed: VecDeque<bool>,
    failures: u64,
}

impl Latest {
    fn new(capacity: u64) -> Self {
        Self {
            capacity,
            failed: VecDeque::new(),
            failures: 0,
        }
    }

    fn record(&mut self, failed: bool) {
        if self.failed.len() as u64 == self.capacity {
            self.failures -= u64::from(self.failed.pop_front() == Some(true));
        }
        self.failed.push_back(failed);
        self.failures += u64::from(failed);
    }

    fn successes(&self) -> u64 {
        self.failed.len() as u64 - self.failures
    }
}

#[derive(Clone, Debug)]
struct FailsafeGo {
    failures: Ratio,
    successes: Option<Ratio>,
    delay: Duration,
    state: State,
    latest: Latest,
    news: Option<News>,
}

impl FailsafeGo {
    fn open(&mut self, now: Instant) {
        let cause = format!(
            "{} of {} failed",
            self.latest.failures,
            self.latest.failed.len()
        );
        self.state = State::Open {
            until: now + self.delay,
        };
        self.news = Some(News {
            closed_to_all: true,
            cause,
        });
    }

    /// Half-open, whether enough succeeded, and whether too many failed.
    fn decided(&self) -> (bool, bool) {
        let (good, bad) = (self.latest.successes(), self.latest.failures);
        if let Some(of) = self.successes {
            (good >= of.threshold, bad > of.capacity - of.threshold)
        } else {
            let of = self.failures;
            (good > of.capacity - of.threshold, bad >= of.threshold)
        }
    }
}

impl Guard for FailsafeGo {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        if let State::Open { until } = self.state
            && asked.now >= until
        {
            let capacity = self.successes.unwrap_or(self.failures).capacity;
            self.latest = Latest::new(capacity);
            self.state = State::HalfOpen {
                permitted: capacity,
            };
        }
        match &mut self.state {
            State::Closed => Verdict::Pass,
            State::HalfOpen { permitted } if *permitted > 0 => {
                *permitted -= 1;
                Verdict::Pass
            }
            State::HalfOpen { .. } | State::Open { .. } => Verdict::Refuse,
        }
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        let failed = ended.failed(Duration::ZERO);
        if let (Some(failed), State::Closed | State::HalfOpen { .. }) = (failed, self.state) {
            self.latest.record(failed);
        }
        match &mut self.state {
            State::Open { .. } => {}
            State::Closed => {
                if failed.is_some() && self.latest.failures >= self.failures.threshold {
                    self.open(ended.now);
                }
            }
            State::HalfOpen { permitted } => {
                *permitted += 1;
                match self.decided() {
                    (true, _) => {
                        let cause = match self.latest.successes() {
                            1 => "a trial succeeded".to_owned(),
                            several => format!("{several} trials succeeded"),
                        };
                        self.state = State::Closed;
                        self.latest = Latest::new(self.failures.capacity);
                        self.news = Some(News {
                            closed_to_all: false,
                            cause,
                        });
                    }
                    (false, true) => self.open(ended.now),
                    (false, false) => {}
                }
            }
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
    use crate::outcome::Outcome::{self, Errored, Succeeded};

    fn passed(guard: &mut Box<dyn Guard>, millis: u64, of: usize) -> usize {
        (0..of).filter(|_| passes(guard, millis)).count()
    }

    /// What it tells after each end: `true`, it opened; `false`, it closed.
    fn told(guard: &mut Box<dyn Guard>, millis: u64, ends: &[Outcome]) -> Vec<Option<bool>> {
        let tell = |end: &Outcome| {
            guard.ended(&ended(0, millis, *end));
            guard.news().map(|news| news.closed_to_all)
        };
        ends.iter().map(tell).collect()
    }

    #[test]
    fn as_it_comes_one_failure_opens_it_for_a_minute_and_one_success_closes_it() {
        let mut breaker = guard(&GUARD, &[]);
        assert_eq!(
            told(&mut breaker, 0, &[Succeeded, Errored]),
            [None, Some(true)]
        );
        assert_eq!(passed(&mut breaker, 59_999, 5), 0);
        assert_eq!(passed(&mut breaker, 60_000, 5), 1);
        assert_eq!(told(&mut breaker, 60_001, &[Succeeded]), [Some(false)]);
        assert_eq!(passed(&mut breaker, 60_002, 5), 5);
    }

    #[test]
    fn failures_are_counted_among_the_latest() {
        let three_of_five = [
            ("failure_threshold", Integer(3)),
            ("failure_thresholding_capacity", Integer(5)),
        ];
        let in_a_row = [("failure_threshold", Integer(3))];
        let ends = [Errored, Errored, Succeeded, Succeeded, Errored];
        let last = |some: &[_]| told(&mut guard(&GUARD, some), 0, &ends)[4];
        assert_eq!(last(&three_of_five), Some(true));
        assert_eq!(last(&in_a_row), None);
        let apart = [Errored, Errored, Succeeded, Succeeded, Succeeded, Errored];
        let mut breaker = guard(&GUARD, &three_of_five);
        assert_eq!(
            told(&mut breaker, 0, &apart)[5],
            None,
            "the first is forgotten"
        );
    }

    /// Half-open without a threshold of successes: 3 of 5 failures open, 5 − 3 + 1 successes close.
    #[test]
    fn half_open_it_decides_as_soon_as_it_can() {
        let some = [
            ("failure_threshold", Integer(3)),
            ("failure_thresholding_capacity", Integer(5)),
        ];
        for (ends, decides) in [
            ([Succeeded, Errored, Succeeded, Succeeded], false),
            ([Errored, Succeeded, Errored, Errored], true),
        ] {
            let mut breaker = guard(&GUARD, &some);
            told(&mut breaker, 0, &[Errored; 3]);
            assert_eq!(passed(&mut breaker, 60_000, 9), 5);
            let seen = told(&mut breaker, 60_001, &ends);
            assert_eq!(seen, [None, None, None, Some(decides)]);
        }
    }

    #[test]
    fn a_threshold_of_successes_has_a_capacity_of_its_own() {
        let some = [
            ("success_threshold", Integer(2)),
            ("success_thresholding_capacity", Integer(3)),
        ];
        let mut breaker = guard(&GUARD, &some);
        told(&mut breaker, 0, &[Errored]);
        assert_eq!(passed(&mut breaker, 60_000, 9), 3);
        // One of three may fail; each that ends makes room for another.
        assert_eq!(
            told(&mut breaker, 60_001, &[Errored, Succeeded]),
            [None, None]
        );
        assert_eq!(passed(&mut breaker, 60_001, 9), 2);
        assert_eq!(told(&mut breaker, 60_002, &[Succeeded]), [Some(false)]);
        let mut breaker = guard(&GUARD, &some);
        told(&mut breaker, 0, &[Errored]);
        passed(&mut breaker, 60_000, 9);
        assert_eq!(
            told(&mut breaker, 60_001, &[Errored; 2]),
            [None, Some(true)]
        );
    }

    #[test]
    fn what_can_never_be_reached_is_refused() {
        let text = |of: &str| {
            format!(
                "horizon = \"1s\"\n[[traffic]]\nto = \"web\"\nrate = 1\n[client]\nguards = [{{ kind = \"failsafe-go-breaker\", {of} }}]\n[service.web]\ndemand = \"1ms\"\nserver = [{{ name = \"s\", workers = 1 }}]\n"
            )
        };
        let wrong = |of| crate::scenario::parse(&text(of)).expect_err(of).to_string();
        let few = "failure_threshold = 3, failure_thresholding_capacity = 2";
        assert!(wrong(few).contains("of 2 executions never 3"));
        let alone = "success_thresholding_capacity = 2";
        assert!(wrong(alone).contains("no success_threshold"));
        assert!(crate::scenario::parse(&text("failure_threshold = 3")).is_ok());
    }
}
