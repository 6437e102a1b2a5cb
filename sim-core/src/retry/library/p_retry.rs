//! p-retry: 1, 2, 4 … 512 s exactly, seventeen minutes in all, whatever was thrown.

use super::{Client, EAGER, EXACT, Library, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "p-retry",
        about: "A retry helper of Node: eleven attempts after pauses that double from 1 s without jitter or end.",
        source: "p-retry 9.0.0, observed",
        params: &[attempts("11"), DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(1000.0, EXACT),
    ..EAGER
};
