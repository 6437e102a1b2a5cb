//! Forks: where they begin, what becomes of them, and what is too much.

use crate::playback::{Base, TEXT, at, deck};
use sim_core::edit::overlay;
use sim_core::engine::Simulation;
use sim_core::scenario::{NoFiles, Scenario, Source};
use sim_core::summary::Summary;
use sim_core::time::Instant;
use sim_gui::MODELS;
use sim_gui::playback::Edit;
use sim_gui::playback::deck::{BRANCHES_MAX, Deck};
use std::sync::Arc;

fn weight(value: &str) -> Edit {
    Edit::set("service.web.server.a.weight", value)
}

fn seek(deck: &mut Deck, to: Instant) {
    deck.seek(to);
    deck.finish_seeking();
}

/// Seven forks of the first branch, at 10 s, 20 s, …
fn eight() -> Deck {
    let mut deck = deck();
    for i in 1..8 {
        deck.show(0, None);
        seek(&mut deck, at(10 * i));
        deck.edit(weight("1")).expect("accepted");
    }
    assert_eq!(deck.branches().len(), BRANCHES_MAX);
    deck
}

#[test]
fn a_ninth_future_closes_the_oldest_and_keeps_its_parent() {
    for main in [7, 3] {
        let mut deck = eight();
        deck.show(main, None);
        seek(&mut deck, at(100));
        let from = deck.branches()[main].from;
        let drain = Edit::act("drain", "service.web.server.b");
        let number = deck.edit(drain).expect("accepted");
        assert_eq!(deck.branches().len(), BRANCHES_MAX);
        let parent = deck.branches()[number].parent.expect("a parent");
        assert_ne!(parent, number, "not its own parent");
        assert_eq!(deck.branches()[parent].from, from);
        assert_eq!(deck.shown(), (parent, Some(number)));
        let said = deck.news().said.as_deref().expect("it is told");
        assert!(said.contains("B (a.weight = 1) was closed"), "{said}");
        // Back to the past of all of them.
        seek(&mut deck, at(5));
        assert_eq!(deck.now(), at(5));
    }
}

#[test]
fn a_chain_of_futures_is_not_longer_than_what_is_kept() {
    let mut deck = deck();
    for i in 1..BRANCHES_MAX {
        let last = deck.branches().len() - 1;
        deck.show(last, None);
        seek(&mut deck, at(10 * i as u64));
        deck.edit(weight(&i.to_string())).expect("accepted");
    }
    deck.show(BRANCHES_MAX - 1, None);
    seek(&mut deck, at(100));
    let problems = deck.edit(weight("8")).expect_err("refused");
    assert!(
        problems.problems[0]
            .message
            .contains("at most 8 futures are kept"),
        "{problems:?}"
    );
    assert_eq!(deck.branches().len(), BRANCHES_MAX);
    // Beside the chain there is room: its last link makes way.
    deck.show(0, None);
    seek(&mut deck, at(100));
    deck.edit(weight("8")).expect("accepted");
    assert_eq!(deck.branches().len(), BRANCHES_MAX);
}

#[test]
fn all_copies_of_the_simulation_stay_within_the_budget() {
    let scenario = || Scenario::read(Source::new("two.toml", TEXT), &[], &NoFiles).expect("valid");
    let bytes = |deck: &Deck| -> usize { (0..deck.branches().len()).map(|b| deck.bytes(b)).sum() };
    let frames = |deck: &Deck| deck.branches()[0].frames().len();
    let fork_and_explore = |budget: usize| {
        let mut deck = Deck::new(scenario(), 0, budget).expect("valid");
        for i in 1..8 {
            while deck.work(&mut || true) {}
            assert!(bytes(&deck) <= budget, "{} of {budget}", bytes(&deck));
            deck.show(0, None);
            seek(&mut deck, at(60 * i));
            deck.edit(weight("1")).expect("accepted");
        }
        while deck.work(&mut || true) {}
        assert!(bytes(&deck) <= budget, "{} of {budget}", bytes(&deck));
        deck
    };
    let plenty = fork_and_explore(64 << 20);
    let needed = bytes(&plenty);
    let half = fork_and_explore(needed / 2);
    assert!(2 < frames(&half) && frames(&half) < frames(&plenty));
}

/// The run of a branch's overlay, without any playback.
fn replayed(text: &str, deck: &Deck, branch: usize) -> Simulation {
    let edits = &deck.branches()[branch].edits;
    let overlay = overlay("two.toml", "what if", None, edits);
    let base = Text(text.to_owned());
    let scenario = Scenario::read(Source::new("what-if.toml", overlay), &[], &base);
    let model = scenario.and_then(|scenario| scenario.model());
    let mut simulation = Simulation::new(Arc::new(model.expect("valid")), 0);
    simulation.run_until(at(600));
    simulation
}

struct Text(String);

impl sim_core::scenario::Files for Text {
    fn read(&self, name: &str) -> Result<Source, String> {
        Ok(Source::new(name, self.0.clone()))
    }
}

