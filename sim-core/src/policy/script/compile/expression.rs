//! Expressions: what a value is, where it is kept, and functions put in place.

use super::{
    CALLS_MAX, Kind, LISTS, Maker, Meaning, Within, always_returns, nearest, sum_of, too_long,
    wants,
};
use crate::policy::script::Mistake;
use crate::policy::script::functions::FUNCTIONS;
use crate::policy::script::parse::{DEPTH_MAX, Expr, Is, Name, Operator};
use crate::policy::script::run::{Compare, Register, Step, Sum};
use std::ops::Range;

impl<'s> Maker<'s> {
    /// What an expression says, in a register of its own choice or in `into`.
    pub(super) fn expr(
        &mut self,
        expr: &'s Expr<'s>,
        into: Option<Register>,
    ) -> Result<(Register, Kind), Mistake> {
        let place = &expr.place;
        match &expr.is {
            Is::Number(value) => {
                let register = self.constant(*value, place)?;
                Ok((self.moved(register, into, place)?, Kind::Number))
            }
            Is::Truth(truth) => {
                let register = self.constant(f64::from(*truth), place)?;
                Ok((self.moved(register, into, place)?, Kind::Truth))
            }
            Is::Named(name) => match self.meaning(name, place)? {
                Meaning::Value(register, kind) => Ok((self.moved(register, into, place)?, kind)),
                Meaning::List(_) => {
                    let what = format!("`{name}` is a list: write `{name}[…]`");
                    Err(Mistake::new(place.clone(), what))
                }
            },
            Is::Member(name, index) => {
                let list = self.list_named(name)?;
                let index = self.number(index)?;
                let into = self.or_fresh(into, place)?;
                self.emit(Step::Member(into, list, index), place.start)?;
                Ok((into, Kind::Number))
            }
            Is::Call(name, args) => self.call(name, args, into, place),
            Is::Minus(inner) => {
                let zero = self.constant(-0.0, place)?;
                let inner = self.number(inner)?;
                let into = self.or_fresh(into, place)?;
                self.emit(Step::Sum(Sum::Minus, into, zero, inner), place.start)?;
                Ok((into, Kind::Number))
            }
            Is::Not(inner) => {
                let inner = self.truth(inner)?;
                let zero = self.constant(0.0, place)?;
                let into = self.or_fresh(into, place)?;
                self.emit(Step::Truth(Compare::Equal, into, inner, zero), place.start)?;
                Ok((into, Kind::Truth))
            }
            Is::Two(operator, a, b) => self.two(*operator, a, b, into, place),
        }
    }

    fn two(
        &mut self,
        operator: Operator,
        a: &'s Expr<'s>,
        b: &'s Expr<'s>,
        into: Option<Register>,
        place: &Range<usize>,
    ) -> Result<(Register, Kind), Mistake> {
        if matches!(operator, Operator::And | Operator::Or) {
            // The second is asked only where the first leaves it open.
            let found = self.fresh(place)?;
            self.truth_into(a, found)?;
            let decided = self.constant(f64::from(operator == Operator::And), place)?;
            let open = Step::Unless(Compare::Equal, found, decided, 0);
            let out = self.emit(open, place.start)?;
            self.truth_into(b, found)?;
            self.land(&[out]);
            return Ok((self.moved(found, into, place)?, Kind::Truth));
        }
        if let Some(sum) = sum_of(operator) {
            let (a, b) = self.numbers(a, b)?;
            let into = self.or_fresh(into, place)?;
            self.emit(Step::Sum(sum, into, a, b), place.start)?;
            return Ok((into, Kind::Number));
        }
        let (compare, a, b) = self.compared(operator, a, b)?;
        let into = self.or_fresh(into, place)?;
        self.emit(Step::Truth(compare, into, a, b), place.start)?;
        Ok((into, Kind::Truth))
    }

