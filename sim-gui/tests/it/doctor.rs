//! The doctor beside the lines: what the window finds is what the command finds.

use crate::screen::{opening, perform, window};
use egui_kittest::{Harness, kittest::Queryable as _};
use sim_core::doctor::{Finding, Outcome, examine};
use sim_core::experiment::Control;
use sim_core::scenario::{NoFiles, Scenario, Source};
use sim_gui::App;
use sim_gui::command::Command;
use sim_gui::doctor::Examined;
use sim_gui::experiment::{Found, Over, Prepared, Runner, runner};
use std::num::NonZeroUsize;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

/// One server of three gets nearly all, in line 11.
pub(crate) const SHOP: &str = "horizon = \"40s\"
warm_up = \"10s\"
traffic = [{ to = \"web\", rate = 60, client = { timeout = \"1s\", cancel = true } }]
[service.web]
demand = { kind = \"exponential\", mean = \"50ms\" }
balancer = { policy = \"weighted-round-robin\", health = [\"checks\"] }
[[service.web.server]]
name = \"a\"
workers = 2
queue = { limit = 20 }
weight = 40
[[service.web.server]]
name = \"b\"
count = 2
like = \"a\"
weight = 1
";

/// What comes out, to the last digit.
fn words(found: &[Finding]) -> Vec<String> {
    found.iter().map(|finding| format!("{finding:?}")).collect()
}

/// What the command finds in a text.
fn by_the_core(text: &str) -> Vec<Finding> {
    let read =
        |sets: &[(String, String)]| Scenario::read(Source::new("s.toml", text), sets, &NoFiles);
    let cancel = AtomicBool::new(false);
    let control = Control::new(NonZeroUsize::MIN, &cancel, &|_| {});
    examine(&read, 5, &control).unwrap_or_else(|problems| panic!("{problems}"))
}

/// A window with a text that is not a file.
fn window_of(text: &str) -> Harness<'static, App> {
    let mut harness = window(opening("first"));
    perform(&mut harness, Command::OpenText(text.to_owned()));
    harness
}

fn examined<'h>(harness: &'h Harness<'_, App>) -> &'h Examined {
    let doctor = harness.state().state().doctor.as_ref();
    doctor.expect("it was asked for")
}

/// Asks the doctor, and waits for all that it finds.
fn ask(harness: &mut Harness<'static, App>) {
    perform(harness, Command::Doctor);
    while examined(harness).is_running() {
        harness.run_steps(1);
    }
    harness.run_steps(3);
}

#[test]
fn what_the_window_finds_is_what_the_command_finds() {
    let expected = words(&by_the_core(SHOP));
    let mut harness = window_of(SHOP);
    ask(&mut harness);
    assert_eq!(words(examined(&harness).findings()), expected);
    // On threads as in slices.
    let (_, prepared) =
        Examined::of(Source::new("s.toml", SHOP)).unwrap_or_else(|problems| panic!("{problems}"));
    let mut threaded = runner::Threaded::start(&prepared, Arc::new(|| {}));
    loop {
        let Some(report) = threaded.poll(Duration::ZERO) else {
            std::thread::yield_now();
            continue;
        };
        if report.over.is_some() {
            assert_eq!(report.over, Some(Over::Complete));
            assert_eq!(report.progress.done, prepared.runs());
            let Found::Examined(found) = report.found else {
                panic!("nothing else is found");
            };
            assert_eq!(words(&found), expected);
            break;
        }
    }
}

#[test]
fn a_finding_stands_beside_its_line_and_is_mended_there() {
    let mut harness = window_of(SHOP);
    ask(&mut harness);
    let (number, finding) = examined(&harness).dangerous().next().expect("one");
    assert_eq!((number, finding.rule.id), (0, "weight-skew"));
    assert_eq!(examined(&harness).line(finding), Some(11));
    let gain = finding.words().pop().expect("a gain");
    assert!(
        harness.query_by_label(&gain).is_some(),
        "{gain:?} is listed"
    );
    harness
        .get_by_label_contains("line 11: weight-skew")
        .click();
    harness.run_steps(3);
    // In the list, and beside the line.
    assert_eq!(harness.query_all_by_label(&gain).count(), 2);
    harness.state_mut().perform(Command::Escape);
    harness.state_mut().perform(Command::Mend(number));
    harness.run_steps(3);
    assert!(examined(&harness).stale);
    let mark = harness.query_by_label_contains("line 11: weight-skew");
    assert!(mark.is_none(), "lines of another text are not marked");
    harness
        .get_all_by_label("Run")
        .next()
        .expect("a button")
        .click();
    harness.run_steps(3);
    let text = &harness.state().state().source.text;
    assert_eq!(*text, SHOP.replace("weight = 40", "weight = 1"));
}

#[test]
fn what_is_edited_is_stale_until_it_is_taken_back() {
    let mut harness = window_of(SHOP);
    ask(&mut harness);
    perform(
        &mut harness,
        Command::OpenText(SHOP.replace("rate = 60", "rate = 61")),
    );
    assert!(examined(&harness).stale);
    // Above the text, and above the list.
    assert_eq!(harness.query_all_by_label("Examine again").count(), 2);
    perform(&mut harness, Command::OpenText(SHOP.to_owned()));
    assert!(!examined(&harness).stale);
    // Findings of another scenario mean nothing here; opened twice, since the text is not saved.
    for _ in 0..2 {
        perform(&mut harness, Command::OpenModel("mm1".to_owned()));
    }
    assert_eq!(harness.state().state().name, "mm1");
    assert!(harness.state().state().doctor.is_none());
}

#[test]
fn it_is_stopped_and_what_was_tried_is_kept() {
    let mut harness = window_of(&SHOP.replace("40s", "1h"));
    perform(&mut harness, Command::Doctor);
    perform(&mut harness, Command::StopDoctor);
    assert_eq!(examined(&harness).report.over, Some(Over::Stopped));
    let mut found = examined(&harness).findings().iter();
    assert!(found.any(|finding| finding.outcome == Outcome::Interrupted));
    assert!(examined(&harness).headline().contains("not tried"));
}

#[test]
fn where_nothing_is_dangerous_a_sentence_says_so() {
    let mut harness = window_of(&SHOP.replace("weight = 40", "weight = 1"));
    ask(&mut harness);
    assert_eq!(examined(&harness).dangerous().count(), 0);
    let words = examined(&harness).headline();
    assert!(words.starts_with("nothing dangerous found"), "{words}");
    assert!(harness.query_all_by_label(&words).count() > 0);
}

#[test]
fn a_text_with_problems_is_not_examined() {
    let mut harness = window_of(SHOP);
    let broken = SHOP.replace("horizon", "horizom");
    let refused = Examined::of(Source::new("s.toml", broken)).map(|(_, prepared)| {
        let Prepared::Examination(examination) = prepared else {
            panic!("nothing else is made");
        };
        examination.runs()
    });
    assert!(refused.is_err());
    perform(&mut harness, Command::StopDoctor);
    let message = harness.state().state().message.clone().expect("words").0;
    assert!(message.contains("not looking"), "{message}");
}
