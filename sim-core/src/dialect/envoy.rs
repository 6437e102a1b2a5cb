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
            ParamDef::choice(
                "lb_policy",
                &[
                    "ROUND_ROBIN",
                    "LEAST_REQUEST",
                    "RANDOM",
                    "RING_HASH",
                    "MAGLEV",
                ],
                "ROUND_ROBIN",
                "How servers are chosen, lb_policy of the cluster.",
            ),
            ParamDef::count(
                "choice_count",
                (2, 1000),
                "servers",
                "2",
                "With LEAST_REQUEST: how many are drawn.",
            ),
            ParamDef::number(
                "active_request_bias",
                (0.0, 100.0),
                "",
                "1",
                "With LEAST_REQUEST and unequal weights: how much requests in flight count.",
            ),
            ParamDef::span(
                "slow_start_window",
                Duration::ZERO,
                "0s",
                "With ROUND_ROBIN and LEAST_REQUEST: how long a server starts slowly; 0s: not at all.",
            ),
            ParamDef::number(
                "aggression",
                (0.001, 1000.0),
                "",
                "1",
                "How fast it starts: 1 in proportion to time.",
            ),
            ParamDef::number(
                "min_weight_percent",
                (0.1, 100.0),
                "%",
                "10",
                "With what part of its weight it starts.",
            ),
            ParamDef::count(
                "minimum_ring_size",
                (1, 8388608),
                "points",
                "1024",
                "With RING_HASH: points at least.",
            ),
            ParamDef::count(
                "maximum_ring_size",
                (1, 8388608),
                "points",
                "8388608",
                "With RING_HASH: points at most.",
            ),
            ParamDef::count(
                "table_size",
                (2, 5000011),
                "places",
                "65537",
                "With MAGLEV: places in the table, a prime.",
            ),
            ParamDef::number(
                "hash_balance_factor",
                (0.0, 1000000.0),
                "%",
                "0",
                "With RING_HASH and MAGLEV: a server with more than so many percent of its share of requests in flight is passed over; 0: none is.",
            ),
            ParamDef::number(
                "healthy_panic_threshold",
                (0.0, 100.0),
                "%",
                "50",
                "With a smaller share of healthy servers all get traffic; 0: never.",
            ),
            ParamDef::count(
                "overprovisioning_factor",
                (100, 10000),
                "%",
                "140",
                "What the share of healthy servers of a priority is multiplied by.",
            ),
            ParamDef::flag(
                "fail_traffic_on_panic",
                "Whether nobody gets traffic in a panic.",
            ),
            ParamDef::span(
                "update_merge_window",
                Duration::ZERO,
                "1s",
                "Changes of health that come sooner after another wait so long; 0s: none does.",
            ),
            ParamDef::flag("health_checks", "Whether servers are checked."),
            ParamDef::span(
                "interval",
                Duration::from_millis(1),
                "5s",
                "Time between checks of a server, health_checks.interval; Envoy has no default.",
            ),
            ParamDef::span(
                "unhealthy_interval",
                Duration::ZERO,
                "0s",
                "The same of an unhealthy one; 0s: as `interval`.",
            ),
            ParamDef::span(
                "unhealthy_edge_interval",
                Duration::ZERO,
                "0s",
                "The same of one that has begun to fail; 0s: as `unhealthy_interval`.",
            ),
            ParamDef::span(
                "no_traffic_interval",
                Duration::ZERO,
                "0s",
                "The same until there has been traffic since it started, which Envoy does every 60s by default; 0s: there was before the scenario begins.",
            ),
            ParamDef::span(
                "check_timeout",
                Duration::from_millis(1),
                "2s",
                "An unanswered check has failed after this, health_checks.timeout; Envoy has no default.",
            ),
            ParamDef::count(
                "unhealthy_threshold",
                (1, 1000000),
                "checks",
                "3",
                "Unanswered checks in a row that take a server out; Envoy has no default.",
            ),
            ParamDef::count(
                "healthy_threshold",
                (1, 1000000),
                "checks",
                "2",
                "Checks in a row that bring it back; Envoy has no default.",
            ),
            ParamDef::flag(
                "outlier_detection",
                "Whether servers whose answers fail are ejected.",
            ),
            ParamDef::span(
                "outlier_interval",
                Duration::from_millis(1),
                "10s",
                "Time between sweeps, outlier_detection.interval.",
            ),
            ParamDef::count(
                "consecutive_5xx",
                (0, 1000000),
                "answers",
                "5",
                "Answers of 5xx in a row that eject; 0: never.",
            ),
            ParamDef::count(
                "consecutive_gateway_failure",
                (0, 1000000),
                "answers",
                "5",
                "Gateway failures in a row that eject, if that is enforced.",
            ),
            ParamDef::number(
                "enforcing_consecutive_gateway_failure",
                (0.0, 100.0),
                "%",
                "0",
                "How often they do.",
            ),
            ParamDef::number(
                "enforcing_success_rate",
                (0.0, 100.0),
                "%",
                "100",
                "How often a success rate far below the mean ejects.",
            ),
            ParamDef::number(
                "enforcing_failure_percentage",
                (0.0, 100.0),
                "%",
                "0",
                "How often a failure percentage that is too high ejects.",
            ),
            ParamDef::number(
                "failure_percentage_threshold",
                (0.0, 100.0),
                "%",
                "85",
                "What is too high.",
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
                (0.0, 100.0),
                "%",
                "10",
                "The share of servers that may be ejected.",
            ),
            ParamDef::flag(
                "always_eject_one_host",
                "Whether one may be ejected whatever its share.",
            ),
            ParamDef::flag(
                "locality_weighted",
                "Whether traffic is split among localities, the zones of the servers, by their weights: locality_weighted_lb_config.",
            ),
            ParamDef::span(
                "timeout",
                Duration::ZERO,
                "15s",
                "A request is given up after this, retries included: timeout of the route; 0s: never.",
            ),
            ParamDef {
                name: "retry_on",
                about: "What is tried again; nothing by default.",
                kind: ParamKind::Words(RETRY_ON),
                default: Some("[]"),
            },
            ParamDef::count("num_retries", (1, 999), "retries", "1", "How often."),
            ParamDef::span(
                "per_try_timeout",
                Duration::ZERO,
                "0s",
                "A try is given up after this; 0s: with the request only, so that what takes too long is never tried again.",
            ),
            ParamDef::span(
                "base_interval",
                Duration::from_millis(1),
                "25ms",
                "The first pause is shorter than this, retry_back_off.base_interval.",
            ),
            ParamDef::span(
                "max_interval",
                Duration::ZERO,
                "0s",
                "No pause is longer than this, retry_back_off.max_interval; 0s: ten times `base_interval`.",
            ),
            ParamDef::flag(
                "previous_hosts",
                "Whether a retry keeps away from servers that were tried, retry_host_predicate.",
            ),
            ParamDef::choice(
                "status",
                &[
                    "400", "404", "408", "409", "429", "500", "501", "502", "503", "504",
                ],
                "503",
                "The status of what servers answer with an error.",
            ),
            ParamDef::choice(
                "protocol",
                &["http1", "http2"],
                "http1",
                "Whether a request has a connection to its server to itself, or shares one.",
            ),
            ParamDef::count(
                "max_connections",
                (0, 4000000000),
                "requests",
                "1024",
                "Requests that have a connection, with HTTP/1.1; others wait.",
            ),
            ParamDef::count(
                "max_pending_requests",
                (0, 4000000000),
                "requests",
                "1024",
                "Requests that may wait for one.",
            ),
            ParamDef::count(
                "max_requests",
                (0, 4000000000),
                "requests",
                "1024",
                "Requests in flight.",
            ),
            ParamDef::count(
                "max_retries",
                (0, 4000000000),
                "retries",
                "3",
                "Retries at once, where there is no budget.",
            ),
            ParamDef::number(
                "budget_percent",
                (0.0, 100.0),
                "%",
                "0",
                "Retries at once as a share of requests in flight, retry_budget; 0: no budget.",
            ),
            ParamDef::count(
                "min_retry_concurrency",
                (0, 4000000000),
                "retries",
                "3",
                "Retries that a budget always allows.",
            ),
            ParamDef::span(
                "connect_timeout",
                Duration::from_millis(1),
                "5s",
                "A server that does not accept a connection within this has failed.",
            ),
            ParamDef::count(
                "max_tokens",
                (0, 1000000000),
                "requests",
                "0",
                "Local rate limit: requests at once after a pause; 0: no limit.",
            ),
            ParamDef::count(
                "tokens_per_fill",
                (1, 1000000000),
                "requests",
                "1",
                "Local rate limit: requests in each `fill_interval`.",
            ),
            ParamDef::span(
                "fill_interval",
                Duration::from_millis(50),
                "1s",
                "Local rate limit: the time for so many; tokens come one by one.",
            ),
            ParamDef::flag(
                "admission_control",
                "Whether requests are refused as fewer succeed, with the filter's defaults.",
            ),
            ParamDef::flag(
                "adaptive_concurrency",
                "Whether the number of requests follows their delay, with the filter's defaults.",
            ),
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
    if policy > 2 && params.flag("locality_weighted") {
        return problem(
            "locality_weighted",
            "with RING_HASH and MAGLEV `locality_weighted` multiplies the weights of hosts: write them at the servers",
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
    if params.flag("locality_weighted") {
        let factor = params.integer("overprovisioning_factor") as f64 / 100.0;
        let _ = writeln!(text, "by_zone = {{ overprovisioning = {factor} }}");
    }
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
             unhealthy_edge_interval = \"{}\", no_traffic_interval = \"{}\", timeout = \"{}\", unhealthy_threshold = {}, healthy_threshold = {} }},",
            params.span("interval"),
            params.span("unhealthy_interval"),
            params.span("unhealthy_edge_interval"),
            params.span("no_traffic_interval"),
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
