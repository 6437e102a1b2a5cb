//! From a model to a simulation at time zero: each part makes itself.

use super::Simulation;
use super::attempt::{Attempts, Calls};
use super::cache::Caches;
use super::caller::Caller;
use super::event::Event;
use super::event_queue::EventQueue;
use super::fault::Faults;
use super::fleet::Fleet;
use super::guards::Guards;
use super::instance::Balancers;
use super::link::Links;
use super::pool::Pools;
use super::probe::Probes;
use super::progress::Progress;
use super::recording::Records;
use super::residents::Residents;
use super::scaling::Scalers;
use super::service::Service;
use super::source::Source;
use super::streams::Streams;
use super::timer_fifo::TimerFifos;
use crate::ids::Id;
use crate::model::Model;
use crate::record::Recorder;
use std::sync::Arc;

impl Simulation {
    /// A simulation of `model` at time zero. Replications differ in their random numbers only.
    pub fn new(model: Arc<Model>, replication: u64) -> Self {
        let (clients, services) = (model.clients.len(), model.services.len());
        let balancers = Balancers::new(&model, replication);
        let ways = balancers
            .instances
            .iter()
            .map(|i| i.sent.len())
            .collect::<Vec<_>>();
        let timers = TimerFifos::new(clients, services, ways.len());
        let service = |id| Service::new(&model, replication, Id::at(id), &balancers);
        let source = |(id, source)| Source::new(&model, replication, Id::at(id), source);
        let mut simulation = Self {
            replication,
            now: 0,
            progress: Progress::new(),
            events: EventQueue::new(model.servers.len(), model.sources.len(), timers),
            calls: Calls::new(),
            attempts: Attempts::new(),
            sources: model.sources.iter().enumerate().map(source).collect(),
            thinking: 0,
            callers: model.clients.iter().map(Caller::new).collect(),
            classes: model.classes.iter().cloned().collect(),
            own_demands: model
                .classes
                .iter()
                .map(super::service::own_demand)
                .collect(),
            services: (0..services).map(service).collect(),
            balancers,
            fleet: Fleet::new(&model),
            residents: Residents::default(),
            faults: Faults::default(),
            links: Links::new(&model, replication),
            pools: Pools::new(&model, replication),
            probes: Probes::new(&model),
            scalers: Scalers::new(&model),
            rollouts: Vec::new(),
            caches: Caches::new(&model),
            guards: Guards::new(&model, replication),
            streams: Streams::new(model.seed, replication),
            monitoring: super::monitoring::Monitoring::new(&model),
            reconcile: super::reconcile::Reconcile::new(&model),
            response: super::response::Response::new(&model, replication),
            recorder: Recorder::new(&model, &ways),
            records: Records::new(&model),
            fast: true,
            next_entry: 0,
            branch: 0,
            model,
        };
        simulation.begin();
        simulation
    }

    /// What happens before the first event.
    fn begin(&mut self) {
        for server in self.fleet.servers.ids() {
            self.configure_server(server);
        }
        for service in self.services.ids() {
            self.refresh_links(service);
            self.configure_balancer(service);
            self.refresh_service(service);
            for instance in self.balancers.of(service) {
                self.heed_instance(instance);
            }
            self.start_probers(service);
            self.plan_connections(service);
            self.report_all_idle(service);
        }
        if !self.model.warm_up.is_zero() {
            self.events.schedule(self.model.warm_up.0, Event::Measure);
        }
        self.events.set_tick(self.recorder.interval_ns());
        self.plan_timeline();
        self.start_monitoring();
        for server in self.fleet.servers.ids() {
            self.poll_if_asked(server);
        }
        for service in self.services.ids() {
            self.configure_scaler(service);
        }
        for source in self.sources.ids() {
            self.start_source(source);
        }
    }
}
