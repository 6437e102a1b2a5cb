//! From a model to a simulation at time zero.

use super::Simulation;
use super::caller::constant_ns;
use super::event::Event;
use super::event_queue::EventQueue;
use super::recording::{ServerRecorded, ServerTotals};
use super::slab::Slab;
use super::state::{
    Caller, Incarnation, Instance, MachineState, NIL, Server, ServerCold, Service, Source, Waiting,
    Watch,
};
use crate::arrival::Arrivals;
use crate::draws::Stream;
use crate::extension::Configured;
use crate::model::{Model, ServerId};
use crate::policy::{Policy, PolicyDef};
use crate::record::Recorder;
use std::collections::{BinaryHeap, VecDeque};
use std::sync::Arc;

/// What a fifo's entries are.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum TimerKind {
    Timeout,
    Deadline,
    ToBalancer,
    ToCaller,
    Dispatch,
}

/// Numbers of the fifos: two for each client, two for each service, one for each instance.
#[derive(Clone, Copy)]
pub(super) struct TimerFifos {
    clients: usize,
    services: usize,
}

impl TimerFifos {
    pub(super) fn timeout(client: u16) -> usize {
        2 * client as usize
    }
    pub(super) fn deadline(client: u16) -> usize {
        2 * client as usize + 1
    }
    pub(super) fn to_balancer(self, service: u16) -> usize {
        2 * (self.clients + service as usize)
    }
    pub(super) fn to_caller(self, service: u16) -> usize {
        2 * (self.clients + service as usize) + 1
    }
    pub(super) fn dispatch(self, instance: u32) -> usize {
        2 * (self.clients + self.services) + instance as usize
    }
    pub(super) fn kind(self, fifo: usize) -> TimerKind {
        let (clients, services) = (2 * self.clients, 2 * (self.clients + self.services));
        match (fifo < clients, fifo < services, fifo % 2) {
            (true, _, 0) => TimerKind::Timeout,
            (true, _, _) => TimerKind::Deadline,
            (_, true, 0) => TimerKind::ToBalancer,
            (_, true, _) => TimerKind::ToCaller,
            _ => TimerKind::Dispatch,
        }
    }
}

impl Simulation {
    /// A simulation of `model` at time zero. Replications differ in their random numbers only.
    pub fn new(model: Arc<Model>, replication: u64) -> Self {
        let stream = |concern: &str| Stream::new(model.seed, replication, concern);
        let fifos = TimerFifos {
            clients: model.clients.len(),
            services: model.services.len(),
        };
        let instances = instances(&model, replication);
        let fifo_count = fifos.dispatch(instances.len() as u32);
        let mut simulation = Self {
            replication,
            now: 0,
            end: None,
            digest: 0,
            events: 0,
            looked_at: 0,
            still: 0,
            elided: 0,
            polling: false,
            next_look: 1,
            event_queue: EventQueue::new(model.servers.len(), model.sources.len(), fifo_count),
            fifos,
            calls: Slab::new(),
            attempts: Slab::new(),
            attempts_cold: Vec::new(),
            hedged: Vec::new(),
            tried: Vec::new(),
            children: Vec::new(),
            apart: Vec::new(),
            servers: servers(&model),
            servers_cold: servers_cold(&model),
            services: services(&model, &instances, replication),
            balancers: model.services.iter().map(|s| s.balancer.clone()).collect(),
            service_calls: model.services.iter().map(|s| s.calls.clone()).collect(),
            callers: model.clients.iter().map(Caller::new).collect(),
            sources: sources(&model, replication),
            classes: model.classes.clone(),
            probers: Vec::new(),
            probe_generation: 0,
            fast: true,
            health: vec![None; model.services.len()],
            liveness: vec![None; model.servers.len()],
            pending_to_drain: Vec::new(),
            started: 0,
            next_timeline_entry: 0,
            request_stream: stream("requests"),
            network_stream: stream("network"),
            reply_stream: stream("network/reply"),
            policy_stream: stream("policy"),
            retry_stream: stream("retries"),
            fault_stream: stream("faults"),
            call_stream: stream("calls"),
            probe_stream: stream("probes"),
            patience_stream: stream("patience"),
            breakdown_stream: stream("breakdowns"),
            order_stream: stream("order"),
            idle_stream: stream("idle"),
            selection_stream: stream("spread"),
            boot_stream: stream("boot"),
            totals: vec![ServerTotals::default(); model.servers.len()],
            recorded: vec![ServerRecorded::default(); model.servers.len()],
            records: 0,
            advanced_at: 0,
            service_intervals: Vec::new(),
            instance_intervals: Vec::new(),
            service_busy: vec![0.0; model.services.len()],
            recorder: Recorder::new(&model, instances.len()),
            instances,
            model,
        };
        simulation.begin();
        simulation
    }

