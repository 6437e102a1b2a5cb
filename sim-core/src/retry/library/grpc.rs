//! gRPC with a `retryPolicy` for UNAVAILABLE: pauses of U(0.8, 1.2) · min(`max_backoff`, `initial_backoff` · 2ⁿ⁻¹).
//!
//! The deadline covers all attempts, so that nothing is tried again after it. `retryThrottling` is the guard
//! `grpc-retry-throttle`. A cap on attempts of 5 is the library's own. Pushback of a server is not simulated.

use super::{Client, EAGER, Jitter, Library, STATUS, doubling, most_attempts, rules};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};
use crate::time::Duration;

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "grpc",
        about: "The retry policy of gRPC: pauses of 0.8 to 1.2 times a doubling span, and at most five attempts whatever is asked for.",
        source: "grpcio 1.85.3, observed; gRFC A6",
        params: &[
            most_attempts("4", 5),
            ParamDef {
                name: "initial_backoff",
                about: "The middle of the first pause.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("100ms"),
            },
            ParamDef {
                name: "max_backoff",
                about: "The most that the middle of a pause becomes.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("1s"),
            },
            STATUS,
            DEMAND,
            AVOID,
        ],
    },
    build: |params| Box::new(Client::new(params, library(params))),
    rules: |params| rules(library(params)),
    ..PLAIN
};

fn library(params: &Params) -> Library {
    Library {
        pauses: doubling(
            params.span("initial_backoff").as_secs_f64() * 1e3,
            Jitter::Times(0.8, 1.2),
        )
        .up_to(params.span("max_backoff").as_secs_f64() * 1e3),
        counts: |seen| seen.is_broken() || matches!(seen.status(), 429 | 502 | 503 | 504),
        ..EAGER
    }
}
