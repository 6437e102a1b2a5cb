//! Scenarios in which servers share the cores of machines.

/// Servers of three services on one machine, with every way to begin and end work there, and all that can
/// be done to it.
pub(super) const HOSTED: &str = r#"
horizon = "60s"
[class.soon]
share = 0.3
[class.late]
share = 0.7
priority = 1
[[traffic]]
to = "web"
rate = 60
[[traffic]]
to = "batch"
rate = 12
[client]
timeout = "400ms"
retry = { kind = "fixed", attempts = 2, pause = "10ms" }
cancel = true
[machine.box]
cores = 2.5
[service.web]
demand = { kind = "hyperexponential", mean = "15ms", cv = 2 }
balancer = { policy = "least-work-left", health_check = { interval = "1s", timeout = "200ms", fall = 2, rise = 1, demand = "2ms" } }
[[service.web.call]]
to = "db"
[[service.web.server]]
name = "one"
count = 2
workers = 2
machine = "box"
queue = { limit = 40, discipline = "priority-preemptive" }
speed = 1.3
restart = { kind = "after", pause = "3s" }
[[service.web.server]]
name = "far"
workers = 1
[[service.web.server]]
name = "late"
workers = 3
machine = "box"
present = false
queue = { discipline = "processor-sharing", limit = 20 }
warm_up = { from = 0.3, over = "4s" }
[service.batch]
demand = { kind = "lognormal", mean = "60ms", cv = 1 }
[[service.batch.server]]
name = "b"
workers = 4
machine = "box"
slowdown = { contention = 0.05 }
breakdowns = { every = { kind = "exponential", mean = "5s" }, repair = "500ms" }
crash_keeps_queue = true
[service.db]
demand = { kind = "exponential", mean = "4ms" }
server = [{ name = "db", workers = 2, machine = "box", errors = { rate = 0.05 } }]
[[timeline]]
at = "10s"
set = { "machine.box.cores" = 1.2 }
[[timeline]]
at = "16s"
do = "add"
target = "service.web.server.late"
[[timeline]]
at = "20s"
set = { "machine.box.cores" = 4, "service.batch.server.b.workers" = 6 }
[[timeline]]
at = "28s"
do = "crash"
target = "machine.box"
[[timeline]]
at = "33s"
do = "restart"
target = "machine.box"
[[timeline]]
at = "40s"
do = "slow"
target = "machine.box"
factor = 0.6
for = "5s"
[[timeline]]
at = "50s"
do = "remove"
target = "service.web.server.one-1"
"#;
