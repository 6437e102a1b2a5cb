//! The breaker of pybreaker.
//!
//! It opens after five failures in a row for a minute. Its lock is held while the function runs, so that calls through one
//! breaker go one after the other, whatever its state: ten calls of 0.2 s take two seconds.

use super::circuit_breaker::{CircuitBreaker, Others, in_a_row, until_trial};
use super::{Bounding, GuardDef, PLAIN, SHARED};
use crate::extension::ExtensionRow;

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "pybreaker",
        about: "The breaker of pybreaker, which holds its lock while a call runs: one attempt at a time passes, also while it is closed.",
        source: "pybreaker 1.4.1, observed",
        params: &[
            in_a_row("fail_max"),
            until_trial("reset_timeout", "60s"),
            SHARED,
        ],
    },
    build: |params| {
        let breaker = CircuitBreaker::new(
            params.integer("fail_max") as u32,
            params.span("reset_timeout"),
        );
        Box::new(breaker.with_manners(Others::Wait, true))
    },
    bounds: Bounding::Perhaps,
    ..PLAIN
};

#[cfg(test)]
mod tests {
    use super::super::Verdict;
    use super::super::testing::{ended, guard, says};
    use super::*;
    use crate::outcome::Outcome::{Errored, Succeeded};

    #[test]
    fn calls_go_one_after_the_other() {
        let mut breaker = guard(&GUARD, &[]);
        assert_eq!(says(&mut breaker, 0, 0), Verdict::Pass);
        assert!(matches!(says(&mut breaker, 1, 1), Verdict::Wait(_)));
        assert_eq!(says(&mut breaker, 200, 0), Verdict::Pass);
        for _ in 0..5 {
            breaker.ended(&ended(200, 201, Errored));
        }
        assert_eq!(says(&mut breaker, 60_200, 0), Verdict::Refuse);
        assert_eq!(says(&mut breaker, 60_201, 0), Verdict::Pass, "the trial");
        assert!(matches!(says(&mut breaker, 60_202, 1), Verdict::Wait(_)));
        breaker.ended(&ended(60_201, 60_203, Succeeded));
        assert_eq!(says(&mut breaker, 60_203, 0), Verdict::Pass);
        assert!(matches!(says(&mut breaker, 60_204, 1), Verdict::Wait(_)));
    }
}
