//! `stampede new`: a scenario to begin with.

use super::{create, say_next};
use crate::args::NewArgs;
use crate::exit::{Exit, Failure};
use crate::input::{self, Input};
use crate::terminal::{self, Out};
use std::io::Write;
use std::path::Path;

/// Writes a copy of a scenario, comments and all; never over a file that is there.
pub(crate) fn run(args: &NewArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    // Somebody who names a file of another program wants a scenario of it, and no copy of a model beside it.
    if let Some(other) = input::other(&args.name) {
        return Err(other);
    }
    let input = Input::open(&args.from, &[])?;
    // A scenario may be copied to be mended; a copy of what is none would only fail later.
    if let Err(problems) = input.scenario(&[])
        && (problems.has("E001") || problems.has("E004"))
    {
        return Err(super::refused(&problems));
    }
    let mut path = args.name.clone();
    let ending = Path::new(&input.source().name)
        .extension()
        .filter(|e| *e == "json")
        .map_or("toml", |_| "json");
    if path.extension().is_none_or(|e| e != ending) {
        path.as_mut_os_string().push(format!(".{ending}"));
    }
    create(&path, input.source().text.as_bytes())?;
    writeln!(out, "{}", terminal::place(&path))?;
    if !quiet {
        say_next(&path);
    }
    Ok(Exit::Ok)
}
