//! The breaking point.

use super::{PLOT, RATE_FACTOR, REPLICATIONS, Subject, TABLE, invalid};
use crate::args::StressArgs;
use crate::deliver::{Results, deliver, interrupted};
use crate::exit::{Exit, Failure};
use crate::experiment::conduct;
use crate::terminal::Out;
use serde::Serialize;
use sim_core::experiment::{Breaking, Loaded, Search, StressPlan, Stressed, stress};
use sim_core::load::{peak_rate_hz, users};
use sim_core::metric::Unit;
use sim_core::model::Model;
use sim_core::plot::intervals::{Intervals, Row};
use sim_core::readable;
use sim_core::report::Picture;
use sim_core::report::sheet::Block;
use sim_core::scenario::Problems;
use sim_core::text::Csv;
use std::io::{self, Write};
use std::sync::Arc;

/// Factors of the rates beyond which nobody looks.
const FACTORS: (f64, f64) = (1.0 / 64.0, 64.0);

/// How the values of the key are written: number and unit.
struct Lever<'a> {
    path: &'a str,
    unit: &'a str,
    whole: bool,
    /// Requests per second at a factor of 1, where the key is the factor.
    rate_hz: Option<f64>,
}

impl Lever<'_> {
    fn value(&self, value: f64) -> String {
        format!("{value}{}", self.unit)
    }

    /// As people read it.
    fn text(&self, value: f64) -> String {
        match self.rate_hz {
            Some(rate_hz) => {
                let rate = value * rate_hz;
                let rate = super::three_digits(rate);
                format!("{}/s", readable::number(rate))
            }
            None => format!("{}{}", readable::number(value), self.unit),
        }
    }

    /// A mean with its half-width.
    fn interval(&self, mean: f64, half: f64) -> String {
        let (mean, half) = match self.rate_hz {
            Some(rate) => readable::with_half_width(Unit::Hertz, mean * rate, half * rate),
            None => readable::with_half_width(Unit::Count, mean, half),
        };
        if self.rate_hz.is_some() || self.unit.is_empty() {
            format!("{mean} ± {half}")
        } else {
            let unit = self.unit;
            format!("{mean} {unit} ± {half} {unit}")
        }
    }
}

pub(super) fn run(
    args: &StressArgs,
    subject: &Subject,
    quiet: bool,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let load = |lever: &Lever<'_>, value: f64| -> Result<Loaded, Problems> {
        let scenario = subject.with(&[(lever.path, lever.value(value))])?;
        let until: Result<Vec<_>, Problems> = args
            .until
            .iter()
            .map(|text| scenario.condition("--until", text))
            .collect();
        Ok(Loaded {
            model: Arc::new(scenario.model()?),
            until: until?,
        })
    };
    let (lever, search, example) = lever(args, &load)?;
    if !example.can_break() {
        return Err(Failure::new(
            Exit::Usage,
            "nothing says when this scenario is broken: it has no objectives, and expectations may describe the very outage",
        )
        .help("say it: --until \"p99 > 2s\" or --until \"availability < 99%\""));
    }
    let plan = StressPlan {
        first: 0,
        replications: args.effort.replications.unwrap_or(REPLICATIONS),
        level: args.effort.level(),
        search,
        tolerance: args.tolerance,
        whole: lever.whole,
    };
    let (found, host) = conduct(
        subject.scenario.name(),
        args.effort.threads,
        args.result.progress,
        (quiet, out),
        |control| stress(&plan, &|value| load(&lever, value), control),
    )?;
    let found = found.map_err(invalid)?;
    let (low, high) = match plan.search {
        Search::From { low, high, .. } | Search::Between(low, high) => (low, high),
    };
    let verdict = verdict(&found, &lever, [low, high]);
    let exit = Exit::unless(found.interrupted);
    let result = Searched {
        path: lever.path,
        unit: lever.unit,
        until: broken_when(&example),
        found: &found,
    };
    let about = (args, found.breaking.len() as u64, found.interrupted);
    let report = subject.report("stress", &verdict, about, result);
    let csv = |out: &mut dyn Write| write_csv(&found, out);
    let plot = plot(&found, &lever, &verdict);
    let results = Results {
        report: &report,
        tables: &[(TABLE, &csv)],
        svg: Some((PLOT, plot)),
        sheet: subject.sheet(
            "search for the breaking point",
            blocks(&found, &lever, &verdict, &example, &plan),
        ),
        scenario: Some(&subject.scenario),
        host,
        exit,
    };
    deliver(&args.result, results, (quiet, out))
}

