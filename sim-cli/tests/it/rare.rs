//! `rare`: the probability of what next to never happens.

use crate::experiments::json;
use crate::stampede::Folder;

/// M/M/1 at a load of one half, which crashes with twelve in the system.
const SMALL: &str = "horizon = \"100ms\"\ntraffic = [{ to = \"web\", rate = 500 }]\n[service.web]\n\
    demand = { kind = \"exponential\", mean = \"1ms\" }\n\
    [[service.web.server]]\nname = \"a\"\nworkers = 1\nqueue = { limit = 100 }\n\
    crash = [{ when = \"in_flight\", above = 11 }]\nrestart = { kind = \"never\" }\n";

const CRASH: [&str; 8] = [
    "rare",
    "s.toml",
    "--crash",
    "service.web.server.a",
    "--runs",
    "100",
    "--replications",
    "10",
];

#[test]
fn the_probability_is_told_with_what_it_cost() {
    let folder = Folder::with("s.toml", SMALL);
    let command = [&CRASH[..], &["--before-empty"]].concat();
    let ran = folder.run(&command).code(0);
    for wanted in [
        "s: service.web.server.a crashes before it is empty again with probability ",
        "splitting: 10 replications of 100 runs from each of ",
        "relative error ",
        "runs one after another would take ",
        "the crash ",
    ] {
        assert!(ran.out.contains(wanted), "{wanted} in\n{}", ran.out);
    }
    let again = folder.run(&[&command[..], &["--threads", "3"]].concat());
    assert_eq!(ran.out, again.code(0).out);
    let found = folder.run(&[&command[..], &["--format", "json"]].concat());
    let found = json(&found.code(0).out);
    assert_eq!(found["experiment"], "rare");
    assert_eq!(found["method"], "fixed-effort-splitting");
    let (low, high) = (&found["probability"]["low"], &found["probability"]["high"]);
    // The gambler's ruin: 1 in 4095.
    let truth = 1.0 / 4095.0;
    let within = low.as_f64() < Some(truth) && high.as_f64() > Some(truth);
    assert!(within, "{found}");
    assert_eq!(found["splits"].as_array().map(Vec::len), Some(10));
    folder
        .run(&[&command[..], &["-o", "results"]].concat())
        .code(0);
    let csv = folder.read("results/rare.csv");
    assert!(csv.starts_with("from,to,runs,got_on,events\n0,"), "{csv}");
    assert!(
        folder
            .read("results/report.html")
            .contains("The way, level by level")
    );
}

#[test]
fn what_has_no_answer_is_refused_with_the_reason() {
    let folder = Folder::with("s.toml", SMALL);
    let rare = |more: &[&str]| folder.run(&[&["rare", "s.toml"], more].concat());
    for (more, code, why) in [
        (&[][..], 2, "--crash"),
        (
            &["--crash", "service.web.server.b"],
            2,
            "there is no machine \"service.web.server.b\"; there are service.web.server.a",
        ),
        (&["--crash", "service.web.balancer"], 2, "no crash rule"),
        (
            &["--reach", "service.web.server.a.memory=5"],
            2,
            "in_flight or queue_len",
        ),
        (
            &["--reach", "service.web.server.a.queue_len=0"],
            2,
            "a whole number from 1 on",
        ),
        (
            &["--reach", "service.web.server.a.queue_len=5", "--runs", "1"],
            2,
            "20..",
        ),
        (
            &[
                "--reach",
                "service.web.server.a.in_flight=50",
                "--runs",
                "20",
            ],
            6,
            "none of 20 from there came further",
        ),
    ] {
        let ran = rare(more).code(code);
        assert!(ran.err.contains(why), "{why} in\n{}", ran.err);
    }
}
