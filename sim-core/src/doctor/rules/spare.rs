//! Servers to spare.

use crate::doctor::facts::{active, mean_demand_s, present, server_path, services, strength};
use crate::doctor::{Doubt, Rule, Trial};
use crate::load::peaks;
use crate::model::Model;
use crate::readable::share;

pub(in crate::doctor) static ONE_SERVER: Rule = Rule {
    id: "one-server",
    about: "One server gets all requests of a service: with it the service is gone.",
    source: "Nygard, Release It!, 2nd edition, 2018, chapter 4",
    find: one_server,
};

fn one_server(model: &Model) -> Vec<Doubt> {
    let mut found = Vec::new();
    for service in services(model) {
        let servers = present(model, service);
        let [(id, server)] = servers.as_slice() else {
            continue;
        };
        found.push(Doubt {
            path: server_path(service, server, "name"),
            says: format!("{} is the only server of {}", server.name, service.name),
            cure: vec![(server_path(service, server, "count"), "2".to_owned())],
            trial: Trial::Lose(*id),
        });
    }
    found
}

pub(in crate::doctor) static NONE_TO_SPARE: Rule = Rule {
    id: "none-to-spare",
    about: "At its peak a service is asked for more than its servers can do without one of them: the loss of one overloads the rest.",
    source: "Beyer et al., Site Reliability Engineering, 2016, chapter 22, Cascading Failures",
    find: none_to_spare,
};

fn none_to_spare(model: &Model) -> Vec<Doubt> {
    let peaks = peaks(model);
    let mut found = Vec::new();
    for (index, service) in model.services.iter().enumerate() {
        let servers = active(model, service);
        let Some(peak) = peaks[index].filter(|_| servers.len() > 1 && service.autoscaler.is_none())
        else {
            continue;
        };
        let all: f64 = servers.iter().map(|(_, server)| strength(server)).sum();
        let Some((id, largest)) = servers
            .iter()
            .max_by(|a, b| strength(a.1).total_cmp(&strength(b.1)))
            .copied()
        else {
            continue;
        };
        let without = (all - strength(largest)) / all;
        if peak.offered_load <= without || peak.offered_load >= 1.0 {
            continue;
        }
        // All servers that are written like the largest, and one more for it.
        let more = f64::from(largest.params.workers) / without * peak.offered_load;
        let workers = more.ceil() as u32 + 1;
        let cure = servers.iter().map(|(_, server)| {
            let own = f64::from(server.params.workers) * f64::from(workers)
                / f64::from(largest.params.workers);
            (
                server_path(service, server, "workers"),
                own.ceil().to_string(),
            )
        });
        found.push(Doubt {
            path: server_path(service, largest, "workers"),
            says: format!(
                "{} is asked for {} of what its {} servers can do at its peak; without {} they can do {}",
                service.name,
                share(peak.offered_load),
                servers.len(),
                largest.name,
                share(without)
            ),
            cure: cure.collect(),
            trial: Trial::Lose(id),
        });
    }
    found
}

pub(in crate::doctor) static AUTOSCALER_TOO_LOW: Rule = Rule {
    id: "autoscaler-too-low",
    about: "With all that its autoscaler may bring, a service cannot do what it is asked for at its peak.",
    source: "Kubernetes 1.33, Horizontal Pod Autoscaling: maxReplicas",
    find: autoscaler_too_low,
};

fn autoscaler_too_low(model: &Model) -> Vec<Doubt> {
    let peaks = peaks(model);
    let mut found = Vec::new();
    for (index, service) in model.services.iter().enumerate() {
        let (Some(scaler), Some(peak)) = (&service.autoscaler, peaks[index]) else {
            continue;
        };
        let written = service.servers.len() as u32;
        let most = scaler.bounds().1;
        // What is not written cannot be brought.
        if peak.offered_load <= 1.0 || most >= written {
            continue;
        }
        let path = format!("service.{}.autoscaler.max", service.name);
        found.push(Doubt {
            says: format!(
                "{} may have {most} servers at most, which is {:.0}/s of the {:.0}/s that its peak asks for; {written} are written, and a request takes {:.0} ms",
                service.name,
                peak.capacity_hz,
                peak.capacity_hz * peak.offered_load,
                mean_demand_s(service) * 1e3
            ),
            cure: vec![(path.clone(), written.to_string())],
            path,
            trial: Trial::Written,
        });
    }
    found
}
