//! The text of a Caddyfile as directives: words, quotes, blocks, snippets and what they import.

use crate::settings::directive::Directive;
use crate::settings::system::{Kind, Place, System};
use crate::settings::{Surroundings, Unreadable};
use sim_core::scenario::Source;
use std::sync::Arc;

/// Deepest nesting of blocks, and of imports.
const DEPTH_MAX: usize = 50;
/// Directives that imports may make in all.
const DIRECTIVES_MAX: usize = 50_000;

struct Word {
    text: String,
    line: usize,
    quoted: bool,
}

impl Word {
    fn is(&self, mark: &str) -> bool {
        !self.quoted && self.text == mark
    }
}

/// Puts values in the place of `{$NAME}` and `{$NAME:default}`; those without either stay.
fn filled(text: &str, value: &dyn Fn(&str) -> Option<String>) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find("{$") {
        out.push_str(&rest[..start]);
        let after = &rest[start + 2..];
        let Some((inside, tail)) = after
            .split_once('}')
            .filter(|(inside, _)| !inside.contains('\n'))
        else {
            out.push_str("{$");
            rest = after;
            continue;
        };
        let (name, default) = match inside.split_once(':') {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        match value(name).or_else(|| default.map(str::to_owned)) {
            Some(value) => out.push_str(&value),
            None => out.push_str(&rest[start..rest.len() - tail.len()]),
        }
        rest = tail;
    }
    out.push_str(rest);
    out
}

fn words(text: &str, file: &Arc<str>) -> Result<Vec<Word>, Unreadable> {
    let mut found = Vec::new();
    let mut line = 1;
    let mut joined = 0;
    let mut rest = text.strip_prefix('\u{feff}').unwrap_or(text);
    while let Some(c) = rest.chars().next() {
        let after = &rest[c.len_utf8()..];
        match c {
            '\n' => {
                line += 1 + std::mem::take(&mut joined);
                rest = after;
            }
            c if c.is_whitespace() => rest = after,
            '#' => rest = &rest[rest.find('\n').unwrap_or(rest.len())..],
            // A line goes on in the next, whose words count as of this one.
            '\\' if after.starts_with('\n') || after.starts_with("\r\n") => {
                let end = after.find('\n').map_or(after.len(), |end| end + 1);
                rest = &after[end..];
                joined += 1;
            }
            '"' | '`' => {
                let begun = line;
                let Some((text, tail)) = quoted(after, c) else {
                    let place = Place {
                        file: file.clone(),
                        line: begun,
                    };
                    return Err(Unreadable::new(place, &format!("a {c} without its end")));
                };
                line += rest[..rest.len() - tail.len()].matches('\n').count();
                found.push(Word {
                    text,
                    line: begun,
                    quoted: true,
                });
                rest = tail;
            }
            _ => {
                let end = rest.find(char::is_whitespace).unwrap_or(rest.len());
                let word = &rest[..end];
                rest = &rest[end..];
                let begun = line;
                let mark = word.strip_prefix("<<").filter(|mark| !mark.is_empty());
                let Some(mark) = mark else {
                    found.push(Word {
                        text: word.to_owned(),
                        line,
                        quoted: false,
                    });
                    continue;
                };
                // A text up to a line with its mark.
                let mut text = String::new();
                let mut closed = false;
                // The rest of the line with the mark does not belong to it.
                let mut passed = rest.find('\n').map_or(rest.len(), |end| end + 1);
                for own in rest.split_inclusive('\n').skip(1) {
                    line += 1;
                    let indent = own.len() - own.trim_start().len();
                    let ends = own[indent..].strip_prefix(mark);
                    if ends.is_some_and(|more| {
                        more.is_empty() || more.starts_with(char::is_whitespace)
                    }) {
                        closed = true;
                        passed += indent + mark.len();
                        break;
                    }
                    passed += own.len();
                    text.push_str(own);
                }
                rest = &rest[passed..];
                if !closed {
                    let place = Place {
                        file: file.clone(),
                        line: begun,
                    };
                    return Err(Unreadable::new(
                        place,
                        &format!("a <<{mark} without its {mark}"),
                    ));
                }
                found.push(Word {
                    text,
                    line: begun,
                    quoted: true,
                });
            }
        }
    }
    Ok(found)
}

/// What stands in quotes, and the rest.
fn quoted(text: &str, mark: char) -> Option<(String, &str)> {
    let mut word = String::new();
    let mut rest = text.char_indices();
    while let Some((at, c)) = rest.next() {
        match c {
            '\\' if mark == '"' => match rest.next()?.1 {
                '"' => word.push('"'),
                c => word.extend(['\\', c]),
            },
            c if c == mark => return Some((word, &text[at + c.len_utf8()..])),
            c => word.push(c),
        }
    }
    None
}

