//! A cluster: its servers, and how it chooses among them and guards them.

use super::fields::{
    BREAKER, CHECK, CHECK_MISSING, CLUSTER, CLUSTER_MISSING, OUTLIER, OUTLIER_MISSING, SLOW_START,
};
use super::proto::{below, field, number, params, word};
use crate::names::{fresh, name_of};
use crate::settings::system::{Key, Kind, Server, Service, System};
use crate::settings::yaml::Node;
use sim_core::scenario::quoted;

/// Policies of clusters, and the typed extensions that say the same.
const POLICIES: &[(&str, &str)] = &[
    ("ROUND_ROBIN", "round_robin"),
    ("LEAST_REQUEST", "least_request"),
    ("RANDOM", "random"),
    ("RING_HASH", "ring_hash"),
    ("MAGLEV", "maglev"),
];

/// Reads a cluster.
pub(super) fn cluster(node: &Node, taken: &mut Vec<String>, system: &mut System) -> Service {
    let title = node.word("name").unwrap_or_default();
    let name = fresh(&name_of(&title, "cluster"), taken);
    let mut service = Service::new(name, &title, &node.place, "envoy");
    let kind = field(node, "type")
        .and_then(word)
        .unwrap_or_else(|| "STATIC".to_owned());
    policy(node, &mut service, system);
    service.params.extend(params(node, CLUSTER, system));
    for config in ["round_robin_lb_config", "least_request_lb_config"] {
        if let Some(slow) = below(node, &[config, "slow_start_config"]) {
            service.params.extend(params(slow, SLOW_START, system));
        }
    }
    let by_locality = below(node, &["common_lb_config", "locality_weighted_lb_config"]);
    let localities = match by_locality {
        None => Localities::Ignored,
        // A hash has one table for all: a locality's weight counts at each of its hosts.
        Some(_) if hashes(&service.params) => Localities::AtHosts,
        Some(found) => {
            let key = Key::said("locality_weighted", "true", &found.place);
            service.params.push(key);
            Localities::Zones
        }
    };
    if let Some(found) = below(node, &["common_lb_config", "zone_aware_lb_config"]) {
        system.remark(
            Kind::Missing,
            &found.place,
            "zone_aware_lb_config",
            "requests that stay in the zone of the proxy: it has none here",
        );
    }
    breakers(node, &mut service, system);
    outliers(node, &mut service, system);
    checks(node, &mut service, system);
    let http2 = field(node, "http2_protocol_options").or_else(|| {
        let options = field(node, "typed_extension_protocol_options")?;
        let mut found = None;
        options.walk("", &mut |key, node| {
            if key == "http2_protocol_options" || key == "http2ProtocolOptions" {
                found = Some(node);
            }
        });
        found
    });
    if let Some(found) = http2 {
        service
            .params
            .push(Key::said("protocol", "\"http2\"", &found.place));
    }
    for (name, why) in CLUSTER_MISSING {
        if let Some(found) = field(node, name)
            && !why.is_empty()
        {
            system.remark(Kind::Missing, &found.place, *name, *why);
        }
    }
    servers(node, localities, &mut service, system);
    one_host(&kind, node, &mut service, system);
    service
}

/// Names stand for one machine at a time, or for as many as they resolve to.
fn one_host(kind: &str, node: &Node, service: &mut Service, system: &mut System) {
    let place = field(node, "type").map_or(&node.place, |found| &found.place);
    let what = format!("type {kind} of {}", service.title);
    match kind {
        "LOGICAL_DNS" => {
            system.remark(
                Kind::Read,
                place,
                what,
                "one server at a time, whatever the name resolves to: the policy has no choice",
            );
        }
        "STRICT_DNS" => {
            let why = "each name is read as one server; each further address that it resolves to is one more";
            system.remark(Kind::Read, place, what, why);
        }
        "EDS" | "ORIGINAL_DST" if service.servers.is_empty() => {
            let why = "who serves is told to Envoy while it runs: two servers are assumed";
            system.remark(Kind::Read, place, what, why);
        }
        _ => {}
    }
    if service.servers.is_empty() {
        let path = Key::assumed("count", 2);
        service.servers.push(Server {
            name: "host".to_owned(),
            address: "not in the file".to_owned(),
            place: node.place.clone(),
            keys: vec![path],
        });
    }
}

fn policy(node: &Node, service: &mut Service, system: &mut System) {
    let typed = below(node, &["load_balancing_policy", "policies"])
        .and_then(|policies| policies.items().first())
        .and_then(|policy| below(policy, &["typed_extension_config", "name"]));
    let old = field(node, "lb_policy");
    let Some(found) = typed.or(old) else {
        return;
    };
    let word = word(found).unwrap_or_default();
    let known = POLICIES.iter().find(|(name, typed)| {
        word == *name || word.to_ascii_lowercase().ends_with(&format!(".{typed}"))
    });
    match known {
        Some((name, _)) => service
            .params
            .push(Key::said("lb_policy", quoted(name), &found.place)),
        None => system.remark(
            Kind::Missing,
            &found.place,
            format!("lb_policy {word}"),
            "round robin is taken",
        ),
    }
}

fn breakers(node: &Node, service: &mut Service, system: &mut System) {
    let Some(list) = below(node, &["circuit_breakers", "thresholds"]) else {
        return;
    };
    for limits in list.items() {
        let high = field(limits, "priority")
            .and_then(word)
            .is_some_and(|p| p == "HIGH");
        if high {
            let why = "limits of routes with that priority; all are of the default one here";
            system.remark(
                Kind::Missing,
                &limits.place,
                "circuit_breakers of priority HIGH",
                why,
            );
        } else {
            service.params.extend(params(limits, BREAKER, system));
        }
    }
}

