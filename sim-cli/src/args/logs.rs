//! Arguments of `calibrate` and `replay`.

use super::{HowArgs, ListFormat, PageArgs};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

/// Logs, and how they are read.
#[derive(Args, Debug)]
pub(crate) struct LogArgs {
    /// Logs, plain or packed with gzip or zstd, in any order; `-` for standard input
    #[arg(required = true, value_name = "LOG")]
    pub logs: Vec<String>,
    #[command(flatten)]
    pub form: FormArgs,
}

/// How logs are read.
#[derive(Args, Debug)]
pub(crate) struct FormArgs {
    /// The `log_format` of nginx or `LogFormat` of Apache that wrote them, where it is not recognised
    #[arg(long, value_name = "FORMAT")]
    pub log_format: Option<String>,
    /// Names of columns of JSON and tables, such as time=ts,duration=latency:ms,status=code,stamp=begin
    #[arg(long, value_name = "ROLE=NAME,…")]
    pub columns: Option<String>,
}

/// Arguments of `calibrate`.
#[derive(Args, Debug)]
pub(crate) struct CalibrateArgs {
    #[command(flatten)]
    pub log: LogArgs,
    /// Fill in what a scenario lacks, instead of making one: a file or the name of a model, such as what `import` wrote
    #[arg(long, value_name = "SCENARIO", conflicts_with_all = ["classes", "arrivals"])]
    pub scenario: Option<String>,
    /// Routes that become classes of their own; the rest is one
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u64).range(1..=64))]
    pub classes: Option<u64>,
    /// How arrivals are written: `auto` is a rate where the log looks like a Poisson process, or is long
    #[arg(long, value_name = "HOW", default_value = "auto")]
    pub arrivals: ArrivalsArg,
    /// Write the scenario into this file, with its traces beside it, instead of printing it
    #[arg(short, long, value_name = "FILE")]
    pub output: Option<PathBuf>,
    /// How to print: the scenario with a report on standard error, or all as JSON
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    pub format: ListFormat,
    #[command(flatten)]
    pub page: PageArgs,
}

/// Arguments of `replay`.
#[derive(Args, Debug)]
pub(crate) struct ReplayArgs {
    #[command(flatten)]
    pub log: LogArgs,
    /// The scenario they go through: a file or the name of a model
    #[arg(long, value_name = "SCENARIO")]
    pub scenario: String,
    /// So many times as many requests: copies come at a random moment of the second around theirs
    #[arg(long, value_name = "X", default_value_t = 1.0)]
    pub rate_factor: f64,
    #[command(flatten)]
    pub how: HowArgs,
}

/// How arrivals are written.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ArrivalsArg {
    /// Whatever serves better.
    Auto,
    /// The log's own, in files.
    Trace,
    /// A Poisson process with the log's rate.
    Profile,
}
