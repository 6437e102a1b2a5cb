//! What releases are made from: the changelog keeps its shape, and what has to agree agrees.

use std::fs;
use std::path::Path;

fn read(name: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("..").join(name);
    fs::read_to_string(&path).unwrap_or_else(|why| panic!("{}: {why}", path.display()))
}

/// Kinds of changes, in the order of Keep a Changelog.
const KINDS: [&str; 6] = [
    "Added",
    "Changed",
    "Deprecated",
    "Removed",
    "Fixed",
    "Security",
];

/// The numbers of a version such as `0.1.0`.
fn numbers(version: &str) -> Result<[u64; 3], String> {
    let numbers = version
        .split('.')
        .map(str::parse)
        .collect::<Result<Vec<_>, _>>();
    let numbers = numbers.ok().and_then(|numbers| numbers.try_into().ok());
    numbers.ok_or(format!("{version:?} is no version"))
}

/// The version, if any, and when it was released, of a heading such as `[0.1.0] - 2026-11-30`.
fn heading(text: &str) -> Result<Option<[u64; 3]>, String> {
    if text == "[Unreleased]" {
        return Ok(None);
    }
    let wrong =
        || format!("{text:?} is not [Unreleased], [X.Y.Z] - unreleased or [X.Y.Z] - YYYY-MM-DD");
    let (version, when) = text.split_once(" - ").ok_or_else(wrong)?;
    let version = version
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'));
    let shape: String = when
        .chars()
        .map(|letter| if letter.is_ascii_digit() { '9' } else { letter })
        .collect();
    if when != "unreleased" && shape != "9999-99-99" {
        return Err(wrong());
    }
    numbers(version.ok_or_else(wrong)?).map(Some)
}

/// Looks at a changelog: the versions it has, newest first; or what is wrong with it.
fn versions(changelog: &str) -> Result<Vec<[u64; 3]>, String> {
    let mut sections = changelog.split("\n## ");
    if !sections
        .next()
        .is_some_and(|head| head.starts_with("# Changelog\n"))
    {
        return Err("it does not begin with `# Changelog`".to_owned());
    }
    let mut found: Vec<[u64; 3]> = Vec::new();
    for (number, section) in sections.enumerate() {
        let (title, body) = section.split_once('\n').unwrap_or((section, ""));
        match heading(title)? {
            None if number > 0 => return Err("[Unreleased] does not come first".to_owned()),
            None => {}
            Some(version) if found.last().is_some_and(|newer| *newer <= version) => {
                return Err(format!("{title:?} is not older than what is above it"));
            }
            Some(version) => found.push(version),
        }
        let mut kinds = body.split("\n### ");
        if let Some(stray) = kinds.next().filter(|before| !before.trim().is_empty()) {
            return Err(format!("{title}: {:?} belongs to no kind", stray.trim()));
        }
        let mut last = None;
        for kind in kinds {
            let (name, entries) = kind.split_once('\n').unwrap_or((kind, ""));
            let place = KINDS.iter().position(|known| *known == name);
            if place.is_none() || place <= last {
                return Err(format!(
                    "{title}: {name:?} is unknown, doubled or out of order"
                ));
            }
            last = place;
            let mut lines = entries.lines().filter(|line| !line.is_empty()).peekable();
            if !lines.peek().is_some_and(|first| first.starts_with("- ")) {
                return Err(format!("{title}: nothing is {name}"));
            }
            if let Some(line) =
                lines.find(|line| !line.starts_with("- ") && !line.starts_with("  "))
            {
                return Err(format!(
                    "{title}, {name}: {line:?} is neither an entry nor within one"
                ));
            }
        }
    }
    Ok(found)
}

/// A quoted value of a manifest: the first line that has it.
fn value<'a>(manifest: &'a str, key: &str) -> &'a str {
    let start = format!("{key} = \"");
    let line = manifest.lines().find_map(|line| line.strip_prefix(&start));
    line.and_then(|rest| rest.strip_suffix('"'))
        .unwrap_or_else(|| panic!("no {key}"))
}

#[test]
fn the_changelog_can_be_cut_into_notes() {
    let found = versions(&read("CHANGELOG.md")).expect("its shape");
    let own = numbers(env!("CARGO_PKG_VERSION")).expect("a version");
    assert_eq!(
        found.first(),
        Some(&own),
        "the newest is not that of Cargo.toml"
    );
}

#[test]
fn a_changelog_out_of_shape_is_noticed() {
    let good = "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2026-01-31\n\n### Added\n\n- A.\n  More.\n\n### Fixed\n\n- B.\n\n## [0.1.0] - unreleased\n\n### Added\n\n- C.\n";
    assert_eq!(versions(good), Ok(vec![[0, 2, 0], [0, 1, 0]]));
    for (from, to) in [
        ("# Changelog", "# Changes"),
        ("2026-01-31", "January"),
        ("[0.2.0]", "0.2.0"),
        ("[0.2.0]", "[0.0.9]"),
        ("[0.1.0] - unreleased", "[Unreleased]"),
        ("### Fixed", "### Mended"),
        ("### Fixed", "### Added"),
        ("- C.\n", ""),
        ("  More.", "More."),
        ("### Added\n\n- A", "Some.\n\n### Added\n\n- A"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good);
        assert!(versions(&bad).is_err(), "{bad}");
    }
}

#[test]
fn everything_is_of_one_version() {
    let workspace = read("Cargo.toml");
    let python = read("sim-python/Cargo.toml");
    for key in ["version", "rust-version", "edition", "license"] {
        assert_eq!(
            value(&python, key),
            value(&workspace, key),
            "{key} of the Python package"
        );
    }
    let container = read("Containerfile");
    let rust = format!(
        "\nFROM docker.io/library/rust:{}-slim-",
        value(&workspace, "rust-version")
    );
    assert!(
        container.contains(&rust),
        "the container is built with another Rust"
    );
    // Both stages are of one release of Debian, so that what is linked in one is there in the other.
    let bases = container
        .lines()
        .filter_map(|line| line.strip_prefix("FROM "));
    let releases = bases.map(|base| {
        ["bookworm", "trixie"]
            .into_iter()
            .find(|name| base.contains(name))
    });
    let releases: Vec<_> = releases.collect();
    assert!(
        releases.len() == 2 && releases[0].is_some() && releases[0] == releases[1],
        "{releases:?}"
    );
}
