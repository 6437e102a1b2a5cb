//! `stampede schema`: the JSON Schema of scenarios, or of plans.

use crate::args::SchemaArgs;
use crate::exit::{Exit, Failure};
use crate::terminal::Out;
use sim_core::reference::{plan_schema, schema};
use std::io::Write;

/// Prints the schema.
pub(crate) fn run(args: &SchemaArgs, out: &mut Out) -> Result<Exit, Failure> {
    let schema = if args.plan { plan_schema() } else { schema() };
    writeln!(out, "{schema:#}")?;
    Ok(Exit::Ok)
}
