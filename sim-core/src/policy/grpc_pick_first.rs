//! gRPC's `pick_first`: one server, as long as it can be reached.
//!
//! Addresses are tried in order, and the first that can be picked gets everything. It stays when a better one is back: only when
//! it goes, the list is gone through again from its beginning. With `shuffle` each client goes through it in an order of its
//! own, so that clients do not all sit on the first server.

use super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use crate::draws::Draws;
use crate::extension::{ExtensionRow, ParamDef, ParamKind};

pub(super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "grpc-pick-first",
        about: "One server for everything until it cannot be picked any more, then the first that can; weights are ignored.",
        source: "gRPC, pick_first; grpcio 1.85.3, observed; gRFC A62 (shuffleAddressList)",
        params: &[ParamDef {
            name: "shuffle",
            about: "Whether an instance goes through the servers in a random order of its own, shuffleAddressList, instead of theirs.",
            kind: ParamKind::Flag,
            default: Some("false"),
        }],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|params| {
        Box::new(PickFirst {
            shuffle: params.flag("shuffle"),
            order: Vec::new(),
            current: None,
        })
    },
};

#[derive(Clone, Debug)]
struct PickFirst {
    shuffle: bool,
    /// The order in which servers are tried, once it is drawn.
    order: Vec<u32>,
    current: Option<u32>,
}

impl Policy for PickFirst {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, draws: &mut Draws) -> Option<usize> {
        let open = |server: &u32| fleet.eligible.binary_search(server).is_ok();
        if let Some(current) = self.current.filter(open) {
            return Some(current as usize);
        }
        let found = if self.shuffle {
            if self.order.len() != fleet.weights.len() {
                self.order = (0..fleet.weights.len() as u32).collect();
                for left in (1..self.order.len()).rev() {
                    self.order.swap(left, draws.below(left + 1));
                }
            }
            self.order.iter().copied().find(open)
        } else {
            fleet.eligible.first().copied()
        };
        // A try that is kept from the server leaves others on it.
        if !fleet.narrowed {
            self.current = found;
        }
        found.map(|server| server as usize)
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::draws::Stream;
    use crate::policy::fixture::{Fleet, build};

    fn pick(policy: &mut Box<dyn Policy>, eligible: &[u32]) -> usize {
        let fleet = Fleet {
            eligible: eligible.to_vec(),
            ..Fleet::of(3)
        };
        let draws = &mut Stream::new(1, 0, "p").at(3);
        let server = policy.pick(&fleet.view(), &Job::default(), draws);
        server.expect("a server")
    }

    /// Measured: when a dies it moves to b and stays there after a is back.
    #[test]
    fn it_stays_where_it_went() {
        let mut policy = build("grpc-pick-first");
        assert_eq!(pick(&mut policy, &[0, 1, 2]), 0);
        assert_eq!(pick(&mut policy, &[1, 2]), 1);
        assert_eq!(pick(&mut policy, &[0, 1, 2]), 1);
        assert_eq!(pick(&mut policy, &[0, 2]), 0);
    }

    #[test]
    fn shuffled_clients_sit_on_different_servers() {
        let mut seen = [0; 3];
        for number in 0..300 {
            let mut policy = build("grpc-pick-first shuffle=true");
            let fleet = Fleet::of(3);
            let draws = &mut Stream::new(1, 0, "p").at(number);
            let first = policy.pick(&fleet.view(), &Job::default(), draws);
            seen[first.expect("a server")] += 1;
            let again = policy.pick(&fleet.view(), &Job::default(), draws);
            assert_eq!(first, again);
        }
        assert!(seen.iter().all(|n| (60..140).contains(n)), "{seen:?}");
    }
}
