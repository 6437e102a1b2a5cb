//! The fast path: requests that meet none of the rarer features.
//!
//! Most requests of most scenarios go from a caller straight through a balancer that is up to a
//! server and back, whatever else is written there: limits, crash rules, deadlines. For them
//! [`Simulation::begin_fast`] and [`Simulation::complete_fast`] do what the general path does,
//! step for step and with the same draws and sequence numbers, but look each thing up once
//! instead of at every step. A request that meets what is written, or would be turned away, goes
//! the general path from there on. Both functions are made four times: for services where nothing of the
//! kind is written, without a look at any of it; for those where only policies are that are told; where only such and
//! guards are; and for the others.
//! A test runs scenarios with and without the fast path and demands the same digest.
//! The calls of such requests are [elided](super::elided_call), and their draws made
//! [batch](super::batched_draws).

use super::Simulation;
use super::attempt::{Attempt, Attempts, Place, Purpose};
use super::batched_draws::BATCH;
use super::event_queue::NEVER;
use super::fleet::{Fast, Fleet, Server, ServerCold, Waiting, Written};
use super::guards::FastAttempt;
use super::instance::TrueState;
use super::slab::{Handle, Slab, Slot};
use super::source::source_of;
use super::timer_fifo::Timer;
use crate::discipline::Order;
use crate::draws::Stream;
use crate::extension::Configured;
use crate::guard::GuardDef;
use crate::ids::{ClassId, InstanceId, LocalId, ServerId, ServiceId, SourceId};
use crate::machine::MachineState;
use crate::model::{Balancer, Client, Errors, ServerParams, Slowdown};
use crate::outcome::Outcome;
use crate::policy::Job;
use crate::time::{Duration, Instant};
use std::hint::select_unpredictable;

/// Whether the settings of a service ask for nothing that the fast path does not know. Here and in
/// the next three, each setting has its verdict: the compiler asks for that of a new one.
pub(super) fn service_is_plain(service: &crate::model::Service) -> bool {
    let crate::model::Service {
        name: _,
        // Drawn ahead, or when a request arrives.
        demand: _,
        // What lies on the way is known by its effect: links may be cut while time runs.
        link: _,
        zones: _,
        balancer,
        servers: _,
        calls,
        // Adds servers and takes them away as the time line does.
        autoscaler: _,
        provisioning: _,
        // Counted where every attempt is spelled out.
        numbers,
    } = service;
    balancer_is_plain(balancer) && calls.is_empty() && !numbers
}

/// As [`service_is_plain`], for a balancer: nothing happens there but the choice of a server.
fn balancer_is_plain(balancer: &Balancer) -> bool {
    let Balancer {
        // All that it does is said by the rest.
        dialect: _,
        // Is told of attempts and of servers on either path.
        policy: _,
        // Which of them are active changes while time runs.
        instances: _,
        standby: _,
        instance_selection: _,
        // Asked of the links: it matters where callers keep connections.
        balances: _,
        // What is reported is shown on either path.
        load_reports: _,
        // Bounds who is eligible, on either path.
        subset: _,
        // A matter of the policy, which is asked on either path.
        by_zone: _,
        // One that would be turned away takes the general path.
        max_connections: _,
        cost,
        // Bounds those that wait because of `cost`.
        queue_limit: _,
        // One that has to wait takes the general path, and so does whoever leaves while one waits.
        pending_queue: _,
        // Only for policies that see full servers, which do without this path.
        full_connections: _,
        // Asked on either path, but for those that want to know more than it has at hand.
        guards,
        // Where they have a say, the general path is taken.
        memory: _,
        crash: _,
        // An instance that is not up is not on the fast path.
        down_behaviour: _,
        restart: _,
        boot: _,
        // Says which servers are eligible, and their weights. A rule that watches attempts, or
        // splits them between priorities, is the instance's own and asked for below.
        health: _,
        // Asked of the links themselves.
        link: _,
        routes,
        // An attempt is then more than one at the servers.
        client,
    } = balancer;
    cost.is_zero() && routes.is_empty() && client.is_none() && are_plain(guards)
}

