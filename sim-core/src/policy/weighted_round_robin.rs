//! Smooth weighted round robin, as in nginx.
//!
//! On each pick every eligible server's credit grows by its weight; the server with most credit
//! (the first of equals) is taken and pays the total. Weights 5, 1, 1 give a a b a c a a: turns in
//! proportion to the weights, spread out instead of in bursts. Observes nothing but the weights,
//! so a wrong weight is followed faithfully. Costs a pass over the servers.

use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::ExtensionRow;

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "weighted-round-robin",
        about: "Turns in proportion to the weights, smoothly interleaved; weight 0 gets nothing.",
        source: "nginx, ngx_http_upstream_round_robin.c (smooth weighted round robin, since 1.3.1)",
        params: &[],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: true,
    build: |_| Box::new(WeightedRoundRobin { credit: Vec::new() }),
};

#[derive(Clone, Debug)]
struct WeightedRoundRobin {
    /// Credit by server.
    credit: Vec<f64>,
}

impl Policy for WeightedRoundRobin {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, _: &mut Draws) -> Option<usize> {
        self.credit.resize(fleet.weights.len(), 0.0);
        let mut total = 0.0;
        let mut best: Option<usize> = None;
        for &server in fleet.eligible {
            let server = server as usize;
            let weight = fleet.weights[server];
            if weight <= 0.0 {
                continue;
            }
            self.credit[server] += weight;
            total += weight;
            if best.is_none_or(|best| self.credit[server] > self.credit[best]) {
                best = Some(server);
            }
        }
        self.credit[best?] -= total;
        best
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use crate::policy::fixture::sequence;

    #[test]
    fn interleaves_like_nginx() {
        assert_eq!(
            sequence("weighted-round-robin", &[5.0, 1.0, 1.0], 14),
            "aabacaaaabacaa"
        );
        assert_eq!(
            sequence("weighted-round-robin", &[3.0, 2.0, 1.0], 6),
            "abacba"
        );
    }
}
