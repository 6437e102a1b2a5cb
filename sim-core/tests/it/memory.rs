//! Memory: what callers who gave up leave behind, when it is given back, and what it kills.

use crate::support::{at, run, start, told, traced};
use sim_core::event_log::Kind;

/// Requests to one server that takes a second for each, from callers who wait for 50 ms.
fn left_behind(times: &[&str], client: &str, memory: &str, rest: &str) -> String {
    traced(
        "3s",
        times,
        &format!(
            "client = {{ timeout = \"50ms\"{client} }}\n[service.web]\ndemand = \"1s\"\n[[service.web.server]]\nname = \"s\"\nworkers = 8\nmemory = {{ base = 1000, {memory} }}\n{rest}"
        ),
    )
}

/// Bytes in use at the only server, at given times in seconds.
fn used(text: &str, when: &[f64]) -> Vec<f64> {
    let mut simulation = start(text);
    when.iter()
        .map(|&seconds| {
            simulation.run_until(at(seconds));
            let memory = simulation.snapshot().servers[0].memory;
            memory.expect("it has a memory").used
        })
        .collect()
}

const THREE: &[&str] = &["0s", "100ms", "200ms"];

#[test]
fn what_is_left_behind_grows_beside_what_is_there() {
    let memory = "per_in_service = 10, per_abandoned = 100, limit = 1e6";
    let text = left_behind(THREE, "", memory, "");
    assert_eq!(
        used(&text, &[0.02, 0.06, 0.12, 0.27, 1.1, 2.9]),
        // The work for nobody ends after a second; what is left behind stays.
        [1010.0, 1110.0, 1120.0, 1330.0, 1310.0, 1300.0]
    );
}

#[test]
fn it_is_given_back_after_the_time_set_and_not_before() {
    let memory = "per_abandoned = 100, release = \"400ms\", limit = 1e6";
    let text = left_behind(THREE, "", memory, "");
    // Left at 50, 150 and 250 ms; a thousandth of the time later at most it is back.
    assert_eq!(
        used(&text, &[0.4499, 0.4505, 0.5499, 0.5505, 0.6499, 0.6505]),
        [1300.0, 1200.0, 1200.0, 1100.0, 1100.0, 1000.0]
    );
}

/// A time that is shortened meanwhile holds for what is left from then on; the rest keeps its own.
#[test]
fn a_shorter_time_does_not_wait_for_a_longer_one() {
    let memory = "per_abandoned = 100, release = \"2s\", limit = 1e6";
    let change = "[[timeline]]\nat = \"100ms\"\nset = { \"service.web.server.s.memory.release\" = \"100ms\" }\n";
    let text = left_behind(THREE, "", memory, change);
    assert_eq!(
        used(&text, &[0.26, 0.36, 2.04, 2.06]),
        [1200.0, 1100.0, 1100.0, 1000.0]
    );
}

#[test]
fn a_caller_who_calls_the_work_off_leaves_nothing() {
    let memory = "per_abandoned = 100, limit = 1e6";
    let text = left_behind(THREE, ", cancel = true", memory, "");
    assert_eq!(used(&text, &[0.27]), [1000.0]);
}

#[test]
fn callers_whom_a_balancer_cuts_off_leave_as_much() {
    let memory = "per_abandoned = 100, limit = 1e6";
    let crash = "[[timeline]]\nat = \"20ms\"\ndo = \"crash\"\ntarget = \"service.web.balancer\"\n";
    let text = left_behind(&["0s", "10ms"], "", memory, crash);
    assert_eq!(used(&text, &[0.019, 0.021, 0.2]), [1000.0, 1200.0, 1200.0]);
}

#[test]
fn a_new_process_begins_with_nothing() {
    let memory = "per_abandoned = 100, limit = 1e6";
    let crash = "[[timeline]]\nat = \"300ms\"\ndo = \"crash\"\ntarget = \"service.web.server.s\"\n";
    let text = left_behind(THREE, "", memory, crash);
    assert_eq!(used(&text, &[0.29, 0.31]), [1300.0, 1000.0]);
}

