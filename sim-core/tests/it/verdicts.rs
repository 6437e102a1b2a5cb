//! Verdicts: a scenario for each situation, and the page of the book that shows them.
//!
//! Each file in `verdicts/` says in `title` which situation it is, expects a verdict of itself, and in
//! its first line names words that must be in the sentence. The book's page is made from them:
//! `UPDATE_VERDICTS=1 cargo test -p sim-core --test it verdicts` writes it.

use crate::support::{check_books, model};
use sim_core::engine::Simulation;
use sim_core::event_log::Kind;
use sim_core::summary::{Summary, VERDICTS, verdict_rules};
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A situation and what was found.
struct Situation {
    file: String,
    title: String,
    says: Vec<String>,
    summary: Summary,
    /// The site's state at the end, by the event log.
    site: Kind,
}

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/it/verdicts")
}

/// Every situation, in the order of the files' names.
fn situations() -> Vec<Situation> {
    let entries = fs::read_dir(folder()).expect("a readable folder");
    let mut paths: Vec<PathBuf> = entries
        .map(|entry| entry.expect("an entry").path())
        .collect();
    paths.sort();
    paths.iter().map(|path| situation(path)).collect()
}

fn situation(path: &Path) -> Situation {
    let text = fs::read_to_string(path).expect("a text");
    let says = text
        .lines()
        .next()
        .and_then(|line| line.strip_prefix("# says: "));
    let mut simulation = Simulation::new(model(&text), 0);
    simulation.run();
    check_books(&simulation, &text);
    let site = simulation
        .recorder()
        .event_log()
        .rfind(|e| e.kind.site_state().is_some());
    Situation {
        file: path
            .file_name()
            .expect("a file")
            .to_string_lossy()
            .into_owned(),
        title: simulation.model().title.clone(),
        says: says.map_or(Vec::new(), |says| {
            says.split(" | ").map(str::to_owned).collect()
        }),
        site: site.map_or(Kind::Normal, |event| event.kind),
        summary: Summary::of(&simulation, 0),
    }
}

#[test]
fn every_situation_has_its_verdict_and_the_book_shows_it() {
    let all = situations();
    assert!(all.len() >= 20, "{} situations", all.len());
    for s in &all {
        let verdict = s.summary.verdict.unwrap_or("none");
        let because = s.summary.verdict_because.clone().unwrap_or_default();
        let found = format!("{}: {verdict}: {because}", s.file);
        for expectation in &s.summary.expectations {
            assert!(expectation.passed, "{}\n{found}", expectation.that);
        }
        assert!(!s.says.is_empty(), "{}: it names no words", s.file);
        for words in &s.says {
            assert!(because.contains(words), "{words:?} is not in\n{found}");
        }
        assert!(because.contains(|c: char| c.is_ascii_digit()), "{found}");
        // The site and the verdict never say the opposite of each other.
        // Of fewer than ten requests in half a minute the site's state says nothing.
        let few = ["requests answered in time", "no request came"];
        let few = few.iter().any(|words| because.contains(words));
        match s.site {
            Kind::Normal if few => {}
            Kind::Down => assert!(!matches!(verdict, "STABLE" | "DEGRADED"), "{found}"),
            Kind::Degraded => assert_ne!(verdict, "STABLE", "{found}"),
            _ => assert!(
                !matches!(verdict, "DOWN" | "CRASH-LOOPING" | "METASTABLE"),
                "{found}"
            ),
        }
    }
    for (word, _) in VERDICTS {
        let there = all.iter().any(|s| s.summary.verdict == Some(word));
        assert!(there, "no situation is {word}");
    }
    let page = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/src/reference/verdicts.md");
    let text = page_of(&all);
    if std::env::var_os("UPDATE_VERDICTS").is_some() {
        fs::write(&page, text).expect("the page can be written");
    } else {
        let there = fs::read_to_string(&page).expect("the page is there");
        assert_eq!(there, text, "UPDATE_VERDICTS=1 writes the page anew");
    }
}

