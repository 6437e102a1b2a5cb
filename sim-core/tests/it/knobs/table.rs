//! An entry for each key: a scenario, and two values that must make a difference.

use super::bases::{base, base_for};

/// What must differ at least.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Level {
    /// What happens.
    Run,
    /// What is recorded, measured or told; what happens stays.
    Report,
    /// What the scenario is called.
    Words,
    /// Nothing: it cannot be meant there, and is refused.
    Refused,
}
use Level::{Refused, Report, Run, Words};

/// Two values of a key.
#[derive(Debug)]
pub(super) enum Change {
    /// By path; an empty value stands for none.
    Set(String, String, String),
    /// In the text, where a path does not reach.
    Text(String, String),
}

/// An entry for a key.
pub(super) struct Knob {
    pub path: String,
    /// For parameters: of which row, where several have one of that name.
    pub kind: &'static str,
    pub base: String,
    pub with: Vec<(&'static str, &'static str)>,
    pub change: Change,
    pub level: Level,
}

const LOOP: &str = "{ kind = \"crash-loop\", first = \"200ms\", factor = 2, cap = \"1s\", immediate = 1, reset = \"3s\" }";

const SLOTS: &[(&str, &str, &str)] = &[
    ("service.NAME.demand", "plain", "service.web.demand"),
    ("class.NAME.demand", "plain", "class.a.demand"),
    (
        "service.NAME.provisioning.time",
        "scaled",
        "service.web.provisioning.time",
    ),
    ("service.NAME.link.delay", "plain", "service.web.link.delay"),
    (
        "service.NAME.zone.NAME.link.delay",
        "zoned",
        "service.web.zone.far.link.delay",
    ),
    (
        "service.NAME.balancer.link.delay",
        "plain",
        "service.web.balancer.link.delay",
    ),
    (
        "service.NAME.server.NAME.link.delay",
        "plain",
        "service.web.server.a.link.delay",
    ),
    (
        "service.NAME.call.NAME.link.delay",
        "calls",
        "service.web.call.db.link.delay",
    ),
    (
        "service.NAME.balancer.routes.NAME.link.delay",
        "calls",
        "service.web.balancer.routes.db.link.delay",
    ),
    (
        "service.NAME.server.NAME.errors.demand",
        "plain",
        "service.web.server.a.errors.demand",
    ),
    (
        "service.NAME.server.NAME.liveness.demand",
        "crashy",
        "service.web.server.a.liveness.demand",
    ),
    (
        "service.NAME.balancer.boot",
        "crashy",
        "service.web.balancer.boot",
    ),
    (
        "service.NAME.server.NAME.boot",
        "crashy",
        "service.web.server.a.boot",
    ),
    (
        "service.NAME.server.NAME.queue.patience",
        "plain",
        "service.web.server.a.queue.patience",
    ),
    (
        "service.NAME.server.NAME.breakdowns.every",
        "plain",
        "service.web.server.a.breakdowns.every",
    ),
    (
        "service.NAME.server.NAME.breakdowns.repair",
        "plain",
        "service.web.server.a.breakdowns.repair",
    ),
    ("timeline.NAME.for", "plain", "timeline.first.for"),
    ("timeline.NAME.skew", "plain", "timeline.first.skew"),
    ("timeline.NAME.repeat", "plain", "timeline.first.repeat"),
    (
        "runbook.NAME.acknowledge",
        "called",
        "runbook.aid.acknowledge",
    ),
    ("runbook.NAME.diagnose", "called", "runbook.aid.diagnose"),
    (
        "runbook.NAME.step.NAME.after",
        "called",
        "runbook.aid.step.mend.after",
    ),
];

/// Parameters of distributions, each with two values.
const LAWS: &[(&str, &str, &str, &str, &str)] = &[
    ("constant", "value", "", "\"2ms\"", "\"3ms\""),
    ("exponential", "mean", "", "\"2ms\"", "\"3ms\""),
    ("lognormal", "mean", "cv = 1", "\"2ms\"", "\"3ms\""),
    ("lognormal", "cv", "mean = \"2ms\"", "1", "2"),
    ("normal", "mean", "cv = 0.2", "\"2ms\"", "\"3ms\""),
    ("normal", "cv", "mean = \"2ms\"", "0.2", "0.4"),
    ("uniform", "low", "high = \"4ms\"", "\"1ms\"", "\"2ms\""),
    ("uniform", "high", "low = \"1ms\"", "\"3ms\"", "\"4ms\""),
    ("erlang", "mean", "stages = 2", "\"2ms\"", "\"3ms\""),
    ("erlang", "stages", "mean = \"2ms\"", "2", "3"),
    ("hyperexponential", "mean", "cv = 2", "\"2ms\"", "\"3ms\""),
    ("hyperexponential", "cv", "mean = \"2ms\"", "2", "3"),
    ("bimodal", "short", "long = \"9ms\"", "\"1ms\"", "\"2ms\""),
    (
        "bimodal",
        "long",
        "short = \"1ms\", probability_of_long = 0.5",
        "\"8ms\"",
        "\"9ms\"",
    ),
    (
        "bimodal",
        "probability_of_long",
        "short = \"1ms\", long = \"9ms\"",
        "0.2",
        "0.4",
    ),
    ("weibull", "mean", "shape = 0.5", "\"2ms\"", "\"3ms\""),
    ("weibull", "shape", "mean = \"2ms\"", "0.5", "0.7"),
    ("pareto", "mean", "shape = 2.5", "\"2ms\"", "\"3ms\""),
    ("pareto", "shape", "mean = \"2ms\"", "2.5", "3"),
    (
        "bounded-pareto",
        "least",
        "greatest = \"9ms\"",
        "\"1ms\"",
        "\"2ms\"",
    ),
    (
        "bounded-pareto",
        "greatest",
        "least = \"1ms\"",
        "\"8ms\"",
        "\"9ms\"",
    ),
    (
        "bounded-pareto",
        "shape",
        "least = \"1ms\", greatest = \"9ms\"",
        "1.5",
        "2",
    ),
    (
        "mixed-exponential",
        "short",
        "long = \"9ms\"",
        "\"1ms\"",
        "\"2ms\"",
    ),
    (
        "mixed-exponential",
        "long",
        "short = \"1ms\", probability_of_long = 0.5",
        "\"8ms\"",
        "\"9ms\"",
    ),
    (
        "mixed-exponential",
        "probability_of_long",
        "short = \"1ms\", long = \"9ms\"",
        "0.2",
        "0.4",
    ),
    (
        "empirical",
        "values",
        "",
        "[\"2ms\", \"3ms\"]",
        "[\"1ms\", \"4ms\"]",
    ),
    (
        "empirical",
        "probabilities",
        "values = [\"1ms\", \"3ms\", \"4ms\"]",
        "[0, 0.2, 1]",
        "[0, 0.7, 1]",
    ),
    (
        "mixture",
        "of",
        "",
        "[\"1ms\", \"3ms\"]",
        "[\"2ms\", \"3ms\"]",
    ),
    (
        "mixture",
        "weights",
        "of = [\"1ms\", \"9ms\"]",
        "[1, 1]",
        "[1, 4]",
    ),
    ("shifted", "of", "by = \"1ms\"", "\"2ms\"", "\"3ms\""),
    ("shifted", "by", "of = \"2ms\"", "\"2ms\"", "\"3ms\""),
    (
        "truncated",
        "of",
        "max = \"9ms\"",
        "{ kind = \"exponential\", mean = \"2ms\" }",
        "{ kind = \"exponential\", mean = \"3ms\" }",
    ),
    (
        "truncated",
        "min",
        "of = { kind = \"exponential\", mean = \"3ms\" }",
        "\"0s\"",
        "\"2ms\"",
    ),
    (
        "truncated",
        "max",
        "of = { kind = \"exponential\", mean = \"3ms\" }",
        "\"9ms\"",
        "\"2ms\"",
    ),
    (
        "correlated",
        "of",
        "correlation = 0.5",
        "{ kind = \"exponential\", mean = \"2ms\" }",
        "{ kind = \"exponential\", mean = \"3ms\" }",
    ),
    (
        "correlated",
        "correlation",
        "of = { kind = \"exponential\", mean = \"3ms\" }",
        "0.1",
        "0.9",
    ),
];

