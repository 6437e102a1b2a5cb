//! Istio's rules: a `DestinationRule` says how a host is called, a `VirtualService` which of its subsets gets what.

use super::objects::Object;
use super::traffic_policy::{span, traffic_policy};
use super::{Cluster, unnamed};
use crate::names::{fresh, list, name_of};
use crate::settings::system::{Key, Kind, Place, Service, System, Way};
use crate::settings::words_of;
use crate::settings::yaml::Node;

/// The rules, by host.
pub(super) struct Rules<'n> {
    destinations: Vec<Object<'n>>,
    virtuals: Vec<Object<'n>>,
}

/// A host without the names of namespace and cluster.
fn short(host: &str) -> &str {
    host.split('.').next().unwrap_or(host)
}

/// The hosts that a route of a `VirtualService` leads to.
fn destinations(route: &Node) -> Vec<(String, Option<String>, f64)> {
    let parts = route.get("route").map(Node::items).unwrap_or_default();
    let weight = |part: &Node| part.number("weight");
    let all: f64 = parts.iter().filter_map(weight).sum();
    let part = |part: &Node| {
        let host = part.at(&["destination", "host"])?.text()?;
        let subset = part.at(&["destination", "subset"]).and_then(Node::text);
        let share = match weight(part) {
            Some(own) if all > 0.0 => own / all,
            _ if parts.len() == 1 => 1.0,
            _ => 0.0,
        };
        Some((short(&host).to_owned(), subset, share))
    };
    parts.iter().filter_map(part).collect()
}

impl<'n> Rules<'n> {
    pub(super) fn of(objects: &[Object<'n>]) -> Self {
        let of_kind = |kind: &str| {
            objects
                .iter()
                .copied()
                .filter(|o| o.kind() == kind)
                .collect()
        };
        Self {
            destinations: of_kind("DestinationRule"),
            virtuals: of_kind("VirtualService"),
        }
    }

    fn destination(&self, host: &str) -> Option<Object<'n>> {
        let own = |rule: &&Object<'n>| {
            let name = rule.spec(&["host"]).and_then(Node::text);
            name.is_some_and(|name| short(&name) == host)
        };
        self.destinations.iter().find(own).copied()
    }

    /// Hosts that rules are about, in the order of the files.
    fn hosts(&self) -> Vec<String> {
        let mut found: Vec<String> = Vec::new();
        let mut add = |host: &str| {
            if !found.iter().any(|own| own == host) {
                found.push(host.to_owned());
            }
        };
        for rule in &self.destinations {
            if let Some(host) = rule.spec(&["host"]).and_then(Node::text) {
                add(short(&host));
            }
        }
        for rule in &self.virtuals {
            for route in rule.spec(&["http"]).map(Node::items).unwrap_or_default() {
                for (host, ..) in destinations(route) {
                    add(&host);
                }
            }
        }
        found
    }

    /// Whether a host is called by these rules.
    pub(super) fn has(&self, host: &str) -> bool {
        self.hosts().iter().any(|own| own == host)
    }

    /// Makes a service of each host, or of each of its subsets.
    pub(super) fn read(&self, cluster: &mut Cluster<'n>, system: &mut System) {
        let mut made: Vec<(String, Option<String>, usize)> = Vec::new();
        for host in self.hosts() {
            let rule = self.destination(&host);
            let subsets = rule
                .and_then(|rule| rule.spec(&["subsets"]))
                .map(Node::items)
                .unwrap_or_default();
            if subsets.is_empty() {
                let index = pool(cluster, &host, rule, None, self.place_of(&host), system);
                made.push((host.clone(), None, index));
            }
            for subset in subsets {
                let name = subset.word("name").unwrap_or_default();
                let index = pool(
                    cluster,
                    &host,
                    rule,
                    Some(subset),
                    self.place_of(&host),
                    system,
                );
                made.push((host.clone(), Some(name), index));
            }
        }
        let mut reached = Vec::new();
        for rule in &self.virtuals {
            for (number, route) in rule
                .spec(&["http"])
                .map(Node::items)
                .unwrap_or_default()
                .iter()
                .enumerate()
            {
                route_of(cluster, *rule, number, route, &made, &mut reached, system);
            }
        }
        for (host, subset, index) in &made {
            if !reached.contains(index) {
                let place = system.services[*index].place.clone();
                let name = subset
                    .as_ref()
                    .map_or(host.clone(), |subset| format!("{host} {subset}"));
                let why = "no VirtualService says what goes there: requests are assumed";
                system.remark(Kind::Read, &place, name, why);
                let way = way(cluster, &system.services[*index], &place, host, None);
                system.ways.push(way);
            }
        }
    }

    fn place_of(&self, host: &str) -> Place {
        let rule = self
            .destination(host)
            .or_else(|| self.virtuals.first().copied());
        rule.map_or_else(
            || Place {
                file: "".into(),
                line: 1,
            },
            |rule| rule.place().clone(),
        )
    }
}

fn way(
    cluster: &mut Cluster<'_>,
    service: &Service,
    place: &Place,
    hint: &str,
    share: Option<f64>,
) -> Way {
    let keyed = service
        .params
        .iter()
        .any(|key| key.path == "lb_policy" && key.value.contains("HASH"));
    let mut keys = Vec::new();
    if keyed {
        keys.push(Key::clients());
    }
    Way {
        name: fresh(&name_of(hint, "route"), &mut cluster.ways),
        place: place.clone(),
        to: service.name.clone(),
        keys,
        apart: Vec::new(),
        share,
    }
}

