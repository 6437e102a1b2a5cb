//! The rarer ways to queue, to fail and to be told: what happens, request by request.

use crate::support::{at, fates, log, outcome, run, server, start, summary, traced};
use sim_core::model::ServerId;

/// One worker, a millisecond for each unit of demand; classes by their demand.
fn one(times: &[&str], service: &str, server: &str) -> String {
    traced(
        "1s",
        times,
        &format!(
            "[service.web]\ndemand = \"10ms\"\n{service}\nserver = [{{ name = \"s\", workers = 1, {server} }}]\n"
        ),
    )
}

#[test]
fn whoever_waits_longer_than_its_patience_abandons() {
    let text = one(
        &["0s", "1ms", "2ms", "3ms"],
        "",
        "queue = { patience = \"15ms\" }",
    );
    // Served at 0 and 10; the third and fourth would have waited until 20 and leave at 17 and 18.
    assert_eq!(
        fates(&text),
        [
            ("succeeded", 10.0),
            ("succeeded", 20.0),
            ("abandoned", 17.0),
            ("abandoned", 18.0)
        ]
    );
    let figures = summary(&text);
    assert_eq!(outcome(&figures, "abandoned"), 2);
    assert_eq!(figures.requests.failed, 2);
    // Served after 0 and 9 ms; the others waited for 15 ms each, in vain.
    let near = |found: Option<f64>, ms: f64| {
        let found = found.expect("some waited");
        assert!((found * 1e3 - ms).abs() < 0.01, "{found} s, not {ms} ms");
    };
    assert_eq!((figures.wait_s.count, figures.wait_all_s.count), (2, 4));
    near(figures.wait_s.mean, 4.5);
    near(figures.wait_all_s.mean, (9.0 + 15.0 + 15.0) / 4.0);
    near(figures.figure("wait_all_s.max"), 15.0);
    let service = &figures.services.0[0].1;
    assert_eq!(service.wait_all_s, figures.wait_all_s);
}

#[test]
fn who_is_called_off_while_waiting_waited_too() {
    let text = one(&["0s", "1ms"], "", "queue = { limit = 5 }")
        + "[client]\ntimeout = \"8ms\"\ncancel = true\n";
    let figures = summary(&text);
    // The first is called off in service, the second in the queue, at 8 and 9 ms; the worker was free
    // at 8 ms.
    assert_eq!(figures.wait_s.count, 2);
    assert_eq!(figures.wait_all_s.count, 2);
    let text = one(&["0s", "1ms"], "", "queue = { limit = 5 }")
        .replace("demand = \"10ms\"", "demand = \"50ms\"")
        + "[client]\ntimeout = \"8ms\"\n";
    let figures = summary(&text);
    assert_eq!(
        (figures.wait_s.count, figures.wait_all_s.count),
        (2, 2),
        "the work goes on"
    );
}

#[test]
fn patience_is_over_once_service_begins() {
    let text = one(&["0s", "1ms"], "", "queue = { patience = \"10ms\" }");
    assert_eq!(fates(&text), [("succeeded", 10.0), ("succeeded", 20.0)]);
}

#[test]
fn who_abandons_tries_again_like_anybody_who_failed() {
    let text = one(&["0s", "1ms"], "", "queue = { patience = \"5ms\" }").replacen(
        "[service.web]",
        "[client]\nretry = { kind = \"fixed\", attempts = 2, pause = \"7ms\" }\n[service.web]",
        1,
    );
    // Away at 6, again at 13 when the worker is free.
    assert_eq!(fates(&text), [("succeeded", 10.0), ("succeeded", 23.0)]);
}

#[test]
fn the_latest_interrupts_and_the_interrupted_go_on_in_reverse() {
    let text = one(
        &["0s", "4ms", "6ms"],
        "",
        "queue = { discipline = \"lifo-preemptive\" }",
    );
    // 0–4 first, 4–6 second, 6–16 third, 16–24 the rest of the second, 24–30 of the first.
    assert_eq!(
        fates(&text),
        [
            ("succeeded", 30.0),
            ("succeeded", 24.0),
            ("succeeded", 16.0)
        ]
    );
    // Nobody waited before a first service, however long it was interrupted.
    assert_eq!(summary(&text).wait_s.max, Some(0.0));
    let figures = summary(&text);
    let busy = server(&figures, "web", "s").utilisation;
    assert!((busy - 0.03).abs() < 1e-9, "no work is lost: {busy}");
}

