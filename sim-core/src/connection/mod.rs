//! Connections: what is opened, kept and shared on the way between two machines.
//!
//! A row says how many requests one connection carries at once; what all rows have in common (what
//! opening costs, how many there may be, when one is closed) stands here. A row for a library is a pool as
//! that library keeps it, with its parameters and defaults.

use crate::extension::{
    Configured, Def, ExtensionRow, ParamDef, ParamKind, ParamProblem, Params, Registry,
};
use crate::time::Duration;

mod aiohttp;
mod hikaricp;
mod httpx;
mod node_agent;
mod per_request;
mod psycopg_pool;
mod shared;
mod sqlalchemy;
mod undici;
mod urllib3;

/// Every kind of connections a scenario can name.
pub static CONNECTIONS: &[&ConnectionDef] = &[
    &per_request::CONNECTIONS,
    &shared::CONNECTIONS,
    // Pools of libraries, by the program that they are written for.
    &sqlalchemy::CONNECTIONS,
    &psycopg_pool::CONNECTIONS,
    &hikaricp::CONNECTIONS,
    &urllib3::CONNECTIONS,
    &httpx::CONNECTIONS,
    &aiohttp::CONNECTIONS,
    &node_agent::CONNECTIONS,
    &undici::CONNECTIONS,
];

/// A row of [`CONNECTIONS`].
pub struct ConnectionDef {
    /// Name, description, parameters.
    pub row: ExtensionRow,
    /// Conditions between parameters.
    pub check: fn(&Params) -> Result<(), ParamProblem>,
    /// What its parameters say.
    pub build: fn(&Params) -> Terms,
}

/// Every row there is, those that were added among them.
static ROWS: Registry<ConnectionDef> = Registry::of(CONNECTIONS);

impl Def for ConnectionDef {
    fn registry() -> &'static Registry<Self> {
        &ROWS
    }
    fn row(&self) -> &ExtensionRow {
        &self.row
    }
    fn check(&self, params: &Params) -> Result<(), ParamProblem> {
        (self.check)(params)
    }
}

/// That of the rows that name all that connections can be.
fn check_common(params: &Params) -> Result<(), ParamProblem> {
    if params.number(JITTER.name) > 0.0 && params.span(MAX_AGE.name).is_zero() {
        return Err(ParamProblem {
            param: JITTER.name,
            message: "there is no max_age that it could vary".to_owned(),
        });
    }
    Ok(())
}

impl Configured<ConnectionDef> {
    /// What the settings say.
    pub fn build(&self) -> Terms {
        (self.def.build)(&self.params)
    }

    /// Whether it says otherwise than by default whose they are.
    pub(crate) fn says_whose(&self) -> bool {
        let row = self.def.row.params.iter().find(|p| p.name == OF.name);
        let usual = match row.and_then(|param| param.default) {
            Some("source") => Owner::Source,
            _ => Owner::Key,
        };
        owner(&self.params) != usual
    }
}

/// How one side keeps connections to another.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Terms {
    /// Requests that one carries at once, 1 or more.
    pub streams: u32,
    /// Most that are open; `None`: as many as are needed.
    pub limit: Option<u32>,
    /// Most that are kept without a request.
    pub keep: u32,
    /// Whether those that carry one count as kept too: with more than so many in all, none is kept.
    pub keep_counts_all: bool,
    /// Time of the sender's and receiver's own work when one is opened.
    pub open: Duration,
    /// Ways there and back before the first request can be sent.
    pub round_trips: u32,
    /// One without a request for so long is closed.
    pub idle: Option<Duration>,
    /// An older one takes no new request.
    pub max_age: Option<Duration>,
    /// Share by which the age of each varies, either way; in [0, 1).
    pub jitter: f64,
    /// One that has carried so many takes no new request.
    pub max_requests: Option<u64>,
    /// Requests that may wait for one.
    pub queue: u32,
    /// Longest wait for one; `None`: as long as the caller has patience.
    pub wait: Option<Duration>,
    /// Whether that begins anew whenever one comes free and another gets it.
    pub wait_restarts: bool,
    /// Which of those that rest is used.
    pub reuse: Reuse,
    /// Whose they are where requests come from outside.
    pub owner: Owner,
}

