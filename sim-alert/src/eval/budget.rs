//! What an evaluation may take: a few lines of subqueries within each other could go on for years.

use super::Failure;
use std::cell::Cell;
use std::sync::atomic::{AtomicBool, Ordering};

/// Most steps of one evaluation: some seconds of work and some hundred megabytes.
const STEPS_MAX: u64 = 10_000_000;

/// Never set: for those whom nobody stops.
pub(crate) static NEVER: AtomicBool = AtomicBool::new(false);

/// What is left to an evaluation, and whether somebody wants it to stop.
pub(crate) struct Budget<'c> {
    left: Cell<u64>,
    cancel: &'c AtomicBool,
}

impl<'c> Budget<'c> {
    pub(crate) fn new(cancel: &'c AtomicBool) -> Self {
        let left = Cell::new(STEPS_MAX);
        Self { left, cancel }
    }

    /// Takes steps: one for each part that is evaluated, each series and each point that is looked
    /// at, each letter of a label that is made.
    ///
    /// # Errors
    /// Says that nothing is left, or that it was told to stop.
    pub(crate) fn take(&self, steps: u64) -> Result<(), Failure> {
        if self.cancel.load(Ordering::Relaxed) {
            return Err(Failure::new("told to stop"));
        }
        let Some(left) = self.left.get().checked_sub(steps) else {
            return Err(Failure::new(format!(
                "it takes more than {STEPS_MAX} steps (parts evaluated, series and points looked \
                 at); shorter ranges, or longer steps of subqueries, take fewer"
            )));
        };
        self.left.set(left);
        Ok(())
    }
}
