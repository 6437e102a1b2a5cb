//! The engine on the yardstick's workload: single-worker servers behind power of two choices.

use sim_core::engine::Simulation;
use sim_core::model::Model;
use sim_core::scenario;
use std::sync::Arc;

/// Load of each server.
const LOAD: f64 = 0.9;

/// The scenario with so many servers and about so many requests: exponential demand of one second,
/// three classes with a histogram each, timeouts of ten seconds, a time line by the second.
pub fn model(servers: usize, requests: u64) -> Arc<Model> {
    read(&text(servers, requests))
}

/// The text of that scenario; callers and balancer can be given further keys.
pub fn text(servers: usize, requests: u64) -> String {
    let rate = LOAD * servers as f64;
    let horizon_ms = (requests as f64 / rate * 1000.0).ceil();
    format!(
        r#"
        horizon = "{horizon_ms}ms"
        limits = {{ in_flight = 100_000_000 }}
        record = {{ interval = "1s" }}
        client.timeout = "10s"
        class.browse = {{ share = 0.5 }}
        class.search = {{ share = 0.3 }}
        class.checkout = {{ share = 0.2 }}
        traffic = [{{ to = "web", rate = {rate} }}]
        [service.web]
        demand = {{ kind = "exponential", mean = "1s" }}
        balancer.policy = {{ kind = "power-of-d", d = 2 }}
        server = [{{ name = "web", count = {servers}, workers = 1, queue = {{ limit = 1_000_000 }} }}]
        "#
    )
}

/// The model of a text.
pub fn read(text: &str) -> Arc<Model> {
    match scenario::parse(text) {
        Ok(model) => Arc::new(model),
        Err(problems) => panic!("the benchmark's scenario is invalid:\n{problems}"),
    }
}

/// Runs the engine to the end; how many requests arrived.
pub fn run(model: &Arc<Model>, replication: u64) -> u64 {
    let mut simulation = Simulation::new(Arc::clone(model), replication);
    simulation.run();
    let arrived = simulation.conservation().arrived;
    assert!(arrived > 0, "the benchmark must have something to do");
    arrived
}
