//! Statements: what is done, one after the other, and where it goes on.

use super::{Kind, Loop, Maker, Meaning, sum_of, wants};
use crate::policy::script::Mistake;
use crate::policy::script::functions::{FUNCTIONS, Known};
use crate::policy::script::parse::{Block, Expr, Is, Name, Operator, Statement, Target};
use crate::policy::script::run::{Compare, Step, Sum};
use std::ops::Range;

impl<'s> Maker<'s> {
    pub(super) fn block(&mut self, block: &'s Block<'s>) -> Result<(), Mistake> {
        let names = self.names.len();
        for statement in block {
            self.statement(statement)?;
        }
        self.names.truncate(names);
        Ok(())
    }

    fn statement(&mut self, statement: &'s Statement<'s>) -> Result<(), Mistake> {
        match statement {
            Statement::Let((name, place), value) => {
                let register = self.fresh(place)?;
                let (_, kind) = self.expr(value, Some(register))?;
                self.names.push((name, Meaning::Value(register, kind)));
            }
            Statement::Assign(target, how, value) => self.assign(target, *how, value)?,
            Statement::If(condition, then, otherwise) => {
                let out = self.unless(condition)?;
                self.block(then)?;
                if otherwise.is_empty() {
                    self.land(&out);
                } else {
                    let over = self.emit(Step::Go(0), condition.place.start)?;
                    self.land(&out);
                    self.block(otherwise)?;
                    self.land(&[over]);
                }
            }
            Statement::While(condition, body) => {
                let start = self.here();
                let out = self.unless(condition)?;
                self.repeat(start, out, body, condition.place.start)?;
            }
            Statement::Count(name, from, to, body) => self.count(name, from, to, body)?,
            Statement::Each((name, place), body) => {
                if !self.stands.knows(Known::Servers) {
                    let what = format!("`eligible` is known {} only", Known::Servers.words());
                    return Err(Mistake::new(place.clone(), what));
                }
                let (counter, server) = (self.fresh(place)?, self.fresh(place)?);
                let zero = self.constant(0.0, place)?;
                self.emit(Step::Copy(counter, zero), place.start)?;
                let start = self.here();
                let out = self.emit(Step::Next(server, counter, 0), place.start)?;
                let names = self.names.len();
                self.names
                    .push((name, Meaning::Value(server, Kind::Number)));
                self.repeat(start, vec![out], body, place.start)?;
                self.names.truncate(names);
            }
            Statement::Return(value, place) => self.give_back(value.as_ref(), place)?,
            Statement::Break(place) | Statement::Continue(place) => {
                let around = self.within.last().map_or(0, |within| within.loops);
                if self.loops.len() <= around {
                    let what = "there is no loop around this".to_owned();
                    return Err(Mistake::new(place.clone(), what));
                }
                let start = self.loops.last().map_or(0, |inner| inner.start);
                let step = self.emit(Step::Go(start as u16), place.start)?;
                if let (Statement::Break(_), Some(inner)) = (statement, self.loops.last_mut()) {
                    inner.breaks.push(step);
                }
            }
            Statement::Do(call) => match &call.is {
                Is::Call(name, args) if !FUNCTIONS.iter().any(|one| one.name == *name) => {
                    self.put_in_place(name, args, &call.place, false)?;
                }
                _ => {
                    let what = "nothing comes of this: its answer is not used".to_owned();
                    return Err(Mistake::new(call.place.clone(), what));
                }
            },
        }
        Ok(())
    }

    fn count(
        &mut self,
        (name, place): &'s Name<'s>,
        from: &'s Expr<'s>,
        to: &'s Expr<'s>,
        body: &'s Block<'s>,
    ) -> Result<(), Mistake> {
        let (counter, limit) = (self.fresh(place)?, self.fresh(place)?);
        for (bound, into) in [(from, counter), (to, limit)] {
            let (_, kind) = self.expr(bound, Some(into))?;
            wants(Kind::Number, kind, &bound.place)?;
        }
        // The body may change its own.
        let own = self.fresh(place)?;
        let one = self.constant(1.0, place)?;
        let start = self.here();
        let check = Step::Unless(Compare::Less, counter, limit, 0);
        let out = self.emit(check, place.start)?;
        self.emit(Step::Copy(own, counter), place.start)?;
        self.emit(Step::Sum(Sum::Plus, counter, counter, one), place.start)?;
        let names = self.names.len();
        self.names.push((name, Meaning::Value(own, Kind::Number)));
        self.repeat(start, vec![out], body, place.start)?;
        self.names.truncate(names);
        Ok(())
    }

