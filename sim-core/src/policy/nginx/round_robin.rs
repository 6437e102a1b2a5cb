//! nginx's default: smooth weighted round robin with effective weights.

use super::{ERRORS, MAX_FAILS, Method, Peers, upstream};
use crate::draws::Draws;
use crate::extension::ExtensionRow;
use crate::policy::{Farm, FleetView, Job, PolicyDef, no_conditions};

pub(in crate::policy) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "nginx-round-robin",
        about: "Turns as nginx takes them: in proportion to weights that failures lower and turns raise again; every instance begins at the first server.",
        source: "nginx 1.31, ngx_http_upstream_round_robin.c; picks checked against 1.22.1",
        params: &[MAX_FAILS, ERRORS],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: true,
    build: &|params| upstream(params, RoundRobin),
};

#[derive(Clone, Debug)]
struct RoundRobin;

impl Method for RoundRobin {
    fn pick(
        &mut self,
        peers: &mut Peers,
        fleet: &FleetView<'_>,
        _: &Job,
        _: &mut Draws,
    ) -> Option<usize> {
        peers.turn_of_all(fleet)
    }
}
