//! A policy of one's own, as a script beside the scenario.
//!
//! ```text
//! // The server that answered fastest lately, of two.
//! let lately = each(0);
//!
//! fn pick() {
//!     let a = any();
//!     let b = any();
//!     if lately[b] < lately[a] { return b; }
//!     return a;
//! }
//!
//! fn finished(server, in_flight, took, ok) {
//!     lately[server] += 0.1 * (took - lately[server]);
//! }
//! ```
//!
//! The language is our own and small: numbers, lists of fixed length, loops that a budget ends, functions that
//! are put in place where they are called. So a call costs tens of nanoseconds, keeps to the memory that it
//! began with, and does the same on every machine. A script sees what a balancer can know, and no oracle.

mod compile;
mod functions;
mod lex;
mod parse;
mod run;

use super::{FleetView, Job, Policy, PolicyDef};
use crate::draws::{Draws, Stream};
use crate::extension::{CodeProblem, ExtensionRow, ParamDef, ParamKind};
use crate::outcome::Outcome;
use crate::time::{Duration, Instant};
pub use functions::{BuiltIn, FUNCTIONS, Known};
use run::{Fault, Given, Memory, Register, Steps};
use std::ops::Range;
use std::sync::Arc;

pub(super) static POLICY: PolicyDef = PolicyDef::new(
    ExtensionRow {
        name: "script",
        about: "A policy of one's own, as a script: what it picks, what it keeps and what it hears.",
        source: "",
        params: &[
            ParamDef {
                name: "code",
                about: "The script; in its place `file` names a text beside the scenario that holds it.",
                kind: ParamKind::Code {
                    file: "file",
                    read: |text| {
                        let problem = |Mistake { place, what }| CodeProblem { place, what };
                        compile::compile(text).map(|_| ()).map_err(problem)
                    },
                },
                default: None,
            },
            ParamDef::of(
                "parameters",
                ParamKind::Numbers {
                    min: -1e15,
                    max: 1e15,
                },
                "[]",
                "Numbers that the script asks for as `parameter(0)` and so on.",
            ),
        ],
    },
    &|params| {
        let program = compile::compile(params.text("code"));
        let program = program.unwrap_or_else(|mistake| panic!("it was read before: {mistake:?}"));
        Box::new(Scripted::new(
            program,
            Arc::clone(params.numbers("parameters")),
        ))
    },
);

/// No server: what a script picks when it wants none.
const NONE: f64 = -1.0;

/// What is wrong with a script, and where.
#[derive(Clone, PartialEq, Eq, Debug)]
struct Mistake {
    place: Range<usize>,
    what: String,
}

impl Mistake {
    fn new(place: Range<usize>, what: String) -> Self {
        Self { place, what }
    }
}

/// Steps, and the registers that hold what is told.
type Hearing = (Steps, Vec<Register>);

/// A script that can be run.
#[derive(Debug)]
struct Program {
    /// What is done once, before anything else.
    start: Steps,
    pick: Steps,
    changed: Option<Steps>,
    /// With the registers that hold what is told.
    assigned: Option<Hearing>,
    finished: Option<Hearing>,
    /// What registers hold at first.
    registers: Vec<f64>,
    lists: usize,
}

/// The functions that the engine calls, as they are written, and when it calls them.
pub fn hooks() -> impl Iterator<Item = (String, &'static str)> {
    compile::HOOKS.iter().map(|hook| {
        let call = format!("{}({})", hook.name, hook.given.join(", "));
        (call, hook.about)
    })
}

#[derive(Clone, Debug)]
struct Scripted {
    program: Arc<Program>,
    parameters: Arc<[f64]>,
    memory: Memory,
    servers: usize,
    now: Instant,
    /// Why it cannot go on.
    broken: Option<Arc<str>>,
}

