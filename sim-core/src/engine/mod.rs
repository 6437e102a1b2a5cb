//! The engine: a model, run event by event.
//!
//! [`Simulation`] holds the whole state of a run and is `Clone`: a fork is a clone that is then
//! treated differently. It advances by one event, until a time, or by a number of events; the way
//! it is driven never changes what happens. Handlers live beside what they concern:
//!
//! | file | concern |
//! |---|---|
//! | `fast_path`, `elided_call`, `batched_draws` | the common case of the next three, fused for speed |
//! | `source` | when requests come |
//! | `caller` | requests, attempts, timeouts, retries |
//! | `hedge` | several attempts of a call at once |
//! | `tried` | servers that a call has been at, for retries that go elsewhere |
//! | `balancer` | balancer instances: connections, choice, waiting room |
//! | `server`, `queue` | workers, virtual time, waiting room |
//! | `visit` | calls from one service to another |
//! | `patience`, `preempt`, `breakdown` | leaving the queue; interrupted service; workers that fail |
//! | `idle`, `board` | idle servers that report themselves; loads known only from time to time |
//! | `watch` | crash rules |
//! | `machine` | crashes, restarts, warm-up, takeover |
//! | `probe` | health checks and liveness |
//! | `timeline` | actions and changed settings |
//! | `event_queue`, `tournament`, `slab` | event set and storage |

mod attempt;
mod balancer;
mod batched_draws;
mod board;
mod breakdown;
mod caller;
mod elided_call;
mod end;
mod event;
mod event_queue;
mod fast_path;
mod hedge;
mod idle;
mod machine;
mod patience;
mod preempt;
mod probe;
mod queue;
mod recording;
mod sample;
mod server;
mod setup;
mod slab;
mod snapshot;
mod source;
mod state;
mod timeline;
mod timer_fifo;
mod tournament;
mod tried;
mod visit;
mod watch;

pub use end::End;
pub use event::{Event, Machine};
pub use sample::{AttemptSnapshot, Whereabouts};
pub use slab::Handle;
pub(crate) use snapshot::ServerFigures;
pub use snapshot::{Conservation, InstanceSnapshot, ServerSnapshot, Snapshot};
pub use state::MachineState;

use crate::draws::{Stream, mix};
use crate::model::{Actor, Balancer, Class, Model};
use crate::record::Recorder;
use crate::record::history::{InstanceInterval, ServiceInterval};
use crate::time::Instant;
use event_queue::{Clock, EventQueue, Next};
use slab::Slab;
use state::{
    Attempt, AttemptCold, Call, Caller, Instance, ProbeSettings, Prober, Server, ServerCold,
    Service, Source,
};
use std::sync::Arc;

/// Events at one instant after which time is taken to stand still: so many, and a few for each
/// request that may be in flight, since all users of a closed source may start at once.
const STALLED: u64 = 1_000_000;

/// Every how many events the number in flight is compared with its limit: an event adds a handful,
/// at worst a hundred copies, so memory stays about the limit, and where the run ends does not depend
/// on recording.
const LOOK: u64 = 256;

