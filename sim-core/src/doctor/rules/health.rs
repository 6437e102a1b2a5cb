//! How it is found out that a server is ill.

use crate::doctor::facts::{active, balancer_path, dialect, server_path, services};
use crate::doctor::{Doubt, Rule, Trial};
use crate::model::{Model, Service};
use crate::readable::share;

/// A crash noticed only after so long is odd, in seconds.
const SLOW_S: f64 = 30.0;
/// The load at which probes begin to wait for long.
const FULL: f64 = 1.1;

/// Whether a balancer has a rule of one of these names.
fn has(service: &Service, names: &[&str]) -> bool {
    service
        .balancer
        .health
        .iter()
        .any(|rule| names.contains(&rule.def.row.name))
}

/// Rules that judge by what becomes of requests.
const PASSIVE: &[&str] = &[
    "max-fails",
    "outlier-detection",
    "envoy-outlier-detection",
    "grpc-outlier-detection",
    "fail-duration",
    "error-state",
    "grpc-connection-backoff",
];

pub(in crate::doctor) static NO_CHECKS: Rule = Rule {
    id: "no-checks",
    about: "Nothing tells the balancer that a server is down: a dead server keeps its share of requests.",
    source: "HAProxy 3.4, configuration manual: check; Traefik, Caddy and Envoy check nothing by default either",
    find: no_checks,
};

fn no_checks(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        let blind = service.balancer.checks().is_none() && !has(service, PASSIVE);
        if servers.len() < 2 || !blind {
            continue;
        }
        let cure = match service.balancer.dialect.as_ref().map(|d| d.def.row.name) {
            Some("haproxy") => vec![(balancer_path(service, "dialect.check"), "true".to_owned())],
            Some("envoy") => vec![(
                balancer_path(service, "dialect.health_checks"),
                "true".to_owned(),
            )],
            _ => vec![(balancer_path(service, "health"), "[\"checks\"]".to_owned())],
        };
        found.push(Doubt {
            path: balancer_path(service, "health"),
            says: format!(
                "nothing takes a server of {} out of rotation when it is down",
                service.name
            ),
            cure,
            trial: Trial::Lose(servers[0].0),
        });
    }
    found
}

pub(in crate::doctor) static CHECK_ONLY_CONNECTS: Rule = Rule {
    id: "check-only-connects",
    about: "A check that only opens a connection passes as long as the server accepts any, however long it takes to answer.",
    source: "HAProxy 3.4, configuration manual: check without option httpchk; measured: a hung server stays in rotation",
    find: check_only_connects,
};

fn check_only_connects(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        let of_haproxy = dialect(service, "haproxy")
            .is_some_and(|params| params.flag("check") && !params.flag("httpchk"));
        let (at, value) = if of_haproxy {
            (balancer_path(service, "dialect.httpchk"), "true")
        } else {
            let rule =
                service.balancer.health.iter().position(|rule| {
                    rule.def.row.name == "checks" && rule.params.choice("probe") == 1
                });
            match rule {
                Some(_) => (balancer_path(service, "health.checks.probe"), "\"request\""),
                None => continue,
            }
        };
        if servers.len() < 2 || has(service, PASSIVE) {
            continue;
        }
        found.push(Doubt {
            path: at.clone(),
            says: format!(
                "checks of {} open a connection and ask nothing",
                service.name
            ),
            cure: vec![(at, value.to_owned())],
            trial: Trial::Hang(servers[0].0),
        });
    }
    found
}

pub(in crate::doctor) static SLOW_CHECKS: Rule = Rule {
    id: "slow-checks",
    about: "Checks take long to find out that a server is down; until then it gets its share of requests.",
    source: "HAProxy 3.4, configuration manual: inter, fall",
    find: slow_checks,
};

