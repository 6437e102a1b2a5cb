//! Lessons: what they claim is true, and time stops for their questions.

use crate::screen::{perform, settle, window, window_at};
use eframe::egui::{Key, Modifiers};
use egui_kittest::Harness;
use egui_kittest::kittest::Queryable as _;
use sim_core::edit::overlay;
use sim_core::engine::Simulation;
use sim_core::scenario::{Scenario, Source};
use sim_core::summary::Summary;
use sim_gui::command::Command;
use sim_gui::lesson::Lesson;
use sim_gui::panel::text;
use sim_gui::playback::Edited;
use sim_gui::settings::Settings;
use sim_gui::{App, MODELS, Opening, dialog, moment};
use std::fmt::Write as _;
use std::sync::Arc;

/// Every model with a lesson.
fn lessons() -> Vec<(&'static str, Lesson)> {
    let lesson = |name: &'static str| {
        let source = MODELS.find(name).expect("a model");
        let scenario = Scenario::read(source.clone(), &[], &MODELS).expect("valid");
        let clock = scenario.model().expect("valid").clock;
        let lesson = Lesson::beside(&source.name, clock).expect("a sound lesson")?;
        Some((name, lesson))
    };
    MODELS.names().into_iter().filter_map(lesson).collect()
}

/// Runs an overlay with claims as its expectations; those that do not hold.
fn broken(mut text: String, claims: &[String]) -> Vec<String> {
    for claim in claims {
        let _ = write!(text, "\n[[expect]]\nthat = {claim:?}\n");
    }
    let scenario = Scenario::read(Source::new("claims.toml", text), &[], &MODELS).expect("valid");
    let mut simulation = Simulation::new(Arc::new(scenario.model().expect("valid")), 0);
    simulation.run();
    let summary = Summary::of(&simulation, scenario.hash());
    let failed = summary
        .expectations
        .iter()
        .filter(|checked| !checked.passed);
    failed
        .map(|checked| format!("{}: it was {}", checked.that, checked.actual))
        .collect()
}

#[test]
fn what_lessons_claim_is_true() {
    let lessons = lessons();
    assert!(
        lessons
            .iter()
            .any(|(name, lesson)| *name == "incident" && lesson.cards.len() >= 6)
    );
    for (name, lesson) in lessons {
        let claims: Vec<String> = lesson.cards.iter().flat_map(|c| c.claims.clone()).collect();
        assert!(
            claims.len() >= lesson.cards.len(),
            "{name}: a claim for each card"
        );
        assert_eq!(
            broken(overlay(name, "claims", None, &[]), &claims),
            [""; 0],
            "{name}"
        );
        let mut harness = window(opening(name));
        settle(&mut harness);
        let state = harness.state().state();
        let clock = state.model().expect("a model").clock;
        for card in &lesson.cards {
            let (Some(edit), Some(at)) = (&card.edit, &card.edit_at) else {
                continue;
            };
            let edit = dialog::edit(state, edit).expect("a change");
            let edits = [Edited {
                at: moment::parse(at, clock).expect("a moment"),
                edit,
            }];
            let what_if = overlay(name, "claims", None, &edits);
            assert_eq!(
                broken(what_if, &card.claims_of_edit),
                [""; 0],
                "{name}: {}",
                card.question
            );
        }
    }
}

/// Waits until time stands still.
fn stopped(harness: &mut Harness<'_, App>) {
    for _ in 0..20_000 {
        harness.run_steps(1);
        let report = harness.state().state().report.as_ref().expect("a report");
        if report.settled && !report.transport.playing {
            harness.run_steps(2);
            return;
        }
    }
    panic!("time does not stop");
}

#[test]
fn there_are_lessons_and_what_they_ask_about_is_on_the_stage() {
    let lessons = lessons();
    let names: Vec<&str> = lessons.iter().map(|(name, _)| *name).collect();
    for name in ["incident", "retry-storm", "cascade", "herd-after-reconnect"] {
        assert!(names.contains(&name), "{name} is not in {names:?}");
    }
    for (name, lesson) in lessons {
        let harness = window(opening(name));
        for card in &lesson.cards {
            let thing = card.thing.as_deref().expect("something is asked about");
            let found = ["server", "balancer", "source"].iter().any(|kind| {
                let label = format!("{kind} {thing} ");
                harness.query_all_by_label_contains(&label).count() == 1
            });
            assert!(found, "{name}: {thing}");
        }
    }
}

#[test]
fn a_lesson_is_taken_with_keys_alone_to_its_score() {
    let mut harness = window(opening("cascade"));
    let lesson = harness.state().state().lesson.clone().expect("a lesson");
    perform(&mut harness, Command::Panel("lesson"));
    perform(&mut harness, Command::Speed(f64::INFINITY));
    harness.key_press(Key::Enter);
    harness.run_steps(2);
    let letters = [Key::A, Key::B, Key::C];
    for (number, card) in lesson.cards.iter().enumerate() {
        stopped(&mut harness);
        assert!(harness.query_by_label(&card.question).is_some(), "{number}");
        assert!(harness.query_by_label(&card.explain).is_none());
        // Nothing is gone on with while there is no answer.
        harness.key_press(Key::Enter);
        harness.run_steps(2);
        assert!(!harness.state().state().answers.is_locked(number));
        // The second is answered wrongly.
        let answer = if number == 1 { 2 } else { card.right - 1 };
        harness.key_press(letters[answer]);
        harness.run_steps(2);
        harness.key_press(Key::Enter);
        harness.run_steps(2);
        stopped(&mut harness);
        assert!(harness.query_by_label(&card.explain).is_some(), "{number}");
        harness.key_press(Key::Enter);
        harness.run_steps(3);
    }
    assert!(harness.query_by_label("3 of 4 right.").is_some());
    let took = "nobody was told to detect, ";
    assert!(harness.query_by_label_contains(took).is_some());
    let took = "not until now to recover.";
    assert!(harness.query_by_label_contains(took).is_some());
    harness.get_by_label("Take it again").click();
    harness.run_steps(3);
    let state = harness.state().state();
    assert!(state.answers.given.iter().all(Option::is_none));
}

