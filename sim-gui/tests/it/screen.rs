//! The screen without a display: clicked by accessible name, with the figures of the summary.

use eframe::egui::{Event, Key, Modifiers, Pos2};
use egui_kittest::{Harness, kittest::Queryable as _};
use sim_core::engine::Simulation;
use sim_core::scenario::Scenario;
use sim_core::summary::Summary;
use sim_core::time::Instant;
use sim_gui::command::{COMMANDS, Command};
use sim_gui::experiment::Experiment;
use sim_gui::panel::{PANELS, banner};
use sim_gui::settings::{Looks, Settings};
use sim_gui::{App, MODELS, Opening};
use std::sync::Arc;

pub(crate) fn opening(scenario: &str) -> Opening {
    let settings = Settings {
        looks: Looks::Dark,
        ..Settings::default()
    };
    Opening {
        scenario: Some(scenario.to_owned()),
        settings,
        sliced: true,
        ..Opening::default()
    }
}

/// A window that shows what it was asked for.
pub(crate) fn window(opening: Opening) -> Harness<'static, App> {
    let mut harness = Harness::builder()
        .with_size([1280.0, 800.0])
        .with_max_steps(8)
        .build_eframe(move |cc| App::new(&cc.egui_ctx, opening));
    settle(&mut harness);
    harness
}

/// Runs frames until what is shown is what was asked for.
pub(crate) fn settle(harness: &mut Harness<'_, App>) {
    for _ in 0..20_000 {
        harness.run_steps(1);
        let state = harness.state().state();
        let settled = state.report.as_ref().is_some_and(|report| report.settled);
        if settled && state.asked.is_none() || state.problems.is_some() {
            harness.run_steps(3);
            return;
        }
    }
    panic!("nothing to show after 20000 frames");
}

/// A window at a moment.
pub(crate) fn window_at(scenario: &str, at: &str) -> Harness<'static, App> {
    let mut harness = window(Opening {
        at: Some(at.to_owned()),
        ..opening(scenario)
    });
    settle(&mut harness);
    harness
}

/// Does a command, and waits until what it asks for is shown.
pub(crate) fn perform(harness: &mut Harness<'static, App>, command: Command) {
    harness.state_mut().perform(command);
    harness.run_steps(3);
    settle(harness);
}

/// Presses at a place, goes to another one, and lets go.
pub(crate) fn drag(harness: &mut Harness<'_, App>, from: Pos2, to: Pos2) {
    harness.hover_at(from);
    harness.run_steps(1);
    harness.drag_at(from);
    harness.run_steps(1);
    for step in 1..=4 {
        harness.event(Event::PointerMoved(from.lerp(to, step as f32 / 4.0)));
        harness.run_steps(1);
    }
    harness.drop_at(to);
    harness.run_steps(2);
}

/// Its card opens.
pub(crate) fn click_first_server(harness: &mut Harness<'_, App>) {
    let server = harness.state().state().model().expect("a model").servers[0]
        .name
        .clone();
    harness
        .get_by_label_contains(&format!("server {server} "))
        .click();
    harness.run_steps(3);
}

/// The moment shown, in whole seconds.
fn at(harness: &Harness<'_, App>) -> u64 {
    harness.state().state().now().0 / 1_000_000_000
}

/// The same run without a window.
fn plain(model: &str, until: Instant) -> Summary {
    let scenario =
        Scenario::read(MODELS.find(model).expect("a model"), &[], &MODELS).expect("valid");
    let mut simulation = Simulation::new(Arc::new(scenario.model().expect("valid")), 0);
    simulation.run_until(until);
    Summary::of(&simulation, scenario.hash())
}

#[test]
fn the_figures_on_screen_are_those_of_the_summary() {
    let mut harness = window(Opening {
        at: Some("5m".to_owned()),
        ..opening("first")
    });
    settle(&mut harness);
    let expected = plain("first", harness.state().state().now());
    assert_eq!(at(&harness), 300);
    let state = harness.state().state();
    let view = state.view().expect("a view");
    assert_eq!(*view.summary, expected);
    assert_eq!(view.summary.to_json(), expected.to_json());
    for (label, value) in banner::figures(state, view) {
        let name = format!("{label} {value}");
        assert!(
            harness.query_by_label(&name).is_some(),
            "{name:?} is on the screen"
        );
    }
}