#[test]
fn it_kills_when_it_no_longer_fits() {
    for (memory, deaths) in [
        // The third caller gives up at 250 ms.
        (
            "per_abandoned = \"1MiB\", limit = \"2.5MiB\"",
            vec![(0.25, "out of memory: 3 MiB of 2")],
        ),
        ("per_abandoned = \"1MiB\", limit = \"3.5MiB\"", vec![]),
        // The first is forgotten by then.
        (
            "per_abandoned = \"1MiB\", release = \"150ms\", limit = \"2.5MiB\"",
            vec![],
        ),
    ] {
        let told = told(&run(&left_behind(THREE, "", memory, "")), Kind::Crash);
        let told: Vec<_> = told
            .iter()
            .map(|(at, _, why)| (*at, why.as_str()))
            .collect();
        assert_eq!(told, deaths, "{memory}");
    }
}

/// A rule on memory sees what is given back, although nothing else happens then.
#[test]
fn a_rule_sees_memory_that_is_given_back() {
    for (release, deaths) in [("200ms", 0), ("400ms", 1)] {
        let memory = format!("per_abandoned = 100, release = \"{release}\", limit = 1e6");
        let rule = "crash = [{ when = \"memory\", above = 1050, for = \"300ms\" }]\n";
        let text = left_behind(&["0s"], "", &memory, rule);
        assert_eq!(told(&run(&text), Kind::Crash).len(), deaths, "{release}");
    }
}

/// However many give up, no more is remembered than a thousand moments: a flood ends as it began.
#[test]
fn a_flood_is_given_back_to_the_last() {
    let text = "horizon = \"40s\"\ntraffic = [{ to = \"web\", rate = [[\"0s\", 20000], [\"10s\", 20000], [\"11s\", 0]] }]\n\
        client = { timeout = \"1ms\" }\n[service.web]\ndemand = \"5ms\"\n[[service.web.server]]\nname = \"s\"\nworkers = 1000\n\
        memory = { base = 7, per_abandoned = 1, release = \"20s\", limit = 1e9 }\n";
    let used = used(text, &[10.0, 39.0]);
    assert!((199_000.0..201_000.0).contains(&used[0]), "{used:?}");
    assert_eq!(used[1], 7.0);
}

/// Requests to a balancer before one slow server.
fn balancer(keys: &str) -> String {
    traced(
        "3s",
        &["0s", "100ms", "200ms"],
        &format!(
            "[service.web]\ndemand = \"1s\"\nbalancer = {{ {keys} }}\n[[service.web.server]]\nname = \"s\"\nworkers = 8\n"
        ),
    )
}

#[test]
fn a_balancer_dies_of_its_connections() {
    let memory = "memory = { base = \"10MiB\", per_connection = \"5MiB\", limit = \"22MiB\" }";
    let told_of = |keys: &str| told(&run(&balancer(keys)), Kind::Crash);
    let death = (
        0.2,
        "web-lb-1".to_owned(),
        "out of memory: 25 MiB of 22".to_owned(),
    );
    assert_eq!(told_of(memory), [death]);

    let rule =
        memory.replace("22MiB", "99MiB") + ", crash = [{ when = \"memory\", above = \"18MiB\" }]";
    let death = (0.1, "web-lb-1".to_owned(), "memory above 18 MiB".to_owned());
    assert_eq!(told_of(&rule), [death]);

    assert!(told_of(&memory.replace("22MiB", "25MiB")).is_empty());
}

#[test]
fn a_balancer_shows_its_memory() {
    let used = |keys: &str| {
        let mut simulation = start(&balancer(keys));
        simulation.run_until(at(0.15));
        let memory = simulation.snapshot().instances[0].memory;
        memory.map(|memory| (memory.used, memory.limit))
    };
    assert_eq!(
        used("memory = { base = 10, per_connection = 5, limit = 99 }"),
        Some((20.0, 99.0))
    );
    assert_eq!(used(""), None);
}
