//! Every knob bites: each key of a scenario changes something when it is changed.
//!
//! The keys come from the same table that the parser and the reference are made from, so that a
//! key without an entry here fails the test.

mod bases;
mod table;

use bases::plain;
use sim_core::engine::Simulation;
use sim_core::scenario::{Files, NoFiles, Problems, Scenario, Source, keys};
use sim_core::summary::Summary;
use std::fmt::Write as _;
use std::sync::Arc;
use table::{Change, Knob, Level};

/// What somebody can see of a scenario and its run, from what happens to mere words.
#[derive(PartialEq)]
struct Seen {
    digest: u64,
    report: String,
    words: String,
}

fn see(scenario: &Scenario) -> Result<Seen, Problems> {
    let model = scenario.model()?;
    let (clock, interval) = (model.clock, model.recording);
    let mut simulation = Simulation::new(Arc::new(model), 0);
    simulation.run();
    let summary = Summary::of(&simulation, 0);
    let mut report = summary.to_json();
    let log = simulation.recorder_mut().take_log();
    let _ = write!(report, "{interval:?} {log:?}");
    for event in simulation.recorder().event_log() {
        let _ = write!(report, "{event:?}");
    }
    Ok(Seen {
        digest: simulation.digest(),
        report: report.replace(&summary.digest, ""),
        words: format!("{clock:?} {}", scenario.to_toml()),
    })
}

/// A base for the scenario that is laid upon it, and rules.
struct Base;

impl Files for Base {
    fn read(&self, name: &str) -> Result<Source, String> {
        if let Some(metric) = name.strip_suffix(".yml") {
            let rules = format!(
                "groups: [{{ name: g, rules: [{{ alert: There, expr: {metric} >= 0 }}] }}]"
            );
            return Ok(Source::new(name, rules));
        }
        let rate = if name == "busy" { 150 } else { 90 };
        Ok(Source::new(name, plain(rate)))
    }
}

/// What is seen of a text with sets.
fn read(text: &str, sets: &[(String, String)]) -> Result<Seen, Problems> {
    see(&Scenario::read(Source::new("s.toml", text), sets, &Base)?)
}

/// What is seen with the old value and with the new one.
fn both(knob: &Knob) -> Result<(Seen, Seen), Problems> {
    let common: Vec<(String, String)> = knob
        .with
        .iter()
        .map(|(path, value)| ((*path).to_owned(), (*value).to_owned()))
        .collect();
    match &knob.change {
        Change::Set(path, old, new) => {
            let with = |value: &str| {
                let mut sets = common.clone();
                if !value.is_empty() {
                    sets.push((path.clone(), value.to_owned()));
                }
                read(&knob.base, &sets)
            };
            Ok((with(old)?, with(new)?))
        }
        Change::Text(old, new) => {
            assert!(knob.base.contains(old.as_str()), "no {old:?} to change");
            let changed = knob.base.replacen(old.as_str(), new, 1);
            Ok((read(&knob.base, &common)?, read(&changed, &common)?))
        }
    }
}

fn check(knob: &Knob, wrong: &mut Vec<String>) {
    let place = format!("{} {}", knob.path, knob.kind);
    let (old, new) = match both(knob) {
        Err(problems) if knob.level == Level::Refused && problems.has("E017") => return,
        Ok(seen) => seen,
        Err(problems) => return wrong.push(format!("{place}: {problems}")),
    };
    let bites = match knob.level {
        Level::Run => old.digest != new.digest,
        Level::Report => old.report != new.report,
        Level::Words => old.words != new.words,
        Level::Refused => false,
    };
    if !bites {
        wrong.push(format!("{place}: {:?} changes nothing", knob.change));
    }
    if knob.level != Level::Run && old.digest != new.digest {
        wrong.push(format!("{place}: {:?} changes the run", knob.change));
    }
}

#[test]
fn every_knob_bites() {
    let knobs = table::knobs();
    let mut wrong = Vec::new();
    for row in keys() {
        let kind = row
            .about
            .strip_prefix("With `")
            .and_then(|a| a.split('`').next());
        let kind = kind.unwrap_or("");
        let known: Vec<&Knob> = knobs
            .iter()
            .filter(|k| k.path == row.path && (k.kind == kind || k.kind.is_empty()))
            .collect();
        if known.is_empty() {
            wrong.push(format!("{} {kind}: no entry", row.path));
        }
        for knob in known {
            check(knob, &mut wrong);
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn no_entry_is_for_a_key_that_is_gone() {
    for knob in table::knobs() {
        assert!(
            keys().iter().any(|row| row.path == knob.path),
            "{} is no key",
            knob.path
        );
    }
}

#[test]
fn a_key_that_cannot_be_set_says_so() {
    let sets = [("service.web.server.b.like".to_owned(), "a".to_owned())];
    assert!(Scenario::read(Source::new("s.toml", plain(90)), &sets, &NoFiles).is_err());
}
