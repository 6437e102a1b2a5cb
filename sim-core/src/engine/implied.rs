//! Calls that are implied by their only attempt, and how they are spelled out.
//!
//! A request on the express lane has one attempt, which says all there is to know about it. As soon
//! as anything else concerns itself with it (a timeout, a crash, a refusal, changed settings) its
//! call is spelled out, and the general path never sees the difference. Two rules make that safe:
//! an attempt with an implied call is at a service on the express lane, and in a server on it.

use super::Simulation;
use super::slab::Handle;
use super::source::{draw_class, source_of};
use super::state::{Attempt, AttemptRest, Call, NIL, Waiting};
use std::cmp::Reverse;

impl Simulation {
    /// The call of an attempt, written down now if it was implied.
    pub(super) fn spell_out(&mut self, handle: Handle) -> Handle {
        let attempt = &self.attempts[handle];
        if !attempt.call.is_implied() {
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
        self.reset_rest(handle, arrived);
        self.set_ordinal(handle, 1);
        self.implied -= 1;
        call
    }

    /// What is kept beside an attempt begins anew, but for which attempt it is.
    #[inline]
    pub(super) fn reset_rest(&mut self, handle: Handle, arrived: u64) {
        let rest = self.rest_with_room(handle);
        *rest = AttemptRest {
            arrived,
            ordinal: rest.ordinal,
            ..AttemptRest::default()
        };
    }

    /// Notes which attempt of its call it is.
    #[inline]
    pub(super) fn set_ordinal(&mut self, handle: Handle, ordinal: u32) {
        self.rest_with_room(handle).ordinal = ordinal;
    }

    #[inline]
    fn rest_with_room(&mut self, handle: Handle) -> &mut AttemptRest {
        let place = handle.index() as usize;
        if place >= self.attempt_rests.len() {
            self.make_room_for_rests();
        }
        &mut self.attempt_rests[place]
    }

    #[cold]
    #[inline(never)]
    fn make_room_for_rests(&mut self) {
        let places = self.attempts.peak();
        self.attempt_rests.resize(places, AttemptRest::default());
    }

    /// What is kept beside an attempt that has been at a server on the general path.
    pub(super) fn rest(&self, handle: Handle) -> &AttemptRest {
        &self.attempt_rests[handle.index() as usize]
    }

    pub(super) fn rest_mut(&mut self, handle: Handle) -> &mut AttemptRest {
        &mut self.attempt_rests[handle.index() as usize]
    }

    /// Writes down the implied calls of certain attempts.
    pub(super) fn spell_out_all(&mut self, which: impl Fn(&Attempt) -> bool) {
        if self.implied == 0 {
            return;
        }
        let attempts = self.attempts.iter();
        let implied: Vec<Handle> = attempts
            .filter(|(_, attempt)| attempt.call.is_implied() && which(attempt))
            .map(|(handle, _)| handle)
            .collect();
        for handle in implied {
            self.spell_out(handle);
        }
    }

    /// Writes down the implied calls of a server's attempts, wherever in it they are.
    pub(super) fn spell_out_server(&mut self, server: u32) {
        let (s, rest) = (&self.servers[server as usize], &self.rests[server as usize]);
        let mut here: Vec<Handle> = Vec::new();
        if s.first != NIL {
            here.push(self.attempts.handle_at(s.first));
        }
        let serving = rest.in_service.iter();
        here.extend(serving.map(|Reverse((_, _, index))| self.attempts.handle_at(*index)));
        here.extend(
            rest.pile
                .iter()
                .map(|index| self.attempts.handle_at(*index)),
        );
        here.extend(rest.ranked.iter().map(|Reverse((_, _, handle))| *handle));
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
