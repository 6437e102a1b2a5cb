//! Everything that can happen: one closed list.

use super::slab::Handle;
use crate::ids::{InstanceId, ProberId, ServerId, ServiceId, SourceId};

/// An event of the simulation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Event {
    /// A source emits a request.
    Arrival {
        /// Which source.
        source: SourceId,
    },
    /// A server finishes the request that was to finish first.
    Completion {
        /// Which server.
        server: ServerId,
    },
    /// An attempt reaches the balancer over the link.
    AtBalancer(Handle),
    /// A balancer instance has done its own work for an attempt.
    Dispatched(Handle),
    /// An answer reaches the caller over the link.
    Answer(Handle),
    /// A caller gives up an attempt.
    Timeout(Handle),
    /// A caller gives up a request.
    Deadline(Handle),
    /// A caller makes an attempt: a retry, or the first of a call between services.
    Attempt(Handle),
    /// A caller sends a copy beside an attempt that is out.
    Copy(Handle),
    /// An attempt has waited long enough for an eligible server.
    PendingTimeout(Handle),
    /// A closed source's user has thought.
    Thought {
        /// Which source.
        source: SourceId,
    },
    /// A probe of health or liveness starts.
    Probe {
        /// Index of the prober.
        prober: ProberId,
        /// The prober's generation: settings may have changed.
        generation: u32,
    },
    /// A probe has waited long enough.
    ProbeTimeout(Handle),
    /// A crash rule may have held for long enough.
    CrashDue {
        /// Whose.
        machine: Machine,
        /// Which rule.
        rule: u16,
        /// The machine's incarnation: it may have restarted.
        incarnation: u32,
    },
    /// Something that is down begins to start.
    Restart {
        /// What.
        machine: Machine,
        /// Its incarnation.
        incarnation: u32,
    },
    /// Something that was starting is up.
    Up {
        /// What.
        machine: Machine,
        /// Its incarnation.
        incarnation: u32,
    },
    /// A warming server gets faster.
    WarmStep {
        /// Which.
        server: ServerId,
        /// Its incarnation.
        incarnation: u32,
    },
    /// A standby instance takes the place of a crashed one.
    Takeover {
        /// The crashed instance.
        instance: InstanceId,
        /// Its incarnation.
        incarnation: u32,
    },
    /// A temporary slow-down ends.
    SlowEnds {
        /// Which server.
        server: ServerId,
        /// Which slow-down.
        generation: u32,
    },
    /// The patience of a waiting attempt ends.
    Impatient(Handle),
    /// A modulated source enters its next phase.
    Phase {
        /// Which source.
        source: SourceId,
    },
    /// A worker breaks down.
    Breakdown {
        /// Of which server.
        server: ServerId,
        /// Settings may have changed since.
        generation: u32,
    },
    /// A worker is repaired.
    Repaired {
        /// Of which server.
        server: ServerId,
        /// Settings may have changed since.
        generation: u32,
    },
    /// The servers of a service report their load.
    Report {
        /// Which service.
        service: ServiceId,
        /// Settings may have changed since.
        generation: u32,
    },
    /// Gauges that change without events are looked at.
    Poll,
    /// An entry of the time line comes due.
    Timeline {
        /// Its position.
        index: u32,
    },
    /// An attempt or a probe reaches its server over the link.
    AtServer(Handle),
    /// An answer reaches the balancer over the link.
    Returned(Handle),
    /// The sender of a request has waited long enough for a connection.
    ConnectTimeout(Handle),
    /// What was done to a link for a time ends.
    LinkDeedEnds {
        /// Which deed.
        number: u64,
    },
    /// The warm-up is over: measurement starts.
    Measure,
    /// The recorder closes an interval.
    Tick,
}

/// Something that can crash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Machine {
    /// A server.
    Server(ServerId),
    /// A balancer instance.
    Instance(InstanceId),
}

impl Event {
    /// Kind and subject as numbers, for the digest of the event sequence.
    pub(crate) fn code(self) -> (u64, u64) {
        let machine = |m| match m {
            Machine::Server(i) => u64::from(i),
            Machine::Instance(i) => u64::from(i) | 1 << 32,
        };
        match self {
            Self::Arrival { source } => (1, u64::from(source)),
            Self::Completion { server } => (2, u64::from(server)),
            Self::AtBalancer(h) => (3, u64::from(h.slot())),
            Self::Dispatched(h) => (4, u64::from(h.slot())),
            Self::Answer(h) => (5, u64::from(h.slot())),
            Self::Timeout(h) => (6, u64::from(h.slot())),
            // The engine puts in the call's number.
            Self::Deadline(_) => (7, 0),
            Self::Attempt(_) => (8, 0),
            Self::PendingTimeout(h) => (9, u64::from(h.slot())),
            Self::Thought { source } => (10, u64::from(source)),
            Self::Probe { prober, .. } => (11, u64::from(prober)),
            Self::ProbeTimeout(h) => (12, u64::from(h.slot())),
            Self::CrashDue {
                machine: m, rule, ..
            } => (13, machine(m) ^ u64::from(rule) << 40),
            Self::Restart { machine: m, .. } => (14, machine(m)),
            Self::Up { machine: m, .. } => (15, machine(m)),
            Self::WarmStep { server, .. } => (16, u64::from(server)),
            Self::Takeover { instance, .. } => (17, u64::from(instance)),
            Self::SlowEnds { server, .. } => (18, u64::from(server)),
            Self::Poll => (19, 0),
            Self::Timeline { index } => (20, u64::from(index)),
            Self::Tick => (21, 0),
            Self::Measure => (22, 0),
            Self::Impatient(h) => (23, u64::from(h.slot())),
            Self::Phase { source } => (24, u64::from(source)),
            Self::Breakdown { server, .. } => (25, u64::from(server)),
            Self::Repaired { server, .. } => (26, u64::from(server)),
            Self::Report { service, .. } => (27, u64::from(service)),
            // As for attempts.
            Self::Copy(_) => (28, 0),
            Self::AtServer(h) => (32, u64::from(h.slot())),
            Self::Returned(h) => (33, u64::from(h.slot())),
            Self::ConnectTimeout(h) => (34, u64::from(h.slot())),
            Self::LinkDeedEnds { number } => (35, number),
        }
    }
}
