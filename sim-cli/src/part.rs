//! What is being made, beside where it will stand: a part, under a name that nobody else has.
//!
//! A part is up to four entries of one folder that begin with the same random name: `.lock`, which its
//! process holds locked while it lives and which says where the part belongs; `.new`, what is
//! written; `.old` and `.was`, what gives way. Whoever makes a part in a folder first cleans
//! up after the dead: a lock that can be taken has no living owner. One that cannot is left alone,
//! however old. Numbers of processes play no role: containers on a shared volume have equal ones.

use crate::files::{self, Sink, TryLockError};
use crate::place;
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

/// How names of parts begin.
pub(crate) const PARTS: &str = ".stampede-part-";
/// How the name of a part's lock ends.
const LOCK: &str = ".lock";
/// Where a file system has no locks, and for what the first edition left without one, only age tells:
/// longer than any run.
const STALE: Duration = Duration::from_hours(7 * 24);
/// Whoever moves files of a folder one by one has this, so that two do not at once.
pub(crate) const TURN: &str = ".stampede-part-turn.lock";
/// Random names tried before giving up: the second is for a cleaner that was faster.
const TRIES: usize = 100;

/// A file that is locked as long as this lives, and goes away with it.
#[derive(Debug)]
pub(crate) struct Claim {
    file: Sink,
    /// Whether it stays when this goes: somebody will have to clean up.
    keep: bool,
}

impl Claim {
    /// Makes `path` and locks it. `None` when it is there already, or was taken away meanwhile.
    fn make(path: &Path) -> io::Result<Option<Self>> {
        let file = match files::create_new(path) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => return Ok(None),
            made => made?,
        };
        let claim = Self { file, keep: false };
        match claim.file.file().try_lock() {
            // Without locks nobody can take it for dead before it is old.
            Err(TryLockError::Error(_)) => Ok(Some(claim)),
            Ok(()) if claim.file.stands() => Ok(Some(claim)),
            // A cleaner took it for that of a dead process, and removes it.
            Ok(()) | Err(TryLockError::WouldBlock) => {
                claim.abandon();
                Ok(None)
            }
        }
    }

    /// Takes over what a dead process left at `path`. `None` when its owner lives, or it is gone.
    fn inherit(path: &Path, stale: Duration) -> io::Result<Option<Self>> {
        let file = match files::open_to_change(path, false) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            opened => opened?,
        };
        let claim = Self { file, keep: false };
        let mine = match claim.file.file().try_lock() {
            Ok(()) => claim.file.stands(),
            Err(TryLockError::WouldBlock) => false,
            Err(TryLockError::Error(_)) => older_than(path, stale),
        };
        if mine {
            return Ok(Some(claim));
        }
        claim.abandon();
        Ok(None)
    }

    /// Waits for `path` until whoever has it is done with it, or dead.
    pub(crate) fn wait(path: &Path) -> io::Result<Self> {
        // Placing files takes no longer than a moment.
        const PATIENCE: Duration = Duration::from_mins(1);
        const PAUSE: Duration = Duration::from_millis(20);
        let mut waited = Duration::ZERO;
        loop {
            if let Some(claim) = Self::make(path)? {
                return Ok(claim);
            }
            if let Some(claim) = Self::inherit(path, PATIENCE)? {
                return Ok(claim);
            }
            if waited >= PATIENCE {
                return Err(io::Error::new(
                    ErrorKind::ResourceBusy,
                    "another process is writing there",
                ));
            }
            std::thread::sleep(PAUSE);
            waited += PAUSE;
        }
    }

    /// Lets go of a file that is somebody else's business.
    fn abandon(mut self) {
        self.keep = true;
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        if !self.keep {
            // Removed while still locked, so that nobody takes it for that of a dead process.
            drop(files::remove_file(self.file.path()));
        }
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "how old leftovers are changes nothing that is simulated"
)]
fn older_than(path: &Path, span: Duration) -> bool {
    let modified = files::look(path)
        .ok()
        .flatten()
        .and_then(|found| found.modified().ok());
    modified
        .and_then(|then| std::time::SystemTime::now().duration_since(then).ok())
        .is_some_and(|age| age > span)
}

/// Something in the making.
#[derive(Debug)]
pub(crate) struct Part {
    stem: PathBuf,
    /// Where it belongs, as its lock says.
    target: String,
    claim: Claim,
}

impl Part {
    /// Begins a part in `folder` for what will stand there as `target`: the name of a folder, [`INSIDE`] for
    /// files in `folder` itself, or nothing where there is nothing to put right.
    pub(crate) fn begin(folder: &Path, target: &str) -> io::Result<Self> {
        // A folder that cannot be looked through may still be written to.
        drop(clean(folder, None));
        for _ in 0..TRIES {
            let stem = folder.join(format!("{PARTS}{:016x}", random()));
            let Some(mut claim) = Claim::make(&with(&stem, LOCK))? else {
                continue;
            };
            claim.file.write_all(target.as_bytes())?;
            return Ok(Self {
                stem,
                target: target.to_owned(),
                claim,
            });
        }
        Err(io::Error::new(
            ErrorKind::ResourceBusy,
            "no name is free for what is being made",
        ))
    }

