//! What a scenario does with each request, try by try: for the comparison with real programs (`.ci/prove`).
//!
//! `tried < LIST`: names of scenario files, one a line. For each a line of JSON: of every request from outside
//! that ended, in order of arrival, the servers that it was sent to and when, how it ended, when it came and how long
//! it took, in seconds. The scenario must record every request (`record.every_nth_request = 1`).
#![expect(
    clippy::print_stdout,
    reason = "lines for another program are all it does"
)]

use serde_json::json;
use sim_core::engine::Simulation;
use sim_core::scenario;
use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufRead};
use std::sync::Arc;

fn main() {
    for file in io::stdin().lock().lines() {
        let file = file.expect("a readable list");
        let told = fs::read_to_string(&file)
            .map_err(|why| why.to_string())
            .and_then(|text| tried(&text));
        match told {
            Ok(requests) => println!("{}", json!({ "file": file, "requests": requests })),
            Err(why) => println!("{}", json!({ "file": file, "error": why })),
        }
    }
}

fn tried(text: &str) -> Result<Vec<serde_json::Value>, String> {
    let model = Arc::new(scenario::parse(text).map_err(|problems| problems.to_string())?);
    let mut simulation = Simulation::new(model.clone(), 0).without_fast_path();
    simulation.recorder_mut().keep_tries();
    simulation.run();
    let tries = simulation.recorder_mut().take_tries();
    let mut log = simulation.recorder_mut().take_log();
    log.sort_by_key(|row| (row.arrived_ns, row.number));
    let mut servers: BTreeMap<u64, (Vec<&str>, Vec<f64>)> = BTreeMap::new();
    for sent in &tries {
        let service = &model.services[usize::from(sent.service)];
        let id = service.servers[sent.server as usize];
        let name = model.servers[id.0 as usize].name.as_str();
        let (names, moments) = servers.entry(sent.number).or_default();
        names.push(name);
        moments.push(sent.at_ns as f64 / 1e9);
    }
    let requests = log.iter().map(|row| {
        let (tried, sent_s) = servers.get(&row.number).cloned().unwrap_or_default();
        json!({
            "tried": tried,
            "sent_s": sent_s,
            "outcome": row.outcome.name(),
            "arrived_s": row.arrived_ns as f64 / 1e9,
            "took_s": (row.ended_ns - row.arrived_ns) as f64 / 1e9,
        })
    });
    Ok(requests.collect())
}
