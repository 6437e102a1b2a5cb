//! Calls and attempts: what there are millions of.

use super::hedge::Hedged;
use super::slab::{Handle, Slab, Slot};
use super::tried::Tried;
use super::visit::Child;
use crate::ids::{ClassId, ClientId, Id, InstanceId, LocalId, ServerId, ServiceId, Table};
use crate::outcome::Outcome;
use crate::retry::MEMORY_END;
use std::ops::{Deref, DerefMut};

/// A request as one caller sees it: from outside, or from a service to another. One cache line.
#[derive(Clone)]
#[repr(C, align(64))]
pub(super) struct Call {
    /// Identity of the request for random draws: the same whatever happened before.
    pub number: u64,
    pub key: u64,
    pub arrived: u64,
    /// The attempt at the calling service, for calls between services.
    pub parent: Handle,
    /// The attempt in flight.
    pub current: Handle,
    /// What is remembered of the failure before.
    pub memory: Memory,
    /// Attempts so far.
    pub attempts: u32,
    /// The server of the latest attempt, numbered within the service.
    pub previous: LocalId,
    pub client: ClientId,
    pub class: ClassId,
    pub service: ServiceId,
    /// Row of counters.
    pub flow: u16,
}

const _: () = assert!(size_of::<Call>() == 64, "a call fills a cache line");

/// What a call remembers of its latest failure: what its rule for trying again left there, and how
/// the try ended. Both in one word, the outcome in the upper four bits, counted from 1.
#[derive(Clone, Copy, Default)]
pub(super) struct Memory(u64);

const _: () = assert!(Outcome::COUNT < 16 && MEMORY_END == 1 << 60);

impl Memory {
    /// Of a failure that ended so; `kept` is what the rule remembers.
    pub(super) fn of(outcome: Outcome, kept: u64) -> Self {
        debug_assert!(kept < MEMORY_END, "a rule remembers too much");
        Self(((outcome as u64 + 1) << 60) | (kept % MEMORY_END))
    }

    /// How the latest try ended, if one has.
    pub(super) fn outcome(self) -> Option<Outcome> {
        (self.0 >> 60)
            .checked_sub(1)
            .map(|place| Outcome::ALL[place as usize])
    }

    /// What the rule for trying again remembers.
    pub(super) fn kept(self) -> u64 {
        self.0 % MEMORY_END
    }
}

/// Where an attempt is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// On its way to the balancer.
    Underway,
    /// Waiting for the balancer instance itself.
    AtBalancer,
    /// Waiting at a guard of its caller or balancer.
    Held,
    /// Waiting for an eligible server.
    Pending,
    /// At a balancer instance that has sent it on to another service.
    Routed,
    /// Waiting for a connection, at its caller or at its balancer.
    Unconnected,
    /// In a server, waiting at one of its guards.
    HeldAtServer,
    /// On its way from the balancer to its server.
    ToServer,
    /// Waiting for a worker.
    Queued,
    /// Waiting for a worker again, its service interrupted.
    Interrupted,
    /// Being served.
    InService,
    /// Holding a worker while a call to another service is out.
    Holding,
    /// In the server without a worker while a call to another service is out.
    Calling,
    /// In a server, about to leave: its service is not worth beginning.
    Expired,
    /// Its answer is on the way back to the balancer.
    Returning,
    /// Its answer is on the way back from the balancer.
    Answered,
    /// Lost on its way, or its answer, or sent to something that is down and says nothing.
    Lost,
}

impl Place {
    /// Whether it waits in a server's queue.
    #[inline]
    pub(super) fn is_queued(self) -> bool {
        matches!(self, Self::Queued | Self::Interrupted)
    }

    /// Whether it is on its way to a worker, or waits for one.
    pub(super) fn is_before_service(self) -> bool {
        matches!(
            self,
            Self::Underway
                | Self::AtBalancer
                | Self::Held
                | Self::Pending
                | Self::Unconnected
                | Self::HeldAtServer
                | Self::ToServer
                | Self::Queued
        )
    }

    /// Whether it is in a server.
    pub(super) fn is_at_server(self) -> bool {
        self.is_queued()
            || matches!(
                self,
                Self::InService
                    | Self::Holding
                    | Self::Calling
                    | Self::HeldAtServer
                    | Self::Expired
            )
    }
}

