//! The balancer as a machine: what it holds, and who stands by.

use super::{Proposal, Row, Subject, set, times};
use crate::doctor::facts::balancer_path;
use crate::model::{Action, Model, Service, Target};
use crate::readable::counted;

pub(in crate::remedy) static BALANCER: Row = Row {
    name: "balancer",
    about: "Lets a balancer instance hold fewer connections, more, as many as its memory is good for, or wait for a free server.",
    source: "nginx 1.31: worker_connections; HAProxy 3.4: maxconn (global), timeout queue",
    proposes: holds,
};

/// The part of its memory that connections are to need at most.
const OF_MEMORY: f64 = 0.9;

fn holds(subject: &Subject<'_>) -> Vec<Proposal> {
    const KEY: &str = "max_connections";
    let mut found = Vec::new();
    for service in subject.services() {
        let (name, balancer) = (&service.name, &service.balancer);
        let path = |key: &str| balancer_path(service, key);
        let workers: u32 = subject
            .servers(service)
            .iter()
            .map(|s| s.params.workers)
            .sum();
        if let Some(memory) = balancer.memory.filter(|memory| memory.per_connection > 0.0) {
            let fits = (OF_MEMORY * memory.limit - memory.base) / memory.per_connection;
            let words = format!("{name}: balancer holds what its memory is good for");
            found.push((words, set(path(KEY), (fits.max(1.0) as u64).to_string())));
        }
        let limits: Vec<u64> = match balancer.max_connections {
            Some(own) => [0.125, 0.25, 0.5, 2.0]
                .map(|factor| times(own, factor))
                .to_vec(),
            None => [4.0, 16.0].map(|factor| times(workers, factor)).to_vec(),
        };
        for limit in limits {
            found.push((
                format!(
                    "{name}: balancer holds {}",
                    counted(limit as usize, "connection")
                ),
                set(path(KEY), limit.to_string()),
            ));
        }
        found.push((
            format!("{name}: balancer holds any number of connections"),
            set(path(KEY), "none"),
        ));
        if balancer.pending_queue.is_none() {
            let limit = workers.saturating_mul(4);
            found.push((
                format!("{name}: balancer waits for a server that is free"),
                set(
                    path("pending_queue"),
                    format!("{{ limit = {limit}, timeout = \"1s\" }}"),
                ),
            ));
        }
    }
    found
}

pub(in crate::remedy) static STANDBY: Row = Row {
    name: "standby",
    about: "Lets a spare balancer instance stand by, or one more work beside, where an instance can crash.",
    source: "HAProxy 3.4 with keepalived; nginx Plus: high availability",
    proposes: standby,
};

fn standby(subject: &Subject<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    for (position, service) in subject.model.services.iter().enumerate() {
        let name = &service.name;
        if !can_crash(subject.model, position, service) {
            continue;
        }
        if service.balancer.standby.count == 0 {
            found.push((
                format!("{name}: a standby balancer"),
                set(
                    balancer_path(service, "standby"),
                    "{ count = 1, takeover = \"10s\" }",
                ),
            ));
        }
        found.push((
            format!("{name}: one more balancer"),
            set(
                balancer_path(service, "instances"),
                (service.balancer.instances + 1).to_string(),
            ),
        ));
    }
    found
}

/// Whether an instance can crash: by itself, or because the time line says so.
fn can_crash(model: &Model, position: usize, service: &Service) -> bool {
    let of_it = |target: &Target| match target {
        Target::Balancer(id) | Target::Instance(id, _) => usize::from(id.0) == position,
        Target::Servers(_) => false,
    };
    service.balancer.can_crash() || is_crashed(model, of_it)
}

/// Whether the time line crashes a target of a kind.
pub(super) fn is_crashed(model: &Model, of_it: impl Fn(&Target) -> bool) -> bool {
    let crashes = |action: &Action| matches!(action, Action::Crash(target) if of_it(target));
    model.timeline.iter().any(|entry| crashes(&entry.action))
}
