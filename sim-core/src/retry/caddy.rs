//! Caddy's `lb_retries` and `lb_try_duration`: another choice after a pause, the same server perhaps.
//!
//! A connection that fails, and that no upstream is available, are tried again after; a request that was
//! sent only if it is a GET. What an upstream has answered is passed on, whatever its status. A try begins as long as
//! less than `lb_try_duration` has passed before its pause.

use super::{ATTEMPTS, AVOID, DEMAND, Failed, PLAIN, Retry, RetryDef, Terms};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::outcome::Outcome;
use crate::time::Duration;

pub(super) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "caddy",
        about: "As Caddy's reverse proxy: after failures of connections, and while no upstream is available, every so often for a time.",
        source: "Caddy 2.11.7, observed",
        params: &[
            ParamDef {
                name: "try_duration",
                about: "For how long it tries, lb_try_duration; 0: however long its attempts take.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            ParamDef {
                name: "try_interval",
                about: "The pause before each further try, lb_try_interval.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("250ms"),
            },
            ParamDef {
                name: "method",
                about: "Which requests they are: \"get\", which may be sent twice, or \"post\".",
                kind: ParamKind::Choice(&["get", "post"]),
                default: Some("get"),
            },
            ATTEMPTS,
            DEMAND,
            AVOID,
        ],
    },
    build: |params| {
        let duration = params.span("try_duration");
        let interval = params.span("try_interval");
        let within = if duration.is_zero() {
            u64::MAX
        } else {
            (duration.0 - 1).saturating_add(interval.0)
        };
        Box::new(Caddy {
            terms: Terms {
                within: Duration(within),
                ..Terms::of(params)
            },
            interval,
            post: params.choice("method") == 1,
        })
    },
    ..PLAIN
};

#[derive(Debug)]
struct Caddy {
    terms: Terms,
    interval: Duration,
    post: bool,
}

impl Retry for Caddy {
    fn terms(&self) -> Terms {
        self.terms
    }

    fn counts(&self, failed: Failed) -> bool {
        match failed.outcome {
            Outcome::Refused | Outcome::ConnectTimedOut | Outcome::Unavailable => true,
            Outcome::Reset | Outcome::TimedOut => !self.post,
            Outcome::Succeeded
            | Outcome::Errored
            | Outcome::Rejected
            | Outcome::Shed
            | Outcome::Abandoned
            | Outcome::Cancelled => false,
        }
    }

    fn pause(&self, _: Failed, _: &mut u64, _: &mut Draws) -> Duration {
        self.interval
    }
}
