//! gRPC's retry throttling.
//!
//! A bucket of `max_tokens` loses one with each failed attempt and gains `token_ratio` with each that
//! succeeds. Retries are made while more than half of `max_tokens` are left. It counts in thousandths; further
//! digits of the ratio are cut off.
//!
//! gRFC A6, "gRPC Retry Design"; grpcio 1.85.3, observed: of failing calls the first makes four attempts, all others one.
//! Deadlines are no failures to it.

use super::{Admission, Asked, Ended, Guard, GuardDef, PLAIN, SHARED, Stands, Verdict};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::outcome::Outcome;
use crate::time::Instant;

pub(super) static GUARD: GuardDef = GuardDef {
    row: ExtensionRow {
        name: "grpc-retry-throttle",
        about: "The `retryThrottling` of gRPC: no retries while too many attempts fail.",
        source: "grpcio 1.85.3, observed; gRFC A6",
        params: &[
            ParamDef {
                name: "max_tokens",
                about: "Tokens at the start, and the most there can be; retries want more than half.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1000,
                    unit: "tokens",
                },
                default: Some("10"),
            },
            ParamDef {
                name: "token_ratio",
                about: "Tokens gained by an attempt that succeeds; one that fails loses one.",
                kind: ParamKind::Number {
                    min: 0.001,
                    max: 1000.0,
                    unit: "tokens",
                },
                default: Some("0.1"),
            },
            SHARED,
        ],
    },
    stands: Stands::AtCallers,
    build: |params| {
        let most = 1000 * params.integer("max_tokens");
        Box::new(GrpcRetryThrottle {
            most,
            // Half a millionth more, so that 0.1 is not cut to 0.099.
            gain: (params.number("token_ratio") * 1000.0 + 5e-4) as u64,
            tokens: most,
        })
    },
    asked: Asked::BeforePause,
    ..PLAIN
};

/// All in thousandths of a token.
#[derive(Clone, Debug)]
struct GrpcRetryThrottle {
    most: u64,
    gain: u64,
    tokens: u64,
}

impl Guard for GrpcRetryThrottle {
    fn admit(&mut self, asked: &Admission, _: &mut Draws) -> Verdict {
        if asked.attempt == 1 || self.tokens > self.most / 2 {
            Verdict::Pass
        } else {
            Verdict::Stop
        }
    }

    fn ended(&mut self, ended: &Ended) -> bool {
        match ended.outcome {
            Outcome::Succeeded => self.tokens = (self.tokens + self.gain).min(self.most),
            Outcome::Cancelled | Outcome::TimedOut => {}
            _ => self.tokens = self.tokens.saturating_sub(1000),
        }
        false
    }

    fn gauge(&self, _: Instant) -> (&'static str, f64) {
        ("tokens", self.tokens as f64 / 1000.0)
    }

    fn clone_box(&self) -> Box<dyn Guard> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::{asked, draws, ended, guard};
    use super::*;
    use crate::extension::ParamValue::Number;
    use crate::outcome::Outcome::{Cancelled, Errored, Succeeded, TimedOut};

    fn end(guard: &mut Box<dyn Guard>, outcome: Outcome) {
        guard.ended(&ended(0, 1, outcome));
    }

    fn retries(guard: &mut Box<dyn Guard>) -> bool {
        guard.admit(&asked(0, 2), &mut draws(0)) == Verdict::Pass
    }

    /// Attempts of a call that fails each time, of which four are allowed.
    fn failing_call(guard: &mut Box<dyn Guard>) -> u32 {
        (1..=4)
            .find(|attempt| {
                end(guard, Errored);
                *attempt == 4 || !retries(guard)
            })
            .expect("the fourth is the last")
    }

    #[test]
    fn calls_that_fail_make_four_attempts_once_and_then_one() {
        let mut throttle = guard(&GUARD, &[]);
        let calls: Vec<u32> = (0..5).map(|_| failing_call(&mut throttle)).collect();
        assert_eq!(calls, [4, 1, 1, 1, 1]);
    }

    #[test]
    fn from_nothing_61_successes_bring_retries_back() {
        for (successes, attempts) in [(60, 1), (61, 2)] {
            let mut throttle = guard(&GUARD, &[]);
            for _ in 0..30 {
                end(&mut throttle, Errored);
            }
            for _ in 0..successes {
                end(&mut throttle, Succeeded);
            }
            assert_eq!(failing_call(&mut throttle), attempts, "{successes}");
        }
    }

    #[test]
    fn ten_successes_for_each_failure_never_bring_them_back() {
        let mut throttle = guard(&GUARD, &[]);
        for _ in 0..10 {
            end(&mut throttle, Errored);
        }
        for _ in 0..1000 {
            for _ in 0..10 {
                end(&mut throttle, Succeeded);
            }
            end(&mut throttle, Errored);
            assert!(!retries(&mut throttle));
        }
    }

    #[test]
    fn what_is_no_failure_of_the_server_does_not_count() {
        let mut throttle = guard(&GUARD, &[]);
        for _ in 0..10 {
            end(&mut throttle, Cancelled);
            end(&mut throttle, TimedOut);
        }
        assert_eq!(
            throttle.gauge(Instant::ZERO).1.to_bits(),
            10.0_f64.to_bits()
        );
    }

    #[test]
    fn further_digits_of_the_ratio_are_cut_off() {
        for (ratio, gained) in [(0.5466, 0.546), (0.1, 0.1), (0.001, 0.001)] {
            let mut throttle = guard(&GUARD, &[("token_ratio", Number(ratio))]);
            for outcome in [Errored, Errored, Succeeded] {
                end(&mut throttle, outcome);
            }
            let tokens = throttle.gauge(Instant::ZERO).1;
            assert!((tokens - 8.0 - gained).abs() < 1e-9, "{ratio}: {tokens}");
        }
    }
}
