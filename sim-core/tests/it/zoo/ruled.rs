//! Health rules.

pub(super) const RULED: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = 220 }]
[client]
timeout = "60ms"
retry = { kind = "fixed", attempts = 3, pause = "5ms" }
hedge = { after = "25ms" }
[service.web]
demand = { kind = "exponential", mean = "9ms" }
[service.web.balancer]
policy = "weighted-round-robin"
instances = 2
crash = [{ when = "in_flight", above = 60 }]
restart = { kind = "after", pause = "1s" }
health = [
  { kind = "checks", interval = "800ms", fast_interval = "150ms", timeout = "80ms", fall = 2, rise = 2, phase = "seed", errors = true },
  { kind = "outlier-detection", consecutive = 3, rate = "40%", minimum = 15, window = "2s", base = "700ms", max = "3s" },
  { kind = "panic", below = "34%" },
  { kind = "priorities", overprovision = 1.2 },
  { kind = "slow-start", over = "2s", from = 0.05, steps = 9 },
]
[[service.web.server]]
name = "web"
count = 4
workers = 1
max_connections = 12
errors = { rate = 0.12 }
crash = [{ when = "in_flight", above = 20 }]
restart = { kind = "after", pause = "2s" }
[[service.web.server]]
name = "spare"
count = 2
workers = 1
priority = 1
[[timeline]]
at = "20s"
set = { "service.web.balancer.health.panic.then" = "none", "service.web.server.web.errors.rate" = 0.3 }
[[timeline]]
at = "30s"
do = "drain"
target = "service.web.server.spare-1"
[[timeline]]
at = "35s"
set = { "service.web.balancer.policy" = "round-robin", "service.web.balancer.health.checks.interval" = "300ms" }
[[timeline]]
at = "45s"
do = "undrain"
target = "service.web.server.spare-1"
[[timeline]]
at = "50s"
set = { "service.web.balancer.health" = ["checks"] }
"#;
