//! What others may see of a running simulation: plain data, taken at a moment.

use super::Simulation;
use super::attempt::{Attempt, Purpose};
use super::event::Machine;
use super::fleet::{Server, ServerCold};
use super::instance::Instance;
use super::link::LinkSnapshot;
use super::memory::MemoryUse;
use crate::ids::{Id, InstanceId, ServerId, ServiceId, Table};
use crate::machine::MachineState;
use crate::outcome::Outcome;

/// The state of the system at a moment.
#[derive(Clone, PartialEq, Debug)]
pub struct Snapshot {
    /// When, in nanoseconds.
    pub at_ns: u64,
    /// All servers, in the order of the model.
    pub servers: Vec<ServerSnapshot>,
    /// All balancer instances.
    pub instances: Vec<InstanceSnapshot>,
    /// Links that are cut or degraded.
    pub links: Vec<LinkSnapshot>,
}

/// A server at a moment.
#[derive(Clone, PartialEq, Debug)]
pub struct ServerSnapshot {
    /// What it is doing.
    pub state: MachineState,
    /// Whether it is taken out of rotation by hand.
    pub drained: bool,
    /// Waiting or in service.
    pub in_system: u32,
    /// Waiting.
    pub queue_len: u32,
    /// Busy workers.
    pub busy: u32,
    /// Workers.
    pub workers: u32,
    /// Share of its own speed after a start.
    pub warmth: f64,
    /// Weight in the balancer's settings.
    pub weight: f64,
    /// Memory; absent where the settings say nothing of it.
    pub memory: Option<MemoryUse>,
    /// Connections that are kept to it, by balancer instances or, through them, by callers.
    pub connections: u32,
    /// Attempts sent to it so far.
    pub attempts: u64,
    /// Crashes so far.
    pub crashes: u64,
    /// Its crash rules, in their order.
    pub rules: Vec<RuleNow>,
}

/// A crash rule at a moment.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct RuleNow {
    /// What it watches, as its threshold is kept; absent where that is only known at certain moments.
    pub value: Option<f64>,
    /// Since when it has held, in nanoseconds.
    pub since_ns: Option<u64>,
}

/// A balancer instance at a moment.
#[derive(Clone, PartialEq, Debug)]
pub struct InstanceSnapshot {
    /// Its name.
    pub name: String,
    /// Its service.
    pub service: u16,
    /// What it is doing.
    pub state: MachineState,
    /// Connections that its callers keep to it, and attempts that came without one.
    pub connections: u32,
    /// Attempts waiting for itself or for an eligible server.
    pub waiting: u32,
    /// Servers it may pick.
    pub eligible: u32,
    /// Memory; absent where the settings say nothing of it.
    pub memory: Option<MemoryUse>,
    /// Attempts that reached it so far.
    pub attempts: u64,
    /// Crashes so far.
    pub crashes: u64,
    /// Time not up so far, in nanoseconds.
    pub downtime_ns: u64,
    /// Time spent on its own work so far, in nanoseconds.
    pub busy_ns: u64,
    /// The same four since the end of the warm-up.
    pub measured: InstanceTotals,
    /// Its crash rules, in their order.
    pub rules: Vec<RuleNow>,
}

/// Totals of a balancer instance since the end of the warm-up.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InstanceTotals {
    /// Attempts that reached it.
    pub attempts: u64,
    /// Crashes.
    pub crashes: u64,
    /// Time not up, in nanoseconds.
    pub downtime_ns: u64,
    /// Time spent on its own work, in nanoseconds.
    pub busy_ns: u64,
}

/// Measured totals of a server.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct ServerFigures {
    pub attempts: u64,
    pub succeeded: u64,
    pub failed: u64,
    pub crashes: u64,
    pub downtime_ns: u64,
    pub in_system_ns: u128,
    pub busy_ns: u128,
    pub queued_ns: u128,
    /// Time of its workers while it was there, whether up or not.
    pub worker_ns: u128,
    /// The same in time of service: work that they could have done at the server's own speed.
    pub capacity_ns: f64,
}

/// Both sides of the books, at a moment.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Conservation {
    /// Requests (calls from outside and between services) that came.
    pub arrived: u64,
    /// Of those, the ones that ended.
    pub ended: u64,
    /// Calls found in flight.
    pub in_flight: u64,
    /// Attempts begun.
    pub attempts: u64,
    /// Attempts whose end was counted.
    pub attempts_ended: u64,
    /// Attempts found in flight whose caller waits.
    pub attempts_in_flight: u64,
    /// Servers whose own count differs from the attempts found in them.
    pub servers_astray: Vec<usize>,
    /// Balancer instances whose own count differs from the attempts found to be theirs.
    pub instances_astray: Vec<usize>,
    /// Shared machines whose count of requests at work differs from those of their servers, or one of whose
    /// servers has another pace than follows from it.
    pub hosts_astray: Vec<usize>,
}

