//! The consecutive breaker of cockatiel.
//!
//! Half-open it lets one attempt through. The others are neither refused nor sent: they wait, and all go if
//! that one succeeds, or are refused if it fails. The library has no default for either number.

use super::circuit_breaker::{CircuitBreaker, Others, in_a_row, until_trial};
use super::{Bounding, GuardDef, PLAIN, SHARED};
use crate::extension::ExtensionRow;

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "cockatiel-breaker",
        about: "The consecutive breaker of cockatiel: while its one trial is out the others wait for how it ends.",
        source: "cockatiel 4.0.0, ConsecutiveBreaker, observed",
        params: &[
            in_a_row("failures"),
            until_trial("half_open_after", "10s"),
            SHARED,
        ],
    },
    build: |params| {
        let breaker = CircuitBreaker::new(
            params.integer("failures") as u32,
            params.span("half_open_after"),
        );
        Box::new(breaker.with_manners(Others::Wait, false))
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
    fn others_wait_for_the_trial_and_share_its_fate() {
        for (outcome, then) in [(Succeeded, Verdict::Pass), (Errored, Verdict::Refuse)] {
            let mut breaker = guard(&GUARD, &[]);
            for _ in 0..5 {
                assert_eq!(says(&mut breaker, 0, 0), Verdict::Pass);
                breaker.ended(&ended(0, 1, Errored));
            }
            assert_eq!(says(&mut breaker, 10_000, 0), Verdict::Refuse);
            assert_eq!(says(&mut breaker, 10_001, 0), Verdict::Pass, "the trial");
            for _ in 0..9 {
                assert!(matches!(says(&mut breaker, 10_002, 1), Verdict::Wait(_)));
            }
            breaker.ended(&ended(10_001, 10_101, outcome));
            assert_eq!(says(&mut breaker, 10_101, 0), then);
        }
    }
}
