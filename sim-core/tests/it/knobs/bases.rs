//! Scenarios in which keys can show what they do.

/// Two servers of 100 requests a second.
pub(super) fn plain(rate: u32) -> String {
    format!(
        r#"
title = "T"
horizon = "20s"
warm_up = "1s"
[class.a]
share = 0.5
[class.b]
share = 0.5
[[traffic]]
name = "t"
to = "web"
rate = {rate}
[client]
timeout = "500ms"
[service.web]
demand = {{ kind = "exponential", mean = "10ms" }}
[[service.web.server]]
name = "a"
workers = 1
[[service.web.server]]
name = "b"
workers = 1
like = "a"
[[timeline]]
name = "first"
at = "5s"
do = "slow"
target = "service.web.server.a"
factor = 0.5
for = "2s"
note = "a remark"
[[timeline]]
at = "10s"
set = {{ "service.web.server.b.speed" = 1.5 }}
[[alert]]
name = "slow"
when = "p99 > 40ms"
over = "3s"
for = "1s"
[[slo]]
name = "quick"
class = "a"
good = "response_time < 20ms"
objective = 0.9
[[expect]]
that = "availability > 50%"
"#
    )
}

/// What people do about the alert, and alerts that fire late and never.
const ANSWERED: &str = r#"
[[alert]]
name = "late"
when = "offered_hz > 0"
over = "3s"
for = "9s"
[[alert]]
name = "never"
when = "offered_hz < 0"
over = "3s"
[[runbook]]
name = "aid"
on = "slow"
acknowledge = "1s"
diagnose = "1s"
[[runbook.step]]
name = "mend"
set = { "service.web.server.*.speed" = 1.7 }
[[runbook.step]]
name = "again"
do = "restart"
target = "service.web.server.a"
[[runbook]]
name = "more"
on = "slow"
acknowledge = "1s"
[[runbook.step]]
do = "note"
note = "told the others"
"#;

/// Somebody is told again and again, and does nothing but remark on it.
const CALLED: &str = r#"
[[runbook]]
name = "aid"
on = "slow"
[[runbook.step]]
name = "mend"
do = "note"
note = "told the others"
"#;

/// A server that is down for a while.
/// A proxy before three servers, of which the one that nearly all weight belongs to is often full: what is drawn or
/// hashed in vain takes turns among the two others.
const UPSTREAM: &str = r#"
horizon = "20s"
[[traffic]]
name = "t"
to = "web"
rate = 50
[service.web]
demand = { kind = "exponential", mean = "10ms" }
server = [
  { name = "a", workers = 9, weight = 5, errors = { rate = 0.3 } },
  { name = "b", workers = 9, weight = 9 },
  { name = "c", workers = 9, weight = 1000000, max_connections = 1, speed = 0.1 },
]
balancer.client.retry = { kind = "next-upstream", next_upstream = ["http_500"] }
"#;

const DIALECT: &str = r#"
horizon = "120s"
[[traffic]]
name = "t"
to = "web"
rate = 50
[service.web]
demand = { kind = "exponential", mean = "10ms" }
server = [{ name = "a", count = 3, workers = 2 }]
[[timeline]]
at = "10s"
do = "crash"
target = "service.web.server.a-1"
[[timeline]]
at = "60s"
do = "restart"
target = "service.web.server.a-1"
"#;

/// A service that calls another, slow and unreliable, one.
const CALLS: &str = r#"
horizon = "20s"
[class.a]
share = 1
[[traffic]]
name = "t"
to = "web"
rate = 50
[service.web]
demand = { kind = "exponential", mean = "10ms" }
server = [{ name = "s", workers = 4, errors = { rate = 0.2 } }]
[[service.web.call]]
to = "db"
[service.db]
demand = { kind = "exponential", mean = "15ms" }
server = [{ name = "d", workers = 1, errors = { rate = 0.4 } }]
[service.other]
demand = "1ms"
server = [{ name = "o", workers = 1 }]
"#;

/// Two services on one machine.
const HOSTED: &str = r#"
horizon = "20s"
traffic = [{ name = "t", to = "web", rate = 50 }, { name = "u", to = "other", rate = 20 }]
[machine.box]
cores = 1
[service.web]
demand = { kind = "exponential", mean = "10ms" }
server = [{ name = "s", workers = 4, machine = "box" }]
[service.other]
demand = "15ms"
server = [{ name = "o", workers = 4 }]
"#;

