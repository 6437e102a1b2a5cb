//! Autoscalers in a running system: counts worked out by hand, servers on their way, and what is told.

use crate::support::{run, told};
use sim_core::engine::Simulation;
use sim_core::event_log::{Actor, Kind};

/// Requests of 100 ms for servers of ten workers: one is there, nine more are to be had. 50 a second keep
/// five workers busy, 200 a second keep twenty.
fn shop(horizon: u32, rate: &str, autoscaler: &str, server: &str, more: &str) -> String {
    format!(
        r#"
horizon = "{horizon}s"
traffic = [{{ to = "web", arrivals = "deterministic", rate = {rate} }}]
[service.web]
demand = "100ms"
autoscaler = {{ {autoscaler} }}
server = [
  {{ name = "s-1", workers = 10{server} }},
  {{ name = "s", count = 9, first = 2, like = "s-1", present = false }},
]
{more}
"#
    )
}

const STEP: &str = "[[\"0s\", 50], [\"60s\", 50], [\"60s\", 200], [\"500s\", 200]]";
const HPA: &str = "kind = \"kubernetes-hpa\", max = 10, target = 0.5, lag = \"0s\"";

/// When another number of servers was asked for, and from how many to how many.
fn scaled(simulation: &Simulation) -> Vec<(f64, String)> {
    told(simulation, Kind::Scaled)
        .into_iter()
        .map(|(at, subject, cause)| {
            assert_eq!(subject, "web");
            let (numbers, _) = cause.split_once(" (").expect("numbers and a reason");
            (at, numbers.to_owned())
        })
        .collect()
}

fn numbers(expected: &[(f64, &str)]) -> Vec<(f64, String)> {
    expected
        .iter()
        .map(|(at, numbers)| (*at, (*numbers).to_owned()))
        .collect()
}

#[test]
fn a_step_of_load_is_followed_as_worked_out_by_hand() {
    // Up to 60 s five of ten are busy, which is the target. From then on all ten are, and two requests
    // come for each that is served.
    //  75 s: 99 or 100 %: 2. The second has no reading yet.
    //  90 s: 100 % and one not measured, which counts as idle: 50 % is the target.
    // 105 s: both at 100 %: 4. The two new ones have no reading yet.
    // 120 s: 100 % (the first works off 1500 requests that wait, at 50 a second until 135 s), 50 %, and
    //        two idle: 37 %, the other side of the target.
    // 135 s: (100 + 50 + 50 + 50) / 4 = 62 %: 4 × 62 / 50 = 4.96.
    // 150 s: 40 % of four, and one not measured, which counts as busy: 52 %, the other side.
    // From 165 s on 40 % of five ask for four, but for five minutes the five of 150 s count.
    let simulation = run(&shop(500, STEP, HPA, "", ""));
    let expected = [
        (75.0, "1 → 2"),
        (105.0, "2 → 4"),
        (135.0, "4 → 5"),
        (450.0, "5 → 4"),
    ];
    assert_eq!(scaled(&simulation), numbers(&expected));
    let added: Vec<(f64, String)> = told(&simulation, Kind::Added)
        .into_iter()
        .map(|(at, name, _)| (at, name))
        .collect();
    let expected = [
        (75.0, "s-2"),
        (105.0, "s-3"),
        (105.0, "s-4"),
        (135.0, "s-5"),
    ];
    assert_eq!(added, numbers(&expected));
    // The youngest goes, and finishes what it has.
    assert_eq!(told(&simulation, Kind::Removed)[0].1, "s-5");
    let summary = sim_core::summary::Summary::of(&simulation, 0);
    assert_eq!(summary.requests.failed, 0);
    let mut acts = simulation.recorder().event_log();
    assert!(acts.all(|event| event.by == Actor::Autoscaler));
}

#[test]
fn what_boots_is_not_ready_and_what_is_up_needs_a_whole_interval() {
    // As above, but the second is up at 95 s: at 90 s it is pending, at 105 s not measured, and at 120 s
    // it has been measured from 105 s on.
    let simulation = run(&shop(130, STEP, HPA, ", boot = \"20s\"", ""));
    assert_eq!(
        scaled(&simulation),
        numbers(&[(75.0, "1 → 2"), (120.0, "2 → 4")])
    );
    assert_eq!(told(&simulation, Kind::Up)[0].0, 95.0);
}

#[test]
fn a_lag_shows_the_past() {
    // What is known at 75 s is of 45 to 60 s; at 90 s of 60 to 75 s.
    let lagging = HPA.replace("lag = \"0s\"", "lag = \"1s\"");
    let simulation = run(&shop(100, STEP, &lagging, "", ""));
    assert_eq!(scaled(&simulation), numbers(&[(90.0, "1 → 2")]));
}

#[test]
fn requests_per_second_ask_for_what_carries_them() {
    // 50 a second and 30 for each: 2; 200 a second: 7.
    let hpa =
        "kind = \"kubernetes-hpa\", max = 10, metric = \"requests\", target = 30, lag = \"0s\"";
    let simulation = run(&shop(200, STEP, hpa, "", ""));
    // 15 s: 50 / 30 = 1.66. 75 s: two of 100 ask for 6.67, and four may be added at once.
    // 90 s: 200 over six, two of them measured: 66.7 / 6 is the other side of 30.
    // 105 s: 33.3 / 30 is beyond the tolerance, and 6 × 33.3 / 30 = 6.67. Then 28.6 is within.
    let expected = [(15.0, "1 → 2"), (75.0, "2 → 6"), (105.0, "6 → 7")];
    assert_eq!(scaled(&simulation), numbers(&expected));
}

