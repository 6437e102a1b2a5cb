//! Plain round robin: each server in turn.
//!
//! Observes nothing. Servers that are not eligible are stepped over; weights are ignored. Turns a
//! Poisson stream into Erlang streams, but a slow server receives as much as a fast one.

use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::ExtensionRow;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "round-robin",
        about: "Each eligible server in turn; weights are ignored.",
        source: "",
        params: &[],
    },
    farm: Farm::Turns,
    follows_load: false,
    familiar: Some(0),
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: |_| Box::new(RoundRobin { next: 0 }),
};

#[derive(Clone, Debug)]
struct RoundRobin {
    /// The server whose turn it is.
    next: u32,
}

impl Policy for RoundRobin {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, _: &mut Draws) -> Option<usize> {
        let eligible = fleet.eligible;
        // With every server eligible the turn is its own position; only gaps need a search.
        let turn = self.next as usize;
        let position = match eligible.get(turn) {
            Some(&server) if server == self.next => turn,
            _ => eligible.partition_point(|&server| server < self.next) % eligible.len(),
        };
        let server = eligible[position];
        self.next = server + 1;
        Some(server as usize)
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}
