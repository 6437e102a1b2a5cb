//! What each feature costs: scenarios that differ from a plain one in one thing.
//!
//! The plain one is 100 servers of one worker behind power of two choices, exponential demand of
//! 10 ms, Poisson arrivals at load 0.9, a timeout of a second. Some features change the load or the
//! fleet as well; what they are compared with is always the plain one.

/// A scenario with one feature more than the plain one.
pub struct Feature {
    /// What it is called in the table.
    pub name: &'static str,
    /// Its place in the table: what is only written, what is used, what grows.
    pub group: &'static str,
    /// At most so many times the plain one's cost is wanted.
    pub wanted: f64,
    /// The scenario, but for how long it lasts.
    scenario: Scenario,
}

/// A scenario in pieces. Lines of its own come where they belong.
#[derive(Clone, Copy)]
struct Scenario {
    servers: usize,
    workers: u32,
    /// Requests a second from outside, in all.
    rate: f64,
    sources: usize,
    policy: &'static str,
    /// Before all tables.
    head: &'static str,
    /// Keys of the service, of a server, of a traffic source.
    service: &'static str,
    server: &'static str,
    traffic: &'static str,
    demand: &'static str,
    timeout: &'static str,
    /// After all else.
    tail: &'static str,
}

const PLAIN: Scenario = Scenario {
    servers: 100,
    workers: 1,
    rate: 9_000.0,
    sources: 1,
    policy: "{ kind = \"power-of-d\", d = 2 }",
    head: "",
    service: "",
    server: "",
    traffic: "",
    demand: "{ kind = \"exponential\", mean = \"10ms\" }",
    timeout: "1s",
    tail: "",
};

impl Scenario {
    /// Its text, long enough for about so many requests.
    fn text(&self, requests: u64) -> String {
        let Self {
            servers,
            workers,
            sources,
            policy,
            ..
        } = *self;
        let horizon_ms = (requests as f64 / self.rate * 1000.0).ceil();
        let each = self.rate / sources as f64;
        let rate = if self.traffic.contains("users") {
            String::new()
        } else {
            format!("rate = {each}, ")
        };
        let source = |i| {
            format!(
                "{{ name = \"s{i}\", to = \"web\", {rate}{} }},\n",
                self.traffic
            )
        };
        let traffic: String = (0..sources).map(source).collect();
        let timeout = if self.timeout.is_empty() {
            String::new()
        } else {
            format!("client.timeout = \"{}\"", self.timeout)
        };
        format!(
            "horizon = \"{horizon_ms}ms\"\nlimits = {{ in_flight = 100_000_000 }}\n\
             {timeout}\n{}\ntraffic = [\n{traffic}]\n[service.web]\ndemand = {}\n\
             balancer.policy = {policy}\n{}\n\
             server = [{{ name = \"web\", count = {servers}, workers = {workers}{} }}]\n{}\n",
            self.head, self.demand, self.service, self.server, self.tail
        )
    }
}

impl Feature {
    /// The text of its scenario, long enough for about so many requests.
    pub fn text(&self, requests: u64) -> String {
        self.scenario.text(requests)
    }
}

/// The plain scenario, long enough for about so many requests.
pub fn plain(requests: u64) -> String {
    PLAIN.text(requests)
}

/// Where growth is looked at: how a scenario's cost depends on a number.
pub struct Growth {
    /// What the number counts.
    pub name: &'static str,
    /// The largest number that is looked at.
    pub most: usize,
    /// The scenario with the number at some value.
    scenario: fn(usize) -> Scenario,
}

impl Growth {
    /// The text of its scenario at `number`, long enough for about so many requests.
    pub fn text(&self, number: usize, requests: u64) -> String {
        (self.scenario)(number).text(requests)
    }
}

/// A fleet of so many servers at the plain one's load.
const fn fleet(servers: usize) -> Scenario {
    Scenario {
        servers,
        rate: servers as f64 * 90.0,
        ..PLAIN
    }
}

