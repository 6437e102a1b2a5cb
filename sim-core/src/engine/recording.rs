//! What the engine hands to the recorder at the end of an interval, and at the end of the run.

use super::Simulation;
use super::event::Machine;
use super::event_queue::NEVER;
use super::fleet::{Fleet, Server};
use crate::arrival::Arrivals;
use crate::event_log;
use crate::ids::{Id, ServerId, ServiceId, SourceId, Table};
use crate::machine::MachineState;
use crate::model::{Actor, Model, ServerParams, Source};
use crate::outcome::Outcome;
use crate::record::Recorder;
use crate::record::history::{InstanceInterval, ServiceInterval};
use crate::time::Instant;
use std::ops::Range;

/// A server's counters when its last record was written.
#[derive(Clone, Copy, Default)]
pub(super) struct ServerRecorded {
    busy: u64,
    attempts: u32,
    succeeded: u32,
    failed: u32,
}

/// A server's counters at the last look, and its full and measured totals.
#[derive(Clone, Default)]
pub(super) struct ServerTotals {
    in_system: u64,
    busy: u64,
    queued: u64,
    last: Counts<u32>,
    /// Since the start of the run.
    pub counts: Counts<u64>,
    /// Areas since measurement began, in nanoseconds.
    pub measured_in_system: u128,
    pub measured_busy: u128,
    pub measured_queued: u128,
    pub staffed: Staffed,
    /// Counters when measurement began.
    pub before: Counts<u64>,
    pub crashes_before: u64,
    pub downtime_before: u64,
}

/// What a server could have done since measurement began.
#[derive(Clone, Copy, Default)]
pub(super) struct Staffed {
    since: u64,
    pub worker_ns: u128,
    pub capacity_ns: f64,
}

impl Staffed {
    /// Brings the areas up to now, while state and settings are still those of the time before; `cores`
    /// is what each worker has of a core when all are at work.
    pub(super) fn advance(
        &mut self,
        state: MachineState,
        params: &ServerParams,
        cores: f64,
        now: u64,
    ) {
        let span_ns = now - std::mem::replace(&mut self.since, now);
        if state != MachineState::Absent {
            let worker_ns = u128::from(span_ns) * u128::from(params.workers);
            self.worker_ns += worker_ns;
            if params.priority == 0 {
                // As for `check` and the verdict: what breakdowns leave on average.
                let whole = worker_ns as f64 * params.availability();
                self.capacity_ns += whole * params.speed * cores;
            }
        }
    }
}

/// Work that requests have asked for, each at the mean demand of the time when it came.
#[derive(Clone)]
pub(super) struct Offered {
    /// Arrivals that are accounted for, by flow: those of first attempts.
    arrived: Vec<u64>,
    pub work_ns: Table<ServiceId, f64>,
}

impl Offered {
    /// Accounts for arrivals up to now, while demands are still those of the time before.
    pub(super) fn settle(&mut self, simulation: &Simulation) {
        let layout = &simulation.recorder.layout;
        for (flow, arrived) in self.arrived.iter_mut().enumerate() {
            let so_far = &simulation.recorder.flows[flow];
            let so_far = so_far.arrived - so_far.again;
            let more = so_far - std::mem::replace(arrived, so_far);
            if more == 0 {
                continue;
            }
            let (service, class) = layout.of_flow(flow);
            let factor = simulation.classes[class].demand_factor;
            let service_of = &simulation.services[service];
            // What routes take is no load of the service's own servers.
            let kept = service_of.settings.balancer.kept(class);
            let law = simulation.own_demands[class].as_ref();
            let demand_ns = law.unwrap_or(&service_of.demand).mean_ns();
            self.work_ns[service] += more as f64 * factor * demand_ns * kept;
        }
    }
}

/// Attempts sent to a server and how they ended.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts<T> {
    pub attempts: T,
    pub succeeded: T,
    pub failed: T,
}

