//! Arguments of `sweep`.

use super::{PageArgs, Showing, path_and_value};
use clap::{Args, Subcommand, ValueEnum};
use sim_core::experiment::sweep::{Shard, THREADS_MAX};
use sim_core::statistics::BASE_POINTS_MIN;
use std::path::PathBuf;

const EXAMPLES: &str = "Examples:
  stampede sweep plan.toml -o out                      run a plan, or go on with it
  stampede sweep --scenario mm1 --vary traffic.traffic.rate=100..900/9
  stampede sweep --scenario mm1 --vary traffic.traffic.rate=100..900/9 --measure mean --precision 2%
  stampede sweep --scenario mm1 --vary traffic.traffic.rate=100..600 --vary service.web.demand.mean=0.5ms..1ms --sobol 100
  stampede sweep plan.toml --shard 3/16 -o out         one of sixteen parts, for another machine
  stampede sweep merge out                             put the parts together";

/// Arguments of `sweep`.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    subcommand_negates_reqs = true,
    after_help = EXAMPLES
)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is a switch of the command line"
)]
pub(crate) struct SweepArgs {
    /// What else can be done with sweeps.
    #[command(subcommand)]
    pub command: Option<SweepCommand>,
    /// A plan: a file, the name of a plan that comes with the program, or `-` for standard input
    #[arg(value_name = "PLAN", required_unless_present = "scenario", conflicts_with_all = ["scenario", "vary", "measure", "replications", "precision", "max_replications", "sobol", "sets", "seed"])]
    pub plan: Option<String>,
    /// In place of a plan: the scenario to vary
    #[arg(
        long,
        value_name = "SCENARIO",
        requires = "vary",
        help_heading = "In place of a plan"
    )]
    pub scenario: Option<String>,
    /// An axis: a path with its values, as `a,b,c`, `FROM..TO/COUNT`, or `FROM..TO/COUNT log`; may be repeated
    #[arg(long, value_name = "PATH=VALUES", value_parser = path_and_value, help_heading = "In place of a plan")]
    pub vary: Vec<(String, String)>,
    /// Sobol indices: what share of a figure's variance each --vary explains, by itself and with others, from so
    /// many base points within its range FROM..TO (or its values); N times two more cells than there are paths
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(BASE_POINTS_MIN..=1_000_000), help_heading = "In place of a plan")]
    pub sobol: Option<u64>,
    /// A figure of the summary to measure; may be repeated, or several joined by commas
    #[arg(
        long,
        value_name = "FIGURE",
        value_delimiter = ',',
        help_heading = "In place of a plan"
    )]
    pub measure: Vec<String>,
    /// Replications of each cell
    #[arg(long, value_name = "N", help_heading = "In place of a plan")]
    pub replications: Option<u64>,
    /// Go on with each cell, in waves of ten and for ten replications at least, until every interval's
    /// half-width is at most this share of its mean
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, value_parser = super::experiment::precision, help_heading = "In place of a plan")]
    pub precision: Option<f64>,
    /// With --precision: replications of a cell at most [default: 1000]
    #[arg(long, value_name = "N", requires = "precision", value_parser = clap::value_parser!(u64).range(10..=1_000_000), help_heading = "In place of a plan")]
    pub max_replications: Option<u64>,
    /// Another seed than the scenario's
    #[arg(
        long,
        value_name = "N",
        allow_negative_numbers = true,
        value_parser = super::seed,
        help_heading = "In place of a plan"
    )]
    pub seed: Option<u64>,
    /// Give a key another value in all cells, such as `horizon=1m`; may be repeated
    #[arg(long = "set", value_name = "PATH=VALUE", value_parser = path_and_value, help_heading = "In place of a plan")]
    pub sets: Vec<(String, String)>,
    /// Write everything into this folder, and go on where an earlier run of the same plan ended; `-` writes the journal to standard output
    #[arg(
        short,
        long,
        visible_alias = "out",
        value_name = "DIR",
        help_heading = "Output"
    )]
    pub output: Option<PathBuf>,
    /// Begin in the folder even if it holds other files
    #[arg(long, requires = "output", help_heading = "Output")]
    pub force: bool,
    /// Only the I-th of N parts of the plan, counted from 0
    #[arg(long, value_name = "I/N", value_parser = Shard::parse, requires = "output")]
    pub shard: Option<Shard>,
    /// Threads; all cores when absent. The results do not depend on it
    #[arg(short = 'j', long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=THREADS_MAX as u64))]
    pub threads: Option<u64>,
    /// Print the plan with its scenario and all values, for other machines, and run nothing
    #[arg(long, conflicts_with_all = ["output", "shard", "dry_run"])]
    pub bundle: bool,
    /// Print how many cells there are and what they measure, and run nothing
    #[arg(long, conflicts_with = "output")]
    pub dry_run: bool,
    /// Write the table as Parquet too
    #[arg(long, requires = "output", help_heading = "Output")]
    pub parquet: bool,
    /// What to print: a table for people, or all cells as CSV
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub format: TableFormat,
    #[command(flatten)]
    pub showing: Showing,
    #[command(flatten)]
    pub page: PageArgs,
}

/// What else can be done with sweeps.
#[derive(Subcommand, Debug)]
pub(crate) enum SweepCommand {
    /// Put the parts of a plan together: the same bytes as from one machine
    Merge(MergeArgs),
}

/// Arguments of `sweep merge`.
#[derive(Args, Debug)]
pub(crate) struct MergeArgs {
    /// The folder with the plan and the journals of all parts
    #[arg(value_name = "DIR")]
    pub folder: PathBuf,
    /// Write the table as Parquet too
    #[arg(long)]
    pub parquet: bool,
    /// What to print: a table for people, or all cells as CSV
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: TableFormat,
}

/// What a sweep prints.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum TableFormat {
    /// A table for people.
    Text,
    /// All cells.
    Csv,
}
