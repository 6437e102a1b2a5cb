//! Weights.

use super::{Proposal, Row, Subject, plain};
use crate::doctor::facts::strength;
use crate::model::Server;

pub(in crate::remedy) static WEIGHTS: Row = Row {
    name: "weights",
    about: "Gives each server a weight by what it can do (workers times speed), or all the same, where the policy heeds weights.",
    source: "nginx 1.31, HAProxy 3.4: weight",
    proposes,
};

fn proposes(subject: &Subject<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    for service in subject
        .services()
        .filter(|s| s.balancer.policy.def.heeds_weights)
    {
        let servers = subject.servers(service);
        let least = servers
            .iter()
            .map(|server| strength(server))
            .fold(f64::INFINITY, f64::min);
        if servers.len() < 2 {
            continue;
        }
        let mut propose = |words: &str, weight: &dyn Fn(&Server) -> f64| {
            // What is right already is left alone.
            let right = |server: &Server| plain(weight(server)) == plain(server.params.weight);
            let value = |server: &Server| (!right(server)).then(|| plain(weight(server)));
            let sets = subject.for_servers(service, "weight", value);
            found.push((format!("{}: {words}", service.name), sets));
        };
        propose("weights by what servers can do", &|server| {
            strength(server) / least
        });
        propose("the same weight for all servers", &|_| 1.0);
    }
    found
}
