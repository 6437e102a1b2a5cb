//! Idle servers that report themselves, for policies which wait to be told instead of asking.
//!
//! A server that becomes empty tells one balancer instance, chosen at random, unless an instance
//! still has an earlier report of it.

use super::Simulation;
use super::state::MachineState;

impl Simulation {
    /// Looks whether the policies of a service want reports.
    pub(super) fn configure_idle(&mut self, service: u16) {
        self.services[service as usize].tracks_idle = self
            .instances
            .iter()
            .any(|instance| instance.service == service && instance.policy.tracks_idle());
    }

    /// Every idle server reports, as after the start.
    pub(super) fn report_all_idle(&mut self, service: u16) {
        if !self.services[service as usize].tracks_idle {
            return;
        }
        for local in 0..self.services[service as usize].servers.len() {
            self.report_if_idle(self.services[service as usize].servers[local]);
        }
    }

    /// A server that comes back to its balancers reports, as after the start.
    pub(super) fn report_if_idle(&mut self, server: u32) {
        let s = &self.servers[server as usize];
        if s.in_system == 0 && self.services[s.service as usize].tracks_idle {
            self.server_idle(server);
        }
    }

    /// A server has nothing left to do. One that has crashed at work is empty, but not idle.
    #[cold]
    pub(super) fn server_idle(&mut self, server: u32) {
        let s = &self.servers[server as usize];
        if s.state != MachineState::Up {
            return;
        }
        let (service, local) = (s.service as usize, s.local as usize);
        let known = self.services[service]
            .active
            .iter()
            .any(|&i| self.instances[i as usize].policy.lists(local));
        if known {
            return;
        }
        let service = &mut self.services[service];
        service.idle_reports += 1;
        let number = (u64::from(s.service) << 48) + service.idle_reports;
        let place = self.idle_stream.at(number).below(service.active.len());
        let told = service.active[place];
        self.instances[told as usize].policy.on_idle(local);
    }

    /// An idle server was given something to do.
    #[cold]
    pub(super) fn server_busy(&mut self, server: u32) {
        let s = &self.servers[server as usize];
        for &index in &self.services[s.service as usize].active {
            self.instances[index as usize]
                .policy
                .on_busy(s.local as usize);
        }
    }
}
