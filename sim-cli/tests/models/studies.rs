//! Studies: what was published, and rules like those that they are about, which nobody should take for them.

use crate::{Job, MODELS, run_all};

/// A study, a key, and the value with which it must miss what it expects.
#[rustfmt::skip]
const WRONG_RULES: &[(&str, &str, &str)] = &[
    ("adaptive-throttling", "client.guards", "[{ kind = \"adaptive-throttle\", k = 1.8 }]"),
    ("bounded-loads", "service.cache.balancer.policy.bound", "1.4"),
    ("bounded-loads", "service.cache.balancer.policy", "rendezvous"),
    ("codel", "service.router.server.router.guards", "[{ kind = \"interval-codel\" }]"),
    ("codel", "service.router.server.router.guards.0.interval", "110ms"),
    ("economies-of-scale", "service.five.balancer.policy", "join-shortest-queue"),
    ("economies-of-scale", "service.ten.balancer.policy", "power-of-d"),
    ("fan-out", "service.leaf.demand.probability_of_long", "0.009"),
    ("fork-join", "service.part-8.demand", "1s"),
    ("gradient2", "traffic.dead.client.guards", "[\"vegas-limit\"]"),
    ("gradient2", "traffic.dead.client.guards.0.headroom", "5"),
    ("gradient2", "service.busy.server.busy.guards", "[{ kind = \"gradient2-limit\", tolerance = 1.2 }]"),
    ("hedging", "client.hedge.after", "2.5s"),
    ("hedging", "client.hedge.demand", "same"),
    ("impatience", "service.impatient.server.agents.queue.patience", "2m"),
    ("impatience", "service.patient.demand", "1m"),
    ("insensitive-jsq", "service.constant.server.s.queue.discipline", "fifo"),
    ("insensitive-jsq", "service.bimodal.balancer.policy", "round-robin"),
    ("join-idle-queue", "service.web.balancer.policy.entry", "stale"),
    ("keys-that-move", "service.cache.balancer.policy", "haproxy-hash"),
    ("keys-that-move", "service.cache.balancer.policy", "{ kind = \"ring-hash\", points = 1 }"),
    ("maglev", "service.web.balancer.policy", "ring-hash"),
    ("maglev", "service.web.balancer.policy.table", "251"),
    ("metastable", "client.retry", "none"),
    ("metastable", "client.retry.attempts", "3"),
    ("metastable", "service.db-280.server.db.queue.limit", "150"),
    ("mitzenmacher", "service.queue.balancer.policy.d", "3"),
    ("old-information", "service.web.balancer.load_reports", "8s"),
    ("omission", "traffic.closed.arrivals.users", "2"),
    ("omission", "service.open.demand.probability_of_long", "0.0005"),
    ("prequal", "service.prequal.balancer.policy", "random"),
    ("prequal", "service.prequal.balancer.policy", "{ kind = \"prequal\", quantile = 0.84, probes = 0.1 }"),
    ("priorities", "service.web.server.web.queue.discipline", "fifo"),
    ("priorities", "service.web.server.web.queue.discipline", "priority-preemptive"),
    ("redialling", "service.line.server.line.queue.limit", "1"),
    ("redialling", "client.retry.pause.mean", "9s"),
    ("redundant-requests", "client.hedge.demand", "same"),
    ("redundant-requests", "service.web.balancer.policy", "power-of-d"),
    ("replication-threshold", "client.hedge.demand", "same"),
    ("replication-threshold", "client.cancel", "true"),
    ("retries-in-layers", "client.retry.attempts", "3"),
    ("retries-that-grow", "client.retry.pause", "1100ms"),
    ("retry-budget", "client.guards.0.ratio", "0.12"),
    ("retry-budget", "client.retry.attempts", "2"),
    ("retry-tokens", "service.adaptive.call.0.client.guards.0.ratio", "0.11"),
    ("retry-tokens", "service.three.call.0.client.retry.attempts", "3"),
    ("rush-hour-lag", "service.web.demand", "1s"),
    ("size-expansion", "service.queue.balancer.policy", "random"),
];

/// The names of all studies.
pub(crate) fn names() -> impl Iterator<Item = &'static str> {
    let is_study = |name: &&str| {
        let source = MODELS.find(name).expect("listed");
        source.name.starts_with("study/")
    };
    MODELS.names().into_iter().filter(is_study)
}

/// A study that another rule could pass would prove nothing.
#[test]
fn a_wrong_rule_fails_what_the_studies_expect() {
    let jobs: Vec<Job<'_>> = WRONG_RULES
        .iter()
        .map(|(model, path, value)| (*model, Some((*path, (*value).to_owned()))))
        .collect();
    let missed = |complaint: &String| complaint.contains("(it was: ");
    let unnoticed: Vec<_> = run_all(&jobs)
        .iter()
        .zip(WRONG_RULES)
        .filter(|(ran, _)| !ran.complaints.iter().any(missed))
        .map(|(_, rule)| rule)
        .collect();
    assert!(unnoticed.is_empty(), "nothing notices {unnoticed:?}");
}

#[test]
fn every_study_has_a_wrong_rule() {
    let without: Vec<&str> = names()
        .filter(|name| !WRONG_RULES.iter().any(|(study, ..)| study == name))
        .collect();
    assert!(without.is_empty(), "no wrong rule for {without:?}");
}
