//! Envoy as a load balancer of one cluster.
//!
//! A scenario's balancer is an Envoy with one worker thread; several instances are several Envoys, or the workers of one but
//! for the circuit breakers, which workers share.

use super::{DialectDef, Member};
use crate::extension::{ExtensionRow, ParamDef, ParamKind, ParamProblem, Params};
use crate::time::Duration;
use std::fmt::Write as _;

pub(super) static DIALECT: DialectDef = DialectDef {
    row: ExtensionRow {
        name: "envoy",
        about: "Envoy: its policies, priorities and panic, circuit breakers and timeouts, and where wanted outlier detection, \
                health checks, retries and its adaptive filters.",
        source: "Envoy 1.30 to 1.40: its source and tests, and what a running 1.40.0 was seen to do",
        params: &[
            ParamDef {
                name: "lb_policy",
                about: "How servers are chosen, lb_policy of the cluster.",
                kind: ParamKind::Choice(&[
                    "ROUND_ROBIN",
                    "LEAST_REQUEST",
                    "RANDOM",
                    "RING_HASH",
                    "MAGLEV",
                ]),
                default: Some("ROUND_ROBIN"),
            },
            ParamDef {
                name: "choice_count",
                about: "With LEAST_REQUEST: how many are drawn.",
                kind: ParamKind::Integer {
                    min: 2,
                    max: 1000,
                    unit: "servers",
                },
                default: Some("2"),
            },
            ParamDef {
                name: "active_request_bias",
                about: "With LEAST_REQUEST and unequal weights: how much requests in flight count.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "slow_start_window",
                about: "With ROUND_ROBIN and LEAST_REQUEST: how long a server starts slowly; 0s: not at all.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            ParamDef {
                name: "aggression",
                about: "How fast it starts: 1 in proportion to time.",
                kind: ParamKind::Number {
                    min: 0.001,
                    max: 1000.0,
                    unit: "",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "min_weight_percent",
                about: "With what part of its weight it starts.",
                kind: ParamKind::Number {
                    min: 0.1,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("10"),
            },
            ParamDef {
                name: "minimum_ring_size",
                about: "With RING_HASH: points at least.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 8388608,
                    unit: "points",
                },
                default: Some("1024"),
            },
            ParamDef {
                name: "maximum_ring_size",
                about: "With RING_HASH: points at most.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 8388608,
                    unit: "points",
                },
                default: Some("8388608"),
            },
            ParamDef {
                name: "table_size",
                about: "With MAGLEV: places in the table, a prime.",
                kind: ParamKind::Integer {
                    min: 2,
                    max: 5000011,
                    unit: "places",
                },
                default: Some("65537"),
            },
            ParamDef {
                name: "hash_balance_factor",
                about: "With RING_HASH and MAGLEV: a server with more than so many percent of its share of requests in flight is passed over; 0: none is.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 1000000.0,
                    unit: "%",
                },
                default: Some("0"),
            },
            ParamDef {
                name: "healthy_panic_threshold",
                about: "With a smaller share of healthy servers all get traffic; 0: never.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("50"),
            },
            ParamDef {
                name: "overprovisioning_factor",
                about: "What the share of healthy servers of a priority is multiplied by.",
                kind: ParamKind::Integer {
                    min: 100,
                    max: 10000,
                    unit: "%",
                },
                default: Some("140"),
            },
            ParamDef {
                name: "fail_traffic_on_panic",
                about: "Whether nobody gets traffic in a panic.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef {
                name: "update_merge_window",
                about: "Changes of health that come sooner after another wait so long; 0s: none does.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("1s"),
            },
            ParamDef {
                name: "health_checks",
                about: "Whether servers are checked.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef {
                name: "interval",
                about: "Time between checks of a server, health_checks.interval; Envoy has no default.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("5s"),
            },
            ParamDef {
                name: "unhealthy_interval",
                about: "The same of an unhealthy one; 0s: as `interval`.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            ParamDef {
                name: "unhealthy_edge_interval",
                about: "The same of one that has begun to fail; 0s: as `unhealthy_interval`.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            ParamDef {
                name: "check_timeout",
                about: "An unanswered check has failed after this, health_checks.timeout; Envoy has no default.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("2s"),
            },
            ParamDef {
                name: "unhealthy_threshold",
                about: "Unanswered checks in a row that take a server out; Envoy has no default.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1000000,
                    unit: "checks",
                },
                default: Some("3"),
            },
            ParamDef {
                name: "healthy_threshold",
                about: "Checks in a row that bring it back; Envoy has no default.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1000000,
                    unit: "checks",
                },
                default: Some("2"),
            },
            ParamDef {
                name: "outlier_detection",
                about: "Whether servers whose answers fail are ejected.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef {
                name: "outlier_interval",
                about: "Time between sweeps, outlier_detection.interval.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("10s"),
            },
            ParamDef {
                name: "consecutive_5xx",
                about: "Answers of 5xx in a row that eject; 0: never.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000000,
                    unit: "answers",
                },
                default: Some("5"),
            },
            ParamDef {
                name: "consecutive_gateway_failure",
                about: "Gateway failures in a row that eject, if that is enforced.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000000,
                    unit: "answers",
                },
                default: Some("5"),
            },
            ParamDef {
                name: "enforcing_consecutive_gateway_failure",
                about: "How often they do.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("0"),
            },
            ParamDef {
                name: "enforcing_success_rate",
                about: "How often a success rate far below the mean ejects.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("100"),
            },
            ParamDef {
                name: "enforcing_failure_percentage",
                about: "How often a failure percentage that is too high ejects.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("0"),
            },
            ParamDef {
                name: "failure_percentage_threshold",
                about: "What is too high.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("85"),
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
                about: "The share of servers that may be ejected.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("10"),
            },
            ParamDef {
                name: "always_eject_one_host",
                about: "Whether one may be ejected whatever its share.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef {
                name: "timeout",
                about: "A request is given up after this, retries included: timeout of the route; 0s: never.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("15s"),
            },
            ParamDef {
                name: "retry_on",
                about: "What is tried again; nothing by default.",
                kind: ParamKind::Words(RETRY_ON),
                default: Some("[]"),
            },
            ParamDef {
                name: "num_retries",
                about: "How often.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 999,
                    unit: "retries",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "per_try_timeout",
                about: "A try is given up after this; 0s: with the request only, so that what takes too long is never tried again.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            ParamDef {
                name: "base_interval",
                about: "The first pause is shorter than this, retry_back_off.base_interval.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("25ms"),
            },
            ParamDef {
                name: "max_interval",
                about: "No pause is longer than this, retry_back_off.max_interval; 0s: ten times `base_interval`.",
                kind: ParamKind::Span {
                    min: Duration::ZERO,
                },
                default: Some("0s"),
            },
            ParamDef {
                name: "previous_hosts",
                about: "Whether a retry keeps away from servers that were tried, retry_host_predicate.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef {
                name: "status",
                about: "The status of what servers answer with an error.",
                kind: ParamKind::Choice(&[
                    "400", "404", "408", "409", "429", "500", "501", "502", "503", "504",
                ]),
                default: Some("503"),
            },
            ParamDef {
                name: "protocol",
                about: "Whether a request has a connection to its server to itself, or shares one.",
                kind: ParamKind::Choice(&["http1", "http2"]),
                default: Some("http1"),
            },
            ParamDef {
                name: "max_connections",
                about: "Requests that have a connection, with HTTP/1.1; others wait.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 4000000000,
                    unit: "requests",
                },
                default: Some("1024"),
            },
            ParamDef {
                name: "max_pending_requests",
                about: "Requests that may wait for one.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 4000000000,
                    unit: "requests",
                },
                default: Some("1024"),
            },
            ParamDef {
                name: "max_requests",
                about: "Requests in flight.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 4000000000,
                    unit: "requests",
                },
                default: Some("1024"),
            },
            ParamDef {
                name: "max_retries",
                about: "Retries at once, where there is no budget.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 4000000000,
                    unit: "retries",
                },
                default: Some("3"),
            },
            ParamDef {
                name: "budget_percent",
                about: "Retries at once as a share of requests in flight, retry_budget; 0: no budget.",
                kind: ParamKind::Number {
                    min: 0.0,
                    max: 100.0,
                    unit: "%",
                },
                default: Some("0"),
            },
            ParamDef {
                name: "min_retry_concurrency",
                about: "Retries that a budget always allows.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 4000000000,
                    unit: "retries",
                },
                default: Some("3"),
            },
            ParamDef {
                name: "connect_timeout",
                about: "A server that does not accept a connection within this has failed.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(1),
                },
                default: Some("5s"),
            },
            ParamDef {
                name: "max_tokens",
                about: "Local rate limit: requests at once after a pause; 0: no limit.",
                kind: ParamKind::Integer {
                    min: 0,
                    max: 1000000000,
                    unit: "requests",
                },
                default: Some("0"),
            },
            ParamDef {
                name: "tokens_per_fill",
                about: "Local rate limit: requests in each `fill_interval`.",
                kind: ParamKind::Integer {
                    min: 1,
                    max: 1000000000,
                    unit: "requests",
                },
                default: Some("1"),
            },
            ParamDef {
                name: "fill_interval",
                about: "Local rate limit: the time for so many; tokens come one by one.",
                kind: ParamKind::Span {
                    min: Duration::from_millis(50),
                },
                default: Some("1s"),
            },
            ParamDef {
                name: "admission_control",
                about: "Whether requests are refused as fewer succeed, with the filter's defaults.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
            ParamDef {
                name: "adaptive_concurrency",
                about: "Whether the number of requests follows their delay, with the filter's defaults.",
                kind: ParamKind::Flag,
                default: Some("false"),
            },
        ],
    },
    check,
    refuses,
    expand,
};

