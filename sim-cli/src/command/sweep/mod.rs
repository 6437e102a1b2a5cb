//! `stampede sweep`: a scenario in many variants.

mod flags;
mod merge;
mod meter;
mod output;
#[cfg(feature = "parquet")]
mod parquet;
mod store;
mod table;

pub(crate) use output::{SENSITIVITY, TABLE, sensitivity};
pub(crate) use store::PLAN;
pub(crate) use table::sheet;

use super::refused;
use crate::args::{SweepArgs, SweepCommand, TableFormat};
use crate::exit::{Exit, Failure};
use crate::input::Input;
use crate::inside::{Found, Swept};
use crate::sheet;
use crate::terminal::{Out, say};
use meter::Meter;
use sim_core::experiment::sweep::{Header, Plan, Row, Shard, line_of, run_told as run_cells};
use std::collections::BTreeMap;
use std::io::Write;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::thread::available_parallelism;
use store::Store;

/// Runs a plan, a part of it, or puts parts together.
pub(crate) fn run(args: &SweepArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    if let Some(SweepCommand::Merge(args)) = &args.command {
        return merge::run(args, quiet, out);
    }
    output::check_parquet(args.parquet)?;
    let plan = read(&plan_of(args, out.given())?)?;
    if args.bundle {
        out.write_all(plan.to_toml().as_bytes())?;
        return Ok(Exit::Ok);
    }
    if args.dry_run {
        table::overview(&plan, out)?;
        return Ok(Exit::Ok);
    }
    check_page(args)?;
    match args.output.as_deref() {
        Some(target) if target == Path::new("-") => to_stdout(&plan, args, quiet, out),
        Some(target) => to_folder(plan, target, args, quiet, out),
        None => to_screen(plan, args, quiet, out),
    }
}

fn plan_of(args: &SweepArgs, given: &[(String, String)]) -> Result<Input, Failure> {
    match &args.plan {
        Some(argument) => Input::open_plan(argument, given),
        None => Ok(Input::of_arguments(flags::plan_text(args)?, given)),
    }
}

/// Reads a plan.
fn read(input: &Input) -> Result<Plan, Failure> {
    input.plan().map_err(|problems| refused(&problems))
}

/// Rows as they come to a folder, which may hold some already.
fn to_folder(
    plan: Plan,
    target: &Path,
    args: &SweepArgs,
    quiet: bool,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let shard = args.shard.unwrap_or(Shard::WHOLE);
    let (mut store, rows) = Store::open(target, &plan, shard, args.force)?;
    let mut rows: BTreeMap<usize, Row> = rows.into_iter().map(|row| (row.cell, row)).collect();
    let cells = shard.cells(&plan);
    let todo: Vec<usize> = cells
        .iter()
        .copied()
        .filter(|cell| !rows.contains_key(cell))
        .collect();
    if !quiet && !rows.is_empty() {
        say(&format!(
            "{} of {} cells were there already in {}",
            rows.len(),
            cells.len(),
            target.display()
        ));
    }
    let (stop, told) = (out.stop()?, out.told());
    let meter = Mutex::new(Meter::new(
        &plan,
        args.showing.progress,
        quiet,
        &rows,
        cells.len(),
    ));
    run_cells(
        &plan,
        &todo,
        threads(args),
        stop,
        &mut |row| {
            store.append(&line_of(&row))?;
            locked(&meter).add(&row);
            rows.insert(row.cell, row);
            Ok::<(), Failure>(())
        },
        &|| {
            let (done, of) = locked(&meter).told();
            told(done, of);
        },
    )?;
    locked(&meter).finish();
    store.finish()?;
    let rows: Vec<Row> = rows.into_values().collect();
    if rows.len() < cells.len() {
        return Err(interrupted(rows.len(), cells.len()).help(format!(
            "they are kept in {}: the same command goes on from there",
            store.path().display()
        )));
    }
    if args.shard.is_some_and(|shard| shard.of > 1) {
        if !quiet {
            say(&format!(
                "shard {shard}: {} cells in {}; `stampede sweep merge {}` when all shards are there",
                rows.len(),
                store.path().display(),
                target.display()
            ));
        }
        return Ok(exit_of(&rows));
    }
    output::write(&plan, &rows, target, args.parquet)?;
    table::print(&plan, &rows, args.format, Some(target), quiet, out)?;
    write_page(&plan, &rows, args, quiet, out)?;
    Ok(hand_over(plan, rows, out))
}

