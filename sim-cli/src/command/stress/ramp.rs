//! Load up, then down.

use super::{PLOT, REPLICATIONS, Subject, TABLE, patience};
use crate::args::StressArgs;
use crate::deliver::{Results, deliver, interrupted};
use crate::exit::{Exit, Failure};
use crate::experiment::conduct;
use crate::terminal::Out;
use serde::Serialize;
use sim_core::experiment::{Hysteresis, Ramp, Ramped, hysteresis};
use sim_core::metric::Unit;
use sim_core::plot::axis::Axis;
use sim_core::plot::lines::{Lines, Point, Series};
use sim_core::readable;
use sim_core::report::Picture;
use sim_core::report::sheet::{Block, Table};
use sim_core::statistics::{Estimate, mean};
use sim_core::text::Csv;
use sim_core::time::Duration;
use std::io::{self, Write};

/// Offered loads that a ramp goes through when no range is given.
const LOADS: (f64, f64) = (0.2, 1.2);

/// Steps when nothing is said.
const STEPS: u16 = 15;

pub(super) fn run(
    args: &StressArgs,
    subject: &Subject,
    quiet: bool,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let (low, high) = match &args.range {
        Some(range) if range.from <= 0.0 || !range.unit.is_empty() => {
            let message = "the factors of --range lie above 0 and have no unit";
            return Err(Failure::new(Exit::Usage, message));
        }
        Some(range) => (range.from, range.to),
        None => subject.factors_of_load(LOADS.0, LOADS.1)?,
    };
    let ramp = Ramp {
        low,
        high,
        steps: usize::from(args.steps.unwrap_or(STEPS)),
        hold: args
            .hold
            .unwrap_or(Duration((subject.model.horizon.0 / 10).max(1_000_000_000))),
        healthy: args.healthy,
    };
    // What cannot be ramped should be told before anything runs.
    let unfit = |why: String| {
        Failure::new(Exit::Usage, why).help("--hysteresis ramps rates that are constant")
    };
    ramp.model(&subject.model).map_err(unfit)?;
    let broken = args.until.iter();
    let broken: Result<Vec<_>, _> = broken
        .map(|text| subject.scenario.watched("--until", text))
        .collect();
    let broken = broken.map_err(super::invalid)?;
    let level = args.effort.level();
    let replications = args.effort.replications.unwrap_or(REPLICATIONS);
    let (found, host) = conduct(
        subject.scenario.name(),
        args.effort.threads,
        args.result.progress,
        (quiet, out),
        |control| {
            let runs = (0, replications);
            hysteresis(&subject.model, &ramp, &broken, runs, level, control)
        },
    )?;
    let found = found.map_err(unfit)?;
    let verdict = verdict(&found, subject);
    let exit = Exit::unless(found.interrupted);
    let about = (args, found.ramped.len() as u64, found.interrupted);
    let until = args.until.clone();
    let result = Walked {
        until,
        found: &found,
    };
    let report = subject.report("hysteresis", &verdict, about, result);
    let csv = |out: &mut dyn Write| write_csv(&found, subject, level, out);
    let results = Results {
        report: &report,
        tables: &[(TABLE, &csv)],
        svg: Some((PLOT, Picture::Lines(plot(&found, subject, level, &verdict)))),
        sheet: subject.sheet(
            "ramp up and down",
            blocks(&found, (&ramp, &args.until), subject, level, &verdict),
        ),
        scenario: Some(&subject.scenario),
        host,
        exit,
    };
    deliver(&args.result, results, (quiet, out))
}

/// An estimate of a factor as a rate.
fn rate(estimate: &Estimate, subject: &Subject) -> String {
    let base = sim_core::load::peak_rate_hz(&subject.model);
    match (estimate.interval(), estimate.mean()) {
        (Some(interval), _) => {
            let half = interval.half_width() * base;
            let (mean, half) = readable::with_half_width(Unit::Hertz, interval.mean * base, half);
            format!("{mean} ± {half}")
        }
        (None, Some(mean)) => subject.rate(mean),
        (None, None) => "–".to_owned(),
    }
}

/// The ramp's result in JSON.
#[derive(Serialize)]
struct Walked<'a> {
    until: Vec<String>,
    #[serde(flatten)]
    found: &'a Hysteresis,
}

fn verdict(found: &Hysteresis, subject: &Subject) -> String {
    let of = found.ramped.len();
    let broke = found.ramped.iter().filter(|r| r.broke()).count();
    let stuck = found
        .ramped
        .iter()
        .filter(|r| r.broke() && r.recovers.is_none())
        .count();
    let top = found.factors.last().copied().unwrap_or(0.0);
    let bottom = found.factors.first().copied().unwrap_or(0.0);
    let never_well = found.never_well();
    if of == 0 {
        return "interrupted before anything was found".to_owned();
    }
    // A few of them are beside the point; with many there is nothing to tell.
    if 2 * never_well > of {
        return format!(
            "not well at the lowest load tried, {}, in {never_well} of {of} replications: no breaking point in this range",
            subject.rate(bottom)
        );
    }
    match found.is_metastable() {
        None if never_well > 0 => format!(
            "{never_well} of {of} replications were not well even at {}, and the others never broke up to {}",
            subject.rate(bottom),
            subject.rate(top)
        ),
        None => format!("it never broke up to {}", subject.rate(top)),
        Some(_) if found.only_drains() && (stuck > 0 || found.is_wide()) => format!(
            "no metastability: it breaks at {} going up, and what waited then was still being worked off on every step down on which it was not well: a longer --hold lets it drain",
            rate(&found.breaks, subject)
        ),
        Some(_) if stuck > 0 => format!(
            "metastable: {broke} of {of} replications broke going up, and {stuck} did not recover down to {}",
            subject.rate(bottom)
        ),
        Some(true) => format!(
            "metastable: it breaks at {} going up and recovers at {} going down",
            rate(&found.breaks, subject),
            rate(&found.recovers, subject)
        ),
        Some(false) if broke < of => format!(
            "{broke} of {of} replications broke up to {}, and all recovered",
            subject.rate(top)
        ),
        Some(false) => format!(
            "no hysteresis beyond chance and the ramp's steps: it breaks at {} going up and recovers at {} going down",
            rate(&found.breaks, subject),
            rate(&found.recovers, subject)
        ),
    }
}

