//! `stampede report`: one page from a run, which says what happened, when, and what contributed.

use super::create;
use super::deadline::moment;
use super::refused;
use crate::args::{ReportArgs, ReportFormat};
use crate::drive::drive_until;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::folder::SUMMARY;
use crate::input::Input;
use crate::part::write_whole;
use crate::progress::Progress;
use crate::sheet::PAGE;
use crate::terminal::{self, DIM, Out};
use sim_core::edit::Edit;
use sim_core::engine::Simulation;
use sim_core::model::Model;
use sim_core::report::page::{Future, Page};
use sim_core::scenario::{Problems, Scenario};
use sim_core::summary::Summary;
use sim_core::text::shell_word;
use sim_core::time::Instant;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

/// What the futures are called beside each other.
const WITHOUT: &str = "as it went";

/// Where a run comes from: a scenario, or the folder of a run that was kept.
struct Origin {
    input: Input,
    replication: u64,
    /// Hash of the events of the run that was kept.
    digest: Option<String>,
}

/// A future at its end.
struct Run {
    scenario: Scenario,
    simulation: Simulation,
    summary: Summary,
}

impl Run {
    fn of(scenario: Scenario, simulation: Simulation) -> Self {
        let summary = Summary::of(&simulation, scenario.hash());
        Self {
            scenario,
            simulation,
            summary,
        }
    }

    fn future<'a>(&'a self, name: &'a str) -> Future<'a> {
        Future {
            name,
            scenario: &self.scenario,
            simulation: &self.simulation,
            summary: &self.summary,
        }
    }
}

/// Simulates the run, and the second future where one is asked for, and writes the report.
pub(crate) fn run(args: &ReportArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    if args.format == ReportFormat::Svg && !edits(args).is_empty() {
        let message = "--format svg is the chart of one run, without a second future";
        return Err(Failure::new(Exit::Usage, message).help("the page shows both: --format html"));
    }
    let origin = origin(args)?;
    let sets = args.seeded.all();
    let read = origin.input.scenario(&sets);
    let read = read.and_then(|scenario| scenario.model().map(|model| (scenario, Arc::new(model))));
    let (scenario, model) =
        read.map_err(|problems| super::refused_input(&origin.input, &sets, &problems))?;
    check_output(args)?;
    let fork_at = fork_at(args, &model)?;
    let mut simulation = Simulation::new(Arc::clone(&model), origin.replication);
    out.stop()?;
    let finish = |simulation: &mut Simulation, until: Instant| {
        let progress = Progress::new(scenario.name(), args.showing.progress, quiet);
        let driven = drive_until(simulation, until, progress, out, &mut |_| Ok(()))?;
        if driven.interrupted {
            let message = "interrupted: no report is written of a part of a run";
            return Err(Failure::new(Exit::Interrupted, message));
        }
        Ok(())
    };
    let end = Instant(model.horizon.0);
    let mut other = None;
    if let Some(at) = fork_at {
        finish(&mut simulation, at)?;
        let (changed, mut fork) = fork(&edits(args), &simulation, &scenario, &model)
            .map_err(|problems| refused(&problems))?;
        finish(&mut fork, end)?;
        other = Some(Run::of(changed, fork));
    }
    finish(&mut simulation, end)?;
    let run = Run::of(scenario, simulation);
    if let Some(kept) = origin.digest.filter(|kept| *kept != run.summary.digest) {
        let message = format!(
            "{}: simulated again it has digest {}, not {kept} as {SUMMARY} says",
            args.scenario, run.summary.digest
        );
        return Err(Failure::new(Exit::Failed, message)
            .help("it was made by another version of the program, or its files were changed"));
    }
    let with = words(&edits(args));
    let page = Page {
        run: run.future(WITHOUT),
        beside: other.as_ref().map(|other| other.future(&with)),
        commands: commands(args, origin.replication),
    };
    write(args, &page, quiet, out)?;
    Ok(if run.summary.complete && run.summary.expectations_hold() {
        Exit::Ok
    } else {
        Exit::Failed
    })
}

fn origin(args: &ReportArgs) -> Result<Origin, Failure> {
    let folder = Path::new(&args.scenario);
    let is_folder = files::look(folder)
        .ok()
        .flatten()
        .is_some_and(|f| f.is_dir());
    let page = folder.join(PAGE);
    if is_folder && files::is_there(&page).unwrap_or(false) {
        let message = format!(
            "{} holds the results of an experiment, and their report is there: {}",
            args.scenario,
            page.display()
        );
        return Err(Failure::new(Exit::Usage, message)
            .help("of one run: stampede report SCENARIO, or the folder of `stampede run -o`"));
    }
    // A model of that name is meant where the folder is not a run's.
    if !is_folder || !files::is_there(&folder.join(SUMMARY)).unwrap_or(false) {
        return Ok(Origin {
            input: Input::open(&args.scenario, &[])?,
            replication: args.replication.unwrap_or(0),
            digest: None,
        });
    }
    if args.replication.is_some() || !args.seeded.all().is_empty() {
        let message = format!(
            "{} is a run that was kept: nothing of it can be set",
            args.scenario
        );
        return Err(Failure::new(Exit::Usage, message)
            .help("report on the scenario itself, or change something while time runs: --change"));
    }
    kept(&args.scenario, folder)
}