/// Ways to a client: key, and path in the scenario with calls.
const CALLERS: &[(&str, &str)] = &[
    ("client", "client"),
    ("class.NAME.client", "class.a.client"),
    ("traffic.NAME.client", "traffic.t.client"),
    (
        "service.NAME.call.NAME.client",
        "service.web.call.db.client",
    ),
    (
        "service.NAME.balancer.routes.NAME.client",
        "service.web.balancer.routes.db.client",
    ),
    (
        "service.NAME.balancer.client",
        "service.web.balancer.client",
    ),
    (
        "service.NAME.balancer.class.NAME.client",
        "service.web.balancer.class.a.client",
    ),
];

/// What callers can be told: key, row, what else must be so, two values.
const MANNERS: &[(&str, &str, &str, &str, &str)] = &[
    ("timeout", "", "", "none", "20ms"),
    ("deadline", "", "", "none", "20ms"),
    ("retry", "", "", "none", "fixed"),
    ("retry.attempts", "fixed", "kind = \"fixed\"", "2", "3"),
    (
        "retry.pause",
        "fixed",
        "kind = \"fixed\"",
        "\"0s\"",
        "\"5ms\"",
    ),
    (
        "retry.attempts",
        "exponential-backoff",
        "kind = \"exponential-backoff\"",
        "2",
        "3",
    ),
    (
        "retry.base",
        "exponential-backoff",
        "kind = \"exponential-backoff\"",
        "\"10ms\"",
        "\"20ms\"",
    ),
    (
        "retry.factor",
        "exponential-backoff",
        "kind = \"exponential-backoff\", attempts = 4",
        "2",
        "3",
    ),
    (
        "retry.cap",
        "exponential-backoff",
        "kind = \"exponential-backoff\", attempts = 4",
        "\"20s\"",
        "\"110ms\"",
    ),
    (
        "retry.jitter",
        "exponential-backoff",
        "kind = \"exponential-backoff\"",
        "\"full\"",
        "\"none\"",
    ),
    (
        "retry.demand",
        "fixed",
        "kind = \"fixed\"",
        "\"same\"",
        "\"own\"",
    ),
    (
        "retry.avoid",
        "fixed",
        "kind = \"fixed\"",
        "\"none\"",
        "\"previous\"",
    ),
    (
        "retry.avoid",
        "fixed",
        "kind = \"fixed\"",
        "\"previous\"",
        "\"all\"",
    ),
    (
        "retry.demand",
        "exponential-backoff",
        "kind = \"exponential-backoff\"",
        "\"same\"",
        "\"own\"",
    ),
    (
        "retry.avoid",
        "exponential-backoff",
        "kind = \"exponential-backoff\"",
        "\"none\"",
        "\"all\"",
    ),
    (
        "retry.attempts",
        "drawn",
        "kind = \"drawn\", pause = { kind = \"exponential\", mean = \"5ms\" }",
        "2",
        "3",
    ),
    (
        "retry.pause",
        "drawn",
        "kind = \"drawn\"",
        "{ kind = \"exponential\", mean = \"5ms\" }",
        "{ kind = \"exponential\", mean = \"9ms\" }",
    ),
    (
        "retry.demand",
        "drawn",
        "kind = \"drawn\", pause = { kind = \"exponential\", mean = \"5ms\" }",
        "\"same\"",
        "\"own\"",
    ),
    (
        "retry.avoid",
        "drawn",
        "kind = \"drawn\", pause = { kind = \"exponential\", mean = \"5ms\" }",
        "\"none\"",
        "\"previous\"",
    ),
    (
        "retry.next_upstream",
        "next-upstream",
        "kind = \"next-upstream\"",
        "[\"error\"]",
        "[\"http_500\"]",
    ),
    (
        "retry.timeout",
        "next-upstream",
        "kind = \"next-upstream\", next_upstream = [\"http_500\"]",
        "\"0s\"",
        "\"1ms\"",
    ),
    (
        "retry.status",
        "next-upstream",
        "kind = \"next-upstream\", next_upstream = [\"http_500\"]",
        "\"500\"",
        "\"404\"",
    ),
    (
        "retry.method",
        "next-upstream",
        "kind = \"next-upstream\", next_upstream = [\"http_500\"]",
        "\"get\"",
        "\"post\"",
    ),
    (
        "retry.attempts",
        "next-upstream",
        "kind = \"next-upstream\", next_upstream = [\"http_500\"]",
        "1",
        "2",
    ),
    (
        "retry.demand",
        "next-upstream",
        "kind = \"next-upstream\", next_upstream = [\"http_500\"]",
        "\"same\"",
        "\"own\"",
    ),
    (
        "retry.avoid",
        "next-upstream",
        "kind = \"next-upstream\", next_upstream = [\"http_500\"]",
        "\"none\"",
        "\"for-good\"",
    ),
    (
        "retry.retry_on",
        "haproxy",
        "kind = \"haproxy\"",
        "[\"conn-failure\"]",
        "[\"503\"]",
    ),
    (
        "retry.pause",
        "haproxy",
        "kind = \"haproxy\", avoid = \"stays\"",
        "\"1s\"",
        "\"10ms\"",
    ),
    (
        "retry.status",
        "haproxy",
        "kind = \"haproxy\", retry_on = [\"503\"]",
        "\"503\"",
        "\"404\"",
    ),
    (
        "retry.attempts",
        "haproxy",
        "kind = \"haproxy\", retry_on = [\"503\"]",
        "1",
        "2",
    ),
    (
        "retry.demand",
        "haproxy",
        "kind = \"haproxy\", retry_on = [\"503\"]",
        "\"same\"",
        "\"own\"",
    ),
    (
        "retry.avoid",
        "haproxy",
        "kind = \"haproxy\", retry_on = [\"503\"]",
        "\"none\"",
        "\"previous\"",
    ),
    (
        "retry.try_duration",
        "caddy",
        "kind = \"caddy\"",
        "\"0s\"",
        "\"1ms\"",
    ),
    (
        "retry.try_interval",
        "caddy",
        "kind = \"caddy\"",
        "\"0s\"",
        "\"20ms\"",
    ),
    (
        "retry.method",
        "caddy",
        "kind = \"caddy\"",
        "\"get\"",
        "\"post\"",
    ),
    ("retry.attempts", "caddy", "kind = \"caddy\"", "1", "3"),
    (
        "retry.demand",
        "caddy",
        "kind = \"caddy\"",
        "\"same\"",
        "\"own\"",
    ),
    (
        "retry.avoid",
        "caddy",
        "kind = \"caddy\"",
        "\"none\"",
        "\"all\"",
    ),
    ("cancel", "", "TIMEOUT", "false", "true"),
    ("hedge", "", "HEDGE", "none", "{ after = \"5ms\" }"),
    ("hedge.after", "", "HEDGE", "\"5ms\"", "\"9ms\""),
    ("hedge.copies", "", "HEDGE", "2", "3"),
    ("hedge.distinct", "", "HEDGE", "true", "false"),
    ("hedge.demand", "", "HEDGE", "\"same\"", "\"own\""),
    ("hedge.tied", "", "HEDGE", "false", "true"),
    ("hedge.failure_sends", "", "HEDGE", "false", "true"),
];

