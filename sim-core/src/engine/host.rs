//! Machines that servers share (`machine.NAME` in a scenario): who works on their cores, and how
//! fast.
//!
//! Requests that are worked on at the servers of a machine share its cores alike, none with more than
//! one. When their number changes, so may the pace of all servers there. One that waits for a worker,
//! or for the answer to a call, is not worked on. In this folder a *machine* is a server or a balancer
//! instance, which crashes and comes back by itself; what several servers share is their *host*.

use super::Simulation;
use super::fleet::{Server, Waiting};
use crate::ids::{HostId, Id, ServerId, ServiceId, Table};
use crate::machine::MachineState;
use crate::model::{Host as Settings, Model};
use std::collections::BTreeMap;

/// A host and what is going on there.
#[derive(Clone)]
pub(super) struct Host {
    settings: Settings,
    servers: Vec<ServerId>,
    /// Requests that are worked on, over its servers that are up.
    at_work: u32,
    /// The part of its speed at which each of them runs.
    pub share: f64,
    /// Core time used, and core time there was, since measurement began and until `at`.
    used_ns: f64,
    cores_ns: f64,
    at: u64,
    /// When the books of its servers' workers were brought up to date.
    staffed_at: Option<u64>,
}

impl Host {
    /// All hosts of a model, nobody at work.
    pub(super) fn all(model: &Model) -> Table<HostId, Self> {
        let new = |settings: &Settings| Self {
            settings: settings.clone(),
            servers: Vec::new(),
            at_work: 0,
            share: 1.0,
            used_ns: 0.0,
            cores_ns: 0.0,
            at: 0,
            staffed_at: None,
        };
        let mut hosts: Table<HostId, Self> = model.hosts.iter().map(new).collect();
        for (id, server) in (0..).map(ServerId).zip(&model.servers) {
            if let Some(host) = server.params.host {
                hosts[host].servers.push(id);
            }
        }
        hosts
    }

    /// Core time used and core time there was, in nanoseconds, since measurement began.
    fn core_ns_at(&self, now: u64) -> (f64, f64) {
        let (span, cores) = ((now - self.at) as f64, self.settings.cores);
        let used = f64::from(self.at_work).min(cores);
        (self.used_ns + span * used, self.cores_ns + span * cores)
    }

    /// Brings core time up to now, while settings and work are still those of the time before.
    fn settle(&mut self, now: u64) {
        (self.used_ns, self.cores_ns) = self.core_ns_at(now);
        self.at = now;
    }

    /// Core time counts from now on.
    pub(super) fn start_measuring(&mut self, now: u64) {
        (self.used_ns, self.cores_ns, self.at) = (0.0, 0.0, now);
    }
}

impl Server {
    /// Requests that its workers work on now.
    fn at_work(&self) -> u32 {
        if self.waiting == Waiting::Shared {
            self.in_service.min(self.workers)
        } else {
            self.in_service
        }
    }
}

impl Simulation {
    /// Brings a host up to date with how many work at one of its servers.
    pub(super) fn host_feels(&mut self, server: ServerId) {
        let cold = &mut self.fleet.cold[server];
        let Some(id) = cold.params.host else { return };
        let now_at_work = self.fleet.servers[server].at_work();
        let before = std::mem::replace(&mut cold.at_work, now_at_work);
        if before == now_at_work {
            return;
        }
        let host = &mut self.fleet.hosts[id];
        host.settle(self.now);
        host.at_work = host.at_work - before + now_at_work;
        self.share_cores(id, Some(server));
    }

    /// Works out anew what part of a core each gets, and when servers then finish; but for `except`,
    /// whose completion is planned by whoever asks.
    fn share_cores(&mut self, id: HostId, except: Option<ServerId>) {
        let host = &mut self.fleet.hosts[id];
        let share = host.settings.share(f64::from(host.at_work));
        if std::mem::replace(&mut host.share, share).to_bits() == share.to_bits() {
            return;
        }
        for i in 0..self.fleet.hosts[id].servers.len() {
            let server = self.fleet.hosts[id].servers[i];
            if Some(server) != except && self.fleet[server].in_service > 0 {
                self.speed_changed(server);
            }
        }
    }

    /// A host has other settings.
    pub(super) fn change_host(&mut self, id: HostId, settings: &Settings) {
        self.host_staff_changes(id);
        let host = &mut self.fleet.hosts[id];
        host.settle(self.now);
        host.settings.clone_from(settings);
        self.share_cores(id, None);
    }

    /// Settings of servers of a host, or whether they are there, are about to change, or the host's own.
    pub(super) fn host_staff_changes(&mut self, id: HostId) {
        // One look at all of them covers whatever happens to any of them now.
        if self.fleet.hosts[id].staffed_at.replace(self.now) == Some(self.now) {
            return;
        }
        let servers = self.fleet.hosts[id].servers.clone();
        let workers = self.workers_on(&servers);
        self.progress.look_at(servers.len());
        for server in servers {
            self.settle_staff(server, self.core_of_worker(server, &workers));
        }
    }

    /// Workers of each service on each host, as far as servers that are there have them; those that
    /// stand by do not count.
    pub(super) fn workers_on(&self, servers: &[ServerId]) -> BTreeMap<(HostId, ServiceId), f64> {
        let mut workers = BTreeMap::new();
        if self.model.hosts.is_empty() {
            return workers;
        }
        for &server in servers {
            let (s, params) = (&self.fleet[server], &self.fleet.cold[server].params);
            if let Some(host) = params.host
                && s.state != MachineState::Absent
                && params.priority == 0
            {
                *workers.entry((host, s.service)).or_default() += f64::from(params.workers);
            }
        }
        workers
    }

    /// What each worker of a server has of a core when `workers` are at work there and those of no other
    /// service.
    pub(super) fn core_of_worker(
        &self,
        server: ServerId,
        workers: &BTreeMap<(HostId, ServiceId), f64>,
    ) -> f64 {
        let Some(host) = self.fleet.cold[server].params.host else {
            return 1.0;
        };
        let workers = workers.get(&(host, self.fleet[server].service));
        workers.map_or(1.0, |&workers| {
            self.fleet.hosts[host].settings.share(workers)
        })
    }

    /// Hosts whose books do not agree with their servers.
    pub(super) fn hosts_astray(&self) -> Vec<usize> {
        let astray = |host: &Host| {
            let servers = || host.servers.iter().map(|&id| (id, &self.fleet[id]));
            let at_work: u32 = servers().map(|(_, server)| server.at_work()).sum();
            let mut busy = servers().filter(|(_, server)| server.in_service > 0);
            host.at_work != at_work
                || busy.any(|(id, s)| s.rate.to_bits() != self.fleet.rate_of(id).to_bits())
        };
        let hosts = self.fleet.hosts.enumerate();
        let found = hosts.filter(|(_, host)| astray(host));
        found.map(|(id, _)| id.position()).collect()
    }

    /// The settings of all hosts as they are now.
    pub(super) fn hosts_now(&self) -> Vec<Settings> {
        let hosts = self.fleet.hosts.iter();
        hosts.map(|host| host.settings.clone()).collect()
    }

    /// The cores of a host, and the share of their time that was used since measurement began.
    pub fn host_figures(&self, id: HostId) -> (f64, f64) {
        let host = &self.fleet.hosts[id];
        let (used, cores) = host.core_ns_at(self.now);
        let utilisation = if cores > 0.0 {
            (used / cores).min(1.0)
        } else {
            0.0
        };
        (host.settings.cores, utilisation)
    }
}
