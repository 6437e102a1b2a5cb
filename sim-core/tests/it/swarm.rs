//! Random valid scenarios: each feature is there or not, weights and limits are wild.

use proptest::prelude::*;

/// One scenario in parts, so that a failure shrinks to the features that matter.
#[derive(Clone, Debug)]
pub(crate) struct Swarm {
    pub seed: u64,
    pub rate: u32,
    pub users: Option<u32>,
    pub client: Vec<&'static str>,
    pub demand: &'static str,
    pub link: Option<&'static str>,
    pub balancer: Vec<&'static str>,
    pub own: Option<&'static str>,
    pub servers: Vec<(u32, Vec<&'static str>)>,
    pub call: Option<(&'static str, &'static str)>,
    pub routes: Option<(&'static str, &'static str)>,
    pub classes: bool,
    pub keyed: bool,
    pub timeline: Vec<(u32, &'static str)>,
    pub behind: Vec<(u32, &'static str)>,
    pub routed: Vec<(u32, &'static str)>,
    pub machine: Option<Shared>,
}

/// A machine: its cores, which servers of the first service are on it besides the first, whether those of
/// the others are, and what happens to it.
#[derive(Clone, Debug)]
pub(crate) struct Shared {
    cores: &'static str,
    web: u8,
    behind: bool,
    deeds: Vec<(u32, &'static str)>,
}

fn some(options: &'static [&'static str]) -> impl Strategy<Value = Option<&'static str>> {
    prop_oneof![2 => Just(None), 1 => prop::sample::select(options).prop_map(Some)]
}

/// At most one of each group.
fn features(
    groups: &'static [&'static [&'static str]],
) -> impl Strategy<Value = Vec<&'static str>> {
    let each: Vec<_> = groups.iter().map(|group| some(group)).collect();
    each.prop_map(|chosen| chosen.into_iter().flatten().collect())
}

const CLIENT: &[&[&str]] = &[
    &[
        "timeout = \"50ms\"",
        "timeout = \"300ms\"",
        "timeout = \"5ms\"",
    ],
    &["deadline = \"400ms\"", "deadline = \"40ms\""],
    &[
        "retry = { kind = \"fixed\", attempts = 3 }",
        "retry = { kind = \"fixed\", attempts = 2, pause = \"7ms\" }",
        "retry = { kind = \"exponential-backoff\", attempts = 4, base = \"5ms\", jitter = \"decorrelated\" }",
        "retry = { kind = \"fixed\", attempts = 4, demand = \"own\", avoid = \"all\" }",
        "retry = { kind = \"fixed\", attempts = 3, pause = \"1ms\", avoid = \"previous\" }",
    ],
    &[
        "guards = [{ kind = \"retry-budget\", ratio = 0.1, reserve = 3 }]",
        "guards = [{ kind = \"retry-budget\", ratio = 0, reserve = 0 }]",
        "guards = [{ kind = \"circuit-breaker\", failures = 2, open = \"30ms\" }, { kind = \"aimd-limit\", initial = 2, min = 1, queue = 5, wait = \"30ms\" }]",
        "guards = [{ kind = \"rate-limit\", rate = 50, burst = 3, wait = \"20ms\" }, { kind = \"adaptive-throttle\", window = \"300ms\" }]",
        "guards = [{ kind = \"concurrency-limit\", limit = 3, queue = 4, wait = \"10ms\" }, { kind = \"deadline\" }]",
    ],
    &["cancel = true"],
    &[
        "hedge = { after = \"0s\" }",
        "hedge = { after = \"4ms\", copies = 4, demand = \"own\" }",
        "hedge = { after = \"1ms\", copies = 3, distinct = false }",
    ],
];

const DEMANDS: &[&str] = &[
    "\"10ms\"",
    "\"0s\"",
    "{ kind = \"exponential\", mean = \"10ms\" }",
    "{ kind = \"pareto\", mean = \"10ms\", shape = 1.5 }",
    "{ kind = \"lognormal\", mean = \"12ms\", cv = 3 }",
    "{ kind = \"bimodal\", short = \"1ms\", long = \"200ms\" }",
];

const LINKS: &[&str] = &[
    "{ delay = \"1ms\" }",
    "{ delay = { kind = \"exponential\", mean = \"2ms\" } }",
    "{ delay = \"3ms\", loss = 0.1 }",
    "{ loss = 0.3, connect_timeout = \"12ms\" }",
    "{ delay = { kind = \"exponential\", mean = \"2ms\" }, connect_timeout = \"3ms\" }",
    "{ delay = \"1ms\", connections = { kind = \"per-request\", keep = 3, idle = \"30ms\", open = \"1ms\" } }",
    "{ delay = { kind = \"exponential\", mean = \"1ms\" }, loss = 0.05, connect_timeout = \"10ms\", connections = { kind = \"per-request\", limit = 4, of = \"source\", wait = \"20ms\", queue = 6, reuse = \"oldest\" } }",
    "{ connections = { kind = \"shared\", of = \"source\", streams = 3, limit = 4, max_age = \"150ms\", jitter = 0.3 } }",
    "{ delay = \"2ms\", loss = 0.02, connections = { kind = \"shared\", max_requests = 9, idle = \"50ms\" } }",
];

const BALANCER: &[&[&str]] = &[
    &[
        "policy = \"random\"",
        "policy = \"weighted-round-robin\"",
        "policy = \"weighted-random\"",
        "policy = \"least-in-flight\"",
        "policy = \"power-of-d\"",
        "policy = \"join-shortest-queue\"",
        "policy = \"join-idle-queue\"",
        "policy = \"least-work-left\"",
        "policy = \"source-hash\"",
        "policy = \"ring-hash\"",
        "policy = { kind = \"ring-hash\", points = 2, bound = 1 }",
        "policy = \"first\"",
    ],
    &["instances = 3", "instances = 2"],
    &["balances = \"connections\""],
    &["max_connections = 5", "max_connections = 40"],
    &["cost = \"1ms\"", "cost = \"20ms\""],
    &["queue_limit = 0", "queue_limit = 10"],
    &[
        "pending_queue = { limit = 0 }",
        "pending_queue = { limit = 20, timeout = \"30ms\" }",
        "pending_queue = { limit = 5 }",
    ],
    &[
        "crash = [{ when = \"in_flight\", above = 10, for = \"20ms\" }]",
        "crash = [{ when = \"queue_len\", above = 3 }]",
    ],
    &["down_behaviour = \"black-hole\""],
    &[
        "restart = { kind = \"after\", pause = \"50ms\" }",
        "restart = { kind = \"crash-loop\", first = \"20ms\" }",
    ],
    &["boot = \"10ms\""],
    &[
        "health = [{ kind = \"checks\", interval = \"50ms\", timeout = \"20ms\", fall = 2, rise = 2, demand = \"1ms\" }]",
        "health = [{ kind = \"checks\", interval = \"10ms\", timeout = \"5ms\", fall = 1, rise = 1 }]",
        "health = [{ kind = \"outlier-detection\", consecutive = 2, base = \"20ms\", max_ejected = 1 }, { kind = \"slow-start\", over = \"100ms\", steps = 7 }]",
        "health = [{ kind = \"checks\", interval = \"40ms\", timeout = \"10ms\", fast_interval = \"5ms\", phase = \"seed\", errors = true }, { kind = \"outlier-detection\", consecutive = 1, rate = 0.3, minimum = 3, window = \"100ms\", base = \"10ms\", max = \"50ms\" }, { kind = \"priorities\", overprovision = 1.4 }, { kind = \"panic\", below = \"50%\" }]",
        "health = [{ kind = \"outlier-detection\", consecutive = 1, base = \"30ms\" }, { kind = \"panic\", below = 1, then = \"none\" }]",
    ],
    &[
        "link = { delay = \"1ms\" }",
        "link = { delay = { kind = \"exponential\", mean = \"3ms\" }, loss = 0.05 }",
        "link = { loss = 0.2, connect_timeout = \"8ms\" }",
        "link = { connect_timeout = \"5ms\" }",
        "link = { delay = \"1ms\", loss = 0.02, connect_timeout = \"9ms\", connections = { kind = \"per-request\", limit = 2, keep = 1, wait = \"15ms\" } }",
        "link = { connections = { kind = \"shared\", streams = 2, limit = 2, queue = 3, max_requests = 7 } }",
        "link = { delay = \"1ms\", connections = { kind = \"per-request\", idle = \"20ms\", max_age = \"90ms\", round_trips = 3 } }",
    ],
    &[
        "standby = { count = 1, takeover = \"30ms\" }",
        "standby = { count = 2, takeover = \"0s\" }",
    ],
    &[
        "guards = [{ kind = \"circuit-breaker\", failures = 3, open = \"25ms\", slow = \"15ms\" }]",
        "guards = [{ kind = \"concurrency-limit\", limit = 4, queue = 4, wait = \"5ms\" }, { kind = \"rate-limit\", rate = 200, burst = 1 }]",
        "guards = [{ kind = \"aimd-limit\", initial = 3, min = 2, shared = true }, { kind = \"deadline\" }]",
    ],
    &["memory = { base = \"3MiB\", per_connection = \"1MiB\", limit = \"30MiB\" }"],
];

const SERVER: &[&[&str]] = &[
    &["weight = 0", "weight = 100", "weight = 0.001"],
    &["speed = 3", "speed = 0.1"],
    &[
        "queue = { limit = 0 }",
        "queue = { limit = 5, discipline = \"lifo\" }",
        "queue = { discipline = \"processor-sharing\", limit = 30 }",
        "queue = { discipline = \"priority\" }",
    ],
    &["slowdown = { contention = 0.3, coherence = 0.02 }"],
    &[
        "memory = { base = \"10MiB\", per_in_service = \"5MiB\", per_queued = \"1MiB\", limit = \"25MiB\" }",
        "memory = { per_queued = \"1MiB\", per_abandoned = \"2MiB\", release = \"300ms\", limit = \"15MiB\" }",
        "memory = { per_abandoned = \"1MiB\", limit = \"9MiB\" }",
    ],
    &[
        "errors = { rate = 0.3 }",
        "errors = { rate = 1, demand = \"1ms\" }",
    ],
    &[
        "crash = [{ when = \"in_flight\", above = 6 }]",
        "crash = [{ when = \"queue_age\", above = \"30ms\" }, { when = \"utilisation\", above = 0.9, for = \"200ms\" }]",
        "crash = [{ when = \"queue_len\", above = 4, for = \"15ms\" }]",
    ],
    &["crash_keeps_queue = true"],
    &["down_behaviour = \"black-hole\""],
    &[
        "restart = { kind = \"after\", pause = \"60ms\" }",
        "restart = { kind = \"crash-loop\", first = \"10ms\", reset = \"100ms\" }",
        "restart = \"never\"",
    ],
    &["boot = \"15ms\""],
    &["warm_up = { from = 0.2, over = \"100ms\" }"],
    &["backup = true"],
    &["max_connections = 1", "max_connections = 4"],
    &["liveness = { interval = \"40ms\", timeout = \"15ms\", fall = 2 }"],
    &["present = false"],
    &[
        "link = { delay = \"2ms\" }",
        "link = { loss = 1 }",
        "link = { delay = \"0s\", loss = 0 }",
    ],
    &["zone = \"a\"", "zone = \"b\""],
    &[
        "guards = [{ kind = \"concurrency-limit\", limit = 2, queue = 4, wait = \"20ms\" }]",
        "guards = [{ kind = \"deadline\" }, { kind = \"rate-limit\", rate = 60, burst = 2, wait = \"9ms\" }]",
        "guards = [{ kind = \"circuit-breaker\", failures = 2, open = \"20ms\" }, { kind = \"aimd-limit\", initial = 1, min = 1, slow = \"15ms\" }]",
    ],
];

const CALLS: &[&str] = &[
    "",
    "hold = false",
    "at = \"before\"",
    "link = { delay = \"3ms\", loss = 0.1, connect_timeout = \"9ms\" }\nclient = { timeout = \"40ms\" }",
    "at = \"before\"\nhold = false\nrequired = false",
    "link = { delay = \"1ms\", connections = { kind = \"per-request\", limit = 1, keep = 1 } }\nclient = { timeout = \"20ms\", cancel = true }",
    "link = { connections = { kind = \"shared\", streams = 2, limit = 1, wait = \"10ms\" } }\nhold = false",
    "client = { hedge = { after = \"2ms\", copies = 3 }, cancel = true }",
    "hold = false\nclient = { cancel = true }\n[[service.web.call]]\nto = \"db\"\nparallel = true\nhold = false",
    "at = \"before\"\n[[service.web.call]]\nto = \"db\"\nat = \"before\"\nparallel = true\nprobability = 0.6\nrequired = false\nclient = { timeout = \"9ms\", cancel = true }",
    "hold = false\n[[service.web.call]]\nto = \"db\"\nparallel = true\nhold = false",
    "class = \"CLASS\"\nat = \"before\"\n[[service.web.call]]\nto = \"db\"\nat = \"before\"\nparallel = true\nhold = false",
    "hold = false\n[[service.web.call]]\nto = \"db\"\nclass = [\"CLASS\"]\nparallel = true",
    "hold = false\nrequired = false\nclient = { cancel = true, hedge = { after = \"0s\", distinct = false } }\n[[service.web.call]]\nto = \"db\"\nparallel = true\nhold = false\nclient = { retry = { kind = \"fixed\", attempts = 2 } }",
    "probability = 0.5\nclient = { timeout = \"15ms\", retry = { kind = \"fixed\", attempts = 2 }, cancel = true }",
];

/// Stands for a class that the scenario has.
const CLASS: &str = "CLASS";

const DB: &[&str] = &[
    "",
    "queue = { limit = 2 }",
    "errors = { rate = 0.4 }",
    "crash = [{ when = \"queue_len\", above = 3 }]\nrestart = { kind = \"after\", pause = \"40ms\" }",
];

/// Routes of the first service's balancer, to a service `app`.
const ROUTES: &[&str] = &[
    "{ to = \"app\" }",
    "{ to = \"app\", share = 0.3 }",
    "{ to = \"app\", share = \"50%\", link = { delay = \"2ms\", loss = 0.1, connect_timeout = \"9ms\" } }",
    "{ to = \"app\", class = \"CLASS\", client = { cancel = true } }",
    "{ to = \"app\", share = 0.5, client = { timeout = \"12ms\", retry = { kind = \"fixed\", attempts = 2, avoid = \"previous\" } } }, { to = \"app\", class = \"CLASS\" }",
    "{ to = \"app\", client = { hedge = { after = \"3ms\" }, guards = [{ kind = \"concurrency-limit\", limit = 2, queue = 4, wait = \"9ms\" }, { kind = \"deadline\" }] } }",
    "{ to = \"app\", client = { cancel = true, hedge = { after = \"0s\", copies = 3 }, guards = [{ kind = \"circuit-breaker\", failures = 2, open = \"20ms\" }] } }",
    "{ to = \"app\", link = { connections = { kind = \"per-request\", limit = 2, wait = \"15ms\", open = \"1ms\" } } }",
    "{ to = \"app\", share = 0.7, link = { delay = \"1ms\", connections = { kind = \"shared\", streams = 2, max_age = \"200ms\" } } }",
];

/// What happens where there are routes.
const DEEDS_ROUTED: &[&str] = &[
    "do = \"crash\"\ntarget = \"service.app.server.db-1\"",
    "do = \"restart\"\ntarget = \"service.app.server.db-1\"",
    "do = \"crash\"\ntarget = \"service.app.balancer\"",
    "do = \"restart\"\ntarget = \"service.app.balancer\"",
    "do = \"partition\"\ntarget = \"service.web.balancer.routes.app.link\"\nfor = \"90ms\"",
    "set = { \"service.web.balancer.routes.0.share\" = 0.1 }",
    "set = { \"service.web.balancer.routes.0.client.guards\" = [{ kind = \"aimd-limit\", initial = 2, min = 1 }] }",
    "set = { \"service.web.balancer.routes.0.link.delay\" = \"2ms\" }",
];

/// What happens where there is a service behind the first.
const DEEDS_BEHIND: &[&str] = &[
    "do = \"crash\"\ntarget = \"service.db.server.db\"",
    "do = \"restart\"\ntarget = \"service.db.server.db\"",
    "do = \"crash\"\ntarget = \"service.db.balancer\"",
    "do = \"restart\"\ntarget = \"service.db.balancer\"",
    "do = \"partition\"\ntarget = \"service.web.call.db.link\"\nfor = \"90ms\"",
    "do = \"degrade\"\ntarget = \"service.db.link\"\nloss = 0.4",
    "do = \"heal\"\ntarget = \"service.db.link\"",
];

/// What happens where servers share a machine.
const DEEDS_SHARED: &[&str] = &[
    "do = \"crash\"\ntarget = \"machine.box\"",
    "do = \"restart\"\ntarget = \"machine.box\"",
    "do = \"slow\"\ntarget = \"machine.box\"\nfactor = 0.5\nfor = \"200ms\"",
    "do = \"drain\"\ntarget = \"machine.box\"",
    "do = \"undrain\"\ntarget = \"machine.box\"",
    "set = { \"machine.box.cores\" = 0.2 }",
    "set = { \"machine.box.cores\" = 1.5, \"service.web.server.s0-1.workers\" = 4 }",
    "set = { \"machine.box.cores\" = 9 }",
];

const DEEDS: &[&str] = &[
    "do = \"crash\"\ntarget = \"service.web.server.s0-1\"",
    "do = \"restart\"\ntarget = \"service.web.server\"",
    "do = \"drain\"\ntarget = \"service.web.server.s0-1\"",
    "do = \"undrain\"\ntarget = \"service.web.server.s0-1\"",
    "do = \"add\"\ntarget = \"service.web.server\"",
    "do = \"remove\"\ntarget = \"service.web.server.s0-1\"",
    "do = \"slow\"\ntarget = \"service.web.server\"\nfactor = 0.1\nfor = \"100ms\"",
    "do = \"crash\"\ntarget = \"service.web.balancer\"",
    "do = \"restart\"\ntarget = \"service.web.balancer\"",
    "set = { \"service.web.balancer.policy\" = \"least-in-flight\", \"service.web.server.s0-1.workers\" = 1 }",
    "set = { \"service.web.server.s0-1.queue.discipline\" = \"processor-sharing\" }",
    "set = { \"service.web.server.*.queue.discipline\" = \"fifo\", \"service.web.server.*.queue.limit\" = 3 }",
    "set = { \"service.web.link.delay\" = \"3ms\", \"client.timeout\" = \"80ms\" }",
    "do = \"partition\"\ntarget = \"service.web.link\"\nfor = \"70ms\"",
    "do = \"partition\"\ntarget = \"service.web.server.s0-1.link\"",
    "do = \"heal\"\ntarget = \"service.web.server.s0-1.link\"",
    "fault = \"gray\"\ntarget = \"service.web.server.s0-1\"\nfor = \"200ms\"",
    "fault = { kind = \"errors\", rate = 0.4 }\ntarget = \"service.web.server\"",
    "fault = { kind = \"degrade\", delay = \"3ms\" }\ntarget = \"service.web.balancer.link\"\nfor = \"300ms\"",
    "do = \"heal\"\ntarget = \"service.web.server\"",
    "do = \"partition\"\ntarget = \"service.web.balancer.link\"\nfor = \"200ms\"",
    "do = \"partition\"\ntarget = \"service.web.zone.a.link\"\nfor = \"300ms\"",
    "do = \"degrade\"\ntarget = \"service.web.balancer.link\"\ndelay = \"4ms\"\nloss = 0.1\nfor = \"400ms\"",
    "do = \"heal\"\ntarget = \"service.web.balancer.link\"",
    "set = { \"service.web.balancer.link.delay\" = \"2ms\" }",
    "set = { \"service.web.link.connections\" = { kind = \"shared\", of = \"source\" } }",
    "set = { \"service.web.link.connections\" = \"none\" }",
    "set = { \"service.web.balancer.link.connections\" = { kind = \"per-request\", limit = 1, open = \"2ms\" } }",
    "set = { \"service.web.balancer.link.loss\" = 0.3, \"service.web.server.*.link.delay\" = \"1ms\" }",
    "set = { \"client.hedge\" = { after = \"3ms\" } }",
    "set = { \"client.hedge\" = \"none\" }",
    "set = { \"service.web.server.*.guards\" = [{ kind = \"concurrency-limit\", limit = 1, queue = 4, wait = \"8ms\" }] }",
    "set = { \"service.web.balancer.guards\" = [{ kind = \"rate-limit\", rate = 90, burst = 2, wait = \"4ms\" }], \"client.guards\" = [] }",
    "set = { \"service.web.server.*.crash\" = [{ when = \"queue_age\", above = \"20ms\" }] }",
    "set = { \"service.web.balancer.max_connections\" = 3, \"service.web.balancer.cost\" = \"2ms\" }",
    "set = { \"service.web.server.*.max_connections\" = 2, \"service.web.server.*.errors.rate\" = 0.0 }",
    "set = { \"service.web.balancer.health\" = [{ kind = \"checks\", interval = \"25ms\" }, { kind = \"panic\", below = \"60%\" }] }",
    "set = { \"service.web.balancer.health\" = [] }",
    "set = { \"service.web.server.*.priority\" = 1 }",
];

/// Rules of the balancer towards its own servers.
const OWN: &[&str] = &[
    "timeout = \"20ms\", retry = { kind = \"fixed\", attempts = 3, avoid = \"for-good\" }",
    "timeout = \"9ms\", cancel = true, retry = { kind = \"fixed\", attempts = 2, pause = \"1ms\", demand = \"own\" }",
    "retry = { kind = \"exponential-backoff\", attempts = 4, base = \"2ms\", avoid = \"all\" }, guards = [{ kind = \"retry-budget\", ratio = 0.2, reserve = 2 }]",
    "hedge = { after = \"4ms\" }, guards = [{ kind = \"concurrency-limit\", limit = 3, queue = 4, wait = \"9ms\" }]",
    "hedge = { after = \"0s\", tied = true }, deadline = \"30ms\", retry = { kind = \"fixed\", attempts = 3, avoid = \"previous\" }",
    "guards = [{ kind = \"circuit-breaker\", failures = 2, open = \"20ms\" }, { kind = \"deadline\" }]",
];

/// Random scenarios of two seconds at most.
pub(crate) fn swarm() -> impl Strategy<Value = Swarm> {
    let servers = prop::collection::vec((1..4_u32, features(SERVER)), 1..4);
    let users = prop_oneof![3 => Just(None), 1 => (1..60_u32).prop_map(Some)];
    let call = prop_oneof![
        2 => Just(None),
        1 => (prop::sample::select(CALLS), prop::sample::select(DB)).prop_map(Some)
    ];
    let routes = prop_oneof![
        2 => Just(None),
        1 => (prop::sample::select(ROUTES), prop::sample::select(DB)).prop_map(Some)
    ];
    let routed = prop::collection::vec((1..2000_u32, prop::sample::select(DEEDS_ROUTED)), 0..4);
    let shared = (
        prop::sample::select(&["0.4", "1", "2.5", "6"][..]),
        any::<u8>(),
        any::<bool>(),
        prop::collection::vec((1..2000_u32, prop::sample::select(DEEDS_SHARED)), 0..4),
    );
    let shared = shared.prop_map(|(cores, web, behind, deeds)| Shared {
        cores,
        web,
        behind,
        deeds,
    });
    let machine = prop_oneof![2 => Just(None), 1 => shared.prop_map(Some)];
    let deeds = prop::collection::vec((1..2000_u32, prop::sample::select(DEEDS)), 0..5);
    let behind = prop::collection::vec((1..2000_u32, prop::sample::select(DEEDS_BEHIND)), 0..4);
    (
        (
            any::<u32>(),
            1..600_u32,
            users,
            features(CLIENT),
            prop::sample::select(DEMANDS),
        ),
        (
            some(LINKS),
            features(BALANCER),
            servers,
            call,
            any::<(bool, bool)>(),
            deeds,
            behind,
            (routes, routed, machine, some(OWN)),
        ),
    )
        .prop_map(
            |(
                (seed, rate, users, client, demand),
                (
                    link,
                    balancer,
                    servers,
                    call,
                    (classes, keyed),
                    timeline,
                    behind,
                    (routes, routed, machine, own),
                ),
            )| Swarm {
                seed: u64::from(seed),
                rate,
                users,
                client,
                demand,
                link,
                balancer,
                own,
                servers,
                call,
                routes,
                routed,
                classes,
                keyed,
                timeline,
                behind,
                machine,
            },
        )
}

impl Swarm {
    /// Without what may not go together.
    pub(crate) fn plain(&self) -> Self {
        let mut plain = self.clone();
        plain.client.clear();
        plain.balancer.clear();
        plain.timeline.clear();
        plain.behind.clear();
        plain.routed.clear();
        plain.servers.iter_mut().for_each(|(_, keys)| keys.clear());
        (plain.link, plain.call, plain.routes, plain.machine) = (None, None, None, None);
        plain.own = None;
        plain
    }

    /// As a scenario.
    pub(crate) fn text(&self) -> String {
        let mut text = format!(
            "horizon = \"2s\"\nwarm_up = \"200ms\"\nseed = {}\nrecord = {{ interval = \"100ms\", every_nth_request = 1 }}\nlimits = {{ events = 2000000, in_flight = 100000 }}\n",
            self.seed
        );
        if self.classes {
            text +=
                "[class.a]\nshare = 0.8\npriority = 3\n[class.b]\nshare = 0.2\ndemand_factor = 3\n";
        }
        text += &format!("[client]\n{}\n", self.client.join("\n"));
        text += &format!(
            "[[traffic]]\nto = \"web\"\nrate = {}\n{}\n",
            self.rate,
            if self.keyed {
                "key = { kind = \"uniform\", n = 7 }"
            } else {
                ""
            }
        );
        if let Some(users) = self.users {
            text += &format!(
                "[[traffic]]\nto = \"web\"\narrivals = {{ kind = \"closed\", users = {users}, think = {{ kind = \"exponential\", mean = \"40ms\" }} }}\n"
            );
        }
        text += &format!("[service.web]\ndemand = {}\n", self.demand);
        if let Some(link) = self.link {
            text += &format!("link = {link}\n");
        }
        text += &format!("[service.web.balancer]\n{}\n", self.balancer.join("\n"));
        if let Some(own) = self.own {
            text += &format!("client = {{ {own} }}\n");
        }
        if let Some((routes, _)) = self.routes {
            text += &format!("routes = [{routes}]\n");
        }
        let on_it = |is: bool| if is { "machine = \"box\"\n" } else { "" };
        let machine = self.machine.as_ref();
        for (i, (workers, keys)) in self.servers.iter().enumerate() {
            let shares = machine.is_some_and(|m| i == 0 || m.web >> i & 1 == 1);
            text += &format!(
                "[[service.web.server]]\nname = \"s{i}\"\ncount = 2\nworkers = {workers}\n{}{}\n",
                on_it(shares),
                keys.join("\n")
            );
        }
        let behind_too = on_it(machine.is_some_and(|m| m.behind));
        if let Some((call, db)) = self.call {
            text += &format!(
                "[[service.web.call]]\nto = \"db\"\n{call}\n[service.db]\ndemand = {{ kind = \"exponential\", mean = \"4ms\" }}\n[[service.db.server]]\nname = \"db\"\nworkers = 2\n{behind_too}{db}\n"
            );
        }
        if let Some((_, app)) = self.routes {
            text += &format!(
                "[service.app]\ndemand = {{ kind = \"exponential\", mean = \"9ms\" }}\n[[service.app.server]]\nname = \"db\"\ncount = 2\nworkers = 1\n{behind_too}{app}\n"
            );
        }
        let behind = self.behind.iter().filter(|_| self.call.is_some());
        let routed = self.routed.iter().filter(|_| self.routes.is_some());
        if let Some(machine) = machine {
            text += &format!("[machine.box]\ncores = {}\n", machine.cores);
        }
        let shared = machine.iter().flat_map(|machine| &machine.deeds);
        for (at, deed) in (self.timeline.iter().chain(behind).chain(routed)).chain(shared) {
            text += &format!("[[timeline]]\nat = \"{at}ms\"\n{deed}\n");
        }
        text.replace(CLASS, if self.classes { "b" } else { "all" })
    }
}
