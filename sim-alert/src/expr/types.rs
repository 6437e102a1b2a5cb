//! The kinds of expressions: whatever is put together here is valid.

use super::{Aggregate, Binary, Expr, Kind, Many, Node, Selector, Subquery};
use crate::function::Function;

pub(super) fn number(value: f64) -> Expr {
    let node = Node::Number(value);
    let kind = Kind::Scalar;
    Expr { node, kind }
}

pub(super) fn text(value: String) -> Expr {
    let node = Node::Text(value);
    let kind = Kind::Text;
    Expr { node, kind }
}

pub(super) fn selector(selector: Selector) -> Expr {
    let node = Node::Selector(selector);
    let kind = Kind::Vector;
    Expr { node, kind }
}

pub(super) fn range(selector: Selector, range_ms: i64) -> Expr {
    let node = Node::Range(selector, range_ms);
    let kind = Kind::Range;
    Expr { node, kind }
}

pub(super) fn subquery(subquery: Subquery) -> Expr {
    let node = Node::Subquery(Box::new(subquery));
    let kind = Kind::Range;
    Expr { node, kind }
}

pub(super) fn brackets(inner: Expr) -> Expr {
    let kind = inner.kind;
    let node = Node::Brackets(Box::new(inner));
    Expr { node, kind }
}

pub(super) fn signed(inner: Expr, negative: bool) -> Result<Expr, String> {
    let kind = inner.kind;
    match kind {
        Kind::Scalar | Kind::Vector if !negative => Ok(inner),
        Kind::Scalar | Kind::Vector => {
            let node = Node::Negated(Box::new(inner));
            Ok(Expr { node, kind })
        }
        _ => Err(format!(
            "a sign stands before a scalar or an instant vector, found {}",
            kind.name()
        )),
    }
}

pub(super) fn binary(mut binary: Binary, modified: bool) -> Result<Expr, String> {
    let (left, right) = (binary.left.kind, binary.right.kind);
    let sign = binary.operator.sign();
    let sides = [left, right];
    if let Some(kind) = sides
        .iter()
        .find(|kind| !matches!(kind, Kind::Scalar | Kind::Vector))
    {
        return Err(format!(
            "{sign} stands between scalars and instant vectors, found {}",
            kind.name()
        ));
    }
    let scalars = sides.iter().filter(|kind| **kind == Kind::Scalar).count();
    let comparison = binary.operator.is_comparison();
    if binary.as_bool && !comparison {
        return Err(format!("bool follows a comparison, and {sign} is none"));
    }
    if comparison && !binary.as_bool && scalars == 2 {
        return Err(format!("between two scalars {sign} needs bool"));
    }
    if modified && scalars > 0 {
        if !binary.matching.labels.is_empty() {
            return Err("on and ignoring stand between two instant vectors".to_owned());
        }
        binary.matching = super::Matching::default();
    }
    if binary.operator.is_set() {
        if scalars > 0 {
            return Err(format!(
                "{sign} stands between two instant vectors, found a scalar; vector(…) makes one of it"
            ));
        }
        if binary.matching.many != Many::Neither {
            return Err(format!("{sign} takes neither group_left nor group_right"));
        }
    }
    let kind = if scalars == 2 {
        Kind::Scalar
    } else {
        Kind::Vector
    };
    let node = Node::Binary(Box::new(binary));
    Ok(Expr { node, kind })
}

pub(super) fn call(function: &'static Function, arguments: Vec<Expr>) -> Result<Expr, String> {
    let (name, count) = (function.name, arguments.len());
    let most = function.arguments.len();
    if count < most - function.optional || (count > most && !function.repeats) {
        let kinds: Vec<&str> = function.arguments.iter().map(|kind| kind.name()).collect();
        let needed = if function.optional == 0 && !function.repeats {
            most.to_string()
        } else if function.repeats {
            format!("at least {}", most - function.optional)
        } else {
            format!("{} to {most}", most - function.optional)
        };
        return Err(format!(
            "{name} takes {needed} argument(s) ({}), found {count}",
            kinds.join(", ")
        ));
    }
    for (place, argument) in arguments.iter().enumerate() {
        let wanted = function.arguments[place.min(most - 1)];
        if argument.kind != wanted {
            return Err(format!(
                "argument {} of {name} is {}, found {}",
                place + 1,
                wanted.name(),
                argument.kind.name()
            ));
        }
    }
    let node = Node::Call(function, arguments);
    let kind = function.returns;
    Ok(Expr { node, kind })
}

pub(super) fn aggregate(aggregate: Aggregate) -> Result<Expr, String> {
    let name = aggregate.aggregator.name;
    if aggregate.inner.kind != Kind::Vector {
        return Err(format!(
            "{name} is over an instant vector, found {}",
            aggregate.inner.kind.name()
        ));
    }
    let given = aggregate.parameter.as_ref().map(Expr::kind);
    if given != aggregate.aggregator.parameter {
        return Err(format!(
            "the first argument of {name} is {}, found {}",
            aggregate.aggregator.parameter.map_or("", Kind::name),
            given.map_or("", Kind::name)
        ));
    }
    let node = Node::Aggregate(Box::new(aggregate));
    let kind = Kind::Vector;
    Ok(Expr { node, kind })
}
