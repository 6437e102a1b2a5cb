//! A run in its steady state allocates nothing for a request: memory is taken while it warms up.

use sim_core::engine::Simulation;
use sim_core::scenario;
use sim_core::time::Instant;
use std::sync::Arc;

/// Allocations for each request between two moments of a run.
fn allocations_per_request(text: &str) -> f64 {
    let model = scenario::parse(text).unwrap_or_else(|problems| panic!("{problems}"));
    let mut simulation = Simulation::new(Arc::new(model), 0);
    let arrived = |simulation: &Simulation| simulation.conservation().arrived;
    simulation.run_until(Instant(10_000_000_000));
    let before = arrived(&simulation);
    let counted = allocation_counter::measure(|| simulation.run_until(Instant(40_000_000_000)));
    let requests = arrived(&simulation) - before;
    assert!(requests > 100_000);
    counted.count_total as f64 / requests as f64
}

#[test]
fn requests_allocate_nothing() {
    for (name, rest) in [
        (
            "workers",
            "[service.web]\ndemand = { kind = \"exponential\", mean = \"20ms\" }\nserver = [{ name = \"s\", workers = 100 }]\n",
        ),
        (
            "queues",
            "client = { timeout = \"200ms\", retry = { kind = \"fixed\", attempts = 2 } }\n[service.web]\ndemand = { kind = \"exponential\", mean = \"20ms\" }\nbalancer = { policy = \"power-of-d\" }\nserver = [{ name = \"s\", count = 100, workers = 1 }]\n",
        ),
        (
            "network",
            "client = { timeout = \"1s\" }\n[service.web]\ndemand = { kind = \"lognormal\", mean = \"20ms\" }\nlink = { delay = { kind = \"exponential\", mean = \"5ms\" } }\nbalancer = { policy = \"least-in-flight\", cost = \"100us\" }\nserver = [{ name = \"s\", count = 10, workers = 12, queue = { discipline = \"priority\", limit = 50 }, crash = [{ when = \"in_flight\", above = 1000 }] }]\n",
        ),
        (
            "sharing",
            "[service.web]\ndemand = { kind = \"exponential\", mean = \"20ms\" }\nserver = [{ name = \"s\", workers = 100, queue = { discipline = \"processor-sharing\" } }]\n[[service.web.call]]\nto = \"db\"\n[service.db]\ndemand = \"1ms\"\nserver = [{ name = \"d\", workers = 20 }]\n",
        ),
    ] {
        let text =
            format!("horizon = \"60s\"\ntraffic = [{{ to = \"web\", rate = 4000 }}]\n{rest}");
        let each = allocations_per_request(&text);
        assert!(each < 0.01, "{name}: {each} allocations per request");
    }
}
