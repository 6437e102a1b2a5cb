//! Everything that can happen: one closed list.

use super::slab::Handle;
use crate::ids::{InstanceId, ProberId, ServerId, ServiceId, SourceId};

/// An event of the simulation.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Event {
    /// A source emits a request.
    Arrival(SourceId),
    /// A server finishes the request that was to finish first.
    Completion(ServerId),
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
    /// The same of a request of which nothing is written down but an attempt.
    ElidedDeadline(Handle),
    /// The copy beside the first attempt of a request, where nothing else is written down of it.
    ElidedCopy(Handle),
    /// A caller makes an attempt: a retry, or the first of a call between services.
    Attempt(Handle),
    /// A caller sends a copy beside an attempt that is out.
    Copy(Handle),
    /// An attempt has waited long enough for an eligible server.
    PendingTimeout(Handle),
    /// A closed source's user has thought.
    Thought(SourceId),
    /// A visitor of a source has thought, and asks: which of its sessions, and how many requests came before.
    Continued(SourceId, u32, u16),
    /// A probe of health or liveness starts, unless settings have changed since that generation.
    Probe(ProberId, u32),
    /// A probe has waited long enough.
    ProbeTimeout(Handle),
    /// A health rule of a balancer instance is to be asked again, unless another moment was planned since.
    HealthDue(InstanceId, u32),
    /// A crash rule of an incarnation may have held for long enough.
    CrashDue(Machine, u16, u32),
    /// A machine that is down begins to start, if it is the same incarnation.
    Restart(Machine, u32),
    /// A machine that was starting is up, if it is the same incarnation.
    Up(Machine, u32),
    /// A warming server gets faster, if it is the same incarnation.
    WarmStep(ServerId, u32),
    /// A standby instance takes the place of a crashed one, if that is the same incarnation.
    Takeover(InstanceId, u32),
    /// An instance breaks off what it has at a server.
    BreakOff(InstanceId, ServerId),
    /// The connection that a rule of an instance held to a server has broken.
    Disconnected(InstanceId, ServerId),
    /// An instance opens it again, unless another moment was planned since.
    Reconnect(InstanceId, ServerId),
    /// The server answers that.
    Answered(InstanceId, ServerId),
    /// Nobody has answered.
    Unanswered(InstanceId, ServerId),
    /// A fault of a server ends, the one of this number, unless it has ended.
    FaultEnds(ServerId, u32),
    /// The same for a fault of a link.
    LinkFaultEnds(u32),
    /// A fault that comes again comes: the episode of this number.
    FaultComes(u32),
    /// It befalls the one at this place of what it befalls.
    FaultBegins(u32, u32),
    /// The patience of a waiting attempt ends.
    Impatient(Handle),
    /// A modulated source enters its next phase.
    Phase(SourceId),
    /// A worker of a server breaks down, unless settings have changed since.
    Breakdown(ServerId, u32),
    /// A worker of a server is repaired, unless settings have changed since.
    Repaired(ServerId, u32),
    /// The servers of a service report their load, unless settings have changed since.
    Report(ServiceId, u32),
    /// Servers of an autoscaled service are measured, unless settings have changed since.
    Reading(ServiceId, u32),
    /// Its autoscaler decides, unless settings have changed since.
    Scale(ServiceId, u32),
    /// A call that waits for the answer to another has it.
    Coalesced(Handle),
    /// A deployment looks what it may do next.
    Rollout(u32),
    /// A try to find a server ends, the one of this number.
    Provisioned(ServerId, u32),
    /// A server gives back memory that callers who gave up had left behind.
    GivenBack(ServerId),
    /// An attempt that a guard has delayed goes on.
    Admitted(Handle),
    /// An attempt has waited at a guard for as long as that allows.
    Overdue(Handle),
    /// An attempt that is not worth beginning leaves its server.
    Expired(Handle),
    /// A worker has begun with an attempt of a call whose copies know each other.
    Begun(Handle),
    /// Gauges that change without events are looked at.
    Poll,
    /// An entry of the time line comes due.
    Timeline(u32),
    /// An attempt or a probe reaches its server over the link.
    AtServer(Handle),
    /// An answer reaches the balancer over the link.
    Returned(Handle),
    /// The sender of a request has waited long enough for a connection.
    ConnectTimeout(Handle),
    /// A connection may have been without a request for too long, or be too old.
    ConnectionDue(Handle),
    /// An attempt has waited long enough for a connection.
    Unconnected(Handle),
    /// The warm-up is over: measurement starts.
    Measure,
    /// Something of the monitoring is due: a scrape, an evaluation, a notification.
    Monitor,
    /// A stage of what people do about an alert is over, unless it was given up.
    Respond(u32, u32),
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
        let pair =
            |instance: InstanceId, server: ServerId| u64::from(instance) << 32 | u64::from(server);
        match self {
            Self::Arrival(source) => (1, u64::from(source)),
            Self::Completion(server) => (2, u64::from(server)),
            Self::AtBalancer(h) => (3, u64::from(h.slot())),
            Self::Dispatched(h) => (4, u64::from(h.slot())),
            Self::Answer(h) => (5, u64::from(h.slot())),
            Self::Timeout(h) => (6, u64::from(h.slot())),
            // The engine puts in the call's number.
            Self::Deadline(_) | Self::ElidedDeadline(_) => (7, 0),
            Self::Attempt(_) => (8, 0),
            Self::PendingTimeout(h) => (9, u64::from(h.slot())),
            Self::Thought(source) => (10, u64::from(source)),
            Self::Continued(source, session, place) => (
                38,
                u64::from(source) << 48 | u64::from(place) << 32 | u64::from(session),
            ),
            Self::Probe(prober, _) => (11, u64::from(prober)),
            Self::ProbeTimeout(h) => (12, u64::from(h.slot())),
            Self::CrashDue(m, rule, _) => (13, machine(m) ^ u64::from(rule) << 40),
            Self::Restart(m, _) => (14, machine(m)),
            Self::Up(m, _) => (15, machine(m)),
            Self::WarmStep(server, _) => (16, u64::from(server)),
            Self::Takeover(instance, _) => (17, u64::from(instance)),
            Self::BreakOff(instance, server) => (62, pair(instance, server)),
            Self::Disconnected(instance, server) => (67, pair(instance, server)),
            Self::Reconnect(instance, server) => (68, pair(instance, server)),
            Self::Answered(instance, server) => (69, pair(instance, server)),
            Self::Unanswered(instance, server) => (70, pair(instance, server)),
            Self::FaultEnds(server, _) => (18, u64::from(server)),
            Self::LinkFaultEnds(number) => (35, u64::from(number)),
            Self::FaultComes(episode) => (60, u64::from(episode)),
            Self::FaultBegins(episode, place) => (61, u64::from(episode) << 32 | u64::from(place)),
            Self::Admitted(h) => (29, u64::from(h.slot())),
            Self::Overdue(h) => (30, u64::from(h.slot())),
            Self::Expired(h) => (31, u64::from(h.slot())),
            Self::Begun(h) => (47, u64::from(h.slot())),
            Self::Poll => (19, 0),
            Self::Timeline(index) => (20, u64::from(index)),
            Self::Tick => (21, 0),
            Self::Measure => (22, 0),
            Self::Impatient(h) => (23, u64::from(h.slot())),
            Self::Phase(source) => (24, u64::from(source)),
            Self::Breakdown(server, _) => (25, u64::from(server)),
            Self::Repaired(server, _) => (26, u64::from(server)),
            Self::Report(service, _) => (27, u64::from(service)),
            // As for attempts.
            Self::Copy(_) | Self::ElidedCopy(_) => (28, 0),
            Self::AtServer(h) => (32, u64::from(h.slot())),
            Self::Returned(h) => (33, u64::from(h.slot())),
            Self::ConnectTimeout(h) => (34, u64::from(h.slot())),
            // By its slot: connections are numbered as they are opened.
            Self::ConnectionDue(h) => (36, u64::from(h.slot())),
            Self::Unconnected(h) => (37, u64::from(h.slot())),
            Self::HealthDue(instance, _) => (40, u64::from(instance)),
            Self::GivenBack(server) => (46, u64::from(server)),
            Self::Reading(service, _) => (60, u64::from(service)),
            Self::Scale(service, _) => (61, u64::from(service)),
            Self::Provisioned(server, _) => (62, u64::from(server)),
            Self::Coalesced(h) => (64, u64::from(h.slot())),
            Self::Rollout(index) => (63, u64::from(index)),
            Self::Monitor => (65, 0),
            Self::Respond(book, _) => (66, u64::from(book)),
        }
    }
}
