//! Visits: what a request does at a server whose service calls others.
//!
//! A visit makes the calls that come before its own work, then works, then makes the calls that
//! come after. While a call is out the worker is held, or given to others.

use super::Simulation;
use super::caller::try_of;
use super::event::Event;
use super::slab::Handle;
use super::state::{Call, NIL, Place};

impl Simulation {
    /// The next call of a visit from its present stage on: position in the service's list.
    fn next_call(&self, handle: Handle) -> Option<usize> {
        let (attempt, visit) = (&self.attempts[handle], self.rest(handle));
        let calls = &self.service_calls[attempt.service as usize];
        (visit.stage as usize..calls.len()).find(|&i| {
            let call = &calls[i];
            call.before != visit.worked
                && self
                    .call_stream
                    .at(try_of(attempt.number, i as u32))
                    .chance(call.probability)
        })
    }

    /// A visit begins: calls that need no worker go out at once.
    pub(super) fn begin_visit(&mut self, handle: Handle) {
        match self.next_call(handle) {
            Some(call) if !self.holds(handle, call) => self.call_without_worker(handle, call),
            _ => self.seek_worker(handle),
        }
    }

    /// The call to another service that an attempt at a server has out.
    pub(super) fn child_of(&self, handle: Handle) -> Handle {
        if self.services[self.attempts[handle].service as usize].has_calls {
            self.rest(handle).child
        } else {
            Handle::NONE
        }
    }

    fn holds(&self, handle: Handle, call: usize) -> bool {
        self.service_calls[self.attempts[handle].service as usize][call].hold
    }

    /// A worker is free for the visit: it makes its calls while holding it, or works.
    pub(super) fn resume_visit(&mut self, index: u32) {
        let handle = self.attempts.handle_at(index);
        let server = self.attempts[handle].server;
        match self.next_call(handle) {
            Some(call) => {
                self.servers[server as usize].advance(self.now);
                self.servers[server as usize].holding += 1;
                let attempt = &mut self.attempts[handle];
                attempt.place = Place::Holding;
                self.recorder
                    .waited(attempt.service, attempt.begun, self.now - attempt.mark);
                self.call_out(handle, call);
            }
            None => self.load_only(index, server),
        }
    }

    /// The visit's own work is done; `busy` workers were at work before.
    pub(super) fn served(&mut self, handle: Handle, busy: u32) {
        let server = self.attempts[handle].server;
        let visit = self.rest_mut(handle);
        (visit.stage, visit.worked) = (0, true);
        match self.next_call(handle) {
            Some(call) if self.holds(handle, call) => {
                self.servers[server as usize].holding += 1;
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

    /// Sends a call to another service. Its first attempt is an event of its own, so that an
    /// immediate answer does not find the caller half-way through its own step.
    fn call_out(&mut self, handle: Handle, position: usize) {
        let attempt = &self.attempts[handle];
        let call = &self.service_calls[attempt.service as usize][position];
        let visit = &mut self.attempt_rests[handle.index() as usize];
        (visit.stage, visit.required) = (position as u16 + 1, call.required);
        let (number, class) = (Self::child_number(attempt.number, position), attempt.class);
        let key = self.calls.get_mut(attempt.call).map_or(number, |c| c.key);
        let flow = self.recorder.layout.flow(call.to.0, class, true);
        let (client, service) = (call.client.0, call.to.0);
        let child = self.new_call(Call {
            number,
            key,
            arrived: self.now,
            parent: handle,
            current: Handle::NONE,
            pause_ns: 0,
            client,
            class,
            service,
            flow,
            attempts: 0,
            previous: NIL,
        });
        self.rest_mut(handle).child = child;
        self.agenda.schedule(self.now, Event::Attempt(child));
    }

    /// A call that a visit made is over.
    pub(super) fn child_returned(&mut self, parent: Handle, succeeded: bool) {
        let Some(attempt) = self.attempts.get_mut(parent) else {
            return;
        };
        let visit = &mut self.attempt_rests[parent.index() as usize];
        visit.child = Handle::NONE;
        let (server, holding) = (attempt.server, attempt.place == Place::Holding);
        if !succeeded && visit.required {
            attempt.fails = true;
            if holding {
                self.let_go(server);
            }
            return self.finish_at_server(parent);
        }
        let worked = self.rest(parent).worked;
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
    fn work_after_calls(&mut self, handle: Handle, server: u32) {
        self.servers[server as usize].advance(self.now);
        self.servers[server as usize].holding -= 1;
        self.load_only(handle.index(), server);
        self.plan_completion(server);
    }

    /// Gives up a held worker.
    pub(super) fn let_go(&mut self, server: u32) {
        let s = &mut self.servers[server as usize];
        s.advance(self.now);
        let busy = s.busy();
        s.holding -= 1;
        self.workers_freed(server, busy);
    }
}
