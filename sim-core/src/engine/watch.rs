//! Crash rules: what is watched, and for how long it has held.
//!
//! Most gauges cannot pass their thresholds while there are few requests, so that a machine knows from
//! how many on its rules have a say. Until then nothing but that number is looked at.

use super::Simulation;
use super::event::{Event, Machine};
use super::fleet::{NOT_HEEDED, Waiting};
use super::machine::short;
use super::slab::Slot;
use super::snapshot::RuleNow;
use crate::crash::{Gauge, GaugeUnit};
use crate::ids::{InstanceId, ServerId};
use crate::model::{Actor, CrashRule};
use crate::time::Duration;

/// How often gauges that change without events are looked at.
const POLL: u64 = 100_000_000;

/// Crash rules of a machine and since when each holds.
#[derive(Clone, Default)]
pub(super) struct Watch {
    pub since: Vec<Option<u64>>,
    /// Whether a timer is out for the rule.
    pub armed: Vec<bool>,
}

impl Watch {
    pub(super) fn new(rules: usize) -> Self {
        Self {
            since: vec![None; rules],
            armed: vec![false; rules],
        }
    }
}

impl Simulation {
    /// Works out anew from how many in the system on a server's rules have a say: with fewer none can
    /// begin to hold. While one holds, they always have.
    pub(super) fn heed_server(&mut self, server: ServerId) {
        let cold = &self.fleet.cold[server];
        let rules = &cold.params.crash;
        let mut held = rules.iter().zip(&cold.watch.since);
        let holds = held.any(|(rule, since)| since.is_some() && !is_polled(rule));
        let from = if cold.leaving || holds {
            0.0
        } else {
            let from_rules = rules.iter().map(|rule| match rule.gauge.gauge {
                Gauge::InFlight | Gauge::QueueLen => rule.above.floor() + 1.0,
                Gauge::Memory => self.fewest_that_use(server, rule.above),
                Gauge::QueueAge | Gauge::Utilisation => f64::INFINITY,
            });
            let limit = cold.params.memory.as_ref();
            let of_memory = limit.map(|memory| self.fewest_that_use(server, memory.limit));
            from_rules.chain(of_memory).fold(f64::INFINITY, f64::min)
        };
        self.fleet[server].heeded_from = if from.is_infinite() {
            NOT_HEEDED
        } else {
            // To look from fewer on than needed costs time only.
            from.min(f64::from(NOT_HEEDED - 1)) as u16
        };
    }

    /// The same for a balancer instance and its connections.
    pub(super) fn heed_instance(&mut self, index: InstanceId) {
        let instance = &self.balancers[index];
        let balancer = &self.services[instance.service].settings.balancer;
        let from = if instance.watch.since.iter().any(Option::is_some) {
            0.0
        } else {
            let most = |bytes: f64| {
                balancer.memory.map_or(f64::INFINITY, |memory| {
                    ((bytes - memory.base) / memory.per_connection).floor()
                })
            };
            let from_rules = balancer.crash.iter().map(|rule| match rule.gauge.gauge {
                // Several may wait that share a connection.
                Gauge::QueueLen if self.pools.any => 0.0,
                Gauge::Memory => most(rule.above),
                _ => rule.above.floor() + 1.0,
            });
            let of_memory = balancer.memory.map(|memory| most(memory.limit));
            from_rules.chain(of_memory).fold(f64::INFINITY, f64::min)
        };
        self.balancers[index].heeded_from = from as u32;
    }

