//! Machines that servers share: who slows whom down, and by how much.

use crate::replicate::{Figure, check, exact, replicate, response};
use crate::support::{at, fates, model, run, server, service, summary, told};
use sim_core::engine::Simulation;
use sim_core::event_log::Kind;
use sim_core::scenario::{self, NoFiles, Scenario, Source};
use sim_core::summary::Summary;
use std::sync::Arc;

/// Requests at given times to `web`, each of 10 ms, and one at 0 s to `batch`, of 100 ms; `web` and
/// `batch` are what is written of their servers.
fn two(times: &[&str], machine: &str, web: &str, batch: &str, more: &str) -> String {
    format!(
        r#"
horizon = "60s"
record = {{ every_nth_request = 1 }}
traffic = [
  {{ to = "web", arrivals = {{ kind = "trace", times = {times:?} }} }},
  {{ to = "batch", arrivals = {{ kind = "trace", times = ["0s"] }} }},
]
[machine.box]
{machine}
[service.web]
demand = "10ms"
server = [{{ name = "w", {web} }}]
[service.batch]
demand = "100ms"
server = [{{ name = "b", {batch} }}]
{more}
"#
    )
}

const ON_IT: &str = "workers = 4, machine = \"box\"";

fn ends(text: &str) -> Vec<f64> {
    let fates = fates(text);
    assert!(
        fates.iter().all(|(fate, _)| *fate == "succeeded"),
        "{fates:?}"
    );
    fates.into_iter().map(|(_, at)| at).collect()
}

#[test]
fn those_at_work_share_the_cores_alike() {
    // Alone until 20 ms; then both are at half speed, the newcomer for 20 ms, and the other has 70 ms left.
    let text = two(&["20ms"], "cores = 1", ON_IT, ON_IT, "");
    assert_eq!(ends(&text), [110.0, 40.0]);
    // Two cores are enough for two, but not for three: each then has two thirds.
    let text = two(&["0s", "0s"], "cores = 2", ON_IT, ON_IT, "");
    assert_eq!(ends(&text), [15.0, 15.0, 105.0]);
    // Half a core is a quota that slows down even one.
    let text = two(&["500ms"], "cores = 0.5", ON_IT, ON_IT, "");
    assert_eq!(ends(&text), [200.0, 520.0]);
}

#[test]
fn who_waits_for_a_worker_takes_no_core() {
    // The second of `web` waits for the only worker, so that two are at work on two cores.
    let one = "workers = 1, machine = \"box\"";
    let text = two(&["0s", "0s"], "cores = 2", one, ON_IT, "");
    assert_eq!(ends(&text), [10.0, 20.0, 100.0]);
    // With processor sharing both are in service, and yet of one worker there is one to share the core.
    let shared = "workers = 1, machine = \"box\", queue = { discipline = \"processor-sharing\" }";
    let text = two(&["0s", "0s"], "cores = 2", shared, ON_IT, "");
    assert_eq!(ends(&text), [20.0, 20.0, 100.0]);
}

#[test]
fn who_waits_for_an_answer_takes_no_core() {
    // The first call goes out at 10 ms and holds its worker; the second request has the core for itself.
    let text = two(
        &["0s", "12ms"],
        "cores = 1",
        ON_IT,
        "workers = 4",
        "[[service.web.call]]\nto = \"batch\"\nhold = true",
    );
    assert_eq!(ends(&text), [110.0, 100.0, 122.0]);
}

#[test]
fn a_machine_slows_down_beside_everything_else_that_does() {
    // Twice as fast, three times slower by contention, at half a core: 60 ms for 10 ms of work twice.
    let web = "workers = 2, machine = \"box\", speed = 2, slowdown = { contention = 2 }";
    let text = two(&["0s", "0s"], "cores = 1", web, "workers = 1", "");
    assert_eq!(ends(&text), [30.0, 30.0, 100.0]);
    // A fault makes the server slow, not its neighbour: the slow one keeps its part of the core.
    let slow =
        "[[timeline]]\nat = \"0s\"\ndo = \"slow\"\ntarget = \"service.web.server.w\"\nfactor = 0.5";
    let text = two(&["20ms"], "cores = 1", ON_IT, ON_IT, slow);
    assert_eq!(ends(&text), [120.0, 60.0]);
}

