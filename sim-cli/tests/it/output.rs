//! What a run prints.

use crate::stampede::{Folder, SMALL, stampede};
use serde_json::Value;
use sim_core::metric::{METRICS, Scope};
use std::fmt::Write as _;

/// Everything but what depends on the machine.
fn without_host(json: &str) -> &str {
    json.split_once("\n  \"host\": {")
        .map(|(figures, _)| figures)
        .expect("there is a host")
}

#[test]
fn the_same_run_gives_the_same_bytes() {
    let folder = Folder::with("a.toml", SMALL);
    let sets = [
        "service.web.demand=12ms",
        "seed=9",
        "service.web.server.web-1.workers=3",
    ];
    let run = |order: [usize; 3]| {
        let mut args = vec!["run", "a.toml", "--format", "json"];
        args.extend(order.iter().flat_map(|&i| ["--set", sets[i]]));
        folder.run(&args).code(0).out
    };
    let (one, other) = (run([0, 1, 2]), run([2, 0, 1]));
    assert_eq!(without_host(&one), without_host(&other));
    let seeded = folder
        .run(&[
            "run", "a.toml", "--format", "json", "--seed", "9", "--set", sets[0], "--set", sets[2],
        ])
        .code(0)
        .out;
    assert_eq!(without_host(&one), without_host(&seeded));
}

#[test]
fn json_has_the_promised_keys() {
    let json = stampede(&["run", "first", "--format", "json"]).code(0).out;
    let summary: Value = serde_json::from_str(&json).expect("JSON");
    let promised = [
        "/schema_version",
        "/version",
        "/scenario",
        "/scenario_hash",
        "/seed",
        "/replication",
        "/complete",
        "/horizon_s",
        "/measured_from_s",
        "/digest",
        "/requests/arrived",
        "/requests/succeeded",
        "/requests/failed",
        "/requests/in_flight",
        "/requests/outcomes/timed_out",
        "/attempts/total",
        "/attempts/per_request",
        "/attempts/outcomes/rejected",
        "/response_time_s/mean",
        "/response_time_s/p50",
        "/response_time_s/p90",
        "/response_time_s/p95",
        "/response_time_s/p99",
        "/response_time_s/p999",
        "/response_time_s/max",
        "/wait_s/mean",
        "/offered_load",
        "/offered_hz",
        "/goodput_hz",
        "/availability",
        "/classes/all/requests/arrived",
        "/services/web/servers/web-1/utilisation",
        "/services/web/servers/web-1/mean_in_system",
        "/services/web/servers/web-1/mean_queue_len",
        "/services/web/servers/web-1/attempts",
        "/services/web/servers/web-1/share",
        "/services/web/servers/web-1/crashes",
        "/services/web/servers/web-1/downtime_s",
        "/services/web/balancers",
        "/alerts/0/name",
        "/alerts/0/state",
        "/alerts/0/at_s",
        "/incidents/0/start_s",
        "/incidents/0/end_s",
        "/incidents/0/detected_s",
        "/incidents/0/lost",
        "/incidents/0/waiting",
        "/expectations/0/that",
        "/expectations/0/passed",
        "/expectations/0/actual",
        "/warnings",
        "/host/wall_s",
        "/host/requests_per_s",
        "/host/peak_rss_bytes",
        "/host/exit_code",
    ];
    for key in promised {
        assert!(summary.pointer(key).is_some(), "{key} is missing");
    }
}

#[test]
fn replications_and_seeds_differ() {
    let digest = |args: &[&str]| {
        let json = stampede(&[&["run", "first", "--format", "json"], args].concat()).out;
        let summary: Value = serde_json::from_str(&json).expect("JSON");
        summary["digest"].as_str().expect("a text").to_owned()
    };
    let all = [
        digest(&[]),
        digest(&["--replication", "1"]),
        digest(&["--seed", "2"]),
    ];
    assert!(
        all[0] != all[1] && all[1] != all[2] && all[0] != all[2],
        "{all:?}"
    );
    assert_eq!(all[0], digest(&["--replication", "0", "--seed", "1"]));
}

#[test]
fn the_time_line_has_every_metric() {
    let folder = Folder::with("a.toml", SMALL);
    let csv = folder
        .run(&["run", "a.toml", "--format", "csv"])
        .code(0)
        .out;
    let mut lines = csv.lines();
    let head: Vec<&str> = lines.next().expect("a head").split(',').collect();
    assert_eq!(head[..3], ["start_s", "end_s", "clock"]);
    for metric in METRICS.iter().filter(|m| m.applies_to(Scope::Site)) {
        for prefix in ["", "service.web."] {
            let column = format!("{prefix}{}", metric.name);
            assert!(
                head.iter()
                    .any(|h| *h == column || *h == format!("{column}_s")),
                "{column}"
            );
        }
    }
    let rows: Vec<&str> = lines.collect();
    assert_eq!(rows.len(), 60);
    assert!(
        // The last second has the request that comes at the very end, too.
        rows[59].starts_with("59,60,12:00:59,101,101,1,0,0,101,1,0.010"),
        "{}",
        rows[59]
    );
}

