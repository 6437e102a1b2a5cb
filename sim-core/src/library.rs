//! A library of scenarios that are part of a program, found by name.
//!
//! Front ends embed the texts; what a name means is decided here, so that `incident` is the same
//! scenario in the command, in the window and in the browser.

use crate::scenario::{Files, Source, suggest};
use std::cell::RefCell;
use std::path::{Path, PathBuf};

/// Where plans of sweeps stand; everything else is a scenario.
const PLANS: &str = "plan/";

/// Texts by their path, such as `incident/incident.toml`, in the order of the paths.
#[derive(Clone, Copy, Debug)]
pub struct Library {
    files: &'static [(&'static str, &'static str)],
}

impl Library {
    /// A library of these texts.
    pub const fn new(files: &'static [(&'static str, &'static str)]) -> Self {
        Self { files }
    }

    /// The names of all scenarios, in the order of their paths: the file's name without folder and
    /// ending, or with the folder where that alone could mean several.
    pub fn names(&self) -> Vec<&'static str> {
        let paths: Vec<&str> = self
            .scenarios()
            .map(|(path, _)| without_ending(path))
            .collect();
        let unique = |stem: &str| paths.iter().filter(|path| stem_of(path) == stem).count() == 1;
        paths
            .iter()
            .map(|path| {
                if unique(stem_of(path)) {
                    stem_of(path)
                } else {
                    path
                }
            })
            .collect()
    }

    /// The scenario of this name: one of [`Library::names`], or a path; either with or without its
    /// ending.
    pub fn find(&self, name: &str) -> Option<Source> {
        let name = without_ending(name);
        let by_path = self
            .scenarios()
            .find(|(path, _)| without_ending(path) == name);
        let found = by_path.or_else(|| {
            let mut named = self
                .scenarios()
                .filter(|(path, _)| stem_of(without_ending(path)) == name);
            named.next().filter(|_| named.next().is_none())
        });
        found.map(|(path, text)| Source::new(*path, *text))
    }

    /// What could have been meant by a name that is not here.
    pub fn suggest(&self, name: &str) -> String {
        suggest(name, self.names())
    }

    /// A text of any kind at `path`, or the scenario called so.
    fn text(&self, path: &str) -> Option<Source> {
        let at = self.files.iter().find(|(p, _)| *p == path);
        at.map(|(path, text)| Source::new(*path, *text))
            .or_else(|| self.find(path))
    }

    /// Reads what a scenario of the library called `from` refers to: beside itself first.
    ///
    /// # Errors
    /// When there is no such text.
    pub fn read_from(&self, from: &str, name: &str) -> Result<Source, String> {
        let beside = from
            .rsplit_once('/')
            .and_then(|(folder, _)| self.text(&format!("{folder}/{name}")));
        beside
            .or_else(|| self.text(name))
            .ok_or_else(|| format!("no model is called {name:?}"))
    }

    /// The names of all plans: the file's name without folder and ending.
    pub fn plans(&self) -> Vec<&'static str> {
        self.plan_files()
            .map(|(path, _)| stem_of(without_ending(path)))
            .collect()
    }

    /// The plan of this name, with or without folder and ending.
    pub fn find_plan(&self, name: &str) -> Option<Source> {
        let name = without_ending(name);
        let name = name.strip_prefix(PLANS).unwrap_or(name);
        self.plan_files()
            .find(|(path, _)| stem_of(without_ending(path)) == name)
            .map(|(path, text)| Source::new(*path, *text))
    }

    fn plan_files(&self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        self.files
            .iter()
            .filter(|(path, _)| path.starts_with(PLANS) && without_ending(path).len() < path.len())
    }

    fn scenarios(&self) -> impl Iterator<Item = &'static (&'static str, &'static str)> {
        self.files
            .iter()
            .filter(|(path, _)| !path.starts_with(PLANS) && without_ending(path).len() < path.len())
    }
}

impl Files for Library {
    fn read(&self, name: &str) -> Result<Source, String> {
        self.read_from("", name)
    }
}

