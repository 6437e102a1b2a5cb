//! A gateway whose balancer sends requests on by class and by key.

/// A gateway without servers before an application, a canary of it and a shop; the canary fails, the
/// gateway crashes, a route is cut, and people move keys and limits.
pub(super) const ROUTED: &str = r#"
horizon = "60s"
class = { browse = { share = 0.6 }, checkout = { share = 0.3 }, search = { share = 0.1 } }
traffic = [{ to = "gate", rate = 180, key = { kind = "zipf", n = 500, s = 0.8 } }]
[client]
timeout = "400ms"
retry = { kind = "fixed", attempts = 2, pause = "3ms" }
hedge = { after = "90ms" }
[service.gate]
link = { delay = "1ms", loss = 0.002 }
[service.gate.balancer]
instances = 2
max_connections = 60
cost = "200us"
guards = [{ kind = "rate-limit", rate = 150, burst = 40, wait = "10ms" }]
restart = { kind = "after", pause = "2s" }
[[service.gate.balancer.routes]]
to = "shop"
class = "checkout"
client = { timeout = "80ms", retry = { kind = "fixed", attempts = 2, avoid = "previous" }, cancel = true }
[[service.gate.balancer.routes]]
to = "canary"
share = "10%"
client = { guards = [{ kind = "circuit-breaker", failures = 5, open = "2s" }] }
[[service.gate.balancer.routes]]
to = "app"
client = { hedge = { after = "40ms" }, guards = [{ kind = "concurrency-limit", limit = 25, queue = 5, wait = "20ms" }] }
link = { delay = { kind = "exponential", mean = "500us" }, connections = { kind = "per-request", keep = 8, idle = "1s" } }
[service.shop]
demand = { kind = "exponential", mean = "12ms" }
[[service.shop.server]]
name = "shop"
count = 2
workers = 1
queue = { limit = 20 }
errors = { rate = 0.01 }
[service.canary]
demand = { kind = "exponential", mean = "10ms" }
server = [{ name = "canary", workers = 2 }]
[service.app]
demand = { kind = "lognormal", mean = "10ms", cv = 1 }
[service.app.balancer]
policy = "least-in-flight"
routes = [{ to = "find", class = "search" }]
[[service.app.server]]
name = "app"
count = 3
workers = 1
queue = { limit = 30 }
[service.find]
demand = "25ms"
server = [{ name = "find", workers = 2 }]
[[timeline]]
at = "10s"
do = "slow"
target = "service.canary.server"
factor = 0.05
for = "8s"
[[timeline]]
at = "20s"
do = "crash"
target = "service.gate.balancer"
[[timeline]]
at = "28s"
set = { "service.gate.balancer.routes.canary.share" = "40%" }
[[timeline]]
at = "35s"
do = "partition"
target = "service.gate.balancer.routes.shop.link"
for = "4s"
[[timeline]]
at = "45s"
set = { "service.gate.balancer.routes.app.client.guards" = [{ kind = "aimd-limit", initial = 10, min = 2 }] }
"#;
