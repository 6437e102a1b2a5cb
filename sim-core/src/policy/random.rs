//! Uniformly random.
//!
//! Observes nothing and costs one draw. Splits a Poisson stream into independent Poisson streams,
//! so each server is an M/G/1 of its own: no skew, but no help for a busy server either.

use super::{Choice, Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::ExtensionRow;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "random",
        about: "Any eligible server with equal chance; weights are ignored.",
        source: "",
        params: &[],
    },
    farm: Farm::Split,
    follows_load: false,
    familiar: Some(3),
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|_| Box::new(Random),
};

#[derive(Clone, Debug)]
struct Random;

/// Any of some servers.
#[inline]
pub(crate) fn any_of(eligible: &[u32], draws: &mut Draws) -> u32 {
    eligible[draws.below(eligible.len())]
}

impl Policy for Random {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        Some(any_of(fleet.eligible, draws) as usize)
    }
    fn choice(&self) -> Choice {
        Choice::Any
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}
