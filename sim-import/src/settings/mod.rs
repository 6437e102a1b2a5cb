//! Settings of programs, as scenarios.
//!
//! ```text
//! files ─► format ─► System (services, ways in, remarks; every value with its place) ─► scenario
//! ```
//!
//! A format is a row of [`FORMATS`]. What it reads it says in keys of a scenario; what cannot be simulated
//! it remarks, with the line. Nothing is dropped in silence.

mod caddy;
mod directive;
mod envoy;
mod glob;
mod haproxy;
mod kubernetes;
mod link;
mod nginx;
mod system;
mod text;
mod traefik;
mod units;
mod write;
mod yaml;

pub use glob::matches;
pub use system::{Kind, Place, Remark};

use crate::filled::Filled;
use crate::{loadtest, logs};
use sim_core::dialect::DIALECTS;
use sim_core::extension::ParamKind;
use sim_core::scenario::Source;
use std::sync::Arc;
use system::System;

/// A format of settings.
pub struct Format {
    /// Its name, for `--as`.
    pub name: &'static str,
    /// What it is, in a sentence.
    pub about: &'static str,
    /// Whether a text looks like it.
    recognises: fn(&Source) -> bool,
    read: fn(&[Source], &Surroundings<'_>, &mut System) -> Result<(), Unreadable>,
}

/// Every format, in the order in which they are tried.
pub static FORMATS: &[Format] = &[
    nginx::FORMAT,
    haproxy::FORMAT,
    caddy::FORMAT,
    envoy::FORMAT,
    kubernetes::FORMAT,
    traefik::FORMAT,
];

/// What a reader may ask of the world around the files.
pub struct Surroundings<'a> {
    /// What the scenario is called.
    pub title: &'a str,
    /// Files that others include.
    pub files: &'a dyn Files,
    /// Values of placeholders and environment variables.
    pub variable: &'a dyn Fn(&str) -> Option<String>,
}

/// How included files are had.
pub trait Files {
    /// The text of a file; `None` if there is none of this name.
    ///
    /// # Errors
    /// Says why it cannot be read.
    fn read(&self, name: &str) -> Result<Option<String>, String>;

    /// Names of files that match a pattern with `*` and `?`, sorted.
    ///
    /// # Errors
    /// Says why a folder cannot be read.
    fn matching(&self, pattern: &str) -> Result<Vec<String>, String>;
}

/// No files but those that were given.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoFiles;

impl Files for NoFiles {
    fn read(&self, _: &str) -> Result<Option<String>, String> {
        Ok(None)
    }
    fn matching(&self, _: &str) -> Result<Vec<String>, String> {
        Ok(Vec::new())
    }
}

/// Why files could not be read as settings.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Unreadable {
    /// Where.
    pub place: Option<Place>,
    /// What is wrong.
    pub why: String,
    /// What would help; may be empty.
    pub help: String,
}

impl Unreadable {
    pub(crate) fn new(place: Place, why: &str) -> Self {
        Self {
            place: Some(place),
            why: why.to_owned(),
            help: String::new(),
        }
    }

    pub(crate) fn help(mut self, help: &str) -> Self {
        help.clone_into(&mut self.help);
        self
    }
}

/// What became of settings.
#[derive(Clone, Debug)]
pub struct Imported {
    /// The formats that were read, one for each kind of file.
    pub formats: Vec<&'static str>,
    /// The scenario's text.
    pub scenario: String,
    /// Paths of its values with the places they were read from, in the order of the text.
    pub places: Vec<(String, Place)>,
    /// What is to be known beside it, in the order of files and lines.
    pub remarks: Vec<Remark>,
    title: String,
    system: System,
}

impl Imported {
    /// Puts what was measured in the place of what is assumed.
    pub fn fill(&mut self, filled: &[Filled]) {
        (self.scenario, self.places) = write::write(&self.system, &self.title, filled);
    }
}

/// The format a text looks like.
pub fn recognise(source: &Source) -> Option<&'static Format> {
    FORMATS.iter().find(|format| (format.recognises)(source))
}

