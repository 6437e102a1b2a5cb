//! Queues of servers.

use super::{Proposal, Row, Subject, times};
use crate::model::Server;
use crate::readable::counted;

pub(in crate::remedy) static QUEUES: Row = Row {
    name: "queues",
    about: "Makes queues of servers shorter or longer, by their workers, or serves the latest first.",
    source: "Beyer et al., Site Reliability Engineering, 2016, chapter 22: queue management",
    proposes,
};

/// Places for each worker.
const PER_WORKER: [usize; 4] = [1, 4, 16, 64];

fn proposes(subject: &Subject<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    for service in subject.services() {
        for places in PER_WORKER {
            let limit =
                |server: &Server| Some(times(server.params.workers, places as f64).to_string());
            found.push((
                format!(
                    "{}: {} in queues for each worker",
                    service.name,
                    counted(places, "place")
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
