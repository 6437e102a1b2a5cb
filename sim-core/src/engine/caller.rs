//! Callers: requests, attempts, timeouts, retries, budgets.

use super::Simulation;
use super::attempt::{Attempt, Call, Memory, Place, Purpose};
use super::event::Event;
use super::fast_path::client_is_plain;
use super::guards::Post;
use super::pool::Hop;
use super::slab::Handle;
use super::source::draw_class;
use super::timer_fifo::Timer;
use crate::draws::mix;
use crate::ids::{ClassId, LocalId, ServerId, SourceId};
use crate::model::Client;
use crate::outcome::Outcome;
use crate::retry::{Failed, Retry, Terms};
use crate::time::Duration;
use std::sync::Arc;

/// A kind of caller with its rules.
#[derive(Clone)]
pub(super) struct Caller {
    pub client: Client,
    pub timeout: u64,
    pub deadline: u64,
    /// How long it waits for its first attempt.
    pub waits: u64,
    pub retry: Arc<dyn Retry>,
    pub terms: Terms,
    /// Whether the fast path may serve it, and whether it may where something happens aside.
    pub fast: bool,
    /// Whether, moreover, its calls have no deadline.
    pub bare: bool,
    pub fast_aside: bool,
    /// The next turn of each machine that makes these calls between services.
    turns: Vec<u32>,
}

impl Caller {
    pub(super) fn new(client: &Client) -> Self {
        let retry: Arc<dyn Retry> = client.retry.build().into();
        let timeout = client.timeout.map_or(u64::MAX, |t| t.0);
        let deadline = client.deadline.map_or(u64::MAX, |t| t.0);
        Self {
            timeout,
            deadline,
            waits: timeout.min(deadline),
            terms: retry.terms(),
            retry,
            fast: client_is_plain(client),
            bare: client_is_plain(client) && client.deadline.is_none(),
            fast_aside: client.hedge.is_none_or(|hedge| !hedge.after.is_zero()),
            turns: Vec::new(),
            client: client.clone(),
        }
    }

    /// Takes on other rules; who comes next stays as it was.
    pub(super) fn adopt(&mut self, client: &Client) {
        let turns = std::mem::take(&mut self.turns);
        *self = Self {
            turns,
            ..Self::new(client)
        };
    }

    /// The turn of the next call of a machine, known by its number among its like: callers that
    /// choose balancer instances in turn go by it. Machines begin apart, so that those of a fleet do
    /// not all choose the same instance.
    pub(super) fn take_turn(&mut self, machine: u32) -> u32 {
        let place = machine as usize;
        if place >= self.turns.len() {
            self.turns.extend(self.turns.len() as u32..=machine);
        }
        let turn = self.turns[place];
        self.turns[place] = turn.wrapping_add(1);
        turn
    }
}

impl Simulation {
    /// An open source emits a request and plans its next.
    #[inline]
    pub(super) fn arrive(&mut self, source: SourceId) {
        let call = self.new_request(source);
        self.sources[source].from = self.now;
        self.plan_arrival(source);
        self.begin_try(call);
    }

    /// A request from outside comes into being.
    #[inline]
    pub(super) fn new_request(&mut self, source: SourceId) -> Handle {
        let s = &mut self.sources[source];
        if s.visitors.is_some() {
            return self.new_session(source);
        }
        let number = s.number(s.count);
        s.count += 1;
        let mut draws = self.streams.requests.at(number);
        let class = draw_class(&s.mix, &mut draws);
        let key = s.keys.key(number, &mut draws);
        let call = self.call_from_outside(source, number, key, class);
        self.new_call(call)
    }

    /// The call of a request that a source emits now.
    #[inline]
    pub(super) fn call_from_outside(
        &self,
        source: SourceId,
        number: u64,
        key: u64,
        class: ClassId,
    ) -> Call {
        let s = &self.sources[source];
        Call {
            number,
            key,
            arrived: self.now,
            parent: Handle::NONE,
            current: Handle::NONE,
            memory: Memory::default(),
            client: s.clients[class],
            class,
            service: s.to,
            flow: self.recorder.layout.flow(s.to, class, false),
            attempts: 0,
            previous: LocalId::NONE,
        }
    }

