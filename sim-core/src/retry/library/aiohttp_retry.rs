//! aiohttp-retry's `ExponentialRetry`: 0.1 · 2ⁿ s, at most 30 s, without jitter. No exception counts; but aiohttp
//! itself sends a request that may be sent twice a second time at once when its connection breaks.

use super::{
    AT_ONCE, Answer, Client, EAGER, EXACT, Library, METHOD, STATUS, attempts, doubling, rules,
};
use crate::extension::ExtensionRow;
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "aiohttp-retry",
        about: "A plug-in of aiohttp: three attempts after 0.2 and 0.4 s, after statuses from 500 only, with POST too.",
        source: "aiohttp-retry 2.9.1 with aiohttp 3.14.5, observed",
        params: &[attempts("3"), METHOD, STATUS, DEMAND, AVOID],
    },
    build: |params| Box::new(Client::new(params, LIBRARY)),
    rules: |_| rules(LIBRARY),
    ..PLAIN
};

const LIBRARY: Library = Library {
    pauses: doubling(200.0, EXACT).up_to(30_000.0),
    special: Some((|seen| seen.answer == Answer::Reset, AT_ONCE)),
    counts: |seen| {
        seen.status() >= 500 || seen.answer == Answer::Reset && !seen.post && seen.attempt == 1
    },
    ..EAGER
};
