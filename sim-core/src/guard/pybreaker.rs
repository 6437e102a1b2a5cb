//! The breaker of pybreaker.
//!
//! It opens after five failures in a row for a minute. Its lock is held while the function runs, so that calls through one
//! breaker go one after the other, whatever its state: ten calls of 0.2 s take two seconds.

use super::circuit_breaker::{CircuitBreaker, Others};
use super::{Bounding, GuardDef, PLAIN, SHARED};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "pybreaker",
        about: "The breaker of pybreaker, which holds its lock while a call runs: one attempt at a time passes, also while it is closed.",
        source: "pybreaker 1.4.1, observed",
        params: &[
            ParamDef {
                name: "fail_max",
                about: "Failures in a row that open it.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1_000_000,
                    unit: "attempts",
                },
                default: Some("5"),
            },
            ParamDef {
                name: "reset_timeout",
                about: "How long it refuses everything before a trial.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("60s"),
            },
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
    use super::super::testing::{asked, draws, ended, guard};
    use super::super::{Admission, Guard, Verdict};
    use super::*;
    use crate::outcome::Outcome::{Errored, Succeeded};

    /// What it says to one that comes then, with so many in flight.
    fn says(guard: &mut Box<dyn Guard>, millis: u64, in_flight: u32) -> Verdict {
        let asked = Admission {
            in_flight,
            ..asked(millis, 1)
        };
        guard.admit(&asked, &mut draws(0))
    }

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