/// As [`service_is_plain`], for a server: what is in service is done by it alone, and what waits stays.
pub(super) fn server_is_plain(params: &ServerParams) -> bool {
    let ServerParams {
        // Numbers that both paths look at.
        weight: _,
        speed: _,
        workers: _,
        queue_limit: _,
        discipline,
        // A timer beside those that wait.
        patience: _,
        // One with broken workers is not on the fast path.
        breakdowns: _,
        // A change of speed finds those in service on either path.
        slowdown: Slowdown {
            contention: _,
            coherence: _,
        },
        // Only for policies that see full servers, which do without this path.
        min_connections: _,
        // Where they have a say, the general path is taken.
        memory: _,
        crash: _,
        // Drawn on either path; one that will fail takes the general one.
        errors: Errors { rate: _, demand: _ },
        // As for the balancer's.
        guards,
        // A server that is not up is not on the fast path.
        crash_keeps_queue: _,
        down_behaviour: _,
        restart: _,
        boot: _,
        warm_up: _,
        // Says whether it is eligible.
        priority: _,
        // One that takes the last place has it judged once its event is done.
        max_connections: _,
        // Only where attempts wait at the balancer, which is the general path.
        max_pending: _,
        // As for the balancer's.
        health: _,
        // Probes take the general path, beside requests on this one.
        liveness: _,
        // As for the service's.
        link: _,
        // Its pace depends on others.
        host,
    } = params;
    let order_is_plain = !matches!(discipline.order(), Order::Preemptive(_));
    order_is_plain && host.is_none() && are_plain(guards)
}

/// Whether guards make do with what the fast path tells them.
fn are_plain(guards: &[Configured<GuardDef>]) -> bool {
    guards.iter().all(Configured::<GuardDef>::is_plain)
}

/// As [`service_is_plain`], for a caller: one attempt at a time, and no account of them.
pub(super) fn client_is_plain(client: &Client) -> bool {
    let Client {
        // Timers beside the attempt.
        timeout: _,
        deadline: _,
        // By then the call is written down.
        retry: _,
        cancel: _,
        // As for the balancer's.
        guards,
        hedge,
    } = client;
    hedge.is_none() && are_plain(guards)
}

impl Server {
    /// Links an attempt to the end of the queue.
    #[inline]
    pub(super) fn append(&mut self, attempts: &mut Slab<Attempt>, slot: Slot) {
        // Whether the queue is empty is a coin toss: both cases take the same steps.
        let tail = std::mem::replace(&mut self.tail, slot);
        let empty = tail == Slot::NONE;
        self.head = select_unpredictable(empty, slot, self.head);
        attempts[select_unpredictable(empty, slot, tail)].behind =
            select_unpredictable(empty, Slot::NONE, slot);
    }
}

/// Whether the first attempt of a request will fail at a server.
#[inline(never)]
pub(super) fn errs(cold: &ServerCold, number: u64, faults: Stream) -> bool {
    faults.of_attempt(number, 1).chance(cold.error_rate)
}

impl Attempt {
    /// Overwrites what is left of another, but for place and server, with the only attempt of a
    /// request.
    #[inline]
    pub(super) fn begin_fast(
        &mut self,
        number: u64,
        class: ClassId,
        service: ServiceId,
        instance: InstanceId,
        demand_ns: u64,
        now: u64,
    ) {
        self.number = number;
        self.begun = now;
        self.demand_ns = demand_ns;
        self.mark = now;
        self.call = Handle::ELIDED;
        self.behind = Slot::NONE;
        self.instance = instance;
        self.class = class;
        self.service = service;
        self.fails = false;
        self.purpose = Purpose::Request;
    }
}

impl Simulation {
    /// Works out anew whether the fast path may serve a service and each of its servers, after a change
    /// of settings.
    pub(super) fn refresh_fast_path(&mut self, service: ServiceId) {
        self.progress.look_at(self.services[service].servers.len());
        for local in self.services[service].servers.ids() {
            self.refresh_if_fast(self.services[service].servers[local]);
        }
        self.refresh_fast_service(service);
    }

