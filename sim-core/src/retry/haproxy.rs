//! `HAProxy`'s retries: which failures count, and the second before the same server is tried again.
//!
//! A refused connection is likely to be refused again, so that a retry on the same server waits a second, or
//! as long as a connection may take if that is less; one on another server does not, unless there is only one.
//! Failures of other kinds count only if they are listed, and are tried again at once. Methods are not looked
//! at. Which server is next, `avoid` says: without redispatching the same one.

use super::library::{STATUS, status_of};
use super::{ATTEMPTS, AVOID, Avoid, DEMAND, Failed, PLAIN, Retry, RetryDef, Terms};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::outcome::Outcome;
use crate::time::Duration;

pub(super) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "haproxy",
        about: "HAProxy's own tries: after connections that failed, by default, with a second's pause before the same server is tried again.",
        source: "HAProxy 2.6 to 3.4, retries, retry-on and option redispatch, src/backend.c",
        params: &[
            ParamDef {
                default: Some("4"),
                ..ATTEMPTS
            },
            ParamDef {
                name: "retry_on",
                about: "Failures that count: connections that were refused or took too long, answers that broke off, answers that took too long, and statuses of errors.",
                kind: ParamKind::Words(ON),
                default: Some("[\"conn-failure\"]"),
            },
            ParamDef {
                name: "pause",
                about: "Time before the same server is tried again after a refused connection.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("1s"),
            },
            STATUS,
            DEMAND,
            AVOID,
        ],
    },
    build: |params| {
        let chosen = params.words("retry_on");
        let on = ON.iter().enumerate();
        Box::new(HaProxy {
            terms: Terms::of(params),
            pause: params.span("pause"),
            status: status_of(params).to_string(),
            on: on
                .filter(|(i, _)| chosen & (1 << i) != 0)
                .map(|(_, word)| *word)
                .collect(),
        })
    },
    ..PLAIN
};

/// What may be listed.
pub(crate) const ON: &[&str] = &[
    "conn-failure",
    "empty-response",
    "response-timeout",
    "404",
    "408",
    "429",
    "500",
    "501",
    "502",
    "503",
    "504",
];

#[derive(Debug)]
struct HaProxy {
    terms: Terms,
    pause: Duration,
    /// The status of a server's errors.
    status: String,
    on: Vec<&'static str>,
}

impl Retry for HaProxy {
    fn terms(&self) -> Terms {
        self.terms
    }

    fn counts(&self, failed: Failed) -> bool {
        let word = match failed.outcome {
            Outcome::Refused | Outcome::ConnectTimedOut => "conn-failure",
            Outcome::Reset => "empty-response",
            Outcome::TimedOut => "response-timeout",
            Outcome::Errored => self.status.as_str(),
            // A server that turns requests away answers so.
            Outcome::Rejected | Outcome::Abandoned => "503",
            Outcome::Shed => "429",
            // Nobody to try, and nothing to try again.
            Outcome::Unavailable | Outcome::Cancelled | Outcome::Succeeded => return false,
        };
        self.on.contains(&word)
    }

    fn pause(&self, failed: Failed, _: &mut u64, _: &mut Draws) -> Duration {
        let last = failed.attempt + 1 >= self.terms.attempts;
        let same = match self.terms.avoid {
            Avoid::Stays => true,
            Avoid::StaysUntilLast => !last,
            _ => false,
        };
        if failed.outcome == Outcome::Refused && (same || failed.alone) {
            self.pause
        } else {
            Duration::ZERO
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::extension::testing::example;
    use crate::extension::{ParamValue, Params};

    fn rule(avoid: usize, on: u64) -> Box<dyn Retry> {
        let example = example(&RETRY.row);
        let values = example.iter().map(|(name, value)| match name {
            "avoid" => (name, ParamValue::Choice(avoid)),
            "retry_on" => (name, ParamValue::Words(on)),
            _ => (name, value.clone()),
        });
        (RETRY.build)(&Params::new(values.collect()))
    }

    fn failed(attempt: u32, outcome: Outcome, alone: bool) -> Failed {
        Failed {
            attempt,
            outcome,
            alone,
        }
    }

    #[test]
    fn only_what_is_listed_counts() {
        let counted = |on| -> Vec<Outcome> {
            let rule = rule(0, on);
            let all = Outcome::ALL.into_iter();
            all.filter(|&outcome| rule.counts(failed(1, outcome, false)))
                .collect()
        };
        assert_eq!(counted(1), [Outcome::Refused, Outcome::ConnectTimedOut]);
        assert_eq!(counted(2), [Outcome::Reset]);
        assert_eq!(counted(4), [Outcome::TimedOut]);
        // An error has the status 503 unless another is said.
        let unavailable = 1 << ON.iter().position(|word| *word == "503").expect("listed");
        let of_503 = [Outcome::Errored, Outcome::Rejected, Outcome::Abandoned];
        assert_eq!(counted(unavailable), of_503);
        assert_eq!(counted(0), []);
    }

    #[test]
    fn the_same_server_is_given_a_second() {
        let pauses = |avoid, alone, outcome| -> Vec<u64> {
            let rule = rule(avoid, 3);
            let of = |attempt| {
                let draws = &mut Stream::new(1, 0, "retries").at(0);
                let failed = failed(attempt, outcome, alone);
                rule.pause(failed, &mut 0, draws).0 / 1_000_000_000
            };
            (1..=3).map(of).collect()
        };
        let words = match AVOID.kind {
            ParamKind::Choice(words) => words,
            _ => &[],
        };
        let of = |word| words.iter().position(|w| *w == word).expect("a word");
        let refused = Outcome::Refused;
        assert_eq!(pauses(of("stays"), false, refused), [1, 1, 1]);
        assert_eq!(pauses(of("stays-until-last"), false, refused), [1, 1, 0]);
        assert_eq!(pauses(of("stays-until-last"), true, refused), [1, 1, 1]);
        assert_eq!(pauses(of("previous"), false, refused), [0, 0, 0]);
        assert_eq!(pauses(of("previous"), true, refused), [1, 1, 1]);
        assert_eq!(pauses(of("stays"), false, Outcome::Reset), [0, 0, 0]);
    }
}
