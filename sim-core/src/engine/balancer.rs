//! Balancer instances: connections, own work, choice of a server, waiting room.

use super::Simulation;
use super::attempt::{Attempt, Place};
use super::event::Event;
use super::incarnation::MachineState;
use super::instance::TrueState;
use super::slab::Handle;
use super::timer_fifo::Timer;
use crate::ids::{Id, InstanceId, LocalId, ServerId, ServiceId};
use crate::outcome::Outcome;
use crate::policy::Job;
use crate::time::{Duration, Instant};

impl Simulation {
    /// An attempt reaches the balancer.
    #[inline]
    pub(super) fn at_balancer(&mut self, handle: Handle) {
        let Attempt {
            number, service, ..
        } = self.attempts[handle];
        let s = &self.services[service];
        let index = if s.active.len() == 1 {
            s.active[0]
        } else if s.random_selection {
            let ordinal = self.attempts.cold(handle).ordinal;
            let mut draws = self
                .streams
                .selection
                .at(super::caller::try_of(number, ordinal));
            s.active[draws.below(s.active.len())]
        } else {
            // Callers spread over the instances they know, and a retry goes to the next.
            s.active[(number.wrapping_add(u64::from(self.attempts.cold(handle).ordinal))
                % s.active.len() as u64) as usize]
        };
        let instance = &mut self.balancers[index];
        if instance.state != MachineState::Up {
            return self.meets_down(handle, s.down_behaviour);
        }
        if instance.connections >= s.max_connections {
            return self.reply(handle, Outcome::Rejected);
        }
        if s.cost > 0 && instance.waiting >= s.settings.balancer.queue_limit {
            return self.reply(handle, Outcome::Rejected);
        }
        let instance = &mut self.balancers[index];
        instance.connections += 1;
        instance.attempts += 1;
        self.attempts[handle].instance = index;
        let watched = instance.watched;
        let cost = self.services[service].cost;
        if cost == 0 {
            self.dispatch(handle);
        } else {
            let instance = &mut self.balancers[index];
            instance.waiting += 1;
            instance.busy_until = instance.busy_until.max(self.now).saturating_add(cost);
            instance.busy_ns += cost;
            let at = instance.busy_until;
            self.attempts[handle].place = Place::AtBalancer;
            self.events.set_timer(Timer::Dispatch(index), at, handle);
        }
        if watched {
            self.watch_instance(index);
        }
    }

