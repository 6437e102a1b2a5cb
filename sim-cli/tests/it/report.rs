//! `report`: one page from a run, and from a run that was kept.

use crate::stampede::{Folder, SMALL};

#[test]
fn a_page_is_written_once_and_is_the_same_again() {
    let folder = Folder::with("small.toml", SMALL);
    let printed = folder.run(&["report", "small.toml"]).code(0).out;
    assert!(printed.starts_with("<!DOCTYPE html>"), "{printed}");
    assert!(printed.contains("stampede run small.toml"));
    let write = ["report", "small.toml", "-o", "small.html"];
    folder.run(&write).code(0);
    assert_eq!(folder.read("small.html"), printed);
    let refused = folder.run(&write).code(5);
    assert!(refused.err.contains("is there already"), "{}", refused.err);
    folder.run(&[&write[..], &["--force"]].concat()).code(0);
    let draft = folder.run(&["report", "small.toml", "--format", "markdown"]);
    assert!(
        draft
            .code(0)
            .out
            .starts_with("# Postmortem (draft): small\n")
    );
    let svg = folder.run(&["report", "small.toml", "--format", "svg"]);
    assert!(svg.code(0).out.starts_with("<svg "));
    let other = [
        "report",
        "small.toml",
        "--format",
        "svg",
        "--change",
        "client.timeout=1s",
        "--at",
        "1s",
    ];
    let refused = folder.run(&other).code(2);
    assert!(
        refused.err.contains("without a second future"),
        "{}",
        refused.err
    );
}

#[test]
fn a_run_that_was_kept_is_reported() {
    let folder = Folder::with("small.toml", SMALL);
    folder
        .run(&[
            "run",
            "small.toml",
            "--seed",
            "7",
            "--replication",
            "3",
            "-o",
            "kept",
        ])
        .code(0);
    let page = folder.run(&["report", "kept"]).code(0).out;
    assert!(
        page.contains("seed 7, replication 3, scenario <code>small</code>"),
        "{page}"
    );
    let refused = folder.run(&["report", "kept", "--seed", "8"]).code(2);
    assert!(
        refused.err.contains("nothing of it can be set"),
        "{}",
        refused.err
    );
    let changed = folder
        .read("kept/summary.json")
        .replace("\"digest\": \"", "\"digest\": \"0");
    std::fs::write(folder.path.join("kept/summary.json"), changed).expect("a file");
    let refused = folder.run(&["report", "kept"]).code(6);
    assert!(
        refused.err.contains("simulated again it has digest"),
        "{}",
        refused.err
    );
}

#[test]
fn a_second_future_stands_beside_the_first() {
    let folder = Folder::with("small.toml", SMALL);
    let change = ["report", "small.toml", "--change", "client.timeout=1s"];
    let page = folder
        .run(
            &[
                &change[..],
                &["--do", "drain=service.web.server.web-1", "--at", "12:00:30"],
            ]
            .concat(),
        )
        .code(0)
        .out;
    for wanted in [
        "The same past, two futures",
        "as it went",
        "drain web-1",
        "--at 12:00:30",
    ] {
        assert!(page.contains(wanted), "{wanted}");
    }
    let refused = folder.run(&change).code(2);
    assert!(refused.err.contains("--at"), "{}", refused.err);
    for (at, why) in [("12:02", "the run is over by then"), ("soon", "--at soon")] {
        let refused = folder.run(&[&change[..], &["--at", at]].concat()).code(2);
        assert!(refused.err.contains(why), "{}", refused.err);
    }
    let refused = folder
        .run(&["report", "small.toml", "--at", "12:00:30"])
        .code(2);
    assert!(
        refused.err.contains("nothing is done then"),
        "{}",
        refused.err
    );
}
