//! Rows: what came of a cell, and how it is written as fields of a table.

use super::plan::{Cell, Plan};
use super::waves::{Built, Waves};
use crate::experiment::{Measure, Run, Stop, estimates};
use crate::statistics::Estimate;
use crate::text::Csv;
use std::io::{self, Write};

/// What came of a cell.
#[derive(Clone, PartialEq, Debug)]
pub struct Row {
    /// The cell's number.
    pub cell: usize,
    /// The cell's identity.
    pub identity: u64,
    /// The values that were varied.
    pub values: Vec<String>,
    /// Replications that it took.
    pub replications: u64,
    /// Replications that could not be simulated to their end; all when the scenario is invalid.
    pub failed: u64,
    /// In the order of [`Plan::measures`].
    pub figures: Vec<Figure>,
    /// Hash over the digests of all replications: equal hashes, equal runs.
    pub digest: u64,
    /// Why something is missing; empty when nothing is.
    pub notes: String,
}

/// What is known of a measure in a cell.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Figure {
    /// Mean over the replications, where it means something.
    pub mean: Option<f64>,
    /// The ends of its interval; of a bound, one is the mean.
    pub interval: Option<(f64, f64)>,
}

/// What the columns beside that of a measure's mean are called, after its path and a dot.
pub(super) const ENDS: [&str; 2] = ["low", "high"];

/// What notes begin with where the precision was not reached.
const CAPPED: &str = "max_replications was reached before the precision";

/// How a replication ended: with what was measured, or why there is nothing.
pub(super) type Ended = Result<Run, String>;

impl Row {
    /// From the replications of a cell.
    pub(super) fn of(
        plan: &Plan,
        cell: Cell,
        built: Option<&Built>,
        waves: Waves,
        stop: Stop,
    ) -> Self {
        let mut row = Self {
            cell: cell.number,
            identity: cell.identity,
            values: cell.values,
            replications: waves.done(),
            failed: waves.failed.len() as u64,
            figures: vec![Figure::default(); plan.measures().len()],
            digest: 0,
            notes: String::new(),
        };
        if let Some((first, why)) = waves.failed.first() {
            // An invalid scenario fails in all replications alike.
            let alike = waves.runs.is_empty() && waves.failed.iter().all(|(_, other)| other == why);
            row.notes = if alike {
                why.clone()
            } else {
                format!("replication {first}: {why}")
            };
            return row;
        }
        let runs = waves.runs;
        let Some(Built { model, effort }) = built else {
            return row;
        };
        row.digest = runs
            .iter()
            .fold(0, |hash, run| crate::draws::mix(hash ^ run.digest));
        let estimates = estimates(
            model,
            &effort.measures,
            &runs,
            effort.level,
            effort.estimand,
        );
        row.figures = estimates
            .iter()
            .map(|estimate| Figure {
                mean: estimate.mean(),
                interval: estimate.ends(),
            })
            .collect();
        row.notes = notes(plan.measures(), &estimates);
        if stop == Stop::Cap {
            let end = if row.notes.is_empty() { "" } else { "; " };
            row.notes = format!("{CAPPED}{end}{}", row.notes);
        }
        row
    }

    /// Whether the most replications allowed were not enough for the precision.
    pub fn capped(&self) -> bool {
        self.notes.starts_with(CAPPED)
    }

    /// The names of the fields.
    pub fn header(plan: &Plan) -> Vec<String> {
        let mut names = vec!["cell".to_owned()];
        names.extend(plan.columns().into_iter().map(str::to_owned));
        names.extend(["replications".to_owned(), "failed".to_owned()]);
        for measure in plan.measures() {
            names.push(measure.path().to_owned());
            names.extend(ENDS.map(|end| format!("{}.{end}", measure.path())));
        }
        names.extend(["digest".to_owned(), "notes".to_owned()]);
        names
    }

    /// The fields, each number in the shortest form that is read back as the same number.
    pub fn fields(&self) -> Vec<String> {
        let mut fields = vec![self.cell.to_string()];
        fields.extend(self.values.iter().cloned());
        fields.extend([self.replications.to_string(), self.failed.to_string()]);
        let number = |value: Option<f64>| value.map_or(String::new(), |v| format!("{v:?}"));
        for figure in &self.figures {
            let (low, high) = figure.interval.unzip();
            fields.extend([figure.mean, low, high].map(number));
        }
        fields.extend([format!("{:016x}", self.digest), self.notes.clone()]);
        fields
    }

    /// The row from its fields; `None` when they are not those of a row of this plan.
    pub fn from_fields(plan: &Plan, identity: u64, fields: &[String]) -> Option<Self> {
        let (columns, measures) = (plan.columns().len(), plan.measures().len());
        let of_each = 1 + ENDS.len();
        if fields.len() != 5 + columns + of_each * measures {
            return None;
        }
        let number = |text: &String| -> Option<Option<f64>> {
            if text.is_empty() {
                return Some(None);
            }
            text.parse().ok().map(Some)
        };
        let figures = fields[3 + columns..3 + columns + of_each * measures]
            .chunks(of_each)
            .map(|of| {
                Some(Figure {
                    mean: number(&of[0])?,
                    interval: number(&of[1])?.zip(number(&of[2])?),
                })
            })
            .collect::<Option<Vec<_>>>()?;
        let row = Self {
            cell: fields[0].parse().ok()?,
            identity,
            values: fields[1..=columns].to_vec(),
            replications: fields[1 + columns].parse().ok()?,
            failed: fields[2 + columns].parse().ok()?,
            figures,
            digest: u64::from_str_radix(&fields[fields.len() - 2], 16).ok()?,
            notes: fields.last()?.clone(),
        };
        (row.cell < plan.cells()).then_some(row)
    }
}

/// Writes rows as CSV, with their header: the table of a sweep.
///
/// # Errors
/// Those of the writer.
pub fn write_rows(plan: &Plan, rows: &[Row], out: &mut dyn Write) -> io::Result<()> {
    let mut csv = Csv::new(out);
    csv.write_record(Row::header(plan))?;
    for row in rows {
        csv.write_record(row.fields())?;
    }
    csv.flush()
}

/// Why intervals are missing; a reason that holds for all measures is told once.
fn notes(measures: &[Measure], estimates: &[Estimate]) -> String {
    let reasons: Vec<(&str, String)> = measures
        .iter()
        .zip(estimates)
        .filter_map(|(measure, estimate)| {
            let why = estimate.reason().map(ToString::to_string)?;
            Some((measure.path(), why))
        })
        .collect();
    match reasons.split_first() {
        None => String::new(),
        Some(((_, first), others))
            if reasons.len() == measures.len() && others.iter().all(|(_, why)| why == first) =>
        {
            format!("no intervals: {first}")
        }
        Some(_) => {
            let told: Vec<String> = reasons
                .iter()
                .map(|(path, why)| format!("{path}: {why}"))
                .collect();
            told.join("; ")
        }
    }
}
