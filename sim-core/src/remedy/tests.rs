//! Rows and candidates: what is proposed fits, and says what it does.

use super::search::model_with;
use super::*;
use crate::scenario::{NoFiles, Source};
use std::collections::BTreeSet;

/// A system in which every row has something to change.
const RICH: &str = r#"
clock   = "12:00"
horizon = "2h"
[class.hasty]
share  = 0.5
client = { timeout = "2s" }
[class.calm]
share = 0.5
[[traffic]]
name = "shop"
to   = "web"
rate = 20
[client]
timeout = "4s"
retry   = { kind = "exponential-backoff", attempts = 3 }
[service.web]
demand = "50ms"
[service.web.balancer]
policy          = "weighted-round-robin"
max_connections = 400
cost            = "1ms"
memory          = { base = "10MiB", per_connection = "100KiB", limit = "100MiB" }
health          = [{ kind = "checks" }]
[[service.web.server]]
name            = "w"
count           = 3
workers         = 4
weight          = 9
max_connections = 50
memory          = { base = "10MiB", per_in_service = "1MiB", limit = "100MiB" }
[[service.web.server]]
name    = "x"
workers = 2
[[service.web.call]]
to     = "db"
client = { timeout = "500ms" }
[service.db]
demand = "5ms"
server = [{ name = "d", count = 2, workers = 8, machine = "m" }]
[machine.m]
cores = 8
[[timeline]]
name = "release"
at   = "12:30"
do   = "deploy"
target = "service.web.server"
set  = { "service.web.server.*.speed" = 0.9 }
[[timeline]]
name = "fix"
at   = "13:00"
set  = { "service.web.server.w.weight" = 2 }
[[timeline]]
at     = "13:10:30"
do     = "restart"
when   = "down"
target = "service.web.server.w-1"
[[timeline]]
at   = "13:20"
do   = "note"
note = "lunch"
[[slo]]
name      = "fast"
good      = "response_time < 1s"
objective = 0.99
[monitoring]
scrape = "15s"
lag    = "5s"
[[alert]]
name = "failing"
when = "failed > 5%"
for  = "1m"
[[runbook]]
name        = "aid"
on          = "failing"
acknowledge = "5m"
diagnose    = { kind = "exponential", mean = "5m" }
step        = [{ do = "restart", when = "down", target = "service.web.server" }]
"#;

fn read(text: &str) -> impl Fn(&[(String, String)]) -> Result<Scenario, Problems> {
    let source = Source::new("s.toml", text);
    move |sets| Scenario::read(source.clone(), sets, &NoFiles)
}

fn made(text: &str, only: &[&str], tries: &[(&str, &str)]) -> Result<Vec<Candidate>, Problems> {
    let read = read(text);
    let model = model_with(&read, &[])?;
    let only: Vec<String> = only.iter().map(|name| (*name).to_owned()).collect();
    let tries: Sets = tries
        .iter()
        .map(|(p, v)| ((*p).to_owned(), (*v).to_owned()))
        .collect();
    let made = candidates((&read(&[])?, &model), &only, &tries, &read)?;
    Ok(made.into_iter().map(|made| made.candidate).collect())
}

fn sets_of(text: &str, row: &str) -> Vec<String> {
    let made = made(text, &[row], &[]).unwrap_or_else(|problems| panic!("{problems}"));
    let sets = made.iter().map(|candidate| {
        let sets = candidate
            .sets
            .iter()
            .map(|(path, value)| format!("{path}={value}"));
        sets.collect::<Vec<_>>().join(" ")
    });
    sets.collect()
}

#[test]
fn what_rows_propose_fits() {
    // What does not fit is left out in silence, so that a wrong name in a row would never show.
    let read = read(RICH);
    let scenario = read(&[]).unwrap_or_else(|problems| panic!("{problems}"));
    let model = scenario
        .model()
        .unwrap_or_else(|problems| panic!("{problems}"));
    let subject = Subject::of(&scenario, &model);
    for row in ROWS {
        let proposals = (row.proposes)(&subject);
        assert!(!proposals.is_empty(), "{} proposes nothing", row.name);
        for (words, sets) in proposals {
            if let Err(problems) = model_with(&read, &sets) {
                panic!("{}: {words}: {sets:?}: {problems}", row.name);
            }
        }
    }
}

