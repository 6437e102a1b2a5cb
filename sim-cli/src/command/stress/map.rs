//! Trigger size against load.

use super::{PLOT, RATE_FACTOR, REPLICATIONS, Subject, TABLE, invalid, patience};
use crate::args::{SPAN_MAX, StressArgs};
use crate::deliver::{Results, deliver};
use crate::exit::{Exit, Failure};
use crate::experiment::conduct;
use crate::terminal::Out;
use serde::Serialize;
use sim_core::experiment::{Map, MapPlan, Region, SlowDown, Spot, Triggered, map};
use sim_core::load::peak_rate_hz;
use sim_core::metric::Unit;
use sim_core::plot::heat_map::{self, HeatMap};
use sim_core::readable;
use sim_core::report::Picture;
use sim_core::report::sheet::{Block, Table};
use sim_core::scenario::Problems;
use sim_core::text::Csv;
use sim_core::time::{Duration, Instant};
use std::io::{self, Write};
use std::sync::Arc;

/// Offered loads of a map when no range is given.
const LOADS: (f64, f64) = (0.3, 1.1);

/// Loads when nothing is said.
const STEPS: u16 = 9;

/// Time before the trigger, in which the system settles: a tenth of what is watched.
const SETTLE: u64 = 10;

/// What is varied.
struct Axes {
    factors: Vec<f64>,
    triggers: Vec<String>,
    lasts: Vec<Duration>,
}

pub(super) fn run(
    args: &StressArgs,
    subject: &Subject,
    quiet: bool,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let axes = axes(args, subject)?;
    let watch = args.watch.unwrap_or(subject.model.horizon);
    let build = |load: usize, trigger: Option<usize>| -> Result<Triggered, Problems> {
        let factor = axes.factors[load].to_string();
        let Some(path) = &args.trigger_path else {
            let model = subject.with(&[(RATE_FACTOR, factor)])?.model()?;
            let slow = SlowDown {
                at: Instant(watch.0 / SETTLE),
                factor: args.slow_to,
                lasts: trigger.map_or(Duration::ZERO, |t| axes.lasts[t]),
                watch,
            };
            return Ok(Triggered {
                model: Arc::new(slow.model(&model)),
                at: slow.at,
            });
        };
        let size = axes.triggers[trigger.unwrap_or(0)].clone();
        let mut model = subject
            .with(&[(RATE_FACTOR, factor), (path, size)])?
            .model()?;
        let at = model.timeline.first().map_or(Instant::ZERO, |e| e.at);
        if trigger.is_none() {
            model.timeline.clear();
        }
        Ok(Triggered {
            model: Arc::new(model),
            at,
        })
    };
    // Every model is built once before the first runs: a mistake should not cost an hour.
    for load in 0..axes.factors.len() {
        for trigger in 0..axes.triggers.len() {
            build(load, Some(trigger)).map_err(invalid)?;
        }
    }
    let plan = MapPlan {
        first: 0,
        replications: args.effort.replications.unwrap_or(REPLICATIONS / 2),
        level: args.effort.level(),
        healthy: args.healthy,
        loads: axes.factors.len(),
        triggers: axes.triggers.len(),
    };
    let (found, host) = conduct(
        subject.scenario.name(),
        args.effort.threads,
        args.result.progress,
        (quiet, out),
        |control| map(&plan, &build, control),
    )?;
    let found = found.map_err(invalid)?;
    let verdict = verdict(&found, &axes, subject);
    let exit = Exit::unless(found.interrupted);
    let result = Drawn {
        factors: &axes.factors,
        triggers: &axes.triggers,
        found: &found,
    };
    let about = (args, plan.replications, found.interrupted);
    let report = subject.report("map", &verdict, about, result);
    let csv = |out: &mut dyn Write| write_csv(&found, &axes, subject, out);
    let results = Results {
        report: &report,
        tables: &[(TABLE, &csv)],
        svg: Some((
            PLOT,
            Picture::HeatMap(plot(&found, &axes, subject, &verdict)),
        )),
        sheet: subject.sheet(
            "map of triggers and loads",
            blocks(&found, &axes, subject, (args, &plan, watch), &verdict),
        ),
        scenario: Some(&subject.scenario),
        host,
        exit,
    };
    deliver(&args.result, results, (quiet, out))
}

