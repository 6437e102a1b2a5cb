//! Idle servers that report themselves, for policies which wait to be told instead of asking.
//!
//! A server that becomes empty tells one balancer instance, chosen at random, unless an instance
//! still has an earlier report of it.

use super::Simulation;
use crate::ids::{Id, ServerId, ServiceId};
use crate::machine::MachineState;

impl Simulation {
    /// Looks whether the policies of a service want reports.
    pub(super) fn configure_idle(&mut self, service: ServiceId) {
        let mut instances = self.balancers.of(service);
        self.services[service].tracks_idle =
            instances.any(|i| self.balancers[i].policy.tracks_idle());
    }

    /// Every idle server reports, as after the start.
    pub(super) fn report_all_idle(&mut self, service: ServiceId) {
        if !self.services[service].tracks_idle {
            return;
        }
        for local in self.services[service].servers.ids() {
            self.report_if_idle(self.services[service].servers[local]);
        }
    }

    /// A server that comes back to its balancers reports, as after the start.
    pub(super) fn report_if_idle(&mut self, server: ServerId) {
        let s = &self.fleet[server];
        if s.in_system == 0 && self.services[s.service].tracks_idle {
            self.server_idle(server);
        }
    }

    /// A server has nothing left to do. One that has crashed at work is empty, but not idle.
    #[cold]
    pub(super) fn server_idle(&mut self, server: ServerId) {
        let s = &self.fleet[server];
        if s.state != MachineState::Up {
            return;
        }
        let (service, local) = (s.service, s.local.position());
        let known = self.services[service]
            .active
            .iter()
            .any(|&i| self.balancers[i].policy.lists(local));
        if known {
            return;
        }
        let service = &mut self.services[service];
        service.idle_reports += 1;
        let number = (u64::from(s.service) << 48) + service.idle_reports;
        let place = self.streams.idle.at(number).below(service.active.len());
        let told = service.active[place];
        self.balancers[told].policy.on_idle(local);
    }

    /// An idle server was given something to do.
    #[cold]
    pub(super) fn server_busy(&mut self, server: ServerId) {
        let s = &self.fleet[server];
        for &index in &self.services[s.service].active {
            self.balancers[index].policy.on_busy(s.local.position());
        }
    }
}
