//! The folder of results: it appears as a whole, or not at all.
//!
//! Files are written into a folder of their own (`part`) and take the place of old ones (`place`)
//! when all are there and on the disk. Two processes that write into one folder both do so as a whole: the later
//! one's results stay.

use crate::exit::{Exit, Failure};
use crate::files::{self, Sink};
use crate::part::{INSIDE, PARTS, Part, clean};
use crate::place;
use crate::sheet::PAGE;
use std::io::{self, BufWriter, ErrorKind, Write};
use std::path::{Path, PathBuf};

/// The summary: it belongs to every result, and is the last file to appear.
pub(crate) const SUMMARY: &str = "summary.json";
/// Every file that may be in a folder of results.
pub(crate) const FILES: &[(&str, &str)] = &[
    (SUMMARY, "every figure of the run"),
    (
        "timeline.csv",
        "metrics of the site, its classes and services over each interval",
    ),
    ("servers.csv", "metrics of each server over each interval"),
    (
        "balancers.csv",
        "what each balancer instance holds at the end of each interval",
    ),
    (
        "events.csv",
        "the event log: every change of state with its cause",
    ),
    (REQUESTS, "the request log, with --log-requests"),
    (
        BY_DEMAND,
        "response times by classes of demand, with --by-demand",
    ),
    ("scenario.toml", "the scenario as it was run"),
    (
        EXPERIMENT,
        "an experiment's results, with --replications, and of `compare`, `stress`, `deadline`, `rare` and `remedy`",
    ),
    ("measures.csv", "each measure with its interval"),
    ("replications.csv", "each replication's measures"),
    (
        "comparison.csv",
        "each variant's measures, ranks and differences",
    ),
    (
        "selection.csv",
        "each variant's mean, its replications, and after how many it was dropped, with --select",
    ),
    ("measures.svg", "the comparison as a plot"),
    (
        "stress.csv",
        "where each replication breaks; or the steps of the ramp; or the spots of the map",
    ),
    ("stress.svg", "the same as a plot"),
    (
        "deadline.csv",
        "the damage by the moment of acting, of `deadline`",
    ),
    ("deadline.svg", "the same as a plot"),
    (
        "rare.csv",
        "the levels on the way to what is rare, of `rare`",
    ),
    (
        "remedies.csv",
        "what was tried and what each change saves, of `remedy`",
    ),
    ("remedies.svg", "the same as a plot"),
    (PAGE, "an experiment's results as a page"),
];
/// An experiment's results.
pub(crate) const EXPERIMENT: &str = "experiment.json";
/// Response times by classes of demand.
pub(crate) const BY_DEMAND: &str = "by_demand.csv";
/// The request log.
pub(crate) const REQUESTS: &str = "requests.csv";

/// Whether a file of this name is a result.
pub(crate) fn is_result(name: &str) -> bool {
    FILES.iter().any(|(file, _)| *file == name)
}

/// A folder of results in the making.
pub(crate) struct Folder {
    /// As it was given, for messages.
    target: PathBuf,
    /// Where it is.
    place: PathBuf,
    part: Part,
    /// Whether files give way one by one, in a folder that cannot be moved.
    inside: bool,
}

impl Folder {
    /// Begins a folder of results at `target`. One that holds anything but results is refused,
    /// unless `force` is given; one with an input of this command always is.
    pub(crate) fn begin(target: &Path, force: bool) -> Result<Self, Failure> {
        refuse_a_dash(target)?;
        let fail = |error: &io::Error| {
            Failure::io(format!("cannot write into {}", target.display()), error)
        };
        let found = files::look(target).map_err(|error| fail(&error))?;
        if found.is_some() {
            let place = files::real(target).map_err(|error| fail(&error))?;
            drop(clean(&place, None));
            let foreign = check_target(target, force)?;
            files::spare_inputs(target, is_result)?;
            let inside = foreign || !files::can_be_moved(&place);
            Self::new(target, place, inside, true).map_err(|error| fail(&error))
        } else {
            let parent = target.parent().unwrap_or(Path::new(""));
            files::patiently(|| files::make_folders(parent)).map_err(|error| {
                Failure::io(format!("cannot create {}", parent.display()), &error)
            })?;
            Self::new(target, target.to_path_buf(), false, false).map_err(|error| fail(&error))
        }
    }

