//! `balance first`: the first server that has a place.

use super::super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use super::cookie::with_cookies;
use super::{COOKIE, is_full};
use crate::draws::Draws;
use crate::extension::ExtensionRow;

pub(in super::super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "haproxy-first",
        about: "The first server in order that is below its limit; give servers max_connections, or the first takes all. A weight counts only as being zero or not.",
        source: "HAProxy 2.6 to 3.4, balance first, src/lb_fas.c",
        params: &[COOKIE],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: false,
    by_weight: false,
    build: &|params| with_cookies(params, Box::new(First)),
};

#[derive(Clone, Debug)]
struct First;

impl Policy for First {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, _: &mut Draws) -> Option<usize> {
        if fleet.lines.unbound > 0 {
            return None;
        }
        let mut servers = fleet.eligible.iter().map(|&server| server as usize);
        servers.find(|&server| fleet.weights[server] > 0.0 && !is_full(fleet, server))
    }

    fn on_fleet_changed(&mut self, _: &FleetView<'_>) {}

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
    fn fills_one_after_the_other() {
        // Case 117.
        let mut proxy = Proxy::new("haproxy-first", &[1.0; 3]);
        proxy.limits = vec![2; 3];
        assert_eq!(proxy.run(0, 7, true), "aabbcc-");
        proxy.finish(1);
        assert_eq!(proxy.run(0, 1, true), "b");
    }
}
