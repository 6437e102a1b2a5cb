//! Probes: health checks of balancer instances, and liveness.
//!
//! A probe is an attempt without a caller. It waits in the server's queue like anyone, so a server
//! that is merely busy fails its probes too.

use super::Simulation;
use super::attempt::{Attempt, Place, Purpose};
use super::event::{Event, Machine};
use super::fleet::Fleet;
use super::incarnation::MachineState;
use super::slab::Handle;
use crate::distribution::Distribution;
use crate::event_log::Kind;
use crate::ids::{ClassId, Id, InstanceId, ProberId, ServerId, ServiceId, Table};
use crate::model::{Actor, DownBehaviour, HealthCheck, Liveness, Model, Probe};
use crate::time::Duration;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Who probes whom, and how.
#[derive(Clone)]
pub(super) struct Probes {
    probers: Table<ProberId, Prober>,
    /// Grows with every change of settings.
    generation: u32,
    health: Table<ServiceId, Option<ProbeSettings>>,
    liveness: Table<ServerId, Option<ProbeSettings>>,
}

/// Who probes whom.
#[derive(Clone)]
struct Prober {
    /// The balancer instance; none for liveness.
    instance: InstanceId,
    server: ServerId,
    generation: u32,
    /// Results in a row: successes if positive, failures if negative.
    row: i64,
    probes: u64,
}

/// What probes look like.
#[derive(Clone)]
struct ProbeSettings {
    interval: u64,
    timeout: u64,
    /// Whether a probe only opens a connection.
    connect: bool,
    demand: Arc<dyn Distribution>,
}

impl ProbeSettings {
    fn of_health(check: &HealthCheck) -> Self {
        Self {
            interval: check.interval.0,
            timeout: check.timeout.0,
            connect: check.probe == Probe::Connect,
            demand: check.demand.build().into(),
        }
    }

    fn of_liveness(probe: &Liveness) -> Self {
        Self {
            interval: probe.interval.0,
            timeout: probe.timeout.0,
            connect: false,
            demand: probe.demand.build().into(),
        }
    }
}

impl Probes {
    fn settings(&self, prober: &Prober, fleet: &Fleet) -> Option<&ProbeSettings> {
        match prober.instance {
            InstanceId::NONE => self.liveness[prober.server].as_ref(),
            _ => self.health[fleet[prober.server].service].as_ref(),
        }
    }

    /// Nobody probes yet.
    pub(super) fn new(model: &Model) -> Self {
        Self {
            probers: Table::default(),
            generation: 0,
            health: Table::filled(model.services.len(), None),
            liveness: Table::filled(model.servers.len(), None),
        }
    }
}

impl Simulation {
    /// Sets up the probers that the present settings ask for; those before are void.
    pub(super) fn start_probers(&mut self, service: ServiceId) {
        self.probes.generation += 1;
        let mut void = BTreeMap::new();
        for (id, prober) in self.probes.probers.ids().zip(&mut self.probes.probers) {
            if self.fleet[prober.server].service == service {
                prober.generation = 0;
                void.insert((prober.instance, prober.server), id);
            }
        }
        let check = &self.services[service].settings.balancer.health_check;
        let health = check.as_ref().map(ProbeSettings::of_health);
        let servers = self.services[service].servers.clone();
        for (local, &server) in servers.enumerate() {
            if let Some(check) = &health {
                // Spread over the interval, as real balancers do, so that probes do not come in bursts.
                let share = u128::from(check.interval) * local.position() as u128;
                let offset = (share / servers.len() as u128) as u64;
                for instance in self.balancers.of(service) {
                    self.add_prober(instance, server, offset, &void);
                }
            }
            let probe = &self.fleet.cold[server].params.liveness;
            let liveness = probe.as_ref().map(ProbeSettings::of_liveness);
            if let Some(settings) = &liveness {
                self.add_prober(InstanceId::NONE, server, settings.interval, &void);
            }
            self.probes.liveness[server] = liveness;
        }
        if health.is_none() {
            for instance in self.balancers.of(service) {
                self.balancers[instance].healthy.as_mut_slice().fill(true);
                self.refresh_eligible(instance);
            }
        }
        self.probes.health[service] = health;
    }

    /// Adds a prober, in the place of its void predecessor if it had one: what it saw goes on.
    fn add_prober(
        &mut self,
        instance: InstanceId,
        server: ServerId,
        offset: u64,
        void: &BTreeMap<(InstanceId, ServerId), ProberId>,
    ) {
        let generation = self.probes.generation;
        let prober = if let Some(&id) = void.get(&(instance, server)) {
            self.probes.probers[id].generation = generation;
            id
        } else {
            self.probes.probers.push(Prober {
                instance,
                server,
                generation,
                row: 0,
                probes: 0,
            })
        };
        self.after(offset, Event::Probe { prober, generation });
    }

