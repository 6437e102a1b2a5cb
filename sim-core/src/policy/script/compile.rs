//! A script's tree as steps: what its names mean, and whether all of it makes sense.
//!
//! A function is put in place where it is called. It can call only those above it, so that this ends, and
//! there is no row of calls that could grow while time runs.

mod expression;
mod statement;

use super::functions::{FUNCTIONS, Known};
use super::parse::{Block, Expr, Function, Is, Operator, Script, Statement, parse};
use super::run::{Register, Step, Steps, Sum};
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
