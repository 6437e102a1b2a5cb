//! The engine: a model, run event by event.
//!
//! [`Simulation`] holds the whole state of a run and is `Clone`: a fork is a clone that is then
//! treated differently. It advances by one event, until a time, or by a number of events; the way
//! it is driven never changes what happens.
//!
//! # Parts
//!
//! A simulation is made of parts. Each is a struct in the file that it concerns, makes itself from
//! the model, and does by itself what needs nothing else. What needs several is a handler: a method
//! of `Simulation` in the file of what it is about.
//!
//! | part | file | what it owns |
//! |---|---|---|
//! | `progress` | `progress` | events so far, digest, limits, why the run is over |
//! | `events` | `event_queue` with `tournament`, `timer_fifo`, `near`, `wheel`, `heap` | what is to happen |
//! | `calls`, `attempts` | `attempt` with `slab`; `hedge`, `tried`, `visit` for what is kept beside calls | requests in flight: millions come and go |
//! | `sources` | `source` with `session` | when requests come, and what they are |
//! | `callers` | `caller` | rules of callers: timeouts, retries, budgets |
//! | `services` | `service` | settings, samplers and counters of services |
//! | `balancers` | `instance` with `eligible`, `health` | balancer instances and what each has seen of its servers |
//! | `fleet` | `fleet` with `host`, `in_service` | servers, and the cores that they share |
//! | `faults` | `fault` | what is wrong with servers and links now |
//! | `links` | `link` | what lies between machines |
//! | `pools` | `pool`, and below it `connect` and `close` | connections that are kept, and who waits for one |
//! | `probes` | `probe` | probes of health rules, and liveness; `reconnect` for connections that they hold |
//! | `scalers` | `scaling` | autoscalers, and servers on their way |
//! | `caches` | `cache` | what servers need not ask for again |
//! | `rollouts` | `rollout` | deployments under way |
//! | `streams` | `streams` | random numbers, a stream for each concern |
//! | `monitoring` | `monitoring` | what was scraped, and what rules made of it |
//! | `reconcile` | `reconcile` | settings as planned, beside settings as they are |
//! | `response` | `response` | people on call, and what they are doing |
//! | `recorder`, `records` | [`crate::record`], `recording` | what is told; asked by the monitoring alone |
//!
//! Things are known by number, each kind by a type of its own ([`crate::ids`]).
//!
//! # The life of a request
//!
//! | where it is | function | then |
//! |---|---|---|
//! | source | `caller::arrive` → `new_request` → `new_call` | a call exists, its deadline runs |
//! | caller | `hedge::begin_try` → `caller::begin_attempt` | an attempt exists, its demand is drawn, its timeout runs |
//! | door | `door::ends_at_the_door`, where nothing is told of those who do not get in | `try_again` at once |
//! | connection | `pool::connect`, where the link keeps any | it has one, or waits in line for `serve_lines` |
//! | link | `travel::send_to_balancer` → `leave_caller` | `Event::AtBalancer` |
//! | balancer | `balancer::at_balancer` | an instance takes the connection, or turns it away |
//! | balancer | `Event::Dispatched` → `balancer::dispatch` | its own work is done |
//! | policy | `balancer::pick`, for copies and retries with `tried::keep_apart` | a server, or `without_server`: the pending queue |
//! | other services | `route::take_route`, where a route of the balancer takes it | a call of the instance; `route_returned` |
//! | link | `balancer::assign` → `travel::send_to_server`, `pool::connect`, `leave_balancer` | `Event::AtServer` |
//! | server | `travel::reach_server` → `server::at_server` | it is in the server's books |
//! | queue | `server::seek_worker` → `queue::enqueue` | or straight to a worker |
//! | worker | `server::begin_service` → `load` | `Event::Completion` is planned |
//! | worker | `server::complete` → `workers_freed` | the next in the queue gets the worker |
//! | other services | `visit::begin_visit`, `served` | before and after its own work, calls of the server |
//! | server | `server::finish_at_server` → `caller::reply` | the answer is on its way: `Event::Returned` |
//! | balancer | `caller::pass_on` → `balancer::release` → `travel::send_to_caller` | the balancer's books are closed: `Event::Answer` |
//! | caller | `caller::answer` → `end_call`, or `try_again` | the call is over, or goes on with `begin_try` |
//!
//! Whatever else can happen joins this path: `caller::give_up` (timeouts), `patience::impatient`,
//! `preempt`, `breakdown`, `machine::crash`, `watch::crash_due`; and all ways out end in `reply` or
//! `abandon`.
//!
//! Most requests meet nothing of the kind. For them `fast_path::begin_fast` and `complete_fast` do
//! all of the above at once, with `elided_call` and `batched_draws`; where messages take time, copies may be
//! sent or patience may end, `fast_aside` does it in pieces.
//!
//! Beside the path: `board` and `idle` are what servers report, `machine` and `watch` how machines
//! crash and come back, `timeline` what people do, `snapshot` and `sample` what others may see.

