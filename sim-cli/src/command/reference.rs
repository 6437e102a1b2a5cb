//! `stampede docs-reference`: the reference pages of the book.

use crate::exit::{EXITS, Exit, Failure};
use crate::folder::FILES;
use crate::terminal::Out;
use std::io::Write;

/// Prints the pages in Markdown.
pub(crate) fn run(out: &mut Out) -> Result<Exit, Failure> {
    write!(out, "{}", sim_core::reference::markdown())?;
    writeln!(
        out,
        "\n## Files\n\nWritten with `-o DIR` by `run` and by experiments.\n\n| file | what it holds |\n|---|---|"
    )?;
    for (name, about) in FILES {
        writeln!(out, "| `{name}` | {about} |")?;
    }
    writeln!(
        out,
        "\n## Exit codes\n\n| code | what it means |\n|---|---|"
    )?;
    for (_, code, about) in EXITS {
        writeln!(out, "| {code} | {about} |")?;
    }
    Ok(Exit::Ok)
}
