//! Commands inside another program: the same bytes and words as on the command line.

use crate::stampede::{Folder, SMALL};
use sim_cli::{Answer, Inside, Refusal, answer};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// Does what the words say, with a text that they name.
fn asked(words: &[&str]) -> Result<Answer, Refusal> {
    let given = [("small.toml".to_owned(), SMALL.to_owned())];
    let inside = Inside {
        given: &given,
        stop: &AtomicBool::new(false),
        progress: &|_, _| {},
    };
    answer(&owned(words), &inside)
}

fn owned(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}

/// Asserts that every file has the bytes that the command writes.
fn same_as_written(words: &[&str]) -> Answer {
    let folder = Folder::with("small.toml", SMALL);
    let written = folder.run(&[words, &["-q", "-o", "out"]].concat());
    let found = asked(words).unwrap_or_else(|refusal| panic!("{refusal:?}"));
    assert_eq!(i32::from(found.exit), written.code, "{written:?}");
    let mut names = found.names();
    names.sort_unstable();
    let mut compared = 0;
    for name in folder.list("out") {
        if name.ends_with(".journal") || name == "plan.toml" {
            continue;
        }
        let bytes = found
            .file(&name)
            .unwrap_or_else(|| panic!("{name} is missing: {names:?}"));
        let text = String::from_utf8(bytes).expect("text");
        assert!(
            text == folder.read(&format!("out/{name}")),
            "{words:?}: {name} differs"
        );
        compared += 1;
    }
    assert!(compared > 2, "{words:?}: {names:?}");
    found
}

#[test]
fn files_have_the_bytes_of_the_command() {
    let two = "service.web.balancer.policy=random,round-robin";
    let rate = "traffic.traffic.rate=100,150";
    let commands: &[&[&str]] = &[
        &["run", "small.toml"],
        &["run", "small.toml", "--replications", "5"],
        &[
            "compare",
            "small.toml",
            "--vary",
            two,
            "--replications",
            "5",
        ],
        &[
            "stress",
            "small.toml",
            "--until",
            "p99 > 2s",
            "--replications",
            "2",
            "--set",
            "horizon=5s",
        ],
        &[
            "remedy",
            "small.toml",
            "--replications",
            "2",
            "--only",
            "policy",
            "--set",
            "horizon=5s",
        ],
        &[
            "sweep",
            "--scenario",
            "small.toml",
            "--vary",
            rate,
            "--measure",
            "p99",
            "--replications",
            "2",
        ],
    ];
    for words in commands {
        same_as_written(words);
    }
}

/// Asserts that a file is what the command prints as JSON, but for what depends on the machine.
fn same_as_printed(words: &[&str], name: &str) -> (Answer, String) {
    let folder = Folder::with("small.toml", SMALL);
    let printed = folder
        .run(&[words, &["--format", "json", "-q"]].concat())
        .code(0)
        .out;
    let found = asked(words).unwrap_or_else(|refusal| panic!("{refusal:?}"));
    let file = String::from_utf8(found.file(name).expect("a file")).expect("text");
    let figures = file.trim_end().trim_end_matches('}').trim_end();
    assert!(printed.starts_with(figures), "{file}\n{printed}");
    let rest = &printed[figures.len()..];
    assert!(rest.starts_with(",\n  \"host\": {"), "{rest}");
    (found, file)
}

#[test]
fn figures_are_what_the_command_prints() {
    let three = ["run", "small.toml", "--replications", "3", "--theory"];
    same_as_printed(&three, "experiment.json");
    let (_, file) = same_as_printed(&["run", "small.toml", "--theory"], "summary.json");
    assert!(file.contains("\"theory\": {"), "{file}");
}

#[test]
fn texts_are_found_by_their_names() {
    let (found, summary) = same_as_printed(&["run", "small.toml"], "summary.json");
    let sum: u64 = found
        .times_ns("response_time_s")
        .expect("times")
        .iter()
        .map(|(_, _, n)| n)
        .sum();
    assert!(summary.contains(&format!("\"count\": {sum},")), "{sum}");
    assert_eq!(found.times_ns("response_time"), None);
    let base = "base = \"small.toml\"\nset = { seed = 9 }\n".to_owned();
    let given = [
        ("upon.toml".to_owned(), base),
        ("small.toml".to_owned(), SMALL.to_owned()),
    ];
    let inside = Inside {
        given: &given,
        stop: &AtomicBool::new(false),
        progress: &|_, _| {},
    };
    let found = answer(&owned(&["run", "upon.toml"]), &inside).expect("a base that was given");
    let summary = String::from_utf8(found.file("summary.json").expect("a summary")).expect("text");
    assert!(summary.contains("\"seed\": 9,"), "{summary}");
}

#[test]
fn what_is_wrong_is_said_in_the_words_of_the_command() {
    let folder = Folder::with("small.toml", SMALL);
    for words in [
        &["run", "small.toml", "--set", "horizon=nothing"][..],
        &["run", "no-such-model"],
        &["run", "small.toml", "--confidence", "2"],
        &["run", "small.toml", "--confidence", "90%"],
        &["compare", "small.toml"],
        &["remedy", "small.toml", "--by", "beauty"],
        &["sweep", "small.toml"],
    ] {
        let told = folder.run(words);
        let refusal = asked(words)
            .err()
            .unwrap_or_else(|| panic!("{words:?} is refused"));
        assert_eq!(i32::from(refusal.exit), told.code, "{words:?}");
        for line in refusal.message.lines().chain(refusal.help.lines()) {
            assert!(told.err.contains(line), "{words:?}: {line}\n{}", told.err);
        }
    }
    let refusal = asked(&["run", "small.toml", "--set", "horizon=nothing"])
        .err()
        .expect("refused");
    assert!(refusal.problems[0].contains("\"code\": \""), "{refusal:?}");
}

#[test]
fn it_ends_when_it_is_told_to_and_tells_how_far_it_is() {
    let stop = AtomicBool::new(false);
    let last = AtomicU64::new(0);
    let progress = |done: u64, of: u64| {
        assert_eq!(of, 1_000);
        last.fetch_max(done, Ordering::Relaxed);
        stop.store(true, Ordering::Relaxed);
    };
    let given = [("small.toml".to_owned(), SMALL.to_owned())];
    let inside = Inside {
        given: &given,
        stop: &stop,
        progress: &progress,
    };
    let words = owned(&["run", "small.toml", "--replications", "1000"]);
    let found = answer(&words, &inside).expect("what was complete");
    assert_eq!(found.exit, 130);
    assert!((1..100).contains(&last.load(Ordering::Relaxed)));
}
