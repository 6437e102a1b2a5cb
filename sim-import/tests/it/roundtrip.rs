//! Settings beside what their programs were seen to do with them: the files of `proof/settings/`, with what was observed
//! when `.ci/prove settings` last ran.

use crate::world::World;
use serde_json::Value;
use sim_core::engine::Simulation;
use sim_core::outcome::Outcome;
use sim_core::scenario::{NoFiles, Scenario, Source};
use sim_import::settings::{self, Surroundings};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// As many runs say what the shares are, and how far chance moves them; beyond so many deviations lies one in a thousand.
const RUNS: u64 = 20;
const DEVIATIONS: f64 = 3.29;

/// Counts by server, or by end.
type Counts = BTreeMap<String, f64>;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../proof/settings")
}

/// What a file's program was seen to do, and what was set in the scenario.
fn observed() -> Vec<(String, Value)> {
    let text = std::fs::read_to_string(folder().join("seen.json")).expect("what was seen");
    let book: Value = serde_json::from_str(&text).expect("JSON");
    let files = book.as_object().expect("files").clone();
    files.into_iter().collect()
}

fn scenario(name: &str, sets: &Value) -> Scenario {
    let text = std::fs::read_to_string(folder().join(name)).expect("settings");
    let around = Surroundings {
        title: name,
        files: &World(Vec::new()),
        variable: &|_| None,
    };
    let read = settings::import(&[Source::new(name, text)], None, &around);
    let imported = read.unwrap_or_else(|problem| panic!("{problem:?}"));
    let sets: Vec<(String, String)> = (sets.as_array().expect("a list").iter())
        .map(|set| {
            set.as_str()
                .and_then(|set| set.split_once('='))
                .expect("PATH=VALUE")
        })
        .map(|(path, value)| (path.to_owned(), value.to_owned()))
        .collect();
    let source = Source::new("imported.toml", imported.scenario);
    Scenario::read(source, &sets, &NoFiles).unwrap_or_else(|problems| panic!("{problems}"))
}

/// Statuses and outcomes have in common whether there was an answer.
fn well(ends: impl Iterator<Item = (String, f64)>) -> Counts {
    let mut counts = Counts::from([("ok".to_owned(), 0.0), ("failed".to_owned(), 0.0)]);
    for (name, count) in ends {
        let is_well = matches!(name.as_str(), "200" | "succeeded");
        let end = if is_well { "ok" } else { "failed" };
        *counts.entry(end.to_owned()).or_default() += count;
    }
    counts
}

fn counts(seen: &Value) -> Counts {
    let each = seen.as_object().expect("counts").iter();
    each.map(|(key, count)| (key.clone(), count.as_f64().expect("a count")))
        .collect()
}

/// Of each service tries by server and ends by kind, run by run.
fn runs(scenario: &Scenario) -> Vec<BTreeMap<String, (Counts, Counts)>> {
    let model = Arc::new(
        scenario
            .model()
            .unwrap_or_else(|problems| panic!("{problems}")),
    );
    let run = |number| {
        let mut simulation = Simulation::new(model.clone(), number);
        simulation.run();
        let summary = sim_core::summary::Summary::of(&simulation, 0);
        let figures: Value = serde_json::from_str(&summary.to_json()).expect("JSON");
        let of = |service: &sim_core::model::Service| {
            let own = &figures["services"][&service.name];
            let outcomes = Outcome::ALL.map(Outcome::name);
            let count = |name: &str| {
                let count = own["requests"]["outcomes"][name].as_f64();
                (name.to_owned(), count.expect("a count"))
            };
            let ends = well(outcomes.into_iter().map(count));
            let letters = ["a", "b", "c", "d"].into_iter().zip(&service.servers);
            let tries = letters.map(|(letter, id)| {
                let name = &model.servers[sim_core::ids::Id::position(*id)].name;
                let tries = own["servers"][name]["attempts"].as_f64();
                (letter.to_owned(), tries.expect("a count"))
            });
            (service.name.clone(), (tries.collect(), ends))
        };
        model.services.iter().map(of).collect()
    };
    (0..RUNS).map(run).collect()
}

