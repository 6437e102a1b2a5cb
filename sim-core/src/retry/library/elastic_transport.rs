//! elastic-transport: 429, 502, 503, 504 and broken connections count, with any method and at once; 500 and
//! time-outs do not.

use super::{Client, EAGER, Library, STATUS, attempts, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "elastic-transport",
        about: "The Elasticsearch client of Python: four attempts without any pause, with POST too, but not after a time-out.",
        source: "elastic-transport 9.4.2, observed",
        params: &[attempts("4"), STATUS, DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    counts: |seen| seen.is_broken() || matches!(seen.status(), 429 | 502 | 503 | 504),
    ..EAGER
};
