//! The folder of a sweep: its plan and its journals.

use super::output::{SENSITIVITY, TABLE};
use crate::command::refused;
use crate::exit::{Exit, Failure, reason};
use crate::files;
use crate::journal::Journal as File;
use crate::part::{PARTS, write_whole};
use crate::sheet::PAGE;
use sim_core::experiment::sweep::{Header, Journal, Plan, Row, Shard};
use sim_core::scenario::{NoFiles, Problems, Source};
use std::io;
use std::path::Path;

/// The plan, with everything it needs.
pub(crate) const PLAN: &str = "plan.toml";
/// How journals end.
pub(super) const JOURNAL: &str = ".journal";

/// An open journal.
pub(super) struct Store {
    file: File,
}

impl Store {
    /// Opens the journal of a shard in `folder`, with what it holds already. A folder without a plan
    /// that holds other things is refused, unless `force` is given.
    pub(super) fn open(
        folder: &Path,
        plan: &Plan,
        shard: Shard,
        force: bool,
    ) -> Result<(Self, Vec<Row>), Failure> {
        files::patiently(|| files::make_folders(folder))
            .map_err(|error| Failure::io(format!("cannot create {}", folder.display()), &error))?;
        files::spare_inputs(folder, |name| {
            [TABLE, SENSITIVITY, PAGE].contains(&name)
                || [JOURNAL, ".svg", ".parquet"]
                    .iter()
                    .any(|e| name.ends_with(e))
        })?;
        check_plan(folder, plan, force)?;
        let path = folder.join(journal_name(shard));
        let (file, rows) = File::open(path.clone(), |bytes| {
            // Without a single whole line nothing was kept: the process ended while it began.
            if !bytes.contains(&b'\n') {
                return Ok((Vec::new(), 0));
            }
            let journal = Journal::read(bytes, plan, Some(shard)).map_err(|why| {
                Failure::new(
                    Exit::Io,
                    format!("cannot go on with {}: {why}", path.display()),
                )
                .help("choose another folder, or remove this one")
            })?;
            Ok((journal.rows, journal.whole))
        })?;
        let mut store = Self { file };
        if store.file.is_empty() {
            store.append(&Header::of(plan, shard).line())?;
        }
        Ok((store, rows))
    }

    /// Where it is.
    pub(super) fn path(&self) -> &Path {
        self.file.path()
    }

    /// Adds a line.
    pub(super) fn append(&mut self, line: &str) -> Result<(), Failure> {
        self.file.append(line)
    }

    /// Everything is there.
    pub(super) fn finish(&mut self) -> Result<(), Failure> {
        self.file.sync()
    }
}

/// What the journal of a shard is called.
fn journal_name(shard: Shard) -> String {
    if shard == Shard::WHOLE {
        return format!("cells{JOURNAL}");
    }
    let digits = (shard.of - 1).to_string().len();
    format!("shard-{:0digits$}-of-{}{JOURNAL}", shard.index, shard.of)
}

/// Puts the plan into the folder, or makes sure that it is the one there.
fn check_plan(folder: &Path, plan: &Plan, force: bool) -> Result<(), Failure> {
    let path = folder.join(PLAN);
    let text = plan.to_toml();
    match files::patiently(|| files::read_text(&path)) {
        Ok(there) if there == text => Ok(()),
        Ok(there) => {
            // Names may differ; what is run may not.
            let same = read_plan(&path, there).is_ok_and(|there| there.hash() == plan.hash());
            if same {
                return Ok(());
            }
            // A plan that somebody wrote, and no sweep's copy of it.
            files::spare_inputs(folder, |name| name == PLAN)?;
            Err(
                Failure::new(Exit::Io, format!("{} holds another plan", folder.display()))
                    .help("choose another folder, or remove this one"),
            )
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if !force {
                refuse_foreign(folder)?;
            }
            write_whole(&path, text.as_bytes())
                .map_err(|error| Failure::io(format!("cannot write {}", path.display()), &error))
        }
        Err(error) => Err(Failure::io(
            format!("cannot read {}", path.display()),
            &error,
        )),
    }
}

/// Whether a name is one that a sweep uses before its table is written. Another process may have brought
/// the plan meanwhile.
fn is_ours(name: &str) -> bool {
    name == PLAN || name.ends_with(JOURNAL) || name.starts_with(PARTS)
}

/// Refuses a folder that holds what no sweep left there before its table: files would be lost.
fn refuse_foreign(folder: &Path) -> Result<(), Failure> {
    let names = files::patiently(|| files::names(folder))
        .map_err(|error| Failure::io(format!("cannot read {}", folder.display()), &error))?;
    match names.iter().find(|name| !is_ours(name)) {
        Some(foreign) => {
            let message = format!(
                "{} holds something else than a sweep: {foreign}",
                folder.display()
            );
            Err(Failure::new(Exit::Io, message)
                .help("choose another folder, or write into this one with --force"))
        }
        None => Ok(()),
    }
}

/// The plan of a folder.
pub(super) fn plan_of(folder: &Path) -> Result<Plan, Failure> {
    let path = folder.join(PLAN);
    let text = files::patiently(|| files::read_text(&path)).map_err(|error| {
        Failure::new(
            Exit::Io,
            format!("cannot read {}: {}", path.display(), reason(&error)),
        )
        .help("a folder of shards holds the plan they belong to: `stampede sweep PLAN --bundle` writes it")
    })?;
    read_plan(&path, text).map_err(|problems| refused(&problems))
}

fn read_plan(path: &Path, text: String) -> Result<Plan, Problems> {
    let source = Source::new(path.display().to_string(), text);
    Plan::read(&source, &NoFiles)
}
