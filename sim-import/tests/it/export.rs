//! Scenarios as settings and load tests: what is written, what is handed back, and what comes of it when it is read
//! again.

use crate::world::{World, try_import};
use sim_core::model::Model;
use sim_core::scenario::{Files, Scenario, Source};
use sim_import::export::{Exported, TARGETS, export, target};
use sim_import::settings::{self, Surroundings};
use std::path::{Path, PathBuf};

/// The models that come with the program.
struct Models;

impl Files for Models {
    fn read(&self, name: &str) -> Result<Source, String> {
        let wanted = name.trim_end_matches(".toml");
        let stem = wanted.rsplit('/').next().unwrap_or(wanted);
        for path in files(&models()) {
            let fits = path.file_stem().is_some_and(|own| own == stem) || path.ends_with(name);
            if fits {
                let text = std::fs::read_to_string(&path).map_err(|error| error.to_string())?;
                return Ok(Source::new(path.display().to_string(), text));
            }
        }
        Err(format!("no model is called {name}"))
    }
}

fn models() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../models")
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            found.extend(files(&path));
        } else {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn scenario(text: &str) -> Scenario {
    Scenario::read(Source::new("mine.toml", text), &[], &Models)
        .unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

fn exported(text: &str, name: &str) -> Exported {
    let target = target(name).expect("a target");
    export(&scenario(text), target).unwrap_or_else(|problems| panic!("{problems}\n{text}"))
}

/// Reads what was written.
fn imported(text: &str, format: &str) -> settings::Imported {
    let around = Surroundings {
        title: "again",
        files: &World(Vec::new()),
        variable: &|_| None,
    };
    let source = Source::new("again", text);
    settings::import(&[source], settings::format(format), &around)
        .unwrap_or_else(|problem| panic!("{problem:?}\n{text}"))
}

/// A model without what no settings say.
fn plain(text: &str) -> Model {
    let mut model = scenario(text)
        .model()
        .unwrap_or_else(|p| panic!("{p}\n{text}"));
    model.title.clear();
    model.assumed.clear();
    for entry in &mut model.timeline {
        entry.note.clear();
    }
    for source in &mut model.sources {
        source.rate = sim_core::model::Rate::constant(1.0);
    }
    model
}

/// Settings, their scenario, settings of that, and the scenario of these: the model is the same.
fn there_and_back(name: &'static str, settings: &'static str, format: &str) -> Exported {
    let first = try_import(&World(vec![(name, settings)]), &[]);
    let first = first.unwrap_or_else(|problem| panic!("{problem:?}"));
    let made = exported(&first.scenario, format);
    let second = imported(&made.text, format);
    let (before, after) = (plain(&first.scenario), plain(&second.scenario));
    assert!(
        before == after,
        "{}\n{}\n{}",
        first.scenario,
        made.text,
        second.scenario
    );
    made
}

fn is_left(made: &Exported, path: &str) -> bool {
    made.left.iter().any(|left| left.path == path)
}

#[track_caller]
fn says(made: &Exported, lines: &[&str]) {
    for line in lines {
        let found = made.text.lines().any(|own| own.trim() == *line);
        assert!(found, "{line:?} is not in\n{}", made.text);
    }
}

#[test]
fn nginx_there_and_back() {
    let made = there_and_back(
        "shop.conf",
        "worker_processes 2;
events { worker_connections 4096; }
http {
    limit_req_zone $binary_remote_addr zone=each:10m rate=10r/s;
    limit_conn_zone $binary_remote_addr zone=many:10m;
    upstream cart {
        zone cart 64k;
        least_conn;
        server 10.0.0.1:8080 weight=4 max_fails=3 fail_timeout=30s;
        server 10.0.0.2:8080 max_conns=150 max_fails=2 fail_timeout=30s;
        server 10.0.0.3:8080 backup max_fails=3 fail_timeout=30s;
        server 10.0.0.4:8080 down max_fails=3 fail_timeout=30s;
        keepalive 24;
        keepalive_timeout 10s;
    }
    upstream pages {
        hash $request_uri consistent;
        server pages-1 max_fails=0;
        server pages-2 max_fails=0 down;
    }
    proxy_connect_timeout 750ms;
    server {
        listen 80;
        location / {
            limit_req zone=each burst=20 nodelay;
            limit_conn many 8;
            proxy_pass http://cart;
            proxy_read_timeout 20;
            proxy_next_upstream error timeout http_503;
            proxy_next_upstream_tries 3;
            proxy_next_upstream_timeout 5s;
        }
        location /slow/ {
            proxy_pass http://cart;
            proxy_read_timeout 5m;
            proxy_next_upstream off;
        }
        location /pages/ {
            proxy_pass http://pages;
        }
    }
}
",
        "nginx",
    );
    assert!(made.left.is_empty(), "{:?}", made.left);
}

#[test]
fn haproxy_there_and_back() {
    let made = there_and_back(
        "haproxy.cfg",
        "defaults
    mode http
    timeout connect 3s
    timeout client 1m
    timeout server 20s
    timeout queue 500ms
    retries 2
    option redispatch
frontend web
    bind :80
    maxconn 4000
    acl api path_beg /api
    use_backend shop if api
    default_backend shop
frontend pages
    bind :81
    stick-table type ip size 80000 expire 10m store http_req_rate(10s),conn_cur
    http-request track-sc0 src
    http-request deny if { sc_http_req_rate(0) gt 20 }
    http-request deny if { sc_conn_cur(0) gt 5 }
    default_backend pages
backend shop
    balance leastconn
    option httpchk
    timeout check 1s
    fullconn 500
    retry-on conn-failure 503
    default-server check inter 3s fastinter 1s fall 4 rise 3 maxqueue 30 slowstart 20s
    server a 10.0.0.1:80 weight 10 maxconn 40 minconn 5
    server b 10.0.0.2:80 weight 20 maxconn 40 minconn 5 inter 5s
    server c 10.0.0.3:80 backup no-check
    server d 10.0.0.4:80 disabled
backend pages
    balance source
    hash-type consistent wt6
    hash-balance-factor 150
    option allbackups
    cookie SRV insert
    server a 10.0.1.1:80 cookie a check observe layer7 error-limit 5 on-error mark-down
    server b 10.0.1.2:80 cookie b check observe layer7 error-limit 5 on-error mark-down
",
        "haproxy",
    );
    assert!(made.left.is_empty(), "{:?}", made.left);
}

#[test]
fn envoy_there_and_back() {
    let made = there_and_back(
        "envoy.yaml",
        "static_resources:
  listeners:
    - name: main
      address: { socket_address: { address: 0.0.0.0, port_value: 80 } }
      filter_chains:
        - filters:
            - name: envoy.filters.network.http_connection_manager
              typed_config:
                http_filters:
                  - name: envoy.filters.http.local_ratelimit
                    typed_config:
                      token_bucket: { max_tokens: 50, tokens_per_fill: 10, fill_interval: 0.1s }
                  - name: envoy.filters.http.router
                route_config:
                  virtual_hosts:
                    - name: root
                      domains: ['*']
                      routes:
                        - match: { prefix: /api }
                          route: { cluster: shop, timeout: 2s }
                        - match: { prefix: / }
                          route:
                            cluster: shop
                            timeout: 0.75s
                            retry_policy:
                              retry_on: 5xx,reset
                              num_retries: 2
                              per_try_timeout: 0.2s
                              retry_back_off: { base_interval: 0.01s, max_interval: 0.05s }
                              retry_host_predicate: [{ name: envoy.retry_host_predicates.previous_hosts }]
  clusters:
    - name: shop
      type: STATIC
      connect_timeout: 0.25s
      lb_policy: LEAST_REQUEST
      least_request_lb_config: { choice_count: 3, slow_start_config: { slow_start_window: 30s } }
      common_lb_config:
        healthy_panic_threshold: { value: 40 }
        update_merge_window: 0s
      circuit_breakers:
        thresholds:
          - { max_connections: 100, max_pending_requests: 50, max_requests: 200, max_retries: 5 }
      outlier_detection: { consecutive_5xx: 3, interval: 5s, base_ejection_time: 10s, max_ejection_percent: 50 }
      health_checks:
        - { timeout: 1s, interval: 3s, unhealthy_threshold: 2, healthy_threshold: 1, http_health_check: { path: / } }
      load_assignment:
        policy: { overprovisioning_factor: 150 }
        endpoints:
          - lb_endpoints:
              - { endpoint: { address: { socket_address: { address: 10.0.0.1, port_value: 8080 } } }, load_balancing_weight: 3 }
              - { endpoint: { address: { socket_address: { address: 10.0.0.2, port_value: 8080 } } } }
          - priority: 1
            lb_endpoints:
              - { endpoint: { address: { socket_address: { address: 10.0.0.3, port_value: 8080 } } } }
              - { endpoint: { address: { socket_address: { address: 10.0.0.4, port_value: 8080 } } }, health_status: DRAINING }
    - name: pages
      type: STATIC
      lb_policy: MAGLEV
      maglev_lb_config: { table_size: 65537 }
      load_assignment:
        endpoints:
          - lb_endpoints: [{ endpoint: { address: { socket_address: { address: 10.0.1.1, port_value: 80 } } } }]
    - name: by-zone
      type: STATIC
      common_lb_config:
        locality_weighted_lb_config: {}
      typed_extension_protocol_options:
        envoy.extensions.upstreams.http.v3.HttpProtocolOptions:
          explicit_http_config: { http2_protocol_options: {} }
      load_assignment:
        endpoints:
          - locality: { zone: a }
            load_balancing_weight: 3
            lb_endpoints: [{ endpoint: { address: { socket_address: { address: 10.0.2.1, port_value: 443 } } } }]
          - locality: { zone: b }
            load_balancing_weight: 1
            lb_endpoints: [{ endpoint: { address: { socket_address: { address: 10.0.2.2, port_value: 443 } } } }]
",
        "envoy",
    );
    assert!(made.left.is_empty(), "{:?}", made.left);
}

/// A system that is no program in particular.
const MINE: &str = r#"
horizon = "10m"
client = { timeout = "2s", retry = { kind = "fixed", attempts = 3 } }
traffic = [
    { name = "shop", to = "shop", rate = 120 },
    { name = "api", to = "pages", rate = [["0s", 10], ["1m", 100], ["2m", 100]] },
    { name = "robots", to = "pages", arrivals = { kind = "closed", users = 20, think = { kind = "exponential", mean = "2s" } } },
    { name = "night", to = "pages", arrivals = { kind = "trace", times = ["1s", "2s"] } },
]
[service.shop]
demand = "10ms"
[service.shop.balancer]
policy = "weighted-round-robin"
cost = "1ms"
pending_queue = { limit = 50, timeout = "300ms" }
link.connect_timeout = "400ms"
client = { timeout = "5s" }
health = [{ kind = "checks", interval = "3s", timeout = "1s", fall = 2, rise = 4, probe = "connect" }, "priorities"]
[[service.shop.server]]
name = "web"
count = 2
workers = 4
weight = 1.5
max_connections = 40
[[service.shop.server]]
name = "spare"
workers = 4
backup = true
[service.pages]
demand = "10ms"
[service.pages.balancer]
policy = { kind = "power-of-d", d = 2 }
health = [{ kind = "outlier-detection", consecutive = 4, base = "20s", max_ejected = 0.3 }]
guards = ["envoy-admission-control", { kind = "rate-limit", rate = 50, burst = 100 }]
[[service.pages.server]]
name = "page"
count = 3
workers = 4
"#;

#[test]
fn a_system_of_no_program_as_nginx() {
    let made = exported(MINE, "nginx");
    says(
        &made,
        &[
            "upstream shop {",
            "server web-1:80 weight=15 max_conns=40 max_fails=0;",
            "server spare:80 weight=10 max_fails=0 backup;",
            "random two least_conn;",
            "server page-3:80 max_fails=0;",
            "server_name shop;",
            "location /api {",
            "proxy_read_timeout 5s;",
            "proxy_connect_timeout 400ms;",
            "proxy_next_upstream off;",
        ],
    );
    for path in [
        "client.timeout",
        "client.retry.attempts",
        "service.shop.balancer.cost",
        "service.shop.balancer.pending_queue.limit",
        "service.shop.balancer.health.checks.kind",
        "service.shop.balancer.health.checks.fall",
        "service.shop.balancer.health.priorities",
        "service.pages.balancer.health.outlier-detection.base",
        "service.pages.balancer.guards.envoy-admission-control",
        "service.pages.balancer.guards.rate-limit.rate",
    ] {
        assert!(is_left(&made, path), "{path}: {:#?}", made.left);
    }
    assert!(!is_left(&made, "service.shop.server.web.workers"));
    assert!(!is_left(&made, "service.shop.server.web.weight"));
}

#[test]
fn a_system_of_no_program_as_haproxy() {
    let made = exported(MINE, "haproxy");
    says(
        &made,
        &[
            "frontend shop",
            "balance roundrobin",
            "timeout connect 400ms",
            "timeout queue 300ms",
            "timeout server 5s",
            "timeout check 1s",
            "retries 0",
            "server web-2 web-2:80 weight 15 maxconn 40 check inter 3s fall 2 rise 4",
            "server spare spare:80 weight 10 backup check inter 3s fall 2 rise 4",
            "balance random(2)",
            "acl robots path_beg /robots",
            "use_backend pages if robots",
            "frontend night",
        ],
    );
    assert!(is_left(&made, "service.shop.balancer.pending_queue.limit"));
    assert!(is_left(&made, "service.shop.balancer.health.priorities"));
    assert!(!is_left(&made, "service.shop.balancer.health.checks.probe"));
}

#[test]
fn a_system_of_no_program_as_envoy() {
    let made = exported(MINE, "envoy");
    says(
        &made,
        &[
            "lb_policy: LEAST_REQUEST",
            "choice_count: 2",
            "consecutive_5xx: 4",
            "base_ejection_time: \"20s\"",
            "max_ejection_percent: 30",
            "max_tokens: 100",
            "tokens_per_fill: 50",
            "tcp_health_check: {}",
            "unhealthy_threshold: 2",
            "load_balancing_weight: 15",
            "per_try_timeout: \"5s\"",
            "prefix: \"/robots\"",
        ],
    );
    let guards = "service.pages.balancer.guards";
    assert!(!is_left(
        &made,
        &format!("{guards}.envoy-admission-control")
    ));
    assert!(!is_left(
        &made,
        "service.pages.balancer.guards.rate-limit.rate"
    ));
}

#[test]
fn visitors_as_a_load_test() {
    let made = exported(MINE, "k6");
    says(
        &made,
        &[
            "'shop': {",
            "executor: 'constant-arrival-rate',",
            "rate: 120,",
            "duration: '600s',",
            "preAllocatedVUs: 240,",
            "executor: 'ramping-arrival-rate',",
            "startRate: 10,",
            "{ target: 100, duration: '60s' },",
            "{ target: 100, duration: '480s' },",
            "executor: 'constant-vus',",
            "vus: 20,",
            "exec: 'ask_robots',",
            "sleep(-Math.log(1 - Math.random()) * 2);",
            "http.get(`${BASE_URL}/api`, { timeout: '2s' });",
        ],
    );
    let left: Vec<&str> = made.left.iter().map(|left| left.path.as_str()).collect();
    for path in [
        "client.retry.kind",
        "client.retry.attempts",
        "traffic.night.arrivals.kind",
        "traffic.night.arrivals.times",
    ] {
        assert!(left.contains(&path), "{path}: {left:?}");
    }
    assert!(!left.contains(&"traffic.api.rate"), "{left:?}");
    assert!(!made.text.contains("night"), "{}", made.text);
}

#[test]
fn rates_are_whole_requests_in_some_span() {
    let of = |rate: &str| {
        let text = format!(
            "horizon = \"1m\"\ntraffic = [{{ to = \"web\", rate = {rate} }}]\n[service.web]\ndemand = \"1ms\"\nserver = [{{ name = \"a\", workers = 1 }}]\n"
        );
        exported(&text, "k6")
    };
    says(&of("0.25"), &["rate: 15,", "timeUnit: '60s',"]);
    says(&of("2.5"), &["rate: 25,", "timeUnit: '10s',"]);
    let made = of("0.333");
    says(&made, &["rate: 1199,", "timeUnit: '3600s',"]);
    assert!(made.remarks.iter().any(|remark| remark.contains("rounded")));
}

#[test]
fn a_rate_that_jumps_takes_no_time() {
    let text = "horizon = \"23s\"\ntraffic = [{ to = \"web\", rate = [[\"0s\", 0], [\"3s\", 0], [\"3s\", 25]] }]\n\
                [service.web]\ndemand = \"1ms\"\nserver = [{ name = \"a\", workers = 1 }]\n";
    says(
        &exported(text, "k6"),
        &[
            "startRate: 0,",
            "{ target: 0, duration: '3s' },",
            "{ target: 25, duration: '0s' },",
            "{ target: 25, duration: '20s' },",
        ],
    );
}

#[test]
fn zones_of_nginx_have_names_of_their_own() {
    let text = r#"
horizon = "1m"
[[traffic]]
name = "web"
to = "web"
rate = 1
client.guards = [{ kind = "limit-req", rate = 5 }, { kind = "limit-conn", limit = 9 }]
[[traffic]]
name = "pages"
to = "web"
rate = 1
[service.web]
demand = "1ms"
balancer.dialect = { kind = "nginx", zone = true }
balancer.guards = [{ kind = "limit-req", rate = 50 }]
server = [{ name = "a", workers = 1 }]
[service.web-requests]
demand = "1ms"
server = [{ name = "b", workers = 1 }]
"#;
    let made = exported(text, "nginx");
    says(
        &made,
        &[
            "zone web 64k;",
            "limit_req_zone $server_name zone=web-requests-2:10240k rate=5r/s;",
            "limit_conn_zone $server_name zone=web-connections:10240k;",
            "limit_req_zone $server_name zone=web-requests-3:10240k rate=50r/s;",
        ],
    );
    // That of the service counts the requests of both ways.
    let both = made.text.matches("limit_req zone=web-requests-3").count();
    assert_eq!(both, 2, "{}", made.text);
    let zones = made.text.matches("limit_req_zone").count();
    assert_eq!(zones, 2, "{}", made.text);
}

#[test]
fn routes_have_the_timeouts_of_the_service_they_leave() {
    let text = "horizon = \"1m\"\ntraffic = [{ to = \"gate\", rate = 1 }]\n\
                [service.gate]\nbalancer.routes = [{ to = \"new\", share = 0.2 }, { to = \"old\" }]\n\
                [service.new]\ndemand = \"1ms\"\nserver = [{ name = \"a\", workers = 1 }]\n\
                [service.old]\ndemand = \"1ms\"\nserver = [{ name = \"b\", workers = 1 }]\n";
    // Envoy would end requests after 15 s.
    let made = exported(text, "envoy").text;
    let routes = made
        .split("routes:")
        .nth(1)
        .and_then(|text| text.split("clusters:\n    - name").next());
    assert!(
        routes.is_some_and(|routes| routes.contains("timeout: \"0s\"")),
        "{made}"
    );
}

#[test]
fn the_dialect_of_another_program_is_handed_back() {
    let text = "horizon = \"1m\"\ntraffic = [{ to = \"web\", rate = 1 }]\n[service.web]\ndemand = \"1ms\"\n\
                balancer.dialect = { kind = \"haproxy\", retries = 2 }\nserver = [{ name = \"a\", workers = 1 }]\n";
    let made = exported(text, "nginx");
    let left = made
        .left
        .iter()
        .find(|left| left.path == "service.web.balancer.dialect.retries");
    assert!(
        left.is_some_and(|left| left.value == "2" && left.why.contains("haproxy")),
        "{:?}",
        made.left
    );
}

#[test]
fn every_model_is_written_as_everything_and_read_again() {
    let mut seen = 0;
    for path in files(&models()) {
        let is_toml = path.extension().is_some_and(|ending| ending == "toml");
        let text = std::fs::read_to_string(&path).unwrap_or_default();
        let source = Source::new(path.display().to_string(), text);
        // Plans are none.
        let Some(scenario) = Scenario::read(source, &[], &Models)
            .ok()
            .filter(|_| is_toml)
        else {
            continue;
        };
        seen += 1;
        for target in TARGETS {
            let made = export(&scenario, target).expect("a valid model");
            assert_eq!(
                made,
                export(&scenario, target).expect("again"),
                "{}",
                target.name
            );
            if target.name == "k6" {
                assert!(made.text.contains("scenarios: {"), "{}", made.text);
                continue;
            }
            let again = imported(&made.text, target.name);
            let model = Scenario::read(
                Source::new("again.toml", again.scenario.as_str()),
                &[],
                &Models,
            );
            let model = model.and_then(|scenario| scenario.model());
            let model = model.unwrap_or_else(|p| panic!("{}: {p}\n{}", path.display(), made.text));
            assert_eq!(
                model.servers.len(),
                scenario.model().expect("valid").servers.len()
            );
        }
    }
    assert!(seen > 60, "only {seen} models were found");
}

/// A gateway that sends on, and a store that only servers ask.
const GATE: &str = r#"
horizon = "1m"
[class.browse]
share = 0.5
[class.pay]
share = 0.5
[[traffic]]
name = "pay"
to = "gate"
class = "pay"
rate = 1
[[traffic]]
name = "look-around"
to = "gate"
class = "browse"
rate = 1
[service.gate.balancer]
routes = [
    { class = "pay", to = "till", client = { timeout = "3s" } },
    { share = "5%", to = "canary" },
    { share = "10%", to = "beta" },
    { to = "app" },
]
[service.till]
demand = "1ms"
server = [{ name = "till", workers = 1 }]
[service.canary]
demand = "1ms"
server = [{ name = "canary", workers = 1 }]
[service.beta]
demand = "1ms"
server = [{ name = "beta", workers = 1 }]
[service.app]
demand = "1ms"
server = [{ name = "app", workers = 1 }]
call = [{ to = "store" }]
[service.store]
demand = "1ms"
server = [{ name = "store-6379", workers = 1 }]
"#;

#[test]
fn routes_lead_to_the_servers_of_others_and_what_only_servers_ask_listens_too() {
    let made = exported(GATE, "nginx");
    says(
        &made,
        &[
            "split_clients $binary_remote_addr $look_around {",
            "5% canary;",
            "10% beta;",
            "* app;",
            "proxy_pass http://$look_around;",
            "location /pay {",
            "proxy_pass http://till;",
            "server store:6379 max_fails=0;",
            "server_name store;",
            "proxy_pass http://store;",
        ],
    );
    assert!(!made.text.contains("upstream gate"), "{}", made.text);
    let haproxy = exported(GATE, "haproxy");
    says(
        &haproxy,
        &[
            "http-request set-var(txn.part) rand(10000)",
            "use_backend till if pay",
            "use_backend canary if { var(txn.part) -m int lt 500 }",
            "use_backend beta if { var(txn.part) -m int lt 1500 }",
            "default_backend app",
            "frontend store",
            "bind :81",
            "server store-6379 store:6379",
        ],
    );
    let envoy = exported(GATE, "envoy");
    says(
        &envoy,
        &[
            "weighted_clusters:",
            "weight: 500",
            "weight: 8500",
            "cluster: \"store\"",
            "port_value: 81",
        ],
    );
    for made in [made, haproxy, envoy] {
        let left: Vec<&str> = made.left.iter().map(|left| left.path.as_str()).collect();
        assert_eq!(left, ["service.gate.balancer.routes.0.client.timeout"]);
        let listens = |remark: &String| remark.starts_with("no source leads to store: it listens");
        assert!(made.remarks.iter().any(listens), "{:?}", made.remarks);
    }
    // Without a source of its own nobody can tell who pays.
    let mixed = exported(&GATE.replace("class = \"browse\"\n", ""), "nginx");
    let tells = |remark: &String| remark.starts_with("look-around: requests for till");
    assert!(mixed.remarks.iter().any(tells), "{:?}", mixed.remarks);
}

#[test]
fn shares_that_are_read_again_are_the_same() {
    let again = imported(&exported(GATE, "nginx").text, "nginx");
    let (till, beta) = ("to = \"till\"", "to = \"beta\"");
    assert!(again.scenario.contains(till), "{}", again.scenario);
    assert!(again.scenario.contains(beta), "{}", again.scenario);
    let again = imported(&exported(GATE, "envoy").text, "envoy");
    assert!(again.scenario.contains(beta), "{}", again.scenario);
}

#[test]
fn ways_with_limits_of_their_own_have_frontends_of_their_own() {
    let text = r#"
horizon = "1m"
[[traffic]]
name = "api"
to = "web"
rate = 1
client.guards = [{ kind = "rate-counter", by = "key", limit = 20, period = "10s" }]
[[traffic]]
name = "pages"
to = "web"
rate = 1
[service.web]
demand = "1ms"
balancer.guards = [{ kind = "limit-conn", by = "key", limit = 9 }]
server = [{ name = "a", workers = 1 }]
"#;
    let made = exported(text, "haproxy");
    says(
        &made,
        &[
            "frontend api",
            "stick-table type ip size 80000 expire 10m store http_req_rate(10s),conn_cur",
            "http-request deny deny_status 429 if { sc_http_req_rate(0) gt 20 }",
            "frontend pages",
            "bind :81",
            "stick-table type ip size 100k expire 10m store conn_cur",
            "http-request deny deny_status 429 if { sc_conn_cur(0) gt 9 }",
        ],
    );
    assert_eq!(made.left, []);
}