/// Everything that grows.
pub const GROWTHS: &[Growth] = &[
    Growth {
        name: "servers",
        most: 100_000,
        scenario: fleet,
    },
    Growth {
        name: "servers, least-in-flight",
        most: 100_000,
        scenario: |n| Scenario {
            policy: "\"least-in-flight\"",
            ..fleet(n)
        },
    },
    Growth {
        name: "servers, weighted-round-robin",
        most: 100_000,
        scenario: |n| Scenario {
            policy: "\"weighted-round-robin\"",
            ..fleet(n)
        },
    },
    Growth {
        name: "servers, join-shortest-queue",
        most: 100_000,
        scenario: |n| Scenario {
            policy: "\"join-shortest-queue\"",
            ..fleet(n)
        },
    },
    Growth {
        name: "servers, least-work-left",
        most: 100_000,
        scenario: |n| Scenario {
            policy: "\"least-work-left\"",
            ..fleet(n)
        },
    },
    Growth {
        name: "servers, power-of-d-with-memory",
        most: 100_000,
        scenario: |n| Scenario {
            policy: "\"power-of-d-with-memory\"",
            ..fleet(n)
        },
    },
    Growth {
        name: "servers, least-response-time",
        most: 100_000,
        scenario: |n| Scenario {
            policy: "\"least-response-time\"",
            ..fleet(n)
        },
    },
    Growth {
        name: "servers, peak-ewma",
        most: 100_000,
        scenario: |n| Scenario {
            policy: "\"peak-ewma\"",
            ..fleet(n)
        },
    },
    Growth {
        name: "servers, prequal",
        most: 100_000,
        scenario: |n| Scenario {
            policy: "\"prequal\"",
            ..fleet(n)
        },
    },
    Growth {
        name: "servers, ring-hash with a bound",
        most: 10_000,
        scenario: |n| Scenario {
            policy: "{ kind = \"ring-hash\", bound = 1.5 }",
            traffic: "key = { kind = \"uniform\", n = 1000000 }",
            ..fleet(n)
        },
    },
    Growth {
        name: "servers, client-side-weighted-round-robin",
        most: 100_000,
        scenario: |n| Scenario {
            policy: "\"client-side-weighted-round-robin\"",
            ..fleet(n)
        },
    },
    Growth {
        name: "servers, maglev",
        most: 10_000,
        scenario: |n| Scenario {
            policy: "\"maglev\"",
            traffic: "key = { kind = \"uniform\", n = 1000000 }",
            ..fleet(n)
        },
    },
    Growth {
        name: "servers, sita",
        most: 100_000,
        scenario: |n| Scenario {
            policy: "\"sita\"",
            ..fleet(n)
        },
    },
    Growth {
        name: "servers with a limit of connections that is met",
        most: 100_000,
        scenario: |n| Scenario {
            server: ", max_connections = 1",
            service: "balancer.pending_queue = { limit = 10000 }",
            ..fleet(n)
        },
    },
    Growth {
        name: "sources",
        most: 1_000,
        scenario: |n| Scenario {
            sources: n,
            ..PLAIN
        },
    },
    Growth {
        name: "closed users",
        most: 100_000,
        scenario: |n| match n {
            100 => Scenario {
                traffic: "arrivals = { kind = \"closed\", users = 100, think = { kind = \"exponential\", mean = \"11ms\" } }",
                ..PLAIN
            },
            1000 => Scenario {
                traffic: "arrivals = { kind = \"closed\", users = 1000, think = { kind = \"exponential\", mean = \"111ms\" } }",
                ..PLAIN
            },
            10_000 => Scenario {
                traffic: "arrivals = { kind = \"closed\", users = 10000, think = { kind = \"exponential\", mean = \"1111ms\" } }",
                ..PLAIN
            },
            _ => Scenario {
                traffic: "arrivals = { kind = \"closed\", users = 100000, think = { kind = \"exponential\", mean = \"11111ms\" } }",
                ..PLAIN
            },
        },
    },
    Growth {
        name: "waiting in a pending queue that is left by timeouts",
        most: 100_000,
        scenario: |n| Scenario {
            rate: 15_000.0,
            server: ", max_connections = 1",
            service: match n {
                100 => "balancer.pending_queue = { limit = 100, timeout = \"20ms\" }",
                1000 => "balancer.pending_queue = { limit = 1000, timeout = \"200ms\" }",
                10_000 => "balancer.pending_queue = { limit = 10000, timeout = \"1s\" }",
                _ => "balancer.pending_queue = { limit = 100000, timeout = \"10s\" }",
            },
            timeout: "60s",
            ..PLAIN
        },
    },
];

macro_rules! feature {
    ($group:literal, $name:literal, $wanted:literal $(, $key:ident: $value:expr)* $(,)?) => {
        Feature {
            name: $name,
            group: $group,
            wanted: $wanted,
            scenario: Scenario { $($key: $value,)* ..PLAIN },
        }
    };
}

