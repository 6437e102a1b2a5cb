//! What a script does: a list of steps on a row of registers.
//!
//! Every step ends, and steps that go back count against a budget, so that a call ends whatever the script
//! says. Nothing is allocated while time runs: all registers and lists are there from the start.

use super::NONE;
use super::functions::{FUNCTIONS, whole};
use crate::draws::Draws;
use crate::policy::{FleetView, Job};
use crate::time::Instant;
use std::fmt;

/// A place in the row of registers.
pub(super) type Register = u16;

/// How two numbers are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Compare {
    Equal,
    Differs,
    Less,
    AtMost,
}

impl Compare {
    #[inline]
    #[expect(clippy::float_cmp, reason = "it is what the script asks")]
    fn holds(self, a: f64, b: f64) -> bool {
        match self {
            Self::Equal => a == b,
            Self::Differs => a != b,
            Self::Less => a < b,
            Self::AtMost => a <= b,
        }
    }
}

/// What is done with two numbers.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sum {
    Plus,
    Minus,
    Times,
    By,
    Rest,
}

/// A step.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Step {
    /// The first register becomes what the second is.
    Copy(Register, Register),
    /// The first becomes what is made of the others.
    Sum(Sum, Register, Register, Register),
    /// Whether the comparison holds, as 1 or 0.
    Truth(Compare, Register, Register, Register),
    /// Goes on elsewhere unless the comparison holds.
    Unless(Compare, Register, Register, u16),
    /// Goes on elsewhere.
    Go(u16),
    /// The first becomes what a function says of the others.
    Ask(u8, Register, Register, Register),
    /// Attempts in flight at a server: asked more often than anything else.
    InFlight(Register, Register),
    /// The next server that may be picked, by a counter; elsewhere when there is none.
    Next(Register, Register, u16),
    /// A member of a list.
    Member(Register, u16, Register),
    /// A member of a list becomes what a register is.
    Put(u16, Register, Register),
    /// A list of so many of the same.
    Fill(u16, Register, Register),
    /// The end, with an answer.
    Answer(Register),
    /// The end.
    End,
}

/// Steps of one call, each with the line of the script that it is of.
#[derive(Clone, Default, Debug)]
pub(super) struct Steps {
    pub steps: Vec<Step>,
    pub lines: Vec<u32>,
}

/// Why a script cannot go on.
#[derive(Clone, Copy, PartialEq, Debug)]
pub(super) enum Fault {
    /// Nothing of the kind is known here.
    Unknown,
    /// Not a place among so many servers that may be picked.
    Place(f64, usize),
    /// Not a server, of so many.
    Server(f64, usize),
    /// Not a parameter, of so many.
    Parameter(f64, usize),
    /// Not a member of a list of so many.
    Member(f64, usize),
    /// Nothing is below this.
    Below(f64),
    /// More members than a script may keep.
    Many(f64),
    /// It has gone on for too long.
    Long,
    /// What it picked may not be picked.
    Picked(f64),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let last = |many: usize| match many {
            0 => "there are none".to_owned(),
            many => format!("0 to {} are", many - 1),
        };
        match *self {
            Self::Unknown => write!(f, "this is not known here"),
            Self::Place(place, many) => write!(
                f,
                "{place} is no place among servers that may be picked; {}",
                last(many)
            ),
            Self::Server(server, many) => write!(f, "{server} is no server; {}", last(many)),
            Self::Parameter(place, many) => {
                write!(f, "{place} is no place in `parameters`; {}", last(many))
            }
            Self::Member(place, many) => {
                write!(f, "{place} is no place in the list; {}", last(many))
            }
            Self::Below(n) => write!(f, "`below` wants a whole number from 1, not {n}"),
            Self::Many(many) => write!(
                f,
                "a list of {many} members; all lists together have at most {MEMBERS_MAX}"
            ),
            Self::Long => write!(f, "more than {STEPS_MAX} steps, without an end"),
            Self::Picked(server) => write!(
                f,
                "{server} was picked, which is no server that may be picked now"
            ),
        }
    }
}

/// Most steps of one call that go back: some milliseconds.
pub(super) const STEPS_MAX: u32 = 1_000_000;
/// Most members of all lists of a script together: each balancer instance has its own.
pub(super) const MEMBERS_MAX: usize = 100_000;

/// What a call knows.
pub(super) struct Given<'a, 'b> {
    pub now: Instant,
    pub servers: usize,
    pub parameters: &'a [f64],
    pub fleet: Option<&'a FleetView<'b>>,
    pub job: Option<&'a Job>,
    pub draws: Option<&'a mut Draws>,
}

impl<'a, 'b> Given<'a, 'b> {
    #[inline]
    pub(super) fn fleet(&self) -> Result<&'a FleetView<'b>, Fault> {
        self.fleet.ok_or(Fault::Unknown)
    }

