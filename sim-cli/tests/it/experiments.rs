//! `run --replications` and `compare`, and what they and `stress` have in common.

use crate::stampede::{Folder, stampede};
use serde_json::Value;

/// A queue that is over in no time: four seconds of 500 requests a second, half busy.
pub(crate) const QUEUE: &str = r#"
title = "queue"
horizon = "4s"
warm_up = "200ms"
[[traffic]]
to = "web"
rate = 500
[service.web]
demand = { kind = "exponential", mean = "1ms" }
[[service.web.server]]
name = "web"
count = 2
workers = 1
speed = 0.5
[[expect]]
that = "response_time_s.mean > 1ms"
[[expect]]
that = "response_time_s.mean < 1ms"
"#;

fn folder() -> Folder {
    Folder::with("q.toml", QUEUE)
}

fn select<'a>(figure: &'a str, indifference: &'a str) -> [&'a str; 7] {
    let [select, amount] = ["--select", "--indifference"];
    [
        "compare",
        "q.toml",
        "plain.toml",
        select,
        figure,
        amount,
        indifference,
    ]
}

/// Everything but what depends on the machine.
fn without_host(json: &str) -> &str {
    json.split_once("\n  \"host\": {")
        .map(|(figures, _)| figures)
        .expect("there is a host")
}

pub(crate) fn json(text: &str) -> Value {
    serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}\n{text}"))
}

#[test]
fn replications_give_a_table_of_intervals() {
    let ran = folder()
        .run(&["run", "q.toml", "--replications", "6"])
        .code(6);
    for wanted in [
        "6 replications of 4s",
        "the first 0.2s left out",
        "95 % confidence",
        "response_time_s.mean",
        "±",
        "✓ 6 of 6   response_time_s.mean > 1ms",
        "✗ 0 of 6   response_time_s.mean < 1ms",
        "at least 99.",
        "steady state",
        "none seen: an upper bound by Clopper and Pearson",
    ] {
        assert!(ran.out.contains(wanted), "{wanted} in\n{}", ran.out);
    }
    let csv = folder()
        .run(&[
            "run",
            "q.toml",
            "--replications",
            "6",
            "--measure",
            "p90,availability",
            "--format",
            "csv",
        ])
        .code(6)
        .out;
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines[0],
        "measure,mean,low,high,level,samples,withheld,method,needs_horizon_s"
    );
    assert!(lines[1].starts_with("response_time_s.p90,0.00"), "{csv}");
    assert!(lines[1].ends_with(",0.95,6,,pooled-quantile,"), "{csv}");
    assert!(lines[2].starts_with("availability,1,0.99"), "{csv}");
    assert!(lines[2].ends_with(",none-seen,"), "{csv}");
}

/// The best of three policies in a fleet that is half busy.
const SELECT: &[&str] = &[
    "compare",
    "q.toml",
    "--vary",
    "service.web.balancer.policy=random,round-robin,least-in-flight",
    "--no-expect",
    "--select",
    "mean",
    "--indifference",
    "0.2ms",
    "--replications",
    "10",
];

#[test]
fn the_best_is_selected_with_a_guarantee() {
    let folder = folder();
    let ran = folder.run(SELECT).code(0);
    for wanted in [
        "response_time_s.mean: least-in-flight is selected before 2 others",
        "a variant that is better than all others by 200 us or more is selected with a probability of at least 95 %",
        "procedure KN: 10 replications of the first stage",
        "dropped after 10, behind least-in-flight",
    ] {
        assert!(ran.out.contains(wanted), "{wanted} in\n{}", ran.out);
    }
    let mut args = SELECT.to_vec();
    args.extend(["-o", "out", "-q"]);
    folder.run(&args).code(0);
    assert_eq!(
        folder.list("out"),
        ["experiment.json", "report.html", "selection.csv"]
    );
    let csv = folder.read("out/selection.csv");
    let lines: Vec<&str> = csv.lines().collect();
    assert_eq!(
        lines[0],
        "variant,mean,replications,dropped_after,dropped_by"
    );
    assert!(lines[1].starts_with("least-in-flight,0.00"), "{csv}");
    assert!(lines[1].ends_with(",,"), "{csv}");
    assert!(lines[3].ends_with("10,least-in-flight"), "{csv}");
    let report = json(&folder.read("out/experiment.json"));
    assert_eq!(report["experiment"], "selection");
    assert_eq!(report["best"], "least-in-flight");
    assert_eq!(report["stop"], "selected");
    // A difference that matters less than can be told.
    let mut args = SELECT.to_vec();
    args[8] = "1us";
    args.extend(["--max-replications", "12"]);
    let ran = folder.run(&args).code(6);
    assert!(
        ran.out
            .contains("none is selected: after 12 replications of each"),
        "{}",
        ran.out
    );
}

