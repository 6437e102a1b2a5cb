//! gRPC 1.60 and later: the published cases, and what grpcio 1.85.3 was seen to do.

use super::{Fate, every, fates, requests_at, tried};
use crate::support::summary;

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
    (343, "pf-sticky"),
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

/// When many servers go down at once, what follows is as much for each of them as when few do.
#[test]
fn connections_that_break_together_are_planned_once_each() {
    let events = |servers: usize| {
        let text = format!(
            "horizon = \"60s\"\ntraffic = [{{ to = \"web\", rate = 1 }}]\n[service.web]\ndemand = \"1ms\"\n\
             balancer.dialect = \"grpc\"\nserver = [{{ name = \"s\", count = {servers}, workers = 1 }}]\n\
             [[timeline]]\nat = \"10s\"\ndo = \"crash\"\ntarget = \"service.web.server.*\"\n"
        );
        summary(&text).events as f64
    };
    let (few, many) = (events(50), events(200));
    assert!(many < 4.0 * few, "{few} {many}");
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

/// The same with servers that are down from one moment to another.
fn with_outage(mut text: String, bad: &str, from: &str, until: &str) -> String {
    for name in bad.chars() {
        for (at, action) in [(from, "crash"), (until, "restart")] {
            text += &format!(
                "[[timeline]]\nat = \"{at}\"\ndo = \"{action}\"\ntarget = \"service.web.server.{name}\"\n"
            );
        }
    }
    text
}

/// Every address fails to connect: requests fail at once, nobody is tried, and the channel goes on until it is
/// connected. Its fourth try comes 4.13 to 6.2 s after the first.
#[test]
fn case_343_pf_sticky() {
    for policy in ["pick_first", "round_robin", "weighted_round_robin"] {
        let some = format!("lb_policy = \"{policy}\"");
        let requests = every(0.05, 140).map(|at| at + 0.01);
        let text = scenario(requests, "", &some).replace(
            ", { name = \"b\", workers = 8 }, { name = \"c\", workers = 8 }",
            "",
        );
        let fates = fates(&with_outage(text, "a", "0s", "3s"));
        let first = fates.iter().position(|fate| fate.outcome == "succeeded");
        let first = first.expect("it is back");
        let back_s = fates[first].arrived_s;
        assert!((4.1..6.3).contains(&back_s), "{policy}: {back_s}");
        for fate in &fates[..first] {
            assert_eq!((fate.outcome, fate.tried.len()), ("unavailable", 0));
            assert!(fate.took_s < 1e-9);
        }
        assert!(
            fates[first..]
                .iter()
                .all(|fate| fate.outcome == "succeeded")
        );
    }
}

/// Measured: who refuses is left out by `round_robin` without a failure, and back after the pauses.
#[test]
fn round_robin_leaves_out_whom_it_is_not_connected_to() {
    let text = scenario(every(0.1, 150), "", "lb_policy = \"round_robin\"");
    let fates = fates(&with_outage(text, "b", "1.05s", "4s"));
    assert!(fates.iter().all(|fate| fate.outcome == "succeeded"));
    let at_b = fates.iter().filter(|fate| fate.tried == ["b"]);
    let gaps: Vec<f64> = at_b.map(|fate| fate.arrived_s).collect();
    let longest = gaps
        .windows(2)
        .map(|two| two[1] - two[0])
        .fold(0.0, f64::max);
    assert!((4.0..7.0).contains(&longest), "{longest}");
}

/// Nobody answers: the channel waits for its connections, 20 s or what is set, and not for the next moment.
#[test]
fn a_try_that_nobody_answers_ends_by_itself() {
    let back_s = |some: &str| {
        let some = format!("lb_policy = \"round_robin\"{some}");
        let text = scenario(every(0.1, 300), "", &some);
        // The instance comes back while b is silent, and b answers a second later.
        let text = text.replace(
            "{ name = \"b\",",
            "{ name = \"b\", down_behaviour = \"black-hole\",",
        );
        let restart =
            "[[timeline]]\nat = \"1s\"\ndo = \"restart\"\ntarget = \"service.web.balancer\"\n";
        let fates = fates(&(with_outage(text, "b", "0.5s", "2s") + restart));
        let mut at_b = fates
            .iter()
            .filter(|fate| fate.arrived_s > 2.0 && fate.tried == ["b"]);
        at_b.next().map(|fate| fate.arrived_s)
    };
    let by_default = back_s("").expect("it is back");
    assert!((21.0..21.5).contains(&by_default), "{by_default}");
    let sooner = back_s(", min_reconnect_backoff = \"5s\"").expect("it is back");
    assert!((6.0..6.5).contains(&sooner), "{sooner}");
}

/// Measured: all to the first; when it dies to the second, and there it stays.
#[test]
fn pick_first_stays_where_it_went() {
    let text = scenario(every(0.5, 40), "", "");
    let fates = fates(&with_outage(text, "a", "4.9s", "10s"));
    assert!(fates.iter().all(|fate| fate.outcome == "succeeded"));
    let turns = tried(&fates).replace(' ', "");
    assert_eq!(turns.trim_start_matches('a').trim_start_matches('b'), "");
    assert_eq!(turns.matches('a').count(), 10, "{turns}");
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
        (
            "max_reconnect_backoff = \"900ms\"",
            "below `initial_reconnect_backoff`",
        ),
        ("hedging_attempts = 2, max_attempts = 2", "not both"),
    ] {
        let problem = sim_core::scenario::parse(&scenario([1.0], "", some)).expect_err(some);
        assert!(problem.to_string().contains(expected), "{some}: {problem}");
    }
}
