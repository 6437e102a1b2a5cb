//! What if, on the card of a server: nothing is changed before *Fork here*, and what is to be expected comes of a
//! simulation.

use crate::layout::texts_within;
use crate::playback::{at, deck};
use crate::screen::{click_first_server, opening, perform, settle, window, window_at};
use eframe::egui::{Key, vec2};
use egui_kittest::{
    Harness,
    kittest::{NodeT as _, Queryable as _},
};
use sim_gui::App;
use sim_gui::command::Command;
use sim_gui::playback::{Edit, Expected, Request};

fn type_into(harness: &mut Harness<'_, App>, field: &str, text: &str) {
    harness.get_by_label(field).focus();
    harness.run_steps(2);
    harness.key_press_modifiers(eframe::egui::Modifiers::COMMAND, Key::A);
    harness.run_steps(1);
    harness.get_by_label(field).type_text(text);
    harness.run_steps(2);
}

fn expected(harness: &Harness<'_, App>) -> Option<Expected> {
    let report = harness.state().state().report.as_ref()?;
    report.expected.as_deref().cloned()
}

#[test]
fn a_click_on_a_server_leads_to_a_fork_with_the_share_to_expect_before_it() {
    let mut harness = window_at("incident", "12:25");
    harness.get_by_label_contains("server web-1 ").click();
    harness.run_steps(4);
    assert!(
        harness
            .query_by_label_contains("share of web-1: 9")
            .is_some()
    );
    let fork = |harness: &Harness<'_, App>| {
        let button = harness.get_by_label("Fork here");
        !button.accesskit_node().is_disabled()
    };
    assert!(!fork(&harness), "nothing is to be changed yet");
    type_into(&mut harness, "what if service.web.server.web-1.weight", "3");
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    settle(&mut harness);
    harness.run_steps(4);
    // Half of the traffic, as the weights say: 3 of 6.
    let seen = expected(&harness).expect("an answer");
    let sent = seen.sent.clone().expect("possible");
    let share = sent[0] as f64 / sent.iter().sum::<u64>() as f64;
    assert!((share - 0.5).abs() < 0.01, "{share}");
    let words = harness
        .query_all_by_label_contains("share of web-1: ")
        .count();
    assert_eq!(words, 1);
    assert!(harness.query_by_label_contains("→ 50 %").is_some());
    let report = harness.state().state().report.as_ref().expect("a report");
    assert_eq!((report.branches.len(), report.can_undo), (1, false));
    // A second change is part of the same step.
    harness.get_by_label("what if drain").click();
    harness.run_steps(4);
    settle(&mut harness);
    harness.run_steps(2);
    harness.get_by_label("what if drain").click();
    harness.run_steps(2);
    type_into(
        &mut harness,
        "what if service.web.server.web-1.max_connections",
        "80",
    );
    harness.key_press(Key::Enter);
    harness.run_steps(3);
    assert!(fork(&harness));
    harness.get_by_label("Fork here").click();
    harness.run_steps(3);
    settle(&mut harness);
    let state = harness.state().state();
    let beside = state.beside().expect("two futures").branch;
    let edits = &state.branch(beside).expect("B").edits;
    assert_eq!(edits.len(), 2);
    // It is taken back, and made again, by buttons.
    for (button, branches) in [("Undo", 1), ("Redo", 2)] {
        harness.get_by_label(button).click();
        harness.run_steps(3);
        settle(&mut harness);
        let report = harness.state().state().report.as_ref().expect("a report");
        assert_eq!(report.branches.len(), branches, "{button}");
    }
}

#[test]
fn escape_closes_the_card_and_then_deselects() {
    let mut harness = window_at("first", "1m");
    click_first_server(&mut harness);
    assert!(harness.query_by_label("Fork here").is_some());
    perform(&mut harness, Command::Escape);
    assert!(harness.query_by_label("Fork here").is_none());
    assert!(harness.state().state().selected.is_some());
    perform(&mut harness, Command::Escape);
    assert!(harness.state().state().selected.is_none());
}

#[test]
fn the_card_fits_every_window() {
    let mut harness = window(opening("incident"));
    perform(&mut harness, Command::SeekBy(60.0));
    perform(
        &mut harness,
        Command::Select(Some(sim_gui::state::Thing::Server(0))),
    );
    for (width, height) in crate::layout::WIDTHS {
        harness.set_size(vec2(width, height));
        harness.run_steps(6);
        let card = harness.get_by_label("Fork here").rect();
        let screen = harness.ctx.content_rect();
        assert!(
            screen.contains_rect(card),
            "{width}: {card:?} in {screen:?}"
        );
        let close = harness.get_by_label("Close the card").rect();
        let whole = card.union(close);
        let found = texts_within(&harness, whole);
        assert!(found.is_empty(), "{width}: {found:?}");
    }
}

#[test]
fn what_is_expected_is_what_a_fork_then_does() {
    let mut deck = deck();
    deck.seek(at(60));
    deck.finish_seeking();
    let change = vec![Edit::set("service.web.server.a.weight", "1")];
    deck.ask(Request::Expect(change.clone()));
    while deck.news().expected.is_none() {
        deck.work(&mut || true);
    }
    let expected = deck.news().expected.clone().expect("an answer");
    assert_eq!(deck.branches().len(), 1, "nothing was changed");
    let sent = expected.sent.clone().expect("possible");
    deck.edit(change[0].clone()).expect("a fork");
    let attempts = |deck: &sim_gui::playback::deck::Deck| {
        let (_, beside) = deck.shown();
        let simulation = deck.cursor(beside.expect("two futures")).expect("shown");
        let servers = simulation.snapshot().servers;
        servers.iter().map(|s| s.attempts).collect::<Vec<u64>>()
    };
    let before = attempts(&deck);
    deck.seek(expected.at + expected.over);
    deck.finish_seeking();
    let after = attempts(&deck);
    let did: Vec<u64> = after.iter().zip(&before).map(|(a, b)| a - b).collect();
    assert_eq!(did, sent);
    // What is not possible has no answer, and nothing happens.
    deck.ask(Request::Expect(vec![Edit::set(
        "service.web.server.a.weight",
        "-1",
    )]));
    while deck.work(&mut || true) {}
    let expected = deck.news().expected.clone().expect("an answer");
    assert_eq!(expected.sent, None);
    assert!(deck.news().refused.is_none());
}
