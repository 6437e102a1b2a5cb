//! Links, copied commands and saved overlays: each brings back what is on screen.

use crate::screen::{opening, perform, settle, window, window_at};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sim_core::engine::Simulation;
use sim_core::scenario::{NoFiles, Scenario, Source};
use sim_core::summary::Summary;
use sim_core::time::Instant;
use sim_gui::command::Command;
use sim_gui::link;
use sim_gui::playback::Edit;
use sim_gui::settings::Settings;
use sim_gui::{App, MODELS, Opening};
use std::sync::Arc;

/// Two changes, and five minutes later.
fn fork(harness: &mut Harness<'static, App>) {
    let edits = [
        Edit::set("service.web.server.web-1.workers", "3"),
        Edit::act("drain", "service.web.server.web-2"),
    ];
    for edit in edits {
        perform(harness, Command::Edit(edit));
    }
    perform(harness, Command::SeekBy(300.0));
}

/// A text of its own: `first` with other words and one server more.
fn change_text(harness: &mut Harness<'static, App>) {
    let text = harness.state().state().source.text.clone();
    let changed = text.replace("horizon", "# mine: 1 + 1 & \"%\"\nhorizon");
    assert_ne!(text, changed);
    let changed = changed + "\n[[service.web.server]]\nname = \"extra\"\nlike = \"web-1\"\n";
    perform(harness, Command::OpenText(changed));
}

/// The window that a link opens.
fn follow(link: &str) -> Harness<'static, App> {
    let mut harness = window(Opening {
        settings: Settings::default(),
        sliced: true,
        ..link::read(link)
    });
    settle(&mut harness);
    harness
}

fn link_of(harness: &Harness<'static, App>) -> String {
    link::of(harness.state().state()).expect("a link")
}

/// The figures of a text run by itself, as the command would run it.
fn figures(text: &str, until: Instant) -> Summary {
    let source = Source::new("typed.toml", text);
    let scenario = Scenario::read(source, &[], &MODELS).expect("valid");
    let mut simulation = Simulation::new(Arc::new(scenario.model().expect("valid")), 0);
    simulation.run_until(until);
    Summary::of(&simulation, scenario.hash())
}

/// What the copied command reads, if it reads a text.
fn typed(command: &str) -> &str {
    let text = command.strip_prefix("stampede run - <<'EOF'\n");
    let text = text.and_then(|text| text.strip_suffix("\nEOF\n"));
    text.unwrap_or_else(|| panic!("{command}"))
}

#[test]
fn a_link_brings_back_changes_and_moment() {
    let mut harness = window_at("first", "3m");
    fork(&mut harness);
    let link = link_of(&harness);
    assert!(!link.contains("text="), "a model is known by name: {link}");
    let there = harness.state().state().beside().expect("B").summary.clone();
    let harness = follow(&link);
    let state = harness.state().state();
    assert_eq!(state.now(), Instant(480_000_000_000), "{link}");
    assert_eq!(state.beside().expect("B comes back").summary, there);
}

#[test]
fn a_link_brings_back_a_changed_text_with_another_seed_and_changes() {
    let mut harness = window_at("first", "3m");
    change_text(&mut harness);
    perform(&mut harness, Command::Seed(Some(7)));
    perform(&mut harness, Command::Seek(Instant(180_000_000_000)));
    fork(&mut harness);
    let state = harness.state().state();
    let text = state.source.text.clone();
    let views = [state.view(), state.beside()].map(|view| view.expect("both").summary.clone());
    assert_eq!(views[0].seed, 7);
    let harness = follow(&link_of(&harness));
    let state = harness.state().state();
    assert_eq!(state.source.text, text, "word for word");
    assert_eq!(state.seed, Some(7));
    assert_eq!(state.now(), Instant(480_000_000_000));
    let again = [state.view(), state.beside()].map(|view| view.expect("both").summary.clone());
    assert_eq!(again, views);
}

