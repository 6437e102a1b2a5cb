//! Lanes: which of their entries still mean something.

use super::Simulation;
use super::event::Event;
use super::setup::LaneKind;
use super::slab::{Handle, Slab};
use super::state::{Attempt, Call};

impl Simulation {
    /// What the head of a lane stands for; `None` when it is stale.
    pub(super) fn pop_lane(&mut self, lane: usize) -> Option<Event> {
        let kind = self.lanes.kind(lane);
        let (attempts, calls) = (&self.attempts, &self.calls);
        let handle =
            (self.agenda).pop_lane(lane, |subject| fresh(kind, subject, attempts, calls))?;
        Some(match kind {
            LaneKind::Deadline => Event::Deadline(handle),
            LaneKind::Timeout => Event::Timeout(handle),
            LaneKind::ToBalancer => Event::AtBalancer(handle),
            LaneKind::ToCaller => Event::Answer(handle),
            LaneKind::Dispatch => Event::Dispatched(handle),
        })
    }

    /// Drops stale entries where many may have gathered, so that a timeout of an hour does not hold
    /// an hour of timers.
    pub(super) fn thin_lanes(&mut self) {
        for lane in 0..self.agenda.lanes() {
            if self.agenda.is_thick(lane) {
                let kind = self.lanes.kind(lane);
                let (attempts, calls) = (&self.attempts, &self.calls);
                (self.agenda).thin_lane(lane, |subject| fresh(kind, subject, attempts, calls));
            }
        }
    }
}

/// Whether an entry still means something: its subject is there, and somebody waits for it.
#[inline]
fn fresh(kind: LaneKind, subject: Handle, attempts: &Slab<Attempt>, calls: &Slab<Call>) -> bool {
    match kind {
        LaneKind::Deadline => calls.contains(subject),
        LaneKind::Timeout => {
            attempts.contains(subject) && {
                let call = attempts[subject].call;
                call.is_implied() || calls.contains(call)
            }
        }
        LaneKind::ToBalancer | LaneKind::ToCaller | LaneKind::Dispatch => {
            attempts.contains(subject)
        }
    }
}
