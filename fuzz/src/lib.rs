//! What must hold of any bytes: they are read or refused with reasons, and what was read runs.
//!
//! `cargo +nightly fuzz run scenario` drives these functions by coverage; `sim-core/tests/it/fuzz.rs`
//! holds the same functions and drives them with every build, on any compiler.

use sim_core::engine::Simulation;
use sim_core::experiment::sweep::{Header, Journal, Plan, Shard};
use sim_core::load::remarks;
use sim_core::scenario::{Files, Problems, Scenario, Source};
use sim_core::summary::Summary;
use std::sync::Arc;

/// Events after which a run has shown that it runs.
const EVENTS: u64 = 3000;

/// A scenario with something of everything, upon which paths are set.
const BASE: &str = include_str!("../corpus/scenario/everything.toml");

/// A plan of four cells, whose journals are read.
const PLAN: &str = include_str!("../corpus/plan/four-cells.toml");

/// Other files: those that a scenario can name hold the same bytes.
struct Beside<'a>(&'a str);

impl Files for Beside<'_> {
    fn read(&self, name: &str) -> Result<Source, String> {
        let text = match name {
            "base.toml" => BASE,
            _ => self.0,
        };
        Ok(Source::new(name, text))
    }
}

/// A scenario's text, as TOML, or as JSON where it begins like that.
pub fn scenario(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let name = if text.trim_start().starts_with('{') {
        "fuzz.json"
    } else {
        "fuzz.toml"
    };
    let read = Scenario::read(Source::new(name, &*text), &[], &Beside("0.5\n1\n"));
    if let Some(scenario) = accepted(read) {
        runs(&scenario);
        let written = Source::new("fuzz.toml", scenario.to_toml());
        let again = Scenario::read(written, &[], &Beside("0.5\n1\n"));
        let again = again.unwrap_or_else(|why| panic!("cannot be read as it is written: {why}"));
        assert_eq!(again.hash(), scenario.hash(), "{}", scenario.to_toml());
    }
}

/// Arguments of `--set`, one in a line.
pub fn set(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let sets: Vec<(String, String)> = text
        .lines()
        .filter_map(|line| line.split_once('='))
        .map(|(path, value)| (path.to_owned(), value.to_owned()))
        .collect();
    let read = Scenario::read(Source::new("base.toml", BASE), &sets, &Beside("0.5\n1\n"));
    if let Some(scenario) = accepted(read) {
        runs(&scenario);
    }
}

/// The plan of a sweep.
pub fn plan(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    match Plan::read(&Source::new("plan.toml", &*text), &Beside(BASE)) {
        Err(why) => explained(&why),
        Ok(plan) => {
            assert!(plan.cells() > 0, "a plan without cells");
            for number in [0, plan.cells() / 2, plan.cells() - 1] {
                assert_eq!(plan.cell(number).number, number);
                match plan.model(number) {
                    Ok(model) => some_events(Simulation::new(Arc::new(model), 0)),
                    Err(why) => explained(&why),
                }
            }
            let header = Header::of(&plan, Shard::WHOLE).line();
            let journal = Journal::read(header.as_bytes(), &plan, None);
            assert!(journal.is_ok_and(|journal| journal.rows.is_empty()));
        }
    }
}

/// The file of a trace.
pub fn trace(data: &[u8]) {
    const TRACED: &str = r#"
        horizon = "10s"
        traffic = [{ to = "web", arrivals = { kind = "trace", file = "times.txt" } }]
        service.web = { demand = "10ms", server = [{ name = "a", workers = 1 }] }
    "#;
    let text = String::from_utf8_lossy(data);
    let read = Scenario::read(Source::new("traced.toml", TRACED), &[], &Beside(&text));
    if let Some(scenario) = accepted(read) {
        runs(&scenario);
    }
}

/// A journal: first as it is, then as lines under a right header, each with a right checksum.
pub fn journal(data: &[u8]) {
    let plan = Plan::read(&Source::new("plan.toml", PLAN), &Beside(BASE));
    let plan = plan.unwrap_or_else(|why| panic!("{why}"));
    let mut summed = Header::of(&plan, Shard::WHOLE).line().into_bytes();
    for line in data.split(|byte| *byte == b'\n') {
        summed.extend(format!("{:08x} ", crc32(line)).as_bytes());
        summed.extend_from_slice(line);
        summed.push(b'\n');
    }
    for bytes in [data, &summed] {
        for shard in [None, Some(Shard::WHOLE), Some(Shard { index: 1, of: 3 })] {
            match Journal::read(bytes, &plan, shard) {
                Err(why) => assert!(!why.to_string().is_empty()),
                Ok(journal) => {
                    assert!(journal.whole <= bytes.len() && journal.rows.len() <= plan.cells());
                    let again = Journal::read(&bytes[..journal.whole], &plan, shard);
                    let again = again.unwrap_or_else(|why| panic!("its whole lines: {why}"));
                    assert_eq!(again.rows.len(), journal.rows.len());
                }
            }
        }
    }
}

/// A scenario that was read, if a model can be made of it.
fn accepted(read: Result<Scenario, Problems>) -> Option<Scenario> {
    let built = read.and_then(|scenario| scenario.model().map(|_| scenario));
    built.map_err(|why| explained(&why)).ok()
}

/// Who is refused is told why.
fn explained(why: &Problems) {
    assert!(!why.problems.is_empty() && !why.to_string().is_empty());
    for problem in &why.problems {
        assert!(problem.code != "E099", "{why}");
    }
}

fn runs(scenario: &Scenario) {
    let model = scenario.model().unwrap_or_else(|why| panic!("{why}"));
    let _ = (remarks(&model), scenario.warnings());
    some_events(Simulation::new(Arc::new(model), 0));
}

/// A run, or its beginning: the books balance and the figures can be told.
fn some_events(mut simulation: Simulation) {
    simulation.run_events(EVENTS);
    let books = simulation.conservation();
    assert!(books.holds(), "{books:?}");
    assert!(!Summary::of(&simulation, 0).to_json().is_empty());
}

/// The checksum of journals (ISO-HDLC, as in zlib).
fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum: u32, _| {
            (sum >> 1) ^ (0xedb8_8320 * (sum & 1))
        })
    })
}
