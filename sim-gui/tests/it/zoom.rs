//! The time line shown larger: the wheel, the overview, and that what is played stays in sight.

use crate::screen::{drag, opening, perform, settle, window, window_at};
use eframe::egui::{Event, Key, Modifiers, MouseWheelUnit, Pos2, Rect, TouchPhase, pos2, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};
use sim_core::time::Instant;
use sim_gui::App;
use sim_gui::command::Command;
use sim_gui::panel;
use sim_gui::playback::{Edit, Measured};
use sim_gui::state::Thing;

fn minutes(minutes: u64) -> Instant {
    Instant(minutes * 60_000_000_000)
}

fn wheel(harness: &mut Harness<'static, App>, at: Pos2, delta: eframe::egui::Vec2) {
    harness.hover_at(at);
    harness.run_steps(1);
    harness.event(Event::MouseWheel {
        unit: MouseWheelUnit::Point,
        delta,
        phase: TouchPhase::Move,
        source: eframe::egui::MouseWheelSource::Unknown,
        modifiers: Modifiers::NONE,
    });
    // A turn of the wheel takes its time.
    harness.run_steps(12);
}

fn shown(harness: &Harness<'_, App>) -> (Instant, Instant) {
    let stretch = harness.state().state().stretch();
    (stretch.from, stretch.to)
}

#[test]
fn the_wheel_shows_the_lanes_larger_about_the_pointer_and_goes_along_sideways() {
    let mut harness = window_at("incident", "12:25");
    let lanes = harness.get_by_label_contains("time 12:25 of 15:00").rect();
    // The names stand before them.
    let (left, right) = (lanes.left() + 92.0, lanes.right() - 12.0);
    let at = pos2(left + (right - left) * 0.25, lanes.center().y);
    wheel(&mut harness, at, vec2(0.0, 240.0));
    let (from, to) = shown(&harness);
    let pointed = harness.state().state().hovered.expect("a moment");
    let run = harness.state().state().horizon();
    assert!(from > Instant::ZERO && to < run);
    let about = run.0 as f64 * 0.25;
    assert!((pointed.0 as f64 / about - 1.0).abs() < 0.02, "{pointed:?}");
    let share = (pointed.0 - from.0) as f64 / (to.0 - from.0) as f64;
    assert!(
        (share - 0.25).abs() < 0.01,
        "it stays where it was: {share}"
    );
    wheel(&mut harness, at, vec2(-120.0, 0.0));
    let later = shown(&harness);
    assert!(later.0 > from && later.1 > to);
    assert_eq!(later.1.0 - later.0.0, to.0 - from.0, "as long as before");
    // Back again, and no further than the whole.
    for _ in 0..4 {
        wheel(&mut harness, at, vec2(0.0, -400.0));
    }
    assert_eq!(harness.state().state().zoom, None);
}

#[test]
fn the_overview_says_what_is_shown_and_the_moment_stays_in_sight() {
    let mut harness = window_at("incident", "12:32");
    let crash = "go to 12:30:03 web-1 crashes";
    assert!(harness.query_by_label_contains(crash).is_some());
    perform(
        &mut harness,
        Command::Zoom(Some((minutes(21), minutes(31)))),
    );
    // Of events close together the gravest stands for all; larger, each has its own place.
    assert!(harness.query_by_label_contains("go to 12:40").is_none());
    assert!(harness.query_by_label("shown: 12:31 to 12:41").is_some());
    assert!(
        harness.query_by_label_contains(crash).is_none(),
        "it was before"
    );
    // What is gone to is brought in sight.
    perform(&mut harness, Command::SeekBy(30.0 * 60.0));
    let (from, to) = shown(&harness);
    let now = harness.state().state().now();
    assert!(from < now && now < to, "{from:?} {now:?} {to:?}");
    assert_eq!(to.0 - from.0, minutes(10).0);
    harness.get_by_label("whole run").click();
    harness.run_steps(2);
    assert_eq!(harness.state().state().zoom, None);
    assert!(harness.query_by_label_contains("shown: ").is_none());
}

