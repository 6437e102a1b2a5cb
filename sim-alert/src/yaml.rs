//! YAML as a tree in which every value knows its line.

use crate::problem::{Problem, listed};
use saphyr_parser::{Event, Parser, ScalarStyle};
use std::collections::BTreeMap;

/// Deepest nesting, and most values, those that aliases repeat included: a few lines of them could
/// stand for billions.
const DEPTH_MAX: usize = 50;
const VALUES_MAX: usize = 1_000_000;

/// A value with the line where it begins.
#[derive(Clone, Debug)]
pub(crate) struct Node {
    pub(crate) line: usize,
    pub(crate) value: Value,
}

#[derive(Clone, Debug)]
pub(crate) enum Value {
    /// A text as it is written; empty for nothing at all.
    Text(String),
    List(Vec<Node>),
    Table(Vec<(String, Node)>),
}

/// The first document of a text; nothing at all is an empty table.
pub(crate) fn read(file: &str, text: &str) -> Result<Node, Problem> {
    let mut reader = Reader {
        parser: Parser::new_from_str(text),
        file,
        anchors: BTreeMap::new(),
        values: 0,
    };
    loop {
        match reader.next()? {
            (Event::DocumentStart(_), _) => {
                let (event, line) = reader.next()?;
                return reader.node(event, line, 0);
            }
            (Event::StreamEnd, _) => {
                let value = Value::Table(Vec::new());
                return Ok(Node { line: 1, value });
            }
            _ => {}
        }
    }
}

struct Reader<'t> {
    parser: Parser<'t, saphyr_parser::StrInput<'t>>,
    file: &'t str,
    /// What aliases stand for, with how many values that is.
    anchors: BTreeMap<usize, (Node, usize)>,
    values: usize,
}

impl<'t> Reader<'t> {
    fn wrong<T>(&self, line: usize, message: impl Into<String>) -> Result<T, Problem> {
        Err(Problem::new(self.file, line, message))
    }

    fn next(&mut self) -> Result<(Event<'t>, usize), Problem> {
        match self.parser.next_event() {
            Some(Ok((event, span))) => Ok((event, span.start.line())),
            Some(Err(error)) => {
                let line = error.marker().line();
                self.wrong(line, format!("this is no YAML: {}", error.info()))
            }
            None => Ok((Event::StreamEnd, 0)),
        }
    }

    fn count(&mut self, values: usize, line: usize) -> Result<(), Problem> {
        self.values += values;
        if self.values > VALUES_MAX {
            return self.wrong(line, format!("more than {VALUES_MAX} values"));
        }
        Ok(())
    }

    fn node(&mut self, event: Event<'t>, line: usize, depth: usize) -> Result<Node, Problem> {
        if depth > DEPTH_MAX {
            return self.wrong(line, format!("nested deeper than {DEPTH_MAX}"));
        }
        let before = self.values;
        self.count(1, line)?;
        let (value, anchor) = match event {
            Event::Scalar(text, style, anchor, _) => {
                let nothing = matches!(&*text, "~" | "null" | "Null" | "NULL");
                let plain = style == ScalarStyle::Plain;
                let text = if plain && nothing { "" } else { &*text };
                (Value::Text(text.to_owned()), anchor)
            }
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
            Event::Alias(anchor) => {
                let Some((node, values)) = self.anchors.get(&anchor).cloned() else {
                    return self.wrong(line, "an alias of what has no anchor");
                };
                self.count(values, line)?;
                return Ok(node);
            }
            _ => (Value::Text(String::new()), 0),
        };
        let node = Node { line, value };
        if anchor > 0 {
            let values = self.values - before;
            self.anchors.insert(anchor, (node.clone(), values));
        }
        Ok(node)
    }

    fn table(&mut self, depth: usize) -> Result<Value, Problem> {
        let mut entries: Vec<(String, Node)> = Vec::new();
        let mut merged: Vec<Node> = Vec::new();
        loop {
            let (event, line) = self.next()?;
            if matches!(event, Event::MappingEnd | Event::StreamEnd) {
                break;
            }
            let Value::Text(key) = self.node(event, line, depth + 1)?.value else {
                return self.wrong(line, "a key is a text");
            };
            if entries.iter().any(|(own, _)| *own == key) {
                return self.wrong(line, format!("{key:?} is written twice"));
            }
            let (event, line) = self.next()?;
            let node = self.node(event, line, depth + 1)?;
            match node.value {
                Value::List(nodes) if key == "<<" => merged.extend(nodes),
                _ if key == "<<" => merged.push(node),
                _ => entries.push((key, node)),
            }
        }
        // What is merged in gives way to what is written, and to what was merged in before.
        for node in merged {
            let Value::Table(others) = node.value else {
                return self.wrong(node.line, "<< merges a table in, or a list of tables");
            };
            for (key, node) in others {
                if !entries.iter().any(|(own, _)| *own == key) {
                    entries.push((key, node));
                }
            }
        }
        Ok(Value::Table(entries))
    }
}

