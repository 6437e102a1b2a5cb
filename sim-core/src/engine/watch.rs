//! Crash rules: what is watched, and for how long it has held.

use super::Simulation;
use super::event::{Event, Machine};
use super::machine::short;
use super::state::NIL;
use crate::crash::{Gauge, GaugeUnit};
use crate::model::{Actor, CrashRule};
use crate::time::Duration;

/// How often gauges that change without events are looked at.
const POLL: u64 = 100_000_000;

impl Simulation {
    /// Looks at a server's crash rules after its numbers changed.
    pub(super) fn watch_server(&mut self, server: u32) {
        self.leave_if_empty(server);
        if !self.servers[server as usize].state.serves() {
            // It cannot crash now; its rules begin anew when it is up.
            return;
        }
        let params = self.servers_cold[server as usize].params.clone();
        if params.memory.is_some() {
            self.watch_memory(Machine::Server(server));
        }
        for (i, rule) in params.crash.iter().enumerate() {
            if !matches!(rule.gauge.gauge, Gauge::QueueAge | Gauge::Utilisation) {
                let value = self.server_gauge(server, rule.gauge.gauge);
                self.watch(Machine::Server(server), i, rule, value);
            }
        }
    }

    fn memory_gauge(&self, machine: Machine) -> f64 {
        self.memory_of(machine).map_or(0.0, |memory| memory.used)
    }

    fn server_gauge(&self, server: u32, gauge: Gauge) -> f64 {
        let s = &self.servers[server as usize];
        match gauge {
            Gauge::InFlight => f64::from(s.in_system),
            Gauge::QueueLen => f64::from(s.queue_len),
            Gauge::Memory => self.memory_gauge(Machine::Server(server)),
            Gauge::QueueAge => self
                .oldest_waiting(server)
                .map_or(0.0, |since| (self.now - since) as f64),
            Gauge::Utilisation => {
                let area = s
                    .busy_area(self.now)
                    .wrapping_sub(self.servers_cold[server as usize].polled_busy);
                // With every worker broken none is busy: 0, and not 0 / 0.
                area as f64 / POLL as f64 / f64::from(s.workers.max(1))
            }
        }
    }

    fn oldest_waiting(&self, server: u32) -> Option<u64> {
        let s = &self.servers[server as usize];
        let mut oldest: Option<u64> = None;
        let mut see = |at: u64| oldest = Some(oldest.map_or(at, |o| o.min(at)));
        if s.queue_len > 0 {
            let mut index = s.head;
            while index != NIL {
                see(self.attempts[index].mark);
                // In order of arrival one end is the oldest; otherwise all must be seen.
                index = if s.waiting == super::state::Waiting::Fifo {
                    NIL
                } else {
                    self.attempts[index].behind
                };
            }
            for &index in &self.servers_cold[server as usize].pile {
                see(self.attempts[index].mark);
            }
            for std::cmp::Reverse((_, _, handle)) in &self.servers_cold[server as usize].ranked {
                if self.attempts.contains(*handle) && self.attempts[*handle].place.is_queued() {
                    see(self.attempts[*handle].mark);
                }
            }
        }
        oldest
    }

    /// Looks at a balancer instance's crash rules after its numbers changed.
    pub(super) fn watch_instance(&mut self, index: u32) {
        if !self.instances[index as usize].state.serves() {
            return;
        }
        let service = self.instances[index as usize].service;
        if self.balancers[service as usize].memory.is_some() {
            self.watch_memory(Machine::Instance(index));
        }
        for i in 0..self.balancers[service as usize].crash.len() {
            let rule = self.balancers[service as usize].crash[i].clone();
            let instance = &self.instances[index as usize];
            let value = match rule.gauge.gauge {
                Gauge::QueueLen => f64::from(instance.waiting) + instance.pending.len() as f64,
                Gauge::Memory => self.memory_gauge(Machine::Instance(index)),
                _ => f64::from(instance.connections),
            };
            self.watch(Machine::Instance(index), i, &rule, value);
        }
    }