    /// A comparison, with what is compared in the order in which it is asked.
    pub(super) fn compared(
        &mut self,
        operator: Operator,
        a: &'s Expr<'s>,
        b: &'s Expr<'s>,
    ) -> Result<(Compare, Register, Register), Mistake> {
        let alike = matches!(operator, Operator::Equal | Operator::Differs);
        let (first, kind) = self.before(a, b)?;
        let (second, other) = self.expr(b, None)?;
        if kind != other {
            let what = format!("{} is compared with {}", kind.noun(), other.noun());
            return Err(Mistake::new(b.place.clone(), what));
        }
        if kind == Kind::Truth && !alike {
            let what = "true and false are neither more nor less".to_owned();
            return Err(Mistake::new(a.place.start..b.place.end, what));
        }
        Ok(match operator {
            Operator::Equal => (Compare::Equal, first, second),
            Operator::Differs => (Compare::Differs, first, second),
            Operator::Less => (Compare::Less, first, second),
            Operator::AtMost => (Compare::AtMost, first, second),
            Operator::Greater => (Compare::Less, second, first),
            _ => (Compare::AtMost, second, first),
        })
    }

    /// A value that another follows, which may change what the first one read.
    pub(super) fn before(
        &mut self,
        first: &'s Expr<'s>,
        then: &'s Expr<'s>,
    ) -> Result<(Register, Kind), Mistake> {
        let keep = if self.calls_functions(then) {
            Some(self.fresh(&first.place)?)
        } else {
            None
        };
        self.expr(first, keep)
    }

    fn numbers(
        &mut self,
        a: &'s Expr<'s>,
        b: &'s Expr<'s>,
    ) -> Result<(Register, Register), Mistake> {
        let (first, kind) = self.before(a, b)?;
        wants(Kind::Number, kind, &a.place)?;
        Ok((first, self.number(b)?))
    }

    pub(super) fn calls_functions(&self, expr: &Expr<'_>) -> bool {
        match &expr.is {
            Is::Number(_) | Is::Truth(_) | Is::Named(_) => false,
            Is::Member(_, inner) | Is::Minus(inner) | Is::Not(inner) => self.calls_functions(inner),
            Is::Two(_, a, b) => self.calls_functions(a) || self.calls_functions(b),
            Is::Call(name, args) => {
                self.script.functions.iter().any(|one| one.name.0 == *name)
                    || args.iter().any(|arg| self.calls_functions(arg))
            }
        }
    }

    pub(super) fn number(&mut self, expr: &'s Expr<'s>) -> Result<Register, Mistake> {
        let (register, kind) = self.expr(expr, None)?;
        wants(Kind::Number, kind, &expr.place)?;
        Ok(register)
    }

    fn truth(&mut self, expr: &'s Expr<'s>) -> Result<Register, Mistake> {
        let (register, kind) = self.expr(expr, None)?;
        wants(Kind::Truth, kind, &expr.place)?;
        Ok(register)
    }

    fn truth_into(&mut self, expr: &'s Expr<'s>, into: Register) -> Result<(), Mistake> {
        let (_, kind) = self.expr(expr, Some(into))?;
        wants(Kind::Truth, kind, &expr.place)
    }

    fn or_fresh(
        &mut self,
        into: Option<Register>,
        place: &Range<usize>,
    ) -> Result<Register, Mistake> {
        into.map_or_else(|| self.fresh(place), Ok)
    }

    pub(super) fn moved(
        &mut self,
        from: Register,
        into: Option<Register>,
        place: &Range<usize>,
    ) -> Result<Register, Mistake> {
        if let Some(into) = into
            && into != from
        {
            self.emit(Step::Copy(into, from), place.start)?;
        }
        Ok(into.unwrap_or(from))
    }

    pub(super) fn list_named(&self, (name, place): &Name<'s>) -> Result<u16, Mistake> {
        match self.meaning(name, place)? {
            Meaning::List(list) => Ok(list),
            Meaning::Value(..) => Err(Mistake::new(place.clone(), format!("`{name}` is no list"))),
        }
    }

