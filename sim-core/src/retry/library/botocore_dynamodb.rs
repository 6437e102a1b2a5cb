//! botocore, retry mode `standard`, as it calls `DynamoDB`: a base of 25 ms, and four attempts.

use super::{Client, FULL, Library, STATUS, attempts, aws_tokens, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "botocore-dynamodb",
        about: "The AWS SDK for Python at DynamoDB: as botocore-standard, with four attempts and pauses of half the length after errors.",
        source: "botocore 1.44.8, retry mode standard, observed",
        params: &[attempts("4"), STATUS, DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    brings: aws_tokens,
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(25.0, FULL).up_to(20_000.0),
    ..super::botocore_standard::LIBRARY
};
