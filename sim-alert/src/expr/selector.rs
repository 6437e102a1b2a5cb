//! Series by their labels: `name{label="value"}`.

use super::lex::Token;
use super::parse::Parser;
use super::{Expr, Misread, Selector, types};
use crate::labels::{Labels, NAME};
use crate::matcher::{Matcher, Operator};

/// Reads a series as it is written down: `name{label="value"}`.
///
/// # Errors
/// Says where it is none.
pub(crate) fn metric(text: &str) -> Result<Labels, Misread> {
    let mut parser = Parser::new(text)?;
    let mut labels = Labels::default();
    if let Token::Name(name) = parser.peek() {
        labels.set(NAME, &name.clone());
        parser.step();
    }
    if parser.skip("{") {
        for matcher in parser.matchers()? {
            if matcher.operator != Operator::Equal {
                return Err(Misread::new(0, "a series has labels with = alone"));
            }
            labels.set(&matcher.label, &matcher.value);
        }
    }
    parser.end()?;
    Ok(labels)
}

impl Parser {
    pub(super) fn selector(
        &mut self,
        name: Option<String>,
        braces: bool,
        at: usize,
    ) -> Result<Expr, Misread> {
        let mut matchers = if braces { self.matchers()? } else { Vec::new() };
        let twice = matchers.iter().any(|one| one.label == NAME);
        if let Some(name) = name {
            if twice {
                return Err(Misread::new(at, "the metric's name is written twice"));
            }
            let matcher = Matcher::new(NAME, Operator::Equal, &name);
            matchers.push(matcher.map_err(|why| Misread::new(at, why))?);
        }
        if matchers.iter().all(|one| one.takes_value("")) {
            let why = "a selector must ask for a name or for a label that is not empty";
            return Err(Misread::new(at, why));
        }
        Ok(types::selector(Selector {
            matchers,
            offset_ms: 0,
        }))
    }

    /// What stands in braces, after the first of them.
    fn matchers(&mut self) -> Result<Vec<Matcher>, Misread> {
        let mut found = Vec::new();
        while !self.skip("}") {
            let at = self.at();
            let (label, quoted) = match self.peek() {
                Token::Name(name) => (name.clone(), false),
                Token::Text(name) => (name.clone(), true),
                _ => return self.wrong(format!("{} is no label", self.found())),
            };
            self.step();
            let operator = match self.peek() {
                Token::Sign("=") => Some(Operator::Equal),
                Token::Sign("!=") => Some(Operator::NotEqual),
                Token::Sign("=~") => Some(Operator::Like),
                Token::Sign("!~") => Some(Operator::Unlike),
                _ => None,
            };
            let matcher = match operator {
                Some(operator) => {
                    self.step();
                    let Token::Text(value) = self.peek().clone() else {
                        return self.wrong(format!(
                            "the value of {label:?} is a text in quotation marks, found {}",
                            self.found()
                        ));
                    };
                    self.step();
                    Matcher::new(&label, operator, &value)
                }
                // A name that needs quotation marks stands in the braces.
                None if quoted => Matcher::new(NAME, Operator::Equal, &label),
                None => {
                    return self.wrong(format!(
                        "after the label {label:?} come =, !=, =~ or !~, found {}",
                        self.found()
                    ));
                }
            };
            found.push(matcher.map_err(|why| Misread::new(at, why))?);
            if !self.skip(",") {
                self.expect("}", "after the labels")?;
                break;
            }
        }
        Ok(found)
    }
}