#[derive(Serialize)]
struct Drawn<'a> {
    factors: &'a [f64],
    triggers: &'a [String],
    #[serde(flatten)]
    found: &'a Map,
}

fn axes(args: &StressArgs, subject: &Subject) -> Result<Axes, Failure> {
    let (low, high) = match &args.range {
        Some(range) if range.from <= 0.0 || !range.unit.is_empty() => {
            let message = "the factors of --range lie above 0 and have no unit";
            return Err(Failure::new(Exit::Usage, message));
        }
        Some(range) => (range.from, range.to),
        None => subject.factors_of_load(LOADS.0, LOADS.1)?,
    };
    let last = f64::from(args.steps.unwrap_or(STEPS) - 1);
    let factors = (0..args.steps.unwrap_or(STEPS))
        .map(|i| low + (high - low) * f64::from(i) / last)
        .collect();
    let mut lasts = Vec::new();
    if args.trigger_path.is_none() {
        for text in &args.triggers {
            let span = Duration::parse(text).map_err(|why| {
                Failure::new(Exit::Usage, format!("--triggers {text}: {why}"))
                    .help("sizes of the trigger are spans, such as 1s,5s,20s")
            })?;
            if span > SPAN_MAX {
                let message = format!("--triggers {text}: a year at most");
                return Err(Failure::new(Exit::Usage, message));
            }
            lasts.push(span);
        }
    }
    Ok(Axes {
        factors,
        triggers: args.triggers.clone(),
        lasts,
    })
}

fn verdict(found: &Map, axes: &Axes, subject: &Subject) -> String {
    let loads = |region: Region| -> Vec<f64> {
        let of_it = found.regions.iter().zip(&axes.factors);
        of_it
            .filter(|(r, _)| **r == region)
            .map(|(_, factor)| *factor)
            .collect()
    };
    let mut parts = Vec::new();
    for region in [Region::Stable, Region::Vulnerable, Region::Overloaded] {
        let loads = loads(region);
        let (Some(first), Some(last)) = (loads.first(), loads.last()) else {
            continue;
        };
        parts.push(if loads.len() == 1 {
            format!("{} at {}", region.name(), subject.rate(*first))
        } else {
            format!(
                "{} from {} to {}",
                region.name(),
                subject.rate(*first),
                subject.rate(*last)
            )
        });
    }
    if parts.is_empty() {
        "interrupted before a load was complete".to_owned()
    } else {
        parts.join("; ")
    }
}

/// A spot in a few letters: time to recover, `down`, or how many of how many are down.
fn words(spot: &Spot) -> String {
    let of = spot.unhurt + spot.recovered + spot.down;
    if spot.down == of {
        return "down".to_owned();
    }
    if spot.down > 0 {
        return format!("down {}/{of}", spot.down);
    }
    match (
        spot.time_to_recover_s.interval(),
        spot.time_to_recover_s.mean(),
    ) {
        (Some(i), _) if spot.unhurt == 0 => {
            format!("{:.0} s ± {:.0}", i.mean, i.half_width())
        }
        (_, Some(mean)) => format!("{mean:.0} s"),
        _ => "well".to_owned(),
    }
}

