//! The bucket of tokens that the AWS SDKs pay retries from.
//!
//! It begins full, with 500. A retry costs 14, or 5 where the server said that it throttles; without so
//! many the caller makes do with the failure it has. A request that succeeds at once gives one token
//! back, one that succeeds after retries what the last of them cost, and any other nothing. No time
//! refills it.
//!
//! botocore 1.44.8 and @smithy/core 3.41.1, observed: while everything fails there are 35 retries, or 100
//! of throttled requests, and in the long run one retry for fourteen successes.

use super::{Admission, Asked, Ended, Guard, GuardDef, PLAIN, SHARED, Stands, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::outcome::Outcome;
use crate::time::Instant;

const fn tokens(name: &'static str, about: &'static str, default: &'static str) -> ParamDef {
    ParamDef {
        name,
        about,
        kind: ParamKind::Integer {
            min: 0,
            max: 1_000_000_000,
            unit: "tokens",
        },
        default: Some(default),
    }
}

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "aws-retry-tokens",
        about: "The bucket that the AWS SDKs pay retries from: successes refill it, time does not.",
        source: "botocore 1.44.8 and @smithy/core 3.41.1, observed",
        params: &[
            tokens(
                "capacity",
                "Tokens at the start, and the most there can be.",
                "500",
            ),
            tokens("cost", "What a retry costs.", "14"),
            tokens(
                "throttling_cost",
                "What a retry after throttling costs.",
                "5",
            ),
            ParamDef {
                name: "errors",
                about: "What an answered error is: a \"failure\" like others, or \"throttling\", as what admission control turns away is.",
                kind: ParamKind::Choice(&["failure", "throttling"]),
                default: Some("failure"),
            },
            SHARED,
        ],
    },
    stands: Stands::AtCallers,
    build: |params| {
        Box::new(AwsRetryTokens {
            capacity: params.integer("capacity"),
            cost: params.integer("cost"),
            throttling_cost: params.integer("throttling_cost"),
            errors_throttle: params.choice("errors") == 1,
            tokens: params.integer("capacity"),
        })
    },
    asked: Asked::BeforePause,
    ..PLAIN
};

#[derive(Clone, Debug)]
struct AwsRetryTokens {
    capacity: u64,
    cost: u64,
    throttling_cost: u64,
    errors_throttle: bool,
    tokens: u64,
}

impl AwsRetryTokens {
    /// What a retry costs after such a failure.
    fn cost_after(&self, outcome: Option<Outcome>) -> u64 {
        match outcome {
            Some(Outcome::Shed) => self.throttling_cost,
            Some(Outcome::Errored) if self.errors_throttle => self.throttling_cost,
            _ => self.cost,
        }
    }
}

impl Guard for AwsRetryTokens {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        if asked.attempt == 1 {
            return Verdict::Pass;
        }
        let cost = self.cost_after(asked.after);
        if self.tokens < cost {
            return Verdict::Stop;
        }
        self.tokens -= cost;
        Verdict::Pass
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        if ended.outcome == Outcome::Succeeded {
            let back = if ended.attempt == 1 {
                1
            } else {
                self.cost_after(ended.after)
            };
            self.tokens = (self.tokens + back).min(self.capacity);
        }
        false
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("tokens", self.tokens as f64)
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, draws, ended, guard};
    use super::*;
    use crate::extension::ParamValue;
    use crate::outcome::Outcome::{Cancelled, Errored, Refused, Shed, Succeeded, TimedOut};

    /// Whether a retry after such a failure is allowed.
    fn pays(guard: &mut Box<dyn Guard>, after: Outcome) -> bool {
        let asked = Admission {
            after: Some(after),
            ..asked(0, 2)
        };
        guard.admit(&asked, &mut draws(0)) == Verdict::Pass
    }

    fn end(guard: &mut Box<dyn Guard>, attempt: u32, after: Option<Outcome>, outcome: Outcome) {
        guard.ended(&Ended {
            attempt,
            after,
            ..ended(0, 1, outcome)
        });
    }

    fn tokens(guard: &dyn Guard) -> u64 {
        guard.gauge(Instant::ZERO).1 as u64
    }

    #[test]
    fn it_pays_for_35_retries_of_any_failure_and_100_of_throttling() {
        for (after, retries, left) in [
            (Errored, 35, 10),
            (TimedOut, 35, 10),
            (Refused, 35, 10),
            (Shed, 100, 0),
        ] {
            let mut bucket = guard(&GUARD, &[]);
            let paid = (0..200).filter(|_| pays(&mut bucket, after)).count();
            assert_eq!((paid, tokens(&*bucket)), (retries, left), "{after:?}");
        }
    }

    #[test]
    fn an_error_can_be_throttling() {
        let mut bucket = guard(&GUARD, &[("errors", ParamValue::Choice(1))]);
        assert!(pays(&mut bucket, Errored));
        assert_eq!(tokens(&*bucket), 495);
        assert!(pays(&mut bucket, TimedOut));
        assert_eq!(tokens(&*bucket), 481);
    }

    #[test]
    fn a_success_gives_back_one_token_or_what_its_last_retry_cost() {
        let mut bucket = guard(&GUARD, &[]);
        // Two retries, then success: 14 are lost.
        assert!(pays(&mut bucket, Errored) && pays(&mut bucket, Errored));
        end(&mut bucket, 2, Some(Errored), Errored);
        assert_eq!(tokens(&*bucket), 472, "a failure gives nothing back");
        end(&mut bucket, 3, Some(Errored), Succeeded);
        assert_eq!(tokens(&*bucket), 486);
        end(&mut bucket, 1, None, Succeeded);
        assert_eq!(tokens(&*bucket), 487);
        end(&mut bucket, 1, None, Cancelled);
        assert_eq!(tokens(&*bucket), 487);
        for _ in 0..20 {
            end(&mut bucket, 1, None, Succeeded);
        }
        assert_eq!(tokens(&*bucket), 500, "never more than its capacity");
    }

    #[test]
    fn empty_it_asks_for_four_successes_before_the_next_retry() {
        let mut bucket = guard(&GUARD, &[]);
        while pays(&mut bucket, Errored) {}
        for successes in 1..=4 {
            assert!(!pays(&mut bucket, Errored));
            end(&mut bucket, 1, None, Succeeded);
            assert_eq!(tokens(&*bucket), 10 + successes);
        }
        assert!(pays(&mut bucket, Errored));
    }
}
