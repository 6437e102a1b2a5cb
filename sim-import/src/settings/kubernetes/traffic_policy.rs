//! Traffic policies of Istio, in the words of Envoy's dialect.

use crate::settings::system::{Key, Kind, Service, System};
use crate::settings::yaml::Node;
use sim_core::scenario::quoted;
use sim_core::time::Duration;

/// A duration as Go writes it: `500ms`, `1m30s`.
pub(super) fn span(node: &Node) -> Option<String> {
    let span = Duration::parse(node.text()?.trim()).ok()?;
    Some(format!("\"{span}\""))
}

/// What a traffic policy says of how a host is called.
pub(super) fn traffic_policy(policy: &Node, service: &mut Service, system: &mut System) {
    if let Some(balancer) = policy.get("loadBalancer") {
        // It is replaced as a whole.
        service
            .params
            .retain(|key| key.path != "lb_policy" && key.path != "slow_start_window");
        load_balancer(balancer, service, system);
    }
    let mut said = |path: &[&str], param: &str, spans: bool| {
        let Some(node) = policy.at(path) else {
            return;
        };
        let value = if spans {
            span(node)
        } else {
            node.as_number().map(|n| n.to_string())
        };
        match value {
            Some(value) => service.params.push(Key::said(param, value, &node.place)),
            None => system.remark(
                Kind::Missing,
                &node.place,
                path.join("."),
                "its value cannot be read: the default holds",
            ),
        }
    };
    said(
        &["connectionPool", "tcp", "maxConnections"],
        "max_connections",
        false,
    );
    said(
        &["connectionPool", "tcp", "connectTimeout"],
        "connect_timeout",
        true,
    );
    said(
        &["connectionPool", "http", "http1MaxPendingRequests"],
        "max_pending_requests",
        false,
    );
    said(
        &["connectionPool", "http", "http2MaxRequests"],
        "max_requests",
        false,
    );
    said(
        &["connectionPool", "http", "maxRetries"],
        "max_retries",
        false,
    );
    if let Some(node) = policy.at(&["connectionPool", "http", "maxRequestsPerConnection"]) {
        system.remark(
            Kind::Missing,
            &node.place,
            "maxRequestsPerConnection",
            "connections that are closed after so many requests",
        );
    }
    if let Some(outlier) = policy.get("outlierDetection") {
        outlier_detection(outlier, service, system);
    }
    for name in ["portLevelSettings", "tls", "tunnel"] {
        if let Some(node) = policy.get(name) {
            let kind = if name == "tls" {
                Kind::Ignored
            } else {
                Kind::Missing
            };
            system.remark(kind, &node.place, name, "");
        }
    }
}

fn load_balancer(balancer: &Node, service: &mut Service, system: &mut System) {
    if let Some(simple) = balancer.get("simple") {
        let word = simple.text().unwrap_or_default();
        let policy = match word.as_str() {
            "ROUND_ROBIN" => "ROUND_ROBIN",
            "RANDOM" => "RANDOM",
            "LEAST_CONN" | "LEAST_REQUEST" | "UNSPECIFIED" => "LEAST_REQUEST",
            _ => {
                system.remark(
                    Kind::Missing,
                    &simple.place,
                    format!("loadBalancer {word}"),
                    "least requests is taken, Istio's default",
                );
                "LEAST_REQUEST"
            }
        };
        service
            .params
            .push(Key::said("lb_policy", quoted(policy), &simple.place));
    } else if let Some(hash) = balancer.get("consistentHash") {
        service
            .params
            .push(Key::said("lb_policy", "\"RING_HASH\"", &hash.place));
        if let Some(size) = hash
            .at(&["ringHash", "minimumRingSize"])
            .or_else(|| hash.get("minimumRingSize"))
        {
            service.params.extend(
                size.as_number()
                    .map(|n| Key::said("minimum_ring_size", n, &size.place)),
            );
        }
    }
    let warm = balancer
        .get("warmupDurationSecs")
        .or_else(|| balancer.at(&["warmup", "duration"]));
    if let Some(warm) = warm {
        service
            .params
            .extend(span(warm).map(|span| Key::said("slow_start_window", span, &warm.place)));
    }
    if let Some(local) = balancer.get("localityLbSetting") {
        system.remark(
            Kind::Missing,
            &local.place,
            "localityLbSetting",
            "requests that stay near where they come from",
        );
    }
}

fn outlier_detection(outlier: &Node, service: &mut Service, system: &mut System) {
    let place = &outlier.place;
    let params = &mut service.params;
    params.push(Key::said("outlier_detection", "true", place));
    // Istio turns off what it does not name.
    params.push(Key::implied("enforcing_success_rate", 0));
    let mut said = |name: &str, param: &str, spans: bool| {
        let Some(node) = outlier.get(name) else {
            return false;
        };
        let value = if spans {
            span(node)
        } else {
            node.as_number().map(|n| n.to_string())
        };
        if let Some(value) = value {
            params.push(Key::said(param, value, &node.place));
        }
        true
    };
    said("consecutiveErrors", "consecutive_5xx", false);
    said("consecutive5xxErrors", "consecutive_5xx", false);
    let gateway = said(
        "consecutiveGatewayErrors",
        "consecutive_gateway_failure",
        false,
    );
    said("interval", "outlier_interval", true);
    said("baseEjectionTime", "base_ejection_time", true);
    said("maxEjectionPercent", "max_ejection_percent", false);
    if gateway {
        params.push(Key::implied("enforcing_consecutive_gateway_failure", 100));
    }
    let panic = outlier.get("minHealthPercent");
    match panic.map(|node| (node, node.as_number())) {
        Some((node, Some(percent))) => {
            params.push(Key::said("healthy_panic_threshold", percent, &node.place));
        }
        _ => params.push(Key::implied("healthy_panic_threshold", 0)),
    }
    if let Some(node) = outlier.get("splitExternalLocalOriginErrors") {
        system.remark(
            Kind::Missing,
            &node.place,
            "splitExternalLocalOriginErrors",
            "errors of a proxy's own count as a server's",
        );
    }
}
