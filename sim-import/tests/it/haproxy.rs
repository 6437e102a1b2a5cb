//! haproxy.cfg.

use crate::world::{World, format_of, import, read, together, try_import};
use sim_import::settings::Kind;

const SHOP: &str = "global
    maxconn 3000
    nbthread 2
defaults
    mode http
    retries 2
    option redispatch
    timeout connect 2500
    timeout client 20s
    timeout server 15s
    timeout queue 3s # of the queue
    timeout http-request 5s
frontend door
    bind *:8000,:8001
    maxconn 900
    acl pictures path_beg /img
    use_backend media if pictures
    default_backend cart
backend cart
    balance leastconn
    option httpchk GET /alive
    cookie SHOP insert indirect
    server c1 192.0.2.1:80 cookie a check inter 500ms fall 4 rise 3 weight 20 maxconn 40
    server c2 192.0.2.2:80 cookie b check inter 500ms fall 4 rise 3 weight 10 maxconn 40
    server c3 192.0.2.3:80 cookie c check inter 9s fall 4 rise 3 backup
    frobnicate 7
backend media
    balance roundrobin
    no option redispatch
    server m1 192.0.2.11:80 weight 0
    server m2 192.0.2.12:80 disabled
    server m3 192.0.2.13:80 inter 1s
backend unused
    server u media.internal:80
listen numbers
    bind :9000
    stats enable
";

#[test]
fn backends_and_their_ways_in() {
    let shop = import("shop.cfg", SHOP);
    let dialect = "[service.cart.balancer.dialect]";
    for line in [
        "kind = \"haproxy\"",
        "version = \"3.4\"",
        "balance = \"leastconn\"",
        "retries = 2",
        "redispatch = \"-1\"",
        "timeout_connect = \"2s500ms\"",
        "timeout_server = \"15s\"",
        "timeout_queue = \"3s\"",
        "cookie = true",
        "check = true",
        "httpchk = true",
        "inter = \"500ms\"",
        "fall = 4",
        "rise = 3",
        "maxconn = 900",
    ] {
        shop.says(dialect, line);
    }
    assert!(!shop.imported.scenario.contains("[service.numbers]"));
    let servers: Vec<_> = (shop.model.servers.iter())
        .map(|s| (s.name.as_str(), s.params.weight, s.present))
        .collect();
    assert_eq!(
        servers,
        [
            ("c1", 20.0, true),
            ("c2", 10.0, true),
            ("c3", 1.0, true),
            ("m1", 0.0, true),
            ("m2", 1.0, false),
            ("m3", 1.0, true),
            ("u", 1.0, true),
        ]
    );
    let limits: Vec<_> = shop
        .model
        .servers
        .iter()
        .map(|s| s.params.max_connections)
        .collect();
    assert_eq!(&limits[..3], [Some(40), Some(40), None]);
    let ways: Vec<&str> = shop
        .model
        .sources
        .iter()
        .map(|source| source.name.as_str())
        .collect();
    assert_eq!(ways, ["pictures", "door"]);
    let media = shop
        .imported
        .scenario
        .split("[service.media.balancer.dialect]")
        .nth(1)
        .expect("media");
    let media = media.split("\n[").next().expect("its lines");
    assert!(
        !media.contains("redispatch") && !media.contains("check"),
        "{media}"
    );
}

#[test]
fn what_is_not_simulated_is_named_by_line() {
    let shop = import("shop.cfg", SHOP);
    // What a server has for itself is written at it.
    shop.says("[[service.cart.server]]", "health.interval = \"9s\"");
    for (kind, line, words) in [
        (Kind::Read, 1, "3.4 is taken"),
        (Kind::Missing, 12, "timeout http-request 5s"),
        (Kind::Missing, 15, "maxconn 900"),
        (Kind::Read, 17, "path_beg /img"),
        (Kind::Unknown, 26, "frobnicate 7"),
        (Kind::Read, 31, "m2 disabled"),
        (Kind::Read, 32, "m3 inter 1s"),
        (Kind::Read, 33, "nobody asks it"),
        (Kind::Read, 34, "a name"),
        (Kind::Ignored, 35, "listen numbers"),
        (Kind::Ignored, 3, "nbthread"),
        (Kind::Ignored, 9, "timeout client"),
    ] {
        shop.remarks(kind, line, words);
    }
}

