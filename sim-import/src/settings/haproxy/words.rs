//! The text of `HAProxy`'s settings as lines of words: quotes, escapes, comments, environment variables, and
//! lines that go on in the next.

use crate::settings::Unreadable;
use crate::settings::system::Place;
use std::fmt::Write;
use std::sync::Arc;

/// A line with something on it.
#[derive(Clone, PartialEq, Debug)]
pub(super) struct Line {
    pub words: Vec<String>,
    pub place: Place,
}

impl Line {
    pub(super) fn word(&self, index: usize) -> &str {
        self.words.get(index).map_or("", String::as_str)
    }

    /// From the word of this number on.
    pub(super) fn from(&self, index: usize) -> &[String] {
        self.words.get(index..).unwrap_or_default()
    }

    /// As it stands, for remarks.
    pub(super) fn text(&self) -> String {
        self.words.join(" ")
    }
}

/// Variables that have no value, with the line of each.
#[derive(Default)]
pub(super) struct Lacking(Vec<(String, Place)>);

impl Lacking {
    /// Names all of them at once, so that nobody has to find them one by one.
    pub(super) fn problem(&self) -> Option<Unreadable> {
        let (_, first) = self.0.first()?;
        let mut names = String::new();
        for (name, place) in &self.0 {
            let comma = if names.is_empty() { "" } else { ", " };
            let _ = write!(names, "{comma}{name} (line {})", place.line);
        }
        let why = format!("these environment variables have no value: {names}");
        let problem = Unreadable::new(first.clone(), &why);
        Some(problem.help("give them with --env NAME=VALUE, or in the environment"))
    }
}

/// Reads the lines of a text; `value` knows the environment.
pub(super) fn lines(
    text: &str,
    file: &Arc<str>,
    value: &dyn Fn(&str) -> Option<String>,
    lacking: &mut Lacking,
) -> Result<Vec<Line>, Unreadable> {
    let mut found = Vec::new();
    let mut rest = text
        .strip_prefix('\u{feff}')
        .unwrap_or(text)
        .lines()
        .enumerate();
    while let Some((index, line)) = rest.next() {
        let place = Place {
            file: file.clone(),
            line: index + 1,
        };
        let mut whole = line.to_owned();
        while goes_on(&whole) {
            let Some((_, next)) = rest.next() else {
                break;
            };
            whole.pop();
            // What begins the next line only sets it in.
            whole.push(' ');
            whole.push_str(next.trim_start());
        }
        let reader = Reader {
            place: &place,
            value,
            lacking,
        };
        let words = reader.words(&whole)?;
        if !words.is_empty() {
            found.push(Line { words, place });
        }
    }
    Ok(found)
}

/// Whether a line ends with a backslash that no other takes away.
fn goes_on(line: &str) -> bool {
    let backslashes = line.bytes().rev().take_while(|b| *b == b'\\').count();
    backslashes % 2 == 1
}

struct Reader<'a> {
    place: &'a Place,
    value: &'a dyn Fn(&str) -> Option<String>,
    lacking: &'a mut Lacking,
}

impl Reader<'_> {
    fn words(mut self, line: &str) -> Result<Vec<String>, Unreadable> {
        let mut words = Vec::new();
        let mut word: Option<String> = None;
        let mut rest = line;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            match c {
                '#' => break,
                c if c.is_whitespace() => {
                    words.extend(word.take());
                    rest = after;
                }
                '\\' => {
                    rest = escaped(after, word.get_or_insert_default());
                }
                '\'' => {
                    let Some((inside, tail)) = after.split_once('\'') else {
                        return Err(Unreadable::new(self.place.clone(), "a ' without its end"));
                    };
                    word.get_or_insert_default().push_str(inside);
                    rest = tail;
                }
                '"' => rest = self.quoted(after, &mut words, &mut word)?,
                // Addresses have variables without quotes.
                '$' if after.starts_with('{') && is_address(word.as_deref(), &words) => {
                    let (text, tail) = self.variable(after)?;
                    word.get_or_insert_default().push_str(&text);
                    rest = tail;
                }
                c => {
                    word.get_or_insert_default().push(c);
                    rest = after;
                }
            }
        }
        words.extend(word);
        Ok(words)
    }

    /// What stands in double quotes, where variables have their values; the rest of the line.
    fn quoted<'t>(
        &mut self,
        text: &'t str,
        words: &mut Vec<String>,
        word: &mut Option<String>,
    ) -> Result<&'t str, Unreadable> {
        word.get_or_insert_default();
        let mut rest = text;
        while let Some(c) = rest.chars().next() {
            let after = &rest[c.len_utf8()..];
            let into = word.get_or_insert_default();
            match c {
                '"' => return Ok(after),
                '\\' => match after.chars().next() {
                    Some(c) if matches!(c, '"' | '\\' | '$') => {
                        into.push(c);
                        rest = &after[1..];
                    }
                    _ => {
                        into.push('\\');
                        rest = after;
                    }
                },
                '$' if after
                    .starts_with(|c: char| c == '{' || c == '_' || c.is_ascii_alphabetic()) =>
                {
                    let list = after.starts_with('{')
                        && after
                            .split('}')
                            .next()
                            .is_some_and(|name| name.contains("[*]"));
                    let (text, tail) = self.variable(after)?;
                    if list {
                        // `[*]` makes a word of each.
                        let mut parts = text.split_whitespace();
                        into.push_str(parts.next().unwrap_or_default());
                        for part in parts {
                            words.extend(word.replace(part.to_owned()));
                        }
                    } else {
                        into.push_str(&text);
                    }
                    rest = tail;
                }
                c => {
                    into.push(c);
                    rest = after;
                }
            }
        }
        Err(Unreadable::new(self.place.clone(), "a \" without its end"))
    }

    /// The value of what follows a `$`, and the rest.
    fn variable<'t>(&mut self, text: &'t str) -> Result<(String, &'t str), Unreadable> {
        let braced = text.strip_prefix('{');
        let (inside, tail) = if let Some(inner) = braced {
            inner
                .split_once('}')
                .ok_or_else(|| Unreadable::new(self.place.clone(), "a ${ without its }"))?
        } else {
            let other = |c: char| !c.is_ascii_alphanumeric() && c != '_';
            text.split_at(text.find(other).unwrap_or(text.len()))
        };
        let (name, default) = match inside.split_once('-') {
            Some((name, default)) => (name, Some(default)),
            None => (inside, None),
        };
        let name = name.trim_end_matches("[*]");
        let value = (self.value)(name).or_else(|| default.map(str::to_owned));
        if value.is_none() && !name.starts_with("HAPROXY_") {
            let known = self.lacking.0.iter().any(|(other, _)| other == name);
            if !known {
                self.lacking.0.push((name.to_owned(), self.place.clone()));
            }
        }
        Ok((value.unwrap_or_default(), tail))
    }
}

