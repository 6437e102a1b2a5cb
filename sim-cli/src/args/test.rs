//! Arguments of `test`.

use super::experiment::{confidence, threads};
use super::{ListFormat, SetArgs, Showing};
use clap::{Args, ValueEnum};
use std::num::NonZeroUsize;
use std::path::PathBuf;

const EXAMPLES: &str = "Examples:
  stampede test scenarios                       run every scenario in a folder, and say what does not hold
  stampede test scenarios --update              hold each to its figures of now, from now on
  stampede test alerts_test.yml                 test alert rules of Prometheus on series, as promtool does
  stampede test scenarios --junit results.xml --annotate github";

/// Arguments of `test`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct TestArgs {
    /// Scenarios, tests of alert rules as promtool has them, and folders of both
    #[arg(required = true, value_name = "SCENARIO|RULES.yml|DIR")]
    pub paths: Vec<String>,
    #[command(flatten)]
    pub sets: SetArgs,
    /// Simulate each so many times; an expectation must hold in the share of them that --confidence says [default: 1]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=1000), help_heading = "Experiment")]
    pub replications: Option<u64>,
    /// In how large a share of the replications an expectation must hold
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = confidence, help_heading = "Experiment")]
    pub confidence: f64,
    /// Threads to simulate on; results do not depend on it [default: one for each core]
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "Experiment")]
    pub threads: Option<NonZeroUsize>,
    /// Write the figures that each scenario is held to, as they are now, into NAME.figures.toml beside it
    #[arg(long, help_heading = "Output")]
    pub update: bool,
    /// What to print
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub format: ListFormat,
    #[arg(
        long,
        value_name = "FILE",
        help_heading = "Output",
        help = "Write the results into a file, too, as JUnit's XML, which CI services show"
    )]
    pub junit: Option<PathBuf>,
    /// Print what does not hold as annotations, too, which a CI service shows beside the line
    #[arg(long, value_name = "SERVICE", help_heading = "Output")]
    pub annotate: Option<Annotate>,
    #[command(flatten)]
    pub showing: Showing,
}

impl TestArgs {
    /// An option that was given and says something of scenarios alone.
    pub(crate) fn of_scenarios(&self) -> Option<&'static str> {
        let given = [
            ("--set", !self.sets.sets.is_empty()),
            ("--no-expect", self.sets.no_expect),
            ("--replications", self.replications.is_some()),
            ("--update", self.update),
        ];
        let mut given = given.iter().filter(|(_, given)| *given);
        given.next().map(|(option, _)| *option)
    }
}

/// Whose annotations.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Annotate {
    /// GitHub Actions
    Github,
}
