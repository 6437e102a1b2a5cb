//! `deadline`: until when an act still helps.

use crate::experiments::json;
use crate::stampede::Folder;

/// A minute in which a server is ten times slower, by the clock.
const SLOW: &str = "clock = \"12:00\"\nhorizon = \"3m\"\n\
    traffic = [{ to = \"web\", rate = 100, arrivals = \"deterministic\" }]\n\
    [service.web]\ndemand = \"50ms\"\nserver = [{ name = \"s\", workers = 10, queue.limit = 10 }]\n\
    [[timeline]]\nat = \"12:01\"\ndo = \"slow\"\ntarget = \"service.web.server.s\"\nfactor = 0.1\nfor = \"1m\"\n";

const HEAL: &str = "heal=service.web.server.s";

#[test]
fn the_last_moment_is_told_with_its_curve() {
    let folder = Folder::with("s.toml", SLOW);
    let command = [
        "deadline",
        "s.toml",
        "--do",
        HEAL,
        "--between",
        "12:01..12:02:30",
        "--moments",
        "4",
    ];
    let ran = folder.run(&command).code(0);
    for wanted in [
        "s: heal s helps until 12:01:30",
        "10 replications · looked for within 1s · 95 % confidence",
        "requests.lost: ",
        "it helps where it saves 50 % of that difference",
        "  12:01 ",
        " 100 %",
        "  12:02:30 ",
        " 0 %",
    ] {
        assert!(ran.out.contains(wanted), "{wanted} in\n{}", ran.out);
    }
    let again = folder.run(&[&command[..], &["--threads", "3"]].concat());
    assert_eq!(ran.out, again.code(0).out);
    let found = json(
        &folder
            .run(&[&command[..], &["--format", "json"]].concat())
            .code(0)
            .out,
    );
    assert_eq!(found["experiment"], "deadline");
    assert_eq!(found["runs"][0]["outcome"], "found");
    assert_eq!(found["moments_s"][3], 150.0);
    folder
        .run(&[&command[..], &["-o", "results"]].concat())
        .code(0);
    let csv = folder.read("results/deadline.csv");
    assert!(csv.starts_with("at_s,mean,low,high,saved\n60.0,"), "{csv}");
    assert!(folder.read("results/deadline.svg").contains("12:01:30"));
}

#[test]
fn what_does_not_help_is_not_told_as_a_moment() {
    let folder = Folder::with("s.toml", SLOW);
    let ran = folder
        .run(&["deadline", "s.toml", "--change", "client.timeout=1h"])
        .code(0);
    let wanted = "client.timeout = 1h saves nothing at any of 13 moments from 12:00 to 12:03";
    assert!(ran.out.contains(wanted), "{}", ran.out);
    let ran = folder.run(&[
        "deadline",
        "s.toml",
        "--do",
        HEAL,
        "--between",
        "12:01..12:01:40",
        "--saves",
        "10%",
    ]);
    let out = ran.code(0).out;
    assert!(out.contains("helps as late as 12:01:40"), "{out}");
}

#[test]
fn what_makes_no_sense_is_refused() {
    let folder = Folder::with("s.toml", SLOW);
    for (args, code, wanted) in [
        (vec![], 2, "--change <PATH=VALUE>"),
        (vec!["--change", "client.nonsense=3"], 3, "nonsense"),
        (vec!["--do", "heal=service.db"], 3, "service.db"),
        (vec!["--do", HEAL, "--between", "12:01"], 2, "two moments"),
        (
            vec!["--do", HEAL, "--between", "12:02..12:01"],
            2,
            "later than the first",
        ),
        (
            vec!["--do", HEAL, "--between", "11:59..12:01"],
            2,
            "from 12:00 to 12:03",
        ),
        (
            vec!["--do", HEAL, "--between", "noon..12:01"],
            2,
            "--between noon..12:01",
        ),
        (
            vec!["--do", HEAL, "--within", "0s"],
            2,
            "longer than nothing",
        ),
        (vec!["--do", HEAL, "--saves", "0%"], 2, "above 0"),
        (vec!["--do", HEAL, "--measure", "failures"], 4, "no figure"),
        (
            vec!["--do", HEAL, "--measure", "offered_hz"],
            2,
            "neither more nor less",
        ),
    ] {
        let ran = folder.run(&[&["deadline", "s.toml"][..], &args].concat());
        let ran = ran.code(code);
        assert!(ran.err.contains(wanted), "{wanted} in\n{}", ran.err);
    }
}
