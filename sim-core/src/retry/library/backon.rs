//! backon's `ExponentialBuilder`: 1, 2, 4 s, at most 60 s; `with_jitter` multiplies by U(1, 2), so that no pause is
//! shorter than without.

use super::{Client, EAGER, EXACT, Jitter, Library, attempts, doubling, rules};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, Params};
use crate::retry::{AVOID, DEMAND, PLAIN, RetryDef};

pub(in crate::retry) static RETRY: RetryDef = RetryDef {
    row: ExtensionRow {
        name: "backon",
        about: "A retry library of Rust: four attempts after 1, 2 and 4 s; its jitter adds, and is off.",
        source: "backon 1.6.0, observed",
        params: &[
            attempts("4"),
            ParamDef {
                name: "with_jitter",
                about: "Whether pauses are up to twice as long.",
                kind: ParamKind::Flag,
                default: Some("false"),
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
        pauses: doubling(
            1000.0,
            if params.flag("with_jitter") {
                Jitter::Times(1.0, 2.0)
            } else {
                EXACT
            },
        )
        .up_to(60_000.0),
        ..EAGER
    }
}
