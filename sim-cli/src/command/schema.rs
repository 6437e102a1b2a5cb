//! `stampede schema`: the JSON Schema of scenarios.

use crate::exit::{Exit, Failure};
use crate::terminal::Out;
use std::io::Write;

/// Prints the schema.
pub(crate) fn run(out: &mut Out) -> Result<Exit, Failure> {
    writeln!(out, "{:#}", sim_core::scenario::schema())?;
    Ok(Exit::Ok)
}
