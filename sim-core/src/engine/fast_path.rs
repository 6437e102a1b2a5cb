//! The fast path: requests that meet none of the rarer features.
//!
//! Most requests of most scenarios go from a caller straight through a balancer that is up to a
//! first-come, first-served server and back. For them two functions do what the general path
//! does, step for step and with the same draws and sequence numbers, but look each thing up once
//! instead of at every step. A test runs scenarios with and without the fast path and demands
//! the same digest.
//! The calls of such requests are [elided](super::elided_call), and their draws made
//! [batch](super::batched_draws).

use super::Simulation;
use super::balancer::TrueState;
use super::batched_draws::BATCH;
use super::event_queue::NEVER;
use super::slab::{Handle, Slab};
use super::source::number_of;
use super::state::{Attempt, MachineState, NIL, Place, Purpose, Server, Waiting};
use crate::outcome::Outcome;
use crate::policy::{FleetView, Job};
use crate::record::histogram::{bucket, coarse};
use crate::time::Instant;
use std::hint::select_unpredictable;

impl Server {
    /// Links an attempt to the end of the queue.
    #[inline]
    fn append(&mut self, attempts: &mut Slab<Attempt>, index: u32) {
        // Whether the queue is empty is a coin toss: both cases take the same steps.
        let tail = std::mem::replace(&mut self.tail, index);
        let empty = tail == NIL;
        self.queue_len += 1;
        self.head = select_unpredictable(empty, index, self.head);
        attempts[select_unpredictable(empty, index, tail)].behind =
            select_unpredictable(empty, NIL, index);
    }
}

impl Attempt {
    /// Overwrites what is left of another, but for place and server, with the only attempt of a
    /// request.
    #[inline]
    fn begin_fast(
        &mut self,
        number: u64,
        class: u16,
        service: u16,
        instance: u32,
        demand_ns: u64,
        now: u64,
    ) {
        self.number = number;
        self.begun = now;
        self.demand_ns = demand_ns;
        self.mark = now;
        self.call = Handle::ELIDED;
        self.behind = NIL;
        self.instance = instance;
        self.class = class;
        self.service = service;
        self.fails = false;
        self.purpose = Purpose::Request;
    }
}

impl Simulation {
    /// Works out anew which services and servers the fast path may serve, after a change of
    /// settings or of a machine's state.
    pub(super) fn refresh_fast_path(&mut self, service: u16) {
        let balancer = &self.balancers[service as usize];
        let s = &mut self.services[service as usize];
        let simple_balancer = s.network_ns == Some(0)
            && s.cost == 0
            && s.max_connections == u32::MAX
            && balancer.pending_queue.is_none()
            && balancer.crash.is_empty()
            && balancer.load_reports.is_none()
            && !s.tracks_idle
            && !s.has_calls
            && !s.limited
            && s.active.len() == 1;
        let instance = &self.instances[s.active[0] as usize];
        let was_fast = s.fast;
        s.fast = self.fast
            && simple_balancer
            && instance.state == MachineState::Up
            && !instance.observes;
        let left = was_fast && !s.fast;
        for source in &mut self.sources {
            if source.to == service {
                source.fast = self.services[service as usize].fast && source.gaps.is_some();
            }
        }
        if left {
            self.spell_out_all(|attempt| attempt.service == service);
        }
        for local in 0..self.services[service as usize].servers.len() {
            let server = self.services[service as usize].servers[local];
            let params = &self.servers_cold[server as usize].params;
            let faultless = params.errors.rate <= 0.0
                && params.patience.is_none()
                && params.breakdowns.is_none();
            let s = &mut self.servers[server as usize];
            let was_fast = s.fast;
            s.fast = self.fast
                && faultless
                && s.state == MachineState::Up
                && s.waiting == Waiting::Fifo
                && !s.elastic
                && !s.watched;
            if was_fast && !s.fast {
                self.spell_out_server(server);
            }
        }
    }

    /// Does without the fast path from now on: for the test that it changes nothing.
    #[must_use]
    pub fn without_fast_path(mut self) -> Self {
        self.fast = false;
        for service in 0..self.services.len() as u16 {
            self.refresh_fast_path(service);
        }
        self
    }

