//! Limits that are missing, or that protect nothing.

use crate::doctor::facts::{
    active, balancer_path, dialect, mean_demand_s, server_path, services, strength,
};
use crate::doctor::{Doubt, Rule, Trial};
use crate::load::peaks;
use crate::model::Model;

/// The load at which limits are met.
const FULL: f64 = 1.3;
/// Places in a queue for each worker that are plenty.
const PLACES: u32 = 10;
/// A queue of so many requests is without end for all that matters.
const ENDLESS: u32 = 1_000_000;

pub(in crate::doctor) static QUEUE_WITHOUT_END: Rule = Rule {
    id: "queue-without-end",
    about: "A server's queue has no limit: when more comes than it can do, all wait longer and longer, and none is told to go elsewhere.",
    source: "Beyer et al., Site Reliability Engineering, 2016, chapter 22: queue management",
    find: queue_without_end,
};

fn queue_without_end(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        let endless = servers.iter().filter(|(_, server)| {
            server.params.queue_limit >= ENDLESS && server.params.max_connections.is_none()
        });
        let endless: Vec<_> = endless.collect();
        let Some((_, first)) = endless.first() else {
            continue;
        };
        let cure = endless.iter().map(|(_, server)| {
            let places = server.params.workers.saturating_mul(PLACES);
            (
                server_path(service, server, "queue.limit"),
                places.to_string(),
            )
        });
        found.push(Doubt {
            path: server_path(service, first, "queue.limit"),
            says: format!(
                "{} of {} servers of {} queue without end",
                endless.len(),
                servers.len(),
                service.name
            ),
            cure: cure.collect(),
            trial: Trial::Load(FULL),
        });
    }
    found
}

pub(in crate::doctor) static NO_CONNECTION_LIMIT: Rule = Rule {
    id: "no-connection-limit",
    about: "HAProxy's servers have no maxconn: what is too much piles up at the servers, where it does harm, and not in HAProxy, where it can wait or go elsewhere.",
    source: "HAProxy 3.4, configuration manual: maxconn of servers",
    find: no_connection_limit,
};

fn no_connection_limit(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        let none: Vec<_> = servers
            .iter()
            .filter(|(_, server)| server.params.max_connections.is_none())
            .collect();
        let Some((_, first)) = none
            .first()
            .filter(|_| dialect(service, "haproxy").is_some())
        else {
            continue;
        };
        let cure = none.iter().map(|(_, server)| {
            (
                server_path(service, server, "max_connections"),
                server.params.workers.saturating_mul(2).to_string(),
            )
        });
        found.push(Doubt {
            path: server_path(service, first, "max_connections"),
            says: format!(
                "{} of {} servers of {} have no maxconn",
                none.len(),
                servers.len(),
                service.name
            ),
            cure: cure.collect(),
            trial: Trial::Load(FULL),
        });
    }
    found
}

pub(in crate::doctor) static BREAKER_TOO_HIGH: Rule = Rule {
    id: "breaker-too-high",
    about: "Envoy's circuit breakers allow far more requests than its servers can work on: they protect nothing.",
    source: "Envoy 1.40, circuit_breakers: 1024 connections, pending requests and requests by default",
    find: breaker_too_high,
};

/// Requests in flight for each worker, at most, that still make sense.
const DEEP: f64 = 10.0;

fn breaker_too_high(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        let Some(params) = dialect(service, "envoy") else {
            continue;
        };
        let workers: f64 = servers.iter().map(|(_, server)| strength(server)).sum();
        let allowed = params.integer("max_requests");
        if workers <= 0.0 || (allowed as f64) < DEEP * workers {
            continue;
        }
        let fits = (workers * 3.0).ceil();
        found.push(Doubt {
            path: balancer_path(service, "dialect.max_requests"),
            says: format!("{allowed} requests at once are let through to {}, whose servers work on {workers:.0}", service.name),
            cure: ["max_requests", "max_connections", "max_pending_requests"].map(|name| (balancer_path(service, &format!("dialect.{name}")), fits.to_string())).to_vec(),
            trial: Trial::Load(FULL),
        });
    }
    found
}

pub(in crate::doctor) static BALANCER_FULL: Rule = Rule {
    id: "balancer-full",
    about: "The balancer holds fewer connections than are open when a server is slow: it turns away what the servers could do.",
    source: "nginx 1.31: worker_connections; HAProxy 3.4: global maxconn",
    find: balancer_full,
};

fn balancer_full(model: &Model) -> Vec<Doubt> {
    let peaks = peaks(model);
    let mut found = Vec::new();
    for (index, service) in model.services.iter().enumerate() {
        let servers = active(model, service);
        let (Some(most), Some(peak)) = (service.balancer.max_connections, peaks[index]) else {
            continue;
        };
        let held = u64::from(most) * u64::from(service.balancer.instances);
        let open = peak.capacity_hz * peak.offered_load * mean_demand_s(service);
        // One slow server holds its share of requests ten times as long.
        let slow = open * (1.0 + 9.0 / servers.len().max(1) as f64);
        if servers.len() < 2 || (held as f64) > 2.0 * slow {
            continue;
        }
        let path = balancer_path(service, "max_connections");
        found.push(Doubt {
            says: format!("the balancer of {} holds {held} connections; {open:.0} are open at its peak, and {slow:.0} when one server is ten times slower", service.name),
            cure: vec![(path.clone(), (most.saturating_mul(10)).to_string())],
            path,
            trial: Trial::Slow(servers[0].0, 0.1),
        });
    }
    found
}

pub(in crate::doctor) static MEMORY_BEFORE_LIMIT: Rule = Rule {
    id: "memory-before-limit",
    about: "With as many requests as its limits allow, a server needs more memory than it has: it is killed before they protect it.",
    source: "Beyer et al., Site Reliability Engineering, 2016, chapter 22: resource exhaustion",
    find: memory_before_limit,
};

/// The part of the memory that may be used.
const SAFE: f64 = 0.8;

fn memory_before_limit(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        let short = servers.iter().filter_map(|(_, server)| {
            let params = &server.params;
            let memory = params.memory.as_ref()?;
            let busy = memory.base + memory.per_in_service * f64::from(params.workers);
            let places = f64::from(params.queue_limit.min(ENDLESS));
            let needs = busy + memory.per_queued * places;
            let fits = (memory.limit * SAFE - busy) / memory.per_queued;
            (needs > memory.limit && fits >= 1.0)
                .then(|| (server, places, needs / memory.limit, fits.floor()))
        });
        let short: Vec<_> = short.collect();
        let Some((first, places, times, _)) = short.first() else {
            continue;
        };
        let path = |server| server_path(service, server, "queue.limit");
        found.push(Doubt {
            path: path(first),
            says: format!(
                "with a queue of {places:.0} {} needs {times:.1} times the memory that it has",
                first.name
            ),
            cure: (short
                .iter()
                .map(|(server, _, _, fits)| (path(server), fits.to_string())))
            .collect(),
            trial: Trial::Load(FULL),
        });
    }
    found
}
