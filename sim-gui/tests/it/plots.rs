//! Plots: one crosshair with every value of both futures, a stretch to look at closely, and the difference filled.

use crate::screen::{drag, perform, window_at};
use eframe::egui::{Event, Modifiers, Shape, pos2};
use egui_kittest::{Harness, kittest::Queryable as _};
use sim_core::time::Instant;
use sim_gui::App;
use sim_gui::command::Command;
use sim_gui::playback::Edit;

/// Two futures at 12:45, with all that is known of both.
fn two() -> Harness<'static, App> {
    let mut harness = window_at("incident", "12:25");
    let edit = Edit::set("service.web.server.web-1.weight", "3");
    perform(&mut harness, Command::Edit(edit));
    perform(&mut harness, Command::SeekBy(20.0 * 60.0));
    harness
}

fn minutes(minutes: u64) -> Instant {
    Instant(minutes * 60_000_000_000)
}

#[test]
fn the_crosshair_tells_every_value_of_both_futures_in_a_table() {
    let mut harness = two();
    let plot = harness.get_by_label("plot: Response time").rect();
    // A tenth of the width is 17 minutes of the run, which begins at 12:10.
    let body = plot.left() + 44.0..plot.right() - 4.0;
    let x = body.start + (body.end - body.start) * 0.15;
    harness.hover_at(pos2(x, plot.center().y));
    harness.run_steps(6);
    let state = harness.state().state();
    let at = state.hovered.expect("a moment under the pointer");
    assert!((minutes(24)..minutes(27)).contains(&at), "{at:?}");
    for words in ["min", "p99", "B p99", "B p50"] {
        assert!(harness.query_by_label(words).is_some(), "{words}");
    }
    let words = state.label_to_second(at);
    assert!(harness.query_all_by_label(&words).count() >= 1, "{words}");
    harness.remove_cursor();
    harness.run_steps(4);
    assert!(harness.query_by_label("B p99").is_none());
}

#[test]
fn a_stretch_that_is_marked_with_shift_is_shown_larger_and_a_double_click_ends_it() {
    let mut harness = two();
    let before = harness.state().state().now();
    let plot = harness.get_by_label("plot: Response time").rect();
    let at = |share: f32| {
        let (left, right) = (plot.left() + 44.0, plot.right() - 4.0);
        pos2(left + (right - left) * share, plot.center().y)
    };
    harness.event(Event::ModifiersChanged(Modifiers::SHIFT));
    drag(&mut harness, at(0.1), at(0.2));
    harness.event(Event::ModifiersChanged(Modifiers::NONE));
    harness.run_steps(2);
    let state = harness.state().state();
    let (from, to) = state.zoom.expect("a stretch");
    let whole = state.horizon().0 as f64;
    let share = |at: Instant| at.0 as f64 / whole;
    assert!((share(from) - 0.1).abs() < 0.01, "{from:?}");
    assert!((share(to) - 0.2).abs() < 0.01, "{to:?}");
    assert_eq!(state.now(), before, "it does not go there");
    // The same place is now another moment, and a button shows all again.
    harness.hover_at(at(0.5));
    harness.run_steps(3);
    let hovered = harness.state().state().hovered.expect("a moment");
    assert!((share(hovered) - 0.15).abs() < 0.01);
    harness.get_by_label("Whole run").click();
    harness.run_steps(2);
    assert_eq!(harness.state().state().zoom, None);
    // A stretch of no length is none.
    perform(&mut harness, Command::Zoom(Some((from, from))));
    assert_eq!(harness.state().state().zoom, None);
}

#[test]
fn what_lies_between_two_futures_is_filled() {
    let meshes = |harness: &Harness<'_, App>| {
        let shapes = harness.output().shapes.iter();
        let long = |shape: &&Shape| matches!(shape, Shape::Mesh(mesh) if mesh.vertices.len() > 40);
        shapes.map(|clipped| &clipped.shape).filter(long).count()
    };
    let one = window_at("incident", "12:45");
    let without = meshes(&one);
    let harness = two();
    assert!(meshes(&harness) > without, "{without}");
}
