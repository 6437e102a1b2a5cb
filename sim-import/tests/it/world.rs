//! Files that exist only here, and what came of them.

use sim_core::model::Model;
use sim_core::scenario::{NoFiles, Scenario, Source};
use sim_import::settings::{
    self, Files, Imported, Kind, Surroundings, Unreadable, matches, recognise,
};

/// Files by name.
pub(crate) struct World(pub Vec<(&'static str, &'static str)>);

impl Files for World {
    fn read(&self, name: &str) -> Result<Option<String>, String> {
        let found = self.0.iter().find(|(own, _)| *own == name);
        Ok(found.map(|(_, text)| (*text).to_owned()))
    }

    fn matching(&self, pattern: &str) -> Result<Vec<String>, String> {
        let (folder, pattern) = pattern.rsplit_once('/').unwrap_or(("", pattern));
        let mut found = Vec::new();
        for (name, _) in &self.0 {
            let (own, file) = name.rsplit_once('/').unwrap_or(("", name));
            if own == folder && matches(pattern, file) {
                found.push((*name).to_owned());
            }
        }
        found.sort();
        Ok(found)
    }
}

/// Imports the first file of a world, with values for placeholders.
pub(crate) fn try_import(world: &World, values: &[(&str, &str)]) -> Result<Imported, Unreadable> {
    let (name, text) = world.0[0];
    let variable = |name: &str| {
        let found = values.iter().find(|(own, _)| *own == name);
        found.map(|(_, value)| (*value).to_owned())
    };
    let around = Surroundings {
        title: name,
        files: world,
        variable: &variable,
    };
    settings::import(&[Source::new(name, text)], None, &around)
}

/// What came of a text, which the core accepts.
pub(crate) struct Read {
    pub imported: Imported,
    pub model: Model,
}

/// Imports all files of a world as one system.
pub(crate) fn together(world: &World) -> Read {
    let sources: Vec<Source> = (world.0.iter())
        .map(|(name, text)| Source::new(*name, *text))
        .collect();
    let around = Surroundings {
        title: "together",
        files: world,
        variable: &|_| None,
    };
    let imported = settings::import(&sources, None, &around);
    accepted(imported.unwrap_or_else(|problem| panic!("{problem:?}")))
}

/// Imports one text.
pub(crate) fn import(name: &'static str, text: &'static str) -> Read {
    read(&World(vec![(name, text)]), &[])
}

/// Imports the first file of a world.
pub(crate) fn read(world: &World, values: &[(&str, &str)]) -> Read {
    accepted(try_import(world, values).unwrap_or_else(|problem| panic!("{problem:?}")))
}

fn accepted(imported: Imported) -> Read {
    let source = Source::new("imported.toml", imported.scenario.clone());
    let model = Scenario::read(source, &[], &NoFiles).and_then(|scenario| scenario.model());
    let model = model.unwrap_or_else(|problems| panic!("{problems}\n{}", imported.scenario));
    Read { imported, model }
}

impl Read {
    /// Whether a line of the scenario says this, whatever stands behind it.
    #[track_caller]
    pub(crate) fn says(&self, section: &str, line: &str) {
        let text = &self.imported.scenario;
        let mut inside = section.is_empty();
        let mut blocks = 0;
        for own in text.lines() {
            let code = own.split('#').next().unwrap_or_default().trim();
            if code.starts_with('[') && !code.contains('=') {
                inside = code == section;
                blocks += usize::from(inside);
            }
            if inside && code == line {
                return;
            }
        }
        panic!("{line:?} is not in {section} ({blocks} found) of\n{text}");
    }

    /// Whether a line was remarked on, with words of what was said.
    #[track_caller]
    pub(crate) fn remarks(&self, kind: Kind, line: usize, words: &str) {
        let found = self.imported.remarks.iter().any(|remark| {
            let text = format!("{} {}", remark.what, remark.why);
            remark.kind == kind && remark.place.line == line && text.contains(words)
        });
        assert!(found, "line {line} {words:?}: {:#?}", self.imported.remarks);
    }
}

/// The name of the format a text is recognised as.
pub(crate) fn format_of(name: &str, text: &str) -> Option<&'static str> {
    recognise(&Source::new(name, text)).map(|format| format.name)
}
