//! nginx's `proxy_next_upstream`: another server at once, each server once.
//!
//! A request goes on to the servers where it has not been, backups last, until it has been at all of them or
//! `attempts` are made; it then ends as its last try did. Where servers are left that may not be picked it ends without
//! one. POST, and what else may not be sent twice, goes on only while nothing has been sent, unless
//! `non_idempotent` is listed.
//!
//! nginx 1.31, `ngx_http_upstream.c`. The status of what a server answers with an error is the scenario's to
//! say; who is turned away because something is full gets 503, and who is turned away by admission control 429.

use super::{ATTEMPTS, AVOID, DEMAND, Failed, PLAIN, Retry, RetryDef, Terms};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::outcome::Outcome;
use crate::time::Duration;

/// What `proxy_next_upstream` can list, of what a simulation knows; statuses stand where [`STATUSES`] says.
pub(crate) const WORDS: &[&str] = &[
    "error",
    "timeout",
    "http_403",
    "http_404",
    "http_429",
    "http_500",
    "http_502",
    "http_503",
    "http_504",
    "non_idempotent",
    "off",
];

/// Statuses in the order of their words.
pub(crate) const STATUSES: &[&str] = &["403", "404", "429", "500", "502", "503", "504"];

const ERROR: u32 = 0;
const TIMEOUT: u32 = 1;
const FIRST_STATUS: u32 = 2;
const TURNED_AWAY: u32 = 4;
const UNAVAILABLE: u32 = 7;
const NON_IDEMPOTENT: u32 = 9;
const OFF: u32 = 10;

pub(super) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "next-upstream",
        about: "As nginx's proxy_next_upstream: at once, at each server once, and at backups last.",
        source: "nginx 1.31, ngx_http_upstream.c; tries checked against 1.22.1",
        params: &[
            ParamDef {
                name: "next_upstream",
                about: "Failures that are passed on to the next server, in the words of proxy_next_upstream; \"off\", or nothing: none.",
                kind: ParamKind::Words(WORDS),
                default: Some("[\"error\", \"timeout\"]"),
            },
            ParamDef {
                name: "timeout",
                about: "That of proxy_next_upstream_timeout: no further try is begun so long after the first; 0: no limit.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            ParamDef {
                name: "status",
                about: "The status of what a server answers with an error.",
                kind: ParamKind::Choice(STATUSES),
                default: Some("500"),
            },
            ParamDef {
                name: "method",
                about: "Which requests they are: \"get\", and the like that may be sent twice, or \"post\".",
                kind: ParamKind::Choice(&["get", "post"]),
                default: Some("get"),
            },
            ParamDef {
                default: Some("1000"),
                ..ATTEMPTS
            },
            DEMAND,
            ParamDef {
                default: Some("for-good"),
                ..AVOID
            },
        ],
    },
    check,
    build: |params| {
        let timeout = params.span("timeout");
        let within = if timeout.is_zero() {
            u64::MAX
        } else {
            timeout.0 - 1
        };
        Box::new(NextUpstream {
            terms: Terms {
                within: Duration(within),
                everywhere: true,
                ..Terms::of(params)
            },
            listed: params.words("next_upstream"),
            status: FIRST_STATUS + params.choice("status") as u32,
            post: params.choice("method") == 1,
        })
    },
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let listed = params.words("next_upstream");
    if listed >> OFF == 0 || listed == 1 << OFF {
        return Ok(());
    }
    Err(ParamProblem {
        param: "next_upstream",
        message: "`off` stands alone: with it nothing is passed on".to_owned(),
    })
}

#[derive(Debug)]
struct NextUpstream {
    terms: Terms,
    /// A bit for each of [`WORDS`].
    listed: u64,
    /// Which word is the status of errors.
    status: u32,
    post: bool,
}

impl Retry for NextUpstream {
    fn terms(&self) -> Terms {
        self.terms
    }

    fn counts(&self, failed: Failed) -> bool {
        let has = |word: u32| self.listed >> word & 1 == 1;
        let (word, sent) = match failed.outcome {
            Outcome::Refused => (ERROR, false),
            Outcome::Reset => (ERROR, true),
            Outcome::ConnectTimedOut => (TIMEOUT, false),
            Outcome::TimedOut => (TIMEOUT, true),
            Outcome::Errored => (self.status, true),
            Outcome::Rejected | Outcome::Abandoned => (UNAVAILABLE, true),
            Outcome::Shed => (TURNED_AWAY, true),
            Outcome::Succeeded | Outcome::Unavailable | Outcome::Cancelled => return false,
        };
        has(word) && (!sent || !self.post || has(NON_IDEMPOTENT))
    }

    fn pause(&self, _: Failed, _: &mut u64, _: &mut Draws) -> Duration {
        Duration::ZERO
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::ParamValue;
    use crate::extension::testing::example;

    fn rule(words: &[&str], post: bool) -> Box<dyn Retry> {
        let bit = |word: &&str| 1 << WORDS.iter().position(|w| w == word).expect("a word");
        let of = |(name, value): (&'static str, &ParamValue)| match name {
            "next_upstream" => (name, ParamValue::Words(words.iter().map(bit).sum())),
            "method" => (name, ParamValue::Choice(usize::from(post))),
            _ => (name, value.clone()),
        };
        let params = Params::new(example(&RETRY.row).iter().map(of).collect());
        assert_eq!(check(&params), Ok(()));
        (RETRY.build)(&params)
    }

    #[test]
    fn what_is_passed_on_is_what_is_listed_and_may_be_sent_twice() {
        use Outcome::{ConnectTimedOut, Errored, Refused, Rejected, Reset, Shed, TimedOut};
        for (words, post, passed_on) in [
            (
                &["error", "timeout"][..],
                false,
                &[Refused, TimedOut, Reset, ConnectTimedOut][..],
            ),
            (&["error", "timeout"], true, &[Refused, ConnectTimedOut]),
            (
                &["error", "http_500", "non_idempotent"],
                true,
                &[Errored, Refused, Reset],
            ),
            (
                &["http_503", "http_429", "http_404"],
                false,
                &[Rejected, Shed, Outcome::Abandoned],
            ),
            (&["off"], false, &[]),
            (&[], false, &[]),
        ] {
            let rule = rule(words, post);
            for outcome in Outcome::ALL {
                let failed = Failed {
                    attempt: 1,
                    outcome,
                    alone: false,
                };
                assert_eq!(
                    rule.counts(failed),
                    passed_on.contains(&outcome),
                    "{words:?} {post} {outcome:?}"
                );
            }
        }
    }

    #[test]
    fn statuses_stand_where_their_words_do() {
        for (place, status) in (FIRST_STATUS as usize..).zip(STATUSES) {
            assert_eq!(WORDS[place], format!("http_{status}"));
        }
        let word = |place: u32| WORDS[place as usize];
        assert_eq!(
            (word(TURNED_AWAY), word(UNAVAILABLE)),
            ("http_429", "http_503")
        );
        assert_eq!((word(NON_IDEMPOTENT), word(OFF)), ("non_idempotent", "off"));
    }
}
