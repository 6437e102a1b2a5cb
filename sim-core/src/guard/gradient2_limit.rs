//! Concurrency limit that finds its own height by the gradient of delay.
//!
//! What an attempt took is compared with what attempts took on average over a long time. As long as it
//! is at most `tolerance` times that, the limit grows towards `headroom` more; beyond, it shrinks in
//! proportion, to a half of it at most; and it goes only a part `smoothing` of the way. While less
//! than half of the limit is in use it stays. An average more than twice what an attempt takes now is
//! one of bad times gone by, and is led down faster. Failures count by the time they took, and for nothing
//! else: the limit does not shrink because of them.
//!
//! The average is the mean of the first ten, and exponential from there on, with the weight 2 / (n + 1) of
//! the latest.
//!
//! `Gradient2Limit` of Netflix's concurrency-limits 0.5, whose defaults these are, but for two things: the
//! number in flight is that when an attempt ends, not when it began, and an answer with an error tells
//! nothing.

use super::concurrency_limit::{QUEUE, WAIT, within};
use super::vegas_limit::{attempts, smoothing};
use super::{Admission, Bounding, Ended, Guard, GuardDef, PLAIN, SHARED, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "gradient2-limit",
        about: "A concurrency limit that shrinks when attempts take longer than they did on average over a long time.",
        source: "Netflix concurrency-limits 0.5, Gradient2Limit",
        params: &[
            attempts("initial", "The limit at the start.", "20"),
            attempts("min", "The least that it shrinks to.", "20"),
            attempts("max", "The most that it grows to.", "200"),
            ParamDef {
                name: "headroom",
                about: "Attempts that may stand in a queue: what the limit grows by while none seems to.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1_000_000_000,
                    unit: "attempts",
                },
                default: Some("4"),
            },
            smoothing("0.2"),
            attempts(
                "window",
                "Over how many attempts the long average reaches.",
                "600",
            ),
            ParamDef {
                name: "tolerance",
                about: "An attempt may take so many times the long average before the limit shrinks.",
                kind: ParamKind::Number {
                    min: 1.0,
                    max: 1000.0,
                    unit: "",
                },
                default: Some("1.5"),
            },
            QUEUE,
            WAIT,
            SHARED,
        ],
    },
    check,
    build: |params| {
        Box::new(Gradient2Limit {
            limit: params.integer("initial") as f64,
            min: params.integer("min") as f64,
            max: params.integer("max") as f64,
            headroom: params.integer("headroom") as f64,
            smoothing: params.number("smoothing"),
            tolerance: params.number("tolerance"),
            weight: 2.0 / (params.integer("window") as f64 + 1.0),
            average_ns: 0.0,
            seen: 0,
            queue: params.integer("queue") as u32,
            wait: params.span("wait"),
        })
    },
    bounds: Bounding::Number(|params| (params.integer("max") + params.integer("queue")) as f64),
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let [min, initial, max] = ["min", "initial", "max"].map(|name| params.integer(name));
    let found = if min > max {
        Some(("min", format!("min = {min} is above max = {max}")))
    } else if initial < min {
        Some((
            "initial",
            format!("initial = {initial} is below min = {min}"),
        ))
    } else if initial > max {
        Some((
            "initial",
            format!("initial = {initial} is above max = {max}"),
        ))
    } else {
        None
    };
    found.map_or(Ok(()), |(param, message)| {
        Err(ParamProblem { param, message })
    })
}

/// Attempts of which the average is a plain mean.
const PLAIN_MEAN: u32 = 10;

#[derive(Clone, Debug)]
struct Gradient2Limit {
    limit: f64,
    min: f64,
    max: f64,
    headroom: f64,
    smoothing: f64,
    tolerance: f64,
    /// Of the latest attempt in the average.
    weight: f64,
    average_ns: f64,
    /// Attempts in the average, as long as it is a mean.
    seen: u32,
    queue: u32,
    wait: Duration,
}

impl Gradient2Limit {
    /// The average with one more in it.
    fn average_with(&mut self, took_ns: f64) -> f64 {
        if self.seen < PLAIN_MEAN {
            let sum = self.average_ns * f64::from(self.seen) + took_ns;
            self.seen += 1;
            self.average_ns = sum / f64::from(self.seen);
        } else {
            self.average_ns = self.average_ns * (1.0 - self.weight) + took_ns * self.weight;
        }
        self.average_ns
    }
}

