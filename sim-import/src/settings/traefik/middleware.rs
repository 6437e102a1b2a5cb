//! Middlewares: what each does to requests, as a row of a scenario.

use super::{get, span};
use crate::settings::system::{Kind, System};
use crate::settings::yaml::Node;

/// What a middleware is here.
pub(super) enum Effect {
    /// A guard, and whether it counts for each client.
    Guard(String, bool),
    /// Retries of the proxy.
    Retry(String),
    /// Further middlewares.
    Chain(Vec<String>),
    Nothing,
}

/// Middlewares that have no bearing on load.
const IGNORED: &[&str] = &[
    "addprefix",
    "basicauth",
    "compress",
    "contenttype",
    "digestauth",
    "grpcweb",
    "headers",
    "ipallowlist",
    "ipwhitelist",
    "passtlsclientcert",
    "redirectregex",
    "redirectscheme",
    "replacepath",
    "replacepathregex",
    "stripprefix",
    "stripprefixregex",
];

/// The effect of a middleware of a kind.
pub(super) fn effect(kind: &str, node: &Node, system: &mut System) -> Effect {
    let number = |name: &str| get(node, name).and_then(Node::as_number);
    let time = |name: &str| get(node, name).and_then(span);
    let lower = kind.to_ascii_lowercase();
    match lower.as_str() {
        "chain" => {
            let names = get(node, "middlewares")
                .map(Node::items)
                .unwrap_or_default();
            Effect::Chain(names.iter().filter_map(Node::text).collect())
        }
        "retry" => {
            let Some(attempts) = number("attempts").filter(|n| *n >= 1.0) else {
                system.remark(Kind::Missing, &node.place, kind, "it has no attempts");
                return Effect::Nothing;
            };
            let first = time("initialInterval").filter(|span| span.0 >= 1_000_000);
            let pause = first.map_or(
                "base_interval = \"1ms\", max_interval = \"1ms\"".to_owned(),
                |first| {
                    format!(
                        "base_interval = \"{first}\", max_interval = \"{}\"",
                        sim_core::time::Duration(first.0.saturating_mul(60))
                    )
                },
            );
            system.remark(Kind::Read, &node.place, kind, "after connections that failed or broke, with pauses that double, drawn below that as Envoy's are");
            Effect::Retry(format!(
                "{{ kind = \"envoy\", attempts = {attempts}, retry_on = [\"connect-failure\", \"reset\"], {pause} }}"
            ))
        }
        "inflightreq" => {
            let Some(most) = number("amount").filter(|n| *n >= 1.0) else {
                return Effect::Nothing;
            };
            let by_address = get(node, "sourceCriterion")
                .is_some_and(|source| get(source, "ipStrategy").is_some());
            system
                .limit_conn(&node.place, kind, most, by_address)
                .map_or(Effect::Nothing, |guard| Effect::Guard(guard, by_address))
        }
        "ratelimit" => {
            let period = time("period").map_or(1.0, sim_core::time::Duration::as_secs_f64);
            let Some(average) = number("average").filter(|n| *n > 0.0 && period > 0.0) else {
                return Effect::Nothing;
            };
            let rate = ((average / period) * 1000.0).floor() / 1000.0;
            let burst = number("burst").unwrap_or(1.0).max(1.0);
            system.remark(
                Kind::Read,
                &node.place,
                kind,
                "a bucket for each client, refused beyond its burst",
            );
            Effect::Guard(
                format!(
                    "{{ kind = \"limit-req\", rate = {rate}, burst = {}, nodelay = true, by = \"key\", shared = true }}",
                    burst - 1.0
                ),
                true,
            )
        }
        "circuitbreaker" => {
            let expression = get(node, "expression")
                .and_then(Node::text)
                .unwrap_or_default();
            breaker(&expression, node, system)
        }
        _ if IGNORED.contains(&lower.as_str()) => {
            system.remark(Kind::Ignored, &node.place, kind, "");
            Effect::Nothing
        }
        "buffering" | "errors" | "forwardauth" | "plugin" => {
            system.remark(
                Kind::Missing,
                &node.place,
                kind,
                "what this middleware does is not simulated",
            );
            Effect::Nothing
        }
        _ => {
            system.remark(Kind::Unknown, &node.place, kind, "");
            Effect::Nothing
        }
    }
}

/// Attempts that stand for those of a breaker's window, since Traefik counts by time.
const WINDOW: f64 = 100.0;

fn breaker(expression: &str, node: &Node, system: &mut System) -> Effect {
    let share = expression
        .split_once('>')
        .filter(|(what, _)| {
            ["NetworkErrorRatio()", "ResponseCodeRatio(500, 600, 0, 600)"].contains(&what.trim())
        })
        .and_then(|(_, share)| share.trim().parse::<f64>().ok())
        .filter(|share| (0.0..1.0).contains(share));
    let Some(share) = share else {
        let why = "only ratios of errors can be said here";
        system.remark(
            Kind::Missing,
            &node.place,
            format!("circuitBreaker {expression}"),
            why,
        );
        return Effect::Nothing;
    };
    let open = get(node, "fallbackDuration")
        .and_then(span)
        .unwrap_or(sim_core::time::Duration::from_millis(10_000));
    let failures = (share * WINDOW).floor() + 1.0;
    let why = format!(
        "more than {:.0} of the last {WINDOW} open it for {open}; its slow recovery is one trial",
        share * WINDOW
    );
    system.remark(
        Kind::Read,
        &node.place,
        format!("circuitBreaker {expression}"),
        why,
    );
    Effect::Guard(
        format!(
            "{{ kind = \"circuit-breaker\", failures = {failures}, window = {WINDOW}, open = \"{open}\" }}"
        ),
        false,
    )
}