/// Where the lanes are, without their names.
fn lanes(harness: &Harness<'_, App>) -> Rect {
    let all = harness.get_by_label_contains("time 12:").rect();
    Rect::from_x_y_ranges(all.left() + 92.0..=all.right() - 12.0, all.y_range())
}

#[test]
fn keys_move_the_lanes_under_the_pointer_and_mean_something_else_elsewhere() {
    let mut harness = window_at("incident", "12:25");
    let place = lanes(&harness);
    let whole = shown(&harness);
    harness.hover_at(pos2(place.left() + place.width() * 0.25, place.center().y));
    harness.run_steps(2);
    let press = |harness: &mut Harness<'_, App>, key: Key| {
        harness.key_press(key);
        harness.run_steps(2);
        shown(harness)
    };
    let split = harness.state().state().settings.split;
    let larger = press(&mut harness, Key::W);
    let len = |(from, to): (Instant, Instant)| to.0 - from.0;
    assert!(len(larger) < len(whole) * 3 / 4, "{larger:?}");
    let about = harness.state().state().hovered.expect("a moment");
    let share = (about.0 - larger.0.0) as f64 / len(larger) as f64;
    assert!((share - 0.25).abs() < 0.01, "about the pointer: {share}");
    let later = press(&mut harness, Key::D);
    assert!(later.0 > larger.0 && len(later) == len(larger));
    let back = press(&mut harness, Key::A);
    let near = |a: Instant, b: Instant| a.0.abs_diff(b.0) < 1000;
    assert!(near(back.0, larger.0) && near(back.1, larger.1), "{back:?}");
    press(&mut harness, Key::S);
    press(&mut harness, Key::S);
    assert_eq!(shown(&harness), whole);
    let state = harness.state().state();
    assert!(state.settings.split == split && state.doctor.is_none());
    // Away from them S splits the picture.
    harness.hover_at(pos2(640.0, 300.0));
    harness.run_steps(2);
    press(&mut harness, Key::S);
    assert_eq!(shown(&harness), whole);
    assert_ne!(harness.state().state().settings.split, split);
}

/// What was measured, and a figure of it.
fn measured<'a>(harness: &'a Harness<'_, App>) -> &'a [Measured] {
    let report = harness.state().state().report.as_ref();
    &report.expect("a report").measured
}

fn figure(one: &Measured, label: &str) -> Option<f64> {
    let figure = one.figures.iter().find(|figure| figure.label == label);
    figure.expect("a figure").value
}

#[test]
fn a_stretch_marked_with_ctrl_tells_what_happened_in_it_in_both_futures() {
    let mut harness = window_at("incident", "12:25");
    let edit = Edit::set("service.web.server.web-1.weight", "3");
    perform(&mut harness, Command::Edit(edit));
    let place = lanes(&harness);
    let at = |minute: f32| {
        pos2(
            place.left() + place.width() * minute / 170.0,
            place.center().y,
        )
    };
    harness.event(Event::ModifiersChanged(Modifiers::COMMAND));
    drag(&mut harness, at(16.0), at(36.0));
    harness.event(Event::ModifiersChanged(Modifiers::NONE));
    settle(&mut harness);
    let (from, to) = harness.state().state().marked.expect("a stretch");
    assert!(
        from > minutes(15) && to < minutes(37) && to > minutes(35),
        "{from:?} {to:?}"
    );
    assert_eq!(harness.state().state().zoom, None);
    perform(
        &mut harness,
        Command::Mark(Some((minutes(16), minutes(36)))),
    );
    let explored = |harness: &Harness<'_, App>| {
        let report = harness.state().state().report.as_ref().expect("a report");
        report
            .branches
            .iter()
            .all(|branch| branch.explored > minutes(36))
    };
    while !explored(&harness) {
        harness.run_steps(1);
    }
    harness.run_steps(4);
    let [a, b] = measured(&harness) else {
        panic!("two futures: {:?}", measured(&harness));
    };
    assert_eq!((a.from, a.to), (minutes(16), minutes(36)));
    let of = |one, label| figure(one, label).unwrap_or(f64::NAN);
    assert!(of(a, "failed") > 100.0 * of(b, "failed").max(1.0));
    assert!(of(b, "succeeded") > 2.0 * of(a, "succeeded"));
    assert!(of(a, "response time p99") > of(b, "response time p99"));
    assert!(of(a, "waiting at servers, most") > of(b, "waiting at servers, most"));
    for words in [
        "12:26 to 12:46 (20m)",
        "requests that came",
        "waiting at servers, most",
    ] {
        assert!(harness.query_by_label(words).is_some(), "{words}");
    }
    let timeline = panel::find("timeline").expect("a panel");
    let words = (timeline.text)(harness.state().state());
    assert!(
        words.contains("B: 12:26 to 12:46: requests that came"),
        "{words}"
    );
    // F shows it from edge to edge, and then the whole run; Esc marks nothing.
    perform(&mut harness, Command::Fit);
    assert_eq!(shown(&harness), (minutes(16), minutes(36)));
    perform(&mut harness, Command::Fit);
    assert_eq!(harness.state().state().zoom, None);
    perform(&mut harness, Command::Escape);
    assert_eq!(harness.state().state().marked, None);
}

