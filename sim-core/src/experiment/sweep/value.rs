//! Values of axes: quantities with their units, and how a value is written into a table.

use crate::scenario::canonical::value_text;
use crate::scenario::kinds::{ratio_of_text, size_of_text};
use crate::scenario::problem::{Collector, Problem, Span};
use crate::scenario::tree::{Node, Value};
use crate::text::cited;
use crate::time::Duration;

/// What a quantity is counted in.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Kind {
    /// A whole number.
    Integer,
    /// Any other number, or a share.
    Number,
    /// Nanoseconds.
    Span,
}

impl Kind {
    pub(crate) fn noun(self) -> &'static str {
        match self {
            Self::Integer | Self::Number => "a number",
            Self::Span => "a time span",
        }
    }
}

/// A number with its kind.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(crate) struct Quantity {
    pub number: f64,
    pub kind: Kind,
    span: Span,
}

impl Quantity {
    /// Both as the same kind, where that is possible.
    pub(crate) fn alike(self, other: Self) -> Option<(Self, Self)> {
        match (self.kind, other.kind) {
            (a, b) if a == b => Some((self, other)),
            (Kind::Integer | Kind::Number, Kind::Integer | Kind::Number) => {
                let number = |q: Self| Self {
                    kind: Kind::Number,
                    ..q
                };
                Some((number(self), number(other)))
            }
            _ => None,
        }
    }

    /// A value of this kind, as it would be written.
    pub(crate) fn node(self, number: f64, whole: bool) -> Node {
        let number = if whole { libm::round(number) } else { number };
        let value = match self.kind {
            Kind::Span => Value::Text(Duration::from_nanos_f64(number).to_string()),
            // Integers that come out whole stay so: a path may take nothing else.
            _ if number.fract() == 0.0
                && number.abs() < 1e15
                && (whole || self.kind == Kind::Integer) =>
            {
                Value::Integer(number as i128)
            }
            _ => Value::Float(number),
        };
        Node {
            value,
            span: self.span,
        }
    }
}

/// Reads the end of a range.
pub(crate) fn quantity(node: &Node, key: &str, problems: &mut Collector) -> Option<Quantity> {
    let (number, kind) = match &node.value {
        Value::Integer(i) => (*i as f64, Kind::Integer),
        Value::Float(f) => (*f, Kind::Number),
        Value::Text(text) => {
            if let Some(found) = text_quantity(text) {
                found
            } else {
                problems.push(
                    Problem::new("E015", format!("{} is no number, time span, share or size", cited(text)))
                        .at(node.span)
                        .help("such as 0.5, \"50%\", \"250ms\" or \"512MiB\"; for other values write `values`"),
                );
                return None;
            }
        }
        _ => {
            problems.push(
                Problem::new(
                    "E012",
                    format!("`{key}` is a quantity, not {}", node.noun()),
                )
                .at(node.span),
            );
            return None;
        }
    };
    Some(Quantity {
        number,
        kind,
        span: node.span,
    })
}

fn text_quantity(text: &str) -> Option<(f64, Kind)> {
    if text.trim_end().ends_with('%') {
        return ratio_of_text(text).map(|ratio| (ratio, Kind::Number));
    }
    if let Ok(span) = Duration::parse(text) {
        return Some((span.0 as f64, Kind::Span));
    }
    size_of_text(text).map(|bytes| (bytes, Kind::Number))
}

/// A value as it stands in a table: texts bare, all else as in a scenario.
pub(crate) fn cell_text(node: &Node) -> String {
    match &node.value {
        Value::Text(text) => text.clone(),
        _ => value_text(node),
    }
}

/// A value as a number for a plot: numbers, shares, time spans in seconds, sizes in bytes.
pub(crate) fn number_of(text: &str) -> Option<(f64, Kind)> {
    if let Ok(number) = text.trim().parse::<f64>() {
        return number.is_finite().then_some((number, Kind::Number));
    }
    text_quantity(text).map(|(number, kind)| match kind {
        Kind::Span => (number / 1e9, Kind::Span),
        kind => (number, kind),
    })
}
