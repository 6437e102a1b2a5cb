//! Whatever fails or ends the program, results are the old ones or the new ones as a whole, and
//! nothing stays behind for ever.
//!
//! The command's debug build lets a test choose the operation on files that fails or kills it
//! (`sim-cli/src/files.rs`); each test goes through all of them.
#![cfg(debug_assertions)]

use crate::stampede::{Folder, Ran, SMALL};
use std::collections::BTreeMap;
use std::process::Stdio;

/// A scenario whose load can be broken in no time.
const STRESSED: &str = r#"
horizon = "10s"
[[traffic]]
to = "web"
arrivals = "deterministic"
rate = 50
[client]
timeout = "1s"
[service.web]
demand = "10ms"
[[service.web.server]]
name = "web"
workers = 1
"#;

/// A scenario that is put together from several files.
const TRACED: &str = r#"
base = "s.toml"
[set]
traffic.traffic.rate = "none"
traffic.traffic.arrivals = { kind = "trace", file = "log.csv" }
"#;

const PLAN: &str = r#"
replications = 2
measures = ["requests.arrived"]
axis = [{ path = "traffic.traffic.rate", values = [50, 100, 150] }]
[scenario]
horizon = "5s"
traffic = [{ to = "web", rate = 10 }]
service.web = { demand = "5ms", server = [{ name = "a", workers = 1 }] }
"#;

fn faulty(folder: &Folder, args: &[&str], fault: &str) -> Ran {
    let mut command = folder.command(args);
    command.env("STAMPEDE_FAULT", fault).stdin(Stdio::null());
    command.output().expect("the command starts").into()
}

/// Every file of a folder with its bytes; none when there is no such folder.
fn contents(folder: &Folder, name: &str) -> Option<BTreeMap<String, Vec<u8>>> {
    let entries = std::fs::read_dir(folder.path.join(name)).ok()?;
    let mut files = BTreeMap::new();
    for entry in entries {
        let path = entry.expect("readable").path();
        let name = path
            .file_name()
            .expect("a name")
            .to_string_lossy()
            .into_owned();
        if path.is_file() {
            files.insert(name, std::fs::read(&path).expect("readable"));
        }
    }
    Some(files)
}

fn leftovers(folder: &Folder) -> Vec<String> {
    let hidden = |name: &String| name.starts_with(".stampede-part-");
    let mut found: Vec<String> = folder.list(".").into_iter().filter(hidden).collect();
    if folder.path.join("out").is_dir() {
        found.extend(folder.list("out").into_iter().filter(hidden));
    }
    found
}

/// How many operations on files a command performs.
fn operations(folder: &Folder, args: &[&str], how: &str) -> usize {
    let ran = faulty(folder, args, &format!("{how}trace"));
    let lines = ran.err.lines().filter(|line| line.starts_with("fault "));
    lines.count()
}

/// The commands that write a folder of results, with arguments for old and for new ones.
#[expect(clippy::too_many_lines, reason = "it is a table")]
fn commands() -> Vec<(&'static str, Vec<&'static str>, Vec<&'static str>)> {
    let stress = [
        "stress",
        "s.toml",
        "--until",
        "p99 > 1s",
        "--replications",
        "2",
        "--tolerance",
        "20%",
        "-o",
        "out",
    ];
    let hysteresis = [
        "stress",
        "s.toml",
        "--hysteresis",
        "--replications",
        "2",
        "--steps",
        "2",
        "--hold",
        "2s",
        "-o",
        "out",
    ];
    let map = [
        "stress",
        "s.toml",
        "--map",
        "--range",
        "0.4..0.8",
        "--steps",
        "2",
        "--triggers",
        "1s",
        "--watch",
        "2s",
        "--replications",
        "2",
        "-o",
        "out",
    ];
    let with = |args: &[&'static str], more: &[&'static str]| [args, more].concat();
    vec![
        (
            "run",
            vec![
                "run",
                "a.toml",
                "-o",
                "out",
                "--seed",
                "1",
                "--log-requests",
                "100",
            ],
            vec!["run", "a.toml", "-o", "out", "--seed", "2"],
        ),
        (
            "request log",
            vec!["run", "a.toml", "-o", "out", "--seed", "1"],
            vec!["run", "a.toml", "-o", "out", "--log-requests", "1"],
        ),
        (
            "files of others",
            vec!["run", "a.toml", "-o", "out", "--seed", "1"],
            vec!["run", "traced.toml", "-o", "out"],
        ),
        (
            "replications",
            vec![
                "run",
                "a.toml",
                "-o",
                "out",
                "--replications",
                "2",
                "--seed",
                "1",
            ],
            vec![
                "run",
                "a.toml",
                "-o",
                "out",
                "--replications",
                "3",
                "--seed",
                "2",
            ],
        ),
        (
            "compare",
            vec![
                "compare",
                "a.toml",
                "-o",
                "out",
                "--vary",
                "traffic.traffic.rate=50,60",
                "--replications",
                "2",
            ],
            vec![
                "compare",
                "a.toml",
                "-o",
                "out",
                "--vary",
                "traffic.traffic.rate=70,80",
                "--replications",
                "2",
            ],
        ),
        (
            "stress",
            with(&stress, &["--seed", "1"]),
            with(&stress, &["--seed", "2"]),
        ),
        (
            "hysteresis",
            with(&hysteresis, &["--seed", "1"]),
            with(&hysteresis, &["--seed", "2"]),
        ),
        (
            "map",
            with(&map, &["--seed", "1"]),
            with(&map, &["--seed", "2"]),
        ),
    ]
}

