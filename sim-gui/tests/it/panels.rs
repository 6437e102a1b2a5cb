//! Panels beside each other: what one of them shows, the others mean too.

use crate::screen::{opening, perform, settle, window, window_at};
use eframe::egui::vec2;
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sim_gui::command::Command;
use sim_gui::experiment::{Draft, Experiment, Vary};
use sim_gui::panel::{PANELS, text};
use sim_gui::playback::{Edit, danger, server_now, ways_now};
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
        .with_size([820.0, 880.0])
        .with_max_steps(8)
        .build_eframe(move |cc| App::new(&cc.egui_ctx, opening));
    settle(&mut harness);
    // With figures at the right there is little room.
    perform(&mut harness, Command::SeekBy(60.0));
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

/// Two balancer instances before eight servers, which are too few from the fourth minute on.
pub(crate) const TWO: &str = "horizon = \"8m\"\nseed = 1\n[[traffic]]\nto = \"web\"\n\
    rate = [[\"0s\", 100], [\"2m\", 100], [\"4m\", 700]]\n\
    [client]\ntimeout = \"3s\"\nretry = { kind = \"exponential-backoff\", attempts = 2, base = \"200ms\" }\n\
    [service.web]\ndemand = { kind = \"exponential\", mean = \"50ms\" }\n\
    [service.web.balancer]\npolicy = \"power-of-d\"\ninstances = 2\n\
    [[service.web.server]]\nname = \"web\"\ncount = 8\nworkers = 4\nqueue = { limit = 100 }\n";

#[test]
fn the_ways_of_an_instance_add_up_to_its_rate_and_those_to_a_server_to_what_it_gets() {
    let mut harness = window(opening("first"));
    perform(&mut harness, Command::OpenText(TWO.to_owned()));
    perform(&mut harness, Command::SeekBy(360.0));
    let state = harness.state().state();
    let (view, branch) = (state.view().expect("a view"), state.main().expect("a run"));
    let ways = [0, 1].map(|i| ways_now(branch, view, i).expect("counted"));
    for (server, (a, b)) in ways[0].iter().zip(&ways[1]).enumerate() {
        let got = server_now(branch, view, server, "attempts_hz").expect("a rate");
        let sent = a + b;
        assert!((sent - got).abs() < 0.01, "{server}: {sent} of {got}");
    }
    let all: f64 = ways.iter().flatten().sum();
    assert!(all > 600.0, "{all}");
    for (instance, ways) in ways.iter().enumerate() {
        let sends = format!("sends {}/s: web-1 ", ways.iter().sum::<f64>().round());
        let words = format!("balancer web-lb-{}", instance + 1);
        let topology = PANELS.iter().find(|panel| panel.name == "topology");
        let text = (topology.expect("a panel").text)(state);
        let line = text
            .lines()
            .find(|line| line.contains(&words))
            .expect("told");
        assert!(line.contains(&sends), "{line} has {sends}");
    }
}

#[test]
fn no_lane_is_green_while_all_queues_are_full() {
    let mut harness = window(opening("first"));
    perform(&mut harness, Command::OpenText(TWO.to_owned()));
    perform(&mut harness, Command::SeekBy(360.0));
    let told = |harness: &Harness<'_, App>| {
        let timeline = PANELS.iter().find(|panel| panel.name == "timeline");
        (timeline.expect("a panel").text)(harness.state().state())
    };
    let words = told(&harness);
    assert!(words.contains("degraded since"), "{words}");
    assert!(words.contains("web-lb-1: "), "{words}");
    let queues = words.lines().find(|line| line.starts_with("web: queues 9"));
    assert!(queues.is_some(), "{words}");
    assert!(harness.query_by_label("key: empty to full").is_some());
    perform(&mut harness, Command::First);
    perform(&mut harness, Command::SeekBy(60.0));
    let words = told(&harness);
    assert!(words.contains("web: queues 0"), "{words}");
}

#[test]
fn what_happens_in_one_future_alone_has_its_letter() {
    let mut harness = window_at("incident", "12:25");
    let edit = Edit::set("service.web.server.web-1.weight", "3");
    perform(&mut harness, Command::Edit(edit));
    perform(&mut harness, Command::SeekBy(20.0 * 60.0));
    let labelled = |words: &str| harness.query_all_by_label_contains(words).count();
    assert_eq!(labelled("system, future A: web-1 crashes"), 1);
    assert_eq!(labelled("system, future B: site normal"), 1);
    // Before they part, both are one.
    assert_eq!(labelled("system: alert slow fires"), 1);
    // An alert that ends since nobody is answered is no good news.
    assert_eq!(
        labelled("future A: alert slow resolved, though the site is down"),
        1
    );
    let log = PANELS.iter().find(|panel| panel.name == "event_log");
    let text = (log.expect("a panel").text)(harness.state().state());
    assert!(text.contains("  A  system  web-1 crashes"), "{text}");
    // On the strip the crash is what is seen, and what lies under it is told.
    let mark = harness.get_by_label_contains("go to 12:30:03 web-1 crashes; here: ");
    let _ = mark;
}

/// A server and a balancer that die of what they hold, ten seconds after it is too much.
const FRAIL: &str = "horizon = \"5m\"\nseed = 1\n[[traffic]]\nto = \"web\"\nrate = [[\"0s\", 50], [\"1m\", 50], [\"2m\", 400]]\n\
    [service.web]\ndemand = { kind = \"exponential\", mean = \"20ms\" }\n\
    [service.web.balancer]\nmax_connections = 4000\n\
    memory = { base = \"96MiB\", per_connection = \"1MiB\", limit = \"3096MiB\" }\n\
    [[service.web.server]]\nname = \"web-1\"\nworkers = 4\nqueue = { limit = 2000 }\n\
    crash = [{ when = \"queue_len\", above = 500, for = \"10s\" }]\n";

#[test]
fn what_kills_a_machine_is_told_on_it_with_the_time_that_is_left() {
    let mut harness = window(opening("first"));
    perform(&mut harness, Command::OpenText(FRAIL.to_owned()));
    perform(&mut harness, Command::SeekBy(60.0));
    let labelled = |harness: &Harness<'_, App>, words: &str| {
        harness.query_all_by_label_contains(words).count()
    };
    assert!(labelled(&harness, ", dies above 500 for 10s") > 0);
    assert!(labelled(&harness, "memory 9") > 0 && labelled(&harness, ", dies above 3.02 GiB") > 0);
    // From the first moment at which more than 500 wait it has ten seconds.
    let mut left = Vec::new();
    for _ in 0..120 {
        perform(&mut harness, Command::SeekBy(1.0));
        let state = harness.state().state();
        let view = state.view().expect("a view");
        let model = state.model().expect("a model");
        let danger = &danger::of_server(&view.snapshot.servers[0], &model.servers[0])[0];
        if let Some(now) = danger.left(view.at) {
            let words = format!("{} left", danger::countdown(now));
            assert!(labelled(&harness, &words) > 0, "{words}");
            left.push(now.as_secs_f64());
        } else if !left.is_empty() {
            break;
        }
    }
    assert!((9..=11).contains(&left.len()), "{left:?}");
    assert!(
        left.windows(2)
            .all(|pair| (pair[0] - pair[1] - 1.0).abs() < 1e-6),
        "{left:?}"
    );
    // And the story says of what it died.
    let log = PANELS.iter().find(|panel| panel.name == "event_log");
    let text = (log.expect("a panel").text)(harness.state().state());
    assert!(
        text.contains("web-1 crashes  queue len above 500 for 10s"),
        "{text}"
    );
}
