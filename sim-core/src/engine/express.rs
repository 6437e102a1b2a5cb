//! The express lane: requests that meet none of the rarer features.
//!
//! Most requests of most scenarios go from a caller straight through a balancer that is up to a
//! first-come, first-served server and back. For them these two functions do what the general path
//! does, step for step and with the same draws and sequence numbers, but look each thing up once
//! instead of at every step; it makes a run about twice as fast. A test runs scenarios with and
//! without the express lane and demands the same digest.

use super::Simulation;
use super::slab::Handle;
use super::source::{number_of, source_of};
use super::state::{Attempt, Call, MachineState, NIL, Place, Purpose, Waiting};
use crate::outcome::Outcome;
use crate::policy::{FleetView, Job};
use crate::record::histogram::{bucket, coarse};
use crate::time::{Duration, Instant};

impl Simulation {
    /// Works out anew which services and servers the express lane may serve, after a change of
    /// settings or of a machine's state.
    pub(super) fn refresh_express(&mut self, service: u16) {
        let balancer = &self.balancers[service as usize];
        let s = &mut self.services[service as usize];
        let simple_balancer = s.network_ns == Some(0)
            && s.cost == 0
            && s.max_connections == u32::MAX
            && balancer.pool.is_none()
            && balancer.crash.is_empty()
            && balancer.load_reports.is_none()
            && !s.tracks_idle
            && !s.has_calls
            && !s.limited
            && s.active.len() == 1;
        let instance = &self.instances[s.active[0] as usize];
        s.express = self.express
            && simple_balancer
            && instance.state == MachineState::Up
            && !instance.observes;
        for source in &mut self.sources {
            if source.to == service {
                source.express = self.services[service as usize].express && source.gaps.is_some();
            }
        }
        for &server in &self.services[service as usize].servers {
            let params = &self.rests[server as usize].params;
            let faultless = params.errors.rate <= 0.0
                && params.patience.is_none()
                && params.breakdowns.is_none();
            let server = &mut self.servers[server as usize];
            server.express = self.express
                && faultless
                && server.state == MachineState::Up
                && server.waiting == Waiting::Fifo
                && !server.elastic
                && !server.watched;
        }
    }

    /// Does without the express lane from now on: for the test that it changes nothing.
    #[must_use]
    pub fn without_express(mut self) -> Self {
        self.express = false;
        for service in 0..self.services.len() as u16 {
            self.refresh_express(service);
        }
        self
    }

    /// An open source emits a request to a service on the express lane.
    pub(super) fn arrive_express(&mut self, source: u16) {
        let now = self.now;
        let s = &mut self.sources[source as usize];
        let number = number_of(source, s.count);
        s.count += 1;
        let mut draws = self.request_stream.at(number);
        let class = s.draw_class(&mut draws);
        let key = s.keys.key(number, &mut draws);
        let (client, service_id) = (s.clients[class as usize], s.to);
        s.from = now;
        self.plan_arrival(source);

        let caller = &self.callers[client as usize];
        let flow = self.recorder.layout.flow(service_id, class, false);
        let call = Call {
            number,
            key,
            arrived: now,
            parent: Handle::NONE,
            current: Handle::NONE,
            pause_ns: 0,
            client,
            class,
            service: service_id,
            flow,
            attempts: 0,
            previous: NIL,
        };
        if !caller.express {
            let call = self.new_call(call);
            return self.begin_attempt(call);
        }
        let counters = &mut self.recorder.flows[flow as usize];
        counters.arrived += 1;
        counters.attempts += 1;
        let call_handle = self.calls.insert(call);
        let call = &mut self.calls[call_handle.index()];
        call.attempts = 1;

        let service = &mut self.services[service_id as usize];
        service.attempts += 1;
        let demand = service
            .demand
            .sample_ns(&mut service.demand_stream.at(number))
            * self.classes[class as usize].demand_factor;
        let index = service.active[0];
        let instance = &mut self.instances[index as usize];
        instance.connections += 1;
        instance.attempts += 1;
        let handle = self.attempts.insert(Attempt {
            call: call_handle,
            number,
            begun: now,
            queued_at: now,
            demand_ns: Duration::from_nanos_f64(demand).0,
            finish: 0,
            before: NIL,
            behind: NIL,
            server: NIL,
            instance: index,
            service: service_id,
            class,
            stage: 0,
            worked: false,
            required: false,
            resumed: false,
            place: Place::Underway,
            purpose: Purpose::Request,
            fails: false,
            outcome: Outcome::Succeeded,
            child: Handle::NONE,
        });
        call.current = handle;
        if caller.timeout != u64::MAX {
            self.start_timeout(client, now.saturating_add(caller.timeout), handle);
        }
        self.place_express(handle, key, class);
    }