    /// What the names of its entries begin with.
    pub(crate) fn stem(&self) -> &Path {
        &self.stem
    }

    /// What is being written.
    pub(crate) fn fresh(&self) -> PathBuf {
        with(&self.stem, NEW)
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        // Should this fail, the lock stays, and the next process that comes by does it.
        if tidy(&self.stem, &self.target, None).is_err() {
            self.claim.keep = true;
        }
    }
}

/// Puts right what was left half done, and removes what remains.
fn tidy(stem: &Path, target: &str, turn: Option<&Claim>) -> io::Result<()> {
    place::put_right(stem, target, turn)?;
    for ending in [NEW, OLD, WAS] {
        discard(&with(stem, ending))?;
    }
    Ok(())
}

/// The target of a part whose files stand in the folder itself, one by one.
pub(crate) const INSIDE: &str = ".";
/// How the name of what is written ends.
pub(crate) const NEW: &str = ".new";
/// How the name of what gives way ends, while it does.
pub(crate) const OLD: &str = ".old";
/// How the name of what gave way ends, when nothing of it is left where it stood.
pub(crate) const WAS: &str = ".was";

/// The stem with an ending.
pub(crate) fn with(stem: &Path, ending: &str) -> PathBuf {
    let mut name = stem.as_os_str().to_os_string();
    name.push(ending);
    PathBuf::from(name)
}

/// A number that no other process has: from the system's source of random numbers, by way of the
/// keys of the standard library's hash maps.
fn random() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Removes what dead processes left in a folder, after putting right what they left half done. `turn` is
/// handed over by whoever has the folder's [`TURN`].
pub(crate) fn clean(folder: &Path, turn: Option<&Claim>) -> io::Result<()> {
    let folder = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    let names = files::names(folder)?;
    for name in names.iter().filter(|name| name.starts_with(PARTS)) {
        let path = folder.join(name);
        if turn.is_some_and(|turn| turn.file.path() == path) {
            continue;
        }
        if let Some(stem) = name.strip_suffix(LOCK) {
            // Whatever is in the way here is in nobody's way: the next process tries again.
            drop(bury(&folder.join(stem), &path, turn));
            continue;
        }
        let stem = [NEW, OLD, WAS]
            .iter()
            .find_map(|ending| name.strip_suffix(ending))
            .unwrap_or(name);
        let owned = names.iter().any(|n| n.strip_suffix(LOCK) == Some(stem));
        if !owned && older_than(&path, STALE) {
            drop(discard(&path));
        }
    }
    Ok(())
}

/// Ends a part whose process is dead.
fn bury(stem: &Path, lock: &Path, turn: Option<&Claim>) -> io::Result<()> {
    let Some(mut claim) = Claim::inherit(lock, STALE)? else {
        return Ok(());
    };
    claim.keep = true;
    let target = claim.file.read_all()?;
    tidy(stem, &String::from_utf8_lossy(&target), turn)?;
    claim.keep = false;
    Ok(())
}

/// Removes a file, or a folder with what is in it.
pub(crate) fn discard(path: &Path) -> io::Result<()> {
    match files::look(path)? {
        None => Ok(()),
        Some(found) if found.is_dir() => {
            for name in files::names(path)? {
                discard(&path.join(name))?;
            }
            files::remove_folder(path)
        }
        Some(_) => files::remove_file(path),
    }
}

/// Writes a file that appears as a whole, or not at all, and is on the disk when this returns.
pub(crate) fn write_whole(path: &Path, bytes: &[u8]) -> io::Result<()> {
    whole(path, bytes, |new| files::rename(new, path))
}

/// The same for a name that must be free: what is there stays.
pub(crate) fn write_new(path: &Path, bytes: &[u8]) -> io::Result<()> {
    whole(path, bytes, |new| match files::link(new, path) {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => {
            // Some file systems know no second names.
            let mut file = files::create_new(path)?;
            let written = file.write_all(bytes).and_then(|()| file.sync());
            written.inspect_err(|_| drop(files::remove_file(path)))
        }
        done => done,
    })
}

fn whole(path: &Path, bytes: &[u8], appear: impl Fn(&Path) -> io::Result<()>) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new(""));
    files::patiently(|| {
        let part = Part::begin(folder, "")?;
        let new = part.fresh();
        let mut file = files::create_new(&new)?;
        file.write_all(bytes)?;
        file.sync()?;
        drop(file);
        appear(&new)
    })?;
    files::patiently(|| files::sync_folder(folder))
}
