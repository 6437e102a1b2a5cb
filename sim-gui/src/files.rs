//! Where scenarios come from and settings go: the embedded models, and, natively, files.

use crate::MODELS;
use sim_core::library::{Folders, looks_like_a_path};
use sim_core::scenario::{Files, Problems, Scenario, Source};
use std::path::Path;

/// The scenario called so: a file where there are files, or a model, as the command finds it. The
/// path of a file begins with a folder, so that it is no model's.
///
/// # Errors
/// Says why it cannot be had.
pub fn find(name: &str) -> Result<Source, String> {
    if looks_like_a_path(name) {
        let text = read(Path::new(name)).map_err(|why| format!("cannot read {name}: {why}"))?;
        if let Some(text) = text {
            return Ok(Source::new(path_of_file(name), text));
        }
    }
    MODELS.find(name).ok_or_else(|| {
        if looks_like_a_path(name) {
            format!("cannot read {name}: there is no such file")
        } else {
            format!("no model is called {name:?}; {}", MODELS.suggest(name))
        }
    })
}

/// A path that tells itself apart from that of a model: absolute, or beginning with a dot.
fn path_of_file(path: &str) -> String {
    if is_file(path) {
        path.to_owned()
    } else {
        format!("./{path}")
    }
}

fn is_file(path: &str) -> bool {
    path.starts_with('.') || Path::new(path).has_root()
}