#[test]
fn a_link_to_a_file_needs_no_file() {
    let folder = std::env::temp_dir().join(format!("stampede-link-{}", std::process::id()));
    std::fs::create_dir_all(&folder).expect("a folder");
    let base = MODELS.find("first").expect("a model").text;
    let path = folder.join("mine.toml");
    std::fs::write(folder.join("below.toml"), base).expect("written");
    std::fs::write(&path, "base = \"below.toml\"\n[set]\nseed = 5\n").expect("written");
    let path = path.to_string_lossy().into_owned();
    let mut harness = window(opening(&path));
    settle(&mut harness);
    perform(&mut harness, Command::SeekBy(60.0));
    let link = link_of(&harness);
    let there = harness.state().state().view().expect("A").summary.clone();
    std::fs::remove_dir_all(&folder).expect("removed");
    assert!(!link.contains("stampede-link-"), "no folders: {link}");
    let again = follow(&link);
    let view = again.state().state().view().expect("it runs");
    assert_eq!(view.summary.requests, there.requests);
    assert_eq!(view.summary.seed, 5);
}

#[test]
fn a_text_too_long_for_a_link_is_refused_with_the_way_out() {
    let mut harness = window_at("first", "3m");
    let long = format!(
        "# {}\n{}",
        "long ".repeat(120_000),
        MODELS.find("first").expect("a model").text
    );
    perform(&mut harness, Command::OpenText(long));
    let why = link::of(harness.state().state()).expect_err("too long");
    assert!(why.contains("save it as a file"), "{why}");
}

#[test]
fn another_seed_runs_the_same_changes_up_to_the_same_moment() {
    let mut harness = window_at("first", "3m");
    fork(&mut harness);
    let before = harness.state().state().beside().expect("B").summary.clone();
    perform(&mut harness, Command::NextSeed);
    let state = harness.state().state();
    let (seed, after) = (before.seed + 1, &state.beside().expect("B").summary);
    assert_eq!((state.seed, after.seed), (Some(seed), seed));
    assert_eq!(state.now(), Instant(480_000_000_000));
    assert_ne!(after.requests, before.requests, "other random numbers");
    let overlay = harness.state().overlay().expect("an overlay");
    assert!(overlay.contains(&format!("seed = {seed}\n")), "{overlay}");
    assert_eq!(figures(&overlay, state.now()).requests, after.requests);
    perform(&mut harness, Command::Seed(None));
    let state = harness.state().state();
    assert_eq!(state.seed, None);
    assert_eq!(state.beside().expect("B").summary, before, "as it was");
}

#[test]
fn a_seed_is_chosen_by_typing_it_or_in_the_banner() {
    let mut harness = window_at("first", "3m");
    let lines = sim_gui::dialog::matches(harness.state().state(), "seed = 12");
    assert_eq!(lines[0].command, Command::Seed(Some(12)));
    let own = harness.state().state().view().expect("A").summary.seed;
    harness.get_by_label(&format!("seed {own}")).click();
    harness.run_steps(3);
    harness.get_by_label("Next seed").click();
    harness.run_steps(3);
    settle(&mut harness);
    let now = harness.state().state().view().expect("A").summary.seed;
    assert_eq!(now, own + 1);
    assert_eq!(
        harness.state().command_line(),
        format!("stampede run first --seed {now}")
    );
}

#[test]
fn a_seed_written_into_the_text_counts_and_any_other_edit_keeps_the_chosen_one() {
    let mut harness = window_at("first", "3m");
    perform(&mut harness, Command::Seed(Some(7)));
    change_text(&mut harness);
    assert_eq!(harness.state().state().seed, Some(7));
    let text = format!("seed = 9\n{}", harness.state().state().source.text);
    perform(&mut harness, Command::OpenText(text));
    let state = harness.state().state();
    assert_eq!(state.seed, None);
    assert_eq!(state.view().expect("it runs").summary.seed, 9);
}