/// Which of several connections that rest is used.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Reuse {
    /// The one that was used latest.
    Latest,
    /// The one that has rested longest.
    Oldest,
    /// The one that was opened first.
    First,
}

/// Whose connections those of requests from outside are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Owner {
    /// Each key is a caller with connections of its own.
    Key,
    /// A source of traffic is one caller.
    Source,
}

const fn count(name: &'static str, about: &'static str, unit: &'static str) -> ParamDef {
    ParamDef {
        name,
        about,
        kind: ParamKind::Integer {
            min: 0,
            max: 4_000_000_000,
            unit,
        },
        default: Some("0"),
    }
}

const fn span(name: &'static str, about: &'static str, default: &'static str) -> ParamDef {
    ParamDef {
        name,
        about,
        kind: ParamKind::Span {
            min: Duration::ZERO,
        },
        default: Some(default),
    }
}

const OPEN: ParamDef = span(
    "open",
    "Time that opening one takes beside its round trips, such as for TLS.",
    "0s",
);

const ROUND_TRIPS: ParamDef = ParamDef {
    name: "round_trips",
    about: "Ways there and back over the link before the first request is sent: 1 for TCP, 2 with TLS 1.3, 3 with TLS 1.2.",
    kind: ParamKind::Integer {
        min: 0,
        max: 10,
        unit: "round trips",
    },
    default: Some("1"),
};

const IDLE: ParamDef = span(
    "idle",
    "One that has carried nothing for so long is closed; 0s: never.",
    "60s",
);

const MAX_AGE: ParamDef = span(
    "max_age",
    "One older than this takes no new request, and is closed when it carries none; 0s: it may get as old as it likes.",
    "0s",
);

const JITTER: ParamDef = ParamDef {
    name: "jitter",
    about: "Share by which the greatest age of each varies, either way, so that not all are closed at once.",
    kind: ParamKind::Number {
        min: 0.0,
        max: 0.99,
        unit: "",
    },
    default: Some("0"),
};

const MAX_REQUESTS: ParamDef = count(
    "max_requests",
    "One that has carried so many takes no new one; 0: any number.",
    "requests",
);

const QUEUE: ParamDef = ParamDef {
    name: "queue",
    about: "Requests that may wait for one where no more may be opened; a further one fails as unavailable.",
    kind: ParamKind::Integer {
        min: 0,
        max: 4_000_000_000,
        unit: "requests",
    },
    default: Some("1000000"),
};

const WAIT: ParamDef = span(
    "wait",
    "Longest wait for one; who has waited so long fails as timed out on connecting. 0s: as long as the caller waits.",
    "0s",
);

const OF: ParamDef = ParamDef {
    name: "of",
    about: "Whose they are where requests come from outside: each key's own, or all of one source of traffic. Each server that calls, and each balancer instance, has its own anyway.",
    kind: ParamKind::Choice(&["key", "source"]),
    default: Some("key"),
};

/// What all rows have in common, for a row to say the rest.
fn common(params: &Params) -> Terms {
    let span = |name| Some(params.span(name)).filter(|span: &Duration| !span.is_zero());
    let max_requests = params.integer(MAX_REQUESTS.name);
    let limit = params.integer("limit");
    Terms {
        streams: 1,
        limit: (limit > 0).then_some(limit as u32),
        keep: u32::MAX,
        keep_counts_all: false,
        open: params.span(OPEN.name),
        round_trips: params.integer(ROUND_TRIPS.name) as u32,
        idle: span(IDLE.name),
        max_age: span(MAX_AGE.name),
        jitter: params.number(JITTER.name),
        max_requests: (max_requests > 0).then_some(max_requests),
        queue: params.integer(QUEUE.name) as u32,
        wait: span(WAIT.name),
        wait_restarts: false,
        reuse: Reuse::Latest,
        owner: owner(params),
    }
}

