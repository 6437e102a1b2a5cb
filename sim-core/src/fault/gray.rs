//! A gray failure: a server that is slow and fails some requests, and passes its health checks.
//!
//! Huang, Guo, Zhou, Lorch, Dang, Chintalapati and Yao, "Gray failure: the Achilles' heel of
//! cloud-scale systems", `HotOS` 2017.

use super::{Effect, FaultDef, PLAIN};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

pub(super) static FAULT: FaultDef = FaultDef {
    row: ExtensionRow {
        name: "gray",
        about: "A server is slow and fails some requests at once, as with a failing disk or network card.",
        source: "Huang et al., Gray failure: the Achilles' heel of cloud-scale systems, HotOS 2017",
        params: &[
            ParamDef {
                name: "factor",
                about: "Factor of the speed.",
                kind: ParamKind::Number {
                    min: 0.000_001,
                    max: 1.0,
                    unit: "",
                },
                default: Some("0.3"),
            },
            ParamDef {
                name: "rate",
                about: "Probability of an error.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1.0,
                    unit: "",
                },
                default: Some("0.1"),
            },
        ],
    },
    effect: |params| Effect {
        speed: params.number("factor"),
        errors: params.number("rate"),
        ..Effect::NONE
    },
    words: |params| {
        let (factor, rate) = (params.number("factor"), 100.0 * params.number("rate"));
        format!("speed × {factor}, {rate} % errors")
    },
    ..PLAIN
};