/// All features.
#[rustfmt::skip]
pub const FEATURES: &[Feature] = &[
    feature!("free", "no timeout", 1.0, timeout: ""),
    feature!("free", "retries, none needed", 1.05, head: "client.retry = \"exponential-backoff\""),
    feature!("free", "timeout of 100 ms, met by 0.5 %", 1.05, timeout: "100ms"),
    feature!("free", "health check by request", 1.05, service: "balancer.health = [{ kind = \"checks\", probe = \"request\" }]"),
    feature!("free", "classes, two", 1.1, head: "class.a = { share = 0.5 }\nclass.b = { share = 0.5 }"),
    feature!("free", "queue of 20 a server", 1.05, server: ", queue = { limit = 20 }"),
    feature!("free", "lognormal demand", 1.2, demand: "{ kind = \"lognormal\", mean = \"10ms\", cv = 1.0 }"),
    feature!("free", "standby balancer", 1.05, service: "balancer.standby = { count = 1 }"),
    feature!("free", "round-robin", 1.0, policy: "\"round-robin\""),
    feature!("free", "an alert and an objective", 1.1, head: "alert = [{ name = \"full\", when = \"in_flight > 100000\" }]\nslo = [{ name = \"fast\", good = \"response_time < 100ms\", objective = 0.5 }]"),

    feature!("written", "two instances", 1.2, service: "balancer.instances = 2"),
    feature!("written", "limit of connections of the balancer", 1.2, service: "balancer.max_connections = 50000"),
    feature!("written", "limit of connections of servers", 1.2, server: ", max_connections = 100"),
    feature!("written", "crash rule of servers", 1.2, server: ", crash = [{ when = \"in_flight\", above = 500, for = \"5s\" }]"),
    feature!("written", "crash rule of servers by age of the queue", 1.2, server: ", crash = [{ when = \"queue_age\", above = \"50s\", for = \"5s\" }]"),
    feature!("written", "crash rule of the balancer", 1.2, service: "balancer.crash = [{ when = \"in_flight\", above = 50000 }]"),
    feature!("written", "memory of servers", 1.2, server: ", memory = { limit = \"64GiB\", per_queued = \"1MiB\" }"),
    feature!("written", "deadline", 1.2, head: "client.deadline = \"2s\""),
    feature!("written", "retry budget", 1.2, head: "client.retry = { kind = \"exponential-backoff\" }\nclient.guards = [{ kind = \"retry-budget\" }]"),
    feature!("written", "pending queue", 1.2, service: "balancer.pending_queue = { limit = 100 }"),
    feature!("written", "errors of 0.1 %", 1.2, server: ", errors = { rate = 0.001 }"),
    feature!("written", "LIFO", 1.2, server: ", queue = { discipline = \"lifo\" }"),
    feature!("written", "priority of two classes", 1.2, server: ", queue = { discipline = \"priority\" }", head: "class.a = { share = 0.5, priority = 1 }\nclass.b = { share = 0.5 }"),
    feature!("written", "contention", 1.2, rate: 9000.0, server: ", slowdown = { contention = 0.01 }"),
    feature!("written", "breakdowns every 1000 s", 1.2, server: ", breakdowns = { every = \"1000s\", repair = \"1s\" }"),
    feature!("written", "loads as reported 10 ms ago", 1.5, service: "balancer.load_reports = \"10ms\""),

    feature!("used", "8 workers", 1.3, workers: 8, rate: 72_000.0),
    feature!("used", "delay of 1 ms", 1.6, service: "link = { delay = \"0.5ms\" }"),
    feature!("used", "random delay", 2.0, service: "link = { delay = { kind = \"exponential\", mean = \"0.5ms\" } }"),
    feature!("used", "processor sharing", 1.5, server: ", queue = { discipline = \"processor-sharing\" }"),
    feature!("used", "hedging after 60 ms", 2.0, rate: 7000.0, head: "client.hedge = { after = \"60ms\" }"),
    feature!("used", "patience of a second", 1.6, server: ", queue = { patience = { kind = \"exponential\", mean = \"1s\" } }"),
    feature!("used", "patience of a minute", 2.0, server: ", queue = { patience = { kind = \"exponential\", mean = \"60s\" } }"),
    feature!("used", "closed users, 9000", 1.8, traffic: "arrivals = { kind = \"closed\", users = 9000, think = { kind = \"exponential\", mean = \"1s\" } }"),
    feature!("used", "two tiers", 2.6, workers: 8, demand: "\"5ms\"", service: "call = [{ to = \"db\" }]", tail: "[service.db]\ndemand = { kind = \"exponential\", mean = \"10ms\" }\nserver = [{ name = \"db\", count = 100, workers = 1 }]\nbalancer.policy = { kind = \"power-of-d\", d = 2 }"),
    feature!("used", "ring-hash", 1.6, rate: 7000.0, policy: "\"ring-hash\"", traffic: "key = { kind = \"uniform\", n = 10000 }"),
    feature!("used", "join-idle-queue", 1.5, policy: "\"join-idle-queue\""),
    feature!("used", "least-in-flight", 1.5, policy: "\"least-in-flight\""),
    feature!("used", "join-shortest-queue", 1.5, policy: "\"join-shortest-queue\""),
    feature!("used", "least-work-left", 1.5, policy: "\"least-work-left\""),
    feature!("used", "power-of-d-with-memory", 1.5, policy: "\"power-of-d-with-memory\""),
    feature!("used", "join-bounded-shortest-queue", 1.6, policy: "\"join-bounded-shortest-queue\"", service: "balancer.pending_queue = { limit = 10000 }"),
    feature!("used", "least-response-time", 1.5, policy: "\"least-response-time\""),
    feature!("used", "peak-ewma", 1.5, policy: "\"peak-ewma\""),
    feature!("used", "prequal", 1.5, policy: "\"prequal\""),
    feature!("used", "client-side-weighted-round-robin", 1.5, policy: "\"client-side-weighted-round-robin\""),
    feature!("used", "ring-hash with a bound", 1.5, policy: "{ kind = \"ring-hash\", bound = 1.5 }", traffic: "key = { kind = \"uniform\", n = 10000 }"),
    feature!("used", "maglev", 1.6, rate: 7000.0, policy: "\"maglev\"", traffic: "key = { kind = \"uniform\", n = 10000 }"),
    feature!("used", "rendezvous", 4.0, rate: 7000.0, policy: "\"rendezvous\"", traffic: "key = { kind = \"uniform\", n = 10000 }"),
    feature!("used", "sticky", 2.0, policy: "\"sticky\"", traffic: "key = { kind = \"uniform\", n = 10000 }"),
    feature!("used", "sita", 1.5, policy: "\"sita\""),
    feature!("used", "weighted-round-robin", 1.5, policy: "\"weighted-round-robin\""),
    feature!("used", "the incident's, all at once", 2.2, workers: 8, rate: 64_000.0, policy: "\"weighted-round-robin\"",
        head: "client.retry = \"exponential-backoff\"\nclass.a = { share = 0.5 }\nclass.b = { share = 0.5 }",
        demand: "{ kind = \"lognormal\", mean = \"10ms\", cv = 1.0 }",
        service: "balancer.health = [{ kind = \"checks\", probe = \"request\" }]\nbalancer.max_connections = 50000\nbalancer.crash = [{ when = \"in_flight\", above = 50000 }]",
        server: ", slowdown = { contention = 0.001 }, crash = [{ when = \"in_flight\", above = 500, for = \"5s\" }]"),

    feature!("mine", "a limit of connections that is met, 1000 servers", 2.0, servers: 1000, rate: 90_000.0, server: ", max_connections = 1", service: "balancer.pending_queue = { limit = 10000 }"),
    feature!("mine", "a pending queue of 22 000", 2.5, rate: 15_000.0, server: ", max_connections = 1", service: "balancer.pending_queue = { limit = 100000, timeout = \"5s\" }", timeout: "60s"),
    feature!("mine", "1000 sources", 1.3, sources: 1000),
    feature!("mine", "900 000 closed users", 4.0, traffic: "arrivals = { kind = \"closed\", users = 900_000, think = { kind = \"exponential\", mean = \"100s\" } }"),
    feature!("mine", "overload 1.5", 2.0, rate: 13_500.0, server: ", queue = { limit = 200 }"),
    feature!("mine", "1000 servers", 1.2, servers: 1000, rate: 90_000.0),
    feature!("mine", "10 000 servers", 2.0, servers: 10_000, rate: 900_000.0),
    feature!("mine", "100 000 servers", 5.0, servers: 100_000, rate: 9_000_000.0),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_scenario_runs() {
        for feature in FEATURES {
            crate::w1::run(&crate::w1::read(&feature.text(2_000)), 0);
        }
        for growth in GROWTHS {
            crate::w1::run(&crate::w1::read(&growth.text(100, 2_000)), 0);
        }
    }
}
