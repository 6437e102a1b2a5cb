//! Caddy 2.11.7, as it was observed.

use super::{Fate, every, fates, requests_at, tried};

/// Upstreams a, b and c behind Caddy with these settings, some of them refusing connections from the start until a
/// moment, in seconds.
fn caddy(requests: &str, settings: &str, refusing: &[(&str, f64)]) -> String {
    let mut text = format!(
        "{requests}[service.web]\ndemand = \"1ms\"\n\
         balancer.dialect = {{ kind = \"caddy\", {settings} }}\n\
         server = [{{ name = \"a\", workers = 9 }}, {{ name = \"b\", workers = 9 }}, {{ name = \"c\", workers = 9 }}]\n"
    );
    for (server, until) in refusing {
        for (at, action) in [(0.0, "crash"), (*until, "restart")] {
            text += &format!(
                "[[timeline]]\nat = \"{at:.3}s\"\ndo = \"{action}\"\ntarget = \"service.web.server.{server}\"\n"
            );
        }
    }
    text
}

fn serial(n: u32) -> String {
    requests_at(every(0.01, n).map(|at| at + 0.001))
}

fn failed(fates: &[Fate]) -> usize {
    fates
        .iter()
        .filter(|fate| fate.outcome != "succeeded")
        .count()
}

/// A26: one of three refuses; how many of 60 requests fail, for ever or not.
#[test]
fn one_of_three_refuses() {
    let with = |settings: &str| failed(&fates(&caddy(&serial(60), settings, &[("a", 30.0)])));
    let drawn = with("");
    assert!((10..=30).contains(&drawn), "a third: {drawn}");
    assert_eq!(with("lb_policy = \"round_robin\""), 20);
    assert_eq!(with("lb_policy = \"first\""), 60);
    assert_eq!(
        with("lb_policy = \"round_robin\", fail_duration = \"5s\""),
        1
    );
    let retries = "lb_policy = \"round_robin\", fail_duration = \"5s\", lb_retries = 1";
    assert_eq!(with(retries), 0);
    // Each try picks the same dead upstream.
    assert_eq!(with("lb_policy = \"first\", lb_retries = 2"), 60);
}

/// A27: with everything down a request is tried every 250 ms for two seconds.
#[test]
fn everything_down() {
    let down = [("a", 40.0), ("b", 40.0), ("c", 40.0)];
    let requests = requests_at([0.001]);
    for (settings, tries, seconds) in [
        ("lb_try_duration = \"2s\"", 9, 2.0),
        ("", 1, 0.0),
        // Nobody is available after the first three tries, which is waited for as well.
        ("lb_try_duration = \"2s\", fail_duration = \"10s\"", 3, 2.0),
    ] {
        let fates = fates(&caddy(&requests, settings, &down));
        assert_eq!(fates[0].tried.len(), tries, "{settings}");
        assert!(
            (fates[0].took_s - seconds).abs() < 0.02,
            "{settings}: {fates:?}"
        );
        assert_eq!(failed(&fates), 1);
    }
}

/// Both back after a second: requests that wait end together, with the next tick.
#[test]
fn waiting_requests_come_back_in_a_burst() {
    let down = [("a", 1.0), ("b", 1.0), ("c", 1.0)];
    let text = caddy(
        &requests_at(every(0.01, 9).map(|at| at + 0.001)),
        "lb_try_duration = \"2s\"",
        &down,
    );
    let fates = fates(&text);
    assert_eq!(failed(&fates), 0);
    for fate in &fates {
        let end = fate.arrived_s + fate.took_s;
        assert!((1.0..=1.28).contains(&end), "{fate:?}");
    }
}

/// What an upstream has answered is passed on; where its status is listed it is left alone after so many.
#[test]
fn errors_are_answers() {
    let bad = |settings: &str| {
        let text = caddy(&serial(12), settings, &[]);
        text.replace("name = \"a\",", "name = \"a\", errors = { rate = 1.0 },")
    };
    let turns = "lb_policy = \"round_robin\", lb_try_duration = \"1s\"";
    assert_eq!(failed(&fates(&bad(turns))), 4);
    let listed = format!("{turns}, fail_duration = \"5s\", max_fails = 2, unhealthy_status = true");
    let fates = fates(&bad(&listed));
    assert_eq!(failed(&fates), 2);
    assert_eq!(tried(&fates).matches('a').count(), 2);
}
