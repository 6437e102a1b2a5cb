//! Retry budget.
//!
//! A bucket of tokens: each first attempt earns a share of one, each retry and each copy of a
//! hedged request costs one, and without a token the caller makes do with the failure it has. In the
//! long run retries stay below `ratio` of the first attempts, however many of these fail.
//!
//! "Site Reliability Engineering", O'Reilly 2016, chapter 21; Finagle's `RetryBudget` (there tokens
//! also expire).

use super::{Admission, Asked, Guard, GuardDef, PLAIN, SHARED, Stands, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::time::Instant;

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "retry-budget",
        about: "Bounds retries and copies to a share of first attempts.",
        source: "Site Reliability Engineering, O'Reilly 2016, chapter 21",
        params: &[
            ratio(
                "Tokens earned by a first attempt; a retry costs one.",
                "0.1",
            ),
            reserve("retries"),
            SHARED,
        ],
    },
    stands: Stands::AtCallers,
    build: Budget::boxed,
    asked: Asked::BeforePause,
    ..PLAIN
};

/// What a first attempt earns.
pub(super) const fn ratio(about: &'static str, default: &'static str) -> ParamDef {
    ParamDef {
        name: "ratio",
        about,
        kind: ParamKind::Number {
            min: 0.0,
            max: 1000.0,
            unit: "",
        },
        default: Some(default),
    }
}

/// What can be saved up, in what it is spent on.
pub(super) const fn reserve(unit: &'static str) -> ParamDef {
    ParamDef {
        name: "reserve",
        about: "Tokens at the start, and the most that can be saved up.",
        kind: ParamKind::Number {
            min: 0.0,
            max: 1e9,
            unit,
        },
        default: Some("10"),
    }
}

/// The bucket: first attempts fill it, whatever else is asked about empties it.
#[derive(Clone, Debug)]
pub(super) struct Budget {
    ratio: f64,
    reserve: f64,
    tokens: f64,
}

impl Budget {
    pub(super) fn boxed(params: &Params) -> Box<dyn Guard> {
        Box::new(Self {
            ratio: params.number("ratio"),
            reserve: params.number("reserve"),
            tokens: params.number("reserve"),
        })
    }
}

impl Guard for Budget {
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
    fn retries_are_paid_for_by_first_attempts() {
        let params = [("ratio", Number(0.5)), ("reserve", Number(1.0))];
        let mut budget = guard(&GUARD, &params);
        let mut admit = |attempt| budget.admit(&asked(0, attempt), &mut draws(0));
        assert_eq!(admit(2), Verdict::Pass, "the reserve");
        assert_eq!(admit(2), Verdict::Stop);
        assert_eq!(admit(1), Verdict::Pass);
        assert_eq!(admit(3), Verdict::Stop, "half a token");
        assert_eq!(admit(1), Verdict::Pass);
        assert_eq!(admit(2), Verdict::Pass);
        for _ in 0..9 {
            admit(1);
        }
        assert_eq!(
            (admit(2), admit(2)),
            (Verdict::Pass, Verdict::Stop),
            "no more than the reserve"
        );
    }
}
