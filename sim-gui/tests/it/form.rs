//! Values are changed by what their kind allows: lists, boxes, sliders and texts, in the inspector
//! (which forks) and in the form of the scenario (which writes into its text).

use crate::screen::{opening, settle, window};
use eframe::egui::Key;
use egui_kittest::{Harness, kittest::Queryable as _};
use sim_gui::App;
use sim_gui::command::Command;
use sim_gui::playback::Edit;
use sim_gui::state::Thing;

fn selected(thing: Thing) -> Harness<'static, App> {
    let mut harness = window(opening("first"));
    harness.state_mut().perform(Command::SeekBy(600.0));
    harness.run_steps(3);
    settle(&mut harness);
    harness.state_mut().perform(Command::Select(Some(thing)));
    harness.run_steps(3);
    harness
}

/// What the latest branch changed.
fn edits(harness: &Harness<'_, App>) -> Vec<Edit> {
    let report = harness.state().state().report.as_ref().expect("a report");
    let last = report.branches.last().expect("a branch");
    last.edits
        .iter()
        .map(|edited| edited.edit.clone())
        .collect()
}

#[test]
fn a_policy_is_chosen_from_the_list() {
    let mut harness = selected(Thing::Instance(0));
    let list = "choices of service.web.balancer.policy";
    harness.get_by_label(list).click();
    harness.run_steps(3);
    harness.get_by_label("round-robin").click();
    harness.run_steps(3);
    settle(&mut harness);
    let policy = Edit::set("service.web.balancer.policy", "round-robin");
    assert_eq!(edits(&harness), [policy]);
}

#[test]
fn a_slider_changes_a_weight_by_keys() {
    let mut harness = selected(Thing::Server(0));
    let path = "service.web.server.web-1.weight";
    let slider = format!("slider of {path}");
    harness.get_by_label(&slider).focus();
    harness.run_steps(2);
    harness.key_press(Key::ArrowRight);
    harness.run_steps(3);
    settle(&mut harness);
    let found = edits(&harness);
    let [Edit::Set { path: set, value }] = found.as_slice() else {
        panic!("one change: {found:?}");
    };
    assert_eq!(set, path);
    let value: f64 = value.parse().expect("a number");
    assert!(value > 0.0, "{value}");
}

#[test]
fn the_form_writes_into_the_text_and_run_runs_it() {
    let mut harness = window(opening("first"));
    harness.state_mut().perform(Command::Panel("scenario"));
    harness.run_steps(3);
    let original = harness.state().state().source.text.clone();
    harness.get_by_label("Form").click();
    harness.run_steps(3);
    harness
        .get_by_label("choices of service.web.balancer.policy")
        .click();
    harness.run_steps(3);
    harness.get_by_label("random").click();
    harness.run_steps(3);
    assert!(harness.query_by_label("changed, not run yet").is_some());
    harness.get_by_label("Run").click();
    harness.run_steps(3);
    settle(&mut harness);
    let changed = harness.state().state().source.text.clone();
    assert_ne!(changed, original);
    let lines = |text: &str| text.lines().map(str::to_owned).collect::<Vec<_>>();
    let (before, after) = (lines(&original), lines(&changed));
    let differing: Vec<&String> = (before.iter().zip(&after))
        .filter(|(a, b)| a != b)
        .map(|(_, b)| b)
        .collect();
    assert_eq!(before.len(), after.len());
    assert_eq!(differing.len(), 1, "{differing:?}");
    assert!(differing[0].contains("\"random\""), "{differing:?}");
    assert!(harness.state().state().problems.is_none());
}

#[test]
fn what_cannot_be_read_is_said_instead_of_a_form() {
    let mut harness = window(opening("first"));
    harness
        .state_mut()
        .perform(Command::OpenText("horizon = [".to_owned()));
    harness.state_mut().perform(Command::Panel("scenario"));
    harness.run_steps(3);
    harness.get_by_label("Form").click();
    harness.run_steps(3);
    assert!(
        harness
            .query_by_label_contains("mend it under Text")
            .is_some()
    );
}

#[test]
fn another_server_is_added_by_a_button_and_by_words() {
    let mut harness = selected(Thing::Server(0));
    harness.get_by_label("add another").click();
    harness.run_steps(3);
    settle(&mut harness);
    let added = Edit::add("service.web.server.web-3", "web-1");
    assert_eq!(edits(&harness), std::slice::from_ref(&added));
    let beside = harness.state().state().beside().expect("B");
    assert_eq!(beside.snapshot.servers.len(), 3);
    let typed = sim_gui::dialog::edit(harness.state().state(), "add web-3 like web-1");
    assert_eq!(typed, Some(added));
    assert!(harness.query_all_by_label_contains("server web-3").count() > 0);
}

/// Guards in their lists, calls and routes by their names, the service of a balancer and the machine
/// of a server: whatever can change while time runs stands in the inspector.
#[test]
fn everything_that_can_change_is_in_the_inspector() {
    let text = "horizon = \"20s\"\ntraffic = [{ to = \"web\", rate = 5 }]\n\
        [machine.box]\ncores = 2\n\
        [service.web]\ndemand = \"10ms\"\n\
        balancer = { guards = [{ kind = \"rate-limit\", rate = 90 }] }\n\
        server = [{ name = \"w\", workers = 4, machine = \"box\" }]\n\
        call = [{ to = \"db\" }]\n\
        [service.db]\ndemand = \"5ms\"\nserver = [{ name = \"d\", workers = 4 }]\n";
    let mut harness = window(opening("first"));
    harness
        .state_mut()
        .perform(Command::OpenText(text.to_owned()));
    settle(&mut harness);
    for (thing, paths) in [
        (
            Thing::Instance(0),
            &[
                "slider of service.web.balancer.guards.rate-limit.rate",
                "choices of service.web.demand",
                "slider of service.web.call.db.probability",
            ][..],
        ),
        (Thing::Server(0), &["slider of machine.box.cores"]),
    ] {
        harness.state_mut().perform(Command::Select(Some(thing)));
        harness.run_steps(3);
        for path in paths {
            assert!(harness.query_by_label(path).is_some(), "{path}");
        }
        let unknown = harness.query_all_by_label_contains("NAME").count();
        assert_eq!(unknown, 0, "names that stand for nothing");
        let others = "service.web.balancer.guards.circuit-breaker";
        assert_eq!(harness.query_all_by_label_contains(others).count(), 0);
    }
}
