//! Never: what crashes stays down.

use super::{Restart, RestartDef};
use crate::extension::ExtensionRow;

pub(super) static RESTART: RestartDef = RestartDef {
    row: ExtensionRow {
        name: "never",
        about: "What crashes stays down for the rest of the run.",
        source: "",
        params: &[],
    },
    build: |_| Restart::DOWN,
};
