//! What rules ask of a model.

use crate::extension::Params;
use crate::ids::Id;
use crate::model::{Client, ClientId, Model, Server, ServerId, Service};

/// Services with servers.
pub(crate) fn services(model: &Model) -> impl Iterator<Item = &Service> {
    model
        .services
        .iter()
        .filter(|service| !service.servers.is_empty())
}

/// The servers of a service that are there from the start, backups and others.
pub(crate) fn present<'m>(model: &'m Model, service: &'m Service) -> Vec<(ServerId, &'m Server)> {
    let all = service
        .servers
        .iter()
        .map(|id| (*id, &model.servers[id.position()]));
    all.filter(|(_, server)| server.present).collect()
}

/// Those of them that get requests first.
pub(crate) fn active<'m>(model: &'m Model, service: &'m Service) -> Vec<(ServerId, &'m Server)> {
    let all = present(model, service);
    let first = all.iter().map(|(_, server)| server.params.priority).min();
    let weighs = service.balancer.policy.def.heeds_weights;
    let gets = |server: &Server| {
        Some(server.params.priority) == first && (!weighs || server.params.weight > 0.0)
    };
    all.into_iter().filter(|(_, server)| gets(server)).collect()
}

/// What a server can do of all that one of speed 1 with one worker can.
pub(crate) fn strength(server: &Server) -> f64 {
    f64::from(server.params.workers) * server.params.speed
}

/// The path of a key of a server.
pub(crate) fn server_path(service: &Service, server: &Server, key: &str) -> String {
    format!("service.{}.server.{}.{key}", service.name, server.name)
}

/// The path of a key of a balancer.
pub(crate) fn balancer_path(service: &Service, key: &str) -> String {
    format!("service.{}.balancer.{key}", service.name)
}

/// The parameters of a service's dialect, if it is the one of this name.
pub(crate) fn dialect<'m>(service: &'m Service, name: &str) -> Option<&'m Params> {
    let dialect = service.balancer.dialect.as_ref()?;
    (dialect.def.row.name == name).then_some(&dialect.params)
}

/// The mean time that a request asks of a server, in seconds.
pub(crate) fn mean_demand_s(service: &Service) -> f64 {
    service.demand.build().mean_ns() / 1e9
}

pub(crate) fn client(model: &Model, id: ClientId) -> &Client {
    &model.clients[id.position()]
}

/// Whoever calls a service over the network: the path at which its rules are written, and them.
pub(crate) fn callers<'m>(model: &'m Model, service: &Service) -> Vec<(String, &'m Client)> {
    let own = |id: crate::model::ServiceId| model.services[id.position()].name == service.name;
    let mut found = Vec::new();
    for source in model.sources.iter().filter(|source| own(source.to)) {
        if let Some(id) = source.clients.first() {
            found.push((
                format!("traffic.{}.client", source.name),
                client(model, *id),
            ));
        }
    }
    for other in &model.services {
        for call in other.calls.iter().filter(|call| own(call.to)) {
            let path = format!("service.{}.call.{}.client", other.name, service.name);
            found.push((path, client(model, call.client)));
        }
    }
    found
}

/// Attempts that one request of a client may become.
pub(crate) fn attempts(client: &Client) -> u64 {
    u64::from(client.retry.build().terms().attempts)
}
