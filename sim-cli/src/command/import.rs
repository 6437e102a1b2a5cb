//! `stampede import`: settings of other programs as a scenario.

use super::calibrate::{self, words};
use super::refused;
use super::{create, say_next};
use crate::args::{ImportArgs, ListFormat};
use crate::exit::{Exit, Failure};
use crate::files;
use crate::input;
use crate::log_files;
use crate::settings_files::{Neighbours, sources};
use crate::sheet;
use crate::terminal::{self, BOLD, DIM, Out, YELLOW, say};
use serde::Serialize;
use sim_core::model::Model;
use sim_core::readable::counted;
use sim_core::scenario::{Files, NoFiles, Problems, Scenario, Source};
use sim_core::text::shown;
use sim_import::logs::{Beside, Check, FileFigures, Measured};
use sim_import::settings::{self, Imported, Kind, Remark, Surroundings, Unreadable};
use sim_import::{Filled, loadtest};
use std::io::Write;
use std::path::Path;

/// Remarks of one kind that are shown before the rest is counted.
const SHOWN: usize = 40;

/// Reads settings and writes the scenario that they stand for.
pub(crate) fn run(args: &ImportArgs, quiet: bool, out: &mut Out) -> Result<Exit, Failure> {
    let mut imported = read(&args.files, args.format_name.as_deref(), &args.variables)?;
    let log = match (&args.load_test, args.logs.is_empty()) {
        (Some(file), _) => {
            fill_from_test(file, &mut imported)?;
            None
        }
        (None, false) => Some(fill_from_log(args, &mut imported)?),
        (None, true) => None,
    };
    let name = args
        .output
        .as_ref()
        .map_or("imported.toml".to_owned(), |path| {
            path.display().to_string()
        });
    let source = Source::new(name, imported.scenario.clone());
    let read = Scenario::read(source, &[], &NoFiles);
    let model = read.and_then(|scenario| scenario.model());
    if let Some(path) = &args.output {
        create(path, imported.scenario.as_bytes())?;
    }
    match args.format {
        ListFormat::Json => writeln!(
            out,
            "{}",
            terminal::json(&as_json(&imported, model.as_ref().ok()))
        )?,
        ListFormat::Text if args.output.is_none() => write!(out, "{}", imported.scenario)?,
        ListFormat::Text => {}
    }
    out.flush()?;
    if !quiet && args.format == ListFormat::Text {
        report(&imported, model.as_ref().ok());
        if let Some(log) = &log {
            log.tell();
        }
    }
    if let Err(problems) = &model {
        return Err(refused(problems));
    }
    if let (Some(path), false) = (&args.output, quiet) {
        say_next(path);
    }
    Ok(Exit::Ok)
}

/// What logs said of the keys that no settings say.
struct FromLog {
    files: Vec<FileFigures>,
    measured: Measured,
    filled: Vec<Filled>,
    stray: Vec<(String, u64)>,
    check: Result<Check, String>,
}

impl FromLog {
    fn tell(&self) {
        let (measured, filled) = (&self.measured, &self.filled);
        let told = words::upon(&self.files, measured, filled, &self.stray, &self.check);
        sheet::say_all(&told);
    }
}

/// The model of what was imported; `None` where what is wrong with it is told later.
fn model(
    imported: &Imported,
    sets: &[(String, String)],
    files: &dyn Files,
) -> Result<Model, Problems> {
    let source = Source::new("imported.toml", imported.scenario.clone());
    Scenario::read(source, sets, files).and_then(|scenario| scenario.model())
}

/// Puts what logs say in the place of what is assumed.
fn fill_from_log(args: &ImportArgs, imported: &mut Imported) -> Result<FromLog, Failure> {
    let (files, measured) = log_files::measure(&args.logs, &args.form, None)?;
    let own = model(imported, &[], &NoFiles).map_err(|problems| refused(&problems))?;
    let beside = Beside::of(&measured, &own).map_err(|why| Failure::new(Exit::Invalid, why))?;
    let filled = beside.values();
    let check = calibrate::check_beside(&beside, |sets, texts| model(imported, sets, texts));
    let stray = beside.stray;
    imported.fill(&filled);
    Ok(FromLog {
        files,
        measured,
        filled,
        stray,
        check,
    })
}

/// Puts the rate of a load test in the place of the one that is assumed, and its times in that of the demand.
fn fill_from_test(file: &str, imported: &mut Imported) -> Result<(), Failure> {
    let test = loadtest::read(&input::text(file)?, file)
        .map_err(|why| Failure::new(Exit::Invalid, format!("{}: {why}", shown(file))))?;
    let own = model(imported, &[], &NoFiles).map_err(|problems| refused(&problems))?;
    let filled = test
        .values(&own)
        .map_err(|why| Failure::new(Exit::Invalid, format!("{}: {why}", shown(file))))?;
    imported.fill(&filled);
    Ok(())
}

