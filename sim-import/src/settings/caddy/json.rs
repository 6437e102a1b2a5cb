//! Caddy's own settings, JSON, as the directives of a Caddyfile: what `caddy adapt` does, the other way round.

use crate::settings::directive::Directive;
use crate::settings::system::Place;
use crate::settings::yaml::{Entry, Node, Value, documents};
use crate::settings::{Unreadable, text};
use sim_core::scenario::Source;

/// Handlers that have another name in a Caddyfile.
const HANDLERS: &[(&str, &str)] = &[
    ("authentication", "basic_auth"),
    ("headers", "header"),
    ("static_response", "respond"),
];

/// Keys of a proxy and of what stands in it, likewise.
const KEYS: &[(&str, &str)] = &[
    ("headers", "header_up"),
    ("keep_alive", "keepalive"),
    ("path", "uri"),
    ("expect_status", "status"),
    ("expect_body", "body"),
];

pub(super) fn is_json(source: &Source) -> bool {
    source.text.trim_start().starts_with('{') && source.text.contains("\"apps\"")
}

/// The sites of a file, and what stands beside them.
pub(super) fn sites(source: &Source) -> Result<Vec<Directive>, Unreadable> {
    let file = source.name.as_str().into();
    // YAML takes JSON, except for tabs; within quotes JSON has none.
    let plain = source.text.replace('\t', " ");
    let all = documents(&plain, &file)
        .map_err(|problem| text::template(&plain, &file).unwrap_or(problem))?;
    let mut sites = Vec::new();
    let mut beside = Vec::new();
    for document in &all {
        for entry in document.entries().iter().filter(|own| own.key != "apps") {
            beside.push(bare(&entry.key, &entry.place));
        }
        for app in document.get("apps").map_or(&[][..], Node::entries) {
            let servers = app.node.get("servers").map_or(&[][..], Node::entries);
            match app.key.as_str() {
                "http" => {
                    for server in servers {
                        of_server(&server.node, &mut sites, &mut beside);
                    }
                }
                "layer4" => {
                    let inside = vec![bare("layer4", &app.place)];
                    sites.push(block("apps", Vec::new(), &app.place, inside));
                }
                other => beside.push(bare(other, &app.place)),
            }
        }
    }
    if let Some(first) = beside.first() {
        let place = first.place.clone();
        sites.push(block("", Vec::new(), &place, beside));
    }
    Ok(sites)
}

/// Routes of a server, each of which is a site.
fn of_server(server: &Node, sites: &mut Vec<Directive>, beside: &mut Vec<Directive>) {
    let listens = texts(server.get("listen"));
    for entry in server.entries() {
        match entry.key.as_str() {
            "listen" => {}
            "routes" => {
                for one in entry.node.items() {
                    let matchers = one.get("match").map_or(&[][..], Node::items);
                    let hosts: Vec<String> = (matchers.iter())
                        .flat_map(|own| texts(own.get("host")))
                        .collect();
                    let mut names = if hosts.is_empty() {
                        listens.clone()
                    } else {
                        hosts
                    };
                    let name = if names.is_empty() {
                        String::new()
                    } else {
                        names.remove(0)
                    };
                    // What has no name would be the options of the whole.
                    let name = if name.is_empty() {
                        ":80".to_owned()
                    } else {
                        name
                    };
                    let inside = route(one);
                    sites.push(block(&name, names, &one.place, inside));
                }
            }
            "errors" => {
                let inside = vec![bare("handle_errors", &entry.place)];
                sites.push(block("errors", Vec::new(), &entry.place, inside));
            }
            other => beside.push(bare(other, &entry.place)),
        }
    }
}

/// What a route does, within what it is for; hosts are known outside.
fn route(route: &Node) -> Vec<Directive> {
    let handlers = route.get("handle").map_or(&[][..], Node::items);
    let inside: Vec<Directive> = handlers.iter().flat_map(handler).collect();
    let matchers = route.get("match").map_or(&[][..], Node::items);
    let mut all = matchers.iter().flat_map(Node::entries);
    let Some(entry) = all.find(|entry| entry.key != "host") else {
        return inside;
    };
    let matcher = match (entry.key.as_str(), texts(Some(&entry.node)).first()) {
        ("path", Some(path)) => path.clone(),
        (other, _) => format!("@{other}"),
    };
    vec![block("handle", vec![matcher], &route.place, inside)]
}

