//! The panel of experiments without a display: clicked by accessible name.

use crate::screen::{experiment, settle, window};
use eframe::egui::{Key, Modifiers};
use egui_kittest::{Harness, kittest::Queryable as _};
use sim_gui::command::Command;
use sim_gui::experiment::{Experiment, Found, Over};
use sim_gui::playback::Edit;
use sim_gui::{App, Opening};

fn opening(scenario: &str) -> Opening {
    Opening {
        scenario: Some(scenario.to_owned()),
        sliced: true,
        ..Opening::default()
    }
}

/// A window with the panel open.
fn lab() -> Harness<'static, App> {
    let mut harness = window(opening("first"));
    harness.get_by_label("Experiments").click();
    harness.run_steps(3);
    harness
}

/// Runs frames until something holds of the experiment.
fn until(harness: &mut Harness<'_, App>, what: impl Fn(&Experiment) -> bool) {
    for _ in 0..20_000 {
        harness.run_steps(1);
        if what(experiment(harness)) {
            harness.run_steps(3);
            return;
        }
    }
    panic!("never: {}", experiment(harness).progress());
}

/// Writes something else into a field.
fn write(harness: &mut Harness<'_, App>, field: &str, text: &str) {
    harness.get_by_label(field).click();
    harness.run_steps(2);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::A);
    harness.run_steps(1);
    harness.get_by_label(field).type_text(text);
    harness.run_steps(2);
}

#[test]
fn policies_are_compared_with_two_clicks() {
    let mut harness = lab();
    harness.get_by_label("Compare balancer policies").click();
    harness.run_steps(3);
    assert!(
        harness
            .query_by_label_contains("is being simulated")
            .is_some()
            || !matches!(experiment(&harness).report.found, Found::Nothing),
        "it says what is going on"
    );
    until(&mut harness, |e| e.report.over == Some(Over::Complete));
    let Found::Compared(found) = experiment(&harness).report.found.clone() else {
        panic!("a comparison");
    };
    for at in 0..found.measures.len() {
        let verdict = found.verdict(at);
        assert!(harness.query_by_label(&verdict).is_some(), "{verdict}");
    }
    for variant in &found.variants {
        assert!(harness.query_all_by_label(&variant.name).next().is_some());
    }
    assert!(
        harness
            .query_by_label_contains("picture: availability. ")
            .is_some()
    );
    let second = found.verdict(1);
    harness.get_by_label(&second).click();
    harness.run_steps(3);
    let path = found.measures[1].path();
    assert!(
        harness
            .query_by_label_contains(&format!("picture: {path}. "))
            .is_some()
    );
    harness.get_by_label_contains("differences from").click();
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("minus that of").is_some());
    harness.get_by_label("all pairs").scroll_to_me();
    harness.run_steps(3);
    harness.get_by_label("all pairs").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("p (Holm)").is_some());
    harness.state_mut().perform(Command::Panel("text"));
    harness.run_steps(3);
    assert!(
        harness.query_by_label_contains(&found.verdict(0)).is_some(),
        "the text view has it too"
    );
}

#[test]
fn the_load_is_swept_and_drawn_as_cells_come() {
    let mut harness = lab();
    harness.get_by_label("Sweep").click();
    harness.run_steps(2);
    write(&mut harness, "values of path 1", "3");
    write(&mut harness, "number of replications", "5");
    assert!(
        harness
            .query_by_label_contains("3 cells × 5 = 15 runs")
            .is_some()
    );
    harness.get_by_label("run the experiment").click();
    until(
        &mut harness,
        |e| matches!(&e.report.found, Found::Swept(rows) if !rows.is_empty()),
    );
    let picture = "picture: response_time_s.p99 by rate_factor";
    assert!(harness.query_by_label_contains(picture).is_some());
    until(&mut harness, |e| e.report.over == Some(Over::Complete));
    let Found::Swept(rows) = experiment(&harness).report.found.clone() else {
        panic!("a sweep");
    };
    assert_eq!(rows.len(), 3);
    assert!(
        harness
            .query_by_label_contains("cell 2: rate_factor = 1.4")
            .is_some()
    );
    assert!(harness.query_by_label("Save as a plan").is_some());
}

#[test]
fn two_axes_make_a_map() {
    let mut harness = lab();
    harness.get_by_label("Sweep").click();
    harness.run_steps(2);
    write(&mut harness, "values of path 1", "2");
    harness.get_by_label("+ one more path").click();
    harness.run_steps(2);
    assert!(
        harness.query_by_label("+ one more path").is_none(),
        "two at most"
    );
    write(&mut harness, "values 2", "random, least-in-flight");
    write(&mut harness, "number of replications", "1");
    harness.get_by_label("run the experiment").click();
    until(&mut harness, |e| e.report.over == Some(Over::Complete));
    let name = "by service.web.balancer.policy and rate_factor";
    assert!(harness.query_by_label_contains(name).is_some());
    let remarks = experiment(&harness).table(0).remarks;
    assert!(!remarks.is_empty(), "one replication gives no interval");
    for remark in remarks {
        assert!(harness.query_by_label(&remark).is_some(), "{remark}");
    }
}

