//! Rolling deployments and canaries, second by second as worked out by hand.

use crate::support::{log, run, told};
use sim_core::engine::Simulation;
use sim_core::event_log::Kind;
use sim_core::outcome::Outcome;
use sim_core::record::RequestRecord;

/// Four servers that take 10 s to boot, ten requests a second for each of them, and a deployment at 60 s.
fn shop(entry: &str) -> String {
    format!(
        r#"
horizon = "200s"
record = {{ every_nth_request = 1 }}
traffic = [{{ to = "web", arrivals = "deterministic", rate = 40 }}]
[service.web]
demand = "10ms"
server = [
  {{ name = "s", count = 4, workers = 2, boot = "10s" }},
  {{ name = "spare", like = "s", present = false }},
]
[[timeline]]
at = "60s"
do = "deploy"
{entry}
"#
    )
}

fn happened(simulation: &Simulation, kind: Kind) -> Vec<(f64, String)> {
    let told = told(simulation, kind).into_iter();
    told.map(|(at, subject, _)| (at, subject)).collect()
}

fn named(expected: &[(f64, &str)]) -> Vec<(f64, String)> {
    let expected = expected.iter();
    expected
        .map(|(at, name)| (*at, (*name).to_owned()))
        .collect()
}

const FOUR: &str = "target = \"service.web.server.s\"\n";

#[test]
fn one_after_the_other_is_drained_gone_and_there_again() {
    // Each: taken away, a second later started, ten later up, and then the next goes.
    let simulation = run(&shop(FOUR));
    let removed = [(60.0, "s-1"), (71.0, "s-2"), (82.0, "s-3"), (93.0, "s-4")];
    assert_eq!(happened(&simulation, Kind::Removed), named(&removed));
    let added = [(61.0, "s-1"), (72.0, "s-2"), (83.0, "s-3"), (94.0, "s-4")];
    assert_eq!(happened(&simulation, Kind::Added), named(&added));
    assert_eq!(
        happened(&simulation, Kind::Deployed),
        named(&[(104.0, "web")])
    );
    // What was in flight has finished.
    assert!(
        log(&shop(FOUR))
            .iter()
            .all(|row| row.outcome == Outcome::Succeeded)
    );
}

#[test]
fn a_new_server_counts_when_it_has_served_for_a_while() {
    // 5 s more for each.
    let simulation = run(&shop(&format!("{FOUR}min_ready = \"5s\"")));
    let removed = [(60.0, "s-1"), (76.0, "s-2"), (92.0, "s-3"), (108.0, "s-4")];
    assert_eq!(happened(&simulation, Kind::Removed), named(&removed));
    assert_eq!(
        happened(&simulation, Kind::Deployed),
        named(&[(124.0, "web")])
    );
}

#[test]
fn half_of_them_at_once_is_half_the_time() {
    // 50 % of four is two, and 74 %, rounded down, is two as well.
    for share in ["\"50%\"", "2", "\"74%\""] {
        let simulation = run(&shop(&format!("{FOUR}max_unavailable = {share}")));
        let removed = [(60.0, "s-1"), (60.0, "s-2"), (71.0, "s-3"), (71.0, "s-4")];
        assert_eq!(happened(&simulation, Kind::Removed), named(&removed));
        assert_eq!(
            happened(&simulation, Kind::Deployed),
            named(&[(82.0, "web")])
        );
    }
}

#[test]
fn with_a_place_more_nobody_goes_before_another_serves() {
    let all = "target = \"service.web.server\"\nmax_surge = 1\nmax_unavailable = 0\n";
    let simulation = run(&shop(all));
    let added = [(60.0, "spare"), (71.0, "s-1"), (82.0, "s-2"), (93.0, "s-3")];
    assert_eq!(happened(&simulation, Kind::Added), named(&added));
    let removed = [(70.0, "s-1"), (81.0, "s-2"), (92.0, "s-3"), (103.0, "s-4")];
    assert_eq!(happened(&simulation, Kind::Removed), named(&removed));
    // Without a place more, none may be missing and none can be more: one goes all the same.
    let stuck = format!("{FOUR}max_surge = \"25%\"\nmax_unavailable = 0\n");
    let removed = [(60.0, "s-1"), (71.0, "s-2"), (82.0, "s-3"), (93.0, "s-4")];
    assert_eq!(
        happened(&run(&shop(&stuck)), Kind::Removed),
        named(&removed)
    );
}