/// What a scenario refers to.
pub enum Neighbours {
    /// One that comes with the program: its neighbours, by its path.
    Models(String),
    /// One in a folder.
    Folder(Folders<'static, ReadFile>),
}

/// Gives the text of a file, or none where there is no such file, or says why it cannot be read.
type ReadFile = fn(&Path) -> Result<Option<String>, String>;

impl Neighbours {
    /// Of the scenario at a path.
    pub fn of(path: &str) -> Self {
        if !is_file(path) {
            return Self::Models(path.to_owned());
        }
        let folder = Path::new(path).parent().unwrap_or(Path::new(""));
        Self::Folder(Folders::new(&MODELS, folder, read))
    }
}

impl Files for Neighbours {
    fn read(&self, name: &str) -> Result<Source, String> {
        match self {
            Self::Models(path) => MODELS.read_from(path, name),
            Self::Folder(folders) => folders.read(name),
        }
    }
}

/// What a scenario refers to where there are no files: the models alone.
pub struct Embedded;

impl Files for Embedded {
    fn read(&self, name: &str) -> Result<Source, String> {
        MODELS.read_from("", name)
    }
}

/// Reads a scenario with everything that it refers to, with another seed than its own where one is
/// given.
///
/// # Errors
/// What is wrong with it.
pub fn read_scenario(source: &Source, seed: Option<u64>) -> Result<Scenario, Problems> {
    let files = Neighbours::of(&source.name);
    Scenario::read(source.clone(), seed_set(seed).as_slice(), &files)
}

/// What sets another seed, as a path and a value.
pub fn seed_set(seed: Option<u64>) -> Option<(String, String)> {
    seed.map(|seed| ("seed".to_owned(), seed.to_string()))
}

/// The text of a lesson beside a scenario, if there is one.
pub fn lesson(path: &str) -> Option<String> {
    if is_file(path) {
        return read(Path::new(path)).ok().flatten();
    }
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    let found = MODELS.read_from(&format!("{folder}/"), name);
    found.ok().map(|source| source.text)
}

/// Largest file read: far beyond any scenario.
#[cfg(not(target_arch = "wasm32"))]
const BYTES_MAX: u64 = 64 << 20;

#[cfg(not(target_arch = "wasm32"))]
fn read(path: &Path) -> Result<Option<String>, String> {
    use std::io::Read as _;
    if !path.is_file() {
        return Ok(None);
    }
    let words = |error: std::io::Error| error.to_string();
    let file = std::fs::File::open(path).map_err(words)?;
    let mut bytes = Vec::new();
    file.take(BYTES_MAX + 1)
        .read_to_end(&mut bytes)
        .map_err(words)?;
    if bytes.len() as u64 > BYTES_MAX {
        return Err(format!("it is larger than {} MiB", BYTES_MAX >> 20));
    }
    let text = String::from_utf8(bytes).map_err(|_| "it is not UTF-8 text".to_owned())?;
    Ok(Some(text))
}

#[cfg(target_arch = "wasm32")]
#[expect(clippy::unnecessary_wraps, reason = "the same as natively")]
fn read(_: &Path) -> Result<Option<String>, String> {
    Ok(None)
}

/// A scenario that was dropped onto the window, or why it cannot be read.
#[cfg(not(target_arch = "wasm32"))]
pub fn take_dropped(ctx: &eframe::egui::Context) -> Option<Result<Source, String>> {
    let path = ctx.input(|input| {
        let file = input.raw.dropped_files.first()?;
        Some(file.path().to_string_lossy().into_owned())
    })?;
    let text = read(Path::new(&path));
    let text = text.and_then(|text| text.ok_or_else(|| "there is no such file".to_owned()));
    Some(match text {
        Ok(text) => Ok(Source::new(path_of_file(&path), text)),
        Err(why) => Err(format!("cannot read {path}: {why}")),
    })
}

/// A scenario that was dropped onto the page, once the browser has read it.
#[cfg(target_arch = "wasm32")]
pub fn take_dropped(ctx: &eframe::egui::Context) -> Option<Result<Source, String>> {
    crate::web::take_dropped(ctx)
}

/// A link that was followed while the window is open: only browsers have such.
#[cfg(not(target_arch = "wasm32"))]
pub fn take_link() -> Option<crate::Opening> {
    None
}

/// A link that was followed while the window is open.
#[cfg(target_arch = "wasm32")]
pub fn take_link() -> Option<crate::Opening> {
    crate::web::take_link()
}

/// Saves a scenario's text into its file, or as a new one where it came from none; what to say about
/// it, and whether it is saved.
#[cfg(not(target_arch = "wasm32"))]
pub fn save_scenario(source: &Source, text: &str) -> (String, bool) {
    if !is_file(&source.name) {
        let said = save(&format!("{}.toml", source.stem()), text);
        return (said.clone(), said.starts_with("saved"));
    }
    match replace(Path::new(&source.name), text) {
        Ok(()) => (format!("saved as {}", source.name), true),
        Err(error) => (format!("cannot write {}: {error}", source.name), false),
    }
}

/// A file beside another with all of a text, on the disk: half a file never has the other's name.
#[cfg(not(target_arch = "wasm32"))]
fn part_of(path: &Path, text: &str) -> std::io::Result<std::path::PathBuf> {
    use std::hash::{BuildHasher, RandomState};
    use std::io::Write;
    let mut name = path.file_name().unwrap_or_default().to_owned();
    // Somebody else may write the same file: no two have one part.
    let random = RandomState::new().hash_one(std::process::id());
    name.push(format!(".stampede-part-{random:016x}"));
    let part = path.with_file_name(name);
    let mut file = std::fs::OpenOptions::new()
        .write(true)
        .create_new(true)
        .open(&part)?;
    let written = (file.write_all(text.as_bytes())).and_then(|()| file.sync_all());
    if let Err(error) = written {
        let _ = std::fs::remove_file(&part);
        return Err(error);
    }
    Ok(part)
}

/// Puts a text in the place of a file, if one is there: whoever reads it finds the old or the new one.
#[cfg(not(target_arch = "wasm32"))]
fn replace(path: &Path, text: &str) -> std::io::Result<()> {
    let part = part_of(path, text)?;
    std::fs::rename(&part, path).inspect_err(|_| {
        let _ = std::fs::remove_file(&part);
    })
}

/// The same for a file that must not be there yet.
#[cfg(not(target_arch = "wasm32"))]
fn make(path: &Path, text: &str) -> std::io::Result<()> {
    let part = part_of(path, text)?;
    let made = match std::fs::hard_link(&part, path) {
        Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => {
            // Where files have one name only, a look must do.
            if path.exists() {
                Err(std::io::ErrorKind::AlreadyExists.into())
            } else {
                return std::fs::rename(&part, path);
            }
        }
        made => made,
    };
    let _ = std::fs::remove_file(&part);
    made
}

/// Saves a scenario's text as a download.
#[cfg(target_arch = "wasm32")]
pub fn save_scenario(source: &Source, text: &str) -> (String, bool) {
    (save(&format!("{}.toml", source.stem()), text), true)
}

/// Saves a text as a file; what to say about it.
#[cfg(not(target_arch = "wasm32"))]
pub fn save(name: &str, text: &str) -> String {
    // Never over something that is there.
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "toml"));
    for n in 1..1000 {
        let free = if n == 1 {
            name.to_owned()
        } else {
            format!("{stem}-{n}.{ending}")
        };
        if Path::new(&free).exists() {
            continue;
        }
        match make(Path::new(&free), text) {
            Ok(()) => return format!("saved as {free}"),
            Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => {}
            Err(error) => return format!("cannot write {free}: {error}"),
        }
    }
    format!("{name} exists a thousand times")
}

