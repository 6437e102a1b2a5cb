//! The time line shown larger: the wheel, the overview, and that what is played stays in sight.

use crate::screen::{perform, window_at};
use eframe::egui::{Event, Modifiers, MouseWheelUnit, Pos2, TouchPhase, pos2, vec2};
use egui_kittest::{Harness, kittest::Queryable as _};
use sim_core::time::Instant;
use sim_gui::App;
use sim_gui::command::Command;

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
