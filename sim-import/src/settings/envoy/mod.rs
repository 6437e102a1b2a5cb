//! Envoy's bootstrap file, and files of clusters and routes, of versions 2 and 3 of its interface.

mod cluster;
mod fields;
mod proto;
mod routes;

use super::system::{Key, Kind, System, Way};
use super::yaml::{self, Node};
use super::{Format, Surroundings, Unreadable};
use crate::names::{fresh, name_of};
use cluster::{cluster, hashes};
use proto::{below, field};
use routes::{Route, apart, routes};
use sim_core::scenario::Source;

pub(super) const FORMAT: Format = Format {
    name: "envoy",
    about: "Envoy's static configuration, as YAML or JSON.",
    recognises,
    read,
};

fn recognises(source: &Source) -> bool {
    let has = |word: &str| source.text.contains(word);
    // A file of clusters alone.
    let bare = source
        .text
        .lines()
        .any(|line| line.trim_end() == "clusters:")
        && has("load_assignment");
    bare || has("static_resources")
        || has("staticResources")
        || has("envoy.config.cluster.v3.Cluster")
        || has("envoy.config.route.v3.RouteConfiguration")
}

fn read(
    sources: &[Source],
    around: &Surroundings<'_>,
    system: &mut System,
) -> Result<(), Unreadable> {
    let mut all = Vec::new();
    for source in sources {
        all.extend(yaml::read(source, around)?);
    }
    let mut taken: Vec<String> = system.service_names();
    let from = system.services.len();
    for document in &all {
        for node in clusters(document) {
            let read = cluster(node, &mut taken, system);
            system.services.push(read);
        }
        for name in ["dynamic_resources", "cluster_manager"] {
            if let Some(found) = field(document, name) {
                system.remark(
                    Kind::Missing,
                    &found.place,
                    name,
                    "what Envoy is told while it runs is not in the file",
                );
            }
        }
        if let Some(found) = field(document, "overload_manager") {
            system.remark(
                Kind::Missing,
                &found.place,
                "overload_manager",
                "what Envoy gives up to save itself",
            );
        }
    }
    let found: Vec<Route> = all
        .iter()
        .flat_map(|document| routes(document, system))
        .collect();
    ways(&found, from, system);
    Ok(())
}

/// The clusters of a document, wherever they may stand.
fn clusters(document: &Node) -> Vec<&Node> {
    let mut found: Vec<&Node> = Vec::new();
    for path in [
        &["static_resources", "clusters"][..],
        &["clusters"],
        &["resources"],
    ] {
        found.extend(below(document, path).map(Node::items).unwrap_or_default());
    }
    // A file of resources may hold routes as well.
    found.retain(|node| field(node, "virtual_hosts").is_none());
    found
}

/// Routes become ways, and their rules those of their clusters.
fn ways(found: &[Route], from: usize, system: &mut System) {
    let mut names: Vec<String> = system.way_names();
    for index in from..system.services.len() {
        let title = system.services[index].title.clone();
        let own: Vec<&Route> = found
            .iter()
            .filter(|route| route.cluster == title)
            .collect();
        let Some(first) = own.first() else {
            let place = system.services[index].place.clone();
            let why = "no route leads there: it is here, and nobody asks it";
            system.remark(Kind::Read, &place, format!("cluster {title}"), why);
            continue;
        };
        let limits = system.services[index].params.clone();
        let hashes = hashes(&limits);
        system.services[index].params.extend(first.rules.clone());
        if first.stream {
            let why = "a connection is a request here, and lasts as long as its work";
            system.remark(Kind::Read, &first.place, "tcp_proxy", why);
        }
        for route in &own {
            let port = route.port.clone();
            system.services[index].listens.extend(port);
            let hint = if own.len() == 1 {
                name_of(&title, "cluster")
            } else {
                name_of(&route.hint, "route")
            };
            let mut way = Way {
                name: fresh(&hint, &mut names),
                place: route.place.clone(),
                to: system.services[index].name.clone(),
                keys: Vec::new(),
                apart: apart(&route.rules, &first.rules, &limits),
                share: route.share,
            };
            if hashes && route.keyed.is_some() {
                way.keys.push(Key::clients());
            } else if hashes {
                let why = "a hash without hash_policy: each request has a key of its own";
                system.remark(Kind::Read, &route.place, format!("route to {title}"), why);
            }
            system.ways.push(way);
        }
    }
    for route in found {
        let known = system.services[from..]
            .iter()
            .any(|service| service.title == route.cluster);
        if !known {
            let what = format!("a route to {}", route.cluster);
            system.remark(
                Kind::Missing,
                &route.place,
                what,
                "there is no such cluster in these files",
            );
        }
    }
}
