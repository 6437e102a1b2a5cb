//! Loads known only from time to time: policies see what the servers last reported.
//!
//! The periodic "bulletin board" of Mitzenmacher, "How useful is old information?", IEEE TPDS
//! 11(1), 2000.

use super::Simulation;
use super::event::Event;
use crate::policy::Oracle;

/// Loads of a service's servers as of the last report.
#[derive(Clone)]
pub(super) struct Board {
    pub in_flight: Vec<u32>,
    in_system: Vec<u32>,
    work_ns: Vec<f64>,
}

impl Oracle for Board {
    fn in_system(&self, server: usize) -> u32 {
        self.in_system[server]
    }
    fn work_left_ns(&self, server: usize) -> f64 {
        self.work_ns[server]
    }
}

impl Simulation {
    /// Takes on a balancer's settings; the first report comes at once.
    pub(super) fn configure_reports(&mut self, service: u16) {
        let wanted = self.balancers[service as usize].load_reports.is_some();
        let has = |index: usize| {
            self.instances[index].service == service && self.instances[index].board.is_some()
        };
        if !wanted && !(0..self.instances.len()).any(has) {
            return;
        }
        let s = &mut self.services[service as usize];
        s.report_generation += 1;
        let generation = s.report_generation;
        for instance in &mut self.instances {
            if instance.service == service {
                instance.board = None;
            }
        }
        if wanted {
            self.report(service, generation);
        }
    }

    /// The servers of a service report to all balancer instances.
    pub(super) fn report(&mut self, service: u16, generation: u32) {
        let (now, s) = (self.now, &self.services[service as usize]);
        let period = self.balancers[service as usize].load_reports;
        let Some(period) = period.filter(|_| s.report_generation == generation) else {
            return;
        };
        let of = |&server: &u32| &self.servers[server as usize];
        let in_system: Vec<u32> = s.servers.iter().map(|i| of(i).in_system).collect();
        let work_ns: Vec<f64> = s.servers.iter().map(|i| of(i).work_left_ns(now)).collect();
        for instance in &mut self.instances {
            if instance.service == service {
                instance.board = Some(Box::new(Board {
                    in_flight: instance.in_flight.clone(),
                    in_system: in_system.clone(),
                    work_ns: work_ns.clone(),
                }));
            }
        }
        self.event_queue.schedule(
            now.saturating_add(period.0),
            Event::Report {
                service,
                generation,
            },
        );
    }
}
