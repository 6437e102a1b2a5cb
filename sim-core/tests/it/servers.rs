//! What servers do: queues, disciplines, slowdown, errors, crashes, restarts, warm-up.

use crate::support::{fates, run, server, service, summary, times, told, traced};
use sim_core::event_log::Kind;
use sim_core::summary::Summary;

/// Requests at given times to one server with demand 10 ms.
fn one(times: &[&str], server: &str) -> String {
    traced(
        "60s",
        times,
        &format!(
            "[service.web]\ndemand = \"10ms\"\n[[service.web.server]]\nname = \"s\"\n{server}\n"
        ),
    )
}

fn ends(times: &[&str], server: &str) -> Vec<f64> {
    let fates = fates(&one(times, server));
    assert!(
        fates.iter().all(|(fate, _)| *fate == "succeeded"),
        "{fates:?}"
    );
    fates.into_iter().map(|(_, at)| at).collect()
}

#[test]
fn a_full_queue_turns_away_at_once() {
    assert_eq!(
        fates(&one(
            &["0s", "1ms", "2ms"],
            "workers = 1\nqueue = { limit = 1 }"
        )),
        [("succeeded", 10.0), ("succeeded", 20.0), ("rejected", 2.0)]
    );
}

#[test]
fn disciplines_order_the_queue() {
    let times = ["0s", "1ms", "2ms", "3ms"];
    let with = |d: &str| {
        ends(
            &times,
            &format!("workers = 1\nqueue = {{ discipline = \"{d}\" }}"),
        )
    };
    assert_eq!(with("fifo"), [10.0, 20.0, 30.0, 40.0]);
    assert_eq!(with("lifo"), [10.0, 40.0, 30.0, 20.0]);
}

#[test]
fn a_lower_priority_number_is_served_first() {
    let text = r#"
horizon = "1s"
record = { every_nth_request = 1 }
[class.late]
share = 0.5
priority = 7
[class.soon]
share = 0.5
priority = 2
[[traffic]]
to = "web"
class = "late"
arrivals = { kind = "trace", times = ["0s", "1ms", "2ms"] }
[[traffic]]
to = "web"
class = "soon"
arrivals = { kind = "trace", times = ["3ms"] }
[service.web]
demand = "10ms"
server = [{ name = "s", workers = 1, queue = { discipline = "priority" } }]
"#;
    let ends: Vec<f64> = fates(text).into_iter().map(|(_, at)| at).collect();
    assert_eq!(ends, [10.0, 30.0, 40.0, 20.0]);
}

#[test]
fn sharing_gives_everybody_the_same_part() {
    let sharing = "workers = 1\nqueue = { discipline = \"processor-sharing\" }";
    // Alone for 5 ms, then half each: 5 ms are left of the first and take 10.
    assert_eq!(ends(&["0s", "5ms"], sharing), [15.0, 20.0]);
    assert_eq!(ends(&["0s", "0s", "0s"], sharing), [30.0, 30.0, 30.0]);
    let two = "workers = 2\nqueue = { discipline = \"processor-sharing\" }";
    assert_eq!(ends(&["0s", "0s"], two), [10.0, 10.0]);
    assert_eq!(ends(&["0s", "0s", "0s", "0s"], two), [20.0; 4]);
}

#[test]
fn speed_and_the_universal_scalability_law_stretch_service() {
    assert_eq!(ends(&["0s"], "workers = 1\nspeed = 2"), [5.0]);
    let two = ["0s", "0s"];
    assert_eq!(
        ends(&two, "workers = 2\nslowdown = { contention = 0.5 }"),
        [15.0; 2]
    );
    assert_eq!(
        ends(&two, "workers = 2\nslowdown = { coherence = 0.25 }"),
        [15.0; 2]
    );
    assert_eq!(
        ends(
            &two,
            "workers = 2\nslowdown = { contention = 0.5, coherence = 0.25 }"
        ),
        [20.0; 2]
    );
    assert_eq!(
        ends(&["0s"], "workers = 2\nslowdown = { contention = 9 }"),
        [10.0]
    );
}

#[test]
fn a_restarted_server_is_slow_and_recovers() {
    let times = ["2001ms", "7s", "20s"];
    let ends = ends(
        &times,
        "workers = 1\nrestart = { kind = \"after\", pause = \"1s\" }\nwarm_up = { from = 0.5, over = \"10s\" }\n\
         [[timeline]]\nat = \"1s\"\ndo = \"crash\"\ntarget = \"service.web.server.s\"",
    );
    let took: Vec<f64> = ends
        .iter()
        .zip([2001.0, 7000.0, 20_000.0])
        .map(|(e, s)| e - s)
        .collect();
    // At half speed, at three quarters after half of the warm-up, and at full speed.
    for (took, expected) in took.iter().zip([20.0, 13.333, 10.0]) {
        assert!((took - expected).abs() < 0.2, "{took} for {expected}");
    }
}

