//! Which scenarios and tests of alert rules a suite has: those that are named, and those in folders that are.

use crate::command::test::{figures, rules};
use crate::exit::{Exit, Failure};
use crate::files;
use crate::folder::{EXPERIMENT, SUMMARY};
use crate::input;
use crate::terminal::say_warning;
use sim_core::scenario::{NoFiles, Scenario, Source, Written, outline};
use std::collections::BTreeSet;
use std::path::Path;

/// Folders within one another are followed so far: deeper lies a circle of links, or nothing of a suite.
const DEPTH_MAX: usize = 16;

/// What was found.
#[derive(Default)]
pub(super) struct Suite {
    /// Scenarios in order, each once.
    pub scenarios: Vec<String>,
    /// Tests of alert rules in order, each once.
    pub rules: Vec<String>,
    /// Files in folders that are no scenarios.
    pub left_out: Vec<String>,
    quiet: bool,
}

impl Suite {
    /// Those that `paths` name. Other programs' files in folders that cannot be read are warned of.
    pub(super) fn find(paths: &[String], quiet: bool) -> Result<Self, Failure> {
        let mut suite = Self {
            quiet,
            ..Self::default()
        };
        for path in paths {
            if Path::new(path).is_dir() {
                let before = suite.len();
                suite.look_into(Path::new(path), DEPTH_MAX)?;
                if suite.len() == before {
                    let message =
                        format!("neither a scenario nor a test of alert rules is in {path}");
                    return Err(Failure::new(Exit::NotFound, message)
                        .help("`stampede new NAME` writes one to begin with"));
                }
            } else if path == "-" {
                let message = "a suite is of files: standard input has no place to keep figures at";
                return Err(Failure::new(Exit::Usage, message));
            } else if rules::is_yaml(Path::new(path)) && Path::new(path).is_file() {
                suite.rules.push(path.clone());
            } else {
                suite.scenarios.push(path.clone());
            }
        }
        for names in [&mut suite.scenarios, &mut suite.rules] {
            let mut seen = BTreeSet::new();
            names.retain(|name| seen.insert(name.clone()));
        }
        Ok(suite)
    }

    fn len(&self) -> usize {
        self.scenarios.len() + self.rules.len()
    }

    fn look_into(&mut self, folder: &Path, depth: usize) -> Result<(), Failure> {
        let name = folder.display();
        let names = files::names(folder)
            .map_err(|error| Failure::io(format!("cannot read {name}"), &error))?;
        // What `run -o` left behind is a result, and no part of a suite.
        let of_results = |name: &String| name == SUMMARY || name == EXPERIMENT;
        if names.iter().any(of_results) {
            return Ok(());
        }
        for name in names.iter().filter(|name| !name.starts_with('.')) {
            let path = folder.join(name);
            if path.is_dir() {
                if depth == 0 {
                    let message = format!(
                        "{} lies in more than {DEPTH_MAX} folders: do links lead in a circle?",
                        path.display()
                    );
                    return Err(Failure::new(Exit::Io, message));
                }
                self.look_into(&path, depth - 1)?;
                continue;
            }
            let ending = path.extension().unwrap_or_default();
            if rules::is_yaml(&path) {
                match rules::is_test(&path) {
                    Ok(true) => self.rules.push(path.display().to_string()),
                    Err(why) if !self.quiet => {
                        say_warning(&path.display().to_string(), &left_out(&why));
                    }
                    Ok(false) | Err(_) => {}
                }
                continue;
            }
            if (ending != "toml" && ending != "json") || figures::is_one(&path) {
                continue;
            }
            let text = path.display().to_string();
            if is_scenario(&text)? {
                self.scenarios.push(text);
            } else {
                self.left_out.push(text);
            }
        }
        Ok(())
    }
}

fn left_out(why: &str) -> String {
    format!("it is left out, since it cannot be read: {why}")
}

/// Whether a file means to be a scenario. One that cannot be read at all does: its author will want to know.
fn is_scenario(path: &str) -> Result<bool, Failure> {
    let source = Source::new(path, input::text(path)?);
    let read = Scenario::read(source.clone(), &[], &NoFiles);
    if read.is_err_and(|problems| problems.has("E004")) {
        return Ok(false);
    }
    let own = ["horizon", "base", "service", "traffic"];
    let of_scenarios = |value: &Written| {
        let first = value.path.split('.').next();
        first.is_some_and(|key| own.contains(&key))
    };
    Ok(outline(&source).is_none_or(|written| written.iter().any(of_scenarios)))
}
