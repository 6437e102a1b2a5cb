//! Where scenarios come from and settings go: the embedded models, and, natively, files.

use crate::MODELS;
use sim_core::scenario::{Files, Problems, Scenario, Source};

/// The scenario called so: a model, or a file where there are files.
///
/// # Errors
/// Says why it cannot be had.
pub fn find(name: &str) -> Result<Source, String> {
    if let Some(source) = MODELS.find(name) {
        return Ok(source);
    }
    read(name).map_err(|why| match why {
        Some(why) => format!("cannot read {name}: {why}"),
        None => format!("no model is called {name:?} ({})", MODELS.suggest(name)),
    })
}

/// What a scenario refers to: beside itself first, then among the models.
pub struct Beside {
    /// The scenario's own name.
    pub name: String,
}

impl Files for Beside {
    fn read(&self, name: &str) -> Result<Source, String> {
        if let Ok(source) = MODELS.read_from(&self.name, name) {
            return Ok(source);
        }
        let folder = self.name.rsplit_once('/').map(|(folder, _)| folder);
        let path = folder.map_or_else(|| name.to_owned(), |folder| format!("{folder}/{name}"));
        read(&path).map_err(|why| why.unwrap_or_else(|| format!("nothing is called {name:?}")))
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
    let set = seed.map(|seed| ("seed".to_owned(), seed.to_string()));
    let files = Beside {
        name: source.name.clone(),
    };
    Scenario::read(source.clone(), set.as_slice(), &files)
}

/// The text of a lesson beside a scenario, if there is one.
pub fn lesson(path: &str) -> Option<String> {
    let (folder, name) = path.rsplit_once('/').unwrap_or(("", path));
    if let Ok(source) = MODELS.read_from(&format!("{folder}/"), name) {
        return Some(source.text);
    }
    read(path).ok().map(|source| source.text)
}

/// Largest file read: far beyond any scenario.
#[cfg(not(target_arch = "wasm32"))]
const BYTES_MAX: u64 = 64 << 20;

#[cfg(not(target_arch = "wasm32"))]
fn read(path: &str) -> Result<Source, Option<String>> {
    match std::fs::metadata(path) {
        Err(_) => return Err(None),
        Ok(about) if about.len() > BYTES_MAX => return Err(Some("it is too large".to_owned())),
        Ok(_) => {}
    }
    let text = std::fs::read_to_string(path).map_err(|error| Some(error.to_string()))?;
    Ok(Source::new(path, text))
}

#[cfg(target_arch = "wasm32")]
fn read(_: &str) -> Result<Source, Option<String>> {
    Err(None)
}

/// A scenario that was dropped onto the window, or why it cannot be read.
#[cfg(not(target_arch = "wasm32"))]
pub fn take_dropped(ctx: &eframe::egui::Context) -> Option<Result<Source, String>> {
    let path = ctx.input(|input| {
        let file = input.raw.dropped_files.first()?;
        Some(file.path().to_string_lossy().into_owned())
    })?;
    Some(read(&path).map_err(|why| {
        let why = why.unwrap_or_else(|| "there is no such file".to_owned());
        format!("cannot read {path}: {why}")
    }))
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

/// Saves a text as a file; what to say about it.
#[cfg(not(target_arch = "wasm32"))]
pub fn save(name: &str, text: &str) -> String {
    // Never over something that is there.
    let (stem, ending) = name.rsplit_once('.').unwrap_or((name, "toml"));
    let free = (1..1000)
        .map(|n| {
            if n == 1 {
                name.to_owned()
            } else {
                format!("{stem}-{n}.{ending}")
            }
        })
        .find(|name| !std::path::Path::new(name).exists());
    let Some(name) = free else {
        return format!("{name} exists a thousand times");
    };
    match std::fs::write(&name, text) {
        Ok(()) => format!("saved as {name}"),
        Err(error) => format!("cannot write {name}: {error}"),
    }
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
        let _ = std::fs::write(path, text);
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
