//! ky: 0.3 s and 0.6 s exactly. A `Retry-After` replaces the pause after 429 and 503 (and 413), its
//! `afterStatusCodes`.

use super::{
    Client, EAGER, EXACT, Hint, Library, METHOD, OBEDIENT, RETRY_AFTER, STATUS, attempts, doubling,
    rules, whole_seconds,
};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "ky",
        about: "An HTTP library of browsers and Node: three attempts, pauses that double from 300 ms, never a POST, never after a time-out.",
        source: "ky 2.1.0, observed; its list of statuses by its documentation",
        params: &[attempts("3"), METHOD, STATUS, RETRY_AFTER, DEMAND, AVOID],
    },
    check: whole_seconds,
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(300.0, EXACT),
    counts: |seen| {
        !seen.post
            && (seen.is_broken() || matches!(seen.status(), 408 | 429 | 500 | 502 | 503 | 504))
    },
    hint: Some(Hint {
        of: |seen| matches!(seen.status(), 429 | 503),
        ..OBEDIENT
    }),
    ..EAGER
};