/// A table whose keys are taken one after the other.
pub(crate) struct Table<'n> {
    pub(crate) file: &'n str,
    pub(crate) line: usize,
    /// What it describes, for messages.
    what: &'static str,
    entries: &'n [(String, Node)],
}

impl<'n> Table<'n> {
    /// # Errors
    /// Says if it is no table, or which key nobody knows.
    pub(crate) fn of(
        file: &'n str,
        node: &'n Node,
        what: &'static str,
        allowed: &[&str],
    ) -> Result<Self, Problem> {
        let entries: &[(String, Node)] = match &node.value {
            Value::Table(entries) => entries,
            // An empty file, or a key without anything after it.
            Value::Text(text) if text.is_empty() => &[],
            _ => {
                let keys = listed(allowed.iter().copied());
                return Err(Problem::new(
                    file,
                    node.line,
                    format!("{what} is a table with the keys {keys}"),
                ));
            }
        };
        if let Some((key, node)) = entries
            .iter()
            .find(|(key, _)| !allowed.contains(&key.as_str()))
        {
            let keys = listed(allowed.iter().copied());
            let message = format!("{what} has no key {key:?}; allowed are {keys}");
            return Err(Problem::new(file, node.line, message));
        }
        Ok(Self {
            file,
            line: node.line,
            what,
            entries,
        })
    }

    pub(crate) fn get(&self, key: &str) -> Option<&'n Node> {
        let entry = self.entries.iter().find(|(own, _)| own == key);
        entry.map(|(_, node)| node)
    }

    pub(crate) fn line_of(&self, key: &str) -> usize {
        self.get(key).map_or(self.line, |node| node.line)
    }

    pub(crate) fn wrong(&self, key: &str, message: impl Into<String>) -> Problem {
        Problem::new(self.file, self.line_of(key), message)
    }

    /// A text; empty if the key is not there.
    pub(crate) fn text(&self, key: &str) -> Result<&'n str, Problem> {
        match self.get(key).map(|node| &node.value) {
            None => Ok(""),
            Some(Value::Text(text)) => Ok(text),
            Some(_) => {
                let what = self.what;
                Err(self.wrong(key, format!("{key} of {what} is a text")))
            }
        }
    }

    /// A length of time, if the key is there.
    pub(crate) fn duration(&self, key: &str) -> Result<Option<i64>, Problem> {
        match self.text(key)? {
            "" => Ok(None),
            text => crate::duration::parse(text).map(Some).ok_or_else(|| {
                let allowed = crate::duration::ALLOWED;
                self.wrong(
                    key,
                    format!("{key}: {text:?} is no length of time; allowed are {allowed}"),
                )
            }),
        }
    }

    pub(crate) fn list(&self, key: &str) -> Result<&'n [Node], Problem> {
        match self.get(key).map(|node| &node.value) {
            None => Ok(&[]),
            Some(Value::List(items)) => Ok(items),
            Some(Value::Text(text)) if text.is_empty() => Ok(&[]),
            Some(_) => {
                let what = self.what;
                Err(self.wrong(key, format!("{key} of {what} is a list")))
            }
        }
    }

    /// A list of texts.
    pub(crate) fn texts(&self, key: &str) -> Result<Vec<&'n str>, Problem> {
        let items = self.list(key)?.iter();
        let texts = items.map(|item| match &item.value {
            Value::Text(text) => Ok(text.as_str()),
            _ => Err(Problem::new(
                self.file,
                item.line,
                format!("{key} is a list of texts"),
            )),
        });
        texts.collect()
    }

    /// A table of texts, in the order of the file.
    pub(crate) fn pairs(&self, key: &str) -> Result<Vec<(&'n str, &'n str)>, Problem> {
        let entries: &[(String, Node)] = match self.get(key).map(|node| &node.value) {
            None => &[],
            Some(Value::Table(entries)) => entries,
            Some(Value::Text(text)) if text.is_empty() => &[],
            Some(_) => return Err(self.wrong(key, format!("{key} is a table of names and texts"))),
        };
        let pairs = entries.iter().map(|(name, node)| match &node.value {
            Value::Text(text) => Ok((name.as_str(), text.as_str())),
            _ => Err(Problem::new(
                self.file,
                node.line,
                format!("{name:?} in {key} is a text"),
            )),
        });
        pairs.collect()
    }
}