/// Parameters of client libraries: what else must be so, and two values that make a difference.
const LIBRARIES: &[(&str, &str, &str, &str)] = &[
    ("attempts", "", "1", "2"),
    ("method", "attempts = 3", "\"get\"", "\"post\""),
    ("status", "attempts = 3", "\"503\"", "\"400\""),
    ("retry_after", "attempts = 3", "\"0s\"", "\"1s\""),
    ("demand", "attempts = 3", "\"same\"", "\"own\""),
    ("avoid", "attempts = 3", "\"none\"", "\"all\""),
    ("backoff_factor", "attempts = 4", "0", "1"),
    ("forcelist", "attempts = 3", "false", "true"),
    ("wait", "attempts = 3", "\"none\"", "\"exponential\""),
    ("initial_backoff", "attempts = 3", "\"10ms\"", "\"20ms\""),
    ("max_backoff", "attempts = 4", "\"1s\"", "\"110ms\""),
    ("with_jitter", "attempts = 3", "false", "true"),
    (
        "retry_on",
        "attempts = 3",
        "[\"5xx\"]",
        "[\"retriable-4xx\"]",
    ),
    ("base_interval", "attempts = 3", "\"25ms\"", "\"50ms\""),
    (
        "max_interval",
        "attempts = 4, base_interval = \"20ms\"",
        "\"20ms\"",
        "\"1s\"",
    ),
    (
        "retriable_methods",
        "attempts = 3, method = \"post\"",
        "\"any\"",
        "\"get-and-head\"",
    ),
];

/// For libraries that try again only where a connection fails, and a run no longer than they need.
const BREAKING: &[(&str, &str)] = &[
    ("horizon", "8s"),
    (
        "service.web.server.s.crash",
        "[{ when = \"in_flight\", above = 2 }]",
    ),
    (
        "service.web.server.s.restart",
        "{ kind = \"after\", pause = \"100ms\" }",
    ),
    (
        "service.db.server.d.crash",
        "[{ when = \"in_flight\", above = 1 }]",
    ),
    (
        "service.db.server.d.restart",
        "{ kind = \"after\", pause = \"100ms\" }",
    ),
];

/// The same for callers of a key.
fn breaking(key: &str) -> Vec<(&'static str, &'static str)> {
    let mut with = BREAKING.to_vec();
    if key.contains("call") {
        // Who calls must live to see the answer.
        with.retain(|(path, _)| !path.starts_with("service.web"));
    }
    if key.contains("balancer.client") || key.contains("balancer.class") {
        // Connections must fail often enough with tries out.
        with.push(("traffic.t.rate", "200"));
    }
    with
}

/// Whether a kind of retry is a client library: those tell rules of their own.
fn is_library(name: &str) -> bool {
    !sim_core::scenario::retry_rules(name).is_empty()
}

fn libraries() -> Vec<Knob> {
    let has = |def: &sim_core::retry::RetryDef, param| {
        def.row.params.iter().any(|known| known.name == param)
    };
    let mut knobs = Vec::new();
    for &(key, at) in CALLERS {
        for def in sim_core::retry::RETRIES {
            if !is_library(def.row.name) {
                continue;
            }
            for &(param, rest, old, new) in LIBRARIES {
                if !has(def, param) {
                    continue;
                }
                let forced = param == "status" && has(def, "forcelist");
                let rest = if forced {
                    "attempts = 3, forcelist = true"
                } else {
                    rest
                };
                // To Envoy a method makes a difference only where methods are listed.
                let listed = param == "method" && has(def, "retriable_methods");
                let rest = if listed {
                    "attempts = 3, retriable_methods = \"get-and-head\""
                } else {
                    rest
                };
                let comma = if rest.is_empty() { "" } else { ", " };
                let whole = |value: &str| {
                    let kind = def.row.name;
                    format!("{{ retry = {{ kind = \"{kind}\", {param} = {value}{comma}{rest} }} }}")
                };
                let mut with = breaking(key);
                match param {
                    "avoid" => with.extend(ELSEWHERE),
                    // The next try comes to another server, which is up.
                    "demand" | "status" | "retry_after" => with.extend(&ELSEWHERE[..2]),
                    _ => {}
                }
                knobs.push(Knob {
                    path: format!("{key}.retry.{param}"),
                    kind: def.row.name,
                    base: base_for(key, "calls"),
                    with,
                    change: Change::Set(at.to_owned(), whole(old), whole(new)),
                    level: Run,
                });
            }
        }
    }
    knobs
}

/// For copies and retries: other servers to go to, which the policy would not choose by itself.
const ELSEWHERE: &[(&str, &str)] = &[
    ("service.web.server.s.count", "3"),
    ("service.db.server.d.count", "3"),
    ("service.web.balancer.policy", "first"),
    ("service.db.balancer.policy", "first"),
];

/// Servers of which some are down now and then, for callers that must live to see it.
fn refusing(key: &str) -> Vec<(&'static str, &'static str)> {
    let mut with = [BREAKING, &ELSEWHERE[..2]].concat();
    if key.contains("call") {
        with.retain(|(path, _)| !path.starts_with("service.web"));
    }
    with
}

/// An entry as a row of the table.
fn written(row: &'static str) -> Knob {
    let cells: Vec<&str> = row.split(" | ").collect();
    let [path, kind, name, with, at, old, new, level] = cells[..] else {
        panic!("{row:?} has not eight cells")
    };
    let pair = |pair: &'static str| pair.split_once(" = ").unwrap_or_else(|| panic!("{pair:?}"));
    let value = |text: &str| text.replace("LOOP", LOOP);
    let text = |text: &str| text.replace("\\n", "\n");
    Knob {
        path: path.to_owned(),
        kind,
        base: base(name),
        with: with
            .split(" & ")
            .filter(|w| !w.is_empty())
            .map(pair)
            .collect(),
        change: if at == "text" {
            Change::Text(text(old), text(new))
        } else {
            Change::Set(at.to_owned(), value(old), value(new))
        },
        level: match level {
            "run" => Run,
            "report" => Report,
            "words" => Words,
            other => panic!("{row:?}: what is {other}?"),
        },
    }
}

