//! Join the bounded shortest queue, JBSQ(n): no server holds more than n, and the rest waits in one line.
//!
//! With n = 1 servers pull: who is done takes the next from the line, as workers of one queue do. A
//! few more hide the way to the server, which is idle until the next arrives, and still keep requests
//! from waiting behind a long one while another server is free. It answers with no server where all hold n: give the balancer a
//! `pending_queue`, which is the line; without one such requests fail.

use super::least::TIES;
use super::least_in_flight::{LeastInFlight, Weighing};
use super::{Farm, PolicyDef, no_conditions};
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "join-bounded-shortest-queue",
        about: "The eligible server with fewest attempts in flight of those with fewer than n, relative to its weight; when all have n, none: the request waits in the balancer's pending_queue, or fails without one.",
        source: "Kogias et al., \"R2P2: making RPCs first-class datacenter citizens\", USENIX ATC 2019, section 5",
        params: &[
            ParamDef {
                name: "n",
                about: "Most attempts in flight at a server; 1: servers pull.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1_000_000,
                    unit: "attempts",
                },
                default: Some("3"),
            },
            TIES,
        ],
    },
    farm: Farm::Unknown,
    follows_load: true,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: false,
    build: &|params| {
        let most = params.integer("n") as u32;
        Box::new(LeastInFlight::new(params, Weighing::Plain, most))
    },
};

#[cfg(test)]
mod tests {
    use crate::policy::fixture::{Fleet, pick};

    #[test]
    fn nobody_holds_more_than_n() {
        for servers in [3, 40] {
            let mut fleet = Fleet::of(servers);
            fleet.in_flight.fill(3);
            assert_eq!(pick("join-bounded-shortest-queue", &fleet), None);
            fleet.in_flight[2] = 2;
            assert_eq!(pick("join-bounded-shortest-queue", &fleet), Some(2));
            assert_eq!(pick("join-bounded-shortest-queue n=2", &fleet), None);
            assert_eq!(pick("join-bounded-shortest-queue n=4", &fleet), Some(2));
        }
    }
}