type Load<'a> = &'a dyn Fn(&Lever<'_>, f64) -> Result<Loaded, Problems>;

/// The key, where to look, and the model at some value between.
fn lever<'a>(args: &'a StressArgs, load: Load<'_>) -> Result<(Lever<'a>, Search, Loaded), Failure> {
    let path = args.path.as_deref().unwrap_or(RATE_FACTOR);
    let mut lever = Lever {
        path,
        unit: args.range.as_ref().map_or("", |range| &range.unit),
        whole: false,
        rate_hz: None,
    };
    if path == RATE_FACTOR {
        // At a factor of 1, whatever the scenario's own is.
        let one = load(&lever, 1.0).map_err(invalid)?;
        lever.rate_hz = Some(peak_rate_hz(&one.model));
        let (low, high) = match &args.range {
            Some(range) if range.from <= 0.0 || !range.unit.is_empty() => {
                let message = "the factors of --range lie above 0 and have no unit";
                return Err(Failure::new(Exit::Usage, message));
            }
            Some(range) => (range.from, range.to),
            None => FACTORS,
        };
        let search = Search::From {
            start: 1f64.clamp(low, high),
            step: 2.0,
            low,
            high,
        };
        return Ok((lever, search, one));
    }
    let Some(range) = &args.range else {
        return Err(Failure::new(
            Exit::Usage,
            format!("--path {path} needs a --range to look in, such as --range 1..100"),
        ));
    };
    // Whole numbers only, where halves are refused and their neighbours are not.
    let middle = (0.5 * (range.from + range.to)).floor();
    lever.whole = range.from.fract() == 0.0
        && range.to.fract() == 0.0
        && load(&lever, middle).is_ok()
        && load(&lever, middle + 0.5).is_err();
    for end in [range.from, range.to] {
        load(&lever, end).map_err(invalid)?;
    }
    let example = load(&lever, range.from).map_err(invalid)?;
    Ok((lever, Search::Between(range.from, range.to), example))
}

/// What counts as broken, in words.
fn broken_when(example: &Loaded) -> Vec<String> {
    if !example.until.is_empty() {
        return example.until.iter().map(|e| e.that.clone()).collect();
    }
    let missed = |slo: &sim_core::model::Slo| format!("objective {:?} is missed", slo.name);
    example.model.slos.iter().map(missed).collect()
}

/// The search's result in JSON.
#[derive(Serialize)]
struct Searched<'a> {
    path: &'a str,
    unit: &'a str,
    until: Vec<String>,
    #[serde(flatten)]
    found: &'a Stressed,
}

fn verdict(found: &Stressed, lever: &Lever<'_>, [low, high]: [f64; 2]) -> String {
    let (never, always) = found.without_point();
    let of = found.breaking.len();
    let what = if lever.rate_hz.is_some() {
        String::new()
    } else {
        format!(" {}", lever.path)
    };
    if of == 0 {
        return "interrupted before anything was found".to_owned();
    }
    if never > 0 || always > 0 {
        return format!(
            "no breaking point from{what} {} to {}: {never} of {of} replications never broke, {always} broke everywhere",
            lever.text(low),
            lever.text(high)
        );
    }
    let at = match found.estimate.interval() {
        Some(interval) => lever.interval(interval.mean, interval.half_width()),
        None => found
            .estimate
            .mean()
            .map_or(String::new(), |mean| lever.text(mean)),
    };
    let safe = found.all_hold.map_or(String::new(), |v| lever.text(v));
    format!("safe to{what} {safe}; breaks at {at}")
}

