//! undici's `RetryAgent`: 0.5, 1, 2, 4, 8 s exactly, at most 30 s. Time-outs do not count. A `Retry-After`
//! replaces the pause, and has the same cap.

use super::{
    Client, EAGER, EXACT, Hint, Hinted, Library, METHOD, OBEDIENT, RETRY_AFTER, STATUS, attempts,
    doubling, rules, whole_seconds,
};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "undici",
        about: "The retry agent of Node's HTTP client: six attempts, pauses that double from 500 ms without jitter, never a POST.",
        source: "undici 8.13.1, observed",
        params: &[attempts("6"), METHOD, STATUS, RETRY_AFTER, DEMAND, AVOID],
    },
    check: whole_seconds,
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(500.0, EXACT).up_to(30_000.0),
    counts: |seen| {
        !seen.post && (seen.is_broken() || matches!(seen.status(), 429 | 500 | 502 | 503 | 504))
    },
    hint: Some(Hint {
        pause: Hinted::Replaces(30_000.0),
        ..OBEDIENT
    }),
    ..EAGER
};