#[test]
fn a_provider_that_never_finds_a_server_is_asked_again_and_again() {
    let provisioning = "[service.web.provisioning]\ntime = \"10s\"\nfailure = 1\npause = \"5s\"\n";
    let simulation = run(&shop(120, STEP, HPA, "", provisioning));
    let failed: Vec<(f64, String)> = told(&simulation, Kind::Unprovided)
        .into_iter()
        .map(|(at, name, _)| (at, name))
        .collect();
    let expected = [(85.0, "s-2"), (100.0, "s-2"), (115.0, "s-2")];
    assert_eq!(failed, numbers(&expected));
    // One is on its way, which counts as idle: nothing more is asked for.
    assert_eq!(scaled(&simulation), numbers(&[(75.0, "1 → 2")]));
    let found = provisioning.replace("failure = 1", "failure = 0");
    let simulation = run(&shop(120, STEP, HPA, "", &found));
    assert_eq!(told(&simulation, Kind::Added)[0].0, 85.0);
}

#[test]
fn more_than_are_written_are_not_to_be_had() {
    let few = shop(300, STEP, HPA, "", "").replace("count = 9", "count = 2");
    let simulation = run(&few);
    assert_eq!(told(&simulation, Kind::Added).len(), 2);
    let causes = told(&simulation, Kind::Scaled);
    assert_eq!(causes[1].0, 105.0);
    assert!(
        causes[1]
            .2
            .starts_with("2 → 4 (utilisation 100 %, wanted 50 %; there are 3)"),
        "{causes:?}"
    );
}

#[test]
fn people_and_the_autoscaler_work_on_the_same_servers() {
    // What people add counts from the next decision on, and what is beyond the maximum goes.
    let more = "[[timeline]]\nat = \"20s\"\ndo = \"add\"\ntarget = \"service.web.server.s\"\n\
                [[timeline]]\nat = \"40s\"\nset = { \"service.web.autoscaler.max\" = 3 }\n";
    let simulation = run(&shop(50, STEP, HPA, "", more));
    assert_eq!(scaled(&simulation), numbers(&[(45.0, "10 → 3")]));
    // Without an autoscaler from 40 s on, nobody follows the step.
    let more = "[[timeline]]\nat = \"40s\"\nset = { \"service.web.autoscaler\" = \"none\" }\n";
    let simulation = run(&shop(200, STEP, HPA, "", more));
    assert_eq!(scaled(&simulation), numbers(&[]));
}

#[test]
fn target_tracking_waits_for_its_alarms_and_for_what_warms_up() {
    // Eight of ten are busy: at the third minute ceil(1 × 80 / 50) = 2. They are at 40 % then, which asks
    // for two as well. At 1200 s two are busy of twenty: one is enough, as the alarm has stood for long.
    let rate = "[[\"0s\", 80], [\"1200s\", 80], [\"1200s\", 20], [\"1300s\", 20]]";
    let rule = "kind = \"target-tracking\", max = 10, target = 0.5";
    let simulation = run(&shop(1300, rate, rule, "", ""));
    assert_eq!(
        scaled(&simulation),
        numbers(&[(180.0, "1 → 2"), (1260.0, "2 → 1")])
    );
    // From 180 s on one is warm: a busier hour is answered once, and again when the second counts.
    let rate = "[[\"0s\", 80], [\"180s\", 80], [\"180s\", 180], [\"1300s\", 180]]";
    let simulation = run(&shop(700, rate, rule, "", ""));
    // 90 % of the first alone ask for two, which are there. At 480 s the second is warm: 2 × 90 / 50 = 3.6.
    assert_eq!(
        scaled(&simulation),
        numbers(&[(180.0, "1 → 2"), (480.0, "2 → 4")])
    );
}

#[test]
fn steps_go_by_the_size_of_the_breach_and_by_what_has_warmed_up() {
    // Eight of ten are busy for two minutes: one more. It warms up until 420 s, and counts as there: one and
    // one are the two that there are. Then 40 % are nothing to do anything about. At 1200 s two are busy of
    // twenty, and two minutes later one goes.
    let rate = "[[\"0s\", 80], [\"1200s\", 80], [\"1200s\", 20], [\"1500s\", 20]]";
    let rule = "kind = \"step-scaling\", max = 10, up_from = [0.7, 0.85], up_by = [1, 3], down_from = [0.3], down_by = [1]";
    let simulation = run(&shop(1500, rate, rule, "", ""));
    assert_eq!(
        scaled(&simulation),
        numbers(&[(120.0, "1 → 2"), (1320.0, "2 → 1")])
    );
    // Nine of ten busy are a breach of the second step: three more, at once.
    let simulation = run(&shop(300, "90", rule, "", ""));
    assert_eq!(scaled(&simulation), numbers(&[(120.0, "1 → 4")]));
}

#[test]
fn a_run_without_an_autoscaler_is_as_it_was() {
    // The servers that are not there are no part of it, and a maximum of one asks for nobody.
    let bound = shop(100, "50", &HPA.replace("max = 10", "max = 1"), "", "");
    let free = bound.replace("autoscaler = ", "# autoscaler = ");
    let fates = |text: &str| {
        let summary = sim_core::summary::Summary::of(&run(text), 0);
        (summary.requests.succeeded, summary.response_time_s.mean)
    };
    assert_eq!(fates(&bound), fates(&free));
}