#[test]
fn results_have_the_same_bytes_for_any_number_of_threads() {
    let folder = folder();
    let commands: [&[&str]; 5] = [
        &[
            "run",
            "q.toml",
            "--precision",
            "10%",
            "--measure",
            "mean,p90",
        ],
        &[
            "compare",
            "q.toml",
            "--vary",
            "service.web.balancer.policy=random,round-robin",
            "--replications",
            "5",
        ],
        SELECT,
        &[
            "stress",
            "q.toml",
            "--until",
            "p90 > 50ms",
            "--replications",
            "5",
            "--tolerance",
            "2%",
        ],
        &[
            "stress",
            "q.toml",
            "--map",
            "--steps",
            "2",
            "--triggers",
            "1s",
            "--replications",
            "2",
            "--watch",
            "2s",
        ],
    ];
    for command in commands {
        let on = |threads: &str| {
            let mut args = command.to_vec();
            args.extend(["--threads", threads, "--format", "json"]);
            folder.run(&args).out
        };
        let one = on("1");
        for threads in ["2", "7"] {
            assert_eq!(
                without_host(&one),
                without_host(&on(threads)),
                "{command:?}"
            );
        }
    }
}

#[test]
fn a_folder_holds_everything() {
    let folder = folder();
    folder
        .run(&["run", "q.toml", "--replications", "7", "-o", "runs"])
        .code(6);
    assert_eq!(
        folder.list("runs"),
        [
            "experiment.json",
            "measures.csv",
            "replications.csv",
            "report.html",
            "scenario.toml"
        ]
    );
    let report = json(&folder.read("runs/experiment.json"));
    assert_eq!(report["experiment"], "replications");
    assert_eq!(report["runs"].as_array().map(Vec::len), Some(7));
    assert!(report["measures"][0]["half_width"].is_number(), "{report}");
    assert!(
        report.get("host").is_none(),
        "files do not depend on the machine"
    );
    folder
        .run(&[
            "compare",
            "q.toml",
            "--vary",
            "service.web.balancer.policy=random,round-robin",
            "--replications",
            "5",
            "-o",
            "pair",
        ])
        .code(0);
    assert_eq!(
        folder.list("pair"),
        [
            "comparison.csv",
            "experiment.json",
            "measures.svg",
            "replications.csv",
            "report.html"
        ]
    );
    assert!(folder.read("pair/measures.svg").contains("round-robin"));
    folder
        .run(&[
            "stress",
            "q.toml",
            "--until",
            "p90 > 50ms",
            "--replications",
            "5",
            "-o",
            "broken",
        ])
        .code(0);
    assert_eq!(
        folder.list("broken"),
        [
            "experiment.json",
            "report.html",
            "scenario.toml",
            "stress.csv",
            "stress.svg"
        ]
    );
    // Several scenarios have a folder each.
    folder.write("r.toml", QUEUE);
    folder
        .run(&[
            "run",
            "q.toml",
            "r.toml",
            "--replications",
            "2",
            "-o",
            "both",
        ])
        .code(6);
    assert_eq!(folder.list("both"), ["q", "r"]);
    // An old result gives way to a new one, and something else is not overwritten.
    folder
        .run(&["run", "q.toml", "--replications", "5", "-o", "broken"])
        .code(6);
    assert!(!folder.list("broken").contains(&"stress.csv".to_owned()));
    folder.write("runs/mine.txt", "precious");
    folder
        .run(&["stress", "q.toml", "--until", "p90 > 50ms", "-o", "runs"])
        .code(5);
}

