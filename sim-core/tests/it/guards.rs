//! Guards at callers, balancers and servers, at exact instants.

use crate::support::{
    at, check_books, fates, log, model, outcome, run, server, service, start, summary, told, traced,
};
use sim_core::engine::Simulation;
use sim_core::event_log::Kind;
use sim_core::scenario::{self, NoFiles, Scenario, Source};
use sim_core::summary::Summary;

/// One server that serves many at once for a second each.
const WEB: &str =
    "[service.web]\ndemand = \"1s\"\n[[service.web.server]]\nname = \"s\"\nworkers = 9\n";

/// The same scenario with guards at each of the three posts.
fn at_each_post(guards: &str) -> [String; 3] {
    [
        format!("client = {{ guards = {guards} }}\n{WEB}"),
        WEB.replace("[[", &format!("balancer = {{ guards = {guards} }}\n[[")),
        format!("{WEB}guards = {guards}\n"),
    ]
}

#[test]
fn a_concurrency_limit_sheds_at_each_post() {
    for rest in at_each_post("[{ kind = \"concurrency-limit\", limit = 2 }]") {
        let text = traced("10s", &["0s", "100ms", "200ms", "1050ms"], &rest);
        let expected = [
            ("succeeded", 1000.0),
            ("succeeded", 1100.0),
            ("shed", 200.0),
            ("succeeded", 2050.0),
        ];
        assert_eq!(fates(&text), expected, "{rest}");
    }
}

#[test]
fn who_waits_for_a_place_gets_it_in_turn_or_gives_up_or_is_sent_away() {
    let guard = "[{ kind = \"concurrency-limit\", limit = 1, queue = 2, wait = \"1500ms\" }]";
    for rest in at_each_post(guard) {
        let times = ["0s", "100ms", "200ms", "300ms"];
        let expected = [
            ("succeeded", 1000.0),
            ("succeeded", 2000.0),
            // The third has waited as long as it may before the second is done.
            ("shed", 1700.0),
            ("shed", 300.0),
        ];
        assert_eq!(fates(&traced("10s", &times, &rest)), expected, "{rest}");
        // A caller that gives up makes room in the line.
        let rest = match rest.strip_prefix("client = {") {
            Some(client) => format!("client = {{ timeout = \"1200ms\", {client}"),
            None => format!("client = {{ timeout = \"1200ms\" }}\n{rest}"),
        };
        let times = ["0s", "100ms", "150ms", "1320ms", "1330ms"];
        let (fates, late) = (fates(&traced("10s", &times, &rest)), ("timed_out", 1300.0));
        assert_eq!(
            fates[..3],
            [("succeeded", 1000.0), late, ("timed_out", 1350.0)],
            "{rest}"
        );
    }
}

#[test]
fn a_rate_limit_lets_pass_delays_and_sheds() {
    let guard = "[{ kind = \"rate-limit\", rate = 2, burst = 2, wait = \"600ms\" }]";
    for rest in at_each_post(guard) {
        let times = ["0s", "0s", "0s", "0s"];
        let expected = [
            ("succeeded", 1000.0),
            ("succeeded", 1000.0),
            ("succeeded", 1500.0),
            ("shed", 0.0),
        ];
        assert_eq!(fates(&traced("10s", &times, &rest)), expected, "{rest}");
    }
}

#[test]
fn guards_act_in_the_order_in_which_they_are_written() {
    // The limit of one passes the second only when the first is done; by then its token is there.
    let both = "[{ kind = \"concurrency-limit\", limit = 1, queue = 5 }, { kind = \"rate-limit\", rate = 0.4, wait = \"1h\" }]";
    for rest in at_each_post(both) {
        let text = traced("10s", &["0s", "0s", "0s"], &rest);
        // Tokens come at 0, 2.5 s and 5 s, and each is asked for when the one before has ended.
        let expected = [1000.0, 3500.0, 6000.0].map(|at| ("succeeded", at));
        assert_eq!(fates(&text), expected, "{rest}");
    }
}

