//! Real balancers against what was observed of them: each case of the published facts, by program.
//!
//! A case is a scenario, and what the program did with it: servers tried by each request, in order, how
//! it ended for its caller, and when.

mod apache;
mod caddy;
mod envoy;
mod grpc;
mod haproxy;
mod kube_proxy;
mod nginx;

use crate::support::{check_books, start};

/// What became of a request.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Fate {
    /// Servers that it was sent to, in order, by name.
    pub(crate) tried: Vec<String>,
    /// When, in seconds.
    pub(crate) sent_s: Vec<f64>,
    /// How it ended for its caller.
    pub(crate) outcome: &'static str,
    /// When it came, in seconds.
    pub(crate) arrived_s: f64,
    /// How long it took, in seconds.
    pub(crate) took_s: f64,
}

/// Runs a scenario; what became of each request from outside that ended, in order of arrival. The scenario
/// must record every request.
pub(crate) fn fates(text: &str) -> Vec<Fate> {
    let mut simulation = start(text).without_fast_path();
    simulation.recorder_mut().keep_tries();
    simulation.run();
    check_books(&simulation, text);
    let model = simulation.model().clone();
    let tries = simulation.recorder_mut().take_tries();
    let mut log = simulation.recorder_mut().take_log();
    assert!(!log.is_empty(), "nothing was recorded in\n{text}");
    log.sort_by_key(|row| (row.arrived_ns, row.number));
    let fate = |row: &sim_core::record::RequestRecord| {
        let own = || tries.iter().filter(|sent| sent.number == row.number);
        let name = |sent: &sim_core::record::TryRecord| {
            let service = &model.services[usize::from(sent.service)];
            let id = service.servers[sent.server as usize];
            model.servers[id.0 as usize].name.clone()
        };
        Fate {
            tried: own().map(name).collect(),
            sent_s: own().map(|sent| sent.at_ns as f64 / 1e9).collect(),
            outcome: row.outcome.name(),
            arrived_s: row.arrived_ns as f64 / 1e9,
            took_s: (row.ended_ns - row.arrived_ns) as f64 / 1e9,
        }
    };
    log.iter().map(fate).collect()
}

/// Servers tried by each request, in order: those of one request without a space between, so that names
/// had better be letters; `-`: none.
pub(crate) fn tried(fates: &[Fate]) -> String {
    let word = |fate: &Fate| match fate.tried.concat() {
        none if none.is_empty() => "-".to_owned(),
        tried => tried,
    };
    fates.iter().map(word).collect::<Vec<_>>().join(" ")
}

/// Traffic to `web`, one request at each of these moments in seconds, in a run that ends a minute after
/// the last of them and records each.
pub(crate) fn requests_at(moments: impl IntoIterator<Item = f64>) -> String {
    let moments: Vec<f64> = moments.into_iter().collect();
    let end = moments.iter().fold(0.0, |end, at| f64::max(end, *at)) + 60.0;
    let times: Vec<String> = moments.iter().map(|at| format!("{at:.6}s")).collect();
    format!(
        "horizon = \"{end:.3}s\"\nrecord = {{ every_nth_request = 1 }}\n\
         traffic = [{{ to = \"web\", arrivals = {{ kind = \"trace\", times = {times:?} }} }}]\n"
    )
}

/// So many moments, so far apart, from zero on.
pub(crate) fn every(gap_s: f64, n: u32) -> impl Iterator<Item = f64> {
    (0..n).map(move |i| f64::from(i) * gap_s)
}

#[test]
fn tries_of_callers_and_of_the_balancer_are_told_by_request() {
    let rest = "[service.web]\ndemand = \"1ms\"\n\
                server = [{ name = \"a\", workers = 1, errors = { rate = 1.0 } }, { name = \"b\", workers = 1 }]\n";
    let retry = "{ kind = \"fixed\", pause = \"0s\", attempts = 2 }";
    for rules in [
        format!("[client]\nretry = {retry}\n"),
        format!("[service.web.balancer.client]\nretry = {retry}\n"),
    ] {
        let requests = requests_at(every(0.01, 3));
        let fates = fates(&format!("{requests}{rest}{rules}"));
        assert_eq!(tried(&fates), "ab ab ab", "{rules}");
        assert!(fates.iter().all(|fate| fate.outcome == "succeeded"));
        assert_eq!((fates[1].arrived_s, fates[1].took_s), (0.01, 0.002));
    }
}