fn assert_is_its_overlay(text: &str, deck: &mut Deck, branch: usize, words: &str) {
    seek(deck, at(600));
    let shown = Summary::of(deck.cursor(branch).expect("shown"), 0);
    let found = Summary::of(&replayed(text, deck, branch), 0);
    assert_eq!(shown.requests, found.requests, "{words}");
    assert_eq!(shown.response_time_s, found.response_time_s, "{words}");
    assert_eq!(shown.services, found.services, "{words}");
}

#[test]
fn a_fork_after_single_events_is_the_run_of_its_overlay() {
    for steps in 1..12 {
        let mut deck = deck();
        seek(&mut deck, at(20));
        for _ in 0..steps {
            deck.step();
        }
        let stepped = deck.now();
        let drain = Edit::act("drain", "service.web.server.a");
        let fork = deck.edit(drain).expect("accepted");
        let from = deck.branches()[fork].from;
        assert_eq!(
            from,
            Instant(stepped.0 + 1),
            "after the event, not before it"
        );
        assert_eq!(deck.now(), from);
        // A further change at that moment, and one where the event was, change the same fork.
        assert_eq!(deck.edit(weight("2")), Ok(fork));
        seek(&mut deck, stepped);
        assert_eq!(deck.edit(weight("1")), Ok(fork));
        assert_is_its_overlay(TEXT, &mut deck, fork, &format!("{steps} steps"));
    }
}

#[test]
fn a_fork_at_an_event_of_the_story_is_the_run_of_its_overlay() {
    let text = format!(
        "{TEXT}\n[[timeline]]\nat = \"3m\"\nset = {{ \"service.web.server.a.weight\" = 8 }}\n\
         [[timeline]]\nat = \"200s\"\ndo = \"crash\"\ntarget = \"service.web.server.a\"\n\
         [[timeline]]\nat = \"200s\"\ndo = \"slow\"\nfactor = 2\nfor = \"50s\"\n\
         target = \"service.web.server.b\"\n"
    );
    let scenario = Scenario::read(Source::new("two.toml", text.clone()), &[], &NoFiles);
    let scenario = scenario.expect("valid");
    let new = || Deck::new(scenario.clone(), 0, 64 << 20).expect("valid");
    let mut deck = new();
    while deck.work(&mut || true) {}
    let event_log: Vec<Instant> = deck.branches()[0]
        .event_log()
        .iter()
        .map(|e| e.at)
        .collect();
    assert!(
        event_log.contains(&at(180)) && event_log.len() > 4,
        "{event_log:?}"
    );
    for moment in event_log.into_iter().take(10).chain([at(180), at(60)]) {
        for edit in [
            Edit::act("crash", "service.web.server.b"),
            weight("1"),
            Edit::set("client.retry", "none"),
        ] {
            let mut deck = new();
            seek(&mut deck, moment);
            let words = format!("{} at {moment:?}", edit.words());
            let fork = deck.edit(edit).expect(&words);
            assert_is_its_overlay(&text, &mut deck, fork, &words);
        }
    }
}

#[test]
fn a_fork_where_nothing_happens_begins_at_that_very_moment() {
    let mut deck = deck();
    seek(&mut deck, at(60));
    let fork = deck.edit(weight("1")).expect("accepted");
    assert_eq!(deck.branches()[fork].from, at(60));
    let overlay = overlay("two.toml", "x", None, &deck.branches()[fork].edits);
    assert!(Scenario::read(Source::new("x.toml", overlay), &[], &Base).is_ok());
}

#[test]
fn a_change_of_a_future_says_which_others_go_with_it() {
    let mut deck = deck();
    seek(&mut deck, at(60));
    let first = deck.edit(weight("1")).expect("accepted");
    deck.show(first, None);
    seek(&mut deck, at(120));
    deck.edit(weight("2")).expect("accepted");
    seek(&mut deck, at(60));
    assert_eq!(deck.edit(weight("3")), Ok(first));
    assert_eq!(deck.branches().len(), 2);
    let said = deck.news().said.as_deref().expect("it is told");
    assert!(said.contains("forked from it is gone (C)"), "{said}");
}

#[test]
fn the_main_future_comes_first_or_nothing_is_shown() {
    // A server joins: the future with it is simulated from the start, which takes a while.
    let scenario = Scenario::read(MODELS.find("incident").expect("a model"), &[], &MODELS);
    let mut deck = Deck::new(scenario.expect("valid"), 0, 64 << 20).expect("valid");
    seek(&mut deck, at(3600));
    let add = Edit::add("service.web.server.web-9", "web-2");
    let anew = deck.edit(add).expect("accepted");
    assert!(!deck.is_settled(), "it is on its way");
    assert_eq!(deck.views().len(), 1);
    deck.show(anew, Some(0));
    let mut waited = 0;
    while !deck.is_settled() {
        let views = deck.views();
        waited += usize::from(views.is_empty());
        assert!(views.first().is_none_or(|view| view.branch == anew));
        deck.work(&mut || true);
    }
    assert!(waited > 0, "it took a while");
    let shown: Vec<usize> = deck.views().iter().map(|view| view.branch).collect();
    assert_eq!(shown, [anew, 0]);
}
