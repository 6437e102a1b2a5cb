//! The director: slow about events, fast in quiet times, and a caption that says why.

use crate::screen::{opening, perform, settle, window, window_at};
use egui_kittest::{Harness, kittest::Queryable as _};
use sim_gui::command::Command;
use sim_gui::{App, Opening};

fn go(harness: &mut Harness<'static, App>, at: &str) {
    let at = sim_gui::dialog::moment(harness.state().state(), at).expect("a moment");
    perform(harness, Command::Seek(at));
}

/// Waits until the whole run is simulated.
fn explored(harness: &mut Harness<'_, App>) {
    let finished = |harness: &Harness<'_, App>| {
        let report = harness.state().state().report.as_ref().expect("a report");
        report.branches.iter().all(|branch| branch.finished)
    };
    while !finished(harness) {
        harness.run_steps(1);
    }
}

/// The speed at which the director plays a moment.
fn speed_at(harness: &mut Harness<'static, App>, at: &str) -> f64 {
    go(harness, at);
    harness.state_mut().perform(Command::PlayPause);
    harness.run_steps(4);
    harness.state_mut().perform(Command::PlayPause);
    harness.run_steps(2);
    settle(harness);
    let report = harness.state().state().report.as_ref().expect("a report");
    report.transport.speed
}

#[test]
fn it_is_slow_about_events_and_fast_in_quiet_times() {
    let mut harness = window_at("incident", "12:11");
    explored(&mut harness);
    perform(&mut harness, Command::Director);
    let quiet = speed_at(&mut harness, "12:52");
    assert!(quiet > 200.0, "{quiet}");
    let crash = speed_at(&mut harness, "12:30:03");
    assert!(crash < 12.0, "{crash}");
    let near = speed_at(&mut harness, "12:31:20");
    assert!(crash < near && near < quiet, "{crash} {near} {quiet}");
    // Whoever chooses a speed has it.
    perform(&mut harness, Command::Speed(10.0));
    assert!(!harness.state().state().director);
    assert!((speed_at(&mut harness, "12:52") - 10.0).abs() < 1e-9);
}

#[test]
fn a_caption_says_what_is_about_to_kill_a_machine_and_what_has() {
    let mut harness = window_at("incident", "12:29:58");
    perform(&mut harness, Command::Director);
    perform(&mut harness, Command::Director);
    let caption = "web-1: memory ";
    assert!(harness.query_by_label_contains(caption).is_none());
    perform(&mut harness, Command::Director);
    assert!(harness.query_by_label_contains(caption).is_some());
    go(&mut harness, "12:30:08");
    assert!(harness.query_by_label_contains(caption).is_none());
    let caption = "web-lb-1 crashes: out of memory: 512";
    assert!(harness.query_by_label_contains(caption).is_some());
    go(&mut harness, "12:12");
    assert!(harness.query_by_label_contains(caption).is_none());
}

#[test]
fn whoever_watches_the_day_follows_its_story() {
    let mut harness = window(Opening {
        scenario: None,
        ..opening("incident")
    });
    assert!(!harness.state().state().director);
    harness.get_by_label("Watch the day").click();
    harness.run_steps(3);
    assert!(harness.state().state().director);
    perform(&mut harness, Command::TakeLesson);
    assert!(!harness.state().state().director);
}
