//! Sections, with what `defaults` give to those behind them.

use super::words::Line;
use crate::settings::Unreadable;
use crate::settings::system::{Kind, Place, System};
use std::sync::Arc;

/// Words that begin a section.
const SECTIONS: &[&str] = &[
    "global",
    "defaults",
    "frontend",
    "backend",
    "listen",
    "resolvers",
    "peers",
    "mailers",
    "userlist",
    "cache",
    "http-errors",
    "ring",
    "log-forward",
    "log-profile",
    "program",
    "fcgi-app",
    "crt-store",
    "traces",
    "acme",
];

/// How many `defaults` may stand upon each other.
const DEPTH_MAX: usize = 50;

/// A section.
#[derive(Clone, Debug)]
pub(super) struct Section {
    pub kind: String,
    pub name: String,
    pub place: Place,
    /// The lines of its `defaults`, from the outermost.
    pub above: Vec<Arc<Vec<Line>>>,
    pub own: Arc<Vec<Line>>,
}

impl Section {
    pub(super) fn is(&self, kinds: &[&str]) -> bool {
        kinds.contains(&self.kind.as_str())
    }

    /// All lines that count for it, the nearest last.
    pub(super) fn lines(&self) -> impl DoubleEndedIterator<Item = &Line> {
        self.above
            .iter()
            .chain([&self.own])
            .flat_map(|lines| lines.iter())
    }

    /// The line of a keyword that counts: the last.
    pub(super) fn last(&self, keyword: &str) -> Option<&Line> {
        self.lines().rev().find(|line| line.word(0) == keyword)
    }

    /// The line of a time-out that counts; before version 1.5 some had words of their own.
    pub(super) fn timeout(&self, name: &str) -> Option<(&Line, &str)> {
        let old = OLD_TIMEOUTS.iter().find(|(_, new)| *new == name);
        self.lines().rev().find_map(|line| match line.word(0) {
            "timeout" if line.word(1) == name => Some((line, line.word(2))),
            word if old.is_some_and(|(old, _)| *old == word) => Some((line, line.word(1))),
            _ => None,
        })
    }

    /// The line of an option, unless a later one takes it back.
    pub(super) fn option(&self, name: &str) -> Option<&Line> {
        for line in self.lines().rev() {
            if line.word(0) == "option" && line.word(1) == name {
                return Some(line);
            }
            if name == "redispatch" && line.word(0) == "redispatch" {
                return Some(line);
            }
            let taken_back = matches!(line.word(0), "no" | "default")
                && line.word(1) == "option"
                && line.word(2) == name;
            if taken_back {
                return None;
            }
        }
        None
    }

    /// Whether it speaks HTTP; without a word it does not.
    pub(super) fn is_http(&self) -> bool {
        self.last("mode").is_some_and(|line| line.word(1) == "http")
    }
}

/// Time-outs as they were called before version 1.5.
pub(super) const OLD_TIMEOUTS: &[(&str, &str)] = &[
    ("contimeout", "connect"),
    ("clitimeout", "client"),
    ("srvtimeout", "server"),
];

/// Puts lines into their sections.
pub(super) fn sections(lines: Vec<Line>, system: &mut System) -> Result<Vec<Section>, Unreadable> {
    let mut found: Vec<Section> = Vec::new();
    for line in lines {
        if !SECTIONS.contains(&line.word(0)) {
            if let Some(section) = found.last_mut() {
                Arc::make_mut(&mut section.own).push(line);
            } else {
                let why = "it stands before any section";
                system.remark(Kind::Unknown, &line.place, line.text(), why);
            }
            continue;
        }
        let mut name = line.word(1).to_owned();
        let mut from = None;
        for (index, word) in line.words.iter().enumerate().skip(1) {
            if word == "from" && line.words.len() > index + 1 {
                from = Some(line.word(index + 1).to_owned());
                if index == 1 {
                    name.clear();
                }
            }
        }
        let mut section = Section {
            kind: line.word(0).to_owned(),
            name,
            place: line.place.clone(),
            above: Vec::new(),
            own: Arc::default(),
        };
        section.above = above(&section, from.as_deref(), &found)?;
        // The old way to say where a proxy listens.
        let address = Some(line.word(2)).filter(|word| !matches!(*word, "" | "from"));
        if let (Some(address), true) = (address, section.is(&["listen", "frontend"])) {
            let words = vec!["bind".to_owned(), address.to_owned()];
            Arc::make_mut(&mut section.own).push(Line {
                words,
                place: line.place,
            });
        }
        found.push(section);
    }
    Ok(found)
}

/// What a section inherits: that of the `defaults` it names, or of the last before it.
fn above(
    section: &Section,
    from: Option<&str>,
    before: &[Section],
) -> Result<Vec<Arc<Vec<Line>>>, Unreadable> {
    let mut defaults = before.iter().rev().filter(|other| other.kind == "defaults");
    let parent = match from {
        Some(name) => {
            let found = defaults.find(|other| other.name == name);
            Some(found.ok_or_else(|| {
                let why = format!("there is no `defaults {name}` before it");
                Unreadable::new(section.place.clone(), &why)
            })?)
        }
        None if section.is(&["frontend", "backend", "listen"]) => defaults.next(),
        None => None,
    };
    let Some(parent) = parent else {
        return Ok(Vec::new());
    };
    if parent.above.len() >= DEPTH_MAX {
        let why = format!("more than {DEPTH_MAX} defaults stand upon each other");
        return Err(Unreadable::new(section.place.clone(), &why));
    }
    let mut lines = parent.above.clone();
    lines.push(parent.own.clone());
    Ok(lines)
}

#[cfg(test)]
mod tests {
    use super::super::words::{Lacking, lines};
    use super::*;

    fn read(text: &str) -> Result<Vec<Section>, Unreadable> {
        let all = lines(text, &"t".into(), &|_| None, &mut Lacking::default())?;
        sections(all, &mut System::default())
    }

    #[test]
    fn the_last_defaults_count_unless_others_are_named() {
        let text = "defaults a\n retries 1\n option redispatch\ndefaults b from a\n no option redispatch\n\
                    clitimeout 7\nbackend x\nbackend y from a\n retries 5\ndefaults\nlisten z 1.2.3.4:80\n";
        let found = read(text).expect("valid");
        let of = |name: &str| {
            found
                .iter()
                .find(|s| s.name == name && s.kind != "defaults")
                .expect(name)
        };
        assert_eq!(of("x").last("retries").map(|line| line.word(1)), Some("1"));
        assert!(of("x").option("redispatch").is_none());
        assert_eq!(of("x").timeout("client").map(|(_, span)| span), Some("7"));
        assert_eq!(of("y").last("retries").map(|line| line.word(1)), Some("5"));
        assert!(of("y").option("redispatch").is_some());
        assert!(of("z").last("retries").is_none());
        assert_eq!(of("z").own[0].words, ["bind", "1.2.3.4:80"]);
        let problem = read("backend x from nowhere\n").expect_err("no such defaults");
        assert_eq!(problem.place.map(|place| place.line), Some(1));
    }
}