    fn call(
        &mut self,
        name: &'s str,
        args: &'s [Expr<'s>],
        into: Option<Register>,
        place: &Range<usize>,
    ) -> Result<(Register, Kind), Mistake> {
        if let Some(known) = FUNCTIONS.iter().find(|one| one.name == name) {
            Self::takes(name, known.takes, args.len(), place)?;
            let registers = match args {
                [] => Vec::new(),
                [one] => vec![self.number(one)?],
                [one, two, ..] => {
                    let (one, two) = self.numbers(one, two)?;
                    vec![one, two]
                }
            };
            let into = self.or_fresh(into, place)?;
            self.ask(name, into, &registers, place)?;
            let kind = if known.truth {
                Kind::Truth
            } else {
                Kind::Number
            };
            return Ok((into, kind));
        }
        let Some(answer) = self.put_in_place(name, args, place, true)? else {
            let what = format!("`{name}` gives no answer");
            return Err(Mistake::new(place.clone(), what));
        };
        let (found, kind) = answer;
        Ok((self.moved(found, into, place)?, kind))
    }

    fn takes(name: &str, wanted: &[&str], got: usize, place: &Range<usize>) -> Result<(), Mistake> {
        if wanted.len() == got {
            return Ok(());
        }
        let what = format!("it is called as `{name}({})`", wanted.join(", "));
        Err(Mistake::new(place.clone(), what))
    }

    /// Has a function of the language asked.
    pub(super) fn ask(
        &mut self,
        name: &str,
        into: Register,
        args: &[Register],
        place: &Range<usize>,
    ) -> Result<(), Mistake> {
        let number = FUNCTIONS.iter().position(|one| one.name == name);
        let number = number.unwrap_or_else(|| unreachable!("`{name}` was found before"));
        let known = FUNCTIONS[number].known;
        if !self.stands.knows(known) {
            let what = format!("`{name}` is known {} only", known.words());
            return Err(Mistake::new(place.clone(), what));
        }
        let step = match args {
            [server] if name == "in_flight" => Step::InFlight(into, *server),
            _ => {
                let arg = |at: usize| args.get(at).copied().unwrap_or(into);
                Step::Ask(number as u8, into, arg(0), arg(1))
            }
        };
        self.emit(step, place.start)?;
        Ok(())
    }

    /// Puts a function of the script in place; its answer, where it has one.
    pub(super) fn put_in_place(
        &mut self,
        name: &'s str,
        args: &'s [Expr<'s>],
        place: &Range<usize>,
        answers: bool,
    ) -> Result<Option<(Register, Kind)>, Mistake> {
        let functions = &self.script.functions;
        let Some(number) = functions.iter().position(|one| one.name.0 == name) else {
            let known = functions.iter().map(|one| one.name.0);
            let known = known.chain(FUNCTIONS.iter().map(|one| one.name));
            let what = if LISTS.contains(&name) {
                format!(
                    "a list is made where its `let` stands outside functions: `let x = {name}(…);`"
                )
            } else {
                format!("there is no function `{name}`{}", nearest(name, known))
            };
            return Err(Mistake::new(place.clone(), what));
        };
        let around = self.within.last().map_or(0, |within| within.function);
        if self.within.is_empty() || number >= around {
            let what = format!("`{name}` can be called below its own end only");
            return Err(Mistake::new(place.clone(), what));
        }
        if self.within.len() > DEPTH_MAX {
            let what = format!("more than {DEPTH_MAX} functions that call each other in a row");
            return Err(Mistake::new(place.clone(), what));
        }
        let function = &functions[number];
        let params: Vec<&str> = function.params.iter().map(|(name, _)| *name).collect();
        Self::takes(name, &params, args.len(), place)?;
        self.calls += 1;
        if self.calls > CALLS_MAX {
            return Err(too_long(place.start));
        }
        self.called[number] = true;
        let mut own = Vec::new();
        for (param, arg) in params.iter().zip(args) {
            let register = self.fresh(&arg.place)?;
            let (_, kind) = self.expr(arg, Some(register))?;
            own.push((*param, Meaning::Value(register, kind)));
        }
        let answer = self.fresh(place)?;
        let outer = std::mem::replace(&mut self.names, own);
        self.within.push(Within {
            function: number,
            answer: Some(answer),
            kind: None,
            ends: Vec::new(),
            loops: self.loops.len(),
        });
        self.block(&function.body)?;
        self.names = outer;
        let within = self.within.pop();
        let (ends, kind) = within.map_or((Vec::new(), None), |done| (done.ends, done.kind));
        self.land(&ends);
        let kind = kind.flatten();
        if answers && kind.is_some() && !always_returns(&function.body) {
            let what = format!("`{name}` can end without an answer");
            return Err(Mistake::new(function.name.1.clone(), what));
        }
        Ok(kind.map(|kind| (answer, kind)))
    }
}
