//! Requests that fly: the same moment shows the same, and there are never more marks than can be told apart.

use crate::screen::{opening, perform, settle, window, window_at};
use eframe::egui::{Pos2, Shape};
use egui_kittest::{Harness, kittest::Queryable as _};
use sim_core::event_log::Kind;
use sim_core::time::Instant;
use sim_gui::App;
use sim_gui::command::{Command, SPEEDS};
use sim_gui::playback::{Column, source_now};

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

/// Three sources, of which two ask the same service; a crawler whose circuit breaker opens when it brings too much.
pub(crate) const SOURCES: &str = r#"
title = "A crawler, and jobs at night"
clock = "12:00"
horizon = "10m"

[class.customer]
share = 1
[class.robot]

[[traffic]]
name = "customers"
to = "shop"
rate = 200
class = "customer"
client = { timeout = "2s", retry = { kind = "fixed", attempts = 3, pause = "100ms" } }

[[traffic]]
name = "crawler"
to = "shop"
rate = { kind = "surge", base = 20, peak = 500, at = "2m", hold = "4m" }
class = "robot"
client = { timeout = "300ms", guards = [{ kind = "circuit-breaker", failures = 3, open = "20s" }] }

[[traffic]]
name = "jobs"
to = "ledger"
rate = 60
class = "robot"

[service.shop]
demand = { kind = "exponential", mean = "40ms" }
[[service.shop.server]]
name = "shop"
count = 3
workers = 4
queue = { limit = 40 }

[service.ledger]
demand = { kind = "exponential", mean = "20ms" }
[[service.ledger.server]]
name = "ledger-1"
workers = 3
"#;

fn window_of_sources(at_s: f64) -> Harness<'static, App> {
    let mut harness = window(opening("first"));
    let open = Command::OpenText(SOURCES.to_owned());
    harness.state_mut().perform(open);
    harness.run_steps(2);
    settle(&mut harness);
    let problems = harness.state().state().problems.clone();
    assert!(problems.is_none(), "{problems:?}");
    perform(&mut harness, Command::SeekBy(at_s));
    explored(&mut harness);
    harness
}

#[test]
fn of_several_sources_each_sends_its_own_and_together_they_are_what_comes() {
    let harness = window_of_sources(200.0);
    let state = harness.state().state();
    let branch = state.main().expect("a branch");
    for row in 0..branch.series.len() {
        let of = |column: Option<Column>| branch.series.value(column.expect("a column"), row);
        let each = (0..3).map(|s| of(Column::source(s, "offered_hz")).expect("a rate"));
        let all = of(Column::site("offered_hz")).expect("a rate");
        let sum: f64 = each.sum();
        assert!(
            (sum - all).abs() < 1e-3 * all.max(1.0),
            "{row}: {sum} {all}"
        );
    }
    let view = state.view().expect("a view");
    let of = |source: usize| source_now(branch, view, source, "offered_hz").expect("a rate");
    for (source, planned) in [(0, 200.0), (1, 500.0), (2, 60.0)] {
        assert!(
            (of(source) / planned - 1.0).abs() < 0.5,
            "{source}: {}",
            of(source)
        );
        assert!(!branch.series.source_is_estimated(source));
    }
    // Something flies from each of them.
    for name in ["source customers ", "source crawler ", "source jobs "] {
        let from = harness.get_by_label_contains(name).rect();
        let near = |at: &Pos2| {
            (from.right()..from.right() + 60.0).contains(&at.x)
                && (at.y - from.center().y).abs() < from.height()
        };
        let flying = flying(&harness);
        assert!(flying.iter().any(|(at, _)| near(at)), "nothing from {name}");
    }
}

#[test]
fn a_circuit_breaker_is_a_switch_on_its_way_that_says_what_it_does() {
    let mut harness = window_of_sources(60.0);
    let told = |harness: &Harness<'_, App>| {
        let topology = sim_gui::panel::find("topology").expect("a panel");
        let words = (topology.text)(harness.state().state());
        let line = words
            .lines()
            .find(|line| line.contains("circuit breaker of crawler"));
        let line = line.expect("a breaker").trim().to_owned();
        assert!(harness.query_by_label(&line).is_some(), "{line}: not seen");
        line
    };
    let closed = "circuit breaker of crawler: closed, lets everything through";
    assert_eq!(told(&harness), closed);
    let state = harness.state().state();
    let log = &state.main().expect("a branch").event_log;
    let opened = log.iter().find(|event| event.kind == Kind::Opened);
    let opened = opened.expect("it opens").at;
    perform(
        &mut harness,
        Command::Seek(Instant(opened.0 + 1_000_000_000)),
    );
    let words = told(&harness);
    assert!(words.contains(": open since 12:02"), "{words}");
    // When its time is over, the next one through is a trial.
    perform(
        &mut harness,
        Command::Seek(Instant(opened.0 + 20_000_000_000)),
    );
    let words = told(&harness);
    assert!(words.contains(": half-open, opened at 12:02"), "{words}");
}

#[test]
fn sources_that_ask_for_the_same_share_it_as_they_plan_to() {
    let mut text = SOURCES.replace("class = \"robot\"", "class = \"customer\"");
    text.push_str("[[timeline]]\nat = \"1m\"\nset = { \"traffic.customers.rate\" = 40 }\n");
    let mut harness = window(opening("first"));
    harness.state_mut().perform(Command::OpenText(text));
    harness.run_steps(2);
    settle(&mut harness);
    perform(&mut harness, Command::SeekBy(50.0));
    explored(&mut harness);
    for (at_s, share) in [(50.0, 10.0), (90.0, 2.0)] {
        let now = harness.state().state().now().as_secs_f64();
        perform(&mut harness, Command::SeekBy(at_s - now));
        let state = harness.state().state();
        let (branch, view) = (state.main().expect("one"), state.view().expect("one"));
        let of = |source: usize| source_now(branch, view, source, "offered_hz").expect("a rate");
        assert!((of(0) / of(1) - share).abs() < 1e-3, "{} {}", of(0), of(1));
        assert!(branch.series.source_is_estimated(0) && !branch.series.source_is_estimated(2));
    }
}
