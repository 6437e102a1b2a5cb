//! Envoy 1.30 to 1.40: the published cases, and what a running 1.40.0 was seen to do.

use super::{Fate, every, fates, requests_at, tried};

/// Cases that a component is tested with, beside it: number, name, test.
const BESIDE: &[(u32, &str, &str)] = &[
    (177, "rr-weights-12", "policy/envoy_round_robin.rs"),
    (179, "rr-weight-change", "policy/envoy_round_robin.rs"),
    (181, "rr-hosts-replaced", "policy/envoy_round_robin.rs"),
    (183, "edf-511", "policy/edf.rs"),
    (185, "edf-631", "policy/edf.rs"),
    (187, "edf-128", "policy/edf.rs"),
    (193, "prio-spill-70-30", "health/envoy_priorities.rs"),
    (195, "prio-35-65", "health/envoy_priorities.rs"),
    (201, "prio-rounding", "health/envoy_priorities.rs"),
    (203, "prio-third-weak", "health/envoy_priorities.rs"),
    (207, "prio-all-down-by-size", "health/envoy_priorities.rs"),
    (209, "prio-empty-first", "health/envoy_priorities.rs"),
    (211, "lr-p2c", "policy/envoy_least_request.rs"),
    (213, "lr-choice-5", "policy/envoy_least_request.rs"),
    (215, "lr-full-scan-ties", "policy/envoy_least_request.rs"),
    (217, "lr-unequal-b-busy", "policy/envoy_least_request.rs"),
    (219, "lr-bias-0", "policy/envoy_least_request.rs"),
    (221, "ss-12-of-60", "policy/envoy_round_robin.rs"),
    (223, "ss-over", "policy/envoy_round_robin.rs"),
    (225, "ss-aggression-2-26s", "policy/envoy_round_robin.rs"),
    (227, "ss-min-35-30s", "policy/envoy_round_robin.rs"),
    (229, "ss-active-hc", "health/envoy_slow_start.rs"),
    (231, "ss-lr-40s", "policy/envoy_least_request.rs"),
    (233, "ring-uneven", "policy/envoy_ring_hash.rs"),
    (235, "ring-weights-large", "policy/envoy_ring_hash.rs"),
    (237, "ring-too-small", "policy/envoy_ring_hash.rs"),
    (239, "maglev-7", "policy/maglev.rs"),
    (241, "maglev-lopsided", "policy/maglev.rs"),
    (243, "bounded-several", "policy/envoy_ring_hash.rs"),
    (245, "loc-equal", "policy/by_zone.rs"),
    (247, "loc-missing-weight", "policy/by_zone.rs"),
    (249, "loc-health-4-of-5", "policy/by_zone.rs"),
    (251, "loc-health-2-of-5", "policy/by_zone.rs"),
    (253, "loc-health-0-of-5", "policy/by_zone.rs"),
    (257, "od-gateway", "health/envoy_outlier_detection/tests.rs"),
    (263, "od-backoff", "health/envoy_outlier_detection/tests.rs"),
    (
        265,
        "od-max-time-unaligned",
        "health/envoy_outlier_detection/tests.rs",
    ),
    (
        267,
        "od-success-rate-volume",
        "health/envoy_outlier_detection/tests.rs",
    ),
    (
        269,
        "od-failure-percent",
        "health/envoy_outlier_detection/tests.rs",
    ),
    (271, "hc-timeout-threshold", "health/envoy_health_checks.rs"),
    (273, "hc-first-success", "health/envoy_health_checks.rs"),
    (289, "budget-min", "guard/envoy_retry_limit.rs"),
    (291, "breaker-independent", "guard/envoy_circuit_breaker.rs"),
    (293, "adm-100-2", "guard/envoy_admission_control.rs"),
    (295, "adm-max-10", "guard/envoy_admission_control.rs"),
    (297, "bucket-1", "guard/rate_limit.rs"),
    (299, "gradient-min", "guard/envoy_adaptive_concurrency.rs"),
    (
        301,
        "cswrr-weight",
        "policy/client_side_weighted_round_robin.rs",
    ),
];

