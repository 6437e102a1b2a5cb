//! Interrupted service: disciplines in which a newcomer may take a worker from somebody else.
//!
//! Who is interrupted keeps what he has received (preemptive resume): his demand is what is left.

use super::Simulation;
use super::attempt::Place;
use super::slab::{Handle, Slot};
use crate::discipline::{Order, Waiting};

impl Simulation {
    /// Frees a worker for a newcomer whose rank is lower than the highest in service; false when
    /// there is none, and nothing has happened.
    pub(super) fn interrupt_for(&mut self, newcomer: Handle) -> bool {
        let server = self.attempts[newcomer].server;
        let Order::Preemptive(rank) = self.fleet.cold[server].params.discipline.order() else {
            return false;
        };
        let now = self.now;
        let s = &mut self.fleet[server];
        if s.in_service == 0 {
            return false;
        }
        s.advance(now);
        let s = &self.fleet[server];
        let rank_of = |slot: Slot, demand_ns: u64| {
            let class = self.attempts[slot].class;
            rank(&Waiting {
                priority: self.classes[class].priority,
                demand_ns,
                arrived_ns: self.attempts.cold_at(slot).arrived,
            })
        };
        let left = |slot: Slot| self.attempts[slot].mark.saturating_sub(s.virtual_now);
        let others = self.fleet.cold[server].in_service.iter();
        let worst = std::iter::once(s.first)
            .chain(others.map(|serving| serving.slot))
            .map(|slot| (rank_of(slot, left(slot)), slot))
            .max();
        let own = rank_of(newcomer.slot(), self.attempts[newcomer].demand_ns);
        match worst {
            Some((highest, slot)) if own < highest => {
                self.interrupt_at(self.attempts.handle_at(slot));
                true
            }
            _ => false,
        }
    }

    /// Takes a request off its worker, to go on later; virtual time must be that of now.
    pub(super) fn interrupt_at(&mut self, handle: Handle) {
        let attempt = &self.attempts[handle];
        let (server, service) = (attempt.server, attempt.service);
        let left = attempt
            .mark
            .saturating_sub(self.fleet[server].virtual_now)
            .min(attempt.demand_ns);
        let done = attempt.demand_ns - left;
        if attempt.purpose.is_request() {
            let wanted = self.calls.contains(attempt.call);
            self.services[service].count_service(done, wanted);
        }
        self.unload(handle);
        let arrived = self.attempts.cold(handle).arrived;
        let attempt = &mut self.attempts[handle];
        attempt.demand_ns = left;
        attempt.mark = arrived;
        attempt.place = Place::Interrupted;
        self.enqueue_first(handle);
    }
}