#[test]
fn each_server_has_the_new_release_from_its_turn_on() {
    // From 10 to 30 ms: of a round of four, one is slow from 71 s on, two from 82 s on, and so on.
    let slower = format!("{FOUR}set = {{ \"service.web.server.s.speed\" = 0.3333333333 }}");
    let rows = log(&shop(&slower));
    let slow = |from: u64, to: u64| {
        let within = |row: &&RequestRecord| (from..to).contains(&(row.arrived_ns / 1_000_000_000));
        let rows: Vec<_> = rows.iter().filter(within).collect();
        let slow = rows
            .iter()
            .filter(|row| row.ended_ns - row.arrived_ns > 20_000_000);
        slow.count() as f64 / rows.len() as f64
    };
    assert_eq!(slow(0, 60), 0.0);
    // While s-2 is replaced, s-1 is one of three.
    assert!((slow(73, 81) - 1.0 / 3.0).abs() < 0.01, "{}", slow(73, 81));
    assert!((slow(84, 92) - 2.0 / 3.0).abs() < 0.01, "{}", slow(84, 92));
    assert_eq!(slow(105, 200), 1.0);
}

const CANARY: &str = "target = \"service.web.server.s\"\ncanary = { servers = 1, watch = \"30s\", failed = \"5%\" }\n";

#[test]
fn a_bad_release_goes_no_further_than_its_canary() {
    let bad = format!("{CANARY}set = {{ \"service.web.server.s.errors.rate\" = 0.5 }}");
    let simulation = run(&shop(&bad));
    // Up at 71 s, judged at 101 s, taken away a second later, started again, and up at 113 s.
    assert_eq!(
        happened(&simulation, Kind::Rollback),
        named(&[(101.0, "web")])
    );
    let removed = [(60.0, "s-1"), (102.0, "s-1")];
    assert_eq!(happened(&simulation, Kind::Removed), named(&removed));
    // Each is of the release that it runs, on the way back as well.
    let causes = |kind| told(&simulation, kind).into_iter().map(|(.., cause)| cause);
    let release = |word: &str| format!("of the {word} release");
    assert!(causes(Kind::Added).eq(["new", "old"].map(release)));
    assert!(causes(Kind::Removed).eq(["old", "new"].map(release)));
    let done = told(&simulation, Kind::Deployed);
    assert_eq!(
        (done[0].0, done[0].2.as_str()),
        (113.0, "the old release is on all 4")
    );
    // Half of ten requests a second failed, for 31 s, and none before or after.
    let rows = log(&shop(&bad));
    let failed: Vec<u64> = rows
        .iter()
        .filter(|row| row.outcome != Outcome::Succeeded)
        .map(|row| row.arrived_ns / 1_000_000_000)
        .collect();
    assert!((125..=185).contains(&failed.len()), "{}", failed.len());
    assert!(
        failed.iter().all(|at| (70..=102).contains(at)),
        "{failed:?}"
    );
}

#[test]
fn a_bad_release_that_had_a_spare_place_is_nowhere_in_the_end() {
    let spare = CANARY.replace("server.s\"", "server\"");
    let bad =
        format!("{spare}max_surge = 1\nset = {{ \"service.web.server.*.errors.rate\" = 1.0 }}");
    let simulation = run(&shop(&bad));
    assert_eq!(happened(&simulation, Kind::Rollback).len(), 1);
    let done = told(&simulation, Kind::Deployed);
    assert!(
        done[0].2.starts_with("the old release is on all 4"),
        "{done:?}"
    );
    let failed = |from: f64| {
        let rows = log(&shop(&bad)).into_iter();
        let failed = rows.filter(|row| row.outcome != Outcome::Succeeded);
        failed
            .filter(|row| row.arrived_ns as f64 / 1e9 > from)
            .count()
    };
    assert!(failed(0.0) > 200, "{}", failed(0.0));
    assert_eq!(failed(done[0].0), 0);
}

