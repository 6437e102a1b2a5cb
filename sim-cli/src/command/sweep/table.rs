//! What a sweep prints.

use super::output::TABLE;
use crate::args::TableFormat;
use crate::exit::Failure;
use crate::sheet;
use crate::table::Table;
use crate::terminal::{self, BOLD, DIM, Out};
use sim_core::experiment::Measure;
use sim_core::experiment::sweep::{Plan, Row, Sensitivity, sensitivity, write_rows};
use sim_core::readable;
use sim_core::report::sheet::{Block, Sheet};
use sim_core::report::{pictures, sheet as core_sheet, words};
use sim_core::statistics::Share;
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
    sheet::print(&blocks(plan, rows), out)?;
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
    let headline = words::cells_of(plan);
    writeln!(out, "{BOLD}{}{BOLD:#}   {headline}", plan.name())?;
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

/// The rows as a page, with what is needed to have them again: the plan with everything in it.
pub(crate) fn sheet(plan: &Plan, rows: &[Row]) -> Sheet {
    let scenario = plan.scenario();
    let mut sheet = Sheet {
        title: plan.title().to_owned(),
        what: format!("sweep of {}", readable::counted(plan.cells(), "cell")),
        facts: vec![
            format!(
                "scenario `{}` (hash `{:016x}`)",
                scenario.name(),
                plan.scenario_hash()
            ),
            format!("plan `{}` (hash `{:016x}`)", plan.name(), plan.hash()),
        ],
        blocks: blocks(plan, rows),
        commands: vec!["stampede sweep plan.toml".to_owned()],
        sources: vec![(
            "plan.toml: the plan, with its scenario".to_owned(),
            plan.to_toml(),
        )],
        ..Sheet::default()
    };
    let drawn = pictures(plan, rows).into_iter();
    let drawn = drawn.map(|(_, picture)| Block::Picture(picture));
    sheet.blocks.extend(drawn);
    sheet
}

fn blocks(plan: &Plan, rows: &[Row]) -> Vec<Block> {
    let mut blocks = vec![
        Block::Lead(
            plan.name().to_owned(),
            format!("  {}", words::cells_of(plan)),
        ),
        Block::Gap,
        Block::Table(cells(plan, rows)),
    ];
    remarks(rows, &mut blocks);
    for explained in sensitivity(plan, rows) {
        let path = plan.measures()[explained.measure].path();
        blocks.push(Block::Gap);
        blocks.push(Block::Section(format!("Sensitivity of {path}")));
        explains(plan, path, &explained, &mut blocks);
    }
    blocks
}

/// What each path explains of the variance of a figure.
fn explains(plan: &Plan, path: &str, explained: &Sensitivity, blocks: &mut Vec<Block>) {
    let Some(indices) = &explained.explained else {
        let words = format!("no Sobol indices of {path}: {}", explained.why());
        blocks.push(Block::Warning(words));
        return;
    };
    let head = [path, "by itself", "with others"];
    let mut table = core_sheet::Table::new(
        format!("Share of the variance of {path} that each path explains"),
        &head,
    );
    let share = |share: Share| {
        let [value, low, high] = [share.value, share.ends.0, share.ends.1].map(readable::share);
        format!("{value} ({low} to {high})")
    };
    for (name, index) in plan.columns().into_iter().zip(indices) {
        let row = [name.to_owned(), share(index.first), share(index.total)];
        table.rows.push(row.to_vec());
    }
    blocks.push(Block::Table(table));
    blocks.push(Block::Note(format!(
        "Sobol indices: first-order and total, of {}, with {} intervals of the choice of points",
        readable::counted(explained.used, "base point"),
        readable::share(plan.confidence())
    )));
    if explained.used < explained.of {
        let left_out = explained.of - explained.used;
        blocks.push(Block::Warning(format!(
            "{} without a figure in some cell are left out: what is said is of the rest",
            readable::counted(left_out, "base point")
        )));
    }
}

fn cells(plan: &Plan, rows: &[Row]) -> core_sheet::Table {
    let mut head = vec!["cell"];
    head.extend(plan.columns());
    // Where a precision decides, cells differ in it.
    let counted = plan.precision().is_some();
    head.extend(counted.then_some("replications"));
    head.extend(plan.measures().iter().map(Measure::path));
    let mut table = core_sheet::Table::new("Each cell with its values and figures", &head);
    table.most = ROWS_MAX;
    for row in rows {
        let mut cells = vec![row.cell.to_string()];
        cells.extend(row.values.iter().cloned());
        cells.extend(counted.then(|| row.replications.to_string()));
        for (measure, figure) in plan.measures().iter().zip(&row.figures) {
            cells.push(words::figure(measure, figure, row.failed > 0));
        }
        table.rows.push(cells);
    }
    table
}

/// What failed, and why intervals are missing.
fn remarks(rows: &[Row], blocks: &mut Vec<Block>) {
    let failed: Vec<&Row> = rows.iter().filter(|row| row.failed > 0).collect();
    if !failed.is_empty() {
        let cells = readable::counted(failed.len(), "cell");
        blocks.push(Block::Gap);
        blocks.push(Block::Warning(format!("{cells} failed")));
        for row in failed.iter().take(FAILURES_MAX) {
            blocks.push(Block::Sentence(format!("cell {}: {}", row.cell, row.notes)));
        }
        if failed.len() > FAILURES_MAX {
            let more = failed.len() - FAILURES_MAX;
            blocks.push(Block::Sentence(format!("… {more} more")));
        }
    }
    let noted = rows
        .iter()
        .filter(|row| row.failed == 0 && !row.notes.is_empty());
    let (capped, noted): (Vec<&Row>, Vec<&Row>) = noted.partition(|row| row.capped());
    for (rows, what) in [
        (capped, "less precise than asked for"),
        (noted, "without some intervals"),
    ] {
        if let Some(first) = rows.first() {
            blocks.push(Block::Gap);
            blocks.push(Block::Warning(format!(
                "{} {what}; cell {}: {}",
                readable::counted(rows.len(), "cell"),
                first.cell,
                first.notes
            )));
        }
    }
}
