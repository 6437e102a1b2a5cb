//! An `upstream`: its method and its servers.

use super::known;
use super::units::{is_host_name, time};
use crate::names::{fresh, name_of};
use crate::settings::directive::Directive;
use crate::settings::system::{Deed, Key, Kind, Place, Server, Service, System};
use crate::settings::units::size;
use sim_core::scenario::quoted;

/// A pool with what its ways must know.
pub(super) struct Upstream {
    pub service: Service,
    /// Whether workers share what they know.
    pub zone: bool,
    /// Whether requests have keys that decide.
    pub keyed: Option<String>,
    /// Whether it is spoken with in layer 4.
    pub stream: bool,
    pub used: bool,
}

/// Reads an `upstream` block; `taken` are names of services.
pub(super) fn upstream(
    block: &Directive,
    stream: bool,
    taken: &mut Vec<String>,
    system: &mut System,
) -> Upstream {
    let title = block.arg(0);
    let name = fresh(&name_of(title, "upstream"), taken);
    let mut found = Upstream {
        service: Service::new(name, title, &block.place, "nginx"),
        zone: false,
        keyed: None,
        stream,
        used: false,
    };
    let mut method: Option<(&'static str, &Directive)> = None;
    let mut servers = Vec::new();
    let mut keepalive = Keepalive::default();
    for directive in block.inside() {
        let now = match directive.name.as_str() {
            "ip_hash" => Some("ip_hash"),
            "least_conn" => Some("least_conn"),
            "hash" if directive.arg(1) == "consistent" => Some("hash consistent"),
            "hash" => Some("hash"),
            "random" if directive.arg(0) == "two" => Some("random two"),
            "random" => Some("random"),
            _ => None,
        };
        if let Some(now) = now {
            if let Some((_, before)) = method {
                let why = format!(
                    "the later method counts, that of line {}",
                    directive.place.line
                );
                system.remark(Kind::Read, &before.place, before.text(), why);
            }
            method = Some((now, directive));
            continue;
        }
        match directive.name.as_str() {
            "server" => servers.push(directive),
            "zone" => found.zone = true,
            "keepalive" => keepalive.keep = Some(directive),
            "keepalive_timeout" => keepalive.idle = Some(directive),
            "keepalive_requests" => keepalive.requests = Some(directive),
            "least_time" => {
                let why = "nginx Plus chooses by times of answers; round robin is taken";
                system.remark(Kind::Missing, &directive.place, directive.text(), why);
            }
            name => {
                let (kind, why) = known::remark(name);
                system.remark(kind, &directive.place, directive.text(), why);
            }
        }
    }
    if let Some((word, directive)) = method {
        (found.service.params).push(Key::said("balance", quoted(word), &directive.place));
        found.keyed = match word {
            "hash" | "hash consistent" => Some(directive.arg(0).to_owned()),
            "ip_hash" => Some("$remote_addr".to_owned()),
            _ => None,
        };
        if word == "random two" && !matches!(directive.arg(1), "" | "least_conn") {
            let why = "of the two, the one with fewer connections is taken";
            system.remark(Kind::Missing, &directive.place, directive.text(), why);
        }
    }
    if found.zone && !stream {
        let zone = block.inside().iter().find(|d| d.name == "zone");
        if let Some(zone) = zone {
            (found.service.params).push(Key::said("zone", "true", &zone.place));
        }
    }
    let hashes = found.keyed.is_some();
    members(&servers, hashes, &mut found.service, system);
    keepalive.write(&mut found.service, system);
    found
}

/// Settings of connections that are kept.
#[derive(Default)]
struct Keepalive<'d> {
    keep: Option<&'d Directive>,
    idle: Option<&'d Directive>,
    requests: Option<&'d Directive>,
}

impl Keepalive<'_> {
    fn write(&self, service: &mut Service, system: &mut System) {
        let Some(first) = self.keep.or(self.idle).or(self.requests) else {
            return;
        };
        let keep = self.keep.map_or("32", |d| d.arg(0));
        let requests = self.requests.map_or("1000", |d| d.arg(0));
        let idle = match self.idle.map(|d| (time(d.arg(0)), d)) {
            Some((Some(idle), _)) => idle,
            Some((None, d)) => {
                system.remark(Kind::Missing, &d.place, d.text(), "it is no time");
                sim_core::time::Duration::from_millis(60_000)
            }
            None => sim_core::time::Duration::from_millis(60_000),
        };
        if keep.parse::<u32>().is_err() || requests.parse::<u32>().is_err() {
            system.remark(
                Kind::Missing,
                &first.place,
                first.text(),
                "it is no whole number",
            );
            return;
        }
        let value = format!(
            "{{ kind = \"per-request\", keep = {keep}, idle = \"{idle}\", max_requests = {requests} }}"
        );
        (service.balancer).push(Key::said("link.connections", value, &first.place));
    }
}

/// Reads the `server`s of a pool.
fn members(servers: &[&Directive], hashes: bool, service: &mut Service, system: &mut System) {
    let addresses: Vec<&str> = servers.iter().map(|server| server.arg(0)).collect();
    let mut taken = Vec::new();
    let mut kept = Vec::new();
    for server in servers {
        let address = server.arg(0);
        let name = fresh(&server_name(address, &addresses), &mut taken);
        let mut member = Server {
            name,
            address: address.to_owned(),
            place: server.place.clone(),
            keys: Vec::new(),
        };
        let down = params(server, &mut member, service, system);
        if down && hashes {
            // It keeps its share of the keys, which go on to others.
            system.deeds.push(Deed {
                action: "drain",
                target: format!("service.{}.server.{}", service.name, member.name),
                place: server.place.clone(),
                note: format!("{address} is down in the file"),
            });
        } else if down {
            member
                .keys
                .push(Key::said("present", "false", &server.place));
        }
        if is_host_name(address) {
            let why =
                "a name: read as one server; each further address that it resolves to is one more";
            system.remark(Kind::Read, &server.place, format!("server {address}"), why);
        }
        kept.push(member);
    }
    service.servers = kept;
    for name in ["max_fails", "fail_timeout"] {
        of_all(name, service);
    }
}

