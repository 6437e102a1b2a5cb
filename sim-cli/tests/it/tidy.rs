//! The house style, as far as a machine can see it.

use std::fs;
use std::path::{Path, PathBuf};

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Every file below `folder` with one of these endings.
fn files(folder: &Path, endings: &[&str]) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let Ok(entries) = fs::read_dir(folder) else {
        return found;
    };
    for entry in entries {
        let path = entry.expect("a readable folder").path();
        let name = path
            .file_name()
            .unwrap_or_default()
            .to_string_lossy()
            .into_owned();
        if path.is_dir() && !name.starts_with('.') && name != "target" {
            found.extend(files(&path, endings));
        } else if endings
            .iter()
            .any(|ending| path.extension().is_some_and(|e| e == *ending))
        {
            found.push(path);
        }
    }
    found.sort();
    found
}

fn text(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

#[test]
fn sources_are_finished_and_introduced() {
    let mut complaints = Vec::new();
    for path in files(&root(), &["rs"]) {
        let source = text(&path);
        let name = path.display();
        if !source.starts_with("//") {
            complaints.push(format!("{name} does not say what it is for"));
        }
        for unfinished in [
            concat!("to", "do!("),
            concat!("unimple", "mented!("),
            concat!("d", "bg!("),
            concat!("FIX", "ME"),
            concat!("XX", "X"),
        ] {
            if source.contains(unfinished) {
                complaints.push(format!("{name} holds {unfinished}"));
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

#[test]
fn nothing_refers_to_the_machine_it_was_written_on() {
    let mut complaints = Vec::new();
    for path in files(
        &root(),
        &["rs", "toml", "md", "yml", "yaml", "json", "html"],
    ) {
        let source = text(&path);
        for private in [
            concat!("/wo", "rk/"),
            concat!("/ho", "me/"),
            concat!("/ro", "ot/"),
        ] {
            if source.contains(private) {
                complaints.push(format!("{} holds {private}", path.display()));
            }
        }
    }
    assert!(complaints.is_empty(), "{complaints:#?}");
}

/// One module touches the disk: there inputs are remembered and faults injected.
#[test]
fn the_command_touches_files_in_one_place() {
    for path in files(&root().join("sim-cli/src"), &["rs"]) {
        let text = text(&path);
        let code = text.split("#[cfg(test)]").next().unwrap_or(&text);
        let found = code.lines().find(|line| line.contains("std::fs"));
        // Tests may read what they compare with.
        let here = path.ends_with("src/files.rs") || path.ends_with("tests.rs");
        assert!(here || found.is_none(), "{}: {found:?}", path.display());
    }
}

#[test]
fn every_dependency_has_a_reason() {
    let mut complaints = Vec::new();
    for path in files(&root(), &["toml"])
        .iter()
        .filter(|path| path.ends_with("Cargo.toml"))
    {
        let manifest = text(path);
        let (mut within, mut reasoned) = (false, false);
        for line in manifest.lines() {
            if line.starts_with('[') {
                within = line.contains("dependencies") && !line.contains("workspace");
                reasoned = line.starts_with("[target");
            } else if line.starts_with('#') {
                reasoned = true;
            } else if line.is_empty() {
                reasoned = false;
            } else if within
                && !reasoned
                && line.contains('=')
                && !line.contains("workspace = true")
            {
                complaints.push(format!("{}: {line}", path.display()));
            }
        }
    }
    assert!(
        complaints.is_empty(),
        "without a comment that says why: {complaints:#?}"
    );
}

#[test]
fn dependencies_point_one_way() {
    let uses = |krate: &str, other: &str| {
        text(&root().join(krate).join("Cargo.toml"))
            .lines()
            .any(|line| line.starts_with(other))
    };
    for other in ["sim-cli", "sim-gui", "clap", "egui", "criterion", "rayon"] {
        assert!(
            !uses("sim-core", other),
            "the library must not know {other}"
        );
    }
    assert!(!uses("sim-cli", "sim-gui") && !uses("sim-gui", "sim-cli"));
    assert!(!uses("sim-alert", "sim-core") && !uses("sim-alert", "sim-import"));
    assert!(!uses("sim-core", "sim-yaml") && !uses("sim-core", "sim-import"));
    assert!(!uses("sim-yaml", "sim-"));
    for krate in ["sim-core", "sim-alert", "sim-import", "sim-cli"] {
        assert!(!uses(krate, "saphyr"), "YAML is read by sim-yaml alone");
    }
    assert!(!uses("sim-import", "sim-cli"));
    for front_end in ["egui", "eframe", "criterion"] {
        assert!(
            !uses("sim-cli", front_end),
            "building the command must not build {front_end}"
        );
    }
}

#[test]
fn the_front_door_is_there() {
    for file in ["ARCHITECTURE.md", "CHANGELOG.md"] {
        assert!(root().join(file).is_file(), "{file} is missing");
    }
}
