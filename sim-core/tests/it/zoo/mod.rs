//! Small scenarios that between them touch every feature.

mod changes;
mod connected;
mod copies;
mod guarded;
mod hosts;
mod links;
mod proxied;
mod queues;
mod routed;
mod ruled;

use changes::{MENDED, PEOPLE, POOLED, SETTINGS};
use connected::{KEPT, LED};
use copies::{ELSEWHERE, HASHED, HEDGED, PARALLEL};
use guarded::{GUARDED, SHIELDED};
use hosts::HOSTED;
use links::{CUT, LINKED};
use proxied::PROXIED;
use queues::{IDLE, IMPATIENT, INTERRUPTED, MODULATED, VISITED};
use routed::ROUTED;
use ruled::RULED;

/// Scenarios with a name each.
pub(crate) static ZOO: &[(&str, &str)] = &[
    ("plain", PLAIN),
    ("overload", OVERLOAD),
    ("classes", CLASSES),
    ("sharing", SHARING),
    ("faults", FAULTS),
    ("crashes", CRASHES),
    ("balancers", BALANCERS),
    ("tiers", TIERS),
    ("closed", CLOSED),
    ("people", PEOPLE),
    ("settings", SETTINGS),
    ("mended", MENDED),
    ("pooled", POOLED),
    ("impatient", IMPATIENT),
    ("interrupted", INTERRUPTED),
    ("idle", IDLE),
    ("modulated", MODULATED),
    ("hashed", HASHED),
    ("hedged", HEDGED),
    ("parallel", PARALLEL),
    ("elsewhere", ELSEWHERE),
    ("guarded", GUARDED),
    ("shielded", SHIELDED),
    ("linked", LINKED),
    ("cut", CUT),
    ("ruled", RULED),
    ("kept", KEPT),
    ("led", LED),
    ("routed", ROUTED),
    ("hosted", HOSTED),
    ("proxied", PROXIED),
    ("visited", VISITED),
];

const PLAIN: &str = r#"
horizon = "60s"
warm_up = "5s"
traffic = [{ to = "web", rate = 400 }]
[client]
timeout = "200ms"
[service.web]
demand = { kind = "exponential", mean = "10ms" }
[service.web.balancer]
policy = "power-of-d"
[[service.web.server]]
name = "web"
count = 5
workers = 1
"#;

const OVERLOAD: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = { kind = "surge", base = 50, peak = 300, at = "10s", rise = "5s", hold = "10s", fall = "5s" } }]
[client]
timeout = "300ms"
deadline = "2s"
retry = { kind = "exponential-backoff", attempts = 4, base = "50ms", cap = "1s", jitter = "decorrelated" }
guards = [{ kind = "retry-budget", ratio = 0.3, reserve = 20 }]
cancel = true
[service.web]
demand = { kind = "lognormal", mean = "20ms", cv = 1.5 }
link = { delay = "2ms" }
[service.web.balancer]
policy = "least-in-flight"
[[service.web.server]]
name = "web"
count = 3
workers = 1
queue = { limit = 40, discipline = "lifo" }
"#;

const CLASSES: &str = r#"
horizon = "60s"
[class.browse]
share = 0.7
[class.buy]
share = 0.3
priority = 5
demand_factor = 2.5
client = { timeout = "1s", retry = { kind = "fixed", attempts = 2, pause = "10ms" } }
[[traffic]]
to = "web"
arrivals = "deterministic"
rate = [["0s", 10], ["20s", 90], ["40s", 90], ["60s", 5]]
key = { kind = "zipf", n = 50, s = 1.1 }
[[traffic]]
name = "robots"
to = "web"
rate = { kind = "wave", mean = 20, amplitude = 0.8, period = "15s" }
class = "browse"
client = { timeout = "50ms" }
key = { kind = "uniform", n = 7 }
[service.web]
demand = { kind = "erlang", mean = "12ms", stages = 3 }
link = { delay = { kind = "exponential", mean = "3ms" } }
[service.web.balancer]
policy = "source-hash"
[[service.web.server]]
name = "web"
count = 2
workers = 1
queue = { discipline = "priority" }
"#;

const SHARING: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = 70 }]
[client]
timeout = "500ms"
cancel = true
retry = { kind = "fixed", attempts = 3 }
[service.web]
demand = { kind = "hyperexponential", mean = "20ms", cv = 3 }
[service.web.balancer]
policy = "join-shortest-queue"
[[service.web.server]]
name = "shared"
workers = 1
speed = 1.5
queue = { discipline = "processor-sharing", limit = 60 }
[[service.web.server]]
name = "crowded"
workers = 4
slowdown = { contention = 0.1, coherence = 0.01 }
"#;