#[test]
fn every_panel_opens_and_says_what_it_shows() {
    let mut harness = window(opening("first"));
    for panel in PANELS {
        harness.state_mut().perform(Command::Panel(panel.name));
        harness.run_steps(2);
        harness.state_mut().perform(Command::Panel(panel.name));
        harness.run_steps(2);
        let words = (panel.text)(harness.state().state());
        let quiet = ["inspector", "lesson", "text", "event_log"].contains(&panel.name);
        assert!(quiet || !words.is_empty(), "{} has a text view", panel.name);
    }
    harness.state_mut().perform(Command::Panel("text"));
    harness.run_steps(3);
    assert!(harness.query_by_label_contains("TOPOLOGY").is_some());
}

#[test]
fn space_begins_the_day_on_the_opening_scene() {
    let mut harness = window(Opening {
        scenario: None,
        ..opening("incident")
    });
    assert!(harness.state().state().welcome);
    harness.key_press(Key::Space);
    harness.run_steps(3);
    let state = harness.state().state();
    assert!(!state.welcome && !state.settings.is_open("lesson"));
    assert!(state.report.as_ref().expect("a report").transport.playing);
}

#[test]
fn keys_buttons_and_the_palette_move_the_play_head() {
    let mut harness = window(opening("first"));
    harness.key_press(Key::ArrowRight);
    settle(&mut harness);
    assert_eq!(at(&harness), 10);
    harness.key_press_modifiers(Modifiers::SHIFT, Key::ArrowRight);
    settle(&mut harness);
    assert_eq!(at(&harness), 110);
    harness.key_press(Key::Home);
    settle(&mut harness);
    assert_eq!(at(&harness), 0);
    harness.get_by_label("Play").click();
    harness.run_steps(3);
    assert!(
        harness.query_by_label("Pause").is_some(),
        "the button says what it does now"
    );
    harness.key_press(Key::Space);
    settle(&mut harness);
    assert!(harness.query_by_label("Play").is_some());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run_steps(2);
    harness.get_by_label("search commands").type_text("2m");
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    settle(&mut harness);
    assert_eq!(at(&harness), 120);
}

#[test]
fn every_command_can_be_done_at_any_time() {
    let mut harness = window(opening("first"));
    // Files are written by a test of their own, into a folder of its own.
    let harmless = |name: &str| name != "save-scenario";
    for command in COMMANDS.iter().filter(|c| harmless(c.name)) {
        harness.state_mut().perform(command.command.clone());
        harness.run_steps(2);
        harness.state_mut().perform(Command::Escape);
        settle(&mut harness);
    }
}

#[test]
fn a_server_is_selected_by_its_name_and_drained_by_a_button() {
    let mut harness = window(Opening {
        at: Some("1m".to_owned()),
        ..opening("first")
    });
    click_first_server(&mut harness);
    // Its card lies over the inspector until it is closed.
    harness.key_press(Key::Escape);
    harness.run_steps(3);
    harness.get_by_label("drain").click();
    harness.run_steps(3);
    settle(&mut harness);
    let state = harness.state().state();
    let beside = state.beside().expect("two futures");
    assert!(beside.snapshot.servers[0].drained);
    assert!(!state.view().expect("A").snapshot.servers[0].drained);
    assert!(harness.query_by_label_contains("future B: drain").is_some());
    harness.key_press_modifiers(Modifiers::COMMAND, Key::Z);
    harness.run_steps(3);
    settle(&mut harness);
    assert!(harness.state().state().beside().is_none(), "undone");
    harness.key_press_modifiers(Modifiers::COMMAND.plus(Modifiers::SHIFT), Key::Z);
    harness.run_steps(3);
    settle(&mut harness);
    assert!(harness.state().state().beside().is_some(), "done again");
}