pub(super) fn knobs() -> Vec<Knob> {
    let rows = include_str!("rows.txt").lines();
    let mut knobs: Vec<Knob> = rows
        .filter(|row| !row.is_empty() && !row.starts_with('#'))
        .map(written)
        .collect();
    for (key, at) in [
        ("balancer", "service.web.balancer.restart"),
        ("server.NAME", "service.web.server.a.restart"),
    ] {
        let after = (
            "pause",
            "after",
            "{ kind = \"after\", pause = \"100ms\" }".to_owned(),
            "{ kind = \"after\", pause = \"200ms\" }".to_owned(),
        );
        let looped = [
            ("first", "first = \"200ms\"", "first = \"300ms\""),
            ("factor", "factor = 2", "factor = 3"),
            ("cap", "cap = \"1s\"", "cap = \"300ms\""),
            ("immediate", "immediate = 1", "immediate = 2"),
            ("reset", "reset = \"3s\"", "reset = \"1s\""),
        ]
        .map(|(key, old, new)| (key, "crash-loop", LOOP.to_owned(), LOOP.replace(old, new)));
        for (param, kind, old, new) in looped.into_iter().chain([after]) {
            knobs.push(Knob {
                path: format!("service.NAME.{key}.restart.{param}"),
                kind,
                base: base("crashy"),
                with: Vec::new(),
                change: Change::Set(at.to_owned(), old, new),
                level: Run,
            });
        }
    }
    knobs.extend(laws());
    knobs.extend(manners());
    knobs.extend(libraries());
    knobs.extend(guards());
    knobs.extend(connections());
    knobs
}

/// Links that may keep connections: the key, and what is set.
const HOPS: &[(&str, &str)] = &[
    ("service.NAME.link", "service.web.link"),
    ("service.NAME.balancer.link", "service.web.balancer.link"),
    ("service.NAME.zone.NAME.link", "service.web.zone.far.link"),
    ("service.NAME.server.NAME.link", "service.web.server.a.link"),
    ("service.NAME.call.NAME.link", "service.web.call.db.link"),
    (
        "service.NAME.balancer.routes.NAME.link",
        "service.web.balancer.routes.db.link",
    ),
];

/// Parameters of connections: of which row (none: of both), what else must be so, two values.
const KEEPING: &[(&str, &str, &str, &str, &str)] = &[
    ("limit", "per-request", "", "0", "1"),
    ("limit", "shared", "streams = 1", "1", "2"),
    ("streams", "shared", "limit = 0", "100", "1"),
    ("keep", "per-request", "", "1000000", "0"),
    (
        "reuse",
        "per-request",
        "idle = \"20ms\"",
        "\"latest\"",
        "\"oldest\"",
    ),
    ("open", "", "", "\"0s\"", "\"2ms\""),
    ("round_trips", "", "", "1", "2"),
    ("idle", "", "", "\"60s\"", "\"3ms\""),
    ("max_age", "", "", "\"0s\"", "\"100ms\""),
    ("jitter", "", "max_age = \"100ms\"", "0", "0.5"),
    ("max_requests", "", "", "0", "3"),
    ("queue", "", "FULL", "1000000", "0"),
    ("wait", "", "FULL", "\"0s\"", "\"2ms\""),
    ("of", "", "", "\"key\"", "\"source\""),
];

/// Parameters that libraries' pools have beside `open`, `round_trips` and `of`.
const POOLS: &[(&str, &str, &str, &str, &str)] = &[
    ("pool_size", "sqlalchemy", "max_overflow = 0", "1", "2"),
    ("max_overflow", "sqlalchemy", "pool_size = 1", "0", "1"),
    (
        "timeout",
        "sqlalchemy",
        "pool_size = 1, max_overflow = 0",
        "\"0s\"",
        "\"2ms\"",
    ),
    ("pool_recycle", "sqlalchemy", "", "\"0s\"", "\"100ms\""),
    (
        "use_lifo",
        "sqlalchemy",
        "pool_size = 5, pool_recycle = \"100ms\"",
        "false",
        "true",
    ),
    ("min_size", "psycopg-pool", "", "1", "2"),
    ("max_size", "psycopg-pool", "min_size = 1", "1", "2"),
    (
        "timeout",
        "psycopg-pool",
        "min_size = 1",
        "\"0s\"",
        "\"2ms\"",
    ),
    ("max_waiting", "psycopg-pool", "min_size = 1", "0", "1"),
    ("max_lifetime", "psycopg-pool", "", "\"1h\"", "\"100ms\""),
    (
        "max_idle",
        "psycopg-pool",
        "min_size = 1, max_size = 9",
        "\"10m\"",
        "\"3ms\"",
    ),
    ("maximum_pool_size", "hikaricp", "", "1", "2"),
    (
        "connection_timeout",
        "hikaricp",
        "maximum_pool_size = 1",
        "\"30s\"",
        "\"250ms\"",
    ),
    ("max_lifetime", "hikaricp", "", "\"30m\"", "\"100ms\""),
    ("maxsize", "urllib3", "", "0", "9"),
    ("block", "urllib3", "", "false", "true"),
    ("max_connections", "httpx", "", "1", "2"),
    ("max_keepalive_connections", "httpx", "", "0", "20"),
    ("keepalive_expiry", "httpx", "", "\"5s\"", "\"3ms\""),
    (
        "timeout",
        "httpx",
        "max_connections = 1",
        "\"5s\"",
        "\"2ms\"",
    ),
    ("limit", "aiohttp", "", "1", "2"),
    ("keepalive_timeout", "aiohttp", "", "\"15s\"", "\"3ms\""),
    ("max_sockets", "node-agent", "", "0", "1"),
    ("max_free_sockets", "node-agent", "", "256", "0"),
    ("timeout", "node-agent", "", "\"5s\"", "\"3ms\""),
    (
        "scheduling",
        "node-agent",
        "timeout = \"20ms\"",
        "\"lifo\"",
        "\"fifo\"",
    ),
    ("connections", "undici", "", "0", "1"),
    ("keep_alive_timeout", "undici", "", "\"4s\"", "\"3ms\""),
];

