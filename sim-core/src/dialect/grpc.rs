//! gRPC as its own load balancer: a channel with its policy, outlier detection and retries.
//!
//! A channel is a balancer instance: give a service as many instances as it has clients, and choose an instance by client.

use super::{DialectDef, Member};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;
use std::fmt::Write as _;

pub(super) static DIALECT: DialectDef = DialectDef {
    row: ExtensionRow {
        name: "grpc",
        about: "A gRPC channel: pick_first unless the service config names another policy, and where wanted outlier detection, \
                retries and their throttling.",
        source: "gRPC 1.60 and later: gRFCs A6, A42, A48, A50, A58, A62; grpcio 1.85.3, observed",
        params: &[
            ParamDef {
                name: "lb_policy",
                about: "How servers are chosen, loadBalancingConfig.",
                kind: ParamKind::Choice(&[
                    "pick_first",
                    "round_robin",
                    "weighted_round_robin",
                    "least_request",
                    "ring_hash",
                ]),
                default: Some("pick_first"),
            },
            ParamDef {
                name: "shuffle_address_list",
                about: "With pick_first: whether each channel goes through the servers in an order of its own.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef {
                name: "choice_count",
                about: "With least_request: how many are drawn; gRPC cuts more than 10 to 10.",
                kind: ParamKind::Integer {
                    min: 2,
                    max: 10,
                    unit: "servers",
                },
                default: Some("2"),
            },
            ParamDef {
                name: "blackout_period",
                about: "With weighted_round_robin: how long a server must have reported before its weight counts.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("10s"),
            },
            ParamDef {
                name: "weight_expiration_period",
                about: "With weighted_round_robin: how long a weight outlives the last report.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("3m"),
            },
            ParamDef {
                name: "weight_update_period",
                about: "With weighted_round_robin: how often weights are worked out, at least 100ms.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(100),
                },
                default: Some("1s"),
            },
            ParamDef {
                name: "error_utilization_penalty",
                about: "With weighted_round_robin: what errors add to the utilisation.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1000.0,
                    unit: "",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "enable_oob_load_report",
                about: "With weighted_round_robin: whether servers report out of band.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef {
                name: "min_ring_size",
                about: "With ring_hash: points at least.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 8388608,
                    unit: "points",
                },
                default: Some("1024"),
            },
            ParamDef {
                name: "max_ring_size",
                about: "With ring_hash: points at most; more than 4096 are cut to that, as is `min_ring_size`.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 8388608,
                    unit: "points",
                },
                default: Some("4096"),
            },
            ParamDef {
                name: "outlier_detection",
                about: "Which algorithms take servers out.",
                kind: ParamKind::Choice(&["none", "success-rate", "failure-percentage", "both"]),
                default: Some("none"),
            },
            ParamDef {
                name: "interval",
                about: "Time between sweeps of outlier detection.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("10s"),
            },
            ParamDef {
                name: "base_ejection_time",
                about: "How long the first ejection lasts.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("30s"),
            },
            ParamDef {
                name: "max_ejection_time",
                about: "The longest ejection.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("5m"),
            },
            ParamDef {
                name: "max_ejection_percent",
                about: "The share of ejected servers from which on no other is ejected.",
                kind: ParamKind::Number {
                    min: 0.1,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("10"),
            },
            ParamDef {
                name: "stdev_factor",
                about: "Success rate: thousandths of the standard deviation below the mean.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000000,
                    unit: "thousandths",
                },
                default: Some("1900"),
            },
            ParamDef {
                name: "threshold",
                about: "Failure percentage: more than so much ejects.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("85"),
            },
            ParamDef {
                name: "enforcement_percentage",
                about: "How often an outlier is ejected.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("100"),
            },
            ParamDef {
                name: "minimum_hosts",
                about: "Servers with enough requests that there must be.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000000,
                    unit: "servers",
                },
                default: Some("5"),
            },
            ParamDef {
                name: "request_volume",
                about: "Requests in an interval that are enough.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000000000,
                    unit: "requests",
                },
                default: Some("100"),
            },
            ParamDef {
                name: "max_attempts",
                about: "Attempts of a call with a retryPolicy, at most 5; 1: no retries.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1000,
                    unit: "attempts",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "initial_backoff",
                about: "The middle of the first pause; gRPC has no default.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("100ms"),
            },
            ParamDef {
                name: "max_backoff",
                about: "The longest middle of a pause; gRPC has no default.",
                kind: ParamKind::Span { min: Duration(1) },
                default: Some("1s"),
            },
            ParamDef {
                name: "hedging_attempts",
                about: "Attempts of a call with a hedgingPolicy, its maxAttempts, at most 5; 1: no hedging. Libraries made of the C core ignore it.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1000,
                    unit: "attempts",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "hedging_delay",
                about: "Time between them; an attempt that fails sends the next at once.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            ParamDef {
                name: "max_tokens",
                about: "The retryThrottling: tokens; 0: none.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000,
                    unit: "tokens",
                },
                default: Some("0"),
            },
            ParamDef {
                name: "token_ratio",
                about: "What a success adds to the tokens of retryThrottling.",
                kind: ParamKind::Number {
                    min: 0.001,
                    max: 1000.0,
                    unit: "",
                },
                default: Some("0.1"),
            },
        ],
    },
    check,
    refuses,
    expand,
};