    /// Notes whether a rule holds, and sets its timer when it begins to.
    fn watch(&mut self, machine: Machine, index: usize, rule: &CrashRule, value: f64) {
        let now = self.now;
        let watch = match machine {
            Machine::Server(i) => &mut self.servers_cold[i as usize].watch,
            Machine::Instance(i) => &mut self.instances[i as usize].watch,
        };
        let holds = value > rule.above;
        if !holds {
            watch.since[index] = None;
            return;
        }
        let since = *watch.since[index].get_or_insert(now);
        if !std::mem::replace(&mut watch.armed[index], true) {
            let incarnation = self.incarnation(machine).number;
            self.event_queue.schedule(
                since.saturating_add(rule.hold.0),
                Event::CrashDue {
                    machine,
                    rule: index as u16,
                    incarnation,
                },
            );
        }
    }

    /// A rule's timer: crash if it has held throughout, wait on if it began to hold later.
    pub(super) fn crash_due(&mut self, machine: Machine, index: u16, incarnation: u32) {
        if self.incarnation(machine).number != incarnation || !self.state_of(machine).serves() {
            return;
        }
        if index == OUT_OF_MEMORY {
            if let Some(memory) = self.memory_of(machine).filter(|memory| memory.is_over()) {
                let cause = format!(
                    "out of memory: {:.0} MiB of {:.0}",
                    memory.used / MIB,
                    memory.limit / MIB
                );
                self.crash(machine, Actor::System, cause);
            }
            return;
        }
        let (watch, rules) = match machine {
            Machine::Server(i) => {
                let cold = &mut self.servers_cold[i as usize];
                (&mut cold.watch, &cold.params.crash)
            }
            Machine::Instance(i) => {
                let instance = &mut self.instances[i as usize];
                (
                    &mut instance.watch,
                    &self.balancers[instance.service as usize].crash,
                )
            }
        };
        let Some(rule) = rules.get(index as usize) else {
            return;
        };
        watch.armed[index as usize] = false;
        let Some(since) = watch.since[index as usize] else {
            return;
        };
        let due = since.saturating_add(rule.hold.0);
        if due > self.now {
            watch.armed[index as usize] = true;
            self.event_queue.schedule(
                due,
                Event::CrashDue {
                    machine,
                    rule: index,
                    incarnation,
                },
            );
            return;
        }
        let cause = describe(rule);
        self.crash(machine, Actor::System, cause);
    }

    /// Begins to poll when a server has a rule that needs it.
    pub(super) fn poll_if_asked(&mut self, server: u32) {
        let polled =
            |rule: &CrashRule| matches!(rule.gauge.gauge, Gauge::QueueAge | Gauge::Utilisation);
        if self.polling
            || !self.servers_cold[server as usize]
                .params
                .crash
                .iter()
                .any(polled)
        {
            return;
        }
        self.polling = true;
        for (server, cold) in self.servers.iter().zip(&mut self.servers_cold) {
            cold.polled_busy = server.busy_area(self.now);
        }
        self.event_queue
            .schedule(self.now.saturating_add(POLL), Event::Poll);
    }

    /// Looks at gauges that change without events.
    pub(super) fn poll(&mut self) {
        for server in 0..self.servers.len() as u32 {
            let params = self.servers_cold[server as usize].params.clone();
            if self.servers[server as usize].state.serves() {
                for (i, rule) in params.crash.iter().enumerate() {
                    if matches!(rule.gauge.gauge, Gauge::QueueAge | Gauge::Utilisation) {
                        let value = self.server_gauge(server, rule.gauge.gauge);
                        self.watch(Machine::Server(server), i, rule, value);
                    }
                }
            }
            self.servers_cold[server as usize].polled_busy =
                self.servers[server as usize].busy_area(self.now);
        }
        self.event_queue
            .schedule(self.now.saturating_add(POLL), Event::Poll);
    }
}

/// Stands for the limit on memory among a machine's crash rules.
pub(super) const OUT_OF_MEMORY: u16 = u16::MAX;

const MIB: f64 = 1024.0 * 1024.0;

/// A crash rule in words.
fn describe(rule: &CrashRule) -> String {
    let above = match rule.gauge.unit {
        GaugeUnit::Count => format!("{}", rule.above),
        GaugeUnit::Time => short(Duration(rule.above as u64)),
        GaugeUnit::Bytes => format!("{:.0} MiB", rule.above / MIB),
        GaugeUnit::Ratio => format!("{:.0} %", rule.above * 100.0),
    };
    let name = rule.gauge.name.replace('_', " ");
    if rule.hold.is_zero() {
        format!("{name} above {above}")
    } else {
        format!("{name} above {above} for {}", rule.hold)
    }
}