    /// The same after a change of one server.
    pub(super) fn refresh_fast_server(&mut self, server: ServerId) {
        self.refresh_if_fast(server);
        self.refresh_fast_service(self.fleet[server].service);
    }

    /// The same after a change that concerns no server, such as that of an instance's state.
    pub(super) fn refresh_fast_service(&mut self, service: ServiceId) {
        let s = &self.services[service];
        let ready = |index: &InstanceId| {
            let instance = &self.balancers[*index];
            instance.state == MachineState::Up
                && !(instance.sees_full && s.limited)
                && !instance.health.watches
                && instance.health.split.is_empty()
        };
        let aside = self.has_aside(service);
        let fast = self.fast
            && s.plain
            && self.links.are_safe(service)
            && s.active.iter().all(ready)
            && (s.active.len() == 1 || !self.guards.any_at_balancer(service))
            && !(aside && self.guards.any);
        let first = self.balancers.of(service).next();
        self.guards.fast_owner[service] = s.active[0].0 - first.map_or(0, |first| first.0);
        let s = &self.services[service];
        let told =
            s.tracks_servers() || s.active.iter().any(|index| self.balancers[*index].observes);
        let written = match fast && !aside && self.may_be_bare(service) {
            true if self.guards.any => Written::Guards,
            true if told => Written::Told,
            true => Written::Nothing,
            false => Written::More,
        };
        let turns_away = self.may_turn_away(service);
        let s = &self.services[service];
        if s.fast && (!fast || s.aside != aside) {
            self.spell_out_all(|attempt| attempt.service == service);
        }
        let s = &mut self.services[service];
        (s.fast, s.aside, s.told, s.written) = (fast, aside, told, written);
        s.turns_away = turns_away;
        for source in &mut self.sources {
            if source.to == service {
                source.serve_fast(fast, aside, written);
            }
        }
    }

    /// The same of all services, after a change of callers.
    pub(super) fn refresh_fast_services(&mut self) {
        for service in self.services.ids() {
            self.refresh_fast_service(service);
        }
    }

    /// Whether nothing but guards is written at a service that the fast path has to look at.
    fn may_be_bare(&self, service: ServiceId) -> bool {
        let s = &self.services[service];
        let balancer = &s.settings.balancer;
        let instance = &self.balancers[s.active[0]];
        let any_closed = || {
            let mut sources = self.sources.iter();
            sources.any(|source| source.to == service && source.is_closed)
        };
        s.not_bare == 0
            && s.active.len() == 1
            && s.max_connections == u32::MAX
            && !s.may_wait
            && !s.limited
            && balancer.crash.is_empty()
            && balancer.memory.is_none()
            && balancer.load_reports.is_none()
            && instance.board.is_none()
            && !any_closed()
    }

    /// Works out anew whether the fast path may serve a server.
    fn refresh_if_fast(&mut self, server: ServerId) {
        let cold = &self.fleet.cold[server];
        let (plain, errs) = (cold.plain && cold.broken == 0, cold.error_rate > 0.0);
        let never_heeded =
            cold.params.crash.is_empty() && cold.params.memory.is_none() && !cold.leaving;
        let patient = cold.patience.is_some();
        let s = &mut self.fleet[server];
        let served = s.state == MachineState::Up && s.waiting != Waiting::Preemptive;
        let bare = never_heeded && s.waiting == Waiting::Fifo;
        let fast = match (self.fast && plain && served, errs, patient) {
            (false, ..) | (true, true, true) => Fast::No,
            (true, false, false) if bare => Fast::Bare,
            (true, false, false) => Fast::Yes,
            (true, true, false) => Fast::Erring,
            (true, false, true) => Fast::Patient,
        };
        let before = std::mem::replace(&mut s.fast, fast);
        let not_bare = &mut self.services[s.service].not_bare;
        *not_bare = *not_bare + u32::from(fast != Fast::Bare) - u32::from(before != Fast::Bare);
        if before != Fast::No && fast == Fast::No {
            self.spell_out_server(server);
        }
    }

