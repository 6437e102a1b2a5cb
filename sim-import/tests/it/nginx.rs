//! nginx.conf.

use crate::world::{World, format_of, import, read, try_import};
use sim_import::settings::Kind;

const SHOP: &str = "worker_processes 4;
events { worker_connections 2000; }
http {
    # server old.internal:80;
    upstream cart {
        least_conn;
        server 192.0.2.1:9000 weight=4;
        server 192.0.2.2:9000 max_conns=150; # slow
        server 192.0.2.3:9000 backup;
        server 192.0.2.4:9000 down;
        keepalive 24;
    }
    proxy_connect_timeout 750ms;
    server {
        listen 80;
        server_name shop.example;
        location / {
            proxy_pass http://cart/app;
            proxy_read_timeout 20;
            proxy_next_upstream error timeout http_503 invalid_header;
            proxy_next_upstream_tries 3;
            gzip on;
            proxy_cache all;
            frobnicate 3;
        }
    }
}
";

#[test]
fn a_pool_and_its_way_in() {
    let shop = import("shop.conf", SHOP);
    let dialect = "[service.cart.balancer.dialect]";
    for line in [
        "kind = \"nginx\"",
        "balance = \"least_conn\"",
        "worker_processes = 4",
        "proxy_connect_timeout = \"750ms\"",
        "proxy_read_timeout = \"20s\"",
        "proxy_next_upstream = [\"error\", \"timeout\", \"http_503\"]",
        "proxy_next_upstream_tries = 3",
    ] {
        shop.says(dialect, line);
    }
    // Each worker counts by itself, and a request that is handed on holds two connections.
    shop.says("[service.cart.balancer]", "max_connections = 1000");
    shop.says("[service.cart.balancer]", "link.connections = { kind = \"per-request\", keep = 24, idle = \"1m\", max_requests = 1000 }");
    let servers: Vec<_> = shop
        .model
        .servers
        .iter()
        .map(|s| (s.name.as_str(), s.params.weight, s.present))
        .collect();
    assert_eq!(
        servers,
        [
            ("192-0-2-1", 4.0, true),
            ("192-0-2-2", 1.0, true),
            ("192-0-2-3", 1.0, true),
            ("192-0-2-4", 1.0, false)
        ]
    );
    assert_eq!(shop.model.servers[1].params.max_connections, Some(150));
    assert_eq!(shop.model.servers[2].params.priority, 1);
    shop.remarks(Kind::Missing, 20, "invalid_header");
    shop.remarks(Kind::Missing, 23, "proxy_cache all");
    shop.remarks(Kind::Ignored, 22, "gzip");
    shop.remarks(Kind::Unknown, 24, "frobnicate 3");
    let assumed = &shop.model.assumed;
    assert_eq!(assumed.len(), 3, "rate, demand, workers: {assumed:?}");
    assert!(
        shop.imported
            .scenario
            .contains("# shop.conf:7 192.0.2.1:9000")
    );
}

#[test]
fn the_last_method_counts_and_the_other_is_told() {
    let text = "upstream a { hash $request_uri; least_conn; server 192.0.2.1; server 192.0.2.2; }\nserver { location / { proxy_pass http://a; } }\n";
    let read = import("a.conf", text);
    read.says("[service.a.balancer.dialect]", "balance = \"least_conn\"");
    read.remarks(Kind::Read, 1, "hash $request_uri the later method counts");
}

