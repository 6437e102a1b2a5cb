//! Timer FIFOs: which of their entries still mean something.

use super::Simulation;
use super::event::Event;
use super::setup::TimerKind;
use super::slab::{Handle, Slab};
use super::state::{Attempt, Call};

impl Simulation {
    /// What the head of a fifo stands for; `None` when it is stale.
    pub(super) fn pop_fifo(&mut self, fifo: usize) -> Option<Event> {
        let kind = self.fifos.kind(fifo);
        let (attempts, calls) = (&self.attempts, &self.calls);
        let handle =
            (self.event_queue).pop_fifo(fifo, |subject| fresh(kind, subject, attempts, calls))?;
        Some(match kind {
            TimerKind::Deadline => Event::Deadline(handle),
            TimerKind::Timeout => Event::Timeout(handle),
            TimerKind::ToBalancer => Event::AtBalancer(handle),
            TimerKind::ToCaller => Event::Answer(handle),
            TimerKind::Dispatch => Event::Dispatched(handle),
        })
    }

    /// Drops stale entries where many may have gathered, so that a timeout of an hour does not hold
    /// an hour of timers.
    pub(super) fn thin_fifos(&mut self) {
        for fifo in 0..self.event_queue.fifos() {
            if self.event_queue.is_thick(fifo) {
                let kind = self.fifos.kind(fifo);
                let (attempts, calls) = (&self.attempts, &self.calls);
                (self.event_queue).thin_fifo(fifo, |subject| fresh(kind, subject, attempts, calls));
            }
        }
    }
}

/// Whether an entry still means something: its subject is there, and somebody waits for it.
#[inline]
fn fresh(kind: TimerKind, subject: Handle, attempts: &Slab<Attempt>, calls: &Slab<Call>) -> bool {
    match kind {
        TimerKind::Deadline => calls.contains(subject),
        TimerKind::Timeout => {
            attempts.contains(subject) && {
                let call = attempts[subject].call;
                call.is_elided() || calls.contains(call)
            }
        }
        TimerKind::ToBalancer | TimerKind::ToCaller | TimerKind::Dispatch => {
            attempts.contains(subject)
        }
    }
}
