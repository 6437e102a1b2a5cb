//! `stampede replay`: a log's own arrivals through a scenario.

use super::calibrate::measure;
use crate::args::{ListFormat, ReplayArgs};
use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::terminal::{self, BOLD, Out, say};
use sim_core::engine::Simulation;
use sim_core::summary::Summary;
use std::io::Write;
use std::sync::Arc;

/// Name under which the log's moments are handed to the scenario.
const TRACE: &str = "arrivals of the log";

/// Replays logs.
pub(crate) fn run(args: &ReplayArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    if !(args.rate_factor > 0.0 && args.rate_factor <= 1000.0) {
        return Err(Failure::new(
            Exit::Usage,
            "--rate-factor is above 0 and at most 1000",
        ));
    }
    let (_, measured) = measure(&args.log, Some(1))?;
    let times = measured
        .moments(args.rate_factor)
        .map_err(|why| Failure::new(Exit::Usage, why))?;
    let input = Input::open(&args.scenario)?;
    let given = args.sets.all(None);
    let read = input.scenario(&given).and_then(|scenario| scenario.model());
    let model = read.map_err(|problems| {
        super::tell(&input, &given, &problems);
        Failure::told(Exit::Invalid)
    })?;
    let sources: Vec<String> = model
        .sources
        .iter()
        .map(|source| source.name.clone())
        .collect();
    let source = match (&args.traffic, sources.as_slice()) {
        (Some(name), _) if sources.contains(name) => name.clone(),
        (None, [one]) => one.clone(),
        _ => {
            let message = format!(
                "the scenario has several sources of traffic: {}",
                sources.join(", ")
            );
            return Err(Failure::new(Exit::Usage, message)
                .help("say with --traffic NAME which one the log takes the place of"));
        }
    };
    let path = format!("traffic.{source}");
    let mut sets = given;
    sets.push((
        format!("{path}.arrivals"),
        format!("{{ kind = \"trace\", file = \"{TRACE}\" }}"),
    ));
    sets.push((format!("{path}.rate"), "none".to_owned()));
    sets.push((
        "horizon".to_owned(),
        format!("{}s", measured.span_s.ceil().max(1.0)),
    ));
    let read = input
        .scenario_with(&sets, TRACE, &times)
        .and_then(|scenario| Ok((scenario.model()?, scenario.hash())));
    let (model, hash) = read.map_err(|problems| {
        super::tell(&input, &sets, &problems);
        Failure::told(Exit::Invalid)
    })?;
    let mut simulation = Simulation::new(Arc::new(model), 0);
    simulation.run();
    let summary = Summary::of(&simulation, hash);
    match args.format {
        ListFormat::Json => writeln!(out, "{}", terminal::json(&summary))?,
        ListFormat::Text => {
            let ms = |time: Option<f64>| {
                time.map_or("none".to_owned(), |time| format!("{:.1} ms", time * 1e3))
            };
            let [mean, p50, p90, p99] = measured.response_s.map(|time| ms(Some(time)));
            let times = &summary.response_time_s;
            writeln!(
                out,
                "{BOLD}log{BOLD:#}        {} requests in {:.1} s; mean {mean}, p50 {p50}, p90 {p90}, p99 {p99}",
                measured.requests, measured.span_s
            )?;
            writeln!(
                out,
                "{BOLD}simulated{BOLD:#}  {} requests, {} failed; mean {}, p50 {}, p90 {}, p99 {}",
                summary.requests.arrived,
                summary.requests.failed,
                ms(times.mean),
                ms(times.p50),
                ms(times.p90),
                ms(times.p99)
            )?;
        }
    }
    if !quiet && args.format == ListFormat::Text && measured.whole_seconds {
        say("moments of the log are known to the second: they were spread within it at random");
    }
    Ok(if summary.complete {
        Exit::Ok
    } else {
        Exit::Failed
    })
}
