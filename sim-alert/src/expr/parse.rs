//! Words to expressions, by how strongly operators bind.

use super::lex::{self, Token};
use super::{
    Aggregate, Aggregator, Binary, Expr, Many, Matching, Misread, OPERATORS, Operator, aggregators,
    types,
};
use crate::function;
use crate::number;

/// Words that can name no metric without quotation marks.
const RESERVED: [&str; 6] = [
    "atan2",
    "bool",
    "group_left",
    "group_right",
    "ignoring",
    "on",
];
/// How strongly `^` binds, above a minus in front: -2^2 is -(2^2).
const POWER: u8 = 6;
/// Deepest nesting; more would be nobody's rule and could exhaust the stack.
const DEPTH_MAX: usize = 100;
/// Most operators: each stands below the next, so that they exhaust the stack as nesting does.
const OPERATORS_MAX: usize = 500;

pub(super) fn expression(text: &str) -> Result<Expr, Misread> {
    let mut parser = Parser::new(text)?;
    let expr = parser.binary(0)?;
    parser.end()?;
    Ok(expr)
}

pub(super) struct Parser {
    words: Vec<(Token, usize)>,
    next: usize,
    depth: usize,
    operators: usize,
}

impl Parser {
    pub(super) fn new(text: &str) -> Result<Self, Misread> {
        Ok(Self {
            words: lex::words(text)?,
            next: 0,
            depth: 0,
            operators: 0,
        })
    }

    pub(super) fn peek(&self) -> &Token {
        &self.words[self.next].0
    }

    pub(super) fn at(&self) -> usize {
        self.words[self.next].1
    }

    pub(super) fn step(&mut self) {
        // The last word is the end, which nobody passes.
        self.next = (self.next + 1).min(self.words.len() - 1);
    }