/// The other table, where the program is built with it.
const PARQUET: &[&str] = if cfg!(feature = "parquet") {
    &["--parquet"]
} else {
    &[]
};

/// Whether files stand beside results that are none.
const MINE: &str = "mine";

fn begin() -> Folder {
    let folder = Folder::with("a.toml", SMALL);
    folder.write("s.toml", STRESSED);
    folder.write("traced.toml", TRACED);
    let times = (1..=900).map(|n| format!("{}ms\n", n * 10));
    folder.write("log.csv", times.collect::<String>());
    folder
}

/// What a command leaves when nothing is in its way.
fn result(args: &[&str]) -> BTreeMap<String, Vec<u8>> {
    let folder = begin();
    folder.run(args).code(0);
    contents(&folder, "out").expect("results")
}

/// Goes through all operations of the new command with the old results there. `how` stands before the
/// kind of the fault.
fn go_through(how: &str, kinds: &[&str], whole: bool) {
    for (name, before, after) in commands() {
        let (old, new) = (result(&before), result(&after));
        assert_ne!(old, new, "{name}");
        let folder = begin();
        folder.run(&before).code(0);
        let count = operations(&folder, &after, how);
        assert!(count > 15, "{name}: {count}");
        for kind in kinds {
            // What one leaves behind, the next one meets.
            for at in 1..=count {
                let fault = format!("{how}{kind} {at}");
                folder.run(&before).code(0);
                assert_eq!(leftovers(&folder), [""; 0], "{name} {fault}");
                assert_eq!(
                    contents(&folder, "out").as_ref(),
                    Some(&old),
                    "{name} {fault}"
                );
                let ran = faulty(&folder, &after, &fault);
                let there = contents(&folder, "out");
                if whole {
                    assert!(
                        there.as_ref() == Some(&old) || there.as_ref() == Some(&new),
                        "{name} {fault}: neither old nor new: {:?}\n{}",
                        there.map(|files| files.into_keys().collect::<Vec<_>>()),
                        ran.err
                    );
                }
                if ran.code == 0 {
                    assert_eq!(
                        contents(&folder, "out").as_ref(),
                        Some(&new),
                        "{name} {fault}"
                    );
                }
                assert!(
                    [0, 3, 5, -1].contains(&ran.code),
                    "{name} {fault}: {}",
                    ran.err
                );
                assert!(
                    ran.code != 5 || ran.err.contains("error: cannot"),
                    "{}",
                    ran.err
                );
            }
        }
    }
}

/// Two renamings instead of one exchange: between them the name is free, and the next process puts
/// the old results back.
#[test]
fn without_an_exchange_nothing_is_lost_either() {
    go_through("plain ", &["fail"], true);
    let (_, before, after) = commands().swap_remove(0);
    let (old, new) = (result(&before), result(&after));
    let folder = begin();
    folder.run(&before).code(0);
    let mut between = 0;
    for at in 1..=operations(&folder, &after, "plain ") {
        folder.run(&before).code(0);
        for kind in ["kill", "fail-from"] {
            faulty(&folder, &after, &format!("plain {kind} {at}"));
            if !folder.path.join("out").exists() {
                between += 1;
                // Another one that comes by, for a folder of its own.
                folder.run(&["run", "a.toml", "-o", "other"]).code(0);
            }
            let there = contents(&folder, "out");
            assert!(
                there.as_ref() == Some(&old) || there.as_ref() == Some(&new),
                "{kind} {at}"
            );
        }
    }
    assert!(between > 0, "the gap was never met");
    folder.run(&["run", "a.toml", "-o", "other"]).code(0);
    assert_eq!(leftovers(&folder), [""; 0]);
}

