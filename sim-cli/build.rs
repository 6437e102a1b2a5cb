//! Embeds the models, so that `stampede run incident` works anywhere, and what `stampede --version --verbose` tells.

#[path = "../models/embed.rs"]
mod embed;

use std::env;
use std::path::Path;
use std::process::Command;

/// What the command is built from, beside the models, which `embed` watches.
const BUILT_FROM: [&str; 15] = [
    "../Cargo.lock",
    "../Cargo.toml",
    "../sim-yaml/Cargo.toml",
    "../sim-core/Cargo.toml",
    "../sim-alert/Cargo.toml",
    "../sim-import/Cargo.toml",
    "../sim-playback/Cargo.toml",
    "Cargo.toml",
    "build.rs",
    "../sim-yaml/src",
    "../sim-core/src",
    "../sim-alert/src",
    "../sim-import/src",
    "../sim-playback/src",
    "src",
];
/// The commit, for builds without a repository: packages and containers set it.
const COMMIT: &str = "STAMPEDE_COMMIT";

fn main() -> std::io::Result<()> {
    let of_cargo = |name: &str| env::var(name).unwrap_or_else(|_| "unknown".to_owned());
    let profile = of_cargo("PROFILE");
    let compiler = said(&of_cargo("RUSTC"), &["--version"]);
    for (name, value) in [
        ("COMMIT", commit(&profile)),
        ("TARGET", of_cargo("TARGET")),
        ("COMPILER", compiler.unwrap_or_else(|| "unknown".to_owned())),
        ("PROFILE", profile),
    ] {
        println!("cargo::rustc-env=STAMPEDE_{name}={value}");
    }
    embed::embed(Path::new("../models"))
}

/// The commit that the sources are, where anybody knows.
fn commit(profile: &str) -> String {
    println!("cargo::rerun-if-env-changed={COMMIT}");
    // It watches more than cargo would by itself, so it has to watch this, too.
    println!("cargo::rerun-if-changed=build.rs");
    if let Some(given) = env::var(COMMIT).ok().filter(|given| !given.is_empty()) {
        return given;
    }
    // Every commit would build everything that is tested anew.
    if profile != "release" {
        return format!("not looked for in a {profile} build");
    }
    let git = |words: &[&str]| said("git", words);
    // A clone within another repository is none of ours.
    let ours = git(&["ls-files", "--error-unmatch", "build.rs"]).is_some();
    let (true, Some(commit)) = (ours, git(&["rev-parse", "HEAD"])) else {
        return "unknown".to_owned();
    };
    // What is not there would be taken for changed each time.
    let log = git(&["rev-parse", "--git-path", "logs/HEAD"]);
    if let Some(log) = log.filter(|log| Path::new(log).exists()) {
        println!("cargo::rerun-if-changed={log}");
    }
    for path in BUILT_FROM {
        println!("cargo::rerun-if-changed={path}");
    }
    let mut changed = vec!["diff", "--quiet", "HEAD", "--", "../models"];
    changed.extend(BUILT_FROM);
    match git(&changed) {
        Some(_) => commit,
        None => format!("{commit}, changed since"),
    }
}

/// What a program says in one line, if it is there and content.
fn said(program: &str, words: &[&str]) -> Option<String> {
    let output = Command::new(program).args(words).output().ok()?;
    let text = String::from_utf8(output.stdout).ok()?;
    let line = text.lines().next().unwrap_or("").trim().to_owned();
    output.status.success().then_some(line)
}
