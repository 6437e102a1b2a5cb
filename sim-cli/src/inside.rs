//! A command inside another program: its arguments are words, its results a folder in memory.
//!
//! Nothing is done another way than on the command line. Arguments go through the same definitions, with the same
//! checks and words, and every file has the bytes that `-o DIR` would have written.

use crate::args::Cli;
use crate::command::sweep;
use crate::exit::{Exit, Failure, Refused};
use crate::folder::{BY_DEMAND, EXPERIMENT, REQUESTS, SUMMARY};
use crate::sheet::{self, PAGE};
use crate::terminal::{self, Out};
use anstream::adapter::strip_str;
use clap::Parser;
use serde::Serialize;
use sim_core::engine::Simulation;
use sim_core::experiment::sweep::{Plan, Row, write_rows};
use sim_core::export;
use sim_core::report::page::{Future, Page};
use sim_core::report::pictures;
use sim_core::report::sheet::Sheet;
use sim_core::report::write_by_demand;
use sim_core::scenario::Scenario;
use sim_core::summary::{DemandRow, Summary};
use sim_core::theory::Applied;
use std::io::{self, Write};
use std::sync::atomic::AtomicBool;

/// What a command has to do with the program that it runs in.
pub struct Inside<'a> {
    /// Texts that arguments can name, and that scenarios can refer to, beside files and models: names as of files,
    /// and what stands in them.
    pub given: &'a [(String, String)],
    /// Set by whoever wants the command to end before it is done.
    pub stop: &'a AtomicBool,
    /// Told how much is done, of how much; by any thread.
    pub progress: &'a (dyn Fn(u64, u64) + Sync),
}

/// What a command found.
pub struct Answer {
    /// The exit code that it amounts to: 0, 6 where something does not hold, or 130 where it was stopped.
    pub exit: u8,
    /// What it prints, without colours.
    pub printed: String,
    /// What may not be meant.
    pub warnings: Vec<String>,
    found: Found,
    /// The command as it would be typed, for pages.
    command: String,
}

/// Why a command did not do what was asked.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Refusal {
    /// The exit code that it amounts to.
    pub exit: u8,
    /// What is wrong, in the words of the command.
    pub message: String,
    /// What to do about it; may be empty.
    pub help: String,
    /// What is wrong with scenarios, as JSON: lists, as `stampede check --format json` has them.
    pub problems: Vec<String>,
}

/// Does what `stampede WORDS…` does.
///
/// # Errors
/// What the command would say, and end with, where it cannot do it.
pub fn answer(words: &[String], inside: &Inside<'_>) -> Result<Answer, Refusal> {
    let words = || words.iter().cloned();
    let cli = Cli::try_parse_from(std::iter::once("stampede".to_owned()).chain(words()))
        .map_err(|error| misused(&error))?;
    let command = sheet::of_words(words(), false);
    let mut out = Out::inside(inside, command);
    // Nothing is said on standard error.
    let exit = crate::run(&Cli { quiet: true, ..cli }, &mut out).map_err(refusal)?;
    let asked = *out
        .into_asked()
        .unwrap_or_else(|| unreachable!("it was made for a program"));
    Ok(Answer {
        exit: exit.code(),
        printed: strip_str(&String::from_utf8_lossy(&asked.printed)).to_string(),
        warnings: asked.warnings,
        found: asked.found,
        command: asked.command,
    })
}

impl Answer {
    /// The names of all files that the command would leave in a folder.
    pub fn names(&self) -> Vec<String> {
        match &self.found {
            Found::Files(files) => files.iter().map(|(name, _)| name.clone()).collect(),
            Found::Run(run) => run.names().iter().map(|name| (*name).to_owned()).collect(),
            Found::Sweep(swept) => {
                let drawn = pictures(&swept.plan, &swept.rows).into_iter();
                let mut names = vec![sweep::TABLE.to_owned(), sweep::PLAN.to_owned()];
                names.extend(drawn.map(|(name, _)| name));
                names.push(PAGE.to_owned());
                names
            }
        }
    }

