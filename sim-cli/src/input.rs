//! Which scenario an argument means, and the files it refers to.

use crate::embedded::MODELS;
use crate::exit::{Exit, Failure, reason};
use crate::files;
use sim_core::experiment::sweep::Plan;
use sim_core::library::{Folders, looks_like_a_path};
use sim_core::scenario::{Files, NoFiles, Problems, Scenario, Source, suggest};
use sim_import::logs::Traces;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

/// The largest text that is read: far beyond any scenario, and small enough for any machine.
const BYTES_MAX: u64 = 64 << 20;

/// A scenario's text, and where it came from.
pub(crate) struct Input {
    source: Source,
    place: Place,
    /// Texts that it can name beside files.
    given: Vec<(String, String)>,
}

enum Place {
    /// A folder of the disk.
    Folder(PathBuf),
    /// The models that come with the program.
    Library,
}

impl Input {
    /// Finds what `argument` means: one of the texts that were given, `-`, a file, or the name of a model.
    pub(crate) fn open(argument: &str, given: &[(String, String)]) -> Result<Self, Failure> {
        if let Some((name, text)) = given.iter().find(|(name, _)| name == argument) {
            return Ok(Self {
                given: given.to_vec(),
                ..Self::alone(Source::new(name.clone(), text.clone()))
            });
        }
        if argument == "-" {
            return stdin();
        }
        let path = Path::new(argument);
        let like_a_path = looks_like_a_path(argument);
        if like_a_path && files::is_there(path).map_err(|why| unreachable(argument, &why))? {
            let text = read(path).map_err(|why| why.failure(argument))?;
            let folder = path.parent().unwrap_or(Path::new("")).to_path_buf();
            return Ok(Self {
                source: Source::new(argument, text),
                place: Place::Folder(folder),
                given: Vec::new(),
            });
        }
        if let Some(source) = MODELS.find(argument) {
            return Ok(Self {
                source,
                place: Place::Library,
                given: Vec::new(),
            });
        }
        if like_a_path {
            return Err(
                Failure::new(Exit::Io, format!("cannot read {argument}: no such file"))
                    .help("`stampede list models` shows the models that come with the program"),
            );
        }
        Err(unknown(argument))
    }

    /// Finds what `argument` means as a plan: `-`, a file, or the name of a plan that comes with the
    /// program.
    pub(crate) fn open_plan(argument: &str, given: &[(String, String)]) -> Result<Self, Failure> {
        if given.iter().any(|(name, _)| name == argument) {
            return Self::open(argument, given);
        }
        if argument == "-" {
            return stdin();
        }
        if looks_like_a_path(argument)
            && files::is_there(Path::new(argument)).map_err(|why| unreachable(argument, &why))?
        {
            return Self::open(argument, given);
        }
        if let Some(source) = MODELS.find_plan(argument) {
            return Ok(Self {
                source,
                place: Place::Library,
                given: Vec::new(),
            });
        }
        if MODELS.find(argument).is_some() {
            return Err(Failure::new(Exit::Usage, format!("{argument} is a scenario, not a plan"))
                .help(format!("name it with --scenario {argument} and say what to vary with --vary PATH=VALUES")));
        }
        if looks_like_a_path(argument) {
            return Err(Failure::new(
                Exit::Io,
                format!("cannot read {argument}: no such file"),
            ));
        }
        if let Some(other) = other(Path::new(argument)) {
            return Err(other);
        }
        let failure = Failure::new(Exit::NotFound, format!("no plan is called {argument:?}"));
        Err(if Path::new(&format!("{argument}.toml")).is_file() {
            failure.help(format!(
                "there is a file of this name: write ./{argument}.toml"
            ))
        } else {
            failure.help(suggest(argument, MODELS.plans()))
        })
    }

    /// A plan that was put together from arguments; the scenario it names is looked for as an
    /// argument would be.
    pub(crate) fn of_arguments(text: String, given: &[(String, String)]) -> Self {
        Self {
            given: given.to_vec(),
            ..Self::alone(Source::new("the arguments", text))
        }
    }

    /// The scenario that a run has kept of itself at `path`, under the name that it had.
    pub(crate) fn kept(path: &Path, name: &str) -> Result<Self, Failure> {
        let text = read(path).map_err(|why| why.failure(&path.display().to_string()))?;
        Ok(Self {
            source: Source::new(format!("{name}.toml"), text),
            place: Place::Folder(path.parent().unwrap_or(Path::new("")).to_path_buf()),
            given: Vec::new(),
        })
    }