#[test]
fn a_stretch_of_the_whole_run_has_the_figures_of_the_summary_and_none_of_the_future() {
    let mut harness = window(opening("first"));
    let horizon = harness.state().state().horizon();
    perform(&mut harness, Command::Mark(Some((Instant::ZERO, horizon))));
    assert!(measured(&harness).is_empty(), "nothing has happened");
    perform(&mut harness, Command::SeekBy(100.0));
    harness.run_steps(2);
    let [so_far] = measured(&harness) else {
        panic!("one future");
    };
    assert!(
        so_far.to <= harness.state().state().now(),
        "{:?}",
        so_far.to
    );
    perform(&mut harness, Command::Reveal);
    let outcome = loop {
        harness.run_steps(1);
        let branch = harness.state().state().main().expect("a branch");
        if let Some(outcome) = branch.outcome.clone() {
            break outcome;
        }
    };
    harness.run_steps(4);
    let [all] = measured(&harness) else {
        panic!("one future");
    };
    let came = figure(all, "requests that came");
    assert_eq!(came, Some(outcome.requests.arrived as f64));
    assert_eq!(
        figure(all, "succeeded"),
        Some(outcome.requests.succeeded as f64)
    );
    assert_eq!(figure(all, "failed"), Some(outcome.requests.failed as f64));
}

#[test]
fn a_pinned_lane_stands_on_top_in_every_future() {
    let mut harness = window_at("incident", "12:25");
    let top = |harness: &Harness<'_, App>, name: &str| {
        let label = format!("pin the lane of {name}");
        let lanes = harness.query_all_by_label(&label);
        lanes.map(|lane| lane.rect().top()).fold(f32::MAX, f32::min)
    };
    assert!(top(&harness, "site") < top(&harness, "web/web-2"));
    harness.get_by_label("pin the lane of web/web-2").click();
    harness.run_steps(3);
    assert_eq!(harness.state().state().pinned, ["server web/web-2"]);
    let pinned = harness.get_by_label("unpin the lane of web/web-2").rect();
    assert!(pinned.top() < top(&harness, "site"));
    perform(
        &mut harness,
        Command::Edit(Edit::set("service.web.server.web-1.weight", "3")),
    );
    let both = harness
        .query_all_by_label("unpin the lane of web/web-2")
        .count();
    assert_eq!(both, 2, "a lane for each future");
    perform(&mut harness, Command::Select(Some(Thing::Instance(0))));
    perform(&mut harness, Command::PinSelected);
    assert_eq!(harness.state().state().pinned.len(), 2);
    perform(&mut harness, Command::PinSelected);
    assert_eq!(harness.state().state().pinned, ["server web/web-2"]);
    // Among many servers, which share lanes, a pinned one has its own.
    perform(&mut harness, Command::OpenModel("cascade".to_owned()));
    let state = harness.state().state();
    assert!(state.problems.is_none(), "what is not there has no lane");
}