#[test]
fn those_that_crash_leave_the_cores_to_others() {
    // Half speed until 20 ms, when the neighbour is gone: 90 ms are left.
    let crash = "[[timeline]]\nat = \"20ms\"\ndo = \"crash\"\ntarget = \"service.web.server.w\"";
    let text = two(&["0s", "0s"], "cores = 1.5", ON_IT, ON_IT, crash);
    let fates = fates(&text.replace("demand = \"10ms\"", "demand = \"1s\""));
    assert_eq!(
        fates,
        [("reset", 20.0), ("reset", 20.0), ("succeeded", 110.0)]
    );
    // So do those whose caller gives up and says so; otherwise the work goes on for nobody.
    let text = two(&["0s"], "cores = 1", ON_IT, ON_IT, "");
    let text = text.replace("demand = \"10ms\"", "demand = \"1s\"");
    let hasty = |cancel: bool| {
        let client = format!("client = {{ timeout = \"40ms\", cancel = {cancel} }}");
        text.replace("to = \"web\",", &format!("to = \"web\", {client},"))
    };
    let fates = |text: &str| crate::support::fates(text)[1];
    assert_eq!(fates(&hasty(true)), ("succeeded", 120.0));
    assert_eq!(fates(&hasty(false)), ("succeeded", 200.0));
}

#[test]
fn a_machine_crashes_and_restarts_with_all_that_runs_on_it() {
    let deeds = r#"
[[timeline]]
at = "50ms"
do = "crash"
target = "machine.box"
[[timeline]]
at = "5s"
do = "restart"
target = "machine.box"
"#;
    let web = "workers = 4, machine = \"box\" }, { name = \"elsewhere\", workers = 4";
    let simulation = run(&two(&["0s", "10s"], "cores = 1", web, ON_IT, deeds));
    let crashes: Vec<(f64, String)> = (told(&simulation, Kind::Crash).into_iter())
        .map(|(at, who, _)| (at, who))
        .collect();
    assert_eq!(crashes, [(0.05, "w".to_owned()), (0.05, "b".to_owned())]);
    let up = told(&simulation, Kind::Up);
    assert_eq!(up.len(), 2, "{up:?}");
    assert!(up.iter().all(|(at, ..)| *at == 5.0), "{up:?}");
}

#[test]
fn cores_change_while_time_runs() {
    let set = "[[timeline]]\nat = \"50ms\"\nset = { \"machine.box.cores\" = 2 }";
    // At 50 ms each has had half a core; from then on both have one.
    let both = two(&["0s"], "cores = 1", ON_IT, ON_IT, set);
    let both = both.replace("demand = \"10ms\"", "demand = \"100ms\"");
    assert_eq!(ends(&both), [125.0, 125.0]);
    let back = both
        .replace("cores = 1", "cores = 2")
        .replace("cores\" = 2", "cores\" = 1");
    assert_eq!(ends(&back), [150.0, 150.0]);
}

#[test]
fn a_slider_changes_cores() {
    let text = two(&["0s"], "cores = 1", ON_IT, ON_IT, "");
    let text = text.replace("demand = \"10ms\"", "demand = \"100ms\"");
    let source = Source::new("scenario.toml", text.clone());
    let scenario = Scenario::read(source, &[], &NoFiles).expect("valid");
    let mut simulation = Simulation::new(model(&text), 0);
    simulation.run_until(at(0.05));
    let (after, new, set) =
        scenario::change(&scenario, &model(&text), at(0.05), "machine.box.cores", "2")
            .expect("live");
    simulation.adopt(Arc::new(new), &set, "");
    simulation.run();
    let mut replayed = Simulation::new(Arc::new(after.model().expect("valid")), 0);
    replayed.run();
    assert_eq!(ends(&after.to_toml()), [125.0, 125.0]);
    let row = |simulation: &Simulation| Summary::of(simulation, 0).machines.0;
    assert_eq!(row(&simulation), row(&replayed));
    assert_eq!(row(&simulation)[0].1.cores, 2.0);
}