/// Fails every request after 10 ms, until it is mended at 1.5 s.
const MENDED: &str = "[service.web]\ndemand = \"10ms\"\nserver = [{ name = \"s\", workers = 9, errors = { rate = 1 } }]\n\
    [[timeline]]\nat = \"1500ms\"\nset = { \"service.web.server.s.errors.rate\" = 0 }\n";

#[test]
fn a_breaker_opens_tries_and_closes_and_says_so() {
    let rest = format!(
        "client = {{ guards = [{{ kind = \"circuit-breaker\", failures = 2, open = \"1s\" }}] }}\n{MENDED}"
    );
    let times = [
        "0s", "100ms", "200ms", "1s", "1150ms", "1300ms", "2200ms", "2300ms",
    ];
    let text = traced("5s", &times, &rest);
    let expected = [
        ("errored", 10.0),
        ("errored", 110.0),
        ("shed", 200.0),
        ("shed", 1000.0),
        // The trial, a second after it opened, fails.
        ("errored", 1160.0),
        ("shed", 1300.0),
        ("succeeded", 2210.0),
        ("succeeded", 2310.0),
    ];
    assert_eq!(fates(&text), expected);
    let run = run(&text);
    let opened = told(&run, Kind::Opened);
    let news = |at, cause: &str| (at, "traffic".to_owned(), cause.to_owned());
    let expected = [
        news(0.11, "2 failures in a row"),
        news(1.16, "a trial failed"),
    ];
    assert_eq!(opened, expected);
    assert_eq!(told(&run, Kind::Closed), [news(2.21, "a trial succeeded")]);
    let guards = run.guard_figures();
    assert_eq!(
        (&*guards[0].at, guards[0].kind),
        ("traffic.traffic", "circuit-breaker")
    );
    assert_eq!(
        (guards[0].passed, guards[0].refused, guards[0].held),
        (5, 3, 0)
    );
}

/// How many attempts the service `back` answered with an error.
fn errors_at_back(run: &Simulation) -> u64 {
    let summary = Summary::of(run, 0);
    let outcomes = &service(&summary, "back").attempts.outcomes;
    *outcomes.get("errored").expect("an outcome")
}

/// Two servers of `web` call `back`, which always fails.
fn two_callers(shared: bool) -> Simulation {
    run(&traced(
        "5s",
        &["0s", "100ms", "200ms", "300ms", "400ms", "500ms"],
        &format!(
            "[service.web]\ndemand = \"1ms\"\nbalancer = {{ policy = \"round-robin\" }}\n\
             server = [{{ name = \"f\", count = 2, workers = 9 }}]\n\
             call = [{{ to = \"back\", client = {{ guards = [{{ kind = \"circuit-breaker\", failures = 2, shared = {shared} }}] }} }}]\n\
             [service.back]\ndemand = \"1ms\"\nserver = [{{ name = \"b\", workers = 9, errors = {{ rate = 1 }} }}]\n"
        ),
    ))
}

#[test]
fn each_calling_server_has_a_breaker_of_its_own_unless_they_share_one() {
    let at_back = |run: &Simulation| errors_at_back(run);
    let own = two_callers(false);
    assert_eq!(at_back(&own), 4, "two failures open each of two");
    let subjects: Vec<String> = told(&own, Kind::Opened)
        .into_iter()
        .map(|(_, s, _)| s)
        .collect();
    assert_eq!(subjects, ["f-1 to back", "f-2 to back"]);
    assert_eq!(at_back(&two_callers(true)), 2, "two failures open the one");
}

