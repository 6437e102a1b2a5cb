//! Values as JSON writes them, comments and trailing commas allowed.

use super::{DEPTH_MAX, Entry, Node, Value, finite, short};
use crate::scenario::problem::{Collector, Problem, Span};
use crate::text::cited;
use jsonc_parser::{CollectOptions, ast, parse_to_ast};

const STRICT_JSON: jsonc_parser::ParseOptions = jsonc_parser::ParseOptions {
    allow_comments: true,
    allow_loose_object_property_names: false,
    allow_trailing_commas: true,
    allow_missing_commas: false,
    allow_single_quoted_strings: false,
    allow_hexadecimal_numbers: false,
    allow_unary_plus_numbers: false,
    allow_bare_decimal_point_numbers: false,
    allow_non_finite_numbers: false,
    allow_extended_string_escapes: false,
};

/// The top table of a text; `None` after a problem.
pub(super) fn parse(text: &str, number: u32, problems: &mut Collector) -> Option<Node> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT_JSON);
    let value = match parsed {
        Ok(result) => result.value,
        Err(error) => {
            let range = error.range();
            let span = Span::new(
                number,
                range.start.min(text.len())..range.end.min(text.len()),
            );
            problems.push(
                Problem::new("E001", format!("not well-formed JSON: {}", error.kind())).at(span),
            );
            return None;
        }
    };
    match value {
        Some(value @ ast::Value::Object(_)) => from_json(&value, number, DEPTH_MAX, problems),
        _ => {
            problems.push(
                Problem::new("E001", "a scenario in JSON is an object")
                    .at(Span::new(number, 0..text.len().min(1))),
            );
            None
        }
    }
}

fn from_json(
    value: &ast::Value<'_>,
    number: u32,
    depth: usize,
    problems: &mut Collector,
) -> Option<Node> {
    use jsonc_parser::common::Ranged;
    let range = value.range();
    let span = Span::new(number, range.start..range.end);
    if depth == 0 {
        problems.push(Problem::new("E002", format!("nested more than {DEPTH_MAX} deep")).at(span));
        return None;
    }
    let value = match value {
        ast::Value::StringLit(text) => Value::Text(short(&text.value, span, problems)?),
        ast::Value::NumberLit(literal) => match literal.value.parse::<i128>() {
            Ok(integer) => Value::Integer(integer),
            Err(_) => Value::Float(finite(literal.value, span, problems)?),
        },
        ast::Value::BooleanLit(flag) => Value::Flag(flag.value),
        ast::Value::Array(list) => {
            let read: Vec<Option<Node>> = list
                .elements
                .iter()
                .map(|e| from_json(e, number, depth - 1, problems))
                .collect();
            Value::List(read.into_iter().collect::<Option<_>>()?)
        }
        ast::Value::Object(object) => Value::Table(json_entries(object, number, depth, problems)?),
        ast::Value::NullKeyword(_) => {
            problems.push(
                Problem::new("E012", "null has no meaning in a scenario")
                    .at(span)
                    .help("leave the key out"),
            );
            return None;
        }
    };
    Some(Node { value, span })
}

fn json_entries(
    object: &ast::Object<'_>,
    number: u32,
    depth: usize,
    problems: &mut Collector,
) -> Option<Vec<Entry>> {
    use jsonc_parser::common::Ranged;
    let mut table = Node::empty_table(Span::NOWHERE);
    let mut seen = std::collections::BTreeMap::new();
    let mut whole = true;
    for property in &object.properties {
        let range = property.name.range();
        let key_span = Span::new(number, range.start..range.end);
        let key = short(property.name.as_str(), key_span, problems)?;
        if let Some(first) = seen.insert(key.clone(), key_span) {
            problems.push(
                Problem::new("E001", format!("the key {} is written twice", cited(key)))
                    .at(key_span)
                    .label(first, "first here"),
            );
            whole = false;
            continue;
        }
        match from_json(&property.value, number, depth - 1, problems) {
            Some(node) => match &mut table.value {
                Value::Table(entries) => entries.push(Entry {
                    key,
                    key_span,
                    node,
                }),
                _ => whole = false,
            },
            None => whole = false,
        }
    }
    match table.value {
        Value::Table(entries) if whole => Some(entries),
        _ => None,
    }
}

/// One value with places that count from its own start: none where it is no JSON, none within after a problem.
#[cfg(not(feature = "toml"))]
pub(super) fn value(text: &str, span: Span) -> Option<Option<Node>> {
    let parsed = parse_to_ast(text, &CollectOptions::default(), &STRICT_JSON).ok()?;
    let problems = &mut Collector::default();
    Some(from_json(&parsed.value?, span.source, DEPTH_MAX, problems))
}