#[test]
fn what_is_used_of_a_machine_is_reported() {
    // 110 ms of work on one core, and one core of two later: 0.11 s of 60 s.
    let text = two(&["20ms"], "cores = 1", ON_IT, ON_IT, "");
    let found = &summary(&text).machines;
    let (name, figures) = &found.0[0];
    assert_eq!((name.as_str(), figures.cores), ("box", 1.0));
    assert_eq!(figures.servers, ["web/w", "batch/b"]);
    assert!((figures.utilisation - 0.11 / 60.0).abs() < 1e-12);
    // Three at work on four cores are three; and from 30 s on there are eight.
    let set = "[[timeline]]\nat = \"30s\"\nset = { \"machine.box.cores\" = 8 }";
    let text = two(&["0s", "0s"], "cores = 4", ON_IT, ON_IT, set);
    let all = summary(&text);
    let used = all.figure("machines.box.utilisation").expect("a figure");
    assert!(
        (used - 0.12 / (30.0 * 4.0 + 30.0 * 8.0)).abs() < 1e-12,
        "{used}"
    );
    // What was used before the end of the warm-up is not measured.
    let text = two(&["30s"], "cores = 1", ON_IT, ON_IT, "");
    let text = format!("warm_up = \"30s\"\n{text}");
    let used = summary(&text).machines.0[0].1.utilisation;
    assert!((used - 0.01 / 30.0).abs() < 1e-12, "{used}");
}

#[test]
fn a_machine_with_a_core_for_each_worker_changes_nothing() {
    let text = |machine: &str, on_it: &str| {
        format!(
            r#"
horizon = "60s"
{machine}
traffic = [{{ to = "web", rate = 330 }}, {{ to = "batch", rate = 20 }}]
[client]
timeout = "200ms"
[service.web]
demand = {{ kind = "exponential", mean = "10ms" }}
balancer = {{ policy = "power-of-d" }}
server = [{{ name = "w", count = 2, workers = 2{on_it} }}]
[service.batch]
demand = "40ms"
server = [{{ name = "b", workers = 2, queue = {{ discipline = "processor-sharing" }}{on_it} }}]
"#
        )
    };
    let apart = run(&text("", ""));
    let on_it = ", machine = \"box\"";
    let enough = run(&text("machine.box = { cores = 6 }", on_it));
    assert_eq!(apart.digest(), enough.digest());
    let scarce = run(&text("machine.box = { cores = 5.9 }", on_it));
    assert_ne!(apart.digest(), scarce.digest());
}

/// A server with very many workers on one core, asked `rho` of what that can do. Times in milliseconds.
fn sharing(rho: f64, demand: &str, length_s: u32) -> String {
    format!(
        r#"
horizon = "{length_s}s"
warm_up = "{}s"
record = {{ interval = "10s" }}
machine.box = {{ cores = 1 }}
traffic = [{{ to = "web", rate = {} }}]
[service.web]
demand = {demand}
server = [{{ name = "w", workers = 100000, machine = "box" }}]
"#,
        length_s / 20,
        rho * 1e3
    )
}

/// Deterministic, and a mixture of exponentials that varies three times as much as one.
const DEMANDS: [&str; 2] = [
    "\"1ms\"",
    "{ kind = \"hyperexponential\", mean = \"1ms\", cv = 3 }",
];

fn used(summary: &Summary) -> f64 {
    summary.machines.0[0].1.utilisation
}

/// Kleinrock, Queueing Systems, volume 2, 1976, section 4.4: under processor sharing the mean response
/// time is that of M/M/1, whatever the law of the demand.
#[test]
fn many_workers_on_one_core_are_processor_sharing() {
    for (demand, length_s) in DEMANDS.into_iter().zip([200, 800]) {
        check(
            &sharing(0.6, demand, length_s),
            &[
                exact("response time", response, 1.0 / (1.0 - 0.6)),
                exact("used", used, 0.6),
            ],
        );
    }
}

