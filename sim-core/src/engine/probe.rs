//! Probes: those that health rules of balancer instances ask for, and liveness.
//!
//! A probe is an attempt without a caller. It waits in the server's queue like anyone, so a server
//! that is merely busy fails its probes too.

use super::Simulation;
use super::attempt::{Attempt, Place, Purpose};
use super::event::{Event, Machine};
use super::fleet::Fleet;
use super::slab::Handle;
use crate::distribution::Distribution;
use crate::health::{Checks, Phase, Probe};
use crate::ids::{ClassId, Id, InstanceId, LocalId, ProberId, ServerId, ServiceId, Table};
use crate::machine::MachineState;
use crate::model::{Actor, Afflicted, DownBehaviour, Liveness, Model};
use crate::time::Duration;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

/// Who probes whom, and how.
#[derive(Clone)]
pub(super) struct Probes {
    probers: Table<ProberId, Prober>,
    /// Grows with every change of settings.
    generation: u32,
    health: Table<ServiceId, Option<ProbeSettings>>,
    /// The same of servers at which anything differs.
    own: BTreeMap<ServerId, ProbeSettings>,
    liveness: Table<ServerId, Option<ProbeSettings>>,
    /// Who probes the liveness of each server, where somebody does or did.
    of_liveness: BTreeMap<ServerId, ProberId>,
    /// Services whose settings of probes have just changed.
    to_start: BTreeSet<ServiceId>,
}

/// Who probes whom.
#[derive(Clone)]
struct Prober {
    /// The balancer instance; none for liveness.
    instance: InstanceId,
    server: ServerId,
    generation: u32,
    /// Failures of liveness in a row.
    failures: u32,
    probes: u64,
    /// When its latest probe began and when the next is planned, once it has sent one.
    latest: Option<(u64, u64)>,
}

/// What probes look like.
#[derive(Clone)]
struct ProbeSettings {
    interval: u64,
    /// The same while results so far have begun to speak against the present judgement.
    fast_interval: u64,
    /// The same of a server that is out.
    down_interval: u64,
    /// The same while the instance has had no traffic; the first one comes at once then.
    idle_interval: Option<u64>,
    timeout: u64,
    /// Whether a probe only opens a connection.
    connect: bool,
    /// Whether the errors of a server hit it.
    errors: bool,
    /// Whether the first one comes at a random time.
    random_phase: bool,
    demand: Arc<dyn Distribution>,
}

impl ProbeSettings {
    fn of_health(check: &Checks) -> Self {
        Self {
            interval: check.interval.0,
            fast_interval: check.fast_interval.0,
            down_interval: check.down_interval.0,
            idle_interval: check.idle_interval.map(|span| span.0),
            timeout: check.timeout.0,
            connect: check.probe == Probe::Connect,
            errors: check.errors,
            random_phase: check.phase == Phase::Seed,
            demand: check.demand.build().into(),
        }
    }

    fn of_liveness(probe: &Liveness) -> Self {
        Self {
            interval: probe.interval.0,
            fast_interval: probe.interval.0,
            down_interval: probe.interval.0,
            idle_interval: None,
            timeout: probe.timeout.0,
            connect: probe.probe == Probe::Connect,
            errors: false,
            random_phase: false,
            demand: probe.demand.build().into(),
        }
    }
}

impl ProbeSettings {
    /// Whether all probes come at the same interval.
    fn is_steady(&self) -> bool {
        [self.fast_interval, self.down_interval] == [self.interval; 2]
            && self.idle_interval.is_none()
    }
}

impl Probes {
    fn settings(&self, prober: &Prober, fleet: &Fleet) -> Option<&ProbeSettings> {
        if prober.instance == InstanceId::NONE {
            return self.liveness[prober.server].as_ref();
        }
        let own = self.own.get(&prober.server);
        own.or(self.health[fleet[prober.server].service].as_ref())
    }

    /// Nobody probes yet.
    pub(super) fn new(model: &Model) -> Self {
        Self {
            probers: Table::default(),
            generation: 0,
            health: Table::filled(model.services.len(), None),
            own: BTreeMap::new(),
            liveness: Table::filled(model.servers.len(), None),
            of_liveness: BTreeMap::new(),
            to_start: BTreeSet::new(),
        }
    }
}

