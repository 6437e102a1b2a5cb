//! Exponential backoff with jitter.
//!
//! With `v = min(cap, base · factorⁿ)` after the failure number n + 1 the pause is
//!
//! | jitter | pause |
//! |---|---|
//! | none | v |
//! | full | U(0, v) |
//! | equal | v/2 + U(0, v/2) |
//! | decorrelated | min(cap, U(base, 3 · previous pause)), the first previous being `base` |
//!
//! Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015, where the factor is 2;
//! the decorrelated form has a factor of its own.

use super::{ATTEMPTS, AVOID, DEMAND, Failed, PLAIN, Retry, RetryDef, Terms};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;

pub(super) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "exponential-backoff",
        about: "Tries again after pauses that grow from failure to failure, with a random part that keeps callers apart.",
        source: "Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015",
        params: &[
            ATTEMPTS,
            ParamDef {
                name: "base",
                about: "The pause after the first failure, before jitter.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("100ms"),
            },
            ParamDef {
                name: "factor",
                about: "Each further pause is so many times the one before; decorrelated jitter has its own.",
                kind: ParamKind::Number {
                    min: 1.0,
                    max: 100.0,
                    unit: "",
                },
                default: Some("2"),
            },
            ParamDef {
                name: "cap",
                about: "The longest pause.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("20s"),
            },
            ParamDef {
                name: "jitter",
                about: "What is random: nothing, the full pause, half of it, or each pause given the one before.",
                kind: ParamKind::Choice(&["none", "full", "equal", "decorrelated"]),
                default: Some("full"),
            },
            DEMAND,
            AVOID,
        ],
    },
    check,
    build: |params| Box::new(ExponentialBackoff::new(params)),
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let (base, cap) = (params.span("base"), params.span("cap"));
    if cap < base {
        return Err(ParamProblem {
            param: "cap",
            message: format!("cap = {cap} lies below base = {base}"),
        });
    }
    Ok(())
}

#[derive(Clone, Copy, PartialEq, Debug)]
enum Jitter {
    None,
    Full,
    Equal,
    Decorrelated,
}

#[derive(Debug)]
struct ExponentialBackoff {
    terms: Terms,
    base_ns: f64,
    factor: f64,
    cap_ns: f64,
    jitter: Jitter,
}

impl ExponentialBackoff {
    fn new(params: &Params) -> Self {
        Self {
            terms: Terms::of(params),
            base_ns: params.span("base").0 as f64,
            factor: params.number("factor"),
            cap_ns: params.span("cap").0 as f64,
            jitter: [
                Jitter::None,
                Jitter::Full,
                Jitter::Equal,
                Jitter::Decorrelated,
            ][params.choice("jitter")],
        }
    }

    /// `min(cap, base · factorⁿ)` by multiplication: `pow` would cost more and round otherwise.
    fn full_ns(&self, failures_before: u32) -> f64 {
        let mut pause_ns = self.base_ns;
        for _ in 0..failures_before {
            if pause_ns >= self.cap_ns {
                break;
            }
            pause_ns *= self.factor;
        }
        pause_ns.min(self.cap_ns)
    }
}

impl Retry for ExponentialBackoff {
    fn terms(&self) -> Terms {
        self.terms
    }

