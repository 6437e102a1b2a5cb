//! What the models claim, run for real.
//!
//! Every model opens with what it shows, and its expectations pin that down. Here each is run with
//! its own seed, the incident with twenty, and all expectations must hold.

mod published;
mod studies;

use sim_core::engine::Simulation;
use sim_core::event_log::Kind;
use sim_core::experiment::sweep::Plan;
use sim_core::library::Library;
use sim_core::scenario::Scenario;
use sim_core::summary::Summary;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

/// What the command embeds.
static MODELS: Library = Library::new(include!(concat!(env!("OUT_DIR"), "/models.rs")));

/// Seeds of the incident, and how many of them may tell another event log: rare chances exist, and a
/// model that allowed none would have been fitted to its seeds.
const SEEDS: u64 = 20;
const EXCEPTIONS: usize = 1;

/// Remarks on a scenario that belong to what it shows, by what they begin with.
const REMARKS: &[(&str, &str)] = &[
    (
        "panic-saves",
        "at 2m10s the traffic offers `web` 105 % of what its servers can do",
    ),
    (
        "codel",
        "at 0s the traffic offers `router` 150 % of what its servers can do",
    ),
    (
        "gradient2",
        "at 0s the traffic offers `busy` 125 % of what its servers can do",
    ),
    (
        "prequal",
        "at 0s the traffic offers the server `crowded-10` of `wrr` 103 %",
    ),
    // A rush above the capacity is the subject.
    ("first", "at 12:10 the traffic offers `web` 150 %"),
    // More than the first pods can do is why the autoscaler is there.
    ("too-late", "at 5m30s the traffic offers `shop` 185.7 %"),
    ("queue-too-long", "at 1m the traffic offers `web` 110 %"),
    (
        "queue-too-long-codel",
        "at 1m the traffic offers `web` 110 %",
    ),
    (
        "deadline-not-passed-on",
        "at 1m the traffic offers `db` 110 %",
    ),
    ("deadline-passed-on", "at 1m the traffic offers `db` 110 %"),
    ("shedding-blind", "at 2m the traffic offers `shop` 175 %"),
    ("shedding-by-class", "at 2m the traffic offers `shop` 175 %"),
    ("flapping-breaker", "at 1m the traffic offers `db` 105 %"),
    (
        "flapping-breaker-limit",
        "at 1m the traffic offers `db` 105 %",
    ),
    (
        "probes-that-kill",
        "at 2m10s the traffic offers `web` 105 %",
    ),
    (
        "probes-that-connect",
        "at 2m10s the traffic offers `web` 105 %",
    ),
    ("ejection-cascade", "at 2m5s the traffic offers `web` 105 %"),
    ("ejection-panic", "at 2m5s the traffic offers `web` 105 %"),
    (
        "queue-without-end",
        "at 1m the traffic offers `web` 112.5 %",
    ),
    (
        "queue-with-timeout",
        "at 1m the traffic offers `web` 112.5 %",
    ),
    (
        "workers-without-zone",
        "at 1m the traffic offers `web` 150 %",
    ),
    ("workers-with-zone", "at 1m the traffic offers `web` 150 %"),
    // A server that turns give more than it can do.
    (
        "unequal-servers",
        "at 0s the traffic offers the server `old-4` of `web` 105 %",
    ),
];

/// A run of a model.
struct Ran {
    name: String,
    seed: u64,
    arrived: u64,
    crashes: usize,
    /// What is not as it should be.
    complaints: Vec<String>,
}

/// A model, and a key of it that is set to something else.
type Job<'a> = (&'a str, Option<(&'a str, String)>);

fn run((name, set): &Job<'_>) -> Ran {
    let source = MODELS
        .find(name)
        .unwrap_or_else(|| panic!("no model is called {name}"));
    let sets: Vec<(String, String)> = set
        .iter()
        .map(|(path, value)| ((*path).to_owned(), value.clone()))
        .collect();
    let scenario = Scenario::read(source, &sets, &MODELS)
        .unwrap_or_else(|problems| panic!("{name}: {problems}"));
    let model = Arc::new(
        scenario
            .model()
            .unwrap_or_else(|problems| panic!("{name}: {problems}")),
    );
    let seed = model.seed;
    let mut simulation = Simulation::new(model, 0);
    simulation.run();
    let summary = Summary::of(&simulation, scenario.hash());

    let mut complaints = Vec::new();
    for checked in summary
        .expectations
        .iter()
        .filter(|checked| !checked.passed)
    {
        complaints.push(format!("{} (it was: {})", checked.that, checked.actual));
    }
    // That percentiles are of the answered, and that many still wait, is what an outage is about.
    let of_outages = ["answered-only", "unanswered"];
    for warning in summary
        .warnings
        .iter()
        .filter(|w| !of_outages.contains(&w.code))
    {
        complaints.push(format!("warning {}: {}", warning.code, warning.message));
    }
    let listed = |remark: &str| {
        REMARKS
            .iter()
            .any(|(model, begin)| model == name && remark.starts_with(begin))
            || INCIDENT.contains(name) && remark.starts_with(WRONG_WEIGHT)
    };
    complaints.extend(rows_missing(&simulation));
    complaints.extend(
        scenario
            .warnings()
            .into_iter()
            .filter(|remark| !listed(remark)),
    );
    Ran {
        name: (*name).to_owned(),
        seed,
        arrived: summary.requests.arrived,
        crashes: simulation
            .recorder()
            .event_log()
            .filter(|event| event.kind == Kind::Crash)
            .count(),
        complaints,
    }
}

/// Requests that were counted and are in no row of the time line, or the other way round.
fn rows_missing(simulation: &Simulation) -> Option<String> {
    let recorder = simulation.recorder();
    let (model, history) = (simulation.model(), recorder.history());
    let flows = model.services.len() * model.classes.len() * 2;
    (0..flows).find_map(|flow| {
        let rows = || (0..history.len()).map(|interval| history.flow(interval, flow));
        let total = recorder.flow(flow as u16);
        let arrived = rows().map(|row| u64::from(row.arrived)).sum::<u64>();
        let ended = rows()
            .flat_map(|row| row.outcomes)
            .map(u64::from)
            .sum::<u64>();
        let counted = (total.arrived, total.outcomes.iter().sum::<u64>());
        (counted != (arrived, ended)).then(|| {
            format!(
                "rows of flow {flow} have {:?}, not {counted:?}",
                (arrived, ended)
            )
        })
    })
}

/// The incident and its what-ifs with the wrong weight, which `check` sees before anything is run.
const INCIDENT: &[&str] = &[
    "connection-limits",
    "fix-at-1240",
    "health-checks-off",
    "incident",
    "incident-answered",
    "incident-settings",
    "measure-automatic-alerts",
    "measure-backups",
    "measure-better-monitoring",
    "measure-stress-tests",
    "measures-together",
    "no-retries",
    "standby-balancer",
    "twice-the-servers",
];
const WRONG_WEIGHT: &str = "at 12:23 the traffic offers the server `web-1` of `web` 14";

/// Runs jobs on two threads; the order of the results is that of the jobs.
fn run_all(jobs: &[Job<'_>]) -> Vec<Ran> {
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..2 {
            scope.spawn(|| {
                while let Some((at, job)) = {
                    let at = next.fetch_add(1, Ordering::Relaxed);
                    jobs.get(at).map(|job| (at, job))
                } {
                    let ran = run(job);
                    done.lock().expect("no run panicked").push((at, ran));
                }
            });
        }
    });
    let mut done = done.into_inner().expect("no run panicked");
    done.sort_by_key(|(at, _)| *at);
    done.into_iter().map(|(_, ran)| ran).collect()
}