/// A run that was kept: its scenario is simulated again.
fn kept(argument: &str, folder: &Path) -> Result<Origin, Failure> {
    let unusable = |why: &str| Failure::new(Exit::Io, format!("cannot use {argument}: {why}"));
    let text = files::read_text(&folder.join(SUMMARY))
        .map_err(|error| Failure::io(format!("cannot read {argument}/{SUMMARY}"), &error))?;
    let summary: serde_json::Value = serde_json::from_str(&text)
        .map_err(|error| unusable(&format!("{SUMMARY} is no JSON: {error}")))?;
    let word = |key: &str| summary[key].as_str().map(str::to_owned);
    let (Some(name), Some(digest), Some(replication)) = (
        word("scenario"),
        word("digest"),
        summary["replication"].as_u64(),
    ) else {
        return Err(unusable(&format!("{SUMMARY} is no summary of a run")));
    };
    Ok(Origin {
        input: Input::kept(&folder.join("scenario.toml"), &name)?,
        replication,
        digest: Some(digest),
    })
}

/// When the second future leaves the first, if there is to be one.
fn fork_at(args: &ReportArgs, model: &Model) -> Result<Option<Instant>, Failure> {
    let Some(text) = &args.at else {
        return Ok(None);
    };
    let wrong = |why: String| Failure::new(Exit::Usage, format!("--at {text}: {why}"));
    if args.change.is_empty() && args.acts.is_empty() {
        return Err(wrong("nothing is done then".to_owned())
            .help("say what with --change PATH=VALUE or --do ACTION=TARGET"));
    }
    let at = moment(text, model).map_err(wrong)?;
    if at >= Instant(model.horizon.0) {
        return Err(wrong("the run is over by then".to_owned()));
    }
    Ok(Some(at))
}

fn edits(args: &ReportArgs) -> Vec<Edit> {
    let changes = args.change.iter();
    let changes = changes.map(|(path, value)| Edit::set(path, value));
    let acts = args.acts.iter().map(|(act, target)| Edit::act(act, target));
    changes.chain(acts).collect()
}

fn words(edits: &[Edit]) -> String {
    let words: Vec<String> = edits.iter().map(Edit::words).collect();
    words.join(", ")
}

/// A second future from here on.
fn fork(
    edits: &[Edit],
    simulation: &Simulation,
    scenario: &Scenario,
    model: &Arc<Model>,
) -> Result<(Scenario, Simulation), Problems> {
    let (mut fork, mut scenario, mut model) =
        (simulation.clone(), scenario.clone(), Arc::clone(model));
    for edit in edits {
        edit.apply(&mut fork, &mut scenario, &mut model)?;
    }
    Ok((scenario, fork))
}

/// Refused before an hour is simulated.
fn check_output(args: &ReportArgs) -> Result<(), Failure> {
    let Some(path) = args.output.as_ref().filter(|_| !args.force) else {
        return Ok(());
    };
    if files::look(path).ok().flatten().is_some() {
        let message = format!("{} is there already, and is left as it is", path.display());
        return Err(Failure::new(Exit::Io, message).help("choose another name, or --force"));
    }
    Ok(())
}

fn write(args: &ReportArgs, page: &Page<'_>, quiet: bool, out: &mut Out) -> Result<(), Failure> {
    let text = match args.format {
        ReportFormat::Html => page.html(),
        ReportFormat::Markdown => page.markdown(),
        ReportFormat::Svg => page.svg(),
    };
    let Some(path) = &args.output else {
        return Ok(write!(out, "{text}")?);
    };
    if args.force {
        write_whole(path, text.as_bytes())
            .map_err(|error| Failure::io(format!("cannot write {}", path.display()), &error))?;
    } else {
        create(path, text.as_bytes())?;
    }
    if !quiet {
        writeln!(out, "{DIM}report in {}{DIM:#}", terminal::place(path))?;
    }
    Ok(())
}

/// The commands that give the same again.
fn commands(args: &ReportArgs, replication: u64) -> Vec<String> {
    let mut what = vec![shell_word(&args.scenario).into_owned()];
    for (path, value) in args.seeded.all() {
        what.extend([
            "--set".to_owned(),
            shell_word(&format!("{path}={value}")).into_owned(),
        ]);
    }
    if args.replication.is_some() {
        what.extend(["--replication".to_owned(), replication.to_string()]);
    }
    let mut report = what.clone();
    for (option, pairs) in [("--change", &args.change), ("--do", &args.acts)] {
        for (path, value) in pairs {
            report.extend([
                option.to_owned(),
                shell_word(&format!("{path}={value}")).into_owned(),
            ]);
        }
    }
    if let Some(at) = &args.at {
        report.extend(["--at".to_owned(), shell_word(at).into_owned()]);
    }
    let mut commands = vec![format!(
        "stampede report {} -o report.html",
        report.join(" ")
    )];
    if args.scenario != "-" && !Path::new(&args.scenario).is_dir() {
        commands.push(format!("stampede run {}", what.join(" ")));
    }
    commands
}
