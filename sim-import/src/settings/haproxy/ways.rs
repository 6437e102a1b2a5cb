//! Ways in: which backend requests of a frontend go to, and by which conditions.

use super::sections::Section;
use super::words::Line;
use crate::names::name_of;
use crate::settings::system::{Kind, Place, System};

/// Requests of a frontend that go to a backend.
pub(super) struct Entry<'s> {
    pub frontend: &'s Section,
    pub place: Place,
    /// The name of the section with the servers.
    pub to: String,
    /// What distinguishes them, as a name; empty for those that nothing does.
    pub name: String,
}

/// A term of a condition.
pub(super) enum Term<'l> {
    /// An `acl` by its name.
    Named { name: &'l str, negated: bool },
    /// What stands in braces.
    Inside { words: &'l [String], negated: bool },
    /// The other of two.
    Or,
}

/// The terms behind `if` or `unless`, and whether they are negated as a whole.
pub(super) fn condition(line: &Line) -> Option<(Vec<Term<'_>>, bool)> {
    let at = line
        .words
        .iter()
        .position(|word| word == "if" || word == "unless")?;
    let negated = line.word(at) == "unless";
    let mut terms = Vec::new();
    let words = line.from(at + 1);
    let mut index = 0;
    while let Some(word) = words.get(index) {
        index += 1;
        match word.as_str() {
            "or" | "||" | "OR" => terms.push(Term::Or),
            "{" | "!{" => {
                let rest = &words[index..];
                let end = rest
                    .iter()
                    .position(|word| word == "}")
                    .unwrap_or(rest.len());
                terms.push(Term::Inside {
                    words: &rest[..end],
                    negated: word == "!{",
                });
                index += end + 1;
            }
            // A `!` may stand apart.
            "!" => match words.get(index).map(String::as_str) {
                Some("{") => {
                    let rest = &words[index + 1..];
                    let end = rest
                        .iter()
                        .position(|word| word == "}")
                        .unwrap_or(rest.len());
                    terms.push(Term::Inside {
                        words: &rest[..end],
                        negated: true,
                    });
                    index += end + 2;
                }
                Some(name) => {
                    terms.push(Term::Named {
                        name,
                        negated: true,
                    });
                    index += 1;
                }
                None => {}
            },
            word => {
                let name = word.trim_start_matches('!');
                terms.push(Term::Named {
                    name,
                    negated: name.len() < word.len(),
                });
            }
        }
    }
    Some((terms, negated))
}

/// The lines of an `acl`.
pub(super) fn acl<'s>(section: &'s Section, name: &str) -> Vec<&'s Line> {
    let lines = section.lines();
    lines
        .filter(|line| line.word(0) == "acl" && line.word(1) == name)
        .collect()
}

/// All ways of the frontends; `said` are lines that need no further remark.
pub(super) fn entries<'s>(
    sections: &'s [Section],
    said: &mut Vec<Place>,
    system: &mut System,
) -> Vec<Entry<'s>> {
    let mut found = Vec::new();
    for frontend in sections
        .iter()
        .filter(|section| section.is(&["frontend", "listen"]))
    {
        if frontend.last("disabled").is_some() {
            let what = format!("{} {}", frontend.kind, frontend.name);
            system.remark(
                Kind::Read,
                &frontend.place,
                what,
                "it is disabled: nobody comes this way",
            );
            continue;
        }
        let before = found.len();
        let mut all_taken = false;
        for line in frontend
            .lines()
            .filter(|line| line.word(0) == "use_backend")
        {
            if all_taken {
                let why = "a line before it takes all requests";
                system.remark(Kind::Read, &line.place, line.text(), why);
                continue;
            }
            let to = line.word(1);
            if to.contains("%[") {
                let why = "where it leads is known only when a request comes";
                system.remark(Kind::Missing, &line.place, line.text(), why);
                continue;
            }
            let (terms, negated) = condition(line).unwrap_or_default();
            all_taken = terms.is_empty();
            if !all_taken {
                tell(line, &terms, frontend, said, system);
            }
            found.push(Entry {
                frontend,
                place: line.place.clone(),
                to: to.to_owned(),
                name: name(&terms, negated),
            });
        }
        let default = frontend.last("default_backend");
        let own = (frontend.kind == "listen").then_some((&frontend.place, frontend.name.as_str()));
        let rest = default.map(|line| (&line.place, line.word(1))).or(own);
        if let Some((place, to)) = rest.filter(|_| !all_taken) {
            found.push(Entry {
                frontend,
                place: place.clone(),
                to: to.to_owned(),
                name: String::new(),
            });
        }
        if found.len() == before {
            let what = format!("{} {}", frontend.kind, frontend.name);
            let why = "no backend gets its requests";
            system.remark(Kind::Ignored, &frontend.place, what, why);
        }
    }
    found
}

