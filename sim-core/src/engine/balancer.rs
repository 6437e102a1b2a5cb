//! Balancer instances: connections, own work, choice of a server, waiting room.

use super::Simulation;
use super::event::Event;
use super::slab::Handle;
use super::state::{Attempt, Instance, MachineState, NIL, Place, Server};
use super::tried::Apart;
use crate::outcome::Outcome;
use crate::policy::{FleetView, Job, Oracle};
use crate::time::{Duration, Instant};

/// The servers' true state, for policies that ask.
pub(super) struct TrueState<'a> {
    pub now: u64,
    pub servers: &'a [Server],
    pub numbers: &'a [u32],
}

impl Oracle for TrueState<'_> {
    fn in_system(&self, server: usize) -> u32 {
        self.servers[self.numbers[server] as usize].in_system
    }
    fn work_left_ns(&self, server: usize) -> f64 {
        self.servers[self.numbers[server] as usize].work_left_ns(self.now)
    }
}

impl Simulation {
    /// An attempt reaches the balancer.
    #[inline]
    pub(super) fn at_balancer(&mut self, handle: Handle) {
        let Attempt {
            number, service, ..
        } = self.attempts[handle];
        let s = &self.services[service as usize];
        let index = if s.active.len() == 1 {
            s.active[0]
        } else if s.random_selection {
            let ordinal = self.cold(handle).ordinal;
            let mut draws = self.selection_stream.of_attempt(number, ordinal);
            s.active[draws.below(s.active.len())]
        } else {
            // Callers spread over the instances they know, and a retry goes to the next.
            s.active[(number.wrapping_add(u64::from(self.cold(handle).ordinal))
                % s.active.len() as u64) as usize]
        };
        let instance = &mut self.instances[index as usize];
        if instance.state != MachineState::Up {
            return self.meets_down(handle, s.down_behaviour);
        }
        if instance.connections >= s.max_connections {
            return self.reply(handle, Outcome::Rejected);
        }
        if s.cost > 0 && instance.waiting >= self.model_queue_limit(service) {
            return self.reply(handle, Outcome::Rejected);
        }
        let instance = &mut self.instances[index as usize];
        instance.connections += 1;
        instance.attempts += 1;
        self.attempts[handle].instance = index;
        let watched = instance.watched;
        let cost = self.services[service as usize].cost;
        if cost == 0 {
            self.dispatch(handle);
        } else {
            let instance = &mut self.instances[index as usize];
            instance.waiting += 1;
            instance.busy_until = instance.busy_until.max(self.now).saturating_add(cost);
            instance.busy_ns += cost;
            let at = instance.busy_until;
            self.attempts[handle].place = Place::AtBalancer;
            if !self
                .event_queue
                .push_fifo(self.fifos.dispatch(index), at, handle)
            {
                self.event_queue.schedule(at, Event::Dispatched(handle));
            }
        }
        if watched {
            self.watch_instance(index);
        }
    }

    fn model_queue_limit(&self, service: u16) -> u32 {
        self.balancers[service as usize].queue_limit
    }

    /// The balancer instance has done its own work for an attempt.
    pub(super) fn dispatched(&mut self, handle: Handle) {
        if self.attempts[handle].place != Place::AtBalancer {
            // The instance crashed meanwhile: the attempt is on its way back.
            return;
        }
        let index = self.attempts[handle].instance;
        self.instances[index as usize].waiting -= 1;
        self.dispatch(handle);
    }

    /// Chooses a server and sends the attempt there.
    #[inline]
    pub(super) fn dispatch(&mut self, handle: Handle) {
        match self.pick(handle) {
            Some(local) => self.assign(handle, local),
            None => self.without_server(handle),
        }
    }

    /// The policy's choice for an attempt.
    #[inline]
    fn pick(&mut self, handle: Handle) -> Option<usize> {
        let apart = self.kept_from(self.attempts[handle].call);
        if apart == Apart::NOTHING {
            self.pick_of(handle, None)
        } else {
            self.pick_apart(handle, apart)
        }
    }

