//! Playback: whatever way a moment is reached, it is the moment of a plain run.

use sim_core::edit::overlay;
use sim_core::engine::{End, Simulation};
use sim_core::scenario::{NoFiles, Scenario, Source};
use sim_core::summary::Summary;
use sim_core::time::Instant;
use sim_gui::playback::deck::Deck;
use sim_gui::playback::{Column, Edit};
use std::sync::Arc;

const BUDGET: usize = 64 << 20;

/// Two servers, one of which is overrun and crashes: enough of an event log in ten minutes.
pub(crate) const TEXT: &str = r#"
horizon = "10m"
seed = 7
[[traffic]]
to = "web"
rate = 60
[client]
timeout = "2s"
retry = { kind = "fixed", attempts = 3, pause = "200ms" }
[service.web]
demand = { kind = "exponential", mean = "40ms" }
[service.web.balancer]
policy = "weighted-round-robin"
[[service.web.server]]
name = "a"
weight = 9
workers = 2
queue = { limit = 50 }
crash = [{ when = "in_flight", above = 40, for = "60s" }]
restart = { kind = "after", pause = "2m" }
[[service.web.server]]
name = "b"
workers = 2
queue = { limit = 50 }
[[slo]]
name = "quick"
good = "response_time < 1s"
objective = 0.9
"#;

pub(crate) fn scenario() -> Scenario {
    Scenario::read(Source::new("two.toml", TEXT), &[], &NoFiles).expect("a valid scenario")
}

pub(crate) fn deck() -> Deck {
    Deck::new(scenario(), 0, BUDGET).expect("a valid scenario")
}

pub(crate) fn at(seconds: u64) -> Instant {
    Instant(seconds * 1_000_000_000)
}

fn plain(seconds: u64) -> Simulation {
    let mut simulation = Simulation::new(Arc::new(scenario().model().expect("valid")), 0);
    simulation.run_until(at(seconds));
    simulation
}

fn seek(deck: &mut Deck, seconds: u64) -> &Simulation {
    deck.seek(at(seconds));
    deck.finish_seeking();
    assert_eq!(deck.now(), at(seconds));
    deck.cursor(deck.shown().0).expect("shown")
}

/// Works in pieces as small as they come.
fn explore(deck: &mut Deck) {
    while deck.work(&mut || true) {}
    assert!(deck.is_explored());
}

#[test]
fn every_way_to_a_moment_leads_to_the_same_moment() {
    let mut deck = deck();
    // Forward, back, far ahead, back over many key frames, forward again.
    for seconds in [100, 40, 600, 599, 0, 333, 334, 100] {
        let expected = plain(seconds);
        let shown = seek(&mut deck, seconds);
        assert_eq!(shown.digest(), expected.digest(), "at {seconds} s");
        let hash = scenario().hash();
        assert_eq!(
            Summary::of(shown, hash),
            Summary::of(&expected, hash),
            "at {seconds} s"
        );
    }
    explore(&mut deck);
    assert!(
        deck.branches()[0].frames().len() > 100,
        "there are key frames"
    );
    for seconds in [1, 599, 200] {
        assert_eq!(seek(&mut deck, seconds).digest(), plain(seconds).digest());
    }
}

#[test]
fn key_frames_stay_within_their_budget() {
    let all = {
        let mut deck = deck();
        explore(&mut deck);
        deck.branches()[0].frames().bytes()
    };
    let mut deck = Deck::new(scenario(), 0, all / 10).expect("a valid scenario");
    explore(&mut deck);
    let frames = deck.branches()[0].frames();
    assert!(
        frames.bytes() <= all / 10,
        "{} of {}",
        frames.bytes(),
        all / 10
    );
    assert!(frames.len() > 2);
    assert_eq!(seek(&mut deck, 500).digest(), plain(500).digest());
}

#[test]
fn playing_follows_the_speed_and_stops_at_the_end() {
    let mut deck = deck();
    deck.finish_seeking();
    deck.set_speed(10.0);
    deck.play(true);
    for _ in 0..20 {
        deck.advance(0.5);
        deck.finish_seeking();
    }
    assert_eq!(deck.now(), at(100));
    deck.set_speed(f64::INFINITY);
    for _ in 0..100 {
        deck.advance(0.5);
        deck.finish_seeking();
    }
    assert_eq!(deck.now(), at(600));
    assert!(!deck.transport().playing);
    deck.play(true);
    deck.finish_seeking();
    assert_eq!(deck.now(), at(0), "played from the end, it begins anew");
}

