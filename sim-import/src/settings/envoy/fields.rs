//! Fields of clusters: which parameter of the dialect each is, and which are none.

use super::proto::{As, Table};

/// Fields of a cluster that are parameters of the dialect as they are.
pub(super) const CLUSTER: Table = &[
    (&["connect_timeout"], "connect_timeout", As::Span),
    (
        &["least_request_lb_config", "choice_count"],
        "choice_count",
        As::Count,
    ),
    (
        &["least_request_lb_config", "active_request_bias"],
        "active_request_bias",
        As::Number,
    ),
    (
        &["ring_hash_lb_config", "minimum_ring_size"],
        "minimum_ring_size",
        As::Count,
    ),
    (
        &["ring_hash_lb_config", "maximum_ring_size"],
        "maximum_ring_size",
        As::Count,
    ),
    (&["maglev_lb_config", "table_size"], "table_size", As::Count),
    (
        &["common_lb_config", "healthy_panic_threshold"],
        "healthy_panic_threshold",
        As::Number,
    ),
    (
        &["common_lb_config", "update_merge_window"],
        "update_merge_window",
        As::Span,
    ),
    (
        &[
            "common_lb_config",
            "zone_aware_lb_config",
            "fail_traffic_on_panic",
        ],
        "fail_traffic_on_panic",
        As::Flag,
    ),
    (
        &[
            "common_lb_config",
            "consistent_hashing_lb_config",
            "hash_balance_factor",
        ],
        "hash_balance_factor",
        As::Number,
    ),
    (
        &["load_assignment", "policy", "overprovisioning_factor"],
        "overprovisioning_factor",
        As::Count,
    ),
];

/// Of a slow start.
pub(super) const SLOW_START: Table = &[
    (&["slow_start_window"], "slow_start_window", As::Span),
    (&["aggression"], "aggression", As::Number),
    (&["min_weight_percent"], "min_weight_percent", As::Number),
];

/// Of the limits of a priority.
pub(super) const BREAKER: Table = &[
    (&["max_connections"], "max_connections", As::Count),
    (&["max_pending_requests"], "max_pending_requests", As::Count),
    (&["max_requests"], "max_requests", As::Count),
    (&["max_retries"], "max_retries", As::Count),
    (
        &["retry_budget", "budget_percent"],
        "budget_percent",
        As::Number,
    ),
    (
        &["retry_budget", "min_retry_concurrency"],
        "min_retry_concurrency",
        As::Count,
    ),
];

/// Of outlier detection.
pub(super) const OUTLIER: Table = &[
    (&["interval"], "outlier_interval", As::Span),
    (&["consecutive_5xx"], "consecutive_5xx", As::Count),
    (
        &["consecutive_gateway_failure"],
        "consecutive_gateway_failure",
        As::Count,
    ),
    (
        &["enforcing_consecutive_gateway_failure"],
        "enforcing_consecutive_gateway_failure",
        As::Number,
    ),
    (
        &["enforcing_success_rate"],
        "enforcing_success_rate",
        As::Number,
    ),
    (
        &["enforcing_failure_percentage"],
        "enforcing_failure_percentage",
        As::Number,
    ),
    (
        &["failure_percentage_threshold"],
        "failure_percentage_threshold",
        As::Number,
    ),
    (&["base_ejection_time"], "base_ejection_time", As::Span),
    (&["max_ejection_time"], "max_ejection_time", As::Span),
    (
        &["max_ejection_percent"],
        "max_ejection_percent",
        As::Number,
    ),
    (
        &["always_eject_one_host"],
        "always_eject_one_host",
        As::Flag,
    ),
];

/// Fields of outlier detection that the dialect has no parameter for.
pub(super) const OUTLIER_MISSING: &[&str] = &[
    "enforcing_consecutive_5xx",
    "success_rate_minimum_hosts",
    "success_rate_request_volume",
    "success_rate_stdev_factor",
    "failure_percentage_minimum_hosts",
    "failure_percentage_request_volume",
    "split_external_local_origin_errors",
    "consecutive_local_origin_failure",
    "max_ejection_time_jitter",
    "successful_active_health_check_uneject_host",
    "monitors",
];

/// Of a health check.
pub(super) const CHECK: Table = &[
    (&["interval"], "interval", As::Span),
    (&["timeout"], "check_timeout", As::Span),
    (&["unhealthy_threshold"], "unhealthy_threshold", As::Count),
    (&["healthy_threshold"], "healthy_threshold", As::Count),
    (&["unhealthy_interval"], "unhealthy_interval", As::Span),
    (
        &["unhealthy_edge_interval"],
        "unhealthy_edge_interval",
        As::Span,
    ),
];

/// Those of a check that the dialect has no parameter for, or that do not count for an Envoy that has had traffic, with which
/// a scenario begins.
pub(super) const CHECK_MISSING: &[&str] = &[
    "no_traffic_interval",
    "no_traffic_healthy_interval",
    "healthy_edge_interval",
    "initial_jitter",
    "interval_jitter",
    "interval_jitter_percent",
    "reuse_connection",
    "always_log_health_check_failures",
];

/// Fields of a cluster that have a bearing on load and are not simulated.
pub(super) const CLUSTER_MISSING: &[(&str, &str)] = &[
    (
        "lb_subset_config",
        "subsets of servers by what a route asks for",
    ),
    (
        "dns_refresh_rate",
        "names that are resolved again while it runs",
    ),
    (
        "respect_dns_ttl",
        "names that are resolved again while it runs",
    ),
    (
        "upstream_connection_options",
        "connections that break unnoticed",
    ),
    (
        "preconnect_policy",
        "connections that are opened before they are needed",
    ),
    (
        "close_connections_on_host_health_failure",
        "connections that are cut when a check fails",
    ),
    (
        "ignore_health_on_host_removal",
        "servers that leave while it runs",
    ),
    (
        "max_requests_per_connection",
        "connections that are closed after so many requests",
    ),
    (
        "common_http_protocol_options",
        "ages and idle times of connections",
    ),
    ("transport_socket", ""),
];
