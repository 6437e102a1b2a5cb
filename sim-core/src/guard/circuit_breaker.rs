//! Circuit breaker.
//!
//! *Closed*, it passes everything and counts failures. After `failures` in a row, or of the last
//! `window` attempts, it *opens* and refuses everything for a while. Then it is *half-open*: a few
//! attempts are let through, and if all of them succeed it closes; one failure opens it again.
//! Attempts that it passed before it opened tell it nothing when they end later.
//!
//! M. T. Nygard, "Release It!", Pragmatic Bookshelf, 2007, chapter 5. Resilience4j's breaker with a
//! count-based sliding window is `window` with `failures` = rate · window, except that it wants a
//! minimum number of calls first.

use super::{Admission, Bounding, Ended, Guard, GuardDef, News, PLAIN, SHARED, Verdict, slow};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::{Duration, Instant};
use std::collections::VecDeque;

/// Failures in a row that open the breaker of a library.
pub(super) const fn in_a_row(name: &'static str) -> ParamDef {
    ParamDef {
        name,
        about: "Failures in a row that open it.",
        kind: ParamKind::Integer {
            min: 1,
            max: 1_000_000,
            unit: "attempts",
        },
        default: Some("5"),
    }
}

/// How long the breaker of a library stays open.
pub(super) const fn until_trial(name: &'static str, default: &'static str) -> ParamDef {
    ParamDef {
        name,
        about: "How long it refuses everything before a trial.",
        kind: ParamKind::Span { min: Duration(1) },
        default: Some(default),
    }
}

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "circuit-breaker",
        about: "Refuses everything for a while after many failures, then tries a few attempts before it trusts again.",
        source: "Nygard, Release It!, 2007, chapter 5",
        params: &[
            ParamDef {
                name: "failures",
                about: "Failures that open it.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1_000_000,
                    unit: "attempts",
                },
                default: Some("5"),
            },
            ParamDef {
                name: "window",
                about: "Latest attempts among which failures are counted; 0: failures must come in a row.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1_000_000,
                    unit: "attempts",
                },
                default: Some("0"),
            },
            ParamDef {
                name: "open",
                about: "How long it refuses everything.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("30s"),
            },
            ParamDef {
                name: "trials",
                about: "Attempts that are let through when that time is over; if all succeed it closes.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1_000_000,
                    unit: "attempts",
                },
                default: Some("1"),
            },
            slow("0s"),
            SHARED,
        ],
    },
    check,
    build: |params| {
        Box::new(CircuitBreaker {
            window: params.integer("window") as usize,
            trials: params.integer("trials") as u32,
            slow: params.span("slow"),
            ..CircuitBreaker::new(params.integer("failures") as u32, params.span("open"))
        })
    },
    bounds: Bounding::Perhaps,
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let (failures, window) = (params.integer("failures"), params.integer("window"));
    if window != 0 && window < failures {
        return Err(ParamProblem {
            param: "window",
            message: format!("of {window} attempts never {failures} can fail"),
        });
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
enum State {
    /// With failures in a row.
    Closed {
        row: u32,
    },
    Open {
        until: Instant,
    },
    HalfOpen {
        since: Instant,
        sent: u32,
        good: u32,
    },
}

/// What happens to others while trials are out.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Others {
    /// They are refused.
    Refused,
    /// They wait for the trials to end, and then pass or are refused.
    Wait,
    /// They pass: everybody is a trial.
    Pass,
}

/// How long somebody waits at most for a trial to end: until it does.
const FOR_EVER: Duration = Duration::from_secs(10 * 365 * 86_400);

#[derive(Clone, Debug)]
pub(super) struct CircuitBreaker {
    failures: u32,
    window: usize,
    open: Duration,
    trials: u32,
    slow: Duration,
    others: Others,
    /// Whether one attempt at a time passes, also while it is closed.
    serial: bool,
    state: State,
    /// Whether each of the latest attempts failed, and how many did.
    latest: VecDeque<bool>,
    failed: u32,
    news: Option<News>,
}

impl CircuitBreaker {
    /// One that opens after so many failures in a row, for so long, and then wants one trial.
    pub(super) fn new(failures: u32, open: Duration) -> Self {
        Self {
            failures,
            window: 0,
            open,
            trials: 1,
            slow: Duration::ZERO,
            others: Others::Refused,
            serial: false,
            state: State::Closed { row: 0 },
            latest: VecDeque::new(),
            failed: 0,
            news: None,
        }
    }

    /// The same, with other manners while trials are out, and perhaps one attempt at a time.
    pub(super) fn with_manners(self, others: Others, serial: bool) -> Self {
        Self {
            others,
            serial,
            ..self
        }
    }

    fn open(&mut self, now: Instant, cause: String) {
        self.state = State::Open {
            until: now + self.open,
        };
        self.latest.clear();
        self.failed = 0;
        self.news = Some(News {
            closed_to_all: true,
            cause,
        });
    }

    /// Counts an attempt that ended while closed; the failures that count now.
    fn count(&mut self, row: u32, failed: bool) -> u32 {
        let row = if failed { row + 1 } else { 0 };
        self.state = State::Closed { row };
        if self.window == 0 {
            return row;
        }
        if self.latest.len() == self.window && self.latest.pop_front() == Some(true) {
            self.failed -= 1;
        }
        self.latest.push_back(failed);
        self.failed += u32::from(failed);
        self.failed
    }
}

