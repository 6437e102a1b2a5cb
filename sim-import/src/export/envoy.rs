//! Envoy's static configuration: a cluster for each service, a route for each way in.

use super::said::{Counterpart, Said, balancer, chosen, policy, rules, unquoted, whole, words};
use super::subject::{Subject, param};
use super::ways::{Way, apart, drained, ways};
use super::yaml::{Map, Yaml, add, map, plain, text};
use super::{ADDRESSES, BESIDE_BALANCERS, Target, is_of_balancers};
use sim_core::ids::Id;
use sim_core::model::{Client, Server, Service};
use sim_core::time::Duration;

pub(super) static TARGET: Target = Target {
    name: "envoy",
    about: "Envoy's static configuration as YAML: clusters with their endpoints, and a route for each source.",
    concerns: is_of_balancers,
    beside: BESIDE_BALANCERS,
    write,
};

const POLICIES: &[Counterpart] = &[
    policy("envoy-round-robin", "ROUND_ROBIN", true),
    policy("envoy-least-request", "LEAST_REQUEST", true),
    policy("envoy-ring-hash", "RING_HASH", true),
    policy("maglev", "MAGLEV", true),
    policy("round-robin", "ROUND_ROBIN", false),
    policy("weighted-round-robin", "ROUND_ROBIN", true),
    policy("random", "RANDOM", false),
    policy("power-of-d", "LEAST_REQUEST", false),
    policy("ring-hash", "RING_HASH", true),
];
/// The first port that is listened at.
const PORT: usize = 80;
/// What is no limit: more than anything can have.
const NO_LIMIT: &str = "4000000000";
/// Limits of a cluster, and whether they stand in its budget of retries.
const LIMITS: &[&str] = &[
    "max_connections",
    "max_pending_requests",
    "max_requests",
    "max_retries",
];

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
    for service in &model.services {
        if service.servers.is_empty() {
            subject.remark(format!(
                "{} has no servers of its own, and is no cluster",
                service.name
            ));
            continue;
        }
        let mut said = Said::of(service, "envoy", subject);
        let (cluster, hashes) = cluster(service, &mut said, subject);
        clusters.push(cluster);
        let all = ways(service, subject);
        if all.is_empty() {
            subject.remark(format!(
                "no source leads to {}: other services ask it, and no route does",
                service.name
            ));
        }
        // Filters are those of all routes of a listener.
        let filters = filters(service, &mut said, subject);
        let rules = Rules::of(&mut said);
        let apart = !filters.is_empty();
        let mut into = if apart {
            listener(&service.name)
        } else {
            listener("")
        };
        into.filters = filters;
        for way in &all {
            let only = way.alone && (apart || model.sources.len() == 1);
            let prefix = if only {
                "/".to_owned()
            } else {
                way.prefix.clone()
            };
            let rules = rules.apart(way, service, subject);
            into.routes
                .push((prefix.clone(), route(service, &prefix, &rules, hashes)));
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

/// A cluster, and whether it chooses by keys.
fn cluster(service: &Service, said: &mut Said, subject: &mut Subject<'_>) -> (Yaml, bool) {
    let weighs = choice(service, said, subject);
    health(service, said, subject);
    guards(service, said, subject);
    client(service, said, subject);
    zones(service, said, subject);
    let mut fields = Map::new();
    add(&mut fields, "name", text(&service.name));
    add(&mut fields, "type", plain("STRICT_DNS"));
    if let Some(connect) = said.span("connect_timeout") {
        add(&mut fields, "connect_timeout", span(connect));
    }
    let chosen = said.word("lb_policy");
    let policy = chosen.clone().unwrap_or_else(|| "ROUND_ROBIN".to_owned());
    if let Some(word) = &chosen {
        add(&mut fields, "lb_policy", plain(word));
    }
    let hashes = ["RING_HASH", "MAGLEV"].contains(&policy.as_str());
    if hashes {
        subject.remark("keys of requests are addresses of clients here");
    }
    of_policy(&policy, said, &mut fields);
    common(hashes, said, &mut fields);
    limits(said, &mut fields);
    outliers(said, &mut fields);
    checks(said, &mut fields);
    if said.word("protocol").as_deref() == Some("http2") {
        let options = typed(
            "upstreams.http.v3.HttpProtocolOptions",
            [(
                "explicit_http_config",
                map([("http2_protocol_options", map([]))]),
            )],
        );
        add(
            &mut fields,
            "typed_extension_protocol_options",
            map([(
                "envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
                options,
            )]),
        );
    }
    add(
        &mut fields,
        "load_assignment",
        assignment(service, weighs, said, subject),
    );
    (Yaml::Map(fields), hashes)
}

/// The policy of what is no dialect of its own; whether weights count.
fn choice(service: &Service, said: &mut Said, subject: &mut Subject<'_>) -> bool {
    let path = format!("{}.policy", balancer(service));
    let Some(found) = chosen(service, POLICIES, subject) else {
        return true;
    };
    said.put("lb_policy", found.word, &path);
    let own = &service.balancer.policy;
    let row = &own.def.row;
    let of = |name| param(row, &own.params, name);
    let names: &[(&str, &str)] = match row.name {
        "envoy-least-request" => &[
            ("choice_count", "choice_count"),
            ("active_request_bias", "active_request_bias"),
        ],
        "envoy-ring-hash" => &[
            ("minimum_ring_size", "minimum_ring_size"),
            ("maximum_ring_size", "maximum_ring_size"),
            ("hash_balance_factor", "hash_balance_factor"),
        ],
        "maglev" => &[
            ("table", "table_size"),
            ("hash_balance_factor", "hash_balance_factor"),
        ],
        "power-of-d" => &[("d", "choice_count")],
        _ => &[],
    };
    for (own, name) in names {
        said.put(name, of(own), &format!("{path}.{own}"));
    }
    let bound: f64 = of_number(&of("bound"));
    if row.name == "ring-hash" && bound >= 1.0 {
        said.put(
            "hash_balance_factor",
            (bound * 100.0).round().to_string(),
            &format!("{path}.bound"),
        );
    }
    found.weighs
}

fn of_number(text: &str) -> f64 {
    text.parse().unwrap_or(0.0)
}

fn health(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    let (rules, path) = rules(service, subject);
    for rule in rules {
        let row = &rule.def.row;
        let at = format!("{path}.{}", row.name);
        let of = |name| param(row, &rule.params, name);
        match row.name {
            "checks" | "envoy-health-checks" => {
                said.imply("health_checks", "true");
                let names: &[(&str, &str)] = if row.name == "checks" {
                    &[
                        ("interval", "interval"),
                        ("timeout", "check_timeout"),
                        ("fall", "unhealthy_threshold"),
                        ("rise", "healthy_threshold"),
                    ]
                } else {
                    &[
                        ("interval", "interval"),
                        ("timeout", "check_timeout"),
                        ("unhealthy_threshold", "unhealthy_threshold"),
                        ("healthy_threshold", "healthy_threshold"),
                        ("unhealthy_interval", "unhealthy_interval"),
                        ("unhealthy_edge_interval", "unhealthy_edge_interval"),
                    ]
                };
                said.put_rule(rule, &path, names);
                said.put("probe", of("probe"), &format!("{at}.probe"));
            }
            "outlier-detection" => {
                said.imply("outlier_detection", "true");
                said.put_rule(
                    rule,
                    &path,
                    &[
                        ("consecutive", "consecutive_5xx"),
                        ("base", "base_ejection_time"),
                        ("max", "max_ejection_time"),
                    ],
                );
                let percent = of_number(&of("max_ejected")) * 100.0;
                said.put(
                    "max_ejection_percent",
                    percent.round().to_string(),
                    &format!("{at}.max_ejected"),
                );
                said.imply("enforcing_success_rate", "0");
            }
            "envoy-outlier-detection" => {
                said.imply("outlier_detection", "true");
                said.put_rule(rule, &path, &[("interval", "outlier_interval")]);
                let names: Vec<(&str, &str)> =
                    OUTLIER.iter().map(|(name, _)| (*name, *name)).collect();
                said.put_rule(rule, &path, &names);
            }
            "panic" => {
                let percent = of_number(&of("below")) * 100.0;
                said.put(
                    "healthy_panic_threshold",
                    percent.to_string(),
                    &format!("{at}.below"),
                );
                let fails = of("then") == "\"none\"";
                said.put(
                    "fail_traffic_on_panic",
                    fails.to_string(),
                    &format!("{at}.then"),
                );
            }
            "envoy-slow-start" => said.put_rule(
                rule,
                &path,
                &[
                    ("slow_start_window", "slow_start_window"),
                    ("aggression", "aggression"),
                    ("min_weight_percent", "min_weight_percent"),
                ],
            ),
            "envoy-priorities" => said.put_rule(
                rule,
                &path,
                &[
                    ("overprovisioning_factor", "overprovisioning_factor"),
                    ("healthy_panic_threshold", "healthy_panic_threshold"),
                    ("fail_traffic_on_panic", "fail_traffic_on_panic"),
                ],
            ),
            "update-merge-window" => {
                said.put_rule(rule, &path, &[("window", "update_merge_window")]);
            }
            _ => continue,
        }
        subject.take_kind(&at);
    }
    if !said.own {
        // The program panics, and lets changes of health wait, unless it is told otherwise.
        said.imply("healthy_panic_threshold", "0");
        said.imply("update_merge_window", "0s");
    }
}

fn guards(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    let path = format!("{}.guards", balancer(service));
    let own = service
        .balancer
        .guards
        .iter()
        .find(|guard| guard.def.row.name == "envoy-circuit-breaker");
    if let Some(guard) = own.filter(|_| subject.says(&path)) {
        let names = [
            "protocol",
            "max_connections",
            "max_pending_requests",
            "max_requests",
        ];
        said.put_rule(guard, &path, &names.map(|name| (name, name)));
        subject.take_kind(&format!("{path}.envoy-circuit-breaker"));
    }
    if !said.own {
        for name in LIMITS {
            said.imply(name, NO_LIMIT);
        }
    }
}

fn client(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    let path = balancer(service);
    for (key, name) in [
        ("link.connect_timeout", "connect_timeout"),
        ("client.deadline", "timeout"),
        ("client.timeout", "per_try_timeout"),
    ] {
        let at = format!("{path}.{key}");
        if let Some(value) = subject.value(&at) {
            let value = if value == "\"none\"" { "0s" } else { value };
            said.put(name, value.to_owned(), &at);
        }
    }
    if !said.own {
        said.imply("timeout", "0s");
    }
    let retry = format!("{path}.client.retry");
    let client = service.balancer.client.as_ref();
    let client = client.map(|own| &subject.model.clients[own.client.position()]);
    let Some(client) = client.filter(|_| subject.says(&format!("{path}.client"))) else {
        return;
    };
    if subject.says(&retry) {
        let row = &client.retry.def.row;
        let of = |name| param(row, &client.retry.params, name);
        match row.name {
            "envoy" => {
                subject.take_kind(&retry);
                let names = [
                    ("retry_on", "retry_on"),
                    ("base_interval", "base_interval"),
                    ("max_interval", "max_interval"),
                ];
                for (own, name) in names {
                    said.put(name, of(own), &format!("{retry}.{own}"));
                }
                let retries = of_number(&of("attempts")) - 1.0;
                said.put(
                    "num_retries",
                    retries.to_string(),
                    &format!("{retry}.attempts"),
                );
                let previous = of("avoid") == "\"all\"";
                said.put(
                    "previous_hosts",
                    previous.to_string(),
                    &format!("{retry}.avoid"),
                );
            }
            "none" => said.put("retry_on", "[]", &retry),
            _ => subject.refuse(&retry, "it tries again in another way: it does not here"),
        }
    }
    let list = format!("{path}.client.guards");
    let limit = client
        .guards
        .iter()
        .find(|guard| guard.def.row.name == "envoy-retry-limit");
    if let Some(limit) = limit.filter(|_| subject.says(&list)) {
        let names = ["max_retries", "budget_percent", "min_retry_concurrency"];
        said.put_rule(limit, &list, &names.map(|name| (name, name)));
        subject.take_kind(&format!("{list}.envoy-retry-limit"));
        subject.take(&format!("{list}.envoy-retry-limit.longest_pause"));
    }
}

fn zones(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    let at = format!("{}.by_zone", balancer(service));
    if let Some(split) = service.balancer.by_zone.filter(|_| subject.says(&at)) {
        said.imply("locality_weighted", "true");
        let factor = (split.overprovisioning * 100.0).round();
        said.put(
            "overprovisioning_factor",
            factor.to_string(),
            &format!("{at}.overprovisioning"),
        );
        if split.random_start {
            subject.take(&format!("{at}.start"));
        }
    }
}

/// How a field is written.
#[derive(Clone, Copy)]
enum As {
    Plain,
    Percent,
    Span,
}

/// Fields of outlier detection that are parameters of the dialect by the same name.
const OUTLIER: &[(&str, As)] = &[
    ("consecutive_5xx", As::Plain),
    ("consecutive_gateway_failure", As::Plain),
    ("enforcing_consecutive_gateway_failure", As::Plain),
    ("enforcing_success_rate", As::Plain),
    ("enforcing_failure_percentage", As::Plain),
    ("failure_percentage_threshold", As::Plain),
    ("base_ejection_time", As::Span),
    ("max_ejection_time", As::Span),
    ("max_ejection_percent", As::Plain),
    ("always_eject_one_host", As::Plain),
];

/// Adds a field, if its parameter is said.
fn field(fields: &mut Map, name: &str, param: &str, kind: As, said: &mut Said) {
    let value = match kind {
        As::Plain => said.number(param).map(plain),
        As::Percent => said.number(param).map(|number| percent(&number)),
        As::Span => said.span(param).map(span),
    };
    if let Some(value) = value {
        add(fields, name, value);
    }
}

fn percent(number: &str) -> Yaml {
    map([("value", plain(number))])
}

/// What only some policies have.
fn of_policy(policy: &str, said: &mut Said, fields: &mut Map) {
    let mut own = Map::new();
    let name = match policy {
        "ROUND_ROBIN" => "round_robin_lb_config",
        "LEAST_REQUEST" => {
            field(&mut own, "choice_count", "choice_count", As::Plain, said);
            if let Some(bias) = said.number("active_request_bias") {
                let value = map([
                    ("default_value", plain(bias)),
                    ("runtime_key", text("active_request_bias")),
                ]);
                add(&mut own, "active_request_bias", value);
            }
            "least_request_lb_config"
        }
        "RING_HASH" => {
            field(
                &mut own,
                "minimum_ring_size",
                "minimum_ring_size",
                As::Plain,
                said,
            );
            field(
                &mut own,
                "maximum_ring_size",
                "maximum_ring_size",
                As::Plain,
                said,
            );
            "ring_hash_lb_config"
        }
        "MAGLEV" => {
            field(&mut own, "table_size", "table_size", As::Plain, said);
            "maglev_lb_config"
        }
        _ => return,
    };
    if ["ROUND_ROBIN", "LEAST_REQUEST"].contains(&policy)
        && let Some(window) = said.some_span("slow_start_window")
    {
        let mut slow = Map::new();
        add(&mut slow, "slow_start_window", span(window));
        if let Some(aggression) = said.number("aggression") {
            let value = map([
                ("default_value", plain(aggression)),
                ("runtime_key", text("aggression")),
            ]);
            add(&mut slow, "aggression", value);
        }
        field(
            &mut slow,
            "min_weight_percent",
            "min_weight_percent",
            As::Percent,
            said,
        );
        add(&mut own, "slow_start_config", Yaml::Map(slow));
    }
    if !own.is_empty() {
        add(fields, name, Yaml::Map(own));
    }
}

fn common(hashes: bool, said: &mut Said, fields: &mut Map) {
    let mut own = Map::new();
    field(
        &mut own,
        "healthy_panic_threshold",
        "healthy_panic_threshold",
        As::Percent,
        said,
    );
    field(
        &mut own,
        "update_merge_window",
        "update_merge_window",
        As::Span,
        said,
    );
    if hashes
        && said
            .number("hash_balance_factor")
            .is_some_and(|factor| factor != "0")
    {
        let mut hash = Map::new();
        field(
            &mut hash,
            "hash_balance_factor",
            "hash_balance_factor",
            As::Plain,
            said,
        );
        add(&mut own, "consistent_hashing_lb_config", Yaml::Map(hash));
    }
    // One or the other.
    if said.flag("locality_weighted") {
        add(&mut own, "locality_weighted_lb_config", map([]));
    } else if said.flag("fail_traffic_on_panic") {
        add(
            &mut own,
            "zone_aware_lb_config",
            map([("fail_traffic_on_panic", plain(true))]),
        );
    }
    if !own.is_empty() {
        add(fields, "common_lb_config", Yaml::Map(own));
    }
}

fn limits(said: &mut Said, fields: &mut Map) {
    let mut own = Map::new();
    for name in LIMITS {
        field(&mut own, name, name, As::Plain, said);
    }
    if said
        .number("budget_percent")
        .is_some_and(|percent| percent != "0")
    {
        let mut budget = Map::new();
        field(
            &mut budget,
            "budget_percent",
            "budget_percent",
            As::Percent,
            said,
        );
        field(
            &mut budget,
            "min_retry_concurrency",
            "min_retry_concurrency",
            As::Plain,
            said,
        );
        add(&mut own, "retry_budget", Yaml::Map(budget));
    }
    if !own.is_empty() {
        add(
            fields,
            "circuit_breakers",
            map([("thresholds", Yaml::List(vec![Yaml::Map(own)]))]),
        );
    }
}

fn outliers(said: &mut Said, fields: &mut Map) {
    if !said.flag("outlier_detection") {
        return;
    }
    let mut own = Map::new();
    field(&mut own, "interval", "outlier_interval", As::Span, said);
    for (name, kind) in OUTLIER {
        field(&mut own, name, name, *kind, said);
    }
    add(fields, "outlier_detection", Yaml::Map(own));
}

fn checks(said: &mut Said, fields: &mut Map) {
    if !said.flag("health_checks") {
        return;
    }
    // The program has no default for these; the dialect has.
    for (name, usual) in [
        ("interval", "5s"),
        ("check_timeout", "2s"),
        ("unhealthy_threshold", "3"),
        ("healthy_threshold", "2"),
    ] {
        said.imply(name, usual);
    }
    let mut own = Map::new();
    for (name, param, kind) in [
        ("timeout", "check_timeout", As::Span),
        ("interval", "interval", As::Span),
        ("unhealthy_threshold", "unhealthy_threshold", As::Plain),
        ("healthy_threshold", "healthy_threshold", As::Plain),
    ] {
        field(&mut own, name, param, kind, said);
    }
    for name in ["unhealthy_interval", "unhealthy_edge_interval"] {
        if let Some(value) = said.some_span(name) {
            add(&mut own, name, span(value));
        }
    }
    if said.word("probe").as_deref() == Some("connect") {
        add(&mut own, "tcp_health_check", map([]));
    } else {
        add(&mut own, "http_health_check", map([("path", text("/"))]));
    }
    add(fields, "health_checks", Yaml::List(vec![Yaml::Map(own)]));
}

/// Endpoints of one priority and zone.
type Group<'a> = ((usize, Option<&'a str>), Vec<Yaml>);

