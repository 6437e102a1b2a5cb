//! What must hold of every run, checked on random scenarios.

use crate::support::{at, check_books, model};
use crate::swarm::{Swarm, swarm};
use crate::zoo::ZOO;
use proptest::prelude::*;
use sim_core::engine::{MachineState, Simulation};
use sim_core::outcome::Outcome;
use sim_core::scenario::{self, NoFiles, Scenario, Source};
use sim_core::summary::Summary;
use std::sync::Arc;

/// A fixed seed: the same scenarios everywhere, every time. For a long search outside CI,
/// `STAMPEDE_SWARM=50` takes fifty times as many, from a seed of its own.
fn config(cases: u32) -> ProptestConfig {
    let times = std::env::var("STAMPEDE_SWARM").map_or(1, |times| {
        times.parse().expect("STAMPEDE_SWARM is a number")
    });
    ProptestConfig {
        cases: cases * times,
        rng_seed: prop::test_runner::RngSeed::Fixed(20_240_617 + u64::from(times - 1)),
        failure_persistence: None,
        max_shrink_iters: 3000,
        ..ProptestConfig::default()
    }
}

/// The scenario's text, unless its parts do not go together.
fn valid(swarm: &Swarm) -> Option<String> {
    let text = swarm.text();
    scenario::parse(&text).is_ok().then_some(text)
}

fn finished(text: &str) -> Simulation {
    let mut simulation = Simulation::new(model(text), 0);
    simulation.run();
    simulation
}

fn report(simulation: &Simulation) -> (u64, String) {
    (simulation.digest(), Summary::of(simulation, 0).to_json())
}

/// The rows of the time line are parts of what was counted: nothing falls between two of them, or
/// behind the last.
pub(crate) fn check_rows(simulation: &Simulation, text: &str) {
    let recorder = simulation.recorder();
    let history = recorder.history();
    let model = simulation.model();
    for flow in 0..model.services.len() * model.classes.len() * 2 {
        let total = recorder.flow(flow as u16);
        let mut sum = (0, 0, [0; Outcome::COUNT]);
        for interval in 0..history.len() {
            let row = history.flow(interval, flow);
            sum.0 += u64::from(row.arrived);
            sum.1 += u64::from(row.attempts);
            for (sum, outcome) in sum.2.iter_mut().zip(row.outcomes) {
                *sum += u64::from(outcome);
            }
        }
        assert_eq!(
            sum,
            (total.arrived, total.attempts, total.outcomes),
            "flow {flow} of\n{text}"
        );
    }
    let end = history
        .len()
        .checked_sub(1)
        .map(|last| history.end_ns(last));
    assert!(end.is_none_or(|end| end <= simulation.now().0), "{text}");
}

#[test]
fn rows_add_up_however_a_run_ends() {
    // Arrivals and answers at the very end.
    let exact = "horizon = \"2s\"\ntraffic = [{ to = \"web\", rate = 10, arrivals = \"deterministic\" }]\n\
        [service.web]\ndemand = \"100ms\"\nserver = [{ name = \"s\", workers = 2 }]\n";
    let texts = ZOO.iter().map(|(_, text)| *text).chain([exact]);
    for text in texts {
        for (key, limit) in [
            ("seed", "1"),
            ("limits.events", "1777"),
            ("limits.in_flight", "9"),
        ] {
            let sets = [(key.to_owned(), limit.to_owned())];
            let scenario = Scenario::read(Source::new("zoo.toml", text), &sets, &NoFiles);
            let model = scenario.and_then(|scenario| scenario.model());
            let model = model.unwrap_or_else(|problems| panic!("{problems}\n{text}"));
            let mut simulation = Simulation::new(Arc::new(model), 0);
            simulation.run();
            check_rows(&simulation, text);
        }
    }
}

/// Nobody waits beside an idle worker, and no server does more than it has workers for.
pub(crate) fn check_workers(simulation: &Simulation, text: &str) {
    for (i, server) in simulation.snapshot().servers.iter().enumerate() {
        let place = || {
            format!(
                "server {i} {server:?} at {} ns in\n{text}",
                simulation.now().0
            )
        };
        assert!(server.busy <= server.workers, "{}", place());
        assert!(
            server.busy + server.queue_len <= server.in_system,
            "{}",
            place()
        );
        if server.state == MachineState::Up && server.queue_len > 0 {
            assert_eq!(server.busy, server.workers, "{}", place());
        }
        if server.state == MachineState::Absent {
            assert_eq!(server.in_system, 0, "{}", place());
        }
    }
}

