//! Folders of results.

use crate::stampede::{Folder, SMALL};
use serde_json::Value;

const FILES: [&str; 6] = [
    "balancers.csv",
    "events.csv",
    "scenario.toml",
    "servers.csv",
    "summary.json",
    "timeline.csv",
];

#[test]
fn a_folder_holds_the_whole_run_and_the_same_bytes_each_time() {
    let folder = Folder::with("a.toml", SMALL);
    for out in ["deep/one", "two"] {
        let ran = folder
            .run(&["run", "a.toml", "-o", out, "--set", "seed=3"])
            .code(0);
        assert!(
            ran.out.contains(&format!("written to {out}\n")),
            "{}",
            ran.out
        );
        assert_eq!(folder.list(out), FILES);
    }
    for file in FILES {
        assert_eq!(
            folder.read(&format!("deep/one/{file}")),
            folder.read(&format!("two/{file}")),
            "{file}"
        );
    }
    assert_eq!(folder.list("deep"), ["one"]);
    let summary: Value = serde_json::from_str(&folder.read("two/summary.json")).expect("JSON");
    assert!(
        summary.get("host").is_none(),
        "files hold nothing that differs between machines"
    );
    assert_eq!(
        folder.read("two/timeline.csv"),
        folder
            .run(&["run", "a.toml", "--format", "csv", "--seed", "3"])
            .out
    );
    // What was run can be run again.
    let again = folder
        .run(&["run", "two/scenario.toml", "--format", "json"])
        .code(0)
        .out;
    let again: Value = serde_json::from_str(&again).expect("JSON");
    assert_eq!(
        (&again["digest"], &again["scenario_hash"]),
        (&summary["digest"], &summary["scenario_hash"])
    );
}

#[test]
fn requests_are_logged_when_asked_for() {
    let folder = Folder::with("a.toml", SMALL);
    folder
        .run(&["run", "a.toml", "-o", "out", "--log-requests", "100"])
        .code(0);
    let log = folder.read("out/requests.csv");
    let lines: Vec<&str> = log.lines().collect();
    assert_eq!(
        lines[0],
        "source,number,class,service,arrived_s,ended_s,response_time_s,attempts,server,outcome,wait_s,demand_s"
    );
    assert_eq!(
        lines[2],
        "traffic,100,all,web,1.01,1.02,0.01,1,web-1,succeeded,0,0.01"
    );
    assert_eq!(lines.len(), 1 + 60);
    // The scenario is the same, whatever is logged; a later run without a log leaves no stale one.
    let hash =
        |text: &str| serde_json::from_str::<Value>(text).expect("JSON")["scenario_hash"].clone();
    let logged = hash(&folder.read("out/summary.json"));
    folder.run(&["run", "a.toml", "-o", "out"]).code(0);
    assert_eq!(folder.list("out"), FILES);
    assert_eq!(hash(&folder.read("out/summary.json")), logged);
}

#[test]
fn foreign_files_are_safe() {
    let folder = Folder::with("a.toml", SMALL);
    std::fs::create_dir(folder.path.join("out")).expect("a folder can be made");
    folder.write("out/precious", "mine");
    let ran = folder.run(&["run", "a.toml", "-o", "out"]).code(5);
    assert_eq!(
        ran.err,
        "error: out holds something else than results: precious\nhelp: choose another folder, or write into this one with --force\n"
    );
    assert_eq!(folder.list("out"), ["precious"]);
    folder
        .run(&["run", "a.toml", "-o", "out", "--force"])
        .code(0);
    assert_eq!(folder.read("out/precious"), "mine");
    assert_eq!(folder.list("out").len(), FILES.len() + 1);
}

/// Every command that writes, with an input where its results would stand.
#[test]
fn an_input_is_never_overwritten() {
    let plan = "replications = 1\nmeasures = [\"requests.arrived\"]\naxis = [{ path = \"seed\", values = [1] }]\nscenario = \"scenario.toml\"\n";
    let small = SMALL.replace(
        "arrivals = \"deterministic\"\nrate = 100",
        "arrivals = { kind = \"trace\", file = \"requests.csv\" }",
    );
    let commands: [(&str, &[&str]); 9] = [
        ("scenario.toml", &["run", "d/scenario.toml", "-o", "d"]),
        (
            "scenario.toml",
            &["run", "d/../d/scenario.toml", "-o", "./d/", "--force"],
        ),
        ("scenario.toml", &["run", "link.toml", "-o", "d"]),
        ("scenario.toml", &["run", "over.toml", "-o", "d"]),
        (
            "requests.csv",
            &["run", "d/traced.toml", "-o", "d", "--force"],
        ),
        (
            "scenario.toml",
            &["run", "d/scenario.toml", "--replications", "2", "-o", "d"],
        ),
        (
            "scenario.toml",
            &[
                "compare",
                "d/scenario.toml",
                "--vary",
                "horizon=10s,20s",
                "-o",
                "d",
            ],
        ),
        (
            "scenario.toml",
            &[
                "stress",
                "d/scenario.toml",
                "--until",
                "p99 > 1s",
                "-o",
                "d",
            ],
        ),
        ("plan.toml", &["sweep", "d/plan.toml", "-o", "d", "--force"]),
    ];
    for (input, args) in commands {
        let folder = Folder::with("over.toml", "base = \"d/scenario.toml\"\n");
        std::fs::create_dir(folder.path.join("d")).expect("a folder can be made");
        folder.write("d/scenario.toml", SMALL);
        if args.contains(&"--force") {
            folder.write("d/plan.toml", plan);
            folder.write("d/traced.toml", &small);
            folder.write("d/requests.csv", "1\n2\n");
        }
        #[cfg(unix)]
        std::os::unix::fs::symlink("d/scenario.toml", folder.path.join("link.toml"))
            .expect("a link");
        #[cfg(not(unix))]
        folder.write("link.toml", "base = \"d/scenario.toml\"\n");
        let before = folder.read("d/scenario.toml");
        let names = folder.list("d");
        let ran = folder.run(args).code(2);
        assert!(
            ran.err
                .contains(&format!("d/{input} is read by this command")),
            "{args:?}: {}",
            ran.err
        );
        assert_eq!(folder.list("d"), names, "{args:?}");
        assert_eq!(folder.read("d/scenario.toml"), before, "{args:?}");
    }
}

