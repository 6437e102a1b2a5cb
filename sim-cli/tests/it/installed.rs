//! What an installation has beside commands: its version, manual pages, completions.

use crate::stampede::{Folder, stampede};
use serde_json::Value;

#[test]
fn the_version_tells_what_the_program_is() {
    let short = format!("stampede {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(stampede(&["-V"]).code(0).out, short);
    assert_eq!(stampede(&["--version"]).code(0).out, short);

    let long = stampede(&["--version", "--verbose"]).code(0).out;
    assert_eq!(stampede(&["-V", "-v"]).code(0).out, long);
    assert_eq!(stampede(&["-vV"]).code(0).out, long);
    assert!(long.starts_with(&short), "{long}");
    let value = |name: &str| {
        let line = long.lines().find_map(|line| line.strip_prefix(name));
        line.unwrap_or_else(|| panic!("no {name} in {long}")).trim()
    };
    assert!(!value("commit").is_empty() && value("target").contains(std::env::consts::ARCH));
    assert!(value("compiler").starts_with("rustc "), "{long}");
    assert_eq!(value("features").contains("watch"), cfg!(feature = "watch"));
    assert_eq!(
        value("features").contains("parquet"),
        cfg!(feature = "parquet")
    );
    assert_eq!(value("licence"), "MIT OR Apache-2.0");
    // What it says of its results is what its results say.
    let summary = stampede(&["run", "first", "--format", "json"]).code(0).out;
    let summary: Value = serde_json::from_str(&summary).expect("JSON");
    let digest = summary["digest"].as_str().expect("a digest");
    assert!(value("digest").starts_with(digest), "{long}");
    assert!(value("formats").starts_with(&format!("summary.json {}", summary["schema_version"])));
    // Nothing of the machine it was built on.
    let built = env!("CARGO_MANIFEST_DIR").trim_end_matches("/sim-cli");
    assert!(!long.contains(built), "{long}");

    for alone in ["-v", "-q"] {
        let ran = stampede(&[alone]).code(2);
        assert!(ran.out.is_empty() && ran.err.contains("error:"), "{ran:?}");
    }
}

#[test]
fn every_command_has_a_manual_page() {
    let folder = Folder::new();
    let written = folder.run(&["man", "-o", "pages/man1"]).code(0).out;
    let pages = folder.list("pages/man1");
    assert_eq!(written.lines().count(), pages.len());
    // Twice is no mistake: a newer program has newer pages.
    folder.run(&["man", "-o", "pages/man1"]).code(0);
    assert_eq!(folder.list("pages/man1"), pages);

    let help = stampede(&["--help"]).code(0).out;
    let listed = help.lines().skip_while(|line| *line != "Commands:").skip(1);
    let listed = listed.take_while(|line| !line.is_empty());
    let mut commands = vec![vec![]];
    for line in listed {
        let name = line.split_whitespace().next().expect("a name");
        if name != "help" {
            commands.push(vec![name]);
        }
    }
    commands.push(vec!["sweep", "merge"]);
    assert_eq!(commands.len(), pages.len(), "{pages:?}");
    for command in commands {
        let name = [&["stampede"], &*command].concat().join("-");
        let page = folder.read(&format!("pages/man1/{name}.1"));
        let source = format!(
            ".TH {name} 1 \" \" \"stampede {}\"",
            env!("CARGO_PKG_VERSION")
        );
        assert!(page.contains(&source), "{page}");
        let printed = stampede(&[&["man"], &*command].concat()).code(0).out;
        assert_eq!(printed, page, "{name}");
        // Every option of the help stands in it.
        let help = stampede(&[&*command, &["--help"]].concat()).code(0).out;
        let words = help.lines().filter_map(|line| {
            let mut words = line.split_whitespace();
            words.find(|word| word.starts_with("--") && line.trim_start().starts_with('-'))
        });
        for option in words {
            let written = option.replace('-', "\\-");
            assert!(page.contains(&written), "{name} without {option}");
        }
    }
    stampede(&["man", "fly"]).code(4);
    stampede(&["man", "run", "-o", "x"]).code(2);
}

/// What the script gives bash for the last of some words.
#[cfg(target_os = "linux")]
fn completed(words: &[&str]) -> Vec<String> {
    const ASK: &str = r#"source "$1"; shift
COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); COMPREPLY=()
_stampede "$1" "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
complete -p stampede >&2
printf '%s\n' "${COMPREPLY[@]}""#;
    let script = stampede(&["completions", "bash"]).code(0).out;
    let folder = Folder::with("stampede.bash", script);
    let mut bash = std::process::Command::new("bash");
    bash.args(["--norc", "-c", ASK, "bash", "stampede.bash", "stampede"]);
    let output = bash.args(words).current_dir(&folder.path).output();
    let ran = crate::stampede::Ran::from(output.expect("bash starts")).code(0);
    // What is none of its words bash looks for among files.
    assert!(ran.err.contains("-F _stampede") && ran.err.contains("-o default"));
    ran.out.lines().map(str::to_owned).collect()
}

#[cfg(target_os = "linux")]
#[test]
fn bash_completes() {
    for (words, found) in [
        (&["re"][..], &["remedy", "replay", "report"][..]),
        (&["run", "--se"], &["--seed", "--set"]),
        (&["run", "--format", ""], &["text", "json", "csv"]),
        (&["sweep", "me"], &["merge"]),
        (&["list", "polic"], &["policies"]),
        (&["man", "--ou"], &["--output"]),
    ] {
        let mut answer = completed(words);
        answer.sort();
        let mut found = found.to_vec();
        found.sort_unstable();
        assert_eq!(answer, found, "{words:?}");
    }
}
