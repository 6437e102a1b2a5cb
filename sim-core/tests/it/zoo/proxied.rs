//! A proxy that tries its servers by rules of its own.

/// Callers give up before the proxy is through with its tries, servers refuse, err, hang and turn requests
/// away, an instance crashes with tries out, some wait for a server, others have been at all there are; and
/// people change the rules.
pub(super) const PROXIED: &str = r#"
horizon = "60s"
warm_up = "5s"
class = { a = { share = 0.7 }, b = { share = 0.3, priority = 1 } }
traffic = [{ to = "web", rate = 220, key = { kind = "zipf", n = 300, s = 0.9 } }]
[client]
timeout = "120ms"
retry = { kind = "fixed", attempts = 2, pause = "5ms" }
[service.web]
demand = { kind = "exponential", mean = "9ms" }
link = { delay = "1ms", loss = 0.001 }
[service.web.balancer]
policy = "round-robin"
instances = 2
max_connections = 50
cost = "100us"
guards = [{ kind = "concurrency-limit", limit = 45, queue = 5, wait = "8ms" }]
health = [{ kind = "outlier-detection", consecutive = 6, base = "2s", max_ejected = 0.5 }]
pending_queue = { limit = 20, timeout = "40ms" }
restart = { kind = "after", pause = "2s" }
link = { delay = "200us", loss = 0.002, connections = { kind = "per-request", keep = 4, limit = 12, idle = "1s" } }
[service.web.balancer.client]
timeout = "45ms"
retry = { kind = "fixed", attempts = 3, avoid = "for-good" }
hedge = { after = "30ms" }
guards = [{ kind = "retry-budget", ratio = 0.3 }, { kind = "circuit-breaker", failures = 40, open = "200ms" }]
[[service.web.server]]
name = "web"
count = 4
workers = 1
max_connections = 8
queue = { limit = 6 }
errors = { rate = 0.02 }
[[service.web.server]]
name = "spare"
workers = 1
backup = true
[service.db]
demand = "1ms"
server = [{ name = "db", workers = 4 }]
[[service.web.call]]
to = "db"
probability = 0.3
[[timeline]]
at = "10s"
do = "crash"
target = "service.web.server.web-2"
[[timeline]]
at = "14s"
do = "crash"
target = "service.web.balancer"
[[timeline]]
at = "20s"
do = "slow"
target = "service.web.server.web-3"
factor = 0.05
for = "8s"
[[timeline]]
at = "25s"
do = "restart"
target = "service.web.server.web-2"
[[timeline]]
at = "30s"
set = { "service.web.balancer.client.retry" = { kind = "exponential-backoff", attempts = 4, base = "2ms", demand = "own", avoid = "all" } }
[[timeline]]
at = "40s"
set = { "service.web.balancer.client.cancel" = true, "service.web.balancer.client.timeout" = "15ms", "service.web.balancer.client.hedge" = "none" }
[[timeline]]
at = "50s"
do = "crash"
target = "service.web.server"
"#;
