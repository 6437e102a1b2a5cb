//! urllib3, `Retry(3)`, which is the default of a pool manager.
//!
//! Failing connects are tried again whatever the method; broken connections and read time-outs only with
//! methods that may be sent twice. A status is tried again after only where `status_forcelist` has it. The
//! first further try is made at once, then `backoff_factor` · 2ⁿ⁻¹ s pass, at most 120 s. A
//! `Retry-After` replaces the pause, up to six hours, and makes 429 and 503 (and 413) count.

use super::{
    AT_ONCE, Client, EAGER, Hint, Hinted, Library, METHOD, OBEDIENT, Pauses, RETRY_AFTER, STATUS,
    Seen, attempts, rules, whole_seconds,
};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "urllib3",
        about: "The HTTP library below requests: connections that fail are tried again at once, statuses only where they are listed.",
        source: "urllib3 2.8.0, observed",
        params: &[
            attempts("4"),
            ParamDef {
                name: "backoff_factor",
                about: "Seconds that pause n, from the second on, has times 2ⁿ⁻¹; 0: no pause.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1000.0,
                    unit: "s",
                },
                default: Some("0"),
            },
            ParamDef {
                name: "forcelist",
                about: "Whether `status_forcelist` has 429, 500, 502, 503 and 504.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            METHOD,
            STATUS,
            RETRY_AFTER,
            DEMAND,
            AVOID,
        ],
    },
    check: whole_seconds,
    build: |params| Box::new(Client::new(params, library(params))),
    rules: |params| rules(library(params)),
    ..PLAIN
};

/// Failures of the connection that are tried again after.
pub(super) fn connection(seen: Seen) -> bool {
    seen.is_unsent() || !seen.post && (seen.is_broken() || seen.is_late())
}

/// What is made of a `Retry-After`, also by those that build upon it.
pub(super) const HINT: Hint = Hint {
    makes_count: |seen| !seen.post && matches!(seen.status(), 429 | 503),
    pause: Hinted::Replaces(21_600_000.0),
    ..OBEDIENT
};

fn library(params: &Params) -> Library {
    Library {
        pauses: Pauses {
            base_ms: 1000.0 * params.number("backoff_factor"),
            factor: 2.0,
            cap_ms: 120_000.0,
            first_at_once: true,
            ..AT_ONCE
        },
        counts: if params.flag("forcelist") {
            |seen| {
                connection(seen)
                    || !seen.post && matches!(seen.status(), 429 | 500 | 502 | 503 | 504)
            }
        } else {
            connection
        },
        hint: Some(HINT),
        ..EAGER
    }
}
