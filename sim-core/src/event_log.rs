//! The event log of a run: every change of state, with its cause.

use crate::model::Actor;
use crate::time::Instant;

/// A kind of event in the event log.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// An alert fires.
    Alert,
    /// An alert's condition no longer holds.
    Resolved,
    /// A server or balancer instance crashes.
    Crash,
    /// It begins to start again.
    Restart,
    /// It serves again.
    Up,
    /// It runs at full speed after its warm-up.
    Warm,
    /// A balancer instance takes a server out after failed probes.
    Ejected,
    /// A balancer instance takes it back.
    Readmitted,
    /// A standby balancer instance takes over.
    Takeover,
    /// Taken out of rotation by hand.
    Drain,
    /// Put back by hand.
    Undrain,
    /// A server is added.
    Added,
    /// A server is removed.
    Removed,
    /// A speed is changed by the time line.
    Slow,
    /// Settings are changed.
    Set,
    /// A remark of the time line.
    Note,
    /// Goodput falls below 5 %.
    Down,
    /// Service is worse than agreed, or back from down to partial.
    Degraded,
    /// All objectives are met again.
    Normal,
    /// A link is cut by the time line.
    Partition,
    /// A link is made slower or lossy by the time line.
    Degrade,
    /// A link is as it was.
    Heal,
}

/// All kinds with their words in expectations and files.
pub static KINDS: &[(Kind, &str, &str)] = &[
    (Kind::Alert, "alert", "an alert fires"),
    (
        Kind::Resolved,
        "resolved",
        "an alert's condition no longer holds",
    ),
    (
        Kind::Crash,
        "crash",
        "a server or a balancer instance crashes",
    ),
    (Kind::Restart, "restart", "it begins to start again"),
    (Kind::Up, "up", "it serves again"),
    (Kind::Warm, "warm", "it runs at full speed again"),
    (
        Kind::Ejected,
        "ejected",
        "a balancer instance takes a server out after failed probes",
    ),
    (
        Kind::Readmitted,
        "readmitted",
        "a balancer instance takes it back",
    ),
    (
        Kind::Takeover,
        "takeover",
        "a standby balancer instance takes over",
    ),
    (Kind::Drain, "drain", "taken out of rotation by hand"),
    (Kind::Undrain, "undrain", "put back into rotation by hand"),
    (Kind::Added, "added", "a server is added"),
    (Kind::Removed, "removed", "a server is removed"),
    (Kind::Slow, "slow", "a speed is changed by the time line"),
    (Kind::Set, "set", "settings are changed"),
    (Kind::Note, "note", "a remark of the time line"),
    (
        Kind::Down,
        "down",
        "the site goes down: goodput below 5 % for 30 s",
    ),
    (
        Kind::Degraded,
        "degraded",
        "service is worse than agreed, or partly back, for 30 s",
    ),
    (
        Kind::Normal,
        "normal",
        "goodput of 98 % and all objectives met, for 2 minutes",
    ),
    (Kind::Partition, "partition", "a link is cut"),
    (Kind::Degrade, "degrade", "a link gets slower or lossy"),
    (Kind::Heal, "heal", "a link is as it was before"),
];

impl Kind {
    /// The word used in expectations and files.
    pub fn name(self) -> &'static str {
        KINDS[self as usize].1
    }
}

/// One event of the event log.
#[derive(Clone, PartialEq, Debug)]
pub struct Event {
    /// When.
    pub at: Instant,
    /// What.
    pub kind: Kind,
    /// Who did it.
    pub by: Actor,
    /// Whom it happened to: a server, a balancer instance, an alert; `site` for the whole.
    pub subject: String,
    /// Why, with numbers, as a phrase that can follow the subject.
    pub cause: String,
}