    /// The body of a loop, which begins again at `start`, and is left by the steps of `out`.
    fn repeat(
        &mut self,
        start: u16,
        mut out: Vec<usize>,
        body: &'s Block<'s>,
        place: usize,
    ) -> Result<(), Mistake> {
        self.loops.push(Loop {
            breaks: Vec::new(),
            start: usize::from(start),
        });
        self.block(body)?;
        self.emit(Step::Go(start), place)?;
        let done = self.loops.pop().unwrap_or_default();
        out.extend(done.breaks);
        self.land(&out);
        Ok(())
    }

    /// Steps that go elsewhere unless a condition holds.
    fn unless(&mut self, condition: &'s Expr<'s>) -> Result<Vec<usize>, Mistake> {
        let place = condition.place.start;
        match &condition.is {
            Is::Two(Operator::And, a, b) => {
                let mut out = self.unless(a)?;
                out.extend(self.unless(b)?);
                Ok(out)
            }
            Is::Two(operator, a, b) if sum_of(*operator).is_none() && *operator != Operator::Or => {
                let (compare, a, b) = self.compared(*operator, a, b)?;
                Ok(vec![self.emit(Step::Unless(compare, a, b, 0), place)?])
            }
            _ => {
                let (found, kind) = self.expr(condition, None)?;
                if kind == Kind::Number {
                    let what = "a number is no condition: compare it, as in `x != 0`".to_owned();
                    return Err(Mistake::new(condition.place.clone(), what));
                }
                let zero = self.constant(0.0, &condition.place)?;
                let step = Step::Unless(Compare::Differs, found, zero, 0);
                Ok(vec![self.emit(step, place)?])
            }
        }
    }

    fn assign(
        &mut self,
        target: &'s Target<'s>,
        how: Option<Operator>,
        value: &'s Expr<'s>,
    ) -> Result<(), Mistake> {
        let (name, place) = &target.name;
        let sum = how.and_then(sum_of);
        let Some(index) = &target.index else {
            let Meaning::Value(register, kind) = self.meaning(name, place)? else {
                let what = format!("`{name}` is a list: write `{name}[…] = …`");
                return Err(Mistake::new(place.clone(), what));
            };
            let Some(sum) = sum else {
                // Only once all of it is known: what it is made of may be what it was.
                let (found, is) = self.expr(value, None)?;
                wants(kind, is, &value.place)?;
                self.emit(Step::Copy(register, found), place.start)?;
                return Ok(());
            };
            wants(Kind::Number, kind, place)?;
            // What stands before a call is read before it.
            let old = if self.calls_functions(value) {
                let kept = self.fresh(place)?;
                self.moved(register, Some(kept), place)?
            } else {
                register
            };
            let added = self.number(value)?;
            self.emit(Step::Sum(sum, register, old, added), place.start)?;
            return Ok(());
        };
        let list = self.list_named(&target.name)?;
        let (at, kind) = self.before(index, value)?;
        wants(Kind::Number, kind, &index.place)?;
        let Some(sum) = sum else {
            let found = self.number(value)?;
            self.emit(Step::Put(list, at, found), place.start)?;
            return Ok(());
        };
        let member = self.fresh(place)?;
        self.emit(Step::Member(member, list, at), place.start)?;
        let added = self.number(value)?;
        self.emit(Step::Sum(sum, member, member, added), place.start)?;
        self.emit(Step::Put(list, at, member), place.start)?;
        Ok(())
    }

    fn give_back(
        &mut self,
        value: Option<&'s Expr<'s>>,
        place: &Range<usize>,
    ) -> Result<(), Mistake> {
        let answer = self.within.last().and_then(|within| within.answer);
        let found = match value {
            Some(value) => Some(self.expr(value, answer)?),
            None => None,
        };
        let kind = found.map(|(_, kind)| kind);
        let (before, inner) = match self.within.last() {
            Some(within) => (within.kind, within.answer.is_some()),
            None => (None, false),
        };
        if before.is_some_and(|before| before != kind) {
            let noun = |kind: Option<Kind>| kind.map_or("nothing", Kind::noun);
            let what = format!("{} here, and {} before", noun(kind), noun(before.flatten()));
            return Err(Mistake::new(place.clone(), what));
        }
        let step = match found {
            _ if inner => Step::Go(0),
            Some((register, _)) => Step::Answer(register),
            None => Step::End,
        };
        let at = self.emit(step, place.start)?;
        if let Some(within) = self.within.last_mut() {
            within.kind = Some(kind);
            if inner {
                within.ends.push(at);
            }
        }
        Ok(())
    }
}