/// The directives of a text.
pub(super) fn directives(
    text: &str,
    file: &Arc<str>,
    value: &dyn Fn(&str) -> Option<String>,
) -> Result<Vec<Directive>, Unreadable> {
    let words = words(&filled(text, value), file)?;
    let mut reader = Reader {
        words: &words,
        at: 0,
        file,
    };
    let found = reader.block(0)?;
    match words.get(reader.at) {
        Some(word) => Err(reader.unreadable(word.line, "a } without its {")),
        None => Ok(found),
    }
}

struct Reader<'w> {
    words: &'w [Word],
    at: usize,
    file: &'w Arc<str>,
}

impl Reader<'_> {
    fn unreadable(&self, line: usize, why: &str) -> Unreadable {
        let place = Place {
            file: self.file.clone(),
            line,
        };
        Unreadable::new(place, why)
    }

    fn block(&mut self, depth: usize) -> Result<Vec<Directive>, Unreadable> {
        let mut found = Vec::new();
        while let Some(word) = self.words.get(self.at).filter(|word| !word.is("}")) {
            if depth > DEPTH_MAX {
                let why = format!("blocks are nested deeper than {DEPTH_MAX}");
                return Err(self.unreadable(word.line, &why));
            }
            found.push(self.directive(depth)?);
        }
        Ok(found)
    }

    fn directive(&mut self, depth: usize) -> Result<Directive, Unreadable> {
        let first = &self.words[self.at];
        let mut line = first.line;
        let mut all: Vec<String> = Vec::new();
        let mut block = None;
        while let Some(word) = self.words.get(self.at) {
            // Addresses of sites go on behind a comma.
            let goes_on = depth == 0 && all.last().is_some_and(|last| last.ends_with(','));
            if word.is("}") || word.line > line && !goes_on {
                break;
            }
            line = word.line;
            self.at += 1;
            if !word.is("{") {
                all.push(word.text.clone());
                continue;
            }
            block = Some(self.block(depth + 1)?);
            if self.words.get(self.at).is_none() {
                return Err(self.unreadable(line, "a { without its }"));
            }
            self.at += 1;
            break;
        }
        let name = if all.is_empty() {
            String::new()
        } else {
            all.remove(0)
        };
        Ok(Directive {
            name,
            args: all,
            place: Place {
                file: self.file.clone(),
                line: first.line,
            },
            block,
        })
    }
}

/// Puts snippets and files where they are imported.
pub(super) struct Imports<'a> {
    pub around: &'a Surroundings<'a>,
    pub snippets: Vec<Directive>,
    pub made: usize,
}

impl Imports<'_> {
    pub(super) fn resolved(
        &mut self,
        found: Vec<Directive>,
        depth: usize,
        system: &mut System,
    ) -> Result<Vec<Directive>, Unreadable> {
        let mut out = Vec::with_capacity(found.len());
        for mut directive in found {
            self.made += 1;
            if depth > DEPTH_MAX || self.made > DIRECTIVES_MAX {
                let why = format!(
                    "imports lead to each other without end (more than {DEPTH_MAX} deep, or {DIRECTIVES_MAX} directives)"
                );
                return Err(Unreadable::new(directive.place, &why));
            }
            if directive.name == "import" {
                let inside = self.imported(&directive, system)?;
                out.extend(self.resolved(inside, depth + 1, system)?);
                continue;
            }
            if let Some(inside) = directive.block.take() {
                directive.block = Some(self.resolved(inside, depth + 1, system)?);
            }
            out.push(directive);
        }
        Ok(out)
    }

    fn imported(
        &self,
        import: &Directive,
        system: &mut System,
    ) -> Result<Vec<Directive>, Unreadable> {
        let name = format!("({})", import.arg(0));
        if let Some(snippet) = self
            .snippets
            .iter()
            .rev()
            .find(|snippet| snippet.name == name)
        {
            return Ok(snippet
                .inside()
                .iter()
                .flat_map(|own| with_args(own, import))
                .collect());
        }
        let pattern = import.arg(0);
        let root = import
            .place
            .file
            .rsplit_once('/')
            .map_or("", |(folder, _)| folder);
        let pattern = match (pattern.starts_with('/'), root) {
            (true, _) | (_, "") => pattern.to_owned(),
            _ => format!("{root}/{pattern}"),
        };
        let unreadable = |why: String| {
            Unreadable::new(
                import.place.clone(),
                &format!("{pattern} cannot be read: {why}"),
            )
        };
        let names = if pattern.contains(['*', '?', '[']) {
            self.around.files.matching(&pattern).map_err(unreadable)?
        } else {
            vec![pattern.clone()]
        };
        let mut found = Vec::new();
        for name in names {
            let Some(text) = self.around.files.read(&name).map_err(unreadable)? else {
                let why = "there is no such snippet or file here: what it says is not known";
                system.remark(Kind::Missing, &import.place, import.text(), why);
                continue;
            };
            let source = Source::new(name, text);
            let inside = directives(
                &source.text,
                &source.name.as_str().into(),
                self.around.variable,
            )?;
            found.extend(inside.iter().flat_map(|own| with_args(own, import)));
        }
        Ok(found)
    }
}

