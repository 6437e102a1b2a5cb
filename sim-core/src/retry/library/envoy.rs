//! Envoy's `retry_policy`: before retry n a random number modulo min(`max_interval`, `base_interval` · 2ⁿ⁻¹) milliseconds,
//! and one retry unless `num_retries` says otherwise.
//!
//! A try that breaks or is given up after a time of its own (`per_try_timeout`) is retried by `5xx`, `gateway-error` and
//! `reset`; one that finds no connection by `connect-failure` as well. Statuses are told apart by `status`, the one that
//! servers' errors have; `retriable-4xx` is 409 alone.

use super::{
    Answer, Client, EAGER, Jitter, Library, METHOD, STATUS, Seen, attempts, doubling, rules,
};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};
use crate::time::Duration;

/// Conditions of `retry_on`, in the order of their bits.
const CONDITIONS: &[&str] = &[
    "5xx",
    "gateway-error",
    "connect-failure",
    "reset",
    "retriable-4xx",
];

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "envoy",
        about: "Envoy's retry policy: one retry of what `retry_on` lists, after whole milliseconds below 25 ms, and 50, 100 … up to 250 with more.",
        source: "Envoy 1.30 to 1.40, retry_state_impl.cc and its tests",
        params: &[
            attempts("2"),
            ParamDef {
                name: "retry_on",
                about: "What is tried again: see Envoy's `x-envoy-retry-on`.",
                kind: ParamKind::Words(CONDITIONS),
                default: Some("[\"5xx\"]"),
            },
            ParamDef {
                name: "base_interval",
                about: "The first pause is shorter than this, the second than twice this, and so on; counted in whole milliseconds.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("25ms"),
            },
            ParamDef {
                name: "max_interval",
                about: "All pauses are shorter than this.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("250ms"),
            },
            STATUS,
            METHOD,
            ParamDef {
                name: "retriable_methods",
                about: "Which requests are tried again: \"any\", or only those with GET and HEAD, as with `retriable_request_headers`.",
                kind: ParamKind::Choice(&["any", "get-and-head"]),
                default: Some("any"),
            },
            DEMAND,
            AVOID,
        ],
    },
    check,
    build: |params| Box::new(Client::new(params, library(params))),
    rules: |params| rules(library(params)),
    ..PLAIN
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    if params.words("retry_on") == 0 {
        return Err(ParamProblem {
            param: "retry_on",
            message: "nothing would be tried again; leave the retries out instead".to_owned(),
        });
    }
    if params.span("max_interval") < params.span("base_interval") {
        return Err(ParamProblem {
            param: "max_interval",
            message: "must be greater than or equal to base_interval: Envoy refuses it".to_owned(),
        });
    }
    Ok(())
}

/// The bit that says that requests with POST are not tried again.
const NO_POST: u64 = 1 << 63;

fn counts(seen: Seen) -> bool {
    let on = |condition: &str| {
        let bit = CONDITIONS.iter().position(|word| *word == condition);
        bit.is_some_and(|bit| seen.words >> bit & 1 == 1)
    };
    if seen.post && seen.words & NO_POST != 0 {
        return false;
    }
    let any = on("5xx") || on("gateway-error") || on("reset");
    match seen.answer {
        Answer::Status(status) => {
            on("5xx") && status >= 500
                || on("gateway-error") && matches!(status, 502..=504)
                || on("retriable-4xx") && status == 409
        }
        Answer::Refused | Answer::Unconnected => any || on("connect-failure"),
        Answer::Reset | Answer::TimedOut => any,
    }
}

fn library(params: &Params) -> Library {
    let ms = |name: &str| params.span(name).as_secs_f64() * 1e3;
    let only = params.choice("retriable_methods") == 1;
    Library {
        pauses: doubling(ms("base_interval"), Jitter::WholeMillis).up_to(ms("max_interval")),
        counts,
        words: params.words("retry_on") | if only { NO_POST } else { 0 },
        ..EAGER
    }
}
