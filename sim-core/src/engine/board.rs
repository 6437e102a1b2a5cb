//! Loads known only from time to time: policies see what the servers last reported.
//!
//! The periodic "bulletin board" of Mitzenmacher, "How useful is old information?", IEEE TPDS
//! 11(1), 2000.

use super::Simulation;
use super::event::Event;
use super::instance::TrueState;
use crate::ids::{Id, LocalId, ServiceId, Table};
use crate::policy::{Oracle, Report};

/// Loads of a service's servers as of the last report.
#[derive(Clone)]
pub(super) struct Board {
    pub in_flight: Table<LocalId, u32>,
    in_system: Table<LocalId, u32>,
    work_ns: Table<LocalId, f64>,
    latency_ns: Table<LocalId, Option<f32>>,
    reports: Table<LocalId, Report>,
}

impl Oracle for Board {
    fn in_system(&self, server: usize) -> u32 {
        self.in_system[LocalId::at(server)]
    }
    fn work_left_ns(&self, server: usize) -> f64 {
        self.work_ns[LocalId::at(server)]
    }
    fn probe(&self, server: usize) -> (u32, Option<f32>) {
        let local = LocalId::at(server);
        (self.in_system[local], self.latency_ns[local])
    }
    fn report(&self, server: usize) -> Report {
        self.reports[LocalId::at(server)]
    }
}

impl Simulation {
    /// Takes on a balancer's settings; the first report comes at once.
    pub(super) fn configure_reports(&mut self, service: ServiceId) {
        let s = &mut self.services[service];
        let wanted = s.settings.balancer.load_reports.is_some();
        let instances = self.balancers.of_mut(service);
        if !wanted && instances.iter().all(|i| i.board.is_none()) {
            return;
        }
        s.report_generation += 1;
        let generation = s.report_generation;
        for instance in instances {
            instance.board = None;
        }
        if wanted {
            self.report(service, generation);
        }
    }

    /// The servers of a service report to all balancer instances.
    pub(super) fn report(&mut self, service: ServiceId, generation: u32) {
        let (now, s) = (self.now, &self.services[service]);
        let period = s.settings.balancer.load_reports;
        let Some(period) = period.filter(|_| s.report_generation == generation) else {
            return;
        };
        let truth = TrueState {
            now,
            servers: &self.fleet.servers,
            service: s,
        };
        let servers = || 0..s.servers.len();
        let in_system: Table<_, _> = servers().map(|server| truth.in_system(server)).collect();
        let work_ns: Table<_, _> = servers().map(|server| truth.work_left_ns(server)).collect();
        let latency_ns: Table<_, _> = servers().map(|server| truth.probe(server).1).collect();
        let reports: Table<_, _> = servers().map(|server| truth.report(server)).collect();
        for instance in self.balancers.of_mut(service) {
            instance.board = Some(Box::new(Board {
                in_flight: instance.in_flight.clone(),
                in_system: in_system.clone(),
                work_ns: work_ns.clone(),
                latency_ns: latency_ns.clone(),
                reports: reports.clone(),
            }));
        }
        self.after(period.0, Event::Report(service, generation));
    }
}