#[test]
fn a_run_that_its_limit_ends_is_played_to_that_end() {
    let text = format!("{TEXT}\n[limits]\nevents = 20000\n");
    let scenario = Scenario::read(Source::new("two.toml", text), &[], &NoFiles).expect("valid");
    let mut deck = Deck::new(scenario, 0, BUDGET).expect("valid");
    deck.finish_seeking();
    deck.set_speed(f64::INFINITY);
    deck.play(true);
    let mut times = 0;
    while deck.transport().playing {
        deck.advance(0.1);
        deck.finish_seeking();
        times += 1;
        assert!(times < 100, "it plays for ever at {:?}", deck.now());
    }
    let end = deck.branches()[0].scout().now();
    assert!(deck.branches()[0].end() == Some(End::EventLimit) && end < at(600));
    assert_eq!(deck.now(), end);
    deck.next_event();
    deck.finish_seeking();
    assert_eq!((deck.now(), deck.transport().goal), (end, end));
    deck.play(true);
    deck.finish_seeking();
    assert_eq!(deck.now(), at(0), "played from the end, it begins anew");
}

#[test]
fn a_range_is_played_again_and_again() {
    let mut deck = deck();
    deck.set_range(Some((at(50), at(60))));
    deck.set_speed(1.0);
    deck.play(true);
    deck.finish_seeking();
    for seconds in [50, 54, 58, 60, 50, 54] {
        deck.advance(4.0);
        deck.finish_seeking();
        assert_eq!(deck.now(), at(seconds));
    }
}

#[test]
fn playing_can_pause_at_events_and_events_can_be_walked() {
    let mut deck = deck();
    deck.finish_seeking();
    deck.set_pause_at_events(true);
    deck.set_speed(30.0);
    deck.play(true);
    while deck.transport().playing {
        deck.advance(1.0);
        deck.finish_seeking();
    }
    let first = deck.branches()[0].event_log()[0].at;
    assert_eq!(
        deck.now(),
        first,
        "the moment itself, not the end of a step"
    );
    let mut walked = vec![deck.now()];
    while deck.now() < deck.horizon() {
        deck.next_event();
        deck.finish_seeking();
        walked.push(deck.now());
    }
    let mut told: Vec<Instant> = deck.branches()[0]
        .event_log()
        .iter()
        .map(|e| e.at)
        .collect();
    told.dedup();
    told.push(deck.horizon());
    assert_eq!(walked, told);
    for expected in told.iter().rev().skip(1) {
        deck.previous_event();
        deck.finish_seeking();
        assert_eq!(deck.now(), *expected);
    }
}

#[test]
fn a_step_is_one_event() {
    let mut deck = deck();
    seek(&mut deck, 10);
    let mut by_hand = plain(10);
    for _ in 0..50 {
        deck.step();
        by_hand.step();
        let shown = deck.cursor(0).expect("shown");
        assert_eq!(
            (shown.events(), shown.digest()),
            (by_hand.events(), by_hand.digest())
        );
    }
}

#[test]
fn a_fork_is_the_run_of_its_overlay() {
    let mut deck = deck();
    seek(&mut deck, 60);
    let fork = deck
        .edit(Edit::set("service.web.server.a.weight", "1"))
        .expect("accepted");
    assert_eq!(deck.shown(), (0, Some(fork)));
    // A second change at the same moment changes the fork.
    assert_eq!(
        deck.edit(Edit::act("drain", "service.web.server.b")),
        Ok(fork)
    );
    assert_eq!(
        deck.edit(Edit::set("service.web.server.a.weight", "2")),
        Ok(fork)
    );
    let edits = deck.branches()[fork].edits.clone();
    assert_eq!(edits.len(), 2, "{edits:?}");
    seek(&mut deck, 300);
    let (main, other) = (deck.cursor(0).expect("A"), deck.cursor(fork).expect("B"));
    assert_eq!(
        main.digest(),
        plain(300).digest(),
        "the recorded run is untouched"
    );
    let text = overlay("two.toml", "what if", None, &edits);
    let base = Base;
    let replay = Scenario::read(Source::new("what-if.toml", text), &[], &base).expect("valid");
    let mut replayed = Simulation::new(Arc::new(replay.model().expect("valid")), 0);
    replayed.run_until(at(300));
    let figures = |simulation: &Simulation| {
        let summary = Summary::of(simulation, 0);
        (summary.requests, summary.response_time_s, summary.services)
    };
    assert_eq!(figures(other), figures(&replayed));
    assert_ne!(figures(main), figures(other));
}

pub(crate) struct Base;

impl sim_core::scenario::Files for Base {
    fn read(&self, name: &str) -> Result<Source, String> {
        Ok(Source::new(name, TEXT))
    }
}

#[test]
fn branches_share_their_past_and_part_at_the_fork() {
    let mut deck = deck();
    seek(&mut deck, 60);
    let fork = deck
        .edit(Edit::set("service.web.server.a.weight", "1"))
        .expect("accepted");
    explore(&mut deck);
    let (a, b) = (deck.branches()[0].series(), deck.branches()[fork].series());
    let parts = a.first_difference(b, 0).expect("they differ");
    assert!(a.end_of(parts) > at(60) && a.end_of(parts) <= at(70));
    // Before the fork the other branch shows the common past.
    seek(&mut deck, 30);
    assert_eq!(deck.cursor(fork).expect("B").digest(), plain(30).digest());
    // A fork in the past of a fork belongs to the branch that lived it.
    let other = deck
        .edit(Edit::set("client.retry", "none"))
        .expect("accepted");
    assert_eq!(deck.branches()[other].parent, Some(0));
    seek(&mut deck, 100);
    let third = deck
        .edit(Edit::act("crash", "service.web.server.b"))
        .expect("accepted");
    assert_eq!(deck.branches()[third].edits.len(), 1);
    deck.close(fork);
    assert_eq!(deck.branches().len(), 3);
}

