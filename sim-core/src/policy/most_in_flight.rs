//! Most attempts in flight: the worst choice, for tests of everything else.
//!
//! Sends each request where most are already. No real balancer does it on purpose; whatever claims to
//! notice overload must notice this one, and a comparison in which it does not lose is broken.

use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::ExtensionRow;
use std::cmp::Reverse;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "most-in-flight",
        about: "The eligible server with most attempts in flight from this balancer instance, the first of equals: the worst choice, to test what should notice. Weights are ignored.",
        source: "",
        params: &[],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|_| Box::new(MostInFlight),
};

#[derive(Clone, Debug)]
struct MostInFlight;

impl Policy for MostInFlight {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, _: &mut Draws) -> Option<usize> {
        let least_free = |&&server: &&u32| Reverse(fleet.in_flight[server as usize]);
        let server = fleet.eligible.iter().min_by_key(least_free)?;
        Some(*server as usize)
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::fixture::{Fleet, pick};

    #[test]
    fn the_fullest_gets_more_and_the_first_of_equals() {
        let fleet = Fleet {
            in_flight: vec![9, 3, 1, 3],
            eligible: vec![1, 2, 3],
            ..Fleet::of(4)
        };
        assert_eq!(pick("most-in-flight", &fleet), Some(1));
        assert_eq!(pick("most-in-flight", &Fleet::of(4)), Some(0));
    }
}