fn owner(params: &Params) -> Owner {
    match params.choice(OF.name) {
        0 => Owner::Key,
        _ => Owner::Source,
    }
}

/// The pool of a library is one of a whole program.
const POOL_OF: ParamDef = ParamDef {
    default: Some("source"),
    ..OF
};

/// A pool without any limit that ends with the program, for a library to say what is different.
fn endless(params: &Params) -> Terms {
    Terms {
        streams: 1,
        limit: None,
        keep: u32::MAX,
        keep_counts_all: false,
        open: params.span(OPEN.name),
        round_trips: params.integer(ROUND_TRIPS.name) as u32,
        idle: None,
        max_age: None,
        jitter: 0.0,
        max_requests: None,
        queue: u32::MAX,
        wait: None,
        wait_restarts: false,
        reuse: Reuse::Latest,
        owner: owner(params),
    }
}

/// A number of connections of a library's pool.
const fn most(name: &'static str, about: &'static str, default: &'static str) -> ParamDef {
    ParamDef {
        default: Some(default),
        ..count(name, about, "connections")
    }
}

/// A span, where zero says that there is none.
fn some_span(params: &Params, name: &str) -> Option<Duration> {
    Some(params.span(name)).filter(|span| !span.is_zero())
}

/// A number, where zero says that there is no limit.
fn some_number(params: &Params, name: &str) -> Option<u32> {
    let number = params.integer(name) as u32;
    (number > 0).then_some(number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::extension::testing::{check_rows, example};

    #[test]
    fn rows_are_well_formed() {
        check_rows(CONNECTIONS);
    }

    #[test]
    fn a_connection_carries_one_request_or_many() {
        let streams = |def: &ConnectionDef| (def.build)(&example(&def.row)).streams;
        assert_eq!(streams(&per_request::CONNECTIONS), 1);
        assert_eq!(streams(&shared::CONNECTIONS), 100);
    }

    #[test]
    fn what_never_ends_is_written_as_nothing() {
        for def in [&per_request::CONNECTIONS, &shared::CONNECTIONS] {
            let settings = (def.build)(&example(&def.row));
            assert_eq!(settings.idle, Some(Duration::from_secs(60)));
            assert_eq!((settings.max_age, settings.max_requests), (None, None));
            assert_eq!(settings.wait, None);
        }
    }

    /// Limit, kept, longest wait, idle time and which is used again, as each library comes.
    #[test]
    fn pools_of_libraries_are_as_they_come() {
        let all = u32::MAX;
        let seconds = |s| Some(Duration::from_secs(s));
        let known = [
            ("sqlalchemy", Some(15), 5, seconds(30), None, Reuse::Oldest),
            (
                "psycopg-pool",
                Some(4),
                all,
                seconds(30),
                None,
                Reuse::Oldest,
            ),
            ("hikaricp", Some(10), all, seconds(30), None, Reuse::Latest),
            ("urllib3", None, 1, None, None, Reuse::Latest),
            ("httpx", Some(100), 20, seconds(5), seconds(5), Reuse::First),
            ("aiohttp", Some(100), all, None, seconds(15), Reuse::Oldest),
            ("node-agent", None, 256, None, seconds(5), Reuse::Latest),
            ("undici", None, all, None, seconds(4), Reuse::First),
        ];
        for (name, limit, keep, wait, idle, reuse) in known {
            let def = CONNECTIONS.iter().find(|def| def.row.name == name);
            let def = def.unwrap_or_else(|| panic!("no row {name}"));
            let terms = (def.build)(&example(&def.row));
            let seen = (terms.limit, terms.keep, terms.wait, terms.idle, terms.reuse);
            assert_eq!(seen, (limit, keep, wait, idle, reuse), "{name}");
            assert_eq!((terms.streams, terms.owner), (1, Owner::Source), "{name}");
        }
    }
}
