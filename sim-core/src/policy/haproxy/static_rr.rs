//! `balance static-rr`: turns by a table that is made of the weights.

use super::super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use super::cookie::with_cookies;
use super::map::table;
use super::{COOKIE, is_open, usable};
use crate::draws::Draws;
use crate::extension::ExtensionRow;

pub(in super::super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "haproxy-static-rr",
        about: "Turns by a table in which servers have places in proportion to their weights; servers at their limit are skipped.",
        source: "HAProxy 2.6 to 3.4, balance static-rr, src/lb_map.c",
        params: &[COOKIE],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: true,
    build: &|params| with_cookies(params, Box::new(Static::default())),
};

/// Turns by a table.
#[derive(Clone, Debug, Default)]
pub(super) struct Static {
    weights: Vec<u64>,
    table: Vec<u32>,
    next: usize,
}

impl Policy for Static {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, _: &mut Draws) -> Option<usize> {
        // Who waits already waits because all are full.
        if fleet.lines.unbound > 0 {
            return None;
        }
        let next = if self.next < self.table.len() {
            self.next
        } else {
            0
        };
        let (before, after) = self.table.split_at(next);
        let mut round = (after.iter().chain(before)).map(|&server| server as usize);
        let way = round.position(|server| is_open(fleet, server))?;
        let place = (next + way) % self.table.len();
        self.next = place + 1;
        Some(self.table[place] as usize)
    }

    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let weights = usable(fleet);
        if weights != self.weights {
            self.table = table(&weights);
            self.weights = weights;
        }
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
    fn turns_come_in_the_order_of_the_program() {
        let turns = |weights: &[f64], n| Proxy::new("haproxy-static-rr", weights).run(0, n, false);
        // Case 87, and what the balance without a key in case 107 falls back to.
        assert_eq!(turns(&[3.0, 2.0, 1.0], 18), "aababcaababcaababc");
        assert_eq!(turns(&[3.0, 1.0], 8), "aaabaaab");
        assert_eq!(turns(&[5.0, 1.0, 1.0], 14), "aaabaacaaabaac");
    }

    #[test]
    fn full_servers_are_skipped() {
        let mut proxy = Proxy::new("haproxy-static-rr", &[1.0; 3]);
        proxy.limits = vec![1, 2, 1];
        assert_eq!(proxy.run(0, 5, true), "abcb-");
        proxy.finish(2);
        assert_eq!(proxy.run(0, 1, true), "c");
        proxy.up(&[]);
        assert_eq!(proxy.run(0, 1, true), "-");
    }
}
