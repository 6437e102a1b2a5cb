//! Routes of listeners: which requests go to which cluster, and under which rules.

use super::proto::{As, Table, below, duration, field, number, params, word};
use crate::names::list;
use crate::settings::system::{Key, Kind, Place, System};
use crate::settings::words_of;
use crate::settings::yaml::Node;

/// A way from a listener to a cluster.
pub(super) struct Route {
    pub cluster: String,
    pub place: Place,
    /// What tells its requests from others: a path, a host.
    pub hint: String,
    /// Its rules, as parameters of the dialect.
    pub rules: Vec<Key>,
    /// Its share of the requests it takes, where several clusters do.
    pub share: Option<f64>,
    /// Whether its requests have keys that decide.
    pub keyed: Option<Place>,
    /// Whether it passes bytes on and not requests.
    pub stream: bool,
    /// Where its listener is reached.
    pub port: Option<String>,
}

const RETRIES: Table = &[
    (&["num_retries"], "num_retries", As::Count),
    (&["per_try_timeout"], "per_try_timeout", As::Span),
    (
        &["retry_back_off", "base_interval"],
        "base_interval",
        As::Span,
    ),
    (
        &["retry_back_off", "max_interval"],
        "max_interval",
        As::Span,
    ),
];

/// Fields of a retry policy that are not simulated.
const RETRIES_MISSING: &[&str] = &[
    "per_try_idle_timeout",
    "retry_priority",
    "rate_limited_retry_back_off",
    "retriable_status_codes",
    "retriable_headers",
    "retriable_request_headers",
    "host_selection_retry_max_attempts",
    "retry_options_predicates",
];

/// Fields of a route's action that are not simulated.
const ROUTE_MISSING: &[(&str, &str)] = &[
    ("hedge_policy", "a second request after a try took too long"),
    ("rate_limits", "limits by a service elsewhere"),
    (
        "request_mirror_policies",
        "copies of requests for another cluster",
    ),
    ("cluster_header", "the cluster is what a request says"),
    (
        "internal_redirect_policy",
        "redirects that Envoy follows itself",
    ),
    ("idle_timeout", "time-outs of streams that are silent"),
    ("max_stream_duration", "the longest a stream may last"),
];

/// Filters of a listener that have a bearing on load, with the parameter they are, or nothing.
const FILTERS: &[(&str, &str)] = &[
    ("admission_control", "admission_control"),
    ("adaptive_concurrency", "adaptive_concurrency"),
    ("ratelimit", ""),
    ("ext_authz", ""),
    ("ext_proc", ""),
    ("fault", ""),
    ("lua", ""),
    ("wasm", ""),
    ("cache", ""),
    ("buffer", ""),
];

const BUCKET: Table = &[
    (&["token_bucket", "max_tokens"], "max_tokens", As::Count),
    (
        &["token_bucket", "tokens_per_fill"],
        "tokens_per_fill",
        As::Count,
    ),
    (
        &["token_bucket", "fill_interval"],
        "fill_interval",
        As::Span,
    ),
];

/// All routes of a document: those of its listeners, or, of a file of routes alone, wherever they stand.
pub(super) fn routes(document: &Node, system: &mut System) -> Vec<Route> {
    let listeners = below(document, &["static_resources", "listeners"]).map(Node::items);
    let Some(listeners) = listeners else {
        return routes_below(document, None, system);
    };
    let mut found = Vec::new();
    for listener in listeners {
        let port = below(listener, &["address", "socket_address", "port_value"]);
        found.extend(routes_below(listener, port, system));
    }
    found
}

/// The routes below a node, which are reached at a port.
fn routes_below(top: &Node, port: Option<&Node>, system: &mut System) -> Vec<Route> {
    let mut found = Vec::new();
    let mut managers = Vec::new();
    let mut streams = Vec::new();
    top.walk("", &mut |_, node| {
        let hosts = below(node, &["route_config", "virtual_hosts"]);
        if hosts.is_some() {
            managers.push(node);
        }
        // A filter that passes bytes on names its cluster itself.
        let name = node.word("name").unwrap_or_default();
        if name.ends_with("tcp_proxy") {
            streams.extend(field(node, "typed_config").or_else(|| field(node, "config")));
        }
    });
    for manager in managers {
        let filters = filters(manager, system);
        let hosts = below(manager, &["route_config", "virtual_hosts"]);
        for host in hosts.map(Node::items).unwrap_or_default() {
            virtual_host(host, &filters, system, &mut found);
        }
    }
    for stream in streams {
        let place = stream.place.clone();
        let name = stream.word("stat_prefix");
        let hint = name.unwrap_or_else(|| "tcp".to_owned());
        let mut ways = clusters(stream, &hint, &[], &place, system);
        for way in &mut ways {
            way.stream = true;
        }
        found.extend(ways);
    }
    for route in &mut found {
        route.port = port.and_then(Node::text);
    }
    found
}