    /// A probe starts, and the next is planned.
    pub(super) fn probe(&mut self, index: ProberId, generation: u32) {
        let prober = self.probes.probers[index].clone();
        if prober.generation != generation {
            return;
        }
        let Some(settings) = self.probes.settings(&prober, &self.fleet) else {
            return;
        };
        let (interval, timeout, connect) = (settings.interval, settings.timeout, settings.connect);
        let mut draws = self
            .streams
            .probes
            .at(u64::from(index) << 32 | prober.probes);
        let demand = Duration::from_nanos_f64(settings.demand.sample_ns(&mut draws)).0;
        self.probes.probers[index].probes += 1;
        self.after(
            interval,
            Event::Probe {
                prober: index,
                generation,
            },
        );
        let asleep = prober.instance != InstanceId::NONE
            && self.balancers[prober.instance].state == MachineState::Down;
        let server_state = self.fleet[prober.server].state;
        // A liveness probe is the server's own keeper: it rests while the server is down.
        let pointless = server_state == MachineState::Absent
            || (prober.instance == InstanceId::NONE && !server_state.serves());
        if asleep || pointless {
            return;
        }
        // Whoever lives in the server itself needs no link.
        let local = prober.instance == InstanceId::NONE;
        let far = !local && self.fleet.cold[prober.server].path.is_some();
        if connect && server_state.serves() && !far {
            return self.probe_result(index, true);
        }
        let service = self.fleet[prober.server].service;
        let mut attempt = Attempt::new(u64::from(index), service, ClassId(0), self.now);
        attempt.demand_ns = demand;
        attempt.server = prober.server;
        attempt.purpose = match (local, connect) {
            (true, _) => Purpose::Liveness,
            (false, true) => Purpose::Connect,
            (false, false) => Purpose::Check,
        };
        let handle = self.attempts.insert(attempt);
        if far
            || server_state.serves()
            || self.fleet.cold[prober.server].params.down_behaviour == DownBehaviour::BlackHole
        {
            self.after(timeout, Event::ProbeTimeout(handle));
        }
        if far {
            self.attempts.set_ordinal(handle, prober.probes as u32);
            self.send_to_server(handle, prober.server);
        } else {
            self.at_server(handle, prober.server);
        }
    }

    /// A probe has waited long enough: it failed, and its place in the server is given up.
    pub(super) fn probe_timeout(&mut self, handle: Handle) {
        let Attempt { place, server, .. } = self.attempts[handle];
        let prober = ProberId(self.attempts[handle].number as u32);
        match place {
            Place::Queued | Place::Interrupted => {
                self.unqueue(handle);
                self.leave_server(server);
            }
            Place::InService => {
                self.interrupt(handle);
                self.leave_server(server);
            }
            _ => {}
        }
        self.attempts.remove(handle);
        if self.fleet[server].watched {
            self.watch_server(server);
        }
        self.probe_result(prober, false);
    }

    /// A probe was answered or turned away.
    pub(super) fn probe_ended(&mut self, handle: Handle, passed: bool) {
        let prober = ProberId(self.attempts[handle].number as u32);
        self.attempts.remove(handle);
        self.probe_result(prober, passed);
    }

    fn probe_result(&mut self, index: ProberId, passed: bool) {
        let prober = &mut self.probes.probers[index];
        if prober.generation == 0 {
            return;
        }
        prober.row = match (passed, prober.row) {
            (true, row) if row > 0 => row + 1,
            (true, _) => 1,
            (false, row) if row < 0 => row - 1,
            (false, _) => -1,
        };
        let (instance, server, row) = (prober.instance, prober.server, prober.row);
        if instance == InstanceId::NONE {
            self.judge_liveness(index, server, row);
        } else {
            self.judge_health(instance, server, row);
        }
    }

    fn judge_liveness(&mut self, index: ProberId, server: ServerId, row: i64) {
        let Some(liveness) = &self.fleet.cold[server].params.liveness else {
            return;
        };
        if -row >= i64::from(liveness.fall) {
            let cause = format!("killed by its liveness probe after {} failures", -row);
            self.probes.probers[index].row = 0;
            self.crash(Machine::Server(server), Actor::System, cause);
        }
    }

    fn judge_health(&mut self, instance: InstanceId, server: ServerId, row: i64) {
        let service = self.fleet[server].service;
        let Some(check) = &self.services[service].settings.balancer.health_check else {
            return;
        };
        let local = self.fleet[server].local;
        let was = self.balancers[instance].healthy[local];
        let (now_healthy, kind, cause) = if was && -row >= i64::from(check.fall) {
            (false, Kind::Ejected, format!("{} probes failed", -row))
        } else if !was && row >= i64::from(check.rise) {
            (true, Kind::Readmitted, format!("{row} probes passed"))
        } else {
            return;
        };
        self.balancers[instance].healthy[local] = now_healthy;
        self.refresh_eligible(instance);
        let several = self.services[service].active.len() > 1;
        let cause = if several {
            format!("by {}: {cause}", self.balancers[instance].name)
        } else {
            cause
        };
        self.tell(
            kind,
            Actor::System,
            &self.name_of(Machine::Server(server)),
            cause,
        );
    }
}
