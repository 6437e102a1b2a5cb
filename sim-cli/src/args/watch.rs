//! Arguments of `watch`.

use super::{SCENARIO, SeededArgs};
use clap::Args;

const EXAMPLES: &str = "Examples:
  stampede watch incident
  stampede watch incident --at 12:29 --speed 10
  stampede watch mine.toml --set service.web.server.web-1.weight=3";

/// Arguments of `watch`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct WatchArgs {
    #[arg(value_name = "SCENARIO", help = SCENARIO)]
    pub scenario: String,
    /// Simulated seconds per second, or `max`
    #[arg(long, value_name = "TIMES", default_value = "60", allow_negative_numbers = true, value_parser = speed)]
    pub speed: f64,
    /// The moment at which to begin: a time of day, or a span since the start
    #[arg(long, value_name = "TIME")]
    pub at: Option<String>,
    #[command(flatten)]
    pub seeded: SeededArgs,
}

fn speed(text: &str) -> Result<f64, String> {
    match text.trim() {
        "max" => Ok(f64::INFINITY),
        text => match text.parse::<f64>() {
            Ok(speed) if (0.01..=1e6).contains(&speed) => Ok(speed),
            _ => Err(
                "it takes simulated seconds per second, from 0.01 to 1000000, or `max`".to_owned(),
            ),
        },
    }
}
