//! What queueing theory says, beside what was measured.

use crate::table::Table;
use crate::terminal::{BOLD, DIM};
use sim_core::readable;
use sim_core::theory::{Applied, Figure};
use std::io::{self, Write};

/// Writes the closed form that applies, or why none does.
pub(crate) fn write(applied: &Applied, out: &mut dyn Write) -> io::Result<()> {
    match applied {
        Applied::Unknown(reasons) => {
            writeln!(out, "\n  {BOLD}theory{BOLD:#}   no closed form:")?;
            for reason in reasons {
                writeln!(out, "    {reason}")?;
            }
            Ok(())
        }
        Applied::Known(known) => {
            writeln!(
                out,
                "\n  {BOLD}theory{BOLD:#}   {} at {}   {DIM}{}{DIM:#}",
                known.form, known.service, known.reference
            )?;
            let mut table = Table::default();
            table.row(["", "theory", "this run"]);
            for figure in &known.figures {
                table.row([
                    figure.path.clone(),
                    value(figure, Some(figure.expected)),
                    value(figure, figure.measured),
                ]);
            }
            write!(out, "{}", table.text(4))?;
            writeln!(
                out,
                "    {DIM}a single run is off by chance: `stampede verify` has intervals{DIM:#}"
            )
        }
    }
}

fn value(figure: &Figure, value: Option<f64>) -> String {
    match value {
        None => "-".to_owned(),
        Some(value) if figure.path.contains("_s.") => readable::time(value * 1e9),
        Some(value) if figure.path == "availability" => readable::share(value),
        Some(value) => readable::short(value),
    }
}
