//! A journal: a file of lines that is appended to while something long runs, by one process at a time.
//!
//! Each line is one write; the disk is asked to have it at most every second, so that what is short does not wait for
//! the disk: a killed process loses nothing, a lost power supply the lines of the last second.

use crate::exit::{Exit, Failure};
use crate::files::{self, Sink, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

/// How long lines may stay out of the disk's reach.
const SYNC: Duration = Duration::from_secs(1);

/// An open journal.
pub(crate) struct Journal {
    file: Sink,
    path: PathBuf,
    /// Bytes of whole lines.
    whole: u64,
    synced: Instant,
}

impl Journal {
    /// Opens a journal, or begins one, and keeps others out; `read` looks at what it holds and says how many bytes of that
    /// are whole lines.
    #[expect(
        clippy::disallowed_methods,
        reason = "how often the disk is asked changes nothing that is written"
    )]
    pub(crate) fn open<T>(
        path: PathBuf,
        read: impl FnOnce(&[u8]) -> Result<(T, usize), Failure>,
    ) -> Result<(Self, T), Failure> {
        let fail =
            |error: &io::Error| Failure::io(format!("cannot write {}", path.display()), error);
        let mut file = files::patiently(|| files::open_to_change(&path, true))
            .map_err(|error| fail(&error))?;
        // Not every file system has locks; where there are none, nobody is kept out.
        if let Err(TryLockError::WouldBlock) = file.file().try_lock() {
            return Err(Failure::new(
                Exit::Io,
                format!("another process is writing {}", path.display()),
            )
            .help("wait for it, or choose another place"));
        }
        let bytes = file.read_all().map_err(|error| fail(&error))?;
        let (found, whole) = read(&bytes)?;
        let whole = whole as u64;
        files::patiently(|| file.cut(whole)).map_err(|error| fail(&error))?;
        let mut journal = Self {
            file,
            path,
            whole,
            synced: Instant::now(),
        };
        journal.sync()?;
        Ok((journal, found))
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Whether nothing is in it.
    pub(crate) fn is_empty(&self) -> bool {
        self.whole == 0
    }

    /// Adds a line.
    pub(crate) fn append(&mut self, line: &str) -> Result<(), Failure> {
        let (file, whole) = (&mut self.file, self.whole);
        let mut torn = false;
        files::patiently(|| {
            // Half a line of an attempt that failed must not stand before the next.
            if std::mem::replace(&mut torn, true) {
                file.cut(whole)?;
            }
            file.write_all(line.as_bytes())
        })
        .map_err(|error| Failure::io(format!("cannot write {}", self.path.display()), &error))?;
        self.whole += line.len() as u64;
        if self.synced.elapsed() >= SYNC {
            self.sync()?;
        }
        Ok(())
    }

    /// Everything is there.
    #[expect(
        clippy::disallowed_methods,
        reason = "how often the disk is asked changes nothing that is written"
    )]
    pub(crate) fn sync(&mut self) -> Result<(), Failure> {
        self.file.sync().map_err(|error| {
            Failure::io(format!("cannot write {}", self.path.display()), &error)
        })?;
        self.synced = Instant::now();
        Ok(())
    }
}
