//! The breaker of Resilience4j.
//!
//! Closed, it keeps how the latest calls ended, so many or those of so many seconds, and looks at them once there
//! are `minimum_number_of_calls`: when the share of those that failed, or of those that were slow, reaches its
//! threshold, it opens. After `wait_duration_in_open_state` it is half-open: so many calls are let through and
//! all others refused; when these, or the minimum number of them, have ended, the same thresholds decide
//! whether it opens again or closes. What it has counted is forgotten with every change.
//!
//! Calls know nothing of the state that passed them: one that began before it opened and ends while it is
//! half-open counts there. Resilience4j 2, `CircuitBreakerStateMachine` and `CircuitBreakerMetrics`, its source and
//! documentation; not observed.

use super::{Admission, Bounding, Ended, Guard, GuardDef, News, PLAIN, SHARED, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant, SECOND};
use std::collections::VecDeque;

const fn percent(name: &'static str, about: &'static str, default: &'static str) -> ParamDef {
    ParamDef {
        name,
        about,
        kind: ParamKind::Number {
            min: 0.001,
            max: 100.0,
            unit: "%",
        },
        default: Some(default),
    }
}

const fn calls(name: &'static str, about: &'static str, default: &'static str) -> ParamDef {
    ParamDef {
        name,
        about,
        kind: ParamKind::Integer {
            min: 1,
            max: 1_000_000,
            unit: "",
        },
        default: Some(default),
    }
}

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "resilience4j-breaker",
        about: "The breaker of Resilience4j: opens by the share of the latest calls that failed or were slow, and lets ten through before it decides again.",
        source: "Resilience4j 2, CircuitBreakerConfig.ofDefaults, its source; not observed",
        params: &[
            percent(
                "failure_rate_threshold",
                "It opens where at least this share failed.",
                "50",
            ),
            percent(
                "slow_call_rate_threshold",
                "It opens where at least this share was slow.",
                "100",
            ),
            ParamDef {
                name: "slow_call_duration_threshold",
                about: "A call that took longer is slow, however it ended.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("60s"),
            },
            ParamDef {
                name: "sliding_window_type",
                about: "What its window is counted in: calls, \"count-based\", or seconds, \"time-based\".",
                kind: ParamKind::Choice(&["count-based", "time-based"]),
                default: Some("count-based"),
            },
            calls(
                "sliding_window_size",
                "How many calls or seconds the window has.",
                "100",
            ),
            calls(
                "minimum_number_of_calls",
                "With fewer in the window nothing is decided; a window of fewer calls wants no more than those.",
                "100",
            ),
            calls(
                "permitted_number_of_calls_in_half_open_state",
                "Calls that are let through before it decides again.",
                "10",
            ),
            ParamDef {
                name: "wait_duration_in_open_state",
                about: "How long it refuses everything.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("60s"),
            },
            SHARED,
        ],
    },
    check,
    build: |params| {
        let by_time = params.choice("sliding_window_type") == 1;
        Box::new(Resilience4j {
            failure_rate: params.number("failure_rate_threshold"),
            slow_rate: params.number("slow_call_rate_threshold"),
            slow: params.span("slow_call_duration_threshold"),
            by_time,
            size: params.integer("sliding_window_size"),
            minimum: params.integer("minimum_number_of_calls"),
            permitted: params.integer("permitted_number_of_calls_in_half_open_state"),
            open: params.span("wait_duration_in_open_state"),
            state: State::Closed,
            latest: VecDeque::new(),
            sum: Counts::default(),
            news: None,
        })
    },
    bounds: Bounding::Perhaps,
    ..PLAIN
};

/// The most seconds that a window by time has: an hour.
const LONGEST_S: u64 = 3600;

fn check(params: &Params) -> Result<(), ParamProblem> {
    if params.choice("sliding_window_type") == 1
        && params.integer("sliding_window_size") > LONGEST_S
    {
        return Err(ParamProblem {
            param: "sliding_window_size",
            message: format!("a window of time has {LONGEST_S} seconds at most"),
        });
    }
    Ok(())
}

#[derive(Clone, Copy, Debug)]
enum State {
    Closed,
    Open { until: Instant },
    HalfOpen { left: u64 },
}

/// How calls ended.
#[derive(Clone, Copy, Default, Debug)]
struct Counts {
    all: u64,
    failed: u64,
    slow: u64,
}

#[derive(Clone, Debug)]
struct Resilience4j {
    failure_rate: f64,
    slow_rate: f64,
    slow: Duration,
    by_time: bool,
    size: u64,
    minimum: u64,
    permitted: u64,
    open: Duration,
    state: State,
    /// Of each call, or of all that ended in a second, which one it was.
    latest: VecDeque<(u64, Counts)>,
    sum: Counts,
    news: Option<News>,
}

impl Resilience4j {
    fn enter(&mut self, state: State) {
        self.state = state;
        self.latest.clear();
        self.sum = Counts::default();
    }

