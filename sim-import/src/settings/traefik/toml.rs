//! TOML as the tree that YAML makes.

use crate::settings::Unreadable;
use crate::settings::system::Place;
use crate::settings::yaml::{Entry, Node, Value};
use std::ops::Range;
use std::sync::Arc;
use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// Deepest nesting.
const DEPTH_MAX: usize = 100;

/// A text as a table.
pub(super) fn document(text: &str, file: &Arc<str>) -> Result<Node, Unreadable> {
    let at = |bytes: Range<usize>| Place {
        file: file.clone(),
        line: text[..bytes.start.min(text.len())].matches('\n').count() + 1,
    };
    match DeTable::parse(text) {
        Ok(table) => Ok(Node {
            value: entries(table.get_ref(), &at, 0),
            place: at(0..0),
        }),
        Err(error) => {
            let place = at(error.span().unwrap_or(0..0));
            Err(Unreadable::new(
                place,
                &format!("it is no TOML: {}", error.message()),
            ))
        }
    }
}

fn entries(table: &DeTable<'_>, at: &dyn Fn(Range<usize>) -> Place, depth: usize) -> Value {
    let entry =
        |(key, value): (&Spanned<std::borrow::Cow<'_, str>>, &Spanned<DeValue<'_>>)| Entry {
            key: key.get_ref().to_string(),
            place: at(key.span()),
            node: node(value, at, depth + 1),
        };
    Value::Table(table.iter().map(entry).collect())
}

fn node(value: &Spanned<DeValue<'_>>, at: &dyn Fn(Range<usize>) -> Place, depth: usize) -> Node {
    let found = match value.get_ref() {
        _ if depth > DEPTH_MAX => Value::Null,
        DeValue::String(text) => Value::Text(text.to_string()),
        DeValue::Integer(number) => scalar(number.as_str()),
        DeValue::Float(number) => scalar(number.as_str()),
        DeValue::Boolean(flag) => Value::Flag(*flag, flag.to_string()),
        DeValue::Datetime(moment) => Value::Text(moment.to_string()),
        DeValue::Array(items) => {
            Value::List(items.iter().map(|item| node(item, at, depth + 1)).collect())
        }
        DeValue::Table(table) => entries(table, at, depth),
    };
    Node {
        value: found,
        place: at(value.span()),
    }
}

fn scalar(text: &str) -> Value {
    match text.replace('_', "").parse::<f64>() {
        Ok(number) if number.is_finite() => Value::Number(number, text.to_owned()),
        _ => Value::Text(text.to_owned()),
    }
}
