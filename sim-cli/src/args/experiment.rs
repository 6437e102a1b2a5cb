//! Arguments that all experiments share.

use super::{PageArgs, ProgressStyle, SCENARIO, SeededArgs, path_and_value};
use clap::{ArgGroup, Args, ValueEnum};
use sim_core::experiment::sweep::THREADS_MAX;
use sim_core::time::Duration;
use std::num::NonZeroUsize;
use std::path::PathBuf;

/// Replications when nothing is said.
pub(crate) const REPLICATIONS: u64 = 30;
/// What makes an experiment go on until it is sure.
pub(crate) const GOING_ON: &str = "going_on";
/// Level of intervals when nothing is said.
const CONFIDENCE: f64 = 0.95;

const EXAMPLES: &str = "Examples:
  stampede compare slow-server --vary service.web.balancer.policy=round-robin,least-in-flight,random
  stampede compare mm1 faster.toml --measure mean,p99 --precision 5%
  stampede compare slow-server --vary service.web.balancer.policy=round-robin,power-of-d,random --select mean --indifference 1ms";

/// How many runs, how surely, on how many threads.
#[derive(Args, Clone, Copy, Debug)]
#[command(next_help_heading = "Experiment")]
pub(crate) struct EffortArgs {
    /// Simulate so many replications and give intervals
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1_000_000))]
    pub replications: Option<u64>,
    /// How surely an interval covers the truth [default: 95%]
    #[arg(long, value_name = "SHARE", value_parser = confidence)]
    pub confidence: Option<f64>,
    /// Threads to simulate on; results do not depend on it [default: one for each core]
    #[arg(long, value_name = "N", value_parser = threads)]
    pub threads: Option<NonZeroUsize>,
}

impl EffortArgs {
    /// The level of intervals.
    pub(crate) fn level(self) -> f64 {
        self.confidence.unwrap_or(CONFIDENCE)
    }
}

/// How many runs, what is measured in them, and how surely.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Experiment")]
pub(crate) struct ExperimentArgs {
    #[command(flatten)]
    pub effort: EffortArgs,
    /// A figure to measure, by its path in the summary, such as `response_time_s.p99` (or `p99`) or
    /// `services.web.servers.web-1.utilisation`; may be repeated, or several joined by commas
    #[arg(long = "measure", value_name = "FIGURE", value_delimiter = ',')]
    pub measures: Vec<String>,
    /// Go on, in waves of ten and for ten replications at least, until every interval's half-width is
    /// at most this share of its mean
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, value_parser = precision)]
    pub precision: Option<f64>,
    /// Replications at most, of what goes on until it is sure [default: 1000]
    #[arg(long, value_name = "N", requires = GOING_ON, value_parser = clap::value_parser!(u64).range(10..=1_000_000))]
    pub max_replications: Option<u64>,
    /// What to leave out at the start of a run: a time span, or `auto` to look for the end of the
    /// warm-up in pilot runs (MSER-5 on their mean, but no less than five relaxation times) [default: what the scenario says]
    #[arg(long, value_name = "SPAN|auto", value_parser = warm_up)]
    pub warm_up: Option<WarmUpArg>,
    /// What to estimate: the steady state, or what happens over the horizon, as it is [default: the
    /// steady state where the scenario has one to speak of]
    #[arg(long, value_name = "WHAT")]
    pub estimand: Option<EstimandArg>,
}

/// What is estimated, as asked for.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum EstimandArg {
    /// How it goes in the long run.
    Steady,
    /// What happens from the end of the warm-up to the horizon.
    Horizon,
}

impl ExperimentArgs {
    /// The first option given that means nothing without replications, by its name.
    pub(crate) fn wanted_in_vain(&self) -> Option<&'static str> {
        [
            (!self.measures.is_empty(), "--measure"),
            (self.effort.confidence.is_some(), "--confidence"),
            (self.warm_up.is_some(), "--warm-up"),
            (self.estimand.is_some(), "--estimand"),
            (self.effort.threads.is_some(), "--threads"),
        ]
        .into_iter()
        .find_map(|(given, name)| given.then_some(name))
    }
}

/// A warm-up as asked for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum WarmUpArg {
    /// To be found.
    Auto,
    /// Given.
    Fixed(Duration),
}