fn steady(rate: u32, horizon: &str, rest: &str) -> String {
    format!(
        "horizon = \"{horizon}\"\ntraffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = {rate} }}]\n{rest}"
    )
}

#[test]
fn errors_come_at_their_rate_and_take_their_own_time() {
    let text = steady(
        50,
        "400s",
        "[service.web]\ndemand = \"10ms\"\nserver = [{ name = \"s\", workers = 1, errors = { rate = 0.25, demand = \"2ms\" } }]",
    );
    let summary = summary(&text);
    let n = summary.requests.arrived as f64;
    let failed = summary.requests.failed as f64 / n;
    assert!(
        (failed - 0.25).abs() < 4.0 * (0.1875 / n).sqrt(),
        "{failed}"
    );
    let busy = server(&summary, "web", "s").utilisation;
    assert!(
        (busy - 50.0 * (0.75 * 0.01 + 0.25 * 0.002)).abs() < 0.005,
        "{busy}"
    );
}

/// The black hole of load balancing: who fails fast looks idle and gets everything.
#[test]
fn fast_failures_attract_traffic_under_least_in_flight() {
    let share = |policy: &str| {
        let text = steady(
            100,
            "60s",
            &format!(
                "[service.web]\ndemand = \"100ms\"\nbalancer = {{ policy = \"{policy}\" }}\n\
                 [[service.web.server]]\nname = \"broken\"\nworkers = 10\nerrors = {{ rate = 1, demand = \"1ms\" }}\n\
                 [[service.web.server]]\nname = \"good\"\nworkers = 10\n"
            ),
        );
        server(&summary(&text), "web", "broken")
            .share
            .expect("requests came")
    };
    assert!((share("round-robin") - 0.5).abs() < 0.01);
    assert!(share("least-in-flight") > 0.85);
}

#[test]
fn each_gauge_crashes_and_says_so() {
    for (rule, cause, at) in [
        // Requests come every 100 ms from 100 ms on and take a second: the fifth is too many.
        (
            "crash = [{ when = \"in_flight\", above = 4 }]",
            "in flight above 4",
            0.5,
        ),
        (
            "crash = [{ when = \"queue_len\", above = 3, for = \"250ms\" }]",
            "queue len above 3 for 250ms",
            0.75,
        ),
        // The second waits since 200 ms, looked at every 100 ms.
        (
            "crash = [{ when = \"queue_age\", above = \"450ms\" }]",
            "queue age above 450ms",
            0.7,
        ),
        (
            "crash = [{ when = \"utilisation\", above = \"99%\", for = \"1s\" }]",
            "utilisation above 99 % for 1s",
            1.2,
        ),
        (
            "memory = { base = \"100MiB\", per_in_service = \"50MiB\", per_queued = \"20MiB\", limit = \"200MiB\" }",
            "out of memory: 210 MiB of 200",
            0.4,
        ),
        (
            "crash = [{ when = \"memory\", above = \"180MiB\" }]\nmemory = { base = \"100MiB\", per_in_service = \"50MiB\", per_queued = \"20MiB\", limit = \"999MiB\" }",
            "memory above 180 MiB",
            0.3,
        ),
    ] {
        let text = steady(
            10,
            "2s",
            &format!(
                "[service.web]\ndemand = \"1s\"\n[[service.web.server]]\nname = \"s\"\nworkers = 1\n{rule}"
            ),
        );
        let told = told(&run(&text), Kind::Crash);
        assert_eq!(told.len(), 1, "{rule}: {told:?}");
        assert!((told[0].0 - at).abs() < 1e-6, "{rule}: {told:?}");
        assert_eq!((told[0].1.as_str(), told[0].2.as_str()), ("s", cause));
    }
}

#[test]
fn a_rule_must_hold_without_a_break() {
    // Two at once for 20 ms of every 100 ms: above one, but never for 50 ms.
    let text = |hold: &str| {
        let text = steady(
            10,
            "10s",
            &format!(
                "[service.web]\ndemand = \"20ms\"\n[[service.web.server]]\nname = \"s\"\nworkers = 2\ncrash = [{{ when = \"in_flight\", above = 0, for = \"{hold}\" }}]"
            ),
        );
        times(&run(&text), Kind::Crash)
    };
    assert!(text("50ms").is_empty());
    assert_eq!(text("15ms"), [0.115]);
}

fn crashed(keys: &str, arrivals: &[&str]) -> String {
    traced(
        "20s",
        arrivals,
        &format!(
            "client = {{ timeout = \"10s\" }}\n[service.web]\ndemand = \"1s\"\n[[service.web.server]]\nname = \"s\"\nworkers = 1\n{keys}\n\
             [[timeline]]\nat = \"500ms\"\ndo = \"crash\"\ntarget = \"service.web.server.s\"\n"
        ),
    )
}

