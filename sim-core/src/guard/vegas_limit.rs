//! Concurrency limit that finds its own height by delay: TCP Vegas.
//!
//! The shortest time an attempt took is what it takes without a queue. One that took longer says how much
//! of the limit stands in a queue: limit · (1 - shortest / took), rounded up. With hardly any the limit
//! grows fast, with a little it grows, with much it shrinks, and so it does when an attempt fails. While
//! less than half of the limit is in use, nothing is learnt. Now and then the shortest time is measured
//! anew, lest one lucky attempt keep the limit low for ever.
//!
//! Steps and thresholds are multiples of lg, the whole part of the limit's decimal logarithm, at least 1.
//!
//! `VegasLimit` of Netflix's concurrency-limits 0.5, whose defaults these are, but for two things: the
//! number in flight is that when an attempt ends, not when it began, and an answer with an error tells
//! nothing. After Brakmo and Peterson, "TCP Vegas", IEEE JSAC 13(8), 1995.

use super::concurrency_limit::{QUEUE, WAIT, within};
use super::{Admission, Bounding, Ended, Guard, GuardDef, PLAIN, SHARED, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::outcome::Outcome;
use crate::time::Instant;

/// A number of attempts.
pub(super) const fn attempts(
    name: &'static str,
    about: &'static str,
    default: &'static str,
) -> ParamDef {
    ParamDef {
        name,
        about,
        kind: ParamKind::Integer {
            min: 1,
            max: 1_000_000_000,
            unit: "attempts",
        },
        default: Some(default),
    }
}

/// The part of a new value in the next.
pub(super) const fn smoothing(default: &'static str) -> ParamDef {
    ParamDef {
        name: "smoothing",
        about: "How far the limit moves towards its new value; 1 takes it as it is.",
        kind: ParamKind::Number {
            min: 0.001,
            max: 1.0,
            unit: "",
        },
        default: Some(default),
    }
}

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "vegas-limit",
        about: "A concurrency limit that grows while attempts take no longer than the shortest did, and shrinks with the queue that they seem to stand in.",
        source: "Netflix concurrency-limits 0.5, VegasLimit; Brakmo and Peterson, IEEE JSAC 13(8), 1995",
        params: &[
            attempts("initial", "The limit at the start.", "20"),
            attempts("max", "The most that it grows to.", "1000"),
            smoothing("1"),
            ParamDef {
                name: "probe",
                about: "The shortest time is measured anew after so many attempts for each of the limit, or down to half of that.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1_000_000,
                    unit: "",
                },
                default: Some("30"),
            },
            QUEUE,
            WAIT,
            SHARED,
        ],
    },
    check,
    build: |params| {
        Box::new(VegasLimit {
            limit: params.integer("initial") as f64,
            max: params.integer("max") as f64,
            smoothing: params.number("smoothing"),
            probe: params.integer("probe") as f64,
            shortest_ns: 0,
            since_probe: 0,
            jitter: 1.0,
            next_jitter: 1.0,
            queue: params.integer("queue") as u32,
            wait: params.span("wait"),
        })
    },
    bounds: Bounding::Number(|params| (params.integer("max") + params.integer("queue")) as f64),
    ..PLAIN
};

/// A limit above the highest would shrink at once.
fn check(params: &Params) -> Result<(), ParamProblem> {
    let [initial, max] = ["initial", "max"].map(|name| params.integer(name));
    if initial > max {
        return Err(ParamProblem {
            param: "initial",
            message: format!("initial = {initial} is above max = {max}"),
        });
    }
    Ok(())
}

#[derive(Clone, Debug)]
struct VegasLimit {
    limit: f64,
    max: f64,
    smoothing: f64,
    probe: f64,
    /// The shortest time an attempt took since it was last measured anew; 0: it has not been yet.
    shortest_ns: u64,
    /// Attempts since then.
    since_probe: u64,
    /// In [0.5, 1): what part of the usual number of attempts passes until then.
    jitter: f64,
    /// The one after, drawn when attempts come: there are no draws when they end.
    next_jitter: f64,
    queue: u32,
    wait: crate::time::Duration,
}

/// The whole part of a decimal logarithm, at least 1.
fn lg(limit: f64) -> f64 {
    f64::from((limit as u64).max(1).ilog10().max(1))
}

impl VegasLimit {
    /// The limit after an attempt that took so long.
    fn next(&self, took_ns: u64, in_flight: u32, failed: bool) -> f64 {
        let (limit, lg) = (self.limit, lg(self.limit));
        let queued = libm::ceil(limit * (1.0 - self.shortest_ns as f64 / took_ns as f64));
        if failed {
            return limit - lg;
        }
        if f64::from(in_flight) * 2.0 < limit {
            return limit;
        }
        if queued <= lg {
            limit + 6.0 * lg
        } else if queued < 3.0 * lg {
            limit + lg
        } else if queued > 6.0 * lg {
            limit - lg
        } else {
            limit
        }
    }
}

