//! Arguments of `doctor`.

use super::experiment::threads;
use super::{PageArgs, SetArgs, Showing};
use clap::{Args, ValueEnum};
use std::num::NonZeroUsize;

/// Arguments of `doctor`.
#[derive(Args, Debug)]
pub(crate) struct DoctorArgs {
    /// A scenario, or settings of another program (a file or a folder), which are imported
    #[arg(required = true, value_name = "SCENARIO|FILE", num_args = 1..)]
    pub files: Vec<String>,
    #[command(flatten)]
    pub sets: SetArgs,
    /// Simulate each trial so many times
    #[arg(long, value_name = "N", default_value_t = sim_core::doctor::REPLICATIONS, value_parser = clap::value_parser!(u64).range(sim_core::doctor::REPLICATIONS..=1000), help_heading = "Experiment")]
    pub replications: u64,
    /// Threads to simulate on; results do not depend on it [default: one for each core]
    #[arg(long, value_name = "N", value_parser = threads, help_heading = "Experiment")]
    pub threads: Option<NonZeroUsize>,
    /// Show doubts in which nothing was found, too
    #[arg(long, help_heading = "Output")]
    pub all: bool,
    /// Print the changes as a diff of the file, in its own language
    #[arg(long, help_heading = "Output")]
    pub fix: bool,
    /// What to print: a report, JSON, or SARIF for tools that annotate code
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub format: DoctorFormat,
    #[command(flatten)]
    pub showing: Showing,
    #[command(flatten)]
    pub page: PageArgs,
}

/// What `doctor` prints.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum DoctorFormat {
    /// For people
    Text,
    /// For programs
    Json,
    /// For tools that annotate code: SARIF 2.1.0
    Sarif,
}