    /// What happens before the first event.
    fn begin(&mut self) {
        for server in 0..self.servers.len() as u32 {
            self.configure_server(server);
        }
        for service in 0..self.services.len() as u16 {
            self.configure_balancer(service);
            self.refresh_service(service);
            self.start_probers(service);
            self.report_all_idle(service);
        }
        if !self.model.warm_up.is_zero() {
            self.event_queue
                .schedule(self.model.warm_up.0, Event::Measure);
        }
        self.event_queue.set_tick(self.recorder.interval_ns());
        self.plan_timeline();
        for server in 0..self.servers.len() as u32 {
            self.poll_if_asked(server);
        }
        for source in 0..self.sources.len() as u16 {
            self.start_source(source);
        }
    }
}

/// The policy of any instance of a service, with its servers in their places.
pub(super) fn policy(
    model: &Model,
    replication: u64,
    service: u16,
    choice: &Configured<PolicyDef>,
) -> Box<dyn Policy> {
    let service = &model.services[service as usize];
    let mut policy = choice.build();
    policy.place_servers(service.servers.len(), &|server| {
        let server = &model.servers[service.servers[server].0 as usize].name;
        let concern = format!("ring/{}/{server}", service.name);
        Stream::new(model.seed, replication, &concern)
    });
    policy
}

fn instances(model: &Model, replication: u64) -> Vec<Instance> {
    let mut instances = Vec::new();
    for (id, service) in model.services.iter().enumerate() {
        let balancer = &service.balancer;
        let n = service.servers.len();
        // Clones of one, so that they share what is the same for all.
        let first = policy(model, replication, id as u16, &balancer.policy);
        for number in 0..balancer.instances + balancer.standby.count {
            let policy = first.clone();
            instances.push(Instance {
                service: id as u16,
                name: format!("{}-lb-{}", service.name, number + 1),
                state: if number < balancer.instances {
                    MachineState::Up
                } else {
                    MachineState::Absent
                },
                observes: policy.observes(),
                policy,
                board: None,
                connections: 0,
                waiting: 0,
                busy_until: 0,
                busy_ns: 0,
                in_flight: vec![0; n],
                healthy: vec![true; n],
                eligible: Vec::with_capacity(n),
                pending: VecDeque::new(),
                watch: Watch::new(balancer.crash.len()),
                watched: !balancer.crash.is_empty(),
                incarnation: Incarnation::default(),
                attempts: 0,
            });
        }
    }
    instances
}

fn servers(model: &Model) -> Vec<Server> {
    let mut locals = vec![0; model.services.len()];
    let mut one = |server: &crate::model::Server| {
        let local = &mut locals[server.service.0 as usize];
        *local += 1;
        Server {
            virtual_now: 0,
            virtual_at: 0,
            virtual_part: 0.0,
            rate: server.params.speed,
            finish_sum: 0,
            queued_ns: 0,
            area_in_system: 0,
            area_busy: 0,
            area_queued: 0,
            first: NIL,
            in_service: 0,
            holding: 0,
            in_system: 0,
            queue_len: 0,
            head: NIL,
            tail: NIL,
            workers: server.params.workers,
            queue_limit: server.params.queue_limit,
            attempts: 0,
            succeeded: 0,
            failed: 0,
            state: if server.present {
                MachineState::Up
            } else {
                MachineState::Absent
            },
            waiting: Waiting::Fifo,
            elastic: false,
            watched: false,
            local: *local - 1,
            fast: false,
            service: server.service.0,
        }
    };
    model.servers.iter().map(&mut one).collect()
}