fn connections() -> Vec<Knob> {
    let mut knobs = Vec::new();
    for &(key, at) in HOPS {
        let mut knob = |path: String, kind, old: String, new: String, level| {
            knobs.push(Knob {
                path,
                kind,
                base: base_for(key, "pooled"),
                with: Vec::new(),
                change: Change::Set(format!("{at}.connections"), old, new),
                level,
            });
        };
        let path = format!("{key}.connections");
        let [none, some] = ["none", "per-request"].map(str::to_owned);
        knob(path.clone(), "", none, some, Run);
        let all = sim_core::connection::CONNECTIONS;
        for &(param, row, more, old, new) in KEEPING.iter().chain(POOLS) {
            for kind in all.iter().map(|def| def.row.name) {
                let plain = ["per-request", "shared"].contains(&kind);
                let common = plain || ["open", "round_trips", "of"].contains(&param);
                if row != kind && (!row.is_empty() || !common) {
                    continue;
                }
                let full = match kind {
                    "shared" => "streams = 1, limit = 1",
                    _ => "limit = 1",
                };
                let more = more.replace("FULL", full);
                let comma = if more.is_empty() { "" } else { ", " };
                let with =
                    |value| format!("{{ kind = \"{kind}\", {more}{comma}{param} = {value} }}");
                let outside = key == "service.NAME.link";
                let level = if param == "of" && !outside {
                    Refused
                } else {
                    Run
                };
                knob(format!("{path}.{param}"), kind, with(old), with(new), level);
            }
        }
    }
    knobs
}