/// What is written down of servers, services and instances at the end of each interval.
#[derive(Clone)]
pub(super) struct Records {
    pub totals: Table<ServerId, ServerTotals>,
    pub offered: Offered,
    /// Whether the last interval of the run is closed.
    closed: bool,
    recorded: Table<ServerId, ServerRecorded>,
    /// Records of servers written.
    written: u64,
    /// When servers' areas were last added to their totals.
    advanced_at: u64,
    /// Room for the interval that is closed.
    services: Table<ServiceId, ServiceInterval>,
    instances: Vec<InstanceInterval>,
    ways: Vec<u32>,
    busy: Table<ServiceId, f64>,
    /// Requests so far of users who wait for answers, where others ask the same service: by source, at the end of each
    /// interval.
    users: Vec<(SourceId, Vec<u64>)>,
}

impl Records {
    pub(super) fn new(model: &Model) -> Self {
        let (servers, services) = (model.servers.len(), model.services.len());
        Self {
            totals: Table::filled(servers, ServerTotals::default()),
            offered: Offered {
                arrived: vec![0; services * model.classes.len() * 2],
                work_ns: Table::filled(services, 0.0),
            },
            closed: false,
            recorded: Table::filled(servers, ServerRecorded::default()),
            written: 0,
            advanced_at: 0,
            services: Table::filled(services, ServiceInterval::default()),
            instances: Vec::new(),
            ways: Vec::new(),
            busy: Table::filled(services, 0.0),
            users: users_beside_others(model),
        }
    }

    /// Totals are brought up to now.
    pub(super) fn advance(&mut self, fleet: &Fleet, now: u64) {
        self.advanced_at = now;
        for (server, totals) in fleet.servers.iter().zip(&mut self.totals) {
            totals.advance(server, now);
        }
    }

    #[inline(never)]
    fn record_servers(&mut self, fleet: &Fleet, recorder: &mut Recorder, now: u64) {
        let per_span = 1.0 / recorder.history.server_span_ns().max(1) as f64;
        // Counters wrap around too; a look now and then keeps the totals far from that.
        self.written += 1;
        if self.written.is_multiple_of(64) {
            self.advance(fleet, now);
        }
        // Servers of a service follow one another: their sum is kept at hand.
        let mut service = ServiceId(0);
        let mut sum = (ServiceInterval::default(), 0.0);
        let fields = recorder.history.server_columns.fields();
        let n = fleet.servers.len();
        let [
            attempts,
            succeeded,
            failed,
            in_system,
            queue_len,
            busy,
            workers_and_state,
        ] = fields.map(|field| &mut field[..n]);
        let (servers, recorded) = (
            &fleet.servers.as_slice()[..n],
            &mut self.recorded.as_mut_slice()[..n],
        );
        for i in 0..n {
            let (server, recorded) = (&servers[i], &mut recorded[i]);
            if server.service != service {
                self.services[service].add(&std::mem::take(&mut sum.0));
                self.busy[service] += std::mem::take(&mut sum.1);
                service = server.service;
            }
            let area = server.busy_area(now);
            let busy_workers = area.wrapping_sub(recorded.busy).cast_signed() as f64 * per_span;
            sum.1 += busy_workers;
            count_server(&mut sum.0, server);
            attempts[i] = server.attempts.wrapping_sub(recorded.attempts);
            succeeded[i] = server.succeeded.wrapping_sub(recorded.succeeded);
            failed[i] = server.failed.wrapping_sub(recorded.failed);
            in_system[i] = server.in_system;
            queue_len[i] = server.queue_len;
            busy[i] = (busy_workers as f32).to_bits();
            workers_and_state[i] = server.workers << 2 | server.state as u32;
            *recorded = ServerRecorded {
                busy: area,
                attempts: server.attempts,
                succeeded: server.succeeded,
                failed: server.failed,
            };
        }
        recorder.history.push_servers();
        self.services[service].add(&sum.0);
        self.busy[service] += sum.1;
    }

    /// The warm-up is over.
    fn start_measuring(&mut self, fleet: &Fleet, now: u64) {
        let servers = fleet.servers.iter().zip(&fleet.cold);
        for ((server, cold), totals) in servers.zip(&mut self.totals) {
            totals.advance(server, now);
            (
                totals.measured_in_system,
                totals.measured_busy,
                totals.measured_queued,
            ) = (0, 0, 0);
            totals.staffed = Staffed {
                since: now,
                ..Staffed::default()
            };
            totals.before = totals.counts;
            totals.crashes_before = cold.incarnation.crashes;
            totals.downtime_before = cold.incarnation.downtime_at(server.state, now);
        }
    }
}

