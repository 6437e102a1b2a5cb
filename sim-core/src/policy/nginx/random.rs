//! nginx's `random` and `random two`.
//!
//! With two, different servers are drawn by weight, and the second is taken unless it has more in flight for its
//! weight: where nothing is in flight that is the one which was harder to draw. Idle servers so get shares that are more
//! even than their weights, and two of them the other one's; under load the shares are right.

use super::{ERRORS, MAX_FAILS, Method, Peers, TRIES, is_open, upstream, whole};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};
use crate::policy::{Farm, FleetView, Job, PolicyDef, no_conditions};

pub(in crate::policy) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "nginx-random",
        about: "A server drawn by weight, as nginx's random; or of two that are drawn the second, unless the first has fewer in flight for its weight.",
        source: "nginx 1.31, ngx_http_upstream_random_module.c; shares checked against 1.22.1",
        params: &[
            ParamDef {
                name: "two",
                about: "Whether two are drawn: `random two`, of which least_conn is the only method.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            MAX_FAILS,
            ERRORS,
        ],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: false,
    build: &|params| {
        let two = params.flag("two");
        let ends = Vec::new();
        upstream(params, Random { two, ends })
    },
};

#[derive(Clone, Debug)]
struct Random {
    two: bool,
    /// Where each server's range of the draws ends.
    ends: Vec<u64>,
}

impl Method for Random {
    fn pick(
        &mut self,
        peers: &mut Peers,
        fleet: &FleetView<'_>,
        _: &Job,
        draws: &mut Draws,
    ) -> Option<usize> {
        let total = self.ends.last().copied().unwrap_or(0);
        if peers.is_single() || total == 0 {
            return peers.turn_of_all(fleet);
        }
        let mut first: Option<usize> = None;
        for _ in 0..=TRIES {
            let point = draws.below(total as usize) as u64;
            let server = self.ends.partition_point(|&end| end <= point);
            if first == Some(server) || !is_open(fleet, server) {
                continue;
            }
            let Some(other) = first else {
                if !self.two {
                    return Some(server);
                }
                first = Some(server);
                continue;
            };
            let load = |of: usize, by: usize| f64::from(fleet.in_flight[of]) * fleet.weights[by];
            let more = load(server, other) > load(other, server);
            return Some(if more { other } else { server });
        }
        peers.turn_of_all(fleet)
    }

    fn reweigh(&mut self, weights: &[f64]) {
        self.ends.clear();
        let mut end = 0_u64;
        self.ends.extend(weights.iter().map(|&weight| {
            end = end.saturating_add(whole(weight));
            end
        }));
    }
}
