//! retry-policies: U(0, min(30 min, 2ⁿ⁻¹ s)). reqwest-retry tries again after 5xx, 408, 429 and failures of
//! connections, POST included. How often is for its user to say.

use super::{Client, EAGER, FULL, Library, STATUS, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "retry-policies",
        about: "Retries of reqwest's middleware: full jitter from 1 s up to half an hour, with POST too.",
        source: "retry-policies 0.5.2 with reqwest-retry 0.9.1, observed",
        params: &[attempts("3"), STATUS, DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(1000.0, FULL).up_to(1_800_000.0),
    counts: |seen| matches!(seen.status(), 0 | 408 | 429 | 500..),
    ..EAGER
};
