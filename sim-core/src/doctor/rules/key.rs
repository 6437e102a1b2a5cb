//! Requests that stay together: by their key, or by their connection.

use crate::doctor::facts::{active, balancer_path, dialect, services};
use crate::doctor::{Doubt, Rule, Trial};
use crate::model::{Balances, Model, Service, Source};
use crate::readable::share;
use libm::pow;

/// The load at which a share that is too large shows.
const RUSH: f64 = 0.9;
/// A key that has so much of what a server should get is hot.
const HOT: f64 = 0.5;
/// Keys of which the frequencies are added up; the rest is negligible.
const KEYS: u64 = 100_000;

pub(in crate::doctor) static HOT_KEY: Rule = Rule {
    id: "hot-key",
    about: "Servers are chosen by a key, and one key, or an address behind which many stand, has much of all requests: its server is full while others have nothing to do.",
    source: "Mirrokni, Thorup and Zadimoghaddam, Consistent hashing with bounded loads, SODA 2018; nginx 1.31: ip_hash",
    find: hot_key,
};

/// The share of requests that the most frequent key of a source has, and the number of keys.
fn hottest(source: &Source) -> Option<(f64, u64)> {
    let keys = &source.key;
    match keys.def.row.name {
        "uniform" => {
            let n = keys.params.integer("n");
            Some((1.0 / n as f64, n))
        }
        "zipf" => {
            let (n, s) = (keys.params.integer("n"), keys.params.number("s"));
            let all: f64 = (1..=n.min(KEYS)).map(|k| pow(k as f64, -s)).sum();
            Some((1.0 / all, n))
        }
        _ => None,
    }
}

/// Whether a policy chooses by keys.
fn goes_by_key(service: &Service) -> bool {
    let name = service.balancer.policy.def.row.name;
    name.contains("hash") || ["maglev", "rendezvous", "sticky"].contains(&name)
}

/// What keeps a hot key from filling its server, in the words of the service's program.
fn spread(service: &Service) -> (&'static str, &'static str) {
    if dialect(service, "nginx").is_some() {
        ("dialect.balance", "\"least_conn\"")
    } else if dialect(service, "haproxy").is_some() {
        ("dialect.balance", "\"leastconn\"")
    } else if dialect(service, "envoy").is_some() {
        ("dialect.lb_policy", "\"LEAST_REQUEST\"")
    } else if service.balancer.policy.def.row.name == "ring-hash" {
        ("policy.bound", "1.25")
    } else {
        ("policy", "\"least-in-flight\"")
    }
}

fn hot_key(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model).filter(|service| goes_by_key(service)) {
        let servers = active(model, service).len() as f64;
        let own = |source: &&Source| model.services[usize::from(source.to.0)].name == service.name;
        let keys = model.sources.iter().filter(own).filter_map(hottest);
        let Some((part, n)) = keys.max_by(|a, b| a.0.total_cmp(&b.0)) else {
            continue;
        };
        if servers < 2.0 || part * servers < HOT {
            continue;
        }
        let (key, value) = spread(service);
        found.push(Doubt {
            path: balancer_path(service, key.split('.').next().unwrap_or(key)),
            says: format!(
                "the most frequent of {n} keys has {} of the requests of {}, whose servers should get {} each",
                share(part),
                service.name,
                share(1.0 / servers)
            ),
            cure: vec![(balancer_path(service, key), value.to_owned())],
            trial: Trial::Load(RUSH),
        });
    }
    found
}

pub(in crate::doctor) static KEYS_MOVE: Rule = Rule {
    id: "keys-move",
    about: "A map-based hash deals all keys out anew whenever a server comes or goes: most land on a server whose cache does not know them.",
    source: "HAProxy 3.4, configuration manual: hash-type map-based, consistent",
    find: keys_move,
};

fn keys_move(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service);
        let policy = &service.balancer.policy;
        let map = policy.def.row.name == "haproxy-hash" && policy.params.choice("method") == 0;
        let mut caches = service.calls.iter().filter_map(|call| call.cache.as_ref());
        // Where nothing takes a server out, and nothing brings one, keys stay where they are.
        let moves = service.balancer.checks().is_some() || service.autoscaler.is_some();
        if !map || !moves || servers.len() < 2 || !caches.any(|cache| !cache.shared) {
            continue;
        }
        let key = if dialect(service, "haproxy").is_some() {
            "dialect.hash_type"
        } else {
            "policy.method"
        };
        let path = balancer_path(service, key);
        found.push(Doubt {
            says: format!(
                "when one of the {} servers of {} goes, most keys change their server, and each server caches for itself",
                servers.len(),
                service.name
            ),
            cure: vec![(path.clone(), "\"consistent\"".to_owned())],
            path,
            trial: Trial::Lose(servers[0].0),
        });
    }
    found
}

pub(in crate::doctor) static WHOLE_CONNECTIONS: Rule = Rule {
    id: "whole-connections",
    about: "The balancer chooses a server for each connection, and callers send many requests over one: by chance some servers get several busy connections, and new ones none.",
    source: "Kubernetes 1.33, Services: kube-proxy; gRPC, Load Balancing, 2016: long-lived connections",
    find: whole_connections,
};

fn whole_connections(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = active(model, service).len();
        if service.balancer.balances != Balances::Connections || servers < 2 {
            continue;
        }
        let path = balancer_path(service, "balances");
        found.push(Doubt {
            says: format!(
                "{} chooses one of {servers} servers for each connection, whatever comes over it",
                service.name
            ),
            cure: vec![(path.clone(), "\"requests\"".to_owned())],
            path,
            trial: Trial::Load(RUSH),
        });
    }
    found
}
