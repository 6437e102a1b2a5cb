//! Caddy's reverse proxy.

use super::{DialectDef, Member};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;

pub(super) static DIALECT: DialectDef = DialectDef {
    row: ExtensionRow {
        name: "caddy",
        about: "Caddy's reverse proxy: without settings one try at a random upstream, and nobody remembers who failed. \
                A server's unhealthy_request_count is written as its `max_connections`.",
        source: "Caddy 2.11.7, observed",
        params: &[
            ParamDef {
                name: "lb_policy",
                about: "How an upstream is chosen.",
                kind: ParamKind::Choice(&[
                    "random",
                    "round_robin",
                    "least_conn",
                    "first",
                    "random_choose",
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

fn refuses(_: &Params, members: &[Member]) -> Option<String> {
    if members.iter().any(|member| member.backup) {
        return Some("it has no backups; lb_policy first comes near".to_owned());
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
        _ => format!("{{ kind = \"caddy-random-choose\", choose = {choose} }}"),
    };
    let fail_duration = params.span("fail_duration");
    let health = if fail_duration.is_zero() {
        String::new()
    } else {
        let (max_fails, errors) = (params.integer("max_fails"), params.flag("unhealthy_status"));
        format!(
            "health = [{{ kind = \"fail-duration\", fail_duration = \"{fail_duration}\", max_fails = {max_fails}, errors = {errors} }}]\n"
        )
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