    /// A call starts to exist: counted, and given its deadline.
    #[inline]
    pub(super) fn new_call(&mut self, call: Call) -> Handle {
        let (flow, client) = (call.flow, call.client);
        let handle = self.calls.insert(call);
        self.calls.one_more(self.attempts.elided);
        self.recorder.flows[flow as usize].arrived += 1;
        let deadline = self.callers[client].deadline;
        if deadline != u64::MAX {
            let at = self.now.saturating_add(deadline);
            self.events.set_timer(Timer::Deadline(client), at, handle);
        }
        handle
    }

    /// A caller makes an attempt.
    #[inline]
    pub(super) fn begin_attempt(&mut self, call_handle: Handle) {
        let call = &mut self.calls[call_handle];
        call.attempts += 1;
        let (number, client, service) = (call.number, call.client, call.service);
        let (ordinal, flow) = (call.attempts, call.flow);
        let handle = self.attempts.insert(Attempt {
            call: call_handle,
            ..Attempt::new(number, service, call.class, self.now)
        });
        let own = self.services[service].tries_by(client);
        let asks = self.attempt_begins(call_handle, handle);
        self.attempts.set_ordinal(handle, ordinal);
        if self.services[service].asks() {
            let (key, work) = (self.calls[call_handle].key, self.work_of(call_handle));
            let again = ordinal > 1 || self.is_made_again(call_handle);
            let cold = self.attempts.cold_mut(handle);
            (cold.asks, cold.key, cold.work, cold.again) = (asks, key, work, again);
        }
        self.guards.begin(handle);
        if self.guards.any {
            self.note_key(handle);
        }
        self.pools.begin(handle);
        self.recorder.flows[flow as usize].attempts += 1;
        if own {
            self.begin_own_try(handle, asks);
        } else {
            self.services[service].attempts += 1;
            self.draw_demand(handle, asks);
        }
        let timeout = self.callers[client].timeout;
        if timeout != u64::MAX && !(own && self.begins_late(handle)) {
            let at = self.now.saturating_add(timeout);
            self.events.set_timer(Timer::Timeout(client), at, handle);
        }
        if let Some(until) = self.inherited_deadline(handle) {
            self.events
                .schedule(until.max(self.now), Event::Timeout(handle));
        }
        if self.enter(Post::Caller, handle) {
            self.depart(handle);
        }
    }

