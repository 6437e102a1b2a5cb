//! Parameters of the dialect, as fields of a cluster.

use super::span;
use crate::export::said::Said;
use crate::export::yaml::{Map, Yaml, add, map, plain, text};

/// Limits of a cluster, and whether they stand in its budget of retries.
pub(super) const LIMITS: &[&str] = &[
    "max_connections",
    "max_pending_requests",
    "max_requests",
    "max_retries",
];

/// How a field is written.
#[derive(Clone, Copy)]
pub(super) enum As {
    Plain,
    Percent,
    Span,
}

/// Fields of outlier detection that are parameters of the dialect by the same name.
pub(super) const OUTLIER: &[(&str, As)] = &[
    ("consecutive_5xx", As::Plain),
    ("consecutive_gateway_failure", As::Plain),
    ("enforcing_consecutive_gateway_failure", As::Plain),
    ("enforcing_success_rate", As::Plain),
    ("enforcing_failure_percentage", As::Plain),
    ("failure_percentage_threshold", As::Plain),
    ("base_ejection_time", As::Span),
    ("max_ejection_time", As::Span),
    ("max_ejection_percent", As::Plain),
    ("always_eject_one_host", As::Plain),
];

/// Adds a field, if its parameter is said.
pub(super) fn field(fields: &mut Map, name: &str, param: &str, kind: As, said: &mut Said) {
    let value = match kind {
        As::Plain => said.number(param).map(plain),
        As::Percent => said.number(param).map(|number| percent(&number)),
        As::Span => said.span(param).map(span),
    };
    if let Some(value) = value {
        add(fields, name, value);
    }
}

pub(super) fn percent(number: &str) -> Yaml {
    map([("value", plain(number))])
}

/// What only some policies have.
pub(super) fn of_policy(policy: &str, said: &mut Said, fields: &mut Map) {
    let mut own = Map::new();
    let name = match policy {
        "ROUND_ROBIN" => "round_robin_lb_config",
        "LEAST_REQUEST" => {
            field(&mut own, "choice_count", "choice_count", As::Plain, said);
            if let Some(bias) = said.number("active_request_bias") {
                let value = map([
                    ("default_value", plain(bias)),
                    ("runtime_key", text("active_request_bias")),
                ]);
                add(&mut own, "active_request_bias", value);
            }
            "least_request_lb_config"
        }
        "RING_HASH" => {
            field(
                &mut own,
                "minimum_ring_size",
                "minimum_ring_size",
                As::Plain,
                said,
            );
            field(
                &mut own,
                "maximum_ring_size",
                "maximum_ring_size",
                As::Plain,
                said,
            );
            "ring_hash_lb_config"
        }
        "MAGLEV" => {
            field(&mut own, "table_size", "table_size", As::Plain, said);
            "maglev_lb_config"
        }
        _ => return,
    };
    if ["ROUND_ROBIN", "LEAST_REQUEST"].contains(&policy)
        && let Some(window) = said.some_span("slow_start_window")
    {
        let mut slow = Map::new();
        add(&mut slow, "slow_start_window", span(window));
        if let Some(aggression) = said.number("aggression") {
            let value = map([
                ("default_value", plain(aggression)),
                ("runtime_key", text("aggression")),
            ]);
            add(&mut slow, "aggression", value);
        }
        field(
            &mut slow,
            "min_weight_percent",
            "min_weight_percent",
            As::Percent,
            said,
        );
        add(&mut own, "slow_start_config", Yaml::Map(slow));
    }
    if !own.is_empty() {
        add(fields, name, Yaml::Map(own));
    }
}

pub(super) fn common(hashes: bool, said: &mut Said, fields: &mut Map) {
    let mut own = Map::new();
    field(
        &mut own,
        "healthy_panic_threshold",
        "healthy_panic_threshold",
        As::Percent,
        said,
    );
    field(
        &mut own,
        "update_merge_window",
        "update_merge_window",
        As::Span,
        said,
    );
    if hashes
        && said
            .number("hash_balance_factor")
            .is_some_and(|factor| factor != "0")
    {
        let mut hash = Map::new();
        field(
            &mut hash,
            "hash_balance_factor",
            "hash_balance_factor",
            As::Plain,
            said,
        );
        add(&mut own, "consistent_hashing_lb_config", Yaml::Map(hash));
    }
    // One or the other.
    if said.flag("locality_weighted") {
        add(&mut own, "locality_weighted_lb_config", map([]));
    } else if said.flag("fail_traffic_on_panic") {
        add(
            &mut own,
            "zone_aware_lb_config",
            map([("fail_traffic_on_panic", plain(true))]),
        );
    }
    if !own.is_empty() {
        add(fields, "common_lb_config", Yaml::Map(own));
    }
}

pub(super) fn limits(said: &mut Said, fields: &mut Map) {
    let mut own = Map::new();
    for name in LIMITS {
        field(&mut own, name, name, As::Plain, said);
    }
    if said
        .number("budget_percent")
        .is_some_and(|percent| percent != "0")
    {
        let mut budget = Map::new();
        field(
            &mut budget,
            "budget_percent",
            "budget_percent",
            As::Percent,
            said,
        );
        field(
            &mut budget,
            "min_retry_concurrency",
            "min_retry_concurrency",
            As::Plain,
            said,
        );
        add(&mut own, "retry_budget", Yaml::Map(budget));
    }
    if !own.is_empty() {
        add(
            fields,
            "circuit_breakers",
            map([("thresholds", Yaml::List(vec![Yaml::Map(own)]))]),
        );
    }
}

pub(super) fn outliers(said: &mut Said, fields: &mut Map) {
    if !said.flag("outlier_detection") {
        return;
    }
    let mut own = Map::new();
    field(&mut own, "interval", "outlier_interval", As::Span, said);
    for (name, kind) in OUTLIER {
        field(&mut own, name, name, *kind, said);
    }
    add(fields, "outlier_detection", Yaml::Map(own));
}

pub(super) fn checks(said: &mut Said, fields: &mut Map) {
    if !said.flag("health_checks") {
        return;
    }
    // The program has no default for these; the dialect has.
    for (name, usual) in [
        ("interval", "5s"),
        ("check_timeout", "2s"),
        ("unhealthy_threshold", "3"),
        ("healthy_threshold", "2"),
    ] {
        said.imply(name, usual);
    }
    let mut own = Map::new();
    for (name, param, kind) in [
        ("timeout", "check_timeout", As::Span),
        ("interval", "interval", As::Span),
        ("unhealthy_threshold", "unhealthy_threshold", As::Plain),
        ("healthy_threshold", "healthy_threshold", As::Plain),
    ] {
        field(&mut own, name, param, kind, said);
    }
    for name in [
        "unhealthy_interval",
        "unhealthy_edge_interval",
        "no_traffic_interval",
    ] {
        if let Some(value) = said.some_span(name) {
            add(&mut own, name, span(value));
        }
    }
    if said.word("probe").as_deref() == Some("connect") {
        add(&mut own, "tcp_health_check", map([]));
    } else {
        add(&mut own, "http_health_check", map([("path", text("/"))]));
    }
    add(fields, "health_checks", Yaml::List(vec![Yaml::Map(own)]));
}
