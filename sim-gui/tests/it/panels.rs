//! Panels beside each other: what one of them shows, the others mean too.

use crate::screen::{perform, window_at};
use egui_kittest::Harness;
use sim_gui::App;
use sim_gui::command::Command;
use sim_gui::panel::PANELS;
use sim_gui::playback::Edit;

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