/// Where results go and how they look.
#[derive(Args, Clone, Debug)]
#[command(next_help_heading = "Output")]
pub(crate) struct ResultArgs {
    /// Write all results into this folder, as JSON, CSV, SVG and a page
    #[arg(short, long, value_name = "DIR")]
    pub output: Option<PathBuf>,
    /// Write into the folder even if it holds other files
    #[arg(long, requires = "output")]
    pub force: bool,
    /// What to print
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ResultFormat,
    /// How to show progress, on standard error; `auto` is a bar on a terminal and nothing elsewhere
    #[arg(long, value_name = "HOW", default_value = "auto")]
    pub progress: ProgressStyle,
    #[command(flatten)]
    pub page: PageArgs,
}

/// What results of an experiment are printed as.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ResultFormat {
    /// A table for people.
    Text,
    /// One document.
    Json,
    /// One table.
    Csv,
}

/// Arguments of `compare`.
#[derive(Args, Debug)]
#[command(group(ArgGroup::new(GOING_ON).args(["precision", "select"])), after_help = EXAMPLES)]
pub(crate) struct CompareArgs {
    #[arg(required = true, value_name = "SCENARIO", help = SCENARIO)]
    pub scenarios: Vec<String>,
    /// Make variants: a path and its values, such as `service.web.balancer.policy=random,power-of-d`;
    /// repeated, all combinations
    #[arg(long = "vary", value_name = "PATH=A,B,…", value_parser = path_and_value)]
    pub vary: Vec<(String, String)>,
    #[command(flatten)]
    pub seeded: SeededArgs,
    #[command(flatten)]
    pub experiment: ExperimentArgs,
    /// Select the best variant in this figure, with a guarantee: replications, of which --replications are
    /// the first stage [default: 20], until all others are dropped (the procedure KN). --confidence is the least probability of selecting a
    /// variant that is better than all others by --indifference
    #[arg(
        long,
        value_name = "FIGURE",
        requires = "indifference",
        conflicts_with_all = ["measures", "precision", "pairs"],
        help_heading = "Selection"
    )]
    pub select: Option<String>,
    /// With --select: a difference that does not matter if it is smaller, such as 5ms, or 0.1% of a share
    #[arg(
        long,
        value_name = "AMOUNT",
        requires = "select",
        allow_hyphen_values = true,
        help_heading = "Selection"
    )]
    pub indifference: Option<String>,
    /// Also print every pair, not only the differences from the first variant
    #[arg(long, help_heading = "Output")]
    pub pairs: bool,
    #[command(flatten)]
    pub result: ResultArgs,
}

pub(super) fn threads(text: &str) -> Result<NonZeroUsize, String> {
    match text.parse::<NonZeroUsize>() {
        Ok(threads) if threads.get() <= THREADS_MAX => Ok(threads),
        _ => Err(format!("it takes a number from 1 to {THREADS_MAX}")),
    }
}

/// A share: `95%`, `95 %` or `0.95`.
pub(super) fn share(text: &str) -> Result<f64, String> {
    let text = text.trim();
    let (number, scale) = text
        .strip_suffix('%')
        .map_or((text, 1.0), |percent| (percent.trim_end(), 100.0));
    match number.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(value / scale),
        _ => Err("it takes a share, such as 95% or 0.95".to_owned()),
    }
}

pub(super) fn confidence(text: &str) -> Result<f64, String> {
    let value = share(text)?;
    if (0.5..=0.9999).contains(&value) {
        Ok(value)
    } else {
        Err("a confidence lies between 50% and 99.99%".to_owned())
    }
}

pub(super) fn precision(text: &str) -> Result<f64, String> {
    let value = share(text)?;
    if (0.0001..=0.5).contains(&value) {
        Ok(value)
    } else {
        Err("a precision lies between 0.01% and 50%".to_owned())
    }
}

fn warm_up(text: &str) -> Result<WarmUpArg, String> {
    if text == "auto" {
        return Ok(WarmUpArg::Auto);
    }
    Duration::parse(text)
        .map(WarmUpArg::Fixed)
        .map_err(|why| format!("`auto`, or a time span: {why}"))
}
