//! Routes: attempts that a balancer instance sends on to another service; and what it asks of its own
//! servers by rules of its own, which is a route to itself.
//!
//! The instance calls the other service as a server would, by the rules of the route; until the
//! answer comes the attempt stays with the instance, as one of its connections. How the call ended
//! is told to the attempt's caller as a proxy would tell it.
//!
//! Towards its own servers it is the same but for the way: attempts of its call are at the balancer
//! already, and are its own business. No figure of callers counts them.

use super::Simulation;
use super::attempt::{Attempt, Call, Place, Purpose};
use super::event::Event;
use super::slab::Handle;
use crate::ids::{ClientId, LocalId};
use crate::outcome::Outcome;

/// Where a call along a route stands among those of its attempt: behind all calls of servers, and
/// the same for all routes, so that a request asks the same wherever it is sent.
const POSITION: usize = 0xFFFF;

/// The same for calls to the balancer's own servers, each attempt of a caller being one of its own.
const OWN_POSITIONS: usize = 0x1_0000;

impl Simulation {
    /// Sends an attempt on, if a route of its balancer takes it.
    pub(super) fn take_route(&mut self, handle: Handle) -> bool {
        let attempt = &self.attempts[handle];
        let service = &self.services[attempt.service];
        let key = self.calls[attempt.call].key;
        let place = service.route_stream.at(key).uniform();
        let Some(route) = service.settings.balancer.route(attempt.class, place) else {
            return false;
        };
        let (to, client) = (route.to, route.client);
        self.attempts[handle].place = Place::Routed;
        let instance = self.balancers.number_of(self.attempts[handle].instance);
        let turn = self.callers[client].take_turn(instance);
        let call = self.ask_for(handle, POSITION, to, client, turn, true);
        self.events.soon(self.now, Event::Attempt(call));
        self.attempts.cold_mut(handle).child = call;
        true
    }

    /// The balancer instance asks its own servers for an attempt, by its own rules.
    #[inline(never)]
    pub(super) fn try_by_itself(&mut self, handle: Handle, client: ClientId) {
        let Attempt {
            number, service, ..
        } = self.attempts[handle];
        self.attempts[handle].place = Place::Routed;
        let ordinal = self.attempts.cold(handle).ordinal as usize;
        let number = Self::child_number(number, OWN_POSITIONS + ordinal);
        let work = self.work_of(self.attempts[handle].call);
        let flow = self.recorder.layout.tries(service);
        let call = self.call_for(handle, service, client, (number, work, flow), 0, true);
        self.events.soon(self.now, Event::Attempt(call));
        self.attempts.cold_mut(handle).child = call;
    }

    /// An attempt of such a call begins, where the instance is: it asks what the attempt asks that it is
    /// for, or something of its own.
    pub(super) fn begin_own_try(&mut self, handle: Handle, asks: u32) {
        self.attempts[handle].purpose = Purpose::Try;
        let parent = self.calls[self.attempts[handle].call].parent;
        let Attempt {
            instance,
            demand_ns,
            ..
        } = self.attempts[parent];
        self.attempts[handle].instance = instance;
        if asks == 0 {
            self.attempts[handle].demand_ns = demand_ns;
        } else {
            self.draw_demand(handle, asks);
        }
    }

    /// Whether an own try's time runs from when it is sent to a server, and not while it waits for a place there:
    /// that has a time of its own where full servers are seen.
    pub(super) fn begins_late(&self, handle: Handle) -> bool {
        self.balancers[self.attempts[handle].instance].sees_full
    }

    /// The attempt at the balancer that one of its own tries is for.
    pub(super) fn asked_by(&self, own: &Attempt) -> Option<&Attempt> {
        let call = self.calls.contains(own.call).then(|| &self.calls[own.call]);
        let parent = call?.parent;
        self.attempts
            .contains(parent)
            .then(|| &self.attempts[parent])
    }

    /// Whether a call is one of a balancer to its own servers, and there are not two that it may pick.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "one look where nothing of the kind is written"
    )]
    pub(super) fn is_alone(&self, call: Handle) -> bool {
        self.services[self.calls[call].service].tries.is_some() && self.is_try_alone(call)
    }

    #[inline(never)]
    fn is_try_alone(&self, call: Handle) -> bool {
        let Call {
            client,
            service,
            parent,
            ..
        } = self.calls[call];
        self.services[service].tries_by(client)
            && self.attempts.contains(parent)
            && (self.balancers[self.attempts[parent].instance].offers).eligible() < 2
    }

    /// A try of the balancer itself has come to a server: so has the request that it is for.
    pub(super) fn note_for_caller(&mut self, call: Handle, server: LocalId) {
        let parent = self.calls[call].parent;
        if self.attempts.contains(parent) {
            let outer = self.attempts[parent].call;
            if self.calls.contains(outer) {
                self.calls[outer].previous = server;
            }
        }
    }

    /// The service that an attempt was sent on to has answered, or will not.
    pub(super) fn route_returned(&mut self, handle: Handle, outcome: Outcome) {
        self.attempts.cold_mut(handle).child = Handle::NONE;
        self.reply(handle, told(outcome));
    }

    /// The call along a route that an attempt has out, if any, has nobody to return to from now on.
    pub(super) fn detach_route(&mut self, handle: Handle) -> Vec<Handle> {
        if self.attempts[handle].place != Place::Routed {
            return Vec::new();
        }
        let call = std::mem::take(&mut self.attempts.cold_mut(handle).child);
        self.calls.detach_children(call)
    }
}

/// What a proxy tells its caller of how its own call ended. What the other service has said is
/// passed on: 500, 503 or 429. Where it said nothing, the proxy answers in its place: 502 or 504.
fn told(outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Succeeded
        | Outcome::Errored
        | Outcome::Rejected
        | Outcome::Shed
        | Outcome::Unavailable => outcome,
        Outcome::Refused
        | Outcome::Reset
        | Outcome::TimedOut
        | Outcome::ConnectTimedOut
        | Outcome::Abandoned
        | Outcome::Cancelled => Outcome::Errored,
    }
}