    /// The bytes of a file.
    pub fn file(&self, name: &str) -> Option<Vec<u8>> {
        match &self.found {
            Found::Files(files) => {
                let file = files.iter().find(|(own, _)| own == name)?;
                Some(file.1.clone())
            }
            Found::Run(run) => run.file(name, &self.command),
            Found::Sweep(swept) => swept.file(name),
        }
    }

    /// How times of a run are spread, by their path in the summary, such as `response_time_s` or
    /// `services.web.wait_s`: lower and upper edge of each bucket that is not empty, in nanoseconds, and how many there
    /// are in it. `None` where there are no such times.
    pub fn times_ns(&self, path: &str) -> Option<Vec<(f64, f64, u64)>> {
        match &self.found {
            Found::Run(run) => {
                let times = Summary::times(&run.simulation, path)?;
                Some(times.buckets_ns().collect())
            }
            _ => None,
        }
    }
}

/// What a command leaves for the program.
pub(crate) enum Found {
    /// Files.
    Files(Vec<(String, Vec<u8>)>),
    /// A run, whose files are written when they are asked for.
    Run(Box<RunFound>),
    /// Cells of a sweep, likewise.
    Sweep(Box<Swept>),
}

/// A run at its end.
pub(crate) struct RunFound {
    pub scenario: Scenario,
    pub simulation: Simulation,
    pub summary: Summary,
    /// What queueing theory says, where it was asked for.
    pub theory: Option<Applied>,
    /// The request log; empty where none was asked for.
    pub requests: Vec<u8>,
    /// Response times by classes of demand, where they were asked for.
    pub by_demand: Option<Vec<DemandRow>>,
}

/// The summary, with what theory says.
#[derive(Serialize)]
struct WithTheory<'a> {
    #[serde(flatten)]
    summary: &'a Summary,
    theory: &'a Applied,
}

/// A sweep at its end.
pub(crate) struct Swept {
    pub plan: Plan,
    pub rows: Vec<Row>,
}

/// The program that a command runs in, and what is left for it.
pub(crate) struct Asked<'a> {
    /// The program.
    pub inside: &'a Inside<'a>,
    /// The command as it would be typed.
    command: String,
    /// What was printed.
    pub printed: Vec<u8>,
    /// What may not be meant.
    pub warnings: Vec<String>,
    /// What was found.
    pub found: Found,
}

impl<'a> Asked<'a> {
    pub(crate) fn by(inside: &'a Inside<'a>, command: String) -> Self {
        Self {
            inside,
            command,
            printed: Vec::new(),
            warnings: Vec::new(),
            found: Found::Files(Vec::new()),
        }
    }

    /// Keeps a file.
    pub(crate) fn keep(
        &mut self,
        name: &str,
        content: impl Fn(&mut dyn Write) -> io::Result<()>,
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        content(&mut bytes)?;
        if let Found::Files(files) = &mut self.found {
            files.push((name.to_owned(), bytes));
        }
        Ok(())
    }

    /// Keeps what every experiment leaves.
    pub(crate) fn keep_experiment(
        &mut self,
        report: &impl Serialize,
        scenario: Option<&Scenario>,
        sheet: &Sheet,
    ) -> io::Result<()> {
        self.keep(EXPERIMENT, |out| {
            writeln!(out, "{}", terminal::json(report))
        })?;
        if let Some(scenario) = scenario {
            self.keep(SCENARIO, |out| out.write_all(scenario.to_toml().as_bytes()))?;
        }
        // Not what this process was started with.
        let sheet = Sheet {
            commands: vec![self.command.clone()],
            ..sheet.clone()
        };
        self.keep(PAGE, |out| out.write_all(sheet.html().as_bytes()))
    }
}

