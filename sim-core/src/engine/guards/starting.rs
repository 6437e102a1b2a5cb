//! An attempt begins service: guards of its server that watch the queue hear of it, and may refuse it
//! after all.

use super::{Guards, Post, Seat};
use crate::engine::Simulation;
use crate::engine::attempt::Place;
use crate::engine::event::Event;
use crate::engine::slab::Handle;
use crate::guard::GuardDef;
use crate::ids::ServerId;
use crate::outcome::Outcome;
use crate::time::Duration;

impl Guards {
    /// Whether guards of a server hear of those that begin service.
    fn watches_queue(&self, server: ServerId) -> bool {
        let rows = &self.servers[server].rows;
        rows.iter().any(|row| row.guard.def.watches_queue)
    }
}

impl Simulation {
    /// Whether a worker may begin with an attempt that has waited for it. Where not, it leaves by
    /// an event of its own: the worker's owner is half-way through a step.
    #[inline]
    pub(in crate::engine) fn may_start(&mut self, handle: Handle) -> bool {
        !self.guards.any || self.may_start_guarded(handle)
    }

    #[inline(never)]
    fn may_start_guarded(&mut self, handle: Handle) -> bool {
        let attempt = &self.attempts[handle];
        if attempt.place != Place::Queued || !attempt.purpose.is_request() {
            return true;
        }
        let seat = Seat::at_server(attempt.server);
        let waited = Duration(self.now - attempt.mark);
        let asks = |def: &GuardDef| def.watches_queue || def.keeps_deadlines;
        if let Some(row) = self.refuses_to_begin(handle, seat, waited, asks) {
            self.spell_out(handle);
            // It was passed when it came, and is counted once.
            let row = &mut self.guards.chain(seat).rows[row];
            row.passed = row.passed.saturating_sub(1);
            row.refused += 1;
            self.attempts[handle].place = Place::Expired;
            self.events.soon(self.now, Event::Expired(handle));
            return false;
        }
        self.tell_copies(handle);
        true
    }

    /// Those that know an attempt hear that a worker begins with it, once that is done.
    fn tell_copies(&mut self, handle: Handle) {
        if self.guards.ties && self.ties(handle) {
            self.events.soon(self.now, Event::Begun(handle));
        }
    }

    /// The guard, of those that want to be asked, that does not let an attempt begin.
    fn refuses_to_begin(
        &mut self,
        handle: Handle,
        seat: Seat,
        waited: Duration,
        asks: impl Fn(&GuardDef) -> bool,
    ) -> Option<usize> {
        (0..self.guards.chain(seat).rows.len()).find(|&row| {
            asks(self.guards.chain(seat).rows[row].guard.def) && {
                let ordinal = self.ordinal(handle);
                let asked = self.asks(handle, seat, row, ordinal);
                let state = self.guards.chain(seat).rows[row].state(seat.owner);
                !state.guard.begins(&asked, waited)
            }
        })
    }

    /// An attempt has found a worker free: guards that watch the queue hear that it need not wait.
    #[inline]
    pub(in crate::engine) fn starts_at_once(&mut self, handle: Handle) {
        if self.guards.any {
            self.starts_at_once_guarded(handle);
        }
    }

    #[inline(never)]
    fn starts_at_once_guarded(&mut self, handle: Handle) {
        self.tell_copies(handle);
        let attempt = &self.attempts[handle];
        if attempt.purpose.is_request() && self.guards.watches_queue(attempt.server) {
            let seat = Seat::at_server(attempt.server);
            let watches = |def: &GuardDef| def.watches_queue;
            if (self.refuses_to_begin(handle, seat, Duration::ZERO, watches)).is_some() {
                unreachable!("nobody is refused for having waited for no time");
            }
        }
    }

    /// An attempt that no worker may begin with leaves its server.
    pub(in crate::engine) fn expired(&mut self, handle: Handle) {
        if self.attempts[handle].place == Place::Expired {
            self.leave(Post::Server, handle, Outcome::Shed);
            self.send_away(handle, Outcome::Shed);
        }
    }
}
