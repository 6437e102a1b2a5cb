//! Servers that report themselves, for policies which wait to be told instead of asking.
//!
//! Some want to know what each server holds: every change of that, and of its pace, is told to all balancer
//! instances. Others want to know
//! who is idle. A server that becomes empty tells one balancer instance, chosen at random, unless an instance
//! still has an earlier report of it.

use super::Simulation;
use super::fleet::Server;
use super::instance::Balancers;
use super::service::Service;
use super::slab::Slot;
use crate::ids::{Id, ServerId, ServiceId};
use crate::machine::MachineState;

/// To more balancer instances than these nobody tells what servers hold.
const TOLD: usize = 4;

impl Service {
    /// Whether policies want to hear of servers that requests enter or leave.
    #[inline]
    pub(super) fn tracks_servers(&self) -> bool {
        self.tracks_idle | self.tracks_queues | self.tracks_latencies
    }
}

impl Balancers {
    /// A server of a service whose policies want to hear of it holds one request more, that in `slot`.
    #[inline(never)]
    pub(super) fn server_entered(
        &mut self,
        service: &mut Service,
        server: &Server,
        slot: Slot,
        now: u64,
    ) {
        if let Some(latencies) = &mut service.latencies {
            latencies.entered(server, slot, now);
        }
        if service.tracks_idle && server.in_system == 1 {
            // An idle server was given something to do.
            for &index in &service.active {
                self[index].policy.on_busy(server.local.position());
            }
        }
        self.tell_queue(service, server);
    }

    /// What a server holds is told where it is wanted.
    fn tell_queue(&mut self, service: &Service, server: &Server) {
        if service.tracks_queues {
            for instance in self.of_mut(server.service) {
                (instance.policy).on_queue(server.local.position(), server.in_system);
            }
        }
    }
}

impl Simulation {
    /// Looks whether the policies of a service want reports.
    pub(super) fn configure_idle(&mut self, service_id: ServiceId) {
        let (mut idle, mut queues) = (false, false);
        let instances = self.balancers.of_mut(service_id);
        let few = instances.len() <= TOLD;
        for instance in instances {
            instance.policy.hear_of_queues(few);
            idle |= instance.policy.tracks_idle();
            queues |= few && instance.policy.tracks_queues();
        }
        let service = &mut self.services[service_id];
        (service.tracks_idle, service.tracks_queues) = (idle, queues);
        self.configure_latencies(service_id);
    }

    /// A server of a service whose policies want to hear of it holds one request fewer.
    #[inline(never)]
    pub(super) fn server_left(&mut self, server: ServerId) {
        let s = &self.fleet[server];
        let service = &self.services[s.service];
        self.balancers.tell_queue(service, s);
        if service.tracks_idle && s.in_system == 0 {
            self.server_idle(server);
        }
    }

    /// A server's pace is another, or the number of its workers in order, for another reason than that a
    /// request came or went.
    pub(super) fn tell_of_pace(&mut self, server: ServerId) {
        let s = &self.fleet[server];
        self.balancers.tell_queue(&self.services[s.service], s);
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
    fn server_idle(&mut self, server: ServerId) {
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
        let place = match service.active.len() {
            1 => 0,
            several => self.streams.idle.at(number).below(several),
        };
        let told = service.active[place];
        self.balancers[told].policy.on_idle(local);
    }
}
