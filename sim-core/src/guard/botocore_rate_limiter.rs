//! The rate limiter that botocore's retry mode `adaptive` adds to `standard`.
//!
//! It measures the rate of answers, in half seconds of the clock and smoothed, and does nothing until the first that
//! says that it is throttled. Then the rate is cut to seven tenths of what was measured, and grows back as CUBIC
//! does: flat around the rate at which it happened, steep beyond it, never above twice the measured rate. Each
//! attempt takes a token of a bucket that fills at that rate, half a token a second at least, and waits for
//! one where there is none. What the bucket gathered before it mattered can be used at once.
//!
//! Who waits keeps the wait that was worked out when he came; in botocore it is worked out anew when the rate
//! changes, which makes a difference only where several requests wait. botocore 1.44.8, retries/adaptive.py,
//! bucket.py and throttling.py, observed.

use super::{Admission, Ended, Guard, GuardDef, PLAIN, SHARED, Stands, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "botocore-rate-limiter",
        about: "The rate limiter of botocore's adaptive mode: from the first throttled answer on attempts wait for a rate that is cut and grows back.",
        source: "botocore 1.44.8, retry mode adaptive, retries/adaptive.py, observed",
        params: &[
            ParamDef {
                name: "errors",
                about: "What an answered error is: a \"failure\" like others, or \"throttling\", as what admission control turns away is.",
                kind: ParamKind::Choice(&["failure", "throttling"]),
                default: Some("failure"),
            },
            SHARED,
        ],
    },
    stands: Stands::AtCallers,
    build: |params| {
        Box::new(RateLimiter {
            errors_throttle: params.choice("errors") == 1,
            state: None,
        })
    },
    ..PLAIN
};

/// Parts of the measured rate: what the last half second counts, and how long that is.
const SMOOTHING: f64 = 0.8;
const BUCKET_S: f64 = 0.5;
/// CUBIC: how steep it is, and what is left of the rate after throttling.
const SCALE: f64 = 0.4;
const BETA: f64 = 0.7;
/// The most that the rate becomes, in measured rates, and the least, in tokens a second.
const MOST: f64 = 2.0;
const LEAST: f64 = 0.5;

#[derive(Clone, Debug)]
struct RateLimiter {
    errors_throttle: bool,
    /// From the first attempt on, with which a client begins its life.
    state: Option<State>,
}

#[derive(Clone, Debug)]
struct State {
    enabled: bool,
    // The measured rate: answers since the half second that was counted last.
    measured: f64,
    last_bucket: f64,
    count: f64,
    // CUBIC.
    w_max: f64,
    k: f64,
    last_fail: f64,
    // The bucket. Below zero are the tokens of those who wait.
    fill_rate: f64,
    capacity: f64,
    tokens: f64,
    refilled: f64,
}

impl State {
    fn new(now: f64) -> Self {
        Self {
            enabled: false,
            measured: 0.0,
            last_bucket: libm::floor(now),
            count: 0.0,
            w_max: 0.0,
            k: 0.0,
            last_fail: now,
            fill_rate: 1.0,
            capacity: 1.0,
            tokens: 0.0,
            refilled: now,
        }
    }

    fn measure(&mut self, now: f64) -> f64 {
        let bucket = libm::floor(now / BUCKET_S) * BUCKET_S;
        self.count += 1.0;
        if bucket > self.last_bucket {
            let rate = self.count / (bucket - self.last_bucket);
            self.measured = rate * SMOOTHING + self.measured * (1.0 - SMOOTHING);
            self.count = 0.0;
            self.last_bucket = bucket;
        }
        self.measured
    }

    fn refill(&mut self, now: f64) {
        let filled = self.tokens + (now - self.refilled) * self.fill_rate;
        self.tokens = filled.min(self.capacity);
        self.refilled = now;
    }

    fn answered(&mut self, now: f64, throttled: bool) {
        let measured = self.measure(now);
        let rate = if throttled {
            self.w_max = if self.enabled {
                measured.min(self.fill_rate)
            } else {
                measured
            };
            self.k = libm::pow(self.w_max * (1.0 - BETA) / SCALE, 1.0 / 3.0);
            self.last_fail = now;
            self.enabled = true;
            self.w_max * BETA
        } else {
            SCALE * libm::pow(now - self.last_fail - self.k, 3.0) + self.w_max
        };
        let rate = rate.min(MOST * measured);
        self.refill(now);
        self.fill_rate = rate.max(LEAST);
        self.capacity = rate.max(1.0);
        self.tokens = self.tokens.min(self.capacity);
    }

