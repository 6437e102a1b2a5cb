//! botocore, retry mode `adaptive`: as `standard`, with a rate limiter that throttled answers set.

use super::botocore_standard::LIBRARY;
use super::{Client, STATUS, attempts, rules, status_of};
use crate::extension::{ExtensionRow, Params};
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "botocore-adaptive",
        about: "The AWS SDK for Python in its adaptive mode: as botocore-standard, and throttled answers slow all attempts down.",
        source: "botocore 1.44.8, retry mode adaptive, observed",
        params: &[attempts("3"), STATUS, DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    brings,
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

fn brings(params: &Params) -> &'static [&'static str] {
    if status_of(params) == 429 {
        &[
            "{ kind = \"aws-retry-tokens\", errors = \"throttling\" }",
            "{ kind = \"botocore-rate-limiter\", errors = \"throttling\" }",
        ]
    } else {
        &[
            "{ kind = \"aws-retry-tokens\" }",
            "{ kind = \"botocore-rate-limiter\" }",
        ]
    }
}
