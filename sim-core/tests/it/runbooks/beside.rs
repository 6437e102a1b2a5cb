//! Steps of runbooks beside the time line and deployments: each changes what it names, in whatever state it finds the
//! system. What has become of the settings is seen by the requests, which fare as in a run that has them from the start.

use crate::support::{log, run, times, told};
use sim_core::event_log::Kind;
use sim_core::outcome::Outcome;

/// Ten requests a second, of which half fail at first; somebody is called at 20 s and knows at 220 s what to do.
fn shop(entries: &[(u32, &str)], step: &str) -> String {
    let entries: Vec<String> = (entries.iter())
        .map(|(at, what)| format!("[[timeline]]\nname = \"at-{at}\"\nat = \"{at}s\"\n{what}\n"))
        .collect();
    let entries = entries.concat();
    format!(
        "horizon = \"900s\"\nrecord = {{ every_nth_request = 1 }}\n\
         traffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = 10 }}]\n\
         client = {{ timeout = \"1s\", retry = {{ kind = \"fixed\", attempts = 2, pause = \"10ms\" }} }}\n\
         [service.web]\ndemand = {{ kind = \"lognormal\", mean = \"5ms\", cv = 1.0 }}\n\
         server = [{{ name = \"w\", workers = 4, errors = {{ rate = 0.5 }} }}]\n\
         {entries}[monitoring]\nscrape = \"10s\"\n\
         [[alert]]\nname = \"busy\"\nwhen = \"offered_hz > 0\"\nover = \"20s\"\n\
         [[runbook]]\nname = \"book\"\non = \"busy\"\ndiagnose = \"200s\"\n[[runbook.step]]\n{step}\n"
    )
}

const NOTHING: &str = "do = \"note\"\nnote = \"nothing\"";

fn set(sets: &[(&str, &str)]) -> String {
    let sets: Vec<String> = (sets.iter())
        .map(|(path, value)| format!("\"{path}\" = {value}"))
        .collect();
    format!("set = {{ {} }}", sets.join(", "))
}

/// How each request fared that came within some seconds.
fn fared(text: &str, from: u64, to: u64) -> Vec<(u64, Outcome, u64, u32)> {
    let rows = log(text).into_iter();
    rows.filter(|row| (from..to).contains(&(row.arrived_ns / 1_000_000_000)))
        .map(|row| {
            let lasted = row.ended_ns - row.arrived_ns;
            (row.number, row.outcome, lasted, row.attempts)
        })
        .collect()
}

/// Within some seconds the settings are as first written, but for these.
fn holds(text: &str, from: u64, to: u64, sets: &[(&str, &str)]) {
    let expected = shop(&[(1, &set(sets))], NOTHING);
    assert!(
        fared(text, from, to) == fared(&expected, from, to),
        "from {from} s to {to} s not as {sets:?} in\n{text}"
    );
    // Each of them is seen.
    for left_out in 0..sets.len() {
        let mut fewer = sets.to_vec();
        fewer.remove(left_out);
        let without = if fewer.is_empty() {
            shop(&[], NOTHING)
        } else {
            shop(&[(1, &set(&fewer))], NOTHING)
        };
        assert!(
            fared(text, from, to) != fared(&without, from, to),
            "nobody sees {:?}",
            sets[left_out]
        );
    }
}

/// Settings that stand together: two values of one, and a value of the other.
const TOGETHER: &[[&str; 5]] = &[
    // Keys of a table.
    [
        "service.web.server.w.errors.rate",
        "0.2",
        "0.8",
        "service.web.server.w.errors.demand",
        "\"40ms\"",
    ],
    // Parameters of a row.
    [
        "client.retry.attempts",
        "3",
        "4",
        "client.retry.pause",
        "\"50ms\"",
    ],
    [
        "service.web.demand.mean",
        "\"10ms\"",
        "\"20ms\"",
        "service.web.demand.cv",
        "0.1",
    ],
];

#[test]
fn a_step_leaves_alone_what_stands_beside_what_it_sets() {
    for [x, one, two, y, value] in TOGETHER {
        let entry = |value| set(&[(x, value)]);
        let step = set(&[(y, value)]);
        // Both entries before the step, in either order.
        for (first, last) in [(one, two), (two, one)] {
            let text = shop(&[(100, &entry(first)), (150, &entry(last))], &step);
            holds(&text, 110, 140, &[(x, first)]);
            holds(&text, 160, 200, &[(x, last)]);
            holds(&text, 250, 900, &[(x, last), (y, value)]);
        }
        // One before and one after it: it brings nothing of what is to come, and what comes takes nothing of it away.
        for (first, last) in [(one, two), (two, one)] {
            let text = shop(&[(100, &entry(first)), (500, &entry(last))], &step);
            holds(&text, 250, 490, &[(x, first), (y, value)]);
            holds(&text, 510, 900, &[(x, last), (y, value)]);
        }
        // Both after it.
        let text = shop(&[(400, &entry(one)), (500, &entry(two))], &step);
        holds(&text, 250, 390, &[(y, value)]);
        holds(&text, 410, 490, &[(x, one), (y, value)]);
        holds(&text, 510, 900, &[(x, two), (y, value)]);
    }
}

#[test]
fn what_is_undone_is_what_the_entry_set() {
    for [x, one, two, y, value] in TOGETHER {
        let (push, beside) = (set(&[(y, value)]), |value| set(&[(x, value)]));
        let entries = [(100, &*push), (150, &*beside(one)), (500, &*beside(two))];
        let text = shop(&entries, "undo = \"at-100\"");
        holds(&text, 160, 200, &[(x, one), (y, value)]);
        holds(&text, 250, 490, &[(x, one)]);
        holds(&text, 510, 900, &[(x, two)]);
    }
}

