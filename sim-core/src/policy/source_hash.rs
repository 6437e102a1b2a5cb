//! Hash of the session key.
//!
//! The key picks a slot of a table in which each server has as many slots as its weight says; as
//! long as the fleet stays the same, a session stays on its server. When that server is not
//! eligible the key is hashed again, a few times, and at last walks to the next eligible server.
//! A change of the fleet moves most keys. One popular key is one hot server.

use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::{Draws, mix};
use crate::extension::ExtensionRow;

/// Hashes tried before walking.
const TRIES: u64 = 20;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "source-hash",
        about: "The same session key goes to the same server as long as the fleet does not change; weights are respected.",
        source: "",
        params: &[],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: false,
    build: &|_| {
        Box::new(SourceHash {
            cumulated: Vec::new(),
        })
    },
};

#[derive(Clone, Debug)]
struct SourceHash {
    /// Sum of the weights of all servers up to and including each, eligible or not.
    cumulated: Vec<f64>,
}

impl Policy for SourceHash {
    fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, _: &mut Draws) -> Option<usize> {
        let total = *self.cumulated.last()?;
        if total <= 0.0 {
            return None;
        }
        let mut server = 0;
        for attempt in 0..TRIES {
            let hash = mix(job.key ^ attempt.wrapping_mul(0x9E37_79B9_7F4A_7C15));
            let point = (hash >> 11) as f64 * (1.0 / (1_u64 << 53) as f64) * total;
            server = self
                .cumulated
                .partition_point(|&sum| sum <= point)
                .min(self.cumulated.len() - 1);
            if fleet.eligible.binary_search(&(server as u32)).is_ok() {
                return Some(server);
            }
        }
        let position = fleet
            .eligible
            .partition_point(|&other| (other as usize) < server)
            % fleet.eligible.len();
        Some(fleet.eligible[position] as usize)
    }
    fn on_eligible_changed(&mut self, _: &FleetView<'_>, _: Option<&[u32]>) {
        // Places follow from weights.
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let mut sum = 0.0;
        self.cumulated.clear();
        self.cumulated.extend(fleet.weights.iter().map(|weight| {
            sum += weight;
            sum
        }));
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}