mod attempt;
mod balancer;
mod batched_draws;
mod board;
mod branch;
mod breakdown;
mod cache;
mod caller;
mod door;
mod elided_call;
mod eligible;
mod event;
mod event_queue;
mod fast_aside;
mod fast_path;
mod fault;
mod fleet;
mod guards;
mod health;
mod heap;
mod hedge;
mod host;
mod idle;
mod in_service;
mod incarnation;
mod instance;
mod latencies;
mod lines;
mod link;
mod machine;
mod memory;
mod monitoring;
mod near;
mod numbers;
mod patience;
mod pool;
mod preempt;
mod probe;
mod progress;
mod queue;
mod reconcile;
mod reconnect;
mod recording;
mod residents;
mod response;
mod rollout;
mod route;
mod sample;
mod scaling;
mod server;
mod service;
mod session;
mod setup;
mod slab;
mod snapshot;
mod source;
mod standing;
mod streams;
mod subset;
mod timeline;
mod timer_fifo;
mod tournament;
mod travel;
mod tried;

mod visit;
mod watch;
mod wheel;

pub use crate::machine::MachineState;
pub use branch::Gauged;
pub use event::{Event, Machine};
pub use guards::GuardFigures;
pub use link::LinkSnapshot;
pub use memory::MemoryUse;
pub use monitoring::{Firing, Look};
pub use pool::PoolFigures;
pub use progress::End;
pub use sample::{AttemptSnapshot, Whereabouts};
pub use session::SessionFigures;
pub use slab::Handle;
pub(crate) use snapshot::ServerFigures;
pub use snapshot::{
    Conservation, InstanceSnapshot, InstanceTotals, RuleNow, ServerSnapshot, Snapshot,
};
pub use standing::{CallStanding, ServerStanding, ServiceStanding, SourceStanding, Standing};

use crate::distribution::Distribution;
use crate::ids::{ClassId, ClientId, ServerId, ServiceId, SourceId, Table};
use crate::model::{Actor, Afflicted, Class, Model};
use crate::record::Recorder;
use crate::time::Instant;
use attempt::Place;
use event_queue::{Clock, EventQueue, Next};
use fleet::{Fast, Written};
use std::sync::Arc;

/// So many events take at most some milliseconds, even where each has a policy look at 100 000 servers.
const SOME: u64 = 32;

