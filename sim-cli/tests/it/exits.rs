//! Exit codes, each with the situation it stands for.

use crate::stampede::{Folder, SMALL, interrupted, stampede};
use std::io::Read;
use std::process::Stdio;
#[cfg(unix)]
use std::time::Duration;

#[test]
fn done_is_zero() {
    let ran = stampede(&["run", "first"]).code(0);
    assert!(
        ran.out.contains("✓ first(alert.slow) in 12:07..12:10"),
        "{}",
        ran.out
    );
    stampede(&["--help"]).code(0);
    stampede(&["--version"]).code(0);
}

#[test]
fn wrong_usage_is_two() {
    for args in [
        &["run"][..],
        &["fly"],
        &["run", "first", "--set", "seed"],
        &["run", "first", "--log-requests", "5"],
        &["list", "nonsense"],
        #[cfg(feature = "watch")]
        &["watch", "first"],
        #[cfg(feature = "watch")]
        &["watch", "first", "--speed", "0"],
        &[],
    ] {
        let ran = stampede(args).code(2);
        assert!(
            ran.out.is_empty() && ran.err.contains("Usage:") || ran.err.contains("error:"),
            "{ran:?}"
        );
    }
    let folder = Folder::with("a.toml", SMALL);
    folder
        .run(&["run", "a.toml", "./a.toml", "-o", "out"])
        .code(2);
    folder
        .run(&["run", "a.toml", "first", "--format", "csv"])
        .code(2);
}

#[test]
fn invalid_scenario_is_three() {
    let folder = Folder::with("bad.toml", "horizon = 5\n");
    folder.run(&["run", "bad.toml"]).code(3);
    folder.run(&["check", "bad.toml", "first"]).code(3);
    stampede(&["run", "first", "--set", "seed=x"]).code(3);
    for text in [
        &b""[..],
        b"\xff\xfe\x00",
        b"{}",
        b"[[[[",
        b"horizon = \"1s\"",
    ] {
        let ran = folder.run_with_input(&["run", "-"], text).code(3);
        assert!(ran.err.contains("error") && ran.out.is_empty(), "{ran:?}");
    }
}

#[test]
fn unknown_name_is_four() {
    let ran = stampede(&["run", "incidnet"]).code(4);
    assert!(
        ran.err.starts_with(
            "error: no model is called \"incidnet\"\nhelp: did you mean \"incident\"?"
        ),
        "{}",
        ran.err
    );
    let folder = Folder::with("mine.toml", SMALL);
    let ran = folder.run(&["run", "mine"]).code(4);
    assert_eq!(
        ran.err,
        "error: no model is called \"mine\"\nhelp: there is a file of this name: write ./mine.toml\n"
    );
    // Whatever has the name: written as a path, it says itself why it cannot be read.
    std::fs::create_dir(folder.path.join("theirs")).expect("a folder can be made");
    let ran = folder.run(&["run", "theirs"]).code(4);
    assert!(ran.err.ends_with("write ./theirs\n"), "{}", ran.err);
    let ran = folder.run(&["run", "./theirs"]).code(5);
    let door = "`stampede import ./theirs -o mine.toml` makes a scenario of settings in a folder";
    assert!(ran.err.contains(door), "{}", ran.err);
    stampede(&["new", "x", "--from", "nonsense"]).code(4);
    stampede(&["list", "policies", "nonsense"]).code(4);
    let ran = stampede(&["explain", "power-of-b"]).code(4);
    assert_eq!(
        ran.err,
        "error: nothing is called \"power-of-b\"\nhelp: did you mean \"power-of-d\"?\n"
    );
}

#[test]
fn input_and_output_is_five() {
    let folder = Folder::with("a.toml", SMALL);
    let ran = folder.run(&["run", "nowhere.toml"]).code(5);
    assert!(
        ran.err
            .starts_with("error: cannot read nowhere.toml: no such file\n"),
        "{}",
        ran.err
    );
    folder.run(&["run", "./"]).code(5);
    folder.run(&["run", "a.toml", "-o", "a.toml/x"]).code(5);
}

