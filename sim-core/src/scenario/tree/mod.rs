//! One tree for TOML and JSON: values with the bytes they were written in, tables in the order of
//! the file.

use super::problem::{Collector, Problem, Span};
use super::{Source, foreign};
use crate::text::plain;
use crate::time::Duration;
use std::sync::Arc;

mod json;
#[cfg(feature = "toml")]
mod toml;

/// The language of a value on its own.
#[cfg(not(feature = "toml"))]
use json as language;
#[cfg(feature = "toml")]
use toml as language;

/// Longest text that is read: beyond it a scenario is data, not a description.
const TEXT_MAX: usize = 64 << 20;
/// Deepest nesting: twice what any scenario needs.
const DEPTH_MAX: usize = 24;
/// Longest single text or key: they are repeated in messages.
const WORD_MAX: usize = 1 << 16;

/// A value and where it stands.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Node {
    pub value: Value,
    pub span: Span,
}

/// What can be written.
#[derive(Clone, PartialEq, Debug)]
pub(crate) enum Value {
    Text(String),
    Integer(i128),
    Float(f64),
    Flag(bool),
    List(Vec<Node>),
    /// The moments of a trace, millions perhaps: a list that nobody has written by hand.
    Moments(Arc<[Duration]>),
    Table(Vec<Entry>),
}

/// A key of a table with its value.
#[derive(Clone, PartialEq, Debug)]
pub(crate) struct Entry {
    pub key: String,
    pub key_span: Span,
    pub node: Node,
}

impl Node {
    pub(crate) fn text(text: impl Into<String>, span: Span) -> Self {
        Self {
            value: Value::Text(text.into()),
            span,
        }
    }

    pub(crate) fn empty_table(span: Span) -> Self {
        Self {
            value: Value::Table(Vec::new()),
            span,
        }
    }

    /// The entries of a table; none for anything else.
    pub(crate) fn entries(&self) -> &[Entry] {
        match &self.value {
            Value::Table(entries) => entries,
            _ => &[],
        }
    }

    /// The members of a list; none for anything else.
    pub(crate) fn items(&self) -> &[Self] {
        match &self.value {
            Value::List(items) => items,
            _ => &[],
        }
    }

    pub(crate) fn entry(&self, key: &str) -> Option<&Entry> {
        self.entries().iter().find(|e| e.key == key)
    }

    pub(crate) fn get(&self, key: &str) -> Option<&Self> {
        self.entry(key).map(|e| &e.node)
    }

    pub(crate) fn get_mut(&mut self, key: &str) -> Option<&mut Self> {
        match &mut self.value {
            Value::Table(entries) => entries
                .iter_mut()
                .find(|e| e.key == key)
                .map(|e| &mut e.node),
            _ => None,
        }
    }

    /// Takes a key out of a table.
    pub(crate) fn take(&mut self, key: &str) -> Option<Entry> {
        let Value::Table(entries) = &mut self.value else {
            return None;
        };
        let at = entries.iter().position(|e| e.key == key)?;
        Some(entries.remove(at))
    }

    /// Puts a key into a table, in place of the one there was.
    pub(crate) fn put(&mut self, entry: Entry) {
        let Value::Table(entries) = &mut self.value else {
            return;
        };
        match entries.iter_mut().find(|e| e.key == entry.key) {
            Some(old) => *old = entry,
            None => entries.push(entry),
        }
    }

    pub(crate) fn as_text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    pub(crate) fn is_table(&self) -> bool {
        matches!(self.value, Value::Table(_))
    }

    /// What the value is called in messages.
    pub(crate) fn noun(&self) -> &'static str {
        match self.value {
            Value::Text(_) => "a text",
            Value::Integer(_) => "a whole number",
            Value::Float(_) => "a number",
            Value::Flag(_) => "true or false",
            Value::List(_) | Value::Moments(_) => "a list",
            Value::Table(_) => "a table",
        }
    }

    /// `base` with the keys of `over` laid upon it; tables that are no extension row merge key
    /// by key.
    pub(crate) fn merged(base: &Self, over: &Self) -> Self {
        let mut result = base.clone();
        result.span = over.span;
        for entry in over.entries() {
            let plain = |n: &Self| n.is_table() && n.get("kind").is_none();
            let mut entry = entry.clone();
            if let Some(old) = base.get(&entry.key)
                && plain(old)
                && plain(&entry.node)
            {
                entry.node = Self::merged(old, &entry.node);
            }
            result.put(entry);
        }
        result
    }
}