#[test]
fn limits_count_for_each_client_or_for_all() {
    let text = "limit_req_zone $binary_remote_addr zone=each:1m rate=90r/m;
limit_req_zone $server_name zone=all:1m rate=50r/s;
limit_conn_zone $remote_addr zone=open:1m;
upstream a { server 192.0.2.1; server 192.0.2.2; }
server {
    limit_req zone=each burst=4 nodelay;
    limit_conn open 12;
    location / { proxy_pass http://a; }
    location /bulk { limit_req zone=all burst=30 delay=10; proxy_pass http://a; }
    location /none { limit_req zone=lost; proxy_pass http://a; }
}
";
    let read = import("limits.conf", text);
    let scenario = &read.imported.scenario;
    assert!(scenario.contains("{ kind = \"limit-req\", rate = 1.5, shared = true, burst = 4, nodelay = true, by = \"key\", keys = 8192 }"), "{scenario}");
    assert!(
        scenario
            .contains("{ kind = \"limit-req\", rate = 50, shared = true, burst = 30, delay = 10 }"),
        "{scenario}"
    );
    assert!(
        scenario.contains("{ kind = \"limit-conn\", limit = 12, by = \"key\", shared = true }"),
        "{scenario}"
    );
    read.remarks(Kind::Missing, 10, "its zone is not in these files");
    // One zone of two ways is one count there.
    read.remarks(Kind::Missing, 7, "counts for several ways together");
}

#[test]
fn includes_maps_and_addresses_without_a_pool() {
    let world = World(vec![
        (
            "site/nginx.conf",
            "worker_processes auto;\nhttp {\n  proxy_read_timeout 40s;\n  include /etc/nginx/pools/*.conf;\n  include site.inc;\n  include gone.inc;\n  include none/*.conf;\n}\n",
        ),
        (
            "site/pools/b.conf",
            "upstream blue { server 192.0.2.1; include pools/more.inc; }\nupstream green { server 192.0.2.9; }\n",
        ),
        ("site/pools/more.inc", "server 192.0.2.2 weight=2;\n"),
        (
            "site/site.inc",
            "map $cookie_next $pool { default blue; \"1\" green; }\nserver {\n  set $files http://192.0.2.7:8080;\n  location / { proxy_pass http://$pool; }\n  location /f/ { proxy_pass $files; proxy_read_timeout 3s; }\n  location /api { proxy_pass http://$host$request_uri; }\n  location /p { proxy_pass http://blue/$uri; }\n}\n",
        ),
    ]);
    let read = read(&world, &[]);
    let names: Vec<&str> = read
        .model
        .services
        .iter()
        .map(|s| s.name.as_str())
        .collect();
    assert_eq!(names, ["blue", "green", "192-0-2-7-8080"]);
    assert_eq!(read.model.services[0].servers.len(), 2);
    read.says(
        "[service.blue.balancer.dialect]",
        "proxy_read_timeout = \"40s\"",
    );
    read.says(
        "[service.192-0-2-7-8080.balancer.dialect]",
        "proxy_read_timeout = \"3s\"",
    );
    read.remarks(
        Kind::Read,
        4,
        "requests go to blue here; by what they carry, some go to green",
    );
    read.remarks(Kind::Missing, 6, "known only when a request comes");
    read.remarks(Kind::Missing, 6, "there is no such file here");
    assert!(
        read.model
            .assumed
            .iter()
            .any(|value| value.contains("worker_processes"))
    );
    let place = "# site/pools/more.inc:1 192.0.2.2";
    assert!(read.imported.scenario.contains(place));
}

#[test]
fn shares_of_split_clients_are_kept() {
    let text = "upstream old { server 192.0.2.1; }\nupstream new { server 192.0.2.2; }\nsplit_clients $remote_addr $v { 5% new; * old; }\nserver { location / { proxy_pass http://$v; } }\n";
    let read = import("split.conf", text);
    let rates: Vec<(&str, f64)> = read
        .model
        .sources
        .iter()
        .map(|s| (s.name.as_str(), s.rate.at(sim_core::time::Instant(0))))
        .collect();
    assert_eq!(rates.len(), 2);
}

#[test]
fn a_template_is_filled_in_or_all_that_lacks_is_named() {
    let text = "upstream app { server ${HOST}:${PORT}; }\nserver { location / { proxy_pass http://app; proxy_read_timeout ${WAIT}s; } }\n";
    let world = World(vec![("app.conf.template", text)]);
    let problem = try_import(&world, &[("PORT", "80")]).expect_err("two lack");
    assert!(
        problem.why.contains("HOST (line 1), WAIT (line 2)"),
        "{}",
        problem.why
    );
    let values = [("HOST", "app.internal"), ("PORT", "80"), ("WAIT", "5")];
    let read = read(&world, &values);
    read.says(
        "[service.app.balancer.dialect]",
        "proxy_read_timeout = \"5s\"",
    );
    let jinja = World(vec![("a.j2", "upstream a { server {{ host }}; }\n")]);
    let problem = try_import(&jinja, &[]).expect_err("it is not rendered");
    assert!(
        problem.why.contains("has not been rendered"),
        "{}",
        problem.why
    );
}

#[test]
fn files_that_include_each_other_end() {
    let world = World(vec![
        ("a.conf", "http {\n  include b.conf;\n}\n"),
        ("b.conf", "include a.conf;\n"),
    ]);
    let problem = try_import(&world, &[]).expect_err("no end");
    assert!(problem.why.contains("without end"), "{}", problem.why);
}

#[test]
fn what_is_no_nginx_is_not_taken_for_it() {
    assert_eq!(format_of("x", SHOP), Some("nginx"));
    assert_eq!(format_of("x", "{\"a\": {\"b\": 1}}"), None);
    // A scenario with a script in it.
    let script =
        "policy = { code = \"fn pick() { return any(); }\" }\nserver = [{ name = \"a\" }]\n";
    assert_eq!(format_of("x", script), None);
    assert_eq!(
        format_of("x", "location = / {\n  return 200;\n}\n"),
        Some("nginx")
    );
    assert_eq!(
        format_of("x", "shop.example {\n\treverse_proxy a:80\n}\n"),
        Some("caddy")
    );
    assert_eq!(
        format_of("x", "resource \"aws_instance\" \"a\" {\n  ami = \"x\"\n}\n"),
        None
    );
}
