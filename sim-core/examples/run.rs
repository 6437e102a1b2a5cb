//! A scenario run from its text to its figures.
//!
//! `cargo run --release -p sim-core --example run`
#![expect(
    clippy::print_stdout,
    reason = "a few lines on the terminal are all it does"
)]

use sim_core::prelude::*;
use std::sync::Arc;

const SCENARIO: &str = r#"
horizon = "10m"
warm_up = "1m"
traffic = [{ to = "web", rate = 700 }]

[service.web]
demand = { kind = "exponential", mean = "10ms" }
server = [{ name = "web", count = 10, workers = 1 }]
"#;

fn main() -> Result<(), Problems> {
    let model = parse(SCENARIO)?;
    let mut simulation = Simulation::new(Arc::new(model), 0);
    simulation.run();
    let summary = Summary::of(&simulation, 0);
    let p99 = summary.figure("response_time_s.p99");
    println!(
        "{} requests, p99 {:.1} ms, {}",
        summary.requests.arrived,
        p99.unwrap_or(f64::NAN) * 1e3,
        summary.verdict.unwrap_or("no verdict")
    );
    Ok(())
}
