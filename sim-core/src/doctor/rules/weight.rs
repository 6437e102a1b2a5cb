//! Shares that do not fit what servers can do.

use crate::doctor::facts::{active, balancer_path, dialect, server_path, services, strength};
use crate::doctor::{Doubt, Rule, Trial};
use crate::model::Model;
use crate::readable::share;

/// A weight so many times what others have for what they can do is odd.
const SKEW: f64 = 3.0;
/// A zone that gets so many times what it can do of all is too small.
const UNEVEN: f64 = 1.25;
/// The load at which a wrong share shows.
const RUSH: f64 = 0.9;

pub(in crate::doctor) static WEIGHT_SKEW: Rule = Rule {
    id: "weight-skew",
    about: "A server's weight gives it a share of requests that is far above its share of what the servers can do: it is full long before the others.",
    source: "nginx 1.31, HAProxy 3.4, Envoy 1.40: weight, load_balancing_weight; the outage that the incident model replays",
    find: weight_skew,
};

fn weight_skew(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model).filter(|s| s.balancer.policy.def.heeds_weights) {
        let servers = active(model, service);
        let weights: f64 = servers.iter().map(|(_, server)| server.params.weight).sum();
        let strengths: f64 = servers.iter().map(|(_, server)| strength(server)).sum();
        for (id, server) in &servers {
            let part = server.params.weight / weights;
            let fair = strength(server) / strengths;
            if servers.len() < 2 {
                continue;
            }
            // What the others have for what they can do, so that one that is odd decides nothing.
            let mut ratios: Vec<f64> = (servers.iter())
                .filter(|(other, _)| other != id)
                .map(|(_, other)| other.params.weight / strength(other))
                .collect();
            ratios.sort_by(f64::total_cmp);
            let usual = ratios[ratios.len() / 2] * strength(server);
            let weight = if usual >= 1.0 { usual.round() } else { 1.0 };
            if server.params.weight < SKEW * usual.max(f64::MIN_POSITIVE)
                || weight >= server.params.weight
            {
                continue;
            }
            let doubt = |trial| Doubt {
                path: server_path(service, server, "weight"),
                says: format!(
                    "{} has {} of the weight of {} and {} of what its servers can do",
                    server.name,
                    share(part),
                    service.name,
                    share(fair)
                ),
                cure: vec![(server_path(service, server, "weight"), weight.to_string())],
                trial,
            };
            // What goes wrong as it is written need not be looked for elsewhere; what is quiet shows in a rush.
            found.extend([Trial::Written, Trial::Load(RUSH)].map(doubt));
        }
    }
    found
}

pub(in crate::doctor) static UNEVEN_ZONES: Rule = Rule {
    id: "uneven-zones",
    about: "Traffic is split among zones by their weights, and a zone has fewer servers than its part asks for: these are full while those of other zones have nothing to do.",
    source: "AWS, Network Load Balancers: cross-zone load balancing, off by default; Envoy 1.40: locality_weighted_lb_config",
    find: uneven_zones,
};

fn uneven_zones(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model).filter(|s| s.balancer.by_zone.is_some()) {
        let servers = active(model, service);
        let all: f64 = servers.iter().map(|(_, server)| strength(server)).sum();
        let weights: f64 = service.zones.iter().map(|zone| zone.weight).sum();
        let crowded = service.zones.iter().enumerate().filter_map(|(at, zone)| {
            let own = servers
                .iter()
                .filter(|(_, s)| s.zone.is_some_and(|id| usize::from(id.0) == at));
            let fair = own.map(|(_, server)| strength(server)).sum::<f64>() / all;
            let part = zone.weight / weights;
            (fair > 0.0 && part >= UNEVEN * fair).then_some((zone, part, fair))
        });
        let worst = crowded.max_by(|a, b| (a.1 / a.2).total_cmp(&(b.1 / b.2)));
        let Some((zone, part, fair)) = worst.filter(|_| servers.len() > 1) else {
            continue;
        };
        let path = balancer_path(service, "by_zone");
        found.push(Doubt {
            says: format!(
                "zone {} of {} gets {} of the traffic and has {} of what the servers can do",
                zone.name,
                service.name,
                share(part),
                share(fair)
            ),
            cure: vec![(path.clone(), "\"none\"".to_owned())],
            path,
            trial: Trial::Load(RUSH),
        });
    }
    found
}

pub(in crate::doctor) static STATE_OF_EACH_WORKER: Rule = Rule {
    id: "state-of-each-worker",
    about: "Without `zone` each worker process of nginx counts failures and connections by itself: a dead server is found out once by each, and limits count once for each.",
    source: "nginx 1.31, ngx_http_upstream_module: zone, max_conns",
    find: state_of_each_worker,
};

fn state_of_each_worker(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let Some(params) = dialect(service, "nginx") else {
            continue;
        };
        let workers = params.integer("worker_processes");
        let servers = active(model, service);
        if workers < 2 || params.flag("zone") || servers.len() < 2 {
            continue;
        }
        found.push(Doubt {
            path: balancer_path(service, "dialect.worker_processes"),
            says: format!("{workers} workers of nginx before {} share nothing: each finds out by itself who fails", service.name),
            cure: vec![(balancer_path(service, "dialect.zone"), "true".to_owned())],
            trial: Trial::Lose(servers[0].0),
        });
    }
    found
}