/// Conditions of a retry.
const RETRY_ON: &[&str] = &[
    "5xx",
    "gateway-error",
    "connect-failure",
    "reset",
    "retriable-4xx",
];

const POLICIES: [&str; 5] = [
    "envoy-round-robin",
    "envoy-least-request",
    "random",
    "envoy-ring-hash",
    "maglev",
];

fn check(params: &Params) -> Result<(), ParamProblem> {
    let problem = |param, message: &str| {
        let message = message.to_owned();
        Err(ParamProblem { param, message })
    };
    let policy = params.choice("lb_policy");
    if policy > 1 && !params.span("slow_start_window").is_zero() {
        return problem(
            "slow_start_window",
            "`slow_start_window` works with ROUND_ROBIN and LEAST_REQUEST only",
        );
    }
    let balance = params.number("hash_balance_factor");
    if balance > 0.0 && (balance < 100.0 || policy < 3) {
        return problem(
            "hash_balance_factor",
            "`hash_balance_factor` is 100 or more, with RING_HASH or MAGLEV",
        );
    }
    if params.integer("minimum_ring_size") > params.integer("maximum_ring_size") {
        return problem("minimum_ring_size", "above `maximum_ring_size`");
    }
    if params.span("max_ejection_time") < params.span("base_ejection_time") {
        return problem(
            "max_ejection_time",
            "cannot be smaller than `base_ejection_time`",
        );
    }
    let longest = longest_pause(params);
    if longest < params.span("base_interval") {
        return problem("max_interval", "must not be below `base_interval`");
    }
    Ok(())
}

