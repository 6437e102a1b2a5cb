//! Envoy's static configuration: a cluster for each service, a route for each way in.

mod cluster;
mod endpoints;
mod generic;
mod params;
mod route;

use super::routes::parts;
use super::said::{Said, balancer};
use super::subject::{Subject, param};
use super::ways::ways;
use super::yaml::{Yaml, map, plain, text};
use super::{ADDRESSES, BESIDE_BALANCERS, Target, is_of_balancers};
use cluster::cluster;
use generic::client;
use params::percent;
use route::{Rules, route};
use sim_core::model::Service;
use sim_core::time::Duration;

pub(super) static TARGET: Target = Target {
    name: "envoy",
    about: "Envoy's static configuration as YAML: clusters with their endpoints, and a route for each source.",
    concerns: is_of_balancers,
    beside: BESIDE_BALANCERS,
    write,
};

/// The first port that is listened at.
const PORT: usize = 80;
/// What is no limit: more than anything can have.
const NO_LIMIT: &str = "4000000000";

/// Routes of a listener, with filters before them.
struct Listener {
    name: String,
    filters: Vec<Yaml>,
    routes: Vec<(String, Yaml)>,
}

fn write(subject: &mut Subject<'_>) -> String {
    let model = subject.model;
    let mut clusters = Vec::new();
    let mut common = listener("all");
    let mut own = Vec::new();
    let mut read = Vec::new();
    for service in subject.services("cluster") {
        let mut said = Said::of(service, "envoy", subject);
        let mut hashes = false;
        if service.servers.is_empty() {
            // Its routes have its time-outs all the same: without a line the program has one of its own.
            client(service, &mut said, subject);
        } else {
            let (cluster, by_key) = cluster(service, &mut said, subject);
            clusters.push(cluster);
            hashes = by_key;
        }
        read.push((service, said, hashes));
    }
    let hashing: Vec<&str> = (read.iter())
        .filter(|(_, _, hashes)| *hashes)
        .map(|(service, ..)| service.name.as_str())
        .collect();
    for (service, mut said, _) in read {
        let all = ways(service, subject);
        // Filters are those of all routes of a listener.
        let filters = filters(service, &mut said, subject);
        let rules = Rules::of(&mut said);
        let apart = !filters.is_empty() || all.iter().any(|way| way.inside);
        let mut into = listener(if apart { &service.name } else { "" });
        into.filters = filters;
        for way in &all {
            let only = way.alone && (apart || model.sources.len() == 1);
            let prefix = if only { "/" } else { &way.prefix };
            let rules = rules.apart(way, service, subject);
            let parts = parts(way, service, subject);
            let hashes = parts
                .iter()
                .any(|(to, _)| hashing.contains(&to.name.as_str()));
            if !parts.is_empty() {
                let route = route(&parts, prefix, &rules, hashes);
                into.routes.push((prefix.to_owned(), route));
            }
        }
        if apart {
            own.push(into);
        } else {
            common.routes.extend(into.routes);
        }
        said.close(subject);
    }
    subject.remark(ADDRESSES);
    let listeners = std::iter::once(common)
        .chain(own)
        .filter(|one| !one.routes.is_empty());
    let listeners = listeners
        .enumerate()
        .map(|(number, one)| one.yaml(PORT + number));
    let listeners = Yaml::List(listeners.collect());
    let clusters = Yaml::List(clusters);
    map([(
        "static_resources",
        map([("listeners", listeners), ("clusters", clusters)]),
    )])
    .document()
}

fn listener(name: &str) -> Listener {
    Listener {
        name: name.to_owned(),
        filters: Vec::new(),
        routes: Vec::new(),
    }
}

/// A typed configuration of an extension.
fn typed<const N: usize>(kind: &str, fields: [(&str, Yaml); N]) -> Yaml {
    let Yaml::Map(mut own) = map([(
        "@type",
        text(&format!("type.googleapis.com/envoy.extensions.{kind}")),
    )]) else {
        unreachable!("fields are a map");
    };
    own.extend(fields.map(|(name, value)| (name.to_owned(), value)));
    Yaml::Map(own)
}

impl Listener {
    fn yaml(mut self, port: usize) -> Yaml {
        // The first route that matches counts: the longest prefix comes first.
        self.routes
            .sort_by(|(a, _), (b, _)| b.len().cmp(&a.len()).then(a.cmp(b)));
        let routes: Vec<Yaml> = self.routes.into_iter().map(|(_, route)| route).collect();
        let host = map([
            ("name", text("root")),
            ("domains", Yaml::List(vec![text("*")])),
            ("routes", Yaml::List(routes)),
        ]);
        let mut filters = self.filters;
        filters.push(filter("router", typed("filters.http.router.v3.Router", [])));
        let manager = typed(
            "filters.network.http_connection_manager.v3.HttpConnectionManager",
            [
                ("stat_prefix", text(&self.name)),
                ("http_filters", Yaml::List(filters)),
                (
                    "route_config",
                    map([("virtual_hosts", Yaml::List(vec![host]))]),
                ),
            ],
        );
        let manager = map([
            (
                "name",
                text("envoy.filters.network.http_connection_manager"),
            ),
            ("typed_config", manager),
        ]);
        let chain = map([("filters", Yaml::List(vec![manager]))]);
        map([
            ("name", text(&self.name)),
            ("address", address("0.0.0.0", port)),
            ("filter_chains", Yaml::List(vec![chain])),
        ])
    }
}