/// Twelve at once into one folder: whatever is there afterwards comes from one of them.
#[test]
fn results_of_several_processes_do_not_mix() {
    for (round, force) in [false, true].into_iter().enumerate() {
        let folder = Folder::with("a.toml", SMALL);
        if force {
            std::fs::create_dir(folder.path.join("out")).expect("a folder can be made");
            folder.write("out/mine", "mine");
        }
        for _ in 0..5 {
            let children: Vec<_> = (0..12)
                .map(|seed| {
                    let seed = (round * 100 + seed).to_string();
                    let mut args = vec!["run", "a.toml", "-o", "out", "-q", "--seed", &seed];
                    args.extend(force.then_some("--force"));
                    let mut command = folder.command(&args);
                    command.stdin(std::process::Stdio::null());
                    command.stdout(std::process::Stdio::null());
                    command.spawn().expect("the command starts")
                })
                .collect();
            for mut child in children {
                assert!(child.wait().expect("it ends").success());
            }
            let summary: Value =
                serde_json::from_str(&folder.read("out/summary.json")).expect("JSON");
            let ran = folder
                .run(&["run", "out/scenario.toml", "--format", "json"])
                .code(0);
            let again: Value = serde_json::from_str(&ran.out).expect("JSON");
            assert_eq!(summary["seed"], again["seed"]);
            assert_eq!(summary["digest"], again["digest"]);
            let parts = |name: &str| folder.list(name).iter().any(|n| n.starts_with(".stampede"));
            assert!(!parts(".") && !parts("out"));
            assert_eq!(folder.list("out").len(), FILES.len() + usize::from(force));
        }
    }
}

/// What lies there is in use by a process that lives, however old it looks.
#[cfg(unix)]
#[test]
fn only_what_the_dead_left_is_cleaned_up() {
    let folder = Folder::with("a.toml", SMALL);
    let lock = std::fs::File::create(folder.path.join(".stampede-part-1.lock")).expect("a file");
    lock.lock().expect("a lock");
    folder.write(".stampede-part-1.new", "theirs");
    folder.write(".stampede-part-2.lock", "");
    folder.write(".stampede-part-2.new", "nobody's");
    folder.run(&["run", "a.toml", "-o", "out"]).code(0);
    let left = folder.list(".");
    assert_eq!(
        left,
        [
            ".stampede-part-1.lock",
            ".stampede-part-1.new",
            "a.toml",
            "out"
        ]
    );
    drop(lock);
    folder.run(&["run", "a.toml", "-o", "out"]).code(0);
    assert_eq!(folder.list("."), ["a.toml", "out"]);
}

#[test]
fn results_do_not_fit_on_standard_output() {
    let folder = Folder::with("a.toml", SMALL);
    let ran = folder.run(&["run", "a.toml", "-o", "-"]).code(2);
    assert!(
        ran.err.contains("do not fit on standard output"),
        "{}",
        ran.err
    );
    assert_eq!(folder.list("."), ["a.toml"]);
}

#[test]
fn several_scenarios_get_a_folder_each() {
    let folder = Folder::with("a.toml", SMALL);
    let ran = folder
        .run(&["run", "a.toml", "first", "-o", "out", "--format", "json"])
        .code(0);
    assert_eq!(folder.list("out"), ["a", "first"]);
    let documents: Vec<Value> = serde_json::Deserializer::from_str(&ran.out)
        .into_iter()
        .collect::<Result<_, _>>()
        .expect("JSON after JSON");
    assert_eq!(documents.len(), 2);
}

#[test]
fn bases_are_files_beside_the_scenario_or_models() {
    let folder = Folder::with("a.toml", SMALL);
    folder.write("b.toml", "base = \"a.toml\"\nset = { seed = 5 }\n");
    folder.write("c.toml", "base = \"first\"\nset = { horizon = \"10m\" }\n");
    std::fs::create_dir(folder.path.join("below")).expect("a folder can be made");
    folder.write("below/d.toml", "base = \"../b.toml\"\n");
    let title = |name: &str| {
        folder
            .run(&["run", name])
            .code(0)
            .out
            .lines()
            .next()
            .map(str::to_owned)
    };
    assert_eq!(title("b.toml").as_deref(), Some("b   small"));
    assert_eq!(
        title("c.toml").as_deref(),
        Some("c   Two servers and a rush")
    );
    assert_eq!(title("below/d.toml").as_deref(), Some("d   small"));
    folder.write("e.toml", "base = \"nowhere.toml\"\n");
    let ran = folder.run(&["run", "e.toml"]).code(3);
    assert!(ran.err.contains("error[E050]"), "{}", ran.err);
}