/// What all servers say alike is said once.
fn of_all(name: &str, service: &mut Service) {
    let path = format!("health.{name}");
    let said = |server: &Server| server.keys.iter().find(|key| key.path == path).cloned();
    let Some(first) = service.servers.first().and_then(said) else {
        return;
    };
    let alike = |server: &Server| said(server).is_some_and(|key| key.value == first.value);
    if service.servers.iter().all(alike) {
        for server in &mut service.servers {
            server.keys.retain(|key| key.path != path);
        }
        let path = name.to_owned();
        service.params.push(Key { path, ..first });
    }
}

/// Parameters of a `server`; whether it is down.
fn params(server: &Directive, member: &mut Server, service: &Service, system: &mut System) -> bool {
    let place = &server.place;
    let mut down = false;
    for arg in server.args.iter().skip(1) {
        let (name, value) = arg.split_once('=').unwrap_or((arg, ""));
        let count = value.parse::<u32>().ok();
        let key = match (name, count) {
            ("weight", Some(weight)) => Key::said("weight", weight, place),
            ("max_conns", Some(0)) => continue,
            ("max_conns", Some(most)) => Key::said("max_connections", most, place),
            ("max_fails", Some(fails)) => Key::said("health.max_fails", fails, place),
            ("fail_timeout", _) if time(value).is_some() => {
                let span = time(value).expect("it was one");
                Key::said("health.fail_timeout", format!("\"{span}\""), place)
            }
            ("backup", _) => Key::said("backup", "true", place),
            ("down" | "drain", _) => {
                down = true;
                continue;
            }
            ("resolve" | "service" | "route", _) => {
                let why = "one server is taken for what the name resolves to";
                system.remark(
                    Kind::Read,
                    place,
                    format!("server {} {arg}", member.address),
                    why,
                );
                continue;
            }
            ("slow_start", _) => {
                let why = "nginx Plus lets a server that came back have its weight by and by; free nginx refuses the file";
                system.remark(
                    Kind::Missing,
                    place,
                    format!("server {} {arg}", member.address),
                    why,
                );
                continue;
            }
            _ => {
                let what = format!("server {} {arg} in `{}`", member.address, service.title);
                system.remark(Kind::Unknown, place, what, "");
                continue;
            }
        };
        member.keys.push(key);
    }
    down
}

/// The name of a server, from its address; the port is told only where ports differ.
pub(super) fn server_name(address: &str, all: &[&str]) -> String {
    let port = |address: &str| match address.rsplit_once(':') {
        Some((host, port)) if !host.is_empty() && port.bytes().all(|b| b.is_ascii_digit()) => {
            Some(port.to_owned())
        }
        _ => None,
    };
    let own = port(address);
    let hosts = |address: &str| match port(address) {
        Some(port) => address[..address.len() - port.len() - 1].to_owned(),
        None => address.to_owned(),
    };
    let alike = all
        .iter()
        .filter(|other| hosts(other) == hosts(address))
        .count()
        > 1;
    let same = all.iter().all(|other| port(other) == own);
    let text = if same && !alike {
        hosts(address)
    } else {
        address.to_owned()
    };
    let text = text.strip_prefix("unix:").unwrap_or(&text);
    name_of(text, "server")
}

/// A pool of the one server that a `proxy_pass` names.
pub(super) fn lone(
    address: &str,
    place: &Place,
    taken: &mut Vec<String>,
    system: &mut System,
) -> Upstream {
    let name = fresh(
        &name_of(address.trim_start_matches("unix:"), "server"),
        taken,
    );
    let mut service = Service::new(name, address, place, "nginx");
    service.servers.push(Server {
        name: server_name(address, &[address]),
        address: address.to_owned(),
        place: place.clone(),
        keys: Vec::new(),
    });
    if is_host_name(address) {
        let why =
            "a name: read as one server; each further address that it resolves to is one more";
        system.remark(Kind::Read, place, address, why);
    }
    Upstream {
        service,
        zone: false,
        keyed: None,
        stream: false,
        used: false,
    }
}

/// Bytes that nginx keeps for a key of `limit_req` in a shared zone, on 64 bits.
const STATE: u64 = 128;

/// Keys that a zone of `limit_req` holds.
pub(super) fn keys_of(zone: &str) -> Option<u64> {
    Some((size(zone)? / STATE).clamp(1, 10_000_000))
}

#[cfg(test)]
mod tests {
    use super::server_name;

    #[test]
    fn ports_are_told_only_where_they_differ() {
        let same = ["10.1.0.1:80", "10.1.0.2:80"];
        assert_eq!(server_name(same[0], &same), "10-1-0-1");
        let ports = ["app:8001", "app:8002"];
        assert_eq!(server_name(ports[1], &ports), "app-8002");
        let twice = ["app:80", "app:80"];
        assert_eq!(server_name(twice[1], &twice), "app-80");
        assert_eq!(
            server_name("unix:/run/app.sock", &["unix:/run/app.sock"]),
            "run-app-sock"
        );
    }
}
