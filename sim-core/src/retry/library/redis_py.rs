//! redis-py: min(1 s, U(0, 1) · 0.01 · 2ⁿ s). What is drawn beyond a second is a second, so that nine in ten of
//! the last pauses are exactly that. Connections that fail and time-outs count, with commands that
//! must not be sent twice too; errors that are answered do not.

use super::{Client, EAGER, Jitter, Library, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "redis-py",
        about: "The Redis client of Python: eleven attempts of every command, pauses cut off at 1 s after their jitter.",
        source: "redis-py 8.1.0, observed",
        params: &[attempts("11"), DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(20.0, Jitter::BeforeCap).up_to(1000.0),
    counts: |seen| seen.status() == 0,
    ..EAGER
};
