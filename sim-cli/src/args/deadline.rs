//! Arguments of `deadline`.

use super::experiment::{EffortArgs, ResultArgs, share};
use super::{SCENARIO, SeededArgs, path_and_value};
use clap::Args;
use sim_core::time::Duration;

const EXAMPLES: &str = "Examples:
  stampede deadline incident --change service.web.server.web-1.weight=3
  stampede deadline mine --do restart=service.web.server.web-1 --between 12:20..13:00 --within 5s
  stampede deadline mine --change client.retry=none --measure slos.fast.budget_spent";

/// Arguments of `deadline`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct DeadlineArgs {
    #[arg(value_name = "SCENARIO", help = SCENARIO)]
    pub scenario: String,
    /// What people set at the moment that is looked for: a key and its value; may be repeated
    #[arg(long, value_name = "PATH=VALUE", value_parser = path_and_value, required_unless_present = "acts")]
    pub change: Vec<(String, String)>,
    /// What they do then: a word of the time line and its target, such as
    /// `restart=service.web.server.web-1`; may be repeated
    #[arg(long = "do", id = "acts", value_name = "ACTION=TARGET", value_parser = path_and_value)]
    pub acts: Vec<(String, String)>,
    /// The moments that are tried [default: all of the run]
    #[arg(long, value_name = "FROM..UNTIL")]
    pub between: Option<String>,
    /// How closely the moment is looked for [default: a thousandth of --between, and a second at least]
    #[arg(long, value_name = "SPAN", value_parser = closely)]
    pub within: Option<Duration>,
    /// The damage
    #[arg(long, value_name = "FIGURE", default_value = "requests.lost")]
    pub measure: String,
    /// Acting helps if it saves this part of what it saves at its best moment
    #[arg(long, value_name = "SHARE", default_value = "50%", value_parser = part)]
    pub saves: f64,
    /// Moments of the curve: damage over the moment of acting
    #[arg(long, value_name = "N", default_value_t = 13, value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub moments: u16,
    #[command(flatten)]
    pub seeded: SeededArgs,
    #[command(flatten)]
    pub effort: EffortArgs,
    #[command(flatten)]
    pub result: ResultArgs,
}

fn closely(text: &str) -> Result<Duration, String> {
    let span = Duration::parse(text)?;
    if span.is_zero() {
        return Err("it must be longer than nothing".to_owned());
    }
    Ok(span)
}

fn part(text: &str) -> Result<f64, String> {
    let part = share(text)?;
    if part > 0.0 && part <= 1.0 {
        Ok(part)
    } else {
        Err("it lies above 0 and is at most 100%".to_owned())
    }
}