    /// Chooses a server for an attempt on the express lane and sends it there.
    #[inline]
    fn place_express(&mut self, handle: Handle, key: u64, class: u16) {
        let Self {
            instances,
            services,
            servers,
            attempts,
            calls,
            classes,
            now,
            ..
        } = self;
        let attempt = &mut attempts[handle.index()];
        let service = &services[attempt.service as usize];
        let instance = &mut instances[attempt.instance as usize];
        let mut draws = self
            .policy_stream
            .at(super::caller::try_of(attempt.number, 1));
        let view = FleetView {
            now: Instant(*now),
            eligible: &instance.eligible,
            in_flight: &instance.in_flight,
            weights: &service.weights,
            oracle: &super::balancer::TrueState {
                now: *now,
                servers,
                numbers: &service.servers,
            },
        };
        let job = Job {
            key,
            priority: classes[class as usize].priority,
            previous: None,
        };
        let choice = if instance.eligible.is_empty() {
            None
        } else {
            instance.policy.pick(&view, &job, &mut draws)
        };
        let Some(local) = choice else {
            return self.without_server(handle);
        };
        let server = service.servers[local];
        instance.in_flight[local] += 1;
        attempt.server = server;
        calls[attempt.call.index()].previous = local as u32;
        let s = &mut servers[server as usize];
        s.attempts = s.attempts.wrapping_add(1);
        if !s.express {
            if self.rests[server as usize].params.errors.rate > 0.0 {
                self.draw_error(handle, server, self.fault_stream);
            }
            return self.at_server(handle, server);
        }
        s.in_system += 1;
        s.area_in_system = s.area_in_system.wrapping_sub(*now);
        let busy = s.in_service + s.holding;
        if busy < s.workers {
            self.begin_service(handle);
        } else if s.queue_len < s.queue_limit {
            attempt.place = Place::Queued;
            attempt.before = s.tail;
            s.queue_len += 1;
            s.area_queued = s.area_queued.wrapping_sub(*now);
            s.queued_ns = s.queued_ns.saturating_add(attempt.demand_ns);
            let tail = std::mem::replace(&mut s.tail, handle.index());
            if tail == NIL {
                s.head = handle.index();
            } else {
                attempts[tail].behind = handle.index();
            }
        } else {
            self.leave_server(server);
            self.reply(handle, Outcome::Rejected);
        }
    }

    /// A server on the express lane finishes the request that was to finish first.
    pub(super) fn complete_express(&mut self, server: u32) {
        let Self {
            servers,
            attempts,
            services,
            recorder,
            now,
            ..
        } = self;
        let now = *now;
        let s = &mut servers[server as usize];
        let index = s.first;
        let attempt = &attempts[index];
        let service = &mut services[s.service as usize];
        if s.in_service != 1
            || s.workers != 1
            || !service.express
            || attempt.purpose != Purpose::Request
            || attempt.instance == NIL
            || attempt.fails
        {
            self.complete(server);
            return self.drain_pools();
        }
        let (call, begun, demand_ns, instance) = (
            attempt.call,
            attempt.begun,
            attempt.demand_ns,
            attempt.instance,
        );
        service.served_ns += u128::from(demand_ns);
        service.attempt_outcomes[Outcome::Succeeded as usize] += 1;
        recorder.attempt_ended(s.service, begun, Outcome::Succeeded);

        // One worker: virtual time starts over, and the next in the queue starts at its zero.
        s.virtual_at = now;
        s.virtual_now = 0;
        s.virtual_part = 0.0;
        s.in_system -= 1;
        s.area_in_system = s.area_in_system.wrapping_add(now);
        s.succeeded = s.succeeded.wrapping_add(1);
        let local = s.local as usize;
        let next = s.head;
        let done_at = if next == NIL {
            s.first = NIL;
            s.in_service = 0;
            s.finish_sum = 0;
            s.area_busy = s.area_busy.wrapping_add(now);
            super::agenda::NEVER
        } else {
            let waiting = &mut attempts[next];
            s.head = waiting.behind;
            s.queue_len -= 1;
            s.area_queued = s.area_queued.wrapping_add(now);
            s.queued_ns = s.queued_ns.saturating_sub(waiting.demand_ns);
            waiting.place = Place::InService;
            waiting.finish = waiting.demand_ns;
            s.finish_sum = waiting.demand_ns;
            s.first = next;
            if waiting.purpose == Purpose::Request {
                recorder.waited(s.service, waiting.begun, now - waiting.queued_at);
            }
            let done_at = s.real_time_of(waiting.finish);
            if s.head == NIL {
                s.tail = NIL;
            }
            done_at
        };
        self.agenda.set_completion(server, done_at);

        let instance = &mut self.instances[instance as usize];
        instance.connections -= 1;
        instance.in_flight[local] -= 1;
        self.attempts.vacate(index);
        self.end_call_express(call);
    }

    /// A call has succeeded.
    #[inline]
    fn end_call_express(&mut self, handle: Handle) {
        let call = &self.calls[handle];
        if !call.parent.is_none() || self.sources[source_of(call.number)].gaps.is_none() {
            return self.end_call(handle, Outcome::Succeeded);
        }
        let response_ns = self.now - call.arrived;
        let recorder = &mut self.recorder;
        if !recorder.slos.is_empty()
            || recorder.log_every != 0
            || call.arrived < recorder.measure_from
        {
            return self.end_call(handle, Outcome::Succeeded);
        }
        let counters = &mut recorder.flows[call.flow as usize];
        let bucket = bucket(response_ns);
        counters.outcomes[Outcome::Succeeded as usize] += 1;
        counters.measured[Outcome::Succeeded as usize] += 1;
        counters.recent.record(coarse(bucket));
        counters.response_time.record_at(bucket, response_ns);
        self.calls.vacate(handle.index());
    }
}