fn servers_cold(model: &Model) -> Vec<ServerCold> {
    let one = |server: &crate::model::Server| ServerCold {
        params: Arc::clone(&server.params),
        in_service: BinaryHeap::new(),
        ranked: BinaryHeap::new(),
        pile: Vec::new(),
        picked: 0,
        error_demand: None,
        patience: None,
        breakdowns: None,
        broken: 0,
        breakdown_draws: 0,
        breakdown_generation: 0,
        watch: Watch::new(server.params.crash.len()),
        incarnation: Incarnation::default(),
        warmth: 1.0,
        slow: 1.0,
        slow_generation: 0,
        polled_busy: 0,
        out_of_rotation: false,
        leaving: false,
    };
    model.servers.iter().map(one).collect()
}

fn services(model: &Model, instances: &[Instance], replication: u64) -> Vec<Service> {
    let of = |id: usize, state: MachineState| {
        let all = instances.iter().enumerate();
        all.filter(|(_, i)| i.service as usize == id && i.state == state)
            .map(|(i, _)| i as u32)
            .collect()
    };
    let one = |(id, service): (usize, &crate::model::Service)| {
        let network: Arc<dyn crate::distribution::Distribution> = service.network.build().into();
        let params = |server: &ServerId| &model.servers[server.0 as usize].params;
        Service {
            demand: service.demand.build().into(),
            demand_stream: Stream::new(
                model.seed,
                replication,
                &format!("demand/{}", service.name),
            ),
            network_ns: constant_ns(&*network),
            network,
            servers: service.servers.iter().map(|s| s.0).collect(),
            weights: service.servers.iter().map(|s| params(s).weight).collect(),
            active: of(id, MachineState::Up),
            spares: of(id, MachineState::Absent),
            down_behaviour: service.balancer.down_behaviour,
            cost: 0,
            max_connections: u32::MAX,
            has_calls: !service.calls.is_empty(),
            limited: service
                .servers
                .iter()
                .any(|s| params(s).max_connections.is_some()),
            tracks_idle: false,
            idle_reports: 0,
            random_selection: false,
            report_generation: 0,
            fast: false,
            attempts: 0,
            attempts_before: 0,
            attempts_recorded: 0,
            busy_recorded: 0.0,
            attempt_outcomes: [0; crate::outcome::Outcome::COUNT],
            wasted_ns: 0,
            served_ns: 0,
        }
    };
    model.services.iter().enumerate().map(one).collect()
}

fn sources(model: &Model, replication: u64) -> Vec<Source> {
    let one = |source: &crate::model::Source| {
        let arrivals = source.arrivals.build();
        Source {
            gaps: match &arrivals {
                Arrivals::Open(gaps) => Some(Arc::clone(gaps)),
                Arrivals::Modulated(phases) => Some(Arc::clone(&phases[0].gaps)),
                Arrivals::Closed { .. } | Arrivals::Trace(_) => None,
            },
            arrivals,
            rate: Arc::clone(&source.rate),
            corner: 0,
            stream: Stream::new(
                model.seed,
                replication,
                &format!("arrivals/{}", source.name),
            ),
            mix: source.mix.clone(),
            keys: source.key.build(),
            clients: source.clients.iter().map(|c| c.0).collect(),
            to: source.to.0,
            count: 0,
            fast: false,
            phase: 0,
            phases_begun: 0,
            phase_stream: Stream::new(model.seed, replication, &format!("phases/{}", source.name)),
            thoughts: 0,
            from: 0,
            gap: 0.0,
            batch: Box::default(),
        }
    };
    model.sources.iter().map(one).collect()
}
