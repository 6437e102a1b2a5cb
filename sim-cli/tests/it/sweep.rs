//! Sweeps: plans, journals, shards, and what happens when they are ended.

use crate::stampede::{Folder, SMALL, stampede};
use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};
use std::time::Duration;

/// A plan of 24 cells that are over in no time, with its scenario in a file beside it.
const PLAN: &str = r#"
title = "small"
scenario = "small.toml"
replications = 5
measures = ["response_time_s.mean", "requests.arrived"]
[set]
"traffic.traffic.arrivals" = "poisson"
[[axis]]
path = "traffic.traffic.rate"
name = "rate"
from = 20
to = 160
count = 8
[[axis]]
path = "service.web.balancer.policy"
name = "policy"
values = ["random", "round-robin", { kind = "power-of-d", d = 2 }]
"#;

/// The same with cells that take some time each.
fn slow() -> String {
    PLAN.replace("[set]", "[set]\nhorizon = \"20m\"")
}

fn folder(plan: &str) -> Folder {
    let folder = Folder::with("small.toml", SMALL);
    folder.write("plan.toml", plan);
    folder
}

#[test]
fn a_plan_taken_for_a_scenario_is_told_so() {
    let ran = folder(PLAN).run(&["run", "./plan.toml"]).code(3);
    let told = "error[E010]: this is the plan of a sweep, not a scenario";
    assert!(ran.err.starts_with(told), "{ran:?}");
    assert!(ran.err.contains("`stampede sweep` runs plans"), "{ran:?}");
    assert!(ran.err.contains("error: 1 problem in"), "{ran:?}");
    let ran = stampede(&["run", "queue-growth"]).code(2);
    assert!(ran.err.contains("stampede sweep queue-growth"), "{ran:?}");
}

fn start(folder: &Folder, args: &[&str]) -> Child {
    folder
        .command(args)
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts")
}

/// Lines of a journal that are whole, or none where there is no journal.
fn lines(folder: &Folder, journal: &str) -> Vec<String> {
    let bytes = fs::read(folder.path.join(journal)).unwrap_or_default();
    let text = String::from_utf8_lossy(&bytes);
    text.split_inclusive('\n')
        .filter(|line| line.ends_with('\n'))
        .map(str::to_owned)
        .collect()
}

