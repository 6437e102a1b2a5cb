//! Scenarios in which messages take their time, and do not always arrive.

/// Links of every kind, and everything that can be done to them.
pub(super) const LINKED: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = 90 }]
[client]
timeout = "250ms"
retry = { kind = "fixed", attempts = 3, pause = "5ms" }
hedge = { after = "60ms" }
[service.web]
demand = { kind = "exponential", mean = "12ms" }
link = { delay = { kind = "exponential", mean = "3ms" }, loss = 0.01, connect_timeout = "40ms" }
[service.web.zone.far]
link = { delay = { kind = "uniform", low = "1ms", high = "9ms" } }
[service.web.balancer]
policy = "least-in-flight"
instances = 2
link = { delay = "1ms", loss = 0.02, connect_timeout = "20ms" }
health_check = { interval = "1s", timeout = "100ms", fall = 2, rise = 2, demand = "1ms" }
crash = [{ when = "in_flight", above = 60, for = "300ms" }]
restart = { kind = "after", pause = "2s" }
[[service.web.server]]
name = "near"
count = 2
workers = 1
zone = "near"
queue = { limit = 20 }
[[service.web.server]]
name = "far"
count = 2
workers = 1
zone = "far"
down_behaviour = "black-hole"
restart = { kind = "after", pause = "1s" }
liveness = { interval = "2s", timeout = "300ms" }
[[service.web.server]]
name = "there"
workers = 1
zone = "far"
link = { loss = 0.2 }
[[service.web.call]]
to = "db"
probability = 0.5
link = { delay = "2ms" }
client = { timeout = "60ms", cancel = true }
[service.db]
demand = { kind = "exponential", mean = "5ms" }
balancer = { health_check = { probe = "connect", interval = "500ms", timeout = "50ms" }, link = { delay = "500us" } }
server = [{ name = "db", count = 2, workers = 2 }]
[[timeline]]
at = "8s"
do = "partition"
target = "service.web.server.near-1.link"
for = "4s"
[[timeline]]
at = "14s"
do = "partition"
target = "service.web.zone.far.link"
[[timeline]]
at = "18s"
do = "degrade"
target = "service.web.link"
delay = "15ms"
loss = "5%"
for = "10s"
[[timeline]]
at = "20s"
do = "heal"
target = "service.web.zone.far.link"
[[timeline]]
at = "30s"
do = "partition"
target = "service.web.call.db.link"
for = "2s"
[[timeline]]
at = "33s"
do = "crash"
target = "service.web.server.far-1"
[[timeline]]
at = "36s"
do = "crash"
target = "service.web.balancer"
[[timeline]]
at = "42s"
do = "degrade"
target = "service.web.balancer.link"
delay = "20ms"
[[timeline]]
at = "44s"
set = { "service.web.balancer.link.delay" = "2ms", "service.web.zone.far.link.loss" = 0.1 }
[[timeline]]
at = "48s"
do = "heal"
target = "service.web.balancer.link"
[[timeline]]
at = "50s"
set = { "service.web.server.there.link.loss" = 0, "service.web.call.db.link.delay" = "4ms", "service.web.link.loss" = 0 }
"#;

/// Links that are clear but for a while: requests leave the fast path and come back to it.
pub(super) const CUT: &str = r#"
horizon = "60s"
traffic = [{ to = "web", rate = 150 }]
[client]
timeout = "100ms"
[service.web]
demand = { kind = "exponential", mean = "10ms" }
link = { connect_timeout = "30ms" }
server = [{ name = "web", count = 2, workers = 1, zone = "a" }, { name = "other", workers = 1, queue = { limit = 9 } }]
[[timeline]]
at = "10s"
do = "partition"
target = "service.web.link"
for = "1s"
[[timeline]]
at = "20s"
do = "partition"
target = "service.web.zone.a.link"
for = "2s"
[[timeline]]
at = "30s"
do = "degrade"
target = "service.web.server.other.link"
delay = "5ms"
for = "3s"
[[timeline]]
at = "40s"
do = "partition"
target = "service.web.balancer.link"
[[timeline]]
at = "41s"
do = "heal"
target = "service.web.balancer.link"
[[timeline]]
at = "45s"
do = "crash"
target = "service.web.server.other"
[[timeline]]
at = "50s"
do = "restart"
target = "service.web.server.other"
"#;