fn page_of(all: &[Situation]) -> String {
    let mut page = String::from(
        "# Verdicts\n\n\
         <!-- Made by the test `verdicts` of sim-core: UPDATE_VERDICTS=1 cargo test -p sim-core --test it verdicts -->\n\n\
         A run ends with one word and a sentence: in the report beside `at the end`, in `summary.json` as `verdict` and\n\
         `verdict_because`, in the window under the state of the site. The word speaks of the end of the run, the last half minute\n\
         (more where little comes, less where something changed meanwhile). A run with fewer than ten intervals of its time line has\n\
         none. An expectation can ask for it: `verdict == STABLE`, `verdict != METASTABLE`.\n\n\
         | verdict | meaning |\n|---|---|\n",
    );
    for (word, meaning) in VERDICTS {
        let _ = writeln!(page, "| {word} | {meaning} |");
    }
    page.push_str(
        "\n## From evidence to verdict\n\n\
         Rows are tried in this order; the first whose evidence is there is the verdict. Of causes, several of which may stand at\n\
         once, it is the one that costs most requests at the end, by how they end and where, and of equals the first; the others stand\n\
         in its sentence after `besides`. What can be done is taken as it is now:\n\
         servers that are up, in rotation, as fast and warm as they are, less their errors, within limits of connections and what\n\
         balancers can do; where breakdowns leave too little on average, it is that, whatever is broken at the moment.\n\
         First attempts are requests from outside, with the calls that they lead to; for users of a closed source, what they would ask\n\
         if they were answered at once.\n\n\
         | situation | evidence | cause |\n|---|---|---|\n",
    );
    for (situation, evidence, cause) in verdict_rules() {
        let cause = if cause { "yes" } else { "" };
        let _ = writeln!(page, "| {situation} | {evidence} | {cause} |");
    }
    page.push_str(
        "\n## Situations\n\n\
         Each is a scenario in `sim-core/tests/it/verdicts`, run by a test.\n\n\
         | situation | evidence | verdict |\n|---|---|---|\n",
    );
    for s in all {
        let because = s.summary.verdict_because.clone().unwrap_or_default();
        let verdict = s.summary.verdict.unwrap_or("none");
        let _ = writeln!(
            page,
            "| {} (`{}`) | {because} | {verdict} |",
            s.title, s.file
        );
    }
    page
}

#[test]
fn two_futures_of_a_fork_can_have_two_verdicts() {
    let text = fs::read_to_string(folder().join("capacity-taken-away.toml")).expect("a text");
    let mut one = Simulation::new(model(&text), 0);
    one.run_until(crate::support::at(1200.0));
    let mut other = one.clone();
    let action = sim_core::model::Action::Undrain(sim_core::model::Target::Servers(
        one.model().services[0].servers.clone(),
    ));
    other.perform(&action, sim_core::model::Actor::People, "");
    let verdict = |simulation: &mut Simulation| {
        simulation.run();
        Summary::of(simulation, 0).verdict
    };
    assert_eq!(verdict(&mut one), Some("OVERLOADED"));
    assert_eq!(verdict(&mut other), Some("STABLE"));
}

#[test]
fn breakdowns_that_leave_too_little_overload_at_whatever_moment_a_run_ends() {
    let text = fs::read_to_string(folder().join("breakdowns.toml")).expect("a text");
    let patient = text.replace(", client = { timeout = \"2s\" }", "");
    let enough = text.replace("rate = 36", "rate = 10");
    let verdict = |text: &str, replication: u64| {
        let mut simulation = Simulation::new(model(text), replication);
        simulation.run();
        Summary::of(&simulation, 0).verdict
    };
    for replication in 0..12 {
        for text in [&text, &patient] {
            let found = verdict(text, replication);
            assert_eq!(found, Some("OVERLOADED"), "{replication}: {text}");
        }
    }
    assert!((0..12).any(|replication| verdict(&enough, replication) != Some("OVERLOADED")));
}

