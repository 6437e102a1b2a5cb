//! Requests that fly: the same moment shows the same, and there are never more marks than can be told apart.

use crate::screen::{opening, perform, settle, window, window_at};
use eframe::egui::{Pos2, Shape};
use egui_kittest::{Harness, kittest::Queryable as _};
use sim_gui::App;
use sim_gui::command::{Command, SPEEDS};

/// The marks that fly, as they are drawn: where each is, and how large.
fn flying(harness: &Harness<'_, App>) -> Vec<(Pos2, f32)> {
    fn walk(shape: &Shape, found: &mut Vec<(Pos2, f32)>) {
        match shape {
            Shape::Vec(shapes) => shapes.iter().for_each(|shape| walk(shape, found)),
            Shape::Circle(circle) if [2.0, 2.4, 2.6].contains(&circle.radius) => {
                found.push((circle.center, circle.radius));
            }
            _ => {}
        }
    }
    let mut found = Vec::new();
    for clipped in &harness.output().shapes {
        walk(&clipped.shape, &mut found);
    }
    found
}

/// Waits until the whole run is simulated.
fn explored(harness: &mut Harness<'_, App>) {
    for _ in 0..200_000 {
        harness.run_steps(1);
        let report = harness.state().state().report.as_ref().expect("a report");
        if report.branches.iter().all(|branch| branch.finished) {
            harness.run_steps(3);
            return;
        }
    }
    panic!("it is never simulated to its end");
}

#[test]
fn whoever_goes_back_sees_the_same_requests_at_the_same_places() {
    let mut harness = window_at("first", "5m");
    explored(&mut harness);
    for speed in [0.01, 1.0, 60.0] {
        perform(&mut harness, Command::Speed(speed));
        let before = flying(&harness);
        assert!(!before.is_empty(), "{speed}");
        perform(&mut harness, Command::SeekBy(73.0));
        if speed > 0.5 {
            assert_ne!(flying(&harness), before, "{speed}");
        }
        perform(&mut harness, Command::SeekBy(-73.0));
        assert_eq!(flying(&harness), before, "{speed}");
    }
    perform(&mut harness, Command::ReducedMotion);
    assert!(flying(&harness).is_empty(), "nothing moves");
}

#[test]
fn of_many_requests_each_mark_stands_for_several() {
    let text = "horizon = \"4m\"\n[[traffic]]\nto = \"web\"\nrate = 5000\n[client]\ntimeout = \"3s\"\n\
        [service.web]\ndemand = { kind = \"exponential\", mean = \"70ms\" }\n[service.web.balancer]\n\
        policy = \"random\"\n[[service.web.server]]\nname = \"web\"\ncount = 100\nworkers = 4\n\
        queue = { limit = 60 }\n";
    let mut harness = window(opening("first"));
    let open = Command::OpenText(text.to_owned());
    harness.state_mut().perform(open);
    harness.run_steps(2);
    settle(&mut harness);
    perform(&mut harness, Command::SeekBy(120.0));
    explored(&mut harness);
    for speed in SPEEDS {
        perform(&mut harness, Command::Speed(speed));
        let marks = flying(&harness).len();
        assert!((20..500).contains(&marks), "{marks} marks at {speed}");
    }
}

#[test]
fn refused_requests_bounce_and_pile_up_before_a_dead_balancer() {
    let mut harness = window_at("incident", "12:25");
    explored(&mut harness);
    let balancer = harness.get_by_label_contains("balancer web-lb-1 ").rect();
    // Below the balancer's left edge nothing lies while it lives.
    let piled = |harness: &Harness<'_, App>| {
        let before = |at: &Pos2| {
            (balancer.left() - 90.0..balancer.left()).contains(&at.x)
                && at.y > balancer.center().y + 6.0
        };
        flying(harness).iter().filter(|(at, _)| before(at)).count()
    };
    assert_eq!(piled(&harness), 0);
    let dead = sim_gui::dialog::moment(harness.state().state(), "12:32").expect("a moment");
    perform(&mut harness, Command::Seek(dead));
    assert!(piled(&harness) > 40, "{}", piled(&harness));
}