#[test]
fn failed_expectation_is_six() {
    let folder = Folder::with(
        "a.toml",
        format!("{SMALL}[[expect]]\nthat = \"requests.arrived == 1\"\n"),
    );
    let ran = folder.run(&["run", "a.toml"]).code(6);
    assert!(
        ran.out
            .contains("✗ requests.arrived == 1   it was: 6000   a.toml:16"),
        "{}",
        ran.out
    );
    // The last of several must not hide it.
    folder.run(&["run", "a.toml", "first"]).code(6);
}

#[test]
fn early_end_is_six() {
    let ran = stampede(&["run", "first", "--set", "limits.events=1000"]).code(6);
    assert!(
        ran.out.contains("INCOMPLETE") && ran.out.contains("limits.events"),
        "{}",
        ran.out
    );
}

#[cfg(unix)]
#[test]
fn interrupted_is_130_and_keeps_what_is_there() {
    let folder = Folder::new();
    let args = ["run", "mm1", "--set", "horizon=2000h", "-o", "out"];
    let mut child = folder
        .command(&args)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the command starts");
    // Results in the making mean that the run has begun.
    let begun = || {
        folder
            .list(".")
            .iter()
            .any(|name| name.starts_with(".stampede-part-"))
    };
    for _ in 0..1000 {
        let over = child
            .try_wait()
            .expect("the command can be asked")
            .is_some();
        if over || begun() {
            break;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
    std::thread::sleep(Duration::from_millis(200));
    let ran = interrupted(child).code(130);
    assert!(
        ran.out.contains("INCOMPLETE: interrupted at"),
        "{}",
        ran.out
    );
    let told = "interrupted: writing what there is into out; ";
    assert!(ran.err.contains(told), "{}", ran.err);
    let summary: serde_json::Value =
        serde_json::from_str(&folder.read("out/summary.json")).expect("JSON");
    assert_eq!(summary["complete"], false);
    assert!(summary["requests"]["arrived"].as_u64() > Some(0));
}

#[test]
fn closed_pipe_is_no_error() {
    let folder = Folder::new();
    for args in [
        &["list", "paths"][..],
        &["run", "first", "--format", "csv"],
        &["schema"],
    ] {
        let mut child = folder
            .command(args)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command starts");
        drop(child.stdout.take());
        let mut err = String::new();
        child
            .stderr
            .take()
            .expect("piped")
            .read_to_string(&mut err)
            .expect("text");
        assert_eq!(child.wait().expect("it ends").code(), Some(0), "{err}");
        assert!(!err.contains("error") && !err.contains("panicked"), "{err}");
    }
}

#[test]
fn help_lists_every_code() {
    let help = stampede(&["--help"]).out;
    for (code, words) in [
        (0, "holds"),
        (1, "mistake of the program"),
        (2, "arguments"),
        (3, "invalid"),
        (4, "has this name"),
        (5, "read or written"),
        (6, "expectation"),
        (130, "interrupted"),
    ] {
        let line = help
            .lines()
            .find(|line| line.trim_start().starts_with(&format!("{code}  ")));
        assert!(
            line.is_some_and(|line| line.contains(words)),
            "{code}:\n{help}"
        );
    }
    let listed = stampede(&["list", "exits"]).out;
    assert!(listed.contains("130"), "{listed}");
}

#[test]
fn what_would_be_ignored_or_means_nothing_is_refused() {
    let vary = "--vary=traffic.traffic.rate=100,200";
    let set = "--set=traffic.traffic.rate=100";
    for (args, words) in [
        (
            &["sweep", "--scenario", "mm1", vary, set][..],
            "both set and varied",
        ),
        (&["verify", "--shift", "nan"], "per cent"),
        (&["stress", "mm1", "--range", "-1..2"], "above 0"),
        (
            &["run", "mm1", "--replications", "2", "--precision", "-1%"],
            "a precision lies between",
        ),
    ] {
        let ran = stampede(args).code(2);
        assert!(ran.err.contains(words), "{args:?}: {}", ran.err);
    }
}
