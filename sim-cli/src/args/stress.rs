//! Arguments of `stress`.

use super::experiment::{EffortArgs, ResultArgs, share};
use super::{SCENARIO, SeededArgs};
use clap::Args;
use sim_core::time::Duration;

const EXAMPLES: &str = "Examples:
  stampede stress mine --until \"p99 > 2s\"             up to which load is it fast enough?
  stampede stress mine --path client.timeout --range 100ms..5000ms
  stampede stress mine --hysteresis                    load up, then down: does it recover?
  stampede stress mine --map                           which triggers at which loads leave it down?";

/// The longest step, trigger or watch: what is longer would never end.
pub(crate) const SPAN_MAX: Duration = Duration::from_secs(365 * 86_400);

/// Arguments of `stress`.
#[derive(Args, Debug)]
#[command(after_help = EXAMPLES)]
pub(crate) struct StressArgs {
    #[arg(value_name = "SCENARIO", help = SCENARIO)]
    pub scenario: String,
    /// What counts as broken, in the words of expectations, such as "p99 > 2s"; may be repeated
    /// [default: an objective is missed; a scenario without any needs this]. With --hysteresis a
    /// metric and a threshold, as in alerts, on each step [default: fewer than --healthy are answered]
    #[arg(long, value_name = "CONDITION", conflicts_with = "map")]
    pub until: Vec<String>,
    /// The key to change [default: `rate_factor`, which multiplies the rates and traces of all traffic]
    #[arg(long, value_name = "PATH", conflicts_with_all = ["hysteresis", "map"])]
    pub path: Option<String>,
    /// From which value to which; with --map, the loads: factors of the rates
    #[arg(long, value_name = "A..B", allow_hyphen_values = true, value_parser = range)]
    pub range: Option<Range>,
    /// End the search when what holds and what breaks differ by less than this share
    #[arg(long, value_name = "SHARE", default_value = "0.5%", value_parser = tolerance, conflicts_with_all = ["hysteresis", "map"])]
    pub tolerance: f64,
    /// Ramp the load up, then down, and tell where it breaks and where it recovers
    #[arg(long, help_heading = "Hysteresis and maps", conflicts_with = "map")]
    pub hysteresis: bool,
    /// Try triggers of several sizes at several loads, and tell which leave it down
    #[arg(long, help_heading = "Hysteresis and maps")]
    pub map: bool,
    /// Steps of the ramp, or loads of the map [default: 15, or 9]
    #[arg(long, value_name = "N", help_heading = "Hysteresis and maps", value_parser = clap::value_parser!(u16).range(2..=1000))]
    pub steps: Option<u16>,
    /// Time on each step of the ramp [default: a tenth of the horizon]
    #[arg(long, value_name = "SPAN", help_heading = "Hysteresis and maps", value_parser = span, requires = "hysteresis")]
    pub hold: Option<Duration>,
    /// Share of requests answered in time from which on it counts as well
    #[arg(long, value_name = "SHARE", default_value = "90%", help_heading = "Hysteresis and maps", value_parser = healthy, conflicts_with = "until")]
    pub healthy: f64,
    /// Sizes of the trigger: for how long all servers are slow; or values of --trigger-path
    #[arg(
        long,
        value_name = "A,B,…",
        value_delimiter = ',',
        allow_hyphen_values = true,
        default_value = "1s,2s,5s,10s,20s",
        help_heading = "Hysteresis and maps"
    )]
    pub triggers: Vec<String>,
    /// How slow: the factor of all servers' speed while the trigger lasts
    #[arg(long, value_name = "FACTOR", default_value = "1%", help_heading = "Hysteresis and maps", value_parser = slow)]
    pub slow_to: f64,
    /// A trigger of the scenario instead: the key that says how large it is, such as
    /// `timeline.trigger.for`
    #[arg(
        long,
        value_name = "PATH",
        help_heading = "Hysteresis and maps",
        requires = "map"
    )]
    pub trigger_path: Option<String>,
    /// How long to watch after the trigger [default: the horizon]
    #[arg(long, value_name = "SPAN", help_heading = "Hysteresis and maps", value_parser = span, requires = "map", conflicts_with = "trigger_path")]
    pub watch: Option<Duration>,
    #[command(flatten)]
    pub seeded: SeededArgs,
    #[command(flatten)]
    pub effort: EffortArgs,
    #[command(flatten)]
    pub result: ResultArgs,
}

/// Two values with the unit that both have.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Range {
    /// One end.
    pub from: f64,
    /// The other.
    pub to: f64,
    /// What follows the numbers: `ms`, `%`, or nothing.
    pub unit: String,
}

fn range(text: &str) -> Result<Range, String> {
    let shape = "it takes two numbers in one unit, such as 0.5..2 or 100ms..5000ms";
    let (from, to) = text.split_once("..").ok_or(shape)?;
    let part = |text: &str| -> Option<(f64, String)> {
        let text = text.trim();
        let end = text
            .find(|c: char| !(c.is_ascii_digit() || ".-_".contains(c)))
            .unwrap_or(text.len());
        let number = text[..end].replace('_', "").parse::<f64>().ok()?;
        Some((number, text[end..].trim().to_owned()))
    };
    let ((from, unit), (to, other)) = (part(from).ok_or(shape)?, part(to).ok_or(shape)?);
    if unit != other || !(from.is_finite() && to.is_finite()) {
        return Err(shape.to_owned());
    }
    if from >= to {
        return Err("the second number must be greater than the first".to_owned());
    }
    Ok(Range { from, to, unit })
}

fn between(text: &str, low: f64, high: f64, what: &str) -> Result<f64, String> {
    let value = share(text)?;
    if (low..=high).contains(&value) {
        Ok(value)
    } else {
        Err(what.to_owned())
    }
}

fn tolerance(text: &str) -> Result<f64, String> {
    between(text, 1e-6, 0.2, "a tolerance lies between 0.0001% and 20%")
}

fn healthy(text: &str) -> Result<f64, String> {
    between(text, 0.01, 1.0, "it lies between 1% and 100%")
}

fn slow(text: &str) -> Result<f64, String> {
    between(text, 1e-9, 0.999, "it lies above 0 and below 100%")
}

fn span(text: &str) -> Result<Duration, String> {
    let span = Duration::parse(text)?;
    if (Duration::from_secs(1)..=SPAN_MAX).contains(&span) {
        Ok(span)
    } else {
        Err("a second at least, and a year at most".to_owned())
    }
}
