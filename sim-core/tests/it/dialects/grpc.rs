//! gRPC 1.60 and later: the published cases, and what grpcio 1.85.3 was seen to do.

use super::{Fate, every, fates, requests_at, tried};

/// Cases that a component is tested with, beside it: number, name, test.
const BESIDE: &[(u32, &str, &str)] = &[
    (305, "throttle-threshold", "guard/grpc_retry_throttle.rs"),
    (307, "throttle-ratio-digits", "guard/grpc_retry_throttle.rs"),
    (
        317,
        "wrr-10-1",
        "policy/client_side_weighted_round_robin.rs",
    ),
    (
        319,
        "wrr-blackout",
        "policy/client_side_weighted_round_robin.rs",
    ),
    (
        321,
        "wrr-one-weight-only",
        "policy/client_side_weighted_round_robin.rs",
    ),
    (
        323,
        "wrr-stride-1-10",
        "policy/client_side_weighted_round_robin.rs",
    ),
    (
        325,
        "wrr-stride-3-2-1",
        "policy/client_side_weighted_round_robin.rs",
    ),
    (
        327,
        "wrr-stride-1-5",
        "policy/client_side_weighted_round_robin.rs",
    ),
    (
        329,
        "od-failure-percent",
        "health/grpc_outlier_detection.rs",
    ),
    (331, "od-enforcement-0", "health/grpc_outlier_detection.rs"),
    (335, "od-volume", "health/grpc_outlier_detection.rs"),
    (
        337,
        "od-consecutive-ignored",
        "health/grpc_outlier_detection.rs",
    ),
    (339, "lr-tie-first-draw", "policy/power_of_d.rs"),
    (347, "od-max-30-of-5", "health/grpc_outlier_detection.rs"),
    (349, "od-two-outliers", "health/grpc_outlier_detection.rs"),
];

/// Cases that cannot be said, and why.
const UNSAID: &[(u32, &str, &str)] = &[
    (311, "pushback-delay", "answers carry no pushback"),
    (
        313,
        "committed",
        "an answer is one message: there are no headers before it",
    ),
    (
        343,
        "pf-sticky",
        "a channel has no state of connectivity apart from who can be picked",
    ),
    (
        345,
        "pf-happy-eyeballs",
        "no second connection is tried beside the first",
    ),
];

/// Cases that are scenarios here.
const SCENARIOS: &[(u32, &str)] = &[
    (309, "backoff"),
    (315, "hedging-non-fatal"),
    (333, "od-noop-config"),
    (341, "ring-defaults"),
];

#[test]
fn each_published_case_has_its_place() {
    let beside = BESIDE.iter().map(|case| case.0);
    let unsaid = UNSAID.iter().map(|case| case.0);
    let mut all: Vec<u32> = beside.chain(unsaid).collect();
    all.extend(SCENARIOS.iter().map(|case| case.0));
    all.sort_unstable();
    let published: Vec<u32> = (305..=349).step_by(2).collect();
    assert_eq!(all, published);
}

fn scenario(moments: impl IntoIterator<Item = f64>, bad: &str, some: &str) -> String {
    let server = |name: char| {
        let errors = if bad.contains(name) {
            ", errors = { rate = 1.0 }"
        } else {
            ""
        };
        format!("{{ name = \"{name}\", workers = 8{errors} }}")
    };
    let list: Vec<String> = ['a', 'b', 'c'].map(server).into();
    let comma = if some.is_empty() { "" } else { ", " };
    format!(
        "{}[service.web]\ndemand = \"1ms\"\nserver = [{}]\n\
         balancer.dialect = {{ kind = \"grpc\"{comma}{some} }}\n",
        requests_at(moments),
        list.join(", ")
    )
}

/// Pauses of 0.8 to 1.2 times 0.1, 0.2, 0.4 s: 0.7 in all on average; those of older releases, drawn from zero on, would be half.
#[test]
fn case_309_backoff() {
    let some = "max_attempts = 5, initial_backoff = \"100ms\", max_backoff = \"1s\"";
    let fates = fates(&scenario(every(4.0, 200), "abc", some));
    assert!(fates.iter().all(|fate| fate.tried.len() == 5));
    let pauses: Vec<f64> = fates.iter().map(|fate| fate.took_s - 0.005).collect();
    assert!(pauses.iter().all(|s| (1.2..=1.8).contains(s)), "{pauses:?}");
    let mean = pauses.iter().sum::<f64>() / 200.0;
    assert!((mean - 1.5).abs() < 0.03, "{mean}");
}