/// The share answered on a step over the replications.
fn on_step(found: &Hysteresis, step: usize, way: fn(&Ramped) -> &Vec<f64>, level: f64) -> Estimate {
    let shares: Vec<f64> = found.ramped.iter().map(|r| way(r)[step]).collect();
    mean(&shares, level).unless_same()
}

fn up(ramped: &Ramped) -> &Vec<f64> {
    &ramped.up
}

fn down(ramped: &Ramped) -> &Vec<f64> {
    &ramped.down
}

fn blocks(
    found: &Hysteresis,
    (ramp, until): (&Ramp, &[String]),
    subject: &Subject,
    level: f64,
    verdict: &str,
) -> Vec<Block> {
    let name = subject.scenario.name().to_owned();
    let mut blocks = vec![
        Block::Verdict(name, verdict.to_owned()),
        Block::Note(format!(
            "{} of {} up and down, {} on each · steps of {} · {} confidence · seed {}",
            readable::counted(found.ramped.len(), "replication"),
            readable::counted(found.factors.len(), "step"),
            readable::span(ramp.hold),
            subject.rate(found.step),
            readable::share(level),
            subject.model.seed
        )),
    ];
    if !until.is_empty() {
        blocks.push(Block::Sentence(format!(
            "broken when {}, on the second half of a step",
            until.join(" or ")
        )));
    }
    if !subject.model.timeline.is_empty() {
        let words = "the time line is left out: only the load changes";
        blocks.push(Block::Warning(words.to_owned()));
    }
    blocks.extend(patience(subject));
    blocks.extend(interrupted(found.interrupted));
    blocks.push(Block::Gap);
    let head = ["rate", "answered in time, going up", "going down"];
    let mut table = Table::new("Share answered in time, by the rate", &head);
    for (step, factor) in found.factors.iter().enumerate() {
        let share = |way: fn(&Ramped) -> &Vec<f64>| {
            let estimate = on_step(found, step, way, level);
            estimate.mean().map_or("–".to_owned(), readable::share)
        };
        let row = vec![subject.rate(*factor), share(up), share(down)];
        table.rows.push(row);
    }
    blocks.push(Block::Table(table));
    let plot = plot(found, subject, level, verdict);
    blocks.push(Block::Picture(Picture::Lines(plot)));
    blocks
}

fn write_csv(
    found: &Hysteresis,
    subject: &Subject,
    level: f64,
    out: &mut dyn Write,
) -> io::Result<()> {
    let base = sim_core::load::peak_rate_hz(&subject.model);
    let mut csv = Csv::new(out);
    csv.write_record([
        "factor",
        "rate_hz",
        "up",
        "up_low",
        "up_high",
        "down",
        "down_low",
        "down_high",
    ])?;
    for (step, factor) in found.factors.iter().enumerate() {
        let mut record = vec![factor.to_string(), (factor * base).to_string()];
        for way in [up, down] {
            let estimate = on_step(found, step, way, level);
            record.push(estimate.mean().map_or(String::new(), |m| m.to_string()));
            let interval = estimate.interval();
            record.push(interval.map_or(String::new(), |i| i.low.to_string()));
            record.push(interval.map_or(String::new(), |i| i.high.to_string()));
        }
        csv.write_record(&record)?;
    }
    csv.flush()
}

fn plot(found: &Hysteresis, subject: &Subject, level: f64, verdict: &str) -> Lines {
    let base = sim_core::load::peak_rate_hz(&subject.model);
    let series = |name: &str, way: fn(&Ramped) -> &Vec<f64>| {
        let point = |(step, factor): (usize, &f64)| {
            let estimate = on_step(found, step, way, level);
            Point {
                x: factor * base,
                mean: estimate.mean(),
                interval: estimate.ends(),
                about: format!(
                    "{} {name}: {}",
                    subject.rate(*factor),
                    estimate.mean().map_or("–".to_owned(), readable::share)
                ),
            }
        };
        Series {
            name: name.to_owned(),
            points: found.factors.iter().enumerate().map(point).collect(),
        }
    };
    let ends = [found.factors.first(), found.factors.last()].map(|f| f.map_or(0.0, |f| f * base));
    Lines {
        title: subject.scenario.name().to_owned(),
        note: verdict.to_owned(),
        x: Axis::linear("requests per second", ends[0], ends[1]),
        figure: "answered in time".to_owned(),
        unit: Unit::Ratio,
        legend: "load".to_owned(),
        joined: true,
        series: vec![series("going up", up), series("going down", down)],
    }
}