#[test]
fn a_server_of_weight_zero_is_no_capacity() {
    let text = |weight: u32| {
        format!(
            "horizon = \"5m\"\ntraffic = [{{ to = \"web\", rate = 160 }}]\n[service.web]\n\
             demand = {{ kind = \"exponential\", mean = \"50ms\" }}\nbalancer = {{ policy = \"weighted-round-robin\" }}\n\
             server = [{{ name = \"a\", workers = 8, weight = {weight} }}, {{ name = \"b\", workers = 7 }}]\n"
        )
    };
    let told = |weight: u32| {
        let mut simulation = Simulation::new(model(&text(weight)), 0);
        simulation.run();
        let summary = Summary::of(&simulation, 0);
        let because = summary.verdict_because.clone().unwrap_or_default();
        (
            summary.verdict,
            because,
            summary.offered_load.expect("a load"),
        )
    };
    let (verdict, because, load) = told(0);
    assert_eq!(verdict, Some("OVERLOADED"), "{because}");
    assert!(because.contains("a of 2 of weight 0"), "{because}");
    assert!((1.05..1.25).contains(&load), "{load}");
    let (verdict, because, load) = told(1);
    assert_eq!(verdict, Some("STABLE"), "{because}");
    assert!((0.48..0.58).contains(&load), "{load}");
}

fn judged(text: &str) -> (Option<&'static str>, String) {
    let mut simulation = Simulation::new(model(text), 0);
    simulation.run();
    let summary = Summary::of(&simulation, 0);
    (summary.verdict, summary.verdict_because.unwrap_or_default())
}

#[test]
fn errors_of_what_is_not_needed_hide_no_overload() {
    let text = |errors: f64, rate: u32| {
        format!(
            "horizon = \"3m\"\ntraffic = [{{ to = \"web\", rate = {rate} }}]\nclient = {{ timeout = \"2s\" }}\n\
             [service.web]\ndemand = {{ kind = \"exponential\", mean = \"5ms\" }}\n\
             server = [{{ name = \"w\", count = 2, workers = 4 }}]\ncall = [{{ to = \"ads\", required = false }}]\n\
             [service.ads]\ndemand = {{ kind = \"exponential\", mean = \"30ms\" }}\n\
             server = [{{ name = \"a\", workers = 2, errors = {{ rate = {errors} }} }}]\n"
        )
    };
    for errors in [0.0, 0.5, 1.0] {
        let (verdict, because) = judged(&text(errors, 100));
        assert_eq!(verdict, Some("OVERLOADED"), "{errors}: {because}");
        assert!(
            because.contains("of `ads`, its 1 server does 66.7/s now"),
            "{errors}: {because}"
        );
        let (verdict, because) = judged(&text(errors, 40));
        assert_eq!(verdict, Some("STABLE"), "{errors}: {because}");
    }
}

#[test]
fn as_many_users_as_workers_overload_nobody() {
    let text = |users: u32| {
        format!(
            "horizon = \"2m\"\ntraffic = [{{ to = \"web\", arrivals = {{ kind = \"closed\", users = {users}, think = \"0s\" }} }}]\n\
             [service.web]\ndemand = \"100ms\"\nserver = [{{ name = \"w\", workers = 4 }}]\n"
        )
    };
    let (verdict, because) = judged(&text(4));
    assert_eq!(verdict, Some("STABLE"), "{because}");
    let (verdict, because) = judged(&text(8));
    assert_eq!(verdict, Some("OVERLOADED"), "{because}");
    assert!(because.starts_with("8 users would ask 80/s"), "{because}");
}

#[test]
fn help_that_comes_at_the_very_end_hides_no_overload() {
    let text = |rate: u32| {
        format!(
            "horizon = \"2m\"\ntraffic = [{{ to = \"web\", rate = {rate} }}]\nclient = {{ timeout = \"1s\" }}\n\
             [service.web]\ndemand = {{ kind = \"exponential\", mean = \"20ms\" }}\n\
             server = [{{ name = \"w\", workers = 2, queue = {{ limit = 20 }} }}, {{ name = \"x\", workers = 1, present = false, queue = {{ limit = 20 }} }}]\n\
             [[timeline]]\nat = \"2m\"\ndo = \"add\"\ntarget = \"service.web.server.x\"\n"
        )
    };
    let (verdict, because) = judged(&text(200));
    assert_eq!(verdict, Some("OVERLOADED"), "{because}");
    let (verdict, because) = judged(&text(60));
    assert_eq!(verdict, Some("STABLE"), "{because}");
}