fn blocks(
    found: &Map,
    axes: &Axes,
    subject: &Subject,
    (args, plan, watch): (&StressArgs, &MapPlan, Duration),
    verdict: &str,
) -> Vec<Block> {
    let name = subject.scenario.name().to_owned();
    let trigger = match &args.trigger_path {
        Some(path) => format!("trigger: {path}"),
        None => format!(
            "trigger: all servers at {} of their speed, then watched for {}",
            readable::share(args.slow_to),
            readable::span(watch)
        ),
    };
    let mut blocks = vec![
        Block::Verdict(name, verdict.to_owned()),
        Block::Note(format!(
            "{trigger} · {} each · {} confidence · seed {}",
            readable::counted(plan.replications as usize, "replication"),
            readable::share(plan.level),
            subject.model.seed
        )),
        Block::Note(format!(
            "time to recover from the beginning of the trigger; `down`: less than {} answered in time at the end",
            readable::share(plan.healthy)
        )),
    ];
    let mut warn = |text: &str| blocks.push(Block::Warning(text.to_owned()));
    if args.trigger_path.is_none() && !subject.model.timeline.is_empty() {
        warn("the scenario's own time line is left out; --trigger-path uses it");
    }
    blocks.extend(patience(subject));
    if found.interrupted {
        let words = "interrupted: these are the loads that were complete";
        blocks.push(Block::Warning(words.to_owned()));
    }
    blocks.push(Block::Gap);
    let mut head = vec!["rate", "none"];
    head.extend(axes.triggers.iter().map(String::as_str));
    head.push("");
    let caption = "Time to recover, by rate and by the size of the trigger";
    let mut table = Table::new(caption, &head);
    // The highest load on top, as in a plot.
    for row in (0..found.regions.len()).rev() {
        let mut cells = vec![subject.rate(axes.factors[row]), words(&found.bare[row])];
        cells.extend(found.spots[row].iter().map(words));
        cells.push(found.regions[row].name().to_owned());
        table.rows.push(cells);
    }
    blocks.push(Block::Table(table));
    blocks.push(Block::Picture(Picture::HeatMap(plot(
        found, axes, subject, verdict,
    ))));
    blocks
}

fn write_csv(found: &Map, axes: &Axes, subject: &Subject, out: &mut dyn Write) -> io::Result<()> {
    let base = peak_rate_hz(&subject.model);
    let mut csv = Csv::new(out);
    csv.write_record([
        "factor",
        "rate_hz",
        "trigger",
        "region",
        "unhurt",
        "recovered",
        "down",
        "risk_low",
        "risk_high",
        "time_to_recover_s",
        "time_to_recover_low_s",
        "time_to_recover_high_s",
    ])?;
    for (row, region) in found.regions.iter().enumerate() {
        let spots = std::iter::once(("none", &found.bare[row])).chain(
            axes.triggers
                .iter()
                .map(String::as_str)
                .zip(&found.spots[row]),
        );
        for (trigger, spot) in spots {
            let number = |v: Option<f64>| v.map_or(String::new(), |v| v.to_string());
            let time = spot.time_to_recover_s.interval();
            csv.write_record([
                axes.factors[row].to_string(),
                (axes.factors[row] * base).to_string(),
                trigger.to_owned(),
                region.name().to_owned(),
                spot.unhurt.to_string(),
                spot.recovered.to_string(),
                spot.down.to_string(),
                number(spot.risk.map(|r| r.low)),
                number(spot.risk.map(|r| r.high)),
                number(spot.time_to_recover_s.mean()),
                number(time.map(|i| i.low)),
                number(time.map(|i| i.high)),
            ])?;
        }
    }
    csv.flush()
}

fn plot(found: &Map, axes: &Axes, subject: &Subject, verdict: &str) -> HeatMap {
    let spot = |spot: &Spot| {
        let of = (spot.unhurt + spot.recovered + spot.down) as f64;
        heat_map::Spot {
            value: (of > 0.0).then(|| spot.down as f64 / of),
            about: words(spot),
        }
    };
    let mut names = vec!["none".to_owned()];
    names.extend(axes.triggers.iter().cloned());
    let rows = found.regions.len();
    HeatMap {
        title: subject.scenario.name().to_owned(),
        note: verdict.to_owned(),
        across: ("trigger".to_owned(), names),
        upward: (
            "rate".to_owned(),
            axes.factors[..rows]
                .iter()
                .map(|f| subject.rate(*f))
                .collect(),
        ),
        figure: "not recovered".to_owned(),
        unit: Unit::Ratio,
        ends: Some((0.0, 1.0)),
        spots: (0..rows)
            .map(|row| {
                std::iter::once(spot(&found.bare[row]))
                    .chain(found.spots[row].iter().map(spot))
                    .collect()
            })
            .collect(),
    }
}
