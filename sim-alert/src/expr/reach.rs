//! What an expression looks at, for those who keep series for it.

use super::{Expr, Node, Selector};
use crate::eval::LOOKBACK_MS;
use crate::labels::{Labels, NAME};
use crate::matcher::Operator;
use std::fmt;

impl Expr {
    /// How far back its value can depend on points: what is older need not be kept.
    pub fn reach_ms(&self) -> i64 {
        let of = |parts: &mut dyn Iterator<Item = &Self>| parts.map(Self::reach_ms).max();
        let reach = match &self.node {
            Node::Number(_) | Node::Text(_) => 0,
            Node::Selector(selector) => LOOKBACK_MS.saturating_add(selector.offset_ms),
            Node::Range(selector, range_ms) => range_ms.saturating_add(selector.offset_ms),
            Node::Subquery(subquery) => (subquery.range_ms)
                .saturating_add(subquery.offset_ms)
                .saturating_add(subquery.inner.reach_ms()),
            Node::Call(_, arguments) => of(&mut arguments.iter()).unwrap_or(0),
            Node::Aggregate(aggregate) => {
                let parts = aggregate.parameter.iter();
                of(&mut parts.chain([&aggregate.inner])).unwrap_or(0)
            }
            Node::Binary(binary) => of(&mut [&binary.left, &binary.right].into_iter()).unwrap_or(0),
            Node::Negated(inner) | Node::Brackets(inner) => inner.reach_ms(),
        };
        reach.max(0)
    }

    /// The shortest range that a rate or another difference is taken of: it has no value where that
    /// does not hold two points.
    pub fn shortest_difference_ms(&self) -> Option<i64> {
        let shortest = |parts: &mut dyn Iterator<Item = &Self>| {
            parts.filter_map(Self::shortest_difference_ms).min()
        };
        match &self.node {
            Node::Number(_) | Node::Text(_) | Node::Selector(_) | Node::Range(..) => None,
            Node::Subquery(subquery) => subquery.inner.shortest_difference_ms(),
            Node::Call(function, arguments) => {
                let own = arguments
                    .iter()
                    .filter_map(|argument| match &argument.bare().node {
                        Node::Range(_, range_ms) if DIFFERENCES.contains(&function.name) => {
                            Some(*range_ms)
                        }
                        _ => argument.shortest_difference_ms(),
                    });
                own.min()
            }
            Node::Aggregate(aggregate) => {
                let parts = aggregate.parameter.iter();
                shortest(&mut parts.chain([&aggregate.inner]))
            }
            Node::Binary(binary) => shortest(&mut [&binary.left, &binary.right].into_iter()),
            Node::Negated(inner) | Node::Brackets(inner) => inner.shortest_difference_ms(),
        }
    }
}

/// Functions that have no value of a single point.
const DIFFERENCES: [&str; 7] = [
    "rate",
    "increase",
    "irate",
    "delta",
    "idelta",
    "deriv",
    "predict_linear",
];

impl Selector {
    /// The name of the metric, where it asks for one by name.
    pub fn metric(&self) -> Option<&str> {
        let exact =
            |one: &&crate::matcher::Matcher| one.label == NAME && one.operator == Operator::Equal;
        self.matchers
            .iter()
            .find(exact)
            .map(|one| one.value.as_str())
    }

    /// Whether it takes a series of these labels, the name among them.
    pub fn takes(&self, labels: &Labels) -> bool {
        self.matchers.iter().all(|one| one.takes(labels))
    }
}

/// As it is written, without range and offset: `name{label="value"}`.
impl fmt::Display for Selector {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let metric = self.metric();
        out.write_str(metric.unwrap_or_default())?;
        let rest = self.matchers.iter();
        let rest = rest.filter(|one| metric.is_none() || one.label != NAME);
        let rest: Vec<String> = rest.map(ToString::to_string).collect();
        if rest.is_empty() {
            return Ok(());
        }
        write!(out, "{{{}}}", rest.join(","))
    }
}