/// Callers of every kind, several of each, of services that are slow and unreliable.
const GUARDED: &str = r#"
horizon = "20s"
client = { retry = "fixed", timeout = "30ms" }
class = { a = { share = 0.5 }, b = { share = 0.5 } }
traffic = [{ name = "t", to = "web", rate = 50, key = { kind = "uniform", n = 4 } }, { name = "u", to = "web", rate = 50, key = { kind = "uniform", n = 4 } }]
[service.web]
demand = { kind = "exponential", mean = "5ms" }
server = [{ name = "s", count = 2, workers = 2, errors = { rate = 0.1 } }]
[[service.web.call]]
to = "db"
client = { retry = "fixed", timeout = "30ms" }
[service.db]
demand = { kind = "exponential", mean = "8ms" }
balancer = { instances = 2 }
server = [{ name = "d", workers = 2, queue = { limit = 1 }, errors = { rate = 0.3 } }]
"#;

/// Few callers, every kind of link, and requests enough for connections to matter.
const POOLED: &str = r#"
horizon = "20s"
[[traffic]]
name = "t"
to = "web"
rate = 150
key = { kind = "uniform", n = 4 }
[client]
timeout = "300ms"
[service.web]
demand = { kind = "exponential", mean = "10ms" }
link = { delay = "1ms" }
balancer = { link = { delay = "1ms" } }
zone = { far = { link = { delay = "1ms" } } }
server = [{ name = "a", workers = 3, zone = "far", link = { delay = "1ms" } }]
call = [{ to = "db", link = { delay = "1ms" } }]
[service.db]
demand = { kind = "exponential", mean = "5ms" }
server = [{ name = "d", workers = 2 }]
"#;

/// A server and a balancer that crash now and then.
const CRASHY: &str = r#"
horizon = "60s"
[[traffic]]
name = "t"
to = "web"
rate = 140
[client]
timeout = "300ms"
[service.web]
demand = { kind = "exponential", mean = "10ms" }
[service.web.balancer]
crash = [{ when = "in_flight", above = 13 }]
restart = { kind = "crash-loop", first = "200ms", factor = 2, cap = "1s", immediate = 1, reset = "3s" }
[[service.web.server]]
name = "a"
workers = 1
crash = [{ when = "in_flight", above = 7 }]
restart = { kind = "crash-loop", first = "200ms", factor = 2, cap = "1s", immediate = 1, reset = "3s" }
[[service.web.server]]
name = "b"
workers = 1
"#;

/// A rush, and servers that an autoscaler can bring.
const SCALED: &str = r#"
horizon = "60s"
[[traffic]]
name = "t"
to = "web"
rate = [["0s", 50], ["20s", 300], ["40s", 300], ["42s", 30], ["60s", 30]]
[service.web]
demand = { kind = "exponential", mean = "20ms" }
server = [{ name = "a", workers = 2 }, { name = "spare", workers = 2, count = 9, present = false }]
autoscaler = { kind = "kubernetes-hpa", max = 8, target = 0.5, sync = "2s", interval = "2s", lag = "0s", down_window = "4s" }
"#;

/// With a balancer that sends requests on in place of servers that call.
fn routed(text: &str) -> String {
    let routes = "[service.web.balancer]\ninstances = 2\n[[service.web.balancer.routes]]";
    let call = "call = [{ to = \"db\", link = { delay = \"1ms\" } }]\n";
    let route = "routes = [{ to = \"db\", link = { delay = \"1ms\" } }], link";
    text.replacen("[[service.web.call]]", routes, 1)
        .replacen(call, "", 1)
        .replacen("balancer = { link", &format!("balancer = {{ {route}"), 1)
}

/// With a balancer that has rules of its own towards its servers.
fn proxied(text: &str) -> String {
    let head = "[service.web]\n";
    text.replacen(
        head,
        &format!("{head}balancer = {{ instances = 2, client = {{}} }}\n"),
        1,
    )
    // Servers that turn requests away.
    .replacen(
        "count = 2, workers = 2,",
        "count = 2, workers = 2, queue = { limit = 0 },",
        1,
    )
}

