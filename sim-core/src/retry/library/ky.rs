//! ky: 0.3 s and 0.6 s exactly.

use super::{Client, EAGER, EXACT, Library, METHOD, STATUS, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "ky",
        about: "An HTTP library of browsers and Node: three attempts, pauses that double from 300 ms, never a POST, never after a time-out.",
        source: "ky 2.1.0, observed; its list of statuses by its documentation",
        params: &[attempts("3"), METHOD, STATUS, DEMAND, AVOID],
    },
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
    ..EAGER
};