    /// Does without the fast path from now on: for the test that it changes nothing.
    #[must_use]
    pub fn without_fast_path(mut self) -> Self {
        self.fast = false;
        for service in self.services.ids() {
            self.refresh_fast_path(service);
        }
        self
    }

    /// An open source emits a request to a service on the fast path. `BARE`: nothing is written there but
    /// policies that are told, and guards; `TOLD`, `GUARDED`: there may be some of these.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    pub(super) fn arrive_fast<const BARE: bool, const TOLD: bool, const GUARDED: bool>(
        &mut self,
        source: SourceId,
    ) {
        let batch = self.place_in_batch(source);
        let next = self.next_paced(source, batch);
        self.begin_fast::<BARE, TOLD, GUARDED>(source, batch, Some(next));
    }

    /// When the next request of an open source comes.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    fn next_paced(&mut self, source: SourceId, batch: usize) -> u64 {
        let now = self.now;
        let s = &mut self.sources[source];
        s.from = now;
        s.gap = s.batch.gaps[batch + 1];
        if s.rate.is_constant() {
            now.saturating_add(s.batch.gaps_ns[batch + 1])
        } else {
            s.next_arrival().unwrap_or(NEVER)
        }
    }

    /// The same for a trace, for a user of a closed source who has thought, and for any source whose requests
    /// meet something aside.
    pub(super) fn arrive_fast_apart(&mut self, source: SourceId) {
        if !self.balancers.behind.is_empty() {
            self.tell_policies();
        }
        let batch = self.place_in_batch(source);
        let s = &mut self.sources[source];
        let next = if s.gaps.is_some() {
            Some(self.next_paced(source, batch))
        } else if s.is_closed {
            None
        } else {
            let recorded = s.next_recorded();
            Some(recorded.map_or(NEVER, |at| at.max(self.now)))
        };
        if self.services[self.sources[source].to].aside {
            self.begin_aside(source, batch, next);
        } else {
            self.begin_fast::<false, true, true>(source, batch, next);
        }
    }

    /// Where in the batch the draws of a source's next request are.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    fn place_in_batch(&mut self, source: SourceId) -> usize {
        let s = &self.sources[source];
        let place = s.count.wrapping_sub(s.batch.first_demand);
        if place >= BATCH as u64 {
            self.draw_batch(source);
            return 0;
        }
        place as usize
    }

    /// An open source emits a request that the fast path cannot serve, with draws made ahead all the
    /// same.
    pub(super) fn arrive_drawn(&mut self, source: SourceId) {
        let s = &self.sources[source];
        let mut batch = s.count.wrapping_sub(s.batch.first);
        if batch >= BATCH as u64 {
            self.draw_all_but_demands(source);
            batch = 0;
        }
        let next = self.next_paced(source, batch as usize);
        let s = &mut self.sources[source];
        let number = s.number(s.count);
        s.count += 1;
        let (class, key) = (
            s.batch.classes[batch as usize],
            s.batch.keys[batch as usize],
        );
        self.begin_call(source, number, key, class, Some(next));
    }

    /// A request begins, and the source's next arrival is planned where it has one.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    #[expect(clippy::too_many_lines, reason = "each thing is looked up once")]
    fn begin_fast<const BARE: bool, const TOLD: bool, const GUARDED: bool>(
        &mut self,
        source: SourceId,
        batch: usize,
        next: Option<u64>,
    ) {
        let Self {
            sources,
            callers,
            services,
            calls,
            balancers,
            fleet: Fleet { servers, cold, .. },
            attempts:
                Attempts {
                    slab: attempts,
                    elided,
                    ..
                },
            classes,
            recorder,
            events,
            guards,
            streams,
            ..
        } = self;
        let now = self.now;
        let s = &mut sources[source];
        let number = s.number(s.count);
        let class = s.batch.classes[batch];
        let key = s.batch.keys[batch];
        let demand_ns = s.batch.demands_ns[batch];
        let client = s.clients[class];
        let caller = &callers[client];
        if BARE && !caller.bare {
            return self.begin_fast_apart(source, batch, next);
        }
        s.count += 1;
        let service_id = s.to;
        let service = &mut services[service_id];
        let index = if BARE {
            service.active[0]
        } else {
            service.instance_for(streams.selection, number, 1, || number)
        };
        let instance = &mut balancers.instances[index];
        let give_up_at = now.saturating_add(caller.deadline);
        let has_deadline = !BARE && caller.deadline != u64::MAX;
        if !BARE {
            let most = (service.max_connections).min(instance.heeded_from.saturating_sub(1));
            if !caller.fast
                || instance.connections >= most
                || !instance.offers.any_open()
                || has_deadline && !events.has_place_for_deadline(client, give_up_at)
            {
                return self.begin_call(source, number, key, class, next);
            }
        }
        let (handle, attempt) = attempts.claim(Attempt::blank);
        if has_deadline {
            events.set_elided_deadline(client, give_up_at, handle);
        }
        if let Some(next) = next {
            events.set_arrival(source, next);
        }

        let counters = recorder.flow_mut(service_id, class);
        counters.arrived += 1;
        counters.attempts += 1;
        service.attempts += 1;
        let who = FastAttempt {
            number,
            begun: now,
            timeout: caller.waits,
        };
        let guarded = GUARDED && guards.any;
        let stopped = if guarded {
            guards.pass_fast(client, service_id, who)
        } else {
            None
        };
        instance.connections += 1;
        instance.attempts += 1;
        attempt.begin_fast(number, class, service_id, index, demand_ns, now);
        *elided += 1;
        calls.one_more(*elided);
        if caller.timeout != u64::MAX {
            let at = now.saturating_add(caller.timeout);
            events.set_timer(Timer::Timeout(client), at, handle);
        }
        if let Some(stopped) = stopped {
            return self.stop_fast(handle, &stopped);
        }

        let truth = TrueState {
            now,
            servers,
            service,
        };
        let job = || Job {
            key,
            priority: classes[class].priority,
            previous: None,
            demand: Duration(demand_ns),
        };
        let mut draws = streams.policy.of_attempt(number, 1);
        let Some(local) = instance.choose(&truth, None, false, job, &mut draws) else {
            return self.send_spelled_out(handle, None);
        };
        let server = service.servers[local];
        let s = &mut servers[server];
        let busy = s.in_service + s.holding;
        let idle = busy < s.workers;
        let is_shared = !BARE && s.waiting == Waiting::Shared;
        let waiting = if is_shared {
            busy.saturating_sub(s.workers)
        } else {
            s.queue_len
        };
        let room = idle || waiting < s.queue_limit;
        let errs = || match s.fast {
            // Patience is something aside, which is not here.
            Fast::No | Fast::Patient => true,
            Fast::Erring => errs(&cold[server], number, streams.faults),
            Fast::Yes | Fast::Bare => false,
        };
        let fills = !BARE && service.fills(local, instance.in_flight[local] + 1);
        let ruled = || fills && !instance.health.by_checks;
        let rare = !BARE && (errs() || s.is_heeded_at(s.in_system + 1) || ruled());
        if rare || !room {
            return self.send_spelled_out(handle, Some(local));
        }
        instance.in_flight[local] += 1;
        instance.count_sent(local);
        if fills {
            balancers.turned = Some((index, local));
        }
        if TOLD && service.told && instance.observes {
            instance.tell_assigned(local);
        }
        attempt.server = server;
        s.attempts = s.attempts.wrapping_add(1);
        s.enter(now);
        if TOLD && service.told && service.tracks_servers() {
            balancers.server_entered(service, s, handle.slot(), now);
        }
        if guarded && let Some(stopped) = guards.pass_fast_server(server, who) {
            return self.stop_fast(handle, &stopped);
        }
        if idle || is_shared {
            attempt.place = Place::Underway;
            if s.workers == 1 && !is_shared {
                self.begin_alone(handle.slot(), server);
            } else {
                self.begin_service_apart(handle);
            }
            return;
        }
        if !BARE && s.waiting != Waiting::Fifo {
            return self.enqueue(handle);
        }
        attempt.place = Place::Queued;
        attempt.before = s.tail;
        s.begin_wait(demand_ns, now);
        s.append(attempts, handle.slot());
    }

    /// As [`Simulation::begin_fast`] for a caller whose rules ask for more than the bare one.
    #[inline(never)]
    fn begin_fast_apart(&mut self, source: SourceId, batch: usize, next: Option<u64>) {
        self.begin_fast::<false, true, true>(source, batch, next);
    }

    /// As [`Simulation::arrive`], once source and draws are done with: for callers whose rules the
    /// fast path does not know, and where nobody is let in.
    #[inline(never)]
    pub(super) fn begin_call(
        &mut self,
        source: SourceId,
        number: u64,
        key: u64,
        class: ClassId,
        next: Option<u64>,
    ) {
        let call = self.call_from_outside(source, number, key, class);
        let call = self.new_call(call);
        // After the deadline: at one instant, what was planned first happens first.
        if let Some(next) = next {
            self.events.set_arrival(source, next);
        }
        self.begin_try(call);
        self.drain_pending_queues();
    }

    /// The general path takes over an attempt for which a server was chosen or not.
    #[cold]
    #[inline(never)]
    fn send_spelled_out(&mut self, handle: Handle, choice: Option<LocalId>) {
        let attempt = &mut self.attempts[handle];
        (attempt.place, attempt.server) = (Place::Underway, ServerId::NONE);
        self.spell_out(handle);
        match choice {
            Some(local) => self.assign(handle, local),
            None => self.without_server(handle),
        }
        self.drain_pending_queues();
    }

    /// The general path takes over an attempt that is done, and with which something comes to an end.
    #[cold]
    #[inline(never)]
    fn complete_spelled_out(&mut self, slot: Slot, server: ServerId) {
        self.spell_out(self.attempts.handle_at(slot));
        self.complete_apart(server);
    }

    /// As [`Simulation::begin_service`], kept out of the loop, where it would take up registers.
    #[inline(never)]
    fn begin_service_apart(&mut self, handle: Handle) {
        self.begin_service(handle);
    }

    /// As [`Simulation::begin_service`] where the only worker of a server is idle, kept out of the loop.
    #[inline(never)]
    pub(super) fn begin_alone(&mut self, slot: Slot, server: ServerId) {
        let s = &mut self.fleet[server];
        s.area_busy = s.area_busy.wrapping_sub(self.now);
        self.take_only_worker(slot, server);
    }

    /// The next of a ranked or random order gets the only worker of a server, kept out of the loop.
    #[inline(never)]
    fn pass_only_worker_on(&mut self, server: ServerId) {
        let next = self.dequeue(server).expect("somebody waits");
        self.take_only_worker(next, server);
    }

    /// A request gets the only worker of a server, who has nothing else to do.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    fn take_only_worker(&mut self, slot: Slot, server: ServerId) {
        let Self {
            fleet: Fleet { servers, .. },
            attempts,
            recorder,
            events,
            now,
            ..
        } = self;
        let s = &mut servers[server];
        let attempt = &mut attempts[slot];
        let demand_ns = attempt.demand_ns;
        // One that was interrupted has waited before.
        let waited = attempt.purpose.is_request() && attempt.place != Place::Interrupted;
        let wait_ns = now.wrapping_sub(attempt.mark);
        if waited {
            recorder.waited(s.service, attempt.class, attempt.begun, wait_ns);
        }
        attempt.place = Place::InService;
        attempt.mark = demand_ns;
        s.start_over(*now);
        s.in_service = 1;
        s.finish_sum = demand_ns;
        s.first = slot;
        events.set_completion(server, s.real_time_of(demand_ns));
        if waited && recorder.logs() {
            self.log_served(slot, wait_ns);
        }
    }

    /// A server on the fast path finishes the request that was to finish first.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    pub(super) fn complete_fast<const BARE: bool, const TOLD: bool, const GUARDED: bool>(
        &mut self,
        server: ServerId,
    ) {
        let Self {
            fleet: Fleet { servers, .. },
            attempts,
            balancers,
            services,
            events,
            guards,
            sources,
            callers,
            ..
        } = self;
        let now = self.now;
        let s = &mut servers[server];
        let slot = s.first;
        if !attempts[slot].call.is_elided() {
            return self.complete_apart(server);
        }
        if !BARE {
            let instance = &balancers[attempts[slot].instance];
            let service = &services[s.service];
            if s.heeded_from == 0
                || instance.heeded_from == 0
                || service.may_wait && !instance.pending.is_empty()
                || service.fills(s.local, instance.in_flight[s.local]) && !instance.health.by_checks
            {
                return self.complete_spelled_out(slot, server);
            }
        }
        let linked = BARE || s.waiting.is_linked() || s.queue_len == 0;
        let guarded = GUARDED && guards.any;
        let mut begins = linked || !guarded;
        if guarded && begins && s.head != Slot::NONE && guards.asked_again(server) {
            let next = &attempts[s.head];
            begins = next.call.is_elided() && {
                let client = sources[source_of(next.number)].clients[next.class];
                let who = FastAttempt {
                    number: next.number,
                    begun: next.begun,
                    timeout: callers[client].waits,
                };
                guards.would_let_begin(server, who, now)
            };
        }
        let next = s.head;
        if !begins || s.workers != 1 || s.in_service != 1 {
            self.pass_worker_on(server);
        } else if !linked {
            self.pass_only_worker_on(server);
        } else if next == Slot::NONE {
            s.first = Slot::NONE;
            s.in_service = 0;
            s.finish_sum = 0;
            s.start_over(now);
            s.area_busy = s.area_busy.wrapping_add(now);
            events.clear_completion(server);
        } else {
            let waiting = &attempts[next];
            s.head = waiting.behind;
            s.tail = select_unpredictable(s.head == Slot::NONE, Slot::NONE, s.tail);
            s.end_wait(waiting.demand_ns, now);
            self.take_only_worker(next, server);
        }
        self.leave_fast::<BARE, TOLD, GUARDED>(server, slot);
    }

    /// A request whose service is done, and its attempt with it, leaves server and balancer; its
    /// answer is there at once.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    fn leave_fast<const BARE: bool, const TOLD: bool, const GUARDED: bool>(
        &mut self,
        server: ServerId,
        slot: Slot,
    ) {
        let now = self.now;
        let attempt = &self.attempts[slot];
        let (number, begun, class) = (attempt.number, attempt.begun, attempt.class);
        let s = &mut self.fleet[server];
        s.leave(now);
        s.succeeded = s.succeeded.wrapping_add(1);
        let (local, service_id) = (s.local, s.service);
        let told = TOLD && self.services[service_id].told;
        if told && self.services[service_id].tracks_servers() {
            self.server_left(server);
            self.note_latency(server, slot);
        }
        if !BARE && self.services[service_id].aside {
            return self.leave_aside(server, slot);
        }
        let attempt = &self.attempts[slot];
        let service = &mut self.services[service_id];
        service.served_ns += u128::from(attempt.demand_ns);
        service.attempt_outcomes[Outcome::Succeeded as usize] += 1;
        let index = attempt.instance;
        let instance = &mut self.balancers.instances[index];
        instance.connections -= 1;
        if !BARE && service.fills(local, instance.in_flight[local]) {
            self.balancers.turned = Some((index, local));
        }
        instance.in_flight[local] -= 1;
        if told && instance.observes {
            instance.tell_succeeded(Instant(now), local, Duration(now - begun));
        }
        if GUARDED && self.guards.any {
            let client = || self.sources[source_of(number)].clients[class];
            (self.guards).leave_fast(client, service_id, server, begun, now);
        }
        self.attempts.vacate(slot);
        self.attempts.elided -= 1;

        (self.recorder).succeeded_at_once(now, service_id, number, class, begun, local);
        let source = source_of(number);
        if !BARE && self.sources[source].is_closed {
            self.think(source);
        }
    }

    /// The finished request leaves its worker, the next takes it: for servers with several.
    #[inline(never)]
    fn pass_worker_on(&mut self, server: ServerId) {
        let (_, busy) = self.unload_finished(server);
        self.workers_freed(server, busy);
    }
}