impl Scripted {
    fn new(program: Program, parameters: Arc<[f64]>) -> Self {
        let memory = Memory {
            registers: program.registers.clone(),
            lists: vec![Vec::new(); program.lists],
        };
        Self {
            program: Arc::new(program),
            parameters,
            memory,
            servers: 0,
            now: Instant::ZERO,
            broken: None,
        }
    }

    /// Does some steps, with what is known there: the answer, and its line.
    #[inline]
    fn run(
        &mut self,
        steps: fn(&Program) -> Option<&Steps>,
        fleet: Option<&FleetView<'_>>,
        job: Option<&Job>,
        draws: Option<&mut Draws>,
    ) -> Option<(f64, u32)> {
        if self.broken.is_some() {
            return None;
        }
        let steps = steps(&self.program)?;
        let mut given = Given {
            now: self.now,
            servers: self.servers,
            parameters: &self.parameters,
            fleet,
            job,
            draws,
        };
        match self.memory.run(steps, &mut given) {
            Ok((answer, at)) => Some((answer, steps.lines[at])),
            Err((at, fault)) => {
                let line = steps.lines[at];
                self.break_off(line, fault);
                None
            }
        }
    }

    #[cold]
    fn break_off(&mut self, line: u32, fault: Fault) {
        self.broken = Some(format!("line {line} of the script: {fault}").into());
    }

    /// Tells a function something.
    fn tell(&mut self, which: fn(&Program) -> Option<&Hearing>, told: &[f64]) -> Option<()> {
        let (_, registers) = which(&self.program)?;
        for (register, value) in registers.iter().zip(told) {
            self.memory.registers[usize::from(*register)] = *value;
        }
        Some(())
    }
}

impl Policy for Scripted {
    fn pick(&mut self, fleet: &FleetView<'_>, job: &Job, draws: &mut Draws) -> Option<usize> {
        self.now = fleet.now;
        let (answer, line) = self.run(|p| Some(&p.pick), Some(fleet), Some(job), Some(draws))?;
        let server = functions::whole(answer).filter(|server| fleet.may_pick(*server as u32));
        if server.is_none() && answer.to_bits() != NONE.to_bits() {
            self.break_off(line, Fault::Picked(answer));
        }
        server
    }

    fn place_servers(&mut self, servers: usize, _: &dyn Fn(usize) -> Stream) {
        self.servers = servers;
        self.run(|p| Some(&p.start), None, None, None);
    }

    fn on_fleet_changed(&mut self, fleet: &FleetView<'_>) {
        self.now = fleet.now;
        self.run(|p| p.changed.as_ref(), Some(fleet), None, None);
    }

    fn observes(&self) -> bool {
        self.program.assigned.is_some() || self.program.finished.is_some()
    }

    fn on_assigned(&mut self, server: usize, in_flight: u32) {
        let told = [server as f64, f64::from(in_flight)];
        if self.tell(|p| p.assigned.as_ref(), &told).is_some() {
            self.run(|p| p.assigned.as_ref().map(|(s, _)| s), None, None, None);
        }
    }

    fn on_finished(
        &mut self,
        now: Instant,
        server: usize,
        in_flight: u32,
        outcome: Outcome,
        took: Duration,
    ) {
        self.now = now;
        let ok = f64::from(outcome == Outcome::Succeeded);
        let told = [server as f64, f64::from(in_flight), took.as_secs_f64(), ok];
        if self.tell(|p| p.finished.as_ref(), &told).is_some() {
            self.run(|p| p.finished.as_ref().map(|(s, _)| s), None, None, None);
        }
    }

    fn own_bytes(&self) -> usize {
        let lists = self.memory.lists.iter().map(Vec::len).sum::<usize>();
        (lists + self.memory.registers.len()) * size_of::<f64>()
    }

    fn failure(&self) -> Option<&str> {
        self.broken.as_deref()
    }

    fn clone_box(&self) -> Box<dyn Policy> {
        Box::new(self.clone())
    }
}

#[cfg(test)]
mod tests;