fn blocks(
    found: &Stressed,
    lever: &Lever<'_>,
    verdict: &str,
    example: &Loaded,
    plan: &StressPlan,
) -> Vec<Block> {
    let model = &example.model;
    let level = readable::share(plan.level);
    let of = found.breaking.len();
    let mut blocks = vec![
        Block::Verdict(model.name.clone(), verdict.to_owned()),
        Block::Sentence(format!(
            "broken when {}",
            broken_when(example).join(", or ")
        )),
        Block::Note(format!(
            "{} of {}, {} · {level} confidence for their mean breaking point · seed {}",
            readable::counted(of, "replication"),
            readable::span(model.horizon),
            readable::counted(found.runs as usize, "run"),
            model.seed
        )),
    ];
    if let Some(reason) = found.estimate.reason() {
        blocks.push(Block::Warning(format!("no interval: {reason}")));
    }
    if let (Some(holds), Some(breaks), Some(risk)) = (found.all_hold, found.all_break, found.risk) {
        blocks.push(Block::Sentence(format!(
            "at {} all {of} hold: at most {} of runs would break there, with {level} confidence",
            lever.text(holds),
            readable::share(risk.high)
        )));
        let breaks = lever.text(breaks);
        blocks.push(Block::Sentence(format!("at {breaks} all {of} break")));
    }
    if lever.rate_hz.is_some()
        && let Some(mean) = found.estimate.mean()
    {
        blocks.push(Block::Sentence(format!(
            "as a factor of the rates: {} (--set {}={:.4} runs it there)",
            readable::number(mean),
            lever.path,
            mean
        )));
    }
    if lever.rate_hz.is_some() && users(model) > 0 {
        blocks.push(Block::Sentence(format!(
            "these rates are of open traffic alone: {} ask beside it, as many at every rate",
            readable::counted(users(model) as usize, "user")
        )));
    }
    let never = found.without_point().0 > 0;
    blocks.extend(
        patience(model, &broken_when(example))
            .filter(|_| never)
            .map(Block::Warning),
    );
    if found.broke_below > 0 {
        blocks.push(Block::Warning(format!(
            "{} of {of} break also a tenth below where all held: more is not simply worse here, and a single breaking point means little",
            found.broke_below
        )));
    }
    blocks.extend(interrupted(found.interrupted));
    blocks.push(Block::Picture(plot(found, lever, verdict)));
    blocks
}

/// That a condition on response times cannot see those who gave up.
fn patience(model: &Model, conditions: &[String]) -> Option<String> {
    const TIMES: [&str; 6] = ["response_time", "p50", "p90", "p95", "p99", "p999"];
    let of_times = |text: &String| TIMES.iter().any(|name| text.starts_with(name));
    let condition = conditions.iter().find(|text| of_times(text))?;
    let clients = model.sources.iter().flat_map(|source| &source.clients);
    let patience = clients.map(|id| {
        let client = &model.clients[id.0 as usize];
        client.timeout.into_iter().chain(client.deadline).min()
    });
    let longest = patience.collect::<Option<Vec<_>>>()?.into_iter().max()?;
    Some(format!(
        "{condition} is of answered requests, and callers give up after {}: --until \"availability < 99%\" sees those who did",
        readable::span(longest)
    ))
}

fn write_csv(found: &Stressed, out: &mut dyn Write) -> io::Result<()> {
    let mut csv = Csv::new(out);
    csv.write_record(["replication", "found", "holds", "breaks"])?;
    for (i, breaking) in found.breaking.iter().enumerate() {
        let number = i.to_string();
        match breaking {
            Breaking::Point { holds, breaks } => {
                let (holds, breaks) = (holds.to_string(), breaks.to_string());
                csv.write_record([number.as_str(), "point", &holds, &breaks])?;
            }
            Breaking::Never => csv.write_record([number.as_str(), "never", "", ""])?,
            Breaking::Always => csv.write_record([number.as_str(), "always", "", ""])?,
        }
    }
    csv.flush()
}

/// Each replication's breaking point, and their mean.
fn plot(found: &Stressed, lever: &Lever<'_>, verdict: &str) -> Picture {
    let scale = lever.rate_hz.unwrap_or(1.0);
    let mut rows = vec![Row {
        name: "mean".to_owned(),
        mean: found.estimate.mean().map(|m| m * scale),
        interval: found
            .estimate
            .interval()
            .map(|i| (i.low * scale, i.high * scale)),
        note: verdict.to_owned(),
    }];
    for (i, breaking) in found.breaking.iter().enumerate() {
        let (mean, ends, note) = match breaking {
            Breaking::Point { holds, breaks } => {
                let (low, high) = (holds.min(*breaks), holds.max(*breaks));
                let words = format!(
                    "holds at {}, breaks at {}",
                    lever.text(*holds),
                    lever.text(*breaks)
                );
                (breaking.point(), Some((low * scale, high * scale)), words)
            }
            Breaking::Never => (None, None, "never broke".to_owned()),
            Breaking::Always => (None, None, "broke everywhere".to_owned()),
        };
        rows.push(Row {
            name: format!("replication {i}"),
            mean: mean.map(|m| m * scale),
            interval: ends,
            note,
        });
    }
    let (label, unit) = if lever.rate_hz.is_some() {
        ("requests per second", Unit::Hertz)
    } else {
        (lever.path, Unit::Count)
    };
    Picture::Intervals(Intervals {
        title: verdict.to_owned(),
        label: label.to_owned(),
        unit,
        rows,
        zero: false,
    })
}