fn address(host: &str, port: usize) -> Yaml {
    map([(
        "socket_address",
        map([("address", text(host)), ("port_value", plain(port))]),
    )])
}

fn filter(name: &str, config: Yaml) -> Yaml {
    map([
        ("name", text(&format!("envoy.filters.http.{name}"))),
        ("typed_config", config),
    ])
}

fn always(key: &str) -> Yaml {
    map([
        ("runtime_key", text(key)),
        (
            "default_value",
            map([("numerator", plain(100)), ("denominator", plain("HUNDRED"))]),
        ),
    ])
}

/// What stands before the routes to a service.
fn filters(service: &Service, said: &mut Said, subject: &mut Subject<'_>) -> Vec<Yaml> {
    bucket(service, said, subject);
    let mut all = Vec::new();
    if let Some(tokens) = said.count("max_tokens").filter(|tokens| *tokens > 0) {
        let fill = said.count("tokens_per_fill").unwrap_or(1);
        let interval = said.span("fill_interval").unwrap_or(Duration::from_secs(1));
        let bucket = map([
            ("max_tokens", plain(tokens)),
            ("tokens_per_fill", plain(fill)),
            ("fill_interval", span(interval)),
        ]);
        let config = typed(
            "filters.http.local_ratelimit.v3.LocalRateLimit",
            [
                ("stat_prefix", text("local_rate_limit")),
                ("token_bucket", bucket),
                ("filter_enabled", always("local_rate_limit_enabled")),
                ("filter_enforced", always("local_rate_limit_enforced")),
            ],
        );
        all.push(filter("local_ratelimit", config));
    }
    let enabled = |key: &str| map([("default_value", plain(true)), ("runtime_key", text(key))]);
    if said.flag("admission_control") {
        let config = typed(
            "filters.http.admission_control.v3.AdmissionControl",
            [
                ("enabled", enabled("admission_control.enabled")),
                ("success_criteria", map([])),
            ],
        );
        all.push(filter("admission_control", config));
    }
    if said.flag("adaptive_concurrency") {
        let controller = map([
            ("sample_aggregate_percentile", percent("50")),
            (
                "concurrency_limit_params",
                map([("concurrency_update_interval", text("0.1s"))]),
            ),
            (
                "min_rtt_calc_params",
                map([("interval", text("60s")), ("request_count", plain(50))]),
            ),
        ]);
        let config = typed(
            "filters.http.adaptive_concurrency.v3.AdaptiveConcurrency",
            [
                ("gradient_controller_config", controller),
                ("enabled", enabled("adaptive_concurrency.enabled")),
            ],
        );
        all.push(filter("adaptive_concurrency", config));
    }
    all
}

/// Guards of any balancer that are filters of this one.
fn bucket(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    let path = format!("{}.guards", balancer(service));
    if !subject.says(&path) {
        return;
    }
    for guard in &service.balancer.guards {
        let row = &guard.def.row;
        let at = format!("{path}.{}", row.name);
        let of = |name| param(row, &guard.params, name);
        match row.name {
            "rate-limit" => {
                let rate: f64 = of("rate").parse().unwrap_or(0.0);
                // Whole tokens at a time.
                let Some(seconds) = [1, 10, 60, 100]
                    .into_iter()
                    .find(|n| (rate * f64::from(*n)).fract() == 0.0)
                else {
                    subject.refuse(&at, "tokens are whole numbers in whole intervals");
                    continue;
                };
                said.put("max_tokens", of("burst"), &format!("{at}.burst"));
                said.put(
                    "tokens_per_fill",
                    (rate * f64::from(seconds)).to_string(),
                    &format!("{at}.rate"),
                );
                said.imply("fill_interval", format!("{seconds}s"));
            }
            "envoy-admission-control" => said.put("admission_control", "true", &at),
            "envoy-adaptive-concurrency" => said.put("adaptive_concurrency", "true", &at),
            _ => continue,
        }
        subject.take_kind(&at);
    }
}

/// A time as protocol buffers write it.
fn span(span: Duration) -> Yaml {
    let (seconds, rest) = (span.0 / 1_000_000_000, span.0 % 1_000_000_000);
    let fraction = format!("{rest:09}");
    match fraction.trim_end_matches('0') {
        "" => text(&format!("{seconds}s")),
        fraction => text(&format!("{seconds}.{fraction}s")),
    }
}
