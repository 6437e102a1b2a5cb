//! Everything that touches a disk, in one place: what is read is remembered, so that no result ever
//! falls on it; what is written appears as a whole or not at all; and a test can make the n-th
//! operation fail or kill the program.
//!
//! No other module calls `std::fs`, and a test looks.

use crate::exit::{Exit, Failure};
pub(crate) use std::fs::TryLockError;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::{Component, Path, PathBuf};
use std::sync::Mutex;
use std::time::Duration;

/// How often something is tried whose failure may pass, and the pause before each further time.
const PAUSES: [Duration; 3] = [
    Duration::from_millis(20),
    Duration::from_millis(100),
    Duration::from_millis(500),
];

/// What was read: no result may take its place.
static INPUTS: Mutex<Vec<PathBuf>> = Mutex::new(Vec::new());

/// Opens an input. Whatever is read is safe from being written from now on.
pub(crate) fn open_input(path: &Path) -> io::Result<File> {
    fault::step("open", path)?;
    let file = File::open(path)?;
    if let Ok(mut inputs) = INPUTS.lock() {
        // The name and what it leads to: neither a link nor its end is to be lost.
        inputs.extend(place(path));
        inputs.extend(fs::canonicalize(path));
    }
    Ok(file)
}

/// Where a name stands, in a folder without detours; the name itself may be a link.
fn place(path: &Path) -> io::Result<PathBuf> {
    let parent = match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        _ => Path::new("."),
    };
    let name = path.file_name().ok_or(ErrorKind::InvalidFilename)?;
    Ok(fs::canonicalize(parent)?.join(name))
}

/// The first input that stands in `folder` under one of the names that `falls` is told.
pub(crate) fn input_in(folder: &Path, falls: impl Fn(&str) -> bool) -> Option<PathBuf> {
    let folder = fs::canonicalize(folder).ok()?;
    let inputs = INPUTS.lock().ok()?;
    inputs
        .iter()
        .find(|input| {
            input.parent() == Some(&folder)
                && input
                    .file_name()
                    .is_some_and(|n| falls(&n.to_string_lossy()))
        })
        .cloned()
}

/// Refuses a folder in which results would take the place of what this command reads.
pub(crate) fn spare_inputs(folder: &Path, falls: impl Fn(&str) -> bool) -> Result<(), Failure> {
    let Some(input) = input_in(folder, falls) else {
        return Ok(());
    };
    let name = folder.join(input.file_name().unwrap_or_default());
    Err(Failure::new(
        Exit::Usage,
        format!(
            "{} is read by this command, and the results would take its place",
            name.display()
        ),
    )
    .help("choose another folder for the results: an input is never overwritten"))
}

/// Whether this very name is that of an input.
fn is_input(path: &Path) -> bool {
    let (Ok(place), Ok(inputs)) = (place(path), INPUTS.lock()) else {
        return false;
    };
    inputs.contains(&place)
}

/// The last line of defence: whoever forgets to ask beforehand is told here.
fn spare(path: &Path) -> io::Result<()> {
    if is_input(path) {
        let why = "it is read by this command, and an input is never overwritten";
        return Err(io::Error::other(why));
    }
    Ok(())
}

/// Everything in a file that is small enough to be held.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    fault::step("open", path)?;
    fs::read(path)
}

/// A text of ours; not an input.
pub(crate) fn read_text(path: &Path) -> io::Result<String> {
    fault::step("open", path)?;
    fs::read_to_string(path)
}

/// The names in a folder, in order.
pub(crate) fn names(folder: &Path) -> io::Result<Vec<String>> {
    fault::step("list", folder)?;
    let mut names = Vec::new();
    for entry in fs::read_dir(folder)? {
        names.push(entry?.file_name().to_string_lossy().into_owned());
    }
    names.sort();
    Ok(names)
}

