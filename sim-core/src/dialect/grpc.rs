//! gRPC as its own load balancer: a channel with its policy, connections, outlier detection and retries.
//!
//! A channel is a balancer instance: give a service as many instances as it has clients, and choose an instance by client.

use super::{DialectDef, Member};
use crate::extension::{ExtensionRow, ParamDef, ParamProblem, Params};
use crate::time::Duration;
use std::fmt::Write as _;

pub(super) static DIALECT: DialectDef = DialectDef {
    row: ExtensionRow {
        name: "grpc",
        about: "A gRPC channel: pick_first unless the service config names another policy, a connection to each server that is opened again \
                after pauses that grow, and where wanted outlier detection, retries and their throttling.",
        source: "gRPC 1.60 and later: connection-backoff.md, gRFCs A6, A42, A48, A50, A58, A62; grpcio 1.85.3, observed",
        params: &[
            ParamDef::choice(
                "lb_policy",
                &[
                    "pick_first",
                    "round_robin",
                    "weighted_round_robin",
                    "least_request",
                    "ring_hash",
                ],
                "pick_first",
                "How servers are chosen, loadBalancingConfig.",
            ),
            ParamDef::flag(
                "shuffle_address_list",
                "With pick_first: whether each channel goes through the servers in an order of its own.",
            ),
            ParamDef::count(
                "choice_count",
                (2, 10),
                "servers",
                "2",
                "With least_request: how many are drawn; gRPC cuts more than 10 to 10.",
            ),
            ParamDef::span(
                "blackout_period",
                Duration::ZERO,
                "10s",
                "With weighted_round_robin: how long a server must have reported before its weight counts.",
            ),
            ParamDef::span(
                "weight_expiration_period",
                Duration(1),
                "3m",
                "With weighted_round_robin: how long a weight outlives the last report.",
            ),
            ParamDef::span(
                "weight_update_period",
                Duration::from_millis(100),
                "1s",
                "With weighted_round_robin: how often weights are worked out, at least 100ms.",
            ),
            ParamDef::number(
                "error_utilization_penalty",
                (0.0, 1000.0),
                "",
                "1",
                "With weighted_round_robin: what errors add to the utilisation.",
            ),
            ParamDef::flag(
                "enable_oob_load_report",
                "With weighted_round_robin: whether servers report out of band.",
            ),
            ParamDef::count(
                "min_ring_size",
                (1, 8388608),
                "points",
                "1024",
                "With ring_hash: points at least.",
            ),
            ParamDef::count(
                "max_ring_size",
                (1, 8388608),
                "points",
                "4096",
                "With ring_hash: points at most; more than 4096 are cut to that, as is `min_ring_size`.",
            ),
            ParamDef::span(
                "initial_reconnect_backoff",
                Duration::from_millis(100),
                "1s",
                "The middle of the pause before a connection that failed is tried again; each further one is 1.6 times as long, all of them give or take a fifth. grpc.initial_reconnect_backoff_ms.",
            ),
            ParamDef::span(
                "max_reconnect_backoff",
                Duration::from_millis(100),
                "2m",
                "The longest middle of such a pause, grpc.max_reconnect_backoff_ms.",
            ),
            ParamDef::span(
                "min_reconnect_backoff",
                Duration::from_millis(100),
                "20s",
                "A try to connect that nobody answers has failed after this, or after its pause where that is longer; grpc.min_reconnect_backoff_ms.",
            ),
            ParamDef::choice(
                "outlier_detection",
                &["none", "success-rate", "failure-percentage", "both"],
                "none",
                "Which algorithms take servers out.",
            ),
            ParamDef::span(
                "interval",
                Duration::from_millis(1),
                "10s",
                "Time between sweeps of outlier detection.",
            ),
            ParamDef::span(
                "base_ejection_time",
                Duration::from_millis(1),
                "30s",
                "How long the first ejection lasts.",
            ),
            ParamDef::span(
                "max_ejection_time",
                Duration::from_millis(1),
                "5m",
                "The longest ejection.",
            ),
            ParamDef::number(
                "max_ejection_percent",
                (0.1, 100.0),
                "%",
                "10",
                "The share of ejected servers from which on no other is ejected.",
            ),
            ParamDef::count(
                "stdev_factor",
                (0, 1000000),
                "thousandths",
                "1900",
                "Success rate: thousandths of the standard deviation below the mean.",
            ),
            ParamDef::number(
                "threshold",
                (0.0, 100.0),
                "%",
                "85",
                "Failure percentage: more than so much ejects.",
            ),
            ParamDef::number(
                "enforcement_percentage",
                (0.0, 100.0),
                "%",
                "100",
                "How often an outlier is ejected.",
            ),
            ParamDef::count(
                "minimum_hosts",
                (0, 1000000),
                "servers",
                "5",
                "Servers with enough requests that there must be.",
            ),
            ParamDef::count(
                "request_volume",
                (0, 1000000000),
                "requests",
                "100",
                "Requests in an interval that are enough.",
            ),
            ParamDef::count(
                "max_attempts",
                (1, 1000),
                "attempts",
                "1",
                "Attempts of a call with a retryPolicy, at most 5; 1: no retries.",
            ),
            ParamDef::span(
                "initial_backoff",
                Duration(1),
                "100ms",
                "The middle of the first pause; gRPC has no default.",
            ),
            ParamDef::span(
                "max_backoff",
                Duration(1),
                "1s",
                "The longest middle of a pause; gRPC has no default.",
            ),
            ParamDef::count(
                "hedging_attempts",
                (1, 1000),
                "attempts",
                "1",
                "Attempts of a call with a hedgingPolicy, its maxAttempts, at most 5; 1: no hedging. Libraries made of the C core ignore it.",
            ),
            ParamDef::span(
                "hedging_delay",
                Duration::ZERO,
                "0s",
                "Time between them; an attempt that fails sends the next at once.",
            ),
            ParamDef::count(
                "max_tokens",
                (0, 1000),
                "tokens",
                "0",
                "The retryThrottling: tokens; 0: none.",
            ),
            ParamDef::number(
                "token_ratio",
                (0.001, 1000.0),
                "",
                "0.1",
                "What a success adds to the tokens of retryThrottling.",
            ),
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
    if params.span("max_reconnect_backoff") < params.span("initial_reconnect_backoff") {
        return Err(ParamProblem {
            param: "max_reconnect_backoff",
            message: "below `initial_reconnect_backoff`".to_owned(),
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
    let _ = write!(
        text,
        "health = [\n  {{ kind = \"grpc-connection-backoff\", initial_backoff = \"{}\", max_backoff = \"{}\", min_connect_timeout = \"{}\", afresh = {} }},\n",
        params.span("initial_reconnect_backoff"),
        params.span("max_reconnect_backoff"),
        params.span("min_reconnect_backoff"),
        // Only pick_first lets go of connections that it does not use.
        params.choice("lb_policy") == 0,
    );
    let outliers = params.choice("outlier_detection");
    if outliers > 0 {
        let _ = writeln!(
            text,
            "  {{ kind = \"grpc-outlier-detection\", algorithms = \"{}\", interval = \"{}\", base_ejection_time = \"{}\", \
             max_ejection_time = \"{}\", max_ejection_percent = {}, stdev_factor = {}, threshold = {}, enforcement_percentage = {}, \
             minimum_hosts = {}, request_volume = {} }},",
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
    text.push_str("]\n");
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
