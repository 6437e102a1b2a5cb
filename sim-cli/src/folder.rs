//! The folder of results: it appears as a whole, or not at all.
//!
//! Files are written into a folder of their own and moved when all are there. A folder that does
//! not exist yet appears by one renaming; in one that does, the old results give way to the new
//! ones file by file, the summary last: where there is a summary, everything else is there.

use crate::exit::{Exit, Failure};
use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
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
    ("scenario.toml", "the scenario as it was run"),
    (
        EXPERIMENT,
        "an experiment's results, with --replications, and of `compare` and `stress`",
    ),
    ("measures.csv", "each measure with its interval"),
    ("replications.csv", "each replication's measures"),
    (
        "comparison.csv",
        "each variant's measures, ranks and differences",
    ),
    ("measures.svg", "the comparison as a plot"),
    (
        "stress.csv",
        "where each replication breaks; or the steps of the ramp; or the spots of the map",
    ),
    ("stress.svg", "the same as a plot"),
];
/// An experiment's results.
pub(crate) const EXPERIMENT: &str = "experiment.json";
/// The request log.
pub(crate) const REQUESTS: &str = "requests.csv";
/// How the folder begins that files are written into first; the process's number follows.
const PARTS: &str = ".stampede-part-";

/// A folder of results in the making.
pub(crate) struct Folder {
    target: PathBuf,
    parts: PathBuf,
    done: bool,
}

impl Folder {
    /// Begins a folder of results at `target`. One that holds anything but results is refused,
    /// unless `force` is given.
    pub(crate) fn begin(target: &Path, force: bool) -> Result<Self, Failure> {
        if target.exists() {
            check_target(target, force)?;
        }
        let name = format!("{PARTS}{}", std::process::id());
        let parts = if target.exists() {
            target.join(name)
        } else {
            let parent = target.parent().unwrap_or(Path::new(""));
            create(parent)?;
            parent.join(name)
        };
        // What an earlier process of this number left behind is nobody's.
        drop(fs::remove_dir_all(&parts));
        create(&parts)?;
        Ok(Self {
            target: target.to_path_buf(),
            parts,
            done: false,
        })
    }

    /// Opens a file for writing.
    pub(crate) fn file(&self, name: &str) -> Result<BufWriter<File>, Failure> {
        let file =
            File::create(self.parts.join(name)).map_err(|error| self.failure(name, &error))?;
        Ok(BufWriter::with_capacity(1 << 16, file))
    }

    /// Writes a file.
    pub(crate) fn write(
        &self,
        name: &str,
        content: impl FnOnce(&mut dyn Write) -> io::Result<()>,
    ) -> Result<(), Failure> {
        let mut file = self.file(name)?;
        content(&mut file)
            .and_then(|()| file.flush())
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
    pub(crate) fn finish(mut self) -> Result<(), Failure> {
        self.appear().map_err(|error| {
            Failure::io(format!("cannot write {}", self.target.display()), &error)
        })?;
        self.done = true;
        Ok(())
    }

    fn appear(&self) -> io::Result<()> {
        if !self.target.exists() {
            return fs::rename(&self.parts, &self.target);
        }
        for (name, _) in FILES {
            match fs::remove_file(self.target.join(name)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
                _ => {}
            }
        }
        for (name, _) in FILES.iter().rev() {
            let part = self.parts.join(name);
            if part.exists() {
                fs::rename(part, self.target.join(name))?;
            }
        }
        fs::remove_dir(&self.parts)
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        if !self.done {
            // Half of the results are no results; should this fail too, the first failure is the one to tell.
            drop(fs::remove_dir_all(&self.parts));
        }
    }
}

fn create(folder: &Path) -> Result<(), Failure> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    fs::create_dir_all(folder)
        .map_err(|error| Failure::io(format!("cannot create {}", folder.display()), &error))
}

fn check_target(target: &Path, force: bool) -> Result<(), Failure> {
    let entries = fs::read_dir(target)
        .map_err(|error| Failure::io(format!("cannot use {}", target.display()), &error))?;
    let mut names = Vec::new();
    for entry in entries {
        let entry = entry
            .map_err(|error| Failure::io(format!("cannot read {}", target.display()), &error))?;
        names.push(entry.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    let ours =
        |name: &String| FILES.iter().any(|(file, _)| file == name) || name.starts_with(PARTS);
    match names.iter().find(|name| !ours(name)) {
        Some(foreign) if !force => {
            let message = format!(
                "{} holds something else than results: {foreign}",
                target.display()
            );
            Err(Failure::new(Exit::Io, message)
                .help("choose another folder, or write into this one with --force"))
        }
        _ => Ok(()),
    }
}
