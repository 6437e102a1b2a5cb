//! `stampede export`: text, files, JSON, and what has no counterpart.

use crate::stampede::{Folder, SMALL};
use serde_json::Value;

#[test]
fn settings_go_to_standard_output_and_the_rest_beside_it() {
    let folder = Folder::with("small.toml", SMALL);
    let made = folder
        .run(&[
            "export",
            "small.toml",
            "--as",
            "nginx",
            "--set",
            "service.web.balancer.cost=1ms",
        ])
        .code(0);
    assert!(
        made.out.contains("server web-2:80 max_fails=0;"),
        "{}",
        made.out
    );
    assert!(
        made.err
            .contains("service.web.balancer.cost = \"1ms\": it is of the machine"),
        "{}",
        made.err
    );
    let quiet = folder
        .run(&["export", "small.toml", "--as", "nginx", "-q"])
        .code(0);
    assert_eq!(quiet.err, "");
}

#[test]
fn a_file_is_written_once_and_imports_again() {
    let folder = Folder::with("small.toml", SMALL);
    let made = folder
        .run(&[
            "export",
            "small.toml",
            "--as",
            "haproxy",
            "-o",
            "haproxy.cfg",
        ])
        .code(0);
    assert_eq!(made.out, "");
    let again = folder.run(&["import", "haproxy.cfg"]).code(0);
    assert!(
        again
            .err
            .contains("haproxy: 1 service, 2 servers, 1 way in"),
        "{}",
        again.err
    );
    let twice = folder
        .run(&[
            "export",
            "small.toml",
            "--as",
            "haproxy",
            "-o",
            "haproxy.cfg",
        ])
        .code(5);
    assert!(twice.err.contains("is there already"), "{}", twice.err);
}

#[test]
fn programs_get_all_of_it() {
    let folder = Folder::with("small.toml", SMALL);
    let made = folder
        .run(&[
            "export",
            "small.toml",
            "--as",
            "k6",
            "--format",
            "json",
            "--set",
            "client.timeout=1s",
            "--set",
            "client.retry=fixed",
        ])
        .code(0);
    let all: Value = serde_json::from_str(&made.out).expect("JSON");
    assert!(
        all["text"]
            .as_str()
            .is_some_and(|text| text.contains("preAllocatedVUs: 100"))
    );
    assert_eq!(all["left"][0]["path"], "client.retry");
    assert!(
        all["remarks"]
            .as_array()
            .is_some_and(|remarks| !remarks.is_empty())
    );
}

#[test]
fn doors_that_lead_nowhere_say_so() {
    let folder = Folder::with("small.toml", SMALL);
    folder.run(&["export", "small.toml"]).code(2);
    folder.run(&["export", "small.toml", "--as", "iis"]).code(2);
    folder
        .run(&["export", "nowhere.toml", "--as", "k6"])
        .code(5);
    let bad = folder
        .run(&["export", "small.toml", "--as", "k6", "--set", "horizon=-1"])
        .code(3);
    assert!(bad.err.contains("horizon"), "{}", bad.err);
    let exports = folder.run(&["list", "exports"]).code(0);
    for name in ["nginx", "haproxy", "envoy", "k6"] {
        assert!(exports.out.contains(name), "{}", exports.out);
    }
}
