//! Traefik's dynamic configuration, as YAML or TOML.
//!
//! There is no dialect of Traefik: what it does stands in rows of their own.

mod middleware;
mod toml;

use super::system::{Key, Kind, Place, Server, Service, System, Way};
use super::yaml::{Node, documents};
use super::{Format, Surroundings, Unreadable, text};
use crate::names::{fresh, name_of};
use middleware::Effect;
use sim_core::scenario::Source;
use sim_core::time::Duration;

pub(super) const FORMAT: Format = Format {
    name: "traefik",
    about: "Traefik's dynamic configuration: routers, services, middlewares.",
    recognises,
    read,
};

/// Layers of services that split among services.
const DEPTH_MAX: usize = 20;

fn recognises(source: &Source) -> bool {
    let mut lines = source.text.lines();
    let http =
        lines.any(|line| line == "http:" || line.starts_with("[http.") || line.starts_with("tcp:"));
    let has = |word: &str| source.text.contains(word);
    http && (has("loadBalancer") || has("loadbalancer"))
}

fn read(
    sources: &[Source],
    around: &Surroundings<'_>,
    system: &mut System,
) -> Result<(), Unreadable> {
    for source in sources {
        let file = source.name.as_str().into();
        let filled = text::substitute(&source.text, &file, around.variable)?;
        let is_toml = source
            .name
            .rsplit('.')
            .next()
            .is_some_and(|e| e.eq_ignore_ascii_case("toml"))
            || filled.lines().any(|line| line.starts_with("[http."));
        let found = if is_toml {
            toml::document(&filled, &file).map(|node| vec![node])
        } else {
            documents(&filled, &file)
        };
        // Rules of routers have braces of their own.
        let found = found.map_err(|problem| text::template(&filled, &file).unwrap_or(problem))?;
        for document in &found {
            if let Some(http) = document.get("http") {
                Reader { http }.read(system);
            }
            for other in ["tcp", "udp"] {
                if let Some(node) = document.get(other) {
                    system.remark(
                        Kind::Missing,
                        &node.place,
                        other,
                        "routers of connections, not of requests",
                    );
                }
            }
        }
    }
    Ok(())
}

struct Reader<'n> {
    http: &'n Node,
}

/// A key without regard to capitals, as Traefik reads them.
pub(super) fn get<'n>(node: &'n Node, name: &str) -> Option<&'n Node> {
    let found = node
        .entries()
        .iter()
        .find(|entry| entry.key.eq_ignore_ascii_case(name));
    found.map(|entry| &entry.node)
}

/// A duration as Go writes it; bare numbers are seconds.
pub(super) fn span(node: &Node) -> Option<Duration> {
    let text = node.text()?;
    match text.trim().parse::<f64>() {
        Ok(seconds) if (0.0..1e9).contains(&seconds) => Some(Duration::from_secs_f64(seconds)),
        _ => Duration::parse(text.trim()).ok(),
    }
}

/// A name without its provider: `web@file` is `web`.
fn bare(name: &str) -> &str {
    name.split('@').next().unwrap_or(name)
}