#[test]
fn alerts_and_people_are_made_quicker_where_they_are_slow() {
    let sets = sets_of(RICH, "alerting");
    let wanted = [
        "alert.failing.for=0s",
        "runbook.aid.acknowledge=0s",
        "runbook.aid.diagnose=0s",
        "monitoring.lag=0s",
        "monitoring.scrape=5s",
    ];
    assert_eq!(sets, wanted);
    assert!(sets_of("horizon = \"1s\"\ntraffic = [{ to = \"web\", rate = 1 }]\n[service.web]\ndemand = \"1ms\"\nserver = [{ name = \"s\", workers = 1 }]\n", "alerting").is_empty());
}

#[test]
fn what_the_time_line_crashes_restarts_by_itself() {
    let text = "horizon = \"1m\"\ntraffic = [{ to = \"web\", rate = 1 }]\n[service.web]\ndemand = \"1ms\"\nserver = [{ name = \"s\", count = 2, workers = 1 }]\n";
    assert!(sets_of(text, "restart").is_empty());
    let crash = "[[timeline]]\nat = \"10s\"\ndo = \"crash\"\ntarget = \"service.web.server.s-2\"\n";
    let sets = sets_of(&format!("{text}{crash}"), "restart");
    assert_eq!(sets.len(), 1, "{sets:?}");
    assert!(
        sets[0].starts_with("service.web.server.*.restart="),
        "{sets:?}"
    );
}

#[test]
fn without_health_rules_some_are_proposed() {
    let bare = RICH.replace("health          = [{ kind = \"checks\" }]", "");
    let sets = sets_of(&bare, "health");
    assert_eq!(sets.len(), 4 + 4, "four for each service: {sets:?}");
}

#[test]
fn rows_have_names_of_their_own_and_sources() {
    let names: BTreeSet<&str> = ROWS.iter().map(|row| row.name).collect();
    assert_eq!(names.len(), ROWS.len());
    assert!(!names.contains(TRIED));
    for row in ROWS {
        assert!(
            row.about.ends_with('.') && !row.source.is_empty(),
            "{}",
            row.name
        );
    }
}

#[test]
fn weights_follow_what_servers_can_do() {
    let sets = sets_of(RICH, "weights");
    assert_eq!(sets[0], "service.web.server.w.weight=2");
}

#[test]
fn servers_that_are_written_together_are_set_together() {
    let sets = sets_of(RICH, "limits");
    let wanted = "service.web.server.w.max_connections=8 service.web.server.x.max_connections=4";
    assert!(sets.iter().any(|set| set == wanted), "{sets:?}");
    let same = "service.db.server.*.max_connections=16";
    assert!(sets.iter().any(|set| set == same), "{sets:?}");
}

#[test]
fn visitors_are_changed_wherever_their_rules_stand() {
    let sets = sets_of(RICH, "timeouts");
    assert_eq!(
        sets[0],
        "client.timeout=1s class.hasty.client.timeout=500ms"
    );
    assert!(
        sets.iter()
            .any(|set| set.starts_with("service.web.call.db.client.timeout="))
    );
}

#[test]
fn answers_come_earlier_and_causes_do_not() {
    let sets = sets_of(RICH, "response");
    assert_eq!(sets[0], "timeline.fix.at=12:50");
    assert_eq!(sets[1], "timeline.2.at=13:00:30");
    assert_eq!(sets[2], "timeline.fix.at=12:50 timeline.2.at=13:00:30");
    assert!(sets.iter().all(|set| !set.contains("release")), "{sets:?}");
    let sets = sets_of(RICH, "canary");
    assert!(sets[0].starts_with("timeline.release.canary="), "{sets:?}");
}

#[test]
fn what_is_asked_for_by_hand_must_fit() {
    let tried = [("service.web.server.w.weight", "3")];
    let found = made(RICH, &["canary"], &tried).unwrap_or_else(|problems| panic!("{problems}"));
    assert_eq!((found[0].row, found[0].cost), (TRIED, Cost::Settings));
    assert_eq!(found[1].row, "canary");
    let wrong = made(RICH, &[], &[("service.web.server.nobody.weight", "3")]);
    assert!(wrong.is_err_and(|problems| problems.to_string().contains("nobody")));
}

#[test]
fn two_changes_of_one_value_are_no_pair() {
    let one = |path: &str| Candidate::tried(path, "1");
    let pair = |a: &str, b: &str| one(a).with(&one(b)).is_some();
    assert!(pair(
        "service.web.server.*.weight",
        "service.web.server.*.queue.limit"
    ));
    for (a, b) in [
        ("service.web.server.*.weight", "service.web.server.a.weight"),
        (
            "service.web.server.a.weight",
            "service.web.server.a-2.weight",
        ),
        ("client.retry", "client.retry.attempts"),
    ] {
        assert!(!pair(a, b) && !pair(b, a), "{a} and {b}");
    }
}
