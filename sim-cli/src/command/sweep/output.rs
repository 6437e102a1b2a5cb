//! What a sweep leaves behind: the table, as files.

use super::table;
use crate::exit::{Exit, Failure};
use crate::part;
use crate::sheet::PAGE;
use sim_core::experiment::sweep::{Plan, Row, write_rows, write_sensitivity};
use sim_core::report::pictures;
use std::path::Path;

/// The table.
pub(crate) const TABLE: &str = "cells.csv";
/// What each path explains, of a design for that.
pub(crate) const SENSITIVITY: &str = "sensitivity.csv";

/// Writes the table of a complete sweep into `folder`.
pub(super) fn write(
    plan: &Plan,
    rows: &[Row],
    folder: &Path,
    parquet: bool,
) -> Result<(), Failure> {
    let mut bytes = Vec::new();
    write_rows(plan, rows, &mut bytes)
        .map_err(|error| Failure::new(Exit::Internal, format!("a table in memory: {error}")))?;
    write_whole(&folder.join(TABLE), &bytes)?;
    if let Some(bytes) = sensitivity(plan, rows) {
        write_whole(&folder.join(SENSITIVITY), &bytes)?;
    }
    for (name, picture) in pictures(plan, rows) {
        write_whole(&folder.join(name), picture.svg().as_bytes())?;
    }
    let page = table::sheet(plan, rows).html();
    write_whole(&folder.join(PAGE), page.as_bytes())?;
    if parquet {
        write_parquet(plan, rows, folder)?;
    }
    Ok(())
}

/// The table of what each path explains; `None` where the plan is no design for that.
pub(crate) fn sensitivity(plan: &Plan, rows: &[Row]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let wanted = plan.is_sobol();
    write_sensitivity(plan, rows, &mut bytes).ok()?;
    wanted.then_some(bytes)
}

fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), Failure> {
    part::write_whole(path, bytes)
        .map_err(|error| Failure::io(format!("cannot write {}", path.display()), &error))
}

/// Refuses, before anything is run, what this program cannot write.
pub(super) fn check_parquet(wanted: bool) -> Result<(), Failure> {
    if wanted && !cfg!(feature = "parquet") {
        return Err(
            Failure::new(Exit::Usage, "this program was built without Parquet")
                .help("cargo install --path sim-cli --features parquet"),
        );
    }
    Ok(())
}

#[cfg(feature = "parquet")]
fn write_parquet(plan: &Plan, rows: &[Row], folder: &Path) -> Result<(), Failure> {
    let bytes = super::parquet::bytes(plan, rows)
        .map_err(|error| Failure::new(Exit::Internal, format!("a table in memory: {error}")))?;
    write_whole(&folder.join("cells.parquet"), &bytes)
}

#[cfg(not(feature = "parquet"))]
fn write_parquet(_: &Plan, _: &[Row], _: &Path) -> Result<(), Failure> {
    check_parquet(true)
}