/// What filters before the routes do to all requests.
fn filters(manager: &Node, system: &mut System) -> Vec<Key> {
    let mut keys = Vec::new();
    for filter in field(manager, "http_filters")
        .map(Node::items)
        .unwrap_or_default()
    {
        let name = filter.word("name").unwrap_or_default();
        let short = name.rsplit('.').next().unwrap_or_default();
        if short == "local_ratelimit" {
            if let Some(config) = field(filter, "typed_config") {
                keys.extend(params(config, BUCKET, system));
            }
        } else if let Some((_, param)) = FILTERS.iter().find(|(known, _)| *known == short) {
            if param.is_empty() {
                let why = "what this filter does to a request is not simulated";
                system.remark(Kind::Missing, &filter.place, name, why);
            } else {
                let why = "with the filter's defaults; what is set of it is not read";
                system.remark(Kind::Read, &filter.place, &name, why);
                keys.push(Key::said(param, "true", &filter.place));
            }
        }
    }
    keys
}

fn virtual_host(host: &Node, filters: &[Key], system: &mut System, found: &mut Vec<Route>) {
    let usual = field(host, "retry_policy");
    for route in field(host, "routes").map(Node::items).unwrap_or_default() {
        let Some(action) = field(route, "route") else {
            // Redirects and answers of Envoy's own reach no server.
            continue;
        };
        let mut rules = filters.to_vec();
        if let Some(timeout) = field(action, "timeout") {
            match duration(timeout) {
                Some(span) => {
                    rules.push(Key::said("timeout", format!("\"{span}\""), &timeout.place));
                }
                None => system.remark(
                    Kind::Missing,
                    &timeout.place,
                    "timeout",
                    "its value cannot be read: 15 s hold",
                ),
            }
        }
        if let Some(policy) = field(action, "retry_policy").or(usual) {
            rules.extend(retries(policy, system));
        }
        for (name, why) in ROUTE_MISSING {
            if let Some(missing) = field(action, name) {
                system.remark(Kind::Missing, &missing.place, *name, *why);
            }
        }
        let is_high = field(action, "priority")
            .and_then(word)
            .is_some_and(|p| p == "HIGH");
        if is_high {
            let place = field(action, "priority").map_or(&route.place, |found| &found.place);
            system.remark(
                Kind::Missing,
                place,
                "priority HIGH",
                "the limits of the default priority hold",
            );
        }
        found.extend(clusters(
            action,
            &hint(route, host),
            &rules,
            &route.place,
            system,
        ));
    }
}

/// What tells a route's requests from others.
fn hint(route: &Node, host: &Node) -> String {
    let path = field(route, "match").and_then(|matched| {
        let kinds = ["prefix", "path", "path_separated_prefix", "safe_regex"];
        let found = kinds.iter().find_map(|kind| field(matched, kind))?;
        found.text().or_else(|| found.word("regex"))
    });
    match path {
        Some(path) if path.trim_matches('/').is_empty() => {
            let name = host.word("name").unwrap_or_default();
            if name.is_empty() {
                "root".to_owned()
            } else {
                name
            }
        }
        Some(path) => path,
        None => "route".to_owned(),
    }
}

fn retries(policy: &Node, system: &mut System) -> Vec<Key> {
    let mut keys = params(policy, RETRIES, system);
    let none = keys
        .iter()
        .any(|key| key.path == "num_retries" && key.value == "0");
    if none {
        return Vec::new();
    }
    if let Some(on) = field(policy, "retry_on") {
        let known = words_of("envoy", "retry_on");
        let mut words = Vec::new();
        let text = on.text().unwrap_or_default();
        for word in text.split(',') {
            let word = word.trim();
            if known.contains(&word) {
                words.push(word);
            } else if !word.is_empty() {
                let why = "what it stands for does not occur here";
                system.remark(Kind::Missing, &on.place, format!("retry_on {word}"), why);
            }
        }
        keys.push(Key::said("retry_on", list(words), &on.place));
    } else {
        let why = "without retry_on nothing is tried again";
        system.remark(Kind::Read, &policy.place, "retry_policy", why);
    }
    for name in RETRIES_MISSING {
        if let Some(missing) = field(policy, name) {
            let what = format!("retry_policy.{name}");
            system.remark(
                Kind::Missing,
                &missing.place,
                what,
                "retries go by the rest of the policy",
            );
        }
    }
    let others = field(policy, "retry_host_predicate")
        .map(Node::items)
        .unwrap_or_default();
    if let Some(first) = others.iter().find(|p| {
        p.word("name")
            .is_some_and(|name| name.ends_with("previous_hosts"))
    }) {
        keys.push(Key::said("previous_hosts", "true", &first.place));
    }
    keys
}

