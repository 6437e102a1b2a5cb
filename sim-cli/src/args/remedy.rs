//! Arguments of `remedy`.

use super::experiment::{EffortArgs, ResultArgs};
use super::{SCENARIO, SeededArgs, path_and_value};
use clap::Args;
use clap::builder::PossibleValuesParser;
use sim_core::remedy::ROWS;
use std::path::PathBuf;

const EXAMPLES: &str = "Examples:
  stampede remedy incident
  stampede remedy mine --only limits,policy --by slo
  stampede remedy mine --resume mine.journal           go on there when it was stopped
  stampede remedy mine --try service.web.server.*.max_connections=20,40,80 --by availability";

/// Arguments of `remedy`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct RemedyArgs {
    #[arg(value_name = "SCENARIO", help = SCENARIO)]
    pub scenario: String,
    /// Try these values of a key as well, each alone, such as `client.timeout=1s,2s`; may be repeated
    #[arg(long = "try", id = "tries", value_name = "PATH=A,B,…", value_parser = path_and_value)]
    pub tries: Vec<(String, String)>,
    /// Try only changes of these kinds, and those of --try; `stampede list remedies` shows them [default: all]
    #[arg(long, value_name = "KIND", value_delimiter = ',', value_parser = PossibleValuesParser::new(rows()), hide_possible_values = true)]
    pub only: Vec<String>,
    /// What is to be saved: `lost` (requests that fail), `downtime`, `slo` (what the first objective lacks), or a
    /// figure of the summary
    #[arg(long, value_name = "WHAT", default_value = "lost")]
    pub by: String,
    /// Changes that come into the final, where they get their intervals
    #[arg(long, value_name = "N", default_value_t = 8, value_parser = clap::value_parser!(u16).range(1..=1000))]
    pub keep: u16,
    /// Changes that seem to make it worse and come into the final too, the worst of each kind
    #[arg(long, value_name = "N", default_value_t = 5, value_parser = clap::value_parser!(u16).range(0..=100))]
    pub worst: u16,
    /// The best changes of which pairs are tried, where they leave something to save; 0 tries none
    #[arg(long, value_name = "N", default_value_t = 4, value_parser = clap::value_parser!(u16).range(0..=50))]
    pub combine: u16,
    /// Write down every run in this file, and go on where an earlier search with the same arguments ended
    #[arg(long, value_name = "FILE")]
    pub resume: Option<PathBuf>,
    #[command(flatten)]
    pub seeded: SeededArgs,
    #[command(flatten)]
    pub effort: EffortArgs,
    #[command(flatten)]
    pub result: ResultArgs,
}

fn rows() -> Vec<&'static str> {
    ROWS.iter().map(|row| row.name).collect()
}