#[test]
fn a_change_that_is_wrong_changes_nothing() {
    let mut deck = deck();
    seek(&mut deck, 60);
    for (path, value) in [
        ("service.web.server.a.weight", "-1"),
        ("service.web.server.nobody.weight", "1"),
        ("seed", "3"),
    ] {
        let problems = deck.edit(Edit::set(path, value)).expect_err("refused");
        assert!(!problems.problems.is_empty());
    }
    assert!(
        deck.edit(Edit::act("dance", "service.web.server.a"))
            .is_err()
    );
    assert_eq!(deck.branches().len(), 1);
    assert_eq!(deck.now(), at(60));
}

#[test]
fn figures_over_time_are_those_of_the_metrics() {
    let mut deck = deck();
    explore(&mut deck);
    let branch = &deck.branches()[0];
    let series = branch.series();
    let history = branch.scout().recorder().history();
    let stride = (series.row_ns() / history.interval_ns()) as usize;
    let server = sim_core::metric::Scope::Server(sim_core::model::ServerId(0));
    for row in [0, 17, series.len() - 1] {
        let total = history.total(server, row * stride..(row + 1) * stride);
        let metric = sim_core::metric::MetricDef::find("attempts_hz").expect("a metric");
        let column = Column::server(0, "attempts_hz").expect("a column");
        let expected = (metric.of)(&total.window()).map(|v| f64::from(v as f32));
        assert_eq!(series.value(column, row), expected);
    }
}

#[test]
fn branches_share_the_memory_for_key_frames() {
    let all = {
        let mut deck = deck();
        explore(&mut deck);
        deck.branches()[0].frames().bytes()
    };
    let mut deck = Deck::new(scenario(), 0, all).expect("a valid scenario");
    explore(&mut deck);
    for seconds in [60, 90, 120] {
        seek(&mut deck, seconds);
        deck.edit(Edit::set("client.retry", "none"))
            .expect("accepted");
        explore(&mut deck);
        let bytes: usize = deck.branches().iter().map(|b| b.frames().bytes()).sum();
        assert!(
            bytes <= all,
            "{} branches take {bytes} of {all}",
            deck.branches().len()
        );
    }
}

#[test]
fn a_server_that_was_never_there_joins_and_the_past_stays() {
    let mut deck = deck();
    seek(&mut deck, 120);
    let add = Edit::add("service.web.server.c", "b");
    assert_eq!(add.words(), "add c like b");
    let branch = deck.edit(add).expect("it can be added");
    deck.finish_seeking();
    let hash = scenario().hash();
    let then = Summary::of(deck.cursor(branch).expect("shown"), hash);
    let before = Summary::of(&plain(120), hash);
    assert_eq!(then.requests, before.requests, "the past is as it was");
    assert_eq!(then.response_time_s, before.response_time_s);
    deck.seek(at(400));
    deck.finish_seeking();
    let after = deck.cursor(branch).expect("shown");
    let names: Vec<&str> = (after.model().servers.iter()).map(|s| &*s.name).collect();
    assert_eq!(names, ["a", "b", "c"]);
    let attempts = |summary: &Summary, server: &str| {
        let web = summary.services.get("web").expect("it is there");
        web.servers.get(server).map_or(0, |server| server.attempts)
    };
    let figures = Summary::of(after, hash);
    assert_eq!(attempts(&then, "c"), 0);
    assert!(attempts(&figures, "c") > 100, "{}", attempts(&figures, "c"));
    // The overlay says the same, without any playback.
    let text = overlay("two.toml", "With c", None, &deck.branches()[branch].edits);
    let again = Scenario::read(Source::new("with-c.toml", text), &[], &Base).expect("valid");
    let mut simulation = Simulation::new(Arc::new(again.model().expect("valid")), 0);
    simulation.run_until(at(400));
    assert_eq!(Summary::of(&simulation, hash).requests, figures.requests);
    // A further change at the same moment changes the same branch.
    deck.seek(at(120));
    deck.finish_seeking();
    let weight = Edit::set("service.web.server.c.weight", "9");
    assert_eq!(deck.edit(weight), Ok(branch));
    deck.seek(at(400));
    deck.finish_seeking();
    let heavier = Summary::of(deck.cursor(branch).expect("shown"), hash);
    assert!(attempts(&heavier, "c") > attempts(&figures, "c"));
    // One of that name is there already.
    deck.seek(at(130));
    deck.finish_seeking();
    let branches = deck.branches().len();
    assert!(deck.edit(Edit::add("service.web.server.a", "b")).is_err());
    assert_eq!(deck.branches().len(), branches);
}
