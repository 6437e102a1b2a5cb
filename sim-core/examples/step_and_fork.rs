//! A run that is stopped, looked at, and goes on twice: as it is, and with something changed.
//!
//! `cargo run --release -p sim-core --example step_and_fork`
#![expect(
    clippy::print_stdout,
    reason = "a few lines on the terminal are all it does"
)]

use sim_core::prelude::*;
use std::sync::Arc;

const SCENARIO: &str = r#"
horizon = "10m"
client = { timeout = "1s", retry = { kind = "fixed", attempts = 3 } }
traffic = [{ to = "web", rate = 900 }]

[service.web]
demand = { kind = "exponential", mean = "10ms" }
server = [{ name = "web", count = 10, workers = 1 }]

[[timeline]]
at = "2m"
do = "crash"
target = "service.web.server.web-1"
"#;

fn main() -> Result<(), Problems> {
    let scenario = Scenario::read(Source::new("outage.toml", SCENARIO), &[], &NoFiles)?;
    let model = Arc::new(scenario.model()?);
    let mut simulation = Simulation::new(Arc::clone(&model), 0);

    // Event by event, for as long as anybody likes.
    while simulation.now() < Instant::from_secs(180) && simulation.step().is_some() {}
    let servers = simulation.snapshot().servers;
    let waiting: u32 = servers.iter().map(|server| server.queue_len).sum();
    println!("after three minutes {waiting} requests wait in the queues");

    // A clone is a fork: the same past, and a future of its own.
    let mut mended = simulation.clone();
    Edit::set("client.retry", "none").apply(
        &mut mended,
        &mut scenario.clone(),
        &mut Arc::clone(&model),
    )?;
    for (name, mut future) in [("as it went", simulation), ("without retries", mended)] {
        future.run();
        let failed = Summary::of(&future, 0).requests.failed;
        println!("{name}: {failed} requests failed");
    }
    Ok(())
}