#[test]
fn a_better_class_interrupts_a_worse_one_but_not_its_own() {
    let text = r#"
horizon = "1s"
record = { every_nth_request = 1 }
[class.late]
priority = 1
[class.soon]
[[traffic]]
to = "web"
class = "late"
arrivals = { kind = "trace", times = ["0s", "1ms"] }
[[traffic]]
to = "web"
class = "soon"
arrivals = { kind = "trace", times = ["5ms", "6ms"] }
[service.web]
demand = "10ms"
server = [{ name = "s", workers = 1, queue = { discipline = "priority-preemptive" } }]
"#;
    // 0–5 late, 5–15 and 15–25 soon, 25–30 the rest of the first late, 30–40 the second.
    assert_eq!(
        fates(text),
        [
            ("succeeded", 30.0),
            ("succeeded", 40.0),
            ("succeeded", 15.0),
            ("succeeded", 25.0)
        ]
    );
}

#[test]
fn shortest_remaining_counts_what_is_left() {
    let text = r#"
horizon = "1s"
record = { every_nth_request = 1 }
[class.long]
[class.short]
demand_factor = 0.6
[[traffic]]
to = "web"
class = "long"
arrivals = { kind = "trace", times = ["0s"] }
[[traffic]]
to = "web"
class = "short"
arrivals = { kind = "trace", times = ["3ms", "5ms"] }
[service.web]
demand = "10ms"
server = [{ name = "s", workers = 1, queue = { discipline = "shortest-remaining" } }]
"#;
    // At 3 the short one needs 6 of 7 left: it interrupts. At 5 another 6 meets 4 left: it waits, and
    // goes before the 7 that are left of the long one.
    assert_eq!(
        fates(text),
        [("succeeded", 22.0), ("succeeded", 9.0), ("succeeded", 15.0)]
    );
}

#[test]
fn a_broken_worker_keeps_its_request_for_later() {
    let text = one(
        &["0s", "1ms"],
        "",
        "breakdowns = { every = \"6ms\", repair = \"20ms\" }",
    );
    // Up 0–6, 26–32, 52–58, 78–84: the first needs 6 and 4, the second 2, 6 and 2.
    assert_eq!(fates(&text), [("succeeded", 30.0), ("succeeded", 80.0)]);
}

#[test]
fn with_a_second_worker_an_interrupted_request_goes_on_at_once() {
    let text = one(
        &["0s"],
        "",
        "breakdowns = { every = \"600ms\", repair = \"20ms\" }",
    )
    .replace("demand = \"10ms\"", "demand = \"700ms\"")
    .replace("workers = 1", "workers = 2");
    // Both fail at 600, as their lives are equal; both are back at 620.
    assert_eq!(fates(&text), [("succeeded", 720.0)]);
}

#[test]
fn loads_are_as_last_reported() {
    let text = traced(
        "1s",
        &["1ms", "2ms", "3ms", "101ms"],
        "[service.web]\ndemand = \"50ms\"\n\
         balancer = { policy = { kind = \"join-shortest-queue\", ties = \"first\" }, load_reports = \"100ms\" }\n\
         server = [{ name = \"s\", count = 2, workers = 1 }]\n",
    );
    // All of the first round see two empty servers; the report at 100 shows two at the first.
    let mut simulation = start(&text);
    simulation.run_until(at(0.1005));
    let numbers = |simulation: &sim_core::engine::Simulation| -> Vec<u32> {
        let servers = simulation.snapshot().servers;
        servers.iter().map(|s| s.in_system).collect()
    };
    assert_eq!(numbers(&simulation), [2, 0]);
    simulation.run_until(at(0.102));
    assert_eq!(numbers(&simulation), [1, 1]);
}

