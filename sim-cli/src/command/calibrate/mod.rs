//! `stampede calibrate`: logs as a scenario, and how far to trust it.

pub(super) mod words;

use super::{create, say_next};
use crate::args::{ArrivalsArg, CalibrateArgs, ListFormat};
use crate::exit::{Exit, Failure};
use crate::input::{self, Input};
use crate::log_files::measure;
use crate::sheet;
use crate::terminal::{self, Out, say};
use serde::Serialize;
use sim_core::model::Model;
use sim_core::report::sheet::{Block, Sheet};
use sim_core::scenario::Problems;
use sim_core::text::shown;
use sim_import::logs::{Arrivals, Beside, Check, FileFigures, Measured, Traces};
use sim_import::{loadtest, overlay};
use std::io::{self, Write};

/// Reads logs and writes the scenario that they speak of.
pub(crate) fn run(args: &CalibrateArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    sheet::check(&args.page, args.output.as_deref())?;
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
    let told = words::report(&files, &measured, &check, scenario.files.is_empty());
    let verdict = check.map_or_else(|why| format!("not checked: {why}"), |check| check.verdict);
    write_page(args, &verdict, &told, &scenario.text)?;
    if !quiet && args.format == ListFormat::Text {
        sheet::say_all(&told);
        say_where(args);
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
    let input = Input::open(argument, out.given())?;
    let told = |problems: &Problems| super::refused_input(&input, &[], problems);
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
    let told = words::upon(files, measured, &filled, &beside.stray, &check);
    let verdict = check.map_or_else(|why| format!("not checked: {why}"), |check| check.verdict);
    write_page(args, &verdict, &told, &text)?;
    if !quiet && args.format == ListFormat::Text {
        sheet::say_all(&told);
        say_where(args);
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
    let lead = format!("{}:", shown(name));
    let mut told = vec![Block::Lead(lead, format!("a report of {}", test.tester))];
    let sentences = test.sentences.iter();
    told.extend(sentences.map(|sentence| Block::Sentence(shown(sentence).into_owned())));
    told.push(Block::Lead("hidden".to_owned(), format!(" {}", test.hides)));
    write_page(args, "", &told, &test.scenario)?;
    if !quiet && args.format == ListFormat::Text {
        sheet::say_all(&told);
        say_where(args);
    }
    Ok(Exit::Ok)
}

/// Says where the page is, and how the scenario is run.
fn say_where(args: &CalibrateArgs) {
    if let Some(path) = &args.page.report {
        say(&format!("report in {}", path.display()));
    }
    if let Some(path) = &args.output {
        say_next(path);
    }
}

/// Writes the page where one was asked for.
fn write_page(
    args: &CalibrateArgs,
    verdict: &str,
    told: &[Block],
    scenario: &str,
) -> Result<(), Failure> {
    let mut blocks = told.to_vec();
    if !verdict.is_empty() {
        blocks.insert(0, Block::Verdict(String::new(), verdict.to_owned()));
    }
    let page = Sheet {
        title: args.log.logs.join(", "),
        what: "calibration".to_owned(),
        facts: vec!["what logs say, as a scenario".to_owned()],
        blocks,
        // Where the scenario goes decides how its arrivals can be written.
        commands: vec![sheet::command_with_output()],
        sources: vec![("The scenario".to_owned(), scenario.to_owned())],
        ..Sheet::default()
    };
    // Standard output is the scenario's.
    sheet::write(&args.page, &page, (true, &mut io::sink()))
}

#[derive(Serialize)]
struct Json<'a> {
    files: &'a [FileFigures],
    measured: &'a Measured,
    check: Option<&'a Check>,
    no_check: Option<&'a String>,
    scenario: &'a str,
}
