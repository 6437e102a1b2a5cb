//! openai and anthropic: min(8 s, 0.5 · 2ⁿ⁻¹ s) · U(0.75, 1), after 408, 409, 429, all from 500, resets and
//! time-outs. A `Retry-After` replaces the pause; with one of more than two minutes there is no further try.

use super::{
    Client, EAGER, Hint, Jitter, Library, OBEDIENT, RETRY_AFTER, STATUS, attempts, doubling, rules,
    whole_seconds,
};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "openai",
        about: "The libraries of OpenAI and Anthropic for Python: three attempts of each POST, pauses of 0.75 to 1 times a span that doubles from 500 ms.",
        source: "openai 3.57.0 and anthropic 2.14.0, observed",
        params: &[attempts("3"), STATUS, RETRY_AFTER, DEMAND, AVOID],
    },
    check: whole_seconds,
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(500.0, Jitter::Times(0.75, 1.0)).up_to(8000.0),
    counts: |seen| matches!(seen.status(), 0 | 408 | 429 | 500..),
    hint: Some(Hint {
        longest_ms: 120_000.0,
        ..OBEDIENT
    }),
    ..EAGER
};
