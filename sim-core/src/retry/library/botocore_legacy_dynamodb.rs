//! botocore, retry mode `legacy`, as it calls `DynamoDB`: 0.05, 0.1, 0.2 … 12.8 s exactly.

use super::{Client, EAGER, EXACT, Library, STATUS, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "botocore-legacy-dynamodb",
        about: "The AWS SDK for Python in its old mode at DynamoDB: ten attempts after pauses that double from 50 ms, without jitter.",
        source: "botocore 1.44.8, retry mode legacy, observed",
        params: &[attempts("10"), STATUS, DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(50.0, EXACT),
    counts: super::botocore_standard::LIBRARY.counts,
    ..EAGER
};
