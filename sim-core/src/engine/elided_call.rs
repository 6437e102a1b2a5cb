//! Calls that are elided by their only attempt, and how they are spelled out.
//!
//! A request on the fast path has one attempt, which says all there is to know about it. As soon
//! as anything else concerns itself with it (a timeout, a crash, a refusal, changed settings) its
//! call is spelled out, and the general path never sees the difference. Two rules make that safe:
//! an attempt with an elided call is at a service on the fast path, and in a server on it.

use super::Simulation;
use super::slab::Handle;
use super::source::{draw_class, source_of};
use super::state::{Attempt, AttemptCold, Call, NIL, Waiting};
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
        let mut draws = self.request_stream.at(number);
        // The key's draws come after the class's.
        draw_class(&s.mix, &mut draws);
        let key = s.keys.key(number, &mut draws);
        let call = self.calls.insert(Call {
            arrived: attempt.begun,
            current: handle,
            attempts: 1,
            previous: match attempt.server {
                NIL => NIL,
                server => self.servers[server as usize].local,
            },
            ..self.call_from_outside(source as u16, number, key, class)
        });
        let attempt = &mut self.attempts[handle];
        attempt.call = call;
        let arrived = attempt.begun;
        self.reset_cold(handle, arrived);
        self.set_ordinal(handle, 1);
        self.elided -= 1;
        call
    }

    /// What is kept beside an attempt begins anew, but for which attempt it is.
    #[inline]
    pub(super) fn reset_cold(&mut self, handle: Handle, arrived: u64) {
        let cold = self.cold_with_room(handle);
        *cold = AttemptCold {
            arrived,
            ordinal: cold.ordinal,
            asks: cold.asks,
            key: cold.key,
            ..AttemptCold::default()
        };
    }

    /// Notes which attempt of its call it is.
    #[inline]
    pub(super) fn set_ordinal(&mut self, handle: Handle, ordinal: u32) {
        self.cold_with_room(handle).ordinal = ordinal;
    }

    #[inline]
    fn cold_with_room(&mut self, handle: Handle) -> &mut AttemptCold {
        let place = handle.index() as usize;
        if place >= self.attempts_cold.len() {
            self.make_room_for_cold();
        }
        &mut self.attempts_cold[place]
    }

    #[cold]
    #[inline(never)]
    fn make_room_for_cold(&mut self) {
        let places = self.attempts.peak();
        self.attempts_cold.resize(places, AttemptCold::default());
    }

    /// What is kept beside an attempt that has been at a server on the general path.
    pub(super) fn cold(&self, handle: Handle) -> &AttemptCold {
        &self.attempts_cold[handle.index() as usize]
    }

    pub(super) fn cold_mut(&mut self, handle: Handle) -> &mut AttemptCold {
        &mut self.attempts_cold[handle.index() as usize]
    }

    /// Writes down the elided calls of certain attempts.
    pub(super) fn spell_out_all(&mut self, which: impl Fn(&Attempt) -> bool) {
        if self.elided == 0 {
            return;
        }
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
    pub(super) fn spell_out_server(&mut self, server: u32) {
        let (s, cold) = (
            &self.servers[server as usize],
            &self.servers_cold[server as usize],
        );
        let mut here: Vec<Handle> = Vec::new();
        if s.first != NIL {
            here.push(self.attempts.handle_at(s.first));
        }
        let serving = cold.in_service.iter();
        here.extend(serving.map(|Reverse((_, _, index))| self.attempts.handle_at(*index)));
        here.extend(
            cold.pile
                .iter()
                .map(|index| self.attempts.handle_at(*index)),
        );
        here.extend(cold.ranked.iter().map(|Reverse((_, _, handle))| *handle));
        if matches!(s.waiting, Waiting::Fifo | Waiting::Lifo) {
            let mut next = s.head;
            while next != NIL {
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
