//! Words as a tree: what a script says, before anybody asks what its names mean.

use super::Mistake;
use super::lex::{Token, Word, words};
use std::ops::Range;

/// A whole script.
#[derive(Debug)]
pub(super) struct Script<'a> {
    /// What is kept from pick to pick, in the order of the text.
    pub state: Vec<(Name<'a>, Expr<'a>)>,
    pub functions: Vec<Function<'a>>,
}

/// A name and where it stands.
pub(super) type Name<'a> = (&'a str, Range<usize>);

/// A function.
#[derive(Debug)]
pub(super) struct Function<'a> {
    pub name: Name<'a>,
    pub params: Vec<Name<'a>>,
    pub body: Block<'a>,
}

/// Statements, one after the other.
pub(super) type Block<'a> = Vec<Statement<'a>>;

/// A statement.
#[derive(Debug)]
pub(super) enum Statement<'a> {
    /// `let x = …;`
    Let(Name<'a>, Expr<'a>),
    /// `x = …;`, or with `+=` and the like what is done with the old value.
    Assign(Target<'a>, Option<Operator>, Expr<'a>),
    /// `if … { } else { }`
    If(Expr<'a>, Block<'a>, Block<'a>),
    /// `while … { }`
    While(Expr<'a>, Block<'a>),
    /// `for x in a..b { }`
    Count(Name<'a>, Expr<'a>, Expr<'a>, Block<'a>),
    /// `for x in eligible { }`
    Each(Name<'a>, Block<'a>),
    /// `return …;`
    Return(Option<Expr<'a>>, Range<usize>),
    /// `break;`
    Break(Range<usize>),
    /// `continue;`
    Continue(Range<usize>),
    /// A call whose value nobody wants.
    Do(Expr<'a>),
}

/// What can be assigned to.
#[derive(Debug)]
pub(super) struct Target<'a> {
    pub name: Name<'a>,
    /// Of a list: which member.
    pub index: Option<Expr<'a>>,
}

/// An expression and where it stands.
#[derive(Debug)]
pub(super) struct Expr<'a> {
    pub is: Is<'a>,
    pub place: Range<usize>,
    /// How many expressions stand in each other here.
    depth: usize,
}

impl<'a> Expr<'a> {
    /// An expression made of others that are so deep.
    fn over(depth: usize, is: Is<'a>, place: Range<usize>) -> Result<Self, Mistake> {
        let depth = depth + 1;
        if depth > TREE_MAX {
            let what = format!("more than {TREE_MAX} of these within each other");
            return Err(Mistake::new(place, what));
        }
        Ok(Self { is, place, depth })
    }
}

/// What an expression is.
#[derive(Debug)]
pub(super) enum Is<'a> {
    Number(f64),
    Truth(bool),
    Named(&'a str),
    Member(Name<'a>, Box<Expr<'a>>),
    Call(&'a str, Vec<Expr<'a>>),
    Minus(Box<Expr<'a>>),
    Not(Box<Expr<'a>>),
    Two(Operator, Box<Expr<'a>>, Box<Expr<'a>>),
}

/// What is done with two values.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Operator {
    Or,
    And,
    Equal,
    Differs,
    Less,
    AtMost,
    Greater,
    AtLeast,
    Plus,
    Minus,
    Times,
    By,
    Rest,
}

/// Signs of operators, by how strongly they bind, weakest first.
const BINDING: &[&[(&str, Operator)]] = &[
    &[("||", Operator::Or)],
    &[("&&", Operator::And)],
    &[
        ("==", Operator::Equal),
        ("!=", Operator::Differs),
        ("<=", Operator::AtMost),
        (">=", Operator::AtLeast),
        ("<", Operator::Less),
        (">", Operator::Greater),
    ],
    &[("+", Operator::Plus), ("-", Operator::Minus)],
    &[
        ("*", Operator::Times),
        ("/", Operator::By),
        ("%", Operator::Rest),
    ],
];

/// Which of [`BINDING`] are comparisons, of which no two stand in a row.
const COMPARISONS: usize = 2;

/// Words that are no names.
pub(super) const RESERVED: &[&str] = &[
    "let", "fn", "if", "else", "while", "for", "in", "return", "break", "continue", "true",
    "false", "none", "eligible",
];

/// How deeply expressions and blocks may stand in each other: deeper ones would need more of the machine's
/// stack than there is.
pub(super) const DEPTH_MAX: usize = 64;

/// How deep an expression may be in all: a row of terms is as deep as it is long.
const TREE_MAX: usize = 256;

/// Reads a script.
pub(super) fn parse(text: &str) -> Result<Script<'_>, Mistake> {
    let mut reader = Reader {
        tokens: words(text)?,
        next: 0,
        depth: 0,
    };
    let mut script = Script {
        state: Vec::new(),
        functions: Vec::new(),
    };
    while reader.peek() != Word::End {
        if reader.take_name("let") {
            let state = reader.binding()?;
            script.state.push(state);
        } else if reader.take_name("fn") {
            let function = reader.function()?;
            script.functions.push(function);
        } else {
            return Err(reader.wanted("`let` or `fn`"));
        }
    }
    Ok(script)
}

