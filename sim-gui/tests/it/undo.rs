//! Undo and redo: each takes back exactly what was done last, and does it again.

use crate::playback::{at, deck};
use crate::screen::{perform, window_at};
use egui_kittest::Harness;
use sim_core::time::Instant;
use sim_gui::App;
use sim_gui::command::Command;
use sim_gui::playback::deck::Deck;
use sim_gui::playback::{Edit, Edited, Request};

fn workers(value: &str) -> Edit {
    Edit::set("service.web.server.web-1.workers", value)
}

/// What each branch was forked from, and all its changes.
fn futures(harness: &Harness<'static, App>) -> Vec<(Option<usize>, Vec<Edit>)> {
    let report = harness.state().state().report.as_ref().expect("a report");
    let edits = |edits: &[Edited]| edits.iter().map(|e| e.edit.clone()).collect();
    let branches = report.branches.iter();
    branches.map(|b| (b.parent, edits(&b.edits))).collect()
}

fn shown(harness: &Harness<'static, App>) -> Vec<usize> {
    let report = harness.state().state().report.as_ref().expect("a report");
    report.views.iter().map(|view| view.branch).collect()
}

fn message<'a>(harness: &'a Harness<'static, App>) -> &'a str {
    let message = &harness.state().state().message;
    message.as_ref().map_or("", |(words, _)| words)
}

#[test]
fn of_two_values_of_a_slider_the_earlier_comes_back() {
    let mut harness = window_at("first", "3m");
    perform(&mut harness, Command::Edit(workers("3")));
    perform(&mut harness, Command::Edit(workers("5")));
    perform(&mut harness, Command::Undo);
    let none = (None, vec![]);
    assert_eq!(
        futures(&harness),
        [none.clone(), (Some(0), vec![workers("3")])]
    );
    perform(&mut harness, Command::Redo);
    assert_eq!(
        futures(&harness),
        [none.clone(), (Some(0), vec![workers("5")])]
    );
    perform(&mut harness, Command::Redo);
    assert_eq!(message(&harness), "there is nothing to redo");
    perform(&mut harness, Command::Undo);
    perform(&mut harness, Command::Undo);
    assert_eq!(futures(&harness), [none]);
    perform(&mut harness, Command::Undo);
    assert_eq!(message(&harness), "there is nothing to undo");
}

#[test]
fn the_latest_change_is_undone_whichever_future_it_was_made_in() {
    let mut harness = window_at("first", "3m");
    perform(&mut harness, Command::Edit(workers("3")));
    perform(&mut harness, Command::Show(0, None));
    perform(&mut harness, Command::SeekBy(60.0));
    perform(&mut harness, Command::Edit(workers("5")));
    perform(&mut harness, Command::Show(0, Some(1)));
    perform(&mut harness, Command::SeekBy(-60.0));
    let before = futures(&harness);
    let drain = Edit::act("drain", "service.web.server.web-2");
    perform(&mut harness, Command::Edit(drain.clone()));
    assert_eq!(futures(&harness)[1].1, [workers("3"), drain]);
    let now = harness.state().state().now();
    perform(&mut harness, Command::Undo);
    assert_eq!(futures(&harness), before);
    assert_eq!(harness.state().state().now(), now, "the moment stays");
}

#[test]
fn a_future_of_a_future_is_done_again_where_it_was() {
    let mut harness = window_at("first", "3m");
    perform(&mut harness, Command::Edit(workers("3")));
    perform(&mut harness, Command::Show(1, None));
    perform(&mut harness, Command::SeekBy(60.0));
    perform(&mut harness, Command::Edit(workers("5")));
    let all = futures(&harness);
    assert_eq!(all[2], (Some(1), vec![workers("3"), workers("5")]));
    perform(&mut harness, Command::Undo);
    assert_eq!(shown(&harness), [1], "as before the change");
    perform(&mut harness, Command::Redo);
    assert_eq!(futures(&harness), all);
    assert_eq!(shown(&harness), [1, 2]);
    // Both undone, another future looked at at another moment, and both done again.
    perform(&mut harness, Command::Undo);
    perform(&mut harness, Command::Undo);
    perform(&mut harness, Command::Show(0, None));
    perform(&mut harness, Command::Seek(Instant::ZERO));
    perform(&mut harness, Command::Redo);
    perform(&mut harness, Command::Redo);
    assert_eq!(futures(&harness), all);
    assert_eq!(harness.state().state().now(), Instant::ZERO);
}

