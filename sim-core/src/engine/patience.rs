//! Patience: requests that leave a server's queue when they have waited too long.

use super::Simulation;
use super::attempt::Place;
use super::event::Event;
use super::slab::Handle;
use crate::outcome::Outcome;
use crate::time::Duration;

impl Simulation {
    /// How long an attempt waits for a worker: the same whenever it is asked.
    fn patience(&self, handle: Handle) -> Option<u64> {
        let attempt = &self.attempts[handle];
        let patience = self.fleet.cold[attempt.server].patience.as_ref()?;
        let known = attempt.call.is_elided() || self.calls.contains(attempt.call);
        let ordinal = if known {
            self.attempts.cold(handle).ordinal
        } else {
            0
        };
        let mut draws = (self.streams.patience).of_attempt(attempt.number, ordinal);
        Some(Duration::from_nanos_f64(patience.sample_ns(&mut draws)).0)
    }

    /// An attempt has begun to wait.
    pub(super) fn begin_patience(&mut self, handle: Handle) {
        if !self.attempts[handle].purpose.is_request() {
            return;
        }
        if let Some(patience) = self.patience(handle) {
            let until = self.now.saturating_add(patience);
            self.attempts.cold_mut(handle).patient_until = until;
            (self.events).schedule_far(self.now, until, Event::Impatient(handle));
        }
    }

    /// Takes a waiting request out of the queue without its being served.
    pub(super) fn leave_queue(&mut self, handle: Handle) {
        let attempt = &self.attempts[handle];
        if attempt.place == Place::Queued && attempt.purpose.is_request() {
            let waited_ns = self.now.saturating_sub(attempt.mark);
            self.recorder
                .waited_in_vain(attempt.service, attempt.begun, waited_ns);
        }
        self.unqueue(handle);
    }

    /// The patience of an attempt is at an end, if it still waits in the same queue.
    pub(super) fn impatient(&mut self, handle: Handle) {
        if !self.attempts.is_patient_until(handle, self.now) {
            return;
        }
        self.spell_out(handle);
        self.leave_queue(handle);
        self.abandon_children(self.child_of(handle));
        self.send_away(handle, Outcome::Abandoned);
    }
}