#[test]
fn a_crash_makes_a_server_forget_what_its_breakers_had_learnt() {
    let text = |crash: &str| {
        traced(
            "9s",
            &["0s", "100ms", "200ms", "2s"],
            &format!(
                "[service.web]\ndemand = \"1ms\"\nserver = [{{ name = \"f\", workers = 9, restart = {{ kind = \"after\", pause = \"10ms\" }} }}]\n\
                 call = [{{ to = \"back\", client = {{ guards = [{{ kind = \"circuit-breaker\", failures = 2, open = \"1h\" }}] }} }}]\n\
                 [service.back]\ndemand = \"1ms\"\nserver = [{{ name = \"b\", workers = 9, errors = {{ rate = 1 }} }}]\n{crash}"
            ),
        )
    };
    let reached = |text: &str| errors_at_back(&run(text));
    assert_eq!(reached(&text("")), 2);
    let crash = "[[timeline]]\nat = \"1s\"\ndo = \"crash\"\ntarget = \"service.web.server.f\"\n";
    assert_eq!(reached(&text(crash)), 3, "the last one reaches it again");
}

#[test]
fn what_a_balancer_learns_has_nothing_of_its_callers_network() {
    // Served within 100 ms, but answered after 300 ms: only a caller may call that slow.
    let breaker = "[{ kind = \"circuit-breaker\", failures = 1, slow = \"150ms\" }]";
    let web = "[service.web]\ndemand = \"100ms\"\nlink = { delay = \"100ms\" }\n";
    let server = "server = [{ name = \"s\", workers = 9";
    let text = |client: &str, balancer: &str, at_server: &str| {
        let rest = format!("{client}\n{web}{balancer}\n{server}{at_server} }}]\n");
        fates(&traced("5s", &["0s", "1s"], &rest))[1].0
    };
    assert_eq!(
        text(&format!("client = {{ guards = {breaker} }}"), "", ""),
        "shed"
    );
    assert_eq!(
        text("", &format!("balancer = {{ guards = {breaker} }}"), ""),
        "succeeded"
    );
    assert_eq!(text("", "", &format!(", guards = {breaker}")), "succeeded");
}

#[test]
fn work_that_nobody_waits_for_is_not_begun() {
    // Each takes the only worker for a second, and callers wait for one and a half.
    let text = |guards: &str| {
        traced(
            "20s",
            &["0s", "0s", "0s", "0s", "5s"],
            &format!(
                "client = {{ timeout = \"1500ms\" }}\n[service.web]\ndemand = \"1s\"\n\
                 server = [{{ name = \"s\", workers = 1, guards = {guards} }}]\n"
            ),
        )
    };
    let wasted = |text: &str| summary(text).wasted_work;
    let fates_of = |text: &str| {
        fates(text)
            .iter()
            .map(|(what, _)| *what)
            .collect::<Vec<_>>()
    };
    let bare = [
        "succeeded",
        "timed_out",
        "timed_out",
        "timed_out",
        "succeeded",
    ];
    assert_eq!(fates_of(&text("[]")), bare);
    assert!(wasted(&text("[]")).is_some_and(|share| (share - 0.6).abs() < 1e-9));
    // Without a margin the second is still begun, for nothing.
    assert_eq!(fates_of(&text("[\"deadline\"]")), bare);
    assert!(wasted(&text("[\"deadline\"]")).is_some_and(|share| (share - 1.0 / 3.0).abs() < 1e-9));
    let margin = "[{ kind = \"deadline\", margin = \"1s\" }]";
    let shed = ["succeeded", "shed", "shed", "shed", "succeeded"];
    assert_eq!(fates_of(&text(margin)), shed);
    assert_eq!(wasted(&text(margin)), Some(0.0));
}

#[test]
fn a_deadline_is_inherited_down_the_tiers() {
    // The caller outside waits for a second; the call to the back has no timeout of its own.
    let text = |guards: &str| {
        traced(
            "60s",
            &["0s"],
            &format!(
                "client = {{ timeout = \"1s\" }}\n[service.web]\ndemand = \"1ms\"\n\
                 server = [{{ name = \"f\", workers = 1 }}]\n\
                 call = [{{ to = \"back\", client = {{ cancel = true, guards = {guards} }} }}]\n\
                 [service.back]\ndemand = \"30s\"\nserver = [{{ name = \"b\", workers = 1 }}]\n"
            ),
        )
    };
    let busy = |guards: &str| server(&summary(&text(guards)), "back", "b").utilisation;
    assert!((busy("[]") - 0.5).abs() < 1e-9);
    let with = busy("[\"deadline\"]");
    assert!((with - 0.999 / 60.0).abs() < 1e-9, "{with}");
}