#[test]
fn other_laws_of_sharing_are_told_apart() {
    let measured = replicate(&sharing(0.6, DEMANDS[0], 200), &[response]).remove(0);
    // First come, first served (M/D/1) would be faster; each worker on a core of its own faster still.
    for wrong in [1.0 + 0.6 / 2.0 / 0.4, 1.0, 0.98 * 2.5, 1.02 * 2.5] {
        assert!(!measured.agrees(wrong, 0.0), "{measured:?} {wrong}");
    }
}

/// Two services on one core are one queue under processor sharing with two classes: each is slowed down
/// by the load of both, in proportion to its own demand (Kleinrock, as before).
#[test]
fn services_on_one_machine_slow_each_other_down() {
    let text = |on_it: &str| {
        format!(
            r#"
horizon = "400s"
warm_up = "20s"
record = {{ interval = "10s" }}
machine.box = {{ cores = 1 }}
traffic = [{{ to = "web", rate = 300 }}, {{ to = "batch", rate = 80 }}]
[service.web]
demand = {{ kind = "exponential", mean = "1ms" }}
server = [{{ name = "w", workers = 10000, machine = "box" }}]
[service.batch]
demand = "5ms"
server = [{{ name = "b", workers = 10000{on_it} }}]
"#
        )
    };
    let of = |name: &'static str| -> Figure {
        match name {
            "web" => |summary| {
                service(summary, "web")
                    .response_time_s
                    .mean
                    .unwrap_or(f64::NAN)
                    * 1e3
            },
            _ => |summary| {
                service(summary, "batch")
                    .response_time_s
                    .mean
                    .unwrap_or(f64::NAN)
                    * 1e3
            },
        }
    };
    let free = 1.0 - 0.3 - 0.4;
    check(
        &text(", machine = \"box\""),
        &[
            exact("web", of("web"), 1.0 / free),
            exact("batch", of("batch"), 5.0 / free),
            exact("used", used, 0.7),
        ],
    );
    // Without the neighbour, and the neighbour without it.
    check(
        &text(""),
        &[
            exact("web", of("web"), 1.0 / (1.0 - 0.3)),
            exact("batch", of("batch"), 5.0),
            exact("used", used, 0.3),
        ],
    );
}

#[test]
fn the_offered_load_is_that_of_the_cores() {
    let text = |cores: u32| {
        format!(
            r#"
horizon = "200s"
machine.box = {{ cores = {cores} }}
traffic = [{{ to = "web", rate = 100, arrivals = "deterministic" }}]
[service.web]
demand = "10ms"
server = [{{ name = "w", count = 2, workers = 4, machine = "box" }}, {{ name = "x", workers = 2 }}]
"#
        )
    };
    for (cores, capacity) in [(2, 4.0), (6, 8.0), (50, 10.0)] {
        let load = summary(&text(cores)).offered_load.expect("a load");
        assert!((load - 1.0 / capacity).abs() < 1e-9, "{cores} {load}");
    }
    let set = "[[timeline]]\nat = \"100s\"\nset = { \"machine.box.cores\" = 6 }";
    let load = summary(&format!("{}{set}", text(2))).offered_load;
    assert!((load.expect("a load") - 1.0 / 6.0).abs() < 1e-9, "{load:?}");
}

#[test]
fn a_server_reports_workers_that_wait_for_a_core_as_busy() {
    let text = two(&["0s"], "cores = 1", ON_IT, ON_IT, "");
    let all = summary(&text);
    let busy = |service: &str, name: &str| server(&all, service, name).utilisation * 60.0 * 4.0;
    assert!((busy("web", "w") - 0.02).abs() < 1e-9);
    assert!((busy("batch", "b") - 0.11).abs() < 1e-9);
}