struct Reader<'a> {
    tokens: Vec<Token<'a>>,
    next: usize,
    depth: usize,
}

impl<'a> Reader<'a> {
    fn peek(&self) -> Word<'a> {
        self.tokens[self.next].word
    }

    fn place(&self) -> Range<usize> {
        self.tokens[self.next].place.clone()
    }

    /// Where the word before stands.
    fn before(&self) -> Range<usize> {
        self.tokens[self.next.saturating_sub(1)].place.clone()
    }

    fn wanted(&self, what: &str) -> Mistake {
        let found = match self.peek() {
            Word::Name(name) => format!("`{name}`"),
            Word::Number(number) => format!("{number}"),
            Word::Sign(sign) => format!("`{sign}`"),
            Word::End => "the end".to_owned(),
        };
        Mistake::new(self.place(), format!("{what} is wanted here, not {found}"))
    }

    fn take(&mut self, sign: &str) -> bool {
        let found = matches!(self.peek(), Word::Sign(found) if found == sign);
        self.next += usize::from(found);
        found
    }

    fn take_name(&mut self, name: &str) -> bool {
        let found = self.peek() == Word::Name(name);
        self.next += usize::from(found);
        found
    }

    fn expect(&mut self, sign: &str) -> Result<(), Mistake> {
        if self.take(sign) {
            return Ok(());
        }
        Err(self.wanted(&format!("`{sign}`")))
    }

    fn name(&mut self) -> Result<Name<'a>, Mistake> {
        match self.peek() {
            Word::Name(name) if !RESERVED.contains(&name) => {
                self.next += 1;
                Ok((name, self.before()))
            }
            _ => Err(self.wanted("a name")),
        }
    }

    /// One level deeper, for as long as `read` takes.
    fn deeper<T>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, Mistake>,
    ) -> Result<T, Mistake> {
        if self.depth == DEPTH_MAX {
            let what = format!("more than {DEPTH_MAX} of these within each other");
            return Err(Mistake::new(self.place(), what));
        }
        self.depth += 1;
        let done = read(self);
        self.depth -= 1;
        done
    }

    /// What follows `let`.
    fn binding(&mut self) -> Result<(Name<'a>, Expr<'a>), Mistake> {
        let name = self.name()?;
        self.expect("=")?;
        let value = self.expr()?;
        self.expect(";")?;
        Ok((name, value))
    }

    fn function(&mut self) -> Result<Function<'a>, Mistake> {
        let name = self.name()?;
        self.expect("(")?;
        let params = self.listed(Self::name)?;
        let body = self.block()?;
        Ok(Function { name, params, body })
    }

    /// What stands between commas, up to a closing bracket.
    fn listed<T>(
        &mut self,
        mut read: impl FnMut(&mut Self) -> Result<T, Mistake>,
    ) -> Result<Vec<T>, Mistake> {
        let mut all = Vec::new();
        while !self.take(")") {
            if !all.is_empty() {
                self.expect(",")?;
                if self.take(")") {
                    break;
                }
            }
            all.push(read(self)?);
        }
        Ok(all)
    }

    fn block(&mut self) -> Result<Block<'a>, Mistake> {
        self.expect("{")?;
        self.deeper(|reader| {
            let mut statements = Vec::new();
            while !reader.take("}") {
                statements.push(reader.statement()?);
            }
            Ok(statements)
        })
    }

    fn statement(&mut self) -> Result<Statement<'a>, Mistake> {
        let Word::Name(first) = self.peek() else {
            return Err(self.wanted("a statement"));
        };
        let place = self.place();
        match first {
            "let" => {
                self.next += 1;
                let (name, value) = self.binding()?;
                Ok(Statement::Let(name, value))
            }
            "if" => {
                self.next += 1;
                self.choice()
            }
            "while" => {
                self.next += 1;
                Ok(Statement::While(self.expr()?, self.block()?))
            }
            "for" => {
                self.next += 1;
                self.repetition()
            }
            "return" => {
                self.next += 1;
                let value = match self.peek() {
                    Word::Sign(";") => None,
                    _ => Some(self.expr()?),
                };
                self.expect(";")?;
                Ok(Statement::Return(value, place))
            }
            "break" | "continue" => {
                self.next += 1;
                self.expect(";")?;
                Ok(match first {
                    "break" => Statement::Break(place),
                    _ => Statement::Continue(place),
                })
            }
            _ => self.assignment(),
        }
    }

    /// What follows `if`.
    fn choice(&mut self) -> Result<Statement<'a>, Mistake> {
        let condition = self.expr()?;
        let then = self.block()?;
        let otherwise = if !self.take_name("else") {
            Vec::new()
        } else if self.take_name("if") {
            vec![self.deeper(Self::choice)?]
        } else {
            self.block()?
        };
        Ok(Statement::If(condition, then, otherwise))
    }

    /// What follows `for`.
    fn repetition(&mut self) -> Result<Statement<'a>, Mistake> {
        let name = self.name()?;
        if !self.take_name("in") {
            return Err(self.wanted("`in`"));
        }
        if self.take_name("eligible") {
            return Ok(Statement::Each(name, self.block()?));
        }
        let from = self.expr()?;
        self.expect("..")?;
        Ok(Statement::Count(name, from, self.expr()?, self.block()?))
    }

    /// An assignment, or a call.
    fn assignment(&mut self) -> Result<Statement<'a>, Mistake> {
        let value = self.expr()?;
        let how = match self.peek() {
            Word::Sign("=") => None,
            Word::Sign("+=") => Some(Operator::Plus),
            Word::Sign("-=") => Some(Operator::Minus),
            Word::Sign("*=") => Some(Operator::Times),
            Word::Sign("/=") => Some(Operator::By),
            _ if matches!(value.is, Is::Call(..)) => {
                self.expect(";")?;
                return Ok(Statement::Do(value));
            }
            _ => return Err(self.wanted("`=`")),
        };
        let place = value.place.clone();
        let target = match value.is {
            Is::Named(name) => Target {
                name: (name, place),
                index: None,
            },
            Is::Member(name, index) => Target {
                name,
                index: Some(*index),
            },
            _ => {
                let what = "only names and members of lists can be given a value";
                return Err(Mistake::new(place, what.to_owned()));
            }
        };
        self.next += 1;
        let value = self.expr()?;
        self.expect(";")?;
        Ok(Statement::Assign(target, how, value))
    }

    fn expr(&mut self) -> Result<Expr<'a>, Mistake> {
        self.deeper(|reader| reader.binary(0))
    }

    fn binary(&mut self, level: usize) -> Result<Expr<'a>, Mistake> {
        let Some(signs) = BINDING.get(level) else {
            return self.unary();
        };
        let mut left = self.binary(level + 1)?;
        let mut compared = false;
        // A long row of terms is a deep tree, which is walked by calls as well.
        for count in 0.. {
            let Some((_, operator)) = signs.iter().find(|(sign, _)| self.take(sign)) else {
                break;
            };
            if level == COMPARISONS && std::mem::replace(&mut compared, true) {
                let what = "comparisons do not stand in a row: write `a < b && b < c`";
                return Err(Mistake::new(self.before(), what.to_owned()));
            }
            if count == DEPTH_MAX {
                let what = format!("more than {DEPTH_MAX} terms in a row");
                return Err(Mistake::new(self.before(), what));
            }
            let right = self.binary(level + 1)?;
            let place = left.place.start..right.place.end;
            let depth = left.depth.max(right.depth);
            let both = Is::Two(*operator, Box::new(left), Box::new(right));
            left = Expr::over(depth, both, place)?;
        }
        Ok(left)
    }

    fn unary(&mut self) -> Result<Expr<'a>, Mistake> {
        let from = self.place().start;
        let minus = self.take("-");
        if !minus && !self.take("!") {
            return self.primary();
        }
        let inner = self.deeper(Self::unary)?;
        let depth = inner.depth;
        let is = if minus {
            Is::Minus(Box::new(inner))
        } else {
            Is::Not(Box::new(inner))
        };
        Expr::over(depth, is, from..self.before().end)
    }

    fn primary(&mut self) -> Result<Expr<'a>, Mistake> {
        let from = self.place().start;
        let mut depth = 0;
        let is = match self.peek() {
            Word::Number(value) => {
                self.next += 1;
                Is::Number(value)
            }
            Word::Name("true") => {
                self.next += 1;
                Is::Truth(true)
            }
            Word::Name("false") => {
                self.next += 1;
                Is::Truth(false)
            }
            Word::Name("none") => {
                self.next += 1;
                Is::Number(super::NONE)
            }
            Word::Sign("(") => {
                self.next += 1;
                let inner = self.expr()?;
                self.expect(")")?;
                depth = inner.depth;
                inner.is
            }
            // The one word that is both: which servers there are, and the one at a place.
            Word::Name("eligible") => {
                self.next += 1;
                self.expect("(")?;
                let args = self.listed(Self::expr)?;
                depth = deepest(&args);
                Is::Call("eligible", args)
            }
            _ => {
                let name = match self.peek() {
                    Word::Name(name) if !RESERVED.contains(&name) => self.name()?,
                    _ => return Err(self.wanted("a value")),
                };
                if self.take("(") {
                    let args = self.listed(Self::expr)?;
                    depth = deepest(&args);
                    Is::Call(name.0, args)
                } else if self.take("[") {
                    let index = self.expr()?;
                    self.expect("]")?;
                    depth = index.depth;
                    Is::Member(name, Box::new(index))
                } else {
                    Is::Named(name.0)
                }
            }
        };
        Expr::over(depth, is, from..self.before().end)
    }
}

/// How deep the deepest of some expressions is.
fn deepest(all: &[Expr<'_>]) -> usize {
    all.iter().map(|one| one.depth).max().unwrap_or(0)
}
