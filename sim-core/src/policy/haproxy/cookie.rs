//! Persistence by a cookie: a session returns to the server that its first request was sent to.
//!
//! The visitor carries the cookie; who it is, is the key. An instance knows the cookies that it gave out
//! itself. A session whose server is out is balanced again and gets the cookie of the other server; one whose
//! server has weight 0 still goes there.

use super::super::{FleetView, Job, Policy};
use crate::draws::{Draws, Stream};
use crate::extension::Params;
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};
use std::collections::{BTreeMap, VecDeque};

/// Sessions that an instance knows; of more the oldest has its cookie taken away.
const MOST: usize = 100_000;

/// A policy as it is, or for those only that have no cookie.
pub(super) fn with_cookies(params: &Params, policy: Box<dyn Policy>) -> Box<dyn Policy> {
    if !params.flag("cookie") {
        return policy;
    }
    Box::new(Cookies {
        policy,
        servers: BTreeMap::new(),
        order: VecDeque::new(),
    })
}

#[derive(Clone, Debug)]
struct Cookies {
    /// What balances those without a cookie.
    policy: Box<dyn Policy>,
    servers: BTreeMap<u64, u32>,
    /// Sessions in the order in which they began.
    order: VecDeque<u64>,
}

impl Policy for Cookies {
    fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, draws: &mut Draws) -> Option<usize> {
        if let Some(server) = self.servers.get(&job.key)
            && fleet.eligible.binary_search(server).is_ok()
        {
            return Some(*server as usize);
        }
        let server = self.policy.pick(fleet, job, draws)?;
        if self.servers.insert(job.key, server as u32).is_none() {
            self.order.push_back(job.key);
            if self.order.len() > MOST
                && let Some(oldest) = self.order.pop_front()
            {
                self.servers.remove(&oldest);
            }
        }
        Some(server)
    }

    fn place_servers(&mut self, servers: usize, place: &dyn Fn(usize) -> Stream) {
        self.policy.place_servers(servers, place);
    }
    fn key_shares(&self) -> Option<Vec<f64>> {
        self.policy.key_shares()
    }
    fn observes(&self) -> bool {
        self.policy.observes()
    }
    fn on_assigned(&mut self, server: usize, in_flight: u32) {
        self.policy.on_assigned(server, in_flight);
    }
    fn on_finished(
        &mut self,
        now: Instant,
        server: usize,
        in_flight: u32,
        outcome: Outcome,
        took: Duration,
    ) {
        (self.policy).on_finished(now, server, in_flight, outcome, took);
    }
    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        self.policy.on_fleet_changed(fleet);
    }
    fn sees_full(&self) -> bool {
        true
    }
    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::super::testing::Proxy;

    #[test]
    fn bound_requests_do_not_advance_the_rotation() {
        // Case 155: one without a cookie, four with the one received, two with that of b, three unknown.
        let mut proxy = Proxy::new("haproxy-roundrobin cookie=true", &[1.0; 3]);
        assert_eq!(proxy.run(1, 5, false), "aaaaa");
        let others: String = (2..5).map(|key| proxy.run(key, 1, false)).collect();
        assert_eq!(others, "bca");
        assert_eq!(proxy.run(2, 2, false), "bb");
    }

    #[test]
    fn a_session_waits_for_its_server_and_moves_when_that_is_out() {
        let mut proxy = Proxy::new("haproxy-roundrobin cookie=true", &[1.0; 2]);
        proxy.limits = vec![1; 2];
        assert_eq!(proxy.run(7, 3, true), "aaa");
        proxy.fleet.weights[0] = 0.0;
        proxy.change();
        assert_eq!(proxy.choose(7, None), Some(0));
        proxy.up(&[1]);
        assert_eq!(proxy.choose(7, None), Some(1));
        proxy.up(&[0, 1]);
        assert_eq!(proxy.choose(7, None), Some(1));
    }
}
