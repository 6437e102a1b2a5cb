//! Random in proportion to the weights.
//!
//! One draw and a binary search over cumulated weights, rebuilt when the fleet changes.

use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::ExtensionRow;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "weighted-random",
        about: "A random eligible server, with chances in proportion to the weights.",
        source: "",
        params: &[],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: true,
    build: &|_| {
        Box::new(WeightedRandom {
            cumulated: Vec::new(),
        })
    },
};

#[derive(Clone, Debug)]
struct WeightedRandom {
    /// Sum of the weights of the eligible servers up to and including each.
    cumulated: Vec<f64>,
}

impl Policy for WeightedRandom {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        if self.cumulated.len() != fleet.eligible.len() {
            // Fewer than when the fleet changed: the other copies' servers are left out.
            return among(fleet, draws);
        }
        let total = *self.cumulated.last()?;
        if total <= 0.0 {
            return None;
        }
        let point = draws.uniform() * total;
        let position = self.cumulated.partition_point(|&sum| sum <= point);
        // Rounding may carry the point onto the very end.
        let position = position.min(self.cumulated.len() - 1);
        Some(fleet.eligible[position] as usize)
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let mut sum = 0.0;
        self.cumulated.clear();
        self.cumulated.extend(fleet.eligible.iter().map(|&server| {
            sum += fleet.weights[server as usize];
            sum
        }));
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

/// The same choice without the sums made before.
fn among(fleet: &FleetView<'_>, draws: &mut Draws) -> Option<usize> {
    let weight = |server: &u32| fleet.weights[*server as usize];
    let total: f64 = fleet.eligible.iter().map(weight).sum();
    if total <= 0.0 {
        return None;
    }
    let point = draws.uniform() * total;
    let mut sum = 0.0;
    let mut beyond = |server: &&u32| {
        sum += weight(server);
        sum > point
    };
    let chosen = fleet.eligible.iter().find(|server| beyond(server));
    chosen
        .or(fleet.eligible.last())
        .map(|&server| server as usize)
}
