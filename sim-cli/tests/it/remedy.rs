//! `remedy`: what saves, and what makes it worse.

use crate::experiments::json;
use crate::stampede::Folder;

/// Two servers alike, of which one gets nine tenths.
const SKEWED: &str = "horizon = \"20s\"\ntraffic = [{ name = \"t\", to = \"web\", rate = 150, client.timeout = \"1s\" }]\n\
    [service.web]\ndemand = { kind = \"exponential\", mean = \"20ms\" }\nbalancer.policy = \"weighted-round-robin\"\n\
    [[service.web.server]]\nname = \"a\"\nworkers = 2\nweight = 9\nqueue.limit = 10\n\
    [[service.web.server]]\nname = \"b\"\nworkers = 2\nqueue.limit = 10\n\
    [[slo]]\nname = \"fast\"\ngood = \"response_time < 500ms\"\nobjective = 0.9\n";

const COMMAND: [&str; 6] = [
    "remedy",
    "s.toml",
    "--only",
    "weights,queues",
    "--replications",
    "6",
];

#[test]
fn what_saves_is_told_with_what_is_to_be_typed() {
    let folder = Folder::with("s.toml", SKEWED);
    let ran = folder.run(&COMMAND).code(0);
    for wanted in [
        "s: web: weights by what servers can do saves ",
        "lost requests (",
        "6 replications in the final",
        "95 % confidence for all changes together (Holm) · seed 1",
        "what saves",
        "settings",
        "--set service.web.server.a.weight=1",
        "what makes it worse",
        "--set 'service.web.server.*.queue.limit=128'",
    ] {
        assert!(ran.out.contains(wanted), "{wanted} in\n{}", ran.out);
    }
    let typed = |line: &&str| line.trim_start().starts_with("--set");
    for line in ran.out.lines().filter(|line| !typed(line)).skip(1) {
        assert!(line.chars().count() <= 100, "{line}");
    }
    let again = folder.run(&[&COMMAND[..], &["--threads", "3"]].concat());
    assert_eq!(ran.out, again.code(0).out);
    // What is typed does what is told.
    let fixed = folder.run(&["run", "s.toml", "--set", "service.web.server.a.weight=1"]);
    fixed.code(0);
}

#[test]
fn what_is_no_change_of_the_system_is_not_tried() {
    let folder = Folder::with("s.toml", SKEWED);
    for path in ["horizon=10s", "seed=2"] {
        let ran = folder.run(&["remedy", "s.toml", "--try", path]).code(2);
        assert!(ran.err.contains("no change of the system"), "{}", ran.err);
    }
    // Nothing here ever crashes.
    let none = folder.run(&[
        "remedy",
        "s.toml",
        "--only",
        "restart",
        "--replications",
        "2",
    ]);
    let none = none.code(0);
    assert!(
        none.out.contains("there is no change that fits, for "),
        "{}",
        none.out
    );
}

#[test]
fn programs_get_everything_that_was_tried() {
    let folder = Folder::with("s.toml", SKEWED);
    let output = ["--format", "json", "-o", "results"];
    let found = json(&folder.run(&[&COMMAND[..], &output].concat()).code(0).out);
    assert_eq!(found["experiment"], "remedy");
    assert_eq!(found["by"], "requests.lost");
    let best = &found["ranked"][0];
    assert_eq!(best["kinds"][0], "weights");
    assert_eq!(best["effect"], "saves");
    assert_eq!(best["sets"][0], "service.web.server.a.weight = 1");
    assert!(best["low"].as_f64() > Some(0.0), "{best}");
    assert_eq!(best["beside"][0]["by"], "downtime");
    assert_eq!(best["beside"][1]["by"], "slos.fast.attained");
    let tried = found["tried"].as_array().expect("a list");
    assert!(tried.len() > 4, "{tried:?}");
    let csv = folder.read("results/remedies.csv");
    assert!(
        csv.starts_with("stage,rank,kind,change,cost,effect,"),
        "{csv}"
    );
    assert!(csv.contains("\nselection,1,"), "{csv}");
    assert!(folder.read("results/remedies.svg").contains("<svg"));
}

#[test]
fn another_damage_can_be_saved() {
    let folder = Folder::with("s.toml", SKEWED);
    for (by, wanted) in [
        ("slo", "what slos.fast.attained lacks"),
        ("availability", "what availability lacks"),
        ("p99", "response_time_s.p99"),
    ] {
        let ran = folder.run(&[&COMMAND[..], &["--by", by]].concat()).code(0);
        assert!(ran.out.contains(wanted), "{wanted} in\n{}", ran.out);
    }
    let ran = folder.run(&[&COMMAND[..], &["--by", "downtime"]].concat());
    let out = ran.code(0).out;
    assert!(
        out.contains("there is nothing to save: downtime is 0"),
        "{out}"
    );
}

#[test]
fn what_does_not_fit_is_refused() {
    let folder = Folder::with("s.toml", SKEWED);
    let with = |more: &[&str]| folder.run(&[&COMMAND[..], more].concat());
    let ran = with(&["--try", "service.web.server.c.weight=1"]).code(3);
    assert!(ran.err.contains("no server is called `c`"), "{}", ran.err);
    let ran = with(&["--try", "client.timeout=1s,,2s"]).code(2);
    assert!(ran.err.contains("has an empty value"), "{}", ran.err);
    let ran = with(&["--by", "offered_hz"]).code(4);
    assert!(
        ran.err.contains("neither more nor less is a damage"),
        "{}",
        ran.err
    );
    with(&["--only", "luck"]).code(2);
}

#[test]
fn values_by_hand_stand_beside_those_of_rows() {
    let folder = Folder::with("s.toml", SKEWED);
    let ran = folder.run(&[
        "remedy",
        "s.toml",
        "--only",
        "canary",
        "--replications",
        "5",
        "--try",
        "service.web.server.a.weight=1,2",
        "--try",
        "service.web.server.*.max_connections=8",
    ]);
    let out = ran.code(0).out;
    assert!(out.contains("service.web.server.a.weight = 1"), "{out}");
    assert!(out.contains("3 changes tried"), "{out}");
}

#[test]
fn a_search_goes_on_with_its_journal_and_gives_the_same_bytes() {
    let folder = Folder::with("s.toml", SKEWED);
    let with = |more: &[&str]| folder.run(&[&COMMAND[..], more].concat());
    let whole = with(&["-o", "whole"]).code(0).out;
    let resume = ["--resume", "s.journal"];
    assert_eq!(with(&resume).code(0).out, with(&[]).code(0).out);
    // Half of it is lost, with half a line at its end.
    let journal = folder.read("s.journal");
    let runs = journal.lines().count() - 1;
    let half: String = journal.split_inclusive('\n').take(1 + runs / 2).collect();
    folder.write("s.journal", format!("{half}0123"));
    let ran = with(&[&resume[..], &["-o", "whole"]].concat()).code(0);
    assert_eq!(ran.out, whole);
    let there = format!("{} runs were there already in s.journal", runs / 2);
    assert!(ran.err.contains(&there), "{}", ran.err);
    let sorted = |text: &str| {
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        lines
    };
    assert_eq!(sorted(&folder.read("s.journal")), sorted(&journal));
    // Of other arguments, and in the folder that is replaced.
    let other = with(&[&resume[..], &["--keep", "2"]].concat()).code(5);
    assert!(other.err.contains("to other arguments"), "{}", other.err);
    let inside = with(&["--resume", "whole/s.journal", "-o", "whole"]).code(2);
    assert!(
        inside.err.contains("lies in the folder of the results"),
        "{}",
        inside.err
    );
}