    fn open(&mut self, now: Instant, cause: String) {
        self.enter(State::Open {
            until: now + self.open,
        });
        self.news = Some(News {
            closed_to_all: true,
            cause,
        });
    }

    /// Takes down how a call ended, and forgets what is no longer in the window.
    fn record(&mut self, now: Instant, failed: bool, slow: bool) {
        let half_open = matches!(self.state, State::HalfOpen { .. });
        let by_time = self.by_time && !half_open;
        let size = if half_open { self.permitted } else { self.size };
        let second = now.0 / SECOND;
        let one = Counts {
            all: 1,
            failed: u64::from(failed),
            slow: u64::from(slow),
        };
        match self.latest.back_mut() {
            Some((of, counts)) if by_time && *of == second => counts.add(one),
            _ => self.latest.push_back((second, one)),
        }
        self.sum.add(one);
        let count = self.latest.len() as u64;
        let old = |&(of, _): &(u64, Counts)| {
            if by_time {
                of + size <= second
            } else {
                count > size
            }
        };
        while self.latest.front().is_some_and(old) {
            if let Some((_, gone)) = self.latest.pop_front() {
                self.sum.all -= gone.all;
                self.sum.failed -= gone.failed;
                self.sum.slow -= gone.slow;
            }
            if !by_time {
                break;
            }
        }
    }

    /// Which threshold is reached; `None`: too few calls to say.
    fn judgement(&self) -> Option<Result<(), String>> {
        let minimum = match self.state {
            State::HalfOpen { .. } => self.minimum.min(self.permitted),
            _ if self.by_time => self.minimum,
            _ => self.minimum.min(self.size),
        };
        let Counts { all, failed, slow } = self.sum;
        if all < minimum {
            return None;
        }
        let rate = |of: u64| 100.0 * of as f64 / all as f64;
        Some(if rate(failed) >= self.failure_rate {
            Err(format!("{failed} of {all} failed"))
        } else if rate(slow) >= self.slow_rate {
            Err(format!("{slow} of {all} were slow"))
        } else {
            Ok(())
        })
    }
}

impl Counts {
    fn add(&mut self, other: Self) {
        self.all += other.all;
        self.failed += other.failed;
        self.slow += other.slow;
    }
}