#[test]
fn one_run_is_cut_into_batches() {
    let ran = folder()
        .run(&[
            "run",
            "q.toml",
            "--replications",
            "1",
            "--measure",
            "mean,p99",
        ])
        .code(6);
    assert!(ran.out.contains("1 run, in batches"), "{}", ran.out);
    assert!(ran.out.contains("a horizon of 24s would do"), "{}", ran.out);
    let longer = folder()
        .run(&[
            "run",
            "q.toml",
            "--replications",
            "1",
            "--measure",
            "mean,first_crash_s",
            "--set",
            "horizon=24s",
        ])
        .code(6);
    assert!(longer.out.contains("±"), "{}", longer.out);
    let method = "response_time_s.mean: Student's t over batches of one run";
    assert!(longer.out.contains(method), "{}", longer.out);
    let classical = longer
        .out
        .split("The same run by the classical procedures")
        .nth(1);
    let classical = classical.expect("below the batch means");
    for wanted in ["Heidelberger–Welch", "MSER-5 leaves out", ", p 0."] {
        assert!(classical.contains(wanted), "{classical}");
    }
    assert!(!classical.contains("first_crash_s"), "{classical}");
}

#[test]
fn what_has_no_steady_state_is_told_so() {
    let folder = folder();
    let overload = "traffic.traffic.rate=1500";
    let ran = folder
        .run(&["run", "q.toml", "--replications", "6", "--set", overload])
        .code(6);
    assert!(
        ran.out
            .contains("no intervals: no steady state: the offered load is 1.50"),
        "{}",
        ran.out
    );
    let ran = folder
        .run(&[
            "run",
            "q.toml",
            "--replications",
            "6",
            "--set",
            overload,
            "--warm-up",
            "auto",
        ])
        .code(6);
    assert!(
        ran.out.contains("the end of the warm-up was not found")
            && ran
                .out
                .contains("no intervals: no steady state: the offered load is 1.50"),
        "{}",
        ran.out
    );
    // Programs are told too, and how long would do.
    let ran = folder
        .run(&[
            "run",
            "q.toml",
            "--replications",
            "6",
            "--warm-up",
            "auto",
            "--format",
            "json",
            "--set",
            "traffic.traffic.rate=990",
        ])
        .code(6);
    let told = json(&ran.out);
    assert_eq!(told["warm_up"]["method"], "too-short");
    assert!(
        told["warm_up"]["needs_horizon_s"]
            .as_f64()
            .is_some_and(|s| s > 2.0)
    );
    assert_eq!(told["measures"][0]["withheld"], "warm-up-not-found");
    assert!(
        told["measures"][0]["needs_horizon_s"]
            .as_f64()
            .is_some_and(|s| s > 2.0)
    );
    // Where something happens, nothing is looked for.
    let ran = stampede(&[
        "run",
        "first",
        "--replications",
        "2",
        "--warm-up",
        "auto",
        "--measure",
        "availability",
        "--set",
        "horizon=10m",
    ]);
    assert!(
        ran.out.contains("no steady state, for its rate varies"),
        "{}",
        ran.out
    );
}

#[test]
fn variants_are_ranked_with_a_verdict() {
    let folder = folder();
    let ran = folder
        .run(&[
            "compare",
            "q.toml",
            "--vary",
            "service.web.balancer.policy=random,round-robin",
            "--vary",
            "service.web.server.speed=0.5,1",
            "--measure",
            "mean",
            "--replications",
            "7",
            "--pairs",
        ])
        .code(0);
    for wanted in [
        "4 variants",
        "response_time_s.mean: policy=round-robin speed=1 is best",
        "less than policy=random speed=1, the next",
        "rank   variant",
        "policy=round-robin speed=1 − policy=random speed=0.5",
    ] {
        assert!(ran.out.contains(wanted), "{wanted} in\n{}", ran.out);
    }
    // Overlays and files are variants too.
    folder.write(
        "fast.toml",
        "base = \"q.toml\"\n[set]\n\"service.web.server.speed\" = 2\n",
    );
    folder.write("same.toml", "base = \"q.toml\"\ntitle = \"the same\"\n");
    let report = folder
        .run(&[
            "compare",
            "q.toml",
            "fast.toml",
            "same.toml",
            "--measure",
            "mean",
            "--replications",
            "7",
            "--format",
            "json",
        ])
        .code(0);
    let report = json(&report.out);
    let measure = &report["measures"][0];
    assert_eq!(measure["ranking"][0]["variant"], "fast");
    assert_eq!(measure["ranking"][0]["worst_rank"], 1);
    assert_eq!(
        (
            &measure["ranking"][1]["best_rank"],
            &measure["ranking"][1]["worst_rank"]
        ),
        (&2.into(), &3.into()),
        "equal systems cannot be told apart"
    );
    let verdict = measure["verdict"].as_str().expect("a sentence");
    assert!(verdict.contains("fast is best"), "{verdict}");
}

