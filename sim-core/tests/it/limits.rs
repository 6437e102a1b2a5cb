//! Large runs and hostile ones: they stay within memory and come to an end that says why.

use crate::support::{check_books, run, start, summary, traced};
use sim_core::engine::{End, Simulation};
use sim_core::summary::Summary;
use std::fmt::Write as _;

fn ended(text: &str) -> (Simulation, Summary) {
    let simulation = run(text);
    let summary = Summary::of(&simulation, 0);
    (simulation, summary)
}

fn warned(summary: &Summary, sentence: &str) -> bool {
    let mut warnings = summary.warnings.iter();
    warnings.any(|w| w.code == "ended-early" && w.message.contains(sentence))
}

#[test]
fn a_million_requests_in_flight_take_less_than_400_bytes_each() {
    for server in [
        "workers = 1",
        "workers = 1000000",
        "workers = 1\nqueue = { discipline = \"processor-sharing\" }",
    ] {
        let text = format!(
            "horizon = \"10s\"\ntraffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = 110000 }}]\n\
             [service.web]\ndemand = \"1h\"\n[[service.web.server]]\nname = \"s\"\n{server}\n"
        );
        let (simulation, summary) = ended(&text);
        assert!(summary.complete && summary.requests.in_flight >= 1_000_000);
        let (peak, bytes) = simulation.footprint();
        assert!(peak >= 1_000_000);
        assert!(
            bytes < 400 * peak + (8 << 20),
            "{bytes} for {peak}: {server}"
        );
    }
}

#[test]
fn callers_of_a_black_hole_pile_up_within_limits() {
    let text = "horizon = \"60s\"\nlimits = { in_flight = 200000 }\n\
                traffic = [{ to = \"web\", arrivals = \"deterministic\", rate = 50000 }]\n\
                [service.web]\ndemand = \"1ms\"\nserver = [{ name = \"s\", workers = 1, down_behaviour = \"black-hole\" }]\n\
                [[timeline]]\nat = \"0s\"\ndo = \"crash\"\ntarget = \"service.web.server.s\"\n";
    let (simulation, summary) = ended(text);
    assert_eq!(simulation.end(), Some(End::InFlightLimit));
    assert!(
        !summary.complete && warned(&summary, "limits.in_flight"),
        "{:?}",
        summary.warnings
    );
    // A request and its attempt count one each.
    let (peak, _) = simulation.footprint();
    assert!((100_000..101_000).contains(&peak), "{peak}");
}

/// Between two looks of the monitoring a flood could fill any memory: the limit must hold within.
#[test]
fn the_limit_in_flight_holds_against_a_sudden_flood() {
    let text = "horizon = \"1h\"\nlimits = { in_flight = 10000 }\nrecord = { interval = \"10m\" }\n\
                traffic = [{ to = \"web\", rate = 1000000 }]\n[service.web]\ndemand = \"1h\"\nserver = [{ name = \"s\", workers = 1 }]\n";
    let (simulation, _) = ended(text);
    assert_eq!(simulation.end(), Some(End::InFlightLimit));
    assert!(
        simulation.footprint().0 < 6000,
        "{:?}",
        simulation.footprint()
    );
}

#[test]
fn the_limit_on_events_ends_a_run_with_what_there_is() {
    let text = "horizon = \"1h\"\nlimits = { events = 10000 }\ntraffic = [{ to = \"web\", rate = 100 }]\n\
                [service.web]\ndemand = \"1ms\"\nserver = [{ name = \"s\", workers = 1 }]\n";
    let (simulation, summary) = ended(text);
    assert_eq!(
        (simulation.end(), simulation.events()),
        (Some(End::EventLimit), 10_000)
    );
    assert!(warned(&summary, "limits.events") && summary.requests.succeeded > 4900);
    assert!(!summary.complete && summary.horizon_s < 100.0);
}

/// Users who never think and are refused at once would go on forever at one instant.
#[test]
fn a_loop_without_delay_is_stopped() {
    let text = "horizon = \"1h\"\ntraffic = [{ to = \"web\", arrivals = { kind = \"closed\", users = 3, think = \"0s\" } }]\n\
                [service.web]\ndemand = \"1ms\"\nserver = [{ name = \"s\", workers = 1, queue = { limit = 0 } }]\n";
    let (simulation, summary) = ended(text);
    assert_eq!(simulation.end(), Some(End::Stalled));
    assert!(warned(&summary, "time stood still"));
    assert_eq!(simulation.now().0, 0);
}

