//! What can be picked: paths that a scenario has, values of a path, and measures, all from the
//! tables of the core.

use sim_core::experiment::Measure;
use sim_core::metric::SUMMARY_PATHS;
use sim_core::model::{Asker, Model};
use sim_core::outcome::Outcome;
use sim_core::scenario::{KeyRow, keys, plug_tables};
use std::sync::OnceLock;

/// Something to pick.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Choice {
    /// What is written.
    pub text: String,
    /// What it means.
    pub about: String,
}

/// Servers of a service that are offered one by one; where there are more, only all of them.
const SERVERS: usize = 12;

/// Every key of a scenario, made once.
fn rows() -> &'static [KeyRow] {
    static ROWS: OnceLock<Vec<KeyRow>> = OnceLock::new();
    ROWS.get_or_init(keys)
}

/// Paths of a scenario that can be varied, those that are varied most first.
pub fn paths(model: &Model) -> Vec<Choice> {
    let mut found = Vec::new();
    for row in rows().iter().filter(|row| can_be_varied(row)) {
        for path in concrete(&row.path, model) {
            let about = row.about.clone();
            found.push(Choice { text: path, about });
        }
    }
    // Stable: within a group they stay as in the tables.
    found.sort_by_key(|choice| {
        let end = choice.text.rsplit('.').next().unwrap_or("");
        match end {
            "policy" => 0,
            "rate_factor" => 1,
            "rate" if choice.text.starts_with("traffic.") => 2,
            "workers" => 3,
            "timeout" | "retry" => 4,
            "discipline" | "weight" => 5,
            _ if choice.text.matches('.').count() > 5 => 7,
            _ => 6,
        }
    });
    found
}

/// Whether a key is a value of its own that makes a difference to what is simulated.
fn can_be_varied(row: &KeyRow) -> bool {
    let structure = [
        "title", "question", "clock", "base", "set", "seed", "name", "first", "like", "to", "class",
    ];
    let first = row.path.split('.').next().unwrap_or("");
    let last = row.path.rsplit('.').next().unwrap_or("");
    !structure.contains(&last)
        && !["timeline", "alert", "slo", "expect", "record", "limits"].contains(&first)
        && !row.kind.contains("table")
        // Parameters of a kind that may not be the one in use: they can be typed.
        && !row.about.starts_with("With `")
}

/// A path of the tables with the names of a model in place of `NAME`.
fn concrete(pattern: &str, model: &Model) -> Vec<String> {
    let words: Vec<&str> = pattern.split('.').collect();
    let mut paths = vec![(Vec::<String>::new(), 0_usize)];
    for (at, word) in words.iter().enumerate() {
        let mut next = Vec::new();
        for (path, service) in &paths {
            let mut add = |word: String, service: usize| {
                let mut path = path.clone();
                path.push(word);
                next.push((path, service));
            };
            match (*word, at.checked_sub(1).map_or("", |before| words[before])) {
                ("NAME", "service") => {
                    for (i, service) in model.services.iter().enumerate() {
                        add(quoted(&service.name), i);
                    }
                }
                ("NAME", "server") => {
                    let ids = &model.services[*service].servers;
                    add("*".to_owned(), *service);
                    // How many there are is asked of all that are written together.
                    let single = words.last() != Some(&"count");
                    for id in ids.iter().take(if ids.len() > SERVERS || !single {
                        0
                    } else {
                        SERVERS
                    }) {
                        add(quoted(&model.servers[id.0 as usize].name), *service);
                    }
                }
                ("NAME", list @ ("call" | "routes")) => {
                    let by = if list == "call" {
                        Asker::Server
                    } else {
                        Asker::Balancer
                    };
                    for ask in model.services[*service].asks().filter(|ask| ask.by == by) {
                        let asked = &model.services[usize::from(ask.to.0)].name;
                        add(quoted(asked), *service);
                    }
                }
                ("NAME", "class") => {
                    for class in &model.classes {
                        add(quoted(&class.name), *service);
                    }
                }
                ("NAME", "traffic") => {
                    for source in &model.sources {
                        add(quoted(&source.name), *service);
                    }
                }
                // Lists without names, such as crash rules: their items can be typed.
                ("NAME", _) => {}
                (word, _) => add(word.to_owned(), *service),
            }
        }
        paths = next;
    }
    paths.into_iter().map(|(path, _)| path.join(".")).collect()
}

