//! backoff's `on_exception(expo)`: U(0, 2ⁿ⁻¹ s), with no longest pause and no last attempt. Here the most
//! attempts stand for ever.

use super::{Client, EAGER, FULL, Library, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "backoff",
        about: "A retry decorator of Python: full jitter from 1 s without end, and it never stops.",
        source: "backoff 2.2.1, on_exception(expo), observed",
        params: &[attempts("1000"), DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(1000.0, FULL),
    ..EAGER
};
