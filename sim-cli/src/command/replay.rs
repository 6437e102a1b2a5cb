//! `stampede replay`: a log's own arrivals through a scenario.

use super::calibrate::words::stray;
use crate::args::{ReplayArgs, RunFormat};
use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::log_files::measure;
use crate::sheet;
use crate::terminal::{BOLD, Out, say, say_failure};
use sim_core::readable;
use sim_import::logs::{Beside, Measured, Traces};

/// The code of what lies beyond the end of a run.
const BEYOND: &str = "E030";

/// Replays logs.
pub(crate) fn run(args: &ReplayArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    if !(args.rate_factor > 0.0 && args.rate_factor <= 1000.0) {
        let message = "--rate-factor is above 0 and at most 1000";
        return Err(Failure::new(Exit::Usage, message));
    }
    let (_, measured) = measure(&args.log.logs, &args.log.form, None)?;
    let input = Input::open(&args.scenario, out.given())?;
    let given = args.how.seeded.all();
    let told = |problems| super::refused_input(&input, &given, &problems);
    let model = input.scenario(&given).and_then(|scenario| scenario.model());
    let model = model.map_err(told)?;
    let beside = Beside::of(&measured, &model).map_err(|why| Failure::new(Exit::Invalid, why))?;
    let replayed = beside
        .replayed(args.rate_factor)
        .map_err(|why| Failure::new(Exit::Invalid, why))?;
    if !quiet && args.how.format == RunFormat::Text {
        tell_log(&measured, args.rate_factor);
        sheet::say_all(stray(&beside.stray).as_slice());
    }
    // What is set by hand comes last, so that a horizon that was asked for is one.
    let sets = [replayed.sets, given.clone()].concat();
    let texts = Traces(replayed.files);
    let read = input.scenario_with(&sets, &texts);
    if let Err(problems) = read.and_then(|scenario| scenario.model())
        && problems.has(BEYOND)
    {
        say_failure(&super::refused_input(&input, &sets, &problems));
        say(&format!(
            "help: the log lasts {}; what the scenario plans or expects later is left out with --set 'timeline=[]' --no-expect",
            readable::time(measured.span_s * 1e9),
        ));
        return Err(Failure::told(Exit::Invalid));
    }
    super::run::run_given(&args.scenario, &input, &sets, &texts, &args.how, quiet, out)
}

fn tell_log(measured: &Measured, factor: f64) {
    let [mean, p50, p90, p99] = measured
        .response_s
        .map(|seconds| readable::time(seconds * 1e9));
    let times = match format!("{factor}") {
        one if one == "1" => String::new(),
        factor => format!(", times {factor}"),
    };
    say(&format!(
        "{BOLD}log{BOLD:#}  {} requests in {}{times}; at its servers mean {mean}, p50 {p50}, p90 {p90}, p99 {p99}",
        measured.requests,
        readable::time(measured.span_s * 1e9),
    ));
    if measured.whole_seconds {
        say("  moments are known to the second: they were spread within it at random");
    }
}