    #[inline]
    pub(super) fn job(&self) -> Result<&'a Job, Fault> {
        self.job.ok_or(Fault::Unknown)
    }

    #[inline]
    pub(super) fn draws(&mut self) -> Result<&mut Draws, Fault> {
        self.draws.as_deref_mut().ok_or(Fault::Unknown)
    }

    /// The server that a number means.
    #[inline]
    pub(super) fn server(&self, server: f64) -> Result<usize, Fault> {
        match whole(server) {
            Some(number) if number < self.servers => Ok(number),
            _ => Err(Fault::Server(server, self.servers)),
        }
    }
}

/// What a script keeps.
#[derive(Clone, Default, Debug)]
pub(super) struct Memory {
    pub registers: Vec<f64>,
    pub lists: Vec<Vec<f64>>,
}

impl Memory {
    /// Does steps: their answer, where they end with one, and which of them it was that ended, or could not be done.
    pub(super) fn run(
        &mut self,
        steps: &Steps,
        given: &mut Given<'_, '_>,
    ) -> Result<(f64, usize), (usize, Fault)> {
        let mut budget = STEPS_MAX;
        let mut at = 0_usize;
        // Cuts of one slice, so that its length is looked at where it is used and nowhere else.
        let registers = &mut self.registers[..];
        loop {
            let go = |to: u16, budget: &mut u32| {
                let to = usize::from(to);
                if to <= at {
                    let back = (at - to) as u32 + 1;
                    *budget = budget.checked_sub(back).ok_or((at, Fault::Long))?;
                }
                Ok(to)
            };
            let of = |register: Register| registers[usize::from(register)];
            let mut next = at + 1;
            match steps.steps[at] {
                Step::Copy(into, from) => registers[usize::from(into)] = of(from),
                Step::Sum(what, into, a, b) => {
                    let (a, b) = (of(a), of(b));
                    registers[usize::from(into)] = match what {
                        Sum::Plus => a + b,
                        Sum::Minus => a - b,
                        Sum::Times => a * b,
                        Sum::By => a / b,
                        Sum::Rest => a % b,
                    };
                }
                Step::Truth(compare, into, a, b) => {
                    registers[usize::from(into)] = f64::from(compare.holds(of(a), of(b)));
                }
                Step::Unless(compare, a, b, to) => {
                    if !compare.holds(of(a), of(b)) {
                        next = go(to, &mut budget)?;
                    }
                }
                Step::Go(to) => next = go(to, &mut budget)?,
                Step::Ask(function, into, a, b) => {
                    let answer = FUNCTIONS[usize::from(function)].answer;
                    let (a, b) = (of(a), of(b));
                    registers[usize::from(into)] =
                        answer(given, a, b).map_err(|fault| (at, fault))?;
                }
                Step::InFlight(into, server) => {
                    let in_flight = given.fleet().map_err(|fault| (at, fault))?.in_flight;
                    let server = of(server);
                    let found = whole(server).and_then(|server| in_flight.get(server));
                    let many = in_flight.len();
                    let found = found.ok_or((at, Fault::Server(server, many)))?;
                    registers[usize::from(into)] = f64::from(*found);
                }
                Step::Next(into, counter, to) => {
                    let eligible = given.fleet().map_err(|fault| (at, fault))?.eligible;
                    let place = of(counter);
                    match eligible.get(place as usize) {
                        Some(server) => {
                            registers[usize::from(into)] = f64::from(*server);
                            registers[usize::from(counter)] = place + 1.0;
                        }
                        None => next = go(to, &mut budget)?,
                    }
                }
                Step::Member(into, list, index) => {
                    let list = &self.lists[usize::from(list)];
                    let found = whole(of(index)).and_then(|index| list.get(index));
                    let found = found.ok_or((at, Fault::Member(of(index), list.len())))?;
                    registers[usize::from(into)] = *found;
                }
                Step::Put(list, index, from) => {
                    let list = &mut self.lists[usize::from(list)];
                    let many = list.len();
                    let found = whole(of(index)).and_then(|index| list.get_mut(index));
                    *found.ok_or((at, Fault::Member(of(index), many)))? = of(from);
                }
                Step::Fill(list, many, value) => {
                    let (many, value) = (of(many), of(value));
                    let taken: usize = self.lists.iter().map(Vec::len).sum();
                    match whole(many) {
                        Some(count) if count + taken <= MEMBERS_MAX => {
                            self.lists[usize::from(list)] = vec![value; count];
                        }
                        _ => return Err((at, Fault::Many(many))),
                    }
                }
                Step::Answer(register) => return Ok((of(register), at)),
                Step::End => return Ok((NONE, at)),
            }
            at = next;
        }
    }
}