impl Guard for Gradient2Limit {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        within(self.limit as u32, self.queue, self.wait, asked)
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        if matches!(ended.outcome, Outcome::Cancelled | Outcome::Errored) {
            return false;
        }
        let took_ns = ended.took().0.max(1) as f64;
        let average_ns = self.average_with(took_ns);
        if average_ns / took_ns > 2.0 {
            self.average_ns *= 0.95;
        }
        if f64::from(ended.in_flight) < self.limit / 2.0 {
            return false;
        }
        let gradient = (self.tolerance * average_ns / took_ns).clamp(0.5, 1.0);
        let target = self.limit * gradient + self.headroom;
        let next = self.limit * (1.0 - self.smoothing) + target * self.smoothing;
        self.limit = next.clamp(self.min, self.max);
        false
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("limit", self.limit)
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{guard, limit_after as after};
    use super::*;
    use crate::extension::ParamValue::{Integer, Number};
    use crate::outcome::Outcome::{Cancelled, Errored, Succeeded, TimedOut};

    #[test]
    fn steps_by_hand() {
        let mut limit = guard(&GUARD, &[("initial", Integer(100))]);
        let mut then = |took, in_flight, expected: f64| {
            let found = after(&mut limit, took, in_flight, Succeeded);
            assert!((found - expected).abs() < 1e-9, "{found}, not {expected}");
        };
        // The average is 100 ms: gradient 1, up by 0.2 · 4.
        then(100, 60, 100.8);
        then(100, 60, 101.6);
        // The mean of 100, 100 and 100 is 100, but less than half of the limit is in use.
        then(100, 50, 101.6);
        // The mean of four is 150 ms; 1.5 · 150 / 300 = 0.75: 0.8 · 101.6 + 0.2 · (76.2 + 4).
        then(300, 60, 97.32);
        // The mean of five is 1520 ms; 1.5 · 1520 / 7000 = 0.3257, no less than 0.5.
        then(7000, 60, 0.8 * 97.32 + 0.2 * (0.5 * 97.32 + 4.0));
    }

    #[test]
    fn the_average_is_led_down_after_bad_times() {
        let params = [("initial", Integer(100)), ("tolerance", Number(1.0))];
        let mut limit = guard(&GUARD, &params);
        for _ in 0..10 {
            after(&mut limit, 1000, 1, Succeeded);
        }
        // 1000 · 599/601 + 100 · 2/601 = 997.00 is more than twice 100: 947.15 ms.
        after(&mut limit, 100, 1, Succeeded);
        // 947.15 · 599/601 + 2000 · 2/601 = 950.66 ms: a gradient of 0.5, one of 950.66 / 1100 after it.
        assert!((after(&mut limit, 2000, 60, Succeeded) - 90.8).abs() < 1e-9);
        let average = 950.6575_f64 * 599.0 / 601.0 + 1100.0 * 2.0 / 601.0;
        let expected = 90.8 * (0.8 + 0.2 * average / 1100.0) + 0.8;
        let found = after(&mut limit, 1100, 60, Succeeded);
        assert!((found - expected).abs() < 1e-3, "{found}, not {expected}");
    }

    #[test]
    fn failures_count_by_their_time_only() {
        let mut limit = guard(&GUARD, &[]);
        assert!((after(&mut limit, 100, 20, TimedOut) - 20.8).abs() < 1e-9);
        assert!((after(&mut limit, 900, 20, Errored) - 20.8).abs() < 1e-9);
        assert!((after(&mut limit, 900, 20, Cancelled) - 20.8).abs() < 1e-9);
        // 1.5 times the mean of 100 and 900 ms is less than 900: by the time that it took.
        let expected = 20.8 * (0.8 + 0.2 * 750.0 / 900.0) + 0.8;
        assert!((after(&mut limit, 900, 20, TimedOut) - expected).abs() < 1e-9);
    }

    #[test]
    fn bounds_that_cross_are_named() {
        let bounds = |min, initial, max| {
            let bounds = [("min", min), ("initial", initial), ("max", max)];
            let values = bounds.map(|(name, value)| (name, Integer(value))).to_vec();
            check(&Params::new(values)).map_err(|problem| problem.message)
        };
        assert_eq!(bounds(5, 5, 5), Ok(()));
        assert_eq!(bounds(9, 9, 5), Err("min = 9 is above max = 5".to_owned()));
        assert_eq!(
            bounds(5, 4, 9),
            Err("initial = 4 is below min = 5".to_owned())
        );
        assert_eq!(
            bounds(5, 10, 9),
            Err("initial = 10 is above max = 9".to_owned())
        );
    }
}
