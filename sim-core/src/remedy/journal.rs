//! What a search has run so far, so that it can go on after whatever ended it.
//!
//! A line is written as those of a sweep's journal are: a checksum and a record. The first record binds the journal to
//! a scenario, a plan and a version of the program; every other one is a run, by the number of its model and its
//! replication. Which runs a search makes follows from those that it has made, so that nothing else need be kept.

use super::search::Values;
use super::{Candidate, RemedyPlan};
use crate::experiment::sweep::{checked, line};
use crate::scenario::{Scenario, canonical};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fmt;

/// What the first record begins with.
const FORMAT: &str = "stampede remedy journal 1";

#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Header {
    format: String,
    version: String,
    /// Of all that decides which runs there are and what comes of each.
    search: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Record {
    model: usize,
    replication: u64,
    /// The bits of each damage, so that no digit is lost; nothing where there was none.
    values: Vec<Option<String>>,
}

/// Runs that were made before.
#[derive(Clone, Debug, Default)]
pub struct Known {
    runs: BTreeMap<(usize, u64), Values>,
    /// Bytes up to the end of the last line that is whole: what to keep before appending.
    pub whole: usize,
    /// Lines that were dropped: a torn one at the end, or damaged ones.
    pub dropped: usize,
}

/// Why a journal is not that of a search.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Mismatch {
    /// The text is no journal, or its first line is damaged.
    NoJournal,
    /// It is that of another search.
    OtherSearch,
    /// It was written by another version of the program.
    OtherVersion(String),
    /// A run has other damages.
    OtherRun(usize, u64),
}

impl fmt::Display for Mismatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoJournal => {
                f.write_str("it is no journal of a search, or its first line is damaged")
            }
            Self::OtherSearch => {
                f.write_str("it belongs to another scenario, or to other arguments")
            }
            Self::OtherVersion(version) => write!(
                f,
                "it was written by version {version} of the program, and this is {}",
                env!("CARGO_PKG_VERSION")
            ),
            Self::OtherRun(model, replication) => {
                write!(
                    f,
                    "run {replication} of change {model} does not fit the search"
                )
            }
        }
    }
}

impl std::error::Error for Mismatch {}

impl Header {
    pub(super) fn of(scenario: &Scenario, plan: &RemedyPlan, candidates: &[&Candidate]) -> Self {
        let all = format!("{}\n{plan:?}\n{candidates:?}", scenario.to_toml());
        Self {
            format: FORMAT.to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            search: format!("{:016x}", canonical::fingerprint(&all)),
        }
    }

    pub(super) fn line(&self) -> String {
        line(self)
    }

    fn check(&self, wanted: &Self) -> Result<(), Mismatch> {
        if self.format != wanted.format {
            return Err(Mismatch::NoJournal);
        }
        if self.version != wanted.version {
            return Err(Mismatch::OtherVersion(self.version.clone()));
        }
        if self.search != wanted.search {
            return Err(Mismatch::OtherSearch);
        }
        Ok(())
    }

    /// Reads a journal. A torn or damaged line is dropped: its run is as if it had not been made.
    ///
    /// # Errors
    /// Why the journal is not that of this search, in which a run has so many damages.
    pub(super) fn read(&self, bytes: &[u8], damages: usize) -> Result<Known, Mismatch> {
        let mut known = Known::default();
        // Without a single whole line nothing was kept: the process ended while it began.
        if !bytes.contains(&b'\n') {
            return Ok(known);
        }
        for (number, line) in bytes.split_inclusive(|byte| *byte == b'\n').enumerate() {
            let record = line.strip_suffix(b"\n").and_then(checked);
            if line.ends_with(b"\n") {
                known.whole += line.len();
            }
            if number == 0 {
                let header = record.and_then(|text| serde_json::from_str::<Self>(text).ok());
                header.ok_or(Mismatch::NoJournal)?.check(self)?;
                continue;
            }
            let Some(record) = record else {
                known.dropped += 1;
                continue;
            };
            // A right checksum over a wrong record: another program wrote it.
            let record: Record = serde_json::from_str(record).map_err(|_| Mismatch::NoJournal)?;
            let other = Mismatch::OtherRun(record.model, record.replication);
            let bits = |bits: &Option<String>| match bits {
                None => Some(None),
                Some(bits) => u64::from_str_radix(bits, 16)
                    .ok()
                    .map(|bits| Some(f64::from_bits(bits))),
            };
            let values: Option<Values> = record.values.iter().map(bits).collect();
            let values = values
                .filter(|values| values.len() == damages)
                .ok_or(other)?;
            known
                .runs
                .insert((record.model, record.replication), values);
        }
        Ok(known)
    }
}

impl Known {
    /// What came of a run, if it was made before.
    pub(super) fn run(&self, model: usize, replication: u64) -> Option<&Values> {
        self.runs.get(&(model, replication))
    }

    /// How many runs were made before.
    pub fn len(&self) -> usize {
        self.runs.len()
    }

    /// Whether none was.
    pub fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }
}

/// The line of a run, with its end.
pub(super) fn line_of(model: usize, replication: u64, values: &Values) -> String {
    let bits = |value: &Option<f64>| value.map(|value| format!("{:016x}", value.to_bits()));
    line(&Record {
        model,
        replication,
        values: values.iter().map(bits).collect(),
    })
}