impl Guard for VegasLimit {
    fn admit(&mut self, asked: &Admission, draws: &mut Draws) -> Verdict {
        self.next_jitter = 0.5 + draws.uniform() / 2.0;
        within(self.limit as u32, self.queue, self.wait, asked)
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        let failed = match ended.outcome {
            Outcome::Cancelled | Outcome::Errored => return false,
            Outcome::Succeeded => false,
            _ => true,
        };
        let took_ns = ended.took().0.max(1);
        self.since_probe += 1;
        let due = self.jitter * self.probe * self.limit <= self.since_probe as f64;
        if due {
            (self.since_probe, self.jitter) = (0, self.next_jitter);
        }
        if due || self.shortest_ns == 0 || took_ns < self.shortest_ns {
            self.shortest_ns = took_ns;
            return false;
        }
        let next = self.next(took_ns, ended.in_flight, failed);
        let next = next.clamp(1.0, self.max);
        self.limit += self.smoothing * (next - self.limit);
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
    use super::super::testing::{asked, draws, guard, limit_after as after};
    use super::*;
    use crate::extension::ParamValue::{Integer, Number};
    use crate::outcome::Outcome::{Cancelled, Errored, Succeeded, TimedOut};

    #[test]
    fn steps_by_hand() {
        let mut vegas = guard(&GUARD, &[]);
        let mut then = |took, in_flight| after(&mut vegas, took, in_flight, Succeeded) as u64;
        assert_eq!(then(100, 20), 20, "the first is the shortest");
        // ceil(20 (1 - 100/105)) = 1 ≤ lg 20 = 1: up by 6.
        assert_eq!(then(105, 20), 26);
        // ceil(26 (1 - 100/106)) = 2 < 3: up by 1.
        assert_eq!(then(106, 20), 27);
        // ceil(27 (1 - 100/112)) = 3, neither below 3 nor above 6.
        assert_eq!(then(112, 20), 27);
        // ceil(27 (1 - 100/135)) = 7 > 6: down by 1.
        assert_eq!(then(135, 20), 26);
        assert_eq!(then(100, 12), 26, "less than half of it is in use");
        assert_eq!(then(90, 20), 26, "a new shortest");
        // ceil(26 (1 - 90/100)) = 3 again.
        assert_eq!(then(100, 20), 26);
    }

    #[test]
    fn failures_shrink_it_and_errors_tell_nothing() {
        let initial = [("initial", Integer(300))];
        let mut vegas = guard(&GUARD, &initial);
        let mut then = |took, outcome| after(&mut vegas, took, 1, outcome) as u64;
        assert_eq!(then(100, Succeeded), 300);
        assert_eq!(then(150, Errored), 300);
        assert_eq!(then(150, Cancelled), 300);
        assert_eq!(then(150, TimedOut), 298, "by lg 300 = 2");
        for _ in 0..300 {
            then(150, TimedOut);
        }
        assert_eq!(then(150, TimedOut), 1, "at least");
    }

    #[test]
    fn the_logarithm_of_netflix() {
        let found = [1.0, 9.9, 10.0, 99.9, 100.0, 999.0, 1000.0].map(|n| lg(n) as u64);
        assert_eq!(found, [1, 1, 1, 1, 2, 2, 3]);
    }

    #[test]
    fn smoothing_goes_a_part_of_the_way() {
        let params = [("smoothing", Number(0.5))];
        let mut vegas = guard(&GUARD, &params);
        after(&mut vegas, 100, 20, Succeeded);
        assert!((after(&mut vegas, 100, 20, Succeeded) - 23.0).abs() < 1e-9);
    }

    #[test]
    fn the_shortest_time_is_measured_anew() {
        // At most 2 · 20 attempts after the last time, at least half of that.
        let params = [("probe", Integer(2)), ("max", Integer(20))];
        let mut vegas = guard(&GUARD, &params);
        vegas.admit(&asked(0, 1), &mut draws(3));
        after(&mut vegas, 10, 20, Succeeded);
        let mut limits = (0..160).map(|_| after(&mut vegas, 100, 20, Succeeded) as u64);
        let fell = limits.by_ref().take_while(|limit| *limit != 19).count();
        assert_eq!(fell, 0, "a queue of 18");
        // It goes on down until 100 ms are what it takes without a queue, and up again.
        let least = limits.by_ref().min().unwrap_or(0);
        assert!(least < 10, "{least}");
        assert_eq!(vegas.gauge(Instant::ZERO).1 as u64, 20);
    }
}
