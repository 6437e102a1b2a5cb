//! What servers remember of how long their answers took, for policies that probe them.
//!
//! A median of the last answers for each number of requests that was met on arrival: the answer to
//! "how long would it take now?" depends on how full a server is, so that an average of all would tell a busy server's past.
//! What was met is noted when a request enters. By what it leaves behind the last of a long line would be taken for
//! one that found an empty server, and the server for a slow one.

use super::Simulation;
use super::fleet::Server;
use super::slab::Slot;
use crate::ids::{Id, LocalId, ServerId, ServiceId, Table};

/// Numbers of requests that are told apart: each up to 8, then two an octave.
const LEVELS: usize = 16;
/// Answers remembered for each.
const KEPT: usize = 3;

/// What a service's policies know of how long its answers take.
#[derive(Clone)]
pub(super) struct Tracked {
    servers: Table<LocalId, Latencies>,
    /// Of those that are at a server; what is left in other places means nothing.
    entered: Table<Slot, Option<Entered>>,
}

/// When a request entered its server, and how many it met there.
#[derive(Clone, Copy)]
struct Entered {
    at: u64,
    met: u32,
}

/// The last answers of a server.
#[derive(Clone, Default)]
struct Latencies([Last; LEVELS]);

/// The last answers to those that met about as many requests.
#[derive(Clone, Copy, Default)]
struct Last {
    /// In nanoseconds.
    took: [f32; KEPT],
    /// How many there were, up to twice as many as are kept.
    count: u8,
}

fn level(requests: u32) -> usize {
    let level = if requests < 8 {
        requests
    } else {
        let octave = requests.ilog2();
        8 + 2 * (octave - 3) + (requests >> (octave - 1) & 1)
    };
    (level as usize).min(LEVELS - 1)
}

impl Latencies {
    fn note(&mut self, requests: u32, took_ns: u64) {
        let last = &mut self.0[level(requests)];
        let count = usize::from(last.count);
        last.took[count % KEPT] = took_ns as f32;
        last.count = if count + 1 == 2 * KEPT {
            KEPT
        } else {
            count + 1
        } as u8;
    }

    /// The median of the last answers to those that met about so many requests.
    #[inline]
    fn median_ns(&self, requests: u32) -> Option<f32> {
        let level = level(requests);
        if self.0[level].count > 0 {
            return Some(self.0[level].median());
        }
        // The nearest level of which something is known, the lower of two.
        let known = |level: &usize| self.0[*level].count > 0;
        let nearest = (1..LEVELS).find_map(|far| {
            let below = level.checked_sub(far).filter(known);
            below.or_else(|| Some(level + far).filter(|l| *l < LEVELS).filter(known))
        });
        nearest.map(|level| self.0[level].median())
    }
}

impl Last {
    #[inline]
    fn median(&self) -> f32 {
        let [a, b, c] = self.took;
        // None of them is NaN, which `f32::min` would look for.
        let (less, more) = if a < b { (a, b) } else { (b, a) };
        let below = if more < c { more } else { c };
        match self.count {
            1 => a,
            2 => f32::midpoint(a, b),
            _ if less > below => less,
            _ => below,
        }
    }
}

impl Tracked {
    fn of(servers: usize) -> Self {
        Self {
            servers: Table::filled(servers, Latencies::default()),
            entered: Table::default(),
        }
    }

    /// A request has just entered a server.
    #[inline]
    pub(super) fn entered(&mut self, server: &Server, slot: Slot, now: u64) {
        *self.entered.with_room(slot, None) = Some(Entered {
            at: now,
            met: server.in_system - 1,
        });
    }

    /// How long an answer would take a server that has so many requests, by what it did lately.
    #[inline]
    pub(super) fn median_ns(&self, server: LocalId, requests: u32) -> Option<f32> {
        self.servers[server].median_ns(requests)
    }
}

impl Simulation {
    /// Whether the policies of a service want to know how long answers of its servers take.
    pub(super) fn configure_latencies(&mut self, service: ServiceId) {
        let wanted = self
            .balancers
            .of_mut(service)
            .iter()
            .any(|i| i.policy.tracks_latency());
        let service = &mut self.services[service];
        service.tracks_latencies = wanted;
        if wanted != service.latencies.is_some() {
            let servers = service.servers.len();
            service.latencies = wanted.then(|| Box::new(Tracked::of(servers)));
        }
    }

    /// A server has answered a request. Of those that were there before anybody wanted to know, nothing is known.
    pub(super) fn note_latency(&mut self, server: ServerId, slot: Slot) {
        let s = &self.fleet[server];
        if let Some(known) = &mut self.services[s.service].latencies
            && slot.position() < known.entered.len()
            && let Some(Entered { at, met }) = known.entered[slot]
        {
            known.servers[s.local].note(met, self.now - at);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn levels_ascend_with_the_number_of_requests() {
        assert_eq!(
            [0, 7, 8, 11, 12, 15, 16, 23, 24].map(level),
            [0, 7, 8, 8, 9, 9, 10, 10, 11]
        );
        assert!((0..5000).map(level).is_sorted());
        assert_eq!(level(u32::MAX), LEVELS - 1);
    }

    /// Ten come at once to a server that takes 10 ms each: who met nobody took 10 ms, who met nine 100 ms. By what they
    /// left behind it would be the other way round, and the empty server be taken for the slowest.
    #[test]
    fn answers_are_filed_under_what_they_met() {
        let text = "horizon = \"20s\"\n[[traffic]]\nto = \"web\"\narrivals = { kind = \"batch\", size = 10 }\nrate = 10\n\
            [service.web]\ndemand = \"10ms\"\nbalancer = { policy = \"prequal\" }\nserver = [{ name = \"a\", workers = 1 }]\n";
        let both = [
            text.to_owned(),
            // A link sends every request the general way.
            text.replace("policy =", "link = { delay = \"1ms\" }, policy ="),
        ];
        for text in both {
            let model = crate::scenario::parse(&text).unwrap_or_else(|e| panic!("{e}"));
            let mut simulation = Simulation::new(std::sync::Arc::new(model), 0);
            simulation.run();
            let known = simulation.services[ServiceId(0)].latencies.as_ref();
            let known = known.expect("Prequal wants to know");
            for met in 0..8 {
                let took = known.median_ns(LocalId(0), met).expect("ten came");
                assert!(
                    (took / 1e7 - (met + 1) as f32).abs() < 1e-3,
                    "{met}: {took}"
                );
            }
        }
    }

    #[test]
    fn the_median_of_the_last_three_at_the_nearest_number_known() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.median_ns(3), None);
        let mut after = |took| {
            latencies.note(2, took);
            latencies.median_ns(2)
        };
        let medians = [10, 30, 20, 1000, 1000, 5, 6, 7].map(|took| after(took).map(|m| m as u32));
        assert_eq!(medians, [10, 20, 20, 30, 1000, 1000, 6, 6].map(Some));
        latencies.note(40, 777);
        let of = [0, 2, 5, 9, 14, 20, 1000].map(|n| latencies.median_ns(n).map(|m| m as u32));
        assert_eq!(of, [6, 6, 6, 777, 777, 777, 777].map(Some));
    }
}
