//! Scenarios with the rarer ways to queue, to arrive and to fail.

pub(super) const IMPATIENT: &str = r#"
horizon = "60s"
traffic = [{ to = "web", arrivals = { kind = "batch", size = 3, sizes = "geometric" }, rate = 120 }]
[client]
timeout = "900ms"
cancel = true
retry = { kind = "fixed", attempts = 2, pause = "10ms" }
[service.web]
demand = { kind = "bounded-pareto", least = "5ms", greatest = "500ms", shape = 1.3 }
[[service.web.server]]
name = "random"
workers = 2
queue = { discipline = "random-order", patience = { kind = "exponential", mean = "60ms" }, limit = 30 }
breakdowns = { every = { kind = "exponential", mean = "2s" }, repair = { kind = "exponential", mean = "500ms" } }
[[service.web.server]]
name = "short"
workers = 1
queue = { discipline = "shortest-job", patience = "300ms" }
crash = [{ when = "queue_age", above = "250ms" }]
restart = { kind = "after", pause = "1s" }
crash_keeps_queue = true
breakdowns = { every = { kind = "exponential", mean = "3s" }, repair = "400ms" }
[[timeline]]
at = "30s"
set = { "service.web.server.random.workers" = 4, "service.web.server.short.breakdowns" = "none" }
[[timeline]]
at = "40s"
set = { "service.web.server.random.queue.discipline" = "shortest-job", "service.web.server.short.queue.discipline" = "random-order" }
"#;

pub(super) const INTERRUPTED: &str = r#"
horizon = "60s"
[class.late]
share = 0.6
priority = 3
[class.soon]
share = 0.4
[[traffic]]
to = "web"
rate = 190
[client]
timeout = "600ms"
cancel = true
[service.web]
demand = { kind = "mixed-exponential", short = "5ms", long = "60ms", probability_of_long = 0.1 }
balancer = { policy = "random", health = [{ kind = "checks", interval = "1s" }] }
[[service.web.server]]
name = "remaining"
workers = 1
queue = { discipline = "shortest-remaining" }
[[service.web.server]]
name = "latest"
workers = 2
speed = 0.6
slowdown = { contention = 0.1 }
queue = { discipline = "lifo-preemptive", limit = 20 }
breakdowns = { every = { kind = "exponential", mean = "1s" }, repair = { kind = "exponential", mean = "300ms" } }
[[service.web.server]]
name = "first"
workers = 1
queue = { discipline = "priority-preemptive", patience = "400ms" }
[[service.web.call]]
to = "db"
at = "before"
probability = 0.5
[service.db]
demand = { kind = "exponential", mean = "3ms" }
[[service.db.server]]
name = "db"
workers = 2
queue = { discipline = "shortest-remaining" }
breakdowns = { every = { kind = "exponential", mean = "500ms" }, repair = { kind = "exponential", mean = "100ms" } }
[[timeline]]
at = "30s"
set = { "service.web.server.remaining.queue.discipline" = "priority-preemptive", "service.web.server.first.queue.discipline" = "lifo" }
[[timeline]]
at = "45s"
set = { "service.web.server.latest.queue.discipline" = "processor-sharing" }
"#;

pub(super) const IDLE: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = 800 }]
[client]
timeout = "200ms"
retry = { kind = "fixed", attempts = 2 }
[service.web]
demand = { kind = "exponential", mean = "10ms" }
[service.web.balancer]
policy = "join-idle-queue"
instances = 3
instance_selection = "random"
health = [{ kind = "checks", interval = "1s", timeout = "100ms", probe = "connect" }]
[[service.web.server]]
name = "web"
count = 10
workers = 1
crash = [{ when = "in_flight", above = 6 }]
restart = { kind = "after", pause = "2s" }
[[timeline]]
at = "20s"
set = { "service.web.balancer.policy" = { kind = "join-idle-queue", entry = "stale" } }
[[timeline]]
at = "40s"
set = { "service.web.balancer.policy" = "join-shortest-queue", "service.web.balancer.load_reports" = "300ms" }
[[timeline]]
at = "50s"
set = { "service.web.balancer.load_reports" = "none" }
"#;

pub(super) const MODULATED: &str = r#"
horizon = "60s"
[[traffic]]
name = "bursts"
to = "web"
arrivals = { kind = "mmpp", factors = [4, 1, 0], lengths = ["200ms", "1s", "100ms"] }
rate = [["0s", 50], ["30s", 90]]
[[traffic]]
to = "web"
arrivals = { kind = "batch", size = 5 }
rate = 40
[service.web]
demand = { kind = "exponential", mean = "10ms" }
balancer = { policy = { kind = "power-of-d", d = 2 }, load_reports = "50ms" }
[[service.web.server]]
name = "web"
count = 2
workers = 1
[[timeline]]
at = "40s"
set = { "traffic.bursts.rate" = 30 }
"#;

pub(super) const VISITED: &str = r#"
horizon = "60s"
warm_up = "5s"
[class.a]
share = 0.7
[class.b]
share = 0.3
demand_factor = 2
[client]
timeout = "80ms"
retry = { kind = "exponential-backoff", attempts = 2 }
[[traffic]]
name = "visitors"
to = "web"
rate = { kind = "flash-crowd", base = 60, peak = 6, at = "20s", rise = "2s", scale = "5s" }
arrivals = { kind = "sessions", requests = [1, 3, 12], think = { kind = "exponential", mean = "1s" }, leave = 0.3 }
key = { kind = "zipf", n = 300 }
[[traffic]]
name = "bots"
to = "web"
rate = 40
arrivals = { kind = "sessions", requests = [30], lengths = "geometric", think = "0s" }
[[traffic]]
name = "others"
to = "web"
rate = 50
[service.web]
demand = { kind = "correlated", correlation = 0.8, of = { kind = "lognormal", mean = "10ms", cv = 2 } }
link = { delay = "1ms" }
[service.web.balancer]
policy = "sticky"
[[service.web.server]]
name = "web"
count = 3
workers = 1
queue = { limit = 20 }
[[timeline]]
at = "30s"
do = "crash"
target = "service.web.server.web-1"
[[timeline]]
at = "40s"
set = { "traffic.bots.rate" = 90, "class.b.demand_factor" = 3 }
"#;