/// Endpoints, together by priority and zone.
fn assignment(service: &Service, weighs: bool, said: &mut Said, subject: &mut Subject<'_>) -> Yaml {
    let model = subject.model;
    let own: Vec<_> = service
        .servers
        .iter()
        .map(|id| &model.servers[id.position()])
        .collect();
    let weights: Vec<f64> = own.iter().map(|server| server.params.weight).collect();
    let weights = whole(&weights, 1e6).filter(|_| weighs);
    if weights.is_some() {
        subject.take_of_servers(service, "weight", &[]);
    } else {
        let why =
            "the policy does not look at weights, or they are no whole numbers in any proportion";
        subject.refuse_of_servers(service, "weight", why);
    }
    let zoned = said.flag("locality_weighted");
    let zone = |server: &Server| server.zone.map(|id| &service.zones[id.position()]);
    // Levels have no gaps.
    let mut levels: Vec<u32> = own.iter().map(|server| server.params.priority).collect();
    levels.sort_unstable();
    levels.dedup();
    let drained = drained(service, subject);
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (place, server) in own.iter().enumerate() {
        let level = levels
            .iter()
            .position(|level| *level == server.params.priority)
            .unwrap_or(0);
        let key = (level, zone(server).map(|zone| zone.name.as_str()));
        let weight = weights.as_ref().map_or(1, |weights| weights[place]);
        let out = !server.present || weight == 0 || drained.contains(&server.name);
        let endpoint = endpoint(server, weight, out);
        match groups.iter_mut().find(|(own, _)| *own == key) {
            Some((_, all)) => all.push(endpoint),
            None => groups.push((key, vec![endpoint])),
        }
    }
    for key in ["priority", "backup", "present", "zone"] {
        subject.take_of_servers(service, key, &[]);
    }
    let mut endpoints = Vec::new();
    for ((level, name), all) in groups {
        let mut fields = Map::new();
        if let Some(name) = name {
            add(&mut fields, "locality", map([("zone", text(name))]));
        }
        if level > 0 {
            add(&mut fields, "priority", plain(level));
        }
        let own = service
            .zones
            .iter()
            .find(|zone| Some(zone.name.as_str()) == name);
        if let Some(zone) = own.filter(|_| zoned)
            && zone.weight.fract() == 0.0
        {
            // One without a weight gets nothing.
            if zone.weight > 0.0 {
                add(&mut fields, "load_balancing_weight", plain(zone.weight));
            }
            subject.take(&format!(
                "service.{}.zone.{}.weight",
                service.name, zone.name
            ));
        }
        add(&mut fields, "lb_endpoints", Yaml::List(all));
        endpoints.push(Yaml::Map(fields));
    }
    let mut fields = Map::new();
    add(&mut fields, "cluster_name", text(&service.name));
    if let Some(factor) = said.number("overprovisioning_factor") {
        add(
            &mut fields,
            "policy",
            map([("overprovisioning_factor", plain(factor))]),
        );
    }
    add(&mut fields, "endpoints", Yaml::List(endpoints));
    Yaml::Map(fields)
}