/// Cases that cannot be said, and why.
const UNSAID: &[(u32, &str, &str)] = &[
    (
        197,
        "prio-excluded-hosts",
        "no server is excluded from the counts and still there",
    ),
    (199, "prio-total-panic-uneven", "the same"),
    (
        205,
        "prio-degraded-spill",
        "no server calls itself degraded",
    ),
    (
        255,
        "zone-small-cluster",
        "no routing by zone; without it all three take turns, which is what the case shows",
    ),
    (287, "backoff-retry-after", "answers carry no Retry-After"),
];

/// Cases that are scenarios here.
const SCENARIOS: &[(u32, &str)] = &[
    (175, "rr-two"),
    (189, "panic-basic"),
    (191, "panic-fail-traffic"),
    (259, "od-max-percent-60"),
    (261, "od-always-one"),
    (275, "retry-default-1"),
    (277, "retry-gateway"),
    (279, "retry-4xx"),
    (281, "retry-method-limit"),
    (283, "retry-breaker-0"),
    (285, "backoff-default"),
    (303, "od-max-30-of-5"),
];

#[test]
fn each_published_case_has_its_place() {
    let beside = BESIDE.iter().map(|case| case.0);
    let unsaid = UNSAID.iter().map(|case| case.0);
    let mut all: Vec<u32> = beside.chain(unsaid).collect();
    all.extend(SCENARIOS.iter().map(|case| case.0));
    all.sort_unstable();
    let published: Vec<u32> = (175..=303).step_by(2).collect();
    assert_eq!(all, published);
}

/// Servers `a`, `b` …, of which those listed always fail, behind an Envoy with some settings.
fn scenario(
    moments: impl IntoIterator<Item = f64>,
    servers: usize,
    bad: &str,
    some: &str,
) -> String {
    let server = |i: usize| {
        let name = char::from(b'a' + i as u8);
        let errors = if bad.contains(name) {
            ", errors = { rate = 1.0 }"
        } else {
            ""
        };
        format!("{{ name = \"{name}\", workers = 8{errors} }}")
    };
    let list: Vec<String> = (0..servers).map(server).collect();
    let comma = if some.is_empty() { "" } else { ", " };
    format!(
        "{}[service.web]\ndemand = \"1ms\"\nserver = [{}]\n\
         balancer.dialect = {{ kind = \"envoy\"{comma}{some} }}\n",
        requests_at(moments),
        list.join(", ")
    )
}

fn play(
    moments: impl IntoIterator<Item = f64>,
    servers: usize,
    bad: &str,
    some: &str,
) -> Vec<Fate> {
    fates(&scenario(moments, servers, bad, some))
}

/// The first servers that requests were sent to, as a set in order.
fn visited(fates: &[Fate]) -> String {
    let mut names: Vec<&str> = fates
        .iter()
        .flat_map(|fate| &fate.tried)
        .map(String::as_str)
        .collect();
    names.sort_unstable();
    names.dedup();
    names.concat()
}

/// Strict turns from wherever they begin; measured as `c d a b c d a b c` and others.
#[test]
fn case_175_rr_two_and_four() {
    let two = tried(&play(every(0.05, 4), 2, "", ""));
    assert!("a b a b a".contains(&two), "{two}");
    let mut starts = Vec::new();
    for seed in 1..20 {
        let text = format!("seed = {seed}\n{}", scenario(every(0.05, 9), 4, "", ""));
        let four = tried(&fates(&text));
        assert!("a b c d ".repeat(4).contains(&four), "{four}");
        starts.push(four.chars().next());
    }
    starts.sort_unstable();
    starts.dedup();
    assert_eq!(starts.len(), 4);
}

const CHECKS: &str = "health_checks = true, interval = \"500ms\", check_timeout = \"200ms\", unhealthy_threshold = 1";

/// Of six servers four are down from the start; who is sent to after the checks have seen it.
fn panicking(down: &str, some: &str) -> Vec<Fate> {
    let mut text = scenario(
        every(0.05, 24).map(|at| at + 8.0),
        6,
        "",
        &format!("{CHECKS}{some}"),
    );
    for name in down.chars() {
        text += &format!(
            "[[timeline]]\nat = \"10ms\"\ndo = \"crash\"\ntarget = \"service.web.server.{name}\"\n"
        );
    }
    fates(&text)
}