    pub(super) fn skip(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Token::Sign(one) if *one == sign);
        if found {
            self.step();
        }
        found
    }

    /// A word of the language, in whatever case.
    pub(super) fn skip_word(&mut self, word: &str) -> bool {
        let found = self.is_word(word);
        if found {
            self.step();
        }
        found
    }

    fn is_word(&self, word: &str) -> bool {
        matches!(self.peek(), Token::Name(name) if name.eq_ignore_ascii_case(word))
    }

    pub(super) fn wrong<T>(&self, message: impl Into<String>) -> Result<T, Misread> {
        Err(Misread::new(self.at(), message))
    }

    pub(super) fn expect(&mut self, sign: &str, after: &str) -> Result<(), Misread> {
        if self.skip(sign) {
            return Ok(());
        }
        self.wrong(format!(
            "{sign:?} is missing {after}, found {}",
            self.found()
        ))
    }

    pub(super) fn found(&self) -> String {
        match self.peek() {
            Token::Name(name) => format!("{name:?}"),
            Token::Number(value) => number::show(*value),
            Token::Duration(millis) => crate::duration::show(*millis),
            Token::Text(text) => format!("the text {text:?}"),
            Token::Sign(sign) => format!("{sign:?}"),
            Token::End => "the end".to_owned(),
        }
    }

    pub(super) fn end(&self) -> Result<(), Misread> {
        if *self.peek() == Token::End {
            return Ok(());
        }
        let operators = crate::problem::listed(OPERATORS.iter().map(|(sign, ..)| *sign));
        self.wrong(format!(
            "{} cannot follow here; an operator could ({operators})",
            self.found()
        ))
    }

    fn operator(&self) -> Option<(Operator, u8)> {
        let row = OPERATORS.iter().find(|(sign, ..)| match self.peek() {
            Token::Sign(one) => one == sign,
            Token::Name(name) => name.eq_ignore_ascii_case(sign),
            _ => false,
        });
        row.map(|(_, operator, binds)| (*operator, *binds))
    }

    /// What is held together by operators that bind at least so strongly.
    fn binary(&mut self, least: u8) -> Result<Expr, Misread> {
        self.depth += 1;
        if self.depth > DEPTH_MAX {
            return self.wrong(format!("nested deeper than {DEPTH_MAX}"));
        }
        let mut left = self.unary()?;
        while let Some((operator, binds)) = self.operator() {
            if binds < least {
                break;
            }
            self.operators += 1;
            if self.operators > OPERATORS_MAX {
                return self.wrong(format!("more than {OPERATORS_MAX} operators"));
            }
            let at = self.at();
            self.step();
            let as_bool = self.skip_word("bool");
            let (matching, modified) = self.matching()?;
            // Only ^ binds to the right.
            let right = self.binary(if binds == POWER { binds } else { binds + 1 })?;
            let binary = Binary {
                operator,
                left,
                right,
                as_bool,
                matching,
            };
            left = types::binary(binary, modified).map_err(|why| Misread::new(at, why))?;
        }
        self.depth -= 1;
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr, Misread> {
        let at = self.at();
        let negative = match self.peek() {
            Token::Sign("-") => true,
            Token::Sign("+") => false,
            _ => return self.postfix(),
        };
        self.step();
        let inner = self.binary(POWER)?;
        types::signed(inner, negative).map_err(|why| Misread::new(at, why))
    }

    /// `on (…) group_left (…)`, and whether anything of it is written.
    fn matching(&mut self) -> Result<(Matching, bool), Misread> {
        let mut matching = Matching::default();
        if self.skip_word("on") {
            matching.on = true;
        } else if !self.skip_word("ignoring") {
            return Ok((matching, false));
        }
        matching.labels = self.label_list()?;
        let left = self.skip_word("group_left");
        if left || self.skip_word("group_right") {
            matching.many = if left { Many::Left } else { Many::Right };
            if *self.peek() == Token::Sign("(") {
                matching.include = self.label_list()?;
            }
        }
        let twice = |label: &&String| matching.on && matching.labels.contains(label);
        if let Some(label) = matching.include.iter().find(twice) {
            return self.wrong(format!(
                "the label {label:?} stands in on (…) and in group_left or group_right; allowed is one of both"
            ));
        }
        Ok((matching, true))
    }

    pub(super) fn label_list(&mut self) -> Result<Vec<String>, Misread> {
        self.expect("(", "before the labels")?;
        let mut names = Vec::new();
        while !self.skip(")") {
            match self.peek() {
                Token::Name(name) | Token::Text(name) => names.push(name.clone()),
                _ => return self.wrong(format!("{} is no label", self.found())),
            }
            self.step();
            if !self.skip(",") {
                self.expect(")", "after the labels")?;
                break;
            }
        }
        Ok(names)
    }

    pub(super) fn primary(&mut self) -> Result<Expr, Misread> {
        let at = self.at();
        let token = self.peek().clone();
        self.step();
        let wrong = |why| Misread::new(at, why);
        match token {
            Token::Number(value) => Ok(types::number(value)),
            // A length of time is its seconds.
            Token::Duration(millis) => Ok(types::number(millis as f64 / 1000.0)),
            Token::Text(text) => Ok(types::text(text)),
            Token::Sign("(") => {
                let inner = self.binary(0)?;
                self.expect(")", "after the expression")?;
                Ok(types::brackets(inner))
            }
            Token::Sign("{") => self.selector(None, true, at),
            Token::Name(name) => match name.to_ascii_lowercase().as_str() {
                "inf" => Ok(types::number(f64::INFINITY)),
                "nan" => Ok(types::number(f64::NAN)),
                lower => {
                    let opens = *self.peek() == Token::Sign("(");
                    let grouped = self.is_word("by") || self.is_word("without");
                    match aggregators().iter().find(|row| row.name == lower) {
                        Some(row) if opens || grouped => self.aggregate(row, at),
                        _ if opens => self.call(&name, at),
                        _ if RESERVED.contains(&lower) => Err(wrong(format!(
                            "{name:?} is a word of the language and no metric; {{{name:?}}} would be one"
                        ))),
                        _ => {
                            let braces = self.skip("{");
                            self.selector(Some(name), braces, at)
                        }
                    }
                }
            },
            Token::Sign(sign) => Err(wrong(format!(
                "{sign:?} cannot begin an expression; a number, a selector, a function or ( can"
            ))),
            Token::End => Err(wrong("the expression is not complete".to_owned())),
        }
    }

    fn call(&mut self, name: &str, at: usize) -> Result<Expr, Misread> {
        let Some(function) = function::functions().iter().find(|row| row.name == name) else {
            return Err(Misread::new(at, function::unknown(name)));
        };
        let arguments = self.arguments()?;
        types::call(function, arguments).map_err(|why| Misread::new(at, why))
    }

    fn arguments(&mut self) -> Result<Vec<Expr>, Misread> {
        self.expect("(", "before the arguments")?;
        let mut found = Vec::new();
        while !self.skip(")") {
            found.push(self.binary(0)?);
            if !self.skip(",") {
                self.expect(")", "after the arguments")?;
                break;
            }
        }
        Ok(found)
    }

    fn grouping(&mut self) -> Result<Option<(bool, Vec<String>)>, Misread> {
        let without = self.skip_word("without");
        if without || self.skip_word("by") {
            return Ok(Some((without, self.label_list()?)));
        }
        Ok(None)
    }

    fn aggregate(&mut self, aggregator: &'static Aggregator, at: usize) -> Result<Expr, Misread> {
        let mut grouping = self.grouping()?;
        let mut arguments = self.arguments()?;
        if grouping.is_none() {
            grouping = self.grouping()?;
        }
        let (without, labels) = grouping.unwrap_or_default();
        let expected = 1 + usize::from(aggregator.parameter.is_some());
        let (count, inner) = (arguments.len(), arguments.pop());
        let Some(inner) = inner.filter(|_| count == expected) else {
            let name = aggregator.name;
            let why = format!("{name} takes {expected} argument(s), found {count}");
            return Err(Misread::new(at, why));
        };
        let aggregate = Aggregate {
            aggregator,
            without,
            labels,
            parameter: arguments.pop(),
            inner,
        };
        types::aggregate(aggregate).map_err(|why| Misread::new(at, why))
    }
}
