//! What health rules do otherwise about one server of a list.

use crate::support::{server, start, summary};
use sim_core::event_log::Kind;

/// Three servers, of which the first two are written with `own`, and down from 20 s to 60 s.
fn down(balancer: &str, own: [&str; 2]) -> String {
    let [a, b] = own;
    format!(
        r#"
horizon = "150s"
traffic = [{{ to = "web", rate = 20, arrivals = "deterministic" }}]
[service.web]
demand = "1ms"
server = [
  {{ name = "a", workers = 9, {a} }},
  {{ name = "b", workers = 9, {b} }},
  {{ name = "c", workers = 9 }},
]
[service.web.balancer]
{balancer}
[[timeline]]
at = "20s"
do = "crash"
target = "service.web.server"
[[timeline]]
at = "20s"
do = "restart"
target = "service.web.server.c"
[[timeline]]
at = "60s"
do = "restart"
target = "service.web.server"
when = "down"
"#
    )
}

/// When a server was taken out and taken back, in whole seconds.
fn turns(text: &str, name: &str) -> Vec<(Kind, u64)> {
    let mut simulation = start(text);
    simulation.run();
    let events = simulation.recorder().event_log();
    let of = events.filter(|event| event.subject == name);
    let of = of.filter(|event| matches!(event.kind, Kind::Ejected | Kind::Readmitted));
    of.map(|event| (event.kind, event.at.0 / 1_000_000_000))
        .collect()
}

#[test]
fn nginx_has_max_fails_and_fail_timeout_of_each_server() {
    let text = down(
        "dialect = \"nginx\"",
        [
            "health = { fail_timeout = \"30s\" }",
            "health = { max_fails = 0 }",
        ],
    );
    // Banned at the first failure; probed 31 s later, when it is down still, and 31 s after that.
    let a = turns(&text, "a");
    assert_eq!(a, [(Kind::Ejected, 20), (Kind::Readmitted, 82)]);
    // Never banned, and so it fails until it is up: each request is tried at c next.
    assert_eq!(turns(&text, "b"), []);
    let ended = summary(&text);
    assert!(server(&ended, "web", "b").failed > 300, "{ended:?}");
    assert_eq!(server(&ended, "web", "a").failed, 2);
}

#[test]
fn a_failure_lowers_the_weight_by_what_the_server_itself_says() {
    // One failure of a server of weight 10 takes all of it, or a fifth.
    let share = |own: &str| {
        let text = format!(
            r#"
horizon = "3s"
traffic = [{{ to = "web", rate = 10, arrivals = "deterministic" }}]
[service.web]
demand = "1ms"
server = [
  {{ name = "a", workers = 9, weight = 10, {own} }},
  {{ name = "b", workers = 9, weight = 10 }},
]
balancer = {{ dialect = {{ kind = "nginx", max_fails = 1 }} }}
[[timeline]]
at = "50ms"
do = "crash"
target = "service.web.server.a"
[[timeline]]
at = "350ms"
do = "restart"
target = "service.web.server.a"
"#
        );
        server(&summary(&text), "web", "a").attempts
    };
    // With five it is not banned either.
    let (one, five) = (
        share("health = { max_fails = 1 }"),
        share("health = { max_fails = 5 }"),
    );
    assert!(one < 4, "{one} {five}");
    assert!(five > 8, "{one} {five}");
}

#[test]
fn haproxy_has_inter_fall_and_rise_of_each_server_and_may_leave_one_unchecked() {
    let balancer =
        "dialect = { kind = \"haproxy\", check = true, inter = \"2s\", fall = 3, rise = 2 }";
    let slow = "health = { interval = \"10s\", fall = 1, rise = 1 }";
    let text = down(balancer, ["", slow]);
    let (a, b) = (turns(&text, "a"), turns(&text, "b"));
    // Checks every 2 s, from the start and from 2 s / 3 on.
    let out = |turns: &[(Kind, u64)]| turns.first().map(|turn| turn.1);
    let back = |turns: &[(Kind, u64)]| turns.last().map(|turn| turn.1);
    assert!(matches!(out(&a), Some(24..=26)), "{a:?}");
    assert!(matches!(back(&a), Some(62..=64)), "{a:?}");
    assert_eq!((out(&b), back(&b)), (Some(23), Some(63)), "{b:?}");
    let unchecked = down(balancer, ["", "health = { check = false }"]);
    assert_eq!(turns(&unchecked, "b"), []);
    assert_eq!(turns(&unchecked, "a"), a);
    let failed = server(&summary(&unchecked), "web", "b").failed;
    assert!(failed > 400, "{failed}");
}

