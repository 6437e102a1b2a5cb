//! haproxy.cfg: a `backend` for each service, and a `frontend` for what leads there.

mod backend;
mod frontend;
mod generic;
mod servers;

use super::said::{Counterpart, Said, policy};
use super::subject::Subject;
use super::ways::{Way, ways};
use super::{ADDRESSES, BESIDE_BALANCERS, Target, is_of_balancers};
use backend::backend;
use frontend::frontend;

pub(super) static TARGET: Target = Target {
    name: "haproxy",
    about: "haproxy.cfg: backends with their servers, and a frontend for each, with a rule for each source.",
    concerns: is_of_balancers,
    beside: BESIDE_BALANCERS,
    write,
};

const POLICIES: &[Counterpart] = &[
    policy("haproxy-roundrobin", "roundrobin", true),
    policy("haproxy-static-rr", "static-rr", true),
    policy("haproxy-leastconn", "leastconn", true),
    policy("haproxy-first", "first", true),
    policy("haproxy-random", "random", true),
    policy("haproxy-hash", "source", true),
    policy("round-robin", "roundrobin", false),
    policy("weighted-round-robin", "roundrobin", true),
    policy("least-in-flight", "leastconn", true),
    policy("random", "random", false),
    policy("weighted-random", "random", true),
    policy("power-of-d", "random", false),
    policy("first", "first", false),
    policy("source-hash", "source", true),
    policy("ring-hash", "source", true),
];
/// Balances by a key of requests.
const HASHES: &[&str] = &["source", "uri", "url_param", "hdr"];
/// The first port that is listened at.
const PORT: usize = 80;
/// Weights go so far.
const WEIGHT_MAX: f64 = 256.0;

fn write(subject: &mut Subject<'_>) -> String {
    let mut frontends = String::new();
    let mut backends = String::new();
    let mut ports = 0;
    for service in subject.services("backend") {
        let mut said = Said::of(service, "haproxy", subject);
        if !service.servers.is_empty() {
            backend(service, &mut said, &mut backends, subject);
        }
        let all = ways(service, subject);
        // A frontend has the same limits for all who come there.
        let mut groups: Vec<Vec<Way<'_>>> = Vec::new();
        for way in all {
            match groups.iter_mut().find(|own| own[0].guards == way.guards) {
                Some(own) => own.push(way),
                None => groups.push(vec![way]),
            }
        }
        for own in groups {
            let port = PORT + ports;
            frontend(service, &own, port, &mut said, &mut frontends, subject);
            ports += 1;
        }
        said.close(subject);
    }
    subject.remark(ADDRESSES);
    subject.remark(
        "timeout client, how long a client may be silent, is in no scenario: a minute is written",
    );
    if ports > 1 {
        subject.remark("what has limits of its own has a frontend with a port of its own");
    }
    format!("defaults\n    mode http\n    timeout client 60s\n{frontends}{backends}")
}