#[test]
fn the_copied_command_of_a_changed_text_runs_what_is_shown() {
    let mut harness = window_at("first", "3m");
    change_text(&mut harness);
    perform(&mut harness, Command::Seed(Some(7)));
    perform(&mut harness, Command::Seek(Instant(240_000_000_000)));
    let command = harness.state().command_line();
    let shown = harness.state().state().view().expect("A").summary.clone();
    let found = figures(typed(&command), Instant(240_000_000_000));
    assert_eq!((found.seed, &found.requests), (7, &shown.requests));
    fork(&mut harness);
    let command = harness.state().command_line();
    let shown = harness.state().state().beside().expect("B").summary.clone();
    let found = figures(typed(&command), Instant(540_000_000_000));
    assert_eq!(found.requests, shown.requests);
    assert_eq!(found.response_time_s, shown.response_time_s);
    // The saved fork of a text that nobody else has refers to nothing.
    let overlay = harness.state().overlay().expect("a fork");
    Scenario::read(Source::new("alone.toml", overlay), &[], &NoFiles).expect("it needs no file");
}

#[test]
fn a_swap_loses_no_change() {
    let mut harness = window_at("first", "3m");
    fork(&mut harness);
    let (link, command) = (link_of(&harness), harness.state().command_line());
    assert!(link.contains("&do="), "{link}");
    perform(&mut harness, Command::Swap);
    assert_eq!(link_of(&harness), link);
    assert_eq!(harness.state().command_line(), command);
    let seed = harness.state().state().view().expect("B").summary.seed;
    perform(&mut harness, Command::NextSeed);
    let after = &harness.state().state().beside().expect("B").summary;
    assert_eq!(after.seed, seed + 1, "the fork is run again");
}

#[test]
fn seeds_can_be_changed_faster_than_they_are_run() {
    let mut harness = window_at("first", "3m");
    fork(&mut harness);
    let (edits, seed) = {
        let state = harness.state().state();
        let beside = state.beside().expect("B");
        let branch = state.branch(beside.branch).expect("known");
        (branch.edits.clone(), beside.summary.seed)
    };
    for _ in 0..3 {
        harness.state_mut().perform(Command::NextSeed);
    }
    let link = link_of(&harness);
    assert!(link.contains("&do=") && link.contains("&t=8m"), "{link}");
    settle(&mut harness);
    let state = harness.state().state();
    assert_eq!(state.seed, Some(seed + 3));
    assert_eq!(state.now(), Instant(480_000_000_000));
    let beside = state.beside().expect("B is there again");
    assert_eq!(beside.summary.seed, seed + 3);
    assert_eq!(state.branch(beside.branch).expect("known").edits, edits);
}

#[test]
fn a_typing_error_does_not_lose_the_seed() {
    let mut harness = window_at("first", "3m");
    perform(&mut harness, Command::Seed(Some(7)));
    let text = harness.state().state().source.text.clone();
    perform(&mut harness, Command::OpenText("horizon = [".to_owned()));
    assert!(harness.state().state().problems.is_some());
    perform(&mut harness, Command::OpenText(text));
    let state = harness.state().state();
    assert_eq!(state.view().expect("it runs").summary.seed, 7);
}

#[test]
fn another_seed_keeps_what_is_being_typed_and_the_speed() {
    let mut harness = window_at("first", "3m");
    perform(&mut harness, Command::Speed(300.0));
    perform(&mut harness, Command::Panel("scenario"));
    harness.get_by_label("text of the scenario").focus();
    harness.run_steps(2);
    harness
        .get_by_label("text of the scenario")
        .type_text("# mine ");
    harness.run_steps(3);
    assert!(
        harness
            .query_by_label_contains("changed, not run yet")
            .is_some()
    );
    perform(&mut harness, Command::NextSeed);
    assert!(
        harness
            .query_by_label_contains("changed, not run yet")
            .is_some()
    );
    let report = harness.state().state().report.as_ref().expect("it runs");
    assert!((report.transport.speed - 300.0).abs() < 1e-9);
}

#[test]
fn changes_are_not_lost_without_a_word() {
    let mut harness = window_at("first", "3m");
    change_text(&mut harness);
    perform(&mut harness, Command::OpenModel("mm1".to_owned()));
    let state = harness.state().state();
    assert_eq!(state.name, "first", "what was changed stays open");
    let words = &state.message.as_ref().expect("a message").0;
    assert!(words.contains("not saved"), "{words}");
    perform(&mut harness, Command::OpenModel("mm1".to_owned()));
    assert_eq!(harness.state().state().name, "mm1", "asked for again");
}