/// Reads a source as the top table of a scenario; `None` after a problem. Sources after the first are files
/// that it refers to: of those that are no scenarios nothing is shown.
pub(crate) fn parse(source: &Source, number: u32, problems: &mut Collector) -> Option<Node> {
    let mut found = Collector::default();
    let tree = parse_any(source, number, &mut found);
    let referred = number > 0;
    let refused = match &tree {
        Some(tree) => foreign::parsed(source, tree, referred),
        None => {
            let lines = found.starts().map(|at| source.line_column(at).0);
            foreign::unparsed(source, &lines.collect::<Vec<_>>(), referred)
        }
    };
    if let Some(problem) = refused {
        problems.push(problem);
        return None;
    }
    problems.take(found);
    tree
}

/// The same of a text that is known to be no foreign file, however few keys it has.
pub(crate) fn parse_any(source: &Source, number: u32, problems: &mut Collector) -> Option<Node> {
    if source.text.len() > TEXT_MAX {
        problems.push(Problem::new(
            "E002",
            format!("{} holds more than 64 MiB", source.name),
        ));
        return None;
    }
    if source.is_json() {
        return json::parse(&source.text, number, problems);
    }
    language::parse(&source.text, number, problems)
}

/// A text or key without what a terminal would obey. Those that are too long to be repeated in a message
/// are refused.
fn short(text: &str, span: Span, problems: &mut Collector) -> Option<String> {
    if text.len() <= WORD_MAX {
        return Some(plain(text).into_owned());
    }
    problems.push(Problem::new("E002", "a text of more than 64 KiB").at(span));
    None
}

fn refuse_number(text: &str, span: Span, problems: &mut Collector) -> Option<Node> {
    problems.push(
        Problem::new(
            "E003",
            format!("{text} is no number that can be calculated with"),
        )
        .at(span)
        .help("numbers are finite"),
    );
    None
}

fn finite(text: &str, span: Span, problems: &mut Collector) -> Option<f64> {
    let number = text.parse::<f64>().ok().filter(|n| n.is_finite());
    if number.is_none() {
        refuse_number(text, span, problems);
    }
    number
}

/// Reads one value in TOML syntax, as on a command line, or in JSON where TOML is left out; what is neither is
/// taken as a text.
/// `span` is where `text` stands.
pub(crate) fn parse_value(text: &str, span: Span, problems: &mut Collector) -> Option<Node> {
    if text.len() > TEXT_MAX {
        problems.push(Problem::new("E002", "a value of more than 64 MiB").at(span));
        return None;
    }
    let trimmed = text.trim();
    let Some(read) = language::value(trimmed, span) else {
        return short(trimmed, span, problems).map(|text| Node::text(text, span));
    };
    let Some(mut node) = read else {
        // Places inside the value are not yet places in the source: point at the whole of it.
        problems.push(
            Problem::new(
                "E003",
                format!(
                    "{trimmed} holds a number that cannot be calculated with, or is nested too deep"
                ),
            )
            .at(span),
        );
        return None;
    };
    let lead = text.len() - text.trim_start().len();
    shift(&mut node, span, lead);
    node.span = span;
    Some(node)
}

/// Moves spans that count from the start of a value to where the value stands.
fn shift(node: &mut Node, base: Span, lead: usize) {
    let moved = |s: Span| base.part(s.start as usize + lead, s.end as usize + lead);
    match &mut node.value {
        Value::List(items) => {
            for item in items {
                shift(item, base, lead);
                item.span = moved(item.span);
            }
        }
        Value::Table(entries) => {
            for entry in entries {
                entry.key_span = moved(entry.key_span);
                shift(&mut entry.node, base, lead);
                entry.node.span = moved(entry.node.span);
            }
        }
        _ => {}
    }
}

/// A default as written in the tables of keys and parameters.
pub(crate) fn default_value(text: &str) -> Node {
    let span = Span::NOWHERE;
    // The common cases without a parser: defaults are read anew for each part of a large fleet.
    let value = match text {
        "true" => Value::Flag(true),
        "false" => Value::Flag(false),
        "{}" => Value::Table(Vec::new()),
        "[]" => Value::List(Vec::new()),
        _ if text.starts_with(['{', '[']) => {
            return parse_value(text, span, &mut Collector::default())
                .unwrap_or(Node::empty_table(span));
        }
        _ => match (text.parse::<i128>(), text.parse::<f64>()) {
            (Ok(integer), _) => Value::Integer(integer),
            (_, Ok(float)) if float.is_finite() => Value::Float(float),
            _ => Value::Text(text.to_owned()),
        },
    };
    Node { value, span }
}
