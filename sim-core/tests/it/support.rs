//! Short ways to a finished run.

use sim_core::engine::Simulation;
use sim_core::event_log::{Event, Kind};
use sim_core::model::Model;
use sim_core::record::RequestRecord;
use sim_core::scenario;
use sim_core::summary::{ServerFigures, ServiceFigures, Summary};
use sim_core::time::Instant;
use std::sync::Arc;

/// The model of a scenario that must be valid.
pub(crate) fn model(text: &str) -> Arc<Model> {
    match scenario::parse(text) {
        Ok(model) => Arc::new(model),
        Err(problems) => panic!("{problems}\nin\n{text}"),
    }
}

/// A simulation at time zero.
pub(crate) fn start(text: &str) -> Simulation {
    Simulation::new(model(text), 0)
}

/// A finished run whose books balance.
pub(crate) fn run(text: &str) -> Simulation {
    let mut simulation = start(text);
    simulation.run();
    check_books(&simulation, text);
    simulation
}

/// The summary of a finished run.
pub(crate) fn summary(text: &str) -> Summary {
    Summary::of(&run(text), 0)
}

/// Nothing is lost and nothing invented.
pub(crate) fn check_books(simulation: &Simulation, text: &str) {
    let books = simulation.conservation();
    assert!(
        books.holds(),
        "{books:?} at {} in\n{text}",
        simulation.now().0
    );
}

/// A moment in seconds.
pub(crate) fn at(seconds: f64) -> Instant {
    Instant((seconds * 1e9) as u64)
}

/// The request log, in order of arrival.
pub(crate) fn log(text: &str) -> Vec<RequestRecord> {
    let mut simulation = run(text);
    let mut log = simulation.recorder_mut().take_log();
    log.sort_by_key(|row| (row.arrived_ns, row.number));
    log
}

/// Events of a kind, in seconds, with subject and cause.
pub(crate) fn told(simulation: &Simulation, kind: Kind) -> Vec<(f64, String, String)> {
    let event_log = simulation.recorder().event_log();
    event_log
        .filter(|event| event.kind == kind)
        .map(|e: &Event| (e.at.as_secs_f64(), e.subject.clone(), e.cause.clone()))
        .collect()
}

/// When events of a kind happened, in seconds.
pub(crate) fn times(simulation: &Simulation, kind: Kind) -> Vec<f64> {
    told(simulation, kind)
        .into_iter()
        .map(|(at, ..)| at)
        .collect()
}

/// Figures of a service.
pub(crate) fn service<'a>(summary: &'a Summary, name: &str) -> &'a ServiceFigures {
    summary
        .services
        .get(name)
        .unwrap_or_else(|| panic!("no service {name}"))
}

/// Figures of a server of a service.
pub(crate) fn server<'a>(summary: &'a Summary, service: &str, name: &str) -> &'a ServerFigures {
    let servers = &self::service(summary, service).servers;
    servers
        .get(name)
        .unwrap_or_else(|| panic!("no server {name}"))
}

/// How many requests from outside ended in a given way.
pub(crate) fn outcome(summary: &Summary, name: &str) -> u64 {
    *summary
        .requests
        .outcomes
        .get(name)
        .unwrap_or_else(|| panic!("no outcome {name}"))
}

/// A scenario in which requests come at given times; `rest` is everything else.
pub(crate) fn traced(horizon: &str, times: &[&str], rest: &str) -> String {
    format!(
        "horizon = \"{horizon}\"\nrecord = {{ every_nth_request = 1 }}\n\
         traffic = [{{ to = \"web\", arrivals = {{ kind = \"trace\", times = {times:?} }} }}]\n{rest}"
    )
}

/// What became of each request in order of arrival: how it ended and when, in milliseconds.
pub(crate) fn fates(text: &str) -> Vec<(&'static str, f64)> {
    let fate = |row: &RequestRecord| (row.outcome.name(), row.ended_ns as f64 / 1e6);
    log(text).iter().map(fate).collect()
}

/// Ten requests a second to two servers, one of which is down from 100 s to 200 s.
pub(crate) fn outage(rest: &str) -> String {
    format!(
        "horizon = \"600s\"\ntraffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = 10 }}]\n\
         [service.web]\ndemand = \"10ms\"\n\
         [[service.web.server]]\nname = \"s\"\nworkers = 1\nrestart = {{ kind = \"after\", pause = \"100s\" }}\n\
         [[service.web.server]]\nname = \"t\"\nlike = \"s\"\n\
         [[timeline]]\nat = \"100050ms\"\ndo = \"crash\"\ntarget = \"service.web.server.s\"\n{rest}"
    )
}

/// What has to be written of a policy beside its name: `rest` of its table, from a comma on.
pub(crate) fn needed(policy: &str) -> &'static str {
    match policy {
        // The last server, which no policy of the program's own takes first.
        "script" => ", code = \"fn pick() { return eligible(count() - 1); }\"",
        _ => "",
    }
}