/// A directive of a snippet, with the arguments of its import.
fn with_args(directive: &Directive, import: &Directive) -> Vec<Directive> {
    if directive.name == "{block}" {
        return import.inside().to_vec();
    }
    let args = &import.args[1.min(import.args.len())..];
    let fill = |text: &String| {
        let mut text = text.clone();
        if text.contains("{args") {
            for (index, arg) in args.iter().enumerate() {
                text = text
                    .replace(&format!("{{args[{index}]}}"), arg)
                    .replace(&format!("{{args.{index}}}"), arg);
            }
        }
        text
    };
    let mut all: Vec<String> = Vec::new();
    for arg in &directive.args {
        if arg == "{args[:]}" {
            all.extend(args.iter().cloned());
        } else {
            all.push(fill(arg));
        }
    }
    let block = directive.block.as_ref();
    vec![Directive {
        name: fill(&directive.name),
        args: all,
        place: directive.place.clone(),
        block: block.map(|inside| {
            inside
                .iter()
                .flat_map(|own| with_args(own, import))
                .collect()
        }),
    }]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::NoFiles;

    fn read(text: &str) -> Result<Vec<Directive>, Unreadable> {
        directives(text, &"t".into(), &|name| {
            (name == "HOST").then(|| "web".to_owned())
        })
    }

    #[test]
    fn words_blocks_quotes_and_variables() {
        let text = "a.example,\n b.example {\n  x \"two \\\"words\" `a\\b` {http.host} # no\n  y { z 1 }\n  to {$HOST}:{$PORT:80} {$NONE}\n\
                    respond <<END\n {\n END 200\n}\n";
        let found = read(text).expect("valid");
        assert_eq!(found[0].name, "a.example,");
        assert_eq!(found[0].args, ["b.example"]);
        let inside = found[0].inside();
        assert_eq!(inside[0].args, ["two \"words", "a\\b", "{http.host}"]);
        assert_eq!(inside[1].inside()[0].args, ["1"]);
        assert_eq!(inside[2].args, ["web:80", "{$NONE}"]);
        assert_eq!(
            (inside[3].args[0].as_str(), inside[3].place.line),
            (" {\n", 6)
        );
        let found = read("a b \\\n c\nd\n").expect("valid");
        assert_eq!(found[0].args, ["b", "c"]);
        assert_eq!(found[1].place.line, 3);
    }

    #[test]
    fn snippets_stand_where_they_are_imported() {
        let text = "(s) {\n x {args[0]} {args.1}\n {block}\n all {args[:]}\n}\nsite {\n import s 1 2 {\n  own\n }\n import gone\n}\n";
        let around = Surroundings {
            title: "",
            files: &NoFiles,
            variable: &|_| None,
        };
        let mut found = read(text).expect("valid");
        let mut imports = Imports {
            around: &around,
            snippets: vec![found.remove(0)],
            made: 0,
        };
        let mut system = System::default();
        let found = imports.resolved(found, 0, &mut system).expect("valid");
        let texts: Vec<String> = found[0].inside().iter().map(Directive::text).collect();
        assert_eq!(texts, ["x 1 2", "own", "all 1 2"]);
        assert_eq!(system.remarks[0].place.line, 10);
        let looped = read("(s) {\n import s\n import s\n}\nsite {\n import s\n}\n").expect("valid");
        let mut imports = Imports {
            around: &around,
            snippets: vec![looped[0].clone()],
            made: 0,
        };
        assert!(imports.resolved(looped, 0, &mut system).is_err());
    }

    #[test]
    fn what_is_torn_is_named_with_its_line() {
        for (text, line) in [
            ("a {\n b", 1),
            ("a\n}\n", 2),
            ("\na \"b\n", 2),
            ("a <<X\nb\n", 1),
        ] {
            let problem = read(text).expect_err(text);
            assert_eq!(problem.place.map(|place| place.line), Some(line), "{text}");
        }
        assert!(read(&"a {\n".repeat(200)).is_err());
    }
}