/// What stands there, a link taken for itself; `None` where nothing does.
pub(crate) fn look(path: &Path) -> io::Result<Option<Metadata>> {
    match fs::symlink_metadata(path) {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Makes a folder and those above it.
pub(crate) fn make_folders(folder: &Path) -> io::Result<()> {
    if folder.as_os_str().is_empty() {
        return Ok(());
    }
    fault::step("mkdir", folder)?;
    fs::create_dir_all(folder)
}

/// Makes a folder that is not there yet.
pub(crate) fn make_folder(folder: &Path) -> io::Result<()> {
    fault::step("mkdir", folder)?;
    fs::create_dir(folder)
}

/// Makes a file that is not there yet.
pub(crate) fn create_new(path: &Path) -> io::Result<Sink> {
    fault::step("open", path)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create_new(true)
        .open(path)?;
    Ok(Sink::new(file, path))
}

/// Opens a file for reading and writing; makes it, where `create` says so.
pub(crate) fn open_to_change(path: &Path, create: bool) -> io::Result<Sink> {
    spare(path)?;
    fault::step("open", path)?;
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .create(create)
        .truncate(false)
        .open(path)?;
    Ok(Sink::new(file, path))
}

/// Gives a file or folder another name; a file there gives way in the same moment.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    spare(from)?;
    spare(to)?;
    fault::step("rename", to)?;
    fs::rename(from, to)
}

/// Lets two names change places in one moment, where the system can do that: Linux and macOS, on
/// most of their file systems.
pub(crate) fn exchange(one: &Path, other: &Path) -> io::Result<()> {
    fault::step("rename", other)?;
    if fault::plain() {
        return Err(ErrorKind::Unsupported.into());
    }
    #[cfg(any(target_os = "linux", target_os = "macos"))]
    {
        use rustix::fs::{CWD, RenameFlags, renameat_with};
        Ok(renameat_with(CWD, one, CWD, other, RenameFlags::EXCHANGE)?)
    }
    #[cfg(not(any(target_os = "linux", target_os = "macos")))]
    {
        let _ = one;
        Err(ErrorKind::Unsupported.into())
    }
}

/// Gives a file a second name, which must be free.
pub(crate) fn link(from: &Path, to: &Path) -> io::Result<()> {
    fault::step("link", to)?;
    fs::hard_link(from, to)
}

/// Copies a file to a name that is free.
pub(crate) fn copy(from: &Path, to: &Path) -> io::Result<()> {
    fault::step("open", from)?;
    let mut from = File::open(from)?;
    let mut into = create_new(to)?;
    io::copy(&mut from, &mut into)?;
    into.sync()
}

/// Whether a name leads to something.
///
/// # Errors
/// When that cannot be told, or the name is a link that leads nowhere.
pub(crate) fn is_there(path: &Path) -> io::Result<bool> {
    match fs::metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
            if look(path).is_ok_and(|found| found.is_some()) {
                return Err(io::Error::new(
                    ErrorKind::NotFound,
                    "it is a link to nothing",
                ));
            }
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// Whether a file lies below a folder, wherever links lead. What is not there lies where its name says.
pub(crate) fn is_below(path: &Path, folder: &Path) -> bool {
    let root = if folder.as_os_str().is_empty() {
        Path::new(".")
    } else {
        folder
    };
    match (fs::canonicalize(path), fs::canonicalize(root)) {
        (Ok(path), Ok(root)) => path.starts_with(root),
        // Whether something is there is not told of what lies outside.
        _ => path.strip_prefix(folder).is_ok_and(|rest| {
            rest.components()
                .all(|part| matches!(part, Component::Normal(_)))
        }),
    }
}

/// Where a name leads to.
pub(crate) fn real(path: &Path) -> io::Result<PathBuf> {
    fs::canonicalize(path)
}

/// Whether a folder can change places with another one beside it: no other volume is mounted there, and
/// nobody's work goes on in it.
pub(crate) fn can_be_moved(folder: &Path) -> bool {
    let works_there = std::env::current_dir()
        .and_then(fs::canonicalize)
        .is_ok_and(|here| here.starts_with(folder));
    let same_volume = folder.parent().is_some_and(|parent| {
        let (Ok(one), Ok(other)) = (fs::metadata(folder), fs::metadata(parent)) else {
            return false;
        };
        volume(&one) == volume(&other)
    });
    same_volume && !works_there
}

#[cfg(unix)]
fn volume(of: &Metadata) -> u64 {
    std::os::unix::fs::MetadataExt::dev(of)
}

#[cfg(not(unix))]
fn volume(_: &Metadata) -> u64 {
    0
}

/// What tells a file from all others.
fn number(of: &Metadata) -> (u64, u64) {
    #[cfg(unix)]
    let file = std::os::unix::fs::MetadataExt::ino(of);
    #[cfg(not(unix))]
    let file = 0;
    (volume(of), file)
}

/// Asks the disk to have all files in a folder, and their names.
pub(crate) fn sync_all(folder: &Path) -> io::Result<()> {
    for name in names(folder)? {
        let path = folder.join(name);
        fault::step("sync", &path)?;
        // Windows lets only those ask who may write.
        OpenOptions::new().write(true).open(&path)?.sync_all()?;
    }
    sync_folder(folder)
}

/// Gives `folder` the permissions of another.
pub(crate) fn same_permissions(folder: &Path, other: &Path) -> io::Result<()> {
    fs::set_permissions(folder, fs::metadata(other)?.permissions())
}

/// Removes a file; none is fine too.
pub(crate) fn remove_file(path: &Path) -> io::Result<()> {
    spare(path)?;
    fault::step("unlink", path)?;
    gone(fs::remove_file(path))
}

/// Removes an empty folder; none is fine too.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    fault::step("unlink", path)?;
    gone(fs::remove_dir(path))
}

fn gone(done: io::Result<()>) -> io::Result<()> {
    match done {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(()),
        done => done,
    }
}

/// Asks the disk to have the names in a folder. Windows knows no such request.
pub(crate) fn sync_folder(folder: &Path) -> io::Result<()> {
    fault::step("sync", folder)?;
    if cfg!(unix) {
        let folder = if folder.as_os_str().is_empty() {
            Path::new(".")
        } else {
            folder
        };
        match File::open(folder)?.sync_all() {
            // Some network file systems have nothing to ask.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::InvalidInput | ErrorKind::Unsupported
                ) =>
            {
                Ok(())
            }
            done => done,
        }
    } else {
        Ok(())
    }
}