    /// An open source emits a request to a service on the fast path.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    pub(super) fn arrive_fast(&mut self, source: u16) {
        let s = &self.sources[source as usize];
        if s.count.wrapping_sub(s.batch.first) >= BATCH as u64 {
            self.draw_batch(source);
        }
        let Self {
            sources,
            callers,
            services,
            instances,
            servers,
            attempts,
            classes,
            recorder,
            event_queue,
            ..
        } = self;
        let now = self.now;
        let s = &mut sources[source as usize];
        let number = number_of(source, s.count);
        let batch = (s.count - s.batch.first) as usize % BATCH;
        let class = s.batch.classes[batch];
        let key = s.batch.keys[batch];
        let demand_ns = s.batch.demands_ns[batch];
        s.count += 1;
        s.from = now;
        s.gap = s.batch.gaps[batch + 1];
        let next = if s.rate.len() == 1 {
            now.saturating_add(s.batch.gaps_ns[batch + 1])
        } else {
            s.next_arrival().unwrap_or(NEVER)
        };
        let client = s.clients[class as usize];
        let caller = &callers[client as usize];
        if !caller.fast {
            return self.begin_call(source, number, key, class, next);
        }
        event_queue.set_arrival(source, next);

        let service_id = s.to;
        let counters = recorder.flow_mut(service_id, class);
        counters.arrived += 1;
        counters.attempts += 1;
        let service = &mut services[service_id as usize];
        service.attempts += 1;
        let index = service.active[0];
        let instance = &mut instances[index as usize];
        instance.connections += 1;
        instance.attempts += 1;
        let (handle, attempt) = attempts.claim(Attempt::blank);
        attempt.begin_fast(number, class, service_id, index, demand_ns, now);
        self.elided += 1;
        if caller.timeout != u64::MAX {
            event_queue.set_timeout(client, now.saturating_add(caller.timeout), handle);
        }

