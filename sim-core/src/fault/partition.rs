//! A link that is cut: machines that are well and cannot hear each other.

use super::{Befalls, Effect, FaultDef};
use crate::event_log::Kind;
use crate::extension::ExtensionRow;

pub(super) static FAULT: FaultDef = FaultDef {
    row: ExtensionRow {
        name: "partition",
        about: "A link is cut: what is sent over it vanishes, both ways.",
        source: "",
        params: &[],
    },
    befalls: Befalls::Links,
    effect: |_| Effect {
        cut: true,
        ..Effect::NONE
    },
    words: |_| "what is sent vanishes".to_owned(),
    told: (Kind::Partition, Kind::Heal, "its time is over"),
};