    /// The same for an attempt that keeps away from servers where its request is or was.
    #[inline(never)]
    fn pick_apart(&mut self, handle: Handle, apart: Apart) -> Option<usize> {
        let call = self.attempts[handle].call;
        let mut rest = std::mem::take(&mut self.apart);
        let mut choice = None;
        for apart in apart.relaxed() {
            let instance = &self.instances[self.attempts[handle].instance as usize];
            if self.keep_apart(call, apart, &instance.eligible, &mut rest) {
                choice = self.pick_of(handle, Some(&rest));
            }
            if choice.is_some() {
                break;
            }
        }
        self.apart = rest;
        // There may be no others, or none that the policy wants: the same server once more is
        // better than none.
        choice.or_else(|| self.pick_of(handle, None))
    }

    /// The policy's choice among the servers eligible, or `some` of them.
    #[inline]
    fn pick_of(&mut self, handle: Handle, some: Option<&[u32]>) -> Option<usize> {
        let ordinal = self.cold(handle).ordinal;
        let attempt = &self.attempts[handle];
        let call = &self.calls[attempt.call];
        let service = &self.services[attempt.service as usize];
        let instance = &mut self.instances[attempt.instance as usize];
        if instance.eligible.is_empty() {
            return None;
        }
        let job = Job {
            key: call.key,
            priority: self.classes[attempt.class as usize].priority,
            previous: (call.previous != NIL).then_some(call.previous as usize),
        };
        let mut draws = self.policy_stream.of_attempt(attempt.number, ordinal);
        let truth = TrueState {
            now: self.now,
            servers: &self.servers,
            numbers: &service.servers,
        };
        let mut view = FleetView {
            now: Instant(self.now),
            eligible: some.unwrap_or(&instance.eligible),
            narrowed: some.is_some(),
            in_flight: &instance.in_flight,
            weights: &service.weights,
            oracle: &truth,
        };
        if let Some(board) = &instance.board {
            view.in_flight = &board.in_flight;
            view.oracle = &**board;
        }
        instance.policy.pick(&view, &job, &mut draws)
    }

    /// Nobody to send the attempt to: it waits, if there is room, or fails at once.
    pub(super) fn without_server(&mut self, handle: Handle) {
        let Attempt {
            service, instance, ..
        } = self.attempts[handle];
        let Some(pending) = self.balancers[service as usize].pending_queue else {
            return self.reply(handle, Outcome::Unavailable);
        };
        let waiting = &mut self.instances[instance as usize].pending;
        if waiting.len() >= pending.limit as usize {
            return self.reply(handle, Outcome::Unavailable);
        }
        waiting.push_back(handle);
        self.attempts[handle].place = Place::Pending;
        if let Some(timeout) = pending.timeout {
            self.event_queue.schedule(
                self.now.saturating_add(timeout.0),
                Event::PendingTimeout(handle),
            );
        }
    }

    /// An attempt has waited long enough for an eligible server.
    pub(super) fn pending_timeout(&mut self, handle: Handle) {
        if self.attempts[handle].place == Place::Pending {
            self.leave_balancer_queue(handle);
            self.reply(handle, Outcome::Unavailable);
        }
    }

    /// Takes an attempt that goes away out of the balancer's waiting rooms.
    pub(super) fn leave_balancer_queue(&mut self, handle: Handle) {
        let Attempt {
            place, instance, ..
        } = self.attempts[handle];
        match place {
            Place::Pending => self.instances[instance as usize]
                .pending
                .retain(|&other| other != handle),
            // Its share of the instance's time stays spent: the work was queued.
            Place::AtBalancer => self.instances[instance as usize].waiting -= 1,
            _ => {}
        }
    }

    /// Sends an attempt to a server.
    #[inline]
    pub(super) fn assign(&mut self, handle: Handle, local: usize) {
        let Attempt {
            call,
            service,
            instance: index,
            ..
        } = self.attempts[handle];
        let server = self.services[service as usize].servers[local];
        let instance = &mut self.instances[index as usize];
        instance.in_flight[local] += 1;
        if instance.observes {
            instance.policy.on_assigned(local);
        }
        if self.services[service as usize].limited
            && instance.in_flight[local]
                >= self.servers_cold[server as usize]
                    .params
                    .max_connections
                    .unwrap_or(u32::MAX)
        {
            self.refresh_eligible(index);
        }
        self.calls[call].previous = local as u32;
        self.note_server(call, local as u32);
        self.attempts[handle].server = server;
        let s = &mut self.servers[server as usize];
        s.attempts = s.attempts.wrapping_add(1);
        if self.servers_cold[server as usize].params.errors.rate > 0.0 {
            self.draw_error(handle, server, self.fault_stream);
        }
        self.at_server(handle, server);
    }

