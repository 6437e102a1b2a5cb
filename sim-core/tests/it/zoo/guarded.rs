//! Guards at every post, met and unmet, on the fast path and off it.

/// Guards of the fast path: a surge makes each of them act now and then.
pub(crate) const GUARDED: &str = r#"
horizon = "60s"
class = { a = { share = 0.7 }, b = { share = 0.3 } }
traffic = [{ to = "web", rate = { kind = "surge", base = 80, peak = 260, at = "15s", rise = "5s", hold = "8s", fall = "5s" } }]
[client]
timeout = "400ms"
retry = { kind = "fixed", attempts = 2, pause = "30ms" }
guards = [
    { kind = "retry-budget", ratio = 0.2 },
    { kind = "adaptive-throttle", window = "4s" },
    { kind = "circuit-breaker", failures = 12, open = "700ms", trials = 3 },
    { kind = "concurrency-limit", limit = 60, queue = 10, wait = "100ms", shared = true },
]
[service.web]
demand = { kind = "exponential", mean = "20ms" }
[service.web.balancer]
policy = "least-in-flight"
guards = [{ kind = "rate-limit", rate = 190, burst = 20, wait = "50ms" }, { kind = "aimd-limit", min = 4, slow = "300ms" }]
[[service.web.server]]
name = "web"
count = 4
workers = 1
queue = { limit = 12 }
[[timeline]]
at = "20s"
set = { "service.web.balancer.guards.rate-limit.rate" = 150 }
[[timeline]]
at = "40s"
set = { "class.a.client.guards" = ["deadline"] }
"#;

/// Guards of calls between services and of servers, with crashes.
pub(crate) const SHIELDED: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = 90 }]
client = { timeout = "300ms", deadline = "800ms", hedge = { after = "80ms" }, guards = [{ kind = "retry-budget", ratio = 0.3 }, "deadline"] }
[service.web]
demand = { kind = "exponential", mean = "15ms" }
link.delay = "1ms"
balancer = { instances = 2, guards = [{ kind = "circuit-breaker", failures = 8, window = 30, open = "1s" }] }
[[service.web.call]]
to = "db"
client = { timeout = "100ms", retry = "fixed", guards = ["deadline", { kind = "circuit-breaker", failures = 6, open = "500ms" }, { kind = "aimd-limit", initial = 5, min = 2, queue = 3, wait = "20ms" }] }
[[service.web.server]]
name = "web"
count = 2
workers = 3
guards = [{ kind = "deadline", margin = "20ms" }, { kind = "concurrency-limit", limit = 25, queue = 5, wait = "40ms" }]
crash = [{ when = "in_flight", above = 24, for = "300ms" }]
restart = { kind = "after", pause = "1s" }
[service.db]
demand = { kind = "exponential", mean = "18ms" }
server = [{ name = "db", workers = 2, errors = { rate = 0.1 }, guards = [{ kind = "rate-limit", rate = 85, wait = "30ms" }] }]
[[timeline]]
at = "20s"
do = "slow"
target = "service.db.server.db"
factor = 0.3
for = "8s"
[[timeline]]
at = "35s"
do = "crash"
target = "service.web.balancer"
[[timeline]]
at = "36s"
do = "restart"
target = "service.web.balancer"
[[timeline]]
at = "45s"
set = { "service.web.server.web.guards" = [], "service.db.server.db.guards.rate-limit.rate" = 60 }
"#;
