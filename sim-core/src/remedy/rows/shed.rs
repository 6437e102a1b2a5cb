//! Guards that turn work away before it does harm.

use super::{Proposal, Row, Subject, plain, set};
use crate::doctor::facts::balancer_path;
use crate::load::peaks;
use crate::model::Server;

pub(in crate::remedy) static SHEDDING: Row = Row {
    name: "shedding",
    about: "Lets servers or balancers without guards turn away what is too much, waits too long, or nobody waits for.",
    source: "Beyer et al., Site Reliability Engineering, 2016, chapter 22: load shedding; Nichols and Jacobson, Controlling Queue Delay, 2012",
    proposes,
};

fn proposes(subject: &Subject<'_>) -> Vec<Proposal> {
    let peaks = peaks(subject.model);
    let mut found = Vec::new();
    for (service, peak) in subject.model.services.iter().zip(peaks) {
        let servers = subject.servers(service);
        let workers: u32 = servers.iter().map(|server| server.params.workers).sum();
        if workers == 0 {
            continue;
        }
        let name = &service.name;
        if servers.iter().all(|server| server.params.guards.is_empty()) {
            let mut at_servers = |words: &str, guard: &dyn Fn(&Server) -> String| {
                let guards = |server: &Server| Some(format!("[{}]", guard(server)));
                let sets = subject.for_servers(service, "guards", guards);
                found.push((format!("{name}: servers {words}"), sets));
            };
            for factor in [2, 4] {
                at_servers(&format!("take {factor} for each worker"), &|server| {
                    let limit = server.params.workers.saturating_mul(factor);
                    format!("{{ kind = \"concurrency-limit\", limit = {limit} }}")
                });
            }
            at_servers("refuse what nobody waits for", &|_| {
                "\"deadline\"".to_owned()
            });
            at_servers("keep the queue short (codel)", &|_| "\"codel\"".to_owned());
            at_servers("discard what waited 1s", &|_| {
                "{ kind = \"queue-timeout\", timeout = \"1s\" }".to_owned()
            });
        }
        if service.balancer.guards.is_empty() {
            let mut at_balancer = |words: &str, guard: String| {
                let path = balancer_path(service, "guards");
                found.push((
                    format!("{name}: balancer {words}"),
                    set(path, format!("[{guard}]")),
                ));
            };
            for factor in [2, 4] {
                let limit = workers.saturating_mul(factor);
                let guard = format!("{{ kind = \"concurrency-limit\", limit = {limit} }}");
                at_balancer(&format!("takes {limit} at once"), guard);
            }
            if let Some(peak) = peak {
                let rate = plain(peak.capacity_hz.floor());
                let guard =
                    format!("{{ kind = \"rate-limit\", rate = {rate}, burst = {workers} }}");
                at_balancer(&format!("passes {rate} a second"), guard);
            }
        }
    }
    found
}
