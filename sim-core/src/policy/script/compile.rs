//! A script's tree as steps: what its names mean, and whether all of it makes sense.
//!
//! A function is put in place where it is called. It can call only those above it, so that this ends, and
//! there is no row of calls that could grow while time runs.

use super::functions::{FUNCTIONS, Known};
use super::parse::{
    Block, DEPTH_MAX, Expr, Function, Is, Name, Operator, Script, Statement, Target, parse,
};
use super::run::{Compare, Register, Step, Steps, Sum};
use super::{Mistake, NONE, Program};
use std::ops::Range;

/// Longest script: what a text of a scenario may have, as which it is written out.
const BYTES_MAX: usize = 1 << 16;
/// Most steps of a call, and most registers.
const LENGTH_MAX: usize = 60_000;
/// Most calls of functions that are put in place.
const CALLS_MAX: usize = 10_000;

/// What a value is.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Kind {
    Number,
    Truth,
}

impl Kind {
    fn noun(self) -> &'static str {
        match self {
            Self::Number => "a number",
            Self::Truth => "true or false",
        }
    }
}

/// What a name stands for.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Meaning {
    Value(Register, Kind),
    List(u16),
}

/// A function that is called by the engine, and not by the script.
pub(super) struct Hook {
    pub name: &'static str,
    /// What it is given.
    pub given: &'static [&'static str],
    /// When it is called.
    pub about: &'static str,
    kinds: &'static [Kind],
    /// Where its body stands.
    stands: Stands,
}

/// All of them, in the order of [`Program`]'s fields.
pub(super) static HOOKS: [Hook; 4] = [
    Hook {
        name: "pick",
        given: &[],
        about: "Answers with the server for a request, one of those that may be picked, or with `none`: no server.",
        kinds: &[],
        stands: Stands::Pick,
    },
    Hook {
        name: "changed",
        given: &[],
        about: "Hears that weights or servers that may be picked are others, and once at the start.",
        kinds: &[],
        stands: Stands::Changed,
    },
    Hook {
        name: "assigned",
        given: &["server", "in_flight"],
        about: "Hears that an attempt goes to a server, where so many are then in flight.",
        kinds: &[Kind::Number, Kind::Number],
        stands: Stands::Elsewhere,
    },
    Hook {
        name: "finished",
        given: &["server", "in_flight", "took", "ok"],
        about: "Hears that an attempt at a server is over, after so many seconds, and whether it succeeded; so many are still in flight there.",
        kinds: &[Kind::Number, Kind::Number, Kind::Number, Kind::Truth],
        stands: Stands::Elsewhere,
    },
];

/// Where steps stand, which decides what is known.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Stands {
    Pick,
    Changed,
    Elsewhere,
}

impl Stands {
    fn knows(self, what: Known) -> bool {
        match what {
            Known::Always => true,
            Known::Servers => self != Self::Elsewhere,
            Known::Request => self == Self::Pick,
        }
    }
}

/// Makes steps of a script.
pub(super) fn compile(text: &str) -> Result<Program, Mistake> {
    if text.len() > BYTES_MAX {
        let what = format!(
            "a script of {} bytes; at most {BYTES_MAX} are read",
            text.len()
        );
        return Err(Mistake::new(0..0, what));
    }
    let script = parse(text)?;
    let mut maker = Maker {
        script: &script,
        lines: std::iter::once(0)
            .chain(text.match_indices('\n').map(|(at, _)| at + 1))
            .collect(),
        registers: Vec::new(),
        constants: Vec::new(),
        lists: 0,
        state: Vec::new(),
        called: vec![false; script.functions.len()],
        calls: 0,
        names: Vec::new(),
        steps: Steps::default(),
        stands: Stands::Elsewhere,
        loops: Vec::new(),
        within: Vec::new(),
    };
    maker.check_names()?;
    let start = maker.start()?;
    let mut hooks = Vec::new();
    for hook in &HOOKS {
        hooks.push(maker.hook(hook)?);
    }
    maker.all_called()?;
    let mut hooks = hooks.into_iter();
    let mut hook = || hooks.next().flatten();
    let Some((pick, _)) = hook() else {
        let what = "there is no `fn pick()`, which answers with a server".to_owned();
        return Err(Mistake::new(text.len()..text.len(), what));
    };
    Ok(Program {
        start,
        pick,
        changed: hook().map(|(steps, _)| steps),
        assigned: hook(),
        finished: hook(),
        registers: maker.registers,
        lists: maker.lists as usize,
    })
}

/// A loop whose end is not known yet.
#[derive(Default)]
struct Loop {
    /// Steps that leave it.
    breaks: Vec<usize>,
    start: usize,
}

/// A function whose steps are being put in place.
struct Within {
    /// Its number.
    function: usize,
    /// Where its answer goes, and what that is, as far as it is known; not for the engine's own.
    answer: Option<Register>,
    #[expect(
        clippy::option_option,
        reason = "the outer one is whether anything was given back yet, the inner one what, or nothing"
    )]
    kind: Option<Option<Kind>>,
    /// Steps that go to its end.
    ends: Vec<usize>,
    /// Loops and names around it, which are not its own.
    loops: usize,
}

