//! What monitoring sees: alerts, objectives, incidents, the verdict.

use crate::support::{at, model, run, start, summary, times};
use sim_alert::State;
use sim_core::engine::Simulation;
use sim_core::event_log::Kind;
use sim_core::summary::Summary;

/// Ten requests a second; the only server is down from 100 s to 200 s.
fn outage(rest: &str) -> String {
    format!(
        "horizon = \"600s\"\ntraffic = [{{ to = \"web\", arrivals = \"deterministic\", rate = 10 }}]\n\
         [service.web]\ndemand = \"10ms\"\n\
         server = [{{ name = \"s\", workers = 1, restart = {{ kind = \"after\", pause = \"100s\" }} }}]\n\
         [[timeline]]\nat = \"100050ms\"\ndo = \"crash\"\ntarget = \"service.web.server.s\"\n{rest}"
    )
}

#[test]
fn an_alert_fires_when_its_condition_has_held_and_resolves() {
    let alert =
        "[[alert]]\nname = \"failing\"\nwhen = \"failed > 50%\"\nover = \"10s\"\nfor = \"20s\"\n";
    let run = run(&outage(alert));
    // More than half of ten seconds fail from 106 s on; the condition has then held for 20 s.
    assert_eq!(times(&run, Kind::Alert), [126.0]);
    assert_eq!(times(&run, Kind::Resolved), [206.0]);
    let summary = Summary::of(&run, 0);
    let alerts: Vec<_> = summary
        .alerts
        .iter()
        .map(|a| (a.name.as_str(), a.state, a.at_s))
        .collect();
    assert_eq!(
        alerts,
        [("failing", "firing", 126.0), ("failing", "resolved", 206.0)]
    );
}

#[test]
fn an_alert_that_does_not_hold_long_enough_is_silent() {
    let alert =
        "[[alert]]\nname = \"failing\"\nwhen = \"failed > 50%\"\nover = \"10s\"\nfor = \"101s\"\n";
    assert!(times(&run(&outage(alert)), Kind::Alert).is_empty());
}

#[test]
fn what_was_pending_and_never_fired_is_known_all_the_same() {
    let stood = |rest: &str| -> Vec<(f64, State)> {
        let run = run(&outage(rest));
        let changes = run.recorder().alert_changes().iter();
        changes.map(|c| (c.at.as_secs_f64(), c.to)).collect()
    };
    let alert = |hold: &str| {
        format!(
            "[[alert]]\nname = \"failing\"\nwhen = \"failed > 50%\"\nover = \"10s\"\nfor = \"{hold}\"\n"
        )
    };
    let fires = [
        (106.0, State::Pending),
        (126.0, State::Firing),
        (206.0, State::Inactive),
    ];
    assert_eq!(stood(&alert("20s")), fires);
    let forgotten = [(106.0, State::Pending), (206.0, State::Inactive)];
    assert_eq!(stood(&alert("101s")), forgotten);
    // As a monitoring sees it, a scrape and an evaluation later; so does a rule of Prometheus.
    let monitoring = "[monitoring]\nscrape = \"5s\"\nevaluate = \"10s\"\n";
    let own = stood(&format!("{monitoring}{}", alert("101s")));
    assert_eq!(own, [(110.0, State::Pending), (210.0, State::Inactive)]);
    let rule = "[[alert]]\nname = \"down\"\nrule = \"promql\"\nwhen = \"up == 0\"\nfor = \"95s\"\n";
    let rule = stood(&format!("{monitoring}{rule}"));
    assert_eq!(rule, [(110.0, State::Pending), (210.0, State::Inactive)]);
}

#[test]
fn an_objective_counts_good_requests() {
    let slo = "[[slo]]\nname = \"works\"\nobjective = 0.9\n\
               [[slo]]\nname = \"quick\"\ngood = \"response_time < 10ms\"\nobjective = 0.5\n\
               [[slo]]\nname = \"quick enough\"\ngood = \"response_time < 11ms\"\nobjective = 0.5\n";
    let summary = summary(&outage(slo));
    let slo = |name: &str| summary.slos.get(name).expect("it was asked for").clone();
    let attained = slo("works").attained.expect("requests came");
    assert!((attained - 5.0 / 6.0).abs() < 0.001, "{attained}");
    assert_eq!(slo("works").met, Some(false));
    let spent = slo("works").budget_spent.expect("requests came");
    assert!((spent - 10.0 / 6.0).abs() < 0.01, "{spent}");
    assert_eq!(slo("quick").attained, Some(0.0));
    assert_eq!(slo("quick enough").attained, Some(attained));
    assert_eq!(slo("quick enough").met, Some(true));
}

#[test]
fn an_incident_has_a_start_a_detection_and_an_end() {
    let alert = "[[alert]]\nname = \"failing\"\nwhen = \"failed > 50%\"\nover = \"10s\"\n";
    let summary = summary(&outage(alert));
    assert_eq!(summary.incidents.len(), 1, "{:?}", summary.incidents);
    let incident = &summary.incidents[0];
    // Two per cent of 30 s fail after the first failures; below five per cent after 29 s.
    assert!((100.0..=102.0).contains(&incident.start_s), "{incident:?}");
    let down = incident.down_s.expect("the site was down");
    assert!((128.0..=131.0).contains(&down), "{incident:?}");
    assert_eq!(incident.detected_s, Some(106.0));
    // All is well for 30 s from 230 s on, and has been so for two minutes at 350 s.
    let end = incident.end_s.expect("it ended");
    assert!((345.0..=352.0).contains(&end), "{incident:?}");
    assert!((985..=1002).contains(&incident.lost), "{incident:?}");
    assert_eq!(incident.waiting, None);
}