#[test]
fn a_release_goes_back_when_its_alert_begins_to_fire() {
    let watched = |name: &str, entry: &str, alert: &str| {
        let canary = CANARY.replace(
            "failed = \"5%\"",
            &format!("failed = 1, abort_on = \"{name}\""),
        );
        let text = shop(&format!("{canary}{entry}"));
        let monitoring = "[monitoring]\nscrape = \"5s\"\n[[alert]]\nname = \"failing\"\n";
        run(&format!(
            "{text}{monitoring}when = \"{alert}\"\nover = \"10s\"\n"
        ))
    };
    let bad = "set = { \"service.web.server.s.errors.rate\" = 1.0 }\n";
    // Up at 71 s. Half of the requests between the scrapes of 70 and 75 s at most: seen at 75 s.
    let simulation = watched("failing", bad, "failed > 10%");
    assert_eq!(
        happened(&simulation, Kind::Alert),
        named(&[(75.0, "failing")])
    );
    assert_eq!(
        told(&simulation, Kind::Rollback),
        [(75.0, "web".to_owned(), "alert failing fires".to_owned())]
    );
    let removed = [(60.0, "s-1"), (75.0, "s-1")];
    assert_eq!(happened(&simulation, Kind::Removed), named(&removed));
    let done = told(&simulation, Kind::Deployed);
    assert_eq!(done[0].2, "the old release is on all 4");
    // Judged well at 101 s, and then two more; what goes wrong at 115 s is seen while all follow, with one on its way.
    let late = format!(
        "[[timeline]]\nat = \"115s\"\n{}",
        bad.replace("server.s.", "server.s-2.")
    );
    let simulation = watched("failing", &late, "failed > 10%");
    let back = told(&simulation, Kind::Rollback);
    assert_eq!(back.len(), 1);
    assert!((115.0..130.0).contains(&back[0].0), "{back:?}");
    let done = told(&simulation, Kind::Deployed);
    assert_eq!(done[0].2, "the old release is on all 4");
    // An alert that does not fire leaves it alone.
    let simulation = watched("failing", bad, "offered_hz > 1000");
    assert!(happened(&simulation, Kind::Rollback).is_empty());
}

#[test]
fn an_alert_that_nobody_looks_at_is_refused() {
    let canary = CANARY.replace("failed = \"5%\"", "abort_on = \"failing\"");
    let alert = "[[alert]]\nname = \"failing\"\nwhen = \"failed > 10%\"\n";
    let wrong = |text: &str, code: &str, word: &str| {
        let problems = sim_core::scenario::parse(text).expect_err("it is wrong");
        assert!(
            problems.has(code) && problems.to_string().contains(word),
            "{problems}"
        );
    };
    wrong(&shop(&canary), "E033", "no alert is called \"failing\"");
    wrong(
        &format!("{}{alert}", shop(&canary)),
        "E017",
        "there is no `[monitoring]`",
    );
}

#[test]
fn a_good_release_goes_on_after_its_canary() {
    let simulation = run(&shop(CANARY));
    let removed = [
        (60.0, "s-1"),
        (102.0, "s-2"),
        (113.0, "s-3"),
        (124.0, "s-4"),
    ];
    assert_eq!(happened(&simulation, Kind::Removed), named(&removed));
    assert_eq!(
        happened(&simulation, Kind::Deploy),
        named(&[(60.0, "web"), (101.0, "web")])
    );
    assert_eq!(
        happened(&simulation, Kind::Deployed),
        named(&[(135.0, "web")])
    );
}

