//! Shards: parts of a plan for machines that know nothing of each other.

use super::plan::Plan;
use std::fmt;

/// Every `of`-th cell, beginning with `index`: neighbours, which cost alike, go to different shards.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Shard {
    /// Which, from 0.
    pub index: usize,
    /// How many there are.
    pub of: usize,
}

/// Most shards of a plan.
const SHARDS_MAX: usize = 1_000_000;

impl Shard {
    /// All cells.
    pub const WHOLE: Self = Self { index: 0, of: 1 };

    /// Reads `3/16`.
    ///
    /// # Errors
    /// Says what is wrong.
    pub fn parse(text: &str) -> Result<Self, String> {
        let parts = text
            .split_once('/')
            .and_then(|(index, of)| Some((index.trim().parse().ok()?, of.trim().parse().ok()?)));
        match parts {
            Some((index, of)) if index < of && of <= SHARDS_MAX => Ok(Self { index, of }),
            Some((_, of)) if (1..=SHARDS_MAX).contains(&of) => Err(format!(
                "{text} is none of {of}: shards are counted from 0/{of} to {}/{of}",
                of - 1
            )),
            _ => Err(format!(
                "{text:?} is no shard: write its number, from 0, and how many there are, such as 3/16"
            )),
        }
    }

    /// Whether a cell belongs to it.
    pub fn has(self, cell: usize) -> bool {
        cell % self.of == self.index
    }

    /// Its cells of a plan, in order.
    pub fn cells(self, plan: &Plan) -> Vec<usize> {
        (self.index..plan.cells()).step_by(self.of).collect()
    }
}

impl fmt::Display for Shard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.index, self.of)
    }
}
