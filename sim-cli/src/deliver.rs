//! Results of an experiment, printed and kept.

use crate::args::{ResultArgs, ResultFormat};
use crate::exit::{Exit, Failure};
use crate::experiment::{ExperimentHost, WithHost};
use crate::folder::{EXPERIMENT, Folder};
use crate::sheet::{self, PAGE};
use crate::terminal::{self, DIM, Out};
use serde::Serialize;
use sim_core::report::Picture;
use sim_core::report::sheet::{Block, Sheet};
use sim_core::scenario::Scenario;
use std::io::{self, Write};

/// What is said of an experiment that was interrupted.
pub(crate) const INTERRUPTED: &str = "interrupted: these are the replications that were complete";

/// Says so, where it was.
pub(crate) fn interrupted(was: bool) -> Option<Block> {
    was.then(|| Block::Warning(INTERRUPTED.to_owned()))
}

/// A table as it is written to CSV.
pub(crate) type Csv<'a> = &'a dyn Fn(&mut dyn Write) -> io::Result<()>;

/// What an experiment gave, in every shape.
pub(crate) struct Results<'a, T> {
    /// Everything, for programs.
    pub report: &'a T,
    /// The tables, each with the file it goes to; the first is what is printed.
    pub tables: &'a [(&'static str, Csv<'a>)],
    /// The plot, where there is one, and the file it goes to.
    pub svg: Option<(&'static str, Picture)>,
    /// Everything, for people.
    pub sheet: Sheet,
    /// What was simulated; nothing where that are several.
    pub scenario: Option<&'a Scenario>,
    /// Where.
    pub host: ExperimentHost,
    /// How it ended.
    pub exit: Exit,
}

/// Prints results and writes them to the folder.
pub(crate) fn deliver<T: Serialize>(
    args: &ResultArgs,
    results: Results<'_, T>,
    (quiet, out): (bool, &mut Out),
) -> Result<Exit, Failure> {
    let Results {
        report,
        tables,
        svg,
        sheet,
        scenario,
        mut host,
        exit,
    } = results;
    host.exit_code = exit.code();
    if let Some(asked) = out.asked_mut() {
        for (name, csv) in tables {
            asked.keep(name, csv)?;
        }
        if let Some((name, plot)) = &svg {
            let plot = plot.svg();
            asked.keep(name, |out| out.write_all(plot.as_bytes()))?;
        }
        asked.keep_experiment(report, scenario, &sheet)?;
    }
    if let Some(target) = &args.output {
        let folder = Folder::begin(target, args.force)?;
        if let Some(scenario) = scenario {
            folder.write("scenario.toml", |out| {
                out.write_all(scenario.to_toml().as_bytes())
            })?;
        }
        for (name, csv) in tables {
            folder.write(name, |out| csv(out))?;
        }
        if let Some((name, plot)) = svg {
            folder.write(name, |out| out.write_all(plot.svg().as_bytes()))?;
        }
        folder.write(EXPERIMENT, |out| {
            writeln!(out, "{}", terminal::json(report))
        })?;
        folder.write(PAGE, |out| out.write_all(sheet.html().as_bytes()))?;
        folder.finish()?;
    }
    match args.format {
        ResultFormat::Json => {
            writeln!(out, "{}", terminal::json(&WithHost { report, host }))?;
        }
        ResultFormat::Csv => {
            if let Some((_, csv)) = tables.first() {
                csv(out)?;
            }
        }
        ResultFormat::Text => {
            sheet::print(&sheet.blocks, out)?;
            if let Some(folder) = args.output.as_ref().filter(|_| !quiet) {
                writeln!(out, "{DIM}results in {}{DIM:#}", terminal::place(folder))?;
            }
        }
    }
    sheet::write(
        &args.page,
        &sheet,
        (quiet || args.format != ResultFormat::Text, out),
    )?;
    Ok(exit)
}