#[test]
fn too_little_to_judge_by_has_no_verdict() {
    let short = "horizon = \"9s\"\ntraffic = [{ to = \"w\", rate = 100 }]\n[service.w]\ndemand = \"1ms\"\n\
                 server = [{ name = \"x\", workers = 1 }]\n[[expect]]\nthat = \"verdict == STABLE\"\n[[expect]]\nthat = \"verdict != DOWN\"\n";
    let mut simulation = Simulation::new(model(short), 0);
    simulation.run();
    let summary = Summary::of(&simulation, 0);
    assert_eq!((summary.verdict, summary.verdict_because), (None, None));
    assert!(
        summary.expectations.iter().all(|e| !e.passed),
        "{:?}",
        summary.expectations
    );
}

/// Everything that the time line counted from the end of the warm-up on.
fn rows_of(simulation: &Simulation) -> (u64, u64, f64) {
    let history = simulation.recorder().history();
    let total = history.total(sim_core::metric::Scope::Site, 0..history.len());
    let seen = total.window();
    (seen.arrived, seen.ended(), seen.span_s)
}

#[test]
fn rows_of_the_time_line_add_up_to_the_summary() {
    // Deterministic arrivals at each tenth: one at the horizon itself. A horizon off the grid, a limit
    // in the middle of an interval, and one at its edge.
    let text = |horizon: &str, limit: &str| {
        format!(
            "horizon = \"{horizon}\"\n{limit}\ntraffic = [{{ to = \"w\", arrivals = \"deterministic\", rate = 10 }}]\n\
             [service.w]\ndemand = \"100ms\"\nserver = [{{ name = \"x\", count = 2, workers = 1 }}]\n"
        )
    };
    for (horizon, limit) in [
        ("30s", ""),
        ("30500ms", ""),
        ("1h", "limits = { events = 1234 }"),
        ("1h", "limits = { events = 1 }"),
        ("10s", "record = { interval = \"3s\" }"),
    ] {
        let simulation = crate::support::run(&text(horizon, limit));
        let summary = Summary::of(&simulation, 0);
        let (arrived, ended, span_s) = rows_of(&simulation);
        let requests = &summary.requests;
        let name = format!("{horizon} {limit}");
        assert_eq!(arrived, requests.arrived, "{name}");
        assert_eq!(ended, requests.succeeded + requests.failed, "{name}");
        assert!(
            (span_s - summary.horizon_s).abs() < 1e-9,
            "{name}: {span_s}"
        );
        let answers = summary.goodput_hz * summary.horizon_s;
        assert!((answers - requests.succeeded as f64).abs() < 1e-6, "{name}");
    }
}

#[test]
fn goodput_after_a_warm_up_is_that_of_the_time_line() {
    // Waits of ten seconds: at the end of the warm-up a hundred are under way, whose answers count.
    let simulation = crate::support::run(
        "horizon = \"40s\"\nwarm_up = \"20s\"\ntraffic = [{ to = \"w\", rate = 10, arrivals = \"deterministic\" }]\n\
         [service.w]\ndemand = \"10s\"\nserver = [{ name = \"x\", workers = 200 }]\n",
    );
    let summary = Summary::of(&simulation, 0);
    assert!(
        (summary.goodput_hz - 10.0).abs() < 0.11,
        "{}",
        summary.goodput_hz
    );
    assert!(
        (summary.throughput_hz - 10.0).abs() < 0.11,
        "{}",
        summary.throughput_hz
    );
}

#[test]
fn a_balancer_is_busy_for_no_more_than_all_the_time_and_without_the_warm_up() {
    let simulation = crate::support::run(
        "horizon = \"60s\"\nwarm_up = \"30s\"\ntraffic = [{ to = \"w\", rate = [[\"0s\", 100], [\"29s\", 100], [\"30s\", 300]] }]\n\
         [service.w]\ndemand = \"1ms\"\nbalancer = { cost = \"5ms\", queue_limit = 1000 }\nserver = [{ name = \"x\", workers = 4 }]\n\
         [[timeline]]\nat = \"45s\"\ndo = \"crash\"\ntarget = \"service.w.balancer\"\n",
    );
    let summary = Summary::of(&simulation, 0);
    let balancer = &summary.services.0[0].1.balancers.0[0].1;
    // All the time until it crashes half way, though a thousand wait for it then.
    assert!(
        (balancer.utilisation - 0.5).abs() < 0.02,
        "{}",
        balancer.utilisation
    );
    assert!(balancer.attempts < 9000, "{}", balancer.attempts);
    assert_eq!(balancer.downtime_s, 15.0);
}
