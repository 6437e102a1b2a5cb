//! `stampede run`: simulate scenarios and tell what happened.

use crate::args::{HowArgs, RunArgs, RunFormat};
use crate::drive::{Driven, drive};
use crate::exit::{Exit, Failure};
use crate::folder::{BY_DEMAND, Folder, REQUESTS, SUMMARY};
use crate::host::Host;
use crate::input::Input;
use crate::inside::{Found, RunFound};
use crate::progress::Progress;
use crate::report::{self, Report};
use crate::sheet;
use crate::terminal::{self, Out};
use serde::Serialize;
use sim_core::engine::Simulation;
use sim_core::export::{self, RequestLog};
use sim_core::model::Model;
use sim_core::report::sheet::Block;
use sim_core::report::{demand_table, write_by_demand};
use sim_core::scenario::{Problems, Scenario};
use sim_core::summary::{ByDemand, DemandRow, Summary};
use sim_core::text::shown;
use sim_core::theory::{self, Applied};
use sim_import::logs::Traces;
use std::io::Write;
use std::path::PathBuf;
use std::sync::Arc;

/// A scenario that is ready to run.
struct Job {
    argument: String,
    scenario: Scenario,
    model: Arc<Model>,
    /// Every how many-th request goes to the request log; zero for none.
    log_every: u64,
    output: Option<PathBuf>,
}

/// A run that is over.
struct Finished {
    simulation: Simulation,
    summary: Summary,
    driven: Driven,
    exit: Exit,
    /// The request log, for a program.
    requests: Vec<u8>,
    /// Response times by classes of demand, where they are asked for.
    by_demand: Option<Vec<DemandRow>>,
}

/// Reads all scenarios, then runs one after the other.
pub(crate) fn run(args: &RunArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    if args.experiment.effort.replications.is_some() || args.experiment.precision.is_some() {
        return super::replications::run(args, quiet, out);
    }
    if let Some(name) = args.experiment.wanted_in_vain() {
        let message = format!("{name} means nothing for a single run without intervals");
        return Err(
            Failure::new(Exit::Usage, message).help("add --replications N, or --precision SHARE")
        );
    }
    if args.page.report.is_some() {
        let message = "--report writes the figures of several runs as a page";
        return Err(Failure::new(Exit::Usage, message)
            .help("add --replications N; `stampede report` writes the page of one run"));
    }
    let jobs = prepare(&args.scenarios, &args.how, out.given())?;
    run_jobs(jobs, &args.how, quiet, out)
}

/// Runs a scenario with changes beside those that were asked for, and with texts that it can name.
pub(crate) fn run_given(
    argument: &str,
    input: &Input,
    sets: &[(String, String)],
    texts: &Traces,
    how: &HowArgs,
    quiet: bool,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let read = input.scenario_with(sets, texts);
    let job = read.and_then(|scenario| job(argument, scenario, how, false));
    let job = job.map_err(|problems| super::refused_input(input, sets, &problems))?;
    run_jobs(vec![job], how, quiet, out)
}

fn run_jobs(jobs: Vec<Job>, how: &HowArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let mut worst = Exit::Ok;
    let count = jobs.len();
    for (number, job) in jobs.into_iter().enumerate() {
        for text in job.scenario.warnings() {
            out.warn(job.scenario.name(), &text, quiet);
        }
        let finished = simulate(&job, how, quiet, out)?;
        print(&job, &finished, how, quiet, number, out)?;
        out.flush()?;
        if finished.exit != Exit::Ok {
            worst = finished.exit;
        }
        let over = worst == Exit::Interrupted;
        if let Some(asked) = out.asked_mut() {
            let Finished {
                simulation,
                summary,
                requests,
                by_demand,
                ..
            } = finished;
            let theory = how
                .theory
                .then(|| theory::apply(&job.model).beside(&summary));
            asked.found = Found::Run(Box::new(RunFound {
                scenario: job.scenario,
                simulation,
                summary,
                theory,
                requests,
                by_demand,
            }));
        } else if over || number + 1 == count {
            // The program ends, and the system takes memory back faster than piece by piece.
            std::mem::forget(finished);
        }
        if over {
            return Ok(worst);
        }
    }
    Ok(worst)
}

