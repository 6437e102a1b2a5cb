//! What people do when they are told that something is wrong.

use super::{Action, Edit, Rollout};
use crate::distribution::DistributionDef;
use crate::extension::Configured;
use crate::time::{Duration, Instant};
use std::sync::Arc;

/// What is done about an alert, and by when.
#[derive(Clone, PartialEq, Debug)]
pub struct Runbook {
    /// The name.
    pub name: String,
    /// The alert whose notification calls somebody, by its position in the model.
    pub on: usize,
    /// From the notification, or from when somebody is free, until somebody looks.
    pub acknowledge: Configured<DistributionDef>,
    /// From there until the cause is known.
    pub diagnose: Configured<DistributionDef>,
    /// Whether it is left when the alert no longer fires before the cause is known.
    pub stands_down: bool,
    /// What is done then, one after the other.
    pub steps: Vec<Step>,
}

/// A step of a runbook.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    /// How long after the step before; of the first, after the cause is known.
    pub after: Configured<DistributionDef>,
    /// Whether it is the first of what was written as one step: what follows there follows by the clock, and `after` is
    /// not drawn.
    pub first: bool,
    /// A sentence for the event log.
    pub note: String,
    /// What it undoes; nothing is done before that has come.
    pub undoes: Option<Undone>,
    /// What.
    pub act: Act,
}

/// An entry of the time line, or a step that deploys, that is undone.
#[derive(Clone, PartialEq, Debug)]
pub struct Undone {
    /// Its name.
    pub name: String,
    /// What must have come before.
    pub of: Undoable,
}

/// What can be undone.
#[derive(Clone, PartialEq, Debug)]
pub enum Undoable {
    /// An entry of the time line, by when it comes.
    Entry(Instant),
    /// A deployment that a runbook has begun.
    Deployment(Arc<Rollout>),
}

/// What is done in a step.
#[derive(Clone, PartialEq, Debug)]
pub enum Act {
    /// What a time line can do, too.
    Do(Action),
    /// Settings are changed, whatever they have become meanwhile.
    Set(Edits),
    /// What was changed at first is watched, and taken back if an alert begins to fire.
    Watch {
        /// For how long.
        lasts: Duration,
        /// The alert, by its position in the model.
        abort_on: usize,
        /// What was changed, as written.
        text: String,
    },
}

/// Changes of settings.
#[derive(Clone, PartialEq, Debug)]
pub struct Edits {
    /// As written, for the event log: `path = value`.
    pub text: String,
    /// What they make of each part that they concern.
    pub edits: Vec<Edit>,
}
