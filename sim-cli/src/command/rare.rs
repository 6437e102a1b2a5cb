//! `stampede rare`: the probability of what next to never happens.

use super::replications::{read, stop_words};
use crate::args::{REPLICATIONS, RareArgs};
use crate::deliver::{Results, deliver};
use crate::exit::{Exit, Failure};
use crate::experiment::{MAX_REPLICATIONS, check_output, conduct};
use crate::sheet;
use crate::terminal::Out;
use serde::Serialize;
use sim_core::experiment::{Precision, Rare, RarePlan, Split, Stop, Unreached, rare};
use sim_core::model::Model;
use sim_core::readable;
use sim_core::report::sheet::{Block, Sheet};
use sim_core::report::{Head, RareAnswer, unreached};
use sim_core::statistics::Estimate;
use std::io::Write;

/// Replications that a sequential one begins with.
const WAVE: u64 = 10;

/// Estimates the probability.
pub(crate) fn run(args: &RareArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let (scenario, model) = read(&args.scenario, &args.seeded, out.given())?;
    check_output(&args.result)?;
    let plan = plan(args, &model)?;
    let (found, host) = conduct(
        scenario.name(),
        args.effort.threads,
        args.result.progress,
        (quiet, out),
        |control| rare(&model, &plan, control),
    )?;
    let found = found.map_err(|why| {
        let exit = match why {
            Unreached::Interrupted => Exit::Interrupted,
            _ => Exit::Failed,
        };
        Failure::new(
            exit,
            format!("{}: {}", model.name, unreached(&why, plan.event)),
        )
    })?;
    let event = event(args, &model);
    let answer = RareAnswer {
        event: &event,
        plan: &plan,
        found: &found,
    };
    let verdict = answer.verdict();
    let report = Report {
        head: Head::of(
            "rare",
            plan.level,
            plan.first,
            found.splits.len() as u64,
            found.stop,
        ),
        scenario: scenario.name(),
        scenario_hash: format!("{:016x}", scenario.hash()),
        seed: model.seed,
        verdict: &verdict,
        event: &event,
        method: "fixed-effort-splitting",
        runs_per_level: plan.runs,
        levels: &found.levels,
        probability: &found.probability,
        relative_error: found.relative_error(),
        events: found.events(),
        pilot_events: found.pilot_events,
        direct_events: found.direct_events(plan.runs),
        splits: found.splits.iter().map(Replication::of).collect(),
    };
    let mut blocks = vec![
        Block::Verdict(scenario.name().to_owned(), verdict.clone()),
        Block::Note(format!(
            "splitting: {} of {} runs from each of {} · {} confidence · seed {}",
            readable::counted(found.splits.len(), "replication"),
            readable::number(f64::from(plan.runs)),
            readable::counted(found.levels.len() + 1, "level"),
            readable::share(plan.level),
            model.seed
        )),
    ];
    blocks.extend(answer.withheld().map(Block::Warning));
    blocks.extend(answer.cost().map(Block::Sentence));
    blocks.extend(stop_words(found.stop).map(|words| Block::Warning(words.to_owned())));
    blocks.extend([Block::Gap, Block::Table(answer.table())]);
    let csv = |out: &mut dyn Write| answer.write(out);
    let results = Results {
        report: &report,
        tables: &[("rare.csv", &csv)],
        svg: None,
        sheet: Sheet {
            blocks,
            commands: vec![sheet::command()],
            ..Sheet::of("probability of what is rare", &scenario, model.seed)
        },
        scenario: Some(&scenario),
        host,
        exit: Exit::unless(found.stop == Stop::Interrupted),
    };
    deliver(&args.result, results, (quiet, out))
}

fn plan(args: &RareArgs, model: &Model) -> Result<RarePlan, Failure> {
    let event = match (&args.crash, &args.reach) {
        (Some(machine), _) => Rare::crash(machine, model).map_err(|why| format!("--crash: {why}")),
        (None, Some((number, value))) => {
            Rare::reach(number, value, model).map_err(|why| format!("--reach: {why}"))
        }
        (None, None) => Err("it takes --crash or --reach".to_owned()),
    };
    let event = event.map_err(|why| Failure::new(Exit::Usage, why))?;
    let precision = args.precision.map(|relative| Precision {
        relative,
        max_replications: args.max_replications.unwrap_or(MAX_REPLICATIONS),
    });
    let least = if precision.is_some() {
        WAVE
    } else {
        REPLICATIONS
    };
    Ok(RarePlan {
        event,
        before_empty: args.before_empty,
        runs: args.runs,
        first: 0,
        replications: args.effort.replications.unwrap_or(least),
        level: args.effort.level(),
        precision,
    })
}

/// What is rare, in words.
fn event(args: &RareArgs, model: &Model) -> String {
    let until = if args.before_empty {
        "before it is empty again".to_owned()
    } else {
        format!("within {}", model.horizon)
    };
    match (&args.crash, &args.reach) {
        (Some(machine), _) => format!("{machine} crashes {until}"),
        (None, Some((number, value))) => format!("{number} reaches {value} {until}"),
        (None, None) => until,
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
    event: &'a str,
    method: &'static str,
    runs_per_level: u32,
    levels: &'a [f64],
    probability: &'a Estimate,
    relative_error: Option<f64>,
    /// Events of everything, those of the pilot included.
    events: u64,
    pilot_events: u64,
    /// Events that runs without splitting would take for the same relative error.
    direct_events: Option<f64>,
    splits: Vec<Replication<'a>>,
}

#[derive(Serialize)]
struct Replication<'a> {
    probability: f64,
    got_on: &'a [u32],
    events: &'a [u64],
}

impl<'a> Replication<'a> {
    fn of(split: &'a Split) -> Self {
        Self {
            probability: split.probability,
            got_on: &split.passed,
            events: &split.events,
        }
    }
}