    /// An attempt sets out for the balancer.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "the other way here, from guards, is rare"
    )]
    pub(super) fn depart(&mut self, handle: Handle) {
        if self.attempts[handle].purpose == Purpose::Try {
            return self.seek_server(handle);
        }
        let client = self.calls[self.attempts[handle].call].client;
        self.send_to_balancer(handle, client);
    }

    /// The outcome of an attempt starts its way back to the caller, from where the attempt is.
    #[inline]
    pub(super) fn reply(&mut self, handle: Handle, outcome: Outcome) {
        let Attempt {
            server, purpose, ..
        } = self.attempts[handle];
        if server != ServerId::NONE
            && purpose != Purpose::Liveness
            && self.fleet.cold[server].path.is_some()
        {
            return self.answer_from_server(handle, server, outcome);
        }
        self.pass_on(handle, outcome);
    }

    /// The outcome of an attempt is at the balancer and goes on to the caller.
    #[inline]
    pub(super) fn pass_on(&mut self, handle: Handle, outcome: Outcome) {
        if !self.attempts[handle].purpose.is_request() {
            return self.probe_ended(handle, outcome == Outcome::Succeeded);
        }
        self.release(handle, outcome);
        let attempt = &mut self.attempts[handle];
        attempt.place = Place::Answered;
        attempt.outcome = outcome;
        let call = attempt.call;
        if !self.calls.contains(call) {
            // Work for nobody: the caller has given up long since.
            self.attempts.remove(handle);
            return;
        }
        self.send_to_caller(handle, self.calls[call].client);
    }

    /// The outcome of an attempt reaches the caller.
    #[inline]
    pub(super) fn answer(&mut self, handle: Handle) {
        let Attempt {
            call,
            outcome,
            server,
            ..
        } = self.attempts[handle];
        self.attempt_ended(handle, outcome);
        self.disconnect(handle, Hop::Caller, outcome);
        self.attempts.remove(handle);
        if !self.calls.contains(call) {
            return;
        }
        if self.calls.is_hedged(call) {
            return self.copy_answered(call, handle, server, outcome);
        }
        self.calls[call].current = Handle::NONE;
        if outcome == Outcome::Succeeded {
            self.end_call(call, outcome);
        } else {
            self.try_again(call, outcome);
        }
    }

    /// Counts how an attempt ended for its caller.
    #[inline]
    fn attempt_ended(&mut self, handle: Handle, outcome: Outcome) {
        self.leave(Post::Caller, handle, outcome);
        let attempt = &self.attempts[handle];
        if attempt.purpose == Purpose::Try {
            return;
        }
        let service = &mut self.services[attempt.service];
        service.attempt_outcomes[outcome as usize] += 1;
        self.recorder
            .attempt_ended(attempt.service, attempt.begun, outcome);
    }

    /// After a failed attempt: another one, or the end of the call.
    pub(super) fn try_again(&mut self, handle: Handle, outcome: Outcome) {
        let (retries, tries) = (self.streams.retries, self.calls.tries(handle));
        let most = self.callers[self.calls[handle].client].terms.attempts;
        if tries >= most || self.has_been_at_all(handle) {
            return self.end_call(handle, outcome);
        }
        let alone = self.is_alone(handle);
        let call = &mut self.calls[handle];
        let caller = &self.callers[call.client];
        let failed = Failed {
            attempt: tries,
            outcome,
            alone,
        };
        let number = if caller.terms.lockstep {
            call.client.0.into()
        } else {
            call.number
        };
        let mut draws = retries.of_attempt(number, call.attempts);
        let mut kept = call.memory.kept();
        let pause = caller.retry.pause(failed, &mut kept, &mut draws);
        call.memory = Memory::of(outcome, kept);
        let waited = Duration(self.now - call.arrived);
        let goes_on = caller.retry.counts(failed) && waited + pause <= caller.terms.within;
        if !goes_on || !self.may_try_again(handle, false) {
            return self.end_call(handle, outcome);
        }
        self.after(pause.0, Event::Attempt(handle));
    }

    /// Whether the caller of an attempt that ends so goes on to another try, budgets aside and without a
    /// pause.
    pub(super) fn goes_on(&self, handle: Handle, outcome: Outcome) -> bool {
        let call = self.attempts[handle].call;
        if !self.calls.contains(call) {
            return false;
        }
        let attempt = self.calls.tries(call);
        let failed = Failed {
            attempt,
            outcome,
            alone: self.is_alone(call),
        };
        let Call {
            client, arrived, ..
        } = self.calls[call];
        let caller = &self.callers[client];
        attempt < caller.terms.attempts
            && Duration(self.now - arrived) <= caller.terms.within
            && caller.retry.counts(failed)
            && !self.has_been_at_all(call)
    }

    /// A call is over.
    #[inline]
    pub(super) fn end_call(&mut self, handle: Handle, outcome: Outcome) {
        let Call { parent, number, .. } = self.calls[handle];
        self.forget_call(handle, outcome);
        if parent.is_none() {
            self.source_answered(number, outcome);
        } else {
            self.child_returned(parent, handle, outcome);
        }
    }

    /// A call is counted as over, and is no more.
    #[inline]
    fn forget_call(&mut self, handle: Handle, outcome: Outcome) {
        if self.caches.only_waits(handle) {
            self.calls.remove(handle);
            return self.tell_caches(handle, outcome);
        }
        let call = &self.calls[handle];
        self.recorder.call_ended(
            self.now,
            call.flow,
            call.number,
            call.class,
            call.arrived,
            call.attempts,
            call.previous,
            outcome,
        );
        self.calls.remove(handle);
        if self.caches.any {
            self.tell_caches(handle, outcome);
        }
    }

    /// A caller gives up an attempt, and tries again or not.
    pub(super) fn give_up(&mut self, handle: Handle) {
        let call = self.spell_out(handle);
        if self.calls.is_hedged(call) {
            return self.give_up_copy(call, handle);
        }
        self.abandon(handle, Outcome::TimedOut);
        self.calls[call].current = Handle::NONE;
        self.try_again(call, Outcome::TimedOut);
    }

    /// A caller gives up a call, whatever its attempts.
    pub(super) fn give_up_call(&mut self, handle: Handle, outcome: Outcome) {
        self.hang_up(handle, outcome);
        self.end_call(handle, outcome);
    }

    /// The caller hangs up. The balancer sees the closed connection; the server does not, unless
    /// the caller cancels, and goes on working for nobody.
    pub(super) fn abandon(&mut self, handle: Handle, outcome: Outcome) {
        let client = self.calls[self.attempts[handle].call].client;
        self.call_off(handle, outcome, self.callers[client].client.cancel);
    }

    /// The same; `cancel`: the server hears of it.
    pub(super) fn call_off(&mut self, handle: Handle, outcome: Outcome, cancel: bool) {
        self.attempt_ended(handle, outcome);
        let place = self.attempts[handle].place;
        let routed = self.detach_route(handle);
        self.leave_balancer_queue(handle);
        self.release(handle, outcome);
        self.disconnect(handle, Hop::Caller, outcome);
        let at_server = place.is_at_server();
        if (at_server || place == Place::ToServer) && !cancel {
            self.attempts[handle].call = Handle::NONE;
            if at_server {
                self.leave_behind(self.attempts[handle].server);
            }
            return;
        }
        if at_server {
            self.withdraw(handle);
        }
        self.attempts.remove(handle);
        self.abandon_all(routed);
    }

    /// Takes a cancelled attempt out of its server.
    fn withdraw(&mut self, handle: Handle) {
        let Attempt { place, server, .. } = self.attempts[handle];
        let child = self.child_of(handle);
        match place {
            Place::Queued | Place::Interrupted => self.leave_queue(handle),
            Place::InService => self.interrupt(handle),
            Place::Holding => self.let_go(server),
            _ => {}
        }
        self.abandon_children(child);
        self.leave(Post::Server, handle, Outcome::Cancelled);
        self.leave_server(server);
        self.watch_server(server);
    }

    /// The caller of a call between services is gone.
    pub(super) fn abandon_child(&mut self, child: Handle) {
        if self.calls.contains(child) {
            self.calls[child].parent = Handle::GONE;
            self.hang_up(child, Outcome::Cancelled);
            self.forget_call(child, Outcome::Cancelled);
        }
    }

    /// The number by which what a call asks is drawn: the same for every attempt of the request, at each tier.
    #[inline]
    pub(super) fn work_of(&self, call: Handle) -> u64 {
        let Call { number, parent, .. } = self.calls[call];
        if parent.is_none() {
            number
        } else {
            self.calls.children[call.slot()].work
        }
    }

    /// Whether a call is made on behalf of a retry or a copy.
    fn is_made_again(&self, call: Handle) -> bool {
        !self.calls[call].parent.is_none() && self.calls.children[call.slot()].again
    }

    /// The number of a call that is made on behalf of an attempt.
    pub(super) fn child_number(number: u64, call: usize) -> u64 {
        mix(number ^ (call as u64 + 1).wrapping_mul(0x9E37_79B9_7F4A_7C15))
    }
}