/// Waits until a journal has so many lines; whether it got there before the process ended.
fn wait_for(folder: &Folder, journal: &str, count: usize, child: &mut Child) -> bool {
    let mut looks = 0;
    while lines(folder, journal).len() < count {
        looks += 1;
        assert!(looks < 30_000, "no progress in a minute");
        if child.try_wait().expect("a process").is_some() {
            return false;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    true
}

/// Every result of a folder.
fn results(folder: &Folder, name: &str) -> Vec<(String, String)> {
    let wanted = |file: &String| {
        let ending = Path::new(file).extension();
        ending.is_some_and(|ending| ending == "csv" || ending == "svg")
    };
    let files = folder.list(name).into_iter().filter(wanted);
    files
        .map(|file| (folder.read(&format!("{name}/{file}")), file))
        .map(|(text, file)| (file, text))
        .collect()
}

#[test]
fn bytes_are_the_same_for_any_number_of_threads() {
    let folder = folder(PLAN);
    for threads in ["1", "2", "7"] {
        folder
            .run(&["sweep", "plan.toml", "-o", threads, "-j", threads])
            .code(0);
    }
    let one = results(&folder, "1");
    let names: Vec<&str> = one.iter().map(|(name, _)| name.as_str()).collect();
    assert_eq!(
        names,
        [
            "cells.csv",
            "requests.arrived.heat-map.svg",
            "requests.arrived.lines.svg",
            "response_time_s.mean.heat-map.svg",
            "response_time_s.mean.lines.svg"
        ]
    );
    assert_eq!(results(&folder, "2"), one);
    assert_eq!(results(&folder, "7"), one);
    assert_eq!(one[0].1.lines().count(), 25);
    assert!(one[0].1.starts_with(
        "cell,rate,policy,replications,failed,response_time_s.mean,response_time_s.mean.low,response_time_s.mean.high,"
    ));
    // The table on the screen is the same.
    let screen = folder
        .run(&["sweep", "plan.toml", "--format", "csv"])
        .code(0);
    assert_eq!(screen.out, one[0].1);
}

#[test]
fn killed_and_continued_it_is_as_if_it_had_not_been() {
    let folder = folder(&slow());
    folder
        .run(&["sweep", "plan.toml", "-o", "whole", "-j", "2"])
        .code(0);
    let mut kills = 0;
    for count in [4, 9, 15] {
        let mut child = start(&folder, &["sweep", "plan.toml", "-o", "out", "-j", "2"]);
        if wait_for(&folder, "out/cells.journal", count, &mut child) {
            kills += 1;
        }
        // SIGKILL where there are signals: nothing can be tidied up.
        child.kill().expect("it can be killed");
        child.wait().expect("it ends");
    }
    assert!(kills > 0, "a sweep is too short to be killed in");
    assert!(!folder.list("out").contains(&"cells.csv".to_owned()));
    // As if the machine had stopped in the middle of a write.
    let journal = folder.path.join("out/cells.journal");
    let mut torn = fs::read(&journal).expect("a journal");
    torn.extend_from_slice(b"0badc0de {\"cell\":23,\"id");
    fs::write(&journal, torn).expect("it can be written");
    let there = lines(&folder, "out/cells.journal").len() - 1;
    let ran = folder
        .run(&["sweep", "plan.toml", "-o", "out", "-j", "7"])
        .code(0);
    assert!(
        ran.err
            .contains(&format!("{there} of 24 cells were there already in out")),
        "{}",
        ran.err
    );
    assert_eq!(results(&folder, "out"), results(&folder, "whole"));
    // A cell that was run twice would have two records.
    let records = lines(&folder, "out/cells.journal");
    assert_eq!(records.len(), 25);
    let mut cells: Vec<&str> = records[1..]
        .iter()
        .filter_map(|line| line.split("\"cell\":").nth(1)?.split(',').next())
        .collect();
    cells.sort_unstable();
    cells.dedup();
    assert_eq!(cells.len(), 24);
    // Once complete, nothing is run at all.
    let before = fs::read(&journal).expect("a journal");
    let ran = folder.run(&["sweep", "plan.toml", "-o", "out"]).code(0);
    assert!(
        ran.err.contains("24 of 24 cells were there already"),
        "{}",
        ran.err
    );
    assert_eq!(fs::read(&journal).expect("a journal"), before);
}

#[cfg(unix)]
#[test]
fn interrupted_it_keeps_whole_cells_and_says_so() {
    let folder = folder(&slow());
    let mut child = start(&folder, &["sweep", "plan.toml", "-o", "out", "-j", "1"]);
    assert!(wait_for(&folder, "out/cells.journal", 3, &mut child));
    let sent = std::process::Command::new("kill")
        .args(["-INT", &child.id().to_string()])
        .status()
        .expect("kill starts");
    assert!(sent.success());
    let ran: crate::stampede::Ran = child.wait_with_output().expect("the command ends").into();
    let ran = ran.code(130);
    let kept = lines(&folder, "out/cells.journal").len() - 1;
    assert!((2..24).contains(&kept), "{kept}");
    assert!(
        ran.err
            .contains(&format!("interrupted: {kept} of 24 cells are complete"))
            && ran.err.contains("the same command goes on"),
        "{}",
        ran.err
    );
}

#[test]
fn a_folder_belongs_to_one_plan_and_one_process() {
    let folder = folder(&slow());
    let mut child = start(&folder, &["sweep", "plan.toml", "-o", "out", "-j", "1"]);
    assert!(wait_for(&folder, "out/cells.journal", 2, &mut child));
    let ran = folder.run(&["sweep", "plan.toml", "-o", "out"]).code(5);
    assert!(
        ran.err.contains("another process is writing"),
        "{}",
        ran.err
    );
    child.kill().expect("it can be killed");
    child.wait().expect("it ends");
    folder.write("plan.toml", slow().replace("count = 8", "count = 9"));
    let ran = folder.run(&["sweep", "plan.toml", "-o", "out"]).code(5);
    assert!(ran.err.contains("out holds another plan"), "{}", ran.err);
    // The scenario is part of it; names are not.
    folder.write("plan.toml", slow());
    folder.write("small.toml", SMALL.replace("10ms", "11ms"));
    folder.run(&["sweep", "plan.toml", "-o", "out"]).code(5);
}

#[test]
fn shards_make_the_same_bytes() {
    let folder = folder(PLAN);
    folder.run(&["sweep", "plan.toml", "-o", "whole"]).code(0);
    for shard in ["0/3", "1/3"] {
        let ran = folder
            .run(&["sweep", "plan.toml", "--shard", shard, "-o", "parts"])
            .code(0);
        assert!(
            ran.out.is_empty() && ran.err.contains("8 cells in"),
            "{ran:?}"
        );
    }
    let ran = folder.run(&["sweep", "merge", "parts"]).code(5);
    assert!(
        ran.err.contains("8 cells are missing: 2, 5, 8"),
        "{}",
        ran.err
    );
    // The third travels: the plan through standard input, the rows through standard output.
    let bundle = folder.run(&["sweep", "plan.toml", "--bundle"]).code(0).out;
    let elsewhere = Folder::new();
    let ran = elsewhere
        .run_with_input(
            &["sweep", "-", "--shard", "2/3", "--out", "-"],
            bundle.as_bytes(),
        )
        .code(0);
    folder.write("parts/third.journal", &ran.out);
    folder.run(&["sweep", "merge", "parts"]).code(0);
    assert_eq!(results(&folder, "parts"), results(&folder, "whole"));
    // The same rows once more, in another division.
    folder
        .run(&["sweep", "plan.toml", "--shard", "5/6", "-o", "parts", "-q"])
        .code(0);
    let ran = folder.run(&["sweep", "merge", "parts"]).code(5);
    assert!(
        ran.err
            .contains("cell 5 is both in shard-5-of-6.journal and in third.journal"),
        "{}",
        ran.err
    );
    fs::remove_file(folder.path.join("parts/shard-5-of-6.journal")).expect("a file");
    // A row of another plan.
    let ran = elsewhere
        .run_with_input(
            &["sweep", "-", "--shard", "2/3", "--out", "-"],
            bundle
                .replace("replications = 5", "replications = 6")
                .as_bytes(),
        )
        .code(0);
    folder.write("parts/third.journal", &ran.out);
    let ran = folder.run(&["sweep", "merge", "parts"]).code(5);
    assert!(
        ran.err
            .contains("third.journal does not fit the plan: it belongs to another plan"),
        "{}",
        ran.err
    );
    folder.run(&["sweep", "merge", "nowhere"]).code(5);
    folder.write("parts/third.journal", "");
    folder.run(&["sweep", "merge", "parts"]).code(5);
}

#[test]
fn failed_cells_are_told_and_stop_nothing() {
    let folder = folder(&format!(
        "{PLAN}\n[[axis]]\npath = \"warm_up\"\nvalues = [\"0s\", \"90s\"]\n"
    ));
    let ran = folder.run(&["sweep", "plan.toml", "-o", "out"]).code(6);
    assert!(ran.out.contains("24 cells failed"), "{}", ran.out);
    assert!(
        ran.out
            .contains("cell 1: error[E017]: a warm-up of 1m30s leaves nothing"),
        "{}",
        ran.out
    );
    assert_eq!(folder.read("out/cells.csv").lines().count(), 49);
    // What failed is not tried again: it would fail again.
    let ran = folder.run(&["sweep", "plan.toml", "-o", "out"]).code(6);
    assert!(
        ran.err.contains("48 of 48 cells were there already"),
        "{}",
        ran.err
    );
}

#[test]
fn arguments_make_a_plan_too() {
    let folder = folder(PLAN);
    let args = [
        "sweep",
        "--scenario",
        "small.toml",
        "--vary",
        "traffic.traffic.rate=20..160/8",
        "--vary",
        "service.web.balancer.policy=random,round-robin,{ kind = \"power-of-d\", d = 2 }",
        "--measure",
        "mean",
        "--measure",
        "requests.arrived",
        "--replications",
        "5",
        "--set",
        "traffic.traffic.arrivals=poisson",
        "--format",
        "csv",
    ];
    let by_arguments = folder.run(&args).code(0).out;
    let by_plan = folder
        .run(&["sweep", "plan.toml", "--format", "csv"])
        .code(0)
        .out;
    let rows = |text: &str| text.lines().skip(1).map(str::to_owned).collect::<Vec<_>>();
    assert_eq!(rows(&by_arguments), rows(&by_plan));
    let ran = folder.run(&["sweep", "plan.toml", "--dry-run"]).code(0);
    assert!(
        ran.out.contains("24 cells of 5 replications"),
        "{}",
        ran.out
    );
}

#[test]
fn a_design_tells_what_matters() {
    let folder = folder(PLAN);
    let args = [
        "sweep",
        "--scenario",
        "small.toml",
        "--vary",
        "traffic.traffic.rate=20..160",
        "--vary",
        "client.timeout=1s..9s log",
        "--measure",
        "requests.arrived,requests.failed",
        "--replications",
        "2",
        "--sobol",
        "16",
        "-o",
        "out",
    ];
    let ran = folder.run(&args).code(0);
    for wanted in [
        "64 cells of 2 replications",
        "requests.arrived       by itself",
        "of 16 base points, with 95 % intervals",
        "no Sobol indices of requests.failed: it is the same in all cells",
    ] {
        assert!(ran.out.contains(wanted), "{wanted} in\n{}", ran.out);
    }
    let csv = folder.read("out/sensitivity.csv");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(lines.len(), 5, "{csv}");
    // Whoever comes does not depend on how long callers wait.
    let timeout = "requests.arrived,client.timeout,";
    assert!(
        lines[2].starts_with(timeout) && lines[2].ends_with(",16"),
        "{csv}"
    );
    let again = folder.run(&args).code(0);
    assert!(again.err.contains("64 of 64 cells were there already"));
    assert_eq!(folder.read("out/sensitivity.csv"), csv);
}

#[test]
fn wrong_arguments_and_plans_are_refused() {
    for args in [
        &["sweep"][..],
        &["sweep", "--scenario", "mm1"],
        &["sweep", "mm1"],
        &["sweep", "plan.toml", "--vary", "seed=1,2"],
        &["sweep", "plan.toml", "--shard", "0/3"],
        &["sweep", "plan.toml", "--shard", "3/3", "-o", "out"],
        &["sweep", "plan.toml", "--shard", "x", "-o", "out"],
        &["sweep", "plan.toml", "-j", "0"],
        &["sweep", "plan.toml", "--sobol", "100"],
        &[
            "sweep",
            "--scenario",
            "mm1",
            "--vary",
            "seed=1,2",
            "--vary",
            "horizon=1s..2s",
            "--sobol",
            "15",
        ],
        &[
            "sweep",
            "--scenario",
            "mm1",
            "--vary",
            "seed=1,2",
            "--vary",
            "horizon=1s..2s/3",
            "--sobol",
            "16",
        ],
        &["sweep", "plan.toml", "--precision", "2%"],
        &[
            "sweep",
            "--scenario",
            "mm1",
            "--vary",
            "seed=1,2",
            "--precision",
            "60%",
        ],
        &[
            "sweep",
            "--scenario",
            "mm1",
            "--vary",
            "seed=1,2",
            "--max-replications",
            "20",
        ],
        &["sweep", "--scenario", "mm1", "--vary", "seed=1..2"],
        &["sweep", "--scenario", "-", "--vary", "seed=1,2"],
    ] {
        stampede(args).code(2);
    }
    stampede(&["sweep", "nosuchplan"]).code(4);
    stampede(&["sweep", "no/such.toml"]).code(5);
    let folder =
        folder("scenario = \"small.toml\"\n[[axis]]\npath = \"servce.web.demand\"\nvalues = [1]\n");
    let ran = folder.run(&["sweep", "plan.toml", "-o", "out"]).code(3);
    assert!(
        ran.err.contains("plan.toml:3:9") && ran.err.contains("did you mean \"service\"?"),
        "{}",
        ran.err
    );
    assert!(!folder.path.join("out").exists(), "nothing is begun");
}

#[test]
fn foreign_files_are_not_written_over() {
    let folder = folder(PLAN);
    fs::create_dir(folder.path.join("out")).expect("a folder");
    folder.write("out/cells.csv", "mine");
    let ran = folder.run(&["sweep", "plan.toml", "-o", "out"]).code(5);
    assert!(ran.err.contains("cells.csv"), "{}", ran.err);
    assert_eq!(
        fs::read(folder.path.join("out/cells.csv")).expect("it is there"),
        b"mine"
    );
    folder
        .run(&["sweep", "plan.toml", "-o", "out", "--force"])
        .code(0);
    // It has a plan now, and goes on without being forced.
    folder.run(&["sweep", "plan.toml", "-o", "out"]).code(0);
}
