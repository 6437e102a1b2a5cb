//! requests: `HTTPAdapter(max_retries = n)` makes n + 1 attempts, where the connection fails, at once. A
//! 503 is returned, unless it has a `Retry-After`: then it counts, as with urllib3.

use super::{Client, EAGER, Library, METHOD, RETRY_AFTER, attempts, rules, whole_seconds};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "requests",
        about: "The usual HTTP library of Python: one attempt, unless its adapter is given `max_retries`; then as urllib3, without pauses.",
        source: "requests 2.34.2, observed",
        params: &[attempts("1"), METHOD, RETRY_AFTER, DEMAND, AVOID],
    },
    check: whole_seconds,
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    counts: super::urllib3::connection,
    hint: Some(super::urllib3::HINT),
    ..EAGER
};
