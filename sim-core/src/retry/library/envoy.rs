//! Envoy's `retry_policy` with `retry_on: 5xx`: a random number modulo min(250, 25 · 2ⁿ⁻¹) milliseconds before retry
//! n, and one retry unless `num_retries` says otherwise.

use super::{Client, EAGER, Jitter, Library, STATUS, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "envoy",
        about: "Envoy's retry policy with `retry_on` 5xx: one retry, after whole milliseconds below 25 ms, and 50, 100 … up to 250 with more.",
        source: "Envoy 1.30 to 1.38, its tests of retry_state_impl",
        params: &[attempts("2"), STATUS, DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(25.0, Jitter::WholeMillis).up_to(250.0),
    counts: |seen| seen.status() == 0 || seen.status() >= 500,
    ..EAGER
};