#[test]
fn an_incident_in_which_nobody_ends_says_who_waits() {
    let summary = summary(
        "horizon = \"300s\"\ntraffic = [{ to = \"web\", rate = 20, arrivals = \"deterministic\" }]\n\
         [service.web]\ndemand = \"100ms\"\nserver = [{ name = \"w\", workers = 4 }]\n\
         [[timeline]]\nat = \"100s\"\ndo = \"slow\"\ntarget = \"service.web.server\"\nfactor = 0.000001\n",
    );
    let [incident] = summary.incidents.as_slice() else {
        panic!("{:?}", summary.incidents);
    };
    assert_eq!((incident.lost, incident.end_s), (0, None));
    assert_eq!(incident.waiting, Some(summary.requests.in_flight));
    assert!(incident.waiting >= Some(4000), "{incident:?}");
}

/// Thirty workers of 10 requests a second each, timeout and one retry after a second; nothing works
/// from 20 s to 30 s (Bronson, Aghayev, Charapko and Zhu, "Metastable failures in distributed
/// systems", `HotOS` 2021).
fn storm(rate: u32, retry: &str, cancel: bool) -> String {
    format!(
        "horizon = \"300s\"\nrecord = {{ every_nth_request = 1 }}\ntraffic = [{{ to = \"db\", rate = {rate} }}]\n\
         client = {{ timeout = \"1s\", retry = {retry}, cancel = {cancel} }}\n\
         [service.db]\ndemand = {{ kind = \"exponential\", mean = \"100ms\" }}\n\
         server = [{{ name = \"db\", workers = 30 }}]\n\
         [[timeline]]\nat = \"20s\"\ndo = \"slow\"\ntarget = \"service.db.server\"\nfactor = 0.000001\nfor = \"10s\"\n"
    )
}

const ONCE_MORE: &str = "{ kind = \"fixed\", attempts = 2 }";

fn replication(text: &str, number: u64) -> Simulation {
    let mut simulation = Simulation::new(model(text), number);
    simulation.run();
    simulation
}

#[test]
fn a_retry_storm_outlives_its_trigger() {
    for rate in [280, 155] {
        for number in 0..5 {
            let run = replication(&storm(rate, ONCE_MORE, false), number);
            let summary = Summary::of(&run, 0);
            assert_eq!(summary.verdict, Some("METASTABLE"), "{rate} {number}");
            let text = summary.to_json();
            assert!(summary.offered_load.expect("requests came") < 1.0, "{text}");
        }
    }
}

#[test]
fn one_server_of_many_that_falls_behind_is_no_stable_system() {
    let fleet = |speed: f64| {
        summary(&format!(
            "horizon = \"10m\"\ntraffic = [{{ to = \"web\", rate = 200 }}]\n\
             [service.web]\ndemand = \"100ms\"\nbalancer = {{ policy = \"random\" }}\n\
             server = [{{ name = \"web\", count = 39, workers = 4 }}, {{ name = \"slow\", workers = 4, speed = {speed} }}]\n"
        ))
    };
    let behind = fleet(0.01);
    let share = behind.requests.in_flight as f64 / behind.requests.arrived as f64;
    assert!((0.01..0.05).contains(&share), "few wait: {share}");
    assert_eq!(behind.verdict, Some("DEGRADED"));
    assert!(behind.warnings.iter().any(|w| w.code == "unanswered"));
    assert_eq!(fleet(1.0).verdict, Some("STABLE"));
}

#[test]
fn below_half_of_capacity_the_storm_blows_over() {
    for (rate, recovered_s) in [(140, 150.2), (130, 86.6)] {
        let last: Vec<f64> = (0..6)
            .map(|number| {
                let mut run = replication(&storm(rate, ONCE_MORE, false), number);
                let summary = Summary::of(&run, 0);
                // The last of the storms is not over for two minutes yet.
                assert!(
                    matches!(summary.verdict, Some("STABLE" | "RECOVERING")),
                    "{rate} {number}: {summary:?}"
                );
                let log = run.recorder_mut().take_log();
                // A demand above the timeout fails at any time, now and then, with its retry:
                // the storm is over after the last second with ten failures.
                let mut failures = vec![0; 301];
                for row in log.iter().filter(|row| row.outcome.name() != "succeeded") {
                    failures[(row.ended_ns / 1_000_000_000) as usize] += 1;
                }
                failures.iter().rposition(|&n| n >= 10).unwrap_or(0) as f64 + 1.0
            })
            .collect();
        let mean = last.iter().sum::<f64>() / last.len() as f64;
        assert!((mean / recovered_s - 1.0).abs() < 0.06, "{rate}: {last:?}");
    }
}

#[test]
fn without_retries_or_with_cancelled_work_differently_bad() {
    let goodput = |text: &str| {
        let mut run = start(text);
        run.run();
        let log = run.recorder_mut().take_log();
        let good = |row: &&sim_core::record::RequestRecord| {
            row.outcome.name() == "succeeded" && row.ended_ns >= at(200.0).0
        };
        log.iter().filter(good).count() as f64 / 100.0
    };
    let none = goodput(&storm(280, "\"none\"", false));
    let storm_on = goodput(&storm(280, ONCE_MORE, false));
    let cancelled = goodput(&storm(280, ONCE_MORE, true));
    assert!(storm_on < 5.0, "{storm_on}");
    assert!(none > 200.0, "{none}");
    // Work for nobody is gone: only what was late in the queue is lost.
    assert!(cancelled > 200.0, "{cancelled}");
}
