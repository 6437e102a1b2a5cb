//! What a monitoring makes of a run, and until when something helps: lanes, what is known beside what is true, the point
//! of no return.

use crate::screen::{experiment, opening, perform, window};
use egui_kittest::{Harness, kittest::Queryable as _};
use sim_core::engine::Simulation;
use sim_core::experiment::{Control, deadline};
use sim_core::record::AlertState;
use sim_core::scenario::{NoFiles, Scenario, Source};
use sim_core::summary::AlertNow;
use sim_core::time::{Instant, SECOND};
use sim_gui::App;
use sim_gui::command::Command;
use sim_gui::experiment::{Draft, Field, Kind, Over, Prepared};
use sim_gui::panel;
use sim_gui::playback::{Edit, stood};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

/// A retry storm that ten slow seconds begin, under a monitoring with alerts of both kinds, one of which fails.
pub(crate) const STORM: &str = r#"title   = "A storm, watched"
clock   = "12:00"
horizon = "5m"
seed    = 1

[[traffic]]
to   = "db"
rate = 60

[client]
timeout = "1s"
retry   = { kind = "fixed", attempts = 2, pause = "0s" }

[service.db]
demand = { kind = "exponential", mean = "100ms" }
[[service.db.server]]
name    = "db"
workers = 8

[[timeline]]
at     = "1m"
do     = "slow"
target = "service.db.server.db"
factor = 0.01
for    = "10s"
by     = "system"
note   = "a backup locks the tables"

[monitoring]
scrape   = "5s"
evaluate = "5s"
lag      = "2s"

[[alert]]
name = "failing"
when = "failed > 20%"
over = "30s"
for  = "20s"

[[alert]]
name = "LongQueueAtTheDatabase"
rule = "promql"
when = 'sum(server_queue_length) > 100'
for  = "15s"

[[alert]]
name = "Twice"
rule = "promql"
when = 'http_requests_total * on (job) http_requests_total > 1e15'
"#;

/// The storm in a window, all of it simulated, at a moment.
pub(crate) fn storm(text: &str, at_s: u64) -> Harness<'static, App> {
    let mut harness = window(opening("first"));
    perform(&mut harness, Command::OpenText(text.to_owned()));
    let problems = &harness.state().state().problems;
    assert!(problems.is_none(), "{problems:?}");
    explored(&mut harness);
    perform(&mut harness, Command::Seek(Instant(at_s * SECOND)));
    harness
}

fn explored(harness: &mut Harness<'static, App>) {
    loop {
        harness.run_steps(1);
        let report = harness.state().state().report.as_ref();
        if report.is_some_and(|report| report.branches.iter().all(|branch| branch.finished)) {
            return;
        }
    }
}

/// The text of a panel.
fn words(harness: &Harness<'_, App>, name: &str) -> String {
    let panel =
        panel::find(name).and_then(|name| panel::PANELS.iter().find(|p| p.name == name.name));
    (panel.expect("a panel").text)(harness.state().state())
}

fn plain(text: &str) -> Simulation {
    let scenario = Scenario::read(Source::new("storm.toml", text), &[], &NoFiles).expect("valid");
    Simulation::new(Arc::new(scenario.model().expect("valid")), 0)
}

#[test]
fn rules_of_both_kinds_stand_in_their_lanes_as_far_as_they_may_be_seen() {
    let mut harness = storm(STORM, 300);
    let state = harness.state().state();
    let branch = state.main().expect("a run");
    for (alert, name) in ["failing", "LongQueueAtTheDatabase"]
        .into_iter()
        .enumerate()
    {
        let stood = stood(branch, Some(alert), state.now());
        let states: Vec<AlertState> = stood.iter().map(|stood| stood.state).collect();
        assert_eq!(states, [AlertState::Pending, AlertState::Firing], "{name}");
        assert_eq!(stood[0].until, stood[1].from);
        let told = words(&harness, "timeline");
        let since = format!("alert {name}: firing from {}", state.label(stood[1].from));
        assert!(told.contains(&since), "{told}");
    }
    assert!(harness.query_by_label("key: pending").is_some());
    // What comes after the moment shown is not told.
    perform(&mut harness, Command::Seek(Instant(80 * SECOND)));
    let told = words(&harness, "timeline");
    assert!(
        told.contains("pending from") && !told.contains("firing from"),
        "{told}"
    );
}

#[test]
fn a_rule_that_fails_is_told_in_the_story() {
    let harness = storm(STORM, 120);
    let told = words(&harness, "event_log");
    assert!(told.contains("rule Twice cannot be evaluated"), "{told}");
    let row = harness.query_all_by_label_contains("rule Twice cannot be evaluated");
    assert!(row.count() >= 1, "drawn");
}

