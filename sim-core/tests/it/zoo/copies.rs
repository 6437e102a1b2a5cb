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

/// Hedged and redundant requests under everything that can befall them, changed while they are out.
pub(super) const HEDGED: &str = r#"
horizon = "60s"
[class.quick]
share = 0.7
[class.twice]
share = 0.3
client = { hedge = { after = "0s", copies = 2, distinct = false } }
[[traffic]]
name = "t"
to = "web"
rate = 45
[client]
timeout = "250ms"
deadline = "700ms"
retry = { kind = "fixed", attempts = 2, pause = "5ms" }
guards = [{ kind = "retry-budget", ratio = 0.6, reserve = 30 }]
cancel = true
hedge = { after = "30ms", copies = 3, demand = "own" }
[service.web]
demand = { kind = "exponential", mean = "25ms" }
link = { delay = { kind = "exponential", mean = "1ms" } }
[[service.web.call]]
to = "db"
probability = 0.4
client = { timeout = "80ms", hedge = { after = "10ms" } }
[service.web.balancer]
policy = "weighted-random"
instances = 2
pending_queue = { limit = 20, timeout = "50ms" }
[[service.web.server]]
name = "web"
count = 4
workers = 1
errors = { rate = 0.05 }
queue = { limit = 15 }
max_connections = 12
crash = [{ when = "queue_age", above = "150ms" }]
restart = { kind = "after", pause = "700ms" }
[[service.web.server]]
name = "waiting"
workers = 1
weight = 2
queue = { discipline = "random-order", patience = "60ms" }
[service.db]
demand = { kind = "exponential", mean = "6ms" }
balancer = { policy = "round-robin" }
server = [{ name = "db", count = 2, workers = 1, queue = { discipline = "processor-sharing", limit = 50 } }]
[[timeline]]
at = "15s"
do = "crash"
target = "service.web.server.web-1"
[[timeline]]
at = "20s"
set = { "client.hedge.after" = "10ms", "client.hedge.copies" = 4 }
[[timeline]]
at = "30s"
set = { "client.hedge" = "none", "class.twice.client.hedge.distinct" = true }
[[timeline]]
at = "40s"
do = "crash"
target = "service.web.balancer"
[[timeline]]
at = "41s"
do = "restart"
target = "service.web.balancer"
[[timeline]]
at = "45s"
set = { "client.hedge" = { after = "20ms" }, "client.cancel" = false }
"#;

/// Retries that draw anew and go elsewhere, beside copies, through several instances.
pub(super) const ELSEWHERE: &str = r#"
horizon = "60s"
[class.plain]
share = 0.6
[class.dear]
share = 0.4
client = { retry = { kind = "exponential-backoff", attempts = 5, base = "2ms", avoid = "all" } }
[[traffic]]
to = "web"
rate = 90
[client]
timeout = "90ms"
retry = { kind = "fixed", attempts = 3, demand = "own", avoid = "previous" }
[service.web]
demand = { kind = "exponential", mean = "20ms" }
balancer = { policy = "least-in-flight", instances = 2, pending_queue = { limit = 9 } }
server = [{ name = "web", count = 5, workers = 1, errors = { rate = 0.1 }, max_connections = 9 }]
[[service.web.call]]
to = "db"
probability = 0.5
client = { hedge = { after = "8ms" }, retry = { kind = "fixed", attempts = 2, demand = "own", avoid = "all" } }
[service.db]
demand = { kind = "exponential", mean = "3ms" }
server = [{ name = "db", count = 4, workers = 1, errors = { rate = 0.2 } }]
[[timeline]]
at = "20s"
set = { "class.dear.client.retry.avoid" = "previous", "client.retry.avoid" = "all" }
[[timeline]]
at = "40s"
set = { "client.retry.demand" = "same" }
"#;

/// Calls side by side, some hedged, some held, some failing, some called off.
pub(super) const PARALLEL: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = 60 }]
[client]
timeout = "200ms"
retry = { kind = "fixed", attempts = 2 }
cancel = true
[service.web]
demand = { kind = "exponential", mean = "4ms" }
[[service.web.call]]
to = "user"
at = "before"
hold = false
client = { cancel = true }
[[service.web.call]]
to = "cart"
at = "before"
parallel = true
hold = false
probability = 0.7
client = { timeout = "60ms", cancel = true }
[[service.web.call]]
to = "ads"
required = false
client = { timeout = "25ms", cancel = true }
[[service.web.call]]
to = "user"
parallel = true
probability = 0.5
client = { hedge = { after = "10ms" } }
[[service.web.call]]
to = "cart"
parallel = true
[[service.web.server]]
name = "web"
count = 2
workers = 5
queue = { limit = 30, patience = "80ms" }
crash = [{ when = "in_flight", above = 25, for = "500ms" }]
restart = { kind = "after", pause = "2s" }
[service.user]
demand = { kind = "exponential", mean = "6ms" }
link = { delay = "1ms" }
server = [{ name = "user", workers = 2, errors = { rate = 0.03 } }]
[service.cart]
demand = { kind = "lognormal", mean = "8ms", cv = 1.5 }
server = [{ name = "cart", count = 2, workers = 1, queue = { limit = 10 } }]
[service.ads]
demand = { kind = "exponential", mean = "15ms" }
server = [{ name = "ads", workers = 1, queue = { discipline = "processor-sharing" } }]
[[timeline]]
at = "20s"
do = "crash"
target = "service.web.server.web-1"
[[timeline]]
at = "30s"
set = { "service.web.call.ads.hold" = false, "service.web.call.ads.required" = true }
"#;