#[test]
fn a_broken_scenario_shows_its_problems_and_can_be_mended() {
    let mut harness = window(opening("first"));
    let text = harness.state().state().source.text.clone();
    let broken = text.replace("horizon", "horizom");
    harness.state_mut().perform(Command::OpenText(broken));
    harness.run_steps(3);
    let problems = harness.state().state().problems.clone().expect("problems");
    let message = problems.problems[0].message.clone();
    assert!(
        harness.query_by_label_contains(&message).is_some(),
        "{message} is on the screen"
    );
    harness.state_mut().perform(Command::OpenText(text));
    harness.run_steps(3);
    settle(&mut harness);
    assert!(harness.state().state().problems.is_none());
}

#[test]
fn every_model_opens() {
    let mut harness = window(opening("first"));
    harness.state_mut().perform(Command::Panel("gallery"));
    harness.run_steps(2);
    for name in MODELS.names() {
        harness
            .state_mut()
            .perform(Command::OpenModel(name.to_owned()));
        settle(&mut harness);
        let state = harness.state().state();
        assert_eq!(state.name, name);
        assert!(state.problems.is_none() && state.view().is_some());
    }
}

#[test]
fn what_is_refused_is_said_and_nothing_happens() {
    let mut harness = window(opening("first"));
    let edit = sim_gui::playback::Edit::set("service.web.server.nobody.weight", "3");
    harness.state_mut().perform(Command::Edit(edit));
    harness.run_steps(5);
    assert!(harness.state().state().problems.is_some());
    assert!(harness.query_by_label_contains("not possible").is_some());
    assert_eq!(
        harness
            .state()
            .state()
            .report
            .as_ref()
            .expect("a report")
            .branches
            .len(),
        1
    );
}

/// A scenario laid upon a model, run without a window.
fn overlay_figures(text: &str, until: Instant) -> Summary {
    let source = sim_core::scenario::Source::new("what-if.toml", text);
    let scenario = Scenario::read(source, &[], &MODELS).expect("valid");
    let mut simulation = Simulation::new(Arc::new(scenario.model().expect("valid")), 0);
    simulation.run_until(until);
    Summary::of(&simulation, scenario.hash())
}

#[test]
fn the_incident_forks_at_12_25_and_its_overlay_says_the_same() {
    let mut harness = window(Opening {
        at: Some("12:25".to_owned()),
        ..opening("incident")
    });
    settle(&mut harness);
    harness.key_press_modifiers(Modifiers::COMMAND, Key::K);
    harness.run_steps(2);
    harness
        .get_by_label("search commands")
        .type_text("web-1.weight = 3");
    harness.run_steps(2);
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    settle(&mut harness);
    harness.state_mut().perform(Command::SeekBy(20.0 * 60.0));
    harness.run_steps(3);
    settle(&mut harness);
    let state = harness.state().state();
    let (a, b) = (state.view().expect("A"), state.beside().expect("B"));
    assert_eq!(
        *a.summary,
        plain("incident", a.at),
        "the incident is as it was"
    );
    let text = harness.state().overlay().expect("an overlay");
    let replayed = overlay_figures(&text, b.at);
    assert_eq!(b.summary.requests, replayed.requests);
    assert_eq!(b.summary.response_time_s, replayed.response_time_s);
    assert_eq!(b.summary.services, replayed.services);
    assert!(b.summary.requests.failed < a.summary.requests.failed / 5);
    assert!(
        harness
            .query_by_label_contains("A: balancer web-lb-1 DOWN")
            .is_some()
    );
    assert!(
        harness
            .query_by_label_contains("B: balancer web-lb-1 up")
            .is_some()
    );
    assert!(harness.state().command_line().contains("stampede run -"));
}

