//! backoff (Rust): min(60 s, 0.5 · 1.5ⁿ⁻¹ s) · U(0.5, 1.5), until fifteen minutes would have passed.

use super::{Client, EAGER, Jitter, Library, Pauses, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};
use crate::time::Duration;

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "rust-backoff",
        about: "A retry library of Rust: pauses of half to one and a half times a span that grows by half from 500 ms, for fifteen minutes.",
        source: "backoff 0.4.0, observed",
        params: &[attempts("1000"), DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: Pauses {
        factor: 1.5,
        ..doubling(500.0, Jitter::Times(0.5, 1.5))
    }
    .up_to(60_000.0),
    within: Duration::from_secs(900),
    ..EAGER
};