struct Maker<'s> {
    script: &'s Script<'s>,
    /// Where lines begin.
    lines: Vec<usize>,
    /// What registers hold at first.
    registers: Vec<f64>,
    constants: Vec<(u64, Register)>,
    lists: u16,
    state: Vec<(&'s str, Meaning)>,
    called: Vec<bool>,
    calls: usize,
    /// Names of the function at hand, the innermost last.
    names: Vec<(&'s str, Meaning)>,
    steps: Steps,
    stands: Stands,
    loops: Vec<Loop>,
    within: Vec<Within>,
}

impl<'s> Maker<'s> {
    fn check_names(&self) -> Result<(), Mistake> {
        let functions = &self.script.functions;
        for (number, Function { name, .. }) in functions.iter().enumerate() {
            let (word, place) = name;
            if functions[..number].iter().any(|one| one.name.0 == *word) {
                let what = format!("there are two functions `{word}`");
                return Err(Mistake::new(place.clone(), what));
            }
            if FUNCTIONS.iter().any(|one| one.name == *word) || LISTS.contains(word) {
                let what = format!("`{word}` is a function of the language");
                return Err(Mistake::new(place.clone(), what));
            }
        }
        Ok(())
    }

    fn all_called(&self) -> Result<(), Mistake> {
        let functions = self.script.functions.iter().zip(&self.called);
        for (Function { name, .. }, called) in functions {
            if !called {
                let hooks: Vec<&str> = HOOKS.iter().map(|hook| hook.name).collect();
                let what = format!(
                    "nobody calls `{}`; the engine calls {}",
                    name.0,
                    hooks.join(", ")
                );
                return Err(Mistake::new(name.1.clone(), what));
            }
        }
        Ok(())
    }

    /// What is kept, as it is at the start.
    fn start(&mut self) -> Result<Steps, Mistake> {
        for (name, value) in &self.script.state {
            if self.state.iter().any(|(known, _)| *known == name.0) {
                let what = format!("there are two `{}`", name.0);
                return Err(Mistake::new(name.1.clone(), what));
            }
            let meaning = match &value.is {
                Is::Call(list, args) if LISTS.contains(list) => {
                    self.list(list, args, &value.place)?
                }
                _ => {
                    let register = self.fresh(&value.place)?;
                    let (_, kind) = self.expr(value, Some(register))?;
                    Meaning::Value(register, kind)
                }
            };
            self.state.push((name.0, meaning));
        }
        self.emit(Step::End, 0)?;
        Ok(std::mem::take(&mut self.steps))
    }

    fn list(
        &mut self,
        which: &str,
        args: &'s [Expr<'s>],
        place: &Range<usize>,
    ) -> Result<Meaning, Mistake> {
        let (many, value) = match (which, args) {
            ("each", [value]) => {
                let servers = self.fresh(place)?;
                self.ask("servers", servers, &[], place)?;
                (servers, value)
            }
            ("list", [many, value]) => (self.number(many)?, value),
            _ => {
                let what = "a list is `each(value)`, with a member for each server, or `list(how many, value)`";
                return Err(Mistake::new(place.clone(), what.to_owned()));
            }
        };
        let value = self.number(value)?;
        let list = self.lists;
        self.lists += 1;
        self.emit(Step::Fill(list, many, value), place.start)?;
        Ok(Meaning::List(list))
    }

    /// The steps of a function that the engine calls, and where it puts what it tells.
    fn hook(&mut self, hook: &Hook) -> Result<Option<(Steps, Vec<Register>)>, Mistake> {
        let functions = &self.script.functions;
        let Some(number) = functions.iter().position(|one| one.name.0 == hook.name) else {
            return Ok(None);
        };
        let function = &functions[number];
        if function.params.len() != hook.given.len() {
            let what = format!("it is called as `{}({})`", hook.name, hook.given.join(", "));
            return Err(Mistake::new(function.name.1.clone(), what));
        }
        self.called[number] = true;
        self.stands = hook.stands;
        let mut registers = Vec::new();
        for ((name, place), kind) in function.params.iter().zip(hook.kinds) {
            let register = self.fresh(place)?;
            self.names.push((name, Meaning::Value(register, *kind)));
            registers.push(register);
        }
        self.within.push(Within {
            function: number,
            answer: None,
            kind: None,
            ends: Vec::new(),
            loops: 0,
        });
        self.block(&function.body)?;
        let answers = hook.stands == Stands::Pick;
        if answers && !always_returns(&function.body) {
            let what = "it can end without an answer: `return` a server, or `none`";
            return Err(Mistake::new(function.name.1.clone(), what.to_owned()));
        }
        let within = self.within.pop();
        let kind = within.and_then(|within| within.kind).flatten();
        let wanted = answers.then_some(Kind::Number);
        if kind != wanted {
            let what = match kind {
                Some(kind) if answers => format!("it answers with {}, not a server", kind.noun()),
                None if answers => "it answers with nothing, not a server".to_owned(),
                _ => "nobody wants an answer of it".to_owned(),
            };
            return Err(Mistake::new(function.name.1.clone(), what));
        }
        self.emit(Step::End, function.name.1.start)?;
        self.names.clear();
        Ok(Some((std::mem::take(&mut self.steps), registers)))
    }

    fn emit(&mut self, step: Step, place: usize) -> Result<usize, Mistake> {
        let at = self.steps.steps.len();
        if at == LENGTH_MAX {
            return Err(too_long(place));
        }
        self.steps.steps.push(step);
        let line = self.lines.partition_point(|line| *line <= place);
        self.steps.lines.push(line as u32);
        Ok(at)
    }

    fn fresh(&mut self, place: &Range<usize>) -> Result<Register, Mistake> {
        let register = self.registers.len();
        if register == LENGTH_MAX {
            return Err(too_long(place.start));
        }
        self.registers.push(0.0);
        Ok(register as Register)
    }

    fn constant(&mut self, value: f64, place: &Range<usize>) -> Result<Register, Mistake> {
        let bits = value.to_bits();
        if let Some((_, register)) = self.constants.iter().find(|(known, _)| *known == bits) {
            return Ok(*register);
        }
        let register = self.fresh(place)?;
        self.registers[usize::from(register)] = value;
        self.constants.push((bits, register));
        Ok(register)
    }

    /// The next step will be this.
    fn here(&self) -> u16 {
        self.steps.steps.len() as u16
    }

    /// Steps that were to go on elsewhere go on here.
    fn land(&mut self, steps: &[usize]) {
        let here = self.here();
        for &at in steps {
            match &mut self.steps.steps[at] {
                Step::Unless(_, _, _, to) | Step::Go(to) | Step::Next(_, _, to) => *to = here,
                other => unreachable!("{other:?} goes nowhere"),
            }
        }
    }

    fn meaning(&self, name: &str, place: &Range<usize>) -> Result<Meaning, Mistake> {
        let own = self.names.iter().rev();
        let found = own.chain(&self.state).find(|(known, _)| *known == name);
        if let Some((_, meaning)) = found {
            return Ok(*meaning);
        }
        let known = self.names.iter().chain(&self.state).map(|(name, _)| *name);
        let mut what = format!("`{name}` is not known here{}", nearest(name, known));
        if self.script.functions.iter().any(|one| one.name.0 == name)
            || FUNCTIONS.iter().any(|one| one.name == name)
        {
            what = format!("`{name}` is a function: write `{name}(…)`");
        }
        Err(Mistake::new(place.clone(), what))
    }

    /// What an expression says, in a register of its own choice or in `into`.
    fn expr(
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
    fn compared(
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
    fn before(
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

    fn calls_functions(&self, expr: &Expr<'_>) -> bool {
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

    fn number(&mut self, expr: &'s Expr<'s>) -> Result<Register, Mistake> {
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

    fn moved(
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

    fn list_named(&self, (name, place): &Name<'s>) -> Result<u16, Mistake> {
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
    fn ask(
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
    fn put_in_place(
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

    fn block(&mut self, block: &'s Block<'s>) -> Result<(), Mistake> {
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

/// What makes a list, where `let` stands outside functions.
pub(super) const LISTS: [&str; 2] = ["each", "list"];

fn wants(wanted: Kind, got: Kind, place: &Range<usize>) -> Result<(), Mistake> {
    if wanted == got {
        return Ok(());
    }
    let what = format!("this is {}; {} is wanted", got.noun(), wanted.noun());
    Err(Mistake::new(place.clone(), what))
}

fn too_long(place: usize) -> Mistake {
    let what = "with its functions put in place where they are called, the script is too long";
    Mistake::new(place..place, what.to_owned())
}

fn sum_of(operator: Operator) -> Option<Sum> {
    match operator {
        Operator::Plus => Some(Sum::Plus),
        Operator::Minus => Some(Sum::Minus),
        Operator::Times => Some(Sum::Times),
        Operator::By => Some(Sum::By),
        Operator::Rest => Some(Sum::Rest),
        _ => None,
    }
}

/// Whether a block never ends without an answer.
fn always_returns(block: &Block<'_>) -> bool {
    match block.last() {
        Some(Statement::Return(..)) => true,
        Some(Statement::If(_, then, otherwise)) => {
            always_returns(then) && always_returns(otherwise)
        }
        _ => false,
    }
}

/// The known name that is most like one, as a question; nothing where none is.
fn nearest<'n>(name: &str, known: impl Iterator<Item = &'n str>) -> String {
    let near = known.map(|one| (strsim::damerau_levenshtein(name, one), one));
    match near.min_by_key(|(distance, _)| *distance) {
        Some((distance, one)) if distance <= 2 && distance < one.len() => {
            format!("; did you mean `{one}`?")
        }
        _ => String::new(),
    }
}

const _: () = assert!(NONE < 0.0);