#[test]
fn a_server_may_start_slowly_or_at_once() {
    let balancer = "dialect = { kind = \"haproxy\", check = true, slowstart = \"60s\" }";
    let attempts = |own: &str| {
        let ended = summary(&down(balancer, [own, own]));
        server(&ended, "web", "a").attempts
    };
    let slowly = attempts("");
    let slower = attempts("health = { slow_start = \"80s\" }");
    let at_once = attempts("health = { slow_start = \"0s\" }");
    assert!(
        slower + 40 < slowly && slowly + 100 < at_once,
        "{slower} {slowly} {at_once}"
    );
}

#[test]
fn one_server_has_a_shorter_line_than_the_others() {
    let refused = |own: &str, all: &str| {
        let text = format!(
            r#"
horizon = "10s"
traffic = [{{ to = "web", rate = 10, arrivals = "deterministic", key = {{ kind = "uniform", n = 1 }} }}]
[service.web]
demand = "1s"
server = [
  {{ name = "a", workers = 9, max_connections = 1, {own} }},
  {{ name = "b", workers = 9, max_connections = 1, {own} }},
]
balancer = {{ dialect = {{ kind = "haproxy", balance = "source", {all} }} }}
"#
        );
        summary(&text).requests.failed
    };
    let long = refused("", "maxqueue = 9");
    let short = refused("max_pending = 3", "maxqueue = 9");
    assert_eq!(short, refused("", "maxqueue = 3"));
    assert_eq!(short, refused("max_pending = 3", "maxqueue = 0"));
    assert!(short > long + 3, "{short} {long}");
    assert_eq!(
        refused("max_pending = 0", "maxqueue = 3"),
        refused("", "maxqueue = 0")
    );
}

#[test]
fn the_time_line_sets_what_differs_and_takes_it_back() {
    let set = |at: &str, value: &str| {
        format!(
            "[[timeline]]\nat = \"{at}\"\nset = {{ \"service.web.server.a.health.fail_timeout\" = \"{value}\" }}\n"
        )
    };
    let plain = down("dialect = \"nginx\"", ["", ""]);
    assert_eq!(turns(&plain, "a").last(), Some(&(Kind::Readmitted, 64)));
    let longer = format!("{plain}{}", set("5s", "30s"));
    assert_eq!(turns(&longer, "a").last(), Some(&(Kind::Readmitted, 82)));
    let back = format!("{longer}{}", set("6s", "none"));
    assert_eq!(turns(&back, "a"), turns(&plain, "a"));
    // Checks come as they are set.
    let balancer = "dialect = { kind = \"haproxy\", check = true, inter = \"2s\" }";
    let sets =
        "[[timeline]]\nat = \"1s\"\nset = { \"service.web.server.b.health.check\" = false }\n";
    assert_eq!(
        turns(&format!("{}{sets}", down(balancer, ["", ""])), "b"),
        []
    );
}

#[test]
fn what_nobody_heeds_is_an_error_that_names_who_would() {
    let problems = |balancer: &str, own: &str| {
        let text = down(balancer, [own, ""]);
        let problems = sim_core::scenario::parse(&text).expect_err(own);
        problems.to_string()
    };
    for (balancer, own, wanted) in [
        ("", "health = { max_fails = 3 }", "max-fails do"),
        (
            "dialect = \"nginx\"",
            "health = { slow_start = \"30s\" }",
            "slow-start do",
        ),
        (
            "dialect = \"nginx\"",
            "health = { check = false }",
            "checks no servers",
        ),
        (
            "dialect = \"nginx\"",
            "health = { fail_timeout = \"1500ms\" }",
            "whole seconds",
        ),
        (
            "dialect = \"haproxy\"",
            "health = { rise = 1 }",
            "haproxy-checks",
        ),
        (
            "dialect = \"haproxy\"",
            "max_pending = 3",
            "without `max_connections`",
        ),
        (
            "",
            "max_pending = 3, max_connections = 1",
            "no `pending_queue`",
        ),
        (
            "pending_queue = { limit = 9 }",
            "max_pending = 3, max_connections = 1",
            "`round-robin` does not",
        ),
    ] {
        let found = problems(balancer, own);
        assert!(found.contains(wanted), "{own}: {found}");
    }
}