    /// Takes a token; for how long it must be waited for.
    fn take(&mut self, now: f64) -> f64 {
        self.refill(now);
        self.tokens -= 1.0;
        (-self.tokens / self.fill_rate).max(0.0)
    }
}

impl Guard for RateLimiter {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        let now = asked.now.as_secs_f64();
        let state = self.state.get_or_insert_with(|| State::new(now));
        if !state.enabled {
            return Verdict::Pass;
        }
        let wait = Duration::from_nanos_f64(state.take(now) * 1e9);
        if wait.is_zero() {
            Verdict::Pass
        } else {
            Verdict::Delay(wait)
        }
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        let throttled = match ended.outcome {
            // Nobody waited for it any more.
            Outcome::Cancelled => return false,
            Outcome::Shed => true,
            Outcome::Errored => self.errors_throttle,
            _ => false,
        };
        if let Some(state) = &mut self.state {
            state.answered(ended.now.as_secs_f64(), throttled);
        }
        false
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        let limited = self.state.as_ref().filter(|state| state.enabled);
        ("rate", limited.map_or(0.0, |state| state.fill_rate))
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, draws, ended, guard};
    use super::*;
    use crate::outcome::Outcome::{Errored, Shed, Succeeded};

    /// Sends one attempt; the milliseconds that it waits.
    fn send(guard: &mut Box<dyn Guard>, millis: u64) -> f64 {
        match guard.admit(&asked(millis, 1), &mut draws(0)) {
            Verdict::Pass => 0.0,
            Verdict::Delay(span) => span.as_secs_f64() * 1e3,
            other => panic!("{other:?}"),
        }
    }

    fn rate(guard: &dyn Guard) -> f64 {
        guard.gauge(Instant::ZERO).1
    }

    /// Twenty a second for so many milliseconds, all answered at once.
    fn steady(guard: &mut Box<dyn Guard>, from: u64, until: u64) {
        for at in (from..until).step_by(50) {
            send(guard, at);
            guard.ended(&ended(at, at, Succeeded));
        }
    }

    /// B3: the first answer is throttled: half a token a second, of which there is none.
    #[test]
    fn throttled_at_once_it_waits_for_two_seconds() {
        let mut limiter = guard(&GUARD, &[]);
        assert!(send(&mut limiter, 0) <= 0.0);
        limiter.ended(&ended(0, 8, Shed));
        assert!((rate(&*limiter) - 0.5).abs() < 1e-12);
        let wait = send(&mut limiter, 8);
        // Since its start the bucket has filled at one a second.
        assert!((wait - (1.0 - 0.008) / 0.5 * 1e3).abs() < 1e-3, "{wait}");
    }

    /// B3: 20/s become 14.0/s at once, k = 2.47 s, and 2.5 s later they are 20 again.
    #[test]
    fn it_is_cut_to_seven_tenths_and_grows_back() {
        let mut limiter = guard(&GUARD, &[]);
        steady(&mut limiter, 0, 10_000);
        assert!(rate(&*limiter) <= 0.0, "nothing was throttled yet");
        send(&mut limiter, 10_000);
        limiter.ended(&ended(10_000, 10_000, Shed));
        let cut = rate(&*limiter);
        assert!((cut - 14.0).abs() < 0.01, "{cut}");
        steady(&mut limiter, 10_050, 12_400);
        let back = rate(&*limiter);
        assert!((19.9..20.1).contains(&back), "{back}");
        steady(&mut limiter, 12_400, 13_500);
        let beyond = rate(&*limiter);
        assert!((20.2..=40.1).contains(&beyond), "{beyond}");
    }

    #[test]
    fn errors_throttle_only_where_they_say_so() {
        use crate::extension::ParamValue::Choice;
        for (errors, limited) in [(0, false), (1, true)] {
            let mut limiter = guard(&GUARD, &[("errors", Choice(errors))]);
            send(&mut limiter, 0);
            limiter.ended(&ended(0, 1, Errored));
            assert_eq!(rate(&*limiter) > 0.0, limited);
        }
    }

    #[test]
    fn who_waits_takes_the_token_of_nobody_else() {
        let mut limiter = guard(&GUARD, &[]);
        send(&mut limiter, 0);
        limiter.ended(&ended(0, 0, Shed));
        let waits = [0, 0, 0].map(|at| send(&mut limiter, at));
        for (wait, expected) in waits.into_iter().zip([2000.0, 4000.0, 6000.0]) {
            assert!(
                (wait - expected).abs() < 1e-9,
                "{wait}, expected {expected}"
            );
        }
        assert!(send(&mut limiter, 8000) <= 0.0, "at half a token a second");
    }
}