    /// A scenario that refers to no file.
    pub(crate) fn alone(source: Source) -> Self {
        Self {
            source,
            place: Place::Folder(PathBuf::new()),
            given: Vec::new(),
        }
    }

    /// Reads it as a plan.
    pub(crate) fn plan(&self) -> Result<Plan, Problems> {
        Plan::read(&self.source, &*self.files())
    }

    /// The text as it stands.
    pub(crate) fn source(&self) -> &Source {
        &self.source
    }

    /// Reads the scenario, with texts that it can name beside its files.
    pub(crate) fn scenario_with(
        &self,
        sets: &[(String, String)],
        texts: &Traces,
    ) -> Result<Scenario, Problems> {
        let files = Either(texts, &*self.files());
        Scenario::read(self.source.clone(), sets, &files)
    }

    /// How a scenario beside `output` names this one as its base.
    pub(crate) fn as_base(&self, argument: &str, output: Option<&Path>) -> String {
        let folder = output.and_then(Path::parent).unwrap_or(Path::new(""));
        let up = Path::new(argument);
        match self.place {
            Place::Folder(_) if up.is_relative() && folder != Path::new("") => {
                let real = files::real(up).unwrap_or_else(|_| up.to_path_buf());
                real.display().to_string()
            }
            _ => argument.to_owned(),
        }
    }

    /// Reads the scenario.
    pub(crate) fn scenario(&self, sets: &[(String, String)]) -> Result<Scenario, Problems> {
        Scenario::read(self.source.clone(), sets, &*self.files())
    }

    /// What it refers to. A model's sets name files here as well, such as a policy of one's own.
    fn files(&self) -> Box<dyn Files + '_> {
        match &self.place {
            Place::Library => {
                let of = &self.source.name;
                Box::new(Either(Neighbours { of }, self.files_of(Path::new(""))))
            }
            Place::Folder(folder) => Box::new(self.files_of(folder)),
        }
    }
}

/// What the second has where the first has not.
struct Either<A, B>(A, B);

impl<A: Files, B: Files> Files for Either<A, B> {
    fn read(&self, name: &str) -> Result<Source, String> {
        self.0.read(name).or_else(|_| self.1.read(name))
    }
}

/// The text of a file that is no scenario, or of standard input for `-`.
pub(crate) fn text(argument: &str) -> Result<String, Failure> {
    if argument == "-" {
        return text_of(io::stdin().lock()).map_err(|why| why.failure("standard input"));
    }
    let path = Path::new(argument);
    if !files::is_there(path).map_err(|why| unreachable(argument, &why))? {
        let message = format!("cannot read {argument}: no such file");
        return Err(Failure::new(Exit::Io, message));
    }
    read(path).map_err(|why| why.failure(argument))
}

fn unknown(name: &str) -> Failure {
    let failure = Failure::new(Exit::NotFound, format!("no model is called {name:?}"));
    for file in [
        name.to_owned(),
        format!("{name}.toml"),
        format!("{name}.json"),
    ] {
        if let Some(other) = other(Path::new(&file)) {
            return other;
        }
        // Whatever it is: a folder or a link in a circle then says so itself.
        if !file.is_empty() && matches!(files::look(Path::new(&file)), Ok(Some(_))) {
            let what = if Path::new(&file).is_dir() {
                "folder"
            } else {
                "file"
            };
            return failure.help(format!("there is a {what} of this name: write ./{file}"));
        }
    }
    if MODELS.find_plan(name).is_some() {
        let message = format!("{name} is the plan of a sweep, not a scenario");
        return Failure::new(Exit::Usage, message).help(format!("stampede sweep {name}"));
    }
    // No model has an ending: the name of a file was meant.
    if Path::new(name).extension().is_some() {
        return Failure::new(Exit::Io, format!("cannot read {name}: no such file"));
    }
    failure.help(MODELS.suggest(name))
}

/// A file by a name that is none of a scenario, if it is something else: what it is, and who reads it.
pub(crate) fn other(path: &Path) -> Option<Failure> {
    if !path.is_file() {
        return None;
    }
    let name = path.display().to_string();
    let text = match read(path) {
        Ok(text) => text,
        Err(why @ (Unreadable::Packed | Unreadable::NotText(_))) => {
            return Some(why.failure(&name));
        }
        Err(_) => return None,
    };
    let read = Scenario::read(Source::new(name, text), &[], &NoFiles).err()?;
    let problem = read
        .problems
        .into_iter()
        .find(|problem| problem.code == "E004")?;
    Some(Failure::new(Exit::Invalid, problem.message).help(problem.help.unwrap_or_default()))
}

