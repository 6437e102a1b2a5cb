//! After a pause: a supervisor that restarts whatever dies.

use super::{Restart, RestartDef};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::time::Duration;

pub(super) static RESTART: RestartDef = RestartDef {
    row: ExtensionRow {
        name: "after",
        about: "A supervisor restarts it after the same pause every time.",
        source: "",
        params: &[ParamDef {
            name: "pause",
            about: "Time from the crash to the restart.",
            kind: ParamKind::Span {
                min: Duration::ZERO,
            },
            default: Some("10s"),
        }],
    },
    build: |params| Restart {
        first: Some(params.span("pause")),
        by_hand: true,
        ..Restart::DOWN
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::testing::example;

    #[test]
    fn every_pause_is_the_same() {
        let rule = (RESTART.build)(&example(&RESTART.row));
        assert_eq!(
            [1, 2, 50].map(|crashes| rule.pause(crashes)),
            [Some(Duration::from_secs(10)); 3]
        );
    }
}