fn endpoint(server: &Server, weight: u64, out: bool) -> Yaml {
    let (host, port) = host_and_port(&server.name);
    let mut fields = Map::new();
    add(
        &mut fields,
        "endpoint",
        map([("address", address(host, port))]),
    );
    if weight > 1 {
        add(&mut fields, "load_balancing_weight", plain(weight));
    }
    if out {
        add(&mut fields, "health_status", plain("UNHEALTHY"));
    }
    Yaml::Map(fields)
}

/// A name whose end is a port, as an importer makes it of an address.
fn host_and_port(name: &str) -> (&str, usize) {
    if let Some((host, end)) = name.rsplit_once('-')
        && let Ok(port) = end.parse::<usize>()
        && (matches!(port, 80 | 443) || (1000..65_536).contains(&port))
        && !host.is_empty()
        && !end.starts_with('0')
    {
        return (host, port);
    }
    (name, PORT)
}

/// What a route says of its requests.
#[derive(Clone, Default)]
struct Rules {
    timeout: Option<Duration>,
    per_try: Option<Duration>,
    retry_on: Option<Vec<String>>,
    retries: Option<String>,
    base: Option<Duration>,
    longest: Option<Duration>,
    previous: bool,
}

impl Rules {
    fn of(said: &mut Said) -> Self {
        Self {
            timeout: said.span("timeout"),
            per_try: said.some_span("per_try_timeout"),
            retry_on: said.words("retry_on").filter(|words| !words.is_empty()),
            retries: said.number("num_retries"),
            base: said.span("base_interval"),
            longest: said.some_span("max_interval"),
            previous: said.flag("previous_hosts"),
        }
    }

