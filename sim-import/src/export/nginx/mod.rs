//! nginx.conf: an `upstream` for each service, a `location` for each way in.

mod generic;
mod location;
mod upstream;

use super::said::{Counterpart, Said, policy};
use super::subject::Subject;
use super::ways::ways;
use super::{ADDRESSES, BESIDE_BALANCERS, Target, is_of_balancers};
use generic::{capacity, client, health, method};
use location::{location, settings};
use sim_core::model::Service;
use std::fmt::Write;
use upstream::upstream;

pub(super) static TARGET: Target = Target {
    name: "nginx",
    about: "nginx.conf: upstreams with their servers, and a location for each source.",
    concerns: is_of_balancers,
    beside: BESIDE_BALANCERS,
    write,
};

const POLICIES: &[Counterpart] = &[
    policy("nginx-round-robin", "round_robin", true),
    policy("nginx-least-conn", "least_conn", true),
    policy("nginx-ip-hash", "ip_hash", true),
    policy("round-robin", "round_robin", false),
    policy("weighted-round-robin", "round_robin", true),
    policy("least-in-flight", "least_conn", true),
    policy("random", "random", false),
    policy("weighted-random", "random", true),
    policy("source-hash", "hash", true),
    policy("ring-hash", "hash consistent", true),
];
/// Two drawn servers of which the less busy is taken.
const TWO: Counterpart = policy("power-of-d", "random two", false);
/// Methods that take no backups.
const WITHOUT_BACKUPS: &[&str] = &["random", "random two", "hash", "hash consistent", "ip_hash"];
/// Bytes of a zone of `limit_req` for each key, on 64 bits, and the smallest zone there is.
const STATE: u64 = 128;
const ZONE_MIN: u64 = 32 << 10;
/// What a request is known by where requests have keys.
const KEY: &str = "$binary_remote_addr";

/// What is written by and by.
#[derive(Default)]
struct File {
    processes: Option<u64>,
    connections: Option<u64>,
    zones: String,
    upstreams: String,
    /// Locations with the server they are in; without a name the common one.
    locations: Vec<(Option<String>, String)>,
    /// Names of zones, which upstreams have as well, and which limit has which.
    taken: Vec<String>,
    limits: Vec<(String, String)>,
    keyed: bool,
}

fn write(subject: &mut Subject<'_>) -> String {
    let mut file = File::default();
    let services = subject.services("upstream");
    file.taken = services.iter().map(|own| own.name.clone()).collect();
    for service in services {
        pool(service, &mut file, subject);
    }
    subject.remark(ADDRESSES);
    if file.keyed {
        subject.remark("keys of requests are addresses of clients here");
    }
    let mut text = String::new();
    if let Some(processes) = file.processes {
        let _ = writeln!(text, "worker_processes {processes};");
    }
    let most = file.connections.map_or(String::new(), |most| {
        format!(
            "
    worker_connections {most};
"
        )
    });
    let _ = writeln!(text, "events {{{most}}}");
    let _ = write!(text, "http {{\n{}{}", file.zones, file.upstreams);
    let mut names: Vec<Option<String>> = file
        .locations
        .iter()
        .map(|(name, _)| name.clone())
        .collect();
    names.sort();
    names.dedup();
    for name in &names {
        text += "    server {\n        listen 80;\n";
        // The only server needs no name.
        if let (Some(name), true) = (name, names.len() > 1) {
            let _ = writeln!(text, "        server_name {name};");
        }
        for (_, location) in file.locations.iter().filter(|(own, _)| own == name) {
            text += location;
        }
        text += "    }\n";
    }
    text + "}\n"
}

fn pool<'m>(service: &'m Service, file: &mut File, subject: &mut Subject<'m>) {
    let mut said = Said::of(service, "nginx", subject);
    let weighs = method(service, &mut said, subject);
    health(service, &mut said, subject);
    client(service, &mut said, subject);
    capacity(service, &mut said, file, subject);
    if !service.servers.is_empty() {
        upstream(service, weighs, &mut said, file, subject);
    }
    let all = ways(service, subject);
    let settings = settings(&mut said);
    for way in &all {
        location(way, service, &settings, file, subject);
    }
    said.close(subject);
}
