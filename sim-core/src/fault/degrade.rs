//! A link that gets slower and lossy.

use super::{Befalls, Effect, FaultDef};
use crate::event_log::Kind;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static FAULT: FaultDef = FaultDef {
    row: ExtensionRow {
        name: "degrade",
        about: "Messages over a link take longer, and more of them vanish.",
        source: "",
        params: &[
            ParamDef {
                name: "delay",
                about: "Time added to each way.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            ParamDef {
                name: "loss",
                about: "Probability that a message vanishes, beside what else may befall it.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1.0,
                    unit: "",
                },
                default: Some("0"),
            },
        ],
    },
    befalls: Befalls::Links,
    effect: |params| Effect {
        delay: params.span("delay"),
        loss: params.number("loss"),
        ..Effect::NONE
    },
    words: |params| {
        let (delay, loss) = (params.span("delay"), 100.0 * params.number("loss"));
        format!("{delay} more each way, {loss} % lost")
    },
    told: (Kind::Degrade, Kind::Heal, "its time is over"),
};
