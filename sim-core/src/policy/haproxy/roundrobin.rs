//! `balance roundrobin`: each server's next turn has a place on a line, the more often the heavier it is.
//!
//! Those that have had no turn in this round yet wait by weight, the heaviest first, and fill the holes
//! between the places of those that have. A server that is full when its turn comes loses it and gets the
//! next one; one that returns is placed behind those that are due already. Heavy servers have their first turns
//! together, unlike in nginx: 5:1:1 gives a a a b a a c.

use super::super::{Farm, FleetView, Job, Policy, PolicyDef, no_conditions};
use super::cookie::with_cookies;
use super::{COOKIE, HEAVIEST, any_open, is_open, usable};
use crate::draws::Draws;
use crate::extension::ExtensionRow;
use std::collections::BTreeSet;

pub(in super::super) static POLICY: PolicyDef = PolicyDef {
    row: ExtensionRow {
        name: "haproxy-roundrobin",
        about: "Turns in proportion to the weights, in HAProxy's order; servers at their limit are skipped.",
        source: "HAProxy 2.6 to 3.4, balance roundrobin, src/lb_fwrr.c",
        params: &[COOKIE],
    },
    farm: Farm::Unknown,
    follows_load: false,
    familiar: None,
    check: no_conditions,
    heeds_weights: true,
    by_weight: true,
    build: &|params| with_cookies(params, Box::new(RoundRobin::default())),
};

/// Servers in the order of a key, those of the same key in the order in which they were put there.
type Queue = BTreeSet<(i64, u64, u32)>;

#[derive(Clone, Debug, Default)]
struct RoundRobin {
    /// How far this round has come, and the weight of all servers when it began and as it is now.
    position: i64,
    weight: i64,
    next_weight: i64,
    /// Those that have had no turn in this round, those that have another, and those that have had all of theirs.
    first: Queue,
    due: Queue,
    done: Queue,
    servers: Vec<Server>,
    /// How often something was put into a queue.
    put: u64,
    /// Whether it has begun: who is there then waits for a first turn.
    begun: bool,
}

#[derive(Clone, Copy, Debug, Default)]
struct Server {
    weight: i64,
    /// Places of its latest turn and of its next.
    last: i64,
    next: i64,
    /// What remains of the division that the places come from.
    rest: i64,
    queue: Place,
    key: (i64, u64),
}

#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
enum Place {
    #[default]
    Nowhere,
    First,
    Due,
    Done,
}

impl RoundRobin {
    fn queue(&mut self, place: Place) -> Option<&mut Queue> {
        match place {
            Place::Nowhere => None,
            Place::First => Some(&mut self.first),
            Place::Due => Some(&mut self.due),
            Place::Done => Some(&mut self.done),
        }
    }

    fn take_out(&mut self, id: u32) {
        let Server { queue, key, .. } = self.servers[id as usize];
        if let Some(queue) = self.queue(queue) {
            queue.remove(&(key.0, key.1, id));
        }
    }

    fn put(&mut self, id: u32, place: Place, key: i64) {
        self.put += 1;
        let key = (key, self.put);
        let server = &mut self.servers[id as usize];
        (server.queue, server.key) = (place, key);
        if let Some(queue) = self.queue(place) {
            queue.insert((key.0, key.1, id));
        }
    }

    fn put_by_weight(&mut self, id: u32, place: Place) {
        let weight = self.servers[id as usize].weight;
        self.put(id, place, HEAVIEST.cast_signed() - weight);
    }

    /// Puts a server where its next turn is, in this round or the next.
    fn put_by_turn(&mut self, id: u32) {
        let window = self.weight + self.weight.min(self.next_weight);
        let server = &mut self.servers[id as usize];
        if server.next >= window {
            server.next -= self.weight;
            self.put_by_weight(id, Place::Done);
        } else {
            let lighter = (HEAVIEST.cast_signed() + server.rest - server.weight) / 16;
            let key = 256 * server.next + lighter;
            self.put(id, Place::Due, key);
        }
    }

    /// A place behind those that are due, for one that has just come.
    fn place_newcomer(&mut self, id: u32) {
        let ahead = self.next_weight + self.weight - self.position;
        let server = &mut self.servers[id as usize];
        server.next = self.position + ahead / server.weight;
        self.put_by_turn(id);
    }

    fn reweigh(&mut self, id: u32, weight: i64) {
        let before = self.servers[id as usize];
        self.next_weight += weight - before.weight;
        self.servers[id as usize].weight = weight;
        if weight == 0 {
            self.take_out(id);
            self.servers[id as usize].queue = Place::Nowhere;
            return;
        }
        match before.queue {
            Place::Nowhere if !self.begun => self.put_by_weight(id, Place::First),
            Place::Nowhere => self.place_newcomer(id),
            Place::First => {
                self.take_out(id);
                self.put_by_weight(id, Place::First);
            }
            Place::Due | Place::Done => {
                self.take_out(id);
                let mut until = before.next;
                if before.queue == Place::Done {
                    until += self.weight;
                }
                let step = self.next_weight / weight;
                let server = &mut self.servers[id as usize];
                server.rest = 0;
                server.next = (server.last + step).min(until);
                if server.next < self.position + 2 {
                    server.next = self.position + step;
                }
                self.put_by_turn(id);
            }
        }
    }

