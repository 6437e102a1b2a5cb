//! Routes: attempts that a balancer instance sends on to another service.
//!
//! The instance calls the other service as a server would, by the rules of the route; until the
//! answer comes the attempt stays with the instance, as one of its connections. How the call ended
//! is told to the attempt's caller as a proxy would tell it.

use super::Simulation;
use super::attempt::Place;
use super::slab::Handle;
use crate::outcome::Outcome;

/// Where a call along a route stands among those of its attempt: behind all calls of servers, and
/// the same for all routes, so that a request asks the same wherever it is sent.
const POSITION: usize = 0xFFFF;

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
        self.attempts.cold_mut(handle).child = call;
        true
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