/// Saves a text as a download.
#[cfg(target_arch = "wasm32")]
pub fn save(name: &str, text: &str) -> String {
    crate::web::download(name, text)
}

#[cfg(not(target_arch = "wasm32"))]
fn settings_path() -> Option<std::path::PathBuf> {
    let base = std::env::var_os("XDG_CONFIG_HOME")
        .map(std::path::PathBuf::from)
        .or_else(|| {
            std::env::var_os("HOME").map(|home| std::path::PathBuf::from(home).join(".config"))
        });
    // Tests and first starts have no such folder and need none.
    base.map(|base| base.join("stampede").join("window.toml"))
}

/// Looks and layout kept from the last time.
#[cfg(not(target_arch = "wasm32"))]
pub fn kept_settings() -> Option<String> {
    std::fs::read_to_string(settings_path()?).ok()
}

/// Keeps looks and layout; where that is not possible, the next start is as the first.
#[cfg(not(target_arch = "wasm32"))]
pub fn keep_settings(text: &str) {
    if let Some(path) = settings_path()
        && let Some(folder) = path.parent()
        && std::fs::create_dir_all(folder).is_ok()
    {
        let _ = replace(&path, text);
    }
}

/// Looks and layout kept from the last time.
#[cfg(target_arch = "wasm32")]
pub fn kept_settings() -> Option<String> {
    crate::web::kept_settings()
}

/// Keeps looks and layout.
#[cfg(target_arch = "wasm32")]
pub fn keep_settings(text: &str) {
    crate::web::keep_settings(text);
}

#[cfg(all(test, not(target_arch = "wasm32")))]
mod tests {
    use super::{make, replace};

    #[test]
    fn files_are_whole_and_none_is_lost() {
        let folder = std::env::temp_dir().join(format!("stampede-files-{}", std::process::id()));
        std::fs::create_dir_all(&folder).expect("a folder");
        let path = folder.join("a.toml");
        make(&path, "one").expect("it is made");
        let again = make(&path, "two").expect_err("it is there");
        assert_eq!(again.kind(), std::io::ErrorKind::AlreadyExists);
        assert_eq!(std::fs::read_to_string(&path).expect("a text"), "one");
        replace(&path, "three").expect("it is replaced");
        assert_eq!(std::fs::read_to_string(&path).expect("a text"), "three");
        // No part stays behind.
        assert_eq!(std::fs::read_dir(&folder).expect("entries").count(), 1);
        std::fs::remove_dir_all(&folder).expect("it is removed");
    }
}