/// Reads files and folders as settings.
pub(crate) fn read(
    files: &[String],
    format: Option<&str>,
    variables: &[(String, String)],
) -> Result<Imported, Failure> {
    let sources = sources(files)?;
    let variable = |name: &str| {
        let given = variables.iter().rev().find(|(own, _)| own == name);
        given
            .map(|(_, value)| value.clone())
            .or_else(|| std::env::var(name).ok())
    };
    let names: Vec<String> = files.iter().map(|file| title(file)).collect();
    let around = Surroundings {
        title: &names.join(", "),
        files: &Neighbours::of(files),
        variable: &variable,
    };
    let format = format.and_then(settings::format);
    settings::import(&sources, format, &around).map_err(|problem| failure(&problem))
}

/// What a file or folder is called without those around it.
fn title(file: &str) -> String {
    let path = Path::new(file);
    // `.` has a name only where it stands.
    let real = files::real(path).unwrap_or_else(|_| path.to_path_buf());
    let name = if file == "-" {
        Some("stdin".as_ref())
    } else {
        real.file_name()
    };
    name.map_or(file.to_owned(), |name| name.to_string_lossy().into_owned())
}

fn failure(problem: &Unreadable) -> Failure {
    let place = problem
        .place
        .as_ref()
        .map_or(String::new(), |place| format!("{place}: "));
    Failure::new(Exit::Invalid, format!("{place}{}", problem.why)).help(problem.help.clone())
}

#[derive(Serialize)]
struct Json<'a> {
    formats: &'a [&'static str],
    scenario: &'a str,
    assumed: &'a [String],
    remarks: Vec<RemarkJson<'a>>,
}

#[derive(Serialize)]
struct RemarkJson<'a> {
    file: &'a str,
    line: usize,
    kind: &'static str,
    what: &'a str,
    why: &'a str,
}

fn as_json<'a>(imported: &'a Imported, model: Option<&'a Model>) -> Json<'a> {
    let remarks = imported.remarks.iter().map(|remark| RemarkJson {
        file: &remark.place.file,
        line: remark.place.line,
        kind: remark.kind.heading(),
        what: &remark.what,
        why: &remark.why,
    });
    Json {
        formats: &imported.formats,
        scenario: &imported.scenario,
        assumed: model.map_or(&[], |model| &model.assumed),
        remarks: remarks.collect(),
    }
}

/// What was read, what was not, and what is assumed.
fn report(imported: &Imported, model: Option<&Model>) {
    if let Some(model) = model {
        say(&format!(
            "{BOLD}{}{BOLD:#}: {}, {}, {} in",
            imported.formats.join(", "),
            counted(model.services.len(), "service"),
            counted(model.servers.len(), "server"),
            counted(model.sources.len(), "way"),
        ));
    }
    for kind in [Kind::Read, Kind::Missing, Kind::Unknown] {
        let own: Vec<&Remark> = imported
            .remarks
            .iter()
            .filter(|remark| remark.kind == kind)
            .collect();
        if own.is_empty() {
            continue;
        }
        say(&format!("{YELLOW}{}{YELLOW:#}", kind.heading()));
        for remark in own.iter().take(SHOWN) {
            let why = if remark.why.is_empty() {
                String::new()
            } else {
                format!(": {}", remark.why)
            };
            say(&format!(
                "  {DIM}{}{DIM:#}  {}{}",
                shown(&remark.place.to_string()),
                shown(&remark.what),
                shown(&why)
            ));
        }
        if own.len() > SHOWN {
            say(&format!(
                "  … and {} more: --format json has all",
                own.len() - SHOWN
            ));
        }
    }
    ignored(imported);
    if let Some(model) = model
        && !model.assumed.is_empty()
    {
        say(&format!(
            "{YELLOW}assumed{YELLOW:#}: no file says these; fill them in, and take them out of the list"
        ));
        for value in &model.assumed {
            say(&format!("  {}", shown(value)));
        }
    }
}

/// What has no bearing on load, each word once with its lines.
fn ignored(imported: &Imported) {
    let mut words: Vec<(&str, Vec<String>)> = Vec::new();
    for remark in imported
        .remarks
        .iter()
        .filter(|remark| remark.kind == Kind::Ignored)
    {
        let line = remark.place.line.to_string();
        match words.iter_mut().find(|(word, _)| *word == remark.what) {
            Some((_, lines)) => lines.push(line),
            None => words.push((&remark.what, vec![line])),
        }
    }
    if words.is_empty() {
        return;
    }
    words.sort();
    let words: Vec<String> = (words.iter())
        .map(|(word, lines)| match lines.as_slice() {
            [line] => format!("{} ({line})", shown(word)),
            [first, ..] => format!("{} ({first} and {} more)", shown(word), lines.len() - 1),
            [] => String::new(),
        })
        .collect();
    say(&format!(
        "{DIM}{}, by line: {}{DIM:#}",
        Kind::Ignored.heading(),
        words.join(", ")
    ));
}
