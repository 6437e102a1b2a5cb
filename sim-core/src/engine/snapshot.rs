//! What others may see of a running simulation: plain data, taken at a moment.

use super::Simulation;
use super::recording::ServerTotals;
use super::state::{Attempt, MachineState, Purpose};
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
    /// Attempts sent to it so far.
    pub attempts: u64,
    /// Crashes so far.
    pub crashes: u64,
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
    /// Attempts it holds.
    pub connections: u32,
    /// Attempts waiting for itself or for an eligible server.
    pub waiting: u32,
    /// Servers it may pick.
    pub eligible: u32,
    /// Attempts that reached it so far.
    pub attempts: u64,
    /// Crashes so far.
    pub crashes: u64,
    /// Time not up so far, in nanoseconds.
    pub downtime_ns: u64,
    /// Time spent on its own work so far, in nanoseconds.
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
}

impl Conservation {
    /// Whether nothing was lost and nothing invented.
    pub fn holds(&self) -> bool {
        self.arrived == self.ended + self.in_flight
            && self.attempts == self.attempts_ended + self.attempts_in_flight
            && self.servers_astray.is_empty()
            && self.instances_astray.is_empty()
    }
}

impl Simulation {
    /// The state of the system now.
    pub fn snapshot(&self) -> Snapshot {
        let server = |(i, server): (usize, &super::state::Server)| ServerSnapshot {
            state: server.state,
            drained: self.servers_cold[i].out_of_rotation,
            in_system: server.in_system,
            queue_len: server.queue_len,
            busy: server.busy(),
            workers: server.workers,
            warmth: self.servers_cold[i].warmth,
            weight: self.servers_cold[i].params.weight,
            attempts: self.totals[i].at(server, self.now).counts.attempts,
            crashes: self.servers_cold[i].incarnation.crashes,
        };
        let instance = |instance: &super::state::Instance| InstanceSnapshot {
            name: instance.name.clone(),
            service: instance.service,
            state: instance.state,
            connections: instance.connections,
            waiting: instance.waiting + instance.pending.len() as u32,
            eligible: instance.eligible.len() as u32,
            attempts: instance.attempts,
            crashes: instance.incarnation.crashes,
            downtime_ns: instance.incarnation.downtime
                + if matches!(instance.state, MachineState::Down | MachineState::Booting) {
                    self.now - instance.incarnation.down_since
                } else {
                    0
                },
            busy_ns: instance.busy_ns,
        };
        Snapshot {
            at_ns: self.now,
            servers: self.servers.iter().enumerate().map(server).collect(),
            instances: self.instances.iter().map(instance).collect(),
        }
    }

    /// Balances the books by counting what is in flight one by one.
    pub fn conservation(&self) -> Conservation {
        let waits = |a: &Attempt| {
            a.purpose == Purpose::Request && (a.call.is_elided() || self.calls.contains(a.call))
        };
        let mut in_servers = vec![0_u32; self.servers.len()];
        let mut queued = vec![0_u32; self.servers.len()];
        let mut in_instances = vec![0_u32; self.instances.len()];
        let mut attempts_in_flight = 0;
        for (_, attempt) in self.attempts.iter() {
            attempts_in_flight += u64::from(waits(attempt));
            if attempt.place.is_at_server() {
                in_servers[attempt.server as usize] += 1;
                queued[attempt.server as usize] += u32::from(attempt.place.is_queued());
            }
            if let Some(count) = in_instances.get_mut(attempt.instance as usize) {
                *count += 1;
            }
        }
        let flows = &self.recorder.flows;
        let outcomes = |o: &[u64; Outcome::COUNT]| o.iter().sum::<u64>();
        Conservation {
            arrived: flows.iter().map(|f| f.arrived).sum(),
            ended: flows.iter().map(|f| outcomes(&f.outcomes)).sum(),
            in_flight: (self.calls.len() + self.elided) as u64,
            attempts: self.services.iter().map(|s| s.attempts).sum(),
            attempts_ended: self
                .services
                .iter()
                .map(|s| outcomes(&s.attempt_outcomes))
                .sum(),
            attempts_in_flight,
            servers_astray: (0..self.servers.len())
                .filter(|&i| {
                    self.servers[i].in_system != in_servers[i]
                        || self.servers[i].queue_len != queued[i]
                })
                .collect(),
            instances_astray: (0..self.instances.len())
                .filter(|&i| self.instances[i].connections != in_instances[i])
                .collect(),
        }
    }

    /// Measured totals of a server up to now.
    pub(crate) fn server_figures(&self, server: usize) -> ServerFigures {
        let (s, cold) = (&self.servers[server], &self.servers_cold[server]);
        let totals: ServerTotals = self.totals[server].at(s, self.now);
        let down = if matches!(s.state, MachineState::Down | MachineState::Booting) {
            self.now - cold.incarnation.down_since
        } else {
            0
        };
        ServerFigures {
            attempts: totals.counts.attempts - totals.before.attempts,
            succeeded: totals.counts.succeeded - totals.before.succeeded,
            failed: totals.counts.failed - totals.before.failed,
            crashes: cold.incarnation.crashes - totals.crashes_before,
            downtime_ns: (cold.incarnation.downtime + down).saturating_sub(totals.downtime_before),
            in_system_ns: totals.measured_in_system,
            busy_ns: totals.measured_busy,
            queued_ns: totals.measured_queued,
        }
    }

    /// The share of all keys that each server of a service would get, all of them eligible; `None`
    /// where the policy does not go by keys.
    pub(crate) fn key_shares(&self, service: usize) -> Option<Vec<f64>> {
        let of = |instance: &&super::state::Instance| instance.service as usize == service;
        self.instances.iter().find(of)?.policy.key_shares()
    }

    /// Attempts at a service begun after the warm-up, and those of them that ended, by outcome.
    pub(crate) fn service_attempts(&self, service: usize) -> u64 {
        self.services[service].attempts - self.services[service].attempts_before
    }

    /// Work finished since the warm-up, and the part of it that nobody wanted any more, as time
    /// of service in nanoseconds.
    pub(crate) fn work_ns(&self, service: usize) -> (u128, u128) {
        (
            self.services[service].served_ns,
            self.services[service].wasted_ns,
        )
    }

    /// What the policies of a service share, once for each service.
    pub(super) fn policies_bytes(&self) -> usize {
        let mut counted = None;
        let of = |instance: &super::state::Instance| {
            let again = counted.replace(instance.service) == Some(instance.service);
            if again {
                0
            } else {
                instance.policy.shared_bytes()
            }
        };
        self.instances.iter().map(of).sum()
    }

    /// Most requests and attempts in flight at once so far, and the bytes that state and records
    /// take now.
    pub fn footprint(&self) -> (usize, usize) {
        let state = self.calls.peak() * size_of::<super::state::Call>()
            + self.attempts.peak() * size_of::<Attempt>()
            + self.attempts_cold.len() * size_of::<super::state::AttemptCold>()
            + self
                .hedged
                .iter()
                .map(super::hedge::Hedged::bytes)
                .sum::<usize>()
            + self
                .tried
                .iter()
                .map(super::tried::Tried::bytes)
                .sum::<usize>()
            + self.children.len() * size_of::<super::visit::Child>()
            + self.servers.len()
                * (size_of::<super::state::Server>() + size_of::<super::state::ServerCold>())
            + self.policies_bytes()
            + self.event_queue.bytes();
        (
            self.calls.peak().max(self.attempts.peak()),
            state + self.recorder.bytes(),
        )
    }
}
