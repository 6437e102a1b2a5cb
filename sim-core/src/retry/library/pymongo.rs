//! pymongo: two attempts after failures of the network, with no pause. After a refusal by an overloaded server,
//! which here is one by admission control, three, with pauses of U(0, 1) · min(10 s, 0.1 · 2ⁿ s).

use super::{Client, EAGER, FULL, Library, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "pymongo",
        about: "The MongoDB client of Python: a broken connection is tried again once at once, an overloaded server twice, with full jitter from 200 ms.",
        source: "pymongo 4.20.1, observed",
        params: &[attempts("3"), DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    special: Some((
        |seen| seen.status() == 429,
        doubling(200.0, FULL).up_to(10_000.0),
    )),
    counts: |seen| seen.status() == 429 || seen.status() == 0 && seen.attempt == 1,
    ..EAGER
};