#[test]
fn a_class_votes_until_its_teacher_locks_the_votes() {
    let mut harness = window_at("incident", "12:20");
    perform(&mut harness, Command::Panel("lesson"));
    let answers = harness.state().state().lesson.clone().expect("a lesson");
    let answers = answers.cards[0].answers.clone();
    perform(&mut harness, Command::ClassMode);
    for key in [Key::B, Key::A, Key::B, Key::C, Key::A] {
        harness.key_press(key);
        harness.run_steps(1);
    }
    harness.key_press_modifiers(Modifiers::SHIFT, Key::A);
    harness.run_steps(2);
    for (answer, votes) in answers.iter().zip([1, 2, 1]) {
        let label = format!("{answer}, votes: {votes}");
        assert!(harness.query_by_label(&label).is_some(), "{label}");
    }
    harness.get_by_label("Lock the votes").click();
    harness.run_steps(3);
    let state = harness.state().state();
    assert!(state.answers.is_locked(0));
    assert_eq!(state.answers.choice(0), Some(1));
    assert!(!state.report.as_ref().expect("a report").transport.playing);
    harness.key_press(Key::A);
    harness.run_steps(2);
    assert_eq!(harness.state().state().answers.votes_of(0), [1, 2, 1]);
    assert!(harness.query_by_label("Play to 12:25").is_some());
}

fn opening(name: &str) -> Opening {
    Opening {
        scenario: Some(name.to_owned()),
        settings: Settings::default(),
        sliced: true,
        ..Opening::default()
    }
}

#[test]
fn time_stops_for_a_question_and_the_answer_is_locked() {
    let mut harness = window(Opening {
        at: Some("12:19:30".to_owned()),
        ..opening("incident")
    });
    settle(&mut harness);
    let clock = harness.state().state().model().expect("a model").clock;
    let lesson = harness.state().state().lesson.clone().expect("a lesson");
    perform(&mut harness, Command::Panel("lesson"));
    harness.get_by_label("Begin").click();
    harness.run_steps(3);
    stopped(&mut harness);
    assert_eq!(harness.state().state().now(), lesson.cards[0].at(clock));
    assert!(
        harness.query_by_label(&lesson.cards[0].explain).is_none(),
        "nothing is told yet"
    );
    harness.get_by_label(&lesson.cards[0].answers[1]).click();
    harness.run_steps(2);
    assert!(!harness.state().state().answers.is_locked(0));
    harness.get_by_label("Continue").click();
    harness.run_steps(3);
    assert!(harness.state().state().answers.is_locked(0));
    stopped(&mut harness);
    let until = lesson.cards[0].until(clock);
    assert_eq!(harness.state().state().now(), until);
    assert!(
        harness.query_by_label(&lesson.cards[0].explain).is_some(),
        "the explanation is there before the next question"
    );
    assert!(
        harness
            .state()
            .state()
            .answers
            .csv(&lesson)
            .contains(",yes")
    );
}

#[test]
fn the_plot_of_a_card_is_shown_and_framed_while_it_is_explained() {
    let mut harness = window_at("incident", "12:25:20");
    perform(&mut harness, Command::Panel("lesson"));
    let lesson = harness.state().state().lesson.clone().expect("a lesson");
    let card = &lesson.cards[1];
    assert_eq!(card.plot, "queue");
    let (shown, framed) = (
        "plot: Waiting at servers",
        "plot: Waiting at servers, explains the answer",
    );
    let plots = "plot: Response time";
    // Whoever hides all plots gets them back for it.
    perform(&mut harness, Command::Panel("plots"));
    assert!(harness.query_by_label(plots).is_none());
    perform(&mut harness, Command::Answer(1, 2, true));
    let go = |harness: &mut Harness<'static, App>, at: &str| {
        let at = dialog::moment(harness.state().state(), at).expect("a moment");
        perform(harness, Command::Seek(at));
    };
    go(&mut harness, "12:30");
    assert!(
        harness.query_by_label_contains(shown).is_none(),
        "it is not time yet"
    );
    go(&mut harness, "12:30:32");
    assert!(harness.query_by_label(&card.explain).is_some());
    assert!(harness.query_by_label(plots).is_some(), "the panel is open");
    assert!(
        harness.query_by_label(framed).is_some(),
        "the plot is framed"
    );
    let said = text::everything(harness.state().state());
    assert!(said.contains("see the plot: Waiting at servers"));
    go(&mut harness, "12:30:44");
    assert!(
        harness.query_by_label_contains(shown).is_none(),
        "gone with its card"
    );
    let settings = &harness.state().state().settings;
    assert!(
        !settings.plots.iter().any(|plot| plot == "queue"),
        "not chosen for good"
    );
}

#[test]
fn a_plot_that_is_shown_anyway_is_framed_in_its_place() {
    let mut harness = window_at("incident", "12:20");
    perform(&mut harness, Command::Panel("lesson"));
    perform(&mut harness, Command::Answer(0, 1, true));
    assert!(
        harness
            .query_by_label("plot: Requests/s to servers")
            .is_some()
    );
    perform(&mut harness, Command::SeekBy(300.0));
    let framed = "plot: Requests/s to servers, explains the answer";
    assert_eq!(harness.query_all_by_label(framed).count(), 1);
    assert!(
        harness
            .query_by_label("plot: Requests/s to servers")
            .is_none()
    );
}