/// Where counts lie outside what chance allows, `dead` servers left out, which nobody can see being tried.
fn outside(seen: &Counts, runs: &[&Counts], dead: &[String]) -> Vec<String> {
    let share = |counts: &Counts, key: &str| {
        let own = counts.iter().filter(|(name, _)| !dead.contains(name));
        let all: f64 = own.map(|(_, count)| count).sum();
        counts.get(key).copied().unwrap_or(0.0) / all.max(1.0)
    };
    let n: f64 = seen.values().sum();
    let mut keys: Vec<&String> = seen.keys().chain(runs[0].keys()).collect();
    keys.sort();
    keys.dedup();
    let keys = keys.into_iter().filter(|key| !dead.contains(key));
    keys.filter_map(|key| {
        let shares: Vec<f64> = runs.iter().map(|run| share(run, key)).collect();
        let count = shares.len() as f64;
        let mean = shares.iter().sum::<f64>() / count;
        let varied = shares.iter().map(|own| (own - mean).powi(2)).sum::<f64>() / (count - 1.0);
        let chance = varied.max(mean * (1.0 - mean) / n) * (1.0 + 1.0 / count);
        let own = share(seen, key);
        let differs = (own - mean).abs() > DEVIATIONS * chance.sqrt() + 1.0 / n;
        differs.then(|| format!("{key}: seen {own:.3}, and here {mean:.3}"))
    })
    .collect()
}

/// Everything that differs, by file and service.
fn differences(change: impl Fn(&str) -> String) -> Vec<String> {
    let mut found = Vec::new();
    for (file, book) in observed() {
        let sets: Vec<String> = (book["set"].as_array().expect("a list").iter())
            .map(|set| change(set.as_str().expect("a text")))
            .collect();
        let scenario = scenario(&file, &serde_json::json!(sets));
        let all = runs(&scenario);
        for (service, seen) in book["seen"].as_object().expect("services") {
            let own: Vec<&(Counts, Counts)> = all.iter().map(|run| &run[service]).collect();
            let tries: Vec<&Counts> = own.iter().map(|(tries, _)| tries).collect();
            let ends: Vec<&Counts> = own.iter().map(|(_, ends)| ends).collect();
            // Whom no request reached in any run of the program, and somebody in these, is dead.
            let is_dead = |name: &&String| {
                let crash = format!("service.{service}.server.");
                let down = sets
                    .iter()
                    .any(|set| set.starts_with("timeline") && set.contains(&crash));
                down && seen["servers"].get(name).is_none()
            };
            let dead: Vec<String> = tries[0].keys().filter(is_dead).cloned().collect();
            let wrong = outside(&counts(&seen["servers"]), &tries, &dead);
            let wrong = wrong.into_iter().chain(outside(
                &well(counts(&seen["ends"]).into_iter()),
                &ends,
                &[],
            ));
            found.extend(wrong.map(|what| format!("{file}, {service}: {what}")));
        }
    }
    found
}

#[test]
fn imported_settings_do_what_their_programs_did() {
    let seen: Vec<String> = observed().into_iter().map(|(file, _)| file).collect();
    assert_eq!(seen, ["envoy.yaml", "haproxy.cfg", "nginx.conf"]);
    let wrong = differences(str::to_owned);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The comparison can fail: with servers as fast as the others, or at twice the load, rows of every file do.
#[test]
fn other_servers_are_told_apart() {
    let wrong = differences(|set| {
        let (path, value) = set.split_once('=').expect("PATH=VALUE");
        let slower = path.rsplit('.').next() == Some("speed");
        let value = if slower { "1.0" } else { value };
        format!("{path}={value}")
    });
    for file in ["envoy.yaml", "haproxy.cfg", "nginx.conf"] {
        for service in ["least", "late"] {
            let start = format!("{file}, {service}");
            assert!(
                wrong.iter().any(|what| what.starts_with(&start)),
                "{start}: {wrong:?}"
            );
        }
    }
}