impl Simulation {
    /// An interval of the time line ends. The last one of a run ends when the run does: it has
    /// what happens at that very moment, too.
    pub(super) fn tick(&mut self) {
        if self.now >= self.model.horizon.0 {
            return self.events.set_tick(NEVER);
        }
        self.record_interval();
        let next = self.now.saturating_add(self.recorder.interval_ns());
        self.events.set_tick(next);
    }

    /// The run is over: its last interval ends now, full or not.
    pub(super) fn close_books(&mut self) {
        if std::mem::replace(&mut self.records.closed, true) {
            return;
        }
        let width_ns = self.now - self.recorder.history.closed_ns();
        if width_ns > 0 || self.recorder.has_news() {
            self.recorder.history.cut_to(width_ns);
            self.record_interval();
        }
    }

    /// Settings of a server, or whether it is there, are about to change.
    pub(super) fn staff_changes(&mut self, server: ServerId) {
        match self.fleet.cold[server].params.host {
            None => self.settle_staff(server, 1.0),
            Some(host) => self.host_staff_changes(host),
        }
    }

    /// The same for one server, each worker of which has had so much of a core.
    pub(super) fn settle_staff(&mut self, server: ServerId, cores: f64) {
        let (s, cold) = (&self.fleet.servers[server], &self.fleet.cold[server]);
        let staffed = &mut self.records.totals[server].staffed;
        staffed.advance(s.state, &cold.params, cores, self.now);
    }

    /// What requests demand is about to change.
    pub(super) fn demand_changes(&mut self) {
        let mut offered = self.records.offered.clone();
        offered.settle(self);
        self.records.offered = offered;
    }

    fn record_interval(&mut self) {
        let Self {
            now,
            records,
            recorder,
            fleet,
            services,
            balancers,
            caches,
            monitoring,
            sources,
            ..
        } = self;
        let now = *now;
        records
            .services
            .as_mut_slice()
            .fill(ServiceInterval::default());
        // Areas wrap around; a look well before one can keeps the totals exact.
        let batch = (now - records.advanced_at).saturating_add(recorder.interval_ns());
        if batch.saturating_mul(u64::from(self.model.limits.in_flight)) > 1 << 62 {
            records.advance(fleet, now);
        }
        let due = recorder.history.servers_are_due();
        if due {
            records.record_servers(fleet, recorder, now);
        } else {
            for server in &fleet.servers {
                count_server(&mut records.services[server.service], server);
            }
        }
        for (id, service) in services.ids().zip(services) {
            let interval = &mut records.services[id];
            interval.attempts = (service.attempts - service.attempts_recorded) as u32;
            service.attempts_recorded = service.attempts;
            if due {
                service.busy_recorded = std::mem::take(&mut records.busy[id]) as f32;
            }
            interval.busy = service.busy_recorded;
        }
        records.instances.clear();
        let instances = balancers.instances.iter();
        records
            .instances
            .extend(instances.map(|instance| InstanceInterval {
                connections: instance.connections,
                waiting: instance.waiting + instance.pending.len() as u32,
                state: instance.state as u8,
            }));
        records.ways.clear();
        for instance in &mut balancers.instances {
            records.ways.extend_from_slice(instance.sent.as_slice());
            instance.sent.as_mut_slice().fill(0);
        }
        if let Some(monitoring) = monitoring {
            monitoring.close_interval(recorder);
        }
        let closed = (
            records.services.as_slice(),
            records.instances.as_slice(),
            records.ways.as_slice(),
        );
        recorder.close_interval(now, closed);
        if caches.any {
            caches.close_interval();
        }
        for (source, so_far) in &mut records.users {
            so_far.push(sources[*source].count);
        }
    }