impl<'n> Reader<'n> {
    fn named(&self, what: &str, name: &str) -> Option<&'n Node> {
        get(get(self.http, what)?, bare(name))
    }

    fn read(&self, system: &mut System) {
        let mut taken: Vec<String> = system.service_names();
        let mut ways: Vec<String> = system.way_names();
        let from = system.services.len();
        for entry in get(self.http, "services")
            .map(Node::entries)
            .unwrap_or_default()
        {
            if let Some(balancer) = get(&entry.node, "loadBalancer") {
                let service = self.pool(&entry.key, &entry.place, balancer, &mut taken, system);
                system.services.push(service);
            }
        }
        for entry in get(self.http, "routers")
            .map(Node::entries)
            .unwrap_or_default()
        {
            let router = &entry.node;
            let Some(target) = get(router, "service").and_then(Node::text) else {
                continue;
            };
            let mut parts = Vec::new();
            self.parts(&target, 1.0, 0, &entry.place, system, &mut parts);
            let split = parts.len() > 1;
            for (name, share) in parts {
                let index = (from..system.services.len())
                    .find(|index| system.services[*index].title == name);
                let Some(index) = index else {
                    let what = format!("a router to {name}");
                    system.remark(
                        Kind::Missing,
                        &entry.place,
                        what,
                        "there is no such service in these files",
                    );
                    continue;
                };
                let hint = if split {
                    format!("{}-{name}", entry.key)
                } else {
                    entry.key.clone()
                };
                let mut way = Way {
                    name: fresh(&name_of(&hint, "router"), &mut ways),
                    place: entry.place.clone(),
                    to: system.services[index].name.clone(),
                    keys: Vec::new(),
                    apart: Vec::new(),
                    share: split.then_some(share),
                };
                self.middlewares(router, index, &mut way, system);
                system.ways.push(way);
            }
        }
    }

    /// The pools that a service stands for, with their shares.
    fn parts(
        &self,
        name: &str,
        share: f64,
        depth: usize,
        place: &Place,
        system: &mut System,
        out: &mut Vec<(String, f64)>,
    ) {
        let service = self.named("services", name);
        let weighted = service.and_then(|service| get(service, "weighted"));
        let parts = weighted
            .and_then(|weighted| get(weighted, "services"))
            .map(Node::items)
            .unwrap_or_default();
        if parts.is_empty() || depth > DEPTH_MAX {
            for (kind, inner, why) in [
                ("mirroring", "service", "copies of requests go nowhere here"),
                ("failover", "service", "the fallback gets nothing here"),
            ] {
                let found = service.and_then(|service| get(service, kind));
                if let Some(to) = found
                    .and_then(|found| get(found, inner))
                    .and_then(Node::text)
                    && depth <= DEPTH_MAX
                {
                    system.remark(Kind::Missing, place, format!("{kind} of {name}"), why);
                    return self.parts(&to, share, depth + 1, place, system, out);
                }
            }
            out.push((bare(name).to_owned(), share));
            return;
        }
        let weight = |part: &Node| {
            get(part, "weight")
                .and_then(Node::as_number)
                .unwrap_or(1.0)
                .max(0.0)
        };
        let all: f64 = parts.iter().map(weight).sum();
        for part in parts {
            if let Some(own) = get(part, "name").and_then(Node::text)
                && weight(part) > 0.0
            {
                self.parts(
                    &own,
                    share * weight(part) / all,
                    depth + 1,
                    place,
                    system,
                    out,
                );
            }
        }
    }

    fn pool(
        &self,
        title: &str,
        place: &Place,
        balancer: &Node,
        taken: &mut Vec<String>,
        system: &mut System,
    ) -> Service {
        let mut service = Service::new(fresh(&name_of(title, "service"), taken), title, place, "");
        let strategy = get(balancer, "strategy");
        let policy = match strategy.and_then(Node::text).as_deref() {
            None | Some("wrr") => "\"weighted-round-robin\"",
            Some("p2c") => "\"power-of-d\"",
            Some("hrw") => "\"rendezvous\"",
            Some(_) => {
                let node = strategy.unwrap_or(balancer);
                system.remark(
                    Kind::Missing,
                    &node.place,
                    "strategy",
                    "turns by weight are taken",
                );
                "\"weighted-round-robin\""
            }
        };
        service.balancer.push(match strategy {
            Some(node) => Key::said("policy", policy, &node.place),
            None => Key::implied("policy", policy),
        });
        if let Some(check) = get(balancer, "healthCheck") {
            let of = |name: &str, default: &str| {
                let found = get(check, name).and_then(span);
                found.map_or(default.to_owned(), |span| format!("\"{span}\""))
            };
            // One answer decides, either way.
            let rule = format!(
                "[{{ kind = \"checks\", interval = {}, timeout = {}, fall = 1, rise = 1 }}]",
                of("interval", "\"30s\""),
                of("timeout", "\"5s\"")
            );
            service
                .balancer
                .push(Key::said("health", rule, &check.place));
        }
        if let Some(sticky) = get(balancer, "sticky") {
            let why = "clients that stay at a server: `policy = \"sticky\"` of the balancer, with keys of the traffic";
            system.remark(Kind::Missing, &sticky.place, "sticky", why);
        }
        self.transport(balancer, &mut service, system);
        servers(balancer, &mut service, system);
        service
    }

    fn transport(&self, balancer: &Node, service: &mut Service, system: &mut System) {
        let name = get(balancer, "serversTransport").and_then(Node::text);
        let transport = name.and_then(|name| self.named("serversTransports", &name));
        let timeouts = transport.and_then(|transport| get(transport, "forwardingTimeouts"));
        let of = |name: &str| timeouts.and_then(|timeouts| get(timeouts, name));
        service
            .balancer
            .push(match of("dialTimeout").map(|node| (node, span(node))) {
                Some((node, Some(span))) if !span.is_zero() => {
                    Key::said("link.connect_timeout", format!("\"{span}\""), &node.place)
                }
                _ => Key::implied("link.connect_timeout", "\"30s\""),
            });
        if let Some((node, Some(span))) = of("responseHeaderTimeout").map(|node| (node, span(node)))
            && !span.is_zero()
        {
            service.balancer.push(Key::said(
                "client.timeout",
                format!("\"{span}\""),
                &node.place,
            ));
        }
        if let Some(node) = transport.and_then(|transport| get(transport, "maxIdleConnsPerHost")) {
            system.remark(
                Kind::Missing,
                &node.place,
                "maxIdleConnsPerHost",
                "how many connections are kept",
            );
        }
    }

    /// What middlewares of a router do, in the order in which requests pass them.
    fn middlewares(&self, router: &Node, index: usize, way: &mut Way, system: &mut System) {
        let mut names = Vec::new();
        for name in get(router, "middlewares")
            .map(Node::items)
            .unwrap_or_default()
        {
            names.extend(name.text().map(|text| (text, name.place.clone())));
        }
        let mut guards: Vec<String> = Vec::new();
        let mut at = None;
        let mut keyed = false;
        let mut done = 0;
        while done < names.len() && done < 200 {
            let (name, place) = names[done].clone();
            done += 1;
            let Some(middleware) = self.named("middlewares", &name) else {
                system.remark(
                    Kind::Missing,
                    &place,
                    format!("middleware {name}"),
                    "it is not in these files",
                );
                continue;
            };
            for entry in middleware.entries() {
                match middleware::effect(&entry.key, &entry.node, system) {
                    Effect::Guard(guard, by_key) => {
                        guards.push(guard);
                        keyed |= by_key;
                        at.get_or_insert(entry.place.clone());
                    }
                    Effect::Retry(retry) => {
                        system.services[index].balancer.push(Key::said(
                            "client.retry",
                            retry,
                            &entry.place,
                        ));
                    }
                    Effect::Chain(more) => {
                        names.extend(more.into_iter().map(|name| (name, entry.place.clone())));
                    }
                    Effect::Nothing => {}
                }
            }
        }
        if keyed {
            way.keys.push(Key::clients());
        }
        if let Some(at) = at {
            way.keys.push(Key::said(
                "client.guards",
                format!("[{}]", guards.join(", ")),
                &at,
            ));
        }
    }
}