/// An open file of ours.
#[derive(Debug)]
pub(crate) struct Sink {
    file: File,
    path: PathBuf,
}

impl Sink {
    fn new(file: File, path: &Path) -> Self {
        Self {
            file,
            path: path.to_path_buf(),
        }
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The file, to lock it and to ask about it.
    pub(crate) fn file(&self) -> &File {
        &self.file
    }

    /// Whether its name still leads to it. Elsewhere than on Unix an open file keeps its name.
    pub(crate) fn stands(&self) -> bool {
        match (look(&self.path), self.file.metadata()) {
            (Ok(Some(there)), Ok(here)) => number(&there) == number(&here),
            _ => false,
        }
    }

    /// Everything in it.
    pub(crate) fn read_all(&mut self) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        self.file.read_to_end(&mut bytes)?;
        Ok(bytes)
    }

    /// Cuts it, and goes on writing at its end.
    pub(crate) fn cut(&mut self, bytes: u64) -> io::Result<()> {
        fault::step("truncate", &self.path)?;
        self.file.set_len(bytes)?;
        io::Seek::seek(&mut self.file, io::SeekFrom::Start(bytes)).map(|_| ())
    }

    /// Asks the disk to have it.
    pub(crate) fn sync(&self) -> io::Result<()> {
        fault::step("sync", &self.path)?;
        self.file.sync_all()
    }
}