/// The problem that a text has.
fn problem(text: &str) -> String {
    match scenario::parse(text) {
        Ok(_) => panic!("this is no scenario:\n{text}"),
        Err(problems) => problems.to_string(),
    }
}

#[test]
fn what_is_wrong_with_machines_is_said() {
    let text = |machine: &str, web: &str, more: &str| two(&["0s"], machine, web, ON_IT, more);
    let cases = [
        (
            text("cores = 1", "workers = 1, machine = \"bax\"", ""),
            "no machine is called `bax`",
            "did you mean \"box\"?",
        ),
        (
            text("cores = 1", ON_IT, "[machine.spare]\ncores = 1"),
            "no server runs on the machine `spare`",
            "write machine = \"spare\" at the servers that do",
        ),
        (text("cores = 0", ON_IT, ""), "`cores`", "0.001"),
        (text("cores = -2", ON_IT, ""), "`cores`", "0.001"),
        (text("cores = \"two\"", ON_IT, ""), "`cores`", "number"),
        (text("", ON_IT, ""), "`cores` is missing", "scenario.toml:"),
        (
            text(
                "cores = 1",
                ON_IT,
                "[[timeline]]\nat = \"1s\"\ndo = \"crash\"\ntarget = \"machine.bix\"",
            ),
            "no machine is called `bix`",
            "did you mean \"box\"?",
        ),
        (
            text(
                "cores = 1",
                ON_IT,
                "[[timeline]]\nat = \"1s\"\nset = { \"service.web.server.w.machine\" = \"box\" }",
            ),
            "cannot change while time runs",
            "change it before the start",
        ),
        (
            text(
                "cores = 1",
                ON_IT,
                "[[timeline]]\nat = \"1s\"\nset = { \"machine.box.cores\" = 0 }",
            ),
            "`cores`",
            "0.001",
        ),
        (
            text(
                "cores = 1",
                "count = 1001, workers = 1, machine = \"box\"",
                "",
            ),
            "1002 servers run on the machine `box`",
            "at most 1000",
        ),
    ];
    for (text, what, help) in cases {
        let said = problem(&text);
        assert!(said.contains(what) && said.contains(help), "{what}\n{said}");
    }
    let none = text("cores = 1", ON_IT, "").replace("[machine.box]\ncores = 1", "");
    assert!(problem(&none).contains("write [machine.box] with `cores`"));
}

/// Whoever gets no requests takes no cores: drained, or of no weight.
#[test]
fn idle_servers_take_no_cores_from_their_neighbours() {
    let site = |servers: &str, more: &str| {
        format!(
            "horizon = \"5m\"\ntraffic = [{{ to = \"web\", rate = 70 }}]\nmachine.box.cores = 2\n\
             [service.web]\ndemand = {{ kind = \"exponential\", mean = \"20ms\" }}\n\
             balancer.policy = \"weighted-random\"\nserver = [{servers}]\n{more}"
        )
    };
    let server = |name: &str, weight: u32| {
        format!("{{ name = \"{name}\", workers = 8, machine = \"box\", weight = {weight} }}")
    };
    let (a, b) = (server("a", 1), server("b", 1));
    let drained = "[[timeline]]\nat = \"0s\"\ndo = \"drain\"\ntarget = \"service.web.server.b\"\n";
    let alone = summary(&site(&a, ""));
    let because = alone.verdict_because.expect("a verdict");
    assert!(because.contains("0.7"), "{because}");
    for text in [
        site(&format!("{a}, {b}"), drained),
        site(&format!("{a}, {}", server("b", 0)), ""),
    ] {
        assert_eq!(summary(&text).verdict_because.as_ref(), Some(&because));
    }
    let half = site(&format!("{a}, {}", server("b", 0)), "").replace("rate = 70", "rate = 140");
    let (model, warnings) = (model(&half), scenario::parse(&half));
    assert!(warnings.is_ok());
    let peak = sim_core::load::peaks(&model)[0].expect("a peak");
    assert!((peak.capacity_hz - 100.0).abs() < 1e-9, "{peak:?}");
}