#[test]
fn case_189_panic_basic() {
    let fates = panicking("cdef", "");
    assert_eq!(visited(&fates), "abcdef");
    let turns = tried(&fates);
    assert!("a b c d e f ".repeat(6).contains(&turns), "{turns}");
    // Three of six are no panic: the threshold is strict.
    assert_eq!(visited(&panicking("def", "")), "abc");
    assert_eq!(
        visited(&panicking("cdef", ", healthy_panic_threshold = 0")),
        "ab"
    );
}

#[test]
fn case_191_panic_fail_traffic() {
    let fates = panicking("cdef", ", fail_traffic_on_panic = true");
    assert_eq!(visited(&fates), "");
    assert!(fates.iter().all(|fate| fate.outcome == "unavailable"));
}

const EJECTS: &str =
    "outlier_detection = true, enforcing_success_rate = 0, update_merge_window = \"0s\"";

/// Who is still sent to at the end of many requests of which some servers fail all.
fn left(servers: usize, bad: &str, some: &str) -> String {
    let fates = play(every(0.01, 300), servers, bad, &format!("{EJECTS}{some}"));
    visited(&fates[200..])
}

#[test]
fn cases_259_261_303_outliers_are_ejected_as_far_as_the_limit_allows() {
    // 259 od-max-percent-60, 303 od-max-30-of-5: without panic, to see who is out.
    let calm = ", healthy_panic_threshold = 0";
    let limit = |percent| format!("{calm}, max_ejection_percent = {percent}");
    assert_eq!(left(2, "ab", &limit(60)).len(), 1);
    assert_eq!(left(5, "abc", &limit(30)).len(), 4);
    // 261 od-always-one
    let always = format!("{}, always_eject_one_host = true", limit(30));
    assert_eq!(left(3, "abc", &always).len(), 2);
    // Measured: of four with two bad ones nobody by default, one with always_eject_one_host, both with 50 %.
    assert_eq!(left(4, "ab", ""), "abcd");
    assert_eq!(left(4, "ab", ", always_eject_one_host = true").len(), 3);
    assert_eq!(left(4, "ab", ", max_ejection_percent = 50"), "cd");
    // Both of two: panic, and both keep serving.
    assert_eq!(left(2, "ab", ", max_ejection_percent = 100"), "ab");
}

/// How many servers each of a few requests was sent to.
fn tries(bad: &str, some: &str) -> Vec<usize> {
    let fates = play(every(2.0, 4), 3, bad, some);
    fates.iter().map(|fate| fate.tried.len()).collect()
}

#[test]
fn case_275_retry_default_1() {
    assert_eq!(tries("abc", "retry_on = [\"5xx\"]"), [2; 4]);
    assert_eq!(tries("abc", ""), [1; 4]);
    assert_eq!(
        tries("abc", "retry_on = [\"5xx\"], num_retries = 3"),
        [4; 4]
    );
}

#[test]
fn case_277_retry_gateway() {
    for (status, expected) in [("502", 2), ("503", 2), ("504", 2), ("500", 1)] {
        let some = format!("retry_on = [\"gateway-error\"], status = \"{status}\"");
        assert_eq!(tries("abc", &some), [expected; 4], "{status}");
    }
}

#[test]
fn case_279_retry_4xx() {
    for (status, expected) in [("409", 2), ("400", 1)] {
        let some = format!("retry_on = [\"retriable-4xx\"], status = \"{status}\"");
        assert_eq!(tries("abc", &some), [expected; 4], "{status}");
    }
    // A refused connection is none of it, but a connect-failure.
    for (condition, expected) in [("retriable-4xx", 1), ("connect-failure", 2)] {
        let some = format!("retry_on = [\"{condition}\"]");
        let mut text = scenario(every(2.0, 4), 1, "", &some);
        text += "[[timeline]]\nat = \"0s\"\ndo = \"crash\"\ntarget = \"service.web.server.a\"\n";
        let fates = fates(&text);
        assert!(
            fates[1..].iter().all(|fate| fate.tried.len() == expected),
            "{condition}"
        );
    }
}