#[test]
#[expect(clippy::too_many_lines, reason = "it is a table of mistakes")]
fn what_a_command_cannot_do_is_refused_with_a_way_out() {
    let folder = folder();
    folder.write(
        "plain.toml",
        QUEUE.split("[[expect]]").next().expect("a part"),
    );
    folder.write("seed.toml", "base = \"q.toml\"\n[set]\nseed = 2\n");
    let cases: [(i32, &str, &[&str]); 30] = [
        (
            2,
            "--replications N",
            &["run", "q.toml", "--measure", "p99"],
        ),
        (2, "--threads", &["run", "q.toml", "--threads", "2"]),
        (
            2,
            "50%",
            &[
                "run",
                "q.toml",
                "--replications",
                "5",
                "--confidence",
                "20%",
            ],
        ),
        (2, "precision", &["run", "q.toml", "--precision", "0%"]),
        (
            2,
            "--replications",
            &["run", "q.toml", "--replications", "0"],
        ),
        (
            2,
            "--precision",
            &[
                "run",
                "q.toml",
                "--replications",
                "5",
                "--max-replications",
                "50",
            ],
        ),
        (
            2,
            "horizon",
            &["run", "q.toml", "--replications", "5", "--warm-up", "4s"],
        ),
        (
            2,
            "time span",
            &["run", "q.toml", "--replications", "5", "--warm-up", "soon"],
        ),
        (
            2,
            "--event-log",
            &["run", "q.toml", "--replications", "5", "--event-log"],
        ),
        (
            4,
            "did you mean \"response_time_s.p9",
            &[
                "run",
                "q.toml",
                "--replications",
                "5",
                "--measure",
                "response_time_s.p98",
            ],
        ),
        (
            2,
            "leaves no numbers",
            &[
                "run",
                "q.toml",
                "--replications",
                "5",
                "--replication",
                "18446744073709551615",
            ],
        ),
        (
            2,
            "a year at most",
            &["stress", "q.toml", "--hysteresis", "--hold", "3000d"],
        ),
        (2, "--vary", &["compare", "q.toml"]),
        (2, "empty", &["compare", "q.toml", "--vary", "seed=1,,2"]),
        (2, "seed", &["compare", "q.toml", "--vary", "seed=1,2"]),
        (2, "--seed N", &["compare", "q.toml", "seed.toml"]),
        (
            3,
            "E014",
            &[
                "compare",
                "q.toml",
                "--vary",
                "service.web.balancer.policy=random,randum",
            ],
        ),
        (
            2,
            "--indifference",
            &["compare", "q.toml", "plain.toml", "--select", "mean"],
        ),
        (
            2,
            "of response_time_s.mean it is a time span above zero",
            &select("mean", "5"),
        ),
        (
            2,
            "of availability it is a share above zero",
            &select("availability", "-1%"),
        ),
        (
            2,
            "neither more nor less is better",
            &select("offered_hz", "5"),
        ),
        (4, "no figure", &select("beauty", "5ms")),
        (
            2,
            "one variant alone",
            &[
                "compare",
                "q.toml",
                "--select",
                "mean",
                "--indifference",
                "1ms",
            ],
        ),
        (
            2,
            "5 or more",
            &[&select("mean", "1ms")[..], &["--replications", "4"]].concat(),
        ),
        (
            2,
            "less than the first stage of 20",
            &[&select("mean", "1ms")[..], &["--max-replications", "15"]].concat(),
        ),
        (
            2,
            "cannot be used with",
            &[&select("mean", "1ms")[..], &["--measure", "p99"]].concat(),
        ),
        (2, "--until", &["stress", "plain.toml"]),
        (3, "E0", &["stress", "q.toml", "--until", "p98 > 2s"]),
        (
            2,
            "--range",
            &["stress", "q.toml", "--path", "service.web.server.speed"],
        ),
        (
            2,
            "--steps",
            &["stress", "q.toml", "--until", "p99 > 2s", "--steps", "3"],
        ),
    ];
    for (code, words, args) in cases {
        let ran = folder.run(args);
        assert_eq!(ran.code, code, "{args:?}\n{}\n{}", ran.out, ran.err);
        assert!(ran.err.contains(words), "{args:?}: {words} in\n{}", ran.err);
    }
}

