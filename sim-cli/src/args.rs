//! The arguments, and nothing else.

mod analyse;
mod deadline;
mod doctor;
mod experiment;
mod logs;
mod page;
mod rare;
mod remedy;
mod report;
mod stress;
mod sweep;
mod test;
#[cfg(feature = "watch")]
mod watch;

pub(crate) use analyse::{AnalyseArgs, LeaveOut};
pub(crate) use deadline::DeadlineArgs;
pub(crate) use doctor::{DoctorArgs, DoctorFormat};
pub(crate) use experiment::{
    CompareArgs, EstimandArg, ExperimentArgs, REPLICATIONS, ResultArgs, ResultFormat, WarmUpArg,
};
pub(crate) use logs::{ArrivalsArg, CalibrateArgs, FormArgs, ReplayArgs};
pub(crate) use page::PageArgs;
pub(crate) use rare::RareArgs;
pub(crate) use remedy::RemedyArgs;
pub(crate) use report::{ReportArgs, ReportFormat};
pub(crate) use stress::{SPAN_MAX, StressArgs};
pub(crate) use sweep::{MergeArgs, SweepArgs, SweepCommand, TableFormat};

pub(crate) use test::{Annotate, TestArgs};
#[cfg(feature = "watch")]
pub(crate) use watch::WatchArgs;

use crate::exit::EXITS;
use clap::builder::PossibleValuesParser;
use clap::{ArgGroup, Args, Parser, Subcommand, ValueEnum};
use sim_core::summary::DemandClasses;
use std::path::PathBuf;

const EXAMPLES: &str = "Examples:
  stampede run incident                     replay the incident that comes with the program
  stampede run mine.toml --set seed=7       run a scenario of your own with another seed
  stampede compare mine.toml --vary service.web.balancer.policy=random,power-of-d
  stampede new mine --from incident         begin with a copy of a scenario";

const SCENARIO: &str = "A scenario: a file, the name of a model that comes with the program, or `-` for standard input";

/// The whole command line.
#[derive(Parser, Debug)]
#[command(
    name = "stampede",
    version,
    disable_version_flag = true,
    max_term_width = 100,
    arg_required_else_help = true,
    override_usage = "stampede [OPTIONS] <COMMAND>\n       stampede --version [--verbose]"
)]
#[command(about = "What happens to this fleet, behind this balancer, when the rush comes?")]
#[command(
    long_about = "What happens to this fleet, behind this balancer, when the rush comes?\n\nStampede simulates load balancing under overload, event by event. The same scenario and seed give the same bytes on every machine."
)]
#[command(after_help = EXAMPLES, after_long_help = long_help())]
pub(crate) struct Cli {
    /// What to do; nothing where only the version is asked for.
    #[command(subcommand)]
    pub command: Option<Command>,
    /// When to use colours; `auto` also heeds `NO_COLOR` and `CLICOLOR_FORCE`
    #[arg(
        long,
        global = true,
        value_name = "WHEN",
        default_value = "auto",
        help_heading = "General"
    )]
    pub color: When,
    /// Only results and errors: no progress, no warnings, no hints
    #[arg(short, long, global = true, help_heading = "General")]
    pub quiet: bool,
    /// Scenarios may refer to files of their own folder only, wherever links lead: for scenarios of strangers
    #[arg(long, global = true, help_heading = "General")]
    pub confine: bool,
    #[command(flatten)]
    pub version: VersionArgs,
}

/// What is told instead of doing something.
#[derive(Args, Debug)]
pub(crate) struct VersionArgs {
    /// Print the version
    #[arg(id = "version", short = 'V', long, help_heading = "General")]
    pub asked: bool,
    /// With --version: what the program was built from, and what its results depend on
    #[arg(short, long, requires = "version", help_heading = "General")]
    pub verbose: bool,
}