/// Parameters of guards, each with two values.
const GUARDS: &[(&str, &str, &str, &str, &str)] = &[
    ("circuit-breaker", "failures", "open = \"1s\"", "1", "2"),
    (
        "circuit-breaker",
        "window",
        "failures = 2, open = \"1s\"",
        "0",
        "9",
    ),
    (
        "circuit-breaker",
        "open",
        "failures = 1",
        "\"1s\"",
        "\"2s\"",
    ),
    (
        "circuit-breaker",
        "trials",
        "failures = 1, open = \"1s\"",
        "1",
        "2",
    ),
    (
        "circuit-breaker",
        "slow",
        "failures = 1, open = \"1s\"",
        "\"0s\"",
        "\"1ms\"",
    ),
    (
        "circuit-breaker",
        "shared",
        "failures = 1, open = \"1s\"",
        "false",
        "true",
    ),
    ("retry-budget", "ratio", "reserve = 1", "0.01", "0.2"),
    ("retry-budget", "reserve", "ratio = 0.01", "1", "50"),
    (
        "retry-budget",
        "shared",
        "ratio = 0.01, reserve = 1",
        "false",
        "true",
    ),
    (
        "opossum",
        "error_threshold_percentage",
        "reset_timeout = \"100ms\"",
        "20",
        "90",
    ),
    (
        "opossum",
        "volume_threshold",
        "reset_timeout = \"100ms\", error_threshold_percentage = 20",
        "0",
        "20",
    ),
    (
        "opossum",
        "rolling_count_timeout",
        "reset_timeout = \"100ms\", error_threshold_percentage = 20",
        "\"100ms\"",
        "\"10s\"",
    ),
    (
        "opossum",
        "reset_timeout",
        "error_threshold_percentage = 20",
        "\"100ms\"",
        "\"900ms\"",
    ),
    (
        "opossum",
        "shared",
        "error_threshold_percentage = 20, reset_timeout = \"100ms\"",
        "false",
        "true",
    ),
    (
        "cockatiel-breaker",
        "failures",
        "half_open_after = \"200ms\"",
        "1",
        "2",
    ),
    (
        "cockatiel-breaker",
        "half_open_after",
        "failures = 1",
        "\"100ms\"",
        "\"300ms\"",
    ),
    (
        "cockatiel-breaker",
        "shared",
        "failures = 1, half_open_after = \"200ms\"",
        "false",
        "true",
    ),
    (
        "pybreaker",
        "fail_max",
        "reset_timeout = \"200ms\"",
        "1",
        "2",
    ),
    (
        "pybreaker",
        "reset_timeout",
        "fail_max = 1",
        "\"100ms\"",
        "\"300ms\"",
    ),
    (
        "pybreaker",
        "shared",
        "fail_max = 1, reset_timeout = \"200ms\"",
        "false",
        "true",
    ),
    (
        "resilience4j-breaker",
        "failure_rate_threshold",
        "minimum_number_of_calls = 5, wait_duration_in_open_state = \"200ms\"",
        "5",
        "95",
    ),
    (
        "resilience4j-breaker",
        "slow_call_rate_threshold",
        "minimum_number_of_calls = 5, wait_duration_in_open_state = \"200ms\", failure_rate_threshold = 100, slow_call_duration_threshold = \"1ms\"",
        "20",
        "100",
    ),
    (
        "resilience4j-breaker",
        "slow_call_duration_threshold",
        "minimum_number_of_calls = 5, wait_duration_in_open_state = \"200ms\", slow_call_rate_threshold = 20, failure_rate_threshold = 100",
        "\"1ms\"",
        "\"60s\"",
    ),
    (
        "resilience4j-breaker",
        "sliding_window_type",
        "minimum_number_of_calls = 5, wait_duration_in_open_state = \"200ms\", failure_rate_threshold = 20, sliding_window_size = 1",
        "\"count-based\"",
        "\"time-based\"",
    ),
    (
        "resilience4j-breaker",
        "sliding_window_size",
        "wait_duration_in_open_state = \"200ms\", failure_rate_threshold = 20",
        "3",
        "30",
    ),
    (
        "resilience4j-breaker",
        "minimum_number_of_calls",
        "wait_duration_in_open_state = \"200ms\", failure_rate_threshold = 20",
        "2",
        "20",
    ),
    (
        "resilience4j-breaker",
        "permitted_number_of_calls_in_half_open_state",
        "minimum_number_of_calls = 5, wait_duration_in_open_state = \"200ms\", failure_rate_threshold = 5",
        "1",
        "5",
    ),
    (
        "resilience4j-breaker",
        "wait_duration_in_open_state",
        "minimum_number_of_calls = 5, failure_rate_threshold = 5",
        "\"100ms\"",
        "\"300ms\"",
    ),
    (
        "resilience4j-breaker",
        "shared",
        "minimum_number_of_calls = 5, wait_duration_in_open_state = \"200ms\", failure_rate_threshold = 5",
        "false",
        "true",
    ),
    (
        "failsafe-go-breaker",
        "failure_threshold",
        "delay = \"200ms\"",
        "1",
        "2",
    ),
    (
        "failsafe-go-breaker",
        "failure_thresholding_capacity",
        "failure_threshold = 2, delay = \"200ms\"",
        "2",
        "9",
    ),
    (
        "failsafe-go-breaker",
        "success_threshold",
        "delay = \"200ms\"",
        "0",
        "4",
    ),
    (
        "failsafe-go-breaker",
        "success_thresholding_capacity",
        "delay = \"200ms\", success_threshold = 2",
        "0",
        "6",
    ),
    ("failsafe-go-breaker", "delay", "", "\"100ms\"", "\"300ms\""),
    (
        "failsafe-go-breaker",
        "shared",
        "delay = \"200ms\"",
        "false",
        "true",
    ),
    (
        "botocore-rate-limiter",
        "errors",
        "",
        "\"failure\"",
        "\"throttling\"",
    ),
    (
        "botocore-rate-limiter",
        "shared",
        "errors = \"throttling\"",
        "false",
        "true",
    ),
    (
        "tower-budget",
        "ttl",
        "min_per_sec = 1",
        "\"1s\"",
        "\"10s\"",
    ),
    ("tower-budget", "min_per_sec", "ttl = \"1s\"", "0", "2"),
    (
        "tower-budget",
        "retry_percent",
        "min_per_sec = 0",
        "0",
        "0.2",
    ),
    (
        "tower-budget",
        "shared",
        "min_per_sec = 1, ttl = \"1s\", retry_percent = 0.02",
        "false",
        "true",
    ),
    ("aws-retry-tokens", "capacity", "", "14", "50"),
    ("aws-retry-tokens", "cost", "capacity = 50", "14", "50"),
    (
        "aws-retry-tokens",
        "throttling_cost",
        "capacity = 50, errors = \"throttling\"",
        "5",
        "50",
    ),
    (
        "aws-retry-tokens",
        "errors",
        "capacity = 50",
        "\"failure\"",
        "\"throttling\"",
    ),
    (
        "aws-retry-tokens",
        "shared",
        "capacity = 28",
        "false",
        "true",
    ),
    ("grpc-retry-throttle", "max_tokens", "", "2", "4"),
    (
        "grpc-retry-throttle",
        "token_ratio",
        "max_tokens = 3",
        "0.1",
        "1",
    ),
    (
        "grpc-retry-throttle",
        "shared",
        "max_tokens = 3",
        "false",
        "true",
    ),
    (
        "envoy-circuit-breaker",
        "protocol",
        "max_connections = 1",
        "\"http1\"",
        "\"http2\"",
    ),
    ("envoy-circuit-breaker", "max_connections", "", "1", "2"),
    (
        "envoy-circuit-breaker",
        "max_pending_requests",
        "max_connections = 1",
        "0",
        "1",
    ),
    ("envoy-circuit-breaker", "max_requests", "", "1", "2"),
    (
        "envoy-circuit-breaker",
        "shared",
        "max_requests = 1",
        "false",
        "true",
    ),
    ("envoy-retry-limit", "max_retries", "", "0", "1"),
    (
        "envoy-retry-limit",
        "budget_percent",
        "min_retry_concurrency = 0",
        "0",
        "1",
    ),
    (
        "envoy-retry-limit",
        "min_retry_concurrency",
        "budget_percent = 1",
        "0",
        "1",
    ),
    (
        "envoy-retry-limit",
        "longest_pause",
        "max_retries = 1",
        "\"1ms\"",
        "\"1h\"",
    ),
    (
        "envoy-retry-limit",
        "shared",
        "max_retries = 1",
        "false",
        "true",
    ),
    (
        "envoy-admission-control",
        "aggression",
        "sampling_window = \"5s\"",
        "1",
        "9",
    ),
    (
        "envoy-admission-control",
        "sr_threshold",
        "sampling_window = \"5s\"",
        "50",
        "99",
    ),
    (
        "envoy-admission-control",
        "rps_threshold",
        "sampling_window = \"5s\"",
        "0",
        "100000",
    ),
    (
        "envoy-admission-control",
        "max_rejection_probability",
        "sampling_window = \"5s\"",
        "1",
        "80",
    ),
    (
        "envoy-admission-control",
        "sampling_window",
        "",
        "\"1s\"",
        "\"10s\"",
    ),
    (
        "envoy-admission-control",
        "shared",
        "sampling_window = \"5s\"",
        "false",
        "true",
    ),
    (
        "envoy-adaptive-concurrency",
        "sample_aggregate_percentile",
        "min_rtt_requests = 5, min_concurrency = 1, max_concurrency_limit = 4",
        "1",
        "99",
    ),
    (
        "envoy-adaptive-concurrency",
        "max_concurrency_limit",
        "min_rtt_requests = 5, min_concurrency = 1",
        "1",
        "9",
    ),
    (
        "envoy-adaptive-concurrency",
        "min_concurrency",
        "",
        "1",
        "3",
    ),
    (
        "envoy-adaptive-concurrency",
        "update_interval",
        "min_rtt_requests = 5, min_concurrency = 1, max_concurrency_limit = 4",
        "\"100ms\"",
        "\"900ms\"",
    ),
    (
        "envoy-adaptive-concurrency",
        "min_rtt_interval",
        "min_rtt_requests = 5, min_concurrency = 1, max_concurrency_limit = 4, jitter = 0",
        "\"1s\"",
        "\"5s\"",
    ),
    (
        "envoy-adaptive-concurrency",
        "min_rtt_requests",
        "min_concurrency = 1",
        "5",
        "9",
    ),
    (
        "envoy-adaptive-concurrency",
        "jitter",
        "min_rtt_requests = 5, min_concurrency = 1, max_concurrency_limit = 4, min_rtt_interval = \"1s\"",
        "0",
        "100",
    ),
    (
        "envoy-adaptive-concurrency",
        "buffer",
        "sample_aggregate_percentile = 90, min_rtt_requests = 5, min_concurrency = 1, max_concurrency_limit = 4, update_interval = \"500ms\"",
        "0",
        "100",
    ),
    (
        "envoy-adaptive-concurrency",
        "shared",
        "min_rtt_requests = 5, min_concurrency = 1, max_concurrency_limit = 4",
        "false",
        "true",
    ),
    ("rate-limit", "rate", "", "5", "6"),
    ("rate-limit", "burst", "rate = 5", "1", "2"),
    ("rate-limit", "wait", "rate = 5", "\"0s\"", "\"100ms\""),
    ("rate-limit", "shared", "rate = 5", "false", "true"),
    ("adaptive-throttle", "k", "window = \"1s\"", "1", "1.1"),
    ("adaptive-throttle", "window", "k = 1", "\"1s\"", "\"2s\""),
    ("adaptive-throttle", "shared", "k = 1", "false", "true"),
    ("concurrency-limit", "limit", "", "1", "2"),
    ("concurrency-limit", "queue", "limit = 1", "0", "1"),
    (
        "concurrency-limit",
        "wait",
        "limit = 1, queue = 5",
        "\"1h\"",
        "\"3ms\"",
    ),
    ("concurrency-limit", "shared", "limit = 1", "false", "true"),
    (
        "aimd-limit",
        "initial",
        "min = 1, backoff = 0.999, slow = \"1ms\"",
        "1",
        "100",
    ),
    ("aimd-limit", "min", "initial = 2", "1", "2"),
    ("aimd-limit", "max", "initial = 1, min = 1", "1", "3"),
    (
        "aimd-limit",
        "backoff",
        "initial = 8, min = 1",
        "0.2",
        "0.9",
    ),
    (
        "aimd-limit",
        "slow",
        "initial = 8, min = 1",
        "\"5s\"",
        "\"9ms\"",
    ),
    (
        "aimd-limit",
        "queue",
        "initial = 1, min = 1, max = 1",
        "0",
        "1",
    ),
    (
        "aimd-limit",
        "wait",
        "initial = 1, min = 1, max = 1, queue = 5",
        "\"1h\"",
        "\"3ms\"",
    ),
    (
        "aimd-limit",
        "shared",
        "initial = 1, min = 1",
        "false",
        "true",
    ),
    ("deadline", "margin", "", "\"0s\"", "\"31ms\""),
    ("hedge-budget", "ratio", "reserve = 1", "0.01", "0.2"),
    ("hedge-budget", "reserve", "ratio = 0.01", "1", "50"),
    (
        "hedge-budget",
        "shared",
        "ratio = 0.01, reserve = 1",
        "false",
        "true",
    ),
    ("limit-req", "rate", "", "5", "6"),
    ("limit-req", "burst", "rate = 5", "0", "2"),
    ("limit-req", "delay", "rate = 5, burst = 4", "0", "3"),
    (
        "limit-req",
        "nodelay",
        "rate = 5, burst = 4",
        "false",
        "true",
    ),
    ("limit-req", "by", "rate = 5", "\"all\"", "\"key\""),
    ("limit-req", "keys", "rate = 5, by = \"key\"", "1", "2"),
    ("limit-req", "shared", "rate = 5", "false", "true"),
    ("rate-counter", "limit", "", "5", "9"),
    (
        "rate-counter",
        "period",
        "limit = 5, counts = \"passed\"",
        "\"1s\"",
        "\"2s\"",
    ),
    (
        "rate-counter",
        "counts",
        "limit = 5",
        "\"all\"",
        "\"passed\"",
    ),
    ("rate-counter", "by", "limit = 50", "\"all\"", "\"key\""),
    (
        "rate-counter",
        "keys",
        "limit = 5, period = \"1s\", by = \"key\"",
        "1",
        "2",
    ),
    ("rate-counter", "shared", "limit = 30", "false", "true"),
    ("limit-conn", "limit", "", "1", "2"),
    ("limit-conn", "by", "limit = 1", "\"all\"", "\"key\""),
    ("limit-conn", "shared", "limit = 1", "false", "true"),
    ("priority-limit", "limit", "", "1", "2"),
    ("priority-limit", "shares", "limit = 2", "[1]", "[0.5]"),
    ("priority-limit", "queue", "limit = 1", "0", "1"),
    (
        "priority-limit",
        "wait",
        "limit = 1, queue = 5",
        "\"1h\"",
        "\"3ms\"",
    ),
    ("priority-limit", "shared", "limit = 1", "false", "true"),
    ("bulkhead", "limit", "", "1", "4"),
    ("bulkhead", "shares", "limit = 2", "[0.5]", "[1]"),
    ("bulkhead", "borrow", "limit = 2", "false", "true"),
    (
        "bulkhead",
        "shared",
        "limit = 2, borrow = true",
        "false",
        "true",
    ),
    ("vegas-limit", "initial", "max = 3", "1", "3"),
    ("vegas-limit", "max", "initial = 1", "1", "2"),
    (
        "vegas-limit",
        "smoothing",
        "initial = 1, max = 3",
        "1",
        "0.2",
    ),
    ("vegas-limit", "probe", "initial = 1, max = 3", "30", "1"),
    ("vegas-limit", "queue", "initial = 1, max = 1", "0", "1"),
    (
        "vegas-limit",
        "wait",
        "initial = 1, max = 1, queue = 5",
        "\"1h\"",
        "\"3ms\"",
    ),
    (
        "vegas-limit",
        "shared",
        "initial = 1, max = 1",
        "false",
        "true",
    ),
    ("gradient2-limit", "initial", "min = 1, max = 3", "1", "3"),
    (
        "gradient2-limit",
        "min",
        "initial = 2, max = 2, headroom = 0, smoothing = 1, tolerance = 1",
        "1",
        "2",
    ),
    ("gradient2-limit", "max", "initial = 1, min = 1", "1", "3"),
    (
        "gradient2-limit",
        "headroom",
        "initial = 1, min = 1",
        "1",
        "8",
    ),
    (
        "gradient2-limit",
        "smoothing",
        "initial = 1, min = 1, headroom = 1",
        "0.2",
        "1",
    ),
    (
        "gradient2-limit",
        "window",
        "initial = 1, min = 1, max = 3, headroom = 1, smoothing = 0.02, tolerance = 1",
        "600",
        "1",
    ),
    (
        "gradient2-limit",
        "tolerance",
        "initial = 2, min = 1, max = 2, headroom = 0, smoothing = 1",
        "10",
        "1",
    ),
    (
        "gradient2-limit",
        "queue",
        "initial = 1, min = 1, max = 1",
        "0",
        "1",
    ),
    (
        "gradient2-limit",
        "wait",
        "initial = 1, min = 1, max = 1, queue = 5",
        "\"1h\"",
        "\"3ms\"",
    ),
    (
        "gradient2-limit",
        "shared",
        "initial = 1, min = 1, max = 1",
        "false",
        "true",
    ),
    ("queue-timeout", "timeout", "", "\"20ms\"", "\"40ms\""),
    ("codel", "target", "", "\"5ms\"", "\"25ms\""),
    ("codel", "interval", "", "\"100ms\"", "\"50ms\""),
    ("interval-codel", "target", "", "\"5ms\"", "\"25ms\""),
    ("interval-codel", "interval", "", "\"100ms\"", "\"50ms\""),
    ("controlled-delay", "target", "", "\"5ms\"", "\"25ms\""),
    ("controlled-delay", "interval", "", "\"100ms\"", "\"50ms\""),
    ("dagor", "target", "", "\"20ms\"", "\"200ms\""),
    ("dagor", "window", "", "\"1s\"", "\"2s\""),
    ("dagor", "requests", "", "2000", "20"),
    ("dagor", "decrease", "", "0.05", "0.5"),
    ("dagor", "increase", "decrease = 0.5", "0.01", "0.9"),
    ("dagor", "users", "", "128", "1"),
    ("utilisation-shedding", "from", "", "0.8", "0.3"),
    ("utilisation-shedding", "to", "", "1", "0.9"),
    ("utilisation-shedding", "interval", "", "\"1s\"", "\"2s\""),
    ("brownout", "optional", "set_point = \"20ms\"", "0.5", "0.6"),
    (
        "brownout",
        "set_point",
        "optional = 0.5",
        "\"20ms\"",
        "\"30ms\"",
    ),
    (
        "brownout",
        "pole",
        "optional = 0.5, set_point = \"20ms\"",
        "0.9",
        "0.5",
    ),
    (
        "brownout",
        "interval",
        "optional = 0.5, set_point = \"20ms\"",
        "\"1s\"",
        "\"2s\"",
    ),
    (
        "brownout",
        "measure",
        "optional = 0.5, set_point = \"20ms\"",
        "\"5s\"",
        "\"1s\"",
    ),
    (
        "brownout",
        "initial",
        "optional = 0.5, set_point = \"20ms\"",
        "1",
        "0.5",
    ),
];

