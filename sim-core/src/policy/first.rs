//! The first eligible server.
//!
//! Fills servers one after the other: with a connection limit on each, the next is used only when
//! those before it are full. Packs load onto few machines; without limits the first takes all.

use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::ExtensionRow;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "first",
        about: "The first eligible server in order; give servers max_connections, or the first takes all. Weights are ignored.",
        source: "HAProxy, balance first",
        params: &[],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|_| Box::new(First),
};

#[derive(Clone, Debug)]
struct First;

impl Policy for First {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, _: &mut Draws) -> Option<usize> {
        Some(fleet.eligible[0] as usize)
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}
