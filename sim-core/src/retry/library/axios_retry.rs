//! axios-retry: no pause at all. Statuses 429 and from 500 count unless the method is POST; refused and reset
//! connections count with any method; time-outs do not. A `Retry-After` is waited for.

use super::{
    Client, EAGER, Library, METHOD, OBEDIENT, RETRY_AFTER, STATUS, attempts, rules, whole_seconds,
};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "axios-retry",
        about: "A plug-in of axios: four attempts without a pause; a broken connection is tried again with POST too, a time-out never.",
        source: "axios-retry 4.5.0 with axios 1.21.1, observed",
        params: &[attempts("4"), METHOD, STATUS, RETRY_AFTER, DEMAND, AVOID],
    },
    check: whole_seconds,
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    counts: |seen| seen.is_broken() || !seen.post && (seen.status() == 429 || seen.status() >= 500),
    hint: Some(OBEDIENT),
    ..EAGER
};
