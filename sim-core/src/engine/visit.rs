//! Visits: what a request does at a server whose service calls others.
//!
//! A visit makes the calls that come before its own work, then works, then makes the calls that
//! come after, one after the other or several side by side. While a call is out the worker is held,
//! or given to others. Of calls side by side each knows the next: the visit goes on when the last
//! of the chain has returned.

use super::Simulation;
use super::attempt::{AttemptCold, Call, Calls, Memory, Place};
use super::cache::CACHED;
use super::event::Event;
use super::slab::{Handle, Slot};
use crate::draws::mix;
use crate::ids::{ClientId, LocalId, ServerId, ServiceId};
use crate::outcome::Outcome;

/// What there is to know of a call that a visit or a route made, besides the call, by its place.
#[derive(Clone, Copy)]
pub(super) struct Child {
    /// Another call of the visit that is out beside it.
    next: Handle,
    /// Which of its machine's calls it is: callers that take balancer instances in turn go by it.
    pub turn: u32,
    /// Whether the visit fails when the call does.
    required: bool,
    /// The number by which what it asks is drawn.
    pub work: u64,
    /// Whether it is made on behalf of a retry or a copy.
    pub again: bool,
}

impl Calls {
    /// Of the first call given and those beside it none has anybody to return to from now on.
    pub(super) fn detach_children(&mut self, first: Handle) -> Vec<Handle> {
        let mut all = Vec::new();
        let mut child = first;
        while self.contains(child) {
            self[child].parent = Handle::GONE;
            all.push(child);
            child = self.children[child.slot()].next;
        }
        all
    }
}

impl Simulation {
    /// The next call of a visit from its present stage on: position in the service's list.
    fn next_call(&self, handle: Handle) -> Option<usize> {
        let stage = self.attempts.cold(handle).stage as usize;
        let calls = self.services[self.attempts[handle].service]
            .settings
            .calls
            .len();
        (stage..calls).find(|&i| self.makes(handle, i))
    }

    /// Whether a visit makes a call now: it is of the present kind, and the draw says so.
    pub(super) fn makes(&self, handle: Handle, call: usize) -> bool {
        let attempt = &self.attempts[handle];
        let written = &self.services[attempt.service].settings.calls[call];
        if call < CACHED && self.attempts.cold(handle).cached >> call & 1 == 1 {
            return false;
        }
        if written.before == self.attempts.cold(handle).worked || !written.concerns(attempt.class) {
            return false;
        }
        // What is certain needs no draw: each is a function of its own number.
        written.probability >= 1.0 || {
            let identity = self.identity(handle);
            let mut draws = self.streams.calls.of_attempt(identity, call as u32);
            draws.chance(written.probability)
        }
    }

    /// The number that what the calls of a visit ask is derived from: that of its request, or another for each
    /// attempt that asks something of its own.
    fn identity(&self, handle: Handle) -> u64 {
        let cold = self.attempts.cold(handle);
        match cold.asks {
            0 => cold.work,
            asks => mix(cold.work ^ mix(u64::from(asks))),
        }
    }

    /// The number that the calls of a visit themselves are derived from: another for each attempt, as what befalls a
    /// call, the errors of a server and the losses of a link, is no work.
    fn own_number(&self, handle: Handle) -> u64 {
        let number = self.attempts[handle].number;
        match self.attempts.cold(handle).ordinal {
            0 | 1 => number,
            ordinal => mix(number ^ mix(u64::from(ordinal))),
        }
    }

    /// Where, after a call, those end in the list that go out together with it.
    fn group_end(&self, handle: Handle, first: usize) -> usize {
        let calls = &self.services[self.attempts[handle].service].settings.calls;
        let apart = |i: &usize| calls[*i].before == calls[first].before && !calls[*i].parallel;
        (first + 1..calls.len()).find(apart).unwrap_or(calls.len())
    }

    /// A visit begins: calls that need no worker go out at once.
    pub(super) fn begin_visit(&mut self, handle: Handle) {
        self.ask_caches(handle);
        match self.next_call(handle) {
            Some(call) if !self.holds(handle, call) => self.call_without_worker(handle, call),
            _ => self.seek_worker(handle),
        }
    }