    /// The warm-up is over.
    pub(super) fn start_measuring(&mut self) {
        let now = self.now;
        self.recorder.start_measuring(now);
        self.records.start_measuring(&self.fleet, now);
        for service in &mut self.services {
            service.attempts_before = service.attempts;
            service.answers_before = service.attempt_outcomes[Outcome::Succeeded as usize];
            (service.served_ns, service.wasted_ns) = (0, 0);
            if let Some(numbers) = &mut service.numbers {
                numbers.begin(now);
            }
        }
        for host in &mut self.fleet.hosts {
            host.start_measuring(now);
        }
        for source in &mut self.sources {
            if let Some(visitors) = &mut source.visitors {
                visitors.start_measuring(now);
            }
        }
        for instance in &mut self.balancers.instances {
            instance.before = instance.figures_at(now);
        }
        self.demand_changes();
        self.records.offered.work_ns.as_mut_slice().fill(0.0);
    }

    /// How many requests users of a source made in some intervals; zero where nobody else asks the same service.
    pub(crate) fn came(&self, source: SourceId, intervals: &Range<usize>) -> u64 {
        let mut users = self.records.users.iter();
        let Some((_, so_far)) = users.find(|(of, _)| *of == source) else {
            return 0;
        };
        let upto = |end: usize| end.checked_sub(1).map_or(0, |last| so_far[last]);
        upto(intervals.end) - upto(intervals.start)
    }

    /// Something worth telling happens now.
    pub(super) fn tell(&mut self, kind: event_log::Kind, by: Actor, subject: &str, cause: String) {
        self.recorder.tell(event_log::Event {
            at: Instant(self.now),
            kind,
            by,
            subject: subject.to_owned(),
            server: None,
            cause,
        });
    }

    /// The same of a server, which its name alone may not tell from others.
    pub(super) fn tell_of_server(
        &mut self,
        kind: event_log::Kind,
        by: Actor,
        server: ServerId,
        cause: String,
    ) {
        self.recorder.tell(event_log::Event {
            at: Instant(self.now),
            kind,
            by,
            subject: self.name_of(Machine::Server(server)),
            server: Some(server),
            cause,
        });
    }
}

/// Sources of users who wait for answers, that ask what others ask.
fn users_beside_others(model: &Model) -> Vec<(SourceId, Vec<u64>)> {
    let waits = |source: &Source| matches!(source.arrivals.build(), Arrivals::Closed { .. });
    let sources = model.sources.iter().enumerate();
    let users = sources.filter(|(_, source)| waits(source));
    let beside = users.filter(|(_, source)| {
        let mut others = model.sources.iter();
        others.any(|other| other.to == source.to && !waits(other))
    });
    beside.map(|(i, _)| (SourceId::at(i), Vec::new())).collect()
}

impl ServiceInterval {
    /// Adds the servers of another.
    fn add(&mut self, other: &Self) {
        self.queue_len += other.queue_len;
        self.workers += other.workers;
        self.up += other.up;
    }
}

/// Adds a server's present state to its service's.
#[inline]
fn count_server(service: &mut ServiceInterval, server: &Server) {
    service.queue_len += server.queue_len;
    service.workers += if server.state == MachineState::Absent {
        0.0
    } else {
        server.workers as f32
    };
    service.up += u32::from(server.state == MachineState::Up);
}

impl ServerTotals {
    /// Adds the areas since the last call to the totals.
    fn advance(&mut self, server: &Server, now: u64) {
        let step = |last: &mut u64, area: u64| area.wrapping_sub(std::mem::replace(last, area));
        let in_system = step(&mut self.in_system, server.in_system_area(now));
        let busy = step(&mut self.busy, server.busy_area(now));
        let queued = step(&mut self.queued, server.queued_area(now));
        self.measured_in_system += u128::from(in_system);
        self.measured_busy += u128::from(busy);
        self.measured_queued += u128::from(queued);
        let count = |total: &mut u64, last: &mut u32, now: u32| {
            *total += u64::from(now.wrapping_sub(std::mem::replace(last, now)));
        };
        count(
            &mut self.counts.attempts,
            &mut self.last.attempts,
            server.attempts,
        );
        count(
            &mut self.counts.succeeded,
            &mut self.last.succeeded,
            server.succeeded,
        );
        count(
            &mut self.counts.failed,
            &mut self.last.failed,
            server.failed,
        );
    }

    /// The totals up to `now` without closing them: for a summary while the run goes on.
    pub(super) fn at(&self, server: &Server, now: u64) -> Self {
        let mut copy = self.clone();
        copy.advance(server, now);
        copy
    }
}
