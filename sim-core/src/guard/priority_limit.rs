//! Concurrency limit of which the less important may use less.
//!
//! A request of priority p is let in while fewer are in flight than its share of the limit: `shares` lists
//! them from priority 0 on, and the last is that of all further ones. So the least important are refused first,
//! and what they may not use is kept free for the others.
//!
//! Ballard and others, "Enhancing Netflix Reliability with Service-Level Prioritized Load Shedding",
//! Netflix Technology Blog, 2024; telephony knows it as trunk reservation.

use super::concurrency_limit::{QUEUE, WAIT, within};
use super::{Admission, Bounding, Guard, GuardDef, PLAIN, SHARED, Sees, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::{Duration, Instant};
use std::sync::Arc;

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "priority-limit",
        about: "A concurrency limit of which requests of a higher priority number may use a smaller share.",
        source: "Enhancing Netflix Reliability with Service-Level Prioritized Load Shedding, Netflix Technology Blog, 2024",
        params: &[
            ParamDef {
                name: "limit",
                about: "Attempts that may be in flight.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 4_000_000_000,
                    unit: "attempts",
                },
                default: None,
            },
            ParamDef {
                name: "shares",
                about: "What share of the limit may be in use when one of each priority comes, from priority 0 on; the last is for all further ones.",
                kind: ParamKind::Numbers { min: 0.0, max: 1.0 },
                default: Some("[1, 0.8, 0.6]"),
            },
            QUEUE,
            WAIT,
            SHARED,
        ],
    },
    check,
    build: |params| {
        Box::new(PriorityLimit {
            limit: params.integer("limit") as u32,
            shares: params.numbers("shares").clone(),
            queue: params.integer("queue") as u32,
            wait: params.span("wait"),
        })
    },
    sees: |_| Sees::All,
    bounds: Bounding::Number(|params| (params.integer("limit") + params.integer("queue")) as f64),
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let shares = params.numbers("shares");
    let problem = |message: String| {
        Err(ParamProblem {
            param: "shares",
            message,
        })
    };
    if shares.is_empty() {
        return problem("no shares: say at least that of priority 0".to_owned());
    }
    let rises = shares.windows(2).position(|pair| pair[0] < pair[1]);
    if let Some(at) = rises {
        let (less, more) = (shares[at], shares[at + 1]);
        return problem(format!(
            "priority {} would have a share of {more}, more than the {less} of priority {at}, which is more important",
            at + 1
        ));
    }
    Ok(())
}

#[derive(Clone, Debug)]
struct PriorityLimit {
    limit: u32,
    shares: Arc<[f64]>,
    queue: u32,
    wait: Duration,
}

impl Guard for PriorityLimit {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        let last = self.shares.len() - 1;
        let share = self.shares[(asked.who.priority as usize).min(last)];
        let limit = (f64::from(self.limit) * share) as u32;
        if limit == 0 {
            return Verdict::Refuse;
        }
        within(limit, self.queue, self.wait, asked)
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
    use super::super::Who;
    use super::super::testing::{asked, draws, guard, shares};
    use super::*;
    use crate::extension::ParamValue::Integer;

    #[test]
    fn the_less_important_are_refused_first() {
        let params = [("limit", Integer(10)), shares(&[1.0, 0.5, 0.0])];
        let mut limit = guard(&GUARD, &params);
        let mut passes = |priority, in_flight| {
            let who = Who {
                priority,
                ..Who::default()
            };
            let asked = Admission {
                in_flight,
                who,
                ..asked(0, 1)
            };
            limit.admit(&asked, &mut draws(0)) == Verdict::Pass
        };
        assert_eq!([passes(0, 9), passes(0, 10)], [true, false]);
        assert_eq!([passes(1, 4), passes(1, 5)], [true, false]);
        assert_eq!([passes(2, 0), passes(9, 0)], [false, false]);
    }

    #[test]
    fn shares_that_rise_are_named() {
        let of = |given: &[f64]| check(&Params::new(vec![shares(given)]));
        assert_eq!(of(&[1.0, 1.0, 0.2]), Ok(()));
        assert!(of(&[]).is_err());
        let message = of(&[0.5, 0.6]).expect_err("they rise").message;
        assert!(
            message.contains("more than the 0.5 of priority 0"),
            "{message}"
        );
    }
}
