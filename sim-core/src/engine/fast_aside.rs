//! The fast path where something happens beside the straight way: messages of callers take time, a copy may be
//! sent, patience may end.
//!
//! Here a request comes to its balancer, and its answer to the caller, by events of their own, and timers run
//! that nearly never matter. Its call is [elided](super::elided_call) all the same. What the attempt itself
//! has no room for stands beside it, where the general path keeps it too: the key of its request, when it
//! was sent to its server, until when it is patient.

use super::Simulation;
use super::attempt::{Attempt, AttemptCold, Attempts, Place};
use super::fast_path::errs;
use super::fleet::{Fast, Fleet, Waiting};
use super::instance::TrueState;
use super::slab::{Handle, Slot};
use super::source::source_of;
use super::timer_fifo::Timer;
use super::travel::{Trip, Way};
use crate::ids::{ClientId, InstanceId, ServerId, ServiceId, SourceId};
use crate::model::Hedge;
use crate::outcome::Outcome;
use crate::policy::Job;
use crate::time::{Duration, Instant};

impl Simulation {
    /// Whether something happens beside the straight way of requests to a service from outside.
    pub(super) fn has_aside(&self, service: ServiceId) -> bool {
        let callers = self.links.callers_from_outside(service);
        self.services[service].patient > 0 || { callers }.any(|client| {
            self.links.take_time(client) || self.callers[client].client.hedge.is_some()
        })
    }

    /// A source emits a request to a service where something happens aside; the source's next arrival is
    /// planned where it has one.
    pub(super) fn begin_aside(&mut self, source: SourceId, batch: usize, next: Option<u64>) {
        let now = self.now;
        let s = &mut self.sources[source];
        let number = s.number(s.count);
        let (class, key) = (s.batch.classes[batch], s.batch.keys[batch]);
        let demand_ns = s.batch.demands_ns[batch];
        s.count += 1;
        let (client, service) = (s.clients[class], s.to);
        let caller = &self.callers[client];
        let (timeout, deadline) = (caller.timeout, caller.deadline);
        let hedge = caller.client.hedge;
        let give_up_at = now.saturating_add(deadline);
        let in_place =
            deadline == u64::MAX || self.events.has_place_for_deadline(client, give_up_at);
        if !caller.fast_aside || !in_place {
            return self.begin_call(source, number, key, class, next);
        }
        let (handle, attempt) = self.attempts.slab.claim(Attempt::blank);
        attempt.begin_fast(number, class, service, InstanceId::NONE, demand_ns, now);
        (attempt.place, attempt.server) = (Place::Underway, ServerId::NONE);
        self.attempts.begin_cold(handle, key);
        self.attempts.elided += 1;
        self.calls.one_more(self.attempts.elided);
        if deadline != u64::MAX {
            self.events.set_elided_deadline(client, give_up_at, handle);
        }
        if let Some(next) = next {
            self.events.set_arrival(source, next);
        }
        let counters = self.recorder.flow_mut(service, class);
        counters.arrived += 1;
        counters.attempts += 1;
        self.services[service].attempts += 1;
        if timeout != u64::MAX {
            let at = now.saturating_add(timeout);
            self.events.set_timer(Timer::Timeout(client), at, handle);
        }
        match self.trip(handle, client, Way::ToBalancer) {
            Trip { delay_ns: 0, .. } => self.at_balancer_fast(handle),
            trip => self.travel(handle, Way::ToBalancer, trip),
        }
        if let Some(hedge) = hedge {
            self.plan_first_copy(handle, client, hedge);
        }
    }

    /// How long a message between a caller and its balancer is under way, where none is ever lost.
    fn trip(&self, handle: Handle, client: ClientId, way: Way) -> Trip {
        let number = self.attempts[handle].number;
        let streams = self.links.streams(way);
        let path = self.links.of_caller(client);
        path.map_or(Trip::NONE, |path| path.carry(streams, number, 1))
    }

    /// After the first attempt of a request: when the next is due beside it.
    fn plan_first_copy(&mut self, handle: Handle, client: ClientId, hedge: Hedge) {
        if !self.attempts.contains(handle) {
            return;
        }
        let call = self.attempts[handle].call;
        if !call.is_elided() {
            self.plan_copy(call, hedge);
        } else if hedge.copies > 1 {
            let at = self.now.saturating_add(hedge.after.0);
            (self.events).set_timer(Timer::ElidedCopy(client), at, handle);
        }
    }

