//! Scenarios that change while they run, and one with a waiting room.

pub(super) const PEOPLE: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = 150 }]
[client]
timeout = "1s"
[service.web]
demand = { kind = "exponential", mean = "15ms" }
[service.web.balancer]
policy = "weighted-random"
restart = { kind = "after", pause = "1s" }
[[service.web.server]]
name = "web"
count = 4
workers = 1
restart = { kind = "after", pause = "4s" }
warm_up = { from = 0.4, over = "3s" }
[[service.web.server]]
name = "late"
workers = 2
present = false
[[timeline]]
at = "2s"
do = "note"
note = "a quiet morning"
[[timeline]]
at = "5s"
do = "crash"
target = "service.web.server.web-1"
[[timeline]]
at = "6s"
do = "restart"
target = "service.web.server.web-1"
[[timeline]]
at = "10s"
do = "drain"
target = "service.web.server.web-2"
[[timeline]]
at = "15s"
do = "undrain"
target = "service.web.server.web-2"
[[timeline]]
at = "20s"
do = "add"
target = "service.web.server.late"
[[timeline]]
at = "25s"
do = "remove"
target = "service.web.server.web-3"
[[timeline]]
at = "30s"
do = "slow"
target = "service.web.server.web-4"
factor = 0.2
for = "6s"
[[timeline]]
at = "40s"
do = "crash"
target = "service.web.balancer"
[[timeline]]
at = "45s"
do = "restart"
target = "service.web.server"
[[timeline]]
at = "50s"
do = "add"
target = "service.web.server.web-3"
"#;

pub(super) const SETTINGS: &str = r#"
horizon = "60s"
[class.a]
share = 0.5
[class.b]
share = 0.5
[[traffic]]
name = "t"
to = "web"
rate = 120
[client]
timeout = "1s"
[service.web]
demand = { kind = "exponential", mean = "10ms" }
[[service.web.call]]
to = "db"
probability = 0.5
[service.web.balancer]
policy = "round-robin"
[[service.web.server]]
name = "web"
count = 3
workers = 1
errors = { rate = 0.1 }
[service.db]
demand = { kind = "exponential", mean = "5ms" }
server = [{ name = "db", workers = 1 }]
[[timeline]]
at = "5s"
set = { "service.web.balancer.policy" = "least-in-flight", "service.web.server.web-1.workers" = 3 }
[[timeline]]
at = "10s"
set = { "service.web.link.delay" = "4ms", "service.web.call.db.probability" = 1.0 }
[[timeline]]
at = "15s"
set = { "service.web.server.web-2.queue.discipline" = "processor-sharing", "service.web.server.web-1.queue.discipline" = "lifo" }
[[timeline]]
at = "20s"
set = { "class.a.share" = 0.9, "class.b.share" = 0.1, "class.b.demand_factor" = 4, "traffic.t.rate" = 180 }
[[timeline]]
at = "25s"
set = { "service.web.balancer.health.checks.interval" = "500ms", "service.web.server.web-3.errors.rate" = 0.0 }
[[timeline]]
at = "30s"
set = { "client.timeout" = "100ms", "client.retry" = { kind = "fixed", attempts = 2, pause = "5ms" } }
[[timeline]]
at = "35s"
set = { "service.web.server.web-3.crash" = [{ when = "queue_age", above = "50ms" }], "service.web.server.web-3.restart" = { kind = "after", pause = "2s" } }
[[timeline]]
at = "40s"
set = { "service.web.balancer.max_connections" = 15, "service.web.balancer.cost" = "1ms", "service.web.server.web-2.queue.discipline" = "fifo" }
[[timeline]]
at = "50s"
set = { "service.web.link.delay" = "0s", "service.web.balancer.cost" = "0s", "service.web.server.*.errors.rate" = 0.0 }
"#;

/// Settings that turn the fast path of the engine off and on while requests are on their way.
pub(super) const MENDED: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = 150 }]
[client]
timeout = "400ms"
[service.web]
demand = { kind = "exponential", mean = "16ms" }
[service.web.balancer]
policy = "round-robin"
[[service.web.server]]
name = "web"
count = 3
workers = 1
errors = { rate = 0.3 }
[[timeline]]
at = "10s"
set = { "service.web.server.*.errors.rate" = 0.0 }
[[timeline]]
at = "20s"
set = { "service.web.link.delay" = "5ms" }
[[timeline]]
at = "30s"
set = { "service.web.link.delay" = "0s" }
[[timeline]]
at = "40s"
set = { "service.web.server.web-2.slowdown.contention" = 0.5, "service.web.server.web-2.workers" = 2 }
[[timeline]]
at = "50s"
set = { "service.web.server.web-2.workers" = 1, "service.web.server.web-1.weight" = 0 }
"#;

/// A waiting room at the balancer that is in use most of the time.
pub(super) const POOLED: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = 95 }]
[client]
timeout = "900ms"
[service.web]
demand = { kind = "exponential", mean = "20ms" }
[service.web.balancer]
policy = "first"
pending_queue = { limit = 40, timeout = "500ms" }
[[service.web.server]]
name = "web"
count = 2
workers = 1
max_connections = 1
"#;
