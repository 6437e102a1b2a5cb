//! The AWS SDK for JavaScript, version 3: as botocore, with pauses cut to whole milliseconds.
//!
//! It obeys `Retry-After`, up to 5 s beyond its own pause.

use super::{
    Client, Hint, Hinted, Jitter, Library, OBEDIENT, RETRY_AFTER, STATUS, attempts, aws_tokens,
    doubling, rules, whole_seconds,
};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "aws-sdk-js",
        about: "The AWS SDK for JavaScript as it comes: full jitter in whole milliseconds from 50 ms, from 1 s after throttling, and a bucket of tokens.",
        source: "@aws-sdk/client-s3 3.1175.0 with @smithy/core 3.41.1, observed",
        params: &[attempts("3"), STATUS, RETRY_AFTER, DEMAND, AVOID],
    },
    check: whole_seconds,
    build: |params| Box::new(Client::new(params, LIBRARY)),
    brings: aws_tokens,
    rules: |_| rules(LIBRARY),
};

const LIBRARY: Library = Library {
    pauses: doubling(50.0, Jitter::WholeMillis).up_to(20_000.0),
    special: Some((
        |seen| seen.status() == 429,
        doubling(1000.0, Jitter::WholeMillis).up_to(20_000.0),
    )),
    hint: Some(Hint {
        pause: Hinted::AtLeast(5000.0),
        ..OBEDIENT
    }),
    ..super::botocore_standard::LIBRARY
};
