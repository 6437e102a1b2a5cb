//! `stress`: breaking points, ramps, maps.

use crate::experiments::{QUEUE, json};
use crate::stampede::{Folder, stampede};

#[test]
fn the_breaking_point_is_told_with_its_interval() {
    // Two servers of speed 0.5: each a queue of 2 ms, which random splitting leaves M/M/1. The
    // mean response time 1 / (500 - rate/2) exceeds 10 ms from 800/s on.
    let ran = Folder::with("q.toml", QUEUE)
        .run(&[
            "stress",
            "q.toml",
            "--set",
            "service.web.balancer.policy=random",
            "--set",
            "horizon=40s",
            "--set",
            "warm_up=4s",
            "--until",
            "response_time_s.mean > 10ms",
            "--replications",
            "10",
            "--tolerance",
            "1%",
            "--format",
            "json",
        ])
        .code(0);
    let report = json(&ran.out);
    let rate = |key: &str| {
        report["estimate"][key].as_f64().expect("an interval")
            * report["base_rate_hz"].as_f64().expect("a rate")
    };
    assert!(rate("low") < 800.0 && 800.0 < rate("high"), "{}", ran.out);
    assert!(rate("half_width") < 40.0, "{}", ran.out);
    let verdict = report["verdict"].as_str().expect("a sentence");
    assert!(verdict.starts_with("safe to "), "{verdict}");
}

#[test]
fn a_ramp_and_a_map_know_the_retry_storm() {
    let storm = [
        "stress",
        "retry-storm",
        "--set",
        "service.db.server.db.queue.limit=600",
        "--replications",
    ];
    let ramp = [
        &storm[..],
        &[
            "3",
            "--hysteresis",
            "--range",
            "0.3..1.2",
            "--steps",
            "10",
            "--hold",
            "40s",
        ],
    ]
    .concat();
    let ran = stampede(&ramp).code(0);
    assert!(ran.out.contains("the time line is left out"), "{}", ran.out);
    // Three replications give no interval, and say so by giving none.
    assert!(ran.out.contains("retry-storm: "), "{}", ran.out);
    let map = [
        &storm[..],
        &[
            "2",
            "--map",
            "--range",
            "0.4..0.8",
            "--steps",
            "2",
            "--triggers",
            "10s",
            "--watch",
            "100s",
        ],
    ]
    .concat();
    let ran = stampede(&map).code(0);
    assert!(
        ran.out.contains("stable at 112/s; vulnerable at 224/s"),
        "{}",
        ran.out
    );
}

#[test]
fn expectations_alone_do_not_say_what_broken_is() {
    let ran = stampede(&["stress", "cascade"]).code(2);
    assert!(ran.err.contains("--until"), "{}", ran.err);
}

#[test]
fn more_than_a_server_can_do_is_not_stable_because_everybody_waits() {
    let mm1 = |more: &[&str]| {
        let args = [
            "stress",
            "mm1",
            "--set",
            "horizon=20s",
            "--replications",
            "2",
        ];
        stampede(&[&args[..], more].concat()).code(0)
    };
    let map = [
        "--map",
        "--range",
        "1..8",
        "--steps",
        "2",
        "--triggers",
        "1s",
        "--watch",
        "20s",
    ];
    let ran = mm1(&map);
    assert!(ran.out.contains("overloaded at 6400/s"), "{}", ran.out);
    assert!(ran.out.contains("no caller has a timeout"), "{}", ran.out);
    let ran = mm1(&["--hysteresis", "--range", "4..8", "--steps", "3"]);
    let words = "not well at the lowest load tried";
    assert!(ran.out.contains(words), "{}", ran.out);
}

#[test]
fn a_ramp_breaks_where_it_is_told_to() {
    let ramp = [
        "--hysteresis",
        "--range",
        "0.5..0.95",
        "--steps",
        "4",
        "--hold",
        "200s",
        "--replications",
        "2",
    ];
    let with = |until: &[&str]| stampede(&[&["stress", "mm1"], &ramp[..], until].concat());
    // All are answered at these loads of M/M/1, and p99 is 7.7 ms on the first step, 19.2 ms on the last.
    let ran = with(&[]).code(0);
    assert!(ran.out.contains("it never broke"), "{}", ran.out);
    let ran = with(&["--until", "p99 > 15ms"]).code(0);
    assert!(!ran.out.contains("it never broke"), "{}", ran.out);
    let json = with(&["--until", "p99 > 15ms", "--format", "json"]).code(0);
    let json: serde_json::Value = serde_json::from_str(&json.out).expect("JSON");
    assert!(
        json.to_string().contains("\"until\":[\"p99 > 15ms\"]"),
        "{json}"
    );
    let words = "broken when p99 > 15ms, on the second half of a step";
    assert!(ran.out.contains(words), "{}", ran.out);
    let ran = with(&["--until", "first(crash) > 10s"]).code(3);
    assert!(ran.err.contains("--until"), "{}", ran.err);
}
