//! Arguments of `analyse`.

use super::ListFormat;
use super::experiment::{confidence, precision, share};
use clap::Args;

const EXAMPLES: &str = "Examples:
  stampede run mm1 -o out --log-requests 1 && stampede analyse out/requests.csv --column wait_s
  stampede analyse latencies.txt --warm-up auto --quantile 50%,99%,99.9%";

/// Arguments of `analyse`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct AnalyseArgs {
    /// A file with one number a line, or a table as CSV; `-` for standard input. Values are taken in the
    /// order of their lines; empty lines and lines that begin with `#` are none
    #[arg(value_name = "FILE")]
    pub file: String,
    /// Of a table: the column, by its name or by its number from 1
    #[arg(long, value_name = "COLUMN")]
    pub column: Option<String>,
    /// What to leave out at the start: so many values, or `auto` for as many as MSER-5 says
    #[arg(long, value_name = "COUNT|auto", default_value = "0", value_parser = leave_out)]
    pub warm_up: LeaveOut,
    /// Quantiles to estimate, joined by commas
    #[arg(long = "quantile", value_name = "SHARE", value_delimiter = ',', default_value = "50%,90%,95%,99%", value_parser = quantile)]
    pub quantiles: Vec<f64>,
    /// How surely an interval covers the truth
    #[arg(long, value_name = "SHARE", default_value = "95%", value_parser = confidence)]
    pub confidence: f64,
    /// The half-width that would do, as a share of the mean
    #[arg(long, value_name = "SHARE", default_value = "10%", value_parser = precision)]
    pub precision: f64,
    /// How to print it
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "text",
        help_heading = "Output"
    )]
    pub format: ListFormat,
}

/// What to leave out at the start.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum LeaveOut {
    /// As many as MSER-5 says.
    Auto,
    /// So many.
    Values(usize),
}

fn leave_out(text: &str) -> Result<LeaveOut, String> {
    if text == "auto" {
        return Ok(LeaveOut::Auto);
    }
    let count = text.parse().map(LeaveOut::Values);
    count.map_err(|_| "`auto`, or a number of values".to_owned())
}

fn quantile(text: &str) -> Result<f64, String> {
    let value = share(text)?;
    if (0.000_001..=0.999_999).contains(&value) {
        Ok(value)
    } else {
        Err("a quantile lies between 0.0001% and 99.9999%".to_owned())
    }
}