    /// Looks at a server's crash rules after its numbers changed.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "one comparison for nearly every request"
    )]
    pub(super) fn watch_server(&mut self, server: ServerId) {
        let s = &self.fleet[server];
        if s.is_heeded_at(s.in_system) {
            self.look_at_server(server);
        }
    }

    #[inline(never)]
    fn look_at_server(&mut self, server: ServerId) {
        self.leave_if_empty(server);
        if !self.fleet[server].state.serves() {
            // It cannot crash now; its rules begin anew when it is up.
            return;
        }
        let params = self.fleet.cold[server].params.clone();
        if params.memory.is_some() {
            self.watch_memory(Machine::Server(server));
        }
        for (i, rule) in params.crash.iter().enumerate() {
            if !is_polled(rule) {
                let value = self.server_gauge(server, rule.gauge.gauge);
                self.watch(Machine::Server(server), i, rule, value);
            }
        }
        self.heed_server(server);
    }

    fn memory_gauge(&self, machine: Machine) -> f64 {
        self.memory_of(machine).map_or(0.0, |memory| memory.used)
    }

    pub(super) fn server_gauge(&self, server: ServerId, gauge: Gauge) -> f64 {
        let s = &self.fleet[server];
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
                    .wrapping_sub(self.fleet.cold[server].polled_busy);
                // With every worker broken none is busy: 0, and not 0 / 0.
                area as f64 / POLL as f64 / f64::from(s.workers.max(1))
            }
        }
    }

    fn oldest_waiting(&self, server: ServerId) -> Option<u64> {
        let s = &self.fleet[server];
        let mut oldest: Option<u64> = None;
        let mut see = |at: u64| oldest = Some(oldest.map_or(at, |o| o.min(at)));
        if s.queue_len > 0 {
            let mut index = s.head;
            while index != Slot::NONE {
                see(self.attempts[index].mark);
                // In order of arrival one end is the oldest; otherwise all must be seen.
                index = if matches!(s.waiting, Waiting::Fifo | Waiting::Turning) {
                    Slot::NONE
                } else {
                    self.attempts[index].behind
                };
            }
            for &index in &self.fleet.cold[server].pile {
                see(self.attempts[index].mark);
            }
            for std::cmp::Reverse((_, _, handle)) in &self.fleet.cold[server].ranked {
                if self.attempts.contains(*handle) && self.attempts[*handle].place.is_queued() {
                    see(self.attempts[*handle].mark);
                }
            }
        }
        oldest
    }

    /// Looks at a balancer instance's crash rules after its numbers changed.
    #[inline(always)]
    #[expect(
        clippy::inline_always,
        reason = "one comparison for nearly every request"
    )]
    pub(super) fn watch_instance(&mut self, index: InstanceId) {
        let instance = &self.balancers[index];
        if instance.connections >= instance.heeded_from {
            self.look_at_instance(index);
        }
    }

    #[inline(never)]
    fn look_at_instance(&mut self, index: InstanceId) {
        if !self.balancers[index].state.serves() {
            return;
        }
        let service = self.balancers[index].service;
        if self.services[service].settings.balancer.memory.is_some() {
            self.watch_memory(Machine::Instance(index));
        }
        for i in 0..self.services[service].settings.balancer.crash.len() {
            let rule = self.services[service].settings.balancer.crash[i].clone();
            let value = self.instance_gauge(index, rule.gauge.gauge);
            self.watch(Machine::Instance(index), i, &rule, value);
        }
        self.heed_instance(index);
    }

    pub(super) fn instance_gauge(&self, index: InstanceId, gauge: Gauge) -> f64 {
        let instance = &self.balancers[index];
        match gauge {
            Gauge::QueueLen => f64::from(instance.waiting) + instance.pending.len() as f64,
            Gauge::Memory => self.memory_gauge(Machine::Instance(index)),
            _ => f64::from(instance.connections),
        }
    }

    /// How a server's crash rules stand.
    pub(super) fn server_rules(&self, server: ServerId) -> Vec<RuleNow> {
        let cold = &self.fleet.cold[server];
        let now = |(rule, since): (&CrashRule, &Option<u64>)| RuleNow {
            // A share of the time between two looks says nothing before that is over.
            value: (rule.gauge.gauge != Gauge::Utilisation)
                .then(|| self.server_gauge(server, rule.gauge.gauge)),
            since_ns: *since,
        };
        (cold.params.crash.iter().zip(&cold.watch.since))
            .map(now)
            .collect()
    }

    /// How a balancer instance's crash rules stand.
    pub(super) fn instance_rules(&self, index: InstanceId) -> Vec<RuleNow> {
        let instance = &self.balancers[index];
        let rules = &self.services[instance.service].settings.balancer.crash;
        let now = |(rule, since): (&CrashRule, &Option<u64>)| RuleNow {
            value: Some(self.instance_gauge(index, rule.gauge.gauge)),
            since_ns: *since,
        };
        rules.iter().zip(&instance.watch.since).map(now).collect()
    }

    /// Notes whether a rule holds, and sets its timer when it begins to.
    fn watch(&mut self, machine: Machine, index: usize, rule: &CrashRule, value: f64) {
        let now = self.now;
        let watch = match machine {
            Machine::Server(i) => &mut self.fleet.cold[i].watch,
            Machine::Instance(i) => &mut self.balancers[i].watch,
        };
        let holds = value > rule.above;
        if !holds {
            watch.since[index] = None;
            return;
        }
        let since = *watch.since[index].get_or_insert(now);
        if !std::mem::replace(&mut watch.armed[index], true) {
            let incarnation = self.incarnation(machine).number;
            self.events.schedule(
                since.saturating_add(rule.hold.0),
                Event::CrashDue(machine, index as u16, incarnation),
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
                let cold = &mut self.fleet.cold[i];
                (&mut cold.watch, &cold.params.crash)
            }
            Machine::Instance(i) => {
                let instance = &mut self.balancers[i];
                (
                    &mut instance.watch,
                    &self.services[instance.service].settings.balancer.crash,
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
            self.events
                .schedule(due, Event::CrashDue(machine, index, incarnation));
            return;
        }
        let cause = describe(rule);
        self.crash(machine, Actor::System, cause);
    }

    /// Begins to poll when a server has a rule that needs it.
    pub(super) fn poll_if_asked(&mut self, server: ServerId) {
        if self.fleet.polling || !self.fleet.cold[server].params.crash.iter().any(is_polled) {
            return;
        }
        self.fleet.polling = true;
        for (server, cold) in self.fleet.servers.iter().zip(&mut self.fleet.cold) {
            cold.polled_busy = server.busy_area(self.now);
        }
        self.after(POLL, Event::Poll);
    }

    /// Looks at gauges that change without events.
    pub(super) fn poll(&mut self) {
        for server in self.fleet.servers.ids() {
            let params = self.fleet.cold[server].params.clone();
            if self.fleet[server].state.serves() {
                for (i, rule) in params.crash.iter().enumerate() {
                    if is_polled(rule) {
                        let value = self.server_gauge(server, rule.gauge.gauge);
                        self.watch(Machine::Server(server), i, rule, value);
                    }
                }
            }
            self.fleet.cold[server].polled_busy = self.fleet[server].busy_area(self.now);
        }
        self.after(POLL, Event::Poll);
    }
}

/// Whether the gauge of a rule changes without events.
fn is_polled(rule: &CrashRule) -> bool {
    matches!(rule.gauge.gauge, Gauge::QueueAge | Gauge::Utilisation)
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
