//! The layers of the library: modules import only what stands below them.
//!
//! Read from the sources themselves, so that a new module without a place, or an import that points
//! up, fails here with the line to look at. Tests may import what they like.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Every module at the top of the library, from below to above. Those of one layer do not know
/// each other either.
const LAYERS: &[(&str, &[&str])] = &[
    (
        "numbers and closed lists",
        &[
            "date", "draws", "ids", "machine", "outcome", "text", "time", "verdict",
        ],
    ),
    ("counts by size", &["histogram"]),
    ("what may be said of figures", &["statistics"]),
    (
        "what is told, and what all extension rows have in common",
        &["event_log", "extension"],
    ),
    ("laws of times", &["distribution"]),
    (
        "extension rows",
        &[
            "arrival",
            "autoscaler",
            "connection",
            "crash",
            "discipline",
            "fault",
            "key",
            "guard",
            "health",
            "policy",
            "profile",
            "restart",
            "retry",
        ],
    ),
    ("programs, by the rows that they stand for", &["dialect"]),
    ("what is measured", &["metric", "series"]),
    ("rules over what is measured", &["alert_rule"]),
    ("how figures are read", &["readable"]),
    ("the valid system", &["model"]),
    ("what it asks for, before a run", &["load"]),
    ("whether and when it is steady", &["steady"]),
    // Text in, model out: a scenario knows no engine, an engine no scenario.
    ("text, and counters", &["record", "scenario"]),
    ("events, and scenarios by name", &["engine", "library"]),
    ("what forks need", &["edit", "frames"]),
    ("figures of a run", &["summary"]),
    ("closed forms", &["theory"]),
    ("many runs", &["experiment"]),
    (
        "theory against simulation, and what is dangerous",
        &["doctor", "verify"],
    ),
    ("what mends", &["remedy"]),
    ("what is drawn and written", &["export", "plot"]),
    ("what is handed out", &["reference", "report"]),
    ("what programs that embed it need most often", &["prelude"]),
];

/// How high a module stands.
fn height(module: &str) -> Option<usize> {
    LAYERS.iter().position(|(_, names)| names.contains(&module))
}

fn sources() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// Every source file below a folder, with its text.
fn files(folder: &Path, found: &mut Vec<(PathBuf, String)>) {
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .expect("a readable folder")
        .map(|entry| entry.expect("a readable entry").path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            files(&path, found);
        } else if path.extension().is_some_and(|ending| ending == "rs") {
            let text = fs::read_to_string(&path).expect("a text");
            let within = path.strip_prefix(sources()).expect("a source").to_owned();
            found.push((within, text));
        }
    }
}

/// The module that a file is: `record/mod.rs` and `record.rs` are `["record"]`.
fn module_of(file: &Path) -> Vec<String> {
    let mut words: Vec<String> = file
        .with_extension("")
        .iter()
        .map(|word| word.to_string_lossy().into_owned())
        .collect();
    if words.last().is_some_and(|word| word == "mod") {
        words.pop();
    }
    words
}

/// The lines of a source that the library is built from, with their numbers; and the modules in
/// other files that only tests have.
fn built(source: &str) -> (Vec<(usize, &str)>, Vec<&str>) {
    let (mut lines, mut test_modules) = (Vec::new(), Vec::new());
    let mut all = source.lines().zip(1..).map(|(line, at)| (at, line));
    while let Some((at, line)) = all.next() {
        if line.trim_start().starts_with("//") {
            continue;
        }
        if line.trim() != "#[cfg(test)]" {
            lines.push((at, line));
            continue;
        }
        // What follows is a test's: to the end of its block, or of its line.
        let indent = line.len() - line.trim_start().len();
        let mut item = all.next();
        while let Some((_, line)) = item
            && line.trim_start().starts_with('#')
        {
            item = all.next();
        }
        let Some((_, head)) = item else { break };
        if head.trim_end().ends_with('{') {
            let closing = format!("{}}}", " ".repeat(indent));
            all.by_ref().find(|(_, line)| *line == closing);
        } else if !head.trim_end().ends_with(';') {
            all.by_ref()
                .find(|(_, line)| line.trim_end().ends_with(';'));
        } else if let Some((_, name)) = head.split_once("mod ") {
            test_modules.push(name.trim_end_matches(';'));
        }
    }
    (lines, test_modules)
}

/// The modules at the top of the library that a file names, each with the line.
fn named(module: &[String], lines: &[(usize, &str)]) -> Vec<(usize, String)> {
    // From here on `super::super::x` means the same as `crate::x`.
    let root = "super::".repeat(module.len());
    let mut found = Vec::new();
    let text: String = lines.iter().flat_map(|(_, line)| [*line, "\n"]).collect();
    let number = |place: usize| lines[text[..place].matches('\n').count()].0;
    for start in ["crate::", &root] {
        for (place, _) in text.match_indices(start) {
            let before = text[..place].chars().next_back();
            if before.is_some_and(|c| c.is_alphanumeric() || c == '_' || c == ':') {
                continue;
            }
            let rest = &text[place + start.len()..];
            for (offset, name) in heads(rest) {
                found.push((number(place + start.len() + offset), name.to_owned()));
            }
        }
    }
    found
}