/// The format of a name.
pub fn format(name: &str) -> Option<&'static Format> {
    FORMATS.iter().find(|format| format.name == name)
}

/// Reads files as one system.
///
/// # Errors
/// Says which file and line cannot be read, or that no file says who serves what.
pub fn import(
    sources: &[Source],
    named: Option<&'static Format>,
    around: &Surroundings<'_>,
) -> Result<Imported, Unreadable> {
    let mut system = System::default();
    let mut formats = Vec::new();
    let of: Vec<Option<&Format>> = (sources.iter())
        .map(|source| named.or_else(|| recognise(source)))
        .collect();
    if let Some((source, _)) = sources.iter().zip(&of).find(|(_, format)| format.is_none()) {
        return Err(unknown(source));
    }
    for format in FORMATS {
        let own = sources.iter().zip(&of);
        let own: Vec<Source> = own
            .filter(|(_, of)| of.is_some_and(|of| std::ptr::eq(of, format)))
            .map(|(source, _)| source.clone())
            .collect();
        if !own.is_empty() {
            (format.read)(&own, around, &mut system)?;
            formats.push(format.name);
        }
    }
    if system.services.is_empty() {
        let place = sources.first().map(|source| Place {
            file: source.name.as_str().into(),
            line: 1,
        });
        return Err(Unreadable {
            place,
            why: "nothing in it says which servers get requests".to_owned(),
            help: "give the file with the pools: upstream, backend, clusters, Deployment …"
                .to_owned(),
        });
    }
    link::link(&mut system);
    if system.ways.is_empty() {
        open_ways(&mut system);
    }
    let mut remarks = std::mem::take(&mut system.remarks);
    remarks.sort_by(|a, b| (a.kind, &a.place).cmp(&(b.kind, &b.place)));
    remarks.dedup();
    let mut imported = Imported {
        formats,
        scenario: String::new(),
        places: Vec::new(),
        remarks,
        title: around.title.to_owned(),
        system,
    };
    imported.fill(&[]);
    Ok(imported)
}

/// Where no file says what requests come, some come to each service.
fn open_ways(system: &mut System) {
    for service in system.services.clone() {
        let why = "no file says what leads there: requests from outside are assumed";
        system.remark(Kind::Read, &service.place, &service.title, why);
        system.ways.push(system::Way {
            name: service.name.clone(),
            place: service.place.clone(),
            to: service.name,
            keys: Vec::new(),
            apart: Vec::new(),
            share: None,
        });
    }
}

fn unknown(source: &Source) -> Unreadable {
    let known: Vec<&str> = FORMATS.iter().map(|format| format.name).collect();
    let file: Arc<str> = source.name.as_str().into();
    if let Some(problem) = text::template(&source.text, &file) {
        return problem;
    }
    if source.text.trim().is_empty() {
        return Unreadable::new(Place { file, line: 1 }, "it is empty");
    }
    let (why, help) = if let Some(tester) = loadtest::recognise(&source.text) {
        let help = "`stampede calibrate` makes a scenario of it; `--load-test` fills in what settings do not say";
        (
            format!("it is a report of {}, and no settings", tester.name),
            help.to_owned(),
        )
    } else if let Some(format) = logs::recognise(&source.text) {
        let help = "`stampede calibrate` makes a scenario of it; `--log` fills in what settings do not say";
        (
            format!("it is a log ({format}), and no settings"),
            help.to_owned(),
        )
    } else {
        let help = format!("say what it is with --as: {}", known.join(", "));
        ("its format is not recognised".to_owned(), help)
    };
    Unreadable::new(Place { file, line: 1 }, &why).help(&help)
}

/// The words that a parameter of a dialect takes.
fn words_of(dialect: &str, param: &str) -> &'static [&'static str] {
    let row = DIALECTS.iter().find(|def| def.row.name == dialect);
    let param = row.and_then(|def| def.row.params.iter().find(|own| own.name == param));
    match param.map(|param| &param.kind) {
        Some(ParamKind::Words(words) | ParamKind::Choice(words)) => words,
        _ => &[],
    }
}
