//! cockatiel with `ExponentialBackoff`: its default generator is the decorrelated one of Polly.Contrib. As it comes,
//! `retry(handleAll, {})` never stops; here the most attempts stand for ever.

use super::{Client, EAGER, Jitter, Library, attempts, doubling, rules};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "cockatiel",
        about: "A resilience library of Node with its exponential back-off: decorrelated jitter around a span that doubles from 128 ms, at most 30 s.",
        source: "cockatiel 4.0.0, ExponentialBackoff, observed",
        params: &[attempts("1000"), DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(128.0, Jitter::SmoothDecorrelated).up_to(30_000.0),
    ..EAGER
};
