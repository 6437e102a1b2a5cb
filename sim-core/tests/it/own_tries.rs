//! What a balancer does by rules of its own towards its servers: it waits, tries again and tells.

use crate::support::{fates, outcome, server, service, start, summary, traced};
use sim_core::engine::Simulation;

/// One request a second of 20 ms, at three servers in turn; `client` is how the balancer sends, `rest` what
/// happens.
fn proxy(client: &str, rest: &str) -> String {
    let times: Vec<String> = (0..12).map(|i| format!("{i}s")).collect();
    let times: Vec<&str> = times.iter().map(String::as_str).collect();
    traced(
        "20s",
        &times,
        &format!(
            "[service.web]\ndemand = \"20ms\"\nbalancer.client = {{ {client} }}\n\
             server = [{{ name = \"a\", count = 3, workers = 1 }}]\n{rest}"
        ),
    )
}

fn crash(server: &str, at: &str) -> String {
    format!(
        "[[timeline]]\nat = \"{at}\"\ndo = \"crash\"\ntarget = \"service.web.server.{server}\"\n"
    )
}

const NEXT: &str = "retry = { kind = \"fixed\", attempts = 3, avoid = \"for-good\" }";

#[test]
fn a_dead_server_costs_callers_nothing_where_the_balancer_tries_the_next() {
    let dead = crash("a-2", "500ms");
    let once = summary(&proxy("", &dead));
    assert_eq!(outcome(&once, "errored"), 4, "every third request");
    let next = summary(&proxy(NEXT, &dead));
    assert_eq!(next.availability, Some(1.0));
    // Callers made one attempt each. Tries take turns as well, so that it is every second request's turn to
    // meet the dead server.
    assert_eq!(
        (next.attempts.total, next.attempts.per_request),
        (12, Some(1.0))
    );
    let tries = service(&next, "web").tries.expect("rules of its own");
    assert_eq!((tries.asked, tries.total), (12, 18));
    assert_eq!(server(&next, "web", "a-2").failed, 6);
}

#[test]
fn no_rules_of_its_own_are_no_tries() {
    let text = proxy("", "").replace("balancer.client = {  }\n", "");
    let plain = summary(&text);
    assert_eq!(service(&plain, "web").tries, None);
    // With rules that say nothing, the same requests fare the same.
    let empty = summary(&proxy("", ""));
    assert_eq!(plain.response_time_s, empty.response_time_s);
}

#[test]
fn a_silent_server_is_given_up_after_the_balancers_time_out_and_the_caller_waits_so_long() {
    let silent = "[[timeline]]\nat = \"500ms\"\nset = { \"service.web.server.a-2.down_behaviour\" = \"black-hole\" }\n";
    let rest = format!("{silent}{}", crash("a-2", "500ms"));
    let client = format!("timeout = \"100ms\", {NEXT}");
    let fates = fates(&proxy(&client, &rest));
    let took = |i: usize| fates[i].1 - 1000.0 * i as f64;
    assert!(
        fates.iter().all(|(outcome, _)| *outcome == "succeeded"),
        "{fates:?}"
    );
    assert_eq!(
        (took(0), took(1), took(2)),
        (20.0, 120.0, 20.0),
        "{fates:?}"
    );
}

#[test]
fn tried_for_good_there_is_no_server_left_and_otherwise_the_same_once_more() {
    let all = "[[timeline]]\nat = \"500ms\"\ndo = \"crash\"\ntarget = \"service.web.server\"\n";
    let attempts = |avoid: &str| {
        let client = format!("retry = {{ kind = \"fixed\", attempts = 5, avoid = \"{avoid}\" }}");
        let ended = summary(&proxy(&client, all));
        let sent = (1..=3).map(|i| server(&ended, "web", &format!("a-{i}")).attempts);
        (
            sent.sum::<u64>() - 1,
            outcome(&ended, "unavailable"),
            outcome(&ended, "errored"),
        )
    };
    // Eleven requests find all three dead: each is sent to each of them once, or five times in all.
    assert_eq!(attempts("for-good"), (33, 11, 0));
    assert_eq!(attempts("all"), (55, 0, 11));
}

#[test]
fn with_no_others_left_it_does_not_stand_before_those_that_wait() {
    // The first has been at both servers when the second begins to wait.
    let text = traced(
        "10s",
        &["1s", "1.01s"],
        "[service.web]\ndemand = \"20ms\"\n\
         balancer = { pending_queue = { limit = 9 }, client = { retry = { kind = \"fixed\", attempts = 9, avoid = \"for-good\" } } }\n\
         server = [{ name = \"a\", count = 2, workers = 1, errors = { rate = 1 }, max_connections = 1 }]\n",
    );
    let fates = fates(&text);
    let ended: Vec<&str> = fates.iter().map(|fate| fate.0).collect();
    assert_eq!(ended, ["unavailable", "unavailable"], "{fates:?}");
}

#[test]
fn a_caller_that_gives_up_takes_the_balancers_try_with_it() {
    let silent = proxy(
        "retry = { kind = \"fixed\", attempts = 9, pause = \"300ms\" }",
        "[[timeline]]\nat = \"0s\"\ndo = \"crash\"\ntarget = \"service.web.server\"\n",
    );
    let text = format!("client = {{ timeout = \"1s\" }}\n{silent}");
    let ended = summary(&text);
    assert_eq!(outcome(&ended, "timed_out"), 12);
    // Tries at 0, 300, 600 and 900 ms; that of 1.2 s is no more.
    assert_eq!(service(&ended, "web").tries.expect("rules").total, 48);
}

#[test]
fn a_balancer_that_crashes_ends_its_tries_and_tells_nobody_twice() {
    let slow = proxy(
        NEXT,
        "[[timeline]]\nat = \"3.01s\"\ndo = \"crash\"\ntarget = \"service.web.balancer\"\n",
    );
    let ended = summary(&slow);
    // One was at a server, eight found nobody there.
    assert_eq!(outcome(&ended, "reset"), 1);
    assert_eq!(outcome(&ended, "refused"), 8);
    assert_eq!(ended.requests.succeeded, 3);
}

#[test]
fn what_the_time_line_says_of_them_holds_from_then_on() {
    let dead = crash("a-2", "500ms");
    let set =
        "[[timeline]]\nat = \"6s\"\nset = { \"service.web.balancer.client.retry\" = \"none\" }\n";
    let ended = summary(&proxy(NEXT, &format!("{dead}{set}")));
    assert!(outcome(&ended, "errored") > 0, "{:?}", ended.requests);
    let rules = traced(
        "5s",
        &["1s"],
        "[service.web]\ndemand = \"1ms\"\nserver = [{ name = \"a\", workers = 1 }]\n\
        [[timeline]]\nat = \"1s\"\nset = { \"service.web.balancer.client.timeout\" = \"1s\" }\n",
    );
    let problems = sim_core::scenario::parse(&rules)
        .expect_err("no rules to change")
        .to_string();
    assert!(problems.contains("has no rules of its own"), "{problems}");
}

#[test]
fn the_request_log_knows_the_server_that_answered() {
    let text = proxy(NEXT, &crash("a-2", "500ms"));
    let mut simulation: Simulation = start(&text);
    simulation.run();
    let log = simulation.recorder_mut().take_log();
    assert_eq!(log.len(), 12);
    assert!(
        log.iter()
            .all(|row| row.server.is_some_and(|server| server != 1) && row.served.is_some()),
        "{log:?}"
    );
}
