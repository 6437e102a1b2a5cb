//! The journal: rows in the order in which they were finished, so that a sweep can go on after
//! whatever ended it.
//!
//! A line is the CRC-32 of what follows, a blank, and a record in JSON. The first record binds the
//! journal to a plan, a scenario, a version of the program and a shard; every other one is a cell.
//! Lines are only ever appended, each in one write: after a crash the last one may be torn, which
//! its checksum shows, and everything before it is whole. The core only reads and makes texts; files
//! are the front end's business.

use super::plan::Plan;
use super::row::Row;
use super::shard::Shard;
use serde::{Deserialize, Serialize};
use std::fmt;

/// What the first record begins with.
const FORMAT: &str = "stampede sweep journal 1";

/// The first record.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Header {
    format: String,
    version: String,
    plan: String,
    scenario: String,
    cells: usize,
    shard: String,
}

/// The record of a cell.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    cell: usize,
    id: String,
    row: Vec<String>,
}

/// A journal that was read.
#[derive(Clone, PartialEq, Debug)]
pub struct Journal {
    /// The cells that are complete, in the order of the journal.
    pub rows: Vec<Row>,
    /// Bytes up to the end of the last line that is whole: what to keep before appending.
    pub whole: usize,
    /// Lines that were dropped: a torn one at the end, or damaged ones.
    pub dropped: usize,
}

/// Why a journal cannot be used for a plan.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mismatch {
    /// The text is no journal, or its first line is damaged.
    NoJournal,
    /// It is that of another plan.
    OtherPlan,
    /// It was written by another version of the program.
    OtherVersion(String),
    /// It is that of another shard.
    OtherShard(String),
    /// A row does not fit the plan: the cell's number.
    OtherCell(usize),
    /// A cell is recorded twice.
    Twice(usize),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoJournal => {
                f.write_str("it is no journal of a sweep, or its first line is damaged")
            }
            Self::OtherPlan => f.write_str("it belongs to another plan or scenario"),
            Self::OtherVersion(version) => write!(
                f,
                "it was written by version {version} of the program, and this is {}",
                env!("CARGO_PKG_VERSION")
            ),
            Self::OtherShard(shard) => write!(f, "it belongs to shard {shard}"),
            Self::OtherCell(cell) => write!(f, "its row of cell {cell} does not fit the plan"),
            Self::Twice(cell) => write!(f, "it holds cell {cell} twice"),
        }
    }
}

impl std::error::Error for Mismatch {}

impl Header {
    /// Of a shard of a plan.
    pub fn of(plan: &Plan, shard: Shard) -> Self {
        Self {
            format: FORMAT.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            plan: format!("{:016x}", plan.hash()),
            scenario: format!("{:016x}", plan.scenario_hash()),
            cells: plan.cells(),
            shard: shard.to_string(),
        }
    }

    /// The first line, with its end.
    pub fn line(&self) -> String {
        line(self)
    }

    fn check(&self, wanted: &Self, any_shard: bool) -> Result<(), Mismatch> {
        if self.format != wanted.format {
            return Err(Mismatch::NoJournal);
        }
        if self.version != wanted.version {
            return Err(Mismatch::OtherVersion(self.version.clone()));
        }
        if (&self.plan, &self.scenario, self.cells)
            != (&wanted.plan, &wanted.scenario, wanted.cells)
        {
            return Err(Mismatch::OtherPlan);
        }
        if !any_shard && self.shard != wanted.shard {
            return Err(Mismatch::OtherShard(self.shard.clone()));
        }
        Ok(())
    }
}

/// The line of a row, with its end.
pub fn line_of(row: &Row) -> String {
    line(&Record {
        cell: row.cell,
        id: format!("{:016x}", row.identity),
        row: row.fields(),
    })
}

/// The line of a record, with its end.
pub(crate) fn line(record: &impl Serialize) -> String {
    let text = serde_json::to_string(record)
        .unwrap_or_else(|error| unreachable!("plain data always serialises: {error}"));
    format!("{:08x} {text}\n", crc32fast::hash(text.as_bytes()))
}

/// The record of a line, if its checksum is right.
pub(crate) fn checked(line: &[u8]) -> Option<&str> {
    let (sum, record) = std::str::from_utf8(line).ok()?.split_at_checked(8)?;
    let record = record.strip_prefix(' ')?;
    let sum = u32::from_str_radix(sum, 16).ok()?;
    (sum == crc32fast::hash(record.as_bytes())).then_some(record)
}

impl Journal {
    /// Reads a journal of `plan`, of one shard, or of any where `shard` is `None`. A torn or damaged
    /// line is dropped: its cell is as if it had not been run.
    ///
    /// # Errors
    /// Why the journal is not that of this plan.
    pub fn read(bytes: &[u8], plan: &Plan, shard: Option<Shard>) -> Result<Self, Mismatch> {
        let wanted = Header::of(plan, shard.unwrap_or(Shard::WHOLE));
        let mut journal = Self {
            rows: Vec::new(),
            whole: 0,
            dropped: 0,
        };
        let mut seen = vec![false; plan.cells()];
        for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let record = line.strip_suffix(b"\n").and_then(checked);
            if line.ends_with(b"\n") {
                journal.whole += line.len();
            }
            if number == 0 {
                let header: Option<Header> =
                    record.and_then(|text| serde_json::from_str(text).ok());
                header
                    .ok_or(Mismatch::NoJournal)?
                    .check(&wanted, shard.is_none())?;
                continue;
            }
            let Some(record) = record else {
                journal.dropped += 1;
                continue;
            };
            let row = row(record, plan)?;
            if std::mem::replace(&mut seen[row.cell], true) {
                return Err(Mismatch::Twice(row.cell));
            }
            if shard.is_some_and(|shard| !shard.has(row.cell)) {
                return Err(Mismatch::OtherCell(row.cell));
            }
            journal.rows.push(row);
        }
        if bytes.is_empty() {
            return Err(Mismatch::NoJournal);
        }
        Ok(journal)
    }
}

fn row(record: &str, plan: &Plan) -> Result<Row, Mismatch> {
    // A right checksum over a wrong record: another program wrote it.
    let record: Record = serde_json::from_str(record).map_err(|_| Mismatch::NoJournal)?;
    let other = Mismatch::OtherCell(record.cell);
    let identity = u64::from_str_radix(&record.id, 16).map_err(|_| other.clone())?;
    let row = Row::from_fields(plan, identity, &record.row).ok_or_else(|| other.clone())?;
    if row.cell != record.cell || plan.cell(row.cell).identity != identity {
        return Err(other);
    }
    Ok(row)
}