fn quoted(name: &str) -> String {
    if name.contains('.') {
        format!("\"{name}\"")
    } else {
        name.to_owned()
    }
}

/// The row of the tables that a path belongs to.
pub fn row_of(path: &str) -> Option<&'static KeyRow> {
    let words: Vec<&str> = path.split('.').collect();
    rows().iter().find(|row| {
        let pattern: Vec<&str> = row.path.split('.').collect();
        pattern.len() == words.len()
            && pattern
                .iter()
                .zip(&words)
                .all(|(p, w)| *p == "NAME" || p == w)
    })
}

/// Values that a path may take, where they can be told one by one.
pub fn values(path: &str) -> Vec<Choice> {
    let Some(row) = row_of(path) else {
        return Vec::new();
    };
    let kind = row.kind.trim_end_matches(", or none");
    let mut found: Vec<Choice> = Vec::new();
    if row.kind.ends_with(", or none") {
        let about = "Without it.".to_owned();
        found.push(Choice {
            text: "none".to_owned(),
            about,
        });
    }
    let plain = |text: &str| Choice {
        text: text.to_owned(),
        about: String::new(),
    };
    if let Some(table) = plug_tables().into_iter().find(|table| table.noun == kind) {
        let simple = |row: &&&sim_core::extension::ExtensionRow| {
            row.params.iter().all(|p| p.default.is_some())
        };
        found.extend((table.rows)().iter().filter(simple).map(|row| Choice {
            text: row.name.to_owned(),
            about: row.about.to_owned(),
        }));
    } else if kind == "true or false" {
        found.extend(["true", "false"].map(plain));
    } else if kind.contains(", ") {
        found.extend(kind.split(", ").map(plain));
    }
    found
}

/// Figures of the summary that a model has.
pub fn measures(model: &Model) -> Vec<Choice> {
    let mut found = Vec::new();
    for row in SUMMARY_PATHS {
        let there = figures(row.path, model).into_iter();
        // Some are kept only where they are asked for.
        let kept = there.filter(|path| Measure::parse(path, model).is_ok());
        found.extend(kept.map(|text| Choice {
            text,
            about: row.about.to_owned(),
        }));
    }
    found
}

fn figures(pattern: &str, model: &Model) -> Vec<String> {
    let mut paths = vec![String::new()];
    let mut service = Vec::new();
    for word in pattern.split('.') {
        let names: Vec<String> = match word {
            "CLASS" => model.classes.iter().map(|c| c.name.clone()).collect(),
            "SLO" => model.slos.iter().map(|s| s.name.clone()).collect(),
            "OUTCOME" => Outcome::ALL.iter().map(|o| o.name().to_owned()).collect(),
            "SERVICE" => {
                service = model.services.iter().map(|s| s.name.clone()).collect();
                service.clone()
            }
            "SERVER" | "BALANCER" | "MACHINE" | "NUMBER" => Vec::new(),
            word => vec![word.to_owned()],
        };
        let mut next = Vec::new();
        for path in &paths {
            let dot = if path.is_empty() { "" } else { "." };
            if word == "SERVER" {
                let of = service
                    .iter()
                    .position(|name| path.starts_with(&format!("services.{name}.")));
                let servers = of.map_or(&[][..], |of| &model.services[of].servers[..]);
                for id in servers.iter().take(SERVERS) {
                    next.push(format!("{path}{dot}{}", model.servers[id.0 as usize].name));
                }
            } else {
                next.extend(names.iter().map(|name| format!("{path}{dot}{name}")));
            }
        }
        paths = next;
    }
    paths
}