const AFTER: &str = "restart = { kind = \"after\", pause = \"1s\" }";

#[test]
fn a_crash_resets_what_it_held_and_may_keep_its_queue() {
    let times = ["0s", "100ms", "200ms"];
    assert_eq!(fates(&crashed(AFTER, &times)), [("reset", 500.0); 3]);
    assert_eq!(
        fates(&crashed(
            &format!("{AFTER}\ncrash_keeps_queue = true"),
            &times
        )),
        [
            ("reset", 500.0),
            ("succeeded", 2500.0),
            ("succeeded", 3500.0)
        ]
    );
}

/// A change of settings of a server that is down must not put its kept queue to work.
#[test]
fn a_kept_queue_rests_until_the_server_is_up() {
    let text = format!(
        "{}[[timeline]]\nat = \"700ms\"\nset = {{ \"service.web.server.s.weight\" = 3 }}\n",
        crashed(
            &format!("{AFTER}\ncrash_keeps_queue = true"),
            &["0s", "100ms"]
        )
    );
    assert_eq!(fates(&text), [("reset", 500.0), ("succeeded", 2500.0)]);
}

/// Whatever the disciplines in between, nobody is served before the server is up.
#[test]
fn a_discipline_set_while_down_waits_for_the_server() {
    let text = |breakdowns: &str, disciplines: &[&str]| {
        let mut text = crashed(
            &format!("{AFTER}\ncrash_keeps_queue = true\n{breakdowns}"),
            &["0s", "100ms", "200ms"],
        );
        for (i, discipline) in disciplines.iter().enumerate() {
            text += &format!(
                "[[timeline]]\nat = \"{}ms\"\nset = {{ \"service.web.server.s.queue.discipline\" = \"{discipline}\" }}\n",
                700 + 100 * i
            );
        }
        text
    };
    let shared = [
        ("reset", 500.0),
        ("succeeded", 3500.0),
        ("succeeded", 3500.0),
    ];
    let in_turn = [
        ("reset", 500.0),
        ("succeeded", 2500.0),
        ("succeeded", 3500.0),
    ];
    let breaks = "breakdowns = { every = \"850ms\", repair = \"100ms\" }";
    for (disciplines, fate) in [
        (&["processor-sharing"][..], shared),
        (&["priority", "processor-sharing"], shared),
        (&["processor-sharing", "fifo"], in_turn),
        (&["priority", "processor-sharing", "shortest-job"], in_turn),
    ] {
        assert_eq!(fates(&text("", disciplines)), fate, "{disciplines:?}");
        // A worker that breaks meanwhile interrupts nobody.
        run(&text(breaks, disciplines));
    }
}

#[test]
fn a_machine_that_is_down_refuses_or_says_nothing() {
    let times = ["600ms"];
    assert_eq!(
        fates(&crashed("restart = \"manual\"", &times)),
        [("refused", 600.0)]
    );
    assert_eq!(
        fates(&crashed(
            "restart = \"manual\"\ndown_behaviour = \"black-hole\"",
            &times
        )),
        [("timed_out", 10_600.0)]
    );
}

#[test]
fn restart_rules_bring_back_what_they_promise() {
    let by_hand = "[[timeline]]\nat = \"5s\"\ndo = \"restart\"\nwhen = \"down\"\ntarget = \"service.web.server.s\"\n";
    let up = |rule: &str, people: &str| {
        let text = crashed(&format!("restart = {rule}\nboot = \"250ms\""), &[]);
        times(&run(&format!("{text}{people}")), Kind::Up)
    };
    assert!(up("\"never\"", by_hand).is_empty());
    assert!(up("\"manual\"", "").is_empty());
    assert_eq!(up("\"manual\"", by_hand), [5.25]);
    assert_eq!(up("{ kind = \"after\", pause = \"2s\" }", by_hand), [2.75]);
    assert_eq!(up("{ kind = \"after\", pause = \"1h\" }", by_hand), [5.25]);
}

/// A server that crashes with each request: its pauses grow, up to the cap, and after a long
/// enough life the row begins anew.
#[test]
fn a_crash_loop_backs_off() {
    let text = traced(
        "200s",
        &["1s", "2s", "4s", "8s", "15s", "100s", "101s"],
        "[service.web]\ndemand = \"10ms\"\n[[service.web.server]]\nname = \"s\"\nworkers = 1\n\
         crash = [{ when = \"in_flight\", above = 0 }]\n\
         restart = { kind = \"crash-loop\", immediate = 1, first = \"1s\", factor = 2, cap = \"3s\", reset = \"60s\" }\n",
    );
    let run = run(&text);
    assert_eq!(
        times(&run, Kind::Crash),
        [1.0, 2.0, 4.0, 8.0, 15.0, 100.0, 101.0]
    );
    assert_eq!(
        times(&run, Kind::Up),
        [1.0, 3.0, 6.0, 11.0, 18.0, 100.0, 102.0]
    );
}

