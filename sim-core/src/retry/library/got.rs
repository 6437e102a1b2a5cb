//! got: 1000 · 2ⁿ⁻¹ + U(0, 100) milliseconds, without end. Refused, reset and its own time-outs count, and
//! 408, 429, 500, 502, 503, 504 (413 with `Retry-After` only). A `Retry-After`
//! replaces the pause; that one beyond `timeout.request` ends the request is not simulated.

use super::{
    Client, EAGER, Jitter, Library, METHOD, OBEDIENT, RETRY_AFTER, STATUS, attempts, doubling,
    rules, whole_seconds,
};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "got",
        about: "An HTTP library of Node: three attempts, pauses that double from 1 s with up to 100 ms more, never a POST.",
        source: "got 16.1.0, observed",
        params: &[attempts("3"), METHOD, STATUS, RETRY_AFTER, DEMAND, AVOID],
    },
    check: whole_seconds,
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(1000.0, Jitter::Plus(100.0)),
    counts: |seen| !seen.post && matches!(seen.status(), 0 | 408 | 429 | 500 | 502 | 503 | 504),
    hint: Some(OBEDIENT),
    ..EAGER
};
