//! Hedge budget: copies are a small share of first attempts.
//!
//! A bucket of tokens, as that of `retry-budget`, but for copies of hedged requests alone: retries neither
//! cost anything nor are stopped. When everything is slow, every request would be copied just when
//! that hurts most; a budget keeps the added load at `ratio`.
//!
//! Dean and Barroso, "The Tail at Scale", CACM 56(2), 2013; Finagle's `BackupRequestFilter` has it as
//! `maxExtraLoad`, 1 % in its documentation.

use super::retry_budget::{Budget, ratio, reserve};
use super::{Asked, GuardDef, PLAIN, SHARED, Stands};
use crate::extension::ExtensionRow;

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "hedge-budget",
        about: "Bounds the copies of hedged requests to a share of first attempts.",
        source: "Dean and Barroso, The Tail at Scale, CACM 56(2), 2013",
        params: &[
            ratio(
                "Tokens earned by a first attempt; a copy costs one.",
                "0.01",
            ),
            reserve("copies"),
            SHARED,
        ],
    },
    stands: Stands::AtCallers,
    build: Budget::boxed,
    asked: Asked::BeforeCopy,
    ..PLAIN
};

#[cfg(test)]
mod tests {
    use super::super::Verdict;
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