/// A run of a model.
#[derive(Clone)]
pub struct Simulation {
    model: Arc<Model>,
    replication: u64,
    now: u64,
    progress: progress::Progress,
    events: EventQueue,
    calls: attempt::Calls,
    attempts: attempt::Attempts,
    sources: Table<SourceId, source::Source>,
    /// Visitors of sessions who think: each is an event to come.
    thinking: usize,
    callers: Table<ClientId, caller::Caller>,
    classes: Table<ClassId, Class>,
    /// What requests of classes with a law of their own demand.
    own_demands: Table<ClassId, Option<Arc<dyn Distribution>>>,
    services: Table<ServiceId, service::Service>,
    balancers: instance::Balancers,
    fleet: fleet::Fleet,
    residents: residents::Residents,
    faults: fault::Faults,
    links: link::Links,
    pools: pool::Pools,
    probes: probe::Probes,
    scalers: scaling::Scalers,
    rollouts: Vec<rollout::Rolling>,
    caches: cache::Caches,
    guards: guards::Guards,
    streams: streams::Streams,
    monitoring: Option<Box<monitoring::Monitoring>>,
    reconcile: Option<Box<reconcile::Reconcile>>,
    response: Option<Box<response::Response>>,
    recorder: Recorder,
    records: recording::Records,
    /// Whether the fast path is in use.
    fast: bool,
    /// The next entry of the time line.
    next_entry: u32,
    /// Of a clone that went a way of its own, which: see `branch`.
    branch: u64,
}

impl Simulation {
    /// Now.
    pub fn now(&self) -> Instant {
        Instant(self.now)
    }

    /// The model as it was at the start.
    pub fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// The replication's number.
    pub fn replication(&self) -> u64 {
        self.replication
    }

    /// Why the run is over; `None` while it goes on.
    pub fn end(&self) -> Option<End> {
        self.progress.end
    }

    /// Why it ended before its horizon, as a sentence; `None` where it did not.
    pub fn early_end(&self) -> Option<String> {
        match (self.progress.end?, &self.progress.failed) {
            (End::PolicyFailed, Some(why)) => Some(format!("the run ended early: {why}")),
            (end, _) => end.warning().map(str::to_owned),
        }
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.progress.events
    }

    /// What was recorded so far.
    pub fn recorder(&self) -> &Recorder {
        &self.recorder
    }

    /// What was recorded so far, for those who take the request log out of it.
    pub fn recorder_mut(&mut self) -> &mut Recorder {
        &mut self.recorder
    }

    /// A hash of the sequence of events so far: time, kind and subject of each. Equal digests mean
    /// equal runs.
    pub fn digest(&self) -> u64 {
        self.progress.digest()
    }

    /// Does the next event; where there is none before the horizon, the run is over.
    pub fn step(&mut self) -> Option<Event> {
        let event = self.step_until_again(self.model.horizon.0);
        if event.is_none() && self.progress.end.is_none() {
            self.reach_horizon();
        }
        event
    }

    /// Runs to the end of the run.
    pub fn run(&mut self) {
        self.run_until(Instant(self.model.horizon.0));
    }

    /// Does everything up to and including `until`, or up to the end of the run.
    pub fn run_until(&mut self, until: Instant) {
        let until = until.0.min(self.model.horizon.0);
        while self.run_some(until) {}
        if self.progress.end.is_none() {
            // Time never goes back, whatever is asked.
            self.now = self.now.max(until);
            if until == self.model.horizon.0 {
                self.reach_horizon();
            }
        }
    }

    /// Does at most `budget` events; true while the run goes on.
    pub fn run_events(&mut self, budget: u64) -> bool {
        for _ in 0..budget {
            if self.step_until_again(self.model.horizon.0).is_none() {
                // Ends the run, unless it is over already.
                self.step();
                return false;
            }
        }
        true
    }

    /// Does everything up to and including `until`, or up to the end of the run, while `go_on` says so.
    /// That is asked every few events, sooner where these are dear, so that nobody waits long for what it
    /// says; when it is asked changes nothing of what happens. True: it said no, and the rest is still to
    /// be done.
    pub fn run_while(&mut self, until: Instant, mut go_on: impl FnMut() -> bool) -> bool {
        let horizon = until.0.min(self.model.horizon.0);
        while self.run_some(horizon) {
            if !go_on() {
                return true;
            }
        }
        self.run_until(until);
        false
    }

    /// Does some events, as many as go unnoticed; false when none is left. The loop of a run: here alone
    /// a step and all of the fast path are one piece.
    #[inline(never)]
    fn run_some(&mut self, until: u64) -> bool {
        let extra = self.progress.extra + SOME * progress::LOOKS_OF_AN_EVENT;
        for _ in 0..SOME {
            if self.step_until(until).is_none() {
                return false;
            }
            if self.progress.extra >= extra {
                break;
            }
        }
        true
    }

