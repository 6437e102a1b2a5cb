//! Queues of servers.

use super::{Proposal, Row, Subject, times};
use crate::model::Server;

pub(in crate::remedy) static QUEUES: Row = Row {
    name: "queues",
    about: "Makes queues of servers shorter or longer, by their workers, or serves the latest first.",
    source: "Beyer et al., Site Reliability Engineering, 2016, chapter 22: queue management",
    proposes,
};

/// Places for each worker.
const PER_WORKER: [f64; 4] = [1.0, 4.0, 16.0, 64.0];

fn proposes(subject: &Subject<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    for service in subject.services() {
        for factor in PER_WORKER {
            let limit = |server: &Server| Some(times(server.params.workers, factor).to_string());
            found.push((
                format!(
                    "{}: {factor} places in queues for each worker",
                    service.name
                ),
                subject.for_servers(service, "queue.limit", limit),
            ));
        }
        for discipline in ["lifo", "adaptive-lifo"] {
            found.push((
                format!("{}: queues are {discipline}", service.name),
                subject.for_servers(service, "queue.discipline", |_| Some(discipline.to_owned())),
            ));
        }
    }
    found
}