#[test]
fn idle_servers_are_used_before_busy_ones() {
    let text = traced(
        "1s",
        &["0s", "1ms", "2ms", "3ms", "4ms", "5ms", "6ms", "7ms"],
        "[service.web]\ndemand = \"100ms\"\nbalancer = { policy = \"join-idle-queue\" }\n\
         server = [{ name = \"s\", count = 8, workers = 1 }]\n",
    );
    let figures = summary(&text);
    assert_eq!(figures.wait_s.max, Some(0.0), "each found an idle server");
}

#[test]
fn batches_come_at_one_instant_and_bursts_keep_the_rate() {
    let batch = "horizon = \"200s\"\nrecord = { every_nth_request = 1 }\n\
        traffic = [{ to = \"web\", arrivals = { kind = \"batch\", size = 4 }, rate = 40 }]\n\
        [service.web]\ndemand = \"1ms\"\nserver = [{ name = \"s\", workers = 1 }]\n";
    let rows = crate::support::log(batch);
    for group in rows.chunks_exact(4) {
        assert!(
            group
                .iter()
                .all(|row| row.arrived_ns == group[0].arrived_ns)
        );
    }
    let bursts = batch.replace(
        "{ kind = \"batch\", size = 4 }",
        "{ kind = \"mmpp\", factors = [9, 1], lengths = [\"1s\", \"3s\"] }",
    );
    // Mean 40 a second over 200; counts spread by the phases: sd of the mean about 6 %.
    let arrived = run(&bursts).recorder().flow(0).arrived as f64 / 200.0;
    assert!((30.0..50.0).contains(&arrived), "{arrived}");
}

#[test]
fn random_callers_reach_every_instance_but_not_in_turn() {
    let text = "horizon = \"20s\"\ntraffic = [{ to = \"web\", arrivals = \"deterministic\", rate = 100 }]\n\
        [service.web]\ndemand = \"1ms\"\nbalancer = { instances = 2, instance_selection = \"SPREAD\" }\n\
        server = [{ name = \"s\", workers = 1 }]\n";
    let attempts = |spread: &str| -> Vec<u64> {
        let simulation = run(&text.replace("SPREAD", spread));
        let instances = simulation.snapshot().instances;
        instances.iter().map(|i| i.attempts).collect()
    };
    let in_turn = attempts("in-turn");
    assert!(in_turn[0].abs_diff(in_turn[1]) <= 1, "{in_turn:?}");
    let random = attempts("random");
    assert!(random[0] > 850 && random[1] > 850, "{random:?}");
    assert_ne!(
        random[0].abs_diff(random[1]),
        in_turn[0].abs_diff(in_turn[1])
    );
}

/// The same Tuesday, so many times as busy: requests are multiplied, their moments stay.
#[test]
fn a_factor_multiplies_a_trace() {
    let moments = |factor: &str, seed: u32| -> Vec<f64> {
        let times: Vec<String> = (0..400).map(|i| format!("\"{}ms\"", i * i)).collect();
        let text = format!(
            "horizon = \"3m\"\nseed = {seed}\nrate_factor = {factor}\nrecord = {{ every_nth_request = 1 }}\n\
             traffic = [{{ to = \"web\", arrivals = {{ kind = \"trace\", times = [{}] }} }}]\n\
             [service.web]\ndemand = \"1ms\"\nserver = [{{ name = \"s\", workers = 9 }}]\n",
            times.join(", ")
        );
        log(&text)
            .iter()
            .map(|row| row.arrived_ns as f64 / 1e6)
            .collect()
    };
    let once = moments("1", 1);
    assert_eq!(once.len(), 400);
    let twice = moments("2", 1);
    assert!(twice.iter().step_by(2).eq(&once) && twice.iter().skip(1).step_by(2).eq(&once));
    let some = moments("0.25", 1);
    assert!((60..140).contains(&some.len()), "{}", some.len());
    assert!(some.iter().all(|at| once.contains(at)));
    assert_ne!(some, moments("0.25", 2));
    let more = moments("1.25", 1);
    // Those that come at a quarter are those that come twice at five quarters.
    assert_eq!(more.len(), 400 + some.len());
}