fn slow_checks(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model).filter(|service| !has(service, PASSIVE)) {
        let servers = active(model, service);
        let rule = service
            .balancer
            .health
            .iter()
            .find(|rule| rule.def.row.name == "checks");
        let Some(rule) = rule.filter(|_| servers.len() > 1) else {
            continue;
        };
        let (interval, fall) = (rule.params.span("interval"), rule.params.integer("fall"));
        let takes_s = interval.as_secs_f64() * fall as f64;
        if takes_s < SLOW_S {
            continue;
        }
        let cure = match service.balancer.dialect.as_ref().map(|d| d.def.row.name) {
            Some("kube-proxy") => vec![(
                balancer_path(service, "dialect.period"),
                "\"2s\"".to_owned(),
            )],
            Some(_) => continue,
            None => vec![(
                balancer_path(service, "health.checks.interval"),
                "\"2s\"".to_owned(),
            )],
        };
        found.push(Doubt {
            path: cure[0].0.clone(),
            says: format!("{fall} checks, one each {interval}, must fail before a server of {} is out: {takes_s:.0} s", service.name),
            cure,
            trial: Trial::Lose(servers[0].0),
        });
    }
    found
}

pub(in crate::doctor) static NEVER_BANNED: Rule = Rule {
    id: "never-banned",
    about: "With max_fails=0 nginx never bans a server: one that is dead keeps its share, and each request that hits it pays for it.",
    source: "nginx 1.31, ngx_http_upstream_module: max_fails",
    find: never_banned,
};

fn never_banned(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        let zero = dialect(service, "nginx").is_some_and(|params| params.integer("max_fails") == 0);
        if !zero || servers.len() < 2 || service.balancer.checks().is_some() {
            continue;
        }
        let path = balancer_path(service, "dialect.max_fails");
        found.push(Doubt {
            says: format!("no failure bans a server of {}", service.name),
            cure: vec![(path.clone(), "1".to_owned())],
            path,
            trial: Trial::Lose(servers[0].0),
        });
    }
    found
}

pub(in crate::doctor) static NEVER_EJECTED: Rule = Rule {
    id: "never-ejected",
    about: "Envoy's max_ejection_percent of so few servers is less than one of them: outlier detection ejects nobody.",
    source: "Envoy 1.40, outlier_detection: max_ejection_percent, always_eject_one_host",
    find: never_ejected,
};

fn never_ejected(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        let Some(params) =
            dialect(service, "envoy").filter(|params| params.flag("outlier_detection"))
        else {
            continue;
        };
        let part = params.number("max_ejection_percent") / 100.0;
        if servers.len() < 2
            || params.flag("always_eject_one_host")
            || part * servers.len() as f64 >= 1.0
        {
            continue;
        }
        found.push(Doubt {
            path: balancer_path(service, "dialect.max_ejection_percent"),
            says: format!(
                "{} of the {} servers of {} may be ejected, which is none",
                share(part),
                servers.len(),
                service.name
            ),
            cure: vec![(
                balancer_path(service, "dialect.always_eject_one_host"),
                "true".to_owned(),
            )],
            trial: Trial::Lose(servers[0].0),
        });
    }
    found
}

pub(in crate::doctor) static LIVENESS_UNDER_LOAD: Rule = Rule {
    id: "liveness-under-load",
    about: "A liveness probe that waits in the server's queue fails when the server is busy: it is killed when it is needed most.",
    source: "Kubernetes 1.33, Configure Liveness, Readiness and Startup Probes: timeoutSeconds",
    find: liveness_under_load,
};

fn liveness_under_load(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        let probed = servers
            .iter()
            .find_map(|(_, server)| Some((server, server.params.liveness.as_ref()?)));
        let Some((server, probe)) =
            probed.filter(|(_, probe)| probe.probe == crate::health::Probe::Request)
        else {
            continue;
        };
        let path = server_path(service, server, "liveness.timeout");
        let cure = servers
            .iter()
            .filter(|(_, server)| server.params.liveness.is_some());
        found.push(Doubt {
            says: format!(
                "a liveness probe of {} waits like a request and kills after {} that took longer than {}",
                service.name, probe.fall, probe.timeout
            ),
            cure: cure.map(|(_, server)| (server_path(service, server, "liveness.probe"), "\"connect\"".to_owned())).collect(),
            path,
            trial: Trial::Load(FULL),
        });
    }
    found
}