fn handler(node: &Node) -> Vec<Directive> {
    let name = node.word("handler").unwrap_or_default();
    match name.as_str() {
        "subroute" => {
            let routes = node.get("routes").map_or(&[][..], Node::items);
            routes.iter().flat_map(route).collect()
        }
        "reverse_proxy" => vec![block(&name, Vec::new(), &node.place, proxy(node))],
        _ => {
            let known = HANDLERS.iter().find(|(own, _)| *own == name);
            vec![bare(
                known.map_or(name.as_str(), |(_, other)| *other),
                &node.place,
            )]
        }
    }
}

/// The settings of a proxy.
fn proxy(node: &Node) -> Vec<Directive> {
    let mut found = Vec::new();
    for entry in node.entries() {
        match entry.key.as_str() {
            "handler" => {}
            "upstreams" => upstreams(&entry.node, &mut found),
            "dynamic_upstreams" => {
                let own = ["source", "name"].into_iter();
                let args = own.filter_map(|key| entry.node.word(key)).collect();
                found.push(line("dynamic", args, &entry.place));
            }
            "load_balancing" => {
                for own in entry.node.entries() {
                    if own.key == "selection_policy" {
                        found.push(policy(own));
                    } else {
                        found.push(setting("lb_", own));
                    }
                }
            }
            "health_checks" => {
                for kind in entry.node.entries() {
                    let start = if kind.key == "active" { "health_" } else { "" };
                    found.extend(kind.node.entries().iter().map(|own| setting(start, own)));
                }
            }
            "transport" => {
                let own = entry.node.entries().iter();
                let own = own.filter(|own| own.key != "protocol");
                let inside = own.map(|own| setting("", own)).collect();
                found.push(block("transport", Vec::new(), &entry.place, inside));
            }
            _ => found.push(setting("", entry)),
        }
    }
    found
}

/// Servers, with the most requests that one of them takes: a Caddyfile says it of all.
fn upstreams(list: &Node, found: &mut Vec<Directive>) {
    for one in list.items() {
        let address = one.word("dial").unwrap_or_default();
        found.push(line("to", vec![address], &one.place));
    }
    let most = |one: &Node| one.word("max_requests");
    let Some(first) = list.items().iter().find(|one| most(one).is_some()) else {
        return;
    };
    let alike = list.items().iter().all(|one| most(one) == most(first));
    let name = if alike {
        "unhealthy_request_count"
    } else {
        "max_requests"
    };
    found.push(line(name, most(first).into_iter().collect(), &first.place));
}

fn policy(entry: &Entry) -> Directive {
    let node = &entry.node;
    let mut args: Vec<String> = node.word("policy").into_iter().collect();
    for key in ["choose", "weights"] {
        args.extend(texts(node.get(key)));
    }
    line("lb_policy", args, &entry.place)
}

/// A key of a proxy, in the word of a Caddyfile. Numbers that are times count nanoseconds.
fn setting(start: &str, entry: &Entry) -> Directive {
    const TIMES: &[&str] = &["duration", "interval", "timeout", "latency"];
    let key = entry.key.as_str();
    let known = KEYS.iter().find(|(own, _)| *own == key);
    let name = format!("{start}{}", known.map_or(key, |(_, other)| *other));
    let mut args = texts(Some(&entry.node));
    let is_time = TIMES.iter().any(|end| key.ends_with(end));
    if let (true, Value::Number(..), Some(only)) = (is_time, &entry.node.value, args.first_mut()) {
        only.push_str("ns");
    }
    line(&name, args, &entry.place)
}

/// A scalar, or those of a list.
fn texts(node: Option<&Node>) -> Vec<String> {
    let Some(node) = node else {
        return Vec::new();
    };
    let one = node.text().into_iter();
    one.chain(node.items().iter().filter_map(Node::text))
        .collect()
}

fn bare(name: &str, place: &Place) -> Directive {
    line(name, Vec::new(), place)
}

fn line(name: &str, args: Vec<String>, place: &Place) -> Directive {
    Directive {
        name: name.to_owned(),
        args,
        place: place.clone(),
        block: None,
    }
}

fn block(name: &str, args: Vec<String>, place: &Place, inside: Vec<Directive>) -> Directive {
    Directive {
        block: Some(inside),
        ..line(name, args, place)
    }
}
