//! How finished results take the place of old ones: in one moment, wherever the system can do that.
//!
//! A folder that holds nothing but results changes places with the new one: whoever looks finds the
//! old results or the new ones. Where the system knows no such exchange, two renamings do it, and what
//! is left between them, should the process die there, is put right by the next one.
//!
//! Some folders cannot be moved: where a volume is mounted, where somebody works, and where files of others lie. There,
//! files give way one by one. All new ones lie ready before the first old one goes, so that the next
//! process can take it back (as long as old ones are leaving) or bring it to its end (when all have
//! left). The summary goes first and comes last: where there is a summary, everything else is there.

use crate::files;
use crate::folder::{EXPERIMENT, FILES, SUMMARY, is_result};
use crate::part::{Claim, INSIDE, NEW, OLD, PARTS, Part, TURN, WAS, clean, discard, with};
use std::io::{self, ErrorKind};
use std::path::Path;

/// How often somebody else may be faster.
const TRIES: usize = 1000;

/// The part becomes the folder `target`, which it stands beside.
pub(crate) fn swap(part: &Part, target: &Path) -> io::Result<()> {
    let (new, old) = (part.fresh(), with(part.stem(), OLD));
    for _ in 0..TRIES {
        if files::look(target)?.is_none() {
            match files::rename(&new, target) {
                Err(error) if somebody_came(&error) => continue,
                done => return done,
            }
        }
        // Should they differ, the results are still the results.
        drop(files::same_permissions(&new, target));
        if files::exchange(&new, target).is_ok() {
            return Ok(());
        }
        retire(&old, target)?;
        match files::rename(target, &old) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            done => done?,
        }
        match files::rename(&new, target) {
            Err(error) if somebody_came(&error) => {}
            done => return done,
        }
    }
    Err(ErrorKind::ResourceBusy.into())
}

fn somebody_came(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        ErrorKind::DirectoryNotEmpty | ErrorKind::AlreadyExists
    )
}

/// The files of a part take their places in `target`, which it stands in.
pub(crate) fn file_by_file(part: &Part, target: &Path) -> io::Result<()> {
    let turn = Claim::wait(&target.join(TURN))?;
    clean(target, Some(&turn))?;
    // Somebody could neither go on nor back, and still lives: what lies there is not ours to move.
    let half_done =
        |name: &String| name.starts_with(PARTS) && (name.ends_with(OLD) || name.ends_with(WAS));
    if files::names(target)?.iter().any(half_done) {
        let why = "another process left its results there half done";
        return Err(io::Error::new(ErrorKind::ResourceBusy, why));
    }
    let moved = give_way(part.stem(), target);
    // Forward or back, as far as it came.
    put_right(part.stem(), INSIDE, Some(&turn)).and(moved)
}

/// Old files leave; from the last line on the new results are what counts.
fn give_way(stem: &Path, target: &Path) -> io::Result<()> {
    let old = with(stem, OLD);
    files::make_folder(&old)?;
    for name in order() {
        if files::look(&target.join(name))?.is_some() {
            files::rename(&target.join(name), &old.join(name))?;
        }
    }
    files::sync_folder(&old)?;
    files::rename(&old, &with(stem, WAS))
}

/// Brings what a process left half done to its end, or takes it back. `target` is the name of a folder beside
/// the part, or [`INSIDE`].
pub(crate) fn put_right(stem: &Path, target: &str, turn: Option<&Claim>) -> io::Result<()> {
    let folder = stem.parent().unwrap_or(Path::new(""));
    let (new, old, was) = (with(stem, NEW), with(stem, OLD), with(stem, WAS));
    let there = |path: &Path| files::look(path).map(|found| found.is_some());
    if target == INSIDE {
        if !there(&old)? && !there(&was)? {
            return Ok(());
        }
        let _turn = match turn {
            Some(_) => None,
            None => Some(Claim::wait(&folder.join(TURN))?),
        };
        let from = if there(&was)? { new } else { old };
        for name in order().rev() {
            if there(&from.join(name))? {
                files::rename(&from.join(name), &folder.join(name))?;
            }
        }
        files::sync_folder(folder)?;
        discard(&with(stem, OLD))?;
        return discard(&was);
    }
    if target.is_empty() {
        return Ok(());
    }
    let target = folder.join(target);
    if there(&old)? && !there(&target)? {
        files::rename(&old, &target)?;
    }
    retire(&old, &target)?;
    retire(&new, &target)
}

/// Removes results that gave way. What others put beside them meanwhile goes where it was meant to be.
fn retire(folder: &Path, target: &Path) -> io::Result<()> {
    if files::look(folder)?.is_none() {
        return Ok(());
    }
    for name in files::names(folder)? {
        let path = folder.join(&name);
        let file = files::look(&path)?.is_some_and(|found| !found.is_dir());
        if file && is_result(&name) {
            files::remove_file(&path)?;
        } else if files::look(&target.join(&name))?.is_none() {
            files::rename(&path, &target.join(&name))?;
        } else {
            let why = format!("{} is there already", target.join(&name).display());
            return Err(io::Error::new(ErrorKind::AlreadyExists, why));
        }
    }
    files::remove_folder(folder)
}

/// The order in which files leave; they come in the opposite one.
fn order() -> impl DoubleEndedIterator<Item = &'static str> {
    let first = [SUMMARY, EXPERIMENT];
    first.into_iter().chain(
        FILES
            .iter()
            .map(|(name, _)| *name)
            .filter(move |name| !first.contains(name)),
    )
}
