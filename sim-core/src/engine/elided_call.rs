//! Calls that are elided by their only attempt, and how they are spelled out.
//!
//! A request on the fast path has one attempt, which says all there is to know about it. As soon
//! as anything else concerns itself with it (a timeout, a crash, a refusal, changed settings) its
//! call is spelled out, and the general path never sees the difference. Two rules make that safe:
//! an attempt with an elided call is at a service on the fast path, and in a server on it.

use super::Simulation;
use super::attempt::{Attempt, Call, Place};
use super::event::Event;
use super::fleet::Waiting;
use super::slab::{Handle, Slot};
use super::source::{draw_class, source_of};
use super::timer_fifo::Timer;
use crate::ids::{LocalId, ServerId};
use std::cmp::Reverse;

impl Simulation {
    /// The call of an attempt, written down now if it was elided.
    pub(super) fn spell_out(&mut self, handle: Handle) -> Handle {
        let attempt = &self.attempts[handle];
        if !attempt.call.is_elided() {
            return attempt.call;
        }
        let (number, class) = (attempt.number, attempt.class);
        let source = source_of(number);
        let s = &self.sources[source];
        let mut draws = self.streams.requests.at(number);
        // The key's draws come after the class's.
        draw_class(&s.mix, &mut draws);
        let key = s.keys.key(number, &mut draws);
        let call = Call {
            arrived: attempt.begun,
            current: handle,
            attempts: 1,
            previous: match attempt.server {
                ServerId::NONE => LocalId::NONE,
                server => self.fleet[server].local,
            },
            ..self.call_from_outside(source, number, key, class)
        };
        let call = self.calls.insert(call);
        let attempt = &mut self.attempts[handle];
        attempt.call = call;
        let arrived = attempt.begun;
        self.spell_out_beside(handle);
        self.pools.begin(handle);
        self.note_elided_visits(handle);
        self.attempts.elided -= 1;
        let client = self.calls[call].client;
        let deadline = self.callers[client].deadline;
        if deadline != u64::MAX {
            let (timer, at) = (
                Timer::ElidedDeadline(client),
                arrived.saturating_add(deadline),
            );
            (self.events).detach_timer(timer, at, handle, Event::Deadline(call));
        }
        if let Some(hedge) = self.callers[client].client.hedge {
            let (timer, at) = (
                Timer::ElidedCopy(client),
                arrived.saturating_add(hedge.after.0),
            );
            let planned = (self.events).detach_timer(timer, at, handle, Event::Copy(call));
            let next = planned.then_some(at);
            self.calls.hedge_spelled_out(call, handle, next);
            self.remember_elided_try(call);
        }
        call
    }

    /// What is kept beside an attempt whose call was elided until now.
    fn spell_out_beside(&mut self, handle: Handle) {
        let &Attempt {
            begun,
            service,
            server,
            place,
            ..
        } = &self.attempts[handle];
        if self.services[service].aside {
            // It is there already, but for what is known of no other.
            let patient = place == Place::Queued && self.fleet.cold[server].patience.is_some();
            let cold = self.attempts.cold_mut(handle);
            cold.arrived = cold.dispatched;
            if !patient {
                cold.patient_until = 0;
            }
            return;
        }
        self.attempts.reset_cold(handle, begun);
        self.attempts.set_ordinal(handle, 1);
        self.attempts.cold_mut(handle).dispatched = begun;
    }

    /// Writes down the elided calls of certain attempts.
    pub(super) fn spell_out_all(&mut self, which: impl Fn(&Attempt) -> bool) {
        if self.attempts.elided == 0 {
            return;
        }
        self.progress.look_at(self.attempts.len());
        let attempts = self.attempts.iter();
        let elided: Vec<Handle> = attempts
            .filter(|(_, attempt)| attempt.call.is_elided() && which(attempt))
            .map(|(handle, _)| handle)
            .collect();
        for handle in elided {
            self.spell_out(handle);
        }
    }

    /// Writes down the elided calls of a server's attempts, wherever in it they are.
    pub(super) fn spell_out_server(&mut self, server: ServerId) {
        let (s, cold) = (&self.fleet[server], &self.fleet.cold[server]);
        let mut here: Vec<Handle> = Vec::new();
        if s.first != Slot::NONE {
            here.push(self.attempts.handle_at(s.first));
        }
        let serving = cold.in_service.iter();
        here.extend(serving.map(|serving| self.attempts.handle_at(serving.slot)));
        here.extend(cold.pile.iter().map(|slot| self.attempts.handle_at(*slot)));
        here.extend(cold.ranked.iter().map(|Reverse((_, _, handle))| *handle));
        if matches!(s.waiting, Waiting::Fifo | Waiting::Lifo | Waiting::Turning) {
            let mut next = s.head;
            while next != Slot::NONE {
                here.push(self.attempts.handle_at(next));
                next = self.attempts[next].behind;
            }
        }
        for handle in here {
            if self.attempts.contains(handle) {
                self.spell_out(handle);
            }
        }
    }
}
