//! azure-core's `RetryPolicy`: ten retries in all, but three of each kind; 0.8 · 2ⁿ⁻¹ s from the second on, at most
//! 120 s, without jitter. With POST the statuses 500 and 503 count, as do failing connects. A
//! `Retry-After` replaces the pause, and makes every status count with every method.

use super::{
    Client, EAGER, EXACT, Hint, Library, METHOD, OBEDIENT, Pauses, RETRY_AFTER, STATUS, attempts,
    doubling, rules, whole_seconds,
};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "azure-core",
        about: "Microsoft's libraries for Python: four attempts after 0, 1.6 and 3.2 s, with POST too after a status.",
        source: "azure-core 1.41.0, observed",
        params: &[attempts("4"), METHOD, STATUS, RETRY_AFTER, DEMAND, AVOID],
    },
    check: whole_seconds,
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: Pauses {
        first_at_once: true,
        ..doubling(800.0, EXACT)
    }
    .up_to(120_000.0),
    counts: |seen| match seen.status() {
        0 => seen.is_unsent() || !seen.post,
        500 | 503 => true,
        status => !seen.post && matches!(status, 408 | 429 | 502 | 504),
    },
    hint: Some(Hint {
        makes_count: |_| true,
        ..OBEDIENT
    }),
    ..EAGER
};
