//! Arguments of `report`.

use super::{SeededArgs, Showing, path_and_value};
use clap::{Args, ValueEnum};
use std::path::PathBuf;

const EXAMPLES: &str = "Examples:
  stampede report incident -o incident.html
  stampede report out/incident -o incident.html
  stampede report incident --change service.web.server.web-1.weight=3 --at 12:25 -o futures.html
  stampede report incident --format markdown -o postmortem.md";

/// Arguments of `report`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct ReportArgs {
    /// A scenario: a file, the name of a model that comes with the program, or `-` for standard input;
    /// or the folder that `stampede run -o` has written, which is simulated again
    #[arg(value_name = "SCENARIO|DIR")]
    pub scenario: String,
    /// For a second future beside it: what people set at the moment of --at; may be repeated
    #[arg(long, value_name = "PATH=VALUE", value_parser = path_and_value, requires = "at")]
    pub change: Vec<(String, String)>,
    /// For a second future: what they do then, such as `restart=service.web.server.web-1`; may be repeated
    #[arg(long = "do", id = "acts", value_name = "ACTION=TARGET", value_parser = path_and_value, requires = "at")]
    pub acts: Vec<(String, String)>,
    /// The moment at which the second future leaves the first: a time of day, or a span since the start
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    #[command(flatten)]
    pub seeded: SeededArgs,
    /// Number of the replication: other random numbers from the same seed
    #[arg(long, value_name = "N")]
    pub replication: Option<u64>,
    /// Write it into this file instead of printing it
    #[arg(short, long, value_name = "FILE", help_heading = "Output")]
    pub output: Option<PathBuf>,
    /// Write the file even if there is one
    #[arg(long, requires = "output", help_heading = "Output")]
    pub force: bool,
    /// What to write: a page, a draft of a postmortem, or the chart of the story alone
    #[arg(
        long,
        value_name = "FORMAT",
        default_value = "html",
        help_heading = "Output"
    )]
    pub format: ReportFormat,
    #[command(flatten)]
    pub showing: Showing,
}

/// What `report` writes.
#[derive(ValueEnum, Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum ReportFormat {
    /// One page that needs no other file.
    Html,
    /// A draft of a postmortem.
    Markdown,
    /// The chart of the story.
    Svg,
}