#[test]
fn an_adaptive_throttle_spares_a_service_that_turns_most_away() {
    // One worker without a queue serves 10 a second of 100.
    let text = |guards: &str| {
        format!(
            "horizon = \"300s\"\nwarm_up = \"100s\"\ntraffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = 100 }}]\n\
             client = {{ guards = {guards} }}\n[service.web]\ndemand = \"100ms\"\n\
             server = [{{ name = \"s\", workers = 1, queue = {{ limit = 0 }} }}]\n"
        )
    };
    let reached = |text: &str| {
        let summary = summary(text);
        let shed = outcome(&summary, "shed") as f64;
        (summary.requests.arrived as f64 - shed) / summary.requests.arrived as f64
    };
    assert!((reached(&text("[]")) - 1.0).abs() < 1e-9);
    // With k = 2 as much again is sent as is accepted. Sent at random s times a second, one is
    // accepted every 0.1 s + 1/s, so s = 2 / (0.1 s + 1/s): 10 of the 100 a second are sent.
    let sent = reached(&text(
        "[{ kind = \"adaptive-throttle\", window = \"10s\" }]",
    ));
    assert!((0.09..0.13).contains(&sent), "{sent}");
}

#[test]
fn an_aimd_limit_finds_what_a_server_can_take() {
    // Ten workers, and everybody beyond fails: the limit swings below ten.
    let text = "horizon = \"600s\"\nwarm_up = \"100s\"\ntraffic = [{ to = \"web\", rate = 200 }]\n\
        [service.web]\ndemand = { kind = \"exponential\", mean = \"100ms\" }\n\
        balancer = { guards = [{ kind = \"aimd-limit\", initial = 50, min = 1, max = 100, backoff = 0.5 }] }\n\
        server = [{ name = \"s\", workers = 10, queue = { limit = 0 } }]\n";
    let summary = summary(text);
    let server = server(&summary, "web", "s");
    let rejected = outcome(&summary, "rejected") as f64 / summary.requests.arrived as f64;
    assert!(
        (0.6..1.0).contains(&server.utilisation),
        "{}",
        server.utilisation
    );
    assert!((0.0..0.1).contains(&rejected), "{rejected}");
}

#[test]
fn guards_can_be_changed_while_attempts_are_out_and_held() {
    let rest = format!(
        "{}[[timeline]]\nat = \"500ms\"\nset = {{ \"service.web.server.s.guards\" = [{{ kind = \"concurrency-limit\", limit = 2 }}] }}\n",
        at_each_post("[{ kind = \"concurrency-limit\", limit = 1, queue = 9 }]")[2]
    );
    let text = traced("9s", &["0s", "100ms", "200ms", "600ms", "1050ms"], &rest);
    let expected = [
        ("succeeded", 1000.0),
        // Of the two that waited one is within the new limit and one is not.
        ("succeeded", 1500.0),
        ("shed", 500.0),
        ("shed", 600.0),
        ("succeeded", 2050.0),
    ];
    assert_eq!(fates(&text), expected);
    // A single parameter by its path, and the guards that stay keep what they know.
    let rest = format!(
        "{}[[timeline]]\nat = \"500ms\"\nset = {{ \"service.web.balancer.guards.concurrency-limit.limit\" = 3 }}\n",
        at_each_post("[{ kind = \"concurrency-limit\", limit = 1 }]")[1]
    );
    let text = traced("9s", &["0s", "100ms", "600ms", "700ms", "800ms"], &rest);
    let ends: Vec<_> = fates(&text).iter().map(|(what, _)| *what).collect();
    assert_eq!(
        ends,
        ["succeeded", "shed", "succeeded", "succeeded", "shed"]
    );
}