    /// The balancer instance has done its own work for an attempt.
    pub(super) fn dispatched(&mut self, handle: Handle) {
        if self.attempts[handle].place != Place::AtBalancer {
            // The instance crashed meanwhile: the attempt is on its way back.
            return;
        }
        let index = self.attempts[handle].instance;
        self.balancers[index].waiting -= 1;
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
    fn pick(&mut self, handle: Handle) -> Option<LocalId> {
        if self.calls.is_hedged(self.attempts[handle].call) {
            self.pick_apart(handle)
        } else {
            self.pick_of(handle, None)
        }
    }

    /// The same for one of several attempts at once.
    #[inline(never)]
    fn pick_apart(&mut self, handle: Handle) -> Option<LocalId> {
        let mut apart = std::mem::take(&mut self.balancers.apart);
        let instance = &self.balancers[self.attempts[handle].instance];
        let choice = if self.keep_apart(handle, &instance.eligible, &mut apart) {
            self.pick_of(handle, Some(&apart))
        } else {
            None
        };
        self.balancers.apart = apart;
        // The policy may want none of those without a copy: one more copy at a server is better
        // than a copy without a server.
        choice.or_else(|| self.pick_of(handle, None))
    }

    /// The policy's choice among the servers eligible, or `some` of them.
    #[inline]
    fn pick_of(&mut self, handle: Handle, some: Option<&[u32]>) -> Option<LocalId> {
        let ordinal = self.attempts.cold(handle).ordinal;
        let attempt = &self.attempts[handle];
        let call = &self.calls[attempt.call];
        let service = &self.services[attempt.service];
        let instance = &mut self.balancers[attempt.instance];
        if instance.eligible.is_empty() {
            return None;
        }
        let job = Job {
            key: call.key,
            priority: self.classes[attempt.class].priority,
            previous: call.previous.known().map(Id::position),
        };
        let mut draws = self
            .streams
            .policy
            .at(super::caller::try_of(attempt.number, ordinal));
        let truth = TrueState {
            now: self.now,
            servers: &self.fleet.servers,
            service,
        };
        let eligible = some.unwrap_or(&instance.eligible);
        let mut view = truth.view(eligible, &instance.in_flight);
        view.narrowed = some.is_some();
        if let Some(board) = &instance.board {
            view.in_flight = board.in_flight.as_slice();
            view.oracle = &**board;
        }
        let choice = instance.policy.pick(&view, &job, &mut draws);
        choice.map(LocalId::at)
    }

    /// Nobody to send the attempt to: it waits, if there is room, or fails at once.
    pub(super) fn without_server(&mut self, handle: Handle) {
        let Attempt {
            service, instance, ..
        } = self.attempts[handle];
        let Some(pending) = self.services[service].settings.balancer.pending_queue else {
            return self.reply(handle, Outcome::Unavailable);
        };
        let waiting = &mut self.balancers[instance].pending;
        if waiting.len() >= pending.limit as usize {
            return self.reply(handle, Outcome::Unavailable);
        }
        waiting.push_back(handle);
        self.attempts[handle].place = Place::Pending;
        if let Some(timeout) = pending.timeout {
            self.after(timeout.0, Event::PendingTimeout(handle));
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
            Place::Pending => self.balancers[instance]
                .pending
                .retain(|&other| other != handle),
            // Its share of the instance's time stays spent: the work was queued.
            Place::AtBalancer => self.balancers[instance].waiting -= 1,
            _ => {}
        }
    }

    /// Sends an attempt to a server.
    #[inline]
    pub(super) fn assign(&mut self, handle: Handle, local: LocalId) {
        let Attempt {
            call,
            service,
            instance: index,
            ..
        } = self.attempts[handle];
        let server = self.services[service].servers[local];
        let instance = &mut self.balancers[index];
        instance.in_flight[local] += 1;
        if instance.observes {
            instance.policy.on_assigned(local.position());
        }
        if self.services[service].limited
            && instance.in_flight[local]
                >= self.fleet.cold[server]
                    .params
                    .max_connections
                    .unwrap_or(u32::MAX)
        {
            self.refresh_eligible(index);
        }
        self.calls[call].previous = local;
        self.attempts[handle].server = server;
        self.attempts.cold_mut(handle).dispatched = self.now;
        let s = &mut self.fleet[server];
        s.attempts = s.attempts.wrapping_add(1);
        let cold = &self.fleet.cold[server];
        let far = cold.path.is_some();
        if cold.params.errors.rate > 0.0 {
            self.draw_error(handle, server, self.streams.faults);
        }
        if far {
            self.send_to_server(handle, server);
        } else {
            self.at_server(handle, server);
        }
    }

    /// The balancer's books forget an attempt: it was answered, or its caller hung up.
    #[inline]
    pub(super) fn release(&mut self, handle: Handle, outcome: Outcome) {
        let now = self.now;
        let attempt = &mut self.attempts[handle];
        let index = attempt.instance;
        if index == InstanceId::NONE {
            return;
        }
        attempt.instance = InstanceId::NONE;
        let (server, service) = (attempt.server, attempt.service);
        let instance = &mut self.balancers[index];
        instance.connections -= 1;
        if server != ServerId::NONE {
            let s = &mut self.fleet[server];
            match outcome {
                Outcome::Succeeded => s.succeeded = s.succeeded.wrapping_add(1),
                // Nothing went wrong there.
                Outcome::Cancelled => {}
                _ => s.failed = s.failed.wrapping_add(1),
            }
            let local = s.local;
            let before = instance.in_flight[local];
            instance.in_flight[local] = before - 1;
            if instance.observes {
                let took = Duration(now - self.attempts.cold(handle).dispatched);
                (instance.policy).on_finished(Instant(now), local.position(), outcome, took);
            }
            if self.services[service].limited
                && before
                    == self.fleet.cold[server]
                        .params
                        .max_connections
                        .unwrap_or(u32::MAX)
            {
                self.refresh_eligible(index);
            }
        }
        let instance = &self.balancers.instances[index];
        if !instance.pending.is_empty() {
            self.balancers.to_drain.push(index);
        }
        if instance.watched {
            self.watch_instance(index);
        }
    }

    /// Sends waiting attempts on, now that a server may be eligible again.
    pub(super) fn drain_pending(&mut self, index: InstanceId) {
        while let Some(&handle) = self.balancers[index].pending.front() {
            let Some(local) = self.pick(handle) else {
                break;
            };
            self.balancers[index].pending.pop_front();
            self.assign(handle, local);
        }
    }

    /// Works out anew which servers an instance may pick, after anything that matters to it.
    pub(super) fn refresh_eligible(&mut self, index: InstanceId) {
        let Self {
            balancers,
            services,
            fleet,
            now,
            ..
        } = self;
        let instance = &mut balancers.instances[index];
        let service = &services[instance.service];
        let open = |local: LocalId| {
            let server = service.servers[local];
            let cold = &fleet.cold[server];
            let below_limit = !service.limited
                || (cold.params.max_connections)
                    .is_none_or(|limit| instance.in_flight[local] < limit);
            // Rotation is a matter of settings; whether a server is up the balancer cannot see.
            let in_rotation = fleet[server].state != MachineState::Absent && !cold.out_of_rotation;
            in_rotation && below_limit && instance.healthy[local]
        };
        let mut eligible = std::mem::take(&mut instance.eligible);
        for backups in [false, true] {
            let backup = |local| fleet.cold[service.servers[local]].params.backup;
            let locals = service.servers.ids();
            eligible.clear();
            eligible.extend(
                locals
                    .filter(|&local| backup(local) == backups && open(local))
                    .map(|local| local.0),
            );
            if !eligible.is_empty() {
                break;
            }
        }
        instance.eligible = eligible;
        let truth = TrueState {
            now: *now,
            servers: &fleet.servers,
            service,
        };
        let view = truth.view(&instance.eligible, &instance.in_flight);
        instance.policy.on_fleet_changed(&view);
        if !instance.pending.is_empty() && !instance.eligible.is_empty() {
            balancers.to_drain.push(index);
        }
        let service = instance.service;
        self.refresh_fast_path(service);
    }

    /// As [`Simulation::refresh_eligible`], for all instances of a service.
    pub(super) fn refresh_service(&mut self, service: ServiceId) {
        for instance in self.balancers.of(service) {
            self.refresh_eligible(instance);
        }
    }
}