impl Guard for Resilience4j {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        if let State::Open { until } = self.state
            && asked.now >= until
        {
            self.enter(State::HalfOpen {
                left: self.permitted,
            });
        }
        match &mut self.state {
            State::Closed => Verdict::Pass,
            State::HalfOpen { left } if *left > 0 => {
                *left -= 1;
                Verdict::Pass
            }
            State::HalfOpen { .. } | State::Open { .. } => Verdict::Refuse,
        }
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        if let (State::HalfOpen { left }, Outcome::Cancelled) = (&mut self.state, ended.outcome) {
            // It gives its permission back.
            *left += 1;
        }
        let Some(failed) = ended.failed(Duration::ZERO) else {
            return false;
        };
        if matches!(self.state, State::Open { .. }) {
            return false;
        }
        self.record(ended.now, failed, ended.took() > self.slow);
        match (self.state, self.judgement()) {
            (_, Some(Err(cause))) => self.open(ended.now, cause),
            (State::HalfOpen { .. }, Some(Ok(()))) => {
                let Counts { all, failed, .. } = self.sum;
                self.enter(State::Closed);
                self.news = Some(News {
                    closed_to_all: false,
                    cause: format!("{} of {all} succeeded", all - failed),
                });
            }
            _ => {}
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
    use crate::extension::ParamValue::{self, Choice, Integer, Number, Span};
    use crate::outcome::Outcome::{Errored, Succeeded};

    /// After how many of these ends it opens, one each millisecond.
    fn opens_after(some: &[(&'static str, ParamValue)], ends: &[Outcome]) -> Option<usize> {
        let mut breaker = guard(&GUARD, some);
        (1..=ends.len()).find(|&n| breaker.ended(&ended(n as u64, n as u64, ends[n - 1])))
    }

    #[test]
    fn nothing_is_decided_before_the_minimum_of_calls() {
        assert_eq!(opens_after(&[], &[Errored; 120]), Some(100));
        let few = [("minimum_number_of_calls", Integer(5))];
        assert_eq!(opens_after(&few, &[Errored; 120]), Some(5));
        // A window of four never holds five: four are enough.
        let window = [("sliding_window_size", Integer(4))];
        assert_eq!(opens_after(&window, &[Errored; 120]), Some(4));
    }

    #[test]
    fn half_of_the_window_opens_it_and_less_does_not() {
        let ten = [("sliding_window_size", Integer(10))];
        let mut ends = [Succeeded; 30];
        ends[10..14].fill(Errored);
        assert_eq!(opens_after(&ten, &ends), None, "four of ten");
        ends[14] = Errored;
        assert_eq!(opens_after(&ten, &ends), Some(15), "five of ten");
        let higher = [ten[0].clone(), ("failure_rate_threshold", Number(51.0))];
        assert_eq!(opens_after(&higher, &ends), None);
        // In the whole of a longer window they are a sixth.
        let longer = [("sliding_window_size", Integer(30))];
        assert_eq!(opens_after(&longer, &ends), None);
    }

    #[test]
    fn slow_calls_open_it_although_they_succeed() {
        let some = |share| {
            guard(
                &GUARD,
                &[
                    ("sliding_window_size", Integer(4)),
                    (
                        "slow_call_duration_threshold",
                        Span(Duration::from_millis(10)),
                    ),
                    ("slow_call_rate_threshold", Number(share)),
                ],
            )
        };
        let ends = [(0, 11), (0, 10), (0, 12), (0, 1)];
        for (share, opens) in [(50.0, true), (75.0, false)] {
            let mut breaker = some(share);
            let opened = ends
                .iter()
                .any(|&(from, until)| breaker.ended(&ended(from, until, Succeeded)));
            assert_eq!(opened, opens, "{share}");
        }
        let mut breaker = some(50.0);
        for &(from, until) in &ends {
            breaker.ended(&ended(from, until, Succeeded));
        }
        assert_eq!(
            breaker.news().map(|n| n.cause).as_deref(),
            Some("2 of 4 were slow")
        );
    }

    #[test]
    fn a_window_of_time_forgets_whole_seconds() {
        let some = [
            ("sliding_window_type", Choice(1)),
            ("sliding_window_size", Integer(2)),
            ("minimum_number_of_calls", Integer(3)),
        ];
        let opens = |millis: [u64; 3]| {
            let mut breaker = guard(&GUARD, &some);
            millis.map(|at| breaker.ended(&ended(at, at, Errored)))
        };
        // Seconds 0 and 1 are in the window at 1.999 s, and only 1 and 2 at 2 s.
        assert_eq!(opens([900, 1000, 1999]), [false, false, true]);
        assert_eq!(opens([900, 1000, 2000]), [false, false, false]);
    }

    #[test]
    fn half_open_it_lets_ten_through_and_judges_them_together() {
        let some = [
            ("sliding_window_size", Integer(4)),
            ("minimum_number_of_calls", Integer(50)),
        ];
        for (failing, closes) in [(4, true), (5, false)] {
            let mut breaker = guard(&GUARD, &some);
            for _ in 0..4 {
                breaker.ended(&ended(0, 0, Errored));
            }
            assert!(breaker.news().is_some_and(|news| news.closed_to_all));
            assert!(!passes(&mut breaker, 59_999));
            let passed = (0..20).filter(|_| passes(&mut breaker, 60_000)).count();
            assert_eq!(passed, 10);
            for n in 0..10 {
                let outcome = if n < failing { Errored } else { Succeeded };
                let told = breaker.ended(&ended(60_000, 60_001, outcome));
                assert_eq!(told, n == 9, "it decides when all ten have ended");
            }
            assert!(
                breaker
                    .news()
                    .is_some_and(|news| news.closed_to_all != closes)
            );
            assert_eq!(passes(&mut breaker, 60_002), closes);
        }
    }

    #[test]
    fn half_open_the_minimum_of_calls_is_enough_and_old_calls_count() {
        let some = [("minimum_number_of_calls", Integer(2))];
        let mut breaker = guard(&GUARD, &some);
        for _ in 0..2 {
            breaker.ended(&ended(0, 0, Errored));
        }
        assert!(breaker.news().is_some_and(|news| news.closed_to_all));
        assert!(passes(&mut breaker, 60_000));
        // It began while the breaker was closed the first time.
        assert!(!breaker.ended(&ended(0, 60_001, Succeeded)));
        assert!(breaker.ended(&ended(60_000, 60_002, Succeeded)));
        breaker.news();
        assert!((0..20).all(|_| passes(&mut breaker, 60_003)), "closed");
    }

    #[test]
    fn a_trial_that_tells_nothing_gives_its_permission_back() {
        let mut breaker = guard(
            &GUARD,
            &[
                ("minimum_number_of_calls", Integer(1)),
                ("permitted_number_of_calls_in_half_open_state", Integer(1)),
            ],
        );
        breaker.ended(&ended(0, 0, Errored));
        assert!(passes(&mut breaker, 60_000) && !passes(&mut breaker, 60_000));
        breaker.ended(&ended(60_000, 60_001, Outcome::Cancelled));
        assert!(passes(&mut breaker, 60_002));
    }

    #[test]
    fn a_window_of_time_is_an_hour_at_most() {
        let text = "horizon = \"1s\"\n[[traffic]]\nto = \"web\"\nrate = 1\n[client]\nguards = [{ kind = \"resilience4j-breaker\", sliding_window_type = \"time-based\", sliding_window_size = 3601 }]\n[service.web]\ndemand = \"1ms\"\nserver = [{ name = \"s\", workers = 1 }]\n";
        let problems = crate::scenario::parse(text)
            .expect_err("too long")
            .to_string();
        assert!(problems.contains("3600 seconds at most"), "{problems}");
        assert!(crate::scenario::parse(&text.replace("3601", "3600")).is_ok());
    }
}
