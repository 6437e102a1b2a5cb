//! Time that is too long, or that is not given.

use crate::doctor::facts::{active, balancer_path, callers, client, mean_demand_s, services};
use crate::doctor::{Doubt, Rule, Trial};
use crate::model::Model;
use crate::time::Duration;

/// A time-out so many times the mean time of a request is long.
const LONG: f64 = 100.0;
/// The load at which servers work for those who have left.
const FULL: f64 = 1.1;

pub(in crate::doctor) static SLOW_START_IGNORED: Rule = Rule {
    id: "slow-start-ignored",
    about: "Slow start changes weights, and the policy ignores them: a server that has just started gets its full share while it is cold.",
    source: "HAProxy 3.4, configuration manual: slowstart, balance static-rr; Envoy 1.40: slow_start_config works with round robin and least request",
    find: slow_start_ignored,
};

/// A policy that heeds weights and is otherwise like another.
fn weighed(policy: &str) -> &'static str {
    match policy {
        "random" => "weighted-random",
        _ => "weighted-round-robin",
    }
}

fn slow_start_ignored(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        let policy = service.balancer.policy.def;
        let mut rules = service.balancer.health.iter();
        let slow = rules.any(|rule| rule.def.weighs);
        let cold = servers.iter().find(|(_, s)| s.params.warm_up.is_some());
        let Some((id, server)) = cold.filter(|_| slow && !policy.heeds_weights) else {
            continue;
        };
        if servers.len() < 2 || service.balancer.dialect.is_some() {
            continue;
        }
        let path = balancer_path(service, "policy");
        found.push(Doubt {
            says: format!(
                "{} is cold when it starts, and {} gives it the share of a warm one",
                server.name, policy.row.name
            ),
            cure: vec![(path.clone(), format!("\"{}\"", weighed(policy.row.name)))],
            path,
            trial: Trial::Restart(*id),
        });
    }
    found
}

pub(in crate::doctor) static LONG_TIMEOUT: Rule = Rule {
    id: "long-timeout",
    about: "The balancer waits for a server far longer than any request takes: one that hangs holds requests and connections all that time.",
    source: "nginx 1.31: proxy_read_timeout, 60 s by default; HAProxy 3.4: timeout server",
    find: long_timeout,
};

fn long_timeout(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        let demand_s = mean_demand_s(service);
        let own = service.balancer.client.as_ref().map(|own| own.client);
        let Some(id) = own.filter(|_| servers.len() > 1 && demand_s > 0.0) else {
            continue;
        };
        let Some(timeout) = client(model, id)
            .timeout
            .filter(|t| t.as_secs_f64() > LONG * demand_s)
        else {
            continue;
        };
        let fits = Duration::from_secs_f64((demand_s * LONG / 4.0).max(0.1));
        found.push(Doubt {
            path: balancer_path(service, "client.timeout"),
            says: format!(
                "{} is waited for {timeout}, {:.0} times what a request takes",
                service.name,
                timeout.as_secs_f64() / demand_s
            ),
            cure: vec![(
                balancer_path(service, "client.timeout"),
                format!("\"{fits}\""),
            )],
            trial: Trial::Hang(servers[0].0),
        });
    }
    found
}

pub(in crate::doctor) static WORKS_FOR_NOBODY: Rule = Rule {
    id: "works-for-nobody",
    about: "Callers give up and their requests are worked on all the same: when it is busy, a service works for those who have left.",
    source: "Beyer et al., Site Reliability Engineering, 2016, chapter 22: deadline propagation",
    find: works_for_nobody,
};

fn works_for_nobody(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        for (path, client) in callers(model, service) {
            let Some(timeout) = client.timeout.filter(|_| !client.cancel) else {
                continue;
            };
            found.push(Doubt {
                path: format!("{path}.timeout"),
                says: format!(
                    "who gives up on {} after {timeout} leaves work behind that nobody waits for",
                    service.name
                ),
                cure: vec![(format!("{path}.cancel"), "true".to_owned())],
                trial: Trial::Load(FULL),
            });
        }
    }
    found
}