#[test]
fn two_futures_are_told_in_one_sentence() {
    let mut harness = window_at("incident", "12:25");
    let edit = sim_gui::playback::Edit::set("service.web.server.web-1.weight", "3");
    perform(&mut harness, Command::Edit(edit));
    // What comes is shown with a fork, and hidden once more.
    perform(&mut harness, Command::Reveal);
    let sentence = |harness: &Harness<'_, App>| harness.state().state().sentence();
    assert_eq!(sentence(&harness), None, "they have not parted yet");
    perform(&mut harness, Command::SeekBy(20.0 * 60.0));
    let so_far = sentence(&harness).expect("a sentence");
    assert!(
        so_far.starts_with("So far, web-1.weight = 3 at 12:25: "),
        "{so_far}"
    );
    assert!(
        so_far.ends_with("; normal at 12:28, otherwise not by 12:45."),
        "{so_far}"
    );
    perform(&mut harness, Command::Reveal);
    let finished = |harness: &Harness<'_, App>| {
        let report = harness.state().state().report.as_ref().expect("a report");
        report.branches.iter().all(|branch| branch.finished)
    };
    while !finished(&harness) {
        harness.run_steps(1);
    }
    harness.run_steps(3);
    // Those of the whole runs, without a window.
    let end = harness.state().state().horizon();
    let text = harness.state().overlay().expect("an overlay");
    let (without, with) = (plain("incident", end), overlay_figures(&text, end));
    let clock = harness.state().state().model().expect("a model").clock;
    let change = "web-1.weight = 3 at 12:25";
    let told = sim_core::report::words::two_futures(change, &with, &without, clock);
    assert_eq!(sentence(&harness).as_ref(), Some(&told));
    assert!(
        told.contains(" thousand lost instead of ") && told.contains("; normal at 12:28, not 14:4"),
        "{told}"
    );
    assert!(harness.query_by_label(&told).is_some(), "over the stage");
    // Whichever is the main one.
    perform(&mut harness, Command::Swap);
    assert_eq!(sentence(&harness), Some(told));
}

#[test]
fn four_hundred_servers_can_be_seen_and_reached() {
    let text = "horizon = \"2m\"\n[[traffic]]\nto = \"web\"\nrate = 4000\n[service.web]\n\
                demand = { kind = \"exponential\", mean = \"60ms\" }\n\
                [service.web.balancer]\npolicy = \"random\"\n\
                [[service.web.server]]\nname = \"web\"\ncount = 400\nworkers = 2\n";
    let mut harness = window(opening("first"));
    harness
        .state_mut()
        .perform(Command::OpenText(text.to_owned()));
    harness.run_steps(2);
    settle(&mut harness);
    harness.state_mut().perform(Command::SeekBy(30.0));
    harness.run_steps(3);
    settle(&mut harness);
    let name = "server web-400 ";
    harness.get_by_label_contains(name).click();
    harness.run_steps(3);
    assert!(
        harness
            .query_by_label_contains("parameter service.web.server.web-400.weight")
            .is_some()
    );
}

#[test]
fn a_file_is_opened_by_its_path_and_a_missing_one_is_said() {
    let mut harness = window(opening("first"));
    harness.state_mut().perform(Command::Panel("gallery"));
    harness.run_steps(2);
    assert!(harness.query_by_label("path of a scenario").is_some());
    harness
        .state_mut()
        .perform(Command::OpenModel("nowhere/mine.toml".to_owned()));
    harness.run_steps(3);
    let message = harness
        .state()
        .state()
        .message
        .clone()
        .expect("a message")
        .0;
    assert!(message.contains("no such file"), "{message}");
    assert!(harness.query_by_label_contains(&message).is_some());
    assert_eq!(
        harness.state().state().name,
        "first",
        "what was open stays open"
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../models/reference/mm1.toml");
    harness
        .state_mut()
        .perform(Command::OpenModel(path.to_owned()));
    harness.run_steps(2);
    settle(&mut harness);
    assert!(harness.state().state().problems.is_none());
    assert_eq!(
        harness
            .state()
            .state()
            .scenario
            .as_ref()
            .expect("read")
            .name(),
        "mm1"
    );
}

/// The experiment that was begun.
pub(crate) fn experiment<'h>(harness: &'h Harness<'_, App>) -> &'h Experiment {
    harness
        .state()
        .state()
        .experiment
        .as_ref()
        .expect("one was begun")
}
