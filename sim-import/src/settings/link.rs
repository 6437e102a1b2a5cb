//! Several files as one system: a pool whose servers are what another file listens at becomes a route there.

use super::system::{Key, Kind, Service, System};
use sim_core::scenario::quoted;

/// Joins what leads to each other.
pub(super) fn link(system: &mut System) {
    for index in 0..system.services.len() {
        let targets = targets(index, system);
        if !targets.is_empty() {
            join(index, &targets, system);
        }
    }
}

/// The port of an address, or of what is listened at.
fn port(address: &str) -> Option<&str> {
    let port = address.rsplit(':').next()?;
    let is_port = !port.is_empty() && port.bytes().all(|b| b.is_ascii_digit());
    is_port.then_some(port)
}

/// Whether a service is what is reached at an address.
fn is_at(service: &Service, address: &str) -> bool {
    let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
    let name = host.split('.').next().unwrap_or(host);
    service.listens.iter().any(|own| match port(own) {
        Some(own) => port(address) == Some(own),
        None => own == name,
    })
}

/// The services of other files to which all servers of a pool lead.
fn targets(index: usize, system: &System) -> Vec<usize> {
    let pool = &system.services[index];
    let others: Vec<usize> = (0..system.services.len())
        .filter(|other| system.services[*other].place.file != pool.place.file)
        .collect();
    let found: Vec<usize> = (others.into_iter())
        .filter(|other| {
            let all =
                |server: &super::system::Server| is_at(&system.services[*other], &server.address);
            !pool.servers.is_empty() && pool.servers.iter().all(all)
        })
        .collect();
    // A circle is none: the other file would lead back.
    let leads_back = |other: &usize| {
        let servers = &system.services[*other].servers;
        servers.is_empty() || servers.iter().any(|server| is_at(pool, &server.address))
    };
    if found.iter().any(leads_back) {
        return Vec::new();
    }
    found
}

/// The pool keeps its place, and hands everything on to the targets.
fn join(index: usize, targets: &[usize], system: &mut System) {
    let names: Vec<String> = targets
        .iter()
        .map(|t| system.services[*t].name.clone())
        .collect();
    let count = system.services[index].servers.len();
    let place = system.services[index].servers[0].place.clone();
    let why = format!(
        "{} listens there: requests go on to {}",
        system.services[targets[0]].place.file,
        names.join(", ")
    );
    let address = system.services[index].servers[0].address.clone();
    system.remark(Kind::Read, &place, format!("server {address}"), why);
    let share = 1.0 / targets.len() as f64;
    if targets.len() > 1 {
        let why = "how many requests go to each is not in the files: equal parts are assumed";
        system.remark(Kind::Read, &place, format!("server {address}"), why);
    }
    let pool = &mut system.services[index];
    let timeout = pool
        .params
        .iter()
        .find(|key| key.path == "proxy_read_timeout" || key.path == "timeout_server")
        .cloned();
    let client = timeout.as_ref().map_or(String::new(), |key| {
        format!(", client = {{ timeout = {} }}", key.value)
    });
    let route = |(number, name): (usize, &String)| {
        let part = if number + 1 == names.len() {
            String::new()
        } else {
            format!(", share = {share}")
        };
        format!("{{ to = {}{part}{client} }}", quoted(name))
    };
    let routes: Vec<String> = names.iter().enumerate().map(route).collect();
    let own = ["max_connections", "cost", "queue_limit"];
    pool.balancer.retain(|key| own.contains(&key.path.as_str()));
    pool.balancer.push(Key::said(
        "routes",
        format!("[{}]", routes.join(", ")),
        &place,
    ));
    if let Some(workers) = pool
        .params
        .iter()
        .find(|key| key.path == "worker_processes")
    {
        pool.balancer.push(Key {
            path: "instances".to_owned(),
            ..workers.clone()
        });
    }
    pool.servers.clear();
    pool.keys.clear();
    pool.params.clear();
    pool.dialect = "";
    if count > 1 {
        for target in targets {
            system.services[*target]
                .balancer
                .push(Key::said("instances", count, &place));
        }
    }
    // What comes there comes through the pool now.
    system.ways.retain(|way| !names.contains(&way.to));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::system::Place;

    #[test]
    fn an_address_is_met_by_port_or_by_name() {
        let place = Place {
            file: "a".into(),
            line: 1,
        };
        let mut service = Service::new("web".to_owned(), "web", &place, "");
        service.listens = vec!["*:8080".to_owned(), "cart".to_owned(), "443".to_owned()];
        for (address, met) in [
            ("lb:8080", true),
            ("lb:80", false),
            ("cart:9999", true),
            ("cart.prod.svc:1", true),
            ("[::1]:443", true),
            ("unix:/run/x.sock", false),
        ] {
            assert_eq!(is_at(&service, address), met, "{address}");
        }
    }
}
