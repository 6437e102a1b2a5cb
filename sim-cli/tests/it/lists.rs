//! Lists, explanations, schema, completions.

use crate::stampede::{Folder, stampede};
use serde_json::Value;

fn list(args: &[&str]) -> Vec<Value> {
    let ran = stampede(&[&["list"], args, &["--format", "json"]].concat()).code(0);
    serde_json::from_str(&ran.out).expect("a list in JSON")
}

fn names(entries: &[Value]) -> Vec<String> {
    entries
        .iter()
        .map(|entry| entry["name"].as_str().expect("a name").to_owned())
        .collect()
}

#[test]
fn every_list_has_entries_with_words() {
    let overview = stampede(&["list"]).code(0).out;
    let lists = names(&list(&[]));
    for wanted in [
        "policies",
        "distributions",
        "arrivals",
        "disciplines",
        "retries",
        "restarts",
        "keys",
        "profiles",
        "metrics",
        "events",
        "models",
        "codes",
    ] {
        assert!(
            lists.iter().any(|list| list == wanted),
            "no list of {wanted}"
        );
    }
    for name in lists {
        assert!(overview.contains(&name), "{name} is not in the overview");
        let entries = list(&[&name]);
        assert!(!entries.is_empty(), "{name} is empty");
        let text = stampede(&["list", &name]).code(0).out;
        for entry in &entries {
            let entry_name = entry["name"].as_str().expect("a name");
            assert!(
                text.contains(entry_name),
                "{entry_name} is not in the text of {name}"
            );
            assert!(
                entry["about"]
                    .as_str()
                    .is_some_and(|about| !about.is_empty()),
                "{name}: {entry_name} says nothing"
            );
        }
    }
}

#[test]
fn every_entry_can_be_explained() {
    for name in names(&list(&[])) {
        let entries = names(&list(&[&name]));
        let mut args = vec!["explain"];
        args.extend(entries.iter().map(String::as_str));
        stampede(&args).code(0);
    }
}

#[test]
fn parameters_come_with_unit_range_and_default() {
    let policies = list(&["policies", "power-of-d"]);
    let d = &policies[0]["params"][0];
    assert_eq!(
        (&d["name"], &d["default"], &d["range"], &d["unit"]),
        (
            &"d".into(),
            &"2".into(),
            &"1 to 64".into(),
            &"servers".into()
        )
    );
    let text = stampede(&["explain", "power-of-d"]).out;
    assert!(
        text.contains("default 2") && text.contains("source: Mitzenmacher"),
        "{text}"
    );
}

#[test]
fn functions_of_alert_rules_come_with_their_arguments() {
    let rows = list(&["alert-functions"]);
    assert!(names(&rows).is_sorted(), "{rows:?}");
    let text = stampede(&["list", "alert-functions"]).code(0).out;
    for wanted in [
        "rate ",
        "of: a range vector",
        "histogram_quantile ",
        "of: a scalar; an instant vector",
        "of: an instant vector; a scalar, or nothing",
        "of: an instant vector; a string; a string; a string, any number of times",
        "topk ",
        "aggregation of: a scalar; an instant vector",
    ] {
        assert!(text.contains(wanted), "{wanted} in\n{text}");
    }
}

#[test]
fn schema_is_a_schema() {
    let schema: Value = serde_json::from_str(&stampede(&["schema"]).code(0).out).expect("JSON");
    assert_eq!(
        schema["$schema"],
        "https://json-schema.org/draft/2020-12/schema"
    );
    assert!(schema["properties"]["horizon"].is_object());
}

#[test]
fn shells_get_completions() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let script = stampede(&["completions", shell]).code(0).out;
        assert!(script.contains("log-requests"), "{shell}");
    }
}

#[test]
fn reference_holds_every_exit_code() {
    let reference = stampede(&["docs-reference"]).code(0).out;
    assert!(
        reference.contains("## Exit codes")
            && reference.contains("| 130 |")
            && reference.contains("`power-of-d`")
    );
}

#[test]
fn new_copies_a_model_and_never_overwrites() {
    let folder = Folder::new();
    let ran = folder.run(&["new", "mine", "--from", "first"]).code(0);
    assert_eq!(
        (ran.out.as_str(), ran.err.as_str()),
        ("mine.toml\n", "next: stampede run ./mine.toml\n")
    );
    assert_eq!(
        folder.read("mine.toml"),
        include_str!("../../../models/lesson/first.toml")
    );
    folder.run(&["run", "mine.toml"]).code(0);
    folder.write("mine.toml", "precious");
    let ran = folder.run(&["new", "mine.toml"]).code(5);
    assert!(
        ran.err.starts_with("error: mine.toml is there already"),
        "{}",
        ran.err
    );
    assert_eq!(folder.read("mine.toml"), "precious");
    // A copy of a file of one's own.
    folder.write("own.json", "{}");
    folder.run(&["new", "copy", "--from", "./own.json"]).code(0);
    assert_eq!(folder.read("copy.json"), "{}");
}