/// What to do.
#[derive(Subcommand, Debug)]
pub(crate) enum Command {
    /// Simulate scenarios and tell what happened
    Run(RunArgs),
    /// Watch a run in the terminal as it happens: play, stop, go back
    #[cfg(feature = "watch")]
    Watch(WatchArgs),
    /// Write a report of a run as one page: what happened when, and what contributed
    Report(ReportArgs),
    /// Simulate variants under the same random numbers, and tell which is better
    Compare(CompareArgs),
    /// Find the load at which a system breaks, and whether it recovers
    Stress(StressArgs),
    /// Find the last moment at which an act still prevents the damage
    Deadline(DeadlineArgs),
    /// Estimate how probable something is that next to never happens: a crash, a full queue
    Rare(RareArgs),
    /// Find the changes that save most, and those that make it worse
    Remedy(RemedyArgs),
    /// Simulate a scenario in many variants: every combination of values along its axes
    Sweep(SweepArgs),
    /// Simulate scenarios as a suite, and say what does not hold: for continuous integration
    Test(TestArgs),
    /// Say what a series of values shows: mean, warm-up, stationarity, quantiles
    Analyse(AnalyseArgs),
    /// Measure the engine against queueing theory and published tables
    Verify(VerifyArgs),
    /// Read scenarios, without simulating them, and tell what is wrong
    Check(CheckArgs),
    /// Write a new scenario: a copy of a model, with its comments
    New(NewArgs),
    /// Make a scenario of settings of other programs: nginx, HAProxy, Envoy, Kubernetes …
    Import(ImportArgs),
    /// Write a scenario as settings of nginx, HAProxy or Envoy, or as a load test for k6
    Export(ExportArgs),
    /// Find dangerous settings, and show by simulation what each costs
    Doctor(DoctorArgs),
    /// Make a scenario of access logs or reports of load tests, and say how far to trust it
    Calibrate(CalibrateArgs),
    /// Send the requests of a log through a scenario
    Replay(ReplayArgs),
    /// List what scenarios can use: policies, distributions, metrics, models …
    List(ListArgs),
    /// Explain an error code, a policy, a metric, a key …
    Explain(ExplainArgs),
    /// Print the JSON Schema of scenarios, with which editors complete and check
    Schema(SchemaArgs),
    /// Print a completion script for a shell
    Completions(CompletionsArgs),
    /// Print a manual page, or write all of them into a folder
    Man(ManArgs),
    /// Print the reference pages of the book
    #[command(hide = true)]
    DocsReference,
}

/// Arguments of `run`.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new(experiment::GOING_ON).args(["precision"])))]
pub(crate) struct RunArgs {
    #[arg(required = true, value_name = "SCENARIO", help = SCENARIO)]
    #[arg(
        long_help = "A scenario: a file, the name of a model that comes with the program, or `-` for standard input. What contains a `/` or ends in .toml or .json is a file if there is one; everything else is a name."
    )]
    pub scenarios: Vec<String>,
    #[command(flatten)]
    pub how: HowArgs,
    #[command(flatten)]
    pub experiment: ExperimentArgs,
    #[command(flatten)]
    pub page: PageArgs,
}

/// How a scenario is run once, and what is told of it.
#[derive(Args, Debug)]
pub(crate) struct HowArgs {
    #[command(flatten)]
    pub seeded: SeededArgs,
    /// Number of the replication: other random numbers from the same seed
    #[arg(long, value_name = "N", default_value_t = 0)]
    pub replication: u64,
    /// Write all results into this folder: summary, time lines, events and the scenario as run
    #[arg(short, long, value_name = "DIR", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Write into the folder even if it holds other files
    #[arg(long, requires = "output", help_heading = "Output")]
    pub force: bool,
    /// Write every N-th request to requests.csv
    #[arg(long, value_name = "N", requires = "output", value_parser = clap::value_parser!(u64).range(1..), help_heading = "Output")]
    pub log_requests: Option<u64>,
    /// What to print: a report, the summary as JSON, or the time line as CSV; with --replications
    /// the table of measures
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub format: RunFormat,
    /// Set beside the figures what queueing theory says, or why it says nothing here
    #[arg(long, help_heading = "Output")]
    pub theory: bool,
    /// Also print response times by classes of demand: so many parts of equal size, such as 10, or
    /// bounds, such as 1ms,10ms
    #[arg(long, value_name = "PARTS|BOUNDS", value_parser = DemandClasses::parse, help_heading = "Output")]
    pub by_demand: Option<DemandClasses>,
    /// Print every event of the event log instead of folding it
    #[arg(long, help_heading = "Output")]
    pub event_log: bool,
    #[command(flatten)]
    pub showing: Showing,
}

/// Arguments of `verify`.
#[derive(Args, Debug)]
pub(crate) struct VerifyArgs {
    /// Only what takes minutes: shorter runs, fewer cases
    #[arg(long)]
    pub fast: bool,
    /// Only cases whose number or title contains this, such as `P21` or `M/M/1`; may be repeated
    #[arg(long, value_name = "PATTERN")]
    pub case: Vec<String>,
    /// Seed of every scenario: with another one the suite is measured afresh
    #[arg(
        long,
        value_name = "N",
        default_value_t = 1,
        allow_negative_numbers = true,
        value_parser = seed
    )]
    pub seed: u64,
    /// Make every reference wrong by so many per cent, to see that wrong ones are refused
    #[arg(
        long,
        value_name = "PERCENT",
        default_value_t = 0.0,
        allow_negative_numbers = true,
        value_parser = shift
    )]
    pub shift: f64,
    /// How many threads simulate; as many as there are processors when not given
    #[arg(long, value_name = "N")]
    pub threads: Option<std::num::NonZeroUsize>,
    /// How to print the table
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub format: VerifyFormat,
    #[command(flatten)]
    pub showing: Showing,
}

