//! botocore, retry mode `standard`, which is the default of 1.44.
//!
//! Pauses are U(0, 1) · min(20 s, base · 2ⁿ⁻¹) with a base of 50 ms, 1 s after throttling. `Retry-After` is
//! ignored. Each client has 500 tokens, of which a retry costs 14, or 5 after throttling. With `DynamoDB`
//! there are four attempts, and the base is 25 ms.

use super::{Client, EAGER, FULL, Library, STATUS, attempts, aws_tokens, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "botocore-standard",
        about: "The AWS SDK for Python as it comes: full jitter from 50 ms, from 1 s after throttling, and a bucket of tokens for retries.",
        source: "botocore 1.44.8, retry mode standard, observed",
        params: &[attempts("3"), STATUS, DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    brings: aws_tokens,
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

pub(super) const LIBRARY: Library = Library {
    pauses: doubling(50.0, FULL).up_to(20_000.0),
    special: Some((
        |seen| seen.status() == 429,
        doubling(1000.0, FULL).up_to(20_000.0),
    )),
    counts: |seen| matches!(seen.status(), 0 | 429 | 500 | 502 | 503 | 504),
    ..EAGER
};
