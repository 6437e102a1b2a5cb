//! Manual: it stays down until people restart it.

use super::{Restart, RestartDef};
use crate::extension::ExtensionRow;

pub(super) static RESTART: RestartDef = RestartDef {
    row: ExtensionRow {
        name: "manual",
        about: "Stays down until people restart it, by an entry of the time line or a click.",
        source: "",
        params: &[],
    },
    build: |_| Restart {
        by_hand: true,
        ..Restart::DOWN
    },
};

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::Params;

    #[test]
    fn only_people_restart_it() {
        let rule = (RESTART.build)(&Params::default());
        assert_eq!((rule.pause(1), rule.by_hand), (None, true));
    }
}