#[test]
fn what_is_known_stands_beside_what_is_true_in_either_direction() {
    let mut harness = storm(STORM, 83);
    let expected = |at_s: u64| {
        let mut simulation = plain(STORM);
        simulation.run_until(Instant(at_s * SECOND));
        AlertNow::all(&simulation)
    };
    let mut seen = Vec::new();
    for at_s in [83, 200, 83] {
        perform(&mut harness, Command::Seek(Instant(at_s * SECOND)));
        let view = harness.state().state().view().expect("a view");
        assert_eq!(view.known, expected(at_s), "{at_s}");
        let told = words(&harness, "inspector");
        let of_first = &view.known[0];
        let known = format!("known {}, ", of_first.known.value);
        assert!(told.contains(&known), "{told}");
        let truth = of_first.truth.as_ref().expect("a short window");
        let row = format!("true {}", truth.value);
        assert!(
            harness.query_all_by_label_contains(&row).next().is_some(),
            "{row}"
        );
        seen.push(told);
    }
    assert_eq!(seen[0], seen[2]);
    assert_ne!(seen[0], seen[1]);
    // Scraped at 80 s and seen two seconds later.
    assert!(seen[0].contains("3s old"), "{}", seen[0]);
    let without = STORM.replace(
        "[monitoring]\nscrape   = \"5s\"\nevaluate = \"5s\"\nlag      = \"2s\"\n",
        "",
    );
    let without = &without[..without
        .find("[[alert]]\nname = \"Long")
        .expect("it stands there")];
    let harness = storm(without, 83);
    assert!(words(&harness, "inspector").is_empty());
}

fn finish(harness: &mut Harness<'static, App>) {
    while experiment(harness).is_running() {
        harness.run_steps(1);
    }
    harness.run_steps(3);
}

#[test]
fn the_point_of_no_return_of_a_future_is_found_and_marked() {
    let mut harness = storm(STORM, 65);
    perform(
        &mut harness,
        Command::Edit(Edit::set("client.retry", "none")),
    );
    explored(&mut harness);
    perform(&mut harness, Command::Panel("experiments"));
    harness.get_by_label("Point of no return").click();
    harness.run_steps(3);
    let mut draft = harness.state().draft().expect("a draft").clone();
    assert_eq!(
        (draft.kind, &draft.acts[..]),
        (Kind::Deadline, &["client.retry = none".to_owned()][..])
    );
    draft.replications = "5".to_owned();
    draft.between = "12:00:30..12:03".to_owned();
    perform(&mut harness, Command::Experiment(Box::new(draft)));
    finish(&mut harness);
    assert_eq!(experiment(&harness).report.over, Some(Over::Complete));
    // It is what the command finds, on threads.
    let answer = experiment(&harness).last_moment().expect("an answer");
    let Prepared::Deadline(of) = &experiment(&harness).prepared else {
        panic!("a deadline");
    };
    let cancel = AtomicBool::new(false);
    let control = Control::new(NonZeroUsize::MIN, &cancel, &|_| {});
    let same = deadline(&of.scenario, &of.model, &of.plan, &control).expect("it fits");
    assert_eq!(*answer.found, same);
    let verdict = answer.verdict();
    assert!(verdict.contains("helps until 12:01:"), "{verdict}");
    assert_eq!(
        experiment(&harness)
            .command
            .lines()
            .last()
            .expect("a command"),
        "stampede deadline first-changed.toml --change client.retry=none --between 12:00:30..12:03 \
         --measure requests.lost --replications 5"
    );
    assert!(harness.query_by_label(&verdict).is_some(), "in the panel");
    assert!(
        words(&harness, "timeline").contains(&verdict),
        "on the time line"
    );
    let (name, table) = experiment(&harness).csv().expect("a table");
    assert_eq!((name, table.lines().count()), ("deadline.csv", 14));
    // Another scenario, and the marker is gone; asked for twice, since the text is not saved.
    for _ in 0..2 {
        perform(&mut harness, Command::OpenModel("first".to_owned()));
    }
    assert!(!words(&harness, "timeline").contains("helps until"));
}

#[test]
fn what_cannot_be_done_is_said_below_its_field() {
    let mut harness = storm(STORM, 10);
    let state = harness.state().state();
    let draft = Draft::deadline(state.model().expect("a model"), state);
    let refused = |harness: &mut Harness<'static, App>, draft: Draft| {
        perform(harness, Command::Experiment(Box::new(draft)));
        let state = harness.state().state();
        assert!(state.experiment.is_none(), "it was not begun");
        let first = state.refusals.first().expect("a refusal");
        assert!(
            harness.query_by_label(&first.message).is_some(),
            "{first:?}"
        );
        first.field
    };
    let with = |acts: &[&str], between: &str, measure: &str| Draft {
        acts: acts.iter().map(|&act| act.to_owned()).collect(),
        between: between.to_owned(),
        measures: vec![measure.to_owned()],
        ..draft.clone()
    };
    for (acts, between, measure, field) in [
        (&[""][..], "", "requests.lost", Field::Act(0)),
        (&["dance db"], "", "requests.lost", Field::Act(0)),
        (
            &["client.retry = none", "restart nobody"],
            "",
            "requests.lost",
            Field::Act(1),
        ),
        (
            &["client.retry = none", "db.weight = heavy"],
            "",
            "requests.lost",
            Field::Act(1),
        ),
        (&["add db-2 like db"], "", "requests.lost", Field::Act(0)),
        (
            &["client.retry = none"],
            "12:03",
            "requests.lost",
            Field::Between,
        ),
        (
            &["client.retry = none"],
            "12:03..12:01",
            "requests.lost",
            Field::Between,
        ),
        (
            &["client.retry = none"],
            "12:03..14:00",
            "requests.lost",
            Field::Between,
        ),
        (&["client.retry = none"], "", "nonsense", Field::Measures),
        (
            &["client.retry = none"],
            "",
            "requests.arrived",
            Field::Measures,
        ),
    ] {
        let found = refused(&mut harness, with(acts, between, measure));
        assert_eq!(found, field, "{acts:?} {between} {measure}");
    }
}