/// A folder that cannot be moved, since another file lies in it: one by one, and the next process
/// brings it to an end or takes it back.
#[test]
fn file_by_file_nothing_is_lost_either() {
    let (_, before, after) = commands().swap_remove(0);
    let forced = |args: &[&'static str]| [args, &["--force"]].concat();
    let (old, new) = (result(&before), result(&after));
    let (before, after) = (forced(&before), forced(&after));
    let folder = begin();
    folder.run(&before).code(0);
    folder.write("out/mine", MINE);
    let count = operations(&folder, &after, "");
    let mut half = 0;
    for kind in ["kill", "fail", "fail-from"] {
        for at in 1..=count {
            folder.run(&before).code(0);
            assert_eq!(leftovers(&folder), [""; 0], "{kind} {at}");
            let fault = format!("{kind} {at}");
            let ran = faulty(&folder, &after, &fault);
            let results = |folder: &Folder| {
                let mut files = contents(folder, "out").expect("a folder");
                assert_eq!(
                    files.remove("mine").as_deref(),
                    Some(MINE.as_bytes()),
                    "{fault}"
                );
                files.retain(|name, _| !name.starts_with(".stampede-part-"));
                files
            };
            let there = results(&folder);
            assert!(ran.code != 0 || there == new, "{fault}");
            if there != old && there != new {
                half += 1;
                assert!(
                    !there.contains_key("summary.json"),
                    "{fault}: {:?}",
                    there.keys()
                );
                // Whoever comes by, even if it then refuses.
                folder.run(&["run", "a.toml", "-o", "out"]).code(5);
                let there = results(&folder);
                assert!(there == old || there == new, "{fault}: {:?}", there.keys());
            }
        }
    }
    assert!(half > 0, "no fault came in between");
}

/// A sweep's table and plots follow from its plan: what may be missing is the end of the journal.
#[test]
fn sweeps_lose_nothing_and_leave_nothing() {
    let complete = Folder::with("plan.toml", PLAN);
    let mut args = vec!["sweep", "plan.toml", "-o", "out", "--threads", "1"];
    args.extend(PARQUET);
    complete.run(&args).code(0);
    let whole = contents(&complete, "out").expect("results");
    let tables = whole.keys().filter(|name| name.starts_with("cells."));
    assert_eq!(tables.count(), 2 + PARQUET.len());
    let count = operations(&Folder::with("plan.toml", PLAN), &args, "");
    assert!(count > 30, "{count}");
    for kind in ["kill", "fail", "fail-from"] {
        for at in 1..=count {
            let folder = Folder::with("plan.toml", PLAN);
            let ran = faulty(&folder, &args, &format!("{kind} {at}"));
            assert!(
                [0, 3, 5, -1].contains(&ran.code),
                "{kind} {at}: {}",
                ran.err
            );
            assert!(
                kind != "fail" || ran.code == 0 || ran.err.contains("cannot"),
                "{kind} {at}: {}",
                ran.err
            );
            for (name, bytes) in contents(&folder, "out").unwrap_or_default() {
                if !name.ends_with(".journal") && !name.starts_with(".stampede-part-") {
                    assert_eq!(whole.get(&name), Some(&bytes), "{kind} {at}: {name}");
                }
            }
            folder.run(&args).code(0);
            assert_eq!(
                contents(&folder, "out").as_ref(),
                Some(&whole),
                "{kind} {at}"
            );
            assert_eq!(leftovers(&folder), [""; 0], "{kind} {at}");
        }
    }
}

#[test]
fn results_are_old_or_new_wherever_the_program_is_killed() {
    go_through("", &["kill"], true);
}

#[test]
fn results_are_old_or_new_whatever_fails() {
    go_through("", &["fail", "fail-from"], true);
}

/// Each scenario's folder changes at once; several of them do so one after another.
#[test]
fn several_scenarios_are_each_old_or_new() {
    let args = |seed| ["run", "a.toml", "s.toml", "-o", "out", "-q", "--seed", seed];
    let both = |folder: &Folder| ["out/a", "out/s"].map(|name| contents(folder, name));
    let whole = |seed| {
        let folder = begin();
        folder.run(&args(seed)).code(0);
        both(&folder)
    };
    let (old, new) = (whole("1"), whole("2"));
    let folder = begin();
    folder.run(&args("1")).code(0);
    for kind in ["kill", "fail", "fail-from"] {
        for at in 1..=operations(&folder, &args("2"), "") {
            folder.run(&args("1")).code(0);
            assert_eq!(leftovers(&folder), [""; 0], "{kind} {at}");
            let ran = faulty(&folder, &args("2"), &format!("{kind} {at}"));
            let there = both(&folder);
            for ((there, old), new) in there.iter().zip(&old).zip(&new) {
                assert!(there == old || there == new, "{kind} {at}: {}", ran.err);
            }
            assert!(ran.code != 0 || there == new, "{kind} {at}");
        }
    }
}

#[test]
fn a_new_scenario_is_whole_or_not_there() {
    let args = ["new", "mine"];
    let whole = Folder::new();
    whole.run(&args).code(0);
    let text = whole.read("mine.toml");
    let count = operations(&Folder::new(), &args, "");
    assert!(count > 2, "{count}");
    for kind in ["kill", "fail", "fail-from"] {
        for at in 1..=count {
            let folder = Folder::new();
            let ran = faulty(&folder, &args, &format!("{kind} {at}"));
            let there = folder.path.join("mine.toml").exists();
            assert!(!there || folder.read("mine.toml") == text, "{kind} {at}");
            assert!(ran.code != 0 || there, "{kind} {at}");
            // Whoever comes by next cleans up.
            folder.run(&["new", "other"]).code(0);
            assert_eq!(leftovers(&folder), [""; 0], "{kind} {at}");
        }
    }
}

/// Parts of a sweep, and what puts them together: whoever fails or is killed is run once more, and the
/// table has the same bytes.
#[test]
fn parts_put_together_lose_nothing() {
    let shard = |part| {
        [
            "sweep",
            "plan.toml",
            "-q",
            "--threads",
            "1",
            "--shard",
            part,
            "-o",
            "out",
        ]
    };
    let mut merge = vec!["sweep", "merge", "out", "-q"];
    merge.extend(PARQUET);
    let ready = || {
        let folder = Folder::with("plan.toml", PLAN);
        folder.run(&shard("0/2")).code(0);
        folder.run(&shard("1/2")).code(0);
        folder
    };
    let complete = ready();
    complete.run(&merge).code(0);
    let whole = contents(&complete, "out").expect("results");
    let begun = Folder::with("plan.toml", PLAN);
    begun.run(&shard("0/2")).code(0);
    let last = operations(&begun, &shard("1/2"), "");
    let merging = operations(&ready(), &merge, "");
    assert!(last > 5 && merging > 5, "{last} {merging}");
    for kind in ["kill", "fail", "fail-from"] {
        for at in 1..=last.max(merging) {
            let fault = format!("{kind} {at}");
            let folder = Folder::with("plan.toml", PLAN);
            folder.run(&shard("0/2")).code(0);
            faulty(&folder, &shard("1/2"), &fault);
            folder.run(&shard("1/2")).code(0);
            let ran = faulty(&folder, &merge, &fault);
            assert!([0, 3, 5, -1].contains(&ran.code), "{fault}: {}", ran.err);
            folder.run(&merge).code(0);
            let there = contents(&folder, "out").expect("results");
            let names = || there.keys().chain(whole.keys());
            let differ: Vec<_> = names().filter(|n| there.get(*n) != whole.get(*n)).collect();
            assert!(differ.is_empty(), "{fault}: {differ:?}\n{}", ran.err);
            assert_eq!(leftovers(&folder), [""; 0], "{fault}");
        }
    }
}

/// Twelve at once into one folder, each killed somewhere, nine times over.
#[test]
fn of_a_hundred_killed_nothing_stays() {
    let args = |seed: &str| ["run", "a.toml", "-o", "out", "-q", "--seed", seed].map(str::to_owned);
    let folder = begin();
    // What stays where all twelve are killed too early has a seed of its own as well.
    folder
        .run(&["run", "a.toml", "-o", "out", "--seed", "99"])
        .code(0);
    let count = operations(&folder, &["run", "a.toml", "-o", "out", "--seed", "99"], "");
    for round in 0..9_usize {
        let children: Vec<_> = (0..12_usize)
            .map(|number| {
                let args = args(&number.to_string());
                let args: Vec<&str> = args.iter().map(String::as_str).collect();
                let mut command = folder.command(&args);
                let at = 1 + (round * 12 + number) * 7 % count;
                command.env("STAMPEDE_FAULT", format!("kill {at}"));
                command.stdin(Stdio::null()).stdout(Stdio::null());
                command.stderr(Stdio::null());
                command.spawn().expect("the command starts")
            })
            .collect();
        for mut child in children {
            child.wait().expect("it ends");
        }
        let there = contents(&folder, "out").expect("results are always there");
        let summary = there.get("summary.json").expect("they are whole");
        let summary: serde_json::Value = serde_json::from_slice(summary).expect("JSON");
        let seed = summary["seed"].to_string();
        let fresh = begin();
        fresh
            .run(&["run", "a.toml", "-o", "out", "--seed", &seed])
            .code(0);
        assert_eq!(Some(there), contents(&fresh, "out"), "round {round}");
    }
    folder.run(&["run", "a.toml", "-o", "out"]).code(0);
    assert_eq!(leftovers(&folder), [""; 0]);
    assert_eq!(
        folder.list("."),
        ["a.toml", "log.csv", "out", "s.toml", "traced.toml"]
    );
}