const CHAIN: &str = "global
    maxconn 500
defaults first
    mode http
    timeout connect \"${WAIT-1500}\"
    timeout server 1m
    default-server check inter 4s maxconn 20
defaults second from first
    timeout server 2h
    option redispatch 1
    retry-on empty-response 0rtt-rejected 502
listen early from first
    bind \"${HERE}:80\"
    server-template node 2-4 nodes.internal:80 minconn 5
    balance uri
    hash-type consistent djb2
    hash-balance-factor 125
backend late from second
    balance source
    hash-balance-factor 125
    option pgsql-check user x
    server a 192.0.2.1:1 observe layer7 error-limit 4 on-error sudden-death slowstart 20s
.if defined(HERE)
frontend on from second
    bind :81
    default_backend late
.else
    frobnicate
.endif
";

#[test]
fn defaults_have_names_and_variables_values() {
    let chain = read(&World(vec![("chain.cfg", CHAIN)]), &[("HERE", "192.0.2.9")]);
    let early = "[service.early.balancer.dialect]";
    for line in [
        "timeout_connect = \"1s500ms\"",
        "timeout_server = \"1m\"",
        "balance = \"uri\"",
        "hash_type = \"consistent\"",
        "hash_function = \"djb2\"",
        "hash_balance_factor = 125",
        "inter = \"4s\"",
        "maxconn = 500",
        "fullconn = 50",
    ] {
        chain.says(early, line);
    }
    let late = "[service.late.balancer.dialect]";
    for line in [
        "timeout_connect = \"1s500ms\"",
        "timeout_server = \"2h\"",
        "redispatch = \"1\"",
        "retry_on = [\"empty-response\", \"502\"]",
        "status = \"502\"",
        "httpchk = true",
        "observe = \"layer7\"",
        "error_limit = 4",
        "on_error = \"sudden-death\"",
    ] {
        chain.says(late, line);
    }
    let names: Vec<&str> = chain
        .model
        .servers
        .iter()
        .map(|s| s.name.as_str())
        .collect();
    assert_eq!(names, ["node2", "node3", "node4", "a"]);
    let limits = &chain.model.servers[0].params;
    assert_eq!(
        (limits.max_connections, limits.min_connections),
        (Some(20), Some(5))
    );
    chain.remarks(Kind::Missing, 11, "0rtt-rejected");
    chain.remarks(Kind::Missing, 20, "hash-balance-factor 125");
    chain.remarks(Kind::Missing, 22, "slowstart 20s");
    chain.remarks(Kind::Read, 14, "server-template node");
    chain.remarks(Kind::Read, 21, "a question");
    // Without the variable the other branch counts, and the address has no value.
    let problem = try_import(&World(vec![("chain.cfg", CHAIN)]), &[]).expect_err("HERE lacks");
    assert!(problem.why.contains("HERE (line 13)"), "{}", problem.why);
}

#[test]
fn a_database_has_one_leader_and_connections_are_what_is_balanced() {
    let text = "defaults
  mode tcp
  timeout connect 3s
listen write
  bind :6000
  option httpchk GET /leader
  server d1 192.0.2.1:5432 check port 8001 on-marked-down shutdown-sessions
  server d2 192.0.2.2:5432 check port 8001
";
    let database = import("db.cfg", text);
    let backups: Vec<u32> = database
        .model
        .servers
        .iter()
        .map(|s| s.params.priority)
        .collect();
    assert_eq!(backups, [0, 1]);
    let dialect = "[service.write.balancer.dialect]";
    database.says(dialect, "check = true");
    database.says(dialect, "timeout_server = \"0s\"");
    // Another process answers the check: it waits for nobody's requests.
    assert!(!database.imported.scenario.contains("httpchk"));
    database.remarks(Kind::Read, 2, "hands on connections");
    database.remarks(Kind::Read, 4, "no timeout server");
    database.remarks(Kind::Read, 6, "port 8001");
    database.says(dialect, "on_marked_down = \"shutdown-sessions\"");
}