    fn pause(&self, failed: Failed, memory: &mut u64, draws: &mut Draws) -> Duration {
        let attempt = failed.attempt;
        let pause_ns = match self.jitter {
            Jitter::None => self.full_ns(attempt - 1),
            Jitter::Full => self.full_ns(attempt - 1) * draws.uniform(),
            Jitter::Equal => self.full_ns(attempt - 1) * (0.5 + 0.5 * draws.uniform()),
            Jitter::Decorrelated => {
                let previous_ns = (*memory as f64).max(self.base_ns);
                (self.base_ns + (3.0 * previous_ns - self.base_ns) * draws.uniform())
                    .min(self.cap_ns)
            }
        };
        let pause = Duration::from_nanos_f64(pause_ns);
        *memory = pause.0;
        pause
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::failed;
    use super::*;
    use crate::draws::Stream;
    use crate::extension::ParamValue;
    use crate::extension::testing::example;

    fn rule(jitter: Jitter) -> ExponentialBackoff {
        ExponentialBackoff {
            terms: Terms::ONCE,
            base_ns: 100e6,
            factor: 2.0,
            cap_ns: 1e9,
            jitter,
        }
    }

    /// Least, mean and greatest pause in milliseconds over many callers.
    fn pauses_ms(jitter: Jitter, attempt: u32, previous: Duration) -> [f64; 3] {
        let (rule, stream, n) = (rule(jitter), Stream::new(4, 0, "retries"), 20_000);
        let sample: Vec<f64> = (0..n)
            .map(|number| {
                rule.pause(
                    failed(attempt),
                    &mut previous.0.clone(),
                    &mut stream.at(number),
                )
                .as_secs_f64()
                    * 1e3
            })
            .collect();
        [
            sample.iter().copied().fold(f64::MAX, f64::min),
            sample.iter().sum::<f64>() / n as f64,
            sample.iter().copied().fold(0.0, f64::max),
        ]
    }

    #[test]
    fn pauses_double_up_to_the_cap() {
        let expected = [100, 200, 400, 800, 1000, 1000];
        for (attempt, millis) in (1..).zip(expected) {
            assert_eq!(
                rule(Jitter::None).pause(failed(attempt), &mut 0, &mut Stream::new(1, 0, "").at(0)),
                Duration::from_millis(millis)
            );
        }
    }

    #[test]
    fn jitter_fills_its_interval_evenly() {
        let cases = [
            (Jitter::Full, 3, Duration::ZERO, 0.0, 400.0),
            (Jitter::Equal, 3, Duration::ZERO, 200.0, 400.0),
            (Jitter::Equal, 8, Duration::ZERO, 500.0, 1000.0),
            (Jitter::Decorrelated, 1, Duration::ZERO, 100.0, 300.0),
            (
                Jitter::Decorrelated,
                2,
                Duration::from_millis(300),
                100.0,
                900.0,
            ),
        ];
        for (jitter, attempt, previous, low, high) in cases {
            let [least, mean, greatest] = pauses_ms(jitter, attempt, previous);
            let slack = (high - low) / 1000.0;
            assert!(
                least >= low && least < low + slack && greatest <= high && greatest > high - slack,
                "{jitter:?}: {least}..{greatest}"
            );
            // The standard error is width / √12 / √20 000 = 0.2 % of the width.
            assert!(
                (mean - f64::midpoint(low, high)).abs() < 0.01 * (high - low),
                "{jitter:?}: mean {mean}"
            );
        }
    }

    #[test]
    fn decorrelated_pauses_stop_at_the_cap() {
        let [least, _, greatest] = pauses_ms(Jitter::Decorrelated, 5, Duration::from_secs(1));
        assert!(
            least >= 100.0 && (greatest - 1000.0).abs() < 1e-9,
            "{least}..{greatest}"
        );
    }

    #[test]
    fn words_and_kinds_of_jitter_correspond() {
        let jitter = |choice| {
            let values = example(&RETRY.row)
                .iter()
                .map(|(name, value)| {
                    (
                        name,
                        if name == "jitter" {
                            ParamValue::Choice(choice)
                        } else {
                            value.clone()
                        },
                    )
                })
                .collect();
            ExponentialBackoff::new(&Params::new(values)).jitter
        };
        assert_eq!(
            [0, 1, 2, 3].map(jitter),
            [
                Jitter::None,
                Jitter::Full,
                Jitter::Equal,
                Jitter::Decorrelated
            ]
        );
    }

    #[test]
    fn a_cap_below_the_base_is_refused() {
        let spans = |base, cap| {
            Params::new(vec![
                ("base", ParamValue::Span(Duration(base))),
                ("cap", ParamValue::Span(Duration(cap))),
            ])
        };
        assert_eq!(check(&spans(5, 5)), Ok(()));
        assert_eq!(
            check(&spans(5, 4)).map_err(|problem| problem.param),
            Err("cap")
        );
    }
}
