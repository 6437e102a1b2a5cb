//! Envoy's configuration.

use crate::world::{format_of, import};
use sim_import::settings::Kind;

const MESH: &str = r#"static_resources:
  listeners:
  - address: { socket_address: { address: 0.0.0.0, port_value: 8443 } }
    filter_chains:
    - filters:
      - name: envoy.filters.network.http_connection_manager
        typed_config:
          route_config:
            virtual_hosts:
            - name: public
              domains: ["*"]
              retry_policy: { retry_on: "gateway-error,reset,envoy-ratelimited", num_retries: 2 }
              routes:
              - match: { prefix: "/old" }
                redirect: { path_redirect: "/" }
              - match: { prefix: "/" }
                route: { cluster: cart, timeout: 3s }
              - match: { path: "/split" }
                route:
                  weighted_clusters:
                    clusters: [ { name: blue, weight: 3 }, { name: green, weight: 1 } ]
              - match: { prefix: "/lost" }
                route: { cluster: nowhere }
          http_filters:
          - name: envoy.filters.http.local_ratelimit
            typed_config: { token_bucket: { max_tokens: 40, tokens_per_fill: 20, fill_interval: 1s } }
          - name: envoy.filters.http.fault
  clusters:
  - name: cart
    connectTimeout: 0.75s
    type: STATIC
    lbPolicy: RING_HASH
    ring_hash_lb_config: { minimum_ring_size: 512 }
    common_lb_config: { locality_weighted_lb_config: {} }
    circuit_breakers: { thresholds: [ { max_connections: 9, max_pending_requests: 4 }, { priority: HIGH, max_requests: 2 } ] }
    outlier_detection: { consecutive_5xx: 3, base_ejection_time: { seconds: 7 }, success_rate_minimum_hosts: 3 }
    health_checks: [ { timeout: 2s, interval: 9s, unhealthy_threshold: 4, healthy_threshold: 1, http_health_check: { path: /up }, no_traffic_interval: 60s } ]
    load_assignment:
      endpoints:
      - locality: { zone: east }
        load_balancing_weight: 3
        lb_endpoints:
        - { endpoint: { address: { socket_address: { address: 192.0.2.1, port_value: 80 } } }, load_balancing_weight: 5 }
        - { endpoint: { address: { pipe: { path: /run/cart.sock } } }, health_status: DRAINING }
      - locality: { zone: west }
        load_balancing_weight: 1
        priority: 1
        lb_endpoints:
        - { endpoint: { address: { socket_address: { address: 192.0.2.9, port_value: 80 } } } }
  - name: blue
    type: logical_dns
    lb_policy: least_request
    hosts: [ { socket_address: { address: blue.internal, port_value: 80 } } ]
  - name: green
    type: EDS
  - name: idle
    type: EDS
"#;

#[test]
fn clusters_routes_and_their_rules() {
    let mesh = import("mesh.yaml", MESH);
    for line in [
        "lb_policy = \"RING_HASH\"",
        "connect_timeout = \"750ms\"",
        "minimum_ring_size = 512",
        "max_connections = 9",
        "max_pending_requests = 4",
        "consecutive_5xx = 3",
        "base_ejection_time = \"7s\"",
        "health_checks = true",
        "interval = \"9s\"",
        "unhealthy_threshold = 4",
        "timeout = \"3s\"",
        "retry_on = [\"gateway-error\", \"reset\"]",
        "num_retries = 2",
        "max_tokens = 40",
    ] {
        mesh.says("[service.cart.balancer.dialect]", line);
    }
    let servers: Vec<_> = mesh
        .model
        .servers
        .iter()
        .take(3)
        .map(|s| {
            (
                s.name.as_str(),
                s.params.weight,
                s.present,
                s.params.priority,
            )
        })
        .collect();
    assert_eq!(
        servers,
        [
            ("192-0-2-1-80", 15.0, true, 0),
            ("run-cart-sock", 3.0, false, 0),
            ("192-0-2-9-80", 1.0, true, 1)
        ]
    );
    mesh.remarks(Kind::Missing, 12, "envoy-ratelimited");
    mesh.remarks(Kind::Missing, 22, "no such cluster");
    mesh.remarks(Kind::Missing, 27, "fault");
    mesh.remarks(Kind::Missing, 35, "priority HIGH");
    mesh.remarks(Kind::Missing, 36, "success_rate_minimum_hosts");
    mesh.remarks(Kind::Missing, 37, "no_traffic_interval");
    mesh.remarks(Kind::Read, 51, "one server at a time");
    mesh.remarks(Kind::Read, 53, "version 2");
    mesh.remarks(Kind::Read, 56, "nobody asks it");
    // Three quarters of a route go to one cluster.
    let rate = |name: &str| {
        let line = format!("name = \"{name}\"");
        let text = &mesh.imported.scenario;
        let rest = &text[text.find(&line).expect("a way")..];
        let value = rest
            .split("rate = ")
            .nth(1)
            .and_then(|rest| rest.split_whitespace().next());
        value
            .and_then(|value| value.parse::<f64>().ok())
            .expect("a rate")
    };
    assert!(rate("blue") > 0.0 && rate("green") > 0.0);
    assert_eq!(mesh.model.services.len(), 4);
}

#[test]
fn localities_have_weights_where_no_hash_chooses() {
    let mesh = import("mesh.yaml", include_str!("testdata/localities.yaml"));
    mesh.says("[service.cart]", "zone.east.weight = 3");
    mesh.says(
        "[service.cart.balancer.dialect]",
        "locality_weighted = true",
    );
    // Nothing leads there in a file of clusters alone.
    mesh.remarks(Kind::Read, 2, "requests from outside are assumed");
}

#[test]
fn json_is_read_as_well_and_other_yaml_is_not_taken_for_it() {
    let text = r#"{"static_resources": {"clusters": [{"name": "a", "load_assignment": {"endpoints": [{"lb_endpoints": [{"endpoint": {"address": {"socket_address": {"address": "192.0.2.1", "port_value": 1}}}}]}]}}]}}"#;
    assert_eq!(import("a.json", text).model.servers.len(), 1);
    assert_eq!(
        format_of("a.yaml", "services:\n  web:\n    image: x\n"),
        None
    );
}