#[test]
fn a_crash_resets_those_who_are_held() {
    let guard = "[{ kind = \"concurrency-limit\", limit = 1, queue = 9 }]";
    let crash = |target: &str| {
        format!("[[timeline]]\nat = \"500ms\"\ndo = \"crash\"\ntarget = \"service.web.{target}\"\n")
    };
    let [at_caller, at_balancer, at_server] = at_each_post(guard);
    let times = ["0s", "100ms"];
    let fates = |rest: &str, target: &str| {
        fates(&traced("9s", &times, &format!("{rest}{}", crash(target))))
    };
    let both = [("reset", 500.0), ("reset", 500.0)];
    assert_eq!(fates(&at_server, "server.s"), both);
    assert_eq!(fates(&at_balancer, "balancer"), both);
    // Held at its caller it goes on when the first has failed, and finds nobody.
    assert_eq!(
        fates(&at_caller, "server.s"),
        [("reset", 500.0), ("refused", 500.0)]
    );
}

/// Most requests pass their guards on the fast path, which must make no difference.
#[test]
fn the_fast_path_meets_guards_as_the_general_one_does() {
    let met = [
        "{ kind = \"circuit-breaker\", failures = 2, open = \"300ms\" }",
        "{ kind = \"rate-limit\", rate = 45, burst = 3, wait = \"100ms\" }",
        "{ kind = \"adaptive-throttle\", k = 1.05, window = \"2s\" }",
        "{ kind = \"concurrency-limit\", limit = 3, wait = \"80ms\" }",
        "{ kind = \"concurrency-limit\", limit = 2 }",
        "{ kind = \"aimd-limit\", initial = 3, min = 1, max = 9, backoff = 0.5 }",
        "{ kind = \"deadline\" }",
        "{ kind = \"deadline\", margin = \"60ms\" }",
    ];
    for (guard, workers) in met.iter().flat_map(|guard| [(guard, 1), (guard, 3)]) {
        let text = format!(
            "horizon = \"40s\"\nclient = {{ timeout = \"250ms\" }}\n\
             traffic = [{{ to = \"web\", rate = {} }}]\n[service.web]\n\
             demand = {{ kind = \"exponential\", mean = \"20ms\" }}\n\
             server = [{{ name = \"s\", count = 2, workers = {workers}, queue = {{ limit = {} }}, guards = [{guard}] }}]\n",
            105 * workers,
            14 * workers
        );
        let fast = run(&text);
        let mut slow = Simulation::new(model(&text), 0).without_fast_path();
        slow.run();
        assert_eq!(fast.digest(), slow.digest(), "{guard} with {workers}");
        assert_eq!(fast.guard_figures(), slow.guard_figures(), "{guard}");
        let refused: u64 = fast.guard_figures().iter().map(|row| row.refused).sum();
        assert!(
            refused > 10,
            "{guard} with {workers} is hardly met: {refused}"
        );
    }
}

/// A deadline that callers get while their requests wait counts for those on the fast path, too.
#[test]
fn a_new_deadline_counts_for_those_who_wait_already() {
    for workers in [1, 3] {
        let text = format!(
            "horizon = \"12s\"\nclient = {{ timeout = \"10s\" }}\n\
             traffic = [{{ to = \"web\", rate = {} }}]\n[service.web]\n\
             demand = {{ kind = \"exponential\", mean = \"20ms\" }}\n\
             server = [{{ name = \"s\", workers = {workers}, guards = [\"deadline\"] }}]\n\
             [[timeline]]\nat = \"5s\"\nset = {{ \"client.deadline\" = \"500ms\" }}\n",
            70 * workers
        );
        let fast = run(&text);
        let mut slow = Simulation::new(model(&text), 0).without_fast_path();
        slow.run();
        assert_eq!(fast.guard_figures(), slow.guard_figures());
        assert_eq!(fast.digest(), slow.digest(), "{workers} workers");
        assert!(fast.guard_figures()[0].refused > 10);
    }
}