impl Simulation {
    /// Probers are to be set up anew, once for all changes of settings that are made together.
    pub(super) fn renew_probers(&mut self, service: ServiceId) {
        self.probes.to_start.insert(service);
    }

    /// Sets up the probers of services whose settings have changed.
    pub(super) fn start_changed_probers(&mut self) {
        while let Some(service) = self.probes.to_start.pop_first() {
            self.start_probers(service);
        }
    }

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
        let checks = self.services[service].settings.balancer.checks();
        let health = checks.as_ref().map(ProbeSettings::of_health);
        let servers = self.services[service].servers.clone();
        for (local, &server) in servers.enumerate() {
            let own = &self.fleet.cold[server].params.health;
            self.probes.own.remove(&server);
            if health.is_some() && !own.is_plain() {
                let differing = self.services[service].settings.balancer.checks_at(own);
                let differing = differing.as_ref().map(ProbeSettings::of_health);
                (self.probes.own).extend(differing.map(|differing| (server, differing)));
            }
            let check = self.probes.own.get(&server).or(health.as_ref());
            if let Some(check) = check.filter(|_| own.checked).cloned() {
                // Spread over the interval, as real balancers do, so that probes do not come in bursts.
                let share = u128::from(check.interval) * local.position() as u128;
                let offset = (share / servers.len() as u128) as u64;
                for instance in self.balancers.of(service) {
                    let offset = if check.idle_interval.is_some() && !self.has_had_traffic(instance)
                    {
                        0
                    } else if check.random_phase {
                        let number = u64::from(instance) << 32 | u64::from(server);
                        let point = self.streams.phases.at(number).uniform();
                        (check.interval as f64 * point) as u64
                    } else {
                        offset
                    };
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
            let prober = &mut self.probes.probers[id];
            (prober.generation, prober.latest) = (generation, None);
            id
        } else {
            self.probes.probers.push(Prober {
                instance,
                server,
                generation,
                failures: 0,
                probes: 0,
                latest: None,
            })
        };
        if instance == InstanceId::NONE {
            self.probes.of_liveness.insert(server, prober);
        }
        self.after(offset, Event::Probe(prober, generation));
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
        let (timeout, connect, errors) = (settings.timeout, settings.connect, settings.errors);
        let mut draws = self
            .streams
            .probes
            .at(u64::from(index) << 32 | prober.probes);
        let mut demand = Duration::from_nanos_f64(settings.demand.sample_ns(&mut draws)).0;
        let next = (self.now).saturating_add(self.pause(&prober, settings));
        let record = &mut self.probes.probers[index];
        record.probes += 1;
        record.latest = Some((self.now, next));
        self.events.schedule(next, Event::Probe(index, generation));
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
            return self.probe_result(index, true, false);
        }
        let cold = &self.fleet.cold[prober.server];
        let fails = errors && draws.chance(cold.error_rate);
        // A wrong path answers as it does; whoever lives in the server itself asks another.
        let path = if local || connect {
            None
        } else {
            self.faults.effect(Afflicted::Server(prober.server)).checks
        };
        let fails = path.map_or(fails, |passes| !passes);
        if fails && let Some(of_error) = &cold.error_demand {
            demand = Duration::from_nanos_f64(of_error.sample_ns(&mut draws)).0;
        }
        let service = self.fleet[prober.server].service;
        let mut attempt = Attempt::new(u64::from(index), service, ClassId(0), self.now);
        attempt.demand_ns = demand;
        attempt.server = prober.server;
        attempt.fails = fails;
        attempt.purpose = match (local, connect) {
            (true, _) => Purpose::Liveness,
            (false, true) => Purpose::Connect,
            (false, false) => Purpose::Check,
        };
        let handle = self.attempts.insert(attempt);
        // What its answer meets on the way back is drawn by it, and links may fail meanwhile.
        self.attempts.set_ordinal(handle, prober.probes as u32);
        if far
            || server_state.serves()
            || self.fleet.cold[prober.server].params.down_behaviour == DownBehaviour::BlackHole
        {
            self.after(timeout, Event::ProbeTimeout(handle));
        }
        if far {
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
        self.watch_server(server);
        self.probe_result(prober, false, false);
    }

    /// A probe was answered or turned away.
    pub(super) fn probe_ended(&mut self, handle: Handle, passed: bool) {
        let prober = ProberId(self.attempts[handle].number as u32);
        let error = !passed && self.attempts[handle].fails;
        self.attempts.remove(handle);
        self.probe_result(prober, passed, error);
    }

    /// `error`: it failed because it was answered with an error.
    fn probe_result(&mut self, index: ProberId, passed: bool, error: bool) {
        let prober = &mut self.probes.probers[index];
        if prober.generation == 0 {
            return;
        }
        let (instance, server) = (prober.instance, prober.server);
        if instance == InstanceId::NONE {
            prober.failures = if passed { 0 } else { prober.failures + 1 };
            let failures = prober.failures;
            return self.judge_liveness(index, server, failures);
        }
        self.checked(instance, self.fleet[server].local, passed, error);
        self.replan(index);
    }

    /// Time until the next probe, as things are.
    fn pause(&self, prober: &Prober, settings: &ProbeSettings) -> u64 {
        if settings.is_steady() || prober.instance == InstanceId::NONE {
            return settings.interval;
        }
        let local = self.fleet[prober.server].local;
        let health = &self.balancers[prober.instance].health;
        if let Some(idle) = settings.idle_interval
            && !self.has_had_traffic(prober.instance)
        {
            idle
        } else if health.doubts(local) {
            settings.fast_interval
        } else if health.is_out(local) {
            settings.down_interval
        } else {
            settings.interval
        }
    }

    /// Whether an instance has had traffic since it started.
    fn has_had_traffic(&self, instance: InstanceId) -> bool {
        let instance = &self.balancers[instance];
        instance.attempts > instance.attempts_before
    }

    /// What was seen of a server's traffic may bring its next check closer.
    pub(super) fn replan_checks(&mut self, instance: InstanceId, local: LocalId) {
        let service = self.balancers[instance].service;
        let server = self.services[service].servers[local];
        let own = self.probes.own.get(&server);
        let settings = own.or(self.probes.health[service].as_ref());
        if settings.is_none_or(ProbeSettings::is_steady) {
            return;
        }
        let all = self.probes.probers.enumerate();
        let mut of_it = all.filter(|(_, prober)| {
            prober.generation > 0 && (prober.instance, prober.server) == (instance, server)
        });
        let prober = of_it.next().map(|(id, _)| id);
        drop(of_it);
        if let Some(prober) = prober {
            self.replan(prober);
        }
    }

    /// A result may have begun doubts, or ended them: the next probe then comes sooner or later, but
    /// never before the result of the latest.
    fn replan(&mut self, index: ProberId) {
        let prober = &self.probes.probers[index];
        let (Some(settings), Some((began, planned))) =
            (self.probes.settings(prober, &self.fleet), prober.latest)
        else {
            return;
        };
        if settings.is_steady() {
            return;
        }
        let next = began
            .saturating_add(self.pause(prober, settings))
            .max(self.now);
        if next == planned {
            return;
        }
        self.probes.generation += 1;
        let generation = self.probes.generation;
        let prober = &mut self.probes.probers[index];
        (prober.generation, prober.latest) = (generation, Some((began, next)));
        self.events.schedule(next, Event::Probe(index, generation));
    }

    fn judge_liveness(&mut self, index: ProberId, server: ServerId, failures: u32) {
        let Some(liveness) = &self.fleet.cold[server].params.liveness else {
            return;
        };
        if failures >= liveness.fall {
            let cause = format!("killed by its liveness probe after {failures} failures");
            self.probes.probers[index].failures = 0;
            self.crash(Machine::Server(server), Actor::System, cause);
        }
    }

    /// A server has restarted: what its liveness probe saw of the incarnation before does not count.
    pub(super) fn liveness_begins_anew(&mut self, server: ServerId) {
        if self.probes.liveness[server].is_none() {
            return;
        }
        if let Some(&prober) = self.probes.of_liveness.get(&server) {
            self.probes.probers[prober].failures = 0;
        }
    }
}
