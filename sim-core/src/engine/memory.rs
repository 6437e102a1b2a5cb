//! Memory: what servers and balancer instances use of it, and what callers who gave up leave behind.
//!
//! What is left behind is counted, not measured out: how many callers gave up, and when their part is
//! given back. Moments of giving back are rounded up to a thousandth of the time that it takes, so
//! that a server remembers a thousand of them at most, however many gave up.

use super::Simulation;
use super::event::{Event, Machine};
use super::watch::OUT_OF_MEMORY;
use crate::ids::ServerId;
use crate::time::Duration;
use std::collections::BTreeMap;

/// Parts into which the time until memory is given back is divided.
const GRAINS: u64 = 1000;

/// What callers who gave up have left behind at a server.
#[derive(Clone, Default)]
pub(super) struct LeftBehind {
    /// How many of them.
    count: u64,
    /// How many are given back when; those that are kept for ever are not among them. Sorted, since
    /// the time that it takes may be changed while some still wait.
    due: BTreeMap<u64, u64>,
}

impl LeftBehind {
    /// One more, to be given back `release` after `now` or never. The moment, if it is a new one.
    fn add(&mut self, now: u64, release: Option<Duration>) -> Option<u64> {
        self.count += 1;
        let release = release?.0;
        let grain = (release / GRAINS).max(1);
        let at = now
            .saturating_add(release)
            .div_ceil(grain)
            .saturating_mul(grain);
        let due = self.due.entry(at).or_default();
        *due += 1;
        (*due == 1).then_some(at)
    }

    /// Gives back what is due.
    fn give_back(&mut self, now: u64) {
        while let Some(entry) = self.due.first_entry().filter(|entry| *entry.key() <= now) {
            self.count -= entry.remove();
        }
    }
}

/// Memory in use, and the most there may be, in bytes.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct MemoryUse {
    /// In use.
    pub used: f64,
    /// Beyond this the machine is killed.
    pub limit: f64,
}

impl MemoryUse {
    /// Whether there is more than may be.
    pub(super) fn is_over(self) -> bool {
        self.used > self.limit
    }
}

impl Simulation {
    /// So many in the system are the fewest with which a server may use more than `bytes`; never too
    /// large.
    pub(super) fn fewest_that_use(&self, server: ServerId, bytes: f64) -> f64 {
        let cold = &self.fleet.cold[server];
        let Some(memory) = &cold.params.memory else {
            return f64::INFINITY;
        };
        let rest = memory.base + memory.per_abandoned * cold.left_behind.count as f64;
        let each = memory.per_in_service.max(memory.per_queued);
        if rest > bytes {
            return 0.0;
        }
        // Rounded down: to look one request too early costs little.
        ((bytes - rest) / each).floor()
    }

    /// Memory of a machine; absent where its settings say nothing of memory.
    pub(super) fn memory_of(&self, machine: Machine) -> Option<MemoryUse> {
        match machine {
            Machine::Server(server) => {
                let (s, cold) = (&self.fleet[server], &self.fleet.cold[server]);
                cold.params.memory.as_ref().map(|m| MemoryUse {
                    used: m.base
                        + m.per_in_service * f64::from(s.in_service + s.holding)
                        + m.per_queued * f64::from(s.queue_len)
                        + m.per_abandoned * cold.left_behind.count as f64,
                    limit: m.limit,
                })
            }
            Machine::Instance(index) => {
                let instance = &self.balancers[index];
                let memory = self.services[instance.service].settings.balancer.memory?;
                Some(MemoryUse {
                    used: memory.base + memory.per_connection * f64::from(instance.connections),
                    limit: memory.limit,
                })
            }
        }
    }

    /// Plans the end of a machine whose memory has grown beyond its limit.
    pub(super) fn watch_memory(&mut self, machine: Machine) {
        if self.memory_of(machine).is_some_and(MemoryUse::is_over) {
            // As an event of its own: the caller is half-way through a step.
            let incarnation = self.incarnation(machine).number;
            self.events.schedule(
                self.now,
                Event::CrashDue(machine, OUT_OF_MEMORY, incarnation),
            );
        }
    }

    /// A caller has hung up on a request that the server goes on with: something stays behind.
    pub(super) fn leave_behind(&mut self, server: ServerId) {
        let cold = &mut self.fleet.cold[server];
        let Some(memory) = cold.params.memory.filter(|m| m.per_abandoned > 0.0) else {
            return;
        };
        if !self.fleet.servers[server].state.serves() {
            // Of a process that is dead nothing remains but, perhaps, its queue.
            return;
        }
        if let Some(at) = cold.left_behind.add(self.now, memory.release) {
            self.events.schedule(at, Event::GivenBack(server));
        }
        self.heed_server(server);
        self.watch_server(server);
    }

    /// A server gives back memory that was left behind.
    pub(super) fn give_back(&mut self, server: ServerId) {
        self.fleet.cold[server].left_behind.give_back(self.now);
        self.heed_server(server);
        self.watch_server(server);
    }

    /// A process has ended: nothing is left of its memory.
    pub(super) fn forget_left_behind(&mut self, server: ServerId) {
        self.fleet.cold[server].left_behind = LeftBehind::default();
        self.heed_server(server);
    }
}