fn check(params: &Params) -> Result<(), ParamProblem> {
    if params.integer("min_ring_size") > params.integer("max_ring_size") {
        return Err(ParamProblem {
            param: "min_ring_size",
            message: "above `max_ring_size`".to_owned(),
        });
    }
    if params.integer("hedging_attempts") > 1 && params.integer("max_attempts") > 1 {
        return Err(ParamProblem {
            param: "hedging_attempts",
            message: "a method has a retryPolicy or a hedgingPolicy, not both".to_owned(),
        });
    }
    Ok(())
}

fn refuses(params: &Params, members: &[Member]) -> Option<String> {
    // Only ring_hash has weights, those of xDS.
    let first = members.first()?.weight;
    let mut others = members.iter().map(|member| member.weight);
    let uneven = others.find(|weight| weight.total_cmp(&first).is_ne())?;
    (params.choice("lb_policy") != 4).then(|| {
        format!("addresses have no weights of their own: {first} and {uneven} are written")
    })
}

/// The largest ring of a client, whatever is asked for.
const RING_CAP: u64 = 4096;
/// The most attempts of a call, whatever is asked for.
const MOST_ATTEMPTS: u64 = 5;

fn policy(params: &Params) -> String {
    match params.choice("lb_policy") {
        0 => format!(
            "{{ kind = \"grpc-pick-first\", shuffle = {} }}",
            params.flag("shuffle_address_list")
        ),
        1 => "{ kind = \"envoy-round-robin\" }".to_owned(),
        2 => format!(
            "{{ kind = \"client-side-weighted-round-robin\", update = \"{}\", blackout = \"{}\", expiry = \"{}\", penalty = {}, reports = \"{}\" }}",
            params.span("weight_update_period"),
            params.span("blackout_period"),
            params.span("weight_expiration_period"),
            params.number("error_utilization_penalty"),
            if params.flag("enable_oob_load_report") {
                "out-of-band"
            } else {
                "with-answers"
            },
        ),
        3 => format!(
            "{{ kind = \"power-of-d\", d = {}, replacement = true }}",
            params.integer("choice_count")
        ),
        _ => format!(
            "{{ kind = \"envoy-ring-hash\", minimum_ring_size = {}, maximum_ring_size = {} }}",
            params.integer("min_ring_size").min(RING_CAP),
            params.integer("max_ring_size").min(RING_CAP)
        ),
    }
}

fn expand(params: &Params) -> String {
    let mut text = format!("policy = {}\n", policy(params));
    let outliers = params.choice("outlier_detection");
    if outliers > 0 {
        let _ = writeln!(
            text,
            "health = [{{ kind = \"grpc-outlier-detection\", algorithms = \"{}\", interval = \"{}\", base_ejection_time = \"{}\", \
             max_ejection_time = \"{}\", max_ejection_percent = {}, stdev_factor = {}, threshold = {}, enforcement_percentage = {}, \
             minimum_hosts = {}, request_volume = {} }}]",
            ["", "success-rate", "failure-percentage", "both"][outliers],
            params.span("interval"),
            params.span("base_ejection_time"),
            params.span("max_ejection_time"),
            params.number("max_ejection_percent"),
            params.integer("stdev_factor"),
            params.number("threshold"),
            params.number("enforcement_percentage"),
            params.integer("minimum_hosts"),
            params.integer("request_volume"),
        );
    }
    let mut keys = Vec::new();
    let [attempts, copies] =
        ["max_attempts", "hedging_attempts"].map(|name| params.integer(name).min(MOST_ATTEMPTS));
    if attempts > 1 {
        keys.push(format!(
            "retry = {{ kind = \"grpc\", attempts = {attempts}, initial_backoff = \"{}\", max_backoff = \"{}\" }}",
            params.span("initial_backoff"),
            params.span("max_backoff"),
        ));
    }
    if copies > 1 {
        keys.push(format!(
            "hedge = {{ after = \"{}\", copies = {copies}, distinct = false, failure_sends = true }}",
            params.span("hedging_delay"),
        ));
    }
    let tokens = params.integer("max_tokens");
    if tokens > 0 && !keys.is_empty() {
        keys.push(format!(
            "guards = [{{ kind = \"grpc-retry-throttle\", max_tokens = {tokens}, token_ratio = {} }}]",
            params.number("token_ratio")
        ));
    }
    if !keys.is_empty() {
        let _ = writeln!(text, "client = {{ {} }}", keys.join(", "));
    }
    text
}