fn check_summary(summary: &Summary, text: &str) {
    let requests = &summary.requests;
    let outcomes: u64 = requests.outcomes.0.iter().map(|(_, n)| n).sum();
    assert_eq!(outcomes, requests.succeeded + requests.failed, "{text}");
    assert_eq!(requests.arrived, outcomes + requests.in_flight, "{text}");
    let classes: u64 = summary
        .classes
        .0
        .iter()
        .map(|(_, c)| c.requests.arrived)
        .sum();
    assert_eq!(classes, requests.arrived, "{text}");
    for (name, machine) in &summary.machines.0 {
        let used = machine.utilisation;
        assert!((0.0..=1.0).contains(&used), "{name} {used}\n{text}");
    }
    for (name, service) in &summary.services.0 {
        let shares: Vec<f64> = service
            .servers
            .0
            .iter()
            .filter_map(|(_, s)| s.share)
            .collect();
        let sum: f64 = shares.iter().sum();
        assert!(
            shares.is_empty() || (sum - 1.0).abs() < 1e-9,
            "{name} {sum}\n{text}"
        );
        for (name, server) in &service.servers.0 {
            assert!(
                (0.0..=3.1).contains(&server.utilisation),
                "{name} {server:?}\n{text}"
            );
            assert!(
                server.mean_queue_len <= server.mean_in_system + 1e-9,
                "{name} {server:?}\n{text}"
            );
            assert!(server.downtime_s <= 1.8 + 1e-9, "{name} {server:?}\n{text}");
        }
    }
}

proptest! {
    #![proptest_config(config(400))]

    #[test]
    fn books_balance_and_nobody_waits_beside_an_idle_worker(case in swarm(), moments in prop::collection::vec(0.0..2.0, 4)) {
        let Some(text) = valid(&case) else { return Ok(()) };
        let mut simulation = Simulation::new(model(&text), 0);
        let mut moments = moments;
        moments.sort_by(f64::total_cmp);
        for moment in moments {
            simulation.run_until(at(moment));
            check_books(&simulation, &text);
            check_workers(&simulation, &text);
        }
        simulation.run();
        check_books(&simulation, &text);
        check_workers(&simulation, &text);
        check_summary(&Summary::of(&simulation, 0), &text);
        for row in simulation.recorder_mut().take_log() {
            prop_assert!(row.ended_ns >= row.arrived_ns, "{:?}\n{}", row, text);
            prop_assert!(row.ended_ns <= 2_000_000_000, "{:?}\n{}", row, text);
        }
    }

    #[test]
    fn however_driven_a_run_is_the_same(case in swarm(), moment in 0.0..2.0) {
        let Some(text) = valid(&case) else { return Ok(()) };
        let whole = report(&finished(&text));
        let mut slow = Simulation::new(model(&text), 0).without_fast_path();
        while slow.run_events(13) {}
        prop_assert_eq!(&whole, &report(&slow), "without the fast path\n{}", text);
        let mut anew = Simulation::new(model(&text), 0).judging_all_anew();
        anew.run();
        prop_assert_eq!(&whole, &report(&anew), "with all servers judged at each change\n{}", text);
        let mut original = Simulation::new(model(&text), 0);
        original.run_until(at(moment));
        let mut fork = original.clone();
        fork.run();
        prop_assert_eq!(&whole, &report(&fork), "forked at {}\n{}", moment, text);
    }
}

/// Properties of scenarios that are all refused would say nothing.
#[test]
fn most_random_scenarios_are_valid() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::new(config(1));
    let drawn = (0..400).map(|_| swarm().new_tree(&mut runner).expect("drawn").current());
    let good = drawn.filter(|case| valid(case).is_some()).count();
    assert!(good > 200, "only {good} of 400");
}

