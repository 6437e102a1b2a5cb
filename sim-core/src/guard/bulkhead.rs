//! Bulkhead: a part of a limit for each class, so that no class can sink the others.
//!
//! Each class has its share of the limit, at least one. Alone it cannot have more; with `borrow` it may,
//! while less than the whole limit is in use: then a share is what is guaranteed, not what is allowed.
//! A route or a call of its own is kept apart by a `concurrency-limit` of its client.
//!
//! Nygard, "Release It!", 2007, chapter 5; with `borrow` as `AbstractPartitionedLimiter` of Netflix's
//! concurrency-limits 0.5.

use super::{Admission, Bounding, Guard, GuardDef, PLAIN, SHARED, Sees, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Instant;
use std::sync::Arc;

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "bulkhead",
        about: "A limit of which each class has a share of its own, guaranteed or at most.",
        source: "Nygard, Release It!, 2007, chapter 5; Netflix concurrency-limits 0.5, AbstractPartitionedLimiter",
        params: &[
            ParamDef {
                name: "limit",
                about: "Attempts that may be in flight, of all classes together.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 4_000_000_000,
                    unit: "attempts",
                },
                default: None,
            },
            ParamDef {
                name: "shares",
                about: "Shares of the limit, in the order of the classes; the last is that of each further class.",
                kind: ParamKind::Numbers { min: 0.0, max: 1.0 },
                default: Some("[0.5]"),
            },
            ParamDef {
                name: "borrow",
                about: "Whether a class may have more than its share while the whole limit is not in use.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            SHARED,
        ],
    },
    check,
    build: |params| {
        Box::new(Bulkhead {
            limit: params.integer("limit") as u32,
            shares: params.numbers("shares").clone(),
            borrow: params.flag("borrow"),
        })
    },
    sees: |_| Sees::Class,
    bounds: Bounding::Perhaps,
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let shares = params.numbers("shares");
    let sum: f64 = shares.iter().sum();
    let message = if shares.is_empty() {
        "no shares: say at least that of the first class".to_owned()
    } else if sum > 1.0 + 1e-9 {
        format!("the shares add up to {sum}, more than the whole limit")
    } else {
        return Ok(());
    };
    Err(ParamProblem {
        param: "shares",
        message,
    })
}

#[derive(Clone, Debug)]
struct Bulkhead {
    limit: u32,
    shares: Arc<[f64]>,
    borrow: bool,
}

impl Guard for Bulkhead {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        let last = self.shares.len() - 1;
        let share = self.shares[asked.who.class.min(last)];
        let own = libm::ceil(f64::from(self.limit) * share).max(1.0) as u32;
        if asked.alike < own || self.borrow && asked.in_flight < self.limit {
            Verdict::Pass
        } else {
            Verdict::Refuse
        }
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
    use crate::extension::ParamValue::{Flag, Integer};

    fn passes(borrow: bool, class: usize, alike: u32, in_flight: u32) -> bool {
        let borrow = ("borrow", Flag(borrow));
        let params = [("limit", Integer(9)), shares(&[0.5, 0.2]), borrow];
        let who = Who {
            class,
            ..Who::default()
        };
        let asked = Admission {
            in_flight,
            who,
            alike,
            ..asked(0, 1)
        };
        guard(&GUARD, &params).admit(&asked, &mut draws(0)) == Verdict::Pass
    }

    #[test]
    fn each_class_has_its_share_rounded_up() {
        // 4.5 of 9 are 5, 1.8 are 2, also for a third class.
        let found = [4, 5].map(|alike| passes(false, 0, alike, alike));
        assert_eq!(found, [true, false]);
        for class in [1, 2, 9] {
            let found = [1, 2].map(|alike| passes(false, class, alike, alike));
            assert_eq!(found, [true, false], "class {class}");
        }
    }

    #[test]
    fn who_borrows_is_refused_only_when_all_is_in_use() {
        assert!(passes(true, 0, 8, 8));
        assert!(!passes(true, 0, 9, 9));
        // The other class has its share all the same.
        assert!(passes(true, 1, 1, 10));
        assert!(!passes(true, 1, 2, 10));
    }

    #[test]
    fn more_than_the_whole_is_refused() {
        let of = |given: &[f64]| check(&Params::new(vec![shares(given)])).map_err(|p| p.message);
        assert_eq!(of(&[0.7, 0.2, 0.1]), Ok(()));
        assert!(of(&[]).is_err());
        let message = "the shares add up to 1.25, more than the whole limit";
        assert_eq!(of(&[0.75, 0.5]), Err(message.to_owned()));
    }
}
