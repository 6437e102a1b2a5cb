//! Calls and attempts: what there are millions of.

use super::slab::Handle;
use crate::outcome::Outcome;

/// Not in any list; no place.
pub(super) const NIL: u32 = u32::MAX;

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
    pub pause_ns: u64,
    /// Attempts so far.
    pub attempts: u32,
    /// The server of the latest attempt, numbered within the service.
    pub previous: u32,
    pub client: u16,
    pub class: u16,
    pub service: u16,
    /// Row of counters.
    pub flow: u16,
}

const _: () = assert!(size_of::<Call>() == 64, "a call fills a cache line");

/// Where an attempt is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Place {
    /// On its way to the balancer.
    Underway,
    /// Waiting for the balancer instance itself.
    AtBalancer,
    /// Waiting for an eligible server.
    Pending,
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
    /// Its answer is on the way back.
    Answered,
    /// Sent to something that is down and says nothing.
    Lost,
}

impl Place {
    /// Whether it waits in a server's queue.
    #[inline]
    pub(super) fn is_queued(self) -> bool {
        matches!(self, Self::Queued | Self::Interrupted)
    }

    /// Whether it is in a server.
    pub(super) fn is_at_server(self) -> bool {
        self.is_queued() || matches!(self, Self::InService | Self::Holding | Self::Calling)
    }
}

/// What an attempt is for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Purpose {
    Request,
    Probe,
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
    pub behind: u32,
    /// The one before in the server's queue; means nothing for the first.
    pub before: u32,
    /// Server and balancer instance, [`NIL`] before and after.
    pub server: u32,
    pub instance: u32,
    pub class: u16,
    pub service: u16,
    pub place: Place,
    /// How it ended, while the answer is on its way.
    pub outcome: Outcome,
    /// Whether its service ends in an error.
    pub fails: bool,
    pub purpose: Purpose,
}

/// What only attempts on the general path need, kept apart: visits to services that call others, and
/// those that lose patience, are interrupted or are one of several side by side.
#[derive(Clone, Default)]
pub(super) struct AttemptCold {
    /// The call to another service that is out, the first of several.
    pub child: Handle,
    /// Where to go on in the service's list of calls.
    pub stage: u16,
    /// Whether its own work is done, so that calls of the second kind are due.
    pub worked: bool,
    /// Since when it waited for a worker before its service began.
    pub arrived: u64,
    /// When it loses patience.
    pub patient_until: u64,
    /// Which attempt of its call it is, from 1.
    pub ordinal: u32,
    /// The attempt whose draws say what it asks; 0: those of the request. This and the key are kept
    /// where the service calls others, for the calls of a caller that may be gone.
    pub asks: u32,
    /// Key of its request.
    pub key: u64,
}

impl Attempt {
    /// What a new place holds.
    #[cold]
    #[inline(never)]
    pub(super) fn blank() -> Self {
        Self::new(0, 0, 0, 0)
    }

    /// One that begins now.
    pub(super) fn new(number: u64, service: u16, class: u16, begun: u64) -> Self {
        Self {
            number,
            begun,
            demand_ns: 0,
            mark: begun,
            call: Handle::NONE,
            behind: NIL,
            before: NIL,
            server: NIL,
            instance: NIL,
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