impl Guard for CircuitBreaker {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        if let State::Open { until } = self.state
            && asked.now >= until
        {
            self.state = State::HalfOpen {
                since: asked.now,
                sent: 0,
                good: 0,
            };
        }
        match &mut self.state {
            State::Open { .. } => Verdict::Refuse,
            _ if self.serial && asked.in_flight > 0 => Verdict::Wait(FOR_EVER),
            State::Closed { .. } => Verdict::Pass,
            State::HalfOpen { sent, .. } if *sent < self.trials || self.others == Others::Pass => {
                *sent += 1;
                Verdict::Pass
            }
            State::HalfOpen { .. } if self.others == Others::Wait => Verdict::Wait(FOR_EVER),
            State::HalfOpen { .. } => Verdict::Refuse,
        }
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        let failed = ended.failed(self.slow);
        match (&mut self.state, failed) {
            (State::Closed { row }, Some(failed)) => {
                let row = *row;
                if self.count(row, failed) >= self.failures {
                    let cause = if self.window == 0 {
                        format!("{} failures in a row", self.failures)
                    } else {
                        format!("{} failures among {}", self.failures, self.latest.len())
                    };
                    self.open(ended.now, cause);
                }
            }
            // Those that were passed before it opened tell nothing new.
            (State::HalfOpen { since, .. }, _) if ended.passed < *since => {}
            // A trial that tells nothing is made again.
            (State::HalfOpen { sent, .. }, None) => *sent -= 1,
            (State::HalfOpen { .. }, Some(true)) => {
                self.open(ended.now, "a trial failed".to_owned());
            }
            (State::HalfOpen { good, .. }, Some(false)) => {
                *good += 1;
                if *good >= self.trials {
                    self.state = State::Closed { row: 0 };
                    self.news = Some(News {
                        closed_to_all: false,
                        cause: match self.trials {
                            1 => "a trial succeeded".to_owned(),
                            several => format!("{several} trials succeeded"),
                        },
                    });
                }
            }
            (State::Open { .. }, _) | (State::Closed { .. }, None) => {}
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
    use crate::outcome::Outcome::{Cancelled, Errored, Succeeded};

    #[test]
    fn opens_after_failures_in_a_row_and_closes_after_a_trial() {
        let mut breaker = guard(&GUARD, &[("failures", Integer(2))]);
        for outcome in [Errored, Succeeded, Errored, Cancelled] {
            breaker.ended(&ended(0, 1, outcome));
        }
        assert!(passes(&mut breaker, 2), "never two in a row");
        breaker.ended(&ended(0, 3, Errored));
        let news = breaker.news().expect("it opened");
        assert_eq!(
            (news.closed_to_all, &*news.cause),
            (true, "2 failures in a row")
        );
        assert!(!passes(&mut breaker, 30_002), "open until 30 s after that");
        assert!(passes(&mut breaker, 30_003), "the trial");
        assert!(!passes(&mut breaker, 30_004), "one trial only");
        breaker.ended(&ended(1, 30_005, Errored));
        assert!(!passes(&mut breaker, 30_006), "an old one is no trial");
        breaker.ended(&ended(30_003, 30_007, Succeeded));
        assert!(breaker.news().is_some_and(|news| !news.closed_to_all));
        assert!(passes(&mut breaker, 30_008) && passes(&mut breaker, 30_008));
    }

    #[test]
    fn a_failed_trial_opens_it_again_and_a_cancelled_one_is_made_again() {
        let mut breaker = guard(&GUARD, &[("failures", Integer(1)), ("trials", Integer(2))]);
        breaker.ended(&ended(0, 0, Errored));
        assert!(passes(&mut breaker, 30_000) && passes(&mut breaker, 30_000));
        assert!(!passes(&mut breaker, 30_000));
        breaker.ended(&ended(30_000, 30_001, Cancelled));
        assert!(passes(&mut breaker, 30_001));
        breaker.ended(&ended(30_000, 30_002, Succeeded));
        assert!(!passes(&mut breaker, 30_003), "one of two");
        breaker.ended(&ended(30_001, 30_004, Errored));
        assert!(!passes(&mut breaker, 60_003));
        assert!(passes(&mut breaker, 60_004));
    }

    #[test]
    fn a_window_counts_failures_that_are_not_in_a_row() {
        let mut breaker = guard(&GUARD, &[("failures", Integer(2)), ("window", Integer(3))]);
        for outcome in [Errored, Succeeded, Succeeded, Errored] {
            breaker.ended(&ended(0, 1, outcome));
        }
        assert!(passes(&mut breaker, 2), "the first has left the window");
        breaker.ended(&ended(0, 3, Errored));
        assert!(!passes(&mut breaker, 4));
    }

    #[test]
    fn a_slow_success_counts_as_a_failure_where_asked() {
        let slow = Span(Duration::from_millis(10));
        let mut breaker = guard(&GUARD, &[("failures", Integer(1)), ("slow", slow)]);
        breaker.ended(&ended(0, 10, Succeeded));
        assert!(passes(&mut breaker, 11));
        breaker.ended(&ended(0, 11, Succeeded));
        assert!(!passes(&mut breaker, 12));
    }
}