/// What an attempt is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    Request,
    /// A request as well, sent by a balancer instance to one of its own servers, by rules of its own.
    Try,
    /// A probe by the server's own keeper.
    Liveness,
    /// A health check that sends a request.
    Check,
    /// A health check that only opens a connection.
    Connect,
}

impl Purpose {
    /// Whether somebody asks something, rather than whether the server is well.
    #[inline]
    pub(super) fn is_request(self) -> bool {
        matches!(self, Self::Request | Self::Try)
    }
}

/// One try of a call, or a probe. One cache line.
#[derive(Clone)]
#[repr(C, align(64))]
pub(super) struct Attempt {
    /// The number of its call; of a probe, that of the prober.
    pub number: u64,
    pub begun: u64,
    /// Time of service on an idle server of speed 1.
    pub demand_ns: u64,
    /// While it waits for a worker: since when. In service: the virtual time at which it is done.
    pub mark: u64,
    /// Stale once the caller no longer waits; [`Handle::ELIDED`] on the fast path.
    pub call: Handle,
    /// The next in the server's queue.
    pub behind: Slot,
    /// The one before in the server's queue; means nothing for the first.
    pub before: Slot,
    /// Server and balancer instance, none before and after.
    pub server: ServerId,
    pub instance: InstanceId,
    pub class: ClassId,
    pub service: ServiceId,
    pub place: Place,
    /// How it ended, while the answer is on its way.
    pub outcome: Outcome,
    /// Whether its service ends in an error.
    pub fails: bool,
    pub purpose: Purpose,
}

/// What only attempts on the general path need, kept apart: visits to services that ask others, and
/// those that lose patience, are interrupted or are one of several side by side.
#[derive(Clone, Default)]
pub(super) struct AttemptCold {
    /// The call to another service that is out, the first of several.
    pub child: Handle,
    /// Calls of the present kind that caches answer: a bit for each of the first 32.
    pub cached: u32,
    /// Where to go on in the service's list of calls.
    pub stage: u16,
    /// Whether its own work is done, so that calls of the second kind are due.
    pub worked: bool,
    /// Since when it waited for a worker before its service began.
    pub arrived: u64,
    /// When it loses patience.
    pub patient_until: u64,
    /// When the balancer sent it to its server.
    pub dispatched: u64,
    /// Which attempt of its call it is, from 1; of a probe, which of its prober's.
    pub ordinal: u32,
    /// The attempt whose draws say what it asks; 0: those of the request. This and the key are kept
    /// where the service asks others, for the calls of a caller that may be gone.
    pub asks: u32,
    /// Key of its request.
    pub key: u64,
    /// The number by which what it asks is drawn, kept as they are: the same for every attempt of a request.
    pub work: u64,
    /// Whether it is a retry or a copy, or one made on behalf of one; kept as they are.
    pub again: bool,
}

impl Attempt {
    /// What a new place holds.
    #[cold]
    #[inline(never)]
    pub(super) fn blank() -> Self {
        Self::new(0, ServiceId(0), ClassId(0), 0)
    }

    /// One that begins now.
    pub(super) fn new(number: u64, service: ServiceId, class: ClassId, begun: u64) -> Self {
        Self {
            number,
            begun,
            demand_ns: 0,
            mark: begun,
            call: Handle::NONE,
            behind: Slot::NONE,
            before: Slot::NONE,
            server: ServerId::NONE,
            instance: InstanceId::NONE,
            class,
            service,
            place: Place::Underway,
            outcome: Outcome::Succeeded,
            fails: false,
            purpose: Purpose::Request,
        }
    }
}

const _: () = assert!(size_of::<Attempt>() == 64, "an attempt fills a cache line");

/// Calls in flight, and what is known of some of them besides, by the same slots.
#[derive(Clone)]
pub(super) struct Calls {
    slab: Slab<Call>,
    /// The most that there ever were at once, elided ones among them.
    pub most: usize,
    /// Beside calls with several attempts at once.
    pub hedged: Table<Slot, Hedged>,
    /// Beside calls that try again elsewhere.
    pub tried: Table<Slot, Tried>,
    /// Beside calls between services.
    pub children: Table<Slot, Child>,
}