#[test]
fn case_281_retry_method_limit() {
    let rest = "[client]\ntimeout = \"5s\"\n";
    for (method, expected) in [("get", 2), ("post", 1)] {
        let retry = format!(
            "[service.web.balancer.client]\nretry = {{ kind = \"envoy\", method = \"{method}\", retriable_methods = \"get-and-head\" }}\n"
        );
        let text = format!("{}{retry}{rest}", scenario(every(2.0, 4), 3, "abc", ""));
        let fates = fates(&text);
        assert!(
            fates.iter().all(|fate| fate.tried.len() == expected),
            "{method}"
        );
    }
}

#[test]
fn case_283_retry_breaker_0() {
    assert_eq!(
        tries("abc", "retry_on = [\"5xx\"], max_retries = 0"),
        [1; 4]
    );
}

/// Measured with 100 ms: below 100, 200 and 400 ms, uniform, so that all three together take 350 on average.
#[test]
fn case_285_backoff_default() {
    let some = "retry_on = [\"5xx\"], num_retries = 3, base_interval = \"100ms\"";
    let fates = play(every(2.0, 400), 3, "abc", some);
    let pauses = fates.iter().map(|fate| fate.took_s * 1e3 - 4.0);
    let pauses: Vec<f64> = pauses.collect();
    let mean = pauses.iter().sum::<f64>() / 400.0;
    // Whole milliseconds below each ceiling: (99 + 199 + 399) / 2; the documented (2ⁿ - 1) · B would be 550.
    assert!((mean - 348.5).abs() < 25.0, "{mean}");
    assert!(
        pauses
            .iter()
            .all(|ms| *ms < 700.0 && (ms - ms.round()).abs() < 1e-6)
    );
}

/// Measured: `c a b c` for one request that fails everywhere, and a retry takes the next turn: with a failing of three, each
/// second request is sent to it first.
#[test]
fn a_retry_goes_to_the_next_in_turn() {
    let failing = tried(&play(
        every(2.0, 6),
        3,
        "abc",
        "retry_on = [\"5xx\"], num_retries = 3",
    ));
    let turns = failing.replace(' ', "");
    assert!("abc".repeat(10).contains(&turns), "{failing}");
    let one_bad = tried(&play(every(0.5, 12), 3, "a", "retry_on = [\"5xx\"]"));
    assert!("ab c ".repeat(8).contains(&one_bad), "{one_bad}");
}

/// Measured: twenty at once that fail, three tries after the first each: nine retries in all, not sixty.
#[test]
fn retries_are_limited_for_all_requests_together() {
    let some = "retry_on = [\"5xx\"], num_retries = 3";
    let fates = play(std::iter::repeat_n(1.0, 20), 3, "abc", some);
    let retries: usize = fates.iter().map(|fate| fate.tried.len() - 1).sum();
    assert_eq!(retries, 9);
}

/// Measured: a hanging server uses up the whole timeout of the request, unless a try has a timeout of its own.
#[test]
fn without_per_try_timeout_what_hangs_is_not_tried_again() {
    let run = |some: &str| {
        let some = format!("retry_on = [\"5xx\"], num_retries = 2, timeout = \"500ms\"{some}");
        let text = scenario([2.0, 4.0], 2, "", &some);
        fates(&text.replace("name = \"a\",", "name = \"a\", speed = 0.0001,"))
    };
    for (some, expected) in [
        ("", "errored succeeded"),
        (", per_try_timeout = \"200ms\"", "succeeded succeeded"),
    ] {
        let fates = run(some);
        let mut outcomes: Vec<&str> = fates.iter().map(|fate| fate.outcome).collect();
        outcomes.sort_unstable();
        assert_eq!(outcomes.join(" "), expected);
    }
}

/// Measured: weights 3, 2, 1, 1 go round as `b a a b a c d` at some place of it.
#[test]
fn weights_take_turns_by_deadline() {
    let mut text = scenario(every(0.05, 21), 4, "", "");
    text = text.replace("name = \"a\",", "name = \"a\", weight = 3,");
    text = text.replace("name = \"b\",", "name = \"b\", weight = 2,");
    let turns = tried(&fates(&text)).replace(' ', "");
    assert!("baabacd".repeat(6).contains(&turns[7..]), "{turns}");
}

