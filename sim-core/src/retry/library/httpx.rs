//! httpx: `HTTPTransport(retries = n)` makes n + 1 attempts where no connection comes about; after 0, then
//! 0.5, 1, 2 … s, with neither jitter nor end. Statuses, resets and read time-outs are final.

use super::{Client, EAGER, EXACT, Library, Pauses, Seen, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "httpx",
        about: "An HTTP library of Python: one attempt, unless its transport is given `retries`; then failing connects are tried again.",
        source: "httpx 0.28.1, observed; connect time-outs by its source",
        params: &[attempts("1"), DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: Pauses {
        first_at_once: true,
        ..doubling(250.0, EXACT)
    },
    counts: Seen::is_unsent,
    ..EAGER
};
