//! `stampede analyse`: what a series of values from anywhere shows.

mod column;
mod json;
mod text;

use crate::args::{AnalyseArgs, LeaveOut, ListFormat};
use crate::exit::{Exit, Failure};
use crate::input;
use crate::terminal::{self, Out};
use sim_core::statistics::Analysis;
use std::io::Write;

/// Reads a series and tells what it shows.
pub(crate) fn run(args: &AnalyseArgs, out: &mut Out) -> Result<Exit, Failure> {
    let column = column::read(
        &args.file,
        &input::text(&args.file)?,
        args.column.as_deref(),
    )?;
    let skip = match args.warm_up {
        LeaveOut::Auto => None,
        LeaveOut::Values(count) => Some(count),
    };
    let (have, need) = (column.values.len(), skip.unwrap_or(0).saturating_add(2));
    if have < need {
        let message = format!("{}: it takes {need} values, and has {have}", args.file);
        return Err(Failure::new(Exit::Invalid, message));
    }
    let found = Analysis::of(&column.values, skip, args.confidence, &args.quantiles);
    match args.format {
        ListFormat::Text => text::write(&column, &found, args, out)?,
        ListFormat::Json => {
            let report = json::Report::of(&column, &found, args);
            writeln!(out, "{}", terminal::json(&report))?;
        }
    }
    Ok(Exit::Ok)
}