    /// A stage of a visit begins: caches answer some of its calls.
    fn ask_caches(&mut self, handle: Handle) {
        if self.caches.any {
            self.attempts.cold_mut(handle).cached = self.look_up(handle);
        }
    }

    /// The call to another service that an attempt at a server has out, the first of several.
    pub(super) fn child_of(&self, handle: Handle) -> Handle {
        if self.services[self.attempts[handle].service].has_calls {
            self.attempts.cold(handle).child
        } else {
            Handle::NONE
        }
    }

    /// Whether the worker waits for a call that is made now, or for one of those that go out
    /// together with it.
    fn holds(&self, handle: Handle, call: usize) -> bool {
        let calls = &self.services[self.attempts[handle].service].settings.calls;
        calls[call].hold
            || (call + 1..self.group_end(handle, call))
                .any(|i| calls[i].hold && self.makes(handle, i))
    }

    /// A worker is free for the visit: it makes its calls while holding it, or works.
    pub(super) fn resume_visit(&mut self, slot: Slot) {
        let handle = self.attempts.handle_at(slot);
        let server = self.attempts[handle].server;
        match self.next_call(handle) {
            Some(call) => {
                self.fleet[server].advance(self.now);
                self.fleet[server].holding += 1;
                let attempt = &mut self.attempts[handle];
                attempt.place = Place::Holding;
                let wait_ns = self.now - attempt.mark;
                self.recorder
                    .waited(attempt.service, attempt.class, attempt.begun, wait_ns);
                if self.recorder.logs() {
                    self.log_served(slot, wait_ns);
                }
                self.call_out(handle, call);
            }
            None => self.load_only(slot, server),
        }
    }

    /// The visit's own work is done; `busy` workers were at work before.
    pub(super) fn served(&mut self, handle: Handle, busy: u32) {
        let server = self.attempts[handle].server;
        let visit = self.attempts.cold_mut(handle);
        (visit.stage, visit.worked, visit.cached) = (0, true, 0);
        self.ask_caches(handle);
        match self.next_call(handle) {
            Some(call) if self.holds(handle, call) => {
                self.fleet[server].holding += 1;
                self.attempts[handle].place = Place::Holding;
                self.call_out(handle, call);
                self.workers_freed(server, busy);
            }
            Some(call) => {
                self.workers_freed(server, busy);
                self.call_without_worker(handle, call);
            }
            None => {
                self.workers_freed(server, busy);
                self.finish_at_server(handle);
            }
        }
    }

    fn call_without_worker(&mut self, handle: Handle, call: usize) {
        self.attempts[handle].place = Place::Calling;
        self.call_out(handle, call);
    }

    /// Sends a call to another service, with those that go out beside it.
    fn call_out(&mut self, handle: Handle, first: usize) {
        let end = self.group_end(handle, first);
        let mut last = self.make_call(handle, first);
        self.attempts.cold_mut(handle).child = last;
        for position in first + 1..end {
            if self.makes(handle, position) {
                let call = self.make_call(handle, position);
                self.calls.children[last.slot()].next = call;
                last = call;
            }
        }
        self.attempts.cold_mut(handle).stage = end as u16;
    }

    fn make_call(&mut self, handle: Handle, position: usize) -> Handle {
        let call = &self.services[self.attempts[handle].service].settings.calls[position];
        let (to, client, required) = (call.to, call.client, call.required);
        let server = self.fleet[self.attempts[handle].server].local.0;
        let turn = self.callers[client].take_turn(server);
        let child = self.ask_for(handle, position, to, client, turn, required);
        if !self.caches.any || !self.misses(handle, position, child) {
            self.events.soon(self.now, Event::Attempt(child));
        }
        child
    }

    /// Asks another service on behalf of an attempt. Whoever asks plans the first attempt of this call, an event of its
    /// own, so that an immediate answer does not find the caller half-way through its own step.
    pub(super) fn ask_for(
        &mut self,
        handle: Handle,
        position: usize,
        service: ServiceId,
        client: ClientId,
        turn: u32,
        required: bool,
    ) -> Handle {
        let class = self.attempts[handle].class;
        let number = Self::child_number(self.own_number(handle), position);
        let work = Self::child_number(self.identity(handle), position);
        let flow = self.recorder.layout.flow(service, class, true);
        self.call_for(
            handle,
            service,
            client,
            (number, work, flow),
            turn,
            required,
        )
    }

