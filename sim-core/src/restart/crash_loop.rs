//! Crash-loop back-off: the pauses grow while it keeps crashing.
//!
//! The kubelet restarts a container at once, then after 10 s, 20 s, 40 s … up to 5 minutes, and
//! forgets the row after 10 minutes without a crash. Those are the defaults here.

use super::{Restart, RestartDef};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static RESTART: RestartDef = RestartDef {
    row: ExtensionRow {
        name: "crash-loop",
        about: "Restarts at once the first time, then after ever longer pauses while it keeps crashing.",
        source: "Kubernetes documentation, Pod Lifecycle, container restart policy (CrashLoopBackOff)",
        params: &[
            ParamDef {
                name: "first",
                about: "The first pause.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("10s"),
            },
            ParamDef {
                name: "factor",
                about: "Each further pause is so many times the one before.",
                kind: ParamKind::Number {
                    min: 1.0,
                    max: 100.0,
                    unit: "",
                },
                default: Some("2"),
            },
            ParamDef {
                name: "cap",
                about: "The longest pause.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("5m"),
            },
            ParamDef {
                name: "immediate",
                about: "Restarts without a pause before the first pause.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000,
                    unit: "restarts",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "reset",
                about: "After running so long the next crash counts as the first again.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("10m"),
            },
        ],
    },
    build: |params| Restart {
        first: Some(params.span("first")),
        factor: params.number("factor"),
        cap: params.span("cap"),
        immediate: params.integer("immediate") as u32,
        reset: params.span("reset"),
        by_hand: true,
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::testing::example;

    #[test]
    fn defaults_are_those_of_the_kubelet() {
        let rule = (RESTART.build)(&example(&RESTART.row));
        let pauses: Vec<u64> = (1..=9)
            .map(|crashes| rule.pause(crashes).expect("restarts").0 / 1_000_000_000)
            .collect();
        assert_eq!(pauses, [0, 10, 20, 40, 80, 160, 300, 300, 300]);
        assert_eq!(rule.reset, Duration::from_secs(600));
    }
}
