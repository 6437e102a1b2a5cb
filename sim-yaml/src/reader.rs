//! A text to trees.

use crate::value::{Entry, Node, Value};
use saphyr_parser::{Event, Parser, ScalarStyle, StrInput};
use std::collections::BTreeMap;
use std::fmt;

/// Deepest nesting.
const DEPTH_MAX: usize = 200;
/// Most values, those that aliases repeat, and those that are kept for aliases, included: a few lines
/// of them could stand for billions.
const VALUES_MAX: usize = 2_000_000;
/// The key at which other tables are merged in.
const MERGE: &str = "<<";

/// What keys may be.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Keys {
    /// Texts, each once in a table; `<<` merges tables in and nothing else.
    Once,
    /// Whatever programs let pass: of equal keys the last counts, what is no text is an empty one, and
    /// what `<<` cannot merge in is left out.
    Last,
}

/// Why a text cannot be read.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// Its line, from 1.
    pub line: usize,
    /// What is wrong there.
    pub why: String,
}

impl fmt::Display for Wrong {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "line {}: {}", self.line, self.why)
    }
}

impl std::error::Error for Wrong {}

/// The documents of a text, without those that hold nothing: a file may begin or end with dashes.
/// `place` makes a place of a line.
///
/// # Errors
/// Says where the text is no YAML, or grows beyond what is read.
pub fn documents<P: Clone>(
    text: &str,
    keys: Keys,
    place: impl Fn(usize) -> P,
) -> Result<Vec<Node<P>>, Wrong> {
    let mut reader = Reader::new(text, keys, place);
    let mut found = Vec::new();
    while let Some(node) = reader.document()? {
        if !matches!(node.value, Value::Null) {
            found.push(node);
        }
    }
    Ok(found)
}

/// The first document of a text; what comes after it is not looked at.
///
/// # Errors
/// Says where the text is no YAML, or grows beyond what is read.
pub fn first<P: Clone>(
    text: &str,
    keys: Keys,
    place: impl Fn(usize) -> P,
) -> Result<Option<Node<P>>, Wrong> {
    Reader::new(text, keys, place).document()
}

struct Reader<'t, P, F> {
    parser: Parser<'t, StrInput<'t>>,
    keys: Keys,
    place: F,
    /// What aliases stand for, with how many values that is.
    anchors: BTreeMap<usize, (Node<P>, usize)>,
    values: usize,
}

impl<'t, P: Clone, F: Fn(usize) -> P> Reader<'t, P, F> {
    fn new(text: &'t str, keys: Keys, place: F) -> Self {
        Self {
            parser: Parser::new_from_str(text),
            keys,
            place,
            anchors: BTreeMap::new(),
            values: 0,
        }
    }

    fn document(&mut self) -> Result<Option<Node<P>>, Wrong> {
        loop {
            match self.next()?.0 {
                Event::StreamEnd => return Ok(None),
                Event::DocumentStart(_) => {
                    let (event, line) = self.next()?;
                    return self.node(event, line, 0).map(Some);
                }
                _ => {}
            }
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, usize), Wrong> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start.line())),
            Some(Err(error)) => {
                let why = format!("it is no YAML: {}", error.info());
                wrong(error.marker().line(), why)
            }
            None => Ok((Event::StreamEnd, 0)),
        }
    }

    fn count(&mut self, values: usize, line: usize) -> Result<(), Wrong> {
        self.values = self.values.saturating_add(values);
        if self.values > VALUES_MAX {
            return wrong(line, format!("it stands for more than {VALUES_MAX} values"));
        }
        Ok(())
    }

    /// The value that begins with an event.
    fn node(&mut self, event: Event<'t>, line: usize, depth: usize) -> Result<Node<P>, Wrong> {
        if depth > DEPTH_MAX {
            return wrong(line, format!("it is nested deeper than {DEPTH_MAX}"));
        }
        let before = self.values;
        self.count(1, line)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => (scalar(&text, style), anchor),
            Event::SequenceStart(anchor, _) => {
                let mut items = Vec::new();
                loop {
                    let (event, line) = self.next()?;
                    match event {
                        Event::SequenceEnd | Event::StreamEnd => break,
                        event => items.push(self.node(event, line, depth + 1)?),
                    }
                }
                (Value::List(items), anchor)
            }
            Event::MappingStart(anchor, _) => (self.table(depth)?, anchor),
            Event::Alias(anchor) => return self.alias(anchor, line),
            _ => (Value::Null, 0),
        };
        let place = (self.place)(line);
        let node = Node { value, place };
        if anchor > 0 {
            let values = self.values - before;
            // Anchors within each other are kept as often as they are deep.
            self.count(values, line)?;
            self.anchors.insert(anchor, (node.clone(), values));
        }
        Ok(node)
    }

    fn alias(&mut self, anchor: usize, line: usize) -> Result<Node<P>, Wrong> {
        let Some(values) = self.anchors.get(&anchor).map(|(_, values)| *values) else {
            return wrong(line, "an alias of what has no anchor");
        };
        self.count(values, line)?;
        Ok(self.anchors[&anchor].0.clone())
    }

    fn table(&mut self, depth: usize) -> Result<Value<P>, Wrong> {
        let mut found = Table::default();
        let mut merged: Vec<(usize, Node<P>)> = Vec::new();
        loop {
            let (event, line) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                break;
            }
            let key = self.node(event, line, depth + 1)?;
            let name = match (key.written(), self.keys) {
                (Some(name), _) => name.to_owned(),
                (None, Keys::Last) => String::new(),
                (None, Keys::Once) => return wrong(line, "a key is a text"),
            };
            if self.keys == Keys::Once && found.places.contains_key(&name) {
                return wrong(line, format!("{name:?} is written twice"));
            }
            let (event, line) = self.next()?;
            let node = self.node(event, line, depth + 1)?;
            if name == MERGE {
                match node.value {
                    Value::List(items) => merged.extend(items.into_iter().map(|one| (line, one))),
                    _ => merged.push((line, node)),
                }
                continue;
            }
            found.put(Entry {
                key: name,
                place: key.place,
                node,
            });
        }
        // What is merged in gives way to what is written, and to what was merged in before.
        for (line, node) in merged {
            match node.value {
                Value::Table(others) => {
                    for entry in others {
                        if !found.places.contains_key(&entry.key) {
                            found.put(entry);
                        }
                    }
                }
                _ if self.keys == Keys::Once => {
                    return wrong(line, "<< merges a table in, or a list of tables");
                }
                _ => {}
            }
        }
        Ok(Value::Table(found.entries.into_iter().flatten().collect()))
    }
}

