//! A server that fails some requests: a bad release, a lost connection to something it needs.

use super::{Effect, FaultDef, PLAIN};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

pub(super) static FAULT: FaultDef = FaultDef {
    row: ExtensionRow {
        name: "errors",
        about: "A server answers some requests with an error, beside those that it fails anyway.",
        source: "",
        params: &[ParamDef {
            name: "rate",
            about: "Probability of an error.",
            kind: ParamKind::Number {
                min: 0.0,
                max: 1.0,
                unit: "",
            },
            default: None,
        }],
    },
    effect: |params| Effect {
        errors: params.number("rate"),
        ..Effect::NONE
    },
    words: |params| format!("{} % errors", 100.0 * params.number("rate")),
    ..PLAIN
};