fn longest_pause(params: &Params) -> Duration {
    match params.span("max_interval") {
        Duration::ZERO => Duration(params.span("base_interval").0.saturating_mul(10)),
        span => span,
    }
}

fn refuses(_: &Params, members: &[Member]) -> Option<String> {
    let whole = |weight: f64| weight >= 1.0 && weight.fract() == 0.0;
    let odd = members.iter().find(|member| !whole(member.weight))?;
    Some(format!(
        "weights are whole numbers from 1 on: {} is written",
        odd.weight
    ))
}

fn expand(params: &Params) -> String {
    let mut text = format!("policy = {}\n", policy(params));
    let _ = writeln!(text, "health = [\n{}]", health(params));
    let _ = writeln!(text, "guards = [\n{}]", guards(params));
    let connect = params.span("connect_timeout");
    let _ = writeln!(text, "link = {{ connect_timeout = \"{connect}\" }}");
    text + &client(params)
}

fn policy(params: &Params) -> String {
    let choice = params.choice("lb_policy");
    let rest = match choice {
        1 => format!(
            ", choice_count = {}, active_request_bias = {}",
            params.integer("choice_count"),
            params.number("active_request_bias")
        ),
        3 => format!(
            ", minimum_ring_size = {}, maximum_ring_size = {}, hash_balance_factor = {}",
            params.integer("minimum_ring_size"),
            params.integer("maximum_ring_size"),
            params.number("hash_balance_factor")
        ),
        4 => format!(
            ", table = {}, hash_balance_factor = {}",
            params.integer("table_size"),
            params.number("hash_balance_factor")
        ),
        _ => String::new(),
    };
    format!("{{ kind = \"{}\"{rest} }}", POLICIES[choice])
}