    fn new(target: &Path, place: PathBuf, inside: bool, there: bool) -> io::Result<Self> {
        let begin = |inside: bool| {
            files::patiently(|| {
                let part = if inside {
                    Part::begin(&place, INSIDE)
                } else {
                    let name = place.file_name().and_then(|name| name.to_str());
                    Part::begin(place.parent().unwrap_or(Path::new("")), name.unwrap_or(""))
                }?;
                files::make_folder(&part.fresh())?;
                Ok(part)
            })
        };
        let (part, inside) = match begin(inside) {
            // Whoever may not write beside a folder may still be allowed to write into it.
            Err(error) if there && !inside && is_denied(&error) => (begin(true)?, true),
            part => (part?, inside),
        };
        Ok(Self {
            target: target.to_path_buf(),
            place,
            part,
            inside,
        })
    }

    /// Opens a file for writing.
    pub(crate) fn file(&self, name: &str) -> Result<BufWriter<Sink>, Failure> {
        self.create(name)
            .map_err(|error| self.failure(name, &error))
    }

    fn create(&self, name: &str) -> io::Result<BufWriter<Sink>> {
        let file = files::create_new(&self.part.fresh().join(name))?;
        Ok(BufWriter::with_capacity(1 << 16, file))
    }

    /// Writes a file.
    pub(crate) fn write(
        &self,
        name: &str,
        content: impl Fn(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        files::patiently(|| {
            // An earlier attempt may have left a beginning.
            files::remove_file(&self.part.fresh().join(name))?;
            let mut file = self.create(name)?;
            content(&mut file)?;
            file.flush()
        })
        .map_err(|error| self.failure(name, &error))
    }

    /// The failure to write a file.
    pub(crate) fn failure(&self, name: &str, error: &io::Error) -> Failure {
        Failure::io(
            format!("cannot write {}", self.target.join(name).display()),
            error,
        )
    }

    /// Everything is written: the results appear.
    pub(crate) fn finish(self) -> Result<(), Failure> {
        self.appear()
            .map_err(|error| Failure::io(format!("cannot write {}", self.target.display()), &error))
    }

    fn appear(&self) -> io::Result<()> {
        files::patiently(|| files::sync_all(&self.part.fresh()))?;
        if self.inside {
            files::patiently(|| place::file_by_file(&self.part, &self.place))?;
            return files::patiently(|| files::sync_folder(&self.place));
        }
        match files::patiently(|| place::swap(&self.part, &self.place)) {
            // A volume that is mounted there, for one, cannot be moved.
            Err(_) if self.place.is_dir() && self.part.fresh().is_dir() => self.move_in()?,
            done => done?,
        }
        let parent = self.place.parent().unwrap_or(Path::new(""));
        files::patiently(|| files::sync_folder(parent))
    }

    /// Brings the files into the folder, and then to their places.
    fn move_in(&self) -> io::Result<()> {
        let part = Part::begin(&self.place, INSIDE)?;
        files::make_folder(&part.fresh())?;
        for name in files::names(&self.part.fresh())? {
            files::copy(&self.part.fresh().join(&name), &part.fresh().join(&name))?;
        }
        files::sync_folder(&part.fresh())?;
        place::file_by_file(&part, &self.place)
    }
}

fn is_denied(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::PermissionDenied | ErrorKind::ReadOnlyFilesystem
    )
}

/// Elsewhere `-` means standard output.
fn refuse_a_dash(target: &Path) -> Result<(), Failure> {
    if target == Path::new("-") {
        return Err(Failure::new(
            Exit::Usage,
            "results are a folder and do not fit on standard output",
        )
        .help("print them with --format json or --format csv; a folder of this name is ./-"));
    }
    Ok(())
}

/// Whether a folder holds anything but results; refused without `force`.
fn check_target(target: &Path, force: bool) -> Result<bool, Failure> {
    let names = files::patiently(|| files::names(target))
        .map_err(|error| Failure::io(format!("cannot use {}", target.display()), &error))?;
    let ours = |name: &String| is_result(name) && !target.join(name).is_dir();
    let others = names.iter().any(|name| !ours(name));
    let foreign = names
        .iter()
        .find(|name| !ours(name) && !name.starts_with(PARTS));
    match foreign {
        Some(foreign) if !force => {
            let message = format!(
                "{} holds something else than results: {foreign}",
                target.display()
            );
            Err(Failure::new(Exit::Io, message)
                .help("choose another folder, or write into this one with --force"))
        }
        _ => Ok(others),
    }
}
