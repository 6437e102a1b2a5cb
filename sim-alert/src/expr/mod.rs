//! Expressions: what is written, and what it means.
//!
//! A subset of the language of Prometheus 3.5 (`promql/parser`): everything that alert rules are
//! made of. Left out are `@`, native histograms, `limitk`, `limit_ratio` and functions that
//! [`crate::functions`] does not list.

pub(crate) mod aggregators;
mod lex;
mod parse;
mod postfix;
mod reach;
mod selector;
mod types;

pub(crate) use aggregators::Fold;
pub use aggregators::{Aggregator, aggregators};
pub(crate) use selector::metric;

use crate::function::Function;
use crate::labels::NAME;
use crate::matcher::{self, Matcher};
use std::collections::BTreeSet;
use std::fmt;

/// An expression, valid and of known kind.
#[derive(Clone, Debug)]
pub struct Expr {
    pub(crate) node: Node,
    kind: Kind,
}

/// What an expression comes to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// One number.
    Scalar,
    /// A number for each of some series: an instant vector.
    Vector,
    /// Points over time for each of some series: a range vector.
    Range,
    /// A text, as an argument.
    Text,
}

impl Kind {
    /// As messages call one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Scalar => "a scalar",
            Self::Vector => "an instant vector",
            Self::Range => "a range vector",
            Self::Text => "a string",
        }
    }
}

/// Why a text is no expression.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Misread {
    /// The byte at which it stops to make sense.
    pub at: usize,
    /// What is wrong there.
    pub message: String,
}

impl Misread {
    pub(crate) fn new(at: usize, message: impl Into<String>) -> Self {
        Self {
            at,
            message: message.into(),
        }
    }
}

impl fmt::Display for Misread {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "at character {}: {}", self.at + 1, self.message)
    }
}

impl std::error::Error for Misread {}

impl Expr {
    /// Reads an expression.
    ///
    /// # Errors
    /// Says where it makes no sense and what is allowed there.
    pub fn read(text: &str) -> Result<Self, Misread> {
        parse::expression(text)
    }

    /// What it comes to.
    pub fn kind(&self) -> Kind {
        self.kind
    }

    /// The metrics that it asks for by name. Those that it asks for otherwise are not told, nor
    /// whether there are any.
    pub fn metrics(&self) -> BTreeSet<&str> {
        let mut found = BTreeSet::new();
        self.visit(&mut |selector| {
            let names = selector.matchers.iter().filter(|one| one.label == NAME);
            let exact = names.filter(|one| one.operator == matcher::Operator::Equal);
            found.extend(exact.map(|one| one.value.as_str()));
        });
        found
    }

    /// Everything that it asks for series by.
    pub fn selectors(&self) -> Vec<&Selector> {
        let mut found = Vec::new();
        self.visit(&mut |selector| found.push(selector));
        found
    }

    fn visit<'e>(&'e self, see: &mut impl FnMut(&'e Selector)) {
        match &self.node {
            Node::Number(_) | Node::Text(_) => {}
            Node::Selector(selector) | Node::Range(selector, _) => see(selector),
            Node::Subquery(subquery) => subquery.inner.visit(see),
            Node::Call(_, arguments) => arguments.iter().for_each(|one| one.visit(see)),
            Node::Aggregate(aggregate) => {
                aggregate.parameter.iter().for_each(|one| one.visit(see));
                aggregate.inner.visit(see);
            }
            Node::Binary(binary) => {
                binary.left.visit(see);
                binary.right.visit(see);
            }
            Node::Negated(inner) | Node::Brackets(inner) => inner.visit(see),
        }
    }

    /// The expression without brackets around it.
    pub(crate) fn bare(&self) -> &Self {
        match &self.node {
            Node::Brackets(inner) => inner.bare(),
            _ => self,
        }
    }
}

/// The parts of an expression.
#[derive(Clone, Debug)]
pub(crate) enum Node {
    Number(f64),
    Text(String),
    Selector(Selector),
    /// The points of a selector during a time before now.
    Range(Selector, i64),
    Subquery(Box<Subquery>),
    Call(&'static Function, Vec<Expr>),
    Aggregate(Box<Aggregate>),
    Binary(Box<Binary>),
    Negated(Box<Expr>),
    Brackets(Box<Expr>),
}

/// Series by their labels.
#[derive(Clone, Debug)]
pub struct Selector {
    pub(crate) matchers: Vec<Matcher>,
    pub(crate) offset_ms: i64,
}

/// An expression at many moments.
#[derive(Clone, Debug)]
pub(crate) struct Subquery {
    pub(crate) inner: Expr,
    pub(crate) range_ms: i64,
    /// Without one, the interval of evaluation.
    pub(crate) step_ms: Option<i64>,
    pub(crate) offset_ms: i64,
}

/// Many series to one for each group.
#[derive(Clone, Debug)]
pub(crate) struct Aggregate {
    pub(crate) aggregator: &'static Aggregator,
    pub(crate) without: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) parameter: Option<Expr>,
    pub(crate) inner: Expr,
}

/// Two sides and what is done with them.
#[derive(Clone, Debug)]
pub(crate) struct Binary {
    pub(crate) operator: Operator,
    pub(crate) left: Expr,
    pub(crate) right: Expr,
    /// Whether a comparison says 0 or 1 instead of choosing.
    pub(crate) as_bool: bool,
    pub(crate) matching: Matching,
}

/// Which series of both sides belong together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Matching {
    /// `on`, and not `ignoring`.
    pub(crate) on: bool,
    pub(crate) labels: Vec<String>,
    pub(crate) many: Many,
    /// Labels taken from the side of which there is one.
    pub(crate) include: Vec<String>,
}

/// The side that may have several series for one of the other.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Many {
    #[default]
    Neither,
    Left,
    Right,
}

/// Signs and words between two sides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Operator {
    Or,
    And,
    Unless,
    Equal,
    NotEqual,
    Greater,
    Less,
    AtLeast,
    AtMost,
    Add,
    Subtract,
    Multiply,
    Divide,
    Modulo,
    Atan2,
    Power,
}

/// Every operator as it is written, with how strongly it binds.
pub(crate) const OPERATORS: [(&str, Operator, u8); 16] = [
    ("or", Operator::Or, 1),
    ("and", Operator::And, 2),
    ("unless", Operator::Unless, 2),
    ("==", Operator::Equal, 3),
    ("!=", Operator::NotEqual, 3),
    (">", Operator::Greater, 3),
    ("<", Operator::Less, 3),
    (">=", Operator::AtLeast, 3),
    ("<=", Operator::AtMost, 3),
    ("+", Operator::Add, 4),
    ("-", Operator::Subtract, 4),
    ("*", Operator::Multiply, 5),
    ("/", Operator::Divide, 5),
    ("%", Operator::Modulo, 5),
    ("atan2", Operator::Atan2, 5),
    ("^", Operator::Power, 6),
];

impl Operator {
    pub(crate) fn is_set(self) -> bool {
        matches!(self, Self::Or | Self::And | Self::Unless)
    }

    pub(crate) fn is_comparison(self) -> bool {
        matches!(
            self,
            Self::Equal
                | Self::NotEqual
                | Self::Greater
                | Self::Less
                | Self::AtLeast
                | Self::AtMost
        )
    }

    /// Whether the value is no longer what the metric's name says.
    pub(crate) fn renames(self) -> bool {
        !self.is_set() && !self.is_comparison()
    }

    pub(crate) fn sign(self) -> &'static str {
        let row = OPERATORS.iter().find(|(_, operator, _)| *operator == self);
        row.map_or("", |(sign, ..)| sign)
    }
}
