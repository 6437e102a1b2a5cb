//! Settings of health that are on and have no say, or the wrong one.

use crate::doctor::facts::{active, balancer_path, dialect, services};
use crate::doctor::{Doubt, Rule, Trial};
use crate::ids::Id;
use crate::load::peaks;
use crate::model::{Model, ServiceId};
use crate::readable::share;

pub(in crate::doctor) static NEVER_ENFORCED: Rule = Rule {
    id: "never-enforced",
    about: "Outlier detection finds servers whose answers fail and enforces nothing of it: it only counts them.",
    source: "Envoy 1.40, outlier_detection: enforcing_consecutive_5xx, enforcing_success_rate; gRPC, gRFC A50: enforcement_percentage",
    find: never_enforced,
};

/// The part of what Envoy finds that it enforces, by the switch and the count that it goes with.
const ENFORCING: [(&str, Option<&str>); 4] = [
    ("enforcing_consecutive_5xx", Some("consecutive_5xx")),
    (
        "enforcing_consecutive_gateway_failure",
        Some("consecutive_gateway_failure"),
    ),
    ("enforcing_success_rate", None),
    ("enforcing_failure_percentage", None),
];

fn never_enforced(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        if servers.len() < 2 || service.balancer.checks().is_some() {
            continue;
        }
        let rules = service.balancer.health.iter();
        let mends =
            |rule: &crate::extension::Configured<crate::health::HealthDef>| match rule.def.row.name
            {
                "envoy-outlier-detection" => {
                    let none = ENFORCING.iter().all(|(enforcing, count)| {
                        rule.params.number(enforcing) <= 0.0
                            || count.is_some_and(|count| rule.params.integer(count) == 0)
                    });
                    // In the dialect, what is counted is enforced.
                    none.then_some(match dialect(service, "envoy") {
                        Some(_) => ("dialect.consecutive_5xx", "5"),
                        None => (
                            "health.envoy-outlier-detection.enforcing_consecutive_5xx",
                            "100",
                        ),
                    })
                }
                "grpc-outlier-detection" => {
                    let none = rule.params.number("enforcement_percentage") <= 0.0;
                    none.then_some(match dialect(service, "grpc") {
                        Some(_) => ("dialect.enforcement_percentage", "100"),
                        None => (
                            "health.grpc-outlier-detection.enforcement_percentage",
                            "100",
                        ),
                    })
                }
                _ => None,
            };
        for (key, value) in rules.filter_map(mends) {
            let path = balancer_path(service, key);
            found.push(Doubt {
                says: format!(
                    "outlier detection before {} ejects nobody, whatever it finds",
                    service.name
                ),
                cure: vec![(path.clone(), value.to_owned())],
                path,
                trial: Trial::Lose(servers[0].0),
            });
        }
    }
    found
}

pub(in crate::doctor) static PANIC_FLOODS_THE_DEAD: Rule = Rule {
    id: "panic-floods-the-dead",
    about: "With too few healthy servers all get requests again, the dead as well, although those that are left could do it alone.",
    source: "Envoy 1.40, common_lb_config.healthy_panic_threshold, 50 % by default; with priorities it holds below 71 % at most",
    find: panic_floods_the_dead,
};

fn panic_floods_the_dead(model: &Model) -> Vec<Doubt> {
    let peaks = peaks(model);
    let mut found = Vec::new();
    for (number, service) in model.services.iter().enumerate() {
        let servers = active(model, service).len();
        let Some(peak) = peaks[number].filter(|_| servers > 1) else {
            continue;
        };
        // Only who is told of the dead can panic because of them.
        if service.balancer.checks().is_none() {
            continue;
        }
        let of_rule = || {
            let mut rules = service.balancer.health.iter();
            let rule = rules.find(|rule| rule.def.row.name == "panic")?;
            Some((rule.params.number("below"), "health.panic.below"))
        };
        let of_envoy = dialect(service, "envoy").map(|params| {
            // A priority level is not called too small while its healthy part, multiplied so, is all.
            let most = 100.0 / params.integer("overprovisioning_factor") as f64;
            let below = params.number("healthy_panic_threshold") / 100.0;
            (below.min(most), "dialect.healthy_panic_threshold")
        });
        let Some((below, key)) = of_envoy.or_else(of_rule) else {
            continue;
        };
        // The first loss at which it panics.
        let left = |lost: usize| (servers - lost) as f64 / servers as f64;
        let Some(lost) = (1..servers).find(|lost| left(*lost) < below) else {
            continue;
        };
        if peak.offered_load >= left(lost) {
            continue;
        }
        let path = balancer_path(service, key);
        found.push(Doubt {
            says: format!(
                "with {lost} of the {servers} servers of {} down the others can do {} of all and are asked for {}, and yet the dead get their share",
                service.name,
                share(left(lost)),
                share(peak.offered_load)
            ),
            cure: vec![(path.clone(), "0".to_owned())],
            path,
            trial: Trial::LoseSome(ServiceId::at(number), lost as u32),
        });
    }
    found
}
