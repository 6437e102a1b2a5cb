//! Health rules, guards and callers' rules of any balancer, as parameters of the dialect where they are the same.

use super::NO_LIMIT;
use super::params::{LIMITS, OUTLIER};
use crate::export::said::{Said, balancer, own_client, rules};
use crate::export::subject::{Subject, param};
use sim_core::model::Service;

pub(super) fn of_number(text: &str) -> f64 {
    text.parse().unwrap_or(0.0)
}

pub(super) fn health(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    let (rules, path) = rules(service, subject);
    for rule in rules {
        let row = &rule.def.row;
        let at = format!("{path}.{}", row.name);
        let of = |name| param(row, &rule.params, name);
        match row.name {
            "checks" | "envoy-health-checks" => {
                said.imply("health_checks", "true");
                let names: &[(&str, &str)] = if row.name == "checks" {
                    &[
                        ("interval", "interval"),
                        ("timeout", "check_timeout"),
                        ("fall", "unhealthy_threshold"),
                        ("rise", "healthy_threshold"),
                    ]
                } else {
                    &[
                        ("interval", "interval"),
                        ("timeout", "check_timeout"),
                        ("unhealthy_threshold", "unhealthy_threshold"),
                        ("healthy_threshold", "healthy_threshold"),
                        ("unhealthy_interval", "unhealthy_interval"),
                        ("unhealthy_edge_interval", "unhealthy_edge_interval"),
                        ("no_traffic_interval", "no_traffic_interval"),
                    ]
                };
                said.put_rule(rule, &path, names);
                said.put("probe", of("probe"), &format!("{at}.probe"));
            }
            "outlier-detection" => {
                said.imply("outlier_detection", "true");
                said.put_rule(
                    rule,
                    &path,
                    &[
                        ("consecutive", "consecutive_5xx"),
                        ("base", "base_ejection_time"),
                        ("max", "max_ejection_time"),
                    ],
                );
                let percent = of_number(&of("max_ejected")) * 100.0;
                said.put(
                    "max_ejection_percent",
                    percent.round().to_string(),
                    &format!("{at}.max_ejected"),
                );
                said.imply("enforcing_success_rate", "0");
            }
            "envoy-outlier-detection" => {
                said.imply("outlier_detection", "true");
                said.put_rule(rule, &path, &[("interval", "outlier_interval")]);
                let names: Vec<(&str, &str)> =
                    OUTLIER.iter().map(|(name, _)| (*name, *name)).collect();
                said.put_rule(rule, &path, &names);
            }
            "panic" => {
                let percent = of_number(&of("below")) * 100.0;
                said.put(
                    "healthy_panic_threshold",
                    percent.to_string(),
                    &format!("{at}.below"),
                );
                let fails = of("then") == "\"none\"";
                said.put(
                    "fail_traffic_on_panic",
                    fails.to_string(),
                    &format!("{at}.then"),
                );
            }
            "envoy-slow-start" => said.put_rule(
                rule,
                &path,
                &[
                    ("slow_start_window", "slow_start_window"),
                    ("aggression", "aggression"),
                    ("min_weight_percent", "min_weight_percent"),
                ],
            ),
            "envoy-priorities" => said.put_rule(
                rule,
                &path,
                &[
                    ("overprovisioning_factor", "overprovisioning_factor"),
                    ("healthy_panic_threshold", "healthy_panic_threshold"),
                    ("fail_traffic_on_panic", "fail_traffic_on_panic"),
                ],
            ),
            "update-merge-window" => {
                said.put_rule(rule, &path, &[("window", "update_merge_window")]);
            }
            _ => continue,
        }
        subject.take_kind(&at);
    }
    if !said.own {
        // The program panics, and lets changes of health wait, unless it is told otherwise.
        said.imply("healthy_panic_threshold", "0");
        said.imply("update_merge_window", "0s");
    }
}

pub(super) fn guards(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    let path = format!("{}.guards", balancer(service));
    let own = service
        .balancer
        .guards
        .iter()
        .find(|guard| guard.def.row.name == "envoy-circuit-breaker");
    if let Some(guard) = own.filter(|_| subject.says(&path)) {
        let names = [
            "protocol",
            "max_connections",
            "max_pending_requests",
            "max_requests",
        ];
        said.put_rule(guard, &path, &names.map(|name| (name, name)));
        subject.take_kind(&format!("{path}.envoy-circuit-breaker"));
    }
    if !said.own {
        for name in LIMITS {
            said.imply(name, NO_LIMIT);
        }
    }
}

pub(super) fn client(service: &Service, said: &mut Said, subject: &mut Subject<'_>) {
    let path = balancer(service);
    for (key, name) in [
        ("link.connect_timeout", "connect_timeout"),
        ("client.deadline", "timeout"),
        ("client.timeout", "per_try_timeout"),
    ] {
        let at = format!("{path}.{key}");
        if let Some(value) = subject.value(&at) {
            let value = if value == "\"none\"" { "0s" } else { value };
            said.put(name, value.to_owned(), &at);
        }
    }
    if !said.own {
        said.imply("timeout", "0s");
    }
    let retry = format!("{path}.client.retry");
    let client = own_client(service, subject.model);
    let Some(client) = client.filter(|_| subject.says(&format!("{path}.client"))) else {
        return;
    };
    if subject.says(&retry) {
        let row = &client.retry.def.row;
        let of = |name| param(row, &client.retry.params, name);
        match row.name {
            "envoy" => {
                subject.take_kind(&retry);
                let names = [
                    ("retry_on", "retry_on"),
                    ("base_interval", "base_interval"),
                    ("max_interval", "max_interval"),
                ];
                for (own, name) in names {
                    said.put(name, of(own), &format!("{retry}.{own}"));
                }
                let retries = of_number(&of("attempts")) - 1.0;
                said.put(
                    "num_retries",
                    retries.to_string(),
                    &format!("{retry}.attempts"),
                );
                let previous = of("avoid") == "\"all\"";
                said.put(
                    "previous_hosts",
                    previous.to_string(),
                    &format!("{retry}.avoid"),
                );
            }
            "none" => said.put("retry_on", "[]", &retry),
            _ => subject.refuse(&retry, "it tries again in another way: it does not here"),
        }
    }
    let list = format!("{path}.client.guards");
    let limit = client
        .guards
        .iter()
        .find(|guard| guard.def.row.name == "envoy-retry-limit");
    if let Some(limit) = limit.filter(|_| subject.says(&list)) {
        let names = ["max_retries", "budget_percent", "min_retry_concurrency"];
        said.put_rule(limit, &list, &names.map(|name| (name, name)));
        subject.take_kind(&format!("{list}.envoy-retry-limit"));
        subject.take(&format!("{list}.envoy-retry-limit.longest_pause"));
    }
}
