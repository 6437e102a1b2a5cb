//! What queueing theory says, beside what was measured.

use crate::table::Table;
use crate::terminal::{BOLD, DIM};
use sim_core::experiment::Measure;
use sim_core::readable;
use sim_core::report::sheet::{self, Block};
use sim_core::report::words;
use sim_core::statistics::Interval;
use sim_core::theory::{Applied, Figure};
use std::io::{self, Write};

/// Writes the closed form that applies, or why none does; beside the intervals of what was measured in
/// several runs, or beside the figures of a single one, which has no measures.
pub(crate) fn write(
    applied: &Applied,
    measures: &[Measure],
    out: &mut dyn Write,
) -> io::Result<()> {
    match applied {
        Applied::Unknown(reasons) => {
            writeln!(out, "\n  {BOLD}theory{BOLD:#}   no closed form:")?;
            for reason in reasons {
                writeln!(out, "    {reason}")?;
            }
            Ok(())
        }
        Applied::Known(known) => {
            writeln!(
                out,
                "\n  {BOLD}theory{BOLD:#}   {} at {}   {DIM}{}{DIM:#}",
                known.form, known.service, known.reference
            )?;
            if measures.is_empty() {
                single(&known.figures, out)
            } else {
                several(&known.figures, measures, out)
            }
        }
    }
}

fn single(figures: &[Figure], out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::default();
    table.row(["", "theory", "this run"]);
    for figure in figures {
        table.row([
            figure.path.clone(),
            value(figure, Some(figure.expected)),
            value(figure, figure.measured),
        ]);
    }
    write!(out, "{}", table.text(4))?;
    writeln!(
        out,
        "    {DIM}a single run is off by chance: add --replications for intervals{DIM:#}"
    )
}

/// The same for a page: beside the intervals of several runs.
pub(crate) fn blocks(applied: &Applied, measures: &[Measure]) -> Vec<Block> {
    let mut blocks = vec![Block::Section("Theory".to_owned())];
    match applied {
        Applied::Unknown(reasons) => {
            blocks.push(Block::Sentence("no closed form:".to_owned()));
            blocks.extend(reasons.iter().cloned().map(Block::Sentence));
        }
        Applied::Known(known) => {
            blocks.push(Block::Sentence(format!(
                "{} at {}, {}",
                known.form, known.service, known.reference
            )));
            let head = ["figure", "theory", "measured", "half-width", "theory lies"];
            let mut table = sheet::Table::new("What theory says, and what was measured", &head);
            table.rows = beside(&known.figures, measures);
            blocks.push(Block::Table(table));
        }
    }
    blocks
}

fn several(figures: &[Figure], measures: &[Measure], out: &mut dyn Write) -> io::Result<()> {
    let mut table = Table::default();
    table.row(["", "theory", "measured", "half-width", "theory lies"]);
    for row in beside(figures, measures) {
        table.row(row);
    }
    write!(out, "{}", table.text(4))
}

fn beside(figures: &[Figure], measures: &[Measure]) -> Vec<Vec<String>> {
    let row = |figure: &Figure| {
        let mut row = vec![figure.path.clone(), value(figure, Some(figure.expected))];
        let measure = measures.iter().find(|m| m.path() == figure.path);
        if let (Some(measure), Some(estimate)) = (measure, &figure.estimate) {
            row.extend(words::estimate(measure, estimate).into_iter().take(2));
            let lies = |interval: &Interval| {
                if interval.covers(figure.expected) {
                    "within"
                } else {
                    "outside"
                }
            };
            row.extend(
                estimate
                    .interval()
                    .map(|interval| lies(interval).to_owned()),
            );
        }
        row
    };
    figures.iter().map(row).collect()
}

fn value(figure: &Figure, value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if figure.path.contains("_s.") => readable::time(value * 1e9),
        Some(value) if figure.path == "availability" => readable::share(value),
        Some(value) => readable::short(value),
    }
}