/// Attempts in flight, and what is known besides of those on the general path, by the same slots.
#[derive(Clone)]
pub(super) struct Attempts {
    pub slab: Slab<Attempt>,
    pub cold: Table<Slot, AttemptCold>,
    /// Attempts whose calls are not written down.
    pub elided: usize,
}

impl Calls {
    pub(super) fn new() -> Self {
        Self {
            slab: Slab::new(),
            most: 0,
            hedged: Table::default(),
            tried: Table::default(),
            children: Table::default(),
        }
    }

    /// One more is there, beside so many elided ones.
    #[inline]
    pub(super) fn one_more(&mut self, elided: usize) {
        self.most = self.most.max(self.slab.len() + elided);
    }

    /// Bytes held, for the report on memory.
    pub(super) fn bytes(&self) -> usize {
        let hedged: usize = self.hedged.iter().map(Hedged::bytes).sum();
        let tried: usize = self.tried.iter().map(Tried::bytes).sum();
        let children = self.children.len() * size_of::<Child>();
        self.peak() * size_of::<Call>() + hedged + tried + children
    }
}

impl Attempts {
    pub(super) fn new() -> Self {
        Self {
            slab: Slab::new(),
            cold: Table::default(),
            elided: 0,
        }
    }

    /// What is kept beside an attempt that has been at a server on the general path.
    pub(super) fn cold(&self, handle: Handle) -> &AttemptCold {
        &self.cold[handle.slot()]
    }

    pub(super) fn cold_at(&self, slot: Slot) -> &AttemptCold {
        &self.cold[slot]
    }

    pub(super) fn cold_mut(&mut self, handle: Handle) -> &mut AttemptCold {
        &mut self.cold[handle.slot()]
    }

    /// What is kept beside an attempt begins anew, but for which attempt it is and when it was
    /// sent to its server.
    #[inline]
    pub(super) fn reset_cold(&mut self, handle: Handle, arrived: u64) {
        let cold = self.cold_with_room(handle);
        *cold = AttemptCold {
            arrived,
            ordinal: cold.ordinal,
            asks: cold.asks,
            key: cold.key,
            work: cold.work,
            again: cold.again,
            dispatched: cold.dispatched,
            ..AttemptCold::default()
        };
    }

    /// Notes which attempt of its call it is.
    #[inline]
    pub(super) fn set_ordinal(&mut self, handle: Handle, ordinal: u32) {
        self.cold_with_room(handle).ordinal = ordinal;
    }

    #[inline]
    pub(super) fn cold_with_room(&mut self, handle: Handle) -> &mut AttemptCold {
        if handle.slot().position() >= self.cold.len() {
            self.make_room_for_cold();
        }
        &mut self.cold[handle.slot()]
    }

    #[cold]
    #[inline(never)]
    fn make_room_for_cold(&mut self) {
        let last = Slot::at(self.slab.peak() - 1);
        self.cold.with_room(last, AttemptCold::default());
    }

    /// Whether an attempt is there and its caller still waits for it.
    #[inline]
    pub(super) fn is_waited_for(&self, handle: Handle, calls: &Calls) -> bool {
        self.contains(handle) && {
            let call = self[handle].call;
            call.is_elided() || calls.contains(call)
        }
    }

    /// Whether an attempt still waits in the queue in which it loses patience at a time.
    #[inline]
    pub(super) fn is_patient_until(&self, handle: Handle, time: u64) -> bool {
        self.contains(handle)
            && self[handle].place == Place::Queued
            && self.cold(handle).patient_until == time
    }

    /// Bytes held, for the report on memory.
    pub(super) fn bytes(&self) -> usize {
        self.peak() * size_of::<Attempt>() + self.cold.len() * size_of::<AttemptCold>()
    }
}

impl Deref for Calls {
    type Target = Slab<Call>;
    #[inline]
    fn deref(&self) -> &Slab<Call> {
        &self.slab
    }
}

impl DerefMut for Calls {
    #[inline]
    fn deref_mut(&mut self) -> &mut Slab<Call> {
        &mut self.slab
    }
}

impl Deref for Attempts {
    type Target = Slab<Attempt>;
    #[inline]
    fn deref(&self) -> &Slab<Attempt> {
        &self.slab
    }
}

impl DerefMut for Attempts {
    #[inline]
    fn deref_mut(&mut self) -> &mut Slab<Attempt> {
        &mut self.slab
    }
}