/// The scenario as it was run.
const SCENARIO: &str = "scenario.toml";
/// The report of a run as the draft of a postmortem.
const DRAFT: &str = "report.md";
/// The chart of a run's story.
const CHART: &str = "report.svg";

impl RunFound {
    fn names(&self) -> Vec<&'static str> {
        let mut names = vec![
            SUMMARY,
            SCENARIO,
            "timeline.csv",
            "servers.csv",
            "balancers.csv",
            "events.csv",
            PAGE,
            DRAFT,
            CHART,
        ];
        if !self.requests.is_empty() {
            names.push(REQUESTS);
        }
        if self.by_demand.is_some() {
            names.push(BY_DEMAND);
        }
        names
    }

    /// Every figure, as the command prints it.
    fn figures(&self) -> String {
        match &self.theory {
            Some(theory) => {
                let summary = &self.summary;
                format!("{}\n", terminal::json(&WithTheory { summary, theory }))
            }
            None => self.summary.to_json(),
        }
    }

    fn file(&self, name: &str, command: &str) -> Option<Vec<u8>> {
        let simulation = &self.simulation;
        let page = || Page {
            run: Future {
                name: "as it went",
                scenario: &self.scenario,
                simulation,
                summary: &self.summary,
            },
            beside: None,
            commands: vec![command.to_owned()],
        };
        let table = |write: fn(&Simulation, &mut dyn Write) -> io::Result<()>| {
            let mut bytes = Vec::new();
            write(simulation, &mut bytes).ok()?;
            Some(bytes)
        };
        match name {
            SUMMARY => Some(self.figures().into_bytes()),
            SCENARIO => Some(self.scenario.to_toml().into_bytes()),
            "timeline.csv" => table(export::timeline),
            "servers.csv" => table(export::servers),
            "balancers.csv" => table(export::balancers),
            "events.csv" => table(export::events),
            REQUESTS if !self.requests.is_empty() => Some(self.requests.clone()),
            BY_DEMAND => {
                let mut bytes = Vec::new();
                write_by_demand(self.by_demand.as_ref()?, &mut bytes).ok()?;
                Some(bytes)
            }
            PAGE => Some(page().html().into_bytes()),
            DRAFT => Some(page().markdown().into_bytes()),
            CHART => Some(page().svg().into_bytes()),
            _ => None,
        }
    }
}

impl Swept {
    fn file(&self, name: &str) -> Option<Vec<u8>> {
        let Self { plan, rows } = self;
        match name {
            sweep::TABLE => {
                let mut bytes = Vec::new();
                write_rows(plan, rows, &mut bytes).ok()?;
                Some(bytes)
            }
            sweep::SENSITIVITY => sweep::sensitivity(plan, rows),
            sweep::PLAN => Some(plan.to_toml().into_bytes()),
            PAGE => Some(sweep::sheet(plan, rows).html().into_bytes()),
            name => {
                let drawn = pictures(plan, rows).into_iter();
                let mut named = drawn.filter(|(own, _)| own == name);
                named.next().map(|(_, picture)| picture.svg().into_bytes())
            }
        }
    }
}

/// Arguments that make no sense; help, where that was asked for.
fn misused(error: &clap::Error) -> Refusal {
    let text = error.to_string();
    let text = text.trim_end();
    Refusal {
        exit: Exit::Usage.code(),
        message: text.strip_prefix("error: ").unwrap_or(text).to_owned(),
        help: String::new(),
        problems: Vec::new(),
    }
}

fn refusal(failure: Failure) -> Refusal {
    let Failure {
        exit,
        message,
        help,
        refused,
    } = failure;
    let told = |Refused { text, .. }: &Refused| strip_str(text).to_string();
    let mut said: Vec<String> = refused.iter().map(told).collect();
    said.extend((!message.is_empty()).then_some(message));
    Refusal {
        exit: exit.code(),
        message: said.join("\n\n"),
        help,
        problems: refused.into_iter().map(|refused| refused.json).collect(),
    }
}
