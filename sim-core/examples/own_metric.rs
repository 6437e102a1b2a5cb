//! A figure of one's own: how unevenly servers are loaded, looked at each second of a run.
//!
//! `cargo run --release -p sim-core --example own_metric`
#![expect(
    clippy::print_stdout,
    reason = "a few lines on the terminal are all it does"
)]

use sim_core::prelude::*;
use std::sync::Arc;

/// Jain's index of fairness of what servers hold: 1 where all hold the same, 1/n where one holds all.
fn fairness(simulation: &Simulation) -> Option<f64> {
    let servers = simulation.snapshot().servers;
    let held: Vec<f64> = servers.iter().map(|s| f64::from(s.in_system)).collect();
    let (sum, squares) = held
        .iter()
        .fold((0.0, 0.0), |(sum, squares), x| (sum + x, squares + x * x));
    (squares > 0.0).then(|| sum * sum / (held.len() as f64 * squares))
}

const SCENARIO: &str = r#"
horizon = "5m"
traffic = [{ to = "web", rate = 800 }]

[service.web]
demand = { kind = "exponential", mean = "10ms" }
server = [{ name = "web", count = 10, workers = 1 }]
"#;

fn main() -> Result<(), Problems> {
    for policy in ["random", "power-of-d", "join-shortest-queue"] {
        let set = ("service.web.balancer.policy".to_owned(), policy.to_owned());
        let scenario = Scenario::read(Source::new("own.toml", SCENARIO), &[set], &NoFiles)?;
        let mut simulation = Simulation::new(Arc::new(scenario.model()?), 0);
        let mut looks = Vec::new();
        for second in 30..=300 {
            // When a run is stopped changes nothing of what happens.
            simulation.run_until(Instant::from_secs(second));
            looks.extend(fairness(&simulation));
        }
        let mean = looks.iter().sum::<f64>() / looks.len() as f64;
        println!("{policy:<20} fairness {mean:.3}");
    }
    Ok(())
}