    /// The rules with what differs for the requests of a way.
    fn apart(&self, way: &Way<'_>, service: &Service, subject: &mut Subject<'_>) -> Self {
        let mut rules = self.clone();
        let Some((client, path)) = apart(way, service, subject) else {
            return rules;
        };
        let mut says = |key: &str| {
            let path = format!("{path}.{key}");
            let says = subject.says(&path);
            if says {
                subject.take(&path);
            }
            says
        };
        if says("deadline") {
            rules.timeout = Some(client.deadline.unwrap_or(Duration::ZERO));
        }
        if says("timeout") {
            rules.per_try = client.timeout;
        }
        let known = ["envoy", "none"].contains(&client.retry.def.row.name);
        if known && says("retry") {
            rules.tries(client);
        }
        // Limits of retries are the cluster's.
        if says("guards.envoy-retry-limit") {
            return rules;
        }
        rules
    }

    fn tries(&mut self, client: &Client) {
        let row = &client.retry.def.row;
        let of = |name| param(row, &client.retry.params, name);
        if row.name == "none" {
            self.retry_on = None;
            return;
        }
        let time = |name| Duration::parse(unquoted(&of(name))).ok();
        self.retry_on = Some(words(&of("retry_on")));
        self.retries = Some((of_number(&of("attempts")) - 1.0).to_string());
        self.base = time("base_interval");
        self.longest = time("max_interval").filter(|span| !span.is_zero());
        self.previous = of("avoid") == "\"all\"";
    }
}