/// The first word of a path, or of each path in `{a::b, c::{d, e}}`, with its place.
fn heads(path: &str) -> Vec<(usize, &str)> {
    let word = |from: usize| {
        let rest = &path[from..];
        let end = rest
            .find(|c: char| !c.is_alphanumeric() && c != '_')
            .unwrap_or(rest.len());
        (end > 0).then(|| (from, &rest[..end]))
    };
    if !path.starts_with('{') {
        return word(0).into_iter().collect();
    }
    let (mut found, mut depth) = (Vec::new(), 0);
    for (at, sign) in path.char_indices() {
        depth += i32::from(sign == '{') - i32::from(sign == '}');
        if depth == 0 {
            break;
        }
        if depth == 1 && (sign == '{' || sign == ',') {
            let next = path[at + 1..].find(|c: char| !c.is_whitespace());
            found.extend(next.and_then(|skip| word(at + 1 + skip)));
        }
    }
    found
}

/// What is wrong with the imports of a file.
fn complaints(file: &Path, source: &str) -> Vec<String> {
    let module = module_of(file);
    let own = module[0].as_str();
    let Some(stands) = height(own) else {
        return vec![format!("{own} has no layer: {}", file.display())];
    };
    let (lines, _) = built(source);
    let mut found = Vec::new();
    for (line, name) in named(&module, &lines) {
        let place = format!("{}:{line}", file.display());
        // Without a height it is a macro, or something at the root itself.
        let Some(other) = height(&name).filter(|_| name != own) else {
            continue;
        };
        if other > stands {
            found.push(format!(
                "{own} imports {name}, which stands above it: {place}"
            ));
        } else if other == stands {
            found.push(format!(
                "{own} imports {name}, which stands beside it: {place}"
            ));
        }
    }
    found
}

#[test]
fn imports_point_down() {
    let mut all = Vec::new();
    files(&sources(), &mut all);
    let mut tests_only: BTreeSet<Vec<String>> = BTreeSet::new();
    for (file, source) in &all {
        let module = module_of(file);
        for name in built(source).1 {
            let mut module = module.clone();
            module.push(name.to_owned());
            tests_only.insert(module);
        }
    }
    let is_test = |file: &Path| tests_only.iter().any(|t| module_of(file).starts_with(t));
    let found: Vec<String> = all
        .iter()
        .filter(|(file, _)| *file != Path::new("lib.rs") && !is_test(file))
        .flat_map(|(file, source)| complaints(file, source))
        .collect();
    assert!(found.is_empty(), "{}", found.join("\n"));
}

#[test]
fn every_module_has_one_layer() {
    let lib = fs::read_to_string(sources().join("lib.rs")).expect("a text");
    let mut declared: Vec<&str> = lib
        .lines()
        .filter_map(|line| line.trim_start_matches("pub ").strip_prefix("mod "))
        .map(|name| name.trim_end_matches(';'))
        .collect();
    declared.sort_unstable();
    let mut placed: Vec<&str> = LAYERS
        .iter()
        .flat_map(|(_, names)| *names)
        .copied()
        .collect();
    placed.sort_unstable();
    assert_eq!(placed, declared);
}

#[test]
fn an_import_that_points_up_is_found_however_it_is_written() {
    let check = |file: &str, source: &str| complaints(Path::new(file), source);
    let up = "metric imports engine, which stands above it: metric/made_up.rs:2";
    for source in [
        "\nuse crate::engine::Simulation;",
        "\nfn of(simulation: &crate::engine::Simulation) {}",
        "use crate::time::Instant;\nuse super::super::engine;",
        "use crate::{time::{self, Instant},\nengine::Simulation};",
    ] {
        assert_eq!(check("metric/made_up.rs", source), [up], "{source}");
    }
    assert_eq!(
        check("policy/made_up.rs", "use crate::retry::RetryDef;"),
        ["policy imports retry, which stands beside it: policy/made_up.rs:1"]
    );
    assert_eq!(
        check("nowhere.rs", ""),
        ["nowhere has no layer: nowhere.rs"]
    );
    for allowed in [
        "use crate::histogram::bucket;",
        "use crate::metric::Scope;",
        "use super::engine;",
        "// use crate::engine::Simulation;",
        "#[cfg(test)]\nmod tests {\n    use crate::engine::Simulation;\n}\n",
    ] {
        let none: [&str; 0] = [];
        assert_eq!(check("metric/made_up.rs", allowed), none, "{allowed}");
    }
}