/// One class, one attempt, no network: every moment in a server is a moment of a response.
#[test]
fn littles_law_holds_to_the_nanosecond() {
    for (seed, rate, queue) in [
        (1, 50, "{}"),
        (2, 90, "{ limit = 9 }"),
        (3, 130, "{ discipline = \"lifo\", limit = 50 }"),
    ] {
        let text = format!(
            "horizon = \"100s\"\nseed = {seed}\nrecord = {{ every_nth_request = 1 }}\ntraffic = [{{ to = \"web\", rate = {rate} }}]\n\
             [service.web]\ndemand = {{ kind = \"lognormal\", mean = \"10ms\", cv = 2 }}\n\
             server = [{{ name = \"s\", workers = 1, queue = {queue} }}]\n"
        );
        let mut simulation = finished(&text);
        let summary = Summary::of(&simulation, 0);
        let area = summary.services.0[0].1.servers.0[0].1.mean_in_system * 100e9;
        let log = simulation.recorder_mut().take_log();
        let ended: u64 = log.iter().map(|row| row.ended_ns - row.arrived_ns).sum();
        // What is still in flight counts up to the end: ask the twin that runs on without arrivals.
        let still = still_there(&text, 100_000_000_000);
        let total = (ended + still) as f64;
        assert!((area / total - 1.0).abs() < 1e-9, "{area} {total}\n{text}");
    }
}

/// Time until `end` of requests that arrived before it and end after it.
/// Also where a look at the areas every now and then would come too late.
#[test]
fn long_intervals_measure_long_areas() {
    let text = "horizon = \"3000d\"\nrecord = { interval = \"100d\" }\n\
        traffic = [{ to = \"web\", rate = 0.0000347, arrivals = \"deterministic\" }]\n\
        [service.web]\ndemand = \"100d\"\nserver = [{ name = \"s\", workers = 1000 }]\n";
    let figures = Summary::of(&finished(text), 0);
    let server = figures
        .services
        .get("web")
        .and_then(|web| web.servers.get("s"))
        .expect("the server is in the summary");
    // All that came in the first 2900 days spent 100 days there, the rest half of it.
    let mean = 0.000_034_7 * 8_640_000.0 * (1.0 - 50.0 / 3000.0);
    assert!(
        (server.mean_in_system / mean - 1.0).abs() < 0.01,
        "{} instead of {mean}",
        server.mean_in_system
    );
    assert!((server.utilisation * 1000.0 / mean - 1.0).abs() < 0.01);
}

fn still_there(text: &str, end: u64) -> u64 {
    let longer = text
        .replace("horizon = \"100s\"", "horizon = \"400s\"")
        .replacen(
            "rate = ",
            "rate = [[\"0s\", RATE], [\"100s\", RATE], [\"100s\", 0]], x = ",
            1,
        );
    let rate = text
        .split("rate = ")
        .nth(1)
        .and_then(|t| t.split(' ').next())
        .unwrap_or("0");
    let longer = longer
        .replace("RATE", rate)
        .replacen(&format!(", x = {rate}"), "", 1);
    let mut simulation = finished(&longer);
    let log = simulation.recorder_mut().take_log();
    let late = log
        .iter()
        .filter(|row| row.arrived_ns <= end && row.ended_ns > end);
    late.map(|row| end - row.arrived_ns).sum()
}

fn base(client: &str, server: &str, balancer: &str) -> String {
    format!(
        "horizon = \"30s\"\ntraffic = [{{ to = \"web\", rate = 170 }}]\nclient = {{ timeout = \"200ms\"{client} }}\n\
         [service.web]\ndemand = {{ kind = \"exponential\", mean = \"10ms\" }}\nbalancer = {{ policy = \"least-in-flight\"{balancer} }}\n\
         [[service.web.server]]\nname = \"s\"\ncount = 2\nworkers = 1\nerrors = {{ rate = 0.1 }}\n{server}\n"
    )
}