impl Write for Sink {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        fault::step("write", &self.path)?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

/// Does something again whose failure may pass, such as a hiccup of a network file system.
pub(crate) fn patiently<T>(mut attempt: impl FnMut() -> io::Result<T>) -> io::Result<T> {
    for pause in PAUSES {
        match attempt() {
            Err(error) if may_pass(&error) => std::thread::sleep(fault::pause(pause)),
            done => return done,
        }
    }
    attempt()
}

/// Whether the same might succeed a moment later. What a user has to mend does not.
fn may_pass(error: &io::Error) -> bool {
    !matches!(
        error.kind(),
        ErrorKind::NotFound
            | ErrorKind::PermissionDenied
            | ErrorKind::AlreadyExists
            | ErrorKind::InvalidInput
            | ErrorKind::InvalidData
            | ErrorKind::InvalidFilename
            | ErrorKind::NotADirectory
            | ErrorKind::IsADirectory
            | ErrorKind::DirectoryNotEmpty
            | ErrorKind::ReadOnlyFilesystem
            | ErrorKind::StorageFull
            | ErrorKind::QuotaExceeded
            | ErrorKind::FileTooLarge
            | ErrorKind::CrossesDevices
            | ErrorKind::TooManyLinks
            | ErrorKind::Unsupported
            | ErrorKind::BrokenPipe
    )
}

/// Faults for tests: the variable `STAMPEDE_FAULT` makes one of the operations above fail
/// (`fail 7`), all from one on (`fail-from 7`), kills the program before one (`kill 7`), or lists them
/// (`trace`); `plain` before it stands for a system without [`exchange`]. Programs that are built for
/// use do not look.
#[cfg(debug_assertions)]
mod fault {
    use std::io;
    use std::path::Path;
    use std::sync::OnceLock;
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::time::Duration;

    static DONE: AtomicU64 = AtomicU64::new(0);
    static WANTED: OnceLock<Option<Wanted>> = OnceLock::new();

    struct Wanted {
        kind: String,
        at: u64,
        plain: bool,
    }

    fn wanted() -> Option<&'static Wanted> {
        let read = || {
            let text = std::env::var("STAMPEDE_FAULT").ok()?;
            let rest = text.strip_prefix("plain ");
            let (kind, at) = rest
                .unwrap_or(&text)
                .split_once(' ')
                .unwrap_or(("trace", "0"));
            Some(Wanted {
                kind: kind.to_owned(),
                at: at.parse().ok()?,
                plain: rest.is_some(),
            })
        };
        WANTED.get_or_init(read).as_ref()
    }

    /// A fault for a test does not pass by waiting.
    pub(super) fn pause(pause: Duration) -> Duration {
        wanted().map_or(pause, |_| Duration::ZERO)
    }

    pub(super) fn plain() -> bool {
        wanted().is_some_and(|wanted| wanted.plain)
    }

    pub(super) fn step(what: &str, path: &Path) -> io::Result<()> {
        let Some(Wanted { kind, at, .. }) = wanted() else {
            return Ok(());
        };
        let now = DONE.fetch_add(1, Ordering::SeqCst) + 1;
        match kind.as_str() {
            "kill" if now == *at => std::process::abort(),
            "fail" if now == *at => Err(io::Error::other("a fault for a test")),
            "fail-from" if now >= *at => Err(io::Error::other("a fault for a test")),
            "trace" => {
                crate::terminal::say(&format!("fault {now}: {what} {}", path.display()));
                Ok(())
            }
            _ => Ok(()),
        }
    }
}

#[cfg(not(debug_assertions))]
mod fault {
    #[expect(
        clippy::unnecessary_wraps,
        reason = "programs that are built for use have no faults to tell of"
    )]
    pub(super) fn step(_: &str, _: &std::path::Path) -> std::io::Result<()> {
        Ok(())
    }

    pub(super) fn plain() -> bool {
        false
    }

    pub(super) fn pause(pause: std::time::Duration) -> std::time::Duration {
        pause
    }
}
