//! Concurrency limit that finds its own height: additive increase, multiplicative decrease.
//!
//! Each success raises the limit by one, while at least half of it is in use; each failure, or
//! success slower than `slow`, multiplies it by `backoff`. It swings about what the other side can
//! take, as a TCP connection does about its share of a link.
//!
//! Chiu and Jain, "Analysis of the increase and decrease algorithms for congestion avoidance in
//! computer networks", Computer Networks and ISDN Systems 17, 1989; in this form `AIMDLimit` of
//! Netflix's concurrency-limits 0.5, whose defaults these are.

use super::concurrency_limit::{QUEUE, WAIT, within};
use super::{Admission, Bounding, Ended, Guard, GuardDef, PLAIN, SHARED, Verdict, slow};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::{Duration, Instant};

const fn limit(name: &'static str, about: &'static str, default: &'static str) -> ParamDef {
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

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "aimd-limit",
        about: "A concurrency limit that grows by one with each success and shrinks by a factor with each failure.",
        source: "Chiu and Jain, Computer Networks and ISDN Systems 17, 1989; Netflix concurrency-limits 0.5, AIMDLimit",
        params: &[
            limit("initial", "The limit at the start.", "20"),
            limit("min", "The least that it shrinks to.", "20"),
            limit("max", "The most that it grows to.", "200"),
            ParamDef {
                name: "backoff",
                about: "The limit after a failure, as a share of that before.",
                kind: ParamKind::Number {
                    min: 0.1,
                    max: 0.999,
                    unit: "",
                },
                default: Some("0.9"),
            },
            slow("5s"),
            QUEUE,
            WAIT,
            SHARED,
        ],
    },
    check,
    build: |params| {
        Box::new(AimdLimit {
            limit: params.integer("initial") as u32,
            min: params.integer("min") as u32,
            max: params.integer("max") as u32,
            backoff: params.number("backoff"),
            slow: params.span("slow"),
            queue: params.integer("queue") as u32,
            wait: params.span("wait"),
        })
    },
    bounds: Bounding::Number(|params| (params.integer("max") + params.integer("queue")) as f64),
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let [min, initial, max] = ["min", "initial", "max"].map(|name| params.integer(name));
    let outside = |param, other: &str, value| ParamProblem {
        param,
        message: format!("{param} = {initial} does not lie within {other} = {value}"),
    };
    if min > max {
        return Err(ParamProblem {
            param: "min",
            message: format!("min = {min} is above max = {max}"),
        });
    }
    if initial < min {
        return Err(outside("initial", "min", min));
    }
    if initial > max {
        return Err(outside("initial", "max", max));
    }
    Ok(())
}

#[derive(Clone, Debug)]
struct AimdLimit {
    limit: u32,
    min: u32,
    max: u32,
    backoff: f64,
    slow: Duration,
    queue: u32,
    wait: Duration,
}

impl Guard for AimdLimit {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        within(self.limit, self.queue, self.wait, asked)
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        let limit = match ended.failed(self.slow) {
            Some(true) => (f64::from(self.limit) * self.backoff) as u32,
            Some(false) if u64::from(ended.in_flight) * 2 >= u64::from(self.limit) => {
                self.limit + 1
            }
            _ => self.limit,
        };
        self.limit = limit.clamp(self.min, self.max);
        false
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("limit", f64::from(self.limit))
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{ended, guard};
    use super::*;
    use crate::extension::ParamValue::Integer;
    use crate::outcome::Outcome::{Cancelled, Errored, Succeeded};

    #[test]
    fn bounds_that_cross_are_named() {
        let bounds = |min, initial, max| {
            let bounds = [("min", min), ("initial", initial), ("max", max)];
            let values = bounds.map(|(name, value)| (name, Integer(value))).to_vec();
            check(&Params::new(values)).map_err(|problem| (problem.param, problem.message))
        };
        let found = bounds(20, 10, 5).expect_err("they cross");
        assert_eq!(found, ("min", "min = 20 is above max = 5".to_owned()));
        assert_eq!(bounds(1, 9, 5).expect_err("above").0, "initial");
        assert_eq!(bounds(5, 5, 5), Ok(()));
    }

    #[test]
    fn grows_by_one_and_shrinks_by_a_tenth() {
        let mut aimd = guard(&GUARD, &[("min", Integer(2)), ("max", Integer(21))]);
        let mut after = |outcome, took, in_flight| {
            aimd.ended(&Ended {
                in_flight,
                ..ended(0, took, outcome)
            });
            aimd.gauge(Instant::ZERO).1 as u32
        };
        assert_eq!(after(Succeeded, 1, 9), 20, "less than half is in use");
        assert_eq!(after(Succeeded, 1, 10), 21);
        assert_eq!(after(Succeeded, 1, 20), 21, "at most");
        assert_eq!(after(Cancelled, 1, 20), 21, "nothing learnt");
        assert_eq!(after(Errored, 1, 20), 18);
        assert_eq!(after(Succeeded, 5_001, 20), 16, "slow is as bad");
        for _ in 0..30 {
            after(Errored, 1, 1);
        }
        assert_eq!(after(Errored, 1, 1), 2, "at least");
    }
}