    /// The balancer's books forget an attempt: it was answered, or its caller hung up.
    #[inline]
    pub(super) fn release(&mut self, handle: Handle, outcome: Outcome) {
        let now = self.now;
        let attempt = &mut self.attempts[handle];
        let index = attempt.instance;
        if index == NIL {
            return;
        }
        attempt.instance = NIL;
        let (server, begun, service) = (attempt.server, attempt.begun, attempt.service);
        let instance = &mut self.instances[index as usize];
        instance.connections -= 1;
        if server != NIL {
            let s = &mut self.servers[server as usize];
            match outcome {
                Outcome::Succeeded => s.succeeded = s.succeeded.wrapping_add(1),
                // Nothing went wrong there.
                Outcome::Cancelled => {}
                _ => s.failed = s.failed.wrapping_add(1),
            }
            let local = s.local as usize;
            let before = instance.in_flight[local];
            instance.in_flight[local] = before - 1;
            if instance.observes {
                instance
                    .policy
                    .on_finished(Instant(now), local, outcome, Duration(now - begun));
            }
            if self.services[service as usize].limited
                && before
                    == self.servers_cold[server as usize]
                        .params
                        .max_connections
                        .unwrap_or(u32::MAX)
            {
                self.refresh_eligible(index);
            }
        }
        let instance = &self.instances[index as usize];
        if !instance.pending.is_empty() {
            self.pending_to_drain.push(index);
        }
        if instance.watched {
            self.watch_instance(index);
        }
    }

    /// Sends waiting attempts on, now that a server may be eligible again.
    pub(super) fn drain_pending(&mut self, index: u32) {
        while let Some(&handle) = self.instances[index as usize].pending.front() {
            let Some(local) = self.pick(handle) else {
                break;
            };
            self.instances[index as usize].pending.pop_front();
            self.assign(handle, local);
        }
    }

    /// Works out anew which servers an instance may pick, after anything that matters to it.
    pub(super) fn refresh_eligible(&mut self, index: u32) {
        let Self {
            instances,
            services,
            servers,
            servers_cold,
            pending_to_drain,
            now,
            ..
        } = self;
        let instance = &mut instances[index as usize];
        let service = &services[instance.service as usize];
        let open = |local: usize, instance: &Instance| {
            let server = service.servers[local] as usize;
            let below_limit = !service.limited
                || servers_cold[server]
                    .params
                    .max_connections
                    .is_none_or(|limit| instance.in_flight[local] < limit);
            // Rotation is a matter of settings; whether a server is up the balancer cannot see.
            let in_rotation = servers[server].state != MachineState::Absent
                && !servers_cold[server].out_of_rotation;
            in_rotation && below_limit && instance.healthy[local]
        };
        let mut eligible = std::mem::take(&mut instance.eligible);
        for backups in [false, true] {
            eligible.clear();
            eligible.extend(
                (0..service.servers.len())
                    .filter(|&local| {
                        servers_cold[service.servers[local] as usize].params.backup == backups
                            && open(local, instance)
                    })
                    .map(|local| local as u32),
            );
            if !eligible.is_empty() {
                break;
            }
        }
        instance.eligible = eligible;
        let view = FleetView {
            now: Instant(*now),
            eligible: &instance.eligible,
            narrowed: false,
            in_flight: &instance.in_flight,
            weights: &service.weights,
            oracle: &TrueState {
                now: *now,
                servers,
                numbers: &service.servers,
            },
        };
        instance.policy.on_fleet_changed(&view);
        if !instance.pending.is_empty() && !instance.eligible.is_empty() {
            pending_to_drain.push(index);
        }
        let service = instance.service;
        self.refresh_fast_path(service);
    }

    /// As [`Simulation::refresh_eligible`], for all instances of a service.
    pub(super) fn refresh_service(&mut self, service: u16) {
        for index in 0..self.instances.len() {
            if self.instances[index].service == service {
                self.refresh_eligible(index as u32);
            }
        }
    }
}
