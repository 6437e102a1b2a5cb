//! Scenarios in which connections are opened, kept, shared, waited for and broken.

/// Connections on every hop of two services; both ends crash, a link is cut, settings change.
pub(super) const KEPT: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = 110, key = { kind = "uniform", n = 30 } }]
[client]
timeout = "200ms"
retry = { kind = "fixed", attempts = 2, pause = "4ms" }
hedge = { after = "70ms" }
[service.web]
demand = { kind = "exponential", mean = "9ms" }
[service.web.link]
delay = { kind = "exponential", mean = "1ms" }
loss = 0.005
connect_timeout = "60ms"
connections = { kind = "per-request", limit = 4, keep = 2, idle = "500ms", max_age = "8s", jitter = 0.4, open = "1ms", wait = "90ms" }
[service.web.balancer]
policy = "least-in-flight"
instances = 2
max_connections = 70
crash = [{ when = "in_flight", above = 60, for = "300ms" }]
restart = { kind = "after", pause = "2s" }
standby = { count = 1, takeover = "1s" }
link = { delay = "500us", connections = { kind = "shared", streams = 3, limit = 2, max_requests = 200 } }
[[service.web.server]]
name = "web"
count = 3
workers = 1
queue = { limit = 20 }
restart = { kind = "after", pause = "1s" }
[[service.web.call]]
to = "db"
link = { delay = "300us", connections = { kind = "per-request", limit = 2, queue = 9 } }
client = { timeout = "60ms", cancel = true }
[service.db]
demand = { kind = "exponential", mean = "3ms" }
server = [{ name = "db", count = 2, workers = 1 }]
[[timeline]]
at = "10s"
do = "crash"
target = "service.web.server.web-1"
[[timeline]]
at = "18s"
do = "crash"
target = "service.web.balancer"
[[timeline]]
at = "26s"
do = "partition"
target = "service.web.balancer.link"
for = "1s"
[[timeline]]
at = "34s"
set = { "service.web.link.connections.limit" = 1, "service.web.balancer.link.connections" = { kind = "per-request", limit = 3 } }
[[timeline]]
at = "42s"
do = "remove"
target = "service.web.server.web-2"
[[timeline]]
at = "50s"
set = { "service.web.link.connections" = "none" }
"#;

/// A balancer that chooses for each connection, before servers that come and go.
pub(super) const LED: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = 120, key = { kind = "zipf", n = 40 } }]
[client]
timeout = "150ms"
[service.web]
demand = { kind = "exponential", mean = "10ms" }
link = { delay = "1ms", connections = { kind = "shared", streams = 5, limit = 3, max_age = "20s", jitter = 0.5 } }
[service.web.balancer]
policy = "least-in-flight"
balances = "connections"
instances = 2
health = [{ kind = "checks", interval = "500ms", timeout = "100ms", fall = 2, rise = 2 }]
[[service.web.server]]
name = "web"
count = 3
workers = 1
max_connections = 25
queue = { limit = 9 }
restart = { kind = "after", pause = "1s" }
[[service.web.server]]
name = "new"
workers = 2
present = false
[[timeline]]
at = "10s"
do = "crash"
target = "service.web.server.web-1"
[[timeline]]
at = "20s"
do = "add"
target = "service.web.server.new"
[[timeline]]
at = "30s"
do = "drain"
target = "service.web.server.web-2"
[[timeline]]
at = "40s"
do = "remove"
target = "service.web.server.web-3"
[[timeline]]
at = "50s"
do = "crash"
target = "service.web.balancer"
[[timeline]]
at = "52s"
do = "restart"
target = "service.web.balancer"
"#;