#[test]
fn the_report_can_be_read_at_a_glance() {
    let folder = Folder::with("a.toml", SMALL);
    let ran = folder.run(&["run", "a.toml"]).code(0);
    assert_eq!(ran.err, "");
    let lines: Vec<&str> = ran.out.lines().collect();
    assert_eq!(lines[0], "a   small");
    assert!(
        lines[1].starts_with("  2 servers · round-robin · 1m simulated in "),
        "{}",
        lines[1]
    );
    for words in [
        "6000   failed 0 %",
        "p99 10 ms",
        "goodput 100/s of 100/s offered",
        "web-1",
        "digest ",
    ] {
        assert!(ran.out.contains(words), "{words}:\n{}", ran.out);
    }
    assert!(
        lines
            .last()
            .is_some_and(|line| line.starts_with("next: stampede run a.toml -o out/a")),
        "{}",
        ran.out
    );
    assert!(!folder.run(&["run", "a.toml", "-q"]).out.contains("next:"));
}

#[test]
fn long_event_logs_are_folded() {
    let mut text = format!("{SMALL}restart = {{ kind = \"after\", pause = \"500ms\" }}\n");
    for second in 10..40 {
        write!(
            text,
            "[[timeline]]\nat = \"{second}s\"\nlane = \"system\"\ndo = \"crash\"\ntarget = \"service.web.server.web-1\"\n"
        )
        .expect("a text");
    }
    text.push_str(
        "[[timeline]]\nat = \"30s\"\nlane = \"people\"\ndo = \"note\"\nnote = \"the team is called in\"\n",
    );
    let folder = Folder::with("a.toml", text);
    let event_log = |args: &[&str]| -> Vec<String> {
        let out = folder.run(&[&["run", "a.toml"], args].concat()).out;
        out.lines()
            .skip(3)
            .take_while(|line| !line.is_empty())
            .map(str::to_owned)
            .collect()
    };
    let folded = event_log(&[]);
    assert!((15..=20).contains(&folded.len()), "{folded:#?}");
    assert!(
        folded[0].contains("12:00:10   system   ✖ web-1 crashes"),
        "{folded:#?}"
    );
    assert!(
        folded
            .iter()
            .any(|line| line.contains("people   → the team is called in")),
        "{folded:#?}"
    );
    assert!(
        folded
            .iter()
            .any(|line| line.contains("… ") && line.contains("crash × ")),
        "{folded:#?}"
    );
    assert!(event_log(&["--event-log"]).len() >= 91);
}

#[test]
fn scenarios_come_from_standard_input() {
    let folder = Folder::new();
    let ran = folder
        .run_with_input(&["run", "-"], SMALL.as_bytes())
        .code(0);
    assert!(
        ran.out.starts_with("stdin   small\n") && !ran.out.contains("stampede run"),
        "{}",
        ran.out
    );
    let json = r#" {"horizon": "1m", "traffic": [{"to": "web", "rate": 5}], "service": {"web": {"demand": "1ms", "server": [{"name": "a", "workers": 1}]}}}"#;
    folder
        .run_with_input(&["run", "-"], json.as_bytes())
        .code(0);
    let ran = folder
        .run_with_input(&["check", "-"], b"{\"horizon\": 1}")
        .code(3);
    assert!(ran.err.contains("--> stdin.json:1:13"), "{}", ran.err);
}

#[test]
fn colours_come_only_where_they_are_wanted() {
    let folder = Folder::with("a.toml", SMALL);
    let colored = |args: &[&str], variable: Option<(&str, &str)>| {
        let mut command = folder.command(&[&["run", "a.toml"], args].concat());
        command.envs(variable);
        let out = command.output().expect("the command starts").stdout;
        out.contains(&0x1b)
    };
    assert!(!colored(&[], None), "a pipe wants none");
    assert!(colored(&["--color", "always"], None));
    assert!(colored(&[], Some(("CLICOLOR_FORCE", "1"))));
    assert!(!colored(
        &["--color", "never"],
        Some(("CLICOLOR_FORCE", "1"))
    ));
    assert!(!colored(&[], Some(("NO_COLOR", "1"))));
}

#[test]
fn a_file_wins_over_a_model_only_when_it_looks_like_one() {
    let folder = Folder::with("first.toml", SMALL);
    assert!(
        folder
            .run(&["run", "first.toml"])
            .out
            .starts_with("first   small\n")
    );
    assert!(
        folder
            .run(&["run", "first"])
            .out
            .starts_with("first   Two servers")
    );
    assert!(
        folder
            .run(&["run", "lesson/first.toml"])
            .out
            .starts_with("first   Two servers")
    );
}