#[test]
fn a_fork_goes_on_like_the_original() {
    let text = format!(
        "horizon = \"60s\"\ntraffic = [{{ to = \"web\", rate = 30 }}]\n{}",
        at_each_post(
            "[\"adaptive-throttle\", { kind = \"aimd-limit\", min = 1, initial = 3, queue = 4, wait = \"700ms\" }, \"circuit-breaker\"]"
        )[1]
    );
    let mut original = start(&text);
    original.run_until(at(20.0));
    let mut fork = original.clone();
    original.run();
    fork.run();
    check_books(&original, &text);
    assert_eq!(original.digest(), fork.digest());
    assert_eq!(original.guard_figures(), fork.guard_figures());
}

#[test]
fn a_change_by_hand_is_the_run_of_its_time_line() {
    let text = format!(
        "horizon = \"20s\"\ntraffic = [{{ to = \"web\", rate = 30 }}]\n{}",
        at_each_post("[{ kind = \"rate-limit\", rate = 5, burst = 3, wait = \"1s\" }]")[1]
    );
    let scenario = Scenario::read(Source::new("s.toml", &*text), &[], &NoFiles).expect("valid");
    let mut simulation = start(&text);
    simulation.run_until(at(10.0));
    let path = "service.web.balancer.guards.rate-limit.rate";
    let (after, new, set) =
        scenario::change(&scenario, &model(&text), at(10.0), path, "25").expect("live");
    simulation.adopt(std::sync::Arc::new(new), &set, "");
    simulation.run();
    let mut replayed = Simulation::new(std::sync::Arc::new(after.model().expect("valid")), 0);
    replayed.run();
    let figures = |s: &Simulation| Summary::of(s, 0).requests.outcomes.clone();
    assert_eq!(figures(&simulation), figures(&replayed));
}

#[test]
fn retries_ask_the_guards_again() {
    let rest = format!(
        "client = {{ retry = {{ kind = \"fixed\", attempts = 4, pause = \"600ms\" }}, guards = [{{ kind = \"circuit-breaker\", failures = 1, open = \"1s\" }}] }}\n{MENDED}"
    );
    // Tried at 0, shed at 0.61 s, tried at 1.21 s, shed at 1.82 s.
    let log = log(&traced("9s", &["0s"], &rest));
    assert_eq!(
        (log[0].outcome.name(), log[0].ended_ns),
        ("shed", 1_820_000_000)
    );
    assert_eq!(log[0].attempts, 4);
}

#[test]
fn bad_guards_are_refused_with_a_reason() {
    let refused = |rest: &str, code: &str, words: &str| {
        let text = format!("horizon = \"1s\"\ntraffic = [{{ to = \"web\", rate = 1 }}]\n{rest}");
        let problems = scenario::parse(&text).expect_err(rest);
        let said = problems.to_string();
        assert!(problems.has(code) && said.contains(words), "{rest}\n{said}");
    };
    let client = |guards: &str| format!("client = {{ guards = {guards} }}\n{WEB}");
    refused(&client("\"deadline\""), "E012", "a list of guards");
    refused(
        &client("[\"deadlin\"]"),
        "E014",
        "did you mean \"deadline\"",
    );
    refused(&client("[\"rate-limit\"]"), "E011", "needs `rate`");
    refused(
        &client("[{ kind = \"rate-limit\", rate = 0 }]"),
        "E013",
        "rate",
    );
    refused(
        &client("[{ kind = \"circuit-breaker\", window = 3 }]"),
        "E017",
        "of 3 attempts never 5 can fail",
    );
    refused(
        &client("[{ kind = \"aimd-limit\", max = 10 }]"),
        "E017",
        "min = 20 is above max = 10",
    );
    let many = format!("[{}]", "\"deadline\", ".repeat(17));
    refused(&client(&many), "E024", "17 guards; at most 16");
    let budget = "[\"retry-budget\"]";
    let [_, balancer, server] = at_each_post(budget);
    refused(&balancer, "E017", "retry-budget cannot stand at a balancer");
    refused(&server, "E017", "retry-budget cannot stand at a server");
    let shared = "[{ kind = \"circuit-breaker\", shared = true }]";
    refused(&at_each_post(shared)[2], "E017", "shared");
}