#[test]
fn rates_of_clients_are_guards() {
    let text = "defaults
  mode http
  timeout connect 3s
  timeout server 3s
frontend door
  bind :80
  stick-table type ip size 50k expire 1m store http_req_rate(4s)
  http-request track-sc0 src
  acl fast sc0_http_req_rate gt 30
  http-request deny deny_status 429 if fast
  http-request deny if { path /secret }
  default_backend web
backend web
  server w 192.0.2.1:80 check
";
    let web = import("web.cfg", text);
    web.says(
        "[[traffic]]",
        "client.guards = [{ kind = \"rate-counter\", limit = 30, period = \"4s\", by = \"key\", keys = 51200, shared = true }]",
    );
    web.remarks(Kind::Missing, 11, "turned away at the door");
    assert!(
        web.imported
            .remarks
            .iter()
            .all(|remark| !matches!(remark.place.line, 8..=10))
    );
}

#[test]
fn words_of_before_version_1_5_are_understood() {
    let text = "listen old 0.0.0.0:80
  mode http
  contimeout 4000
  srvtimeout 30000
  clitimeout 30000
  redispatch
  reqadd X-Old:\\ yes
  reqideny ^x
  dispatch 192.0.2.7:80
";
    let old = import("old.cfg", text);
    let dialect = "[service.old.balancer.dialect]";
    old.says(dialect, "timeout_connect = \"4s\"");
    old.says(dialect, "timeout_server = \"30s\"");
    old.says(dialect, "redispatch = \"-1\"");
    old.remarks(Kind::Read, 3, "before version 1.5");
    old.remarks(Kind::Ignored, 7, "reqadd");
    old.remarks(Kind::Missing, 8, "gone since 2.1");
    assert_eq!(old.model.servers.len(), 1);
}

#[test]
fn formats_are_told_apart() {
    assert_eq!(format_of("x", SHOP), Some("haproxy"));
    assert_eq!(format_of("x", CHAIN), Some("haproxy"));
    let nginx = "upstream backend {\n    server 192.0.2.1;\n}\nserver { listen 80; }\n";
    assert_eq!(format_of("x", nginx), Some("nginx"));
    assert_ne!(
        format_of("x", "defaults:\n  timeout: 5s\nbackend:\n  server: x\n"),
        Some("haproxy")
    );
}

#[test]
fn what_leads_to_another_file_goes_on_there() {
    let nginx = "http { upstream up { server lb.internal:8000; } server { location / { proxy_pass http://up; } } }\n";
    let both = together(&World(vec![("edge.conf", nginx), ("shop.cfg", SHOP)]));
    assert!(
        both.imported.scenario.contains("routes = ["),
        "{}",
        both.imported.scenario
    );
}

#[test]
fn what_cannot_be_read_says_where() {
    for (text, line, words) in [
        (
            "defaults\n mode http\nbackend x from gone\n server a 192.0.2.1:1\n",
            3,
            "defaults gone",
        ),
        ("backend x\n server a '192.0.2.1:1\n", 2, "without its end"),
        (
            "backend x\n option httplog\n.if 1\n",
            3,
            "without its .endif",
        ),
        (
            "backend x\n {{ each }}\n server a 192.0.2.1:1\n",
            2,
            "template",
        ),
        ("frontend x\n bind :1\n mode http\n", 1, "which servers"),
    ] {
        let problem = try_import(&World(vec![("x.cfg", text)]), &[]);
        let problem = problem.expect_err(text);
        assert_eq!(problem.place.map(|place| place.line), Some(line), "{text}");
        assert!(problem.why.contains(words), "{}", problem.why);
    }
}
