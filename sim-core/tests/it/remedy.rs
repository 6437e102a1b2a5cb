//! Remedies: what saves is ranked by what it saves, and what does not is not.

use sim_core::engine::Simulation;
use sim_core::experiment::Control;
use sim_core::remedy::{Damage, Hunt, Mismatch, Read, Remedies, Remedy, RemedyPlan, remedy};
use sim_core::scenario::{NoFiles, Problems, Scenario, Source};
use sim_core::summary::Summary;
use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

/// Never set.
static NEVER: AtomicBool = AtomicBool::new(false);

/// Two servers alike, of which one gets nine tenths: half of all requests are refused.
const SKEWED: &str = r#"
horizon = "20s"
[[traffic]]
name = "t"
to   = "web"
rate = 150
client.timeout = "1s"
[service.web]
demand = { kind = "exponential", mean = "20ms" }
[service.web.balancer]
policy = "weighted-round-robin"
[[service.web.server]]
name    = "a"
workers = 2
weight  = 9
queue   = { limit = 10 }
[[service.web.server]]
name    = "b"
workers = 2
queue   = { limit = 10 }
"#;

/// A balancer that could run out of memory and does not.
const SPARE: &str = r#"
memory = { base = "1MiB", per_connection = "1KiB", limit = "100MiB" }
"#;

fn read(text: &str, sets: &[(String, String)]) -> Result<Scenario, Problems> {
    Scenario::read(Source::new("s.toml", text), sets, &NoFiles)
}

fn plan(text: &str, only: &[&str]) -> RemedyPlan {
    let model = read(text, &[]).and_then(|scenario| scenario.model());
    let model = model.unwrap_or_else(|problems| panic!("{problems}"));
    RemedyPlan {
        damage: Damage::parse("lost", &model).expect("a damage"),
        only: only.iter().map(|name| (*name).to_owned()).collect(),
        tries: Vec::new(),
        replications: 6,
        keep: 4,
        worst: 3,
        combine: 3,
        level: 0.95,
    }
}

