//! `stampede stress`: at which load a system breaks, and whether it recovers.

mod breaking;
mod map;
mod ramp;

use super::refused;
use crate::args::StressArgs;
use crate::exit::{Exit, Failure};
use crate::experiment::check_output;
use crate::input::Input;
use crate::sheet;
use crate::terminal::Out;
use serde::Serialize;
use sim_core::experiment::{Stop, waits_for_ever};
use sim_core::load::{busiest, peak_rate_hz};
use sim_core::model::Model;
use sim_core::readable;
use sim_core::report::Head;
use sim_core::report::sheet::{Block, Sheet};
use sim_core::scenario::{Problems, Scenario};
use std::sync::Arc;

/// Replications when nothing is said: each of them takes some ten runs.
const REPLICATIONS: u64 = 20;

/// The key that multiplies the rates of all traffic.
const RATE_FACTOR: &str = "rate_factor";

/// What its results are called in a folder.
const TABLE: &str = "stress.csv";
const PLOT: &str = "stress.svg";

/// Looks for a breaking point, ramps, or draws a map.
pub(crate) fn run(args: &StressArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    refuse_in_vain(args)?;
    let subject = Subject::read(args, out.given())?;
    check_output(&args.result)?;
    if args.hysteresis {
        ramp::run(args, &subject, quiet, out)
    } else if args.map {
        map::run(args, &subject, quiet, out)
    } else {
        breaking::run(args, &subject, quiet, out)
    }
}

fn refuse_in_vain(args: &StressArgs) -> Result<(), Failure> {
    let in_vain = [
        (
            args.steps.is_some() && !args.hysteresis && !args.map,
            "--steps",
        ),
        (
            args.trigger_path.is_some() && args.hysteresis,
            "--trigger-path",
        ),
    ];
    match in_vain.into_iter().find(|(given, _)| *given) {
        Some((_, name)) => Err(Failure::new(
            Exit::Usage,
            format!("{name} means nothing without --hysteresis or --map"),
        )),
        None => Ok(()),
    }
}

/// The scenario under stress.
struct Subject {
    input: Input,
    sets: Vec<(String, String)>,
    scenario: Scenario,
    model: Arc<Model>,
}

impl Subject {
    fn read(args: &StressArgs, given: &[(String, String)]) -> Result<Self, Failure> {
        let sets = args.seeded.all();
        let input = Input::open(&args.scenario, given)?;
        // Where the factor of the rates is what is varied, rates are told as they are at 1.
        let mut first = sets.clone();
        if !args.hysteresis && args.path.is_none() {
            first.push((RATE_FACTOR.to_owned(), "1".to_owned()));
        }
        let read = input
            .scenario(&first)
            .and_then(|scenario| scenario.model().map(|model| (scenario, model)));
        let (scenario, model) = read.map_err(invalid)?;
        Ok(Self {
            input,
            sets,
            scenario,
            model: Arc::new(model),
        })
    }

    /// The scenario with other values of some keys.
    fn with(&self, more: &[(&str, String)]) -> Result<Scenario, Problems> {
        let mut sets = self.sets.clone();
        sets.extend(more.iter().map(|(path, v)| ((*path).to_owned(), v.clone())));
        self.input.scenario(&sets)
    }

    /// Factors of the rates at which the busiest service is offered these shares of its capacity.
    fn factors_of_load(&self, low: f64, high: f64) -> Result<(f64, f64), Failure> {
        if let Some(load) = busiest(&self.model) {
            return Ok((low / load, high / load));
        }
        Err(Failure::new(
            Exit::Usage,
            "the offered load cannot be told from the scenario, so there is no range to begin with",
        )
        .help("give factors of the rates, such as --range 0.5..2"))
    }

    /// The rate of all traffic together at a factor, as people read it.
    fn rate(&self, factor: f64) -> String {
        format!(
            "{}/s",
            readable::number(three_digits(peak_rate_hz(&self.model) * factor))
        )
    }
}

/// Says what "in time" means where nobody gives up.
fn patience(subject: &Subject) -> Option<Block> {
    waits_for_ever(&subject.model).then(|| {
        Block::Warning("no caller has a timeout: every answer counts as in time, however late; not well is where more comes than is answered, or the offered load reaches 1".to_owned())
    })
}

/// Rounded to where a load is still told from the next.
fn three_digits(value: f64) -> f64 {
    if value.abs() >= 100.0 {
        value.round()
    } else if value.abs() >= 1.0 {
        (value * 100.0).round() / 100.0
    } else {
        value
    }
}

/// Tells what is wrong with a scenario.
#[expect(
    clippy::needless_pass_by_value,
    reason = "it is what `map_err` hands over"
)]
fn invalid(problems: Problems) -> Failure {
    refused(&problems)
}

/// What all three say of themselves in JSON.
#[derive(Serialize)]
struct StressReport<'a, T> {
    #[serde(flatten)]
    head: Head,
    scenario: String,
    scenario_hash: String,
    seed: u64,
    /// One sentence.
    verdict: &'a str,
    /// Rate of all traffic at a factor of 1, in requests per second.
    base_rate_hz: f64,
    #[serde(flatten)]
    result: T,
}

impl Subject {
    fn sheet(&self, what: &str, blocks: Vec<Block>) -> Sheet {
        Sheet {
            blocks,
            commands: vec![sheet::command()],
            ..Sheet::of(what, &self.scenario, self.model.seed)
        }
    }

    fn report<'a, T>(
        &self,
        experiment: &'static str,
        verdict: &'a str,
        (args, done, interrupted): (&StressArgs, u64, bool),
        result: T,
    ) -> StressReport<'a, T> {
        let stop = if interrupted {
            Stop::Interrupted
        } else {
            Stop::Planned
        };
        StressReport {
            head: Head::of(experiment, args.effort.level(), 0, done, stop),
            scenario: self.scenario.name().to_owned(),
            scenario_hash: format!("{:016x}", self.scenario.hash()),
            seed: self.model.seed,
            verdict,
            base_rate_hz: peak_rate_hz(&self.model),
            result,
        }
    }
}
