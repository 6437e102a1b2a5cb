//! Caddyfile.

use crate::world::{World, format_of, import, read, try_import};
use sim_import::settings::Kind;

const EDGE: &str = "{
    admin off
}
(remembers) {
    fail_duration {args[0]}
    max_fails 4
}
shop.example {
    @late header X-Late yes
    encode gzip
    handle /cart/* {
        reverse_proxy 192.0.2.1:70 192.0.2.2:70 {
            import remembers 12s
            lb_policy least_conn
            lb_try_duration 3s
            lb_try_interval 100ms
            health_uri /alive
            health_interval 7s
            health_timeout 900ms
            unhealthy_status 5xx
            unhealthy_request_count 25
            unhealthy_latency 2s
            transport http {
                dial_timeout 1500ms
                response_header_timeout 6s
                keepalive 30s
            }
            frobnicate
        }
    }
    handle {
        reverse_proxy {$REST:localhost:4000} {
            max_fails 2
        }
    }
    reverse_proxy @late {
        to 192.0.2.11:81-83
        lb_policy weighted_round_robin 5 3 1
    }
}
hash.example {
    reverse_proxy 192.0.2.21:80 192.0.2.22:80 {
        lb_policy ip_hash
    }
}
";

#[test]
fn proxies_and_their_ways_in() {
    let edge = import("Caddyfile", EDGE);
    let dialect = "[service.cart.balancer.dialect]";
    for line in [
        "kind = \"caddy\"",
        "lb_policy = \"least_conn\"",
        "lb_try_duration = \"3s\"",
        "lb_try_interval = \"100ms\"",
        "fail_duration = \"12s\"",
        "max_fails = 4",
        "unhealthy_status = true",
        "health_uri = true",
        "health_interval = \"7s\"",
        "health_timeout = \"900ms\"",
        "dial_timeout = \"1s500ms\"",
    ] {
        edge.says(dialect, line);
    }
    edge.says("[service.cart.balancer]", "client.timeout = \"6s\"");
    let servers: Vec<_> = (edge.model.servers.iter())
        .map(|s| (s.name.as_str(), s.params.weight, s.params.max_connections))
        .collect();
    assert_eq!(
        servers,
        [
            ("192-0-2-1-70", 1.0, Some(25)),
            ("192-0-2-2-70", 1.0, Some(25)),
            ("localhost-4000", 1.0, None),
            ("192-0-2-11-81", 5.0, None),
            ("192-0-2-11-82", 3.0, None),
            ("192-0-2-11-83", 1.0, None),
            ("192-0-2-21-80", 1.0, None),
            ("192-0-2-22-80", 1.0, None),
        ]
    );
    let ways: Vec<&str> = edge
        .model
        .sources
        .iter()
        .map(|source| source.name.as_str())
        .collect();
    assert_eq!(ways, ["cart", "shop-example", "late", "hash-example"]);
    edge.says(
        "[service.hash-example.balancer.dialect]",
        "lb_policy = \"hash\"",
    );
    edge.remarks(Kind::Missing, 22, "unhealthy_latency");
    edge.remarks(Kind::Missing, 26, "keepalive 30s");
    edge.remarks(Kind::Unknown, 28, "frobnicate");
    edge.remarks(Kind::Read, 33, "without fail_duration");
    edge.remarks(Kind::Ignored, 10, "encode");
    edge.remarks(Kind::Ignored, 2, "admin");
    let other = read(
        &World(vec![("Caddyfile", EDGE)]),
        &[("REST", "192.0.2.99:1")],
    );
    assert!(other.imported.scenario.contains("192.0.2.99:1"));
}

#[test]
fn a_site_needs_no_braces_and_files_can_be_imported() {
    let world = World(vec![
        ("site/Caddyfile", "example.net\nimport more/*.caddy\n"),
        ("site/more/a.caddy", "reverse_proxy /x* 192.0.2.1:1\n"),
        ("site/more/b.caddy", "reverse_proxy 192.0.2.2:1\n"),
    ]);
    let source = "site/Caddyfile";
    assert_eq!(
        format_of(source, "example.net\nreverse_proxy 192.0.2.1:1\n"),
        Some("caddy")
    );
    let around = sim_import::settings::Surroundings {
        title: source,
        files: &world,
        variable: &|_| None,
    };
    let sources = [sim_core::scenario::Source::new(source, world.0[0].1)];
    let named = sim_import::settings::format("caddy");
    let found = sim_import::settings::import(&sources, named, &around).expect("two proxies");
    assert!(
        found.scenario.contains("[service.x]") && found.scenario.contains("site/more/b.caddy:1")
    );
}

#[test]
fn what_has_no_value_is_named_where_it_decides() {
    let text = ":80 {\n  tls {$MAIL}\n  reverse_proxy {$TO}\n}\n";
    let problem = try_import(&World(vec![("Caddyfile", text)]), &[]).expect_err("TO lacks");
    assert_eq!(problem.place.map(|place| place.line), Some(3));
    assert!(problem.why.contains("TO has no value"), "{}", problem.why);
    let old = import(
        "Caddyfile",
        "old.example {\n  proxy /a 192.0.2.1:80 192.0.2.2:80 {\n    policy least_conn\n    fail_timeout 4s\n  }\n}\n",
    );
    old.says("[service.a.balancer.dialect]", "fail_duration = \"4s\"");
    old.remarks(Kind::Read, 2, "Caddy 1");
}

#[test]
fn the_json_that_caddy_makes_of_a_caddyfile_says_the_same() {
    let text = include_str!("testdata/Caddyfile");
    let json = include_str!("testdata/caddy.json");
    assert_eq!(format_of("caddy.json", json), Some("caddy"));
    let (one, other) = (import("Caddyfile", text), import("caddy.json", json));
    let mut model = one.model;
    model.title.clone_from(&other.model.title);
    assert!(model == other.model, "{}", other.imported.scenario);
    other.says("[service.cart.balancer]", "client.timeout = \"6s\"");
    other.remarks(Kind::Ignored, 2, "admin");
    other.remarks(Kind::Missing, 57, "unhealthy_latency 2000000000ns");
    other.remarks(Kind::Missing, 74, "keepalive");
}

#[test]
fn what_stands_beside_the_servers_of_the_json_is_told() {
    let text = r#"{
  "logging": {},
  "apps": {
    "tls": {},
    "layer4": { "servers": {} },
    "http": { "servers": { "one": {
      "errors": { "routes": [] },
      "routes": [{ "handle": [
        { "handler": "rate_limit" },
        { "handler": "frobnicate" },
        { "handler": "reverse_proxy", "dynamic_upstreams": { "source": "srv", "name": "x.example" } },
        { "handler": "reverse_proxy", "upstreams": [{ "dial": "192.0.2.1:1", "max_requests": 7 }, { "dial": "192.0.2.2:1" }] }
      ] }]
    } } }
  }
}"#;
    let read = import("caddy.json", text);
    for (kind, line, what) in [
        (Kind::Ignored, 2, "logging"),
        (Kind::Ignored, 4, "tls"),
        (Kind::Missing, 5, "layer4"),
        (Kind::Missing, 7, "handle_errors"),
        (Kind::Missing, 9, "rate_limit"),
        (Kind::Unknown, 10, "frobnicate"),
        (Kind::Read, 11, "dynamic srv x.example"),
        (Kind::Unknown, 12, "max_requests 7"),
    ] {
        read.remarks(kind, line, what);
    }
    assert_eq!(read.model.servers.len(), 3);
}
