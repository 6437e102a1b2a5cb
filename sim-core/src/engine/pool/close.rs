//! Connections that end because one of their ends is gone, or is another: machines, instances, settings.

use super::super::Simulation;
use super::super::attempt::{Attempt, Call};
use super::super::slab::Handle;
use super::{Connection, PoolFigures, Side};
use crate::ids::{ClientId, InstanceId, ServerId, ServiceId};
use crate::outcome::Outcome;

impl Simulation {
    /// Connections of which something is true are closed: one end is gone.
    pub(super) fn close_all(&mut self, which: impl Fn(&Connection) -> bool) {
        if self.pools.any {
            for connection in self.connections_where(which) {
                self.close(connection, Some(Outcome::Reset));
            }
        }
    }

    /// A server is gone: connections to it, and those that it had to others.
    pub(in crate::engine) fn server_disconnects(&mut self, server: ServerId) {
        if !self.pools.any {
            return;
        }
        let s = &self.fleet[server];
        let calls = &self.services[s.service].settings.calls;
        let clients: Vec<ClientId> = calls.iter().map(|call| call.client).collect();
        let local = s.local.0;
        let sides = &self.pools.by_side;
        if !(clients.iter()).any(|&client| sides.contains_key(&Side::Call(client, local))) {
            for connection in self.connections_to(server) {
                self.close(connection, Some(Outcome::Reset));
            }
            return;
        }
        self.close_all(|connection| {
            let own = |side| matches!(side, Side::Call(client, from) if from == local && clients.contains(&client));
            connection.server == server || own(connection.side)
        });
    }

    /// A server is about to go: its connections take nothing new.
    pub(in crate::engine) fn connections_leave(&mut self, server: ServerId) {
        let found = self.connections_to(server);
        self.retire(found);
    }

    /// Connections that lead to a server, in their order: looked up once for all servers that are dealt
    /// with together.
    pub(super) fn connections_to(&mut self, server: ServerId) -> Vec<Handle> {
        let pools = &mut self.pools;
        let count = pools.at_server[server] as usize;
        if count == 0 {
            return Vec::new();
        }
        if self.residents.together {
            let known = pools.by_server.get_or_insert_with(|| {
                self.progress.look_at(pools.connections.len());
                let all = pools.connections.iter();
                let mut all: Vec<_> = all.map(|(handle, c)| (c.server, handle)).collect();
                all.sort_by_key(|&(server, _)| server);
                all
            });
            let first = known.partition_point(|&(other, _)| other < server);
            let here = known[first..]
                .iter()
                .take_while(|(other, _)| *other == server);
            let all = &pools.connections;
            let leads = |handle: &Handle| all.contains(*handle) && all[*handle].server == server;
            let found: Vec<Handle> = here.map(|&(_, handle)| handle).filter(leads).collect();
            if found.len() == count {
                return found;
            }
        }
        self.connections_where(|connection| connection.server == server)
    }

    pub(super) fn connections_where(&mut self, which: impl Fn(&Connection) -> bool) -> Vec<Handle> {
        self.progress.look_at(self.pools.connections.len());
        let all = self.pools.connections.iter();
        all.filter(|(_, c)| which(c)).map(|(h, _)| h).collect()
    }

    /// Connections carry what they carry, and are closed then.
    pub(super) fn retire(&mut self, found: Vec<Handle>) {
        for found in found {
            let connection = &mut self.pools.connections[found];
            if connection.carries == 0 {
                self.close(found, None);
            } else if connection.leave()
                && let Some(pool) = self.pools.by_side.get_mut(&connection.side)
            {
                pool.taking -= 1;
            }
        }
    }

    /// A balancer instance is gone, with the connections of its callers, those to its servers and those
    /// of its routes.
    pub(in crate::engine) fn instance_disconnects(&mut self, index: InstanceId) {
        if !self.pools.any {
            return;
        }
        let number = self.balancers.number_of(index);
        let routes = &self.services[self.balancers[index].service]
            .settings
            .balancer
            .routes;
        let clients: Vec<ClientId> = routes.iter().map(|route| route.client).collect();
        self.close_all(|connection| {
            let own = match connection.side {
                Side::Instance(instance, _) => instance == index,
                Side::Call(client, from) => from == number && clients.contains(&client),
                Side::Outside(..) => false,
            };
            connection.instance == index || own
        });
    }

    /// What a link says of connections has changed: those that are open carry what they carry and
    /// take nothing new.
    pub(in crate::engine) fn renew_connections(&mut self, service: ServiceId) {
        if !std::mem::replace(&mut self.pools.any, true) {
            // Several may wait that share a connection: rules on queues look at more than connections.
            for instance in self.balancers.instances.ids() {
                self.heed_instance(instance);
                self.watch_instance(instance);
            }
        }
        // What follows has followed already, unless one was opened since.
        let state = Some((service, self.pools.opened));
        if self.residents.together && std::mem::replace(&mut self.pools.renewed, state) == state {
            return;
        }
        let found = self.connections_where(|connection| connection.service == service);
        self.retire(found);
        let lines = self
            .pools
            .by_side
            .iter()
            .filter(|(_, pool)| pool.waiting > 0);
        self.pools.to_serve.extend(lines.map(|(&side, _)| side));
    }

    /// What the connections of each hop did so far, where there ever were any.
    pub fn pool_figures(&self) -> Vec<PoolFigures> {
        let services = self.model.services.iter().zip(&self.pools.counts);
        let hops = services.flat_map(|(service, counts)| {
            let names = ["link", "balancer.link"];
            let at = move |name| format!("service.{}.{name}", service.name);
            names.into_iter().map(at).zip(counts)
        });
        let used = hops.filter(|(_, count)| count.opened > 0);
        used.map(|(at, count)| PoolFigures {
            at,
            opened: count.opened,
            broken: count.broken,
            waited: count.waited,
            open: count.open,
            peak: count.peak,
        })
        .collect()
    }

    /// Which of those that make a call a call comes from, by its number in its service.
    pub(in crate::engine) fn calling_machine(&self, call: &Call) -> u32 {
        if !self.attempts.contains(call.parent) {
            return 0;
        }
        let Attempt {
            server, instance, ..
        } = self.attempts[call.parent];
        match server.known() {
            Some(server) => self.fleet[server].local.0,
            None => (instance.known()).map_or(0, |instance| self.balancers.number_of(instance)),
        }
    }
}