fn outliers(node: &Node, service: &mut Service, system: &mut System) {
    let Some(found) = field(node, "outlier_detection") else {
        return;
    };
    service
        .params
        .push(Key::said("outlier_detection", "true", &found.place));
    service.params.extend(params(found, OUTLIER, system));
    for name in OUTLIER_MISSING {
        if let Some(missing) = field(found, name) {
            let what = format!("outlier_detection.{name}");
            system.remark(
                Kind::Missing,
                &missing.place,
                what,
                "the program's default holds",
            );
        }
    }
}

fn checks(node: &Node, service: &mut Service, system: &mut System) {
    let list = field(node, "health_checks")
        .map(Node::items)
        .unwrap_or_default();
    let Some(first) = list.first() else {
        return;
    };
    service
        .params
        .push(Key::said("health_checks", "true", &first.place));
    service.params.extend(params(first, CHECK, system));
    for name in CHECK_MISSING {
        if let Some(missing) = field(first, name) {
            let what = format!("health_checks.{name}");
            system.remark(
                Kind::Missing,
                &missing.place,
                what,
                "checks come at `interval`",
            );
        }
    }
    for other in &list[1..] {
        system.remark(
            Kind::Missing,
            &other.place,
            "a further health check",
            "the first counts",
        );
    }
}

/// Whether a policy of these parameters chooses by keys.
pub(super) fn hashes(params: &[Key]) -> bool {
    let by_key = |key: &Key| key.value.contains("HASH") || key.value.contains("MAGLEV");
    params
        .iter()
        .any(|key| key.path == "lb_policy" && by_key(key))
}

/// What weights of localities do.
#[derive(Clone, Copy, PartialEq)]
enum Localities {
    Ignored,
    Zones,
    AtHosts,
}

/// Health states in which a host gets nothing.
const OUT: &[&str] = &["UNHEALTHY", "DRAINING", "TIMEOUT"];

fn servers(node: &Node, weights: Localities, service: &mut Service, system: &mut System) {
    let mut taken = Vec::new();
    let localities = below(node, &["load_assignment", "endpoints"]);
    let mut zones: Vec<String> = Vec::new();
    for locality in localities.map(Node::items).unwrap_or_default() {
        let priority = field(locality, "priority").and_then(number).unwrap_or(0.0);
        let zone = below(locality, &["locality", "zone"]).and_then(Node::text);
        let zone = zone
            .map(|zone| name_of(&zone, "zone"))
            .filter(|_| weights == Localities::Zones);
        let weight = field(locality, "load_balancing_weight");
        // A locality without a weight gets nothing where weights count.
        let value = weight.and_then(number).unwrap_or(0.0);
        if let Some(zone) = &zone
            && !zones.contains(zone)
        {
            let place = weight.map_or(&locality.place, |found| &found.place);
            service
                .keys
                .push(Key::said(&format!("zone.{zone}.weight"), value, place));
            zones.push(zone.clone());
        }
        for host in field(locality, "lb_endpoints")
            .map(Node::items)
            .unwrap_or_default()
        {
            let address = below(host, &["endpoint", "address"]);
            let Some(mut server) = address.and_then(|address| server(address, &mut taken)) else {
                system.remark(
                    Kind::Missing,
                    &host.place,
                    "an endpoint",
                    "its address cannot be read",
                );
                continue;
            };
            let place = host.place.clone();
            let own = field(host, "load_balancing_weight");
            let place_of =
                |found: Option<&Node>| found.map_or(&locality.place, |node| &node.place).clone();
            let number = own.and_then(number);
            if weights == Localities::AtHosts {
                let weight = number.unwrap_or(1.0) * value;
                server
                    .keys
                    .push(Key::said("weight", weight, &place_of(own)));
            } else if let Some(number) = number {
                server
                    .keys
                    .push(Key::said("weight", number, &place_of(own)));
            }
            if priority > 0.0 {
                server
                    .keys
                    .push(Key::said("priority", priority, &locality.place));
            }
            if let Some(zone) = &zone {
                server
                    .keys
                    .push(Key::said("zone", quoted(zone), &locality.place));
            }
            let status = field(host, "health_status");
            match status.and_then(word) {
                Some(word) if OUT.contains(&word.as_str()) => {
                    server.keys.push(Key::said("present", "false", &place));
                }
                Some(word) if word == "DEGRADED" => {
                    system.remark(
                        Kind::Missing,
                        &place,
                        "health_status DEGRADED",
                        "it counts as healthy here",
                    );
                }
                _ => {}
            }
            service.servers.push(server);
        }
    }
    // Before version 3 of the interface.
    if let Some(hosts) = field(node, "hosts") {
        let why =
            "`hosts` is of version 2 of Envoy's interface, which 1.18 took away: read as endpoints";
        system.remark(
            Kind::Read,
            &hosts.place,
            format!("hosts of {}", service.title),
            why,
        );
        for host in hosts.items() {
            service.servers.extend(server(host, &mut taken));
        }
    }
}

fn server(address: &Node, taken: &mut Vec<String>) -> Option<Server> {
    let text = if let Some(socket) = field(address, "socket_address") {
        let host = socket.word("address")?;
        match field(socket, "port_value").and_then(Node::text) {
            Some(port) => format!("{host}:{port}"),
            None => host,
        }
    } else {
        let pipe = below(address, &["pipe", "path"])?.text()?;
        format!("unix:{pipe}")
    };
    let name = name_of(text.strip_prefix("unix:").unwrap_or(&text), "host");
    Some(Server {
        name: fresh(&name, taken),
        address: text,
        place: address.place.clone(),
        keys: Vec::new(),
    })
}
