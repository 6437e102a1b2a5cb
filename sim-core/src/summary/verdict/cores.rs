//! What servers that share machines can have of their cores.

use crate::engine::{ServerStanding, ServiceStanding};
use crate::ids::{HostId, Id, ServerId, ServiceId};
use crate::model::Host;
use crate::record::history::ServerTotal;
use std::collections::{BTreeMap, BTreeSet};

/// Cores for each worker of a service, by the machine that it shares.
pub(super) struct Cores<'a> {
    hosts: &'a [Host],
    per_worker: BTreeMap<(HostId, ServiceId), f64>,
    /// The servers that count.
    counted: BTreeSet<ServerId>,
}

/// Workers of a service on a machine, and the cores that requests keep busy there.
#[derive(Default)]
struct Tenant {
    workers: f64,
    busy: f64,
}

impl<'a> Cores<'a> {
    /// What the services leave to one another that are asked for so many seconds of work a second,
    /// in the order of the model, with the servers that count. `attempts` is what was seen at each service, `totals` at each server.
    pub(super) fn of(
        services: &[ServiceStanding],
        hosts: &'a [Host],
        work: &[f64],
        attempts: &[u64],
        totals: &[ServerTotal],
        counts: impl Fn(&ServerStanding) -> bool,
    ) -> Self {
        let mut counted = BTreeSet::new();
        let mut on: BTreeMap<HostId, BTreeMap<ServiceId, Tenant>> = BTreeMap::new();
        let services = services.iter().zip(work).enumerate();
        for (position, (service, work)) in services.filter(|_| !hosts.is_empty()) {
            let id = ServiceId::at(position);
            let all = attempts[position].max(1);
            for server in service.servers.iter().filter(|server| counts(server)) {
                let Some(host) = server.host else { continue };
                counted.insert(server.id);
                let part = (totals[server.id.position()].attempts as f64 / all as f64).min(1.0);
                let speed = (server.speed * server.warmth).max(f64::MIN_POSITIVE);
                let tenant = on.entry(host).or_default().entry(id).or_default();
                tenant.workers += f64::from(server.workers);
                if part > 0.0 {
                    tenant.busy += (work * part / speed).min(f64::from(server.workers));
                }
            }
        }
        let mut per_worker = BTreeMap::new();
        for (host, tenants) in on {
            let workers: f64 = tenants.values().map(|tenant| tenant.workers).sum();
            let busy: f64 = tenants.values().map(|tenant| tenant.busy).sum();
            for (service, tenant) in tenants {
                let settings = &hosts[host.position()];
                let others = (busy - tenant.busy).max(0.0);
                let left = settings.left(tenant.workers, workers, others);
                per_worker.insert((host, service), left / tenant.workers.max(1.0));
            }
        }
        Self {
            hosts,
            per_worker,
            counted,
        }
    }

    /// Cores that a server of a service can have, all its workers at work; infinitely many where it
    /// shares no machine.
    pub(super) fn left(&self, service: ServiceId, server: &ServerStanding) -> f64 {
        let Some(host) = server.host else {
            return f64::INFINITY;
        };
        let workers = f64::from(server.workers);
        match self.per_worker.get(&(host, service)) {
            Some(cores) if self.counted.contains(&server.id) => workers * cores,
            // Those of its service that count have the cores already.
            Some(_) => 0.0,
            // Where none of them counts it would have its machine for itself.
            None => workers.min(self.hosts[host.position()].cores),
        }
    }
}
