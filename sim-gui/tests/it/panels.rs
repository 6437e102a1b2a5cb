//! Panels beside each other: what one of them shows, the others mean too.

use crate::screen::{opening, perform, settle, window, window_at};
use eframe::egui::vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sim_gui::command::Command;
use sim_gui::experiment::{Draft, Experiment, Vary};
use sim_gui::panel::{PANELS, text};
use sim_gui::playback::Edit;
use sim_gui::state::Thing;
use sim_gui::{App, MODELS};

/// Two services, of which the first can get more servers.
fn two_services() -> Harness<'static, App> {
    let model = MODELS.find("first").expect("a model").text;
    let text = model
        + "\n[[service.web.call]]\nto = \"db\"\nat = \"after\"\n\
           [service.db]\ndemand = \"1ms\"\n\
           [[service.db.server]]\nname = \"db-1\"\nworkers = 8\n";
    let mut harness = window(opening("first"));
    perform(&mut harness, Command::OpenText(text));
    assert!(harness.state().state().problems.is_none());
    perform(&mut harness, Command::SeekBy(60.0));
    harness
}

/// The name of the server that is selected.
fn selected(harness: &Harness<'_, App>) -> Option<String> {
    let state = harness.state().state();
    let Some(Thing::Server(place)) = state.selected else {
        return None;
    };
    Some(state.main()?.model.servers.get(place)?.name.clone())
}

fn select(harness: &mut Harness<'static, App>, name: &str) {
    let model = harness.state().state().model().expect("a model").clone();
    let place = model.servers.iter().position(|s| s.name == name);
    let thing = Thing::Server(place.expect("a server"));
    perform(harness, Command::Select(Some(thing)));
    assert_eq!(selected(harness).as_deref(), Some(name));
}

#[test]
fn what_is_selected_stays_selected_when_another_future_is_the_main_one() {
    let mut harness = two_services();
    select(&mut harness, "db-1");
    let edit = Edit::add("service.web.server.web-3", "web-1");
    perform(&mut harness, Command::Edit(edit));
    for command in [Command::Swap, Command::Swap, Command::Show(1, None)] {
        perform(&mut harness, command.clone());
        assert_eq!(selected(&harness).as_deref(), Some("db-1"), "{command:?}");
    }
    perform(&mut harness, Command::Panel("inspector"));
    let name = "parameter service.db.server.db-1.weight";
    assert!(harness.query_by_label_contains(name).is_some());
    perform(&mut harness, Command::Close(1));
    assert_eq!(selected(&harness).as_deref(), Some("db-1"), "closed");
}

#[test]
fn a_server_that_the_main_future_does_not_have_is_not_selected_any_more() {
    let mut harness = two_services();
    let edit = Edit::add("service.web.server.web-3", "web-1");
    perform(&mut harness, Command::Edit(edit));
    perform(&mut harness, Command::Swap);
    select(&mut harness, "web-3");
    perform(&mut harness, Command::Swap);
    assert_eq!(harness.state().state().selected, None);
}

/// The lines of a plot in words: label and letter of the future, without values.
fn lines(harness: &Harness<'_, App>, plot: &str) -> Vec<String> {
    let plots = PANELS.iter().find(|panel| panel.name == "plots");
    let words = (plots.expect("a panel").text)(harness.state().state());
    let line = words.lines().find_map(|line| line.strip_prefix(plot));
    let line = line.expect("a plot").trim_start_matches(": ").to_owned();
    let line = line.replace("rest, highest", "rest").replace(" %", "%");
    let label = |words: &str| {
        words
            .rsplit_once(' ')
            .map_or("", |(label, _)| label)
            .to_owned()
    };
    line.split(", ").map(label).collect()
}

#[test]
fn a_line_of_a_plot_and_its_other_future_are_of_one_server() {
    let mut harness = window_at("first", "3m");
    let edit = Edit::act("drain", "service.web.server.web-1");
    perform(&mut harness, Command::Edit(edit));
    perform(&mut harness, Command::SeekBy(900.0));
    // Without web-1 the other one gets most: it is another server that stands out there.
    for plot in [
        "Requests/s to servers",
        "Waiting at servers",
        "Busy workers",
    ] {
        let lines = lines(&harness, plot);
        let [first, second, others @ ..] = lines.as_slice() else {
            panic!("{lines:?}");
        };
        assert_ne!(first, second);
        assert_eq!(
            others,
            [format!("B {first}"), format!("B {second}")],
            "{plot}"
        );
    }
}

#[test]
fn a_future_with_a_further_server_has_the_same_lines() {
    let mut harness = window_at("first", "3m");
    let edit = Edit::add("service.web.server.web-3", "web-1");
    perform(&mut harness, Command::Edit(edit));
    perform(&mut harness, Command::SeekBy(600.0));
    let before = lines(&harness, "Waiting at servers");
    assert_eq!(
        before[1..],
        ["rest", &format!("B {}", before[0]), "B rest"].map(str::to_owned)
    );
    perform(&mut harness, Command::Swap);
    let after = lines(&harness, "Waiting at servers");
    assert_eq!(after[1], "rest");
    assert_eq!(after[2..], [format!("A {}", after[0]), "A rest".to_owned()]);
}

#[test]
fn the_text_view_has_the_warnings_of_the_panel() {
    let text_of = MODELS.find("first").expect("a model").text;
    let mut harness = window(opening("first"));
    let limited = format!("{text_of}\n[limits]\nevents = 20000\n");
    perform(&mut harness, Command::OpenText(limited));
    perform(&mut harness, Command::Last);
    let view = harness.state().state().view().expect("a view");
    let warnings: Vec<String> = view
        .summary
        .warnings
        .iter()
        .map(|w| w.message.clone())
        .collect();
    assert!(!warnings.is_empty(), "a run that its limit cut short");
    perform(&mut harness, Command::Panel("problems"));
    let all = text::everything(harness.state().state());
    for warning in warnings {
        assert!(
            harness.query_by_label(&warning).is_some(),
            "drawn: {warning}"
        );
        assert!(all.contains(&warning), "written: {warning}");
    }
}

#[test]
fn a_path_cut_short_beside_a_heat_map_is_said_in_full_under_the_pointer() {
    let opening = opening("first");
    let mut harness = Harness::builder()
        .with_size([820.0, 800.0])
        .with_max_steps(8)
        .build_eframe(move |cc| App::new(&cc.egui_ctx, opening));
    settle(&mut harness);
    perform(&mut harness, Command::Panel("experiments"));
    let state = harness.state().state();
    let model = state.model().expect("a model").clone();
    let mut map = Draft::load(&model, state.scenario.as_ref().expect("read"));
    let path = "service.web.server.web-1.queue.limit";
    map.vary = vec![
        Vary::list(path, "100, 200"),
        Vary::list("service.web.balancer.policy", "random, round-robin"),
    ];
    map.replications = "2".to_owned();
    perform(&mut harness, Command::Experiment(Box::new(map)));
    let running = |harness: &Harness<'_, App>| {
        let experiment = harness.state().state().experiment.as_ref();
        experiment.is_some_and(Experiment::is_running)
    };
    while running(&harness) {
        harness.run_steps(1);
    }
    harness.run_steps(3);
    assert!(harness.query_by_label(path).is_none());
    let picture = harness.get_by_label_contains("picture: ").rect();
    harness.hover_at(picture.left_top() + vec2(20.0, 8.0));
    harness.run_steps(80);
    assert!(harness.query_by_label(path).is_some(), "its whole path");
}