#[test]
fn ten_thousand_servers_and_a_thousand_entries_run() {
    let mut text = "horizon = \"100s\"\nwarm_up = \"20s\"\ntraffic = [{ to = \"web\", rate = 5000 }]\n\
                    [service.web]\ndemand = { kind = \"exponential\", mean = \"1s\" }\nbalancer = { policy = \"power-of-d\" }\n\
                    [[service.web.server]]\nname = \"s\"\ncount = 10000\nworkers = 1\n"
        .to_owned();
    for i in 0..1000 {
        let _ = writeln!(
            text,
            "[[timeline]]\nat = \"{}ms\"\nset = {{ \"service.web.server.s-{}.weight\" = {} }}",
            i * 100,
            i * 7 + 1,
            i + 2
        );
    }
    let (_, summary) = ended(&text);
    assert!(summary.complete);
    let response = summary
        .response_time_s
        .mean
        .expect("requests were answered");
    // The supermarket model at half load: 1.2657 s.
    assert!((response - 1.2657).abs() < 0.04, "{response}");
}

#[test]
fn a_run_can_go_on_after_any_number_of_events() {
    let text = traced(
        "1s",
        &["0s"],
        "[service.web]\ndemand = \"1ms\"\nserver = [{ name = \"s\", workers = 1 }]\n",
    );
    let mut simulation = start(&text);
    assert!(simulation.run_events(0));
    while simulation.run_events(1) {
        check_books(&simulation, &text);
    }
    assert!(!simulation.run_events(1));
    assert_eq!(simulation.end(), Some(End::Horizon));
}

#[test]
fn nothing_at_all_is_measured_without_a_panic() {
    let text = "horizon = \"1ns\"\nwarm_up = \"0s\"\ntraffic = [{ to = \"web\", rate = 0 }]\n\
                [service.web]\ndemand = \"1ms\"\nserver = [{ name = \"s\", workers = 1 }]\n";
    let summary = summary(text);
    assert_eq!(summary.requests.arrived, 0);
    assert!(summary.warnings.iter().any(|w| w.code == "no-requests"));
    assert!(!summary.to_json().contains("NaN"));
}

#[test]
fn an_hour_of_patience_does_not_hold_an_hour_of_timers() {
    let text = |timeout: &str| {
        format!(
            "horizon = \"2m\"\n[[traffic]]\nto = \"web\"\nrate = 10000\n[client]\ntimeout = \"{timeout}\"\n\
             deadline = \"2h\"\n[service.web]\ndemand = \"1ms\"\n[[service.web.server]]\nname = \"a\"\nworkers = 40\n"
        )
    };
    let bytes = |timeout: &str| ended(&text(timeout)).0.footprint().1;
    let (patient, hasty) = (bytes("1h"), bytes("1s"));
    // A timer takes 24 bytes, and 1.2 million of them were set.
    assert!(patient < hasty + (8 << 20), "{patient} and {hasty}");
    let digests = ["1h", "59m"].map(|timeout| ended(&text(timeout)).0.digest());
    assert_eq!(
        digests[0], digests[1],
        "timers that nobody needs change nothing"
    );
}

/// A ring of many points is one for all instances of a service, and counts as memory.
#[test]
fn instances_share_the_ring_of_their_policy() {
    let bytes = |instances: u32, timeline: &str| {
        let text = format!(
            "horizon = \"1s\"\ntraffic = [{{ to = \"web\", rate = 20 }}]\n[service.web]\n\
             demand = \"10ms\"\nserver = [{{ name = \"s\", workers = 9, count = 2 }}]\n\
             balancer = {{ policy = {{ kind = \"ring-hash\", points = 50000 }}, instances = {instances} }}\n\
             {timeline}"
        );
        let simulation = ended(&text).0;
        (simulation.footprint().1, simulation.clone_bytes())
    };
    let heavier =
        "[[timeline]]\nat = \"500ms\"\nset = { \"service.web.server.s-1.weight\" = 2.0 }\n";
    // Eight bytes for the place of a point and four for its server.
    for (timeline, points) in [("", 100_000), (heavier, 150_000)] {
        let ((one, clone_of_one), (many, clone_of_many)) =
            (bytes(1, timeline), bytes(30, timeline));
        assert!(one - clone_of_one >= 12 * points, "{one} {clone_of_one}");
        assert!(
            many - clone_of_many < 13 * 2 * points,
            "{many} {clone_of_many}"
        );
        assert!(many < one + 1_000_000, "{one} {many}");
    }
}
