//! Files of other programs' settings: those that were named, those of folders, those that others include.

use crate::exit::{Exit, Failure, reason};
use crate::files;
use crate::input;
use sim_core::scenario::Source;
use sim_import::settings::{self, Files, matches};
use std::path::{Path, PathBuf};

/// Folders within folders that are looked into.
const DEPTH_MAX: usize = 8;
/// Files of a folder that are read at most.
const FILES_MAX: usize = 2000;

/// The texts that arguments mean; of a folder those that look like settings.
pub(crate) fn sources(arguments: &[String]) -> Result<Vec<Source>, Failure> {
    let mut found = Vec::new();
    for argument in arguments {
        let path = Path::new(argument);
        if argument != "-" && path.is_dir() {
            let before = found.len();
            folder(path, 0, &mut found)?;
            if found.len() == before {
                let message = format!("no file in {argument} looks like settings that can be read");
                return Err(Failure::new(Exit::Invalid, message));
            }
            // What includes others comes before them.
            found[before..].sort_by_key(|source: &Source| {
                (!source.name.ends_with("nginx.conf"), source.name.clone())
            });
        } else {
            let name = if argument == "-" { "stdin" } else { argument };
            found.push(Source::new(name, input::text(argument)?));
        }
    }
    Ok(found)
}

fn folder(path: &Path, depth: usize, found: &mut Vec<Source>) -> Result<(), Failure> {
    let unreadable = |error| Failure::io(format!("cannot read {}", path.display()), &error);
    for name in files::names(path).map_err(unreadable)? {
        if name.starts_with('.') {
            continue;
        }
        let inside = path.join(&name);
        if inside.is_dir() {
            if depth < DEPTH_MAX {
                folder(&inside, depth + 1, found)?;
            }
            continue;
        }
        if found.len() >= FILES_MAX {
            let message = format!("more than {FILES_MAX} files: name those that matter");
            return Err(Failure::new(Exit::Usage, message));
        }
        let named = inside.display().to_string();
        // Pictures, keys and archives are no texts, and no settings.
        if let Ok(text) = input::text(&named) {
            let source = Source::new(named, text);
            if settings::recognise(&source).is_some() {
                found.push(source);
            }
        }
    }
    Ok(())
}

/// What stands beside the files that were named.
pub(crate) struct Neighbours {
    /// The folder of the first, which others are not to leave when scenarios are confined.
    root: PathBuf,
}

impl Neighbours {
    /// Those of arguments.
    pub(crate) fn of(arguments: &[String]) -> Self {
        let first = arguments.first().map_or("", String::as_str);
        let path = Path::new(first);
        let root = if path.is_dir() {
            Some(path)
        } else {
            path.parent()
        };
        Self {
            root: root.unwrap_or(Path::new("")).to_path_buf(),
        }
    }

    fn may_read(&self, path: &Path) -> bool {
        !input::is_confined() || files::is_below(path, &self.root)
    }
}

impl Files for Neighbours {
    fn read(&self, name: &str) -> Result<Option<String>, String> {
        let path = Path::new(name);
        if !self.may_read(path) {
            return Ok(None);
        }
        input::read_if_there(path)
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, String> {
        let (mut found, parts) = match pattern.strip_prefix('/') {
            Some(rest) => (vec!["/".to_owned()], rest),
            None => (vec![String::new()], pattern),
        };
        let parts: Vec<&str> = parts.split('/').collect();
        for (index, part) in parts.iter().enumerate() {
            let mut next = Vec::new();
            for folder in &found {
                let below = |name: &str| match folder.as_str() {
                    "" => name.to_owned(),
                    "/" => format!("/{name}"),
                    folder => format!("{folder}/{name}"),
                };
                if !part.contains(['*', '?', '[']) {
                    next.push(below(part));
                    continue;
                }
                let place = if folder.is_empty() { "." } else { folder };
                if !Path::new(place).is_dir() || !self.may_read(Path::new(place)) {
                    continue;
                }
                let names = files::names(Path::new(place)).map_err(|error| reason(&error))?;
                next.extend(
                    names
                        .iter()
                        .filter(|name| matches(part, name))
                        .map(|name| below(name)),
                );
            }
            let last = index + 1 == parts.len();
            next.retain(|path| {
                if last {
                    Path::new(path).is_file()
                } else {
                    Path::new(path).is_dir() || path == ".."
                }
            });
            found = next;
        }
        Ok(found)
    }
}
