//! Tries that make overload worse, or help nobody.

use crate::doctor::facts::{active, attempts, balancer_path, callers, client, dialect, services};
use crate::doctor::{Doubt, Rule, Trial};
use crate::ids::Id;
use crate::model::{Model, Service};

/// So many attempts for one request, over all layers, are odd.
const ATTEMPTS: u64 = 4;
/// The load at which they show.
const FULL: f64 = 1.1;

pub(in crate::doctor) static TRIES_MULTIPLY: Rule = Rule {
    id: "tries-multiply",
    about: "Each layer tries again by itself: their attempts multiply, and a service that is slow gets many times its load.",
    source: "Brooker, Timeouts, retries and backoff with jitter, Amazon Builders' Library, 2019",
    find: tries_multiply,
};

/// The most attempts that one request from outside can become at a service, and the paths of the tries on that way.
fn most(model: &Model, service: usize, depth: usize) -> (u64, Vec<String>) {
    if depth > model.services.len() {
        return (1, Vec::new());
    }
    let own = &model.services[service];
    let mut best = (1, Vec::new());
    for source in model
        .sources
        .iter()
        .filter(|source| source.to.position() == service)
    {
        let tries = source
            .clients
            .iter()
            .map(|id| attempts(client(model, *id)))
            .max()
            .unwrap_or(1);
        if tries > best.0 {
            best = (tries, vec![format!("traffic.{}.client.retry", source.name)]);
        }
    }
    for (index, other) in model.services.iter().enumerate() {
        for call in other
            .calls
            .iter()
            .filter(|call| call.to.position() == service)
        {
            let tries = attempts(client(model, call.client));
            let (above, mut paths) = most(model, index, depth + 1);
            let all = above.saturating_mul(tries);
            if all > best.0 {
                if tries > 1 {
                    paths.push(format!(
                        "service.{}.call.{}.client.retry",
                        other.name, own.name
                    ));
                }
                best = (all, paths);
            }
        }
    }
    best
}

fn tries_multiply(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for (index, service) in model.services.iter().enumerate() {
        let (attempts, paths) = most(model, index, 0);
        if attempts < ATTEMPTS || paths.len() < 2 || service.servers.is_empty() {
            continue;
        }
        // The outermost goes on trying.
        let cure = paths[1..]
            .iter()
            .map(|path| (path.clone(), "\"none\"".to_owned()));
        found.push(Doubt {
            path: paths[1].clone(),
            says: format!(
                "{} layers try again: one request can become {attempts} at {}",
                paths.len(),
                service.name
            ),
            cure: cure.collect(),
            trial: Trial::Load(FULL),
        });
    }
    found
}

/// Callers of a service that try again.
fn tries<'m>(model: &'m Model, service: &Service) -> Vec<(String, &'m crate::model::Client)> {
    let all = callers(model, service).into_iter();
    all.filter(|(_, client)| client.tries_again()).collect()
}

pub(in crate::doctor) static NO_PAUSE: Rule = Rule {
    id: "no-pause",
    about: "Tries come after no pause, or after the same for all: they come in waves, and at once when there is least room.",
    source: "Brooker, Exponential Backoff And Jitter, AWS Architecture Blog, 2015",
    find: no_pause,
};

fn no_pause(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        for (path, client) in tries(model, service) {
            let kind = client.retry.def.row.name;
            let odd = match kind {
                "fixed" => true,
                "exponential-backoff" => client.retry.params.choice("jitter") == 0,
                _ => false,
            };
            if !odd {
                continue;
            }
            let attempts = attempts(client);
            let cure = format!(
                "{{ kind = \"exponential-backoff\", attempts = {attempts}, jitter = \"full\" }}"
            );
            found.push(Doubt {
                path: format!("{path}.retry"),
                says: format!(
                    "callers of {} try {} times more, after pauses that are the same for all",
                    service.name,
                    attempts - 1
                ),
                cure: vec![(format!("{path}.retry"), cure)],
                trial: Trial::Load(FULL),
            });
        }
    }
    found
}

pub(in crate::doctor) static NO_BUDGET: Rule = Rule {
    id: "no-budget",
    about: "Nothing limits tries to a share of requests: when all fail, all are tried again, and the load is multiplied as long as it is too high.",
    source: "Beyer et al., Site Reliability Engineering, 2016, chapter 21, Handling Overload: retry budgets",
    find: no_budget,
};

/// Guards that keep tries within bounds.
const BUDGETS: &[&str] = &[
    "retry-budget",
    "tower-budget",
    "aws-retry-tokens",
    "grpc-retry-throttle",
    "envoy-retry-limit",
    "adaptive-throttle",
    "circuit-breaker",
    "botocore-rate-limiter",
];

fn no_budget(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        for (path, client) in tries(model, service) {
            let bounded = client
                .guards
                .iter()
                .any(|guard| BUDGETS.contains(&guard.def.row.name));
            if bounded {
                continue;
            }
            found.push(Doubt {
                path: format!("{path}.retry"),
                says: format!(
                    "callers of {} make up to {} attempts for each request, however many fail",
                    service.name,
                    attempts(client)
                ),
                cure: vec![(
                    format!("{path}.guards"),
                    "[{ kind = \"retry-budget\", ratio = \"10%\" }]".to_owned(),
                )],
                trial: Trial::Load(FULL),
            });
        }
    }
    found
}

pub(in crate::doctor) static SAME_SERVER: Rule = Rule {
    id: "same-server",
    about: "HAProxy without option redispatch tries the same server again, with a second's pause before each, though others are up.",
    source: "HAProxy 3.4, configuration manual: retries, option redispatch",
    find: same_server,
};

fn same_server(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        let Some(params) = dialect(service, "haproxy") else {
            continue;
        };
        if servers.len() < 2 || params.integer("retries") == 0 || params.choice("redispatch") != 0 {
            continue;
        }
        let path = balancer_path(service, "dialect.redispatch");
        found.push(Doubt {
            says: format!(
                "{} further tries of {} go to the server that has just refused",
                params.integer("retries"),
                service.name
            ),
            cure: vec![(path.clone(), "\"1\"".to_owned())],
            path,
            trial: Trial::Lose(servers[0].0),
        });
    }
    found
}

pub(in crate::doctor) static NO_TRY_TIMEOUT: Rule = Rule {
    id: "no-try-timeout",
    about: "Envoy's route tries again and has no per_try_timeout: what takes too long is never tried again, and uses up the whole time-out.",
    source: "Envoy 1.40, RetryPolicy: per_try_timeout",
    find: no_try_timeout,
};

fn no_try_timeout(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        let Some(params) = dialect(service, "envoy") else {
            continue;
        };
        let timeout = params.span("timeout");
        if params.words("retry_on") == 0
            || !params.span("per_try_timeout").is_zero()
            || timeout.is_zero()
            || servers.len() < 2
        {
            continue;
        }
        let each = crate::time::Duration(timeout.0 / (params.integer("num_retries") + 1));
        let path = balancer_path(service, "dialect.per_try_timeout");
        found.push(Doubt {
            says: format!("a try at {} may take the whole {timeout} of its route, and then there is no time for another", service.name),
            cure: vec![(path.clone(), format!("\"{each}\""))],
            path,
            trial: Trial::Hang(servers[0].0),
        });
    }
    found
}