/// Guards that stand at servers only, as they look at a queue or at workers.
const IN_QUEUE: &[&str] = &[
    "queue-timeout",
    "codel",
    "interval-codel",
    "controlled-delay",
    "dagor",
    "utilisation-shedding",
    "brownout",
];

/// For these: a server that cannot keep up, and a queue worth the name.
const CROWDED: &[(&str, &str)] = &[
    ("service.db.server.d.workers", "1"),
    ("service.db.server.d.queue.limit", "50"),
];

/// Where guards stand: the key, what is set, and what stands around the list there.
const POSTS: &[(&str, &str, &str)] = &[
    (
        "client",
        "client",
        "{ retry = \"fixed\", timeout = \"30ms\", guards = LIST }",
    ),
    (
        "class.NAME.client",
        "class.a.client",
        "{ retry = \"fixed\", timeout = \"30ms\", guards = LIST }",
    ),
    (
        "traffic.NAME.client",
        "traffic.t.client",
        "{ retry = \"fixed\", timeout = \"30ms\", guards = LIST }",
    ),
    (
        "service.NAME.call.NAME.client",
        "service.web.call.db.client",
        "{ retry = \"fixed\", timeout = \"30ms\", guards = LIST }",
    ),
    (
        "service.NAME.balancer.routes.NAME.client",
        "service.web.balancer.routes.db.client",
        "{ retry = \"fixed\", timeout = \"30ms\", guards = LIST }",
    ),
    (
        "service.NAME.balancer.client",
        "service.web.balancer.client",
        "{ retry = \"fixed\", timeout = \"30ms\", guards = LIST }",
    ),
    (
        "service.NAME.balancer.class.NAME.client",
        "service.web.balancer.class.a.client",
        "{ retry = \"fixed\", timeout = \"30ms\", guards = LIST }",
    ),
    (
        "service.NAME.balancer",
        "service.db.balancer.guards",
        "LIST",
    ),
    (
        "service.NAME.server.NAME",
        "service.db.server.d.guards",
        "LIST",
    ),
];

