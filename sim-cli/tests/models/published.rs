//! The table of studies in the book, "published against measured", and whether it is true.
//!
//! What was published stands in the study, behind what it expects:
//! `that = "…"   # published: 2.6454`. The table is written anew by
//! `UPDATE_STUDIES=1 cargo test -p sim-cli --test models published`, which takes ten
//! replications of each study. Without that the replication that `stampede run` shows is compared with
//! the page, and that the others held; with `CHECK_STUDIES=1` everything is.

use crate::{MODELS, studies};
use sim_core::engine::Simulation;
use sim_core::experiment::Measure;
use sim_core::model::Model;
use sim_core::scenario::Scenario;
use sim_core::statistics::{Estimate, mean};
use sim_core::summary::Summary;
use std::fmt::Write as _;
use std::sync::Arc;
use std::{env, fs};

const PAGE: &str = concat!(
    env!("CARGO_MANIFEST_DIR"),
    "/../docs/src/explanation/published-tables.md"
);
const BEGIN: &str =
    "<!-- The table of studies is generated: sim-cli/tests/models/published.rs says how. -->\n";
const END: &str = "<!-- End of the table of studies. -->\n";
const REPLICATIONS: u64 = 10;

/// A published figure of a study.
struct Claim {
    /// The expectation, and the part of it before the comparison.
    that: String,
    figure: String,
    published: String,
}

/// What a replication says of a claim.
struct Seen {
    value: Option<f64>,
    actual: String,
    holds: bool,
}

fn claims(text: &str) -> Vec<Claim> {
    let claim = |line: &str| {
        let (that, rest) = line.strip_prefix("that = \"")?.split_once('"')?;
        let published = rest.trim().strip_prefix("# published: ")?;
        let ends = [" in ", " < ", " > ", " == ", " during "];
        let end = ends.iter().filter_map(|end| that.find(end)).min()?;
        Some(Claim {
            that: that.to_owned(),
            figure: that[..end].to_owned(),
            published: published.to_owned(),
        })
    };
    text.lines().filter_map(claim).collect()
}

/// What each of the first replications says of each claim.
fn replications(study: &str, claims: &[Claim], count: u64) -> (Arc<Model>, Vec<Vec<Seen>>) {
    let source = MODELS.find(study).expect("listed");
    let scenario = Scenario::read(source, &[], &MODELS).expect("valid");
    let model = Arc::new(scenario.model().expect("valid"));
    let hash = scenario.hash();
    let of = |replication| {
        let mut simulation = Simulation::new(model.clone(), replication);
        simulation.run();
        let summary = Summary::of(&simulation, hash);
        let seen = |claim: &Claim| {
            let checked = summary.expectations.iter().find(|e| e.that == claim.that);
            let checked = checked.expect("as written in the scenario");
            Seen {
                value: summary.figure(&claim.figure),
                actual: checked.actual.clone(),
                holds: checked.passed,
            }
        };
        claims.iter().map(seen).collect()
    };
    // Two at a time, as everywhere in these tests.
    let mut all: Vec<Vec<Seen>> = Vec::new();
    for pair in (0..count).collect::<Vec<_>>().chunks(2) {
        std::thread::scope(|scope| {
            let run = |r: &u64| {
                let r = *r;
                let of = &of;
                scope.spawn(move || of(r))
            };
            let running: Vec<_> = pair.iter().map(run).collect();
            all.extend(running.into_iter().map(|r| r.join().expect("no panic")));
        });
    }
    (model, all)
}

/// Mean and interval over replications, where the figure is one of the summary, and how many held.
fn together(model: &Model, figure: &str, seen: &[&Seen]) -> String {
    let held = seen.iter().filter(|seen| seen.holds).count();
    let held = if held == seen.len() {
        "all hold".to_owned()
    } else {
        format!("{held} hold")
    };
    let values: Option<Vec<f64>> = seen.iter().map(|seen| seen.value).collect();
    let (Ok(measure), Some(values)) = (Measure::parse(figure, model), values) else {
        return held;
    };
    match mean(&values, 0.95) {
        Estimate::Interval(interval) if interval.half_width() > 0.0 => {
            let half = interval.half_width();
            let ends = (interval.mean - half, interval.mean + half);
            let (mean, interval) = measure.interval_text(interval.mean, ends);
            format!("{mean} {interval}, {held}")
        }
        _ => format!("{} each, {held}", measure.text(values[0])),
    }
}

/// The rows of the table, each in two parts: up to the last column, and that.
fn rows(count: u64) -> Vec<(String, String)> {
    let mut rows = Vec::new();
    for study in studies::names() {
        let claims = claims(&MODELS.find(study).expect("listed").text);
        assert!(
            !claims.is_empty(),
            "{study} does not say what was published"
        );
        let (model, seen) = replications(study, &claims, count);
        for (at, claim) in claims.iter().enumerate() {
            let all: Vec<&Seen> = seen.iter().map(|run| &run[at]).collect();
            let first = format!(
                "| `{study}` | `{}` | {} | {} |",
                claim.that, claim.published, all[0].actual
            );
            rows.push((first, together(&model, &claim.figure, &all)));
        }
    }
    rows
}

#[test]
fn published_against_measured_is_what_comes_out() {
    let page = fs::read_to_string(PAGE).expect("the page");
    let (before, rest) = page.split_once(BEGIN).expect("the table begins");
    let (table, after) = rest.split_once(END).expect("the table ends");
    let update = env::var_os("UPDATE_STUDIES").is_some();
    if update || env::var_os("CHECK_STUDIES").is_some() {
        let mut fresh = String::from(
            "\n| study | expected | published | its run | ten runs |\n|---|---|---|---|---|\n",
        );
        for (first, last) in rows(REPLICATIONS) {
            writeln!(fresh, "{first} {last} |").expect("a string takes all");
        }
        fresh.push('\n');
        if update {
            fs::write(PAGE, [before, BEGIN, &fresh, END, after].concat()).expect("the page");
        } else {
            assert_eq!(table, fresh, "UPDATE_STUDIES=1 writes it anew");
        }
        return;
    }
    let written: Vec<&str> = table.lines().filter(|l| l.starts_with("| `")).collect();
    let rows = rows(1);
    assert_eq!(written.len(), rows.len(), "UPDATE_STUDIES=1 writes it anew");
    for (written, (first, _)) in written.iter().zip(&rows) {
        assert!(
            written.starts_with(first.as_str()),
            "{written}\nis not\n{first} …; UPDATE_STUDIES=1 writes it anew"
        );
        assert!(
            written.ends_with("all hold |") || written.ends_with("9 hold |"),
            "{written}: fewer than nine of ten"
        );
    }
}