/// Sets from outside.
#[derive(Args, Debug)]
pub(crate) struct SetArgs {
    /// Give a key another value, such as `service.web.server.web-1.weight=1`; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value)]
    sets: Vec<(String, String)>,
    /// Leave out what the scenario expects: what was written for other settings need not hold, or make
    /// sense, for these
    #[arg(long)]
    no_expect: bool,
}

impl SetArgs {
    /// Everything that is set from outside, with a seed from outside.
    pub(crate) fn all(&self, seed: Option<u64>) -> Vec<(String, String)> {
        let mut sets = self.sets.clone();
        sets.extend(seed.map(|seed| ("seed".to_owned(), seed.to_string())));
        if self.no_expect {
            sets.push((EXPECT.to_owned(), "[]".to_owned()));
        }
        sets
    }
}

/// What is set from outside, and what is tried beside it: where both have a path, what is tried.
pub(crate) fn replacing(
    outside: &[(String, String)],
    tried: &[(String, String)],
) -> Vec<(String, String)> {
    let stays = |(path, _): &&(String, String)| !tried.iter().any(|(own, _)| own == path);
    let outside = outside.iter().filter(stays);
    outside.chain(tried).cloned().collect()
}

/// What is set from outside, with another seed.
#[derive(Args, Debug)]
pub(crate) struct SeededArgs {
    /// Another seed than the scenario's
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = seed)]
    pub seed: Option<u64>,
    #[command(flatten)]
    pub sets: SetArgs,
}

impl SeededArgs {
    /// Everything that is set from outside.
    pub(crate) fn all(&self) -> Vec<(String, String)> {
        self.sets.all(self.seed)
    }
}

/// A seed.
fn seed(text: &str) -> Result<u64, String> {
    text.trim()
        .parse()
        .map_err(|_| format!("it takes a whole number from 0 to {}", u64::MAX))
}

/// The key of what a scenario expects of itself.
pub(crate) const EXPECT: &str = "expect";

/// Arguments of `check`.
#[derive(Args, Debug)]
pub(crate) struct CheckArgs {
    #[arg(required = true, value_name = "SCENARIO", help = SCENARIO)]
    pub scenarios: Vec<String>,
    #[command(flatten)]
    pub sets: SetArgs,
    /// How to print what was found
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ListFormat,
}

/// Arguments of `new`.
#[derive(Args, Debug)]
pub(crate) struct NewArgs {
    /// The new file; `.toml` is added where it is missing
    #[arg(value_name = "NAME")]
    pub name: PathBuf,
    /// What to copy: a model that comes with the program, or a file
    #[arg(long, value_name = "SCENARIO", default_value = "first")]
    pub from: String,
}

/// Arguments of `import`.
#[derive(Args, Debug)]
pub(crate) struct ImportArgs {
    /// Files and folders of settings, or `-` for standard input; several make one system
    #[arg(required = true, value_name = "FILE")]
    pub files: Vec<String>,
    /// Which format they are in, where it is not recognised
    #[arg(long = "as", value_name = "FORMAT", value_parser = PossibleValuesParser::new(formats()))]
    pub format_name: Option<String>,
    /// A value for a placeholder or an environment variable of the files
    #[arg(long = "env", value_name = "NAME=VALUE", value_parser = named_value)]
    pub variables: Vec<(String, String)>,
    /// Access logs, for rates, demand and workers, which no settings say
    #[arg(long = "log", value_name = "LOG")]
    pub logs: Vec<String>,
    #[command(flatten)]
    pub form: FormArgs,
    /// The report of a load test, for the rate; its times hold what was waited, and stay assumed
    #[arg(long, value_name = "FILE", conflicts_with = "logs")]
    pub load_test: Option<String>,
    /// Write the scenario into this file instead of printing it
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How to print: the scenario with remarks on standard error, or all as JSON
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ListFormat,
}

fn named_value(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((name, value)) if !name.is_empty() => Ok((name.to_owned(), value.to_owned())),
        _ => Err("write NAME=VALUE".to_owned()),
    }
}