/// A service of a host or of a subset; its position.
fn pool(
    cluster: &mut Cluster<'_>,
    host: &str,
    rule: Option<Object<'_>>,
    subset: Option<&Node>,
    place: Place,
    system: &mut System,
) -> usize {
    let name = subset.and_then(|subset| subset.word("name"));
    let title = name.map_or(host.to_owned(), |name| format!("{host}-{name}"));
    let place = subset.map_or(place, |subset| subset.place.clone());
    let own = fresh(&name_of(&title, "host"), &mut cluster.taken);
    let mut service = Service::new(own, &title, &place, "envoy");
    let object = cluster
        .of_kind("Service")
        .into_iter()
        .find(|object| object.name() == host);
    let labels: Vec<&Node> = subset
        .and_then(|subset| subset.get("labels"))
        .into_iter()
        .collect();
    let workloads = cluster.selected(
        object.and_then(|object| object.spec(&["selector"])),
        &labels,
    );
    cluster.fill(&mut service, &workloads, system);
    if service.servers.is_empty() {
        system.remark(
            Kind::Read,
            &place,
            title,
            "who serves it is not in these files: two servers are assumed",
        );
        service.servers.push(unnamed(&place));
    }
    // A subset's policy stands upon that of the rule, part by part.
    let policies = [
        rule.and_then(|rule| rule.spec(&["trafficPolicy"])),
        subset.and_then(|subset| subset.get("trafficPolicy")),
    ];
    for policy in policies.into_iter().flatten() {
        traffic_policy(policy, &mut service, system);
    }
    system.services.push(service);
    system.services.len() - 1
}

/// A route of a `VirtualService`: ways to its destinations, under its rules.
fn route_of(
    cluster: &mut Cluster<'_>,
    rule: Object<'_>,
    number: usize,
    route: &Node,
    made: &[(String, Option<String>, usize)],
    reached: &mut Vec<usize>,
    system: &mut System,
) {
    let rules = rules(route, system);
    for (name, why) in [
        (
            "fault",
            "delays and errors that Istio makes: `errors` and faults of the time line",
        ),
        ("mirror", "copies of requests for another host"),
        ("rewrite", ""),
    ] {
        if let Some(node) = route.get(name) {
            let kind = if why.is_empty() {
                Kind::Ignored
            } else {
                Kind::Missing
            };
            system.remark(kind, &node.place, name, why);
        }
    }
    for (host, subset, share) in destinations(route) {
        let found = made.iter().find(|(own, part, _)| {
            *own == host && (*part == subset || (subset.is_none() && part.is_none()))
        });
        let Some((_, _, index)) = found else {
            let what = format!("a route to {host} {}", subset.unwrap_or_default());
            system.remark(
                Kind::Missing,
                &route.place,
                what,
                "there is no such subset in these files",
            );
            continue;
        };
        let first = !reached.contains(index);
        if first {
            system.services[*index].params.extend(rules.clone());
            reached.push(*index);
        } else if !rules.is_empty() {
            let why = "the rules of the first route to these servers hold for all of them";
            system.remark(
                Kind::Missing,
                &route.place,
                format!("rules of a further route to {host}"),
                why,
            );
        }
        let hint = match (&subset, number) {
            (Some(subset), 0) => format!("{}-{subset}", rule.name()),
            (None, 0) => rule.name(),
            (_, number) => format!("{}-{}", rule.name(), number + 1),
        };
        let made = way(
            cluster,
            &system.services[*index],
            &route.place,
            &hint,
            Some(share),
        );
        system.ways.push(made);
    }
}

/// Timeout and retries of a route, in the dialect's words. Without a word of it Istio has no timeout, and two retries.
fn rules(route: &Node, system: &mut System) -> Vec<Key> {
    let mut keys = Vec::new();
    match route.get("timeout").map(|node| (node, span(node))) {
        Some((node, Some(span))) => keys.push(Key::said("timeout", span, &node.place)),
        _ => keys.push(Key::implied("timeout", "\"0s\"")),
    }
    let retries = route.get("retries");
    let attempts = retries.and_then(|retries| retries.number("attempts"));
    if attempts == Some(0.0) {
        return keys;
    }
    let mut said = |param: &str, value: String, node: Option<&Node>| {
        keys.push(match node {
            Some(node) => Key::said(param, value, &node.place),
            None => Key::implied(param, value),
        });
    };
    said(
        "num_retries",
        attempts.unwrap_or(2.0).to_string(),
        retries.and_then(|r| r.get("attempts")),
    );
    said("previous_hosts", "true".to_owned(), None);
    if let Some(each) = retries.and_then(|retries| retries.get("perTryTimeout"))
        && let Some(span) = span(each)
    {
        said("per_try_timeout", span, Some(each));
    }
    let on = retries.and_then(|retries| retries.get("retryOn"));
    let written = on
        .and_then(Node::text)
        .unwrap_or_else(|| "connect-failure,refused-stream,unavailable,cancelled,503".to_owned());
    let known = words_of("envoy", "retry_on");
    let mut words = Vec::new();
    for word in written
        .split(',')
        .map(str::trim)
        .filter(|word| !word.is_empty())
    {
        if known.contains(&word) {
            words.push(word);
        } else if let Some(node) = on {
            let why = "what it stands for does not occur here";
            system.remark(Kind::Missing, &node.place, format!("retryOn {word}"), why);
        }
    }
    said("retry_on", list(words), on);
    keys
}