        let view = FleetView {
            now: Instant(now),
            eligible: &instance.eligible,
            narrowed: false,
            in_flight: &instance.in_flight,
            weights: &service.weights,
            oracle: &TrueState {
                now,
                servers,
                numbers: &service.servers,
            },
        };
        let job = Job {
            key,
            priority: classes[class as usize].priority,
            previous: None,
        };
        let mut draws = self.policy_stream.of_attempt(number, 1);
        let choice = if instance.eligible.is_empty() {
            None
        } else {
            instance.policy.pick(&view, &job, &mut draws)
        };
        let Some(local) = choice else {
            return self.send_spelled_out(handle, None);
        };
        let server = service.servers[local];
        let s = &mut servers[server as usize];
        let idle = s.in_service + s.holding < s.workers;
        if !s.fast || !(idle || s.queue_len < s.queue_limit) {
            return self.send_spelled_out(handle, Some(local));
        }
        instance.in_flight[local] += 1;
        attempt.server = server;
        s.attempts = s.attempts.wrapping_add(1);
        s.in_system += 1;
        s.area_in_system = s.area_in_system.wrapping_sub(now);
        if idle {
            attempt.place = Place::Underway;
            return self.begin_service_apart(handle);
        }
        attempt.place = Place::Queued;
        attempt.before = s.tail;
        s.area_queued = s.area_queued.wrapping_sub(now);
        s.queued_ns = s.queued_ns.saturating_add(demand_ns);
        s.append(attempts, handle.index());
    }

    /// As [`Simulation::arrive`], once source and draws are done with: for callers whose rules the
    /// fast path does not know.
    #[inline(never)]
    fn begin_call(&mut self, source: u16, number: u64, key: u64, class: u16, next: u64) {
        let call = self.call_from_outside(source, number, key, class);
        let call = self.new_call(call);
        // After the deadline: at one instant, what was planned first happens first.
        self.event_queue.set_arrival(source, next);
        self.begin_try(call);
        self.drain_pending_queues();
    }

    /// The general path takes over an attempt for which a server was chosen or not.
    #[cold]
    #[inline(never)]
    fn send_spelled_out(&mut self, handle: Handle, choice: Option<usize>) {
        let attempt = &mut self.attempts[handle];
        (attempt.place, attempt.server) = (Place::Underway, NIL);
        self.spell_out(handle);
        match choice {
            Some(local) => self.assign(handle, local),
            None => self.without_server(handle),
        }
        self.drain_pending_queues();
    }

    /// As [`Simulation::begin_service`], kept out of the loop, where it would take up registers.
    #[inline(never)]
    fn begin_service_apart(&mut self, handle: Handle) {
        self.begin_service(handle);
    }

    /// A server on the fast path finishes the request that was to finish first.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    pub(super) fn complete_fast(&mut self, server: u32) {
        let Self {
            servers,
            attempts,
            recorder,
            event_queue,
            ..
        } = self;
        let now = self.now;
        let s = &mut servers[server as usize];
        let index = s.first;
        if !attempts[index].call.is_elided() {
            return self.complete_apart(server);
        }
        if s.workers != 1 || s.in_service != 1 {
            self.pass_worker_on(server);
            return self.leave_fast(server, index);
        }
        // One worker: virtual time starts over, and the next in the queue starts at its zero.
        s.virtual_at = now;
        s.virtual_now = 0;
        s.virtual_part = 0.0;
        let next = s.head;
        if next == NIL {
            s.first = NIL;
            s.in_service = 0;
            s.finish_sum = 0;
            s.area_busy = s.area_busy.wrapping_add(now);
            event_queue.clear_completion(server);
            return self.leave_fast(server, index);
        }
        let waiting = &mut attempts[next];
        let demand_ns = waiting.demand_ns;
        s.head = waiting.behind;
        s.tail = select_unpredictable(s.head == NIL, NIL, s.tail);
        s.queue_len -= 1;
        s.area_queued = s.area_queued.wrapping_add(now);
        s.queued_ns = s.queued_ns.saturating_sub(demand_ns);
        if waiting.purpose == Purpose::Request {
            recorder.waited(s.service, waiting.begun, now - waiting.mark);
        }
        waiting.place = Place::InService;
        waiting.mark = demand_ns;
        s.finish_sum = demand_ns;
        s.first = next;
        event_queue.set_completion(server, s.real_time_of(demand_ns));
        self.leave_fast(server, index);
    }

    /// A request whose service is done, and its attempt with it, leaves server and balancer; its
    /// answer is there at once.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "a part of `complete_fast`, twice")]
    fn leave_fast(&mut self, server: u32, index: u32) {
        let now = self.now;
        let attempt = &self.attempts[index];
        let (number, begun, class) = (attempt.number, attempt.begun, attempt.class);
        let s = &mut self.servers[server as usize];
        s.in_system -= 1;
        s.area_in_system = s.area_in_system.wrapping_add(now);
        s.succeeded = s.succeeded.wrapping_add(1);
        let local = s.local as usize;
        let service = &mut self.services[s.service as usize];
        service.served_ns += u128::from(attempt.demand_ns);
        service.attempt_outcomes[Outcome::Succeeded as usize] += 1;
        let instance = &mut self.instances[attempt.instance as usize];
        instance.connections -= 1;
        instance.in_flight[local] -= 1;
        self.attempts.vacate(index);
        self.elided -= 1;

        let recorder = &mut self.recorder;
        recorder.attempt_ended(s.service, begun, Outcome::Succeeded);
        if recorder.is_plain() && begun >= recorder.measure_from {
            let counters = recorder.flow_mut(s.service, class);
            let response_ns = now - begun;
            let bucket = bucket(response_ns);
            counters.outcomes[Outcome::Succeeded as usize] += 1;
            counters.measured[Outcome::Succeeded as usize] += 1;
            counters.recent.record(coarse(bucket));
            counters.response_time.record_at(bucket, response_ns);
        } else {
            let flow = recorder.layout.flow(s.service, class, false);
            let (attempts, last) = (1, local as u32);
            recorder.call_ended(
                now,
                flow,
                number,
                class,
                begun,
                attempts,
                last,
                Outcome::Succeeded,
            );
        }
    }

    /// The finished request leaves its worker, the next takes it: for servers with several.
    #[inline(never)]
    fn pass_worker_on(&mut self, server: u32) {
        let (_, busy) = self.unload_finished(server);
        self.workers_freed(server, busy);
    }
}