/// The clusters an action names, with their shares.
fn clusters(
    action: &Node,
    hint: &str,
    rules: &[Key],
    place: &Place,
    system: &mut System,
) -> Vec<Route> {
    let keyed = field(action, "hash_policy").map(|found| found.place.clone());
    let made = |cluster: String, share: Option<f64>| Route {
        cluster,
        place: place.clone(),
        hint: hint.to_owned(),
        rules: rules.to_vec(),
        share,
        keyed: keyed.clone(),
        stream: false,
        port: None,
    };
    if let Some(cluster) = action.word("cluster") {
        return vec![made(cluster, None)];
    }
    let Some(list) = below(action, &["weighted_clusters", "clusters"]) else {
        system.remark(
            Kind::Missing,
            place,
            "a route",
            "which cluster takes its requests is not in the file",
        );
        return Vec::new();
    };
    let weight = |node: &Node| field(node, "weight").and_then(number).unwrap_or(0.0);
    let all: f64 = list.items().iter().map(weight).sum();
    let parts = list.items().iter().filter(|part| weight(part) > 0.0);
    parts
        .map(|part| {
            made(
                part.word("name").unwrap_or_default(),
                Some(weight(part) / all),
            )
        })
        .collect()
}

/// What a route does other than the first to its cluster, as keys of a client of the instance.
pub(super) fn apart(own: &[Key], usual: &[Key], limits: &[Key]) -> Vec<Key> {
    let of = |keys: &[Key], name: &str| keys.iter().rev().find(|key| key.path == name).cloned();
    let value = |keys: &[Key], name: &str| of(keys, name).map(|key| key.value);
    let differs = |name: &str| value(own, name) != value(usual, name);
    let place = |name: &str| {
        of(own, name)
            .or_else(|| own.first().cloned())
            .or_else(|| usual.first().cloned())
    };
    let mut keys = Vec::new();
    let mut push = |path: &str, said: String, name: &str| {
        let key = place(name).and_then(|key| key.place);
        keys.push(match key {
            Some(place) => Key::said(path, said, &place),
            None => Key::implied(path, said),
        });
    };
    let none = |span: String| {
        if span == "\"0s\"" {
            "\"none\"".to_owned()
        } else {
            span
        }
    };
    if differs("timeout") {
        let span = value(own, "timeout").unwrap_or_else(|| "\"15s\"".to_owned());
        push("client.deadline", none(span), "timeout");
    }
    if differs("per_try_timeout") {
        let span = value(own, "per_try_timeout").unwrap_or_else(|| "\"0s\"".to_owned());
        push("client.timeout", none(span), "per_try_timeout");
    }
    let names = [
        "retry_on",
        "num_retries",
        "base_interval",
        "max_interval",
        "previous_hosts",
    ];
    if names.into_iter().any(differs) {
        match value(own, "retry_on") {
            None => push("client.retry", "\"none\"".to_owned(), "retry_on"),
            Some(on) => {
                let or = |name: &str, default: &str| {
                    value(own, name).unwrap_or_else(|| default.to_owned())
                };
                let retries: u32 = or("num_retries", "1").parse().unwrap_or(1);
                let avoid = if value(own, "previous_hosts").is_some() {
                    "all"
                } else {
                    "none"
                };
                let longest = match value(own, "max_interval") {
                    Some(longest) => format!(", max_interval = {longest}"),
                    None => String::new(),
                };
                let retry = format!(
                    "{{ kind = \"envoy\", attempts = {}, retry_on = {on}, base_interval = {}{longest}, avoid = \"{avoid}\" }}",
                    retries + 1,
                    or("base_interval", "\"25ms\""),
                );
                push("client.retry", retry, "retry_on");
                let limit = |name: &str, default: &str| {
                    value(limits, name).unwrap_or_else(|| default.to_owned())
                };
                let guard = format!(
                    "[{{ kind = \"envoy-retry-limit\", max_retries = {}, budget_percent = {}, min_retry_concurrency = {} }}]",
                    limit("max_retries", "3"),
                    limit("budget_percent", "0"),
                    limit("min_retry_concurrency", "3"),
                );
                push("client.guards", guard, "retry_on");
            }
        }
    }
    keys
}
