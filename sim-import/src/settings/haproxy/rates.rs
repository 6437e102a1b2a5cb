//! Rules that turn away whoever comes too often: tables of counters, as guards of the ways they stand at.

use super::sections::Section;
use super::units::time;
use super::ways::{Term, acl, condition};
use super::words::Line;
use crate::settings::system::{Kind, Place, System};
use crate::settings::units::size;

/// A rule as a guard.
#[derive(Clone)]
pub(super) struct Guard {
    pub text: String,
    pub place: Place,
}

/// What a rule asks a counter.
struct Asked {
    /// What is counted: `http_req_rate`, `conn_rate`, `conn_cur`.
    measure: String,
    table: Option<String>,
    /// The most that passes.
    limit: u64,
}

/// The rules of a section that can be said; lines that were read are `said`.
pub(super) fn guards(
    section: &Section,
    all: &[Section],
    said: &mut Vec<Place>,
    system: &mut System,
) -> Vec<Guard> {
    let mut found = Vec::new();
    for (index, line) in section
        .lines()
        .enumerate()
        .filter(|(_, line)| turns_away(line))
    {
        let Some((asked, acls)) = asked(line, section) else {
            continue;
        };
        let Some(table) = table(section, all, asked.table.as_deref()) else {
            let why = "its table is not in these files";
            system.remark(Kind::Missing, &line.place, line.text(), why);
            said.push(line.place.clone());
            continue;
        };
        let Some(text) = guard(&asked, table, section, index) else {
            continue;
        };
        said.push(line.place.clone());
        said.extend(acls);
        let tracks = section.lines().filter(|line| tracks(line));
        said.extend(tracks.map(|line| line.place.clone()));
        found.push(Guard {
            text,
            place: line.place.clone(),
        });
    }
    found
}

/// Whether a line turns requests or connections away.
fn turns_away(line: &Line) -> bool {
    let action = match line.word(0) {
        "http-request" => line.word(1),
        "tcp-request" => line.word(2),
        "block" => return true,
        _ => return false,
    };
    matches!(action, "deny" | "reject" | "silent-drop" | "tarpit")
}

fn tracks(line: &Line) -> bool {
    let action = match line.word(0) {
        "http-request" => line.word(1),
        "tcp-request" => line.word(2),
        _ => return false,
    };
    action.starts_with("track-sc")
}

/// The one comparison that a rule makes, with the places of its `acl`.
fn asked(line: &Line, section: &Section) -> Option<(Asked, Vec<Place>)> {
    let (terms, false) = condition(line)? else {
        return None;
    };
    match terms.as_slice() {
        [
            Term::Inside {
                words,
                negated: false,
            },
        ] => Some((comparison(words)?, Vec::new())),
        [
            Term::Named {
                name,
                negated: false,
            },
        ] => match acl(section, name).as_slice() {
            [acl] => Some((comparison(acl.from(2))?, vec![acl.place.clone()])),
            _ => None,
        },
        _ => None,
    }
}

/// `sc_http_req_rate(0) gt 20`, and the other ways to say it.
fn comparison(words: &[String]) -> Option<Asked> {
    // `-m int` says what is compared anyway.
    let words: Vec<&str> = words
        .iter()
        .map(String::as_str)
        .filter(|word| !matches!(*word, "-m" | "int"))
        .collect();
    let (&fetch, rest) = words.split_first()?;
    let limit = match rest {
        ["gt", limit] => limit.parse::<u64>().ok()?,
        ["ge", limit] => limit.parse::<u64>().ok()?.checked_sub(1)?,
        _ => return None,
    };
    // What is behind the last comma outside of parentheses looks something up.
    let (name, inside) = match fetch.rsplit_once(",table_") {
        Some((_, converter)) => converter.split_once('(')?,
        None => fetch.split_once('(').unwrap_or((fetch, "")),
    };
    let measure = ["http_req_rate", "conn_rate", "sess_rate", "conn_cur"];
    let measure = measure
        .into_iter()
        .find(|measure| name.ends_with(measure))?;
    let before = name.strip_suffix(measure)?.trim_end_matches('_');
    if !matches!(before, "" | "src" | "sc" | "sc0" | "sc1" | "sc2") {
        return None;
    }
    let mut inside = inside.trim_end_matches(')').split(',').map(str::trim);
    let table = inside.rfind(|part| !part.is_empty() && part.parse::<u32>().is_err());
    Some(Asked {
        measure: measure.to_owned(),
        table: table.map(str::to_owned),
        limit,
    })
}

