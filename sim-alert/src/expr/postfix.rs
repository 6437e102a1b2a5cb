//! What follows a selector: a range, a subquery, an offset.

use super::lex::Token;
use super::parse::Parser;
use super::{Expr, Kind, Misread, Node, Subquery, types};
use crate::duration::{ALLOWED, LONGEST_MS};

impl Parser {
    pub(super) fn postfix(&mut self) -> Result<Expr, Misread> {
        let mut expr = self.primary()?;
        loop {
            let at = self.at();
            if self.skip("[") {
                expr = self.range(expr, at)?;
            } else if self.skip_word("offset") {
                let offset = self.offset()?;
                expr = moved(expr, offset).map_err(|why| Misread::new(at, why))?;
            } else if *self.peek() == Token::Sign("@") {
                return self.wrong("the modifier @ is not supported; offset is");
            } else {
                return Ok(expr);
            }
        }
    }

    fn range(&mut self, expr: Expr, at: usize) -> Result<Expr, Misread> {
        let range_ms = self.length("a range")?;
        if range_ms <= 0 {
            return Err(Misread::new(at, "a range is longer than 0"));
        }
        if self.skip(":") {
            let step_ms = match self.peek() {
                Token::Sign("]") => None,
                _ => Some(self.length("a step")?).filter(|step| *step > 0),
            };
            self.expect("]", "after the subquery")?;
            if expr.kind() != Kind::Vector {
                let kind = expr.kind().name();
                let why = format!("a subquery is made of an instant vector, found {kind}");
                return Err(Misread::new(at, why));
            }
            return Ok(types::subquery(Subquery {
                inner: expr,
                range_ms,
                step_ms,
                offset_ms: 0,
            }));
        }
        self.expect("]", "after the range")?;
        match expr.node {
            Node::Selector(selector) if selector.offset_ms == 0 => {
                Ok(types::range(selector, range_ms))
            }
            Node::Selector(_) => Err(Misread::new(at, "a range stands before its offset")),
            _ => Err(Misread::new(
                at,
                "a range follows a selector; of anything else [range:step] makes a subquery",
            )),
        }
    }

    fn offset(&mut self) -> Result<i64, Misread> {
        let back = self.skip("-");
        if !back {
            self.skip("+");
        }
        let length = self.length("an offset")?;
        Ok(if back { -length } else { length })
    }

    /// A length of time, or a number of seconds.
    fn length(&mut self, what: &str) -> Result<i64, Misread> {
        let millis = match self.peek() {
            Token::Duration(millis) => *millis,
            Token::Number(seconds) if (seconds * 1000.0).abs() <= LONGEST_MS as f64 => {
                (seconds * 1000.0) as i64
            }
            _ => {
                return self.wrong(format!(
                    "{what} is a length of time ({ALLOWED}) or a number of seconds, found {}",
                    self.found()
                ));
            }
        };
        self.step();
        Ok(millis)
    }
}

fn moved(mut expr: Expr, by_ms: i64) -> Result<Expr, String> {
    let offset = match &mut expr.node {
        Node::Selector(selector) | Node::Range(selector, _) => &mut selector.offset_ms,
        Node::Subquery(subquery) => &mut subquery.offset_ms,
        _ => return Err("offset follows a selector, a range or a subquery".to_owned()),
    };
    if *offset != 0 {
        return Err("offset is written twice".to_owned());
    }
    *offset = by_ms;
    Ok(expr)
}
