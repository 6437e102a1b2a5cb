//! Caddy's reverse proxy.

use super::{DialectDef, Member};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;
use std::fmt::Write as _;

/// So many questions in a row.
const QUESTIONS: ParamKind = ParamKind::Integer {
    min: 1,
    max: 1_000_000,
    unit: "questions",
};

/// The place of `weighted_round_robin` among the policies.
const WEIGHTED: usize = 7;

pub(super) static DIALECT: DialectDef = DialectDef {
    row: ExtensionRow {
        name: "caddy",
        about: "Caddy's reverse proxy: without settings one try at a random upstream, and nobody remembers who failed. \
                A server's unhealthy_request_count is written as its `max_connections`.",
        source: "Caddy 2.11.7, observed",
        params: &[
            ParamDef {
                name: "lb_policy",
                about: "How an upstream is chosen; hash is ip_hash, uri_hash, header and query, of the key of a request, and cookie keeps to the upstream of a session, a key. Weights of upstreams are those of weighted_round_robin.",
                kind: ParamKind::Choice(&[
                    "random",
                    "round_robin",
                    "least_conn",
                    "first",
                    "random_choose",
                    "hash",
                    "cookie",
                    "weighted_round_robin",
                ]),
                default: Some("random"),
            },
            ParamDef {
                name: "choose",
                about: "Upstreams that random_choose draws.",
                kind: ParamKind::Integer {
                    min: 2,
                    max: 1000,
                    unit: "upstreams",
                },
                default: Some("2"),
            },
            ParamDef {
                name: "lb_retries",
                about: "Further tries; 0: none, or as many as lb_try_duration has time for.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 999,
                    unit: "tries",
                },
                default: Some("0"),
            },
            ParamDef::span(
                "lb_try_duration",
                Duration::ZERO,
                "0s",
                "For how long upstreams are tried; 0: lb_retries alone says how often, and there is no pause.",
            ),
            ParamDef::span(
                "lb_try_interval",
                Duration::ZERO,
                "250ms",
                "The pause between tries where there is an lb_try_duration.",
            ),
            ParamDef::span(
                "fail_duration",
                Duration::ZERO,
                "0s",
                "For how long a failure counts against an upstream; 0: none does.",
            ),
            ParamDef {
                name: "max_fails",
                about: "Failures that count now and take an upstream out.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 10_000,
                    unit: "failures",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "unhealthy_status",
                about: "Whether the status of what servers answer with an error is listed as unhealthy.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef::span(
                "dial_timeout",
                Duration::ZERO,
                "3s",
                "An upstream to which there is no connection by then is given up.",
            ),
            ParamDef {
                name: "health_uri",
                about: "Whether upstreams are asked at a path of their own whether they are well: active health checks.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef::span(
                "health_interval",
                Duration::from_millis(1),
                "30s",
                "Time between questions to an upstream.",
            ),
            ParamDef::span(
                "health_timeout",
                Duration(1),
                "5s",
                "A question without an answer has failed after so long.",
            ),
            ParamDef {
                name: "health_fails",
                about: "Questions that fail in a row and take an upstream out.",
                kind: QUESTIONS,
                default: Some("1"),
            },
            ParamDef {
                name: "health_passes",
                about: "Those that pass in a row and bring it back.",
                kind: QUESTIONS,
                default: Some("1"),
            },
            ParamDef {
                name: "method",
                about: "Which requests they are: \"get\", which may be sent twice, or \"post\".",
                kind: ParamKind::Choice(&["get", "post"]),
                default: Some("get"),
            },
        ],
    },
    check,
    refuses,
    expand,
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    let above_zero = |param: &'static str| {
        let message = format!("`{param}` must be above 0");
        let problem = ParamProblem { param, message };
        (!params.span(param).is_zero()).then_some(()).ok_or(problem)
    };
    above_zero("dial_timeout")?;
    if !params.span("lb_try_duration").is_zero() {
        // Caddy would try without end and without a pause.
        above_zero("lb_try_interval")?;
    }
    Ok(())
}

fn refuses(params: &Params, members: &[Member]) -> Option<String> {
    if members.iter().any(|member| member.backup) {
        return Some("it has no backups; lb_policy first comes near".to_owned());
    }
    if params.choice("lb_policy") == WEIGHTED {
        return None;
    }
    let first = members.first()?.weight;
    let uneven = members
        .iter()
        .any(|member| member.weight.to_bits() != first.to_bits());
    uneven.then(|| "upstreams have no weights with these policies".to_owned())
}

fn expand(params: &Params) -> String {
    let choose = params.integer("choose");
    let policy = match params.choice("lb_policy") {
        0 => "\"random\"".to_owned(),
        1 => "\"round-robin\"".to_owned(),
        2 => "\"least-in-flight\"".to_owned(),
        3 => "\"first\"".to_owned(),
        4 => format!("{{ kind = \"caddy-random-choose\", choose = {choose} }}"),
        5 => "\"rendezvous\"".to_owned(),
        6 => "\"sticky\"".to_owned(),
        _ => "\"weighted-round-robin\"".to_owned(),
    };
    let fail_duration = params.span("fail_duration");
    let mut rules = String::new();
    if params.flag("health_uri") {
        let (fall, rise) = (
            params.integer("health_fails"),
            params.integer("health_passes"),
        );
        let (interval, timeout) = (
            params.span("health_interval"),
            params.span("health_timeout"),
        );
        let _ = writeln!(
            rules,
            "  {{ kind = \"checks\", interval = \"{interval}\", timeout = \"{timeout}\", fall = {fall}, rise = {rise} }},"
        );
    }
    if !fail_duration.is_zero() {
        let (max_fails, errors) = (params.integer("max_fails"), params.flag("unhealthy_status"));
        let _ = writeln!(
            rules,
            "  {{ kind = \"fail-duration\", fail_duration = \"{fail_duration}\", max_fails = {max_fails}, errors = {errors} }},"
        );
    }
    let health = if rules.is_empty() {
        rules
    } else {
        format!("health = [\n{rules}]\n")
    };
    let (retries, duration) = (params.integer("lb_retries"), params.span("lb_try_duration"));
    let (attempts, interval) = match (retries, duration.is_zero()) {
        (0, true) => (1, Duration::ZERO),
        (0, false) => (1000, params.span("lb_try_interval")),
        (retries, true) => (retries + 1, Duration::ZERO),
        (retries, false) => (retries + 1, params.span("lb_try_interval")),
    };
    let method = ["get", "post"][params.choice("method")];
    format!(
        "policy = {policy}\n{health}\
         link = {{ connect_timeout = \"{}\" }}\n\
         client = {{ retry = {{ kind = \"caddy\", try_duration = \"{duration}\", try_interval = \"{interval}\", method = \"{method}\", attempts = {attempts} }} }}\n",
        params.span("dial_timeout"),
    )
}