#[test]
fn a_push_in_stages_is_watched_at_each() {
    // The canary as before, judged at 101 s. Then two: s-2 goes at 102 s and is up at 113 s, where 20 s begin.
    // At 133 s all follow.
    let staged = CANARY.replace(
        "failed = \"5%\"",
        "failed = \"5%\", then = [{ servers = \"50%\", watch = \"20s\" }]",
    );
    let simulation = run(&shop(&staged));
    let removed = [
        (60.0, "s-1"),
        (102.0, "s-2"),
        (134.0, "s-3"),
        (145.0, "s-4"),
    ];
    assert_eq!(happened(&simulation, Kind::Removed), named(&removed));
    let goes_on = told(&simulation, Kind::Deploy);
    let causes: Vec<&str> = goes_on.iter().map(|(.., cause)| cause.as_str()).collect();
    assert_eq!(
        goes_on.iter().map(|(at, ..)| *at).collect::<Vec<_>>(),
        [60.0, 101.0, 133.0]
    );
    assert!(
        causes[1].contains("attempts at the canary failed"),
        "{causes:?}"
    );
    assert!(
        causes[2].contains("attempts at the first 2 failed"),
        "{causes:?}"
    );
    // What goes wrong from 120 s on is found at the second stage, and both go back.
    let bad = format!(
        "{staged}[[timeline]]\nat = \"120s\"\nset = {{ \"service.web.server.s-2.errors.rate\" = 0.5 }}\n"
    );
    let simulation = run(&shop(&bad));
    assert_eq!(
        happened(&simulation, Kind::Rollback),
        named(&[(133.0, "web")])
    );
    let removed: Vec<_> = happened(&simulation, Kind::Removed).split_off(2);
    assert_eq!(removed.len(), 2, "{removed:?}");
    // A stage that a share makes no larger than the one before is passed over.
    let same = CANARY.replace("failed = \"5%\"", "then = [{ servers = \"20%\" }]");
    assert_eq!(
        happened(&run(&shop(&same)), Kind::Removed),
        happened(&run(&shop(CANARY)), Kind::Removed)
    );
}

#[test]
fn another_deployment_takes_the_place_of_one_under_way() {
    let twice = format!("{FOUR}[[timeline]]\nat = \"75s\"\ndo = \"deploy\"\n{FOUR}");
    let simulation = run(&shop(&twice));
    // s-2 is still booting at 75 s: it serves nobody and goes first, and then the others in turn.
    let removed = [
        (60.0, "s-1"),
        (71.0, "s-2"),
        (75.0, "s-2"),
        (86.0, "s-1"),
        (97.0, "s-3"),
        (108.0, "s-4"),
    ];
    assert_eq!(happened(&simulation, Kind::Removed), named(&removed));
    assert_eq!(
        happened(&simulation, Kind::Deployed),
        named(&[(119.0, "web")])
    );
}

#[test]
fn nothing_can_be_replaced_without_a_server_more_or_fewer() {
    let text = shop(&format!("{FOUR}max_surge = 0\nmax_unavailable = 0\n"));
    let problems = sim_core::scenario::parse(&text).expect_err("it is wrong");
    assert!(problems.has("E017"), "{problems}");
    assert!(
        problems.to_string().contains("none can be replaced"),
        "{problems}"
    );
}

#[test]
fn how_many_are_meant_to_be_there_does_not_depend_on_who_is_on_the_way() {
    let causes = |text: &str| -> Vec<String> {
        let simulation = run(&shop(text));
        let done = told(&simulation, Kind::Deployed).into_iter();
        done.map(|(.., cause)| cause).collect()
    };
    let deploy =
        |at: &str, more: &str| format!("[[timeline]]\nat = \"{at}\"\ndo = \"deploy\"\n{more}");
    // At 71.5 s the second server is being drained, at 60.5 s the first, with a server more than are meant.
    let drained = format!("{FOUR}{}", deploy("71500ms", FOUR));
    assert_eq!(causes(&drained), ["the new release is on all 4"]);
    let more = "target = \"service.web.server\"\nmax_surge = 1\n";
    let surged = format!("{more}{}", deploy("60500ms", more));
    assert_eq!(causes(&surged), ["the new release is on all 4"]);
}