    /// An attempt of an elided call reaches the balancer, and goes on to its server.
    #[expect(clippy::too_many_lines, reason = "each thing is looked up once")]
    pub(super) fn at_balancer_fast(&mut self, handle: Handle) {
        if !self.balancers.behind.is_empty() {
            self.tell_policies();
        }
        let Self {
            services,
            balancers,
            fleet: Fleet { servers, cold, .. },
            attempts:
                Attempts {
                    slab: attempts,
                    cold: beside,
                    ..
                },
            classes,
            streams,
            ..
        } = self;
        let now = self.now;
        let attempt = &mut attempts[handle];
        let (number, demand_ns) = (attempt.number, attempt.demand_ns);
        let service = &mut services[attempt.service];
        let index = service.instance_for(streams.selection, number, 1, || number);
        let instance = &mut balancers.instances[index];
        let most = service
            .max_connections
            .min(instance.heeded_from.saturating_sub(1));
        if instance.connections >= most {
            self.spell_out(handle);
            return self.at_balancer(handle);
        }
        instance.connections += 1;
        instance.attempts += 1;
        attempt.instance = index;
        let beside = &mut beside[handle.slot()];
        beside.dispatched = now;
        let truth = TrueState {
            now,
            servers,
            service,
        };
        let job = || Job {
            key: beside.key,
            priority: classes[attempt.class].priority,
            previous: None,
            demand: Duration(demand_ns),
        };
        let mut draws = streams.policy.of_attempt(number, 1);
        let Some(local) = instance.choose(&truth, None, false, job, &mut draws) else {
            self.spell_out(handle);
            return self.without_server(handle);
        };
        let server = service.servers[local];
        let s = &mut servers[server];
        let busy = s.in_service + s.holding;
        let idle = busy < s.workers;
        let is_shared = s.waiting == Waiting::Shared;
        let waiting = if is_shared {
            busy.saturating_sub(s.workers)
        } else {
            s.queue_len
        };
        let room = idle || waiting < s.queue_limit;
        let rare = match s.fast {
            Fast::No => true,
            Fast::Yes | Fast::Bare | Fast::Patient => false,
            Fast::Erring => errs(&cold[server], number, streams.faults),
        };
        let fills = service.fills(local, instance.in_flight[local] + 1);
        let ruled = || fills && !instance.health.by_checks;
        if rare || !room || s.is_heeded_at(s.in_system + 1) || ruled() {
            self.spell_out(handle);
            return self.assign(handle, local);
        }
        instance.in_flight[local] += 1;
        instance.count_sent(local);
        if fills {
            balancers.turned = Some((index, local));
        }
        if instance.observes {
            instance.tell_assigned(local);
        }
        attempt.server = server;
        attempt.mark = now;
        s.attempts = s.attempts.wrapping_add(1);
        s.enter(now);
        if service.tracks_servers() {
            balancers.server_entered(service, s, handle.slot(), now);
        }
        if idle || is_shared {
            if s.workers == 1 && !is_shared {
                self.begin_alone(handle.slot(), server);
            } else {
                self.begin_service(handle);
            }
            return;
        }
        let is_patient = s.fast == Fast::Patient;
        if s.waiting == Waiting::Fifo {
            attempt.place = Place::Queued;
            attempt.before = s.tail;
            s.begin_wait(demand_ns, now);
            s.append(attempts, handle.slot());
        } else {
            self.enqueue(handle);
        }
        if is_patient {
            self.begin_patience(handle);
        }
    }

    /// As [`Simulation::leave_fast`], where something happens aside: the answer sets out for the caller.
    #[inline(never)]
    pub(super) fn leave_aside(&mut self, server: ServerId, slot: Slot) {
        let now = self.now;
        let local = self.fleet[server].local;
        let handle = self.attempts.handle_at(slot);
        let dispatched = self.attempts.cold_at(slot).dispatched;
        let attempt = &mut self.attempts[slot];
        let index = std::mem::replace(&mut attempt.instance, InstanceId::NONE);
        (attempt.place, attempt.outcome) = (Place::Answered, Outcome::Succeeded);
        let (number, class) = (attempt.number, attempt.class);
        let service = &mut self.services[attempt.service];
        service.served_ns += u128::from(attempt.demand_ns);
        let instance = &mut self.balancers.instances[index];
        instance.connections -= 1;
        if service.fills(local, instance.in_flight[local]) {
            self.balancers.turned = Some((index, local));
        }
        instance.in_flight[local] -= 1;
        if instance.observes {
            instance.tell_succeeded(Instant(now), local, Duration(now - dispatched));
        }
        let client = self.sources[source_of(number)].clients[class];
        match self.trip(handle, client, Way::ToCaller) {
            Trip { delay_ns: 0, .. } => self.answer_fast(handle),
            trip => self.travel(handle, Way::ToCaller, trip),
        }
    }

    /// The answer of an attempt of an elided call reaches the caller.
    pub(super) fn answer_fast(&mut self, handle: Handle) {
        let &Attempt {
            number,
            begun,
            class,
            service,
            server,
            ..
        } = &self.attempts[handle];
        let last = self.fleet[server].local;
        self.services[service].attempt_outcomes[Outcome::Succeeded as usize] += 1;
        self.attempts.vacate(handle.slot());
        self.attempts.elided -= 1;
        (self.recorder).succeeded_at_once(self.now, service, number, class, begun, last);
        let source = source_of(number);
        if self.sources[source].is_closed {
            self.think(source);
        }
    }
}

impl Attempts {
    /// What is kept beside an attempt of an elided call where something happens aside.
    fn begin_cold(&mut self, handle: Handle, key: u64) {
        let work = self[handle].number;
        *self.cold_with_room(handle) = AttemptCold {
            key,
            work,
            ordinal: 1,
            ..AttemptCold::default()
        };
    }
}
