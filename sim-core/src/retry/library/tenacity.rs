//! tenacity: `@retry` without arguments tries again for ever, at once, whatever was raised. Here the most
//! attempts stand for ever. `wait_random_exponential` is full jitter, U(0, 2ⁿ⁻¹ s), and
//! `wait_exponential_jitter` adds U(0, 1 s) to 2ⁿ⁻¹ s.

use super::{AT_ONCE, Client, EAGER, EXACT, FULL, Jitter, Library, attempts, doubling, rules};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "tenacity",
        about: "A retry decorator of Python: as it comes it never stops and never pauses; one of its laws of pauses can be named.",
        source: "tenacity 9.2.1, observed",
        params: &[
            attempts("1000"),
            ParamDef {
                name: "wait",
                about: "Its law of pauses: none, `wait_random_exponential(1, 60)`, `wait_exponential()` or `wait_exponential_jitter()`.",
                kind: ParamKind::Choice(&[
                    "none",
                    "random-exponential",
                    "exponential",
                    "exponential-jitter",
                ]),
                default: Some("none"),
            },
            DEMAND,
            AVOID,
        ],
    },
    build: |params| Box::new(Client::new(params, library(params))),
    rules: |params| rules(library(params)),
    ..PLAIN
};

fn library(params: &Params) -> Library {
    Library {
        pauses: match params.choice("wait") {
            0 => AT_ONCE,
            1 => doubling(1000.0, FULL).up_to(60_000.0),
            2 => doubling(1000.0, EXACT),
            _ => doubling(1000.0, Jitter::Plus(1000.0)),
        },
        ..EAGER
    }
}
