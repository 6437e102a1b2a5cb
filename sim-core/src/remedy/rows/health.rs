//! Health rules of balancers.

use super::{Proposal, Row, Subject, set};
use crate::doctor::facts::balancer_path;

pub(in crate::remedy) static HEALTH: Row = Row {
    name: "health",
    about: "Adds checks or outlier detection, asks more often or otherwise, or leaves all health rules out.",
    source: "HAProxy 3.4: check; Envoy 1.40: outlier detection; Brooker, Implementing Health Checks, Amazon Builders' Library, 2020",
    proposes,
};

fn proposes(subject: &Subject<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    for service in subject.services().filter(|s| subject.servers(s).len() > 1) {
        let name = &service.name;
        let path = |key: &str| balancer_path(service, key);
        let mut propose = |words: &str, key: &str, value: &str| {
            found.push((format!("{name}: {words}"), set(path(key), value)));
        };
        if service.balancer.health.is_empty() {
            let rules = [
                ("checks that ask", "[{ kind = \"checks\" }]"),
                (
                    "checks that only connect",
                    "[{ kind = \"checks\", probe = \"connect\" }]",
                ),
                ("outlier detection", "[{ kind = \"outlier-detection\" }]"),
                ("failures ban a server", "[{ kind = \"max-fails\" }]"),
            ];
            for (words, rules) in rules {
                propose(words, "health", rules);
            }
            continue;
        }
        propose("no health rules", "health", "[]");
        propose(
            "outlier detection beside",
            "health.outlier-detection.consecutive",
            "5",
        );
        propose("panic when half is out", "health.panic.below", "0.5");
        if service.balancer.checks().is_some() {
            propose("checks that ask", "health.checks.probe", "request");
            propose("checks that only connect", "health.checks.probe", "connect");
            let quick = [("interval", "1s"), ("timeout", "500ms")];
            let sets =
                quick.map(|(key, value)| (path(&format!("health.checks.{key}")), value.to_owned()));
            found.push((format!("{name}: checks every second"), sets.to_vec()));
        }
    }
    found
}
