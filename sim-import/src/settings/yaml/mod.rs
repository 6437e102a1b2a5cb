//! YAML, and JSON as part of it, as a tree in which every value knows its line.

mod value;

pub(super) use value::{Entry, Node, Value};

use crate::settings::system::Place;
use crate::settings::{Surroundings, Unreadable, text};
use saphyr_parser::{Event, Parser, ScalarStyle};
use sim_core::scenario::Source;
use std::collections::BTreeMap;
use std::sync::Arc;

/// Deepest nesting.
const DEPTH_MAX: usize = 200;
/// Most values, those that aliases repeat included: a few lines of them could stand for billions.
const VALUES_MAX: usize = 2_000_000;

/// The documents of a file, with values in the place of its variables.
///
/// # Errors
/// Says what has no value, that it is a template nobody has rendered, or where it is no YAML.
pub(super) fn read(source: &Source, around: &Surroundings<'_>) -> Result<Vec<Node>, Unreadable> {
    let file = source.name.as_str().into();
    let filled = text::substitute(&source.text, &file, around.variable)?;
    if let Some(problem) = text::marked(&filled, &file, text::HELM) {
        return Err(problem);
    }
    // A text may have braces of its own: only what cannot be read is taken for a template by them.
    documents(&filled, &file).map_err(|why| text::template(&filled, &file).unwrap_or(why))
}

/// The documents of a text.
///
/// # Errors
/// Says where the text is no YAML, or grows beyond what is read.
pub(super) fn documents(text: &str, file: &Arc<str>) -> Result<Vec<Node>, Unreadable> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        file: file.clone(),
        anchors: BTreeMap::new(),
        values: 0,
    };
    let mut found = Vec::new();
    loop {
        match reader.next()?.0 {
            Event::StreamEnd => return Ok(found),
            Event::DocumentStart(_) => {
                let (event, line) = reader.next()?;
                let node = reader.node(event, line, 0)?;
                // A file may begin or end with dashes and nothing else.
                if node.value != Value::Null {
                    found.push(node);
                }
            }
            _ => {}
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    file: Arc<str>,
    /// What aliases stand for, with how many values that is.
    anchors: BTreeMap<usize, (Node, usize)>,
    values: usize,
}

impl<'t> Reader<'t> {
    fn place(&self, line: usize) -> Place {
        Place {
            file: self.file.clone(),
            line,
        }
    }

    fn next(&mut self) -> Result<(Event<'t>, usize), Unreadable> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start.line())),
            Some(Err(error)) => {
                let why = format!("it is no YAML: {}", error.info());
                Err(Unreadable::new(self.place(error.marker().line()), &why))
            }
            None => Ok((Event::StreamEnd, 0)),
        }
    }

    fn count(&mut self, values: usize, line: usize) -> Result<(), Unreadable> {
        self.values = self.values.saturating_add(values);
        if self.values > VALUES_MAX {
            let why = format!("it stands for more than {VALUES_MAX} values");
            return Err(Unreadable::new(self.place(line), &why));
        }
        Ok(())
    }

    /// The value that begins with an event.
    fn node(&mut self, event: Event<'t>, line: usize, depth: usize) -> Result<Node, Unreadable> {
        if depth > DEPTH_MAX {
            let why = format!("it is nested deeper than {DEPTH_MAX}");
            return Err(Unreadable::new(self.place(line), &why));
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
            Event::MappingStart(anchor, _) => (self.mapping(depth)?, anchor),
            Event::Alias(anchor) => {
                let Some((node, values)) = self.anchors.get(&anchor).cloned() else {
                    let why = "an alias of what has no anchor";
                    return Err(Unreadable::new(self.place(line), why));
                };
                self.count(values, line)?;
                return Ok(node);
            }
            _ => (Value::Null, 0),
        };
        let place = self.place(line);
        let node = Node { value, place };
        if anchor > 0 {
            let values = self.values - before;
            self.anchors.insert(anchor, (node.clone(), values));
        }
        Ok(node)
    }

    fn mapping(&mut self, depth: usize) -> Result<Value, Unreadable> {
        let mut entries: Vec<Entry> = Vec::new();
        let mut merged: Vec<Node> = Vec::new();
        loop {
            let (event, line) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                break;
            }
            let key = self.node(event, line, depth + 1)?;
            let (event, at) = self.next()?;
            let node = self.node(event, at, depth + 1)?;
            let name = key.text().unwrap_or_default();
            if name == "<<" {
                match node.value {
                    Value::List(items) => merged.extend(items),
                    _ => merged.push(node),
                }
            } else {
                // The later of two equal keys counts, as in what reads these files.
                entries.retain(|entry| entry.key != name);
                entries.push(Entry {
                    key: name,
                    place: key.place,
                    node,
                });
            }
        }
        for node in merged {
            for entry in node.entries() {
                if !entries.iter().any(|own| own.key == entry.key) {
                    entries.push(entry.clone());
                }
            }
        }
        Ok(Value::Table(entries))
    }
}

/// What a scalar is: in quotes always a text.
fn scalar(text: &str, style: ScalarStyle) -> Value {
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

    fn read(text: &str) -> Result<Vec<Node>, Unreadable> {
        documents(text, &"t.yaml".into())
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
        assert_eq!(b.items()[1].place.line, 5);
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
    fn anchors_and_merges() {
        let text = "base: &b { x: 1, y: 2 }\none: { <<: *b, y: 3 }\ntwo: *b\n";
        let found = &read(text).expect("valid")[0];
        assert_eq!(found.get("one").and_then(|one| one.number("x")), Some(1.0));
        assert_eq!(found.get("one").and_then(|one| one.number("y")), Some(3.0));
        assert_eq!(found.get("two").and_then(|two| two.number("y")), Some(2.0));
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
        let problem = read(&bomb).expect_err("ten thousand million values");
        assert!(problem.why.contains("more than"), "{}", problem.why);
        assert!(read(&"[".repeat(100_000)).is_err());
        assert!(read(&format!("{}1{}", "[".repeat(300), "]".repeat(300))).is_err());
        let problem = read("a: 1\n b: 2\n").expect_err("no YAML");
        assert_eq!(problem.place.map(|place| place.line), Some(2));
    }
}