/// The scenario that a row calls by name, as the key needs it.
pub(super) fn base_for(key: &str, name: &str) -> String {
    if key.contains("routes") {
        routed(&base(name))
    } else if key.starts_with("service.NAME.balancer.client") {
        proxied(&base(name))
    } else if key.starts_with("service.NAME.balancer.class") {
        // All is of the class.
        let (half, all) = (
            "a = { share = 0.5 }, b = { share = 0.5 }",
            "a = { share = 1 }, b = { share = 0 }",
        );
        proxied(&base(name))
            .replacen("client = {} }", "class.a.client = {} }", 1)
            .replacen(half, all, 1)
    } else {
        base(name)
    }
}

/// The scenario that a row calls by name.
pub(super) fn base(name: &str) -> String {
    let rate = |rate: &str| plain(90).replace("rate = 90", rate);
    match name {
        "plain" => plain(90),
        "calls" => CALLS.to_owned(),
        "dialect" => DIALECT.to_owned(),
        "upstream" => UPSTREAM.to_owned(),
        "guarded" => GUARDED.to_owned(),
        "hosted" => HOSTED.to_owned(),
        "pooled" => POOLED.to_owned(),
        "crashy" => CRASHY.to_owned(),
        "scaled" => SCALED.to_owned(),
        "tracked" => SCALED.replacen(
            "kind = \"kubernetes-hpa\", max = 8, target = 0.5, sync = \"2s\", interval = \"2s\", lag = \"0s\", down_window = \"4s\"",
            "kind = \"target-tracking\", max = 8, target = 0.5, period = \"2s\", above = 2, below = 3, warm_up = \"4s\"",
            1,
        ),
        "stepped" => SCALED.replacen(
            "kind = \"kubernetes-hpa\", max = 8, target = 0.5, sync = \"2s\", interval = \"2s\", lag = \"0s\", down_window = \"4s\"",
            "kind = \"step-scaling\", max = 8, up_from = [0.6], up_by = [2], down_from = [0.4], down_by = [1], period = \"2s\", warm_up = \"4s\"",
            1,
        ),
        "pair" => CALLS.replacen("[service.db]", "[[service.web.call]]\nto = \"other\"\n[service.db]", 1),
        "mixed" => CALLS.replacen("share = 1", "share = 0.5\n[class.b]\nshare = 0.5", 1),
        "routed" => routed(&base("mixed")),
        "zoned" => plain(90)
            .replacen("workers = 1", "zone = \"far\"\nworkers = 1", 1)
            .replacen("[[service.web.server]]", "[service.web.zone.far]\nlink = { delay = \"3ms\" }\n[[service.web.server]]", 1),
        "degraded" => plain(90).replacen(
            "do = \"slow\"\ntarget = \"service.web.server.a\"\nfactor = 0.5",
            "do = \"degrade\"\ntarget = \"service.web.balancer.link\"\ndelay = \"9ms\"\nloss = 0.1",
            1,
        ),
        "restarted" => plain(90).replacen(
            "do = \"slow\"\ntarget = \"service.web.server.a\"\nfactor = 0.5\nfor = \"2s\"",
            "do = \"restart\"\ntarget = \"service.web.server\"",
            1,
        ),
        "deployed" => plain(90).replacen(
            "do = \"slow\"\ntarget = \"service.web.server.a\"\nfactor = 0.5\nfor = \"2s\"",
            "do = \"deploy\"\ntarget = \"service.web.server\"\nset = { \"service.web.server.errors.rate\" = 0.5 }",
            1,
        ),
        "canaried" => base("deployed").replacen(
            "do = \"deploy\"",
            "do = \"deploy\"\ncanary = { servers = 1, watch = \"2s\" }",
            1,
        ),
        "aborted" => base("canaried").replacen("watch = \"2s\"", "watch = \"2s\", failed = 1", 1).replacen("p99 > 40ms", "failed > 1%", 1) + "[monitoring]\nscrape = \"1s\"\n",
        "staged" => base("canaried")
            .replacen("watch = \"2s\" }", "watch = \"1s\", failed = 1, then = [{ servers = 2, watch = \"1s\" }] }", 1)
            .replacen("name = \"b\"\n", "name = \"b\"\ncount = 3\n", 1),
        "watched" => plain(90) + "[monitoring]\nscrape = \"1s\"\n",
        "changed" => base("watched").replacen("over = \"3s\"", "rule = { kind = \"change\", since = \"2s\" }\nover = \"3s\"", 1),
        "burning" => base("watched").replacen(
            "when = \"p99 > 40ms\"\nover = \"3s\"",
            "when = \"quick\"\nrule = { kind = \"burn-rate\", factor = 2, long = \"6s\", short = \"3s\" }",
            1,
        ),
        "missed" => base("watched")
            .replacen("do = \"slow\"\ntarget = \"service.web.server.a\"\nfactor = 0.5\nfor = \"2s\"", "do = \"crash\"\ntarget = \"service.web.server.a\"", 1)
            .replacen("when = \"p99 > 40ms\"", "when = \"in_flight(server.a)\"\nrule = \"absence\"", 1),
        "grouped" => base("watched").replacen("p99 > 40ms", "p99 > 1ms", 1) + "group = { wait = \"1s\", interval = \"2s\", repeat = \"3s\" }\n",
        "apart" => base("grouped") + "[[alert]]\nname = \"busy\"\nwhen = \"p99 > 2ms\"\nover = \"3s\"\nfor = \"2s\"\n",
        "answered" => base("watched").replacen("at = \"10s\"\nset", "name = \"push\"\nat = \"3s\"\nset", 1) + ANSWERED,
        "released" => base("answered").replacen(
            "do = \"restart\"\ntarget = \"service.web.server.a\"",
            "do = \"deploy\"\ntarget = \"service.web.server\"\nset = { \"service.web.server.*.errors.rate\" = 0.5 }",
            1,
        ),
        "ruled" => plain(90) + "[monitoring]\nscrape = \"1s\"\nrules = [{ name = \"own\", file = \"up.yml\" }]\n",
        "called" => base("grouped").replacen("wait = \"1s\", interval = \"2s\", repeat = \"3s\"", "wait = \"0s\", interval = \"200ms\", repeat = \"100ms\"", 1) + CALLED,
        "faulty" => plain(90).replacen("do = \"slow\"", "fault = \"gray\"", 1).replacen("factor = 0.5\n", "", 1),
        "closed" => rate("arrivals = { kind = \"closed\", users = 10, think = \"100ms\" }"),
        "visited" => rate("rate = 90\narrivals = { kind = \"sessions\", requests = [4], think = \"100ms\" }"),
        "trace" => rate("arrivals = { kind = \"trace\", times = [\"1s\"] }"),
        "surge" => rate("rate = { kind = \"surge\", base = 50, peak = 90, at = \"5s\", rise = \"1s\", hold = \"3s\", fall = \"1s\" }"),
        "wave" => rate("rate = { kind = \"wave\", mean = 50, amplitude = 0.5, period = \"10s\" }"),
        "diurnal" => rate("rate = { kind = \"diurnal\", times = [\"1s\", \"4s\", \"6s\"], rates = [10, 90, 50], period = \"10s\" }"),
        "crowd" => rate("rate = { kind = \"flash-crowd\", base = 30, peak = 3, at = \"5s\", rise = \"1s\", hold = \"1s\", decay = \"power-law\", scale = \"2s\" }"),
        "clock" => rate("arrivals = { kind = \"clock\", every = \"2s\", jobs = 40 }"),
        "reconnect" => rate("arrivals = { kind = \"reconnect\", clients = 40, at = \"3s\" }"),
        "checked" => base("faulty").replacen("fault = \"gray\"", "fault = { kind = \"health-path\", answer = \"fail\" }", 1),
        "memory" => CRASHY.replacen(
            "crash = [{ when = \"in_flight\", above = 7 }]\nrestart",
            "memory = { base = \"1MiB\", per_in_service = \"1MiB\", per_queued = \"1MiB\", limit = \"7MiB\" }\nrestart",
            1,
        ),
        "overlay" => "base = \"calm\"\n[set]\nseed = 3\n[[timeline]]\nname = \"late\"\nat = \"3s\"\ndo = \"note\"\nnote = \"x\"\n".to_owned(),
        other => panic!("no base {other}"),
    }
}