impl Conservation {
    /// Whether nothing was lost and nothing invented.
    pub fn holds(&self) -> bool {
        self.arrived == self.ended + self.in_flight
            && self.attempts == self.attempts_ended + self.attempts_in_flight
            && self.servers_astray.is_empty()
            && self.instances_astray.is_empty()
            && self.hosts_astray.is_empty()
    }
}

impl Simulation {
    /// The state of the system now.
    pub fn snapshot(&self) -> Snapshot {
        let server = |(id, server): (ServerId, &Server)| {
            let cold = &self.fleet.cold[id];
            ServerSnapshot {
                state: server.state,
                drained: cold.out_of_rotation,
                in_system: server.in_system,
                queue_len: server.queue_len,
                busy: server.busy(),
                workers: server.workers,
                warmth: cold.warmth,
                weight: cold.params.weight,
                memory: self.memory_of(Machine::Server(id)),
                connections: self.pools.at_server(id),
                attempts: self.records.totals[id].at(server, self.now).counts.attempts,
                crashes: cold.incarnation.crashes,
                rules: self.server_rules(id),
            }
        };
        Snapshot {
            at_ns: self.now,
            servers: self.fleet.servers.enumerate().map(server).collect(),
            instances: self.instances_snapshot(),
            links: self.links_snapshot(),
        }
    }

    /// The balancer instances of a snapshot alone: servers are many more.
    pub(crate) fn instances_snapshot(&self) -> Vec<InstanceSnapshot> {
        let instance = |(id, instance): (InstanceId, &Instance)| InstanceSnapshot {
            name: instance.name.clone(),
            service: instance.service.0,
            state: instance.state,
            connections: instance.connections,
            waiting: instance.waiting + instance.pending.len() as u32,
            eligible: instance.offers.eligible(),
            memory: self.memory_of(Machine::Instance(id)),
            attempts: instance.attempts,
            crashes: instance.incarnation.crashes,
            downtime_ns: instance.incarnation.downtime_at(instance.state, self.now),
            busy_ns: instance.figures_at(self.now).busy_ns,
            measured: {
                let measured = instance.measured_at(self.now);
                InstanceTotals {
                    attempts: measured.attempts,
                    crashes: measured.crashes,
                    downtime_ns: measured.downtime_ns,
                    busy_ns: measured.busy_ns,
                }
            },
            rules: self.instance_rules(id),
        };
        (self.balancers.instances.enumerate())
            .map(instance)
            .collect()
    }

    /// Balances the books by counting what is in flight one by one.
    pub fn conservation(&self) -> Conservation {
        let waits = |a: &Attempt| {
            a.purpose == Purpose::Request && (a.call.is_elided() || self.calls.contains(a.call))
        };
        let (servers, instances) = (&self.fleet.servers, &self.balancers.instances);
        let mut in_servers = Table::filled(servers.len(), 0_u32);
        let mut queued = Table::filled(servers.len(), 0_u32);
        let mut in_instances = Table::filled(instances.len(), 0_u32);
        let mut attempts_in_flight = 0;
        for (handle, attempt) in self.attempts.iter() {
            attempts_in_flight += u64::from(waits(attempt));
            if attempt.place.is_at_server() {
                in_servers[attempt.server] += 1;
                queued[attempt.server] += u32::from(attempt.place.is_queued());
            }
            if let Some(count) = in_instances.get_mut(attempt.instance)
                && attempt.purpose != Purpose::Try
            {
                // Nothing is written down of the connections of one whose call is not.
                let stands = !attempt.call.is_elided() && self.pools.stand_for(handle).0;
                *count += u32::from(!stands);
            }
        }
        for instance in self.pools.held() {
            in_instances[instance] += 1;
        }
        let flows = &self.recorder.flows;
        let outcomes = |o: &[u64; Outcome::COUNT]| o.iter().sum::<u64>();
        Conservation {
            arrived: flows.iter().map(|f| f.arrived).sum(),
            ended: flows.iter().map(|f| outcomes(&f.outcomes)).sum(),
            in_flight: (self.calls.len() + self.attempts.elided - self.caches.waiting()) as u64,
            attempts: self.services.iter().map(|s| s.attempts).sum(),
            attempts_ended: self
                .services
                .iter()
                .map(|s| outcomes(&s.attempt_outcomes))
                .sum(),
            attempts_in_flight,
            servers_astray: servers
                .enumerate()
                .filter(|&(id, s)| s.in_system != in_servers[id] || s.queue_len != queued[id])
                .map(|(id, _)| id.position())
                .collect(),
            hosts_astray: self.hosts_astray(),
            instances_astray: instances
                .enumerate()
                .filter(|&(id, i)| i.connections != in_instances[id])
                .map(|(id, _)| id.position())
                .collect(),
        }
    }