    /// Who is to have the next turn, if anybody of this round is left.
    fn foremost(&mut self) -> Option<u32> {
        let due = self.due.first().map(|&(.., id)| id);
        if let Some(id) = due
            && self.servers[id as usize].next <= self.position
        {
            return due;
        }
        // A hole: one that has had no turn yet fills it.
        let Some(&(.., id)) = self.first.first() else {
            return due;
        };
        let server = &mut self.servers[id as usize];
        (server.next, server.rest) = (0, 0);
        Some(id)
    }

    /// A server has its turn, and gets the place of its next.
    fn advance(&mut self, id: u32) {
        let server = &mut self.servers[id as usize];
        if server.next == 0 {
            server.next = self.position;
        }
        server.last = server.next;
        server.next += self.next_weight / server.weight;
        server.rest += self.next_weight % server.weight;
        if server.rest >= server.weight {
            server.rest -= server.weight;
            server.next += 1;
        }
    }
}

impl Policy for RoundRobin {
    fn pick(&mut self, fleet: &FleetView<'_>, _: &Job, _: &mut Draws) -> Option<usize> {
        // Who waits already waits because all are full.
        if fleet.lines.unbound > 0 || !any_open(fleet) {
            return None;
        }
        let (mut skipped, mut switched) = (Vec::new(), false);
        let chosen = loop {
            if self.weight == 0 {
                (self.weight, self.position) = (self.next_weight, self.next_weight);
            }
            let Some(id) = self.foremost() else {
                if switched {
                    break None;
                }
                switched = true;
                std::mem::swap(&mut self.first, &mut self.done);
                for (.., id) in &self.first {
                    self.servers[*id as usize].queue = Place::First;
                }
                (self.weight, self.position) = (self.next_weight, self.next_weight);
                continue;
            };
            self.advance(id);
            self.take_out(id);
            self.position += 1;
            if is_open(fleet, id as usize) {
                break Some(id);
            }
            skipped.push(id);
        };
        if let Some(id) = chosen {
            self.put_by_turn(id);
        }
        for id in skipped.into_iter().rev() {
            if switched {
                self.put_by_weight(id, Place::First);
            } else {
                self.put_by_turn(id);
            }
        }
        chosen.map(|id| id as usize)
    }

    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        let weights = usable(fleet);
        self.servers.resize(weights.len(), Server::default());
        for (id, weight) in weights.into_iter().enumerate() {
            if self.servers[id].weight != weight.cast_signed() {
                self.reweigh(id as u32, weight.cast_signed());
            }
        }
        if !std::mem::replace(&mut self.begun, !fleet.eligible.is_empty()) {
            (self.weight, self.position) = (self.next_weight, self.next_weight);
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

    fn turns(weights: &[f64], requests: u64) -> String {
        Proxy::new("haproxy-roundrobin", weights).run(0, requests, false)
    }

    #[test]
    fn turns_come_in_the_order_of_the_program() {
        // Case 85, and what lb_semantics and measurements A10 saw.
        assert_eq!(turns(&[1.0; 4], 5), "abcda");
        assert_eq!(turns(&[3.0, 2.0, 1.0], 12), "abacababacab");
        assert_eq!(turns(&[5.0, 1.0, 1.0], 14), "aaabaacaaabaac");
        // Cases 89 and 91.
        assert_eq!(turns(&[2.0, 1.0], 6), "aabaab");
        assert_eq!(turns(&[1.0, 0.0, 1.0], 6), "acacac");
    }

    #[test]
    fn a_returning_server_is_queued_behind_those_already_due() {
        // Cases 93 and 95.
        let mut proxy = Proxy::new("haproxy-roundrobin", &[1.0; 3]);
        proxy.up(&[1, 2]);
        assert_eq!(proxy.run(0, 4, false), "bcbc");
        proxy.up(&[0, 1, 2]);
        assert_eq!(proxy.run(0, 8, false), "bcabcabc");
        let mut proxy = Proxy::new("haproxy-roundrobin", &[1.0; 3]);
        assert_eq!(proxy.run(0, 4, false), "abca");
        proxy.up(&[0, 2]);
        assert_eq!(proxy.run(0, 4, false), "caca");
    }

    #[test]
    fn full_servers_are_skipped_and_one_that_waits_keeps_others_waiting() {
        let mut proxy = Proxy::new("haproxy-roundrobin", &[1.0; 3]);
        proxy.limits = vec![1, 2, 3];
        assert_eq!(proxy.run(0, 7, true), "abcbcc-");
        proxy.finish(1);
        proxy.unbound = 1;
        assert_eq!(proxy.choose(0, None), None);
        proxy.unbound = 0;
        assert_eq!(proxy.choose(0, None), Some(1));
    }

    #[test]
    fn another_weight_changes_shares_and_no_turn_is_lost() {
        let mut proxy = Proxy::new("haproxy-roundrobin", &[1.0; 2]);
        proxy.run(0, 5, false);
        proxy.fleet.weights = vec![3.0, 1.0];
        proxy.change();
        let turns = proxy.run(0, 400, false);
        let of_a = turns.matches('a').count();
        assert!((299..=301).contains(&of_a), "{of_a}");
        assert_eq!(proxy.choose(0, Some(&[1])), Some(1));
        proxy.up(&[]);
        assert_eq!(proxy.run(0, 2, false), "--");
    }
}