/// A liveness probe waits behind the requests, and kills a server that is only busy.
#[test]
fn a_liveness_probe_kills_what_is_overloaded() {
    let text = traced(
        "20s",
        &["0s"],
        "[service.web]\ndemand = \"10s\"\n[[service.web.server]]\nname = \"s\"\nworkers = 1\nrestart = \"manual\"\n\
         liveness = { interval = \"2s\", timeout = \"1s\", fall = 2 }\n",
    );
    let told = told(&run(&text), Kind::Crash);
    assert_eq!(told.len(), 1);
    assert_eq!(told[0].0, 5.0);
    assert_eq!(told[0].2, "killed by its liveness probe after 2 failures");
    assert_eq!(fates(&text), [("reset", 5000.0)]);
}

#[test]
fn an_overloaded_server_is_killed_again_and_again() {
    let text = steady(
        20,
        "300s",
        "[service.web]\ndemand = \"100ms\"\n[[service.web.server]]\nname = \"s\"\nworkers = 1\n\
         restart = { kind = \"after\", pause = \"5s\" }\nliveness = { interval = \"5s\", timeout = \"1s\", fall = 2 }\n",
    );
    let summary: Summary = summary(&text);
    let figures = server(&summary, "web", "s");
    assert!(figures.crashes >= 10, "{figures:?}");
    assert!((figures.downtime_s - 5.0 * figures.crashes as f64).abs() < 5.1);
}

/// Calls to other services that come before the own work are no wait for a worker, held or not.
#[test]
fn the_wait_is_for_a_worker_and_not_for_calls() {
    for hold in [true, false] {
        let rest = format!(
            "[service.web]\ndemand = \"10ms\"\nserver = [{{ name = \"s\", workers = 1 }}]\n\
             [[service.web.call]]\nto = \"db\"\nat = \"before\"\nhold = {hold}\n\
             [service.db]\ndemand = \"100ms\"\nserver = [{{ name = \"d\", workers = 9 }}]\n"
        );
        let one = summary(&traced("1s", &["0s"], &rest));
        assert_eq!(service(&one, "web").wait_s.max, Some(0.0), "hold = {hold}");
        // The second finds the worker held by the first's call, or free.
        let two = summary(&traced("1s", &["0s", "20ms"], &rest));
        let expected = if hold { 0.09 } else { 0.0 };
        assert_eq!(
            service(&two, "web").wait_s.max,
            Some(expected),
            "hold = {hold}"
        );
    }
}

/// A crash rule that is changed while it holds begins anew, under its new terms.
#[test]
fn a_changed_crash_rule_begins_anew() {
    let rest = "[service.web]\ndemand = \"1h\"\n\
         server = [{ name = \"s\", workers = 9, crash = [{ when = \"in_flight\", above = 0, for = \"30s\" }] }]\n\
         [[timeline]]\nat = \"5s\"\nset = { \"service.web.server.s.crash.0.for\" = \"2s\" }\n";
    let simulation = run(&traced("60s", &["1s"], rest));
    assert_eq!(times(&simulation, Kind::Crash), [7.0]);
}

/// With every worker broken nothing is busy, and nothing is divided by their number.
#[test]
fn broken_workers_are_not_busy() {
    let text = "horizon = \"60s\"\ntraffic = [{ to = \"web\", rate = 1 }]\n\
        [service.web]\ndemand = \"1ms\"\n[[service.web.server]]\nname = \"s\"\nworkers = 1\n\
        breakdowns = { every = \"10s\", repair = \"5s\" }\n\
        crash = [{ when = \"utilisation\", above = 0.9, for = \"2s\" }]\n";
    assert_eq!(told(&run(text), Kind::Crash), []);
}

/// What a run says was offered is measured by what `check` and the verdict count: the workers that
/// breakdowns leave on average.
#[test]
fn the_offered_load_counts_the_workers_that_breakdowns_leave() {
    let text = "horizon = \"2000s\"\ntraffic = [{ to = \"web\", rate = 4 }]\n\
        [service.web]\ndemand = { kind = \"exponential\", mean = \"100ms\" }\n\
        [[service.web.server]]\nname = \"s\"\nworkers = 1\n\
        breakdowns = { every = \"10s\", repair = \"10s\" }\n";
    let simulation = run(text);
    let foreseen = sim_core::load::peaks(simulation.model())[0].expect("there is traffic");
    assert!((foreseen.offered_load - 0.8).abs() < 1e-12);
    let seen = Summary::of(&simulation, 0).offered_load.expect("a load");
    // 8000 requests, give or take 90.
    assert!((seen - 0.8).abs() < 0.03, "{seen}");
}
