//! nginx's `least_conn`: fewest connections for its weight; those that are equal take turns.

use super::{ERRORS, MAX_FAILS, Method, Peers, upstream};
use crate::draws::Draws;
use crate::extension::ExtensionRow;
use crate::policy::{Farm, FleetView, Job, PolicyDef, no_conditions};

pub(in crate::policy) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "nginx-least-conn",
        about: "Fewest in flight for its weight, as nginx's least_conn: servers that are equal take turns among themselves, by the weights of its round robin.",
        source: "nginx 1.31, ngx_http_upstream_least_conn_module.c; picks checked against 1.22.1",
        params: &[MAX_FAILS, ERRORS],
    },
    farm: Farm::Unknown,
    follows_load: true,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: false,
    build: &|params| upstream(params, LeastConn),
};

#[derive(Clone, Debug)]
struct LeastConn;

impl Method for LeastConn {
    #[expect(
        clippy::float_cmp,
        reason = "products of whole numbers, as nginx compares them"
    )]
    fn pick(
        &mut self,
        peers: &mut Peers,
        fleet: &FleetView<'_>,
        _: &Job,
        _: &mut Draws,
    ) -> Option<usize> {
        if peers.is_single() {
            return peers.turn_of_all(fleet);
        }
        let weighted = |&server: &u32| fleet.weights[server as usize] > 0.0;
        let servers = || {
            let eligible = fleet.eligible.iter().filter(|server| weighted(server));
            eligible.map(|&server| server as usize)
        };
        // Loads for each weight, compared without dividing.
        let load =
            |server: usize, other: usize| f64::from(fleet.in_flight[server]) * fleet.weights[other];
        let mut best = servers().next()?;
        let mut several = false;
        for server in servers().skip(1) {
            let (its, least) = (load(server, best), load(best, server));
            if its < least {
                (best, several) = (server, false);
            } else {
                several |= its == least;
            }
        }
        if !several {
            return Some(best);
        }
        peers.turn(servers().filter(|&server| load(server, best) == load(best, server)))
    }
}
