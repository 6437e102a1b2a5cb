//! What mends, as a diff of the file in its own language: values that are written are replaced where they stand. What is not
//! written, or cannot be said in the file's language by changing a word, is listed for people's hands.

use crate::exit::Failure;
use crate::input;
use sim_core::doctor::{Finding, Places, mend};
use sim_core::scenario::{Source, outline};
use std::collections::BTreeMap;
use std::fmt::Write;

/// Lines around a change that are shown.
const AROUND: usize = 3;

/// The diff of all that matters.
pub(super) fn diff(
    found: &[Finding],
    scenario: &Source,
    places: &Places,
) -> Result<String, Failure> {
    let matters = found.iter().filter(|finding| finding.matters());
    let cure = matters.flat_map(|finding| &finding.doubt.cure);
    // What was read from settings is changed there, everything else in the scenario.
    let (settings, own): (Vec<_>, Vec<_>) = cure.partition(|(path, _)| {
        let place = places.of_path(path);
        place.is_some_and(|place| *place.file != *scenario.name)
    });
    let mended = mend(scenario, own);
    let mut texts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    let mut by_hand = mended.by_hand;
    let written = outline(scenario).unwrap_or_default();
    for (path, value) in settings {
        let own = written.iter().find(|written| written.path == *path);
        let done = match (own, places.of_path(path)) {
            (Some(own), Some(place)) => {
                let file = place.file.to_string();
                if !texts.contains_key(&file) {
                    let text = input::text(&file)?;
                    texts.insert(file.clone(), text.lines().map(str::to_owned).collect());
                }
                let lines = texts.get_mut(&file).expect("it was put there");
                let key = path.rsplit('.').next().unwrap_or_default();
                replace(lines, place.line, key, &own.value, value)
            }
            _ => false,
        };
        if !done {
            by_hand.push((path.clone(), value.clone()));
        }
    }
    let new: Vec<String> = mended.text.lines().map(str::to_owned).collect();
    let mut out = unified(&scenario.name, &scenario.text, &new);
    for (file, new) in &texts {
        out += &unified(file, &input::text(file)?, new);
    }
    let by_hand = by_hand.iter().map(|(path, value)| {
        let place = places.of_path(path);
        let place = place.map_or(String::new(), |place| format!("{place}: "));
        format!("{place}{path} = {value}")
    });
    let mut by_hand: Vec<String> = by_hand.collect();
    by_hand.sort();
    by_hand.dedup();
    for line in by_hand {
        let _ = writeln!(out, "# by hand: {line}");
    }
    Ok(out)
}

/// Puts a value in the place of another in a line of settings, where these write it as one word: `weight=100`,
/// `weight 100`, `max_conns=200`.
fn replace(lines: &mut [String], line: usize, key: &str, old: &str, new: &str) -> bool {
    let Some(text) = lines.get_mut(line.saturating_sub(1)) else {
        return false;
    };
    let names: &[&str] = match key {
        "max_connections" => &[
            "max_conns",
            "maxconn",
            "max_connections",
            "worker_connections",
        ],
        other => &[other],
    };
    let (old, new) = (old.trim_matches('"'), new.trim_matches('"'));
    for name in names {
        for between in ["=", " ", ": "] {
            let from = format!("{name}{between}{old}");
            // The whole word, so that 10 is not found in 100.
            let found = text.find(&from).filter(|at| {
                let next = text[at + from.len()..].chars().next();
                next.is_none_or(|c| !c.is_ascii_alphanumeric() && c != '.')
            });
            if let Some(at) = found {
                text.replace_range(at..at + from.len(), &format!("{name}{between}{new}"));
                return true;
            }
        }
    }
    false
}

/// A unified diff of texts with as many lines.
fn unified(name: &str, old: &str, new: &[String]) -> String {
    let old: Vec<&str> = old.lines().collect();
    let changed: Vec<usize> = (0..old.len().min(new.len()))
        .filter(|i| old[*i] != new[*i])
        .collect();
    if changed.is_empty() || old.len() != new.len() {
        return String::new();
    }
    // Whoever applies it is in the folder of a relative name, or in `/`.
    let name = name.trim_start_matches("./").trim_start_matches('/');
    let mut out = format!("--- a/{name}\n+++ b/{name}\n");
    let mut at = 0;
    while at < changed.len() {
        let first = changed[at];
        let mut last = first;
        while at + 1 < changed.len() && changed[at + 1] <= last + 2 * AROUND {
            at += 1;
            last = changed[at];
        }
        at += 1;
        let (from, to) = (
            first.saturating_sub(AROUND),
            (last + AROUND + 1).min(old.len()),
        );
        let _ = writeln!(out, "@@ -{0},{1} +{0},{1} @@", from + 1, to - from);
        let mut line = from;
        while line < to {
            if old[line] == new[line] {
                let _ = writeln!(out, " {}", old[line]);
                line += 1;
                continue;
            }
            let end = (line..to).find(|i| old[*i] == new[*i]).unwrap_or(to);
            for text in &old[line..end] {
                let _ = writeln!(out, "-{text}");
            }
            for text in &new[line..end] {
                let _ = writeln!(out, "+{text}");
            }
            line = end;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_of_settings_is_replaced_as_a_whole() {
        let mut lines = vec!["server a weight=100 max_conns=10;".to_owned()];
        assert!(!replace(&mut lines, 1, "weight", "10", "1"));
        assert!(replace(&mut lines, 1, "weight", "100", "1"));
        assert!(replace(&mut lines, 1, "max_connections", "10", "40"));
        assert_eq!(lines, ["server a weight=1 max_conns=40;"]);
        assert!(!replace(&mut lines, 9, "weight", "1", "2"));
    }

    #[test]
    fn a_diff_shows_what_is_around() {
        let old = "a\nb\nc\nd\ne\nf\ng\n";
        let new: Vec<String> = "a\nb\nc\nD\ne\nf\ng".lines().map(str::to_owned).collect();
        assert_eq!(
            unified("x", old, &new),
            "--- a/x\n+++ b/x\n@@ -1,7 +1,7 @@\n a\n b\n c\n-d\n+D\n e\n f\n g\n"
        );
    }
}
