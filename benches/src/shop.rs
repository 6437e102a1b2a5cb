//! The incident model in small: a shop whose balancer sends nearly all to one server, for searches over many runs.

use sim_core::scenario::{NoFiles, Problems, Scenario, Source};

/// Reads it with values set by path.
///
/// # Errors
/// What is wrong with these values.
pub fn read(text: &str, sets: &[(String, String)]) -> Result<Scenario, Problems> {
    Scenario::read(Source::new("bench.toml", text), sets, &NoFiles)
}

/// The scenario, with the balancer's weight for its first server wrong until second 40.
pub fn scenario(horizon_s: usize) -> String {
    format!(
        r#"
horizon = "{horizon_s}s"
[[traffic]]
name = "shoppers"
to   = "web"
rate = 400
[client]
timeout = "2s"
retry   = {{ kind = "exponential-backoff", attempts = 3, base = "200ms", cap = "1s", jitter = "full" }}
[service.web]
demand = {{ kind = "lognormal", mean = "80ms", cv = 1.0 }}
[service.web.balancer]
policy          = "weighted-round-robin"
max_connections = 4000
memory          = {{ base = "96MiB", per_connection = "160KiB", limit = "512MiB" }}
health          = [{{ kind = "checks", probe = "connect" }}]
[[service.web.server]]
name    = "web-1"
weight  = 100
workers = 24
queue   = {{ limit = 200 }}
memory  = {{ base = "512MiB", per_in_service = "4MiB", per_queued = "128KiB", per_abandoned = "256KiB", limit = "1GiB" }}
[[service.web.server]]
name    = "web"
first   = 2
count   = 3
like    = "web-1"
weight  = 1
workers = 8
queue   = {{ limit = 80 }}
[[timeline]]
name = "correct-weight"
at   = "40s"
set  = {{ "service.web.server.web-1.weight" = 3 }}
[[timeline]]
name   = "restart-web-1"
at     = "45s"
do     = "restart"
when   = "down"
target = "service.web.server.web-1"
"#
    )
}