/// Entries in their order, and where each key is among them: tables may be long.
struct Table<P> {
    entries: Vec<Option<Entry<P>>>,
    places: BTreeMap<String, usize>,
}

impl<P> Default for Table<P> {
    fn default() -> Self {
        Self {
            entries: Vec::new(),
            places: BTreeMap::new(),
        }
    }
}

impl<P> Table<P> {
    /// Adds an entry at the end; one of the same key goes.
    fn put(&mut self, entry: Entry<P>) {
        let place = self.entries.len();
        if let Some(before) = self.places.insert(entry.key.clone(), place) {
            self.entries[before] = None;
        }
        self.entries.push(Some(entry));
    }
}

fn wrong<T>(line: usize, why: impl Into<String>) -> Result<T, Wrong> {
    let why = why.into();
    Err(Wrong { line, why })
}

/// What a scalar is: in quotes always a text.
fn scalar<P>(text: &str, style: ScalarStyle) -> Value<P> {
    if style != ScalarStyle::Plain {
        return Value::Text(text.to_owned());
    }
    match text {
        "" | "~" | "null" | "Null" | "NULL" => Value::Null,
        "true" | "True" | "TRUE" | "yes" | "Yes" | "on" | "On" => {
            Value::Flag(true, text.to_owned())
        }
        "false" | "False" | "FALSE" | "no" | "No" | "off" | "Off" => {
            Value::Flag(false, text.to_owned())
        }
        _ => match text.parse::<f64>() {
            Ok(number) if number.is_finite() => Value::Number(number, text.to_owned()),
            _ => Value::Text(text.to_owned()),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Vec<Node<usize>>, Wrong> {
        documents(text, Keys::Last, |line| line)
    }

    fn strict(text: &str) -> Result<Vec<Node<usize>>, Wrong> {
        documents(text, Keys::Once, |line| line)
    }

    #[test]
    fn values_know_their_lines() {
        let text = "---\na: 1\nb:\n  - x: \"2\"\n  - { y: yes, z: 0.25s }\n---\nc: |\n  two\n  lines\n---\n";
        let found = read(text).expect("valid");
        assert_eq!(found.len(), 2);
        let b = found[0].get("b").expect("there");
        assert_eq!(
            b.items()[0].get("x").and_then(Node::text).as_deref(),
            Some("2")
        );
        assert_eq!(b.items()[1].place, 5);
        assert_eq!(
            b.items()[1].get("z").and_then(Node::text).as_deref(),
            Some("0.25s")
        );
        assert!(matches!(
            b.items()[1].get("y").map(|y| &y.value),
            Some(Value::Flag(true, _))
        ));
        assert_eq!(found[0].number("a"), Some(1.0));
        assert_eq!(
            found[1].get("c").and_then(Node::text).as_deref(),
            Some("two\nlines\n")
        );
        assert_eq!(
            read("{\"a\": [1, 2]}").expect("JSON")[0]
                .get("a")
                .map(|a| a.items().len()),
            Some(2)
        );
        assert!(read("").expect("nothing is fine").is_empty());
    }

    #[test]
    fn the_first_document_is_read_alone() {
        let found = first("a: 1\n---\n{ no: [YAML\n", Keys::Once, |line| line);
        assert_eq!(found.expect("valid").and_then(|a| a.number("a")), Some(1.0));
        assert_eq!(first("# nothing\n", Keys::Once, |line| line), Ok(None));
    }

    #[test]
    fn nothing_is_an_empty_text_to_those_who_ask_for_what_is_written() {
        let found = &read("a: ~\nb: 'null'\nc: 0x1f\nd: []\n").expect("valid")[0];
        let written = |key| found.get(key).map(|node| (node.written(), node.text()));
        assert_eq!(written("a"), Some((Some(""), None)));
        let text = "null".to_owned();
        assert_eq!(written("b"), Some((Some("null"), Some(text))));
        let text = "0x1f".to_owned();
        assert_eq!(written("c"), Some((Some("0x1f"), Some(text))));
        assert_eq!(written("d"), Some((None, None)));
    }

    #[test]
    fn anchors_and_merges() {
        let text = "base: &b { x: 1, y: 2 }\none: { <<: *b, y: 3 }\ntwo: *b\n";
        for found in [read(text), strict(text)] {
            let found = &found.expect("valid")[0];
            assert_eq!(found.get("one").and_then(|one| one.number("x")), Some(1.0));
            assert_eq!(found.get("one").and_then(|one| one.number("y")), Some(3.0));
            assert_eq!(found.get("two").and_then(|two| two.number("y")), Some(2.0));
        }
        let text = "{ <<: [{ a: 1 }, { a: 2, b: 3 }], c: 4 }";
        let keys: Vec<_> = read(text).expect("valid")[0]
            .entries()
            .iter()
            .map(|entry| (entry.key.clone(), entry.node.as_number()))
            .collect();
        let expected = [("c", 4.0), ("a", 1.0), ("b", 3.0)];
        assert_eq!(
            keys,
            expected.map(|(key, number)| (key.to_owned(), Some(number)))
        );
    }

    #[test]
    fn keys_are_as_strict_as_asked_for() {
        for (text, line, why) in [
            ("a: 1\nb: 2\na: 3\n", 3, "\"a\" is written twice"),
            ("a:\n  [b]: 1\n", 2, "a key is a text"),
            ("a: { <<: 1 }\n", 1, "<< merges a table in"),
        ] {
            let wrong = strict(text).expect_err("a mistake");
            assert!(
                wrong.line == line && wrong.why.starts_with(why),
                "{text}: {wrong}"
            );
            assert!(read(text).is_ok(), "{text}");
        }
        let found = &read("a: 1\nb: 2\na: 3\n").expect("valid")[0];
        assert_eq!((found.number("a"), found.entries().len()), (Some(3.0), 2));
    }

    /// A look at every key before would take minutes.
    #[test]
    fn long_tables_are_read_at_once() {
        let keys = (0..200_000).map(|n| format!("k{n}: {n}\n"));
        let keys = keys.collect::<Vec<_>>().concat();
        for found in [read(&keys), strict(&keys)] {
            assert_eq!(found.expect("valid")[0].entries().len(), 200_000);
        }
        let twice = format!("{keys}{keys}");
        assert_eq!(read(&twice).expect("valid")[0].entries().len(), 200_000);
        assert_eq!(strict(&twice).expect_err("twice").line, 200_001);
    }

    #[test]
    fn numbers_that_cannot_be_counted_to_are_none() {
        let found = &read("a: 1e14\nb: 1e15\nc: \"-1e15\"\n").expect("valid")[0];
        assert_eq!(found.count("a"), Some(100_000_000_000_000));
        assert_eq!((found.number("b"), found.number("c")), (None, None));
    }

    #[test]
    fn nothing_grows_without_bound() {
        let mut bomb = "a: &a [x, x, x, x, x, x, x, x, x, x]\n".to_owned();
        let mut last = 'a';
        for name in 'b'..='j' {
            let list = vec![format!("*{last}"); 10].join(", ");
            bomb.extend([format!("{name}: &{name} [{list}]\n")]);
            last = name;
        }
        // Anchors within each other, around many values.
        let open = (0..190).map(|n| format!("&a{n} ["));
        let open = open.collect::<Vec<_>>().concat();
        let values = "1, ".repeat(100_000);
        let nested = format!("{open}{values}{}", "]".repeat(190));
        for text in [bomb, nested] {
            let problem = read(&text).expect_err("thousands of millions of values");
            assert!(
                problem.why.contains("more than 2000000 values"),
                "{problem}"
            );
        }
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read(&format!("{}1{}", "[".repeat(300), "]".repeat(300))).is_err());
        let problem = read("a: 1\n b: 2\n").expect_err("no YAML");
        assert_eq!(problem.line, 2);
    }
}