/// Each copy fails after 0.1 s: all four go out 0.1 s apart, and not 0.5 s; those that succeed only after 0.7 s
/// have the delay between them.
#[test]
fn case_315_hedging_non_fatal() {
    let some = "hedging_attempts = 4, hedging_delay = \"500ms\"";
    let failing = scenario([1.0], "abc", some).replace("\"1ms\"", "\"100ms\"");
    let fate = &fates(&failing)[0];
    assert_eq!((fate.tried.len(), fate.outcome), (4, "errored"));
    assert!((fate.took_s - 0.4).abs() < 1e-9, "{}", fate.took_s);
    let slow = scenario([1.0], "", some).replace("\"1ms\"", "\"700ms\"");
    let fate = &fates(&slow)[0];
    assert_eq!((fate.tried.len(), fate.outcome), (2, "succeeded"));
    assert!((fate.took_s - 0.7).abs() < 1e-9, "{}", fate.took_s);
}

/// A config without algorithms: everybody returns at once.
#[test]
fn case_333_od_noop_config() {
    let some = "lb_policy = \"round_robin\"";
    let rule = "{ kind = \"grpc-outlier-detection\", algorithms = \"failure-percentage\", threshold = 50, minimum_hosts = 1, request_volume = 3 }";
    let text = scenario(every(0.05, 500), "a", some);
    let rules = format!("balancer.health = [{rule}]\nbalancer.dialect");
    let mut text = text.replace("balancer.dialect", &rules);
    text += "[[timeline]]\nat = \"15s\"\nset = { \"service.web.balancer.health\" = [] }\n";
    let turns = tried(&fates(&text)).replace(' ', "");
    let of_a = |from: usize, to: usize| turns[from..to].matches('a').count();
    assert!(of_a(0, 198) > 50, "until the first sweep");
    assert_eq!(of_a(202, 300), 0, "out");
    assert!(
        of_a(302, 500) > 50,
        "back at once, not at the sweep 30 s later"
    );
}

#[test]
fn case_341_ring_defaults() {
    let meaning = |some: &str| sim_core::scenario::meaning(some).expect("a dialect");
    let ring = meaning("{ kind = \"grpc\", lb_policy = \"ring_hash\" }");
    assert!(
        ring.contains("minimum_ring_size = 1024, maximum_ring_size = 4096"),
        "{ring}"
    );
    let cut = meaning(
        "{ kind = \"grpc\", lb_policy = \"ring_hash\", min_ring_size = 8000, max_ring_size = 8388608 }",
    );
    assert!(
        cut.contains("minimum_ring_size = 4096, maximum_ring_size = 4096"),
        "{cut}"
    );
}

/// Measured: all to the first; when it dies to the second, and there it stays.
#[test]
fn pick_first_stays_where_it_went() {
    let mut text = scenario(every(0.5, 40), "", "");
    text += "[[service.web.balancer.health]]\nkind = \"checks\"\nprobe = \"connect\"\ninterval = \"100ms\"\nfall = 1\nrise = 1\n";
    for (at, action) in [("5s", "crash"), ("10s", "restart")] {
        text += &format!(
            "[[timeline]]\nat = \"{at}\"\ndo = \"{action}\"\ntarget = \"service.web.server.a\"\n"
        );
    }
    let turns = tried(&fates(&text)).replace(' ', "");
    assert_eq!(turns.trim_start_matches('a').trim_start_matches('b'), "");
    assert!((10..=12).contains(&turns.matches('a').count()), "{turns}");
}

/// Measured: more attempts than five are cut to five, and throttling stops them after the first request.
#[test]
fn attempts_are_at_most_five_and_throttled() {
    let tries = |some: &str| {
        let fates: Vec<Fate> = fates(&scenario(every(10.0, 4), "abc", some));
        fates
            .iter()
            .map(|fate| fate.tried.len())
            .collect::<Vec<_>>()
    };
    assert_eq!(tries("max_attempts = 10"), [5; 4]);
    assert_eq!(tries("max_attempts = 4, max_tokens = 4"), [2, 1, 1, 1]);
    assert_eq!(tries(""), [1; 4]);
}

#[test]
fn what_grpc_has_not_is_refused() {
    for (some, expected) in [
        ("lb_policy = \"random\"", "pick_first"),
        (
            "min_ring_size = 9, max_ring_size = 8",
            "above `max_ring_size`",
        ),
        ("choice_count = 11", "choice_count"),
        ("hedging_attempts = 2, max_attempts = 2", "not both"),
    ] {
        let problem = sim_core::scenario::parse(&scenario([1.0], "", some)).expect_err(some);
        assert!(problem.to_string().contains(expected), "{some}: {problem}");
    }
}