/// Reads every scenario before the first one runs: a mistake in the last should not cost an hour.
fn prepare(
    scenarios: &[String],
    how: &HowArgs,
    given: &[(String, String)],
) -> Result<Vec<Job>, Failure> {
    if how.format == RunFormat::Csv && scenarios.len() > 1 {
        return Err(Failure::new(
            Exit::Usage,
            "one table cannot hold the time lines of several scenarios",
        )
        .help("write each into a folder of its own with -o DIR"));
    }
    let sets = how.seeded.all();
    let mut jobs: Vec<Job> = Vec::new();
    let mut refused = Vec::new();
    for argument in scenarios {
        let input = Input::open(argument, given)?;
        let read = input.scenario(&sets);
        match read.and_then(|scenario| job(argument, scenario, how, scenarios.len() > 1)) {
            Ok(job) => {
                if job.output.is_some() && jobs.iter().any(|other| other.output == job.output) {
                    let message = format!(
                        "two scenarios are called {:?}: their results would fall on one another",
                        job.scenario.name()
                    );
                    return Err(Failure::new(Exit::Usage, message));
                }
                jobs.push(job);
            }
            Err(problems) => {
                refused.extend(super::refused_input(&input, &sets, &problems).refused);
            }
        }
    }
    if refused.is_empty() {
        Ok(jobs)
    } else {
        Err(Failure {
            refused,
            ..Failure::told(Exit::Invalid)
        })
    }
}

/// A scenario that is to run; one of `several` gets a folder of its own for its results.
fn job(argument: &str, scenario: Scenario, how: &HowArgs, several: bool) -> Result<Job, Problems> {
    let mut model = scenario.model()?;
    if let Some(every) = how.log_requests {
        model.recording.every_nth_request = every;
    }
    let log_every = model.recording.every_nth_request;
    if how.by_demand.is_some() {
        // Of all requests; those for the log are picked from them.
        model.recording.every_nth_request = 1;
    }
    let folder = |dir: &PathBuf| {
        if several {
            dir.join(scenario.name())
        } else {
            dir.clone()
        }
    };
    let output = how.output.as_ref().map(folder);
    Ok(Job {
        argument: argument.to_owned(),
        scenario,
        model: Arc::new(model),
        log_every,
        output,
    })
}

fn simulate(job: &Job, how: &HowArgs, quiet: bool, out: &Out) -> Result<Finished, Failure> {
    // Setting up very many servers takes a moment, and there is nothing to save yet: until it is done,
    // whoever asks for an end gets it at once.
    let mut simulation = Simulation::new(job.model.clone(), how.replication);
    out.stop()?;
    let folder = job
        .output
        .as_ref()
        .map(|target| Folder::begin(target, how.force))
        .transpose()?;
    let logged = job.log_every > 0;
    let mut by_demand = (how.by_demand.clone()).map(|classes| ByDemand::new(&job.model, classes));
    let mut requests = Vec::new();
    let mut log = match &folder {
        Some(folder) if logged => {
            let file = folder.file(REQUESTS)?;
            Some(
                RequestLog::new(job.model.clone(), file)
                    .map_err(|error| folder.failure(REQUESTS, &error))?,
            )
        }
        _ => None,
    };
    let mut kept = (logged && out.asked().is_some())
        .then(|| RequestLog::new(job.model.clone(), &mut requests))
        .transpose()?;
    let log_failure = |error| {
        folder.as_ref().map_or_else(
            || Failure::told(Exit::Io),
            |folder| folder.failure(REQUESTS, &error),
        )
    };
    let progress = Progress::new(job.scenario.name(), how.showing.progress, quiet);
    let driven = drive(&mut simulation, progress, out, &mut |mut rows| {
        if let Some(by_demand) = &mut by_demand {
            by_demand.add(&rows);
            rows.retain(|row| logged && row.is_nth(job.log_every));
        }
        if let Some(kept) = &mut kept {
            kept.write(&rows)?;
        }
        match &mut log {
            Some(log) => log.write(&rows).map_err(log_failure),
            None => Ok(()),
        }
    })?;
    kept.map_or(Ok(()), RequestLog::finish)?;
    log.map_or(Ok(()), RequestLog::finish)
        .map_err(log_failure)?;
    if driven.interrupted && !quiet {
        // Told before it is done: of very many servers it takes a while.
        terminal::say(&match &job.output {
            Some(target) => format!(
                "interrupted: writing what there is into {}; once more ends at once and keeps what was there before",
                target.display()
            ),
            None => "interrupted: the figures so far follow; once more ends at once".to_owned(),
        });
    }
    let summary = Summary::of(&simulation, job.scenario.hash());
    let by_demand = by_demand.map(ByDemand::rows);
    if let Some(folder) = folder {
        write_files(&folder, &job.scenario, &simulation, &summary)?;
        if let Some(rows) = &by_demand {
            folder.write(BY_DEMAND, |out| write_by_demand(rows, out))?;
        }
        folder.finish()?;
    }
    let exit = if driven.interrupted {
        Exit::Interrupted
    } else if summary.complete && summary.expectations_hold() {
        Exit::Ok
    } else {
        Exit::Failed
    };
    Ok(Finished {
        simulation,
        summary,
        driven,
        exit,
        requests,
        by_demand,
    })
}