    /// Ends the run here and now, as at its horizon: its last interval is recorded as far as it came.
    pub fn end_here(&mut self) {
        if self.progress.end.is_none() {
            self.finish(End::Interrupted);
            self.close_books();
        }
    }

    fn reach_horizon(&mut self) {
        self.now = self.model.horizon.0;
        for instance in self.balancers.instances.ids() {
            self.look_for_failure(instance);
        }
        // Nothing may have followed what failed.
        let end = match self.progress.failed {
            Some(_) => End::PolicyFailed,
            None => End::Horizon,
        };
        self.finish(end);
        self.close_books();
    }

    fn finish(&mut self, end: End) {
        self.progress.end = Some(end);
        self.records.advance(&self.fleet, self.now);
    }

    /// The next event, done, unless it comes after `until` or the run is over.
    ///
    /// Completions and arrivals are nearly all events; they are told apart by one comparison and
    /// go their way without passing through the general `handle`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    fn step_until(&mut self, until: u64) -> Option<Event> {
        if self.progress.end.is_some() {
            self.close_books();
            return None;
        }
        let (done_at, server) = self.events.first_completion();
        let (arrival_at, source) = self.events.first_arrival();
        let clock_at = self.events.clock_time();
        if done_at < arrival_at.min(clock_at) {
            if done_at > until {
                return None;
            }
            Some(self.completion(done_at, server))
        } else if arrival_at < done_at.min(clock_at) {
            if arrival_at > until {
                return None;
            }
            Some(self.arrival(arrival_at, source))
        } else if clock_at < done_at.min(arrival_at) {
            self.step_clock(self.events.due_clock(), until)
        } else {
            self.step_at_once(until)
        }
    }

    /// As [`Simulation::step_until`] when several things are at once, or nothing is left.
    #[inline(never)]
    fn step_at_once(&mut self, until: u64) -> Option<Event> {
        let (at, next) = self.events.peek();
        if at > until {
            return None;
        }
        match next {
            Next::Completion(server) => {
                self.count(at, (2, u64::from(server)));
                let first = self.fleet[server].first;
                self.spell_out(self.attempts.handle_at(first));
                self.complete_apart(server);
                Some(Event::Completion(server))
            }
            Next::Arrival(source) => {
                self.count(at, (1, u64::from(source)));
                self.arrive_apart(source);
                Some(Event::Arrival(source))
            }
            Next::Clock(slot) => self.step_clock(slot, until),
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    fn completion(&mut self, at: u64, server: ServerId) -> Event {
        self.count(at, (2, u64::from(server)));
        let written = self.services[self.fleet[server].service].written;
        if written == Written::Nothing {
            self.complete_fast::<true, false, false>(server);
        } else {
            self.complete_beside(server, written);
        }
        Event::Completion(server)
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    fn arrival(&mut self, at: u64, source: SourceId) -> Event {
        self.count(at, (1, u64::from(source)));
        if !self.balancers.behind.is_empty() {
            self.tell_policies();
        }
        let written = self.sources[source].written;
        if written == Written::Nothing {
            self.arrive_fast::<true, false, false>(source);
        } else {
            self.arrive_beside(source, written);
        }
        Event::Arrival(source)
    }

    /// An arrival where something is written, kept out of the loop.
    #[inline(never)]
    fn arrive_beside(&mut self, source: SourceId, written: Written) {
        match written {
            Written::Nothing | Written::Told => self.arrive_told(source),
            Written::Guards => self.arrive_guarded(source),
            Written::More if self.sources[source].fast => self.arrive_written(source),
            Written::More => self.arrive_apart(source),
        }
    }

    /// A completion where something is written, kept out of the loop.
    #[inline(never)]
    fn complete_beside(&mut self, server: ServerId, written: Written) {
        match written {
            Written::Nothing | Written::Told => self.complete_told(server),
            Written::Guards => self.complete_guarded(server),
            Written::More => self.complete_written(server),
        }
    }

    /// The general path of a completion, kept out of the loop.
    #[inline(never)]
    pub(super) fn complete_apart(&mut self, server: ServerId) {
        self.complete(server);
        self.drain_pending_queues();
    }

    /// An arrival where policies that are told are all that is written, kept out of the loop.
    #[inline(never)]
    fn arrive_told(&mut self, source: SourceId) {
        self.arrive_fast::<true, true, false>(source);
    }

    /// The same where there are guards as well.
    #[inline(never)]
    fn arrive_guarded(&mut self, source: SourceId) {
        self.arrive_fast::<true, true, true>(source);
        self.drain_pending_queues();
    }

    /// An arrival where something else is written, kept out of the loop.
    #[inline(never)]
    fn arrive_written(&mut self, source: SourceId) {
        self.arrive_fast::<false, true, true>(source);
        if self.guards.any || self.balancers.turned.is_some() {
            self.drain_pending_queues();
        }
    }

    /// A completion where policies that are told are all that is written, kept out of the loop.
    #[inline(never)]
    fn complete_told(&mut self, server: ServerId) {
        self.complete_fast::<true, true, false>(server);
    }

    /// The same where there are guards as well.
    #[inline(never)]
    fn complete_guarded(&mut self, server: ServerId) {
        self.complete_fast::<true, true, true>(server);
        self.tell_kept_news();
        self.drain_pending_queues();
    }

    /// A completion where something else is written, kept out of the loop.
    #[inline(never)]
    fn complete_written(&mut self, server: ServerId) {
        if self.fleet[server].fast == Fast::No {
            return self.complete_apart(server);
        }
        self.complete_fast::<false, true, true>(server);
        if self.guards.any || self.balancers.turned.is_some() {
            self.tell_kept_news();
            self.drain_pending_queues();
        }
    }

    /// The general path of an arrival, kept out of the loop.
    #[inline(never)]
    fn arrive_apart(&mut self, source: SourceId) {
        if self.sources[source].fast_apart {
            self.arrive_fast_apart(source);
        } else if self.fast && self.sources[source].is_paced() {
            self.arrive_drawn(source);
        } else {
            self.arrive(source);
        }
        self.drain_pending_queues();
    }

    /// As [`Simulation::step_until`] when a clock is due: everything but completions and arrivals.
    #[inline(never)]
    fn step_clock(&mut self, slot: u32, until: u64) -> Option<Event> {
        let at = self.events.clock_time();
        if at > until {
            return None;
        }
        let event = match EventQueue::clock(slot) {
            Clock::Tick => Event::Tick,
            Clock::Heap => match self.events.pop_heap(&self.attempts, &self.calls) {
                Some(event) => event,
                None => return self.step_until_again(until),
            },
            Clock::Near => match self.events.pop_near(&self.attempts, &self.calls) {
                Some(event) => event,
                None => return self.step_until_again(until),
            },
            Clock::Wheel => {
                (self.events).turn_wheel(at, &self.attempts, &self.calls);
                return self.step_until_again(until);
            }
            Clock::Soon => self.events.pop_soon(),
            Clock::Fifo(fifo) => match self.events.pop_fifo(fifo, &self.attempts, &self.calls) {
                Some(Event::ElidedDeadline(attempt)) => Event::Deadline(self.spell_out(attempt)),
                Some(Event::ElidedCopy(attempt)) => {
                    Event::Copy(self.spell_out_for_copy(attempt, at))
                }
                Some(event) => event,
                // A stale entry is no event: nothing happens, nothing is counted.
                None => return self.step_until_again(until),
            },
        };
        if matches!(event, Event::Tick | Event::Measure) {
            // What is recorded is no part of what happens: it is not counted and not in the digest.
            self.now = at;
        } else {
            self.count(at, self.code_of(event));
        }
        match event {
            Event::AtBalancer(handle) if self.is_elided(handle) => self.at_balancer_fast(handle),
            Event::Answer(handle) if self.is_elided(handle) => self.answer_fast(handle),
            _ => self.handle(event),
        }
        self.drain_pending_queues();
        Some(event)
    }

    /// Kind and subject of an event for the digest. Calls go by the number of their request: where
    /// they are kept is nobody's business.
    fn code_of(&self, event: Event) -> (u64, u64) {
        let (kind, subject) = event.code();
        match event {
            Event::Attempt(call) | Event::Deadline(call) | Event::Copy(call) => {
                let there = self.calls.contains(call);
                (kind, if there { self.calls[call].number } else { 0 })
            }
            _ => (kind, subject),
        }
    }

    #[inline(never)]
    fn step_until_again(&mut self, until: u64) -> Option<Event> {
        self.step_until(until)
    }

    #[inline]
    fn drain_pending_queues(&mut self) {
        if self.balancers.turned.is_some() {
            self.judge_turned();
        }
        if !self.balancers.to_drain.is_empty()
            || self.guards.somebody_may_go_on()
            || self.pools.somebody_may_go_on()
        {
            self.drain_all_pending_queues();
        }
    }

    #[cold]
    fn drain_all_pending_queues(&mut self) {
        loop {
            self.wake_held();
            self.serve_lines();
            if let Some(instance) = self.balancers.to_drain.pop() {
                self.drain_pending(instance);
            } else if !self.guards.somebody_may_go_on() && !self.pools.somebody_may_go_on() {
                // Whoever went on may have failed at once, and let others go on.
                break;
            }
        }
    }

    /// Time goes on to an event, which enters the digest.
    #[inline]
    fn count(&mut self, at: u64, code: (u64, u64)) {
        self.now = at;
        if self.progress.count(at, code) {
            self.look_at_limits();
        }
    }

    /// Ends the run with this event if a limit is reached; now and then, stale timers are dropped.
    #[cold]
    fn look_at_limits(&mut self) {
        if self.progress.is_time_to_tidy() {
            self.events.thin_timers(&self.attempts, &self.calls);
        }
        let requests = self.calls.len() + self.attempts.elided + self.attempts.len();
        let in_flight = requests + self.pools.len() + self.thinking;
        let limits = self.model.limits;
        if let Some(end) = self.progress.look(self.now, in_flight, limits) {
            self.finish(end);
        }
    }

    /// Plans an event that comes after a delay.
    fn after(&mut self, delay: u64, event: Event) {
        if delay == 0 {
            return self.events.soon(self.now, event);
        }
        let at = self.now.saturating_add(delay);
        self.events.schedule_one_of_many(self.now, at, event);
    }

    /// Whether an attempt is there, and its call not written down.
    fn is_elided(&self, handle: Handle) -> bool {
        self.attempts.contains(handle) && self.attempts[handle].call.is_elided()
    }

    /// What happens with an event, unless the fast path has dealt with it.
    fn handle(&mut self, event: Event) {
        match event {
            Event::Tick => self.tick(),
            Event::AtBalancer(handle) if self.waited_for(handle) => self.at_balancer(handle),
            Event::Dispatched(handle) if self.waited_for(handle) => self.dispatched(handle),
            Event::AtServer(handle) if self.is_at(handle, Place::ToServer) => {
                self.reach_server(handle);
            }
            Event::Returned(handle) if self.is_at(handle, Place::Returning) => {
                self.pass_on(handle, self.attempts[handle].outcome);
            }
            Event::ConnectTimeout(handle) if self.waited_for(handle) => {
                self.connect_timeout(handle);
            }
            Event::ConnectionDue(connection) => self.connection_due(connection),
            Event::Unconnected(handle) if self.waited_for(handle) => self.unconnected(handle),
            Event::Answer(handle) if self.attempts.contains(handle) => self.answer(handle),
            Event::Timeout(handle) if self.waited_for(handle) => self.give_up(handle),
            Event::Deadline(handle) if self.calls.contains(handle) => {
                self.give_up_call(handle, crate::outcome::Outcome::TimedOut);
            }
            Event::Attempt(handle) if self.calls.contains(handle) => self.begin_try(handle),
            Event::Copy(handle) if self.calls.contains(handle) => self.copy_due(handle),
            Event::PendingTimeout(handle) if self.waited_for(handle) => {
                self.pending_timeout(handle);
            }
            Event::ProbeTimeout(handle) if self.attempts.contains(handle) => {
                self.probe_timeout(handle);
            }
            Event::Thought(source) if self.sources[source].fast_apart => {
                self.arrive_fast_apart(source);
            }
            Event::Thought(source) => {
                let call = self.new_request(source);
                self.begin_try(call);
            }
            Event::Continued(source, session, place) => {
                self.continue_session(source, session, place);
            }
            Event::Probe(prober, generation) => self.probe(prober, generation),
            Event::HealthDue(instance, generation) => self.health_due(instance, generation),
            Event::CrashDue(machine, rule, incarnation) => {
                self.crash_due(machine, rule, incarnation);
            }
            Event::Restart(machine, incarnation) => {
                self.restart(machine, incarnation, Actor::System, "");
            }
            Event::Up(machine, incarnation) => self.up(machine, incarnation),
            Event::WarmStep(server, incarnation) => self.warm_step(server, incarnation),
            Event::Takeover(instance, incarnation) => {
                self.take_over(instance, incarnation, Actor::System, "");
            }
            Event::BreakOff(instance, server) => self.break_off(instance, server),
            Event::Disconnected(instance, server) => self.disconnected(instance, server),
            Event::Reconnect(instance, server) => self.reconnect(instance, server),
            Event::Answered(instance, server) => self.answered(instance, server),
            Event::Unanswered(instance, server) => self.opened(instance, server, false),
            Event::FaultEnds(server, number) => {
                self.fault_ends(Afflicted::Server(server), number);
            }
            Event::LinkFaultEnds(number) => self.link_fault_ends(number),
            Event::FaultComes(episode) => self.fault_comes(episode),
            Event::FaultBegins(episode, place) => self.fault_begins(episode, place),
            Event::Impatient(handle) if self.attempts.contains(handle) => self.impatient(handle),
            Event::Phase(source) => self.begin_phase(source),
            Event::Breakdown(server, generation) => self.break_down(server, generation),
            Event::Repaired(server, generation) => self.repaired(server, generation),
            Event::Report(service, generation) => self.report(service, generation),
            Event::Reading(service, generation) => self.read_servers(service, generation),
            Event::Scale(service, generation) => self.scale(service, generation),
            Event::Coalesced(call) if self.calls.contains(call) => self.coalesced(call),
            Event::Rollout(index) => self.roll_out(index),
            Event::Provisioned(server, number) => self.provisioned(server, number),
            Event::GivenBack(server) => self.give_back(server),
            Event::Admitted(handle) if self.attempts.contains(handle) => self.admitted(handle),
            Event::Overdue(handle) if self.attempts.contains(handle) => self.overdue(handle),
            Event::Expired(handle) if self.attempts.contains(handle) => self.expired(handle),
            Event::Begun(handle) if self.attempts.contains(handle) => self.copy_begun(handle),
            Event::Poll => self.poll(),
            Event::Monitor => self.monitor(),
            Event::Respond(book, generation) => self.respond(book, generation),
            Event::Measure => self.start_measuring(),
            Event::Timeline(index) => self.timeline_entry(index),
            // Its subject is gone: the timer came too late to matter. (Completions and arrivals do
            // not come this way.)
            _ => {}
        }
    }

    /// Whether an attempt is there, and in a certain place.
    fn is_at(&self, handle: Handle, place: Place) -> bool {
        self.attempts.contains(handle) && self.attempts[handle].place == place
    }

    /// Whether an attempt is there and its caller still waits for it.
    fn waited_for(&self, handle: Handle) -> bool {
        self.attempts.is_waited_for(handle, &self.calls)
    }
}