/// Measured with HTTP/1.1, one connection and one pending: of five 50 ms apart that take 450 ms, two are served.
#[test]
fn one_is_active_one_is_pending_and_the_rest_is_refused() {
    let some = "max_connections = 1, max_pending_requests = 1";
    let text = scenario(every(0.05, 5), 1, "", some).replace("\"1ms\"", "\"450ms\"");
    let fates = fates(&text);
    let served = |fate: &&Fate| fate.outcome == "succeeded";
    assert_eq!(fates.iter().filter(served).count(), 2);
    assert!((fates[1].took_s - 0.85).abs() < 1e-6);
    assert!(fates[2..].iter().all(|fate| fate.took_s < 1e-6));
}

/// Measured: the first ejection takes effect at once, one that follows within a second only later.
#[test]
fn updates_are_merged_for_a_second() {
    let errors = |window: &str| {
        let some = format!(
            "outlier_detection = true, consecutive_5xx = 3, max_ejection_percent = 50, update_merge_window = \"{window}\""
        );
        let fates = play(every(0.025, 120), 4, "ab", &some);
        fates
            .iter()
            .filter(|fate| fate.outcome == "errored")
            .count()
    };
    assert_eq!(errors("0s"), 6);
    assert!((14..=24).contains(&errors("1s")), "{}", errors("1s"));
}

#[test]
fn what_envoy_refuses_is_refused() {
    for (some, expected) in [
        (
            "lb_policy = \"RANDOM\", slow_start_window = \"10s\"",
            "slow_start_window",
        ),
        ("hash_balance_factor = 120", "hash_balance_factor"),
        (
            "lb_policy = \"RING_HASH\", hash_balance_factor = 50",
            "hash_balance_factor",
        ),
        (
            "minimum_ring_size = 9, maximum_ring_size = 8",
            "above `maximum_ring_size`",
        ),
        ("base_ejection_time = \"10m\"", "cannot be smaller than"),
        ("max_interval = \"1ms\"", "must not be below"),
        ("lb_policy = \"round-robin\"", "ROUND_ROBIN"),
    ] {
        let problem = sim_core::scenario::parse(&scenario([1.0], 1, "", some)).expect_err(some);
        assert!(problem.to_string().contains(expected), "{some}: {problem}");
    }
    let half = scenario([1.0], 1, "", "").replace("workers = 8", "workers = 8, weight = 0.5");
    let problem = sim_core::scenario::parse(&half).expect_err("half a weight");
    assert!(problem.to_string().contains("whole numbers"), "{problem}");
}

/// Two zones of weights 1 and 2, the first with five servers: shares of the second, with all of the first
/// in rotation, with two of five, and with none.
#[test]
fn zones_have_turns_by_weight_and_health() {
    let share = |drained: &[usize]| {
        let acts: String = drained.iter().fold(String::new(), |acts, n| {
            acts + &format!(
                "[[timeline]]\nat = \"0s\"\ndo = \"drain\"\ntarget = \"service.web.server.a-{n}\"\n"
            )
        });
        let text = format!(
            r#"
            horizon = "9s"
            record.every_nth_request = 1
            traffic = [{{ to = "web", rate = 100, arrivals = "deterministic" }}]
            {acts}
            [service.web]
            demand = "1ms"
            balancer = {{ dialect = {{ kind = "envoy", locality_weighted = true }} }}
            zone = {{ a = {{ weight = 1 }}, b = {{ weight = 2 }} }}
            server = [
                {{ name = "a", count = 5, workers = 1, zone = "a" }},
                {{ name = "b", workers = 9, zone = "b" }},
            ]
            "#
        );
        let fates = super::fates(&text);
        let second = fates.iter().filter(|fate| fate.tried == ["b"]).count();
        second as f64 / fates.len() as f64
    };
    for (drained, expected) in [
        (&[][..], 2.0 / 3.0),
        (&[2], 2.0 / 3.0),
        (&[1, 3, 5], 2.0 / 2.56),
        (&[1, 2, 3, 4, 5], 1.0),
    ] {
        let share = share(drained);
        assert!(
            (share - expected).abs() < 0.005,
            "{drained:?}: {share}, expected {expected}"
        );
    }
}
