//! The replications of a cell, wave by wave: one wave, or as many as a precision takes.
//!
//! Whoever simulates them, on threads or step by step, hands whole waves in here and gets either how
//! many are next or the row; what decides is the rule of `run --precision`.

use super::plan::Plan;
use super::row::{Ended, Row};
use crate::experiment::replicate::{self, Stop, decide, next_wave};
use crate::experiment::run::{Run, thin};
use crate::experiment::{Estimand, Measure};
use crate::model::Model;
use std::ops::Range;
use std::sync::Arc;

/// The model of a cell, and how it is replicated.
pub(super) struct Built {
    pub model: Arc<Model>,
    pub effort: replicate::Plan,
}

/// How cells of a plan are replicated, with these measures.
pub(super) fn effort(plan: &Plan, measures: Vec<Measure>) -> replicate::Plan {
    replicate::Plan {
        measures,
        first: 0,
        replications: plan.replications(),
        level: plan.confidence(),
        precision: plan.precision(),
        estimand: Estimand::ByNature,
    }
}

/// The first wave of every cell.
pub(super) fn first_wave(plan: &Plan) -> Range<u64> {
    0..next_wave(&effort(plan, Vec::new()), 0)
}

/// What follows a wave.
pub(super) enum Next {
    /// These replications.
    Wave(Range<u64>),
    /// The cell is complete.
    Row(Box<Row>),
}

/// Replications of a cell that are over, in the order of their numbers.
#[derive(Default)]
pub(super) struct Waves {
    pub runs: Vec<Run>,
    /// Those that did not reach their end, and why.
    pub failed: Vec<(u64, String)>,
}

impl Waves {
    /// How many there are.
    pub(super) fn done(&self) -> u64 {
        (self.runs.len() + self.failed.len()) as u64
    }

    /// Takes a whole wave of cell number `cell`. A cell of which a replication failed goes no further: it has no
    /// figures.
    pub(super) fn take(
        &mut self,
        plan: &Plan,
        cell: usize,
        built: Option<&Built>,
        wave: Vec<Ended>,
    ) -> Next {
        let first = self.done();
        for (number, ended) in (first..).zip(wave) {
            match ended {
                Ok(run) => self.runs.push(run),
                Err(why) => self.failed.push((number, why)),
            }
        }
        thin(&mut self.runs);
        let stop = match built {
            Some(built) if self.failed.is_empty() => {
                decide(&built.model, &built.effort, &self.runs)
            }
            _ => Some(Stop::Planned),
        };
        let Some(stop) = stop else {
            let done = self.done();
            return Next::Wave(done..done + next_wave(&effort(plan, Vec::new()), done));
        };
        let waves = std::mem::take(self);
        Next::Row(Box::new(Row::of(plan, plan.cell(cell), built, waves, stop)))
    }
}
