//! Shards put together.

use super::journal::{Journal, Mismatch};
use super::plan::Plan;
use super::row::Row;
use std::fmt;

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