fn stdin() -> Result<Input, Failure> {
    let text = text_of(io::stdin().lock()).map_err(|why| why.failure("standard input"))?;
    // No TOML begins with a brace, and no other JSON is a scenario.
    let name = if text.trim_start().starts_with('{') {
        "stdin.json"
    } else {
        "stdin"
    };
    Ok(Input {
        source: Source::new(name, text),
        place: Place::Folder(PathBuf::new()),
        given: Vec::new(),
    })
}

/// Why a text could not be had.
enum Unreadable {
    Io(io::Error),
    TooLarge,
    /// With gzip or zstd, as logs are.
    Packed,
    NotText(usize),
}

impl Unreadable {
    fn words(&self) -> String {
        match self {
            Self::Io(error) => reason(error),
            Self::TooLarge => format!("it is larger than {} MiB", BYTES_MAX >> 20),
            Self::Packed => "it is packed".to_owned(),
            Self::NotText(byte) => format!("it is not text in UTF-8 (at byte {byte})"),
        }
    }

    /// What is done with such a file instead.
    fn door(&self, name: &str) -> Option<String> {
        match self {
            Self::Packed => Some(format!(
                "if it is a log, `stampede calibrate {name}` makes a scenario of it"
            )),
            Self::Io(error) if error.kind() == io::ErrorKind::IsADirectory => Some(format!(
                "`stampede import {name} -o mine.toml` makes a scenario of settings in a folder"
            )),
            _ => None,
        }
    }

    fn failure(&self, name: &str) -> Failure {
        let exit = if matches!(self, Self::Io(_)) {
            Exit::Io
        } else {
            Exit::Invalid
        };
        let failure = Failure::new(exit, format!("cannot read {name}: {}", self.words()));
        match self.door(name) {
            Some(door) => failure.help(door),
            None => failure,
        }
    }
}

/// A name that leads nowhere: a link to nothing or in a circle, a folder that may not be entered.
fn unreachable(name: &str, error: &io::Error) -> Failure {
    Failure::io(format!("cannot read {name}"), error)
}

pub(crate) fn read_if_there(path: &Path) -> Result<Option<String>, String> {
    if !files::is_there(path).map_err(|error| reason(&error))? {
        return Ok(None);
    }
    if path.is_dir() {
        return Err("it is a folder".to_owned());
    }
    read(path).map(Some).map_err(|why| why.words())
}

/// Keeps what a scenario refers to below its folder, wherever links lead; models that come with the program are
/// at hand as ever.
static CONFINED: AtomicBool = AtomicBool::new(false);

/// From now on scenarios refer to files of their own folder only.
pub(crate) fn confine() {
    CONFINED.store(true, Ordering::Relaxed);
}

/// Whether they do.
pub(crate) fn is_confined() -> bool {
    CONFINED.load(Ordering::Relaxed)
}

impl Input {
    /// What it refers to, in its folder.
    fn files_of(
        &self,
        folder: &Path,
    ) -> Folders<'static, impl Fn(&Path) -> Result<Option<String>, String>> {
        let root = folder.to_path_buf();
        let given = self.given.clone();
        Folders::new(&MODELS, folder, move |path| {
            if let Some((_, text)) = given.iter().find(|(name, _)| Path::new(name) == path) {
                return Ok(Some(text.clone()));
            }
            if CONFINED.load(Ordering::Relaxed) && !files::is_below(path, &root) {
                return Err(
                    "it lies outside of the scenario's folder, and --confine was given".to_owned(),
                );
            }
            read_if_there(path)
        })
    }
}

fn read(path: &Path) -> Result<String, Unreadable> {
    text_of(files::patiently(|| files::open_input(path)).map_err(Unreadable::Io)?)
}

fn text_of(reader: impl Read) -> Result<String, Unreadable> {
    let mut bytes = Vec::new();
    reader
        .take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(Unreadable::Io)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(Unreadable::TooLarge);
    }
    let packed = bytes.starts_with(&[0x1f, 0x8b]) || bytes.starts_with(&[0x28, 0xb5, 0x2f, 0xfd]);
    String::from_utf8(bytes).map_err(|error| {
        if packed {
            Unreadable::Packed
        } else {
            Unreadable::NotText(error.utf8_error().valid_up_to())
        }
    })
}

/// What a model of the program refers to: its neighbours.
struct Neighbours<'a> {
    of: &'a str,
}

impl Files for Neighbours<'_> {
    fn read(&self, name: &str) -> Result<Source, String> {
        MODELS.read_from(self.of, name)
    }
}
