//! Never: what crashes stays down.

use super::{Restart, RestartDef};
use crate::plug::Plug;

pub(super) static RESTART: RestartDef = RestartDef {
    plug: Plug {
        name: "never",
        about: "What crashes stays down for the rest of the run.",
        source: "",
        params: &[],
    },
    build: |_| Restart::DOWN,
};
