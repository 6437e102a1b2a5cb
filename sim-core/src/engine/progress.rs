//! How far a run has come, and why it is over.

use crate::draws::mix;
use crate::model::Limits;
use std::sync::Arc;

/// Why a run is over.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum End {
    /// The horizon was reached.
    Horizon,
    /// The limit on events was reached first.
    EventLimit,
    /// The limit on requests and attempts in flight was reached first.
    InFlightLimit,
    /// Events followed one another without time going on: a loop without any delay.
    Stalled,
    /// Somebody wanted it to end.
    Interrupted,
    /// A policy that is made outside of this program cannot go on; [`Simulation::early_end`](super::Simulation::early_end) says why.
    PolicyFailed,
}

impl End {
    /// A sentence for the warning that belongs to an early end; `None` for the horizon.
    pub fn warning(self) -> Option<&'static str> {
        match self {
            Self::Horizon => None,
            Self::EventLimit => Some("the run ended early: it reached limits.events"),
            Self::InFlightLimit => Some(
                "the run ended early: requests and attempts in flight, connections that are kept and visitors who think reached limits.in_flight",
            ),
            Self::PolicyFailed => Some("the run ended early: a policy failed"),
            Self::Interrupted => Some("the run ended early: it was interrupted"),
            Self::Stalled => Some(
                "the run ended early: time stood still, because some loop has no delay at all (users who never think, refused at once?)",
            ),
        }
    }
}

/// Events at one instant after which time is taken to stand still: so many, and a few for each
/// request that may be in flight, since all users of a closed source may start at once.
const STALLED: u64 = 1_000_000;

/// Every how many events, and copies beside them, the number in flight is compared with its limit: each
/// adds a handful, so memory stays about the limit, and where the run ends does not depend on recording.
const LOOK: u64 = 256;

/// Stale timers are looked for every so many events, however fast time goes.
const TIDY: u64 = 1 << 14;

/// An event costs at most about as much as so many looks at one thing: where a policy compares all of a
/// large fleet.
pub(super) const LOOKS_OF_AN_EVENT: u64 = 3_000;

/// How far a run has come.
#[derive(Clone)]
pub(super) struct Progress {
    pub end: Option<End>,
    /// What failed, once something did: the run is then about to end.
    pub failed: Option<Arc<str>>,
    /// Events so far, and a hash of their sequence.
    pub events: u64,
    /// Copies of attempts that events sent beside their own: each costs what an event costs.
    copies: u64,
    /// What was looked at one by one, beside what requests ask for.
    pub looks: u64,
    /// What events cost beside themselves, in looks.
    pub extra: u64,
    digest: u64,
    /// The time when limits were looked at last, and how many events time has stood still.
    looked_at: u64,
    still: u64,
    /// Number of events at which limits are looked at again.
    next_look: u64,
    /// Number of events after which stale timers are looked for again.
    next_tidying: u64,
}

impl Progress {
    pub(super) fn new() -> Self {
        Self {
            end: None,
            failed: None,
            events: 0,
            copies: 0,
            looks: 0,
            extra: 0,
            digest: 0,
            looked_at: 0,
            still: 0,
            next_look: 1,
            next_tidying: TIDY,
        }
    }

    /// Whether enough has happened for stale timers to have gathered.
    pub(super) fn is_time_to_tidy(&mut self) -> bool {
        let due = self.events >= self.next_tidying;
        if due {
            self.next_tidying = self.events + TIDY;
        }
        due
    }

    /// The run cannot go on, and ends with the event at hand or the next.
    pub(super) fn fail(&mut self, why: String) {
        self.failed.get_or_insert(why.into());
        self.next_look = 0;
    }

    /// What happened so far in units of what an event costs.
    pub(super) fn cost(&self) -> u64 {
        self.events + self.copies
    }

    /// A copy is sent: limits are looked at as much sooner as if it were an event.
    pub(super) fn count_copy(&mut self) {
        self.copies += 1;
        self.extra += LOOKS_OF_AN_EVENT;
        self.next_look = self.next_look.saturating_sub(1);
    }

    /// So many things are looked at one by one.
    #[inline]
    pub(super) fn look_at(&mut self, things: usize) {
        self.looks += things as u64;
        self.extra += things as u64;
    }

    pub(super) fn digest(&self) -> u64 {
        mix(self.digest ^ mix(self.events))
    }

    /// An event enters the digest. True when limits are to be looked at.
    #[inline]
    pub(super) fn count(&mut self, at: u64, (kind, subject): (u64, u64)) -> bool {
        self.events += 1;
        self.digest = (self.digest ^ at.rotate_left(20) ^ (kind << 58) ^ subject)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(23);
        self.events >= self.next_look
    }

    /// Whether a limit is reached, and which.
    pub(super) fn look(&mut self, now: u64, in_flight: usize, limits: Limits) -> Option<End> {
        let last = limits.events.saturating_sub(self.copies);
        self.next_look = last.min(self.events + LOOK);
        let moved = std::mem::replace(&mut self.looked_at, now) != now;
        self.still = if moved { 0 } else { self.still + LOOK };
        if self.failed.is_some() {
            Some(End::PolicyFailed)
        } else if self.still > STALLED + 4 * u64::from(limits.in_flight) {
            Some(End::Stalled)
        } else if self.cost() >= limits.events {
            Some(End::EventLimit)
        } else if in_flight > limits.in_flight as usize {
            Some(End::InFlightLimit)
        } else {
            None
        }
    }
}
