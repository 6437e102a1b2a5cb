//! `stampede calibrate`: logs as a scenario, and how far to trust it.

pub(super) mod words;

use super::{create, say_next};
use crate::args::{ArrivalsArg, CalibrateArgs, ListFormat};
use crate::exit::{Exit, Failure};
use crate::input::{self, Input};
use crate::log_files::measure;
use crate::terminal::{self, BOLD, Out, YELLOW, say};
use serde::Serialize;
use sim_core::model::Model;
use sim_core::scenario::Problems;
use sim_core::text::shown;
use sim_import::logs::{Arrivals, Beside, Check, FileFigures, Measured, Traces};
use sim_import::{loadtest, overlay};
use std::io::Write;

/// Reads logs and writes the scenario that they speak of.
pub(crate) fn run(args: &CalibrateArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let read = measure(
        &args.log.logs,
        &args.log.form,
        args.classes.map(|count| count as usize),
    );
    // What is no log may be the report of a load test.
    if let (Err(_), [name], None) = (&read, args.log.logs.as_slice(), &args.scenario)
        && name != "-"
        && let Ok(text) = input::text(name)
        && loadtest::recognise(&text).is_some()
    {
        return of_test(args, name, &text, quiet, out);
    }
    let (files, measured) = read?;
    if let Some(scenario) = &args.scenario {
        return fill(args, scenario, &files, &measured, quiet, out);
    }
    let check = measured.check();
    let names: Vec<&str> = args
        .log
        .logs
        .iter()
        .map(|name| name.rsplit('/').next().unwrap_or(name))
        .collect();
    let stem = args
        .output
        .as_ref()
        .and_then(|path| path.file_stem())
        .map(|stem| stem.to_string_lossy().into_owned());
    let arrivals = match args.arrivals {
        ArrivalsArg::Auto => Arrivals::Auto,
        ArrivalsArg::Trace => Arrivals::Trace,
        ArrivalsArg::Profile => Arrivals::Profile,
    };
    let scenario = measured
        .scenario(&names.join(", "), stem.as_deref(), arrivals)
        .map_err(|why| Failure::new(Exit::Usage, why))?;
    if let Some(path) = &args.output {
        for (name, text) in &scenario.files {
            create(&path.with_file_name(name), text.as_bytes())?;
        }
        create(path, scenario.text.as_bytes())?;
    }
    match args.format {
        ListFormat::Json => {
            let json = Json {
                files: &files,
                measured: &measured,
                check: check.as_ref().ok(),
                no_check: check.as_ref().err(),
                scenario: &scenario.text,
            };
            writeln!(out, "{}", terminal::json(&json))?;
        }
        ListFormat::Text if args.output.is_none() => write!(out, "{}", scenario.text)?,
        ListFormat::Text => {}
    }
    out.flush()?;
    if !quiet && args.format == ListFormat::Text {
        words::report(&files, &measured, &check, scenario.files.is_empty());
        if let Some(path) = &args.output {
            say_next(path);
        }
    }
    Ok(Exit::Ok)
}

/// What the logs say of a scenario's values, as a scenario upon it.
fn fill(
    args: &CalibrateArgs,
    argument: &str,
    files: &[FileFigures],
    measured: &Measured,
    quiet: bool,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let input = Input::open(argument)?;
    let told = |problems: &Problems| {
        super::tell(&input, &[], problems);
        Failure::told(Exit::Invalid)
    };
    let model = input.scenario(&[]).and_then(|scenario| scenario.model());
    let model = model.map_err(|problems| told(&problems))?;
    let beside = Beside::of(measured, &model).map_err(|why| Failure::new(Exit::Invalid, why))?;
    let filled = beside.values();
    let check = check_beside(&beside, |sets, texts| {
        input
            .scenario_with(sets, texts)
            .and_then(|scenario| scenario.model())
    });
    let base = input.as_base(argument, args.output.as_deref());
    let text = overlay(&base, &args.log.logs.join(", "), &filled);
    if let Some(path) = &args.output {
        create(path, text.as_bytes())?;
    }
    match args.format {
        ListFormat::Json => {
            let json = Json {
                files,
                measured,
                check: check.as_ref().ok(),
                no_check: check.as_ref().err(),
                scenario: &text,
            };
            writeln!(out, "{}", terminal::json(&json))?;
        }
        ListFormat::Text if args.output.is_none() => write!(out, "{text}")?,
        ListFormat::Text => {}
    }
    out.flush()?;
    if !quiet && args.format == ListFormat::Text {
        files.iter().for_each(words::tell_file);
        words::tell_requests(measured);
        words::tell_filled(&filled);
        words::tell_stray(&beside.stray);
        words::tell_check(measured, &check);
        if let Some(path) = &args.output {
            say_next(path);
        }
    }
    Ok(Exit::Ok)
}

/// The part that is held out, beside a scenario with the values that were measured.
pub(super) fn check_beside(
    beside: &Beside<'_>,
    read: impl Fn(&[(String, String)], &Traces) -> Result<Model, Problems>,
) -> Result<Check, String> {
    beside.check(|sets, texts| {
        let learnt = beside.learnt().into_iter().filter(|value| !value.assumed);
        let learnt = learnt.map(|value| (value.path, value.value));
        let sets: Vec<_> = learnt.chain(sets.iter().cloned()).collect();
        read(&sets, texts).map_err(|problems| match problems.problems.first() {
            Some(first) => format!(
                "the scenario does not take what was measured: {}",
                first.message
            ),
            None => "the scenario does not take what was measured".to_owned(),
        })
    })
}

/// The report of a load test as a scenario.
fn of_test(
    args: &CalibrateArgs,
    name: &str,
    text: &str,
    quiet: bool,
    out: &mut Out,
) -> Result<Exit, Failure> {
    let title = name.rsplit('/').next().unwrap_or(name);
    let test = loadtest::read(text, title)
        .map_err(|why| Failure::new(Exit::Invalid, format!("{}: {why}", shown(name))))?;
    if let Some(path) = &args.output {
        create(path, test.scenario.as_bytes())?;
    }
    match args.format {
        ListFormat::Json => writeln!(out, "{}", terminal::json(&test))?,
        ListFormat::Text if args.output.is_none() => write!(out, "{}", test.scenario)?,
        ListFormat::Text => {}
    }
    out.flush()?;
    if !quiet && args.format == ListFormat::Text {
        say(&format!(
            "{BOLD}{}{BOLD:#}: a report of {}",
            shown(name),
            test.tester
        ));
        for sentence in &test.sentences {
            say(&format!("  {}", shown(sentence)));
        }
        say(&format!("{YELLOW}hidden{YELLOW:#}  {}", test.hides));
        if let Some(path) = &args.output {
            say_next(path);
        }
    }
    Ok(Exit::Ok)
}

#[derive(Serialize)]
struct Json<'a> {
    files: &'a [FileFigures],
    measured: &'a Measured,
    check: Option<&'a Check>,
    no_check: Option<&'a String>,
    scenario: &'a str,
}
