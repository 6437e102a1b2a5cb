//! google-api-core's `Retry`: U(0, min(60 s, 2ⁿ⁻¹ s)). There is no limit of attempts; a pause that would end more
//! than 120 s after the beginning ends the request at once. 502, 504 and read time-outs do not count.

use super::{Answer, Client, EAGER, FULL, Library, STATUS, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};
use crate::time::Duration;

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "google-api-core",
        about: "Google's libraries for Python: full jitter from 1 s, up to 60 s, for two minutes.",
        source: "google-api-core 2.44.0, observed",
        params: &[attempts("1000"), STATUS, DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(1000.0, FULL).up_to(60_000.0),
    counts: |seen| {
        seen.is_broken()
            || seen.answer == Answer::Unconnected
            || matches!(seen.status(), 429 | 500 | 503)
    },
    within: Duration::from_secs(120),
    ..EAGER
};