    /// The same, for a call whose numbers and row of counters are known.
    pub(super) fn call_for(
        &mut self,
        handle: Handle,
        service: ServiceId,
        client: ClientId,
        (number, work, flow): (u64, u64, u16),
        turn: u32,
        required: bool,
    ) -> Handle {
        let class = self.attempts[handle].class;
        let AttemptCold { key, again, .. } = *self.attempts.cold(handle);
        let child = self.new_call(Call {
            number,
            key,
            arrived: self.now,
            parent: handle,
            current: Handle::NONE,
            memory: Memory::default(),
            client,
            class,
            service,
            flow,
            attempts: 0,
            previous: LocalId::NONE,
        });
        let record = Child {
            next: Handle::NONE,
            turn,
            required,
            work,
            again,
        };
        self.recorder.flows[flow as usize].again += u64::from(again);
        *self.calls.children.with_room(child.slot(), record) = record;
        child
    }

    /// Takes a call out of the chain of those that a visit has out; whether it was required.
    fn unlink(&mut self, parent: Handle, child: Handle) -> bool {
        let Child { next, required, .. } = self.calls.children[child.slot()];
        let mut before = self.attempts.cold(parent).child;
        if before == child {
            self.attempts.cold_mut(parent).child = next;
            return required;
        }
        while !before.is_none() {
            let link = &mut self.calls.children[before.slot()].next;
            if *link == child {
                *link = next;
                break;
            }
            before = *link;
        }
        required
    }

    /// The caller of calls between services is gone: of the first given and of those beside it.
    pub(super) fn abandon_children(&mut self, first: Handle) {
        let all = self.calls.detach_children(first);
        self.abandon_all(all);
    }

    /// Calls off calls that are detached.
    pub(super) fn abandon_all(&mut self, children: Vec<Handle>) {
        for child in children {
            self.abandon_child(child);
        }
    }

    /// A call that a visit, or a balancer instance, made is over.
    pub(super) fn child_returned(&mut self, parent: Handle, child: Handle, outcome: Outcome) {
        if !self.attempts.contains(parent) {
            return;
        }
        if self.attempts[parent].place == Place::Routed {
            return self.route_returned(parent, outcome);
        }
        let required = self.unlink(parent, child);
        let others = self.attempts.cold(parent).child;
        let attempt = &mut self.attempts[parent];
        let (server, holding) = (attempt.server, attempt.place == Place::Holding);
        if outcome != Outcome::Succeeded && required {
            attempt.fails = true;
            self.attempts.cold_mut(parent).child = Handle::NONE;
            self.abandon_children(others);
            if holding {
                self.let_go(server);
            }
            return self.finish_at_server(parent);
        }
        if !others.is_none() {
            return;
        }
        let worked = self.attempts.cold(parent).worked;
        match self.next_call(parent) {
            Some(call) if holding && self.holds(parent, call) => self.call_out(parent, call),
            Some(call) if !worked && self.holds(parent, call) => self.seek_worker(parent),
            Some(call) => {
                if holding {
                    self.let_go(server);
                }
                self.call_without_worker(parent, call);
            }
            None if worked => {
                if holding {
                    self.let_go(server);
                }
                self.finish_at_server(parent);
            }
            None if holding => self.work_after_calls(parent, server),
            None => self.seek_worker(parent),
        }
    }

    /// From holding a worker to working on it.
    fn work_after_calls(&mut self, handle: Handle, server: ServerId) {
        self.fleet[server].advance(self.now);
        self.fleet[server].holding -= 1;
        self.load_only(handle.slot(), server);
        self.plan_completion(server);
    }

    /// Gives up a held worker.
    pub(super) fn let_go(&mut self, server: ServerId) {
        let s = &mut self.fleet[server];
        s.advance(self.now);
        let busy = s.busy();
        s.holding -= 1;
        self.workers_freed(server, busy);
    }
}
