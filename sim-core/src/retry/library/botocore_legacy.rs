//! botocore, retry mode `legacy`: pauses of U(0, 1) · 2ⁿ⁻¹ seconds, and nothing that bounds retries.

use super::{Client, EAGER, FULL, Library, STATUS, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "botocore-legacy",
        about: "The AWS SDK for Python in its old mode: five attempts, full jitter from 1 s, and no bucket of tokens.",
        source: "botocore 1.44.8, retry mode legacy, observed",
        params: &[attempts("5"), STATUS, DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(1000.0, FULL),
    counts: super::botocore_standard::LIBRARY.counts,
    ..EAGER
};
