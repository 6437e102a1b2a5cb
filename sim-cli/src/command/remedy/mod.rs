//! `stampede remedy`: single changes, and pairs of them, ranked by what they save.

mod report;
mod text;

use crate::args::{RemedyArgs, replacing};
use crate::command::refused;
use crate::command::tell;
use crate::deliver::{Results, deliver};
use crate::exit::{Exit, Failure};
use crate::experiment::{check_output, conduct};
use crate::input::Input;
use crate::terminal::Out;
use sim_core::experiment::split;
use sim_core::model::Model;
use sim_core::remedy::{Damage, Remedies, RemedyPlan, remedy};
use sim_core::scenario::Scenario;
use std::io::Write;

/// Replications when nothing is said.
const REPLICATIONS: u64 = 10;

/// What was asked of which system, and what came out.
struct Answer<'a> {
    scenario: &'a Scenario,
    model: &'a Model,
    found: &'a Remedies,
}

/// Looks for what saves most.
pub(crate) fn run(args: &RemedyArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let input = Input::open(&args.scenario)?;
    let outside = args.seeded.all();
    let read = |sets: &[(String, String)]| input.scenario(&replacing(&outside, sets));
    let valid = read(&[]).and_then(|scenario| scenario.model().map(|model| (scenario, model)));
    let (scenario, model) = valid.map_err(|problems| {
        tell(&input, &outside, &problems);
        Failure::told(Exit::Invalid)
    })?;
    check_output(&args.result)?;
    let plan = plan(args, &model)?;
    let (found, host) = conduct(
        scenario.name(),
        args.effort.threads,
        args.result.progress,
        quiet,
        |control| remedy(&read, &plan, control),
    )?;
    let found = found.map_err(|problems| refused(&problems))?;
    let answer = Answer {
        scenario: &scenario,
        model: &model,
        found: &found,
    };
    let verdict = found.verdict();
    let report = answer.report(&verdict);
    let csv = |out: &mut dyn Write| answer.csv(out);
    let plot = answer.plot(&verdict);
    let results = Results {
        report: &report,
        csv: ("remedies.csv", &csv),
        svg: Some(("remedies.svg", plot.clone())),
        sheet: answer.sheet(&verdict, plot),
        scenario: &scenario,
        host,
        exit: Exit::unless(found.interrupted),
    };
    deliver(&args.result, results, (quiet, out))
}

fn plan(args: &RemedyArgs, model: &Model) -> Result<RemedyPlan, Failure> {
    let damage = Damage::parse(&args.by, model).map_err(|why| {
        Failure::new(Exit::NotFound, format!("--by {}: {why}", args.by))
            .help("lost, downtime, slo, or a figure of those that `stampede list figures` shows")
    })?;
    let mut tries = Vec::new();
    for (path, values) in &args.tries {
        for value in split(values) {
            if value.is_empty() {
                let message = format!("--try {path} has an empty value");
                return Err(
                    Failure::new(Exit::Usage, message).help("such as --try client.timeout=1s,2s")
                );
            }
            tries.push((path.clone(), value.to_owned()));
        }
    }
    Ok(RemedyPlan {
        damage,
        only: args.only.clone(),
        tries,
        replications: args.effort.replications.unwrap_or(REPLICATIONS),
        keep: usize::from(args.keep),
        worst: usize::from(args.worst),
        combine: usize::from(args.combine),
        level: args.effort.level(),
    })
}