#[test]
fn it_can_be_stopped_and_keeps_what_is_complete() {
    let mut harness = lab();
    write(&mut harness, "number of replications", "500");
    harness.get_by_label("run the experiment").click();
    until(&mut harness, |e| e.report.progress.done > 12);
    assert!(
        harness.query_by_label_contains(" runs, ").is_some(),
        "it says how long"
    );
    harness.get_by_label("Stop").click();
    harness.run_steps(3);
    assert_eq!(experiment(&harness).report.over, Some(Over::Stopped));
    assert!(harness.query_by_label_contains("stopped: ").is_some());
    assert!(
        harness
            .query_by_label_contains("picture: availability")
            .is_some()
    );
    assert!(experiment(&harness).csv().is_some());
}

#[test]
fn a_bad_value_is_told_at_its_field() {
    let mut harness = lab();
    write(&mut harness, "values 1", "random, rundom");
    harness.get_by_label("run the experiment").click();
    harness.run_steps(3);
    let message = "error[E014]: unknown policy \"rundom\"";
    assert!(harness.query_by_label_contains(message).is_some());
    assert!(harness.state().state().experiment.is_none());
    write(&mut harness, "values 1", "random, round-robin");
    write(&mut harness, "number of replications", "5");
    harness.get_by_label("run the experiment").click();
    until(&mut harness, |e| e.report.over == Some(Over::Complete));
    assert!(harness.query_by_label_contains(message).is_none());
}

#[test]
fn values_paths_and_measures_are_picked_from_lists() {
    let mut harness = lab();
    harness.get_by_label("pick values 1").click();
    harness.run_steps(2);
    write(&mut harness, "search choices", "weighted-random");
    harness.get_by_label("pick weighted-random").click();
    harness.run_steps(2);
    let draft = harness.state().draft().expect("a draft").clone();
    assert!(draft.vary[0].has("weighted-random"), "{draft:?}");
    harness.get_by_label("pick path 1").click();
    harness.run_steps(2);
    write(&mut harness, "search choices", "workers");
    harness
        .get_by_label("pick service.web.server.*.workers")
        .click();
    harness.run_steps(3);
    let draft = harness.state().draft().expect("a draft").clone();
    assert_eq!(draft.vary[0].path, "service.web.server.*.workers");
    assert_eq!(draft.vary[0].list, "1, 2, 4", "around the one it has");
    harness.get_by_label("pick measures").click();
    harness.run_steps(2);
    write(&mut harness, "search choices", "goodput");
    harness.get_by_label("pick goodput_hz").click();
    harness.run_steps(2);
    let draft = harness.state().draft().expect("a draft");
    assert_eq!(
        draft.measures.last().map(String::as_str),
        Some("goodput_hz")
    );
}

#[test]
fn a_future_is_compared_with_what_was_and_undo_stays_as_it_is() {
    let mut harness = window(Opening {
        at: Some("3m".to_owned()),
        ..opening("first")
    });
    settle(&mut harness);
    let edit = Edit::set("service.web.server.web-1.workers", "4");
    harness.state_mut().perform(Command::Edit(edit));
    harness.run_steps(3);
    settle(&mut harness);
    harness.get_by_label("Experiments").click();
    harness.run_steps(3);
    harness
        .get_by_label("Compare with the future beside")
        .click();
    harness.run_steps(3);
    let before = experiment(&harness).report.progress.planned;
    assert_eq!(before, 20);
    until(&mut harness, |e| e.report.over == Some(Over::Complete));
    let Found::Compared(found) = experiment(&harness).report.found.clone() else {
        panic!("a comparison");
    };
    let names: Vec<&str> = found.variants.iter().map(|v| v.name.as_str()).collect();
    assert_eq!(names, ["first", "first-B"]);
    assert!(
        found.verdict(0).contains("first-B is best"),
        "{}",
        found.verdict(0)
    );
    let command = &experiment(&harness).command;
    assert!(
        command.starts_with("cat > first-B.toml <<'EOF'\nbase  = \"first\""),
        "{command}"
    );
    assert!(
        command.contains("EOF\nstampede compare first first-B.toml --measure"),
        "{command}"
    );
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.run_steps(3);
    settle(&mut harness);
    assert!(harness.state().state().beside().is_none(), "undone");
    assert!(
        harness.state().state().experiment.is_some(),
        "what was found stays"
    );
}

#[test]
fn a_text_that_was_changed_is_what_is_run() {
    let mut harness = window(opening("first"));
    let text = harness.state().state().source.text.clone();
    let changed = text.replace("\"30m\"", "\"28m\"");
    harness.state_mut().perform(Command::OpenText(changed));
    harness.run_steps(2);
    settle(&mut harness);
    harness.state_mut().perform(Command::ComparePolicies);
    harness.run_steps(2);
    let experiment = experiment(&harness);
    assert!(
        experiment.headline().contains("of 28m"),
        "{}",
        experiment.headline()
    );
    assert!(experiment.command.starts_with("cat > first-changed.toml"));
    assert!(
        experiment
            .command
            .contains("stampede compare first-changed.toml")
    );
}
