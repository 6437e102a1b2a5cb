//! Stampede, called in process as the other benchmarks do.
//!
//! What it does beside the queue: every request has a timeout, a row of the time line is kept for
//! each second, response times go into histograms and every event into the digest.

use crate::work::{LOAD, Ran, Work};
use sim_core::engine::Simulation;
use sim_core::model::Model;
use sim_core::summary::Summary;
use std::sync::Arc;

/// The work with a demand of so many milliseconds. The system is the same whatever the unit; a row
/// of the time line comes more often beside work that takes longer.
pub fn model(work: &Work, requests: u64, demand_ms: u64) -> Arc<Model> {
    let demand_s = demand_ms as f64 / 1e3;
    let rate = LOAD * work.servers as f64 / demand_s;
    let horizon_ms = (requests as f64 / rate * 1e3).ceil();
    // Of M/M/1 one response in 22 000 takes longer, which takes 0.005 off the mean.
    let timeout_ms = 100 * demand_ms;
    let servers = work.servers;
    let policy = if servers == 1 {
        r#""random""#
    } else {
        r#"{ kind = "power-of-d", d = 2 }"#
    };
    let text = format!(
        r#"
        horizon = "{horizon_ms}ms"
        limits = {{ in_flight = 100_000_000 }}
        client.timeout = "{timeout_ms}ms"
        traffic = [{{ to = "web", rate = {rate} }}]
        [service.web]
        demand = {{ kind = "exponential", mean = "{demand_ms}ms" }}
        balancer.policy = {policy}
        server = [{{ name = "web", count = {servers}, workers = 1, queue = {{ limit = 1_000_000 }} }}]
        "#
    );
    benches::w1::read(&text)
}

/// Runs to the horizon.
pub fn run(model: &Arc<Model>, replication: u64) -> Simulation {
    let mut simulation = Simulation::new(Arc::clone(model), replication);
    simulation.run();
    simulation
}

/// What such a run found.
pub fn found(simulation: &Simulation, demand_ms: u64) -> Ran {
    let mean_s = Summary::of(simulation, 0).response_time_s.mean;
    Ran {
        requests: simulation.conservation().arrived,
        mean_response: mean_s.expect("answers") / (demand_ms as f64 / 1e3),
    }
}
