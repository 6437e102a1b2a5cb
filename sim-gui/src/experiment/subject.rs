//! Which scenario an experiment is about, as the command would find it.

use crate::files::{self, Neighbours};
use crate::playback::letter;
use crate::state::State;
use sim_core::edit::{overlay, replayed};
use sim_core::model::Model;
use sim_core::scenario::{Files, Problems, Scenario, Source};

/// A scenario with everything that is needed to read it.
#[derive(Clone, Debug)]
pub struct Subject {
    /// How the command names it: a model, or a file.
    pub argument: String,
    /// Its text.
    pub source: Source,
    /// Whether the command finds no such file until the text is written into one.
    pub unwritten: bool,
    /// The seed in place of the scenario's, where the text does not say it.
    pub seed: Option<u64>,
    /// The scenario that it is laid upon, by the name it uses.
    base: Option<(String, Source)>,
    /// Where everything else is looked for.
    beside: String,
}

impl Subject {
    /// The open scenario, or a future of it with all its changes.
    pub fn of(state: &State, branch: usize) -> Option<Self> {
        let opened = Self::opened(state)?;
        if branch > 0 {
            state.branch(branch)?;
        }
        let edits = state.branch(branch).map_or(&[][..], |b| &b.edits);
        if edits.is_empty() {
            return Some(opened);
        }
        let title = format!("{}, future {}", state.title(), letter(branch));
        let name = format!("{}-{}.toml", state.source.stem(), letter(branch));
        let text = if opened.unwritten {
            // Nothing to lay it upon: it holds everything itself.
            let scenario = state.scenario.as_ref()?;
            replayed(scenario, &title, edits).ok()?.to_toml()
        } else {
            overlay(&opened.argument, &title, opened.seed, edits)
        };
        Some(Self {
            argument: name.clone(),
            source: Source::new(name, text),
            unwritten: true,
            seed: None,
            base: Some((opened.argument, opened.source)),
            beside: opened.beside,
        })
    }

    /// The open scenario. A text that was changed and not saved has to be written for the command.
    fn opened(state: &State) -> Option<Self> {
        let scenario = state.scenario.as_ref()?;
        let plain = Self {
            argument: state.name.clone(),
            source: state.source.clone(),
            unwritten: false,
            seed: state.seed,
            base: None,
            beside: state.source.name.clone(),
        };
        if files::find(&state.name).is_ok_and(|found| found.text == state.source.text) {
            return Some(plain);
        }
        let name = format!("{}-changed.toml", state.source.stem());
        Some(Self {
            argument: name.clone(),
            source: Source::new(name, scenario.to_toml()),
            unwritten: true,
            seed: None,
            ..plain
        })
    }

    /// Reads it with sets of `path = value`.
    ///
    /// # Errors
    /// What is wrong with it.
    pub fn read(&self, sets: &[(String, String)]) -> Result<(Scenario, Model), Problems> {
        let mut sets = sets.to_vec();
        if sets.iter().all(|(path, _)| path != "seed") {
            sets.extend(files::seed_set(self.seed));
        }
        let scenario = Scenario::read(self.source.clone(), &sets, &self.files())?;
        let model = scenario.model()?;
        Ok((scenario, model))
    }

    /// Where it and what it refers to is found.
    pub fn files(&self) -> impl Files + '_ {
        Shelf {
            subject: self,
            neighbours: Neighbours::of(&self.beside),
        }
    }
}

struct Shelf<'a> {
    subject: &'a Subject,
    neighbours: Neighbours,
}

impl Files for Shelf<'_> {
    fn read(&self, name: &str) -> Result<Source, String> {
        if name == self.subject.argument {
            return Ok(self.subject.source.clone());
        }
        match &self.subject.base {
            Some((base, source)) if base == name => Ok(source.clone()),
            _ => self.neighbours.read(name),
        }
    }
}