/// One test, so that never more than two runs fight for the machine.
#[test]
fn models_show_what_they_say() {
    let mut jobs: Vec<Job<'_>> = MODELS
        .names()
        .into_iter()
        .map(|name| (name, None))
        .collect();
    let of_their_own = jobs.len();
    jobs.extend((1..=SEEDS).map(|seed| ("incident", Some(("seed", seed.to_string())))));
    let ran = run_all(&jobs);
    let (own, seeds) = ran.split_at(of_their_own);

    let told = |ran: &Ran| format!("{} with seed {}: {:#?}", ran.name, ran.seed, ran.complaints);
    let wrong: Vec<String> = own
        .iter()
        .filter(|ran| !ran.complaints.is_empty())
        .map(told)
        .collect();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));

    let wrong: Vec<String> = seeds
        .iter()
        .filter(|ran| !ran.complaints.is_empty())
        .map(told)
        .collect();
    assert!(
        wrong.len() <= EXCEPTIONS,
        "{} of {SEEDS} seeds tell another event log:\n{}",
        wrong.len(),
        wrong.join("\n")
    );

    let find = |name: &str| {
        own.iter()
            .find(|ran| ran.name == name)
            .unwrap_or_else(|| panic!("no model {name}"))
    };
    let (incident, right) = (find("incident"), find("right-weights"));
    assert_eq!(
        incident.arrived, right.arrived,
        "a what-if has the same visitors"
    );
    assert_eq!(right.crashes, 0, "with the right weights nothing crashes");
    assert!(incident.crashes > 0);
}

/// The index names every model, and nothing else.
#[test]
fn the_index_is_complete() {
    let index = include_str!("../../../models/README.md");
    let missing: Vec<&str> = MODELS
        .names()
        .into_iter()
        .chain(MODELS.plans())
        .filter(|name| !index.contains(&format!("/{name}.toml)")))
        .collect();
    assert!(
        missing.is_empty(),
        "models/README.md does not tell of {missing:?}"
    );
    let links = index
        .split("](")
        .skip(1)
        .filter_map(|rest| rest.split(')').next())
        .filter(|link| link.contains(".toml"));
    let there = |link: &str| MODELS.find(link).is_some() || MODELS.find_plan(link).is_some();
    let dangling: Vec<&str> = links.filter(|link| !there(link)).collect();
    assert!(
        dangling.is_empty(),
        "models/README.md tells of {dangling:?}, which is not there"
    );
}

/// Every model says what it asks and shows before its first line.
#[test]
fn models_open_with_their_question() {
    for name in MODELS.names() {
        let source = MODELS.find(name).expect("listed");
        let scenario = Scenario::read(source.clone(), &[], &MODELS).expect("valid");
        assert!(
            !scenario.title().is_empty() && !scenario.question().is_empty(),
            "{name} has a title and a question"
        );
        assert!(
            source.text.contains("[[expect]]"),
            "{name} expects something"
        );
        if name != "first" {
            // That one is what `stampede new` copies, and explains itself line by line.
            assert!(
                source.text.starts_with("# Question: "),
                "{name} does not open with its question"
            );
        }
    }
}

/// Every plan can be run, and says what it asks before its first line.
#[test]
fn plans_can_be_run() {
    for name in MODELS.plans() {
        let source = MODELS.find_plan(name).expect("listed");
        assert!(
            source.text.starts_with("# Question: ") && source.text.contains("# Shows: "),
            "{name} does not open with its question"
        );
        let plan = Plan::read(&source, &MODELS).unwrap_or_else(|problems| panic!("{problems}"));
        assert_ne!(plan.title(), plan.name(), "{name} has a title");
        for cell in 0..plan.cells() {
            plan.model(cell)
                .unwrap_or_else(|problems| panic!("{name}, cell {cell}: {problems}"));
        }
    }
}
