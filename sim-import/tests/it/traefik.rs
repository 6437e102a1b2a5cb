//! Traefik's dynamic configuration.

use crate::world::{format_of, import};
use sim_core::time::Instant;
use sim_import::settings::Kind;

const EDGE: &str = r#"http:
  routers:
    main: { rule: "Host(`a.example`) && Path(`/{id:[0-9]+}`)", service: both@file, middlewares: [ all@file ] }
    lost: { rule: "Host(`b.example`)", service: nowhere }
  services:
    blue:
      loadBalancer:
        servers:
        - { url: "http://192.0.2.1:80", weight: 2 }
        - { url: "http://192.0.2.2:80/x" }
        healthCheck: { path: /up, interval: 15, timeout: 2s }
        serversTransport: slow
    green: { loadBalancer: { servers: [ { url: "http://192.0.2.9:80" } ] } }
    both: { weighted: { services: [ { name: blue, weight: 3 }, { name: green, weight: 1 } ] } }
  middlewares:
    all: { chain: { middlewares: [ again, gzip, few, odd, guard ] } }
    again: { retry: { attempts: 3, initialInterval: 50ms } }
    gzip: { compress: {} }
    few: { inFlightReq: { amount: 40 } }
    odd: { plugin: { x: {} } }
    guard: { circuitBreaker: { expression: "LatencyAtQuantileMS(50.0) > 100" } }
  serversTransports:
    slow: { forwardingTimeouts: { dialTimeout: 3s } }
"#;

#[test]
fn routers_services_and_middlewares() {
    let edge = import("edge.yml", EDGE);
    let blue = "[service.blue.balancer]";
    edge.says(blue, "policy = \"weighted-round-robin\"");
    edge.says(blue, "health = [{ kind = \"checks\", interval = \"15s\", timeout = \"2s\", fall = 1, rise = 1 }]");
    edge.says(blue, "link.connect_timeout = \"3s\"");
    edge.says("[service.green.balancer]", "link.connect_timeout = \"30s\"");
    let retry = "client.retry = { kind = \"envoy\", attempts = 3, retry_on = [\"connect-failure\", \"reset\"], base_interval = \"50ms\", max_interval = \"3s\" }";
    edge.says(blue, retry);
    edge.says("[service.green.balancer]", retry);
    edge.says(
        "[[traffic]]",
        "client.guards = [{ kind = \"limit-conn\", limit = 40, shared = true }]",
    );
    let rates: Vec<f64> = edge
        .model
        .sources
        .iter()
        .map(|s| s.rate.at(Instant(0)))
        .collect();
    assert!((rates[0] / rates[1] - 3.0).abs() < 0.1, "{rates:?}");
    edge.remarks(Kind::Missing, 4, "no such service");
    edge.remarks(Kind::Ignored, 18, "compress");
    edge.remarks(Kind::Missing, 20, "plugin");
    edge.remarks(Kind::Missing, 21, "LatencyAtQuantileMS");
}

#[test]
fn toml_says_the_same() {
    let text = "[http.routers.r]\nrule = \"PathPrefix(`/`)\"\nservice = \"s\"\n[http.services.s.loadBalancer]\n[[http.services.s.loadBalancer.servers]]\nurl = \"http://192.0.2.1:80\"\nweight = 4\n";
    let read = import("edge.toml", text);
    assert_eq!(
        read.model.servers[0].params.weight.to_bits(),
        4.0_f64.to_bits()
    );
    assert!(
        read.imported
            .scenario
            .contains("# edge.toml:5 192.0.2.1:80"),
        "{}",
        read.imported.scenario
    );
    assert_eq!(format_of("a.yml", "http:\n  x: 1\n"), None);
}
