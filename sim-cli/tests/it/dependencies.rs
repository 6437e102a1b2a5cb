//! What the program is put together from: nothing comes in unseen, and how much it is stands in
//! ARCHITECTURE.md.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// A quoted value of a line such as `name = "serde"`.
fn value<'a>(line: &'a str, key: &str) -> Option<&'a str> {
    let rest = line.strip_prefix(key)?.strip_prefix(" = \"")?;
    rest.strip_suffix('"')
}

/// What is built from packages of elsewhere: the workspace, and the Python package, which is one of its own.
const LOCKS: [&str; 2] = ["Cargo.lock", "sim-python/Cargo.lock"];

/// Name and version of every package of a lock that comes from elsewhere.
fn locked(lock: &str) -> BTreeSet<(String, String)> {
    let lock = read(lock);
    let packages = lock.split("[[package]]").skip(1);
    let found = packages.filter_map(|package| {
        let of = |key| package.lines().find_map(|line| value(line, key));
        let (name, version) = (of("name")?, of("version")?);
        let source = of("source")?;
        assert_eq!(
            source, "registry+https://github.com/rust-lang/crates.io-index",
            "{name} comes from {source}"
        );
        assert!(of("checksum").is_some(), "{name} has no checksum");
        Some((name.to_owned(), version.to_owned()))
    });
    found.collect()
}

/// Name and version, and licence, of every package that somebody looked at.
fn looked_at() -> BTreeMap<(String, String), String> {
    let list = read(".ci/dependencies.txt");
    let lines = list.lines().filter(|line| !line.starts_with('#'));
    let rows = lines.map(|line| {
        let mut words = line.splitn(3, ' ').map(str::to_owned);
        let mut word = || {
            words
                .next()
                .unwrap_or_else(|| panic!("{line:?} has three words"))
        };
        ((word(), word()), word())
    });
    rows.collect()
}

#[test]
fn every_package_was_looked_at() {
    let locked: BTreeSet<_> = LOCKS.into_iter().flat_map(locked).collect();
    let listed = looked_at();
    let new = locked
        .iter()
        .filter(|package| !listed.contains_key(package));
    let gone = listed.keys().filter(|package| !locked.contains(package));
    let differ: Vec<_> = new.chain(gone).collect();
    assert!(
        differ.is_empty(),
        "{LOCKS:?} and .ci/dependencies.txt differ by {differ:?}; `.ci/dependencies` writes it anew"
    );
}

#[test]
fn every_licence_is_allowed() {
    let deny = read("deny.toml");
    let allow = deny
        .split("allow = [")
        .nth(1)
        .and_then(|rest| rest.split(']').next());
    let allowed: BTreeSet<&str> = allow
        .expect("a list of licences")
        .split(',')
        .map(|word| word.trim().trim_matches('"'))
        .filter(|word| !word.is_empty())
        .collect();
    assert!(allowed.contains("MIT") && allowed.len() > 5, "{allowed:?}");
    for ((name, version), licence) in looked_at() {
        assert!(
            allows(&licence, &allowed),
            "{name} {version} is under {licence}"
        );
    }
}

/// Whether a licence expression can be met with what is allowed: `(A OR B) AND C WITH D`.
fn allows(expression: &str, allowed: &BTreeSet<&str>) -> bool {
    let expression = expression.trim();
    // Words outside brackets: what binds least is split first.
    for (word, any) in [(" OR ", true), ("/", true), (" AND ", false)] {
        let parts = outside_brackets(expression, word);
        if parts.len() > 1 {
            let mut parts = parts.into_iter().map(|part| allows(part, allowed));
            return if any {
                parts.any(|ok| ok)
            } else {
                parts.all(|ok| ok)
            };
        }
    }
    match expression
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'))
    {
        Some(inside) => allows(inside, allowed),
        None => allowed.contains(expression),
    }
}

/// The parts of a text between occurrences of `word` that are in no brackets.
fn outside_brackets<'a>(text: &'a str, word: &str) -> Vec<&'a str> {
    let (mut parts, mut from) = (Vec::new(), 0);
    for (at, _) in text.match_indices(word) {
        let before = &text[..at];
        if before.matches('(').count() == before.matches(')').count() {
            parts.push(&text[from..at]);
            from = at + word.len();
        }
    }
    parts.push(&text[from..]);
    parts
}

#[test]
fn licence_expressions_are_understood() {
    let allowed = BTreeSet::from(["MIT", "ISC", "Apache-2.0 WITH LLVM-exception"]);
    for (expression, ok) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("GPL-3.0-only OR MIT", true),
        ("GPL-3.0-only/MIT", true),
        ("GPL-3.0-only AND MIT", false),
        ("(GPL-3.0-only OR MIT) AND ISC", true),
        ("MIT OR GPL-3.0-only AND GPL-2.0-only", true),
        ("(MIT OR ISC) AND GPL-3.0-only", false),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("Apache-2.0", false),
        ("unknown", false),
    ] {
        assert_eq!(allows(expression, &allowed), ok, "{expression}");
    }
}

/// Packages from elsewhere that a program is built from, with what builds them.
fn built_from(package: &str) -> usize {
    let mut cargo = Command::new(env!("CARGO"));
    cargo.args(["tree", "--locked", "--offline", "--prefix", "none"]);
    cargo.args(["--edges", "normal,build", "--package", package]);
    let out = cargo
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("cargo runs");
    assert!(
        out.status.success(),
        "{}",
        String::from_utf8_lossy(&out.stderr)
    );
    let tree = String::from_utf8(out.stdout).expect("names are text");
    let lines = tree.lines().map(|line| {
        let mut words = line.split(' ');
        (words.next(), words.next())
    });
    let packages: BTreeSet<_> = lines.collect();
    packages
        .iter()
        .filter(|(name, _)| name.is_some_and(|name| !name.starts_with("sim-") && !name.is_empty()))
        .count()
}

/// The numbers are those of Linux; elsewhere the window stands on other libraries.
#[cfg(target_os = "linux")]
#[test]
fn the_number_of_dependencies_is_stated() {
    let locked = locked("Cargo.lock");
    let mut versions: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, _) in &locked {
        *versions.entry(name).or_default() += 1;
    }
    let several = versions.values().filter(|count| **count > 1).count();
    let sentence = format!(
        "the core is built from {} packages, the command from {}, the window from {}. `Cargo.lock` holds {}, for all platforms, tests and features, {several} of them in more than one version",
        built_from("sim-core"),
        built_from("sim-cli"),
        built_from("sim-gui"),
        versions.len()
    );
    let text = read("ARCHITECTURE.md").replace('\n', " ");
    assert!(
        text.contains(&sentence),
        "ARCHITECTURE.md should say: {sentence}"
    );
}
