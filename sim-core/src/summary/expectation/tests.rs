//! Expectations against a run whose every event is known.

use super::Checked;
use crate::engine::Simulation;
use crate::metric::SUMMARY_PATHS;
use crate::scenario::parse;
use crate::summary::Summary;
use std::sync::Arc;

/// One request a second, each 100 ms of work; the server is down from 12:05 to 12:06.
const SYSTEM: &str = r#"
    clock = "12:00"
    horizon = "10m"
    class.all = { share = 1 }
    machine.m = { cores = 8 }
    traffic = [{ to = "web", arrivals = "deterministic", rate = 10 }]
    service.web = { demand = "100ms", server = [{ name = "a", workers = 2, machine = "m", restart = "manual" }, { name = "spare", workers = 1, present = false }] }
    timeline = [{ at = "12:05", do = "crash", target = "service.web.server.a" }, { at = "12:06", do = "restart", target = "service.web.server.a" }]
    alert = [{ name = "failing", when = "failed > 50%", over = "10s", for = "0s" }]
    slo = [{ name = "works", objective = 0.5 }]
"#;

fn run(expectations: &[&str]) -> Summary {
    let mut text = SYSTEM.to_owned();
    for that in expectations {
        text = format!("{text}[[expect]]\nthat = '{that}'\n");
    }
    let model = parse(&text).unwrap_or_else(|problems| panic!("{problems}"));
    let mut simulation = Simulation::new(Arc::new(model), 0);
    simulation.run();
    Summary::of(&simulation, 0)
}

fn check(that: &str, passed: bool, actual: &str) {
    let checked = run(&[that]).expectations.remove(0);
    assert_eq!(
        (checked.passed, checked.actual.as_str()),
        (passed, actual),
        "{that}"
    );
}

#[test]
fn events_are_found_by_kind_and_subject() {
    check("first(crash) in 12:04..12:05", true, "12:05");
    check("first(crash.a) in 12:00..12:04", false, "12:05");
    check("count(crash.a) == 1", true, "1");
    check("count(crash.spare) == 1", false, "0");
    check("never(crash.spare)", true, "never");
    check("never(crash)", false, "once, first at 12:05 (a)");
    check("last(up.a) == 12:06", true, "12:06");
    check("last(ejected) < 12:06", false, "it never happened");
    check("first(alert.failing) in 12:05..12:06", true, "12:05:05");
}

#[test]
fn metrics_are_folded_interval_by_interval() {
    check("max(failed) > 99%", true, "100 % at 12:05:01");
    check(
        "max(failed) during 12:00..12:04 > 0%",
        false,
        "0 % at 12:00:01",
    );
    check("failed at 12:06 > 99%", true, "100 %");
    check("goodput during 12:07..12:09 == 100%", true, "100 %");
    check("min(up) == 0", true, "0 at 12:05");
    check("max(utilisation(a)) < 100%", true, "50 % at 12:00:02");
    check("min(p99) > 50ms", true, "100 ms at 12:00:01");
    check("max(share(spare)) == 0%", true, "0 % at 12:00:01");
    check(
        "p99 during 12:05:10..12:05:50 < 1s",
        false,
        "no value: there is nothing to take p99 from",
    );
}

#[test]
fn figures_of_the_summary_are_compared_in_their_units() {
    check("availability > 89%", true, "90 %");
    check("requests.arrived > 5000", true, "6000");
    check("response_time_s.max == 100ms", true, "100 ms");
    check("services.web.servers.a.downtime_s == 1m", true, "60 s");
    check("slos.works.attained > 95%", false, "90 %");
}

#[test]
fn every_path_of_the_table_names_a_figure() {
    let text = SYSTEM.replace(
        "service.web = {",
        "client.guards = [\"retry-budget\", { kind = \"concurrency-limit\", limit = 9 }]\n    service.web = { numbers = true, balancer = { client = {} }, link = { connections = \"shared\" },",
    );
    let users = "{ name = \"users\", to = \"web\", arrivals = { kind = \"closed\", users = 1, think = \"10s\", leave = 0.5 } }";
    let visitors = "{ name = \"visitors\", to = \"web\", rate = 1, arrivals = { kind = \"sessions\", requests = [3], think = \"10s\" } }";
    let text = text.replace(
        "rate = 10 }]",
        &format!("rate = 10 }}, {users}, {visitors}]"),
    );
    let model = parse(&text).unwrap_or_else(|problems| panic!("{problems}"));
    let mut simulation = Simulation::new(Arc::new(model), 0);
    simulation.run();
    let summary = Summary::of(&simulation, 0);
    for row in SUMMARY_PATHS {
        let names = [
            ("CLASS", "all"),
            ("SERVICE", "web"),
            ("SERVER", "a"),
            ("BALANCER", "web-lb-1"),
            ("NUMBER", "0"),
            ("SLO", "works"),
            ("MACHINE", "m"),
            ("OUTCOME", "refused"),
        ];
        let word = |word: &str| {
            names
                .iter()
                .find(|(place, _)| *place == word)
                .map_or(word, |(_, name)| name)
                .to_owned()
        };
        let path: Vec<String> = row.path.split('.').map(word).collect();
        let path = path.join(".");
        if path.starts_with("response.time_to_") {
            // Nobody is told of anything here.
            continue;
        }
        assert!(summary.figure(&path).is_some(), "{path}");
    }
    assert_eq!(summary.figure("requests.nonsense"), None);
}

#[test]
fn the_line_comes_along() {
    let Checked { line, that, .. } = run(&["never(crash)"]).expectations.remove(0);
    assert_eq!(
        (line, that.as_str()),
        (SYSTEM.lines().count() + 2, "never(crash)")
    );
}
