//! A server that works at another speed: throttled, on a bad disk, beside a noisy neighbour.

use super::{Effect, FaultDef, PLAIN};
use crate::event_log::Kind;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

pub(super) static FAULT: FaultDef = FaultDef {
    row: ExtensionRow {
        name: "slow",
        about: "A server works at another speed.",
        source: "",
        params: &[ParamDef {
            name: "factor",
            about: "Factor of the speed; above 1 it works faster.",
            kind: ParamKind::Number {
                min: 0.000_001,
                max: 1e6,
                unit: "",
            },
            default: None,
        }],
    },
    effect: |params| Effect {
        speed: params.number("factor"),
        ..Effect::NONE
    },
    words: |params| format!("speed × {}", params.number("factor")),
    told: (Kind::Slow, Kind::Slow, "at its own speed again"),
    ..PLAIN
};
