//! stamina: min(5 s, 0.1 · 2ⁿ⁻¹ s + U(0, 1 s)).

use super::{Client, EAGER, Jitter, Library, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};
use crate::time::Duration;

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "stamina",
        about: "A retry decorator of Python: ten attempts or 45 s, pauses that double from 100 ms with up to 1 s more, at most 5 s.",
        source: "stamina 26.1.0, observed",
        params: &[attempts("10"), DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(100.0, Jitter::Plus(1000.0)).up_to(5000.0),
    within: Duration::from_secs(45),
    ..EAGER
};