/// Whether a word is the address of a `server` or a `bind`.
fn is_address(word: Option<&str>, words: &[String]) -> bool {
    let place = words.len();
    let fits = match words.first().map(String::as_str) {
        Some("server") => place == 2,
        Some("server-template") => place == 3,
        Some("bind" | "nameserver" | "dispatch") => place >= 1,
        _ => false,
    };
    fits && word.is_none_or(|word| !word.contains('%'))
}

/// What a backslash makes of what follows; the rest.
fn escaped<'t>(text: &'t str, word: &mut String) -> &'t str {
    let Some(c) = text.chars().next() else {
        return text;
    };
    let after = &text[c.len_utf8()..];
    match c {
        ' ' | '#' | '"' | '\'' | '\\' => word.push(c),
        'n' => word.push('\n'),
        'r' => word.push('\r'),
        't' => word.push('\t'),
        'x' => {
            let code = after
                .get(..2)
                .and_then(|hex| u8::from_str_radix(hex, 16).ok());
            if let Some(code) = code {
                word.push(char::from(code));
                return &after[2..];
            }
            word.push_str("\\x");
        }
        c => word.extend(['\\', c]),
    }
    after
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Vec<String>>, Lacking) {
        let mut lacking = Lacking::default();
        let value = |name: &str| match name {
            "HOST" => Some("web".to_owned()),
            "LIST" => Some("a b c".to_owned()),
            _ => None,
        };
        let found = lines(text, &"t.cfg".into(), &value, &mut lacking).expect("valid");
        (found.into_iter().map(|line| line.words).collect(), lacking)
    }

    #[test]
    fn quotes_escapes_and_comments() {
        let (found, _) = read("a b\\ c 'd \"e' \"f 'g\" # no\nlog\\#x \\x41 \"\"\n\n# nothing\n");
        assert_eq!(found[0], ["a", "b c", "d \"e", "f 'g"]);
        assert_eq!(found[1], ["log#x", "A", ""]);
        assert_eq!(found.len(), 2);
    }

    #[test]
    fn variables_have_values_in_double_quotes_and_addresses() {
        let (found, lacking) = read(
            "x \"${HOST}:${PORT-80}\" '${HOST}' ${HOST} \"$HOST\"\nserver s ${HOST}:1 \"${LIST[*]}\"\n",
        );
        assert_eq!(found[0], ["x", "web:80", "${HOST}", "${HOST}", "web"]);
        assert_eq!(found[1], ["server", "s", "web:1", "a", "b", "c"]);
        assert!(lacking.problem().is_none());
        let (_, lacking) = read("a \"${ONE}\"\nb \"${TWO}${ONE}${HAPROXY_LOCALPEER}\"\n");
        let problem = lacking.problem().expect("two lack");
        assert!(
            problem.why.ends_with("ONE (line 1), TWO (line 2)"),
            "{}",
            problem.why
        );
    }

    #[test]
    fn a_line_goes_on_after_a_backslash() {
        let mut lacking = Lacking::default();
        let found = lines(
            "a \\\n  b\nc\\\\\nd\n",
            &"t".into(),
            &|_| None,
            &mut lacking,
        );
        let found = found.expect("valid");
        assert_eq!(found[0].words, ["a", "b"]);
        assert_eq!(
            (found[1].words[0].as_str(), found[1].place.line),
            ("c\\", 3)
        );
        assert_eq!(found[2].place.line, 4);
    }

    #[test]
    fn what_is_torn_is_named_with_its_line() {
        for text in ["\na 'b", "\na \"b", "\na \"${b\""] {
            let mut lacking = Lacking::default();
            let problem = lines(text, &"t".into(), &|_| None, &mut lacking).expect_err(text);
            assert_eq!(problem.place.map(|p| p.line), Some(2), "{text}");
        }
    }
}
