//! `stampede deadline`: the last moment at which an act still helps.

use super::refused;
use super::replications::read;
use crate::args::DeadlineArgs;
use crate::deliver::{Results, deliver, interrupted};
use crate::exit::{Exit, Failure};
use crate::experiment::{check_output, conduct};
use crate::sheet;
use crate::terminal::Out;
use serde::Serialize;
use sim_core::edit::Edit;
use sim_core::experiment::{Acted, Deadline, DeadlinePlan, Measure, Stop, TooLate, deadline};
use sim_core::model::Model;
use sim_core::plot::axis::Axis;
use sim_core::plot::lines::{Lines, Point, Series};
use sim_core::readable;
use sim_core::report::sheet::{Block, Sheet, Table};
use sim_core::report::{Head, Picture};
use sim_core::scenario::Scenario;
use sim_core::statistics::Estimate;
use sim_core::text::Csv;
use sim_core::time::{Duration, Instant, SECOND};
use std::io::{self, Write};

/// Replications when nothing is said: each takes some twenty runs from a moment on.
const REPLICATIONS: u64 = 10;

/// What was asked of which system, and what came out.
struct Answer<'a> {
    scenario: &'a Scenario,
    model: &'a Model,
    plan: &'a DeadlinePlan,
    found: &'a Deadline,
}

/// Looks for the last moment.
pub(crate) fn run(args: &DeadlineArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let (scenario, model) = read(&args.scenario, &args.seeded)?;
    check_output(&args.result)?;
    let plan = plan(args, &model)?;
    let (found, host) = conduct(
        scenario.name(),
        args.effort.threads,
        args.result.progress,
        quiet,
        |control| deadline(&scenario, &model, &plan, control),
    )?;
    let found = found.map_err(|problems| refused(&problems))?;
    let answer = Answer {
        scenario: &scenario,
        model: &model,
        plan: &plan,
        found: &found,
    };
    let verdict = answer.verdict();
    let report = answer.report(&verdict);
    let csv = |out: &mut dyn Write| answer.csv(out);
    let results = Results {
        report: &report,
        csv: ("deadline.csv", &csv),
        svg: Some(("deadline.svg", Picture::Lines(answer.plot(&verdict)))),
        sheet: answer.sheet(&verdict),
        scenario: &scenario,
        host,
        exit: Exit::unless(found.interrupted),
    };
    deliver(&args.result, results, (quiet, out))
}

fn plan(args: &DeadlineArgs, model: &Model) -> Result<DeadlinePlan, Failure> {
    let measure = Measure::parse(&args.measure, model).map_err(|why| {
        Failure::new(Exit::NotFound, why).help("`stampede list figures` shows all figures")
    })?;
    let measure = measure
        .as_damage()
        .map_err(|why| Failure::new(Exit::Usage, why))?;
    let between = match &args.between {
        None => (Instant::ZERO, Instant(model.horizon.0)),
        Some(text) => period(text, model).map_err(|why| {
            let message = format!("--between {text}: {why}");
            Failure::new(Exit::Usage, message)
        })?,
    };
    let span = between.1.since(between.0);
    let edits = args
        .change
        .iter()
        .map(|(path, value)| Edit::set(path, value));
    let acts = args.acts.iter().map(|(act, target)| Edit::act(act, target));
    Ok(DeadlinePlan {
        edits: edits.chain(acts).collect(),
        measure,
        between,
        within: args.within.unwrap_or(Duration((span.0 / 1000).max(SECOND))),
        saves: args.saves,
        moments: usize::from(args.moments),
        first: 0,
        replications: args.effort.replications.unwrap_or(REPLICATIONS),
        level: args.effort.level(),
    })
}

/// Two moments of a run, as times of day or since its start.
fn period(text: &str, model: &Model) -> Result<(Instant, Instant), String> {
    let (from, until) = text
        .split_once("..")
        .ok_or("it takes two moments, such as 12:20..13:00 or 20m..1h")?;
    let (from, until) = (moment(from, model)?, moment(until, model)?);
    let (start, end) = (Instant::ZERO, Instant(model.horizon.0));
    if from > end || until > end {
        let [start, end] = [start, end].map(|at| readable::moment(at, model.clock));
        return Err(format!("the run lasts from {start} to {end}"));
    }
    if from >= until {
        return Err("the second moment must be later than the first".to_owned());
    }
    Ok((from, until))
}