/// Guards that can stand at callers only.
const FOR_RETRIES: &[&str] = &[
    "retry-budget",
    "hedge-budget",
    "aws-retry-tokens",
    "grpc-retry-throttle",
    "envoy-retry-limit",
    "botocore-rate-limiter",
    "tower-budget",
];

fn guards() -> Vec<Knob> {
    let mut knobs = Vec::new();
    for &(key, at, around) in POSTS {
        let mut knob = |path: String, kind, old: &str, new: &str| {
            let budget = FOR_RETRIES.contains(&kind);
            let in_queue = IN_QUEUE.contains(&kind);
            let refused = match key {
                "service.NAME.balancer" => budget || in_queue,
                "service.NAME.server.NAME" => budget || path.ends_with("shared"),
                _ => in_queue,
            };
            let around = match kind {
                "hedge-budget" => around.replace("guards", "hedge = { after = \"5ms\" }, guards"),
                // So that some fail while others pause.
                "envoy-retry-limit" => around.replace(
                    "retry = \"fixed\"",
                    "retry = { kind = \"fixed\", pause = \"100ms\" }",
                ),
                _ => around.to_owned(),
            };
            knobs.push(Knob {
                path,
                kind,
                base: base_for(key, "guarded"),
                with: if in_queue {
                    CROWDED.to_vec()
                } else {
                    Vec::new()
                },
                change: Change::Set(
                    at.to_owned(),
                    around.replace("LIST", old),
                    around.replace("LIST", new),
                ),
                level: if refused { Refused } else { Run },
            });
        };
        let limit = "[{ kind = \"concurrency-limit\", limit = 1 }]";
        knob(format!("{key}.guards"), "", "[]", limit);
        for &(kind, param, rest, old, new) in GUARDS {
            let comma = if rest.is_empty() { "" } else { ", " };
            let guard =
                |value| format!("[{{ kind = \"{kind}\", {param} = {value}{comma}{rest} }}]");
            knob(
                format!("{key}.guards.{kind}.{param}"),
                kind,
                &guard(old),
                &guard(new),
            );
        }
    }
    knobs
}

fn laws() -> Vec<Knob> {
    let mut knobs = Vec::new();
    for &(key, name, at) in SLOTS {
        let with = match () {
            () if key.contains("breakdowns") => {
                vec![(
                    "service.web.server.a.breakdowns",
                    "{ every = \"100ms\", repair = \"10ms\" }",
                )]
            }
            () if key.contains("repeat") => vec![("timeline.first.for", "100us")],
            () if key.contains("errors") => vec![("service.web.server.a.errors.rate", "0.3")],
            () if key.contains("liveness") => {
                vec![("service.web.server.a.liveness.interval", "500ms")]
            }
            () => Vec::new(),
        };
        let knob = |path: String, kind, old: String, new: String| Knob {
            path,
            kind,
            base: base_for(key, name),
            with: with.clone(),
            change: Change::Set(at.to_owned(), old, new),
            level: Run,
        };
        knobs.push(knob(key.to_owned(), "", "1ms".to_owned(), "2ms".to_owned()));
        for &(kind, param, rest, old, new) in LAWS {
            let comma = if rest.is_empty() { "" } else { ", " };
            let law = |value| format!("{{ kind = \"{kind}\", {param} = {value}{comma}{rest} }}");
            knobs.push(knob(format!("{key}.{param}"), kind, law(old), law(new)));
        }
    }
    knobs
}

fn manners() -> Vec<Knob> {
    let mut knobs = Vec::new();
    for &(key, at) in CALLERS {
        for &(manner, kind, rest, old, new) in MANNERS {
            let (section, param) = manner.split_once('.').unwrap_or((manner, ""));
            let whole = |value: &str| match (section, param, rest) {
                ("retry", p, _) if !p.is_empty() => {
                    format!("{{ retry = {{ {rest}, {p} = {value} }} }}")
                }
                ("hedge", "" | "after", _) if value != "none" => {
                    let value = value.replace("{ after = ", "").replace(" }", "");
                    format!("{{ hedge = {{ after = {value} }} }}")
                }
                ("hedge", "", _) => "{}".to_owned(),
                ("hedge", _, _) => {
                    format!("{{ hedge = {{ after = \"5ms\", {param} = {value} }} }}")
                }
                (_, _, "RETRY") if value != "none" => {
                    format!("{{ retry = \"fixed\", {manner} = {value} }}")
                }
                (_, _, "RETRY") => "{ retry = \"fixed\" }".to_owned(),
                (_, _, "TIMEOUT") => format!("{{ timeout = \"20ms\", {manner} = {value} }}"),
                _ => format!("{{ {manner} = \"{value}\" }}"),
            };
            knobs.push(Knob {
                path: format!("{key}.{manner}"),
                kind,
                base: base_for(key, "calls"),
                with: match manner {
                    _ if kind == "caddy" => [&breaking(key), ELSEWHERE].concat(),
                    _ if kind == "next-upstream" => ELSEWHERE.to_vec(),
                    _ if kind == "haproxy" => refusing(key),
                    "hedge.distinct" | "retry.avoid" => ELSEWHERE.to_vec(),
                    // Something must fail before the next copy is due anyway.
                    "hedge.failure_sends" => vec![
                        ("service.db.server.d.errors", "{ rate = 0.5 }"),
                        ("service.db.server.d.workers", "4"),
                    ],
                    _ => Vec::new(),
                },
                change: Change::Set(at.to_owned(), whole(old), whole(new)),
                level: Run,
            });
        }
    }
    knobs
}
