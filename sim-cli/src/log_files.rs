//! Access logs: read in the order of their times, whatever the order of their names.

use crate::args::FormArgs;
use crate::exit::{Exit, Failure};
use crate::files;
use crate::input;
use sim_core::scenario::Source;
use sim_core::text::shown;
use sim_import::logs::{Collector, FileFigures, Measured, Said, begins, read};
use sim_import::{loadtest, settings};
use std::path::Path;

/// Reads all logs, those that begin first before the others.
pub(crate) fn measure(
    logs: &[String],
    form: &FormArgs,
    classes: Option<usize>,
) -> Result<(Vec<FileFigures>, Measured), Failure> {
    let said = Said {
        log_format: form.log_format.clone(),
        columns: form.columns.clone(),
    };
    let mut collector = Collector::default();
    let mut order: Vec<(Option<i64>, &String)> = Vec::new();
    for name in logs {
        // Where one file alone is read, nothing is to be put in order.
        let first = if logs.len() > 1 && name != "-" {
            begins(open(name)?, &said)
        } else {
            None
        };
        order.push((first, name));
    }
    order.sort_by_key(|(first, _)| *first);
    let mut figures = Vec::new();
    for (_, name) in order {
        let told = if name == "-" { "standard input" } else { name };
        let file = if name == "-" {
            read(told, std::io::stdin().lock(), &said, &mut collector)
        } else {
            read(told, open(name)?, &said, &mut collector)
        };
        figures.push(file.map_err(|why| no_log(name, told, &why))?);
    }
    if figures.iter().all(|file| file.requests == 0) {
        return Err(Failure::new(
            Exit::Invalid,
            "no line of the log tells of a request",
        ));
    }
    let measured = Measured::of(collector, classes);
    if let Some(why) = measured.flaw() {
        return Err(Failure::new(Exit::Invalid, why));
    }
    Ok((figures, measured))
}

/// What a file is that is no log.
fn no_log(name: &str, told: &str, why: &str) -> Failure {
    let told = shown(told);
    // Of standard input nothing is left.
    let text = if name == "-" {
        None
    } else {
        input::text(name).ok()
    };
    let source = text.map(|text| Source::new(name, text));
    if let Some(format) = source.as_ref().and_then(settings::recognise) {
        let message = format!("{told} is a configuration ({}), and no log", format.name);
        return Failure::new(Exit::Invalid, message)
            .help(format!("`stampede import {told}` makes a scenario of it"));
    }
    if let Some(tester) = source
        .as_ref()
        .and_then(|source| loadtest::recognise(&source.text))
    {
        let message = format!("{told} is a report of {}, and no log", tester.name);
        return Failure::new(Exit::Invalid, message).help(format!(
            "`stampede calibrate {told}` alone makes a scenario of it"
        ));
    }
    Failure::new(Exit::Invalid, format!("{told}: {why}"))
        .help("say --log-format 'FORMAT' of nginx or Apache, or --columns time=NAME,duration=NAME for JSON and tables")
}

fn open(name: &str) -> Result<impl std::io::Read, Failure> {
    let opened = files::open_input(Path::new(name));
    // Some systems open a folder like a file, and only fail when it is read.
    let no_folder = |file| {
        if Path::new(name).is_dir() {
            return Err(std::io::ErrorKind::IsADirectory.into());
        }
        Ok(file)
    };
    opened
        .and_then(no_folder)
        .map_err(|error| Failure::io(format!("cannot read {name}"), &error))
}
