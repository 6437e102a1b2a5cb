//! What happens when: the time line.

use super::{Actor, Change, Edit, LinkTarget, ServerId, ServerParams, ServiceId};
use crate::distribution::{DistributionDef, always};
use crate::extension::Configured;
use crate::fault::FaultDef;
use crate::time::{Duration, Instant};
use std::sync::Arc;

/// Something that happens at a given time.
#[derive(Clone, PartialEq, Debug)]
pub struct TimelineEntry {
    /// When.
    pub at: Instant,
    /// Whether people or the system do it: which column of the event log shows it.
    pub by: Actor,
    /// A sentence for the event log; when empty one is made from the action.
    pub note: String,
    /// What.
    pub action: Action,
}

/// What a time line can do.
#[derive(Clone, PartialEq, Debug)]
pub enum Action {
    /// Nothing but the note.
    Note,
    /// Change settings: `text` as written, `path = value`.
    Set {
        /// As written, for the event log.
        text: String,
        /// The parts that differ afterwards.
        changes: Vec<Change>,
        /// What it changes whatever has become of the system, by part, where something may have come between; empty where
        /// that is not worked out, and `changes` beside what was planned before say it.
        edits: Vec<Edit>,
    },
    /// Crash.
    Crash(Target),
    /// Stop and start: what is up is cut off from its callers and boots, what is down boots.
    Restart {
        /// Whom.
        target: Target,
        /// Whether what is up is left alone.
        only_down: bool,
    },
    /// Put a new release on servers, one after the other.
    Deploy(Arc<Rollout>),
    /// Have spares take the places of balancer instances that are down.
    Failover(ServiceId),
    /// Take out of rotation; what is in flight finishes.
    Drain(Target),
    /// Back into rotation.
    Undrain(Target),
    /// Bring in servers that were absent.
    Add(Vec<ServerId>),
    /// Take a server away: drained, then gone.
    Remove(Target),
    /// The caches of servers are emptied.
    Flush(Target),
    /// A fault befalls servers or links.
    Fault {
        /// Whom.
        of: Vec<Afflicted>,
        /// What.
        fault: Configured<FaultDef>,
        /// When it comes and goes.
        course: Course,
    },
    /// All faults of servers or links end.
    Heal(Vec<Afflicted>),
}

/// When a fault comes and goes, counted from its entry of the time line.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Course {
    /// For how long it befalls each; absent: until it is healed, or another of its kind takes its place.
    pub lasts: Option<Configured<DistributionDef>>,
    /// So much later it befalls each; absent: all at once.
    pub skew: Option<Configured<DistributionDef>>,
    /// So long after it came it comes again, yet never before it has left all; absent: it comes once.
    pub repeat: Option<Configured<DistributionDef>>,
}

impl Course {
    /// At once, once, and for so long.
    pub fn lasting(lasts: Duration) -> Self {
        Self {
            lasts: Some(always(lasts)),
            ..Self::default()
        }
    }
}

/// A rolling deployment.
#[derive(Clone, PartialEq, Debug)]
pub struct Rollout {
    /// The servers of one service that it concerns: those that are there are replaced, in as many of these places.
    pub servers: Vec<ServerId>,
    /// What each runs in the new release.
    pub release: Vec<Arc<ServerParams>>,
    /// What it changes at each, whatever that has become; empty where that is how the release differs from what was
    /// planned before.
    pub edits: Vec<Option<Edit>>,
    /// Whether the time line has it: later entries are worked out upon it.
    pub planned: bool,
    /// Whether it takes back another.
    pub back: bool,
    /// What differs, as written, for the event log.
    pub text: String,
    /// How many more than are meant may be there meanwhile.
    pub surge: Amount,
    /// How many fewer than are meant may serve meanwhile.
    pub unavailable: Amount,
    /// A new server counts when it has served for so long.
    pub min_ready: Duration,
    /// Who comes first, and is watched.
    pub canary: Option<Canary>,
}

impl Rollout {
    /// What is written of one that starts its servers anew and changes nothing.
    pub(crate) const NOTHING_NEW: &'static str = "restarted";
}

/// The first servers of a release, which decide whether the others follow.
#[derive(Clone, PartialEq, Debug)]
pub struct Canary {
    /// How many.
    pub servers: Amount,
    /// How long they are watched once all of them serve.
    pub watch: Duration,
    /// What comes after them, before all others follow.
    pub then: Vec<Stage>,
    /// Beyond this share of failed attempts at them in that time they go back, in [0, 1].
    pub failed: f64,
    /// The alert with which all go back if it begins to fire before the release is everywhere.
    pub abort_on: Option<String>,
}

/// A stage of a release after its canary.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Stage {
    /// How many have the new release then.
    pub servers: Amount,
    /// How long all of them are watched.
    pub watch: Duration,
}

/// A number of servers, or a share of those there are.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Amount {
    /// So many.
    Count(u32),
    /// A part of them, in [0, 1].
    Share(f64),
}

impl Amount {
    /// How many of so many that is; a share is rounded up, or down.
    pub fn of(self, all: usize, up: bool) -> usize {
        match self {
            Self::Count(count) => count as usize,
            Self::Share(share) => {
                let exact = share * all as f64;
                // A share such as 7 % of 100 is not to be missed by a rounding error.
                let whole = if up {
                    (exact - 1e-9).ceil()
                } else {
                    (exact + 1e-9).floor()
                };
                whole.max(0.0) as usize
            }
        }
    }
}

/// What a fault can befall.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Afflicted {
    /// A server.
    Server(ServerId),
    /// A link.
    Link(LinkTarget),
}

/// Whom an action concerns.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Target {
    /// These servers.
    Servers(Vec<ServerId>),
    /// All balancer instances of a service.
    Balancer(ServiceId),
    /// One balancer instance of a service, by its number from 0, spares after those in use.
    Instance(ServiceId, u32),
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shares_are_rounded_as_is_asked() {
        assert_eq!(Amount::Count(3).of(10, true), 3);
        let quarter = Amount::Share(0.25);
        assert_eq!([true, false].map(|up| quarter.of(10, up)), [3, 2]);
        assert_eq!(
            [true, false].map(|up| Amount::Share(0.07).of(100, up)),
            [7, 7]
        );
        assert_eq!(Amount::Share(1.0).of(0, true), 0);
    }
}
