//! A hash ring, requests with several attempts at once, and calls side by side.

/// Keys on a ring with unlike weights, servers that come, go and fill up, and another ring.
pub(super) const HASHED: &str = r#"
horizon = "60s"
[[traffic]]
name = "t"
to = "web"
rate = 240
key = { kind = "zipf", n = 300, s = 1.1 }
[client]
timeout = "300ms"
retry = { kind = "fixed", attempts = 2, pause = "5ms" }
[service.web]
demand = { kind = "exponential", mean = "12ms" }
[service.web.balancer]
policy = { kind = "ring-hash", points = 20, bound = 1.5 }
instances = 2
[[service.web.server]]
name = "web"
count = 4
workers = 1
queue = { limit = 20 }
[[service.web.server]]
name = "big"
workers = 2
weight = 2
max_connections = 12
[[service.web.server]]
name = "late"
workers = 1
present = false
[[timeline]]
at = "10s"
do = "add"
target = "service.web.server.late"
[[timeline]]
at = "20s"
do = "drain"
target = "service.web.server.web-2"
[[timeline]]
at = "30s"
set = { "service.web.server.big.weight" = 1, "service.web.balancer.policy.bound" = 0.0 }
[[timeline]]
at = "45s"
set = { "service.web.balancer.policy" = { kind = "ring-hash", points = 1 } }
"#;
