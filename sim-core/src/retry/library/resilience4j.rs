//! Resilience4j's `Retry`: half a second each time, whatever was thrown.

use super::{AT_ONCE, Client, EAGER, Library, Pauses, attempts, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "resilience4j",
        about: "A retry library of Java: three attempts, 500 ms apart.",
        source: "Resilience4j 2, RetryConfig.ofDefaults, its documentation; not observed",
        params: &[attempts("3"), DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: Pauses {
        base_ms: 500.0,
        ..AT_ONCE
    },
    ..EAGER
};