    /// Measured totals of a service's servers up to now, in order.
    pub(crate) fn server_figures(&self, service: ServiceId) -> Vec<ServerFigures> {
        let servers = &self.model.services[service.position()].servers;
        let workers = self.workers_on(servers);
        let figures =
            |&server: &ServerId| self.figures_of(server, self.core_of_worker(server, &workers));
        servers.iter().map(figures).collect()
    }

    fn figures_of(&self, server: ServerId, cores: f64) -> ServerFigures {
        let (s, cold) = (&self.fleet[server], &self.fleet.cold[server]);
        let mut totals = self.records.totals[server].at(s, self.now);
        let staffed = &mut totals.staffed;
        staffed.advance(s.state, &cold.params, cores, self.now);
        let downtime_ns = cold.incarnation.downtime_at(s.state, self.now);
        ServerFigures {
            attempts: totals.counts.attempts - totals.before.attempts,
            succeeded: totals.counts.succeeded - totals.before.succeeded,
            failed: totals.counts.failed - totals.before.failed,
            crashes: cold.incarnation.crashes - totals.crashes_before,
            downtime_ns: downtime_ns.saturating_sub(totals.downtime_before),
            in_system_ns: totals.measured_in_system,
            busy_ns: totals.measured_busy,
            queued_ns: totals.measured_queued,
            worker_ns: totals.staffed.worker_ns,
            capacity_ns: totals.staffed.capacity_ns,
        }
    }

    /// Attempts at a service begun after the warm-up, and those of them that ended, by outcome.
    pub(crate) fn service_attempts(&self, service: ServiceId) -> u64 {
        self.services[service].attempts - self.services[service].attempts_before
    }

    /// Attempts answered since the warm-up, whenever they were begun.
    pub(crate) fn service_answers(&self, service: ServiceId) -> u64 {
        let service = &self.services[service];
        service.attempt_outcomes[Outcome::Succeeded as usize] - service.answers_before
    }

    /// Work that requests to a service have asked for since the warm-up, as mean time of service in
    /// nanoseconds: each at the demand of its time.
    pub(crate) fn offered_ns(&self, service: ServiceId) -> f64 {
        let mut records = self.records.offered.clone();
        records.settle(self);
        records.work_ns[service]
    }

    /// Time since the warm-up with each number of requests at a service's servers, in nanoseconds; `None`
    /// where that is not kept.
    pub(crate) fn numbers_ns(&self, service: ServiceId) -> Option<Vec<u64>> {
        let numbers = self.services[service].numbers.as_ref();
        numbers.map(|numbers| numbers.spent_ns(self.now))
    }

    /// Work finished since the warm-up, and the part of it that nobody wanted any more, as time
    /// of service in nanoseconds.
    pub(crate) fn work_ns(&self, service: ServiceId) -> (u128, u128) {
        (
            self.services[service].served_ns,
            self.services[service].wasted_ns,
        )
    }

    /// What the policies of a service share, once for each service.
    pub(super) fn policies_bytes(&self) -> usize {
        let first = |service| self.balancers.of(service).next();
        let firsts = self.services.ids().filter_map(first);
        firsts
            .map(|i| self.balancers[i].policy.shared_bytes())
            .sum()
    }

    /// Most requests and attempts in flight at once so far, and the bytes that state and records
    /// take now.
    pub fn footprint(&self) -> (usize, usize) {
        let state = self.calls.bytes()
            + self.attempts.bytes()
            + self.guards.bytes()
            + self.fleet.servers.len() * (size_of::<Server>() + size_of::<ServerCold>())
            + self.policies_bytes()
            + (self.balancers.instances.iter())
                .map(|instance| instance.policy.own_bytes())
                .sum::<usize>()
            + self.monitoring_bytes()
            + self.events.bytes();
        (
            self.calls.most.max(self.attempts.peak()),
            state + self.recorder.bytes(),
        )
    }
}
