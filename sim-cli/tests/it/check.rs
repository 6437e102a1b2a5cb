//! What is said about broken scenarios.

use crate::stampede::{Folder, SMALL, stampede};
use serde_json::Value;

const BROKEN: &str = r#"horizon = "10 parsecs"
[[traffic]]
to = "wbe"
rate = -5
[service.web]
demand = "10ms"
balancer = { policy = "weighted-round-robbin" }   # typo
[[service.web.server]]
name = "ä"
workers = 1
wieght = 3
"#;

/// The head of each problem, its place, and its help: what must not change by accident.
#[test]
fn all_problems_are_shown_with_line_and_caret() {
    let folder = Folder::with("broken.toml", BROKEN);
    let ran = folder.run(&["check", "broken.toml"]).code(3);
    assert_eq!(ran.out, "");
    let policy = r#"error[E014]: unknown policy "weighted-round-robbin"
 --> broken.toml:7:23
  |
7 | balancer = { policy = "weighted-round-robbin" }   # typo
  |                       ^^^^^^^^^^^^^^^^^^^^^^^
  |
  = help: did you mean "weighted-round-robin"?"#;
    assert!(ran.err.contains(policy), "{}", ran.err);
    let key = r#"error[E010]: unknown key `wieght`
  --> broken.toml:11:1
   |
11 | wieght = 3
   | ^^^^^^
   |
   = help: did you mean "weight"?"#;
    assert!(ran.err.contains(key), "{}", ran.err);
    for place in ["1:11", "3:6", "4:8", "9:8"] {
        assert!(
            ran.err.contains(&format!("--> broken.toml:{place}\n")),
            "{place}:\n{}",
            ran.err
        );
    }
    assert!(
        ran.err.ends_with("error: 6 problems in broken.toml\n"),
        "{}",
        ran.err
    );
    // The same words before a run.
    assert_eq!(folder.run(&["run", "broken.toml"]).code(3).err, ran.err);
}

#[test]
fn sets_are_shown_like_files() {
    let ran = stampede(&[
        "check",
        "first",
        "--set",
        "seed=-1",
        "--set",
        "service.web.demnd=5ms",
    ])
    .code(3);
    assert!(
        ran.err.contains("--> --set:") && ran.err.contains("did you mean \"demand\"?"),
        "{}",
        ran.err
    );
}

#[test]
fn problems_as_json() {
    let folder = Folder::with("broken.toml", BROKEN);
    let ran = folder
        .run(&["check", "broken.toml", "--format", "json"])
        .code(3);
    assert_eq!(ran.err, "");
    let finding: Value = serde_json::from_str(&ran.out).expect("JSON");
    assert_eq!(
        (&finding["scenario"], &finding["valid"]),
        (&"broken.toml".into(), &false.into())
    );
    let policy = &finding["problems"][3];
    assert_eq!(policy["code"], "E014");
    assert_eq!(
        policy["places"][0],
        serde_json::json!({ "file": "broken.toml", "line": 7, "column": 23, "end_line": 7, "end_column": 46, "text": "" })
    );
}

#[test]
fn valid_scenarios_are_named_with_their_size() {
    let folder = Folder::with("a.toml", SMALL);
    let ran = folder.run(&["check", "a.toml", "first"]).code(0);
    assert!(
        ran.out.starts_with(
            "ok a.toml   1m, 1 service, 2 servers, 0 time line entries, 0 expectations   "
        ),
        "{}",
        ran.out
    );
    assert_eq!(
        ran.err,
        "warning: lesson/first.toml: at 12:10 the traffic offers `web` 150 % of what its servers can do\n"
    );
    assert_eq!(folder.run(&["check", "first", "-q"]).code(0).err, "");
}

#[test]
fn every_model_is_valid_and_says_what_it_asks() {
    let models: Value =
        serde_json::from_str(&stampede(&["list", "models", "--format", "json"]).out).expect("JSON");
    for model in models.as_array().expect("a list") {
        let name = model["name"].as_str().expect("a name");
        stampede(&["check", name]).code(0);
        assert!(
            model["about"]
                .as_str()
                .is_some_and(|title| !title.is_empty()),
            "{name} has no title"
        );
        assert!(
            model["facts"][0]["value"]
                .as_str()
                .is_some_and(|question| question.ends_with('?')),
            "{name} asks no question"
        );
    }
}