/// Whether an argument names a file rather than a model: it has a folder, or the ending of a
/// scenario.
pub fn looks_like_a_path(argument: &str) -> bool {
    let ending = Path::new(argument).extension().and_then(|e| e.to_str());
    let known = |e: &str| ["toml", "json"].iter().any(|k| e.eq_ignore_ascii_case(k));
    argument.contains(['/', '\\']) || ending.is_some_and(known)
}

/// What a scenario in a file refers to: a file beside the scenario that names it, or else one of the
/// library. `read` gives the text of a file, `None` where there is no such file, or says why it
/// cannot be read.
pub struct Folders<'a, R> {
    models: &'a Library,
    /// Folders of the scenarios read so far, the latest last.
    visited: RefCell<Vec<PathBuf>>,
    read: R,
}

impl<'a, R: Fn(&Path) -> Result<Option<String>, String>> Folders<'a, R> {
    /// For a scenario whose file is in `folder`.
    pub fn new(library: &'a Library, folder: &Path, read: R) -> Self {
        Self {
            models: library,
            visited: RefCell::new(vec![folder.to_path_buf()]),
            read,
        }
    }
}

impl<R: Fn(&Path) -> Result<Option<String>, String>> Files for Folders<'_, R> {
    fn read(&self, name: &str) -> Result<Source, String> {
        let mut folders = self.visited.borrow_mut();
        // A base was named by the scenario read before it, which is why the latest comes first.
        for folder in folders.iter().rev() {
            let path = folder.join(name);
            if let Some(text) = (self.read)(&path)? {
                folders.push(path.parent().unwrap_or(Path::new("")).to_path_buf());
                return Ok(Source::new(path.display().to_string(), text));
            }
        }
        let found = self.models.find(name);
        found.ok_or_else(|| "there is neither such a file nor a model of this name".to_owned())
    }
}

fn without_ending(path: &str) -> &str {
    path.strip_suffix(".toml")
        .or_else(|| path.strip_suffix(".json"))
        .unwrap_or(path)
}

fn stem_of(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIBRARY: Library = Library::new(&[
        ("a/one.toml", "1"),
        ("a/two.json", "2"),
        ("a/trace.txt", "t"),
        ("b/one.toml", "3"),
        ("plan/loads.toml", "4"),
    ]);

    fn text(name: &str) -> Option<String> {
        LIBRARY.find(name).map(|source| source.text)
    }

    #[test]
    fn names_are_short_where_they_are_clear() {
        assert_eq!(LIBRARY.names(), ["a/one", "two", "b/one"]);
        assert_eq!(text("two").as_deref(), Some("2"));
        assert_eq!(text("b/one").as_deref(), Some("3"));
        assert_eq!(text("a/two.json").as_deref(), Some("2"));
        assert_eq!(text("two.toml").as_deref(), Some("2"));
        assert_eq!(text("one"), None, "two scenarios have this name");
        assert_eq!(text("trace"), None, "a trace is no scenario");
        assert!(LIBRARY.suggest("tow").contains("did you mean \"two\"?"));
    }

    #[test]
    fn plans_are_no_scenarios() {
        assert_eq!(LIBRARY.plans(), ["loads"]);
        for name in ["loads", "plan/loads", "loads.toml", "plan/loads.toml"] {
            assert_eq!(
                LIBRARY.find_plan(name).map(|s| s.text).as_deref(),
                Some("4"),
                "{name}"
            );
            assert_eq!(text(name), None);
        }
        assert_eq!(LIBRARY.find_plan("one"), None);
    }

    #[test]
    fn neighbours_come_first() {
        let read = |from, name| LIBRARY.read_from(from, name).map(|source| source.text);
        assert_eq!(read("b/one.toml", "one.toml").as_deref(), Ok("3"));
        assert_eq!(read("a/two.json", "trace.txt").as_deref(), Ok("t"));
        assert_eq!(read("b/one.toml", "two").as_deref(), Ok("2"));
        assert!(read("b/one.toml", "trace.txt").is_err());
    }
}
