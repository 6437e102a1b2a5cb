//! nginx's `ip_hash`: the network of the client's address chooses.

use super::{ERRORS, MAX_FAILS, Method, Peers, TRIES, is_open, upstream, whole};
use crate::draws::Draws;
use crate::extension::ExtensionRow;
use crate::policy::{Farm, FleetView, Job, PolicyDef, no_conditions};

pub(in crate::policy) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "nginx-ip-hash",
        about: "The first three octets of the client's address choose, as nginx's ip_hash. A request's key is the address as a number, 167837954 for 10.1.1.2: keys that differ in the last eight bits only are one client.",
        source: "nginx 1.31, ngx_http_upstream_ip_hash_module.c; picks checked against 1.22.1",
        params: &[MAX_FAILS, ERRORS],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: false,
    build: &|params| upstream(params, IpHash),
};

#[derive(Clone, Debug)]
struct IpHash;

impl Method for IpHash {
    fn pick(
        &mut self,
        peers: &mut Peers,
        fleet: &FleetView<'_>,
        job: &Job,
        _: &mut Draws,
    ) -> Option<usize> {
        let total: u64 = fleet.weights.iter().copied().map(whole).sum();
        if peers.is_single() || total == 0 {
            return peers.turn_of_all(fleet);
        }
        let network = &(job.key as u32).to_be_bytes()[..3];
        let mut hash = 89_u64;
        // The server of the try before was found by the same way, and is not found in vain.
        let mut before = job.previous;
        let mut tries = 0;
        while tries <= TRIES {
            for &octet in network {
                hash = (hash * 113 + u64::from(octet)) % 6271;
            }
            let server = of_share(fleet.weights, hash % total);
            if is_open(fleet, server) {
                return Some(server);
            }
            if before == Some(server) {
                before = None;
            } else {
                tries += 1;
            }
        }
        peers.turn_of_all(fleet)
    }
}

/// The server to whose weight a place belongs, weights lying one behind the other.
pub(super) fn of_share(weights: &[f64], place: u64) -> usize {
    let mut left = place;
    for (server, &weight) in weights.iter().enumerate() {
        let weight = whole(weight);
        if left < weight {
            return server;
        }
        left -= weight;
    }
    weights.len() - 1
}
