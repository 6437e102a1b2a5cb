//! `stampede remedy`: single changes, and pairs of them, ranked by what they save.

mod report;
mod text;

use crate::args::{RemedyArgs, replacing};
use crate::command::refused;
use crate::command::refused_input;
use crate::deliver::{Results, deliver};
use crate::exit::{Exit, Failure};
use crate::experiment::{check_output, conduct};
use crate::files;
use crate::input::Input;
use crate::journal::Journal;
use crate::terminal::{Out, say};
use sim_core::experiment::split;
use sim_core::model::Model;
use sim_core::readable::counted;
use sim_core::remedy::{Damage, Hunt, Known, Remedies, RemedyPlan};
use sim_core::scenario::Scenario;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

/// Replications when nothing is said.
const REPLICATIONS: u64 = 10;

/// What was asked of which system, and what came out.
struct Answer<'a> {
    scenario: &'a Scenario,
    model: &'a Model,
    found: &'a Remedies,
}

/// Keys of a scenario that are no part of its system.
const OF_THE_RUN: [&str; 8] = [
    "title", "question", "horizon", "warm_up", "seed", "limits", "record", "expect",
];

/// Looks for what saves most.
pub(crate) fn run(args: &RemedyArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let input = Input::open(&args.scenario, out.given())?;
    let outside = args.seeded.all();
    let read = |sets: &[(String, String)]| input.scenario(&replacing(&outside, sets));
    let valid = read(&[]).and_then(|scenario| scenario.model().map(|model| (scenario, model)));
    let (scenario, model) = valid.map_err(|problems| refused_input(&input, &outside, &problems))?;
    check_output(&args.result)?;
    if let (Some(journal), Some(folder)) = (&args.resume, &args.result.output)
        && files::is_below(journal, folder)
    {
        let message = format!("{} lies in the folder of the results", journal.display());
        return Err(
            Failure::new(Exit::Usage, message).help("it would go with what is replaced there")
        );
    }
    let plan = plan(args, &model)?;
    let hunt = Hunt::new(&read, &plan).map_err(|problems| refused(&problems))?;
    let (journal, known) = match &args.resume {
        Some(path) => open(path, &hunt, quiet)?,
        None => (None, Known::default()),
    };
    let journal = Mutex::new(Ok(journal));
    let (found, host) = conduct(
        scenario.name(),
        args.effort.threads,
        args.result.progress,
        (quiet, out),
        |control| hunt.run(control, &known, &|line| keep(&journal, line)),
    )?;
    let journal = journal.into_inner().unwrap_or_else(PoisonError::into_inner);
    if let Some(mut journal) = journal? {
        journal.sync()?;
    }
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
        tables: &[("remedies.csv", &csv)],
        svg: Some(("remedies.svg", plot.clone())),
        sheet: answer.sheet(&verdict, plot),
        scenario: Some(&scenario),
        host,
        exit: Exit::unless(found.interrupted),
    };
    deliver(&args.result, results, (quiet, out))
}

/// The journal of a search, with what was run before.
fn open(path: &Path, hunt: &Hunt<'_>, quiet: bool) -> Result<(Option<Journal>, Known), Failure> {
    let (mut journal, known) = Journal::open(path.to_owned(), |bytes| {
        let known = hunt.known(bytes).map_err(|why| {
            let message = format!("cannot go on with {}: {why}", path.display());
            Failure::new(Exit::Io, message).help("name another file, or remove this one")
        })?;
        let whole = known.whole;
        Ok((known, whole))
    })?;
    if journal.is_empty() {
        journal.append(&hunt.first_line())?;
    } else if !quiet {
        let runs = counted(known.len(), "run");
        say(&format!("{runs} were there already in {}", path.display()));
    }
    Ok((Some(journal), known))
}

/// Writes down a run. What comes after one that could not be written is not written either, and that is told at the end.
fn keep(journal: &Mutex<Result<Option<Journal>, Failure>>, line: &str) {
    let mut held = journal.lock().unwrap_or_else(PoisonError::into_inner);
    if let Ok(Some(journal)) = &mut *held
        && let Err(failure) = journal.append(line)
    {
        *held = Err(failure);
    }
}

fn plan(args: &RemedyArgs, model: &Model) -> Result<RemedyPlan, Failure> {
    let damage = Damage::parse(&args.by, model).map_err(|why| {
        Failure::new(Exit::NotFound, format!("--by {}: {why}", args.by))
            .help("lost, downtime, slo, or a figure of those that `stampede list figures` shows")
    })?;
    let mut tries = Vec::new();
    for (path, values) in &args.tries {
        let word = path.split('.').next().unwrap_or_default();
        if OF_THE_RUN.contains(&word) {
            let message = format!(
                "--try {path}: `{word}` says what is run and measured, it is no change of the system"
            );
            return Err(
                Failure::new(Exit::Usage, message).help("`--set` sets it for the whole search")
            );
        }
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
