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
use sim_core::experiment::{Acted, DeadlinePlan, Measure, Stop, TooLate, deadline};
use sim_core::model::Model;
use sim_core::readable;
use sim_core::report::sheet::{Block, Sheet};
use sim_core::report::{DeadlineAnswer, Head, Picture};
use sim_core::scenario::Scenario;
use sim_core::statistics::Estimate;
use sim_core::time::{Duration, Instant};
use std::io::Write;

/// What came out, and of which scenario.
struct Answer<'a> {
    scenario: &'a Scenario,
    of: DeadlineAnswer<'a>,
}

/// Looks for the last moment.
pub(crate) fn run(args: &DeadlineArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let (scenario, model) = read(&args.scenario, &args.seeded, out.given())?;
    check_output(&args.result)?;
    let plan = plan(args, &model)?;
    let (found, host) = conduct(
        scenario.name(),
        args.effort.threads,
        args.result.progress,
        (quiet, out),
        |control| deadline(&scenario, &model, &plan, control),
    )?;
    let found = found.map_err(|problems| refused(&problems))?;
    let of = DeadlineAnswer {
        model: &model,
        plan: &plan,
        found: &found,
    };
    let answer = Answer {
        scenario: &scenario,
        of,
    };
    let verdict = of.verdict();
    let report = answer.report(&verdict);
    let csv = |out: &mut dyn Write| of.write(out);
    let results = Results {
        report: &report,
        tables: &[("deadline.csv", &csv)],
        svg: Some(("deadline.svg", Picture::Lines(of.plot(scenario.name())))),
        sheet: answer.sheet(&verdict),
        scenario: Some(&scenario),
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
    let unfit = |why: String| {
        let text = args.between.as_deref().unwrap_or_default();
        Failure::new(Exit::Usage, format!("--between {text}: {why}"))
    };
    let between = args.between.as_deref().map(|text| period(text, model));
    let between = between.transpose().map_err(unfit)?;
    let edits = args
        .change
        .iter()
        .map(|(path, value)| Edit::set(path, value));
    let acts = args.acts.iter().map(|(act, target)| Edit::act(act, target));
    let plan = DeadlinePlan::new(edits.chain(acts).collect(), measure, between, model);
    let plan = plan.map_err(unfit)?;
    Ok(DeadlinePlan {
        within: args.within.unwrap_or(plan.within),
        saves: args.saves,
        moments: usize::from(args.moments),
        replications: args.effort.replications.unwrap_or(plan.replications),
        level: args.effort.level(),
        ..plan
    })
}

/// Two moments of a run, as times of day or since its start.
fn period(text: &str, model: &Model) -> Result<(Instant, Instant), String> {
    let (from, until) = text
        .split_once("..")
        .ok_or("it takes two moments, such as 12:20..13:00 or 20m..1h")?;
    Ok((moment(from, model)?, moment(until, model)?))
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
    fn sheet(&self, verdict: &str) -> Sheet {
        Sheet {
            blocks: self.blocks(verdict),
            commands: vec![sheet::command()],
            ..Sheet::of(
                "search for the last moment",
                self.scenario,
                self.of.model.seed,
            )
        }
    }

    fn blocks(&self, verdict: &str) -> Vec<Block> {
        let (found, plan) = (self.of.found, self.of.plan);
        let mut blocks = vec![
            Block::Verdict(self.scenario.name().to_owned(), verdict.to_owned()),
            Block::Note(format!(
                "{} · looked for within {} · {} confidence · seed {}",
                readable::counted(found.acted.len(), "replication"),
                readable::span(plan.within),
                readable::share(plan.level),
                self.of.model.seed
            )),
            Block::Sentence(self.of.difference()),
        ];
        if let Some((first, last)) = found
            .range_s()
            .filter(|_| found.last_s.interval().is_some())
        {
            blocks.push(Block::Sentence(format!(
                "the earliest of the replications' moments is {}, the latest {}",
                self.of.at_s(first),
                self.of.at_s(last)
            )));
        }
        blocks.extend(self.of.too_early().map(Block::Warning));
        blocks.extend(interrupted(found.interrupted));
        blocks.push(Block::Gap);
        blocks.push(Block::Table(self.of.table()));
        let plot = self.of.plot(self.scenario.name());
        blocks.push(Block::Picture(Picture::Lines(plot)));
        blocks
    }

    fn report<'a>(&'a self, verdict: &'a str) -> Report<'a> {
        let (found, plan) = (self.of.found, self.of.plan);
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
                plan.level,
                plan.first,
                found.acted.len() as u64,
                stop,
            ),
            scenario: self.scenario.name(),
            scenario_hash: format!("{:016x}", self.scenario.hash()),
            seed: self.of.model.seed,
            verdict,
            act: self.of.act(),
            measure: plan.measure.path(),
            within_s: plan.within.as_secs_f64(),
            saves: plan.saves,
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