#[test]
fn what_cannot_happen_changes_nothing() {
    let plain = finished(&base("", "", ""));
    for (client, server, balancer) in [
        (", retry = { kind = \"fixed\", attempts = 1 }", "", ""),
        (
            ", retry = { kind = \"fixed\", attempts = 3 }, guards = [{ kind = \"retry-budget\", ratio = 0, reserve = 0 }]",
            "",
            "",
        ),
        (", deadline = \"1h\"", "", ""),
        (
            "",
            "crash = [{ when = \"in_flight\", above = 1000000 }]",
            "",
        ),
        (
            "",
            "memory = { per_queued = \"1MiB\", limit = \"1000000MiB\" }",
            "",
        ),
        (
            "",
            "",
            ", memory = { per_connection = \"1MiB\", limit = \"1000000MiB\" }",
        ),
        ("", "warm_up = { from = 0.1, over = \"10s\" }", ""),
        (
            "",
            "restart = { kind = \"after\", pause = \"1s\" }\nboot = \"1s\"",
            "",
        ),
        ("", "queue = { limit = 1000000 }", ""),
        ("", "max_connections = 1000000", ""),
        ("", "", ", max_connections = 1000000"),
        (
            "",
            "",
            ", pending_queue = { limit = 100, timeout = \"1s\" }",
        ),
        ("", "", ", standby = { count = 2, takeover = \"1s\" }"),
        (
            "",
            "",
            ", crash = [{ when = \"in_flight\", above = 1000000 }]",
        ),
    ] {
        let text = base(client, server, balancer);
        let with = finished(&text);
        let (a, b) = (Summary::of(&plain, 0), Summary::of(&with, 0));
        assert_eq!(a.requests, b.requests, "{text}");
        assert_eq!(a.response_time_s, b.response_time_s, "{text}");
        if !client.contains("deadline") {
            assert_eq!(plain.digest(), with.digest(), "{text}");
        }
    }
}

/// Probes that cost nothing and never fail leave every request as it was.
#[test]
fn perfect_health_checks_change_no_request() {
    let check = ", health = [{ kind = \"checks\", interval = \"1s\", timeout = \"999ms\", fall = 3, demand = \"0s\" }]";
    let text = |balancer: &str| {
        base(
            "",
            "queue = { discipline = \"processor-sharing\" }",
            balancer,
        )
    };
    let (without, with) = (finished(&text("")), finished(&text(check)));
    let (without, with) = (Summary::of(&without, 0), Summary::of(&with, 0));
    assert_eq!(without.requests, with.requests);
}

#[test]
fn ten_times_faster_is_the_same_in_a_tenth_of_the_time() {
    let text = |rate: u32, ms: u32| {
        format!(
            "horizon = \"{0}ms\"\nrecord = {{ interval = \"{1}ms\" }}\ntraffic = [{{ to = \"web\", rate = {rate} }}]\n\
             client = {{ timeout = \"{2}ms\", retry = {{ kind = \"exponential-backoff\", attempts = 3, base = \"{3}ms\", cap = \"{2}ms\" }} }}\n\
             [service.web]\ndemand = {{ kind = \"lognormal\", mean = \"{3}ms\", cv = 2 }}\nlink = {{ delay = \"{ms}ms\" }}\nbalancer = {{ policy = \"power-of-d\" }}\n\
             [[service.web.server]]\nname = \"s\"\ncount = 3\nworkers = 1\nqueue = {{ limit = 30 }}\n",
            100_000 * ms,
            1000 * ms,
            200 * ms,
            10 * ms
        )
    };
    let slow = Summary::of(&finished(&text(24, 10)), 0);
    let fast = Summary::of(&finished(&text(240, 1)), 0);
    assert_eq!(slow.requests.outcomes, fast.requests.outcomes);
    assert_eq!(slow.attempts, fast.attempts);
    let mean = |s: &Summary| s.response_time_s.mean.expect("some succeeded");
    assert!((mean(&slow) / mean(&fast) / 10.0 - 1.0).abs() < 1e-6);
}

/// More workers under common random numbers let no request of a first-come, first-served queue end
/// later.
#[test]
fn more_workers_delay_nobody() {
    let ends = |workers: u32| {
        let text = format!(
            "horizon = \"200s\"\nrecord = {{ every_nth_request = 1 }}\ntraffic = [{{ to = \"web\", rate = 180 }}]\n\
             [service.web]\ndemand = {{ kind = \"exponential\", mean = \"10ms\" }}\nserver = [{{ name = \"s\", workers = {workers} }}]\n"
        );
        let mut simulation = Simulation::new(Arc::clone(&model(&text)), 0);
        simulation.run();
        let mut log = simulation.recorder_mut().take_log();
        log.sort_by_key(|row| row.number);
        log
    };
    let (two, three) = (ends(2), ends(3));
    let mut earlier = 0;
    let mut more = three.iter().peekable();
    for row in &two {
        while more.next_if(|m| m.number < row.number).is_some() {}
        let twin = more
            .peek()
            .expect("what ended with two workers ended with three");
        assert_eq!(twin.number, row.number);
        assert!(twin.ended_ns <= row.ended_ns, "{twin:?} {row:?}");
        earlier += u32::from(twin.ended_ns < row.ended_ns);
    }
    assert!(earlier > 10_000);
}
