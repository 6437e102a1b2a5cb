//! Who drives playback: nobody is kept waiting, and what breaks is said.

#![expect(
    clippy::disallowed_methods,
    reason = "how long somebody is kept is a matter of the clock on the wall"
)]

use crate::playback::{at, scenario};
use sim_core::scenario::Scenario;
use sim_gui::MODELS;
use sim_gui::playback::worker::{Sliced, Threaded, Worker};
use sim_gui::playback::{Edit, Edited, Report, Request};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant as Wall};

const SLICE: Duration = Duration::from_millis(7);

fn incident() -> Scenario {
    Scenario::read(MODELS.find("incident").expect("a model"), &[], &MODELS).expect("valid")
}

fn weight(value: &str) -> Edit {
    Edit::set("service.web.server.web-1.weight", value)
}

fn edited(minutes: u64, edit: Edit) -> Edited {
    let at = at(60 * minutes);
    Edited { at, edit }
}

/// Polls until all is done; the longest poll beside the report.
fn settle(worker: &mut Sliced) -> (Report, Duration) {
    let mut longest = Duration::ZERO;
    for _ in 0..20_000 {
        let begin = Wall::now();
        let report = worker.poll(SLICE);
        longest = longest.max(begin.elapsed());
        if let Some(report) = report.filter(|report| report.settled) {
            return (report, longest);
        }
    }
    panic!("it is never done");
}

#[test]
fn requests_never_keep_whoever_has_no_threads() {
    let mut worker = Sliced::start(incident()).expect("valid");
    settle(&mut worker);
    let add = Edit::add("service.web.server.web-9", "web-2");
    let begin = Wall::now();
    worker.send(Request::Replay(vec![
        edited(20, weight("3")),
        edited(40, add),
    ]));
    worker.send(Request::Step);
    worker.send(Request::Undo);
    worker.send(Request::Redo);
    worker.send(Request::Seek(at(3600)));
    worker.send(Request::Edit(vec![weight("5")]));
    let sent = begin.elapsed();
    assert!(sent < Duration::from_millis(100), "{sent:?}");
    let (report, longest) = settle(&mut worker);
    // Some slices over: another program may have the machine for a while.
    assert!(longest < 20 * SLICE, "{longest:?}");
    let from: Vec<u64> = report
        .branches
        .iter()
        .map(|b| b.from.0 / 60_000_000_000)
        .collect();
    assert_eq!(from, [0, 20, 40, 60]);
    assert_eq!(
        report.branches[3].parent,
        Some(1),
        "of the one that is the main one"
    );
    assert_eq!(report.transport.goal, report.branches[3].from);
}

#[test]
fn what_is_asked_for_meanwhile_is_done_in_its_order() {
    let mut worker = Sliced::start(incident()).expect("valid");
    worker.send(Request::Seek(at(1800)));
    worker.send(Request::Edit(vec![weight("3")]));
    worker.send(Request::Seek(at(3000)));
    worker.send(Request::Seek(at(2400)));
    worker.send(Request::Edit(vec![weight("4")]));
    worker.send(Request::Close(0));
    worker.send(Request::Undo);
    worker.send(Request::Seek(at(60)));
    let (report, _) = settle(&mut worker);
    assert_eq!(report.branches.len(), 2);
    assert_eq!(report.branches[1].from.0 / 1_000_000_000, 1800);
    assert_eq!(report.transport.goal, at(60));
    assert_eq!(report.views[0].at, at(60));
    assert_eq!(report.edits_seen, 2);
}

#[test]
fn a_thread_that_breaks_says_so() {
    let breaks = Arc::new(AtomicBool::new(false));
    let broken = Arc::clone(&breaks);
    let waker = move || assert!(!broken.load(Ordering::Relaxed), "broken on purpose");
    let mut worker = Threaded::start(scenario(), Arc::new(waker)).expect("valid");
    assert!(!worker.is_broken());
    breaks.store(true, Ordering::Relaxed);
    worker.send(Request::Seek(at(300)));
    let begin = Wall::now();
    while !worker.is_broken() {
        assert!(
            begin.elapsed() < Duration::from_secs(20),
            "it is never said"
        );
        worker.poll(SLICE);
    }
    assert!(!worker.is_busy(), "nothing is to be expected any more");
}
