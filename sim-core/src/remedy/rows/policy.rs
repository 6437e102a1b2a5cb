//! Policies.

use super::{Proposal, Row, Subject, set};
use crate::doctor::facts::balancer_path;

pub(in crate::remedy) static POLICY: Row = Row {
    name: "policy",
    about: "Lets the balancer choose servers by another well-known policy, of those that any balancer can have.",
    source: "Mitzenmacher, The Power of Two Choices in Randomized Load Balancing, 2001; Wydrowski et al., Load is not what you should balance: Introducing Prequal, NSDI 2024",
    proposes,
};

/// Policies that need nothing but what a balancer knows.
pub(super) const WELL_KNOWN: [&str; 9] = [
    "least-in-flight",
    "power-of-d",
    "round-robin",
    "weighted-round-robin",
    "random",
    "weighted-random",
    "least-response-time",
    "peak-ewma",
    "prequal",
];

fn proposes(subject: &Subject<'_>) -> Vec<Proposal> {
    let mut found = Vec::new();
    for service in subject.services() {
        let own = service.balancer.policy.def.row.name;
        if subject.servers(service).len() < 2 {
            continue;
        }
        for policy in WELL_KNOWN.into_iter().filter(|policy| *policy != own) {
            found.push((
                format!("{}: policy {policy}", service.name),
                set(balancer_path(service, "policy"), policy),
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn well_known_policies_are_rows() {
        for name in WELL_KNOWN {
            let mut rows = crate::policy::POLICIES.iter();
            assert!(rows.any(|policy| policy.row.name == name), "{name}");
        }
    }
}
