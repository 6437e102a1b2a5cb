//! What the engine hands to the recorder at the end of an interval, and at the end of the run.

use super::Simulation;
use super::state::{MachineState, Server};
use crate::event_log;
use crate::model::Actor;
use crate::record::history::{InstanceInterval, ServiceInterval};
use crate::time::Instant;

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
    /// Counters when measurement began.
    pub before: Counts<u64>,
    pub crashes_before: u64,
    pub downtime_before: u64,
}

/// Attempts sent to a server and how they ended.
#[derive(Clone, Copy, Default)]
pub(super) struct Counts<T> {
    pub attempts: T,
    pub succeeded: T,
    pub failed: T,
}

impl Simulation {
    /// An interval of the time line ends.
    pub(super) fn tick(&mut self) {
        self.record_interval();
        self.thin_fifos();
        let next = self.now.saturating_add(self.recorder.interval_ns());
        self.event_queue.set_tick(next);
    }

    fn record_interval(&mut self) {
        let now = self.now;
        self.service_intervals.clear();
        self.service_intervals
            .resize(self.services.len(), ServiceInterval::default());
        // Areas wrap around; a look well before one can keeps the totals exact.
        let batch = (now - self.advanced_at).saturating_add(self.recorder.interval_ns());
        if batch.saturating_mul(u64::from(self.model.limits.in_flight)) > 1 << 62 {
            self.advance_totals();
        }
        let due = self.recorder.history.servers_are_due();
        if due {
            self.record_servers();
        } else {
            for server in &self.servers {
                count_server(&mut self.service_intervals[server.service as usize], server);
            }
        }
        for (i, service) in self.services.iter_mut().enumerate() {
            let interval = &mut self.service_intervals[i];
            interval.attempts = (service.attempts - service.attempts_recorded) as u32;
            service.attempts_recorded = service.attempts;
            if due {
                service.busy_recorded = std::mem::take(&mut self.service_busy[i]) as f32;
            }
            interval.busy = service.busy_recorded;
        }
        self.instance_intervals.clear();
        self.instance_intervals
            .extend(self.instances.iter().map(|instance| InstanceInterval {
                connections: instance.connections,
                waiting: instance.waiting + instance.pending.len() as u32,
                state: instance.state as u8,
            }));
        self.recorder
            .close_interval(now, &self.service_intervals, &self.instance_intervals);
    }

    #[inline(never)]
    fn record_servers(&mut self) {
        let now = self.now;
        let span_ns = self.recorder.interval_ns() * self.recorder.history.server_stride() as u64;
        let per_span = 1.0 / span_ns as f64;
        // Counters wrap around too; a look now and then keeps the totals far from that.
        self.records += 1;
        if self.records.is_multiple_of(64) {
            self.advance_totals();
        }
        // Servers of a service follow one another: their sum is kept at hand.
        let mut service = 0;
        let mut sum = (ServiceInterval::default(), 0.0);
        let fields = self.recorder.history.server_columns.fields();
        let n = self.servers.len();
        let [
            attempts,
            succeeded,
            failed,
            in_system,
            queue_len,
            busy,
            workers_and_state,
        ] = fields.map(|field| &mut field[..n]);
        let (servers, recorded) = (&self.servers[..n], &mut self.recorded[..n]);
        for i in 0..n {
            let (server, recorded) = (&servers[i], &mut recorded[i]);
            if server.service != service {
                self.service_intervals[service as usize].add(&std::mem::take(&mut sum.0));
                self.service_busy[service as usize] += std::mem::take(&mut sum.1);
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
        self.recorder.history.push_servers();
        self.service_intervals[service as usize].add(&sum.0);
        self.service_busy[service as usize] += sum.1;
    }

    fn advance_totals(&mut self) {
        self.advanced_at = self.now;
        for (server, totals) in self.servers.iter().zip(&mut self.totals) {
            totals.advance(server, self.now);
        }
    }

    /// The warm-up is over.
    pub(super) fn start_measuring(&mut self) {
        let now = self.now;
        self.recorder.start_measuring(now);
        for ((server, cold), totals) in self
            .servers
            .iter()
            .zip(&self.servers_cold)
            .zip(&mut self.totals)
        {
            totals.advance(server, now);
            (
                totals.measured_in_system,
                totals.measured_busy,
                totals.measured_queued,
            ) = (0, 0, 0);
            totals.before = totals.counts;
            totals.crashes_before = cold.incarnation.crashes;
            totals.downtime_before = cold.incarnation.downtime
                + if matches!(server.state, MachineState::Down | MachineState::Booting) {
                    now - cold.incarnation.down_since
                } else {
                    0
                };
        }
        for service in &mut self.services {
            service.attempts_before = service.attempts;
            (service.served_ns, service.wasted_ns) = (0, 0);
        }
    }

    /// The run is over: totals are brought up to now.
    pub(super) fn close_recording(&mut self) {
        self.advance_totals();
    }

    /// Something worth telling happens now.
    pub(super) fn tell(&mut self, kind: event_log::Kind, by: Actor, subject: &str, cause: String) {
        self.recorder.tell(event_log::Event {
            at: Instant(self.now),
            kind,
            by,
            subject: subject.to_owned(),
            cause,
        });
    }

    /// Counts a finished service, and whether anybody still wanted it.
    #[inline]
    pub(super) fn count_service(&mut self, service: u16, demand_ns: u64, wanted: bool) {
        let service = &mut self.services[service as usize];
        service.served_ns += u128::from(demand_ns);
        if !wanted {
            service.wasted_ns += u128::from(demand_ns);
        }
    }
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
