//! Hedge budget: copies are a small share of first attempts.
//!
//! A bucket of tokens, as that of `retry-budget`, but for copies of hedged requests alone: retries neither
//! cost anything nor are stopped. When everything is slow, every request would be copied just when
//! that hurts most; a budget keeps the added load at `ratio`.
//!
//! Dean and Barroso, "The Tail at Scale", CACM 56(2), 2013; Finagle's `BackupRequestFilter` has it as
//! `maxExtraLoad`, 1 % in its documentation.

use super::{Admission, Asked, Guard, GuardDef, PLAIN, SHARED, Stands, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Instant;

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "hedge-budget",
        about: "Bounds the copies of hedged requests to a share of first attempts.",
        source: "Dean and Barroso, The Tail at Scale, CACM 56(2), 2013",
        params: &[
            ParamDef {
                name: "ratio",
                about: "Tokens earned by a first attempt; a copy costs one.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1000.0,
                    unit: "",
                },
                default: Some("0.01"),
            },
            ParamDef {
                name: "reserve",
                about: "Tokens at the start, and the most that can be saved up.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1e9,
                    unit: "copies",
                },
                default: Some("10"),
            },
            SHARED,
        ],
    },
    stands: Stands::AtCallers,
    build: |params| {
        Box::new(HedgeBudget {
            ratio: params.number("ratio"),
            reserve: params.number("reserve"),
            tokens: params.number("reserve"),
        })
    },
    asked: Asked::BeforeCopy,
    ..PLAIN
};

#[derive(Clone, Debug)]
struct HedgeBudget {
    ratio: f64,
    reserve: f64,
    tokens: f64,
}

impl Guard for HedgeBudget {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        if asked.attempt == 1 {
            self.tokens = (self.tokens + self.ratio).min(self.reserve);
        } else if self.tokens >= 1.0 {
            self.tokens -= 1.0;
        } else {
            return Verdict::Stop;
        }
        Verdict::Pass
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("tokens", self.tokens)
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, draws, guard};
    use super::*;
    use crate::extension::ParamValue::Number;

    #[test]
    fn copies_are_paid_for_by_first_attempts() {
        let params = [("ratio", Number(0.25)), ("reserve", Number(1.0))];
        let mut budget = guard(&GUARD, &params);
        let mut admit = |attempt| budget.admit(&asked(0, attempt), &mut draws(0));
        assert_eq!(admit(2), Verdict::Pass, "the reserve");
        for _ in 0..3 {
            assert_eq!(admit(1), Verdict::Pass);
            assert_eq!(admit(2), Verdict::Stop);
        }
        assert_eq!(admit(1), Verdict::Pass);
        assert_eq!(admit(2), Verdict::Pass);
    }
}