fn search(text: &str, plan: &RemedyPlan, threads: usize) -> Remedies {
    let cancel = AtomicBool::new(false);
    let threads = NonZeroUsize::new(threads).expect("at least one");
    let control = Control::new(threads, &cancel, &|_| {});
    remedy(&|sets| read(text, sets), plan, &control).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Requests that are lost with sets, replication by replication, measured without the search.
fn lost(text: &str, sets: &[(String, String)], replications: u64) -> f64 {
    let model = read(text, sets).and_then(|scenario| scenario.model());
    let model = Arc::new(model.unwrap_or_else(|problems| panic!("{problems}")));
    let one = |replication| {
        let mut simulation = Simulation::new(Arc::clone(&model), replication);
        simulation.run();
        Summary::of(&simulation, 0).requests.lost as f64
    };
    (0..replications).map(one).sum::<f64>() / replications as f64
}

/// What is wrong with a ranking, by runs of its own.
fn complaints(text: &str, found: &Remedies) -> Vec<String> {
    let as_is = lost(text, &[], found.replications);
    let saves = |remedy: &Remedy| as_is - lost(text, &remedy.sets, found.replications);
    let mut complaints = Vec::new();
    let mut before = f64::INFINITY;
    for remedy in &found.ranked {
        let (told, true_saved) = (remedy.mean().unwrap_or(f64::NAN), saves(remedy));
        if (told - true_saved).abs() > 1e-6 {
            complaints.push(format!("{:?} saves {true_saved}, not {told}", remedy.sets));
        }
        // What differs by a thousandth of the damage is in the order of what it costs.
        if true_saved > before + as_is / 1000.0 {
            complaints.push(format!(
                "{:?} saves more than what stands before it",
                remedy.sets
            ));
        }
        before = true_saved;
    }
    complaints
}

#[test]
fn the_right_weight_comes_first_and_its_figures_are_true() {
    let found = search(
        SKEWED,
        &plan(SKEWED, &["weights", "limits", "queues", "retries"]),
        2,
    );
    let best = &found.ranked[0];
    assert_eq!(
        found.candidates[best.of[0]].row,
        "weights",
        "{}",
        found.verdict()
    );
    assert_eq!(best.arguments(), ["--set service.web.server.a.weight=1"]);
    assert!(
        best.share.is_some_and(|share| share > 0.9),
        "{:?}",
        best.share
    );
    let range = best.saved.range().expect("six replications suffice");
    assert!(range.low > 0.0 && best.saved.p_adjusted.is_some_and(|p| p < 0.05));
    let verdict = found.verdict();
    assert!(
        verdict.starts_with("web: weights by what servers can do saves "),
        "{verdict}"
    );
    let none: [String; 0] = [];
    assert_eq!(complaints(SKEWED, &found), none);
    // A ranking that is turned around, or tells another figure, is found out.
    let mut wrong = found.clone();
    wrong.ranked.reverse();
    assert!(!complaints(SKEWED, &wrong).is_empty());
    let mut wrong = found;
    wrong.ranked.swap_remove(0);
    wrong.ranked[0].saved.difference = best_of(&wrong, 1);
    assert!(!complaints(SKEWED, &wrong).is_empty());
}

/// The difference of another remedy than the one it is told of.
fn best_of(found: &Remedies, other: usize) -> sim_core::statistics::Estimate {
    found.ranked[other].saved.difference
}

#[test]
fn what_makes_it_worse_is_told_with_an_interval() {
    let found = search(
        SKEWED,
        &plan(SKEWED, &["weights", "limits", "queues", "timeouts"]),
        2,
    );
    let worse = found.harmful.first().expect("short queues refuse more");
    assert!(worse.saved.range().is_some_and(|range| range.high < 0.0));
    assert_eq!(found.candidates[worse.of[0]].row, "queues");
    assert!(found.harmful.iter().all(|remedy| remedy.saved.sign() < 0));
}

#[test]
fn a_standby_that_is_never_needed_saves_nothing() {
    let text = SKEWED.replace(
        "policy = \"weighted-round-robin\"",
        &format!("policy = \"weighted-round-robin\"{SPARE}"),
    );
    let found = search(&text, &plan(&text, &["standby"]), 1);
    assert_eq!(found.candidates[0].words, "web: a standby balancer");
    assert_eq!(found.seen[0].saved, Some(0.0));
    assert!(found.verdict().contains("none of "), "{}", found.verdict());
}

#[test]
fn nothing_depends_on_the_number_of_threads() {
    let plan = plan(SKEWED, &["weights", "limits", "policy", "capacity"]);
    let one = search(SKEWED, &plan, 1);
    assert!(
        one.candidates.len() > 16,
        "there are rounds: {}",
        one.candidates.len()
    );
    assert_eq!(one, search(SKEWED, &plan, 4));
}

#[test]
fn halving_finds_the_winner_of_the_whole_grid_in_a_part_of_its_runs() {
    let mut plan = plan(SKEWED, &["weights", "policy"]);
    let values: Vec<u32> = (1..=60).collect();
    plan.tries = (values.iter())
        .map(|limit| {
            (
                "service.web.server.*.max_connections".to_owned(),
                limit.to_string(),
            )
        })
        .collect();
    plan.combine = 0;
    plan.replications = 10;
    let halved = search(SKEWED, &plan, 2);
    plan.keep = halved.candidates.len();
    let grid = search(SKEWED, &plan, 2);
    assert_eq!(grid.runs, grid.grid, "all of them, and nothing else");
    assert_eq!(halved.ranked[0].of, grid.ranked[0].of);
    assert!(
        halved.runs * 100 < grid.runs * 35,
        "{} of {}",
        halved.runs,
        grid.runs
    );
}

#[test]
fn two_at_once_are_told_where_they_save_more() {
    // Both services refuse half, one after the other: each remedy alone saves a part.
    let second = SKEWED
        .split_once("[service.web]")
        .map(|(_, service)| format!("[service.web]{service}").replace("web", "db"))
        .expect("there is a service");
    let text = format!(
        "{SKEWED}\n[[traffic]]\nname = \"u\"\nto = \"db\"\nrate = 150\nclient.timeout = \"1s\"\n{second}"
    );
    let found = search(&text, &plan(&text, &["weights"]), 2);
    let pair = found.pairs.first().expect("a pair");
    assert_eq!(pair.sets.len(), 2, "{:?}", pair.sets);
    assert!(pair.gain.is_some_and(|gain| gain.low > 0.0));
    assert!(pair.mean() > found.ranked[0].mean());
    // One of them leaves nothing: no pair is tried.
    let alone = search(SKEWED, &plan(SKEWED, &["weights", "capacity"]), 2);
    assert!(
        alone
            .pairs
            .iter()
            .all(|pair| pair.gain.is_some_and(|gain| gain.low > 0.0))
    );
}

#[test]
fn what_is_asked_for_by_hand_is_tried_or_refused() {
    let mut plan = plan(SKEWED, &["canary"]);
    plan.tries = vec![("service.web.server.a.weight".to_owned(), "1".to_owned())];
    let found = search(SKEWED, &plan, 1);
    assert_eq!(found.ranked[0].sets, plan.tries);
    plan.tries[0].1 = "heavy".to_owned();
    let cancel = AtomicBool::new(false);
    let control = Control::new(NonZeroUsize::MIN, &cancel, &|_| {});
    let refused = remedy(&|sets| read(SKEWED, sets), &plan, &control);
    assert!(refused.is_err_and(|problems| problems.to_string().contains("weight")));
}

#[test]
fn without_damage_nothing_is_looked_for() {
    let text = SKEWED.replace("rate = 150", "rate = 1");
    let found = search(&text, &plan(&text, &[]), 2);
    assert_eq!(found.runs, 6);
    assert_eq!(
        found.verdict(),
        "there is nothing to save: no request is lost as it is"
    );
}

#[test]
fn stopping_keeps_what_is_complete() {
    // In the middle of the selection, and of the final.
    for (stop_at, in_final) in [(9, false), (60, true)] {
        let (cancel, done) = (AtomicBool::new(false), AtomicU64::new(0));
        let progress = |_: sim_core::experiment::Progress| {
            if done.fetch_add(1, Ordering::Relaxed) + 1 == stop_at {
                cancel.store(true, Ordering::Relaxed);
            }
        };
        let control = Control::new(NonZeroUsize::MIN, &cancel, &progress);
        let plan = plan(SKEWED, &["weights", "limits", "policy"]);
        let found = remedy(&|sets| read(SKEWED, sets), &plan, &control);
        let found = found.unwrap_or_else(|problems| panic!("{problems}"));
        assert!(found.interrupted);
        assert_eq!(found.replications > 0, in_final, "{found:?}");
        assert_eq!(found.ranked.is_empty(), !in_final);
        if in_final {
            assert!(found.replications < plan.replications);
        } else {
            assert!(
                found.verdict().contains("interrupted"),
                "{}",
                found.verdict()
            );
        }
    }
}

/// Ten bad seconds after which retries keep a database busy for ever.
const STORM: &str = r#"
horizon = "3m"
[[traffic]]
to   = "db"
rate = 280
[client]
timeout = "1s"
retry   = { kind = "fixed", attempts = 2 }
[service.db]
demand = { kind = "exponential", mean = "100ms" }
[[service.db.server]]
name    = "db"
workers = 30
[[timeline]]
at     = "1m"
do     = "slow"
target = "service.db.server"
factor = 0.000001
for    = "10s"
"#;

#[test]
fn who_still_waits_at_the_end_is_not_saved() {
    // Without retries they fail within a second, with them within two: counted by failures alone, the cure of the storm
    // would look worse than it.
    let found = search(STORM, &plan(STORM, &["retries"]), 1);
    let worse = found.harmful.iter().flat_map(|remedy| &remedy.sets);
    let cured = ("client.retry".to_owned(), "none".to_owned());
    assert!(
        !worse.clone().any(|set| *set == cured),
        "{:?}",
        found.harmful
    );
}

#[test]
fn a_search_goes_on_where_it_was_stopped() {
    let plan = plan(SKEWED, &["weights", "limits", "policy"]);
    let whole = search(SKEWED, &plan, 2);
    let reader: &Read<'_> = &|sets| read(SKEWED, sets);
    let hunt = || Hunt::new(reader, &plan).unwrap_or_else(|problems| panic!("{problems}"));
    let journal = Mutex::new(hunt().first_line());
    let written = || journal.lock().expect("nobody has failed").clone();
    // Stopped again and again, in the selection and in the final, on one thread and on three.
    let mut made = 0;
    for (stop_at, threads) in [(9, 3), (31, 1), (60, 3), (u64::MAX, 2)] {
        let (cancel, done) = (AtomicBool::new(false), AtomicU64::new(0));
        let progress = |_: sim_core::experiment::Progress| {
            if done.fetch_add(1, Ordering::Relaxed) + 1 >= stop_at {
                cancel.store(true, Ordering::Relaxed);
            }
        };
        let threads = NonZeroUsize::new(threads).expect("at least one");
        let control = Control::new(threads, &cancel, &progress);
        let hunt = hunt();
        // Half a line is one that was never written.
        let torn = written() + "0123";
        let known = hunt.known(torn.as_bytes()).expect("its own journal");
        assert_eq!((known.len(), known.dropped), (made, 1));
        assert_eq!(known.whole, written().len());
        let found = hunt.run(&control, &known, &|line| {
            journal.lock().expect("nobody has failed").push_str(line);
        });
        made = written().lines().count() - 1;
        assert_eq!(found.interrupted, stop_at < u64::MAX);
        if !found.interrupted {
            assert_eq!(found, whole);
        }
    }
    // No run was made twice, and all of them were needed.
    assert_eq!(made as u64, whole.runs);
    let again = hunt();
    let known = again.known(written().as_bytes()).expect("its own journal");
    let control = Control::new(NonZeroUsize::MIN, &NEVER, &|_| {});
    let found = again.run(&control, &known, &|line| panic!("{line} was known"));
    assert_eq!(found, whole);
}

#[test]
fn the_journal_of_another_search_is_refused() {
    let (plan, reader): (_, &Read<'_>) = (plan(SKEWED, &["weights"]), &|sets| read(SKEWED, sets));
    let journal = Hunt::new(reader, &plan).expect("a search").first_line();
    let of = |text: &str, plan: &RemedyPlan, bytes: &[u8]| {
        let reader: &Read<'_> = &|sets| read(text, sets);
        let hunt = Hunt::new(reader, plan).unwrap_or_else(|problems| panic!("{problems}"));
        hunt.known(bytes).map(|known| known.len())
    };
    assert_eq!(of(SKEWED, &plan, journal.as_bytes()), Ok(0));
    assert_eq!(of(SKEWED, &plan, b""), Ok(0));
    let other = SKEWED.replace("rate = 150", "rate = 151");
    assert_eq!(
        of(&other, &plan, journal.as_bytes()),
        Err(Mismatch::OtherSearch)
    );
    let more = RemedyPlan {
        replications: 7,
        ..plan.clone()
    };
    assert_eq!(
        of(SKEWED, &more, journal.as_bytes()),
        Err(Mismatch::OtherSearch)
    );
    assert_eq!(of(SKEWED, &plan, b"groups:\n"), Err(Mismatch::NoJournal));
}