/// A moment of a run, as a time of day or since its start.
pub(super) fn moment(text: &str, model: &Model) -> Result<Instant, String> {
    let text = text.trim();
    match model.clock {
        Some(clock) if text.contains(':') => {
            let seconds = sim_core::time::Clock::parse_time_of_day(text)?;
            Ok(clock.instant(seconds))
        }
        None if text.contains(':') => Err(format!(
            "{text} is a time of day, but the scenario has no `clock`"
        )),
        _ => Duration::parse(text).map(|span| Instant(span.0)),
    }
}

impl Answer<'_> {
    fn at(&self, at: Instant) -> String {
        readable::moment(at, self.model.clock)
    }

    fn at_s(&self, seconds: f64) -> String {
        self.at(Instant(Duration::from_secs_f64(seconds.max(0.0)).0))
    }

    /// The act in words.
    fn act(&self) -> String {
        let words: Vec<String> = self.plan.edits.iter().map(Edit::words).collect();
        words.join(", ")
    }

    /// The answer in a sentence.
    fn verdict(&self) -> String {
        let found = self.found;
        let (of, act) = (found.acted.len(), self.act());
        let (from, until) = self.plan.between;
        let nothing = found.count(|acted| acted.too_late == TooLate::NothingToSave);
        let never = found.count(|acted| acted.too_late == TooLate::Never);
        let there = of - nothing - never;
        if of == 0 {
            return "interrupted before anything was found".to_owned();
        }
        if let Some(interval) = found.last_s.interval() {
            return format!(
                "{act} helps until {} ± {}",
                self.at_s(interval.mean),
                readable::time(interval.half_width() * SECOND as f64)
            );
        }
        if nothing == of {
            return format!(
                "{act} saves nothing at any of {} moments from {} to {}",
                self.plan.moments,
                self.at(from),
                self.at(until)
            );
        }
        if never == of {
            return format!(
                "{act} helps as late as {}: it is never too late",
                self.at(until)
            );
        }
        let mut parts = Vec::new();
        if let Some((first, last)) = found.range_s() {
            parts.push(format!(
                "in {there} of {of} replications until a moment between {} and {}",
                self.at_s(first),
                self.at_s(last)
            ));
        }
        if never > 0 {
            parts.push(format!("in {never} it is never too late"));
        }
        if nothing > 0 {
            parts.push(format!("in {nothing} it saves nothing"));
        }
        format!("{act} helps {}", parts.join(", "))
    }

    fn sheet(&self, verdict: &str) -> Sheet {
        Sheet {
            blocks: self.blocks(verdict),
            commands: vec![sheet::command()],
            ..Sheet::of("search for the last moment", self.scenario, self.model.seed)
        }
    }

    fn blocks(&self, verdict: &str) -> Vec<Block> {
        let (found, plan) = (self.found, self.plan);
        let measure = &plan.measure;
        let mut blocks = vec![
            Block::Verdict(self.scenario.name().to_owned(), verdict.to_owned()),
            Block::Note(format!(
                "{} · looked for within {} · {} confidence · seed {}",
                readable::counted(found.acted.len(), "replication"),
                readable::span(plan.within),
                readable::share(plan.level),
                self.model.seed
            )),
            Block::Sentence(format!(
                "{}: {} without it, {} with it at {}; it helps where it saves {} of that difference",
                measure.path(),
                self.mean(&found.never),
                self.mean(&found.curve[found.best]),
                self.at(found.moments[found.best]),
                readable::share(plan.saves)
            )),
        ];
        if let Some((first, last)) = found
            .range_s()
            .filter(|_| found.last_s.interval().is_some())
        {
            blocks.push(Block::Sentence(format!(
                "the earliest of the replications' moments is {}, the latest {}",
                self.at_s(first),
                self.at_s(last)
            )));
        }
        let early = found.count(|acted| acted.too_early);
        if early > 0 {
            blocks.push(Block::Warning(format!(
                "in {early} of {} replications it can come too early, too: see the curve",
                found.acted.len()
            )));
        }
        blocks.extend(interrupted(found.interrupted));
        blocks.push(Block::Gap);
        let head = ["acting at", measure.path(), "", "saved"];
        let mut table = Table::new("The damage, by the moment of acting", &head);
        for ((at, estimate), saved) in found.moments.iter().zip(&found.curve).zip(&found.saved) {
            let half = estimate.interval().map_or(String::new(), |interval| {
                let (_, half) = measure.interval_text(interval.mean, (interval.low, interval.high));
                half
            });
            let saved = saved.map_or("–".to_owned(), readable::share);
            let row = vec![self.at(*at), self.mean(estimate), half, saved];
            table.rows.push(row);
        }
        blocks.push(Block::Table(table));
        blocks.push(Block::Picture(Picture::Lines(self.plot(verdict))));
        blocks
    }

    fn mean(&self, estimate: &Estimate) -> String {
        let mean = estimate.mean();
        mean.map_or("–".to_owned(), |mean| self.plan.measure.text(mean))
    }

    fn csv(&self, out: &mut dyn Write) -> io::Result<()> {
        let mut csv = Csv::new(out);
        csv.write_record(["at_s", "mean", "low", "high", "saved"])?;
        let found = self.found;
        for ((at, estimate), saved) in found.moments.iter().zip(&found.curve).zip(&found.saved) {
            let text =
                |value: Option<f64>| value.map_or(String::new(), |value| format!("{value:?}"));
            let (low, high) = estimate.ends().unzip();
            csv.write_record([
                format!("{:?}", at.as_secs_f64()),
                text(estimate.mean()),
                text(low),
                text(high),
                text(*saved),
            ])?;
        }
        csv.flush()
    }

    fn plot(&self, verdict: &str) -> Lines {
        let measure = &self.plan.measure;
        let point = |(at, estimate): (&Instant, &Estimate)| Point {
            x: at.as_secs_f64(),
            mean: estimate.mean(),
            interval: estimate.ends(),
            about: format!("acting at {}: {}", self.at(*at), self.mean(estimate)),
        };
        let points = self.found.moments.iter().zip(&self.found.curve).map(point);
        Lines {
            title: format!("{}: {}", self.scenario.name(), self.act()),
            note: verdict.to_owned(),
            x: Axis::moments("moment of acting", &self.found.moments, self.model.clock),
            figure: measure.path().to_owned(),
            unit: measure.unit(),
            legend: String::new(),
            joined: true,
            series: vec![Series {
                name: self.act(),
                points: points.collect(),
            }],
        }
    }

    fn report<'a>(&'a self, verdict: &'a str) -> Report<'a> {
        let found = self.found;
        let stop = if found.interrupted {
            Stop::Interrupted
        } else {
            Stop::Planned
        };
        let seconds = |at: Instant| at.as_secs_f64();
        let replication = |acted: &'a Acted| {
            let (helps_at_s, late_at_s) = match acted.too_late {
                TooLate::Between(good, bad) => (Some(seconds(good)), Some(seconds(bad))),
                TooLate::Never | TooLate::NothingToSave => (None, None),
            };
            Replication {
                outcome: match acted.too_late {
                    TooLate::Between(..) => "found",
                    TooLate::Never => "never-too-late",
                    TooLate::NothingToSave => "nothing-to-save",
                },
                helps_at_s,
                late_at_s,
                too_early: acted.too_early,
                without: acted.never,
                curve: &acted.curve,
            }
        };
        Report {
            head: Head::of(
                "deadline",
                self.plan.level,
                self.plan.first,
                found.acted.len() as u64,
                stop,
            ),
            scenario: self.scenario.name(),
            scenario_hash: format!("{:016x}", self.scenario.hash()),
            seed: self.model.seed,
            verdict,
            act: self.act(),
            measure: self.plan.measure.path(),
            within_s: self.plan.within.as_secs_f64(),
            saves: self.plan.saves,
            last_s: &found.last_s,
            moments_s: found.moments.iter().map(|at| seconds(*at)).collect(),
            saved: &found.saved,
            runs: found.acted.iter().map(replication).collect(),
        }
    }
}

/// The answer for programs.
#[derive(Serialize)]
struct Report<'a> {
    #[serde(flatten)]
    head: Head,
    scenario: &'a str,
    scenario_hash: String,
    seed: u64,
    /// One sentence.
    verdict: &'a str,
    act: String,
    measure: &'a str,
    within_s: f64,
    saves: f64,
    /// The last moment at which the act helps, in seconds from the start.
    last_s: &'a Estimate,
    /// The curve's moments.
    moments_s: Vec<f64>,
    /// Of what can be saved at all, at each of them.
    saved: &'a [Option<f64>],
    runs: Vec<Replication<'a>>,
}

#[derive(Serialize)]
struct Replication<'a> {
    outcome: &'static str,
    helps_at_s: Option<f64>,
    late_at_s: Option<f64>,
    too_early: bool,
    without: f64,
    curve: &'a [f64],
}