const RATE: &str = "service.web.server.w.errors.rate";
const DEMAND: &str = "service.web.server.w.errors.demand";
const SPEED: &str = "service.web.server.w.speed";

fn deploy(sets: &[(&str, &str)], more: &str) -> String {
    let sets = set(sets);
    format!("do = \"deploy\"\ntarget = \"service.web.server\"\n{sets}\n{more}")
}

#[test]
fn a_release_leaves_alone_what_a_step_has_set() {
    let release = deploy(&[(RATE, "0.2")], "");
    let later = set(&[(SPEED, "2")]);
    let text = shop(
        &[(300, &release), (500, &later)],
        &set(&[(DEMAND, "\"40ms\"")]),
    );
    holds(&text, 250, 290, &[(DEMAND, "\"40ms\"")]);
    holds(&text, 320, 490, &[(DEMAND, "\"40ms\""), (RATE, "0.2")]);
    let all = [(DEMAND, "\"40ms\""), (RATE, "0.2"), (SPEED, "2")];
    holds(&text, 510, 900, &all);
    // What the release names goes out with it, whatever a step has made of it before.
    let text = shop(&[(300, &release), (500, &later)], &set(&[(RATE, "0.9")]));
    holds(&text, 250, 290, &[(RATE, "0.9")]);
    holds(&text, 320, 490, &[(RATE, "0.2")]);
    holds(&text, 510, 900, &[(RATE, "0.2"), (SPEED, "2")]);
}

#[test]
fn a_step_after_a_release_stays_when_the_time_line_goes_on() {
    let release = deploy(&[(RATE, "0.2")], "");
    let later = set(&[(SPEED, "2")]);
    let text = shop(&[(100, &release), (500, &later)], &set(&[(RATE, "0.9")]));
    holds(&text, 110, 200, &[(RATE, "0.2")]);
    holds(&text, 250, 490, &[(RATE, "0.9")]);
    holds(&text, 510, 900, &[(RATE, "0.9"), (SPEED, "2")]);
}

#[test]
fn a_release_that_goes_back_leaves_what_was_there_before() {
    let canary = "canary = { servers = 1, watch = \"30s\", failed = 0.6 }";
    let release = deploy(&[(RATE, "0.9")], canary);
    let sets = [(RATE, "0.2"), (DEMAND, "\"40ms\"")];
    let text = shop(&[(300, &release)], &set(&sets));
    assert_eq!(times(&run(&text), Kind::Rollback).len(), 1);
    holds(&text, 250, 290, &sets);
    holds(&text, 310, 325, &[(RATE, "0.9"), (DEMAND, "\"40ms\"")]);
    holds(&text, 350, 900, &sets);
}

#[test]
fn a_release_is_undone_and_nothing_else_is() {
    let release = deploy(&[(RATE, "0.2")], "");
    let (between, later) = (set(&[(SPEED, "2")]), set(&[(DEMAND, "\"40ms\"")]));
    let entries = [(100, &*release), (150, &*between), (500, &*later)];
    let text = shop(&entries, "undo = \"at-100\"");
    holds(&text, 160, 200, &[(RATE, "0.2"), (SPEED, "2")]);
    holds(&text, 250, 490, &[(SPEED, "2")]);
    holds(&text, 510, 900, &[(SPEED, "2"), (DEMAND, "\"40ms\"")]);
}

#[test]
fn what_has_not_come_yet_is_not_undone() {
    let words = "at-500 has not come yet: nothing to undo";
    let push = set(&[(RATE, "0.2")]);
    let deploy = deploy(&[(RATE, "0.2")], "");
    let at_once = "undo = \"at-500\"";
    let one_by_one = "undo = \"at-500\"\nevery = \"5s\"";
    for (what, step) in [(&push, at_once), (&push, one_by_one), (&deploy, at_once)] {
        // An entry before it, whose value must stay.
        let text = shop(&[(100, &set(&[(RATE, "0.8")])), (500, what)], step);
        holds(&text, 250, 490, &[(RATE, "0.8")]);
        holds(&text, 520, 900, &[(RATE, "0.2")]);
        let run = run(&text);
        let notes: Vec<String> = (told(&run, Kind::Note).into_iter())
            .map(|(.., cause)| cause)
            .collect();
        assert_eq!(notes, [words], "{step}");
        assert_eq!(times(&run, Kind::Handled).len(), 1);
    }
}

#[test]
fn weights_can_change_places() {
    let text = "horizon = \"300s\"\ntraffic = [{ to = \"web\", rate = 10 }]\n\
         [service.web]\ndemand = \"5ms\"\n\
         server = [{ name = \"blue\", workers = 2 }, { name = \"green\", workers = 2, weight = 0 }]\n\
         [monitoring]\nscrape = \"10s\"\n\
         [[alert]]\nname = \"busy\"\nwhen = \"offered_hz > 0\"\nover = \"20s\"\n\
         [[runbook]]\nname = \"book\"\non = \"busy\"\n[[runbook.step]]\n\
         set = { \"service.web.server.blue.weight\" = 0, \"service.web.server.green.weight\" = 1 }\n";
    let run = run(text);
    assert_eq!(times(&run, Kind::Set).len(), 1);
    // Nobody stays as it is because the other one is without weight for a moment.
    assert!(times(&run, Kind::Note).is_empty());
}