#[test]
fn a_server_that_is_removed_on_the_way_comes_back_as_what_it_was() {
    let bad = format!("{CANARY}set = {{ \"service.web.server.s.errors.rate\" = 1.0 }}\n");
    let gone = "[[timeline]]\nat = \"75s\"\ndo = \"remove\"\ntarget = \"service.web.server.s-1\"\n";
    let text = shop(&format!("{bad}{gone}"));
    let simulation = run(&text);
    assert_eq!(happened(&simulation, Kind::Rollback).len(), 1);
    let done = told(&simulation, Kind::Deployed);
    assert_eq!(done[0].2, "the old release is on all 4");
    assert_eq!(seen(&log(&text), (done[0].0 as u64 + 1)..200)[1], 0);
}

#[test]
fn a_release_that_goes_back_goes_to_the_one_before_it_everywhere() {
    // The first one has come to s-1 when the second takes its place, which goes back from its canary.
    let first = format!("{FOUR}set = {{ \"service.web.server.s.workers\" = 3 }}\n");
    let second = "[[timeline]]\nat = \"72s\"\ndo = \"deploy\"\ntarget = \"service.web.server.s\"\n\
                  set = { \"service.web.server.s.errors.rate\" = 1.0 }\ncanary = { servers = 2, watch = \"20s\" }\n";
    let simulation = run(&shop(&format!("{first}{second}")));
    assert_eq!(happened(&simulation, Kind::Rollback).len(), 1);
    let done = told(&simulation, Kind::Deployed);
    assert_eq!(done[0].2, "the old release is on all 4");
    let standing = simulation.standing();
    let servers = standing.services[0].servers.iter().take(4);
    let workers: Vec<u32> = servers.map(|server| server.workers).collect();
    assert_eq!(workers, [3, 3, 3, 3]);
    let end = (done[0].0 as u64 + 1)..200;
    assert_eq!(seen(&log(&shop(&format!("{first}{second}"))), end)[1], 0);
}

/// Requests that came in some seconds: all, those that failed, and those that took longer than 20 ms.
fn seen(rows: &[RequestRecord], seconds: std::ops::Range<u64>) -> [usize; 3] {
    let within = |row: &&RequestRecord| seconds.contains(&(row.arrived_ns / 1_000_000_000));
    let rows: Vec<_> = rows.iter().filter(within).collect();
    let failed = rows.iter().filter(|row| row.outcome != Outcome::Succeeded);
    let slow = rows
        .iter()
        .filter(|row| row.ended_ns - row.arrived_ns > 20_000_000);
    [rows.len(), failed.count(), slow.count()]
}

#[test]
fn what_is_set_after_a_release_went_back_does_not_bring_it_again() {
    let bad = format!("{CANARY}set = {{ \"service.web.server.s.errors.rate\" = 0.5 }}");
    let later =
        "[[timeline]]\nat = \"150s\"\nset = { \"service.web.server.s.speed\" = 0.3333333333 }";
    let rows = log(&shop(&format!("{bad}\n{later}")));
    let [_, failed, slow] = seen(&rows, 73..101);
    assert!(failed > 100 && slow == 0, "{failed}, {slow}");
    let [all, failed, slow] = seen(&rows, 151..199);
    assert_eq!((failed, slow), (0, all));
}

#[test]
fn a_deployment_that_takes_the_place_of_another_brings_what_that_had_not_yet() {
    let slower = format!("{FOUR}set = {{ \"service.web.server.s.speed\" = 0.3333333333 }}");
    let wrong = format!("{FOUR}set = {{ \"service.web.server.s.errors.rate\" = 1 }}");
    let twice = format!("{slower}\n[[timeline]]\nat = \"75s\"\ndo = \"deploy\"\n{wrong}");
    let rows = log(&shop(&twice));
    let [all, failed, slow] = seen(&rows, 125..199);
    assert_eq!((failed, slow), (all, all));
}