#[test]
fn theory_stands_beside_the_intervals_of_replications() {
    let args = ["run", "mm1", "--set", "horizon=50s", "--replications", "5"];
    let with = |more: &[&str]| stampede(&[&args[..], more].concat());
    let ran = with(&["--no-expect", "--theory", "--measure", "availability"]).code(0);
    let line = (ran.out.lines())
        .find(|line| line.trim_start().starts_with("wait_s.mean            4 ms"))
        .unwrap_or_else(|| panic!("{}", ran.out));
    assert!(line.contains('±') && line.ends_with("within"), "{line}");
    // Measures that were not asked for are measured for it, and theory outside an interval is told.
    assert!(ran.out.contains("response_time_s.p99"), "{}", ran.out);
    let json = json(
        &with(&["--no-expect", "--theory", "--format", "json"])
            .code(0)
            .out,
    );
    let figure = &json["theory"]["known"]["figures"][0];
    assert_eq!(figure["path"], "response_time_s.mean");
    let (low, high) = (&figure["estimate"]["low"], &figure["estimate"]["high"]);
    let expected = figure["expected"].as_f64().expect("a number");
    assert!(low.as_f64().is_some_and(|low| low < expected), "{figure}");
    assert!(
        high.as_f64().is_some_and(|high| high > expected),
        "{figure}"
    );
    let none = stampede(&[
        "run",
        "retry-storm",
        "--theory",
        "--replications",
        "1",
        "--no-expect",
    ]);
    assert!(none.out.contains("callers give up"), "{}", none.out);
}

#[test]
fn what_a_scenario_expects_of_itself_can_be_left_out() {
    let text = QUEUE.replace("[[expect]]\nthat = \"response_time_s.mean < 1ms\"\n", "")
        + "[[expect]]\nthat = \"whole(goodput) during 1s..2s > 1%\"\n";
    let folder = Folder::with("q.toml", &text);
    let short = ["--set", "horizon=1s"];
    for command in [
        &["run", "q.toml"][..],
        &["run", "q.toml", "--replications", "2"],
    ] {
        let refused = folder.run(&[command, &short].concat()).code(3);
        assert!(refused.err.contains("E032"), "{}", refused.err);
        assert!(
            refused.err.contains("--no-expect leaves that out"),
            "{}",
            refused.err
        );
        let ran = folder
            .run(&[command, &short, &["--no-expect"]].concat())
            .code(0);
        assert!(
            !ran.out.contains("response_time_s.mean > 1ms"),
            "{}",
            ran.out
        );
    }
    folder
        .run(&["check", "q.toml", "--no-expect", "--set", "horizon=1s"])
        .code(0);
    // Nothing else is excused, and nobody is told that it would be.
    let other = folder
        .run(&["run", "q.toml", "--set", "horizon=no"])
        .code(3);
    assert!(!other.err.contains("--no-expect"), "{}", other.err);
    let twice = folder
        .run(&["run", "q.toml", "--no-expect", "--set", "expect=[]"])
        .code(3);
    assert!(twice.err.contains("expect"), "{}", twice.err);
}

/// What `--warm-up auto` says of some arguments.
fn warm_up_of(arguments: &[&str], code: i32) -> Value {
    let common = [
        "--warm-up",
        "auto",
        "--format",
        "json",
        "--replications",
        "5",
    ];
    let ran = folder().run(&[arguments, &common].concat()).code(code);
    json(&ran.out)
}

