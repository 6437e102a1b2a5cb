//! `.if`, `.elif`, `.else`, `.endif`: which lines there are.

use super::VERSION;
use super::words::Line;
use crate::settings::Unreadable;
use crate::settings::system::{Kind, System};

/// Deepest nesting of conditions, as in the program.
const DEPTH_MAX: usize = 16;

/// A condition around lines.
struct Around {
    /// Whether lines count that stand here now.
    now: bool,
    /// Whether a branch has been taken already.
    taken: bool,
    opened: Line,
}

/// The lines that count.
pub(super) fn chosen(
    lines: Vec<Line>,
    value: &dyn Fn(&str) -> Option<String>,
    system: &mut System,
) -> Result<Vec<Line>, Unreadable> {
    let mut found = Vec::with_capacity(lines.len());
    let mut around: Vec<Around> = Vec::new();
    for line in lines {
        let outer = |around: &[Around]| around.iter().all(|one| one.now);
        match line.word(0) {
            ".if" => {
                if around.len() >= DEPTH_MAX {
                    let why = format!("conditions are nested deeper than {DEPTH_MAX}");
                    return Err(Unreadable::new(line.place, &why));
                }
                let now = outer(&around) && holds(&line, value, system);
                around.push(Around {
                    now,
                    taken: now,
                    opened: line,
                });
            }
            word @ (".elif" | ".else" | ".endif") => {
                let Some(mut one) = around.pop() else {
                    let why = format!("a {word} without its .if");
                    return Err(Unreadable::new(line.place, &why));
                };
                if word == ".endif" {
                    continue;
                }
                let open = outer(&around) && !one.taken;
                one.now = open && (word == ".else" || holds(&line, value, system));
                one.taken |= one.now;
                around.push(one);
            }
            ".alert" if outer(&around) => {
                let why = format!("the file stops here by itself: {}", line.from(1).join(" "));
                return Err(Unreadable::new(line.place, &why));
            }
            ".notice" | ".warning" | ".diag" | ".alert" => {}
            _ if outer(&around) => found.push(line),
            _ => {}
        }
    }
    match around.pop() {
        Some(one) => Err(Unreadable::new(
            one.opened.place,
            "an .if without its .endif",
        )),
        None => Ok(found),
    }
}

/// Whether a condition holds; what only a running program knows is taken for false, and told.
fn holds(line: &Line, value: &dyn Fn(&str) -> Option<String>, system: &mut System) -> bool {
    let text = line.from(1).join(" ");
    let mut reader = Reader {
        rest: &text,
        value,
        depth: 0,
    };
    let found = reader.either();
    if found.is_none() || !reader.rest.trim().is_empty() {
        let why = "whether it holds is not known here: taken for false";
        system.remark(Kind::Read, &line.place, line.text(), why);
        return false;
    }
    found == Some(true)
}

struct Reader<'a> {
    rest: &'a str,
    value: &'a dyn Fn(&str) -> Option<String>,
    depth: usize,
}

impl Reader<'_> {
    fn takes(&mut self, word: &str) -> bool {
        let rest = self.rest.trim_start().strip_prefix(word);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    fn either(&mut self) -> Option<bool> {
        let mut all = self.both();
        while self.takes("||") {
            all = match (all, self.both()) {
                (Some(true), _) | (_, Some(true)) => Some(true),
                (Some(false), Some(false)) => Some(false),
                _ => None,
            };
        }
        all
    }

    fn both(&mut self) -> Option<bool> {
        let mut all = self.one();
        while self.takes("&&") {
            all = match (all, self.one()) {
                (Some(false), _) | (_, Some(false)) => Some(false),
                (Some(true), Some(true)) => Some(true),
                _ => None,
            };
        }
        all
    }

    fn one(&mut self) -> Option<bool> {
        self.depth += 1;
        if self.depth > 200 {
            return None;
        }
        if self.takes("!") {
            return self.one().map(|holds| !holds);
        }
        if self.takes("(") {
            let inside = self.either();
            return if self.takes(")") { inside } else { None };
        }
        let text = self.rest.trim_start();
        let other = |c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '-';
        let (name, rest) = text.split_at(text.find(other).unwrap_or(text.len()));
        self.rest = rest;
        let Some(inner) = rest.strip_prefix('(') else {
            // Nothing at all is false, as an empty variable is.
            return match name {
                "" => Some(false),
                number => number.parse::<i64>().ok().map(|n| n != 0),
            };
        };
        let (args, rest) = inner.split_once(')')?;
        self.rest = rest;
        let args: Vec<&str> = args.split(',').map(str::trim).collect();
        match (name, args.as_slice()) {
            ("defined", [name]) => Some((self.value)(name).is_some()),
            ("streq", [one, other]) => Some(one == other),
            ("strneq", [one, other]) => Some(one != other),
            ("strstr", [one, other]) => Some(one.contains(other)),
            ("version_atleast", [than]) => Some(version(VERSION) >= version(than)),
            ("version_before", [than]) => Some(version(VERSION) < version(than)),
            _ => None,
        }
    }
}

/// The numbers of a version that decide; what stands behind a `-` is a stage on the way there.
fn version(text: &str) -> Vec<u32> {
    let text = text.split('-').next().unwrap_or_default();
    text.split('.')
        .map_while(|part| part.parse().ok())
        .collect()
}

#[cfg(test)]
mod tests {
    use super::super::words::{Lacking, lines};
    use super::*;

    fn left(text: &str) -> Result<(String, usize), Unreadable> {
        let value = |name: &str| (name == "PROD").then(|| "yes".to_owned());
        let mut system = System::default();
        let all = lines(text, &"t".into(), &value, &mut Lacking::default())?;
        let found = chosen(all, &value, &mut system)?;
        let words: Vec<String> = found.iter().map(Line::text).collect();
        Ok((words.join(" "), system.remarks.len()))
    }

    #[test]
    fn branches_are_taken_as_the_program_takes_them() {
        for (text, want) in [
            (".if defined(PROD)\na\n.else\nb\n.endif\nc\n", "a c"),
            (
                ".if !defined(PROD)\na\n.elif streq(x,x)\nb\n.elif 1\nd\n.else\nc\n.endif\n",
                "b",
            ),
            (".if 0\n.if 1\na\n.endif\nb\n.else\nc\n.endif\n", "c"),
            (
                ".if version_atleast(2.4) && (0 || strneq(a,b))\na\n.endif\n",
                "a",
            ),
            (".if version_before(2.4)\na\n.endif\n", ""),
            (".if streq(\"$PROD\",yes)\na\n.endif\n", "a"),
        ] {
            assert_eq!(left(text).expect(text), (want.to_owned(), 0), "{text}");
        }
        // What is not known is told of.
        assert_eq!(
            left(".if feature(LUA)\na\n.endif\n").expect("valid"),
            (String::new(), 1)
        );
    }

    #[test]
    fn what_is_torn_is_named_with_its_line() {
        for (text, line) in [
            ("a\n.if 1\n", 2),
            ("a\n.endif\n", 2),
            (".if 1\n.alert no\n.endif\n", 2),
        ] {
            let problem = left(text).expect_err(text);
            assert_eq!(problem.place.map(|place| place.line), Some(line), "{text}");
        }
        assert!(left(&".if 1\n".repeat(30)).is_err());
        assert!(left(&format!(".if {}\na\n.endif\n", "(".repeat(5000))).is_ok());
    }
}