fn route(service: &Service, prefix: &str, rules: &Rules, hashes: bool) -> Yaml {
    let mut action = Map::new();
    add(&mut action, "cluster", text(&service.name));
    if let Some(timeout) = rules.timeout {
        add(&mut action, "timeout", span(timeout));
    }
    let mut policy = Map::new();
    if let Some(words) = &rules.retry_on {
        add(&mut policy, "retry_on", text(&words.join(",")));
        if let Some(retries) = &rules.retries {
            add(&mut policy, "num_retries", plain(retries));
        }
    }
    if let Some(per_try) = rules.per_try {
        add(&mut policy, "per_try_timeout", span(per_try));
    }
    if let Some(base) = rules.base.filter(|_| rules.retry_on.is_some()) {
        let mut pauses = Map::new();
        add(&mut pauses, "base_interval", span(base));
        if let Some(longest) = rules.longest {
            add(&mut pauses, "max_interval", span(longest));
        }
        add(&mut policy, "retry_back_off", Yaml::Map(pauses));
    }
    if rules.previous && rules.retry_on.is_some() {
        let kind = typed("retry.host.previous_hosts.v3.PreviousHostsPredicate", []);
        let predicate = map([
            ("name", text("envoy.retry_host_predicates.previous_hosts")),
            ("typed_config", kind),
        ]);
        add(
            &mut policy,
            "retry_host_predicate",
            Yaml::List(vec![predicate]),
        );
        // Tries of a choice that falls upon one of them again.
        add(&mut policy, "host_selection_retry_max_attempts", plain(10));
    }
    if !policy.is_empty() {
        add(&mut action, "retry_policy", Yaml::Map(policy));
    }
    if hashes {
        let source = map([("connection_properties", map([("source_ip", plain(true))]))]);
        add(&mut action, "hash_policy", Yaml::List(vec![source]));
    }
    map([
        ("match", map([("prefix", text(prefix))])),
        ("route", Yaml::Map(action)),
    ])
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
