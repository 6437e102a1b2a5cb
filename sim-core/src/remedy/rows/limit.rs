//! Limits of connections to servers.

use super::{Proposal, Row, Subject, times};
use crate::model::Server;

pub(in crate::remedy) static LIMITS: Row = Row {
    name: "limits",
    about: "Limits how many attempts a balancer instance has in flight at a server: by its workers, the same for all, or other than it is.",
    source: "nginx 1.31: max_conns; HAProxy 3.4: maxconn; Envoy 1.40: circuit breakers",
    proposes,
};

/// Attempts for each worker.
const PER_WORKER: [f64; 4] = [1.5, 2.0, 4.0, 8.0];
/// The same for all, for each worker that they have on average.
const UNIFORM: [f64; 3] = [2.0, 4.0, 8.0];

fn proposes(subject: &Subject<'_>) -> Vec<Proposal> {
    const KEY: &str = "max_connections";
    let mut found = Vec::new();
    for service in subject.services() {
        let name = &service.name;
        let servers = subject.servers(service);
        for factor in PER_WORKER {
            let limit = |server: &Server| Some(times(server.params.workers, factor).to_string());
            found.push((
                format!("{name}: {factor} connections for each worker"),
                subject.for_servers(service, KEY, limit),
            ));
        }
        let workers: u32 = servers.iter().map(|server| server.params.workers).sum();
        let mean = f64::from(workers) / servers.len().max(1) as f64;
        for factor in UNIFORM {
            let limit = (mean * factor).round().max(1.0);
            found.push((
                format!("{name}: {limit} connections to each server"),
                subject.for_servers(service, KEY, |_| Some(limit.to_string())),
            ));
        }
        if servers
            .iter()
            .any(|server| server.params.max_connections.is_some())
        {
            for factor in [0.5, 2.0] {
                let limit = |server: &Server| {
                    let limit = server.params.max_connections?;
                    Some(times(limit, factor).to_string())
                };
                found.push((
                    format!("{name}: {factor} times as many connections"),
                    subject.for_servers(service, KEY, limit),
                ));
            }
            found.push((
                format!("{name}: connections without limit"),
                subject.for_servers(service, KEY, |_| Some("none".to_owned())),
            ));
        }
    }
    found
}