const FAULTS: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = 100 }]
[client]
timeout = "300ms"
retry = { kind = "exponential-backoff", attempts = 3, base = "10ms", jitter = "equal" }
[service.web]
demand = { kind = "bimodal", short = "5ms", long = "80ms", probability_of_long = 0.1 }
[service.web.balancer]
policy = "least-in-flight"
health = [{ kind = "checks", interval = "1s", timeout = "150ms", fall = 2, rise = 2, demand = "1ms" }]
pending_queue = { limit = 30, timeout = "200ms" }
[[service.web.server]]
name = "a"
workers = 1
errors = { rate = 0.2, demand = "1ms" }
max_connections = 8
liveness = { interval = "2s", timeout = "200ms", fall = 2 }
restart = { kind = "after", pause = "3s" }
warm_up = { from = 0.3, over = "5s" }
[[service.web.server]]
name = "b"
workers = 1
max_connections = 8
[[service.web.server]]
name = "spare"
workers = 1
backup = true
"#;

const CRASHES: &str = r#"
horizon = "120s"
traffic = [{ to = "web", rate = 190 }]
[client]
timeout = "1s"
retry = { kind = "fixed", attempts = 2 }
[service.web]
demand = { kind = "weibull", mean = "20ms", shape = 0.7 }
[service.web.balancer]
policy = "random"
health = [{ kind = "checks", interval = "2s", timeout = "500ms", fall = 2, rise = 1 }]
[[service.web.server]]
name = "flight"
workers = 1
crash = [{ when = "in_flight", above = 20, for = "200ms" }]
restart = { kind = "crash-loop", first = "1s", cap = "10s", reset = "30s" }
boot = "500ms"
[[service.web.server]]
name = "age"
workers = 1
crash = [{ when = "queue_age", above = "400ms" }, { when = "utilisation", above = 0.99, for = "5s" }]
restart = { kind = "after", pause = "2s" }
crash_keeps_queue = true
[[service.web.server]]
name = "memory"
workers = 1
memory = { base = "100MiB", per_in_service = "10MiB", per_queued = "5MiB", limit = "200MiB" }
restart = { kind = "after", pause = "2s" }
down_behaviour = "black-hole"
warm_up = { from = 0.5, over = "4s" }
[[service.web.server]]
name = "queue"
workers = 1
crash = [{ when = "queue_len", above = 15 }]
restart = "manual"
"#;

const BALANCERS: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = 450 }]
[client]
timeout = "400ms"
retry = { kind = "fixed", attempts = 3, pause = "20ms" }
[service.web]
demand = { kind = "uniform", low = "1ms", high = "20ms" }
link = { delay = "1ms" }
[service.web.balancer]
policy = "weighted-round-robin"
instances = 2
cost = "3ms"
queue_limit = 100
max_connections = 90
crash = [{ when = "in_flight", above = 80, for = "300ms" }]
down_behaviour = "black-hole"
restart = { kind = "after", pause = "5s" }
boot = "1s"
standby = { count = 1, takeover = "2s" }
health = [{ kind = "checks", interval = "1s", timeout = "100ms" }]
[[service.web.server]]
name = "web"
count = 6
workers = 1
weight = 2
"#;

const TIERS: &str = r#"
horizon = "40s"
traffic = [{ to = "web", rate = 80 }]
[client]
timeout = "500ms"
retry = { kind = "fixed", attempts = 2 }
cancel = true
[service.web]
demand = "5ms"
[[service.web.call]]
to = "auth"
at = "before"
hold = false
client = { timeout = "100ms" }
[[service.web.call]]
to = "db"
at = "after"
probability = 0.6
client = { timeout = "120ms", retry = { kind = "fixed", attempts = 2 } }
[[service.web.call]]
to = "ads"
at = "after"
required = false
client = { timeout = "30ms", cancel = true }
[[service.web.server]]
name = "web"
count = 2
workers = 4
queue = { limit = 50 }
crash = [{ when = "in_flight", above = 40, for = "1s" }]
restart = { kind = "after", pause = "3s" }
[service.auth]
demand = { kind = "exponential", mean = "3ms" }
link = { delay = "1ms" }
server = [{ name = "auth", workers = 1 }]
[service.db]
demand = { kind = "lognormal", mean = "15ms", cv = 1 }
[[service.db.server]]
name = "db"
workers = 1
queue = { limit = 20 }
[[service.db.call]]
to = "disk"
at = "before"
[service.ads]
demand = { kind = "pareto", mean = "10ms", shape = 2.2 }
server = [{ name = "ads", workers = 1, queue = { discipline = "processor-sharing" } }]
[service.disk]
demand = "4ms"
server = [{ name = "disk", workers = 1, errors = { rate = 0.02 } }]
"#;

const CLOSED: &str = r#"
horizon = "60s"
[[traffic]]
to = "web"
arrivals = { kind = "closed", users = 60, think = { kind = "exponential", mean = "500ms" } }
[[traffic]]
to = "web"
arrivals = { kind = "trace", times = ["0s", "1s", "1s", "2500ms", "30s", "59s"] }
[client]
timeout = "800ms"
[service.web]
demand = { kind = "exponential", mean = "15ms" }
[service.web.balancer]
policy = "least-work-left"
[[service.web.server]]
name = "web"
count = 2
workers = 1
queue = { limit = 25 }
"#;