#[test]
fn a_scenario_is_saved_into_its_file_and_files_are_found_as_the_command_finds_them() {
    let folder = std::env::temp_dir().join(format!("stampede-files-{}", std::process::id()));
    std::fs::create_dir_all(folder.join("deep")).expect("a folder");
    let model = MODELS.find("first").expect("a model").text;
    // Called as a model is, and not that: half as long.
    let own = model.replace("\"30m\"", "\"25m\"");
    assert_ne!(own, model);
    std::fs::write(folder.join("deep/first.toml"), own).expect("written");
    let between = "base = \"first.toml\"\n[set]\nseed = 5\n";
    std::fs::write(folder.join("deep/between.toml"), between).expect("written");
    let top = folder.join("top.toml");
    std::fs::write(&top, "base = \"deep/between.toml\"\n").expect("written");
    let path = top.to_string_lossy().into_owned();
    let mut harness = window(opening(&path));
    settle(&mut harness);
    let state = harness.state().state();
    let view = state
        .view()
        .unwrap_or_else(|| panic!("{:?}", state.problems));
    assert_eq!(view.summary.seed, 5, "a base of a base, beside it");
    assert_eq!(
        state.horizon(),
        Instant(1_500_000_000_000),
        "the file, not the model"
    );
    let changed = "base = \"deep/between.toml\"\ntitle = \"mine\"\n";
    perform(&mut harness, Command::OpenText(changed.to_owned()));
    assert!(harness.state().state().unsaved);
    perform(&mut harness, Command::SaveScenario);
    assert!(!harness.state().state().unsaved);
    assert_eq!(std::fs::read_to_string(&top).expect("there"), changed);
    std::fs::remove_dir_all(&folder).expect("removed");
}

#[test]
fn the_text_of_a_link_is_in_no_file_whatever_it_is_called() {
    let text = "horizon%20=%20%221m%22";
    for name in [
        "../there.toml",
        "/etc/there.toml",
        "./there.toml",
        "C:\\there.toml",
    ] {
        let harness = Harness::builder().build_eframe({
            let opening = Opening {
                sliced: true,
                ..link::read(&format!("#model={name}&text={text}"))
            };
            move |cc| App::new(&cc.egui_ctx, opening)
        });
        assert_eq!(harness.state().state().source.name, "there.toml");
    }
}

#[test]
fn the_palette_puts_what_begins_as_typed_first() {
    let harness = window_at("first", "3m");
    let first = |typed: &str| {
        let lines = sim_gui::dialog::matches(harness.state().state(), typed);
        lines.first().map(|line| line.command.clone())
    };
    assert_eq!(first("scenario"), Some(Command::Panel("scenario")));
    assert_eq!(first("panel: plots"), Some(Command::Panel("plots")));
    assert_eq!(first("mm1"), Some(Command::OpenModel("mm1".to_owned())));
    assert!(matches!(first("plot: resp"), Some(Command::Plot(_))));
}

#[test]
fn what_a_link_says_wrongly_is_told() {
    for (link, part) in [
        ("#model=first&seed=7x", "7x"),
        ("#model=first&t=99h", "99h"),
        ("#model=first&do=1m@nonsense", "nonsense"),
        ("#model=nosuch", "nosuch"),
    ] {
        let mut harness = Harness::builder()
            .with_size([1280.0, 800.0])
            .with_max_steps(8)
            .build_eframe({
                let opening = Opening {
                    sliced: true,
                    ..link::read(link)
                };
                move |cc| App::new(&cc.egui_ctx, opening)
            });
        harness.run_steps(6);
        let state = harness.state().state();
        let message = state.message.as_ref().map(|(words, _)| words.clone());
        assert!(
            message.as_ref().is_some_and(|m| m.contains(part)),
            "{link}: {message:?}"
        );
    }
}