/// A run of a model.
#[derive(Clone)]
pub struct Simulation {
    model: Arc<Model>,
    replication: u64,
    now: u64,
    end: Option<End>,
    digest: u64,
    events: u64,
    /// The time when limits were looked at last, and how many events time has stood still.
    looked_at: u64,
    still: u64,
    /// Number of events at which limits are looked at again.
    next_look: u64,
    /// Whether gauges are being polled.
    polling: bool,
    event_queue: EventQueue,
    fifos: setup::TimerFifos,
    calls: Slab<Call>,
    attempts: Slab<Attempt>,
    /// Beside attempts on the general path, by the same places.
    attempts_cold: Vec<AttemptCold>,
    /// Beside calls with several attempts at once, by the same places.
    hedged: Vec<hedge::Hedged>,
    /// Beside calls that try again elsewhere, by the same places.
    tried: Vec<tried::Tried>,
    /// Beside calls between services, by the same places.
    children: Vec<visit::Child>,
    /// Room for the servers that a copy or a retry may go to.
    apart: Vec<u32>,
    /// Calls that are not written down.
    elided: usize,
    servers: Vec<Server>,
    servers_cold: Vec<ServerCold>,
    services: Vec<Service>,
    balancers: Vec<Balancer>,
    service_calls: Vec<Vec<crate::model::Call>>,
    instances: Vec<Instance>,
    callers: Vec<Caller>,
    sources: Vec<Source>,
    classes: Vec<Class>,
    probers: Vec<Prober>,
    probe_generation: u32,
    /// Whether the fast path is in use.
    fast: bool,
    health: Vec<Option<ProbeSettings>>,
    liveness: Vec<Option<ProbeSettings>>,
    /// Instances whose waiting rooms may move on, once the present event is done.
    pending_to_drain: Vec<u32>,
    /// Numbers services in the order of their start.
    started: u64,
    next_timeline_entry: u32,
    request_stream: Stream,
    network_stream: Stream,
    reply_stream: Stream,
    policy_stream: Stream,
    retry_stream: Stream,
    fault_stream: Stream,
    call_stream: Stream,
    probe_stream: Stream,
    patience_stream: Stream,
    breakdown_stream: Stream,
    order_stream: Stream,
    idle_stream: Stream,
    selection_stream: Stream,
    boot_stream: Stream,
    recorder: Recorder,
    totals: Vec<recording::ServerTotals>,
    recorded: Vec<recording::ServerRecorded>,
    /// Records of servers written.
    records: u64,
    /// When servers' areas were last added to their totals.
    advanced_at: u64,
    /// Room for the interval that is closed.
    service_intervals: Vec<ServiceInterval>,
    instance_intervals: Vec<InstanceInterval>,
    service_busy: Vec<f64>,
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
        self.end
    }

    /// Events so far.
    pub fn events(&self) -> u64 {
        self.events
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
        mix(self.digest ^ mix(self.events))
    }

    /// Does the next event, if it comes before the horizon.
    pub fn step(&mut self) -> Option<Event> {
        self.step_until_again(self.model.horizon.0)
    }

    /// Runs to the end of the run.
    pub fn run(&mut self) {
        self.run_until(Instant(self.model.horizon.0));
    }

    /// Does everything up to and including `until`, or up to the end of the run.
    pub fn run_until(&mut self, until: Instant) {
        let until = until.0.min(self.model.horizon.0);
        while self.step_until(until).is_some() {}
        if self.end.is_none() {
            // Time never goes back, whatever is asked.
            self.now = self.now.max(until);
            if until == self.model.horizon.0 {
                self.finish(End::Horizon);
            }
        }
    }

    /// Does at most `budget` events; true while the run goes on.
    pub fn run_events(&mut self, budget: u64) -> bool {
        for _ in 0..budget {
            if self.step().is_none() {
                if self.end.is_none() {
                    self.now = self.model.horizon.0;
                    self.finish(End::Horizon);
                }
                return false;
            }
        }
        true
    }

    fn finish(&mut self, end: End) {
        self.end = Some(end);
        self.close_recording();
    }

    /// The next event, done, unless it comes after `until` or the run is over.
    ///
    /// Completions and arrivals are nearly all events; they are told apart by one comparison and
    /// go their way without passing through the general `handle`.
    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    fn step_until(&mut self, until: u64) -> Option<Event> {
        if self.end.is_some() {
            return None;
        }
        let (done_at, server) = self.event_queue.first_completion();
        let (arrival_at, source) = self.event_queue.first_arrival();
        let clock_at = self.event_queue.clock_time();
        if done_at < arrival_at.min(clock_at) {
            (done_at <= until).then(|| self.completion(done_at, server))
        } else if arrival_at < done_at.min(clock_at) {
            (arrival_at <= until).then(|| self.arrival(arrival_at, source))
        } else {
            self.step_rarely(until)
        }
    }

    /// As [`Simulation::step_until`] when a clock is due or several things are at once.
    #[inline(never)]
    fn step_rarely(&mut self, until: u64) -> Option<Event> {
        let (at, next) = self.event_queue.peek();
        if at > until {
            return None;
        }
        match next {
            Next::Completion(server) => {
                self.count(at, (2, u64::from(server)));
                let first = self.servers[server as usize].first;
                self.spell_out(self.attempts.handle_at(first));
                self.complete_apart(server);
                Some(Event::Completion { server })
            }
            Next::Arrival(source) => {
                self.count(at, (1, u64::from(source)));
                self.arrive_apart(source);
                Some(Event::Arrival { source })
            }
            Next::Clock(slot) => self.step_clock(slot, until),
        }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    fn completion(&mut self, at: u64, server: u32) -> Event {
        self.count(at, (2, u64::from(server)));
        if self.servers[server as usize].fast {
            self.complete_fast(server);
        } else {
            self.complete_apart(server);
        }
        Event::Completion { server }
    }

    #[inline(always)]
    #[expect(clippy::inline_always, reason = "the loop of a run is then one piece")]
    fn arrival(&mut self, at: u64, source: u16) -> Event {
        self.count(at, (1, u64::from(source)));
        if self.sources[source as usize].fast {
            self.arrive_fast(source);
        } else {
            self.arrive_apart(source);
        }
        Event::Arrival { source }
    }

    /// The general path of a completion, kept out of the loop.
    #[inline(never)]
    pub(super) fn complete_apart(&mut self, server: u32) {
        self.complete(server);
        self.drain_pending_queues();
    }

    /// The general path of an arrival, kept out of the loop.
    #[inline(never)]
    fn arrive_apart(&mut self, source: u16) {
        self.arrive(source);
        self.drain_pending_queues();
    }

    /// As [`Simulation::step_until`] when a clock is due: everything but completions and arrivals.
    #[inline(never)]
    fn step_clock(&mut self, slot: u32, until: u64) -> Option<Event> {
        let at = self.event_queue.clock_time();
        let event = match EventQueue::clock(slot) {
            Clock::Tick => Event::Tick,
            Clock::Heap => self.event_queue.pop_heap(),
            Clock::Fifo(fifo) => match self.pop_fifo(fifo) {
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
        self.handle(event);
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
        if !self.pending_to_drain.is_empty() {
            self.drain_all_pending_queues();
        }
    }

    #[cold]
    fn drain_all_pending_queues(&mut self) {
        while let Some(instance) = self.pending_to_drain.pop() {
            self.drain_pending(instance);
        }
    }

    /// Time goes on to an event, which enters the digest.
    #[inline]
    fn count(&mut self, at: u64, (kind, subject): (u64, u64)) {
        self.now = at;
        self.events += 1;
        self.digest = (self.digest ^ at.rotate_left(20) ^ (kind << 58) ^ subject)
            .wrapping_mul(0x9E37_79B9_7F4A_7C15)
            .rotate_left(23);
        if self.events >= self.next_look {
            self.look_at_limits();
        }
    }

    /// Ends the run with this event if a limit is reached.
    #[cold]
    fn look_at_limits(&mut self) {
        let limits = self.model.limits;
        self.next_look = limits.events.min(self.events + LOOK);
        let moved = std::mem::replace(&mut self.looked_at, self.now) != self.now;
        self.still = if moved { 0 } else { self.still + LOOK };
        if self.still > STALLED + 4 * u64::from(limits.in_flight) {
            self.finish(End::Stalled);
        } else if self.events >= limits.events {
            self.finish(End::EventLimit);
        } else if self.calls.len() + self.elided + self.attempts.len() > limits.in_flight as usize {
            self.finish(End::InFlightLimit);
        }
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::Tick => self.tick(),
            Event::AtBalancer(handle) if self.waited_for(handle) => self.at_balancer(handle),
            Event::Dispatched(handle) if self.waited_for(handle) => self.dispatched(handle),
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
            Event::Thought { source } => {
                let call = self.new_request(source);
                self.begin_try(call);
            }
            Event::Probe { prober, generation } => self.probe(prober, generation),
            Event::CrashDue {
                machine,
                rule,
                incarnation,
            } => self.crash_due(machine, rule, incarnation),
            Event::Restart {
                machine,
                incarnation,
            } => self.restart(machine, incarnation, Actor::System, ""),
            Event::Up {
                machine,
                incarnation,
            } => self.up(machine, incarnation),
            Event::WarmStep {
                server,
                incarnation,
            } => self.warm_step(server, incarnation),
            Event::Takeover {
                instance,
                incarnation,
            } => self.take_over(instance, incarnation),
            Event::SlowEnds { server, generation } => self.slow_ends(server, generation),
            Event::Impatient(handle) if self.attempts.contains(handle) => self.impatient(handle),
            Event::Phase { source } => self.begin_phase(source),
            Event::Breakdown { server, generation } => self.break_down(server, generation),
            Event::Repaired { server, generation } => self.repaired(server, generation),
            Event::Report {
                service,
                generation,
            } => self.report(service, generation),
            Event::Poll => self.poll(),
            Event::Measure => self.start_measuring(),
            Event::Timeline { index } => self.timeline_entry(index),
            // Its subject is gone: the timer came too late to matter. (Completions and arrivals do
            // not come this way.)
            _ => {}
        }
    }

    /// Whether an attempt is there and its caller still waits for it.
    fn waited_for(&self, handle: Handle) -> bool {
        self.attempts.contains(handle)
            && (self.attempts[handle].call.is_elided()
                || self.calls.contains(self.attempts[handle].call))
    }
}
