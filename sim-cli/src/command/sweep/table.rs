//! What a sweep prints.

use super::output::TABLE;
use crate::args::TableFormat;
use crate::exit::Failure;
use crate::table::Table;
use crate::terminal::{self, BOLD, DIM, Out, RED, YELLOW};
use sim_core::experiment::Measure;
use sim_core::experiment::sweep::{Plan, Row, write_rows};
use sim_core::readable;
use sim_core::report::words;
use std::io::Write;
use std::path::Path;

/// Rows shown to people; the file has all.
const ROWS_MAX: usize = 40;
/// Failed cells that are told of.
const FAILURES_MAX: usize = 5;

/// Prints the rows of a sweep.
pub(super) fn print(
    plan: &Plan,
    rows: &[Row],
    format: TableFormat,
    folder: Option<&Path>,
    quiet: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    if format == TableFormat::Csv {
        write_rows(plan, rows, out)?;
        return Ok(());
    }
    writeln!(out, "{BOLD}{}{BOLD:#}   {}", plan.name(), headline(plan))?;
    writeln!(out)?;
    write!(out, "{}", cells(plan, rows))?;
    if rows.len() > ROWS_MAX {
        writeln!(out, "  … {} more", rows.len() - ROWS_MAX)?;
    }
    remarks(rows, out)?;
    if let Some(folder) = folder {
        writeln!(
            out,
            "\n  written to {}",
            terminal::place(&folder.join(TABLE))
        )?;
    } else if !quiet {
        writeln!(
            out,
            "\n{DIM}next: -o DIR keeps the table, draws plots, and goes on after an interruption{DIM:#}"
        )?;
    }
    Ok(())
}

/// Prints what would be run.
pub(super) fn overview(plan: &Plan, out: &mut Out) -> Result<(), Failure> {
    writeln!(out, "{BOLD}{}{BOLD:#}   {}", plan.name(), headline(plan))?;
    let mut table = Table::default();
    for (name, values) in plan.values() {
        let first = values.first().cloned().unwrap_or_default();
        let last = values.last().cloned().unwrap_or_default();
        let ends = if values.len() > 4 {
            format!("{first} … {last}")
        } else {
            values.join(", ")
        };
        table.row([name, &format!("{} values", values.len()), &ends]);
    }
    write!(out, "\n{}", table.text(2))?;
    let measures: Vec<&str> = plan.measures().iter().map(Measure::path).collect();
    writeln!(out, "\n  measured: {}", measures.join(", "))?;
    Ok(())
}

fn headline(plan: &Plan) -> String {
    format!(
        "{} of {}, with the same random numbers in every cell",
        readable::counted(plan.cells(), "cell"),
        readable::counted(plan.replications() as usize, "replication")
    )
}

fn cells(plan: &Plan, rows: &[Row]) -> String {
    let mut table = Table::default();
    let mut head = vec!["cell".to_owned()];
    head.extend(plan.columns().into_iter().map(str::to_owned));
    head.extend(plan.measures().iter().map(|m| m.path().to_owned()));
    table.row(head);
    for row in rows.iter().take(ROWS_MAX) {
        let mut cells = vec![row.cell.to_string()];
        cells.extend(row.values.iter().cloned());
        for (measure, figure) in plan.measures().iter().zip(&row.figures) {
            cells.push(words::figure(measure, figure, row.failed > 0));
        }
        table.row(cells);
    }
    table.text(2)
}

/// What failed, and why intervals are missing.
fn remarks(rows: &[Row], out: &mut Out) -> Result<(), Failure> {
    let failed: Vec<&Row> = rows.iter().filter(|row| row.failed > 0).collect();
    if !failed.is_empty() {
        let cells = readable::counted(failed.len(), "cell");
        writeln!(out, "\n  {RED}{cells} failed{RED:#}")?;
        for row in failed.iter().take(FAILURES_MAX) {
            writeln!(out, "  cell {}: {}", row.cell, row.notes)?;
        }
        if failed.len() > FAILURES_MAX {
            writeln!(out, "  … {} more", failed.len() - FAILURES_MAX)?;
        }
    }
    let noted: Vec<&Row> = rows
        .iter()
        .filter(|row| row.failed == 0 && !row.notes.is_empty())
        .collect();
    if let Some(first) = noted.first() {
        writeln!(
            out,
            "\n  {YELLOW}{} without some intervals{YELLOW:#}; cell {}: {}",
            readable::counted(noted.len(), "cell"),
            first.cell,
            first.notes
        )?;
    }
    Ok(())
}
