//! `stampede completions`: completion scripts for shells.

use crate::args::{Cli, CompletionsArgs};
use crate::exit::{Exit, Failure};
use crate::terminal::Out;
use clap::CommandFactory;
use std::io::Write;

/// Prints the script.
pub(crate) fn run(args: &CompletionsArgs, out: &mut Out) -> Result<Exit, Failure> {
    // The generator panics when it cannot write, so it writes to memory.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut Cli::command(), "stampede", &mut script);
    out.write_all(&script)?;
    Ok(Exit::Ok)
}
