//! Values as TOML writes them.

use super::{DEPTH_MAX, Entry, Node, Value, finite, refuse_number, short};
use crate::scenario::problem::{Collector, Problem, Span};
use toml::de::{DeTable, DeValue};

/// The top table of a text; `None` after a problem.
pub(super) fn parse(text: &str, number: u32, problems: &mut Collector) -> Option<Node> {
    let (table, errors) = DeTable::parse_recoverable(text);
    if errors.is_empty() {
        let span = Span::new(number, 0..0);
        return from_table(table.get_ref(), span, number, DEPTH_MAX, problems);
    }
    // One slip, such as an unclosed bracket, makes the parser stumble over all that follows in
    // the line: only its first complaint in a line is worth reading.
    let mut last_line = usize::MAX;
    for error in errors.iter().take(20) {
        let range = error.span().unwrap_or(0..0);
        let line = text
            .get(..range.start)
            .unwrap_or(text)
            .matches('\n')
            .count();
        if line != last_line {
            problems.push(
                Problem::new("E001", format!("not well-formed TOML: {}", error.message()))
                    .at(Span::new(number, range)),
            );
            last_line = line;
        }
    }
    None
}

fn from_table(
    table: &DeTable<'_>,
    span: Span,
    number: u32,
    depth: usize,
    problems: &mut Collector,
) -> Option<Node> {
    let mut entries = Vec::with_capacity(table.len());
    let mut whole = true;
    for (key, value) in table {
        let key_span = Span::new(number, key.span());
        let name = short(key.get_ref(), key_span, problems)?;
        let place = Span::new(number, value.span());
        match from_toml(value.get_ref(), place, number, depth, problems) {
            Some(node) => entries.push(Entry {
                key: name,
                key_span,
                node,
            }),
            None => whole = false,
        }
    }
    whole.then_some(Node {
        value: Value::Table(entries),
        span,
    })
}

fn from_toml(
    value: &DeValue<'_>,
    span: Span,
    number: u32,
    depth: usize,
    problems: &mut Collector,
) -> Option<Node> {
    if depth == 0 {
        problems.push(Problem::new("E002", format!("nested more than {DEPTH_MAX} deep")).at(span));
        return None;
    }
    let value = match value {
        DeValue::String(text) => Value::Text(short(text, span, problems)?),
        DeValue::Integer(integer) => {
            match i128::from_str_radix(integer.as_str(), integer.radix()) {
                Ok(i) => Value::Integer(i),
                Err(_) => return refuse_number(integer.as_str(), span, problems),
            }
        }
        DeValue::Float(float) => Value::Float(finite(float.as_str(), span, problems)?),
        DeValue::Boolean(flag) => Value::Flag(*flag),
        // `at = 12:30` without quotation marks is a time to TOML; it means the same here.
        DeValue::Datetime(moment) => Value::Text(moment.to_string()),
        DeValue::Array(items) => {
            let read = items.iter().map(|item| {
                from_toml(
                    item.get_ref(),
                    Span::new(number, item.span()),
                    number,
                    depth - 1,
                    problems,
                )
            });
            let read: Vec<Option<Node>> = read.collect();
            Value::List(read.into_iter().collect::<Option<_>>()?)
        }
        DeValue::Table(table) => return from_table(table, span, number, depth - 1, problems),
    };
    Some(Node { value, span })
}

/// One value with places that count from its own start: none where it is no TOML, none within after a problem.
pub(super) fn value(text: &str, span: Span) -> Option<Option<Node>> {
    let (value, errors) = DeValue::parse_recoverable(text);
    // A moment is a text to a scenario, with quotation marks or without.
    let read = errors.is_empty() && !matches!(value.get_ref(), DeValue::Datetime(_));
    let problems = &mut Collector::default();
    read.then(|| from_toml(value.get_ref(), span, span.source, DEPTH_MAX, problems))
}