/// The table that a rule counts in: the one it names, that which is tracked, or the section's own.
fn table<'s>(section: &'s Section, all: &'s [Section], named: Option<&str>) -> Option<&'s Line> {
    let tracked = section
        .lines()
        .filter(|line| tracks(line))
        .find_map(|line| {
            let at = line.words.iter().position(|word| word == "table")?;
            Some(line.word(at + 1))
        });
    match named.or(tracked) {
        Some(name) => {
            let mut own = all
                .iter()
                .filter(|other| other.name == name && other.kind != "defaults");
            own.find_map(|other| other.last("stick-table"))
        }
        None => section.last("stick-table"),
    }
}

fn guard(asked: &Asked, table: &Line, section: &Section, rule: usize) -> Option<String> {
    let after = |name: &str| {
        let at = table.words.iter().position(|word| word == name)?;
        Some(table.word(at + 1))
    };
    let keys = after("size").and_then(size).map_or(String::new(), |keys| {
        format!(", keys = {}", keys.clamp(1, 10_000_000))
    });
    if asked.measure == "conn_cur" {
        let limit = asked.limit.clamp(1, 65_535);
        return Some(format!(
            "{{ kind = \"limit-conn\", limit = {limit}, by = \"key\", shared = true }}"
        ));
    }
    // Connections are requests only where it balances them.
    if asked.measure != "http_req_rate" && section.is_http() {
        return None;
    }
    let stored = table.words.iter().flat_map(|word| word.split(','));
    let mut period = stored.filter_map(|word| {
        let inside = word
            .strip_prefix(asked.measure.as_str())?
            .strip_prefix('(')?;
        time(inside.strip_suffix(')')?)
    });
    let period = period.next().filter(|period| period.0 >= 1_000_000)?;
    // Who is denied counts where counting comes first.
    let tracked = section.lines().position(tracks);
    let counts = match tracked {
        Some(at) if at > rule => ", counts = \"passed\"",
        _ => "",
    };
    Some(format!(
        "{{ kind = \"rate-counter\", limit = {}, period = \"{period}\", by = \"key\"{keys}{counts}, shared = true }}",
        asked.limit.min(4_000_000_000)
    ))
}

#[cfg(test)]
mod tests {
    use super::super::sections::sections;
    use super::super::words::{Lacking, lines};
    use super::*;

    fn read(text: &str) -> (Vec<String>, usize) {
        let mut system = System::default();
        let all = lines(text, &"t".into(), &|_| None, &mut Lacking::default()).expect("valid");
        let sections = sections(all, &mut system).expect("valid");
        let mut said = Vec::new();
        let found = guards(
            sections.last().expect("one"),
            &sections,
            &mut said,
            &mut system,
        );
        (
            found.into_iter().map(|guard| guard.text).collect(),
            said.len(),
        )
    }

    #[test]
    fn counters_are_guards() {
        let table =
            "backend t\n stick-table type ip size 1k expire 1m store http_req_rate(5s),conn_cur\n";
        let (found, said) = read(&format!(
            "{table}frontend f\n mode http\n acl fast sc_http_req_rate(0) ge 21\n http-request track-sc0 src table t\n\
             http-request deny deny_status 429 if fast\n http-request deny if {{ src,table_conn_cur(t) gt 9 }}\n"
        ));
        assert_eq!(
            found,
            [
                "{ kind = \"rate-counter\", limit = 20, period = \"5s\", by = \"key\", keys = 1024, shared = true }",
                "{ kind = \"limit-conn\", limit = 9, by = \"key\", shared = true }",
            ]
        );
        assert_eq!(said, 5);
        let (found, _) = read(&format!(
            "{table}frontend f\n mode http\n http-request deny if {{ src_http_req_rate(t) gt 3 }}\n http-request track-sc0 src table t\n"
        ));
        assert!(found[0].contains("counts = \"passed\""), "{found:?}");
    }

    #[test]
    fn what_asks_for_more_is_no_guard() {
        for rule in [
            "http-request deny if { sc_http_req_rate(0) gt 20 } !friend",
            "http-request deny if { path /x }",
            "http-request deny unless { sc_http_req_rate(0) gt 20 }",
            "http-request deny if { sc_http_err_rate(0) gt 20 }",
            "http-request deny",
        ] {
            let text = format!(
                "frontend f\n mode http\n stick-table type ip size 1k store http_req_rate(5s)\n {rule}\n"
            );
            assert_eq!(read(&text), (Vec::new(), 0), "{rule}");
        }
    }
}
