//! Shards: parts of a plan for machines that know nothing of each other.

use super::journal::{Journal, Mismatch};
use super::plan::Plan;
use super::row::Row;
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

/// Why shards do not make a whole.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Gap {
    /// One of the journals cannot be used.
    Alien {
        /// Its name.
        name: String,
        /// Why.
        why: Mismatch,
    },
    /// A cell is in two journals.
    Doubled {
        /// The cell.
        cell: usize,
        /// The journals.
        names: [String; 2],
    },
    /// Cells are in none.
    Missing {
        /// How many.
        count: usize,
        /// The first of them.
        cells: Vec<usize>,
    },
}

impl fmt::Display for Gap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Alien { name, why } => write!(f, "{name} does not fit the plan: {why}"),
            Self::Doubled { cell, names } => {
                write!(f, "cell {cell} is both in {} and in {}", names[0], names[1])
            }
            Self::Missing { count, cells } => {
                let first: Vec<String> = cells.iter().map(usize::to_string).collect();
                let more = if *count > cells.len() { ", …" } else { "" };
                let (noun, verb) = if *count == 1 {
                    ("cell", "is")
                } else {
                    ("cells", "are")
                };
                write!(
                    f,
                    "{count} {noun} {verb} missing: {}{more}",
                    first.join(", ")
                )
            }
        }
    }
}

impl std::error::Error for Gap {}

/// Puts the journals of all shards together: the rows of every cell, in order.
///
/// # Errors
/// When a journal is another plan's, a cell is there twice, or cells are missing.
pub fn merge(plan: &Plan, journals: &[(String, Vec<u8>)]) -> Result<Vec<Row>, Gap> {
    let mut rows: Vec<Option<(usize, Row)>> = vec![None; plan.cells()];
    for (number, (name, bytes)) in journals.iter().enumerate() {
        // Whoever began it ended before it had a line.
        if !bytes.contains(&b'\n') {
            continue;
        }
        let journal = Journal::read(bytes, plan, None).map_err(|why| Gap::Alien {
            name: name.clone(),
            why,
        })?;
        let mut found = journal.rows;
        // Journals hold rows as they came about; what is said of them does not depend on that.
        found.sort_by_key(|row| row.cell);
        for row in found {
            let cell = row.cell;
            if let Some((first, _)) = &rows[cell] {
                return Err(Gap::Doubled {
                    cell,
                    names: [journals[*first].0.clone(), name.clone()],
                });
            }
            rows[cell] = Some((number, row));
        }
    }
    let missing: Vec<usize> = (0..rows.len())
        .filter(|cell| rows[*cell].is_none())
        .collect();
    if missing.is_empty() {
        return Ok(rows.into_iter().flatten().map(|(_, row)| row).collect());
    }
    Err(Gap::Missing {
        count: missing.len(),
        cells: missing.into_iter().take(8).collect(),
    })
}