fn write_files(
    folder: &Folder,
    scenario: &Scenario,
    simulation: &Simulation,
    summary: &Summary,
) -> Result<(), Failure> {
    folder.write("scenario.toml", |out| {
        out.write_all(scenario.to_toml().as_bytes())
    })?;
    folder.write("timeline.csv", |out| export::timeline(simulation, out))?;
    folder.write("servers.csv", |out| export::servers(simulation, out))?;
    folder.write("balancers.csv", |out| export::balancers(simulation, out))?;
    folder.write("events.csv", |out| export::events(simulation, out))?;
    folder.write(SUMMARY, |out| out.write_all(summary.to_json().as_bytes()))
}

fn print(
    job: &Job,
    finished: &Finished,
    how: &HowArgs,
    quiet: bool,
    number: usize,
    out: &mut Out,
) -> Result<(), Failure> {
    let Finished {
        simulation,
        summary,
        driven,
        exit,
        by_demand,
        ..
    } = finished;
    match how.format {
        RunFormat::Text => {
            if number > 0 {
                writeln!(out)?;
            }
            let report = Report {
                argument: &shown(&job.argument),
                scenario: &job.scenario,
                simulation,
                summary,
                driven: *driven,
                whole_event_log: how.event_log,
            };
            report::write(&report, out)?;
            if let Some(rows) = by_demand {
                let about = "Response time by demand, of the requests that were answered";
                let table = Block::Table(demand_table(rows));
                sheet::print(&[Block::Heading(about.to_owned()), table], out)?;
            }
            if how.theory {
                let applied = theory::apply(&job.model).beside(summary);
                sheet::print(&report::theory_blocks(&applied, &[]), out)?;
            }
            if !quiet {
                report::write_next(&report, job.output.as_deref(), out)?;
            }
        }
        RunFormat::Json => {
            let host = Host::new(summary, driven.wall, *exit);
            let theory = how
                .theory
                .then(|| theory::apply(&job.model).beside(summary));
            let whole = WithHost {
                summary,
                theory,
                by_demand: by_demand.as_deref(),
                host,
            };
            writeln!(out, "{}", terminal::json(&whole))?;
        }
        RunFormat::Csv => export::timeline(simulation, out)?,
    }
    Ok(())
}

/// The summary, with what depends on the machine in a place of its own.
#[derive(Serialize)]
struct WithHost<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    #[serde(skip_serializing_if = "Option::is_none")]
    theory: Option<Applied>,
    #[serde(skip_serializing_if = "Option::is_none")]
    by_demand: Option<&'a [DemandRow]>,
    host: Host,
}