fn ask(deck: &mut Deck, request: Request) {
    deck.ask(request);
    deck.finish_seeking();
}

fn weight(value: &str) -> Edit {
    Edit::set("service.web.server.a.weight", value)
}

/// All of a deck that can be told apart.
fn branches(deck: &mut Deck) -> Vec<(Option<usize>, Instant, Vec<Edited>, u64)> {
    while deck.work(&mut || false) {}
    let branches = deck.branches().iter();
    branches
        .map(|b| (b.parent, b.from, b.edits.clone(), b.scout().digest()))
        .collect()
}

#[test]
fn whatever_a_change_took_with_it_comes_back_to_the_last_digit() {
    let mut deck = deck();
    let mut states = vec![branches(&mut deck)];
    let add = Edit::add("service.web.server.c", "b");
    // B, C of B, D of A with a new server.
    for (main, seconds, edit) in [(0, 60, weight("1")), (1, 120, weight("2")), (0, 200, add)] {
        ask(&mut deck, Request::Show(main, None));
        ask(&mut deck, Request::Seek(at(seconds)));
        ask(&mut deck, Request::Edit(vec![edit]));
        states.push(branches(&mut deck));
    }
    // B is changed, and C goes; C is made again; B is closed, and C goes with it.
    ask(&mut deck, Request::Show(1, None));
    ask(&mut deck, Request::Seek(at(60)));
    ask(&mut deck, Request::Edit(vec![weight("4")]));
    states.push(branches(&mut deck));
    assert_eq!(deck.branches().len(), 3);
    ask(&mut deck, Request::Seek(at(150)));
    ask(
        &mut deck,
        Request::Edit(vec![Edit::act("drain", "service.web.server.b")]),
    );
    states.push(branches(&mut deck));
    ask(&mut deck, Request::Close(1));
    states.push(branches(&mut deck));
    assert_eq!(deck.branches().len(), 2);
    // As many more as push out the oldest.
    for i in 1..8 {
        ask(&mut deck, Request::Show(0, None));
        ask(&mut deck, Request::Seek(at(300 + i)));
        ask(&mut deck, Request::Edit(vec![weight("3")]));
        states.push(branches(&mut deck));
    }
    let last = states.len() - 1;
    for state in states[..last].iter().rev() {
        ask(&mut deck, Request::Undo);
        assert_eq!(&branches(&mut deck), state);
    }
    for state in &states[1..] {
        ask(&mut deck, Request::Redo);
        assert_eq!(&branches(&mut deck), state);
    }
    // Something new is done: what was undone is gone.
    ask(&mut deck, Request::Undo);
    ask(&mut deck, Request::Seek(at(500)));
    ask(&mut deck, Request::Edit(vec![weight("6")]));
    let told = deck.news().said_seen;
    ask(&mut deck, Request::Redo);
    assert_eq!(deck.news().said_seen, told + 1);
}

#[test]
fn a_change_that_was_refused_is_nothing_to_undo() {
    let mut deck = deck();
    ask(&mut deck, Request::Seek(at(60)));
    ask(&mut deck, Request::Edit(vec![weight("1")]));
    ask(&mut deck, Request::Edit(vec![weight("-1")]));
    assert!(deck.news().refused.is_some());
    ask(&mut deck, Request::Undo);
    assert_eq!(deck.branches().len(), 1);
}