/// Health rules, in the order in which Envoy looks at them.
fn health(params: &Params) -> String {
    let mut rules = String::new();
    if params.flag("health_checks") {
        let _ = writeln!(
            rules,
            "  {{ kind = \"envoy-health-checks\", interval = \"{}\", unhealthy_interval = \"{}\", \
             unhealthy_edge_interval = \"{}\", timeout = \"{}\", unhealthy_threshold = {}, healthy_threshold = {} }},",
            params.span("interval"),
            params.span("unhealthy_interval"),
            params.span("unhealthy_edge_interval"),
            params.span("check_timeout"),
            params.integer("unhealthy_threshold"),
            params.integer("healthy_threshold"),
        );
    }
    let window = params.span("slow_start_window");
    if !window.is_zero() {
        let _ = writeln!(
            rules,
            "  {{ kind = \"envoy-slow-start\", slow_start_window = \"{window}\", aggression = {}, min_weight_percent = {} }},",
            params.number("aggression"),
            params.number("min_weight_percent"),
        );
    }
    if params.flag("outlier_detection") {
        rules += &outliers(params);
    }
    let merges = params.flag("health_checks") || params.flag("outlier_detection");
    let window = params.span("update_merge_window");
    if merges && !window.is_zero() {
        let _ = writeln!(
            rules,
            "  {{ kind = \"update-merge-window\", window = \"{window}\" }},"
        );
    }
    let _ = writeln!(
        rules,
        "  {{ kind = \"envoy-priorities\", overprovisioning_factor = {}, healthy_panic_threshold = {}, fail_traffic_on_panic = {} }},",
        params.integer("overprovisioning_factor"),
        params.number("healthy_panic_threshold"),
        params.flag("fail_traffic_on_panic"),
    );
    rules
}

fn outliers(params: &Params) -> String {
    let numbers = [
        "enforcing_consecutive_gateway_failure",
        "enforcing_success_rate",
        "enforcing_failure_percentage",
        "failure_percentage_threshold",
        "max_ejection_percent",
    ];
    let numbers = numbers.map(|name| format!("{name} = {}", params.number(name)));
    format!(
        "  {{ kind = \"envoy-outlier-detection\", consecutive_5xx = {}, consecutive_gateway_failure = {}, {}, \
         interval = \"{}\", base_ejection_time = \"{}\", max_ejection_time = \"{}\", always_eject_one_host = {}, status = \"{}\" }},\n",
        params.integer("consecutive_5xx"),
        params.integer("consecutive_gateway_failure"),
        numbers.join(", "),
        params.span("outlier_interval"),
        params.span("base_ejection_time"),
        params.span("max_ejection_time"),
        params.flag("always_eject_one_host"),
        STATUSES[params.choice("status")],
    )
}

const STATUSES: [&str; 10] = [
    "400", "404", "408", "409", "429", "500", "501", "502", "503", "504",
];

/// Filters on the way in, and the limits of the cluster.
fn guards(params: &Params) -> String {
    let mut guards = String::new();
    let tokens = params.integer("max_tokens");
    if tokens > 0 {
        let rate =
            params.integer("tokens_per_fill") as f64 / params.span("fill_interval").as_secs_f64();
        let _ = writeln!(
            guards,
            "  {{ kind = \"rate-limit\", rate = {rate}, burst = {tokens} }},"
        );
    }
    if params.flag("admission_control") {
        guards += "  \"envoy-admission-control\",\n";
    }
    if params.flag("adaptive_concurrency") {
        guards += "  \"envoy-adaptive-concurrency\",\n";
    }
    let _ = writeln!(
        guards,
        "  {{ kind = \"envoy-circuit-breaker\", protocol = \"{}\", max_connections = {}, max_pending_requests = {}, max_requests = {} }},",
        ["http1", "http2"][params.choice("protocol")],
        params.integer("max_connections"),
        params.integer("max_pending_requests"),
        params.integer("max_requests"),
    );
    guards
}

/// How an instance tries, and tries again.
fn client(params: &Params) -> String {
    let mut keys = Vec::new();
    let timeout = params.span("timeout");
    if !timeout.is_zero() {
        keys.push(format!("deadline = \"{timeout}\""));
    }
    let per_try = params.span("per_try_timeout");
    if !per_try.is_zero() {
        keys.push(format!("timeout = \"{per_try}\""));
    }
    let on = params.words("retry_on");
    if on != 0 {
        let words = RETRY_ON.iter().enumerate();
        let words = words.filter(|(bit, _)| on >> bit & 1 == 1);
        let words: Vec<String> = words.map(|(_, word)| format!("\"{word}\"")).collect();
        let longest = longest_pause(params);
        keys.push(format!(
            "retry = {{ kind = \"envoy\", attempts = {}, retry_on = [{}], base_interval = \"{}\", max_interval = \"{longest}\", status = \"{}\", avoid = \"{}\" }}",
            params.integer("num_retries") + 1,
            words.join(", "),
            params.span("base_interval"),
            STATUSES[params.choice("status")],
            if params.flag("previous_hosts") { "all" } else { "none" },
        ));
        keys.push(format!(
            "guards = [{{ kind = \"envoy-retry-limit\", max_retries = {}, budget_percent = {}, min_retry_concurrency = {}, longest_pause = \"{longest}\" }}]",
            params.integer("max_retries"),
            params.number("budget_percent"),
            params.integer("min_retry_concurrency"),
        ));
    }
    if keys.is_empty() {
        return String::new();
    }
    format!("client = {{ {} }}\n", keys.join(", "))
}