fn formats() -> Vec<&'static str> {
    sim_import::settings::FORMATS
        .iter()
        .map(|format| format.name)
        .collect()
}

/// Arguments of `export`.
#[derive(Args, Debug)]
pub(crate) struct ExportArgs {
    #[arg(value_name = "SCENARIO", help = SCENARIO)]
    pub scenario: String,
    /// What it is written as
    #[arg(long = "as", value_name = "PROGRAM", value_parser = PossibleValuesParser::new(targets()))]
    pub target: String,
    #[command(flatten)]
    pub sets: SetArgs,
    /// Write it into this file instead of printing it
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How to print: the text with remarks on standard error, or all as JSON
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ListFormat,
}

fn targets() -> Vec<&'static str> {
    sim_import::export::TARGETS
        .iter()
        .map(|target| target.name)
        .collect()
}

/// Arguments of `list`.
#[derive(Args, Debug)]
pub(crate) struct ListArgs {
    /// What to list; without it, what there is to list
    #[arg(value_name = "TABLE", value_parser = PossibleValuesParser::new(crate::catalogue::names()))]
    pub table: Option<String>,
    /// Only entries whose name contains this
    #[arg(value_name = "FILTER")]
    pub filter: Option<String>,
    /// How to print it
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ListFormat,
}

/// Arguments of `explain`.
#[derive(Args, Debug)]
pub(crate) struct ExplainArgs {
    /// An error code, or any name that `stampede list` shows
    #[arg(value_name = "WORD", required = true)]
    pub words: Vec<String>,
    /// Of a dialect: print the keys of a balancer that it stands for. A word may then be a table with
    /// parameters: `{ kind = "alb", slow_start = "30s" }`
    #[arg(long)]
    pub expand: bool,
}

/// Arguments of `schema`.
#[derive(Args, Debug)]
pub(crate) struct SchemaArgs {
    /// That of plans for `stampede sweep` instead
    #[arg(long)]
    pub plan: bool,
}

/// Arguments of `completions`.
#[derive(Args, Debug)]
pub(crate) struct CompletionsArgs {
    /// The shell
    #[arg(value_name = "SHELL")]
    pub shell: clap_complete::Shell,
}

/// Arguments of `man`.
#[derive(Args, Debug)]
pub(crate) struct ManArgs {
    /// The command, such as `run` or `sweep merge`; without it, the page of the whole
    #[arg(value_name = "COMMAND", conflicts_with = "output")]
    pub command: Vec<String>,
    /// Write the pages of all commands into this folder
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// What `run` prints.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum RunFormat {
    /// A report for people.
    Text,
    /// The summary; several scenarios give several documents, one after the other.
    Json,
    /// The time line: one row for each interval.
    Csv,
}

/// What `verify` prints.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum VerifyFormat {
    /// A table for people, as it grows.
    Text,
    /// One object for each comparison.
    Json,
    /// One row for each comparison.
    Csv,
}

/// What lists are printed as.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ListFormat {
    /// For people.
    Text,
    /// For programs.
    Json,
}

/// When to use colours.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum When {
    /// On a terminal.
    Auto,
    /// Everywhere.
    Always,
    /// Nowhere.
    Never,
}

/// How an experiment shows how far it is.
#[derive(Args, Clone, Copy, Debug)]
pub(crate) struct Showing {
    /// How to show progress, on standard error; `auto` is a bar on a terminal and nothing elsewhere
    #[arg(
        long,
        value_name = "HOW",
        default_value = "auto",
        help_heading = "Output"
    )]
    pub progress: ProgressStyle,
}

/// How to show progress.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ProgressStyle {
    /// A bar on a terminal, nothing elsewhere.
    Auto,
    /// A bar, if standard error is a terminal.
    Bar,
    /// A line every ten seconds.
    Counter,
    /// Nothing.
    None,
}

fn shift(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(percent) if percent.is_finite() && percent > -100.0 => Ok(percent),
        _ => Err("it takes per cent above -100, such as 2 or -0.5".to_owned()),
    }
}

pub(crate) fn path_and_value(text: &str) -> Result<(String, String), String> {
    let (path, value) = text
        .split_once('=')
        .ok_or("it takes a path, `=` and a value, such as `seed=7`")?;
    Ok((path.trim().to_owned(), value.trim().to_owned()))
}

fn long_help() -> String {
    let mut text = format!("{EXAMPLES}\n\nExit codes:\n");
    text.extend(
        EXITS
            .iter()
            .map(|(_, code, about)| format!("  {code:>3}  {about}\n")),
    );
    text.push_str("\nResults go to standard output, messages to standard error.");
    text
}