#[test]
fn a_comparison_leaves_out_the_longest_warm_up_of_its_variants() {
    let alone = |rate: &str| {
        let set = format!("traffic.traffic.rate={rate}");
        let told = warm_up_of(&["run", "q.toml", "--no-expect", "--set", &set], 0);
        told["warm_up"]["length_s"].as_f64().expect("it was found")
    };
    let (idle, busy) = (alone("200"), alone("600"));
    assert!(idle < busy, "{idle} and {busy}");
    let vary = "traffic.traffic.rate=200,600";
    let both = warm_up_of(&["compare", "q.toml", "--no-expect", "--vary", vary], 0);
    assert_eq!(both["warm_up"]["length_s"].as_f64(), Some(busy), "{both}");
    assert_ne!(both["warm_up"]["method"], "given");
    // The idle variant is measured after it too, not after its own.
    let set = format!("warm_up={busy}s");
    let given = folder()
        .run(&[
            "run",
            "q.toml",
            "--no-expect",
            "--set",
            "traffic.traffic.rate=200",
            "--set",
            &set,
            "--format",
            "json",
            "--replications",
            "5",
            "--measure",
            "requests.arrived",
        ])
        .code(0);
    let measure = ["--measure", "requests.arrived"];
    let arguments = [
        &["compare", "q.toml", "--no-expect", "--vary", vary][..],
        &measure,
    ]
    .concat();
    let found = warm_up_of(&arguments, 0);
    let mean = |told: &Value| told["mean"].as_f64().expect("a mean");
    let alone = mean(&json(&given.out)["measures"][0]);
    let ranking = found["measures"][0]["ranking"].as_array().expect("places");
    let idle = |place: &&Value| place["variant"].as_str().is_some_and(|v| v.contains("200"));
    let beside = mean(ranking.iter().find(idle).expect("a variant"));
    assert!((alone - beside).abs() < 1e-9, "{alone} and {beside}");
}

#[test]
fn a_comparison_whose_runs_are_too_short_for_a_warm_up_says_so_and_what_would_do() {
    let vary = "traffic.traffic.rate=200,990";
    let told = warm_up_of(&["compare", "q.toml", "--no-expect", "--vary", vary], 6);
    assert_eq!(told["warm_up"]["method"], "too-short", "{told}");
    let needs = told["warm_up"]["needs_horizon_s"].as_f64();
    assert!(needs.is_some_and(|s| s > 4.0), "{told}");
    assert!(told["warm_up"]["length_s"].is_null());
}

/// What is measured of a system whose policy fails is not of the system: no command that makes many runs tells it.
#[test]
fn a_policy_that_fails_is_all_that_is_told() {
    let policy = "{ kind = \"script\", code = \"fn pick() { if now() > 0.5 { return 9; } return any(); }\" }";
    let text = format!(
        "horizon = \"2s\"\ntraffic = [{{ to = \"web\", rate = 100 }}]\n[service.web]\ndemand = \"1ms\"\n\
         balancer.policy = {policy}\nserver = [{{ name = \"a\", count = 2, workers = 1 }}]\n"
    );
    let folder = Folder::with("s.toml", &text);
    for words in [
        &["run", "s.toml", "--replications", "3"][..],
        &[
            "compare",
            "s.toml",
            "--vary",
            "service.web.demand=1ms,2ms",
            "--replications",
            "3",
        ],
        &[
            "compare",
            "s.toml",
            "--vary",
            "service.web.demand=1ms,2ms",
            "--select",
            "mean",
            "--indifference",
            "1ms",
        ],
        &[
            "stress",
            "s.toml",
            "--until",
            "p99 > 2s",
            "--replications",
            "5",
        ],
        &["doctor", "s.toml"],
        &["remedy", "s.toml"],
        &["deadline", "s.toml", "--change", "traffic.traffic.rate=10"],
        &[
            "rare",
            "s.toml",
            "--reach",
            "service.web.server.a-1.in_flight=9",
        ],
    ] {
        let ran = folder.run(words).code(6);
        for part in [
            "the policy of service.web.balancer failed at ",
            "line 1 of the script: 9 was picked",
        ] {
            assert!(ran.err.contains(part), "{words:?}: {}", ran.err);
        }
        assert_eq!(ran.out, "", "{words:?}");
    }
}