/// The journal as it comes, for whoever collects shards.
fn to_stdout(plan: &Plan, args: &SweepArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    if args.parquet {
        return Err(Failure::new(Exit::Usage, "Parquet needs a folder").help("-o DIR"));
    }
    let shard = args.shard.unwrap_or(Shard::WHOLE);
    let cells = shard.cells(plan);
    out.write_all(Header::of(plan, shard).line().as_bytes())?;
    let mut rows = Vec::new();
    let (stop, told) = (out.stop()?, out.told());
    let meter = Mutex::new(Meter::new(
        plan,
        args.showing.progress,
        quiet,
        &BTreeMap::new(),
        cells.len(),
    ));
    run_cells(
        plan,
        &cells,
        threads(args),
        stop,
        &mut |row| {
            out.write_all(line_of(&row).as_bytes())?;
            out.flush()?;
            locked(&meter).add(&row);
            rows.push(row);
            Ok::<(), Failure>(())
        },
        &|| {
            let (done, of) = locked(&meter).told();
            told(done, of);
        },
    )?;
    locked(&meter).finish();
    if rows.len() < cells.len() {
        return Err(interrupted(rows.len(), cells.len()));
    }
    rows.sort_by_key(|row: &Row| row.cell);
    write_page(plan, &rows, args, true, out)?;
    Ok(exit_of(&rows))
}

/// A table on the screen, and nothing kept.
fn to_screen(plan: Plan, args: &SweepArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let cells = Shard::WHOLE.cells(&plan);
    let mut rows: BTreeMap<usize, Row> = BTreeMap::new();
    let (stop, told) = (out.stop()?, out.told());
    let meter = Mutex::new(Meter::new(
        &plan,
        args.showing.progress,
        quiet,
        &BTreeMap::new(),
        cells.len(),
    ));
    run_cells(
        &plan,
        &cells,
        threads(args),
        stop,
        &mut |row| {
            locked(&meter).add(&row);
            rows.insert(row.cell, row);
            Ok::<(), Failure>(())
        },
        &|| {
            let (done, of) = locked(&meter).told();
            told(done, of);
        },
    )?;
    locked(&meter).finish();
    let rows: Vec<Row> = rows.into_values().collect();
    table::print(&plan, &rows, args.format, None, quiet, out)?;
    if rows.len() < cells.len() {
        out.flush()?;
        return Err(interrupted(rows.len(), cells.len())
            .help("with -o DIR they would be kept, and the same command would go on"));
    }
    write_page(&plan, &rows, args, quiet, out)?;
    Ok(hand_over(plan, rows, out))
}

/// What a sweep ends with; a program gets the plan and the rows.
fn hand_over(plan: Plan, rows: Vec<Row>, out: &mut Out) -> Exit {
    let exit = exit_of(&rows);
    if let Some(asked) = out.asked_mut() {
        asked.found = Found::Sweep(Box::new(Swept { plan, rows }));
    }
    exit
}

/// Refuses a page of what is not all there.
fn check_page(args: &SweepArgs) -> Result<(), Failure> {
    if args.page.report.is_some() && args.shard.is_some_and(|shard| shard.of > 1) {
        let message = "a page is about all cells, and --shard runs a part of them";
        return Err(Failure::new(Exit::Usage, message)
            .help("`stampede sweep merge` writes it into the folder"));
    }
    sheet::check(&args.page, args.output.as_deref())
}

/// Writes the page where one was asked for.
fn write_page(
    plan: &Plan,
    rows: &[Row],
    args: &SweepArgs,
    quiet: bool,
    out: &mut Out,
) -> Result<(), Failure> {
    if args.page.report.is_some() {
        let silent = quiet || args.format != TableFormat::Text;
        sheet::write(&args.page, &table::sheet(plan, rows), (silent, out))?;
    }
    Ok(())
}

/// What is shown may be told from any thread.
fn locked(meter: &Mutex<Meter>) -> MutexGuard<'_, Meter> {
    meter.lock().unwrap_or_else(PoisonError::into_inner)
}

fn interrupted(have: usize, of: usize) -> Failure {
    Failure::new(
        Exit::Interrupted,
        format!("interrupted: {have} of {of} cells are complete"),
    )
}

fn exit_of(rows: &[Row]) -> Exit {
    if rows.iter().any(|row| row.failed > 0) {
        Exit::Failed
    } else {
        Exit::Ok
    }
}

fn threads(args: &SweepArgs) -> usize {
    args.threads.map_or_else(
        || available_parallelism().map_or(1, usize::from),
        |threads| threads as usize,
    )
}
