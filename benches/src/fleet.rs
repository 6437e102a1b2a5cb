//! Things that happen to all servers of a service at once.

/// What is done to all servers.
#[derive(Clone, Copy, Debug)]
pub struct Deed {
    /// A name for tables.
    pub name: &'static str,
    /// The entry of the time line, without its time.
    pub entry: &'static str,
    /// What the balancer is told beside its policy.
    pub balancer: &'static str,
    /// How long it takes, in nanoseconds of simulated time.
    pub lasts: u64,
}

/// Health checks by which every server is taken out.
const CHECKS: &str =
    "balancer.health = [{ kind = \"checks\", probe = \"connect\", interval = \"1s\", fall = 1 }]";

/// Everything that befalls all.
pub const DEEDS: &[Deed] = &[
    Deed {
        name: "set",
        entry: "set = { \"service.web.server.*.workers\" = 2 }",
        balancer: "",
        lasts: 0,
    },
    Deed {
        name: "crash",
        entry: "do = \"crash\"\ntarget = \"service.web.server\"",
        balancer: "",
        lasts: 0,
    },
    Deed {
        name: "restart",
        entry: "do = \"restart\"\ntarget = \"service.web.server\"",
        balancer: "",
        lasts: 0,
    },
    Deed {
        name: "drain",
        entry: "do = \"drain\"\ntarget = \"service.web.server\"",
        balancer: "",
        lasts: 0,
    },
    Deed {
        name: "eject",
        entry: "do = \"crash\"\ntarget = \"service.web.server\"",
        balancer: CHECKS,
        lasts: 1_100_000_000,
    },
];

/// When it is done, in nanoseconds of simulated time.
pub const AT: u64 = 500_000_000;

/// A scenario of two seconds in which it is done to so many servers, some of which are at work.
pub fn scenario(policy: &str, deed: &Deed, servers: usize) -> String {
    let Deed {
        entry, balancer, ..
    } = deed;
    let restart = if deed.name == "restart" {
        "manual"
    } else {
        "never"
    };
    format!(
        r#"
        horizon = "2s"
        limits = {{ in_flight = 100_000_000 }}
        record = {{ interval = "100ms" }}
        traffic = [{{ to = "web", rate = 1000 }}]
        [service.web]
        demand = "100ms"
        balancer.policy = "{policy}"
        {balancer}
        [[service.web.server]]
        name = "web"
        count = {servers}
        workers = 1
        restart = "{restart}"
        [[timeline]]
        at = "500ms"
        {entry}
        "#
    )
}

/// A number of servers, as it is written in a command.
pub fn number(text: &str) -> usize {
    match text.replace('_', "").parse::<usize>() {
        Ok(number) if number > 0 => number,
        _ => panic!("{text:?} is not a number of servers"),
    }
}