/// What a condition looks at, and that nobody knows how often it holds.
fn tell(
    line: &Line,
    terms: &[Term<'_>],
    frontend: &Section,
    said: &mut Vec<Place>,
    system: &mut System,
) {
    let mut looks = Vec::new();
    for term in terms {
        let Term::Named { name, .. } = term else {
            continue;
        };
        for acl in acl(frontend, name) {
            said.push(acl.place.clone());
            let text = acl.from(2).join(" ");
            if !looks.contains(&text) {
                looks.push(text);
            }
        }
    }
    let looks = if looks.is_empty() {
        String::new()
    } else {
        format!(" ({})", looks.join("; "))
    };
    let why = format!("a way of its own{looks}: how many requests are such, no settings say");
    system.remark(Kind::Read, &line.place, line.text(), why);
}

/// A condition as a name.
fn name(terms: &[Term<'_>], negated: bool) -> String {
    let mut parts = Vec::new();
    for term in terms {
        let (text, not) = match term {
            Term::Or => ("or".to_owned(), false),
            Term::Named { name, negated } => ((*name).to_owned(), *negated),
            Term::Inside { words, negated } => {
                let words = words.iter().filter(|word| !word.starts_with('-'));
                let words: Vec<&str> = words.map(String::as_str).collect();
                (words.join(" "), *negated)
            }
        };
        parts.push(if not { format!("not {text}") } else { text });
    }
    let text = parts.join(" ");
    if text.is_empty() {
        return text;
    }
    let text = if negated { format!("not {text}") } else { text };
    name_of(&text, "some")
}

#[cfg(test)]
mod tests {
    use super::super::sections::sections;
    use super::super::words::{Lacking, lines};
    use super::*;

    #[test]
    fn each_condition_is_a_way_with_its_name() {
        let text = "frontend f\n acl api path_beg /api\n use_backend a if api !{ hdr(host) -i x } or ! late\n\
                    use_backend b unless { path /y }\n use_backend %[req.hdr(x)]\n use_backend c\n use_backend d if api\n\
                    default_backend e\nlisten l\n server s 1.1.1.1:1\n";
        let mut system = System::default();
        let all = lines(text, &"t".into(), &|_| None, &mut Lacking::default()).expect("valid");
        let sections = sections(all, &mut system).expect("valid");
        let mut said = Vec::new();
        let found = entries(&sections, &mut said, &mut system);
        let names: Vec<(&str, &str)> = found
            .iter()
            .map(|e| (e.to.as_str(), e.name.as_str()))
            .collect();
        assert_eq!(
            names,
            [
                ("a", "api-not-hdr-host-x-or-not-late"),
                ("b", "not-path-y"),
                ("c", ""),
                ("l", "")
            ]
        );
        assert_eq!(said.len(), 1);
        let missing: Vec<usize> = (system.remarks.iter())
            .filter(|remark| remark.kind == Kind::Missing)
            .map(|remark| remark.place.line)
            .collect();
        assert_eq!(missing, [5]);
    }
}