/// The servers of a pool.
fn servers(balancer: &Node, service: &mut Service, system: &mut System) {
    let mut taken = Vec::new();
    for server in get(balancer, "servers")
        .map(Node::items)
        .unwrap_or_default()
    {
        let url = get(server, "url")
            .or_else(|| get(server, "address"))
            .and_then(Node::text);
        let Some(url) = url else {
            system.remark(Kind::Missing, &server.place, "a server", "it has no url");
            continue;
        };
        let address = url.split_once("://").map_or(url.as_str(), |(_, rest)| rest);
        let address = address.split('/').next().unwrap_or(address).to_owned();
        let weight = get(server, "weight").filter(|node| node.as_number().is_some());
        service.servers.push(Server {
            name: fresh(&name_of(&address, "server"), &mut taken),
            address,
            place: server.place.clone(),
            keys: weight
                .iter()
                .map(|node| Key::said("weight", node.as_number().unwrap_or(1.0), &node.place))
                .collect(),
        });
    }
    if service.servers.is_empty() {
        let why = "its servers are found while Traefik runs: two are assumed";
        system.remark(Kind::Read, &service.place, service.title.clone(), why);
        service.servers.push(Server {
            name: "server".to_owned(),
            address: "not in the file".to_owned(),
            place: service.place.clone(),
            keys: vec![Key::assumed("count", 2)],
        });
    }
}