/// What each instance of the called service got from callers that choose in turn; `caller` is a service
/// `a` whose servers or balancer call `b`.
fn turns(caller: &str, rest: &str) -> Vec<u64> {
    let text = format!(
        "horizon = \"20s\"\ntraffic = [{{ to = \"a\", rate = 100 }}]\n[service.a]\ndemand = \"1ms\"\n{caller}\n\
         [service.b]\ndemand = \"1ms\"\nbalancer = {{ instances = 4 }}\n\
         server = [{{ name = \"y\", workers = 40 }}]\n{rest}"
    );
    let instances = run(&text).snapshot().instances;
    instances[1..].iter().map(|i| i.attempts).collect()
}

#[test]
fn callers_between_services_choose_in_turn_too() {
    let even = |turns: &[u64], within: u64| {
        let (least, most) = (turns.iter().min(), turns.iter().max());
        most.zip(least)
            .is_some_and(|(most, least)| *least > 400 && most - least <= within)
    };
    let calls = "server = [{ name = \"x\", workers = 40 }]\ncall = [{ to = \"b\" }]";
    let server = turns(calls, "");
    assert!(even(&server, 1), "{server:?}");
    // The rules of a caller change; whose turn it is stays.
    let set =
        "[[timeline]]\nat = \"10015ms\"\nset = { \"service.a.call.b.client.timeout\" = \"1s\" }\n";
    let changed = turns(
        &calls.replace("\"b\" }", "\"b\", client = { timeout = \"9s\" } }"),
        set,
    );
    assert!(even(&changed, 1), "{changed:?}");
    // A route is a call of the balancer instance.
    let routed =
        "balancer = { routes = [{ to = \"b\" }] }\nserver = [{ name = \"x\", workers = 40 }]";
    let route = turns(routed, "");
    assert!(even(&route, 1), "{route:?}");
    // Each of several servers keeps its own turns, and they begin apart.
    let several = turns(&calls.replace("workers", "count = 3, workers"), "");
    assert!(even(&several, 3), "{several:?}");
}

#[test]
fn changed_breakdowns_begin_anew_with_all_workers() {
    let text = "horizon = \"20s\"\ntraffic = [{ to = \"web\", rate = 50 }]\n\
        [service.web]\ndemand = \"10ms\"\n\
        server = [{ name = \"s\", workers = 3, breakdowns = { every = \"1s\", repair = \"10h\" } }]\n\
        [[timeline]]\nat = \"5s\"\nset = { \"service.web.server.s.breakdowns\" = \"none\" }\n";
    let mut simulation = start(text);
    simulation.run_until(at(4.0));
    assert_eq!(simulation.snapshot().servers[0].workers, 0);
    simulation.run_until(at(6.0));
    assert_eq!(simulation.snapshot().servers[0].workers, 3);
    assert_eq!(
        simulation.model().servers[ServerId(0).0 as usize]
            .params
            .workers,
        3
    );
}

/// Every worker fails on its own, also one that came later.
#[test]
fn breakdowns_follow_the_number_of_workers() {
    let text = |from: u32, to: u32| {
        traced(
            "60s",
            &["10500ms", "12s"],
            &format!(
                "[service.web]\ndemand = \"10ms\"\n\
                 server = [{{ name = \"s\", workers = {from}, breakdowns = {{ every = \"10s\", repair = \"5s\" }} }}]\n\
                 [[timeline]]\nat = \"1s\"\nset = {{ \"service.web.server.s.workers\" = {to} }}\n"
            ),
        )
    };
    // The first fails at 10 s, those that are added at 11 s.
    assert_eq!(
        fates(&text(1, 3)),
        [("succeeded", 10_510.0), ("succeeded", 15_010.0)]
    );
    // Whoever is left begins anew at 1 s.
    assert_eq!(
        fates(&text(3, 1)),
        [("succeeded", 10_510.0), ("succeeded", 16_010.0)]
    );
}
